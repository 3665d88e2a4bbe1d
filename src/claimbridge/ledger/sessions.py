"""The session that a ledger is logged in by."""

from __future__ import annotations


class Sessions:
    """The session that a ledger's threads share: its id, "" while there is none.

    One at a time logs in: an ERP may end a user's older session when a new one begins.
    """

    def __init__(self) -> None:
        self.current: str = ""
        self._turn: dict[str, object] = {}

    def begin(self, who: object) -> bool:
        """Take the turn to log in; False while another has it."""
        # One operation on a dict: there is no lock that an exception could leave held.
        return self._turn.setdefault("turn", who) is who

    def end(self, who: object) -> None:
        """Give the turn back; nothing, where ``who`` does not have it."""
        if self._turn.get("turn") is who:
            self._turn.pop("turn", None)

    def keep(self, session: str) -> None:
        """Let others use a session that was begun."""
        self.current = session

    def drop(self, session: str) -> None:
        """Forget a session that is dead, unless another thread has begun a new one already."""
        if self.current == session:
            self.current = ""
