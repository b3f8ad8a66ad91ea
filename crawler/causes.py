"""Why a page could not be read: one short word list for the report, the progress line and the queue."""

from __future__ import annotations

from enum import StrEnum


class FailureCause(StrEnum):
    """Machine word; `label` is what an officer reads."""

    DNS = "dns"  #: the name has no address
    GUARD = "guard"  #: the address is private, loopback, …: refused by us
    CONNECT = "connect"  #: nobody answers at the address
    TIMEOUT = "timeout"  #: no whole answer in time
    TLS = "tls"  #: no secure connection could be made
    BROKEN = "broken"  #: the answer broke off or is not HTTP
    STATUS = "status"  #: an error status; the detail is the number
    GONE = "gone"  #: 404 or 410: the page is no longer there
    LOGIN = "login"  #: 401, 403, 407 or a log-in page instead of the page
    BUSY = "busy"  #: 429 or 503 to the end: the site asked us to stay away
    ROBOTS = "robots"  #: disallowed by robots.txt
    ROBOTS_DOWN = "robots-down"  #: robots.txt answers 5xx: the whole host is left alone (RFC 9309 §2.3.1.4)
    TOO_LARGE = "too-large"  #: more bytes than allowed, as received or unpacked
    REDIRECTS = "redirects"  #: too many redirects, or in a circle
    OFF_SITE = "off-site"  #: redirected away from the site
    ADDRESS = "address"  #: not an http(s) address
    BREAKER = "breaker"  #: the host failed too often in a row and was left alone
    BROWSER = "browser"  #: the browser could not show the page
    OTHER = "other"  #: anything else, named in the detail

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = {
    FailureCause.DNS: "域名无法解析",
    FailureCause.GUARD: "地址属于内部或保留网段，已拒绝访问",
    FailureCause.CONNECT: "无法连接",
    FailureCause.TIMEOUT: "超时",
    FailureCause.TLS: "安全连接（TLS）失败",
    FailureCause.BROKEN: "响应中断或不合规范",
    FailureCause.STATUS: "状态码异常",
    FailureCause.GONE: "页面不存在",
    FailureCause.LOGIN: "需要登录或拒绝访问",
    FailureCause.BUSY: "网站要求暂缓访问",
    FailureCause.ROBOTS: "robots.txt 不允许",
    FailureCause.ROBOTS_DOWN: "robots.txt 服务端错误，暂不访问该主机",
    FailureCause.TOO_LARGE: "内容过大",
    FailureCause.REDIRECTS: "重定向过多",
    FailureCause.OFF_SITE: "重定向到站外",
    FailureCause.ADDRESS: "地址无效",
    FailureCause.BREAKER: "主机连续失败，本轮不再访问",
    FailureCause.BROWSER: "浏览器渲染失败",
    FailureCause.OTHER: "其他",
}


def why(cause: FailureCause, detail: str = "") -> str:
    """The one-line reason kept in rows and reports: `cause` or `cause: detail`, at most 200 characters."""
    detail = " ".join(detail.split())
    return f"{cause.value}: {detail}"[:200] if detail else cause.value


def explain(reason: str) -> str:
    """Chinese for a line made by `why`; the detail stands behind it."""
    word, _, detail = reason.partition(": ")
    try:
        label = FailureCause(word).label
    except ValueError:
        return reason
    return f"{label}（{detail}）" if detail else label
