// Serialises the document as a person would meet it, for one reader of static and rendered pages.
//
// Runs in an isolated world: a page cannot put its own functions in our way. Returns { html, truncated }.
// Adds to elements (a page's own data-wx-* attributes are dropped, so these may be believed):
//   data-wx-hidden  why a person does not see it: display, visibility, opacity, zero-size, off-screen, clipped, same-colour
//   data-wx-rect    "x,y,w,h" in CSS pixels of the whole document, on block-level elements with text of their own
// Open shadow roots become <template shadowrootmode="open">, same-origin frames <div data-wx-frame="address">.
((maxChars) => {
  const VOID = new Set(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]);
  const RAW = new Set(["script", "style", "xmp", "iframe", "noembed", "noframes", "plaintext"]);
  const UNSEEN = new Set(["head", "script", "style", "template", "meta", "link", "title", "base", "source", "track", "param", "option", "optgroup", "area", "br", "wbr"]);
  const INLINE = new Set(["inline", "contents", "ruby", "none"]);
  const MAX_NODES = 300000, MAX_DEPTH = 1500;
  const parts = [];
  let chars = 0, nodes = 0, truncated = false;

  const put = (text) => {
    chars += text.length;
    if (chars > maxChars) truncated = true;
    else parts.push(text);
  };
  const escapeText = (text) => text.replace(/&/g, "&amp;").replace(/\u00a0/g, "&nbsp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const escapeValue = (text) => text.replace(/&/g, "&amp;").replace(/"/g, "&quot;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

  const rgba = (colour) => {
    const m = /^rgba?\(([\d.]+),\s*([\d.]+),\s*([\d.]+)(?:,\s*([\d.]+))?\)$/.exec(colour);
    return m ? [+m[1], +m[2], +m[3], m[4] === undefined ? 1 : +m[4]] : null;
  };
  // Alike in each channel and in contrast (WCAG 2 relative luminance; 4.5 is what it asks of text, 1 is the same).
  const luminance = (colour) => {
    const [r, g, b] = colour.slice(0, 3).map((n) => (n / 255 <= 0.04045 ? n / 255 / 12.92 : ((n / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const alike = (one, other) => {
    if ([0, 1, 2].some((i) => Math.abs(one[i] - other[i]) > 16)) return false;
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05) < 1.1;
  };
  const ownText = (element) => {
    for (let child = element.firstChild; child; child = child.nextSibling) {
      if (child.nodeType === 3 && /\S/.test(child.data)) return true;
    }
    return false;
  };

  // What children inherit: hidden reason, background colour behind them (null: a picture, unknown), the box that cuts
  // them off in document pixels, frame offset, and whether text may be read at all.
  const look = (element, style, above) => {
    const state = { hidden: above.hidden, back: above.back, cut: above.cut, dx: above.dx, dy: above.dy, view: above.view };
    let own = null, box = null;
    if (!above.hidden) {
      if (style.display === "none") state.hidden = "display";
      else if (style.display !== "contents" && element.checkVisibility && !element.checkVisibility()) state.hidden = "display";
      else if (parseFloat(style.opacity) < 0.05) state.hidden = "opacity";
    }
    // visibility is inherited but may be taken back by a child, so it never passes down in `state`
    if (!state.hidden && style.visibility !== "visible") own = "visibility";
    if (style.backgroundImage !== "none") state.back = null;
    else {
      const colour = rgba(style.backgroundColor);
      if (!colour) state.back = null;
      else if (colour[3] >= 0.95) state.back = colour;
      else if (colour[3] > 0.05) state.back = null;
    }
    if (state.hidden || style.display === "contents") return { state, own, box };

    const raw = element.getBoundingClientRect();
    box = { x: raw.left + state.dx, y: raw.top + state.dy, w: raw.width, h: raw.height };
    const cutsX = style.overflowX !== "visible", cutsY = style.overflowY !== "visible";
    if (!own && style.display !== "inline" && (cutsX || cutsY)) {
      if ((cutsX && box.w < 1) || (cutsY && box.h < 1)) state.hidden = "zero-size";
      else if (box.w <= 1.5 && box.h <= 1.5) state.hidden = "clipped";
    }
    const path = style.clipPath;
    if (!state.hidden && path && path !== "none") {
      const inset = /^inset\(([\d.]+)%(?:\s+([\d.]+)%)?\)/.exec(path);
      if (inset && +inset[1] >= 50) state.hidden = "clipped";
      if (/^(circle|ellipse)\(0(px|%)?/.test(path)) state.hidden = "clipped";
    }
    if (!state.hidden && /^(absolute|fixed)$/.test(style.position) && style.clip && style.clip !== "auto") {
      const sides = style.clip.match(/-?[\d.]+/g);
      if (sides && sides.length === 4 && (+sides[1] - +sides[3] <= 1 || +sides[2] - +sides[0] <= 1)) state.hidden = "clipped";
    }
    const scrolls = /^(auto|scroll)$/;
    if (!state.hidden && style.display !== "inline") {
      const left = cutsX && !scrolls.test(style.overflowX) ? box.x : -Infinity;
      const right = cutsX && !scrolls.test(style.overflowX) ? box.x + box.w : Infinity;
      const top = cutsY && !scrolls.test(style.overflowY) ? box.y : -Infinity;
      const bottom = cutsY && !scrolls.test(style.overflowY) ? box.y + box.h : Infinity;
      if (left > -Infinity || right < Infinity || top > -Infinity || bottom < Infinity) {
        const isRoot = element === element.ownerDocument.documentElement || element === element.ownerDocument.body;
        if (!isRoot) state.cut = {
          left: Math.max(state.cut.left, left), right: Math.min(state.cut.right, right),
          top: Math.max(state.cut.top, top), bottom: Math.min(state.cut.bottom, bottom),
        };
      }
    }
    return { state, own, box };
  };

  // Reasons that concern the element's own words: where they stand and in which colour.
  const lookAtWords = (element, style, state) => {
    if (parseFloat(style.fontSize) < 1) return "zero-size";
    const range = element.ownerDocument.createRange();
    let x1 = Infinity, y1 = Infinity, x2 = -Infinity, y2 = -Infinity;
    for (let child = element.firstChild; child; child = child.nextSibling) {
      if (child.nodeType !== 3 || !/\S/.test(child.data)) continue;
      range.selectNodeContents(child);
      const r = range.getBoundingClientRect();
      if (r.width === 0 && r.height === 0) continue;
      x1 = Math.min(x1, r.left); y1 = Math.min(y1, r.top); x2 = Math.max(x2, r.right); y2 = Math.max(y2, r.bottom);
    }
    if (x2 === -Infinity) return "zero-size";
    x1 += state.dx; x2 += state.dx; y1 += state.dy; y2 += state.dy;
    if (x2 <= 0 || y2 <= 0 || x1 >= state.view.w || y1 >= state.view.h) return "off-screen";
    if (x2 <= state.cut.left || x1 >= state.cut.right || y2 <= state.cut.top || y1 >= state.cut.bottom) return "clipped";
    const ink = rgba(style.webkitTextFillColor || style.color) || rgba(style.color);
    if (ink && ink[3] < 0.05 && style.backgroundClip !== "text") return "same-colour";
    if (ink && state.back && style.textShadow === "none" && ink[3] >= 0.95 && alike(ink, state.back)) return "same-colour";
    return null;
  };

  const frameDocument = (element) => {
    try { return element.contentDocument; } catch { return null; }
  };

  const openTag = (name, element, hidden, rect) => {
    let tag = "<" + name;
    for (const { name: key, value } of element.attributes) {
      if (!key.startsWith("data-wx-") && !/[\s"'<>/=]/.test(key)) tag += ` ${key}="${escapeValue(value)}"`;
    }
    if (hidden) tag += ` data-wx-hidden="${hidden}"`;
    if (rect) tag += ` data-wx-rect="${rect}"`;
    put(tag + ">");
  };

  const children = (node, state, depth) => {
    for (let child = node.firstChild; child && !truncated; child = child.nextSibling) walk(child, state, depth);
  };

  const walk = (node, above, depth) => {
    if (truncated || ++nodes > MAX_NODES) { truncated = true; return; }
    if (node.nodeType === 3) {
      const parent = node.parentNode && node.parentNode.localName;
      put(RAW.has(parent) ? node.data : escapeText(node.data));
      return;
    }
    if (node.nodeType !== 1) return;
    const name = node.localName;
    if (depth > MAX_DEPTH) { put(escapeText(node.textContent || "")); truncated = true; return; }
    if (UNSEEN.has(name) && !(node instanceof node.ownerDocument.defaultView.SVGElement)) {
      openTag(name, node, null, null);
      if (name === "template") children(node.content, above, depth + 1);
      else children(node, above, depth + 1);
      if (!VOID.has(name)) put(`</${name}>`);
      return;
    }
    if (name === "noscript") {  // its words are for those without scripts: nobody here saw them
      openTag(name, node, "display", null);
      put(escapeText(node.textContent || ""));
      put("</noscript>");
      return;
    }
    const style = node.ownerDocument.defaultView.getComputedStyle(node);
    const { state, own, box } = look(node, style, above);
    let reason = state.hidden || own;
    const words = ownText(node);
    if (!reason && words) reason = lookAtWords(node, style, state);
    if (!reason && !words && box && (box.w < 1 || box.h < 1) && !node.firstChild && !VOID.has(name)) reason = "zero-size";
    let rect = null;
    if (words && box && !INLINE.has(style.display)) {
      rect = [box.x, box.y, box.w, box.h].map((n) => Math.round(n * 10) / 10).join(",");
    }
    if (name === "iframe" || name === "frame") {
      const inner = frameDocument(node);
      if (inner && inner.documentElement && inner.defaultView && box) {
        const address = escapeValue(inner.URL || node.src || "");
        put(`<div data-wx-frame="${address}"${reason ? ` data-wx-hidden="${reason}"` : ""}>`);
        const within = {
          hidden: reason, back: state.back, view: above.view,
          dx: box.x + node.clientLeft, dy: box.y + node.clientTop,
          cut: { left: Math.max(state.cut.left, box.x), right: Math.min(state.cut.right, box.x + box.w), top: -Infinity, bottom: Infinity },
        };
        if (inner.body) children(inner.body, within, depth + 1);
        put("</div>");
      } else {
        openTag(name, node, reason, null);
        put(`</${name}>`);
      }
      return;
    }
    openTag(name, node, reason, rect);
    if (VOID.has(name)) return;
    if (node.shadowRoot) {
      put('<template shadowrootmode="open">');
      children(node.shadowRoot, state, depth + 1);
      put("</template>");
    }
    if ((name === "pre" || name === "textarea" || name === "listing") && node.firstChild && node.firstChild.nodeType === 3
        && node.firstChild.data.startsWith("\n")) put("\n");  // a parser eats the first line break
    if (name === "textarea" && node.value !== undefined) put(escapeText(node.value));
    else children(node, state, depth + 1);
    put(`</${name}>`);
  };

  const root = document.documentElement;
  if (!root) return { html: "", truncated: false };
  const scroller = document.scrollingElement || root;
  const white = [255, 255, 255, 1];
  if (document.doctype) put("<!DOCTYPE html>");
  walk(root, {
    hidden: null, back: white, dx: window.scrollX, dy: window.scrollY,
    cut: { left: -Infinity, right: Infinity, top: -Infinity, bottom: Infinity },
    view: { w: Math.max(scroller.scrollWidth, window.innerWidth), h: Math.max(scroller.scrollHeight, window.innerHeight) },
  }, 0);
  return { html: parts.join(""), truncated };
})
