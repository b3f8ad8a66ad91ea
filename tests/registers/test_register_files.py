"""Registers from files: good rows kept, bad rows named; not installed is not the same as absent."""

from __future__ import annotations

from datetime import date

import pytest

from contracts.errors import InputError
from registers.memory import MemoryRegisters
from registers.reader import read_csv

USCC = "91350100M000100Y43"


def test_good_rows_are_kept_and_bad_ones_named() -> None:
    text = f"uscc,name\n{USCC},福建某某\n123,坏\n,无码\n{USCC.lower()},小写\n{USCC},多,列\n"
    told = read_csv("operators", "\ufeff" + text, as_of=date(2026, 11, 1))
    assert [entry.key for entry in told.entries] == [USCC, USCC]
    assert told.entries[0].as_of == date(2026, 11, 1)
    assert [error.line for error in told.errors] == [3, 4, 6]
    assert "18 位" in told.errors[0].why


def test_trademark_rows() -> None:
    head = "mark,class,owner,number,status,from,to\n"
    told = read_csv(
        "trademarks",
        head + "Gao Shan,3;35,某,1,registered,2020-01-01,\nX,99,某,2,registered,,\nY,3,某,3,gone,,\nZ,3,某,4,,soon,\n",
    )
    assert [entry.key for entry in told.entries] == ["gaoshan"]
    assert [error.line for error in told.errors] == [3, 4, 5]


@pytest.mark.parametrize(("kind", "text"), [("ships", "a\n1\n"), ("operators", ""), ("operators", "name\nx\n")])
def test_a_file_of_the_wrong_shape_is_an_input_error(kind: str, text: str) -> None:
    with pytest.raises(InputError):
        read_csv(kind, text)


def test_not_installed_is_not_absent() -> None:
    entries = read_csv("operators", f"uscc,name\n{USCC},福建某某\n").entries
    known = MemoryRegisters(entries, installed=("permits",))
    assert known.operator(USCC.lower()) == entries
    assert known.operator("91350100M000100Y44") == ()
    assert known.permit("JY1") == ()
    assert known.trademark("高山") is None
