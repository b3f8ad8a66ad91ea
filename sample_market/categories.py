"""The 52 categories of suspected conduct, in their eight families."""

from __future__ import annotations

from collections.abc import Mapping

FAMILIES: Mapping[str, tuple[str, ...]] = {
    "A": (
        "ad-absolute-terms",
        "ad-unsupported-citation",
        "ad-medical-claim-food",
        "ad-health-food",
        "ad-cosmetic-medical",
        "ad-false-efficacy",
        "ad-ai-endorser",
        "ad-false-honour-cert",
        "ad-false-origin",
        "ad-well-known-mark",
        "ad-state-organ",
        "ad-not-identifiable",
        "ad-income-guarantee",
        "ad-disparagement",
    ),
    "B": (
        "price-fictitious-original",
        "price-raise-then-discount",
        "promo-endless-limited-time",
        "promo-fake-countdown",
        "promo-fake-stock",
        "promo-rules-mismatch",
        "promo-prize-draw",
        "price-false-lowest",
        "price-not-marked",
        "price-personalised",
        "group-buy-fraud",
    ),
    "C": (
        "rep-brushing",
        "rep-incentivised-review",
        "rep-review-suppression",
        "rep-review-templated",
        "rep-malicious-review",
    ),
    "D": ("ip-counterfeit-listing", "ip-unregistered-as-registered", "ip-confusion"),
    "E": (
        "goods-mismatch",
        "unfair-terms",
        "return-right-denied",
        "forced-tying",
        "auto-renewal",
        "platform-exclusive-dealing",
    ),
    "F": (
        "licence-not-displayed",
        "licence-invalid",
        "permit-not-displayed",
        "platform-rules-not-published",
        "platform-rule-change",
        "platform-duties",
    ),
    "G": (
        "goods-prohibited",
        "goods-restricted-no-permit",
        "cbec-notice-missing",
        "label-missing-general-import",
        "cbec-resale",
    ),
    "H": ("pi-abuse", "pi-sale"),
}

CATEGORIES: frozenset[str] = frozenset(name for names in FAMILIES.values() for name in names)
