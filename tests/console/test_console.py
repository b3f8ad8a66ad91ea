"""The console through HTTP: who gets in, what every answer carries, what hostile text may do, what is written down."""

from __future__ import annotations

import re
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
import seed
from bureau import Bureau, build
from sqlalchemy import select
from starlette.testclient import TestClient

from cases import audit, casefile, review
from cases import models as t
from cases.db import session
from cases.decisions import Decision
from cases.officers import officer_named
from console import i18n
from console.i18n.__main__ import extracted
from console.security import CSP

PAGES = ("/clues", "/clues?view=mine", "/clues?view=overdue", "/cases", "/patrols", "/sites", "/rules")


def clue_at(client: TestClient, slug: str) -> dict[str, object]:
    rows = client.get("/api/v1/clues?limit=100").json()["clues"]
    return next(row for row in rows if row["url"].endswith("/" + slug))


def version_of(page: str) -> str:
    found = re.search(r'name="version" value="(\d+)"', page)
    assert found
    return found[1]


# — getting in —


def test_nothing_is_shown_to_who_is_not_signed_in(bureau: Bureau) -> None:
    stranger = bureau.client("")
    for path in (*PAGES, "/audit", "/clues/abc", "/snapshots/abc"):
        answer = stranger.get(path)
        assert answer.status_code == 303, path
        assert answer.headers["location"].startswith("/login")
    assert stranger.get("/api/v1/clues").status_code == 401


def test_signing_in_leads_back_to_where_one_wanted_and_never_elsewhere(bureau: Bureau) -> None:
    for wanted, where in (
        ("/patrols?x=1", "/patrols?x=1"),
        ("//evil.example/", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
    ):
        answer = bureau.client("").post("/login", data={"name": "张警官", "password": seed.PASSWORD, "next": wanted})
        assert answer.status_code == 303
        assert answer.headers["location"] == where


def test_cookie_is_opaque_and_out_of_reach_of_scripts(bureau: Bureau) -> None:
    answer = bureau.client("").post("/login", data={"name": "张警官", "password": seed.PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    token = cookie.split("=", 1)[1].split(";")[0]
    with session(bureau.engine) as opened:
        assert token not in str(opened.execute(select(t.OfficerSession)).all())


def test_wrong_name_and_wrong_password_read_the_same_then_lock(bureau: Bureau) -> None:
    stranger = bureau.client("")
    unknown = stranger.post("/login", data={"name": "没有此人", "password": "x" * 12})
    wrong = stranger.post("/login", data={"name": "张警官", "password": "x" * 12})
    said = re.compile(r'role="alert">(.*?)<')
    assert said.search(unknown.text)[1] == said.search(wrong.text)[1]  # type: ignore[index]
    assert unknown.status_code == wrong.status_code == 401
    for _ in range(4):
        stranger.post("/login", data={"name": "张警官", "password": "x" * 12})
    locked = stranger.post("/login", data={"name": "张警官", "password": seed.PASSWORD})
    assert locked.status_code == 403
    assert "锁定" in locked.text
    bureau.clock.advance(timedelta(minutes=16))
    assert stranger.post("/login", data={"name": "张警官", "password": seed.PASSWORD}).status_code == 303


def test_one_address_cannot_try_many_accounts(bureau: Bureau) -> None:
    stranger = bureau.client("")
    throttle = bureau.app.state.house.throttle
    for _ in range(19):
        throttle.failed("testclient", bureau.clock.now())
    codes = [stranger.post("/login", data={"name": f"甲{n}", "password": "x"}).status_code for n in range(2)]
    assert codes == [401, 429]
    assert not throttle.closed("another", bureau.clock.now())
    bureau.clock.advance(timedelta(minutes=6))
    assert stranger.post("/login", data={"name": "甲", "password": "x"}).status_code == 401


def test_signing_out_ends_the_session_on_the_server(bureau: Bureau, officer: TestClient) -> None:
    token = officer.cookies["wx"]
    officer.post("/logout")
    officer.cookies.set("wx", token)
    assert officer.get("/clues").status_code == 303


def test_an_idle_session_is_not_woken_by_asking(bureau: Bureau, officer: TestClient) -> None:
    bureau.clock.advance(timedelta(hours=3))
    assert officer.get("/clues").status_code == 303
    assert officer.get("/clues").status_code == 303


# — what every answer carries —


def test_every_route_answers_hardened_and_never_breaks(bureau: Bureau) -> None:
    """All routes, filled with nonsense and with real ids, signed in and not."""
    supervisor = bureau.client("李科长")
    clue = str(clue_at(supervisor, "kudingcha")["id"])
    shown = supervisor.get(f"/clues/{clue}").text
    snapshot = re.search(r"/snapshots/(\w+)", shown)[1]  # type: ignore[index]
    evidence = re.search(r"/evidence/(\w+)", shown)[1]  # type: ignore[index]
    known = {
        "clue_id": clue,
        "snapshot_id": snapshot,
        "evidence_id": evidence,
        "site_id": "kangshou",
        "name": "page.png",
    }
    paths = [(path, method) for path, methods in bureau.app.openapi()["paths"].items() for method in methods]
    paths += [(r.path, m.lower()) for r in _routes(bureau) for m in r.methods]
    assert len(paths) > 25
    for path, method in paths:
        for values in (known, {}):
            target = re.sub(r"\{(\w+)(:\w+)?\}", lambda m: values.get(m[1], "nonsense-<b>"), path)  # noqa: B023
            for client in (supervisor, bureau.client("")):
                answer = client.request(method, target)
                assert answer.status_code < 500, (method, target, answer.text[:300])
                policy = answer.headers["content-security-policy"]
                assert policy == CSP or "sandbox" in policy, target
                assert "unsafe" not in policy
                assert answer.headers["x-content-type-options"] == "nosniff"
                assert answer.headers["referrer-policy"] == "no-referrer"
                assert b"Traceback" not in answer.content[:5000]
        if path == "/logout":
            supervisor = bureau.client("李科长")


def _routes(bureau: Bureau) -> list:  # type: ignore[type-arg]
    found, rest = [], list(bureau.app.routes)
    while rest:
        route = rest.pop()
        rest.extend(getattr(route, "routes", None) or [])
        inner = getattr(route, "original_router", None) or getattr(route, "router", None)
        rest.extend(getattr(inner, "routes", None) or [])
        if getattr(route, "methods", None) and hasattr(route, "path"):
            found.append(route)
    return found


def test_pages_hold_no_inline_script_or_style_and_load_only_ours(officer: TestClient) -> None:
    clue = clue_at(officer, "robot-vac")["id"]
    for path in (*PAGES, "/login", f"/clues/{clue}", f"/clues/{clue}?tab=history", f"/clues/{clue}/preview"):
        page = officer.get(path).text
        assert not re.search(r"<script(?![^>]*\bsrc=)", page), path
        assert "<style" not in page
        assert not re.search(r"<[^>]+\s(style|on\w+)=", page), path
        for target in re.findall(r'(?:src|href|action)="([^"]*)"', page):
            assert target.startswith(("/", "#", "?")), (path, target)
            if target.startswith("/static/"):
                assert officer.get(target).status_code == 200


def test_cross_site_requests_are_refused(bureau: Bureau, officer: TestClient) -> None:
    clue = clue_at(officer, "balance")
    form = {"decision": "file", "version": str(clue["version"])}
    for headers in (
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site", "origin": "http://console.test"},
    ):
        assert officer.post(f"/clues/{clue['id']}/decide", data=form, headers=headers).status_code == 403
    del officer.headers["sec-fetch-site"]
    for origin in ("http://evil.example", "null", "https://console.test"):
        assert officer.post(f"/clues/{clue['id']}/decide", data=form, headers={"origin": origin}).status_code == 403
    assert clue_at(officer, "balance")["state"] == "new"
    answer = officer.post(f"/clues/{clue['id']}/decide", data=form, headers={"origin": "http://console.test"})
    assert answer.status_code == 303


def test_a_request_that_is_too_large_is_refused(officer: TestClient) -> None:
    assert officer.post("/preferences", data={"back": "x" * 400_000}).status_code == 413


# — judging —


def test_decision_opens_the_next_clue_and_can_be_undone(officer: TestClient) -> None:
    first = officer.get("/api/v1/clues").json()["clues"][0]
    page = officer.get(f"/clues/{first['id']}?within=view%3D").text
    answer = officer.post(
        f"/clues/{first['id']}/decide",
        data={"decision": "file", "version": version_of(page), "within": "view=", "comment": "当日办"},
    )
    assert answer.status_code == 303
    following = officer.get(answer.headers["location"])
    assert f'data-clue="{first["id"]}"' not in following.text
    assert "已作“建议立案”" in following.text
    batch = re.search(r'name="batch" value="(\w+)"', following.text)[1]  # type: ignore[index]
    back = officer.post("/clues/undo", data={"batch": batch, "within": "view="})
    assert back.headers["location"].startswith(f"/clues/{first['id']}")
    shown = officer.get(back.headers["location"]).text
    assert "已撤销" in shown
    assert "当日办" in shown


def test_a_decision_that_needs_a_reason_asks_for_it(officer: TestClient) -> None:
    clue = clue_at(officer, "balance")
    form = {"decision": "dismiss", "version": str(clue["version"])}
    asked = officer.post(f"/clues/{clue['id']}/decide", data=form)
    assert asked.status_code == 200
    assert asked.text.count('name="reason"') == 9
    refused = officer.post(f"/clues/{clue['id']}/decide", data={**form, "reason": "other"})
    assert refused.status_code == 409
    assert "须写明具体情况" in refused.text
    assert officer.post(f"/clues/{clue['id']}/decide", data={**form, "reason": "corrected"}).status_code == 303


def test_two_officers_on_one_clue_lose_no_text(bureau: Bureau, officer: TestClient) -> None:
    clue = clue_at(officer, "balance")
    with session(bureau.engine) as opened:
        other = officer_named(opened, "李科长")
        review.decide(opened, [str(clue["id"])], Decision.EVIDENCE, officer=other, at=bureau.clock.now())
    answer = officer.post(
        f"/clues/{clue['id']}/decide",
        data={"decision": "file", "version": str(clue["version"]), "comment": "我写了很久的意见"},
    )
    assert answer.status_code == 409
    assert "刚被他人处理过" in answer.text
    assert 'value="我写了很久的意见"' in answer.text


def test_bulk_acts_on_the_list_it_showed_and_nothing_else(officer: TestClient) -> None:
    rows = officer.get("/api/v1/clues?limit=100").json()["clues"]
    chosen = [f"{row['id']}:{row['version']}" for row in rows[:3]]
    confirm = officer.post("/clues/decide", data={"decision": "false-alarm", "id": chosen, "back": "/clues"})
    assert "将对下列 3 条线索作“误报”" in confirm.text
    frozen = re.findall(r'name="id" value="([^"]+)"', confirm.text)
    assert frozen == chosen
    done = officer.post(
        "/clues/decide", data={"decision": "false-alarm", "id": frozen, "confirmed": "yes", "back": "/clues"}
    )
    assert done.status_code == 303
    left = officer.get("/api/v1/clues?limit=100").json()["clues"]
    assert {row["id"] for row in rows} - {row["id"] for row in left} == {one.split(":")[0] for one in chosen}


def test_the_queue_is_searched_in_chinese(officer: TestClient) -> None:
    page = officer.get("/clues?q=糖尿病").text
    assert page.count("data-row=") == 2  # both clues of the sentence that says it
    assert officer.get("/clues?q=没有这种话").text.count("data-row=") == 0
    assert "上次巡查" in officer.get("/clues?q=没有这种话").text


def test_a_reader_cannot_decide_and_another_area_cannot_look(bureau: Bureau) -> None:
    patrol, ningbo = bureau.client("王巡查"), bureau.client("宁波审核")
    clue = clue_at(patrol, "kudingcha")
    page = patrol.get(f"/clues/{clue['id']}")
    assert len(re.findall(r'name="decision" value="[\w-]+"[^>]*disabled', page.text)) == 8
    form = {"decision": "file", "version": str(clue["version"])}
    assert patrol.post(f"/clues/{clue['id']}/decide", data=form).status_code == 409
    assert patrol.get("/audit").status_code == 403
    snapshot = re.search(r"/snapshots/(\w+)", page.text)[1]  # type: ignore[index]
    for path in (f"/clues/{clue['id']}", f"/clues/{clue['id']}/preview", f"/snapshots/{snapshot}", "/sites/kangshou"):
        assert ningbo.get(path).status_code == 404, path
    assert ningbo.get(f"/api/v1/clues/{clue['id']}").status_code == 404
    assert {row["site"] for row in ningbo.get("/api/v1/clues?limit=100").json()["clues"]} == {"youxuan", "haitao"}
    assert clue_at(patrol, "kudingcha")["state"] == "new"


def test_every_look_is_written_down(bureau: Bureau, officer: TestClient) -> None:
    clue = str(clue_at(officer, "robot-vac")["id"])
    for path in (f"/clues/{clue}", f"/clues/{clue}/preview", f"/api/v1/clues/{clue}"):
        with session(bureau.engine) as opened:
            before = len(audit.entries(opened, subject_id=clue))
        officer.get(path)
        with session(bureau.engine) as opened:
            (newest, *_), after = audit.entries(opened, subject_id=clue), len(audit.entries(opened, subject_id=clue))
        assert after == before + 1, path
        assert (newest.actor, newest.action) == ("张警官", "clue.viewed")


# — hostile pages and third persons —


def test_hostile_text_is_shown_and_never_becomes_markup(officer: TestClient) -> None:
    clue = clue_at(officer, "hostile")["id"]
    for path in (
        "/clues",
        f"/clues/{clue}",
        f"/clues/{clue}?tab=page",
        f"/clues/{clue}?tab=data",
        f"/clues/{clue}/preview",
    ):
        page = officer.get(path).text
        assert "<script>alert" not in page
        assert "<svg onload" not in page
        assert not re.search("[\u200b\u202a-\u202e\u2066-\u2069]", page), path
    shown = officer.get(f"/clues/{clue}").text
    assert "&lt;script&gt;alert(1)" in shown
    assert "⟨U+202E⟩" in shown


def test_consumers_personal_data_is_masked_until_a_reason_is_given(bureau: Bureau, officer: TestClient) -> None:
    clue = clue_at(officer, "kudingcha")["id"]
    snapshot = re.search(r"/snapshots/(\w+)", officer.get(f"/clues/{clue}").text)[1]  # type: ignore[index]
    page = officer.get(f"/snapshots/{snapshot}").text
    assert "13812345678" not in page
    assert "王丽" not in page
    assert officer.post(f"/snapshots/{snapshot}/reveal", data={"reason": " "}).status_code == 404
    shown = officer.post(f"/snapshots/{snapshot}/reveal", data={"reason": "核实投诉人"}).text
    assert "13812345678" in shown
    with session(bureau.engine) as opened:
        (look,) = opened.scalars(select(t.AccessLog)).all()
    assert look.reason == "核实投诉人"
    assert bureau.client("王巡查").post(f"/snapshots/{snapshot}/reveal", data={"reason": "好奇"}).status_code == 403


def test_captured_files_are_saved_never_opened(officer: TestClient) -> None:
    clue = clue_at(officer, "kudingcha")["id"]
    page = officer.get(f"/clues/{clue}").text
    place = re.search(r'href="(/snapshots/\w+/evidence/\w+)"', page)[1]  # type: ignore[index]
    assert "dom.html" in officer.get(place).text
    captured = officer.get(place + "/dom.html")
    assert captured.headers["content-type"] == "application/octet-stream"
    assert captured.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in captured.headers["content-security-policy"]
    picture = officer.get(place + "/page.png")
    assert picture.headers["content-type"] == "image/png"
    for name in ("..%2f..%2fmanifest.json", "manifest.json", "nothing"):
        assert officer.get(f"{place}/{name}").status_code == 404


def test_the_passage_is_marked_where_the_words_stand(officer: TestClient) -> None:
    clue = clue_at(officer, "kudingcha")
    page = officer.get(f"/clues/{clue['id']}").text
    assert f"<mark>{clue['quote']}</mark>" in page
    assert "摘要，非法条原文" in page
    assert 'class="hit"' in page
    snapshot = re.search(r"/snapshots/(\w+)", page)[1]  # type: ignore[index]
    assert re.search(r'class="exempt" title="[^"]*拒绝语境">绝不使用', officer.get(f"/snapshots/{snapshot}").text)


# — cases —


def test_a_case_is_opened_from_a_clue_and_shows_its_proof(officer: TestClient) -> None:
    clue = clue_at(officer, "kudingcha")
    made = officer.post("/cases", data={"clue": clue["id"]})
    assert made.status_code == 303
    page = officer.get(made.headers["location"]).text
    assert str(clue["quote"]) in page
    assert "开案" in page
    assert "导出案件包" not in page  # this console was given no exporter
    assert officer.post(made.headers["location"] + "/export").status_code == 404


def test_the_package_is_handed_over_and_the_export_written_down(week: Path, tmp_path: Path) -> None:
    shutil.copytree(week, tmp_path / "own")

    def export(file: casefile.Dossier, officer: str, folder: Path) -> Path:
        package = folder / f"{file.id}.zip"
        package.write_bytes(b"PK" + file.id.encode())
        with session(bureau.engine) as opened:  # as the real one does: a transaction of its own
            who = officer_named(opened, officer)
            casefile.exported(opened, file.id, "ab" * 32, officer=who, at=bureau.clock.now())
        return package

    bureau = build(tmp_path / "own", export=export)
    officer = bureau.client()
    case = officer.post("/cases", data={"clue": clue_at(officer, "kudingcha")["id"]}).headers["location"]
    assert "导出案件包" in officer.get(case).text
    answer = officer.post(case + "/export")
    assert answer.content == b"PK" + case.removeprefix("/cases/").encode()
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "导出案件包" in officer.get(case).text.split("经过")[1]
    assert bureau.client("王巡查").post(case + "/export").status_code == 403
    bureau.engine.dispose()


# — languages —


def test_english_is_complete_for_the_console() -> None:
    english = i18n.translator("en")
    missing = [
        text
        for text, places in extracted().items()
        if any(name.startswith("console/") for name, _ in places) and english(text) == text
    ]
    assert missing == []


def test_translations_keep_the_named_fields() -> None:
    for message, translated in i18n.read_po(i18n.catalogue("en")):
        assert set(re.findall(r"\{(\w+)\}", message)) == set(re.findall(r"\{(\w+)\}", translated)), message


def test_reads_the_same_compiled_or_not(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    import shutil

    from console.i18n import __main__ as tool

    source = dict(i18n.read_po(i18n.catalogue("en")))
    folder = tmp_path / "en" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    shutil.copy(i18n.catalogue("en"), folder / "wangxun.po")
    for module in (i18n, tool):
        monkeypatch.setattr(module, "catalogue", lambda lang: tmp_path / lang / "LC_MESSAGES" / "wangxun.po")
    tool.compile_all()
    assert (folder / "wangxun.mo").is_file()
    compiled = i18n.translator.__wrapped__("en")
    assert {message: compiled(message) for message in source} == source


def test_language_and_theme_are_switched_and_kept(officer: TestClient) -> None:
    answer = officer.post("/preferences", data={"lang": "en", "back": "/patrols"})
    assert answer.headers["location"] == "/patrols"
    page = officer.get("/patrols").text
    assert '<html lang="en"' in page
    assert "Patrols" in page
    officer.post("/preferences", data={"theme": "dark"})
    assert 'data-theme="dark"' in officer.get("/clues").text


# — programming interface —


def test_interface_lists_decides_and_undoes(officer: TestClient) -> None:
    page = officer.get("/api/v1/clues?limit=5").json()
    assert len(page["clues"]) == 5
    rest = officer.get("/api/v1/clues", params={"after": page["next"], "limit": 100}).json()
    ids = [row["id"] for row in page["clues"] + rest["clues"]]
    assert len(ids) == len(set(ids)) > 5
    made = officer.post("/api/v1/decisions", json={"ids": ids[:2], "decision": "误报"})
    assert made.status_code == 200, made.text
    assert made.json()["label"] == "false"
    assert officer.delete(f"/api/v1/decisions/{made.json()['batch']}").json()["ids"] == ids[:2]
    for answer, code in (
        (officer.get("/api/v1/clues?state=nonsense"), 422),
        (officer.get("/api/v1/clues?after=???"), 422),
        (officer.get("/api/v1/clues?limit=0"), 422),
        (officer.get("/api/v1/clues/none"), 404),
        (officer.post("/api/v1/decisions", json={"ids": [], "decision": "file"}), 422),
        (officer.post("/api/v1/decisions", json={"ids": ["none"], "decision": "file"}), 404),
    ):
        assert answer.status_code == code
        assert answer.json()["error"]["message"]
