"""Reviews, their times, and that no name leaves the page."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from contracts.page import PageReading
from crawler.extract import read_page
from crawler.extract.dates import parse_time
from crawler.extract.reviews import author_hash

AT = datetime(2026, 3, 20, 4, tzinfo=UTC)  # a Friday, noon in Shanghai


def test_reads_what_a_review_says(listing: PageReading) -> None:
    first, second = listing.reviews
    assert (first.id, first.text, first.rating, first.variant) == ("rv1", "全网最好用的皂", 5.0, "规格:100g")
    assert first.at == datetime(2026, 3, 5, 2, 20, tzinfo=UTC)
    assert first.reply == "谢谢支持,我们是行业第一"
    assert (second.rating, second.reply) == (3.0, "")
    assert second.at == datetime(2026, 3, 17, 4, tzinfo=UTC)


def test_names_are_hashed_with_the_key(listing: PageReading) -> None:
    assert listing.reviews[0].author_hash == author_hash("小*鱼", b"k")
    assert listing.reviews[0].author_hash != author_hash("小*鱼", b"other")
    assert "小*鱼" not in repr(listing.reviews)


def test_declared_reviews() -> None:
    page = """<script type="application/ld+json">{"@type":"Product","name":"Cup","offers":{"price":"9","priceCurrency":"EUR"},"review":[
    {"@type":"Review","author":{"@type":"Person","name":"Ann"},"datePublished":"2026-01-02","reviewBody":"Nice","reviewRating":{"ratingValue":"4"}}]}</script><h1>Cup</h1>"""
    (review,) = read_page(page, "https://a.example/p/1", review_key=b"k").reviews
    assert (review.text, review.rating, review.author_hash) == ("Nice", 4.0, author_hash("Ann", b"k"))


def test_no_review_without_reviews() -> None:
    assert read_page("<h1>茶杯</h1><ul><li>甲乙丙丁</li><li>戊己庚辛</li></ul>", "").reviews == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-05", "2026-03-05T00:00"), ("2026年3月5日 08:30", "2026-03-05T08:30"), ("2026/3/5", "2026-03-05T00:00"), ("03-05", "2026-03-05T00:00"),
        ("12-25", "2025-12-25T00:00"), ("3天前", "2026-03-17T12:00"), ("两小时前", "2026-03-20T10:00"), ("昨天 09:15", "2026-03-19T09:15"),
        ("上周三", "2026-03-11T00:00"), ("周一", "2026-03-16T00:00"), ("民國115年3月5日", "2026-03-05T00:00"), ("2026-03-05T10:00:00Z", "2026-03-05T18:00"),
        ("5 March 2026", "2026-03-05T00:00"), ("March 5, 2026", "2026-03-05T00:00"), ("5. März 2026", "2026-03-05T00:00"), ("15 juin 2025", "2025-06-15T00:00"),
    ],
)  # fmt: skip
def test_times_as_written(text: str, expected: str) -> None:
    moment = parse_time(text, AT)
    assert moment is not None
    from contracts.clock import SHANGHAI

    assert moment.astimezone(SHANGHAI).strftime("%Y-%m-%dT%H:%M") == expected


@pytest.mark.parametrize("text", ["昨天", "03-05", "3天前", "很久", "99-99"])
def test_relative_times_are_not_guessed_without_a_capture_time(text: str) -> None:
    assert parse_time(text) is None
