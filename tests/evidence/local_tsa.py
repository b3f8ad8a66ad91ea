"""A time-stamp authority on loopback, made with openssl: honest, slow, lying or down."""

from __future__ import annotations

import subprocess
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

_CONFIG = """
[ req ]
distinguished_name = dn
[ dn ]
[ ca ]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
[ tsa_ext ]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[ tsa ]
default_tsa = main
[ main ]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
certs = {folder}/chain.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
tsa_name = yes
ess_cert_id_chain = no
"""


def openssl(*arguments: str, data: bytes = b"") -> bytes:
    done = subprocess.run(["openssl", *arguments], input=data, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@dataclass
class Authority:
    """`mode`: ok, down (503), slow (drips for ever), nonce, hash (answers another question), garbage, refuse."""

    folder: Path
    days: int = 3650
    mode: str = "ok"
    asked: int = 0
    _server: ThreadingHTTPServer | None = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def ca(self) -> Path:
        return self.folder / "root.pem"

    @property
    def url(self) -> str:
        assert self._server is not None
        return "http://{}:{}/tsa".format(*self._server.server_address)

    def make(self) -> None:
        """Root, signer certificate, configuration."""
        f = self.folder
        f.mkdir(parents=True, exist_ok=True)
        (f / "ts.cnf").write_text(_CONFIG.format(folder=f))
        (f / "serial").write_text("01\n")
        key = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
        for name in ("root", "tsa"):
            openssl("genpkey", *key, "-out", str(f / f"{name}.key"))
        root = ("-x509", "-key", str(f / "root.key"), "-subj", "/CN=Test Root", "-days", "7300")
        openssl("req", "-new", *root, "-config", str(f / "ts.cnf"), "-extensions", "ca", "-out", str(self.ca))
        ask = (
            "-key",
            str(f / "tsa.key"),
            "-subj",
            "/CN=Test TSA",
            "-config",
            str(f / "ts.cnf"),
            "-out",
            str(f / "tsa.csr"),
        )
        openssl("req", "-new", *ask)
        sign = ("-CA", str(self.ca), "-CAkey", str(f / "root.key"), "-CAcreateserial", "-days", str(self.days))
        extend = ("-extfile", str(f / "ts.cnf"), "-extensions", "tsa_ext")
        openssl("x509", "-req", "-in", str(f / "tsa.csr"), *sign, *extend, "-out", str(f / "tsa.pem"))
        (f / "chain.pem").write_bytes((f / "tsa.pem").read_bytes() + self.ca.read_bytes())

    def reply(self, query: bytes) -> bytes:
        with self._lock:
            asked = self.folder / "ask.tsq"
            asked.write_bytes(query)
            name = self.folder / "answer.tsr"
            openssl(
                "ts",
                "-reply",
                "-config",
                str(self.folder / "ts.cnf"),
                "-section",
                "main",
                "-queryfile",
                str(asked),
                "-out",
                str(name),
            )
            return name.read_bytes()

    def lie(self) -> bytes:
        """An honest answer to a question nobody asked."""
        query = self.folder / "other.tsq"
        (self.folder / "other").write_bytes(b"something else")
        openssl("ts", "-query", "-data", str(self.folder / "other"), "-sha256", "-cert", "-out", str(query))
        return self.reply(query.read_bytes())

    def __enter__(self) -> Self:
        if not self.ca.exists():
            self.make()
        authority = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                authority.asked += 1
                query = self.rfile.read(int(self.headers["content-length"]))
                mode = authority.mode
                if mode == "down":
                    self.send_error(503)
                    return
                if mode == "slow":
                    self.send_response(200)
                    self.end_headers()
                    try:
                        while authority.mode == "slow":
                            self.wfile.write(b"0")
                            self.wfile.flush()
                            time.sleep(0.02)
                    except OSError:
                        pass
                    return
                answers = {
                    "hash": authority.lie,
                    "garbage": lambda: b"not a reply",
                    "nonce": lambda: authority.reply(_renonce(query)),
                }
                body = answers.get(mode, lambda: authority.reply(query))()
                self.send_response(200)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        self.mode = "closed"
        self._server.shutdown()
        self._server.server_close()


def _renonce(query: bytes) -> bytes:
    """The same question with another nonce."""
    from asn1crypto import tsp

    request = tsp.TimeStampReq.load(query)
    request["nonce"] = 424242
    return request.dump(force=True)
