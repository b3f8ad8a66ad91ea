"""Perceptual hashes: pictures that look alike have hashes of few different bits. Own and small, numpy alone.

dHash compares neighbouring brightness (gradient of a 9 × 8 reduction); pHash keeps the signs of the lowest 8 × 8
frequencies of a 32 × 32 reduction (discrete cosine transform, type II). Both 64 bits, written as 16 hexadecimal digits.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def dhash(picture: Image.Image) -> str:
    """64 bits: whether each pixel of the reduction is darker than its right neighbour."""
    small = np.asarray(picture.convert("L").resize((9, 8), Image.Resampling.BOX), dtype=np.int16)
    return _hex(small[:, 1:] > small[:, :-1])


def phash(picture: Image.Image) -> str:
    """64 bits: whether each low frequency is above their median (the mean brightness left out)."""
    small = np.asarray(picture.convert("L").resize((32, 32), Image.Resampling.BOX), dtype=np.float64)
    cosine = _cosine()
    low = (cosine @ small @ cosine.T)[:8, :8]
    return _hex(low > np.median(low.ravel()[1:]))


def distance(one: str, other: str) -> int:
    """Number of bits in which two hashes differ, 0–64; up to about 8 is the same picture edited or compressed anew."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


@cache
def _cosine() -> NDArray[np.float64]:
    n = np.arange(32)
    return np.cos(np.pi * (2 * n[None, :] + 1) * n[:, None] / 64)


def _hex(bits: NDArray[np.bool_]) -> str:
    return np.packbits(bits.ravel()).tobytes().hex()
