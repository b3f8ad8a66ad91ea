"""`wangxun serve` — the officers' console and the REST interface."""

from __future__ import annotations

import socket
from typing import Annotated

import typer

from contracts.errors import EnvironmentFault
from wangxun.runtime import runtime


def listening(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any free one. Raises EnvironmentFault when the address is taken or foreign."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(128)  # who follows the printed address at once waits instead of being refused
    except OSError as error:
        sock.close()
        raise EnvironmentFault(
            "控制台不能在 {host}:{port} 监听: {why}",
            hint="用 --port 换一个端口",
            host=host,
            port=port,
            why=error.strerror,
        ) from error
    return sock


def serve(
    host: Annotated[str | None, typer.Option(help="监听地址;空: 用设置")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="端口;0: 任选空闲")] = None,
) -> int:
    """启动控制台,直到按 Ctrl-C。"""
    import uvicorn

    from wangxun.web import console_app

    with runtime() as line:
        with line.session(read_only=True) as session:
            from cases.officers import listed

            if not listed(session):
                print("还没有账号: printf '%s' 密码 | wangxun user add 姓名 --role admin --password-stdin")
        sock = listening(host or line.config.host, line.config.port if port is None else port)
        address, chosen = sock.getsockname()[:2]
        print(f"控制台: http://{address}:{chosen}/  (Ctrl-C 停止)", flush=True)
        server = uvicorn.Server(
            uvicorn.Config(console_app(line), log_level="warning", server_header=False, timeout_graceful_shutdown=5)
        )
        server.run(sockets=[sock])
    return 0
