"""样本市场 — a small market of invented shops on loopback addresses, with planted violations and planted innocents.

It serves the demonstration, the end-to-end tests and the daily canary. Every shop, brand, person, credit code and
licence number in it is invented; what is wrong in it is written down beside the goods (`truth`) in `shops/*.yaml`.
"""
