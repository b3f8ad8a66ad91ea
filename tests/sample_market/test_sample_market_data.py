"""The market's data keep their promises: what is written down as truth is what the pages show."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest
import yaml
from market_reading import MARKET, page, words

from contracts.codes import check_uscc
from contracts.errors import EnvironmentFault, UsageError
from contracts.page import Region
from sample_market import market as market_module
from sample_market.categories import CATEGORIES, FAMILIES
from sample_market.market import load
from sample_market.pages import _EMPTY_ITEM

DAYS = range(1, MARKET.last_day + 1)
TRUTHS = [(site, listing, truth) for site, listing, truth in MARKET.truths()]


def test_there_are_fifty_two_categories_in_eight_families() -> None:
    assert len(CATEGORIES) == 52
    assert "".join(FAMILIES) == "ABCDEFGH"
    assert sum(len(names) for names in FAMILIES.values()) == 52


def test_ids_and_addresses_are_unique() -> None:
    for values in (
        [item.id for item in MARKET.listings],
        [(item.site, item.path) for item in (*MARKET.listings, *MARKET.pages)],
        [site.id for site in MARKET.sites],
        [site.host for site in MARKET.sites],
        [(item.site, r["id"]) for item in MARKET.listings for r in item.fields.on(MARKET.last_day)["reviews"]],
    ):
        assert [value for value, count in Counter(values).items() if count > 1] == []


def test_size_balance_and_languages() -> None:
    assert len(MARKET.listings) >= 66
    innocent = sum(item.innocent for item in MARKET.listings)
    assert 0.45 <= innocent / len(MARKET.listings) <= 0.60
    assert {item.lang for item in MARKET.listings} == {"zh-Hans", "zh-Hant-TW", "zh-Hant-HK", "en"}


def test_every_category_is_planted_at_least_once() -> None:
    assert {truth.category for _, _, truth in TRUTHS} == CATEGORIES


def test_only_known_categories_and_regions_are_named() -> None:
    for holder in (*MARKET.listings, *MARKET.pages, *MARKET.sites):
        assert set(holder.innocent_of) <= CATEGORIES
        planted = {truth.category for truth in holder.truth}
        assert planted <= CATEGORIES
        assert not planted & set(holder.innocent_of)
        assert {truth.where for truth in holder.truth} <= {region.value for region in Region}
    for item in MARKET.listings:
        assert set(item.arguable_of) <= CATEGORIES - set(item.innocent_of)
        assert item.truth or item.innocent_of, f"{item.id} is neither guilty nor a temptation"


@pytest.mark.parametrize(("site", "listing", "truth"), TRUTHS, ids=[f"{s}-{i}-{t.category}" for s, i, t in TRUTHS])
def test_the_page_shows_what_the_truth_says(site: str, listing: str | None, truth: object) -> None:
    from sample_market.model import Truth

    assert isinstance(truth, Truth)
    assert truth.quote or truth.absent
    for day in DAYS:
        said = words(site, truth.path, day)
        if truth.shows_on(day):
            assert truth.quote in said, f"day {day}"
            assert [word for word in truth.absent if word in said] == [], f"day {day}"
        elif truth.until_day is not None and day > truth.until_day:
            assert truth.quote not in said, f"mended, yet on day {day}"


def test_history_truths_cannot_be_seen_in_one_look() -> None:
    for _, _, truth in TRUTHS:
        if truth.needs == "history" and truth.category != "price-false-lowest":
            assert truth.from_day > 1, truth


@pytest.mark.parametrize("item", MARKET.listings, ids=[item.id for item in MARKET.listings])
def test_planted_facts_stand_on_the_page(item: object) -> None:
    from sample_market.model import ListingPlan

    assert isinstance(item, ListingPlan)
    for day in DAYS:
        said = words(item.site, item.path, day)
        for fact, value in item.facts_on(day).items():
            assert fact == "currency" or value in said, f"{fact} on day {day}"


def test_fields_are_known_and_nothing_was_lost_to_a_comma() -> None:
    known = set(_EMPTY_ITEM) | {
        "id", "title", "lang", "path", "shape", "pictures", "reviews", "review_total", "list_price", "main_picture",
        "reviews_gone", "reviews_new", "reviews_deleted_by_user", "currency",
    }  # fmt: skip
    for item in MARKET.listings:
        for state in (item.fields.base, *item.fields.overlays.values()):
            assert set(state) <= known, item.id
        for day in DAYS:
            state = item.fields.on(day)
            assert None not in state["attrs"].values(), item.id
            lists = [state.get(key, []) for key in ("points", "body", "terms", "notice", "badges", "service")]
            said = [line for lines in lists for line in lines if isinstance(line, str)]
            assert [line for line in said if line[:1].islower() or line.startswith("，")] == [], item.id
            for review in state["reviews"]:
                assert set(review) <= {"id", "by", "date", "stars", "text", "reply", "variant", "deleted"}, review["id"]
                assert isinstance(review["date"], date)
                assert 1 <= review["stars"] <= 5


def test_credit_codes_are_valid_where_the_market_says_so() -> None:
    codes = {site.id: (site.uscc, site.uscc_valid) for site in MARKET.sites if site.uscc}
    assert {name: check_uscc(code).valid for name, (code, _) in codes.items()} == {
        name: valid for name, (_, valid) in codes.items()
    }
    assert not all(valid for _, valid in codes.values())


def test_registers_know_the_operators_but_not_the_false_code() -> None:
    rows = (market_module.REGISTERS / "operators.csv").read_text("utf-8").splitlines()[1:]
    registered = {row.split(",")[0] for row in rows}
    assert all(check_uscc(code).valid for code in registered)
    for site in MARKET.sites:
        if site.uscc:
            assert (site.uscc in registered) is site.uscc_valid


def test_day_two_changes_prices_reviews_terms_and_rules() -> None:
    def fact(item: str, name: str, day: int) -> str | None:
        return MARKET.listing(item).facts_on(day).get(name)

    def reviews(item: str, day: int) -> set[str]:
        return {r["id"] for r in MARKET.listing(item).fields.on(day)["reviews"]}

    assert [fact("dx-fan", "price", d) for d in (1, 2, 3)] == ["189.00", "199.00", "189.00"]
    assert [fact("dx-fan", "original_price", d) for d in (1, 2)] == [None, "309.00"]
    assert [fact("ls-coconut", "price", d) for d in (1, 2)] == ["15.80", "19.80"]
    assert [fact("ls-noodle", "price", d) for d in (1, 2)] == ["19.90", "19.90"]
    assert reviews("dx-earbud", 1) - reviews("dx-earbud", 2) == {"eb-13", "eb-14", "eb-16"}
    assert len(reviews("ls-water", 2) - reviews("ls-water", 1)) >= 5
    assert reviews("dx-mouse", 1) == reviews("dx-mouse", 2)
    assert "该评价已由用户本人删除" in page("dianxing", "/static/app.js", 2).body.decode()
    assert "一经售出概不退换" not in words("jinghe", MARKET.listing("jh-bag").path, 2)
    assert words("haihui", "/rules/points", 1) != words("haihui", "/rules/points", 2)


def test_a_broken_data_file_is_named(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    from pathlib import Path

    assert isinstance(tmp_path, Path)
    (tmp_path / "shops").mkdir()
    (tmp_path / "shops" / "10-broken.yaml").write_text(yaml.safe_dump({"site": {"name": "x"}}), "utf-8")
    monkeypatch.setattr(market_module, "FOLDER", tmp_path)
    load.cache_clear()
    try:
        with pytest.raises(EnvironmentFault, match=r"10-broken\.yaml"):
            load()
    finally:
        load.cache_clear()


def test_a_suspicion_is_judged_by_page_and_day() -> None:
    def verdict(item: str, category: str, day: int = 1) -> str:
        plan = MARKET.listing(item)
        return MARKET.verdict(plan.site, plan.path, category, day)

    assert verdict("ls-bitter", "ad-medical-claim-food") == "planted"
    assert verdict("ls-noodle", "promo-endless-limited-time", 1) == "unplanned"
    assert verdict("ls-noodle", "promo-endless-limited-time", 2) == "planted"
    assert verdict("jh-bag", "unfair-terms", 2) == "unplanned"
    assert verdict("ls-noodle", "price-fictitious-original") == "arguable"
    assert verdict("ls-oil", "ad-absolute-terms") == "innocent"
    assert verdict("ls-oil", "pi-sale") == "unplanned"
    assert MARKET.verdict("qingwan", "/terms", "licence-not-displayed", 1) == "planted"
    assert MARKET.verdict("northlark", "/list", "ad-absolute-terms", 1) == "planted"
    with pytest.raises(UsageError, match="nothing"):
        MARKET.listing("nothing")
