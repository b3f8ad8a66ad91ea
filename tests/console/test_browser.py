"""The console in a real browser: judging by keyboard, accessibility, silence towards the outside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest
import seed
from bureau import Served, build

pytestmark = pytest.mark.browser
ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
AXE = Path(__file__).parents[2] / "console" / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=list(ARGS))
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Any]]:
    made = build(tmp_path_factory.mktemp("bureau"))
    with Served(made.app) as url:
        yield url, made
    made.engine.dispose()


class Watched:
    """A page whose complaints and requests are written down."""

    def __init__(self, browser: Any, url: str, **context: Any) -> None:
        self.context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN", **context)
        self.page = self.context.new_page()
        self.url = url
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def sign_in(self, name: str = "张警官") -> Any:
        self.page.goto(self.url + "/clues")
        self.page.fill("[name=name]", name)
        self.page.fill("[name=password]", seed.PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector("[data-row]")
        return self.page

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.context.close()
        if kind is None:
            assert self.said == []
            assert [one for one in self.asked if not one.startswith((self.url + "/", "data:", "blob:"))] == []


def test_judges_by_keyboard_alone(browser: Any, console: tuple[str, Any]) -> None:
    url, _ = console
    with Watched(browser, url) as desk:
        page = desk.sign_in()
        rows = page.locator("[data-row]")
        waiting = rows.count()
        page.keyboard.press("j")
        assert rows.nth(1).get_attribute("aria-current") == "true"
        page.wait_for_selector("#preview h1")
        page.keyboard.press("k")
        page.keyboard.press("Enter")
        page.wait_for_selector("[data-clue]")
        first = page.locator("[data-clue]").get_attribute("data-clue")
        assert page.locator("blockquote mark").first.inner_text() == "三天就能治好糖尿病"
        page.keyboard.press("1")
        page.wait_for_function("id => document.querySelector('[data-clue]')?.dataset.clue !== id", arg=first)
        second = page.locator("[data-clue]").get_attribute("data-clue")
        assert second != first
        assert "建议立案" in page.locator(".last .jade").inner_text()
        page.keyboard.press("u")
        page.wait_for_function("id => document.querySelector('[data-clue]')?.dataset.clue === id", arg=first)
        assert page.locator(".state").first.inner_text() == "待审"
        page.keyboard.press("5")  # asks for its reason
        page.wait_for_selector("#reasons[open]")
        page.keyboard.press("5")  # 已改正
        page.wait_for_function("id => document.querySelector('[data-clue]')?.dataset.clue !== id", arg=first)
        page.keyboard.press("u")
        page.wait_for_function("id => document.querySelector('[data-clue]')?.dataset.clue === id", arg=first)
        page.keyboard.press("Escape")
        page.wait_for_selector("[data-row]")
        assert page.locator("[data-row]").count() == waiting


def test_chosen_rows_are_decided_together_and_undone_together(browser: Any, console: tuple[str, Any]) -> None:
    url, _ = console
    with Watched(browser, url) as desk:
        page = desk.sign_in()
        waiting = page.locator("[data-row]").count()
        for key in ("x", "j", "x", "6"):
            page.keyboard.press(key)
        page.wait_for_selector("text=将对下列 2 条线索作“误报”")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=已作“误报”（2 条）")
        assert page.locator("[data-row]").count() == waiting - 2
        page.keyboard.press("u")
        page.wait_for_function("n => document.querySelectorAll('[data-row]').length === n", arg=waiting)


def test_keys_belong_to_the_input_method_and_to_fields(browser: Any, console: tuple[str, Any]) -> None:
    url, _ = console
    with Watched(browser, url) as desk:
        page = desk.sign_in()
        page.keyboard.press("Enter")
        page.wait_for_selector("[data-clue]")
        here = page.url
        page.evaluate(
            """() => { for (const more of [{isComposing: true}, {keyCode: 229}])
                 document.body.dispatchEvent(new KeyboardEvent('keydown', {key: '1', bubbles: true, cancelable: true, ...more})) }"""
        )
        page.keyboard.press("n")
        page.keyboard.type("1j5u 先问店家")
        assert page.locator("[name=comment]").first.input_value() == "1j5u 先问店家"
        assert page.url == here
        page.keyboard.press("Enter")  # a note of its own, never a decision
        page.wait_for_selector("text=先问店家")
        assert page.locator(".state").first.inner_text() == "待审"


def test_every_key_is_also_a_button(browser: Any, console: tuple[str, Any]) -> None:
    url, _ = console
    with Watched(browser, url) as desk:
        page = desk.sign_in()
        page.keyboard.press("?")
        page.wait_for_selector("#keys[open]")
        shown = page.locator("#keys kbd").all_inner_texts()
        page.keyboard.press("Escape")
        page.wait_for_selector("#keys[open]", state="detached")
        here = set(page.eval_on_selector_all("[data-key]", "all => all.map(e => e.dataset.key)"))
        page.keyboard.press("Enter")
        page.wait_for_selector("[data-clue]")
        page.keyboard.press("1")
        page.wait_for_selector(".last .jade")
        here |= set(page.eval_on_selector_all("[data-key]", "all => all.map(e => e.dataset.key)"))
        page.keyboard.press("u")
        page.wait_for_selector(".last .jade", state="detached")
        names = {"空格": " ", "↵": "Enter", "Esc": "Escape"}
        assert {names.get(one, one) for one in shown} <= here


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is installed by make setup (console/node_modules)")
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_nothing_serious_for_axe(browser: Any, console: tuple[str, Any], theme: str, lang: str) -> None:
    url, bureau = console
    clue = bureau.client().get("/api/v1/clues").json()["clues"][0]["id"]
    with Watched(browser, url, color_scheme=theme, bypass_csp=True, reduced_motion="reduce") as desk:
        desk.context.add_cookies([{"url": url, "name": "wx_lang", "value": lang}])
        desk.page.goto(url + "/login")
        _check(desk.page, "login")
        page = desk.sign_in("李科长")
        page.wait_for_selector("#preview h1")
        _check(page, "queue")
        others = (
            ("/patrols", "/sites", "/rules", "/cases", "/audit")
            if (theme, lang) in {("light", "zh"), ("dark", "en")}
            else ()
        )
        for path in (f"/clues/{clue}", f"/clues/{clue}?tab=history", *others):
            page.goto(url + path)
            _check(page, path)


def _check(page: Any, where: str) -> None:
    page.add_script_tag(path=str(AXE))
    found = page.evaluate("async () => (await axe.run(document)).violations")
    bad = [
        (one["id"], [node["html"][:160] + " " + str(node.get("failureSummary", ""))[:200] for node in one["nodes"][:3]])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
    assert bad == [], f"{where}: {json.dumps(bad, ensure_ascii=False, indent=1)}"


def test_a_hostile_page_runs_nothing(browser: Any, console: tuple[str, Any]) -> None:
    url, bureau = console
    clues = bureau.client().get("/api/v1/clues?limit=100").json()["clues"]
    clue = next(one["id"] for one in clues if one["url"].endswith("/hostile"))
    with Watched(browser, url) as desk:
        page = desk.sign_in()
        page.on("dialog", lambda dialog: pytest.fail(f"a captured page ran: {dialog.message}"))
        for tab in ("picture", "page", "data", "history"):
            page.goto(f"{url}/clues/{clue}?tab={tab}")
            assert page.locator("svg[onload], main script").count() == 0
        assert page.locator(".ctrl").count() > 0


def test_works_at_phone_width_without_sideways_scrolling(browser: Any, console: tuple[str, Any]) -> None:
    url, bureau = console
    clue = bureau.client().get("/api/v1/clues").json()["clues"][0]["id"]
    with Watched(browser, url) as desk:
        page = desk.sign_in()
        page.set_viewport_size({"width": 390, "height": 844})
        for path in ("/clues", f"/clues/{clue}", "/patrols", "/sites", "/cases", "/rules"):
            page.goto(url + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, path


def test_works_without_scripts(browser: Any, console: tuple[str, Any]) -> None:
    url, _ = console
    with Watched(browser, url, java_script_enabled=False) as desk:
        page = desk.sign_in()
        page.locator("[data-row] a.words").first.click()
        first = page.locator("[data-clue]").get_attribute("data-clue")
        page.locator("button[value=dismiss]").click()
        page.locator("button[value=corrected]").click()
        assert page.locator("[data-clue]").get_attribute("data-clue") != first
        page.locator("button[data-key=u]").click()
        assert page.locator("[data-clue]").get_attribute("data-clue") == first
