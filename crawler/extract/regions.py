"""Which part of the page an element belongs to, from structure, schema.org, roles, and the words of its class and id.

A consumer's words must never become the shop's: reviews and questions keep their region whatever stands inside,
except the shop's own reply. Lists of other goods are `nav`, the platform's furniture is `chrome`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final

from contracts.page import Region
from crawler.extract.tree import Node, Tree
from crawler.extract.words import words

_R = Region
#: Words of class and id names (split at hyphens, underscores, capitals and digits), English, pinyin and Chinese.
_WORDS: Final[dict[Region, frozenset[str]]] = {
        _R.REPLY: words(
        "reply replies sellerreply shopreply shangjiahuifu zhangguihuifu huifu 掌柜回复 商家回复 賣家回覆 merchantreply"
    ),
        _R.QA: words(
        "qa qas faq questions question wenda wendaqu askall 问答 問答 wentiwenda tiwen"
    ),
        _R.REVIEW: words(
        "review reviews reviewlist customerreviews comment comments commentlist pingjia pinglun pingjialist rate rates ratelist "
        "testimonial testimonials feedback evaluate evaluation evaluations appraise appraisal 评价 評價 评论 評論 koubei "
        "dianping ugc bazaarvoice bv yotpo trustpilot bewertungen bewertung avis recensioni opiniones opinie"
    ),
        _R.CHROME: words(
        "cookie cookies cookiebar gdpr consent captcha onetrust sitenav topbar toolbar shortcut appdownload sitefooter loginbar "
        "platformbar platform pingtai chrome skiplink backtotop gotop kefu livechat chatbox"
    ),
        _R.FOOTER: words(
        "footer foot siteinfo copyright beian dibu yejiao 页脚 頁腳"
    ),
        _R.NAV: words(
        "nav navbar navigation menu submenu breadcrumb breadcrumbs crumb crumbs mianbaoxie sidebar pagination pager paging "
        "recommend recommends recommendation recommendations recommended related similar upsell upsells crosssell crosssells "
        "alsobought reco recos sponsored sims crossselling lookalike guess youlike tuijian cainixihuan xiangguan remen recently recent bestsellers mininav megamenu 推荐 推薦 "
        "猜你喜欢 导航 導航 minicart accessories correlati empfehlungen filters facet facets"
    ),
        _R.NOTICE: words(
        "notice notices announcement announcements announce gonggao tongzhi bulletin gaozhi gaozhishu 公告 通知 告知书 告知書 tishi shuoming alertbar"
    ),
        _R.TERMS: words(
        "terms tos agreement policy policies xieyi tiaokuan returns returnpolicy refund refundpolicy guarantee guarantees shouhou tuihuo baozhang 条款 協議 协议 服务承诺"
    ),
        _R.BADGE: words(
        "badge badges tag tags promo promotion promotions promos sticker ribbon flag cuxiao huodong countdown daojishi youhui "
        "coupon coupons discountlabel sale flashsale miaosha seckill hot 促销 促銷 标签 標籤 徽章 slogan subtitle selling maidian"
    ),
        _R.PRICE: words(
        "price prices pricing jiage jia shoujia yuanjia huaxianjia xianjia preis prix prezzo precio preco cena pris 价格 價格 售价 "
        "saleprice listprice oldprice newprice currentprice marketprice originalprice pricebox priceblock"
    ),
        _R.TITLE: words(
        "title producttitle productname itemname goodsname goodstitle itemtitle biaoti shangpinming mingcheng 标题 標題 商品名"
    ),
        _R.BODY: words(
        "description desc detail details content article attributes specification specifications spec specs miaoshu xiangqing canshu guige main body product"
    ),
}  # fmt: skip
_TOKEN = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[\u4e00-\u9fff]+")
#: Together these two words mean something else than apart.
_PAIRS: Final[dict[tuple[str, str], Region]] = {
    ("seller", "reply"): _R.REPLY, ("shop", "reply"): _R.REPLY, ("merchant", "reply"): _R.REPLY, ("owner", "response"): _R.REPLY,
    ("seller", "response"): _R.REPLY, ("shop", "response"): _R.REPLY, ("official", "reply"): _R.REPLY,
    ("buyer", "show"): _R.REVIEW, ("user", "content"): _R.REVIEW, ("star", "rating"): _R.REVIEW, ("site", "nav"): _R.CHROME, ("site", "bar"): _R.CHROME,
    ("hot", "sale"): _R.NAV, ("best", "seller"): _R.NAV, ("best", "sellers"): _R.NAV, ("also", "like"): _R.NAV, ("also", "bought"): _R.NAV, ("cross", "sell"): _R.NAV,
    ("up", "sell"): _R.NAV, ("you", "like"): _R.NAV, ("mini", "cart"): _R.NAV, ("after", "sale"): _R.TERMS, ("after", "sales"): _R.TERMS,
    ("return", "policy"): _R.TERMS, ("add", "cart"): _R.BODY, ("delivery", "rate"): _R.BODY, ("exchange", "rate"): _R.BODY,
    ("product", "label"): _R.BADGE, ("product", "labels"): _R.BADGE, ("promo", "label"): _R.BADGE, ("sale", "label"): _R.BADGE,
    ("flash", "sale"): _R.BADGE, ("consumer", "notice"): _R.NOTICE,
    ("comment", "reply"): _R.REPLY, ("review", "reply"): _R.REPLY, ("review", "response"): _R.REPLY, ("skip", "link"): _R.CHROME,
}  # fmt: skip
_ROLES: Final = {
    "navigation": _R.NAV, "contentinfo": _R.FOOTER, "banner": _R.NAV, "search": _R.NAV, "menubar": _R.NAV, "menu": _R.NAV,
    "complementary": _R.NAV, "tablist": _R.NAV,
}  # fmt: skip
_TAGS: Final = {
    "nav": _R.NAV,
    "footer": _R.FOOTER,
    "header": _R.NAV,
    "h1": _R.TITLE,
    "aside": _R.NAV,
    "dialog": _R.CHROME,
}
_ITEMPROPS: Final = {
    "review": _R.REVIEW, "reviews": _R.REVIEW, "reviewbody": _R.REVIEW, "comment": _R.REVIEW, "acceptedanswer": _R.QA, "suggestedanswer": _R.QA,
    "price": _R.PRICE, "lowprice": _R.PRICE, "highprice": _R.PRICE, "offers": _R.PRICE, "description": _R.BODY, "breadcrumb": _R.NAV,
}  # fmt: skip
_ITEMTYPES: Final = (
    (re.compile(r"/(?:Review|UserComments|Comment)$"), _R.REVIEW),
    (re.compile(r"/(?:Question|Answer|QAPage)$"), _R.QA),
    (re.compile(r"/BreadcrumbList$"), _R.NAV),
    (re.compile(r"/WPFooter$"), _R.FOOTER),
    (re.compile(r"/(?:WPHeader|SiteNavigationElement)$"), _R.NAV),
)
#: Words of a heading that say what the part under it is.
_HEADINGS: Final[tuple[tuple[Region, re.Pattern[str]], ...]] = (
    (
        _R.REVIEW,
        re.compile(
            r"^\W*(?:(?:商品|用户|買家|买家|顾客|顧客|宝贝|累计|全部|网友|消费者|客户|真实|精选|会员)*(?:评价|評價|评论|評論|点评|晒单|口碑)(?:详情|列表|晒单)?"
            r"|(?:customer |user |product |buyer |verified |latest |recent )*(?:reviews?|testimonials?|comments?|ratings? (?:and|&) reviews?)"
            r"|kundenbewertungen|bewertungen|avis clients|recensioni|opiniones|opinie|レビュー)\W*(?:\d[\d,.+万]*)?\W*$",
            re.IGNORECASE,
        ),
    ),
    (
        _R.QA,
        re.compile(
            r"^\W*(?:(?:商品|买家|用户|大家|顾客)*(?:问答|問答|问大家|提问|咨询)|customer questions.*|questions?(?: ?(?:&|and) ?answers?)|q ?& ?a|faqs?)\W*\d*\W*$",
            re.IGNORECASE,
        ),
    ),
    (
        _R.NAV,
        re.compile(
            r"猜你喜欢|猜你喜歡|为你推荐|為你推薦|为您推荐|相关(?:商品|推荐|产品)|相關(?:商品|推薦)|看了又看|买了又买|買了又買|同类(?:商品|推荐)|热销(?:榜|推荐|商品)|店铺推荐|本店热销|"
            r"掌柜推荐|最近浏览|浏览记录|你可能(?:还)?喜欢|搭配推荐|更多(?:商品|宝贝)|related (?:products|items)|you (?:may|might) (?:also )?like|customers (?:who|also)|"
            r"recently viewed|similar (?:products|items)|people also|frequently bought|more from|recommended|goes well with|das könnte|ähnliche|vous aimerez|produits similaires|"
            r"potrebbe|prodotti (?:simili|correlati)|también|relacionados|podobne|inni klienci|súvisiace|関連商品|おすすめ",
            re.IGNORECASE,
        ),
    ),
    (
        _R.NOTICE,
        re.compile(
            r"^\W*(?:店铺|店鋪|本店|商城|平台)?(?:公告|通知)\W*$|消费者告知书|消費者告知書|^announcements?$",
            re.IGNORECASE,
        ),
    ),
    (
        _R.TERMS,
        re.compile(
            r"^\W*(?:退换货?(?:政策|说明|须知)?|售后(?:服务|说明|保障|政策)|售後服務|服务(?:承诺|条款|协议)|购物须知|購物須知|交易条款|return(?:s)? policy|terms (?:and|&) conditions|terms of (?:service|sale|use))\W*$",
            re.IGNORECASE,
        ),
    ),
)
_HARD: Final = frozenset({_R.REVIEW, _R.QA, _R.CHROME})
_HEADING_TAGS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "legend", "caption", "dt"})
_HEADING_WORDS = re.compile(r"(?i)\b(?:hd|head|heading|header|tit|title|biaoti|tab-?title|section-?title|mt)\b")


@lru_cache(maxsize=20_000)
def tokens(name: str) -> tuple[str, ...]:
    """`itemTitle-main price_box` → ("item", "title", "main", "price", "box")."""
    return tuple(t.lower() for t in _TOKEN.findall(name[:300]))


@lru_cache(maxsize=20_000)
def name_words(name: str) -> frozenset[str]:
    """The words of a class or id, and each two neighbours joined ("price-box" → price, box, pricebox)."""
    found = tokens(name)
    joined = frozenset(found) | {a + b for a, b in pairwise(found)}
    return joined | {"price"} if any("price" in w or "jiage" in w for w in found) else joined


@lru_cache(maxsize=20_000)
def named_region(name: str) -> Region | None:
    """Region that the words of a class or id speak of; consumers' regions win over all others."""
    found = tokens(name)
    if not found:
        return None
    for pair in pairwise(found):
        if pair in _PAIRS:
            return _PAIRS[pair]
    for (first, second), region in _PAIRS.items():
        if region is _R.REPLY and first in found and second in found:
            return region
    present = name_words(name)
    for region, vocabulary in _WORDS.items():
        if not present.isdisjoint(vocabulary):
            if region is _R.REPLY and ("no" in present or "form" in present):
                return _R.REVIEW
            return region
    return None


@lru_cache(maxsize=20_000)
def _is_heading(name: str) -> bool:
    return bool(_HEADING_WORDS.search(name))


_NO_PART: Final = frozenset({"html", "body", "script", "head"})
#: Attributes beside the class that may say what an element is.
_OTHER_MARKS: Final = frozenset({"itemtype", "itemprop", "role", "id"})
#: What may stand around the goods' own name.
_OWN_PARTS: Final = frozenset({_R.BODY, _R.PRICE, _R.TITLE})


def own_region(node: Node) -> Region | None:
    """What an element says of itself."""
    attrs = node.attrs
    region = _TAGS.get(node.tag)
    if not attrs:
        return region
    if "itemtype" in attrs:
        for pattern, found in _ITEMTYPES:
            if pattern.search(attrs["itemtype"]):
                return found
    if "itemprop" in attrs:
        found_prop = _ITEMPROPS.get(attrs["itemprop"].lower())
        if found_prop:
            return found_prop
    if "role" in attrs and attrs["role"] in _ROLES:
        # a platform's bar or footer around a shop is the platform's own, whatever its role
        platform = named_region(attrs.get("class") or attrs.get("id", "")) is _R.CHROME
        return _R.CHROME if platform else _ROLES[attrs["role"]]
    if region is _R.TITLE:
        return region
    for name in ("class", "id"):
        if name in attrs:
            found_name = named_region(attrs[name])
            if found_name is not None:
                return found_name
    return region


_MONEY = re.compile(r"[¥￥$€£]\s?\d|\d\s?(?:元|€|£|zł|kr|Kč|円|원|₽|руб)")


class Regions:
    """The region of every node. `main` is the node of the goods' name (h1 or its like) or -1, `is_listing` decides on repeated cards."""

    def __init__(
        self,
        tree: Tree,
        main: int,
        buttons: Sequence[int],
        *,
        is_listing: bool,
        told: Mapping[int, Region] | None = None,
    ) -> None:
        """`told`: regions of elements that a site's profile knows."""
        self.tree = tree
        self.of: list[Region] = [_R.BODY] * len(tree.nodes)
        self._own: list[Region | None] = [None] * len(tree.nodes)
        self._protect(main, buttons)
        self._label()
        self._headings()
        if is_listing:
            self._cards(main)
        for i, region in (told or {}).items():
            self._own[i] = region
        self._spread()

    def _protect(self, main: int, buttons: Sequence[int]) -> None:
        """Nodes around the goods' own name or buy button are never a review, a menu or a list of others."""
        tree = self.tree
        around = set(tree.ancestors(main)) if main >= 0 else set()
        if main >= 0 and buttons:
            common = around & set(tree.ancestors(buttons[0]))
            around |= common
        self._around = around

    def _label(self) -> None:
        nodes, own, around = self.tree.nodes, self._own, self._around
        for name, those in self.tree.by_class.items():
            if (region := named_region(name)) is not None:
                for i in those:
                    if nodes[i].tag not in _NO_PART and (region in _OWN_PARTS or i not in around):
                        own[i] = region
        marked = {i for name in _OTHER_MARKS if name in self.tree.having for i in self.tree.having[name]}
        for i in marked.union(*[self.tree.by_tag[tag] for tag in _TAGS if tag in self.tree.by_tag]):
            region = None if nodes[i].tag in _NO_PART else own_region(nodes[i])
            own[i] = region if region in _OWN_PARTS or i not in around else None

    def _headings(self) -> None:
        nodes = self.tree.nodes
        places = set(self.tree.tagged(*_HEADING_TAGS))
        places.update(i for name, those in self.tree.by_class.items() if _is_heading(name) for i in those)
        for i in sorted(places):
            node = nodes[i]
            if node.end - i > 12 or node.tag == "h1":
                continue
            text = self.tree.text(i, 60)
            if not 2 <= len(text) < 50:
                continue
            for region, pattern in _HEADINGS:
                if pattern.search(text):
                    self._claim(i, region)
                    break

    def _claim(self, heading: int, region: Region) -> None:
        """Give the part under a heading its region: the box that begins with the heading, else what follows up to the next heading."""
        nodes, tree = self.tree.nodes, self.tree
        box, i = heading, heading
        for up in tree.ancestors(heading):
            if up in self._around or nodes[up].tag in {"body", "html", "main"}:
                break
            before = any(n.tag == "#" and n.text.strip() for n in nodes[up:i])
            if before or nodes[up].end - up > 40_000:
                break
            box = up
            if nodes[up].end > nodes[heading].end + 2:
                break
        if nodes[box].end > nodes[heading].end + 1:
            self._own[box] = region
            return
        level = nodes[heading].tag
        i = nodes[box].end
        last = nodes[nodes[box].parent].end if nodes[box].parent >= 0 else i
        while i < last:
            if i in self._around or nodes[i].tag == level or (nodes[i].tag == "#" and len(nodes[i].text) > 400):
                break
            if nodes[i].tag != "#":
                if any(nodes[j].tag == level for j in tree.children(i)):
                    break
                self._own[i] = region
            i = nodes[i].end

    def _cards(self, main: int) -> None:
        """On a listing, three or more like siblings that each hold a link and a picture or a price are other goods."""
        nodes, tree = self.tree.nodes, self.tree
        links = tree.by_tag.get("a", [])
        for i in tree.tagged("ul", "ol", "div", "section", "tr", "tbody"):
            node = nodes[i]
            if node.end - i < 12 or i in self._around or i < main < node.end:
                continue
            first = bisect_left(links, i)
            if first + 2 >= len(links) or links[first + 2] >= node.end:
                continue  # fewer than three links
            like: dict[tuple[str, str], list[int]] = {}
            for j in tree.children(i):
                if nodes[j].tag != "#":
                    like.setdefault((nodes[j].tag, nodes[j].attrs.get("class", "")[:24]), []).append(j)
            if not like:
                continue
            members = max(like.values(), key=len)
            if len(members) >= 3 and sum(self.is_card(j) for j in members[:12]) >= 3:
                self._own[i] = _R.NAV if self._own[i] not in _HARD else self._own[i]

    def is_card(self, i: int) -> bool:
        """A link, a picture and an amount of money within one element."""
        link = price = False
        nodes = self.tree.nodes
        end = min(nodes[i].end, i + 120)
        for places in (self.tree.by_tag.get("img", ()), self.tree.by_tag.get("a", ())):
            first = bisect_left(places, i)
            if first >= len(places) or places[first] >= end:
                return False
        for node in nodes[i:end]:
            if node.tag == "#":
                price = price or bool(_MONEY.search(node.text))
            elif node.tag == "a":
                link = link or node.attrs.get("href", "#")[:1] not in {"#", "j", ""}
            if price and link:
                return True
        return False

    def _spread(self) -> None:
        """Hand regions down the tree; what lies inside a consumer's region, a menu or a footer stays there."""
        own, of = self._own, self.of
        for i, node in enumerate(self.tree.nodes):
            parent, mine = node.parent, own[i]
            above = of[parent] if parent >= 0 else _R.BODY
            of[i] = above if mine is None or mine is above else _inside(above, mine, node)


def _inside(above: Region, mine: Region, node: Node) -> Region:
    if above is mine:
        return above
    if above in {_R.REVIEW, _R.QA}:
        return mine if mine is _R.REPLY else above
    if above in {_R.REPLY, _R.CHROME}:
        return above
    if mine is _R.REPLY:
        return above
    if above is _R.FOOTER:
        return mine if mine in {_R.CHROME, _R.REVIEW, _R.TERMS, _R.NOTICE} and mine is not _R.TERMS else above
    if above is _R.NAV:
        return mine if mine in {_R.CHROME, _R.REVIEW, _R.QA, _R.NOTICE} or node.tag == "h1" else above
    if above in {_R.TITLE, _R.PRICE, _R.BADGE} and mine is _R.BODY:
        return above
    if above is _R.TERMS and mine in {_R.TITLE, _R.BADGE, _R.BODY}:
        return above
    if above is _R.NOTICE and mine in {_R.TITLE, _R.BADGE, _R.BODY, _R.TERMS}:
        return above
    return mine
