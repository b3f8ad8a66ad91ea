"""取证 — capture, seal, log, timestamp, store, verify, package.

What was shown is kept as it came, sealed so that nobody (we included) can change it unseen, and handed over so that
anyone can check it with public tools. Imports only `contracts` and third parties.

    Exchange ─> http level (WARC segments) ─┐
    page in a browser ─> full capture ──────┴─> manifest ─> signature ─> Merkle log ─> RFC 3161 stamp ─> package ─> verify
"""

#: Written into every WARC, manifest and environment record.
SOFTWARE = "wangxun-evidence/1"
