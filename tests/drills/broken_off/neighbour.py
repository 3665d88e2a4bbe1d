"""The second process: it submits what it is told to, on the same journal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext

from tests.withstand.scene import SENDERS, book_of, claim, patiently

from claimbridge.config import LedgerConfig
from claimbridge.errors import ClaimBridgeError


class Hung(Exception):
    """No answer came in time."""


def serve(config: LedgerConfig, orders: Connection) -> None:
    """Be the process: answer each claim id with its journal entry, or with what went wrong."""
    with SENDERS["Client"](config) as sender:
        while order := orders.recv():
            verb, claim_id = order
            try:
                if verb == "look":
                    history = sender.journal.history(book_of(sender.journal), claim_id)
                    orders.send(",".join(one.state for one in history.submissions))
                else:
                    entry = patiently(lambda: sender.submit(claim(claim_id))).journal_entry  # noqa: B023 - called at once
                    orders.send(str(entry))
            except ClaimBridgeError as error:
                orders.send(f"{error}")


class Neighbour:
    """The second process, as the drill speaks to it."""

    def __init__(self, orders: Connection, limit: float) -> None:
        self._orders = orders
        self._limit = limit

    def ask(self, verb: str, claim_id: str) -> str:
        """Return its answer; raises Hung when there is none in time."""
        self._orders.send((verb, claim_id))
        if not self._orders.poll(self._limit):
            raise Hung("the second process")
        answer: str = self._orders.recv()
        return answer


@contextmanager
def neighbour(
    context: ForkServerContext, config: LedgerConfig, limit: float
) -> Iterator[Neighbour]:
    """Have a second process as long as the block lasts."""
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(config, theirs), daemon=True)
    process.start()
    try:
        yield Neighbour(ours, limit)
        ours.send(None)
        process.join(5)
    finally:
        process.kill()
        process.join(5)
