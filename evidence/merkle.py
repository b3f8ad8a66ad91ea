"""Merkle hash tree of RFC 6962 §2.1: roots, inclusion and consistency proofs, and their checks. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """Appends in O(1) amortised; a proof at any earlier size costs O(log² n). 64 bytes of memory a leaf."""

    def __init__(self, leaf_hashes: Iterable[bytes] = ()) -> None:
        self._levels: list[bytearray] = [bytearray()]  # level k: hashes of the complete subtrees of 2^k leaves
        for value in leaf_hashes:
            self.append(value)

    def __len__(self) -> int:
        return len(self._levels[0]) // 32

    def append(self, value: bytes) -> None:
        """Adds a leaf hash."""
        level = 0
        self._levels[0] += value
        while len(self._levels[level]) % 64 == 0:
            row = self._levels[level]
            value = node_hash(bytes(row[-64:-32]), bytes(row[-32:]))
            level += 1
            if level == len(self._levels):
                self._levels.append(bytearray())
            self._levels[level] += value

    def leaf(self, index: int) -> bytes:
        return bytes(self._levels[0][32 * index : 32 * index + 32])

    def root(self, size: int | None = None) -> bytes:
        """Root of the first `size` leaves (all of them by default)."""
        size = len(self) if size is None else size
        return self._subtree(0, size) if size else EMPTY_ROOT

    def _subtree(self, start: int, end: int) -> bytes:
        count = end - start
        if count & (count - 1) == 0:  # complete: kept
            level = count.bit_length() - 1
            at = 32 * (start >> level)
            return bytes(self._levels[level][at : at + 32])
        split = _split(count)
        return node_hash(self._subtree(start, start + split), self._subtree(start + split, end))

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """PATH(index, D[size]) of RFC 6962 §2.1.1, leaf side first."""
        size = len(self) if size is None else size
        if not 0 <= index < size <= len(self):
            raise IndexError(f"no leaf {index} in a tree of {size}")
        path: list[bytes] = []
        start, end = 0, size
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                path.append(self._subtree(middle, end))
                end = middle
            else:
                path.append(self._subtree(start, middle))
                start = middle
        return path[::-1]

    def consistency(self, old: int, new: int | None = None) -> list[bytes]:
        """PROOF(old, D[new]) of RFC 6962 §2.1.2; empty when the sizes are equal or the old tree was empty."""
        new = len(self) if new is None else new
        if not 0 <= old <= new <= len(self):
            raise IndexError(f"no consistency from {old} to {new}")
        if old in (0, new):
            return []
        path: list[bytes] = []
        start, end, whole = 0, new, True
        while old != end:
            middle = start + _split(end - start)
            if old <= middle:
                path.append(self._subtree(middle, end))
                end = middle
            else:
                path.append(self._subtree(start, middle))
                start, whole = middle, False
        if not whole:
            path.append(self._subtree(start, end))
        return path[::-1]


def _split(count: int) -> int:
    """Largest power of two smaller than `count`."""
    return 1 << ((count - 1).bit_length() - 1)


def inclusion_holds(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """RFC 9162 §2.1.3.2; `leaf` is a leaf hash."""
    if not 0 <= index < size:
        return False
    fn, sn, value = index, size - 1, leaf
    for step in path:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            value = node_hash(step, value)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            value = node_hash(value, step)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and value == root


def consistency_holds(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> bool:
    """RFC 9162 §2.1.4.2."""
    if old == new:
        return not path and old_root == new_root
    if old == 0:
        return not path
    steps = list(path)
    if old & (old - 1) == 0:
        steps.insert(0, old_root)
    if not 0 < old < new or not steps:
        return False
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    first = second = steps[0]
    for step in steps[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            first, second = node_hash(step, first), node_hash(step, second)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            second = node_hash(second, step)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and first == old_root and second == new_root
