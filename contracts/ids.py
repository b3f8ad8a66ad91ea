"""Sortable identifiers: UUID version 7 (RFC 9562 §5.7), as 32 hexadecimal digits."""

from __future__ import annotations

import secrets
from datetime import datetime


def new_id(at: datetime) -> str:
    """32 hex digits that sort by `at` (millisecond resolution), random behind it."""
    ms = int(at.timestamp() * 1000) & ((1 << 48) - 1)
    rand = secrets.randbits(74)
    value = ms << 80 | 0x7 << 76 | (rand >> 62) << 64 | 0b10 << 62 | (rand & ((1 << 62) - 1))
    return f"{value:032x}"
