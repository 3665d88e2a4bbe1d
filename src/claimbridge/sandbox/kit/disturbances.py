"""Faults to order: what can go wrong, on which call, and how a SPEC says so.

    SPEC     = order *("," order)
    order    = [operations ":"] name ["=" variant] ["@" N | "%" P]
    name     = one of FAULTS

``name@N`` strikes the N-th call, ``name%P`` each call with probability P (a fraction up to 1, or
a percentage above 1), ``name`` alone every call. Calls are counted from 1, from the moment when
the faults were set, over all profiles.

Without ``operations`` only calls that submit or reverse are counted and struck; a batch is one
call. ``query:name``, ``changes:name``, ``reverse:name``, ``submit:name`` and ``any:name`` choose
others; so does the name of an operation of the contract (``SubmitVouchers:name``). Calls of Hesi
are struck by name only: ``write_back:name``, ``read:name``, ``hesi_voucher:name`` (the operations
are listed in ``claimbridge.sandbox.hesi.desk``). Of several orders that strike the same call, the
first in the SPEC is performed.
"""

from __future__ import annotations

import enum
import random
import re
import threading
from typing import Final

import msgspec

from claimbridge.errors import ConfigurationError


class Kind(enum.StrEnum):
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
    """Changing a document there: ordered by name only (``write_back:timeout@1``)."""


WRITING: Final = frozenset({Kind.SUBMIT, Kind.REVERSE})

FAULTS: Final[dict[str, tuple[str, ...]]] = {
    "refuse-connection": (),
    "timeout": ("after-commit", "before-commit"),
    "commit-then-drop": (),
    "drop-before-commit": (),
    "half-reply": ("cut", "malformed"),
    "slow": ("<seconds>",),
    "fault": (),
    "unsigned-fault": ("after-commit", "before-commit"),
    "throttle": ("503", "429", "typed"),
    "duplicate-reply": ("previous", "two-items"),
    "html-200": ("before-commit", "after-commit"),
    "redirect": (),
    "wrong-reference": (),
    "drift": (),
}
"""Every fault, with its variants; the first is what the name alone means."""

DEFAULT_DELAY: Final = 2.0
"""Seconds that ``slow`` takes when the SPEC does not say."""

_ORDER: Final = re.compile(
    r"(?:(?P<operations>[A-Za-z_]\w*):)?(?P<name>[a-z0-9-]+)(?:=(?P<variant>[a-z0-9.\-]+))?"
    r"(?:@(?P<nth>\d+)|%(?P<chance>\d+(?:\.\d+)?))?"
)


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One fault to perform.

    ``operations`` is a kind, ``any``, the name of an operation, or "" for whatever writes.
    ``nth`` is the call that it strikes (0: not by number); ``chance`` the probability for each
    call, 1.0 for every call.
    """

    name: str
    variant: str = ""
    operations: str = ""
    nth: int = 0
    chance: float = 1.0

    @property
    def always(self) -> bool:
        """True when it strikes every call that writes, and no other was asked for."""
        return not self.operations and not self.nth and self.chance >= 1

    def __str__(self) -> str:
        turn = f"@{self.nth}" if self.nth else f"%{self.chance}" if self.chance < 1 else ""
        variant = f"={self.variant}" if self.variant else ""
        return f"{f'{self.operations}:' if self.operations else ''}{self.name}{variant}{turn}"

    def concerns(self, operation: str, kind: Kind) -> bool:
        """Return whether calls of this operation are counted for this order."""
        if not self.operations:
            return kind in WRITING
        return self.operations in ("any", kind, operation)


def parse_faults(spec: str) -> tuple[Order, ...]:
    """Return the orders of a SPEC, none for ""; raises ConfigurationError CB-270 for nonsense."""
    return tuple(_order(part.strip()) for part in spec.split(",") if part.strip())


def _order(text: str) -> Order:
    match = _ORDER.fullmatch(text)
    if match is None or match["name"] not in FAULTS:
        raise ConfigurationError(
            f"no fault {text!r}; write name, name@N or name%P, with one of: {', '.join(FAULTS)}",
            code="CB-270",
        )
    nth, chance = match["nth"], _probability(match["chance"], text)
    if nth is not None and int(nth) == 0:
        raise ConfigurationError(f"fault {text!r}: calls are counted from 1", code="CB-270")
    name = match["name"]
    return Order(
        name=name,
        variant=_variant(name, match["variant"]),
        operations=match["operations"] or "",
        nth=int(nth or 0),
        chance=chance,
    )


def _probability(text: str | None, order: str) -> float:
    if text is None:
        return 1.0
    value = float(text)
    if value > 100:
        raise ConfigurationError(f"fault {order!r}: more than 100 per cent", code="CB-270")
    return value / 100 if value > 1 else value


def _variant(name: str, given: str | None) -> str:
    known = FAULTS[name]
    if given is None:
        return str(DEFAULT_DELAY) if name == "slow" else next(iter(known), "")
    if name == "slow" and re.fullmatch(r"\d+(\.\d+)?", given):
        return given
    if given not in known:
        choice = f"its variants are {', '.join(known)}" if known else "it has no variants"
        raise ConfigurationError(f"fault {name}={given}: {choice}", code="CB-270")
    return given


class Plan:
    """The orders, and the count of calls that decides whose turn it is. Safe between threads."""

    def __init__(self, orders: tuple[Order, ...], *, seed: int | None = None) -> None:
        self.orders: tuple[Order, ...] = orders
        self._lock = threading.Lock()
        self._seen = [0] * len(orders)
        self._random = random.Random(seed)  # noqa: S311 - chance for tests, not a secret

    def next(self, operation: str, kind: Kind) -> Order | None:
        """Count a call; return the fault that strikes it, None when it goes well."""
        with self._lock:
            # Every order counts and draws, struck or not, so that one never shifts another.
            struck = [self._strikes(at, operation, kind) for at in range(len(self.orders))]
        return next((order for order, hit in zip(self.orders, struck, strict=True) if hit), None)

    def _strikes(self, at: int, operation: str, kind: Kind) -> bool:
        order = self.orders[at]
        if not order.concerns(operation, kind):
            return False
        self._seen[at] += 1
        if order.nth:
            return self._seen[at] == order.nth
        return order.chance >= 1 or self._random.random() < order.chance

    @property
    def spec(self) -> str:
        """The orders as a SPEC."""
        return ",".join(map(str, self.orders))

    @property
    def door_closed(self) -> bool:
        """True when ``refuse-connection`` is ordered for every call: nobody is let in at all."""
        return any(order.name == "refuse-connection" and order.always for order in self.orders)
