"""线索与案件 — tables, intake, the queue, officers' decisions, case files and the audit log.

Everything here is a function over a SQLAlchemy `Session`, with frozen values in and out: no web, no command line.
Who may act is checked here, not at the doors; the doors (`console`, `wangxun`) only name the officer.

    intake ─> clue ─ review.decide ─> casefile.open_case ─> dossier
                │
                └ queue (what officers see) · audit (who did and who looked)
"""
