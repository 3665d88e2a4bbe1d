"""Disturbances to order: what can go wrong, on which call, and how a SPEC says so.

    SPEC        = disturbance *("," disturbance)
    disturbance = [operations ":"] name ["=" variant] ["@" N | "%" P]
    name        = one of DISTURBANCES

``name@N`` strikes the N-th call, ``name%P`` each call with probability P (a fraction up to 1, or
a percentage above 1), ``name`` alone every call. Calls are counted from 1, from the moment of the
order, over all profiles.

Without ``operations`` only calls that submit or reverse are counted and struck; a batch is one
call. ``query:name``, ``changes:name``, ``reverse:name``, ``submit:name`` and ``any:name`` choose
other calls. So does the name of an operation of the contract (``SubmitVouchers:name``). Calls of
Hesi are struck by name only: ``write_back:name``, ``read:name``, ``hesi_voucher:name``;
``claimbridge.sandbox.hesi.desk`` lists the operations. Of several disturbances that strike the same
call, the first in the SPEC is performed.
"""

from __future__ import annotations

import enum
import random
import re
import threading
from typing import Final

import msgspec

from claimbridge.errors import ConfigurationError


class OperationKind(enum.StrEnum):
    """What an operation does to the ledger."""

    SUBMIT = "submit"
    REVERSE = "reverse"
    QUERY = "query"
    CHANGES = "changes"
    SESSION = "session"
    """Logging in, or out."""
    READ = "read"
    """Reading from the reimbursement system beside the ledger."""
    WRITE_BACK = "write_back"
    """Changing a document there; ordered by name only (``write_back:timeout@1``)."""


WRITING: Final = frozenset({OperationKind.SUBMIT, OperationKind.REVERSE})

DISTURBANCES: Final[dict[str, tuple[str, ...]]] = {
    "refuse-connection": (),
    "timeout": ("after-commit", "before-commit"),
    "commit-then-drop": (),
    "drop-before-commit": (),
    "half-reply": ("cut", "malformed"),
    "slow": ("<seconds>",),
    "fault": (),
    "lock": (),
    "licence": (),
    "unsigned-fault": ("after-commit", "before-commit"),
    "throttle": ("503", "429", "typed"),
    "duplicate-reply": ("previous", "two-items"),
    "html-200": ("before-commit", "after-commit", "as-xml"),
    "redirect": ("moved", "login"),
    "wrong-reference": (),
    "drift": (),
}
"""Every disturbance, with its variants; the first is what the name alone means."""

DEFAULT_DELAY: Final = 2.0
"""Seconds that ``slow`` takes when the SPEC does not say."""

_PATTERN: Final = re.compile(
    r"(?:(?P<operations>[A-Za-z_]\w*):)?(?P<name>[a-z0-9-]+)(?:=(?P<variant>[a-z0-9.\-]+))?"
    r"(?:@(?P<nth>\d+)|%(?P<chance>\d+(?:\.\d+)?))?"
)


class Disturbance(msgspec.Struct, frozen=True, kw_only=True):
    """One disturbance to perform.

    ``operations`` is a kind, ``any``, the name of an operation, or "" for every call that writes.
    ``nth`` is the number of the call to strike (0: not by number); ``chance`` is the probability
    for each call, 1.0 for every call.
    """

    name: str
    variant: str = ""
    operations: str = ""
    nth: int = 0
    chance: float = 1.0

    @property
    def always(self) -> bool:
        """Whether it strikes every call that writes, and no others were ordered."""
        return not self.operations and not self.nth and self.chance >= 1

    def __str__(self) -> str:
        turn = f"@{self.nth}" if self.nth else f"%{self.chance}" if self.chance < 1 else ""
        variant = f"={self.variant}" if self.variant else ""
        return f"{f'{self.operations}:' if self.operations else ''}{self.name}{variant}{turn}"

    def concerns(self, operation: str, kind: OperationKind) -> bool:
        """Return whether calls of this operation are counted for this disturbance."""
        if not self.operations:
            return kind in WRITING
        return self.operations in ("any", kind, operation)


def parse_disturbances(spec: str) -> tuple[Disturbance, ...]:
    """Return the disturbances of a SPEC, none for ""; raises ConfigurationError CB-270."""
    return tuple(_disturbance(part.strip()) for part in spec.split(",") if part.strip())


def _disturbance(text: str) -> Disturbance:
    match = _PATTERN.fullmatch(text)
    if match is None or match["name"] not in DISTURBANCES:
        raise ConfigurationError(
            f"there is no disturbance {text!r}; write name, name@N or name%P, with one of: "
            + ", ".join(DISTURBANCES),
            code="CB-270",
        )
    nth, chance = match["nth"], _probability(match["chance"], text)
    if nth is not None and int(nth) == 0:
        raise ConfigurationError(f"disturbance {text!r}: calls are counted from 1", code="CB-270")
    name = match["name"]
    return Disturbance(
        name=name,
        variant=_variant(name, match["variant"]),
        operations=match["operations"] or "",
        nth=int(nth or 0),
        chance=chance,
    )


def _probability(text: str | None, disturbance: str) -> float:
    if text is None:
        return 1.0
    value = float(text)
    if value > 100:
        raise ConfigurationError(
            f"disturbance {disturbance!r}: more than 100 per cent", code="CB-270"
        )
    return value / 100 if value > 1 else value


def _variant(name: str, given: str | None) -> str:
    known = DISTURBANCES[name]
    if given is None:
        return str(DEFAULT_DELAY) if name == "slow" else next(iter(known), "")
    if name == "slow" and re.fullmatch(r"\d+(\.\d+)?", given):
        return given
    if given not in known:
        choice = f"its variants are {', '.join(known)}" if known else "it has no variants"
        raise ConfigurationError(f"disturbance {name}={given}: {choice}", code="CB-270")
    return given


class Disturbances:
    """Those that were ordered, and the count of calls that decides whose turn it is.

    Safe between threads.
    """

    def __init__(self, ordered: tuple[Disturbance, ...], *, seed: int | None = None) -> None:
        self.ordered: tuple[Disturbance, ...] = ordered
        self._lock = threading.Lock()
        self._seen = [0] * len(ordered)
        self._random = random.Random(seed)  # noqa: S311 - chance for tests, not a secret

    def next(self, operation: str, kind: OperationKind) -> Disturbance | None:
        """Count a call; return the disturbance that strikes it, None when it goes well."""
        with self._lock:
            # Every one counts and draws, struck or not, so that one never shifts another.
            struck = [self._strikes(at, operation, kind) for at in range(len(self.ordered))]
        return next((one for one, hit in zip(self.ordered, struck, strict=True) if hit), None)

    def _strikes(self, at: int, operation: str, kind: OperationKind) -> bool:
        disturbance = self.ordered[at]
        if not disturbance.concerns(operation, kind):
            return False
        self._seen[at] += 1
        if disturbance.nth:
            return self._seen[at] == disturbance.nth
        return disturbance.chance >= 1 or self._random.random() < disturbance.chance

    @property
    def spec(self) -> str:
        """The disturbances as a SPEC."""
        return ",".join(map(str, self.ordered))

    @property
    def door_closed(self) -> bool:
        """Whether ``refuse-connection`` is ordered for every call: no connection is accepted."""
        return any(one.name == "refuse-connection" and one.always for one in self.ordered)
