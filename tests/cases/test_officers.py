"""Log-ins, roles, the audit chain, masking, the calendar, the register of sites."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from shop_page import NOW, USCC
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from cases import audit, calendar, db, masking, officers, registry
from cases.access import GRANTS, Action, Officer, Role, may, require
from cases.registry import Plan
from contracts.errors import InputError, NotAllowed
from contracts.page import Region
from contracts.site import Site, SiteKind

PASSWORD = "long enough password"


def test_a_log_in_lasts_and_ends(engine: Engine, people: dict[str, Officer]) -> None:
    with db.session(engine) as session:
        login = officers.sign_in(session, "审核甲", PASSWORD, at=NOW)
        assert login is not None
        assert officers.officer_of(session, login.token, at=NOW) == people["审核甲"]
        assert officers.officer_of(session, login.token + "x", at=NOW) is None
        assert officers.officer_of(session, login.token, at=NOW + officers.SESSION_IDLE) is None
        officers.touch(session, login.token, at=NOW + timedelta(hours=1))
        assert officers.officer_of(session, login.token, at=NOW + officers.SESSION_IDLE) is not None
        assert officers.officer_of(session, login.token, at=login.expires_at) is None
        officers.sign_out(session, login.token, at=NOW)
        assert officers.officer_of(session, login.token, at=NOW) is None
        stored = session.execute(text("SELECT password_hash FROM officer LIMIT 1")).scalar_one()
        assert stored.startswith("$argon2id$")
        assert login.token not in str(session.execute(text("SELECT * FROM officer_session")).all())


def test_wrong_passwords_lock_the_account_for_a_while(engine: Engine, people: dict[str, Officer]) -> None:
    for _ in range(officers.TRIES_BEFORE_LOCK):
        with db.session(engine) as session:
            assert officers.sign_in(session, "审核甲", "wrong", at=NOW) is None
    with db.session(engine) as session:
        with pytest.raises(NotAllowed, match="锁定"):
            officers.sign_in(session, "审核甲", PASSWORD, at=NOW)
        assert officers.sign_in(session, "审核甲", PASSWORD, at=NOW + officers.LOCK_LASTS) is not None
        assert officers.sign_in(session, "nobody", PASSWORD, at=NOW) is None


def test_an_account_switched_off_is_out_at_once(engine: Engine, people: dict[str, Officer]) -> None:
    with db.session(engine) as session:
        login = officers.sign_in(session, "审核甲", PASSWORD, at=NOW)
        assert login is not None
        admin = officers.create(session, "管理员辛", "管理员", PASSWORD, at=NOW)
        with pytest.raises(NotAllowed):
            officers.set_active(session, admin.id, False, by=people["科长丁"], at=NOW)
        officers.set_active(session, people["审核甲"].id, False, by=admin, at=NOW)
        assert officers.officer_of(session, login.token, at=NOW) is None
        assert officers.sign_in(session, "审核甲", PASSWORD, at=NOW) is None
        with pytest.raises(NotAllowed, match="停用"):
            officers.officer_named(session, "审核甲")


@pytest.mark.parametrize(
    ("name", "role", "password", "area"),
    [
        ("system", "reviewer", PASSWORD, ""),
        ("", "reviewer", PASSWORD, ""),
        ("审核甲", "reviewer", PASSWORD, ""),
        ("新人", "king", PASSWORD, ""),
        ("新人", "reviewer", "short", ""),
        ("新人", "reviewer", PASSWORD, "杭州"),
    ],
)
def test_bad_accounts_are_refused(
    engine: Engine, people: dict[str, Officer], name: str, role: str, password: str, area: str
) -> None:
    with db.session(engine) as session, pytest.raises(InputError):
        officers.create(session, name, role, password, area=area, at=NOW)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("action", list(Action))
def test_role_by_action_by_area(role: Role, action: Action) -> None:
    officer = Officer("1", "某", role, "3301")
    granted = action in GRANTS[role]
    assert may(officer, action, "330106") == granted
    assert may(officer, action, "") == granted
    assert not may(officer, action, "5101")
    assert not may(Officer("1", "某", role, "3301", active=False), action, "3301")
    if not granted:
        with pytest.raises(NotAllowed):
            require(officer, action)


def test_the_audit_refuses_changes(engine: Engine, people: dict[str, Officer]) -> None:
    for words in ("UPDATE audit SET actor = 'x'", "DELETE FROM audit"):
        with pytest.raises(DBAPIError, match="append-only"), db.session(engine) as session:
            session.execute(text(words))


@pytest.mark.parametrize(
    ("tampering", "why"),
    [
        ("UPDATE audit SET actor = '他人' WHERE seq = 3", "内容与其摘要不符"),
        ('UPDATE audit SET body = \'{"role": "admin"}\' WHERE seq = 3', "内容与其摘要不符"),
        ("DELETE FROM audit WHERE seq = 3", "第 3 条至第 3 条缺失"),
        ("UPDATE audit SET digest = 'x' || substr(digest, 2), previous = previous WHERE seq = 3", "与前一条不相连"),
    ],
)
def test_tampering_behind_the_triggers_is_found(
    engine: Engine, people: dict[str, Officer], tampering: str, why: str
) -> None:
    with db.session(engine) as session:
        assert audit.verify(session).whole
        if engine.dialect.name == "sqlite":
            session.execute(text("DROP TRIGGER audit_no_update"))
            session.execute(text("DROP TRIGGER audit_no_delete"))
        else:
            session.execute(text("DROP TRIGGER audit_no_change ON audit"))
        session.execute(text(tampering))
    with db.session(engine, read_only=True) as session:
        report = audit.verify(session)
    assert why in [found.why for found in report.broken]
    assert {found.seq for found in report.broken} <= {3, 4}


def test_masking_keeps_offsets_and_what_identifies_the_operator() -> None:
    masked = masking.mask
    assert masked("电话13812345678", Region.BODY).text == "电话138********"
    assert masked("电话１３８１２３４５６７８").text == "电话１３８********"
    assert masked("+86 138-1234-5678").text == "+86 138-****-****"
    assert masked("身份证11010519491231002X").text == "身份证110***************"
    assert masked(f"信用代码{USCC}").text == f"信用代码{USCC}"
    assert masked("订单号202611200001234567").text == "订单号202611200001234567"
    assert masked("卡号6222 0000 0000 0008").hidden.get("card", 0) in (0, 1)
    assert masked("客服0571-88886666 mail@shop.example", Region.FOOTER).text == "客服0571-88886666 mail@shop.example"
    assert masked("打0571-88886666 me@x.cn", Region.REVIEW).hidden == {"landline": 1, "mail": 1}
    assert masked("收货人：李小花", Region.REVIEW).text == "收货人：李**"
    assert masked("客服王丽女士很好", Region.REVIEW).text == "客服王*女士很好"
    assert masked("全国第一的好茶").hidden == {}
    for words in ("电话13812345678", "我叫王小明，QQ 123456789"):
        assert len(masked(words).text) == len(words)


def test_unmasking_needs_right_and_reason_and_is_logged(engine: Engine, people: dict[str, Officer]) -> None:
    with db.session(engine) as session:
        with pytest.raises(NotAllowed):
            masking.reveal(session, people["审计己"], "clue", "1", ("quote",), "核实", at=NOW)
        with pytest.raises(InputError):
            masking.reveal(session, people["审核甲"], "clue", "1", ("quote",), " ", at=NOW)
        masking.reveal(session, people["审核甲"], "clue", "1", ("quote",), "核实投诉人", at=NOW)
        assert session.execute(text("SELECT count(*) FROM access_log")).scalar_one() == 1
        assert audit.entries(session, subject_id="1")[0].action == "personal.revealed"


def test_working_days_by_the_imported_calendar(engine: Engine, people: dict[str, Officer]) -> None:
    with db.session(engine) as session:
        guessed = calendar.load(session).add(date(2026, 11, 20), 15)
        assert (guessed.day, guessed.certain) == (date(2026, 12, 11), False)
        kept, errors = calendar.import_days(
            session,
            "day,working,name\n2026-11-23,0,假日\n2026-11-28,工作日,调休\nnonsense,1,\n2026-12-01,maybe,\n",
            source="测试通知",
            by=people["科长丁"],
            at=NOW,
        )
        assert (kept, [error.line for error in errors]) == (2, [4, 5])
        known = calendar.load(session)
    assert known.add(date(2026, 11, 20), 1).day == date(2026, 11, 24)
    assert known.add(date(2026, 11, 27), 1) == calendar.Deadline(date(2026, 11, 28), certain=True)
    assert "2027" in known.add(date(2026, 12, 30), 3).note


def test_sites_are_imported_row_by_row(engine: Engine, people: dict[str, Officer]) -> None:
    rows = "\n".join(
        [
            "id,name,kind,url,area,uscc,delay_s",
            f"tea,茶店,self-built,http://tea.example/,330106,{USCC},2",
            ",无编号,company,https://corp.example:8443/a/ https://www.corp.example/,,,",
            "bad1,坏网址,self-built,ftp://x/,,,",
            "bad2,坏代码,self-built,http://x.example/,,123,",
            "bad3,坏类型,market,http://x.example/,,,",
            "bad4,坏数字,shop,http://x.example/,,,soon",
            "tea,茶店新名,self-built,http://tea.example/,330106,,",
        ]
    )
    with db.session(engine) as session:
        done = registry.import_sites(session, rows, at=NOW, by=people["巡查戊"])
        assert (done.added, done.updated, [error.line for error in done.errors]) == (2, 1, [4, 5, 6, 7])
        assert "18 位" in done.errors[1].why
        assert [site.id for site in registry.list_sites(session)] == ["corp.example-8443", "tea"]
        assert registry.get_site(session, "tea").name == "茶店新名"
        assert [site.id for site in registry.list_sites(session, people["外区庚"])] == ["corp.example-8443"]
        with pytest.raises(NotAllowed):
            registry.add_site(
                session, Site("", "x", SiteKind.SHOP, ("http://y.example/",)), at=NOW, by=people["审核甲"]
            )


def test_a_url_finds_its_site_by_host_and_longest_path(engine: Engine) -> None:
    with db.session(engine) as session:
        for name, url in (("mall", "http://mall.example/"), ("shop-a", "http://mall.example/shop/a/index.html")):
            registry.add_site(session, Site(name, name, SiteKind.SHOP, (url,)), at=NOW)
        found = [
            registry.site_of_url(session, url)
            for url in ("http://mall.example/shop/a/1", "http://MALL.example/x", "http://o.example/")
        ]
        assert [site.id if site else None for site in found] == ["shop-a", "mall", None]
        made = registry.ensure_site(session, "http://127.0.0.1:8001/p?x=1", at=NOW)
        assert registry.ensure_site(session, "http://127.0.0.1:8001/other", at=NOW) == made


def test_plans_come_due(engine: Engine) -> None:
    with db.session(engine) as session:
        registry.add_site(session, Site("tea", "茶店", SiteKind.SHOP, ("http://tea.example/",), area="330106"), at=NOW)
        registry.add_site(session, Site("far", "远店", SiteKind.SHOP, ("http://far.example/",), area="5101"), at=NOW)
        plan = registry.add_plan(session, Plan("", "每日", (), ("3301",), (), 86_400, NOW), at=NOW)
        assert [site.id for site in registry.plan_sites(session, plan)] == ["tea"]
        assert registry.due_plans(session, NOW) == [plan]
        registry.advance_plan(session, plan.id, at=NOW)
        assert registry.due_plans(session, NOW) == []
        with pytest.raises(InputError):
            registry.add_plan(session, Plan("", "太密", ("tea",), (), (), 60, NOW), at=NOW)
