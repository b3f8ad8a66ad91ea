"""Writes docs/reference/settings.md from the settings themselves: `python scripts/settings_page.py`."""

from __future__ import annotations

from pathlib import Path

from wangxun.settings import Settings

HEAD = """# Settings

One file `wangxun.toml` in the working folder (or the file named by `WANGXUN_CONFIG`), overridden by `WANGXUN_*` variables.
An unknown key, or a value that cannot be used, ends any command with one line and exit status 2.

| key | variable | meaning and unit | default |
|---|---|---|---|
"""


def default_of(value: object) -> str:
    if value in (None, (), ""):
        return "—"
    return f"`{getattr(value, 'value', value)}`"


def page() -> str:
    rows = [
        f"| `{key}` | `WANGXUN_{key.upper()}` | {field.description} | {default_of(field.default)} |"
        for key, field in Settings.model_fields.items()
    ]
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    Path("docs/reference/settings.md").write_text(page(), encoding="utf-8")
