// Builds a goods page from /api/item and /api/reviews. Visitors who come back are asked for by u=returning.
(function () {
  const app = document.getElementById("app");
  const id = app.dataset.item;
  const el = (tag, cls, text) => {
    const node = document.createElement(tag);
    if (cls) node.className = cls;
    if (text !== undefined && text !== null) node.textContent = text;
    return node;
  };
  const add = (parent, ...nodes) => { nodes.forEach((n) => n && parent.append(n)); return parent; };
  const list = (cls, items) => add(el("ul", cls), ...items.map((x) => el("li", "", x)));
  const blocks = (parent, items) => items.forEach((b) => {
    if (typeof b === "string") parent.appendChild(el("p", "", b));
    else if (b.h) parent.appendChild(el("h3", "", b.h));
    else if (b.ul) parent.appendChild(list("", b.ul));
    else if (b.fine) parent.appendChild(el("p", "fine", b.fine));
    else if (b.b) parent.appendChild(add(el("p"), el("strong", "", b.b)));
    else if (b.folded) parent.appendChild(add(el("details"), el("summary", "", b.folded), el("p", "", b.text)));
    else if (b.table) parent.appendChild(add(el("table", "grid"), ...b.table.map((r) => add(el("tr"), ...r.map((c, i) => el(i ? "td" : "th", "", c))))));
  });
  const section = (cls, title, fill) => { const s = el("section", cls); s.appendChild(el("h2", "", title)); fill(s); return s; };
  const check = (o) => {
    const label = el("label"), box = el("input");
    box.type = "checkbox"; box.checked = Boolean(o.checked); box.defaultChecked = Boolean(o.checked);
    return add(label, box, document.createTextNode(" " + o.label));
  };
  const price = (d) => {
    const box = el("div", "price-box");
    add(box, el("span", "price-label", "到手价"), " ", el("span", "price-now", d.price ? d.symbol + d.price : d.price_text));
    if (d.was) { const w = el("span", "price-was", (d.was_label || "划线价") + " "); add(box, add(w, el("del", "", d.symbol + d.was))); }
    if (d.price_note) box.appendChild(el("p", "price-note", d.price_note));
    if (d.was_note) box.appendChild(el("p", "price-note fine", d.was_note));
    if (d.timer) {
      const t = el("div", "timer");
      t.dataset.kind = d.timer.kind; t.dataset.over = "活动已结束";
      if (d.timer.ends) t.dataset.ends = d.timer.ends;
      if (d.timer.seconds) t.dataset.seconds = d.timer.seconds;
      add(box, add(t, el("span", "", d.timer.label || "距结束仅剩"), document.createTextNode(" "), el("b", "clock", "--:--:--")));
    }
    return box;
  };
  const buybox = (d) => {
    const b = el("div", "buybox");
    add(b, el("h1", "goods-title", d.title), d.sub && el("p", "goods-sub", d.sub));
    if (d.badges.length) add(b, add(el("p", "badges"), ...d.badges.map((x) => el("span", "badge", x))));
    b.appendChild(price(d));
    if (d.coupons.length) add(b, add(el("p", "coupons", "优惠券: "), ...d.coupons.map((x) => el("span", "coupon", x))));
    const c = el("p", "counts");
    if (d.sold !== null) c.appendChild(el("span", "sold", "已售 " + d.sold));
    if (d.stock !== null) c.appendChild(el("span", "stock", "库存 " + d.stock));
    c.appendChild(el("a", "review-link", d.review_total + " 条评价"));
    b.appendChild(c);
    if (d.live) {
      const l = el("p", "live");
      l.dataset.kind = d.live.kind; l.dataset.low = d.live.low; l.dataset.high = d.live.high;
      add(b, add(l, el("b", "n", "…"), document.createTextNode(" "), el("span", "", d.live.label)));
    }
    if (d.variants.length) add(b, add(el("p", "variants", "规格: "), ...d.variants.map((x) => el("button", "", x))));
    if (d.options.length) add(b, add(el("fieldset", "extras"), el("legend", "", "增值服务"), ...d.options.map(check)));
    if (d.consent) add(b, add(el("p", "consent"), check(d.consent)));
    add(b, add(el("p", "buy"), el("button", "buy-now", "立即购买"), el("button", "add-cart", "加入购物车")));
    if (d.service.length) add(b, add(el("p", "service", "服务保障: "), ...d.service.map((x) => el("span", "", x))));
    return b;
  };
  const attrs = (d) => section("attrs", "商品参数", (s) => {
    const t = el("table");
    const rows = [["品牌", d.brand], ["货号", d.sku], ["产地", d.origin], ...Object.entries(d.attrs)];
    rows.filter((r) => r[1]).forEach((r) => add(t, add(el("tr"), el("th", "", r[0]), el("td", "", r[1]))));
    s.appendChild(t);
  });
  const picture = (p) => { const i = el("img", "detail-picture"); i.src = p.src; i.alt = p.alt; return i; };
  const reviews = (data) => section("reviews", "商品评价 (" + data.total + ")", (s) => {
    if (data.average) s.appendChild(add(el("p", "score", "评分 "), el("b", "", data.average), document.createTextNode(" / 5")));
    data.list.forEach((r) => {
      const box = el("div", "review"); box.dataset.reviewId = r.id;
      if (r.deleted) { s.appendChild(add(box, el("p", "review-deleted", "该评价已由用户本人删除"))); return; }
      const head = el("p", "review-head");
      const when = el("time", "", r.date); when.dateTime = r.date;
      add(head, el("span", "nick", r.by), " ", el("span", "stars", "★".repeat(r.stars) + "☆".repeat(5 - r.stars)), " ", when);
      add(box, head, el("p", "review-text", r.text), r.reply && el("p", "review-reply", "商家回复: " + r.reply));
      s.appendChild(box);
    });
  });
  const draw = (d, rev) => {
    app.replaceChildren();
    document.title = d.title + " - 点行数码";
    const main = el("img", "main-picture"); main.src = d.main; main.alt = "商品图";
    const gallery = add(el("div", "gallery"), main, ...d.pictures.filter((p) => p.where === "gallery").map(picture));
    add(app, add(el("div", "goods-top"), gallery, buybox(d)));
    if (d.notice.length) app.appendChild(section("notice", "公告", (s) => blocks(s, d.notice)));
    app.appendChild(attrs(d));
    app.appendChild(section("detail", "商品详情", (s) => {
      if (d.points.length) s.appendChild(list("points", d.points));
      blocks(s, d.body);
      d.pictures.filter((p) => p.where === "detail").forEach((p) => s.appendChild(picture(p)));
    }));
    if (d.terms.length) app.appendChild(section("terms", "售后与说明", (s) => blocks(s, d.terms)));
    app.appendChild(reviews(rev));
    if (d.qa.length) app.appendChild(section("qa", "问大家", (s) => d.qa.forEach((q) => add(s, add(el("dl"), el("dt", "", q[0]), el("dd", "", q[1]))))));
    app.appendChild(section("related", "看了又看", (s) => d.related.forEach((r) => {
      const a = el("a", "", r.title + " " + r.symbol + r.list_price); a.href = r.path; s.appendChild(add(el("p"), a));
    })));
    window.startMarket();
  };
  const seen = localStorage.getItem("seen") ? "?u=returning" : "";
  localStorage.setItem("seen", "1");
  Promise.all([fetch("/api/item/" + id + ".json" + seen), fetch("/api/reviews/" + id + ".json")])
    .then((rs) => Promise.all(rs.map((r) => r.json())))
    .then((both) => draw(both[0], both[1]));
})();
