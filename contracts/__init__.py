"""契约 — the frozen values and ports that every other package speaks in.

This package imports nothing of ours; everybody may import it. See docs/decisions/0001 and 0002.

    Site ─ Patrol ─> Snapshot(PageReading) ─> Passage + Fact ─> Finding ─> Clue ─> Disposition ─> Case ─> Package
"""
