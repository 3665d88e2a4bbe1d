"""What a fork must not copy: open connections, locks that say who lives, flights in the air.

SQLite keeps the state of its locks in the process, and a forked child would believe that it
holds what only its parent does (https://sqlite.org/howtocorrupt.html §2.6: not even closing an
inherited connection is safe). So connections are closed before the fork and opened anew, when
needed, on either side of it. No port of the journal speaks of forks: whoever holds what a fork
must not copy has himself watched.
"""

from __future__ import annotations

import os
import weakref

from claimbridge.turns import Turn


class Forkable:
    """Something that prepares for a fork, and goes on after it."""

    def pause(self) -> None:
        """Before: let nothing be in use, until ``resume`` or ``renew``."""

    def resume(self) -> None:
        """After, in the parent."""

    def renew(self) -> None:
        """After, in the child: be another one."""


class _Forks:
    def __init__(self) -> None:
        self._turn = Turn()
        self._living: weakref.WeakSet[Forkable] = weakref.WeakSet()
        self._paused: list[Forkable] = []
        os.register_at_fork(
            before=self._before, after_in_parent=self._in_parent, after_in_child=self._in_child
        )

    def watch(self, forkable: Forkable) -> None:
        with self._turn.hold():
            self._living.add(forkable)

    def _before(self) -> None:
        self._turn.take()
        self._paused = list(self._living)
        for forkable in self._paused:
            forkable.pause()

    def _in_parent(self) -> None:
        for forkable in self._paused:
            forkable.resume()
        self._paused = []
        self._turn.give_back()

    def _in_child(self) -> None:
        for forkable in self._paused:
            forkable.renew()
        self._paused = []
        self._turn.give_back()


# At module level, against the habit: os.register_at_fork() cannot be undone, so that one
# registration per journal would never be freed.
_FORKS = _Forks()


def watch(forkable: Forkable) -> None:
    """Have ``forkable`` prepare for every fork for as long as it exists.

    No two watched things may wait for each other's locks: the order of their pauses is any.
    """
    _FORKS.watch(forkable)


__all__ = ["Forkable", "watch"]
