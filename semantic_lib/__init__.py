"""违法行为特征语义库 — rules, law, exemptions and goods as data, and the engine that reads text with them.

    load.library() ─> Library.read(passages) ─> contracts.finding.Detection

Pure: reads its own data files once, touches no network and no clock.
"""
