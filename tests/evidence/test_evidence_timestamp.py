"""Trusted time: an honest stamp is kept, anything else leaves the thing pending and says why."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from local_tsa import Authority
from past_token import past_token

from contracts.errors import Unverifiable
from evidence.offline import OpenSSL
from evidence.timestamp import Pending, Stamp, Timestamper, check_stamp, load_roots
from evidence.verify import Libraries


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory):
    with Authority(tmp_path_factory.mktemp("tsa")) as served:
        yield served


@pytest.fixture(autouse=True)
def honest(authority: Authority):
    authority.mode = "ok"
    yield
    authority.mode = "ok"


def year(number: int) -> datetime:
    return datetime(number, 6, 1, tzinfo=UTC)


def stamped(authority: Authority, data: bytes = b"manifest") -> Stamp:
    result = Timestamper([authority.url], authority.ca).stamp(data)
    assert isinstance(result, Stamp), result
    return result


def test_honest_answer_is_believed_and_openssl_agrees(authority: Authority, tmp_path: Path) -> None:
    stamp = stamped(authority)
    facts = check_stamp(b"manifest", stamp.response, load_roots(authority.ca), stamp.request)
    assert facts.at == stamp.at
    assert "Test TSA" in facts.subject
    (tmp_path / "m").write_bytes(b"manifest")
    (tmp_path / "m.tsr").write_bytes(stamp.response)
    command = [
        "openssl",
        "ts",
        "-verify",
        "-data",
        str(tmp_path / "m"),
        "-in",
        str(tmp_path / "m.tsr"),
        "-CAfile",
        str(authority.ca),
    ]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(
    ("mode", "why"),
    [("down", "503"), ("hash", "摘要不符"), ("nonce", "随机数"), ("garbage", "无法读取")],
)
def test_bad_authority_leaves_pending_and_is_named(authority: Authority, mode: str, why: str) -> None:
    authority.mode = mode
    result = Timestamper([authority.url], authority.ca).stamp(b"manifest")
    assert isinstance(result, Pending)
    assert why in result.reasons[0]


def test_dripping_authority_is_cut_off(authority: Authority) -> None:
    authority.mode = "slow"
    result = Timestamper([authority.url], authority.ca, timeout_s=0.3).stamp(b"manifest")
    assert isinstance(result, Pending)
    assert "超时" in result.reasons[0]


def test_second_authority_answers_when_the_first_is_closed(authority: Authority) -> None:
    result = Timestamper(["http://127.0.0.1:9/tsa", authority.url], authority.ca).stamp(b"manifest")
    assert isinstance(result, Stamp)


def test_other_root_is_refused(authority: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path / "other")
    stranger.make()
    result = Timestamper([authority.url], stranger.ca).stamp(b"manifest")
    assert isinstance(result, Pending)
    assert "证书链" in result.reasons[0]


def test_without_a_root_nothing_is_believed(authority: Authority) -> None:
    before = authority.asked
    result = Timestamper([authority.url], None).stamp(b"manifest")
    assert isinstance(result, Pending)
    assert "根证书" in result.reasons[0]
    assert authority.asked == before


def test_stamp_holds_for_its_own_data_alone(authority: Authority) -> None:
    stamp = stamped(authority)
    with pytest.raises(Unverifiable, match="摘要不符"):
        check_stamp(b"another", stamp.response, load_roots(authority.ca))


def test_changed_token_is_refused(authority: Authority) -> None:
    stamp = stamped(authority)
    broken = bytearray(stamp.response)
    broken[-20] ^= 1  # inside the signature
    with pytest.raises(Unverifiable):
        check_stamp(b"manifest", bytes(broken), load_roots(authority.ca), stamp.request)


@pytest.mark.parametrize(("stamped_in", "holds"), [(2020, True), (2024, False)])
def test_expired_certificate_counts_at_the_time_of_the_stamp(stamped_in: int, holds: bool) -> None:
    """The signer's certificate ran from 2019 to 2021: a stamp of 2020 stands for ever, one of 2024 never did.
    Both engines say so: the product's libraries and the openssl of the offline verifier."""
    token, root = past_token(b"manifest", year(stamped_in), year(2019), year(2021))
    for engine in (Libraries(), OpenSSL()):
        why, at = engine.stamp(b"manifest", token, b"", root)
        assert (why == "") is holds, (engine, why)
        if holds:
            assert at == year(2020)
