"""Trusted time by RFC 3161: ask several authorities, believe only what their root vouches for.

No answer, a slow answer or a lying answer leaves the thing `pending` with the reason of each authority; nothing is
ever stamped by ourselves. Requests carry a nonce and are kept: the answer can be checked against them for ever.
"""

from __future__ import annotations

import hashlib
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from asn1crypto import cms, tsp
from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from contracts.clock import aware
from contracts.errors import EnvironmentFault, Unverifiable

MAX_ANSWER = 256 * 1024  #: bytes; a token with its chain is about 2–8 kB
TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Stamp:
    """A checked answer: `request` and `response` are DER as sent and received."""

    request: bytes
    response: bytes
    at: datetime
    authority: str


@dataclass(frozen=True, slots=True)
class Pending:
    """No stamp yet, and why, one reason an authority."""

    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StampFacts:
    """What a token says: instant, serial number, subject of the authority's certificate, certificates carried (DER)."""

    at: datetime
    serial: int
    subject: str
    certificates: tuple[bytes, ...]


def load_roots(pem: Path) -> list[x509.Certificate]:
    """Raises EnvironmentFault when the file is absent or holds no certificate."""
    try:
        return x509.load_pem_x509_certificates(pem.read_bytes())
    except (OSError, ValueError) as error:
        raise EnvironmentFault("时间戳根证书 {path} 无法读取:{why}", path=pem, why=str(error)) from error


def check_stamp(
    data: bytes, response: bytes, roots: Sequence[x509.Certificate], request: bytes | None = None
) -> StampFacts:
    """Signature, chain to one of `roots` at the token's own time, imprint over `data`, nonce of `request`.

    Raises Unverifiable naming the cause.
    """
    answer, facts = read_stamp(response)
    imprint = answer.tst_info.message_imprint
    digests = {"2.16.840.1.101.3.4.2.1": hashlib.sha256, "2.16.840.1.101.3.4.2.3": hashlib.sha512}
    maker = digests.get(imprint.hash_algorithm.dotted_string)
    if maker is None:
        raise Unverifiable("时间戳使用的摘要算法不支持:{oid}", oid=imprint.hash_algorithm.dotted_string)
    if imprint.message != maker(data).digest():
        raise Unverifiable("时间戳不是盖在该文件上的(摘要不符)")
    builder = VerifierBuilder(intermediates=[], roots=[])
    for root in roots:
        builder = builder.add_root_certificate(root)
    if request is not None:
        nonce = tsp.TimeStampReq.load(request)["nonce"].native
        if nonce is not None and answer.tst_info.nonce != nonce:
            raise Unverifiable("时间戳应答的随机数与请求不符")
    try:
        builder.build().verify(answer, imprint.message)
    except (VerificationError, ValueError) as error:
        raise Unverifiable("时间戳签名或证书链不成立:{why}", why=str(error)) from error
    return facts


def read_stamp(response: bytes) -> tuple[TimeStampResponse, StampFacts]:
    """The decoded answer; a certificate SET that a server left unsorted is sorted in a copy, being outside the signature."""
    try:
        parsed = tsp.TimeStampResp.load(response)
        status = parsed["status"]["status"].native
        if status not in ("granted", "granted_with_mods"):
            raise Unverifiable("时间戳机构拒绝:{status}", status=status)
        signed = parsed["time_stamp_token"]["content"]
        carried = [choice.chosen.dump() for choice in signed["certificates"]]
        signed["certificates"] = cms.CertificateSet(sorted(signed["certificates"], key=lambda c: c.dump()))
        answer = decode_timestamp_response(parsed.dump(force=True))
        info = answer.tst_info
        signer = next(iter(answer.signed_data.signer_infos))
        leaf = _leaf(carried, signer.issuer, signer.serial_number)
    except (ValueError, TypeError, KeyError, StopIteration) as error:
        raise Unverifiable("时间戳应答无法读取:{why}", why=str(error)) from error
    subject = leaf.subject.rfc4514_string() if leaf else ""
    return answer, StampFacts(aware(info.gen_time), info.serial_number, subject, tuple(carried))


def _leaf(carried: Sequence[bytes], issuer: x509.Name, serial: int) -> x509.Certificate | None:
    for der in carried:
        certificate = x509.load_der_x509_certificate(der)
        if certificate.serial_number == serial and certificate.issuer == issuer:
            return certificate
    return None


class Timestamper:
    """Asks the authorities in order. No proxy is used: the address is the one in the settings."""

    def __init__(self, urls: Sequence[str], ca: Path | None, *, timeout_s: float = TIMEOUT_S) -> None:
        self.urls = tuple(urls)
        self.ca = ca
        self.timeout_s = timeout_s

    def stamp(self, data: bytes) -> Stamp | Pending:
        """The first believable answer, or why there is none."""
        if not self.urls:
            return Pending(("未配置时间戳服务(WANGXUN_TSA_URL)",))
        if self.ca is None:
            return Pending(("未配置时间戳根证书(WANGXUN_TSA_CA),应答无从核验",))
        reasons = []
        roots = load_roots(self.ca)
        for url in self.urls:
            request = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256).build().as_bytes()
            try:
                response = _post(url, request, self.timeout_s)
                facts = check_stamp(data, response, roots, request)
            except Unverifiable as error:
                reasons.append(f"{_host(url)}:{error.text()}")
            except (OSError, urllib.error.URLError, ValueError) as error:
                reasons.append(f"{_host(url)}:{type(error).__name__} {error}"[:300])
            else:
                return Stamp(request, response, facts.at, _host(url))
        return Pending(tuple(reasons))


def _host(url: str) -> str:
    """Host and port alone: an authority's address may carry an account."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)


def _post(url: str, body: bytes, timeout_s: float) -> bytes:
    """The answer's body. Raises OSError (TimeoutError among them) or ValueError."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError("时间戳地址应以 http 或 https 开头")
    request = urllib.request.Request(  # noqa: S310 - scheme checked above
        url, data=body, headers={"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + timeout_s
    with opener.open(request, timeout=timeout_s) as answer:
        received = b""
        while part := answer.read1(8192):
            received += part
            if len(received) > MAX_ANSWER:
                raise ValueError("时间戳应答过大")
            if time.monotonic() > deadline:  # a server that drips never trips the socket's own limit
                raise TimeoutError("时间戳应答超时")
    return received
