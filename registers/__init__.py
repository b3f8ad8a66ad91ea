"""登记簿 — what the State knows: operators, permits, trademarks, complaints, earlier penalties.

Read from files here (`reader`), held in memory (`memory`); the database keeps the rows on behalf of `cases`.
"""
