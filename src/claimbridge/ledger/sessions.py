"""The session that a ledger is logged in by."""

from __future__ import annotations

import threading


class Sessions:
    """The session that a ledger's threads share: its id, "" while there is none.

    One at a time logs in: an ERP may end a user's older session when a new one begins.
    """

    def __init__(self) -> None:
        self.current: str = ""
        self._turn = threading.Lock()

    def begin(self) -> bool:
        """Take the turn to log in; False while another has it."""
        return self._turn.acquire(blocking=False)

    def end(self) -> None:
        """Give the turn back."""
        self._turn.release()

    def keep(self, session: str) -> None:
        """Let others use a session that was begun."""
        self.current = session

    def drop(self, session: str) -> None:
        """Forget a session that is dead, unless another thread has begun a new one already."""
        if self.current == session:
            self.current = ""
