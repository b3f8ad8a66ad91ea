"""`wangxun user add|list` — officers' accounts."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from contracts.errors import UsageError
from wangxun.runtime import runtime

app = typer.Typer(help="执法人员账号", no_args_is_help=True)


@app.callback()
def user() -> None:
    """执法人员账号"""


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="姓名或工号,登录和署名用")],
    role: Annotated[str, typer.Option(help="patrol|reviewer|case|rules|supervisor|auditor|admin")],
    area: Annotated[str, typer.Option(help="辖区行政区划代码;空: 全局")] = "",
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="从标准输入读取密码(一行)")] = False,
) -> int:
    """建立账号。密码只从标准输入读取,不出现在命令行和历史记录里。"""
    from cases.access import Role
    from cases.officers import create

    if role not in set(Role):
        raise UsageError("没有角色 {role}", hint="可用: {roles}", role=role, roles=", ".join(Role))
    if not password_stdin:
        raise UsageError(
            "密码只从标准输入读取",
            hint="printf '%s' 密码 | wangxun user add {name} --role {role} --password-stdin",
            name=name,
            role=role,
        )
    password = sys.stdin.readline().rstrip("\r\n")
    with runtime() as line, line.session() as session:
        officer = create(session, name, Role(role), password, area=area, at=line.clock.now())
    print(f"{officer.name}\t{officer.role.value}\t{officer.area or '-'}")
    return 0


@app.command("list")
def list_() -> int:
    """列出账号(不含密码)。"""
    from cases.officers import listed

    with runtime() as line, line.session(read_only=True) as session:
        for officer in listed(session):
            print(
                f"{officer.name}\t{officer.role.value}\t{officer.area or '-'}\t{'' if officer.active else '停用'}".rstrip()
            )
    return 0
