"""Hints: "this document may have changed", from a webhook or from a log of what it missed.

A hint is never believed, only followed: the document is read again. A hint stays until what was
read is recorded. Whatever the hints miss, the source's own reading finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol

import msgspec

from claimbridge.errors import ClaimBridgeError
from claimbridge.model import Claim, Standing
from claimbridge.sources.base import (
    NOT_ASKED,
    AnswersDoctor,
    Arrival,
    RereadsBeforeSending,
    Source,
    SpeaksFormLanguage,
    WriteBackPort,
)
from claimbridge.sources.record import Hint

MOST: Final = 500
"""Hints followed in one reading, each with a call: beyond that the source's own list is quicker."""
_IN_A_ROW: Final = 3
"""Documents that could not be read, one after the other, after which the others wait, too."""
_SEPARATOR: Final = "|"


class Hints(Protocol):
    """Where hints are stored: the record. Each call is durable when it returns."""

    def hint(self, source: str, keys: Sequence[str]) -> None:
        """Keep that these documents may have changed; one that is kept already becomes newest."""
        ...

    def hints(self, source: str, *, after: int = 0, limit: int = 100) -> list[Hint]:
        """Return hints with numbers above ``after``, oldest first."""
        ...

    def clear_hints(self, source: str, *, upto: int, key: str | None = None) -> None:
        """Forget hints with numbers up to ``upto``; those of one document where ``key`` is given.

        A hint that came again since then has a higher number, and stays.
        """
        ...


class SourceWithHints:
    """A source whose hints are followed before it is read on; it is a ``Source`` itself.

    Its marks are those of ``source`` with the number of the last hint that was followed. So a hint
    is forgotten when what was read is recorded, not sooner. ``catch_up`` is called at the start
    of every reading, and may add hints. ``port`` is how the source is written back to. Every other
    ability is the source's own.
    """

    def __init__(
        self,
        source: Source,
        hints: Hints,
        *,
        port: WriteBackPort,
        catch_up: Callable[[], object] = lambda: None,
    ) -> None:
        self.name: str = source.name
        self._source = source
        self._port = port
        self._hints = hints
        self._catch_up = catch_up

    def arrivals(self, *, since: str = "") -> Iterator[Arrival]:
        """Yield the documents that hints are about, then what the source gives.

        A document that cannot be read now keeps its hint and holds up nothing; why it could not
        is raised at the end.
        """
        followed, mark = _split(since)
        self._hints.clear_hints(self.name, upto=followed)
        failed: list[ClaimBridgeError] = []
        try:
            self._catch_up()
        except ClaimBridgeError as error:
            failed.append(error)
        for hint, arrival in self._reread(failed):
            followed = hint.number
            yield _with_mark(arrival, followed, mark)
        for arrival in self._source.arrivals(since=mark):
            yield _with_mark(arrival, followed, arrival.mark) if arrival.mark else arrival
        if failed:
            raise failed[-1]

    def _reread(self, failed: list[ClaimBridgeError]) -> Iterator[tuple[Hint, Arrival]]:
        """Read again what was hinted at until now; what comes meanwhile waits its turn."""
        in_a_row = 0
        for hint in self._hints.hints(self.name, limit=MOST):
            try:
                arrival = self._source.reread(hint.key)
            except ClaimBridgeError as error:
                failed.append(error)
                in_a_row += 1
                if in_a_row == _IN_A_ROW:
                    return
                # To the end of the queue: the marks of those behind it are to get past it.
                self._hints.hint(self.name, [hint.key])
                continue
            in_a_row = 0
            if arrival is None:
                self._hints.clear_hints(self.name, upto=hint.number, key=hint.key)
            else:
                yield hint, arrival

    def reread(self, key: str) -> Arrival | None:
        """Return the document as it is now; None when the source has no such document."""
        return self._source.reread(key)

    @property
    def rereads(self) -> bool:
        """Whether the source wants what waited to be read again."""
        return isinstance(self._source, RereadsBeforeSending) and self._source.rereads

    def ended(
        self, arrival: Arrival, *, standing: Standing | None, error: ClaimBridgeError | None
    ) -> None:
        """Take note of how an arrival ended."""
        self._source.ended(arrival, standing=standing, error=error)

    def in_words(self, text: str, claim: Claim, *, counted: bool) -> str:
        """Return a reason in the words of the source's forms, where it has any."""
        if not isinstance(self._source, SpeaksFormLanguage):
            return text
        return self._source.in_words(text, claim, counted=counted)

    def answer_doctor(self) -> str:
        """Ask the source whether it answers, where it can be asked."""
        return (
            self._source.answer_doctor() if isinstance(self._source, AnswersDoctor) else NOT_ASKED
        )

    def write_back_port(self) -> WriteBackPort:
        """Return how the source is written back to."""
        return self._port

    def close(self) -> None:
        """Give back connections and files."""
        self._source.close()


def _split(mark: str) -> tuple[int, str]:
    """Return the number and the source's own mark; one from before there were hints is its own."""
    number, separator, own = mark.partition(_SEPARATOR)
    return (int(number), own) if separator and number.isdigit() else (0, mark)


def _with_mark(arrival: Arrival, followed: int, mark: str) -> Arrival:
    return msgspec.structs.replace(arrival, mark=f"{followed}{_SEPARATOR}{mark}")
