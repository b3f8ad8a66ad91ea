"""A time-stamp token made at any past instant, which a running authority cannot give: for certificates that have expired since."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def past_token(data: bytes, at: datetime, valid_from: datetime, valid_to: datetime) -> tuple[bytes, bytes]:
    """DER reply stamped `at` by a signer valid between the two instants, and the PEM of its root (valid for ever)."""
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = (
        x509.CertificateBuilder()
        .subject_name(_name("Old Root"))
        .issuer_name(_name("Old Root"))
        .public_key(root_key.public_key())
        .serial_number(1)
        .not_valid_before(valid_from - timedelta(days=900))
        .not_valid_after(valid_to + timedelta(days=9000))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    signer = (
        x509.CertificateBuilder()
        .subject_name(_name("Old TSA"))
        .issuer_name(root.subject)
        .public_key(key.public_key())
        .serial_number(2)
        .not_valid_before(valid_from)
        .not_valid_after(valid_to)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    der = signer.public_bytes(serialization.Encoding.DER)
    info = tsp.TSTInfo(
        {
            "version": "v1",
            "policy": "1.2.3.4.1",
            "message_imprint": {
                "hash_algorithm": {"algorithm": "sha256"},
                "hashed_message": hashlib.sha256(data).digest(),
            },
            "serial_number": 7,
            "gen_time": core.GeneralizedTime(at),
        }
    ).dump()
    certificate_id = tsp.ESSCertIDv2({"cert_hash": hashlib.sha256(der).digest()})
    attributes = cms.CMSAttributes(
        [
            cms.CMSAttribute({"type": "content_type", "values": ["tst_info"]}),
            cms.CMSAttribute({"type": "message_digest", "values": [hashlib.sha256(info).digest()]}),
            cms.CMSAttribute(
                {"type": "signing_certificate_v2", "values": [tsp.SigningCertificateV2({"certs": [certificate_id]})]}
            ),
        ]
    )
    attributes = cms.CMSAttributes(sorted(attributes, key=lambda a: a.dump()))
    parsed = asn1_x509.Certificate.load(der)
    signed = cms.SignedData(
        {
            "version": "v3",
            "digest_algorithms": [algos.DigestAlgorithm({"algorithm": "sha256"})],
            "encap_content_info": {"content_type": "tst_info", "content": cms.ParsableOctetString(info)},
            "certificates": [parsed],
            "signer_infos": [
                {
                    "version": "v1",
                    "sid": cms.IssuerAndSerialNumber({"issuer": parsed.issuer, "serial_number": parsed.serial_number}),
                    "digest_algorithm": {"algorithm": "sha256"},
                    "signed_attrs": attributes,
                    "signature_algorithm": {"algorithm": "sha256_ecdsa"},
                    "signature": key.sign(attributes.dump(), ec.ECDSA(hashes.SHA256())),
                }
            ],
        }
    )
    token = cms.ContentInfo({"content_type": "signed_data", "content": signed})
    reply = tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": token})
    return reply.dump(), root.public_bytes(serialization.Encoding.PEM)
