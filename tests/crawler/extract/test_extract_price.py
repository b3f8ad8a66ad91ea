"""The grammar of prices."""

from __future__ import annotations

from decimal import Decimal

import pytest

from crawler.extract.price import PriceKind, find_prices, parse_price


@pytest.mark.parametrize(
    ("text", "amount", "code"),
    [
        ("¥128.00", "128.00", "CNY"),
        ("￥１２８．５", "128.5", "CNY"),
        ("1.2万元", "12000", "CNY"),
        ("¥3.6万起", "36000", "CNY"),
        ("券后价 ¥59.9", "59.9", "CNY"),
        ("到手价49元", "49", "CNY"),
        ("一百二十元", "120", "CNY"),
        ("三万五千元", "35000", "CNY"),
        ("¥40¥400", "40", "CNY"),
        ("现价59元 原价:99元", "59", "CNY"),
        ("原价 ¥99 现价 ¥59", "59", "CNY"),
        ("15.8元/斤", "15.8", "CNY"),
        ("NT$1,280", "1280", "TWD"),
        ("HK$ 99.5", "99.5", "HKD"),
        ("2,980円", "2980", "JPY"),
        ("3.241,56 €", "3241.56", "EUR"),
        ("29€99", "29.99", "EUR"),
        ("79,- €", "79", "EUR"),
        ("Rs. 2,499", "2499", "INR"),
        ("US $17.30", "17.30", "USD"),
        ("14 599 Kč", "14599", "CZK"),
        ("Rp 650.000", "650000", "IDR"),
        ("123,456.789 KWD", "123456.789", "KWD"),
        ("12.500 د.ك", "12.500", "KWD"),
        ("CAN$8.40", "8.40", "CAD"),
    ],
)
def test_reads_amount_and_currency(text: str, amount: str, code: str) -> None:
    price = parse_price(text)
    assert price.amount == Decimal(amount)
    assert price.code() == code


@pytest.mark.parametrize("text", ["3.5折", "85折优惠", "50%", "暂无报价", "", "03-05", "2026-03-05", "July, 2004"])
def test_never_invents_a_price(text: str) -> None:
    assert parse_price(text).amount is None


def test_currency_may_stand_apart() -> None:
    assert parse_price("17,20", "EUR").code() == "EUR"


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("原价 ¥99 现价 ¥59", [PriceKind.ORIGINAL, PriceKind.PRICE]),
        ("划线价:¥68", [PriceKind.ORIGINAL]),
        ("会员价 ¥49", [PriceKind.MEMBER]),
        ("券后 ¥39", [PriceKind.COUPON]),
        ("立减 ¥20", [PriceKind.SAVING]),
        ("运费 10元", [PriceKind.FEE]),
        ("满 ¥200 可用", [PriceKind.THRESHOLD]),
        ("Was $30 Now $20", [PriceKind.ORIGINAL, PriceKind.PRICE]),
        ("$9.99/month", [PriceKind.PART]),
        ("Save $5.00", [PriceKind.SAVING]),
    ],
)
def test_says_what_an_amount_is_for(text: str, kinds: list[PriceKind]) -> None:
    assert [p.kind for p in find_prices(text)] == kinds


def test_range_unit_and_from() -> None:
    ranged = next(iter(find_prices("¥99-199")))
    assert (ranged.amount, ranged.high) == (Decimal(99), Decimal(199))
    assert next(iter(find_prices("99元~199元"))).high == Decimal(199)
    assert next(iter(find_prices("¥12.5/斤"))).unit == "斤"
    assert next(iter(find_prices("¥299起"))).from_


def test_offsets_count_code_points_of_the_text_given() -> None:
    text = "😀 全角￥１２８元 与 ¥5"
    first, second = find_prices(text)
    assert text[first.start : first.end] == "￥１２８元"
    assert text[second.start : second.end] == "¥5"


@pytest.mark.parametrize(
    ("sign", "places", "code"),
    [("$", ("tw",), "TWD"), ("$", (), "USD"), ("¥", ("ja",), "JPY"), ("kr", ("no",), "NOK"), ("RMB", (), "CNY")],
)
def test_place_decides_a_shared_sign(sign: str, places: tuple[str, ...], code: str) -> None:
    from crawler.extract.currency import currency_code

    assert currency_code(sign, places) == code


def test_long_digit_soup_is_read_in_linear_time() -> None:
    assert list(find_prices("1 2 3,4.5 " * 20_000)) == []
    assert len(list(find_prices("¥1" * 5_000))) == 5_000
