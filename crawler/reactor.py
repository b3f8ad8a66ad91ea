"""One Twisted reactor for the whole process, turned by hand, so that one process may patrol as often as it likes.

A Twisted reactor cannot be started twice. Scrapy's asyncio reactor is a coat over an asyncio loop, though: here it
is started once (`startRunning`, no signal handlers), and each patrol only turns its loop with `run_until_complete`.
Everything happens on the calling thread; the sink is called there too. Patrols of two threads wait for each other.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, cast

from contracts.errors import EnvironmentFault

T = TypeVar("T")
REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"
_turning = threading.Lock()


def turn(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Runs `main()` to its end on the process's loop and returns what it returns.

    Raises RuntimeError when called from a coroutine, EnvironmentFault when another kind of reactor is installed.
    """
    with _turning:
        loop = _loop()
        asyncio.set_event_loop(loop)
        return loop.run_until_complete(main())


def _loop() -> asyncio.AbstractEventLoop:
    from scrapy.utils.reactor import install_reactor, is_asyncio_reactor_installed, is_reactor_installed

    if not is_reactor_installed():
        install_reactor(REACTOR)
    if not is_asyncio_reactor_installed():
        raise EnvironmentFault("本进程已安装另一种 Twisted reactor，无法巡查")
    from twisted.internet import reactor

    running = cast("Any", reactor)
    if not running._started:
        running.startRunning(installSignalHandlers=False)
        atexit.register(running._asyncioEventloop.close)
    return cast("asyncio.AbstractEventLoop", running._asyncioEventloop)
