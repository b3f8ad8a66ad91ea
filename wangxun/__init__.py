"""网巡 — composition root: settings, command line, wiring. Knows every package; none imports it."""

__version__ = "0.1.0"
