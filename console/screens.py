"""Pictures of the main screens for the documentation, both themes, taken in a browser that the caller opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Name of a picture → (where, width, height, more cookies).
DESK = (1366, 768)
PHONE = (390, 844)


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture. `path` "clue" means the first clue of the queue."""

    name: str
    path: str
    size: tuple[int, int] = DESK
    theme: str = "light"
    lang: str = "zh"


SCENES = (
    Scene("login", "/login"),
    Scene("queue", "/clues"),
    Scene("queue-dark", "/clues", theme="dark"),
    Scene("queue-en", "/clues", lang="en"),
    Scene("queue-phone", "/clues", PHONE),
    Scene("clue", "clue"),
    Scene("clue-dark", "clue", theme="dark"),
    Scene("clue-en", "clue", lang="en"),
    Scene("clue-phone", "clue", PHONE),
    Scene("patrols", "/patrols"),
    Scene("cases", "/cases"),
    Scene("rules", "/rules"),
)


def shoot(
    browser: Any, base_url: str, out: Path, *, name: str, password: str, scenes: tuple[Scene, ...] = SCENES
) -> list[Path]:
    """PNG files of the scenes, in their order.

    `browser` is an open Playwright `Browser` (sync); `name` and `password` those of an officer. Looking at clues is
    written into the access log like any other look.
    """
    out.mkdir(parents=True, exist_ok=True)
    made = []
    for scene in scenes:
        context = browser.new_context(
            viewport={"width": scene.size[0], "height": scene.size[1]},
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            color_scheme=scene.theme,
            reduced_motion="reduce",
        )
        try:
            context.add_cookies([_cookie(base_url, "wx_lang", scene.lang)])
            page = context.new_page()
            page.goto(f"{base_url}/login")
            if scene.path != "/login":
                page.fill("[name=name]", name)
                page.fill("[name=password]", password)
                page.click("button.primary")
                page.wait_for_url("**/clues**")
                _open(page, base_url, scene)
            target = out / f"{scene.name}.png"
            page.screenshot(path=str(target))
            made.append(target)
        finally:
            context.close()
    return made


def _open(page: Any, base_url: str, scene: Scene) -> None:
    path = scene.path
    if path == "clue":
        path = page.locator("[data-row] a.words").first.get_attribute("href") or "/clues"
    page.goto(base_url + path)
    page.wait_for_load_state("networkidle")


def _cookie(base_url: str, name: str, value: str) -> Mapping[str, str]:
    return {"url": base_url, "name": name, "value": value}
