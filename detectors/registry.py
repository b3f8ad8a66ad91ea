"""All detectors of a look at one page, in order: words, structure, then what only time can answer."""

from __future__ import annotations

from datetime import datetime

from contracts.finding import Detection, Detector, Registers
from contracts.site import History, Snapshot
from detectors.base import Bench
from detectors.identity import Identity
from detectors.platform import PlatformRules
from detectors.prices import Prices
from detectors.promotions import EndlessOffers, without_answered
from detectors.text_claims import TextClaims
from semantic_lib.library import Library


class Detectors:
    """`detectors(snapshot, history, registers, at)` → (Detection, what broke).

    A detector that breaks on a hostile page is named in the second part and the others still speak.
    """

    def __init__(self, library: Library) -> None:
        bench = Bench(library)
        self._detectors: tuple[Detector, ...] = (
            TextClaims(library),
            Identity(bench),
            PlatformRules(bench),
            Prices(bench),
        )
        self._endless = EndlessOffers(bench)

    def __call__(
        self, snapshot: Snapshot, history: History, registers: Registers, at: datetime
    ) -> tuple[Detection, tuple[str, ...]]:
        whole, broken = Detection(), []
        for detector in self._detectors:
            try:
                whole += detector(snapshot, history, registers, at)
            except Exception as error:  # noqa: BLE001 — one detector must not silence the others; it is named
                broken.append(f"{type(detector).__name__}: {type(error).__name__}: {error}"[:200])
        answered = self._endless(snapshot, history, whole.needs, at)
        return without_answered(whole, answered.findings) + answered, tuple(broken)
