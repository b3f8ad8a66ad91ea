"""The words for what the code calls by name. Chinese; translated where they are shown."""

from __future__ import annotations

from console.i18n import N_

SEVERITY = {"critical": N_("危急"), "high": N_("高"), "medium": N_("中"), "low": N_("低")}

REGION = {
    "title": N_("标题"),
    "price": N_("价格区"),
    "badge": N_("促销标"),
    "body": N_("详情"),
    "image": N_("图中文字"),
    "terms": N_("条款"),
    "notice": N_("店铺公告"),
    "review": N_("消费者评价"),
    "reply": N_("商家回复"),
    "qa": N_("问答"),
    "nav": N_("导航"),
    "footer": N_("页脚"),
    "chrome": N_("平台界面"),
    "": N_("区域不明"),
}

METHOD = {
    "rule": N_("规则命中"),
    "likeness": N_("凭相似（模型，置信低）"),
    "history": N_("多次快照比对"),
    "register": N_("与登记信息比对"),
    "structure": N_("页面结构"),
}

BASIS_MARK = {"V": N_("条号已核原文"), "S": N_("条号据二手来源"), "M": N_("条号待核")}

SITE_KIND = {
    "platform": N_("平台"),
    "shop": N_("平台内店铺"),
    "self-built": N_("自建网店"),
    "company": N_("企业网站"),
}

HIDDEN = {
    "display": N_("不显示"),
    "visibility": N_("不可见"),
    "opacity": N_("全透明"),
    "off-screen": N_("在屏幕之外"),
    "same-colour": N_("与底色同色"),
    "tiny": N_("字号极小"),
    "clipped": N_("被裁去"),
    "aria-hidden": N_("标为隐藏"),
}

PAGE_KIND = {
    "listing": N_("商品页"),
    "shop": N_("店铺首页"),
    "home": N_("网站首页"),
    "list": N_("列表页"),
    "terms": N_("规则与证照页"),
    "other": N_("其他页面"),
}

ADVICE = {
    "remind": N_("建议先行提醒"),
    "rectify": N_("建议责令改正"),
    "investigate": N_("建议核查立案"),
    "transfer": N_("建议移送"),
}

FACT = {
    "name": N_("名称"),
    "price": N_("售价"),
    "currency": N_("币种"),
    "original_price": N_("划线价"),
    "availability": N_("可售状态"),
    "sku": N_("货号"),
    "brand": N_("品牌"),
    "rating": N_("评分"),
    "review_count": N_("评价数"),
    "operator": N_("经营者"),
    "uscc": N_("统一社会信用代码"),
    "sales_count": N_("销量"),
    "origin": N_("产地"),
    "goods": N_("商品类别"),
    "unit": N_("计价单位"),
    "address": N_("地址"),
    "icp": N_("网站备案号"),
    "licence_url": N_("亮照链接"),
    "permit": N_("许可证号"),
    "countdown_end": N_("倒计时截止"),
    "stock": N_("库存"),
    "mode": N_("贸易方式"),
}

#: What a clue may lack before a rule can speak (contracts.finding.Need).
NEED = {
    "register:trademarks": N_("商标登记信息"),
    "register:operators": N_("经营主体登记信息"),
    "register:permits": N_("许可备案信息"),
    "history:price": N_("历史价格"),
    "history:reviews": N_("历史评价"),
    "history:stock": N_("历史库存"),
    "history": N_("历史快照"),
    "second-capture": N_("第二次取证"),
    "sealed-proof": N_("封存页面上的原文"),
}
