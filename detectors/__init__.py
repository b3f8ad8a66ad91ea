"""检测 — a snapshot (with its history and registers) in, a Detection out. Pure: no input or output, no clock."""
