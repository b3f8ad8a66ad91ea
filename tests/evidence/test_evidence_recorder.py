"""What is hard to record: a page that loads itself anew, what a browser would answer from memory, https, 60 MB."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from evidence_case import captured
from local_tsa import openssl
from shop_server import HUGE, Shop

from contracts.clock import SystemClock
from evidence import warc
from evidence.capture import Capture, CaptureFailed, CaptureSettings
from evidence.vault import Vault
from evidence.verify import verify_vault
from evidence.wacz import read_wacz

pytestmark = pytest.mark.browser
CLOCK = SystemClock()


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault.open(tmp_path / "evidence", keys=tmp_path / "keys", clock=CLOCK)


def recorded(vault: Vault, capture: Capture) -> Counter[tuple[str, str, int, str]]:
    """(method, path, status, SHA-256 of the body) of every exchange in the capture."""
    found: Counter[tuple[str, str, int, str]] = Counter()
    records = [r for r in read_wacz(vault.file(capture.evidence_id, "evidence.wacz")) if r.kind != "warcinfo"]
    for answer, asked in zip(records[::2], records[1::2], strict=True):
        one = warc.read_exchange(answer, asked)
        sha256 = hashlib.sha256(one.response_body).hexdigest()
        found[(one.method, urlsplit(one.url).path, one.status, sha256)] += 1
    return found


def served(shop: Shop) -> dict[tuple[str, str, int, str], int]:
    return {(method, path, status, sha): count for (method, _, path, status, sha), count in shop.served.items()}


@pytest.mark.parametrize(("path", "words"), [("/reloads", "城市 杭州"), ("/gate", "门内商品")])
def test_page_that_loads_itself_anew(vault: Vault, chromium: str, path: str, words: str) -> None:
    """Both loads are on the wire, none is answered from the browser's memory; what is kept is the second."""
    with Shop() as shop:
        (capture,) = captured(chromium, vault, CLOCK, shop.url(path))
        pictures = sum(count for key, count in shop.served.items() if key[2] == "/img/1.jpg")
        assert pictures == (2 if path == "/reloads" else 1)
        assert dict(recorded(vault, capture)) == served(shop)
    assert words in capture.text
    assert capture.status == 200
    assert capture.unrecorded == ()
    assert capture.missing == 0


def make_certificate(folder: Path) -> tuple[Path, bytes]:
    """PEM with key, and the certificate's DER."""
    pem, key = folder / "shop.pem", folder / "shop.key"
    subject = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1,IP:127.0.0.2")
    openssl(
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(pem), "-days", "9", *subject
    )
    der = openssl("x509", "-in", str(pem), "-outform", "DER")
    pem.write_bytes(pem.read_bytes() + key.read_bytes())
    return pem, der


def test_https_page_with_its_certificate(vault: Vault, chromium: str, tmp_path: Path) -> None:
    pem, der = make_certificate(tmp_path)
    public = openssl("x509", "-in", str(pem), "-pubkey", "-noout")
    spki = subprocess.run(
        ["openssl", "pkey", "-pubin", "-outform", "DER"], input=public, capture_output=True, check=True
    ).stdout
    trusted = base64.b64encode(hashlib.sha256(spki).digest()).decode()
    with Shop(certificate=pem) as shop:
        with pytest.raises(CaptureFailed, match="CERT"):  # a certificate nobody vouches for is named, never passed over
            captured(chromium, vault, CLOCK, shop.url("/plain"))
        shop.served.clear()
        flag = f"--ignore-certificate-errors-spki-list={trusted}"
        (capture,) = captured(chromium, vault, CLOCK, shop.url("/reloads"), flags=(flag,))
        assert dict(recorded(vault, capture)) == served(shop)
        host = shop.host
    environment = json.loads(vault.file(capture.evidence_id, "environment.json").read_bytes())
    assert environment["tls"]["chain_sha256"] == [hashlib.sha256(der).hexdigest()]
    assert environment["tls"]["details"]["protocol"].startswith("TLS 1.")
    assert environment["tls"]["details"]["url"].startswith(f"https://{host}")
    assert environment["servers"][host] == host
    assert capture.final_url == f"https://{host}/reloads"


@pytest.mark.long
def test_sixty_megabytes_are_recorded_to_the_byte(vault: Vault, chromium: str, tmp_path: Path) -> None:
    with Shop() as shop:
        settings = CaptureSettings(total_timeout_s=200)
        (capture,) = captured(chromium, vault, CLOCK, shop.url("/huge"), settings=settings)
        assert dict(recorded(vault, capture)) == served(shop)
    assert str(HUGE) in capture.text
    report = verify_vault(tmp_path / "evidence")
    assert report.ok, report.failures
