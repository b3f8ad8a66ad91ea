"""Full captures of pages that carry a clue, one after another, as politely as the patrol itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cases import captures
from contracts.errors import WangxunError
from wangxun.runtime import Runtime

if TYPE_CHECKING:
    from evidence.capture import Capture
    from wangxun.proving import Proving


@dataclass(slots=True)
class Pictures:
    """Captures made, failed and still waiting; `unproven` names clues whose words the sealed page did not show."""

    taken: int = 0
    failed: int = 0
    left: int = 0
    url: str = ""
    unproven: list[str] = field(default_factory=list)


def take_pictures(
    runtime: Runtime,
    *,
    browser: str,
    run_id: str = "",
    most: int | None = None,
    on_picture: Callable[[Pictures], None] = lambda _: None,
) -> Pictures:
    """Makes the queued full captures, most urgent clue first; a failing page goes back into the queue, named.

    Stops cleanly on KeyboardInterrupt: a capture under way is not sealed, and its place in the queue is kept.
    """
    done = Pictures()
    with suppress(KeyboardInterrupt):  # what was taken is sealed and noted; the rest waits in the queue
        asyncio.run(_take(runtime, browser, run_id, most, done, on_picture))
    done.left = waiting(runtime)
    return done


def waiting(runtime: Runtime) -> int:
    """Captures that still wait in the queue."""
    with runtime.session(read_only=True) as session:
        return captures.waiting(session)


async def _take(
    runtime: Runtime,
    browser: str,
    run_id: str,
    most: int | None,
    done: Pictures,
    on_picture: Callable[[Pictures], None],
) -> None:
    from crawler.browser.launch import launch
    from evidence.capture import LAUNCH_ARGS
    from wangxun.proving import Proving

    proving = Proving(runtime)
    async with launch(browser, allow_private=runtime.config.allow_private, extra=LAUNCH_ARGS) as started:
        while most is None or done.taken + done.failed < most:
            with runtime.session() as session:
                task = captures.capture_next(session, at=runtime.clock.now())
            if task is None:
                return
            if done.taken + done.failed:
                await asyncio.sleep(float(runtime.config.delay))
            done.url = task.url
            try:
                capture = await capture_task(runtime, started.browser, task, run_id)
            except WangxunError as error:
                done.failed += 1
                with runtime.session() as session:
                    captures.capture_failed(session, task.id, error.text())
            else:
                done.taken += 1
                done.unproven += note_capture(runtime, task, capture, proving)
            on_picture(done)


async def capture_task(runtime: Runtime, browser: object, task: captures.CaptureTask, run_id: str) -> Capture:
    from evidence.capture import CaptureRequest, CaptureSettings, Hit, capture_full

    config = runtime.config
    with runtime.session(read_only=True) as session:
        quotes = captures.quotes_of(session, task.snapshot_id)
    return await capture_full(
        browser,  # type: ignore[arg-type]  # playwright's Browser; named only where it is needed
        task.url,
        vault=runtime.vault,
        clock=runtime.clock,
        about=CaptureRequest(
            purpose="巡查发现线索,完整固证",
            run_id=run_id,
            hits=tuple(Hit(quote=q.quote, selector=q.selector, rule=q.rule) for q in quotes),
            notes={"allow_private": ", ".join(config.allow_private)} if config.allow_private else {},
        ),
        settings=CaptureSettings(picture=config.picture, ntp_servers=config.ntp),
    )


def note_capture(runtime: Runtime, task: captures.CaptureTask, capture: Capture, proving: Proving) -> list[str]:
    """Rows of a sealed capture; returns what the sealed page does not bear out, one line each."""
    from wangxun.proving import note_unproven

    sealed = captures.Sealed(
        id=capture.evidence_id,
        level="full",
        url=task.url,
        sealed_at=runtime.clock.now(),
        snapshot_id=task.snapshot_id,
        path=f"captures/{capture.evidence_id[:6]}/{capture.evidence_id}",
        digest=str(capture.files.get("evidence.wacz", "")),
        timestamp_state=capture.timestamp,
        simulated=runtime.clock.simulated,
    )
    with runtime.session() as session:
        captures.capture_done(session, task.id, sealed)
    return note_unproven(runtime, task.snapshot_id, proving.unproven(task.snapshot_id, capture))
