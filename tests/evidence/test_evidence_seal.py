"""Digests, canonical form, keys."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.clock import SystemClock
from contracts.errors import EnvironmentFault, InputError
from evidence import seal
from evidence.seal import PRIVATE_KEY, Signer, canonical, digest, load_public
from evidence.verify import Libraries

#: GB/T 32905-2016, appendix A.
SM3_ABC = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
SHA_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_known_digests(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc")
    for source in (b"abc", tmp_path / "f"):
        found = digest(source)
        assert (found.sha256, found.sm3, found.size) == (SHA_ABC, SM3_ABC, 3)


def test_sm3_without_openssl_support() -> None:
    fallback = seal._CryptographySm3()
    fallback.update(b"abc")
    assert fallback.hexdigest() == SM3_ABC


def test_canonical_form_of_rfc_8785() -> None:
    """Keys in UTF-16 order (RFC 8785 §3.2.3: € before 😀 before \ufb33), no blanks, escapes as JSON.stringify writes them."""
    value = {"€": "Euro", "\r": "CR", "\ufb33": "Hebrew", "1": "One", "😀": "Smiley", "\x80": "Control", "ö": "o"}
    keys = list(json.loads(canonical(value)))
    assert keys == ["\r", "1", "\x80", "ö", "€", "😀", "\ufb33"]
    assert canonical({"b": [1, None, True], "a": 'x"\\\n\x0f'}) == b'{"a":"x\\"\\\\\\n\\u000f","b":[1,null,true]}'


def test_canonical_refuses_floats() -> None:
    with pytest.raises(InputError, match="浮点数"):
        canonical({"x": [1.5]})


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda v: st.lists(v) | st.dictionaries(st.text(), v),
        max_leaves=20,
    )
)
def test_canonical_is_stable_and_loses_nothing(value: object) -> None:
    once = canonical(value)
    assert json.loads(once) == value
    assert canonical(json.loads(once)) == once


def test_lone_surrogate_of_a_hostile_page_does_not_break_sealing() -> None:
    assert json.loads(canonical({"t": "a\ud800b"})) == {"t": "a?b"}


def test_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    signer, made = Signer.open(tmp_path / "keys", tmp_path / "public")
    again, made_again = Signer.open(tmp_path / "keys", tmp_path / "public")
    assert (made, made_again) == (True, False)
    assert signer.id == again.id
    assert (tmp_path / "keys" / PRIVATE_KEY).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "keys").stat().st_mode & 0o077 == 0
    assert b"PRIVATE" not in (tmp_path / "public" / f"{signer.id}.pem").read_bytes()


def test_key_readable_by_others_is_refused(tmp_path: Path) -> None:
    Signer.open(tmp_path / "keys", tmp_path / "public")
    (tmp_path / "keys" / PRIVATE_KEY).chmod(0o644)
    with pytest.raises(EnvironmentFault, match="可被他人读取"):
        Signer.open(tmp_path / "keys", tmp_path / "public")


def test_rotation_is_vouched_for_by_the_old_key(tmp_path: Path) -> None:
    old, _ = Signer.open(tmp_path / "keys", tmp_path / "public")
    new, event = old.rotate(SystemClock())
    reopened, made = Signer.open(tmp_path / "keys", tmp_path / "public")
    assert (reopened.id, made) == (new.id, False)
    assert new.id != old.id
    pem = (tmp_path / "public" / f"{old.id}.pem").read_bytes()
    assert Libraries().signature(pem, event["statement"].encode(), bytes.fromhex(event["old_signature"])) == ""
    assert json.loads(event["statement"])["new_key"] == new.id
    load_public((tmp_path / "public" / f"{new.id}.pem").read_bytes())
