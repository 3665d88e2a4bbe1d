"""Both clients, called the same way."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from claimbridge import AsyncClient, Client, LedgerConfig

CLIENTS: Final = ("Client", "AsyncClient")


class Awaited:
    """An ``AsyncClient`` whose calls are awaited for the caller, in one event loop."""

    def __init__(self, client: AsyncClient, loop: asyncio.Runner) -> None:
        self._client = client
        self._loop = loop

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        return self._called(found) if callable(found) else found

    def _called(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            answer = method(*arguments, **named)
            if isinstance(answer, AsyncIterator):
                return self._loop.run(_collected(answer))
            return self._loop.run(answer) if inspect.iscoroutine(answer) else answer

        return call


async def _collected(answers: AsyncIterator[Any]) -> list[Any]:
    return [answer async for answer in answers]


@contextmanager
def opened(kind: str, config: LedgerConfig, *, new_journal: bool = False) -> Iterator[Any]:
    """Open a client of either kind, and close it."""
    if kind == "Client":
        with Client(config, new_journal=new_journal) as client:
            yield client
        return
    with asyncio.Runner() as loop:
        awaited = Awaited(AsyncClient(config, new_journal=new_journal), loop)
        try:
            yield awaited
        finally:
            awaited.close()
