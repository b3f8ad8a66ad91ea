"""What a page is for, and what stands in the way of reading it. No listing is invented on pages that sell nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import urlsplit

from contracts.page import Obstacle, PageKind, Passage, Region
from crawler.extract.structured import Structured
from crawler.extract.tree import Tree
from crawler.extract.words import phrases

_CAPTCHA = re.compile(
    r"(?:请|請)?(?:拖动|拖動|按住|向右滑动)[^。]{0,12}(?:滑块|滑塊|滑动|拼图)|滑动验证|安全验证|人机验证|点击完成验证|请完成(?:安全)?验证|输入验证码|are you (?:a )?(?:human|robot)|"
    r"verify (?:that )?you(?:'re| are) (?:a )?human|i'?m not a robot|unusual traffic|checking your browser|enter the characters you see|press (?:&|and) hold",
    re.IGNORECASE,
)
_CAPTCHA_MARK = re.compile(
    r"nocaptcha|geetest|g-recaptcha|h-captcha|hcaptcha|cf-challenge|challenge-form|slider-?captcha|tcaptcha|punish",
    re.IGNORECASE,
)
_LOGIN = re.compile(
    r"请(?:先)?登录|請(?:先)?登入|登录后(?:查看|继续|可见)|账号登录|扫码登录|密码登录|短信登录|please (?:log|sign) ?in|(?:log|sign) in to (?:continue|your account|view)|用户登录|會員登入",
    re.IGNORECASE,
)
_GONE = re.compile(
    r"(?:页面|網頁|网页|商品|宝贝|店铺|您(?:查看|访问)的)[^。,\uff0c]{0,12}(?:不存在|已下架|已删除|找不到|不见了|已失效|已过期|已被移除)|(?:找不到|未找到)[^。]{0,6}(?:页面|网页|商品)|"
    r"\b404\b.{0,20}(?:not found|error|页)|page (?:you (?:requested|are looking for) )?(?:was |could |can)?(?:not|n't|cannot) (?:be )?found|page not found|no longer exists|(?:item|product|listing) (?:is )?not found|"
    r"seite nicht gefunden|page introuvable|pagina non trovata|página no encontrada|strona nie istnieje|^\W*404\W*$",
    re.IGNORECASE,
)
_ERROR = re.compile(
    r"(?:服务器|系统|网络)(?:内部)?(?:错误|繁忙|异常|开小差)|(?:500|502|503|504)\s+(?:internal|bad gateway|service|gateway)|internal server error|bad gateway|service unavailable|gateway time-?out|access denied|"
    r"403 forbidden|访问被拒绝|访问受限|error reference|request blocked|database error",
    re.IGNORECASE,
)
_TERMS_TITLE = re.compile(
    r"(?:服务|用户|隐私|注册|交易|购物|会员|平台|网站|使用)(?:协议|條款|条款|政策|规则|規則|声明)|隐私(?:权)?政策|隱私權?政策|规则(?:中心|详情)|退换货(?:政策|说明|规则)|售后(?:政策|服务)|营业执照|證照|证照信息|经营者信息|工商信息|法律声明|免责声明|"
    r"消费者告知书|配送(?:说明|政策)|购物须知|交易规则|terms (?:of|and|&)|privacy policy|return(?:s)? (?:&|and )?(?:refunds? )?policy|refund policy|cookie policy|shipping policy|imprint|impressum|legal notice|conditions of (?:use|sale)|\bagb\b|business licen[cs]e",
    re.IGNORECASE,
)
_RULES_HEADING = re.compile(
    r"(?:规则|規則|规范|規範|细则|声明|聲明|须知|須知|条款|條款|政策|协议|協議|告知书|告知書|证照|證照|执照(?:公示)?|執照|主体信息|信息公示|经营者資訊|經營者資訊|隐私说明|用户隐私说明)\s*(?:$|[-–—|_·])|"
    r"^(?:privacy|shipping (?:&|and) returns|returns|terms|licen[cs]e)\s*(?:$|[-–—|_·])",
    re.IGNORECASE,
)
_BUY = frozenset(
    phrases(
        "加入购物车|加购物车|加入購物車|放入购物车|放入購物車|立即购买|立即購買|立即抢购|立即搶購|马上抢|马上购买|立刻购买|直接购买|直接購買|现在购买|领券购买|領券購買|我要买|去购买|立即下单|立即订购|发起拼单|单独购买|立即预订|预定|立即付款|"
        "add to cart|add to bag|add to basket|add to trolley|add to shopping cart|add to shopping bag|buy it now|buy now|buy|order now|add|book now|purchase|"
        "in den warenkorb|in den einkaufswagen|jetzt kaufen|kaufen|ajouter au panier|acheter|achat immédiat|aggiungi al carrello|acquista|acquista ora|compralo subito|"
        "añadir al carrito|añadir a la cesta|agregar al carro|agregar al carrito|comprar|comprar ahora|comprar agora|adicionar ao carrinho|adicionar à sacola|"
        "do koszyka|dodaj do koszyka|kup teraz|do košíka|vložit do košíku|do košíku|pridať do košíka|vložiť do košíka|koupit|kúpiť|in winkelwagen|in winkelmandje|toevoegen|"
        "læg i kurv|lägg i varukorg|köp|legg i handlekurv|kjøp|sepete ekle|satın al|в корзину|купить|добавить в корзину|カートに入れる|購入する|장바구니|구매하기|바로구매|"
        "mua ngay|thêm vào giỏ|adaugă în coș|adauga in cos|kosárba|kosárba teszem|lisää ostoskoriin|dodaj u košaricu|προσθήκη στο καλάθι|หยิบใส่ตะกร้า|beli sekarang|tambah ke keranjang"
    )
)
_EDGES = " \t\n\r>»›+→！!.…·-–|:🛒 "
_BUY_NAME = re.compile(
    r"add-?to-?(?:cart|bag|basket|trolley|shopping)|addtocart|addtobag|addtobasket|buy-?now|buy-?button|btn-?buy|buybtn|jiarugouwuche|btn-?cart|cart-?button|product-form|warenkorb|in-?cart",
    re.IGNORECASE,
)
_ITEM_PATH = re.compile(
    r"/(?:item|product|products|goods|detail|p|dp|itm|deal|sku|offer|shangpin|spu|good)s?[/_\-.?]|[?&](?:id|item_?id|goods_?id|sku|spu|product_?id|pid)=|[_\-/]\d{3,}\.html?$|/\d{5,}/?$|/goods|/item",
    re.IGNORECASE,
)
_SHOP_PATH = re.compile(
    r"/(?:shop|store|stores|dianpu|seller|merchant)s?(?:[/_\-.?\d]|$)|[?&](?:shop_?id|store_?id|seller_?id)=",
    re.IGNORECASE,
)
_LIST_PATH = re.compile(
    r"/(?:category|categories|cat|list|search|s|collections|fenlei|c|tag|tags|catalog|browse|results)(?:[/_\-.?]|$)|[?&](?:q|keyword|kw|search|cat|category)=",
    re.IGNORECASE,
)
_SHOP_TEXT = re.compile(
    r"进店逛逛|店铺首页|店铺动态|收藏店铺|关注店铺|店鋪首頁|follow (?:this )?(?:shop|store)|shop home|visit store",
    re.IGNORECASE,
)


@lru_cache(maxsize=20_000)
def _buys(name: str) -> bool:
    return bool(_BUY_NAME.search(name[:300]))


def buy_buttons(tree: Tree) -> list[int]:
    """Elements that put the goods of this page into a basket or order them."""
    found = []
    nodes = tree.nodes
    called = {i for name, those in tree.by_class.items() if _buys(name) for i in those}
    for attr in ("id", "name"):
        called.update(i for i in tree.having.get(attr, ()) if _buys(nodes[i].attrs[attr]))
    for i in sorted(called.union(tree.tagged(*_WORDED))):
        node = nodes[i]
        tag, attrs = node.tag, node.attrs
        if tag in _WORDED:
            words = attrs.get("value", "") if tag == "input" else tree.text(i, 40) if node.end - i < 14 else ""
            if words.strip(_EDGES).casefold() in _BUY or (
                "aria-label" in attrs and attrs["aria-label"].strip(_EDGES).casefold() in _BUY
            ):
                found.append(i)
                continue
        if i in called and tag in _PRESSED and (tag != "div" or node.end - i < 12):
            found.append(i)
    return found


_WORDED = frozenset({"button", "a", "input"})
_PRESSED = frozenset({"button", "a", "input", "span", "div"})


def page_kind(
    url: str,
    structured: Structured,
    title: str,
    heading: str,
    passages: Sequence[Passage],
    *,
    price: float,
    buttons: int,
    cards: int,
    strong_price: bool,
) -> PageKind:
    """`price`: confidence of the price found; `cards`: product-like cards outside recommendations; `strong_price`: it stands by the heading or a buy button."""
    split = urlsplit(url)
    path = f"{split.path}?{split.query}" if split.query else split.path
    root = _is_root(split.path) and bool(url) and not split.query
    types = structured.types
    product = structured.products > 0 and bool(structured.claims.of("name") or structured.claims.of("price"))
    words = sum(len(p.text) for p in passages if p.region in {Region.BODY, Region.TERMS, Region.NOTICE, Region.TITLE})
    if (
        (_TERMS_TITLE.search(f"{heading} {title}"[:200]) or _RULES_HEADING.search((heading or title)[:80]))
        and not (product and price > 0.3)
        and not (buttons and strong_price)
    ):
        return PageKind.TERMS
    many = cards >= 4 and not (product and structured.products == 1 and structured.listed < 3)
    if root:
        own = _own_page(structured, heading, price=price, buttons=buttons, cards=cards, strong_price=strong_price)
        return (
            PageKind.LISTING if own >= 2.5 else PageKind.SHOP if _tells_shop(path, passages, cards) else PageKind.HOME
        )
    if not (many and not strong_price):
        if (
            product
            and structured.products <= 3
            and (structured.claims.of("price") or strong_price or buttons or _ITEM_PATH.search(path))
        ):
            return PageKind.LISTING
        if (
            price > 0.1
            and strong_price
            and heading
            and (buttons or _ITEM_PATH.search(path) or structured.meta.get("og:type", "").endswith("product"))
            and not (_LIST_PATH.search(path) and not _ITEM_PATH.search(path) and cards >= 3)
        ):
            return PageKind.LISTING
        if structured.meta.get("og:type", "").lower() in {"product", "og:product", "product.item"} and price > 0.05:
            return PageKind.LISTING
    if _tells_shop(path, passages, cards):
        return PageKind.SHOP
    if (
        cards >= 3
        or types & {"itemlist", "collectionpage", "searchresultspage"}
        or (_LIST_PATH.search(path) and cards >= 1)
    ):
        return PageKind.LIST
    if words > 2500 and _TERMS_TITLE.search(" ".join(p.text for p in passages[:12])):
        return PageKind.TERMS
    return PageKind.OTHER


#: Path and query of an absolute or a bare address.
_ADDRESS = re.compile(r"(?:(?:https?:)?//[^/?#\s]{1,255})?(/[^?#\s]{0,1000})?(\?[^#\s]{0,1000})?")


def _own_page(
    structured: Structured, heading: str, *, price: float, buttons: int, cards: int, strong_price: bool
) -> float:
    """How far a page at the root of its host speaks of one thing on sale: about 2 undecided, a front page below.

    What it declares of itself (one product that its heading names, a product's own address) weighs more than what it
    shows, for a front page shows prices and buttons too.
    """
    if price <= 0.1 or not heading:
        return 0.0
    named = _letters(heading)
    agrees = any(
        len(key) > 1 and (key in named or named in key)
        for c in structured.claims.of("name")
        if c.source in {"json-ld", "microdata"} and (key := _letters(c.value))
    )
    one = structured.products == 1 and structured.listed < 3
    score = ((1.0 if agrees else 0.0) + (1.0 if structured.claims.of("price") else 0.0)) if one else 0.0
    score += (strong_price + (buttons > 0)) * 1.0
    score += structured.meta.get("og:type", "").lower() in {"product", "og:product", "product.item"}
    address = structured.meta.get("canonical") or structured.meta.get("og:url") or ""
    if address and (match := _ADDRESS.match(address)):
        path = match[1] or "/"
        score += -1.0 if _is_root(path) else 2.5 if _ITEM_PATH.search(path + (match[2] or "")) else 1.0
    score += 0.5 * (
        cards <= 1 and 1 <= buttons <= 3 and strong_price
    )  # a page of one thing, as sellers' landing pages are
    score -= 2.0 * (cards >= 4 and not one)
    score -= 1.5 * (structured.products > 1 or structured.listed >= 3)
    return score - (not one and bool(structured.types & {"website", "organization", "corporation", "onlinestore"}))


def _is_root(path: str) -> bool:
    return path in {"", "/"} or bool(
        re.fullmatch(r"/(?:index|default|home)\.\w{2,5}|/[a-z]{2}(?:[-_][a-z]{2})?/?", path)
    )


def _tells_shop(path: str, passages: Sequence[Passage], cards: int) -> bool:
    return bool(_SHOP_PATH.search(path)) or (
        any(_SHOP_TEXT.search(p.text) for p in passages[:80] if len(p.text) < 40)
        and cards >= 2
        and not _LIST_PATH.search(path)
    )


def _letters(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


def find_obstacle(tree: Tree, title: str, passages: Sequence[Passage], *, has_goods: bool) -> Obstacle | None:
    """Why the page shows nothing of use; None when it shows something."""
    visible = [p for p in passages if p.hidden is None]
    text = "\n".join(p.text for p in visible)[:20_000]
    size = len("".join(text.split()))
    nodes = tree.nodes
    if size < 1500 and not has_goods:
        marked = any(
            _CAPTCHA_MARK.search(
                n.attrs.get("class", "") + " " + n.attrs.get("id", "") + " " + n.attrs.get("src", "")[:300]
            )
            for n in nodes
            if n.attrs
        )
        if _CAPTCHA.search(f"{title}\n{text}") or (marked and size < 400):
            return Obstacle.CAPTCHA
        password = any(n.tag == "input" and n.attrs.get("type", "").lower() == "password" for n in nodes)
        if (password and size < 800) or (_LOGIN.search(f"{title}\n{text}") and size < 400):
            return Obstacle.LOGIN
        head = f"{title}\n{text[:400]}"
        if _GONE.search(head):
            return Obstacle.SOFT_404
        if _ERROR.search(head):
            return Obstacle.ERROR
    if size < 200 and not has_goods and _is_shell(tree):
        return Obstacle.EMPTY_SHELL
    return None


def _is_shell(tree: Tree) -> bool:
    """A script-built page before its scripts ran: scripts, a root to fill, hardly any text."""
    nodes = tree.nodes
    scripts = sum(1 for n in nodes if n.tag == "script" and (n.attrs.get("src") or len(n.text) > 200))
    pictures = sum(1 for n in nodes if n.tag == "img")
    roots = any(
        n.attrs.get("id", "") in {"app", "root", "__next", "__nuxt", "main-app", "container", "ice-container", "q-app"}
        for n in nodes
    )
    asks = any(
        n.tag == "noscript" and re.search(r"javascript|启用|開啟", tree.text(i, 300), re.IGNORECASE)
        for i, n in enumerate(nodes)
    )
    return scripts > 0 and pictures < 5 and (roots or asks or scripts >= 2)
