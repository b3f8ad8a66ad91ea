"""Reading the http level: a record by its evidence id, revisits followed to the body they stand for."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from contracts.errors import InputError, Unverifiable
from evidence import revisits, warc
from evidence.exchange import Exchange
from evidence.http_level import Place
from evidence.merkle import Tree, leaf_hash

UNPACKED_KEPT = 3  #: files of revisits kept unpacked, each the pages of one batch


@dataclass(frozen=True, slots=True)
class RecordSpan:
    """A record's place among the leaves of its batch's tree, and that tree."""

    index: int
    line: bytes
    tree: Tree


class HttpReader:
    """Reads what `HttpRun` wrote under `warc`; of an open run what was flushed."""

    def __init__(self, warc_folder: Path) -> None:
        self._warc = warc_folder
        self._unpacked: dict[tuple[Path, int, int], dict[int, warc.Record]] = {}

    def original(self, evidence_id: str) -> warc.Original:
        """The record that holds a page's body, followed through a revisit. Raises InputError or Unverifiable."""
        for _ in range(2):
            head = self._head(Place.parse(evidence_id))
            if head.get("warc-type") == "response":
                return warc.Original(
                    evidence_id,
                    head.get("warc-record-id", ""),
                    head.get("warc-target-uri", ""),
                    head.get("warc-date", ""),
                    head.get("warc-payload-digest", ""),
                )
            evidence_id = warc.evidence_of(head.get("warc-refers-to", ""))
        raise Unverifiable("证据 {id} 未指向原始记录", id=evidence_id)

    def _head(self, place: Place) -> Mapping[str, str]:
        if place.revisit:
            return self._revisit(place).headers
        with self._segment(place).open("rb") as file:
            return warc.read_head(file, place.offset)

    def _segment(self, place: Place) -> Path:
        path = self._warc / f"{place.stem}.{'revisits' if place.revisit else 'warc'}.gz"
        if not path.exists():
            raise InputError("证据段 {name} 不存在", name=place.stem)
        return path

    def _revisit(self, place: Place) -> warc.Record:
        """A revisit's record. The last files read are kept unpacked: a patrol asks for page after page of one batch."""
        path = self._segment(place)
        state = path.stat()
        known = (path, state.st_size, state.st_mtime_ns)
        if known not in self._unpacked:
            while len(self._unpacked) >= UNPACKED_KEPT:
                self._unpacked.pop(next(iter(self._unpacked)))
            plain = revisits.unpacked(path, torn=True)
            self._unpacked[known] = {r.offset: r for r in revisits.plain_records(plain, torn=True)}
        try:
            return self._unpacked[known][place.offset]
        except KeyError as error:
            raise InputError("没有这份证据:{id}", id=place.evidence_id) from error

    def record_span(self, evidence_id: str) -> RecordSpan:
        """Where a committed http record stands in its batch. Raises InputError when it is unknown."""
        place = Place.parse(evidence_id)
        lines = self._lines(place)
        for index, line in enumerate(lines):
            if json.loads(line)["offset"] == place.offset:
                return RecordSpan(index, line, Tree(leaf_hash(one) for one in lines))
        raise InputError("没有这份证据:{id}", id=evidence_id)

    def _lines(self, place: Place) -> list[bytes]:
        """The lines that the batch's tree is made of."""
        if place.revisit:
            return revisits.lines_of(revisits.unpacked(self._segment(place), torn=True))
        path = self._warc / f"{place.stem}.records.jsonl"
        return path.read_bytes().splitlines() if path.exists() else []

    def record_bytes(self, evidence_id: str) -> bytes:
        """The sealed bytes of an http record as one WARC file; those of a revisit are packed again, alone."""
        place = Place.parse(evidence_id)
        fields = json.loads(self.record_span(evidence_id).line)
        start, end = place.offset, place.offset + fields["length"]
        if place.revisit:
            return gzip.compress(revisits.unpacked(self._segment(place), torn=True)[start:end], 9, mtime=0)
        with self._segment(place).open("rb") as file:
            file.seek(start)
            return file.read(end - start)

    def exchange(self, evidence_id: str) -> Exchange:
        """An exchange of the http level with its full body, revisits followed."""
        response, request = self._records(evidence_id)
        if response.kind != "revisit":
            return warc.read_exchange(response, request)
        held, asked = self._records(warc.evidence_of(response.headers.get("warc-refers-to", "")))
        if (
            response.headers.get("warc-profile") == warc.NOT_MODIFIED
        ):  # a bare 304 shows nothing; the page was as before
            shown = warc.read_exchange(held, request or asked)
            return replace(shown, at=datetime.fromisoformat(response.headers["warc-date"]))
        return warc.read_exchange(response, request or asked, held.payload)

    def _records(self, evidence_id: str) -> tuple[warc.Record, warc.Record | None]:
        place = Place.parse(evidence_id)
        if place.revisit:
            return self._revisit(place), None
        fields = json.loads(self.record_span(evidence_id).line)
        with self._segment(place).open("rb") as file:
            found = list(warc.read_records(file, place.offset, place.offset + fields["length"]))
        return found[0], (found[1] if len(found) > 1 else None)
