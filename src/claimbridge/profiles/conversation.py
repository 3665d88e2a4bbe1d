"""What an exchange may hold besides one request and its reply: several calls, waits, a session.

A profile describes the conversation as a generator, without I/O; ``claimbridge.ledger`` performs
it. The ability itself is ``profiles.abilities.Converses``. Most profiles do not need it.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING

import msgspec

from claimbridge.model import Outcome
from claimbridge.profiles.request import Request

if TYPE_CHECKING:
    from claimbridge.contract.calls.fault import Fault
    from claimbridge.contract.calls.replies import Reply


class Wait(msgspec.Struct, frozen=True):
    """Wait so many seconds before going on; answered by None."""

    seconds: float


class LogIn(msgspec.Struct, frozen=True):
    """Drop the session that was used and begin a fresh one; answered by None.

    By yielding ``LogIn`` a profile says that the call before had no effect: its session was dead.
    """


class Began(msgspec.Struct, frozen=True):
    """Say that the ERP took the request in as a job of this name; answered by None.

    If the conversation ends before the job does, the job's name is kept with what was sent.
    ``look_up`` then finds the name as the submission's ``job``, and asks for that job first.
    """

    job: str


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """The secrets of ``[ledger.X.auth]``, read; "" and an empty mapping where not configured."""

    user: str = ""
    password: str = ""
    secrets: Mapping[str, str] = {}

    def __repr__(self) -> str:
        return f"Credentials(user={self.user!r})"


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt of one call, for ``headers``: ``session`` is "" where there is none."""

    operation: str
    credentials: Credentials
    session: str = ""


Conversation = Generator[
    "Request | Wait | LogIn | Began", "Reply | Fault | None", tuple[Outcome, ...]
]
"""One exchange of several calls; see ``profiles.abilities.Converses``."""


def answer_to(request: Request) -> Generator[Request, Reply | Fault | None, Reply | Fault]:
    """Make a call within a conversation, and return what it was answered by."""
    answer = yield request
    assert answer is not None  # only what is no request is answered by None
    return answer
