"""Cancellations at a chosen await of whatever tasks a call consists of."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context
from typing import Any

import anyio

MODES = ("once", "thirty times", "anyio")


class Awaits:
    """Counts the awaits of all tasks of a loop, and calls ``struck`` at the n-th."""

    def __init__(self) -> None:
        self.count = 0
        self._at = 0
        self._struck: Callable[[], None] = lambda: None

    def begin(self, at: int, struck: Callable[[], None]) -> None:
        """Count anew; ``at`` 0 strikes never."""
        self.count, self._at, self._struck = 0, at, struck

    def factory(
        self,
        loop: asyncio.AbstractEventLoop,
        coroutine: Coroutine[Any, Any, Any] | Generator[Any, None, Any],
        context: Context | None = None,
        **_: Any,
    ) -> asyncio.Task[Any]:
        """Make a task whose awaits are counted; see ``loop.set_task_factory``."""

        async def counted() -> Any:
            return await self._counted(coroutine)

        return asyncio.Task(counted(), loop=loop, context=context)

    @types.coroutine
    def _counted(self, coroutine: Any) -> Generator[Any, Any, Any]:
        value: Any = None
        error: BaseException | None = None
        while True:
            try:
                awaited = coroutine.send(value) if error is None else coroutine.throw(error)
            except StopIteration as end:
                return end.value
            self.count += 1
            if self.count == self._at:
                self._struck()
            try:
                value, error = (yield awaited), None
            except BaseException as thrown:  # noqa: BLE001 - handed on
                error = thrown


async def cancelled(
    mode: str, at: int, awaits: Awaits, call: Callable[[], Coroutine[Any, Any, object]]
) -> None:
    """Make a call that is cancelled at its await ``at``, as ``mode`` says; wait for its end."""
    if mode == "anyio":
        with anyio.CancelScope() as scope:
            awaits.begin(at, scope.cancel)
            await call()
        return
    task = asyncio.ensure_future(call())
    loop = asyncio.get_running_loop()

    def cancel(left: int = 1 if mode == "once" else 30) -> None:
        if left and not task.done():
            loop.call_soon(task.cancel)
            loop.call_soon(cancel, left - 1)

    awaits.begin(at, cancel)
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()
