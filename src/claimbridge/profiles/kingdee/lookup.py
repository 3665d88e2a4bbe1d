"""Asking Kingdee EAS what it holds: the vouchers of a company's period, by ``findVoucher``.

It is asked in three cases: after a lost answer, before a voucher is sent again, and after an import
to learn which voucher got which number, since the strings of an import do not say it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from claimbridge.errors import ConfigurationError
from claimbridge.model import Outcome, OutcomeKind, Reason
from claimbridge.model.money import EXACT
from claimbridge.profiles.conversation import Conversation, LogIn, answer_to
from claimbridge.profiles.kingdee.replies import SAVED, ListedVoucher, listed, outcome, results
from claimbridge.profiles.kit.reading import unknown
from claimbridge.profiles.request import Request

if TYPE_CHECKING:
    from claimbridge.contract.calls.fault import Fault
    from claimbridge.contract.calls.replies import Reply

IMPORT: Final = "importVoucher"
FIND: Final = "findVoucher"
_LISTED: Final = frozenset({"reference", "number", "type", "year", "period", "debit", ""})
_DEAD: Final = re.compile(
    r"session(\s?id\W+|\s)((is|has|was|been|already)\s)*(invalid|expired|timed?\s?out)"
    r"|(invalid|expired)\ssession\b(?!\sbean)"
    r"|(会话|登录)\w{0,4}(失效|过期|超时)|重新登录",
    re.IGNORECASE,
)
"""The session itself is dead; a fault from a session bean, or its transaction, is another thing."""
_K = OutcomeKind


CompanyPeriod = tuple[str, int, int]
"""A company, a year, and a period of it."""


class LookupRequest(Request, frozen=True, kw_only=True):
    """A look-up: the companies and periods to ask for, and what each voucher must amount to.

    ``expected`` has, by reference, the debits' sum in the local currency and the voucher's totals.
    """

    places: tuple[CompanyPeriod, ...]
    expected: Mapping[str, tuple[Decimal, dict[str, Decimal]]]


class VoucherLookup:
    """The questions of one EAS, whose strings have the parts of ``listing``.

    ``type_`` is the type of vouchers where the strings do not tell it, ``currency`` the local one,
    ``found`` what a voucher is that is listed.
    """

    def __init__(
        self, listing: Sequence[str], *, type_: str, currency: str, found: OutcomeKind
    ) -> None:
        self.listing: Final = _checked(listing)
        self._type = type_
        self._currency = currency
        self._kind = found

    def before_again(self, request: Request) -> Conversation:
        """Return what is found of vouchers that are to be sent again; nothing where all lack."""
        if not self.listing:
            return ()
        found = yield from self.found(_asking(request))
        return () if all(one.kind is _K.ABSENT for one in found) else found

    def found(self, wanted: LookupRequest, *, alone: bool = False) -> Conversation:
        """Return an outcome for each voucher that is looked for.

        ``alone``: nothing else was asked in this exchange, so that a dead session may be replaced.
        """
        rows: list[ListedVoucher] = []
        trouble = ""
        for number, place in enumerate(wanted.places):
            question = wanted if number == 0 else _question(place)
            answer = yield from answer_to(question)
            # To log in says that what went before had no effect: never after an import.
            if alone and number == 0 and is_dead(answer):
                yield LogIn()
                answer = yield from answer_to(question)
            here = self._listed(answer, place)
            trouble = trouble or ("" if here is not None else _unlisted(answer))
            rows += here or []
        return tuple(
            outcome
            for item, reference in enumerate(wanted.expected, start=1)
            for outcome in self._about(reference, wanted, rows, trouble, item)
        )

    def told(self, reply: Reply) -> tuple[Outcome, ...]:
        """Return what a list of vouchers says by itself; its strings must tell their period."""
        found = [
            None if place is None else listed(one, self.listing, place=place, type_=self._type)
            for one in strings_of(reply, FIND) or []
            for place in [self._place(one)]
        ]
        return tuple(
            unknown(_unlisted(reply), item=item)
            if one is None
            else Outcome(
                kind=self._kind, reference=one.reference, journal_entry=one.entry, item=item
            )
            for item, one in enumerate(found, start=1)
        ) or (unknown("EAS lists no voucher"),)

    def _place(self, written: str) -> CompanyPeriod | None:
        held = dict(zip(self.listing, written.split("||"), strict=False))
        year, period = held.get("year", "").strip(), held.get("period", "").strip()
        return ("", int(year), int(period)) if year.isdecimal() and period.isdecimal() else None

    def _about(
        self,
        reference: str,
        wanted: LookupRequest,
        rows: list[ListedVoucher],
        trouble: str,
        item: int,
    ) -> list[Outcome]:
        # A database may have folded the case; ours are in capitals, but for those kept from before.
        ours = [row for row in rows if row.reference.upper() == reference.upper()]
        exact = [row for row in ours if row.reference == reference]
        held = list(dict.fromkeys(exact or ours))
        if not held and trouble:
            return [unknown(trouble, reference=reference, item=item)]
        if not held:
            return [Outcome(kind=_K.ABSENT, reference=reference, item=item)]
        return [
            Outcome(
                kind=self._kind,
                reference=reference,
                journal_entry=row.entry,
                totals=self._totals(row, *wanted.expected[reference]),
                item=item,
            )
            for row in held
        ]

    def _totals(
        self, row: ListedVoucher, local: Decimal, ours: dict[str, Decimal]
    ) -> dict[str, Decimal]:
        """Return what EAS holds, for comparison: our own totals where the local sums agree."""
        if row.debit is None:
            return {}
        return ours if row.debit == local else {self._currency: row.debit}

    def _listed(self, answer: Reply | Fault, place: CompanyPeriod) -> list[ListedVoucher] | None:
        """Return the vouchers of a period; None where one of them could not be read."""
        strings = strings_of(answer, FIND)
        if strings is None:
            return None
        read = [listed(one, self.listing, place=place, type_=self._type) for one in strings]
        return None if None in read else [one for one in read if one is not None]

    def matched(self, request: Request, named: list[str], answer: Reply | Fault) -> Conversation:
        """Return an outcome for each of several vouchers, by what EAS lists after the import.

        The strings of the import do not say which voucher they are about, so the list does. A
        voucher that is not in it was refused where the refusals are as many as what is lacking.
        """
        said = results(strings_of(answer, IMPORT) or [])
        found = yield from self.found(_asking(request))
        lacking = [one for one in found if one.kind is _K.ABSENT]
        refusals = [outcome(one) for one in said if one.code != SAVED]
        certain = (
            len(said) == len(named)
            and len(refusals) == len(lacking)
            and all(one.kind is _K.REJECTED for one in refusals)
        )
        reasons = tuple(reason for one in refusals for reason in one.reasons)
        return tuple(
            one
            if one.kind is not _K.ABSENT
            else Outcome(
                kind=_K.REJECTED if certain else _K.UNKNOWN,
                reference=one.reference,
                reasons=_own(reasons, one.reference or "", alone=len(lacking) == 1),
                text="" if certain else "EAS does not list it, and did not refuse it either",
                item=one.item,
            )
            for one in found
        )


def _checked(listing: Sequence[str]) -> tuple[str, ...]:
    foreign = sorted(set(listing) - _LISTED)
    twice = sorted({name for name in listing if name and listing.count(name) > 1})
    lacking = sorted({"reference", "number"} - set(listing)) if listing else []
    if foreign or twice or lacking:
        raise ConfigurationError(
            f"profile 'kingdee-eas': listing {list(listing)}: "
            + (f"unknown {foreign}" if foreign else f"twice {twice}" if twice else f"no {lacking}")
            + f"; it may name {', '.join(sorted(filter(None, _LISTED)))}",
            code="CB-243",
        )
    return tuple(listing)


def wanted_in(
    places: Sequence[CompanyPeriod], expected: Mapping[str, tuple[Decimal, dict[str, Decimal]]]
) -> LookupRequest:
    """Return the look-up of the vouchers ``expected`` in ``places``."""
    unique = tuple(dict.fromkeys(places))
    return LookupRequest(
        operation=FIND,
        body=_question(unique[0]).body,
        harmless=True,
        places=unique,
        expected=expected,
    )


def _question(place: CompanyPeriod) -> Request:
    company, year, period = place
    # The WSDL spells it so: periodNnumber.
    body = {"comNumber": company, "year": str(year), "periodNnumber": str(period)}
    return Request(operation=FIND, body=body, harmless=True)


def _asking(request: Request) -> LookupRequest:
    """Return the look-up for the vouchers of an import, from its own rows."""
    held: Sequence[Mapping[str, Any]] = request.body["col"]["item"]
    sums: dict[str, Decimal] = {}
    for row in held:
        so_far = sums.get(row["description"], Decimal(0))
        debit = Decimal(row.get("debitAmount", "0")).copy_abs()
        sums[row["description"]] = EXACT.add(so_far, debit)
    places = [
        (row["companyNumber"], int(row["periodYear"]), int(row["periodNumber"])) for row in held
    ]
    # The totals in the posting's own currencies are unknown here: only the local sums are compared.
    expected: dict[str, tuple[Decimal, dict[str, Decimal]]] = {
        reference: (total, {}) for reference, total in sums.items()
    }
    return wanted_in(places, expected)


def company_of(request: Request) -> str:
    """Return the company of an import's first voucher."""
    return str(request.body["col"]["item"][0]["companyNumber"])


def strings_of(answer: Reply | Fault, operation: str) -> list[str] | None:
    """Return the strings of an answer; None where it holds no array of them."""
    from claimbridge.contract.calls.replies import Reply

    if not isinstance(answer, Reply):
        return None
    arrays = answer.all(f"{operation}Return")
    if not arrays or any(array.text("@nil") in ("true", "1") for array in arrays):
        return None
    members = [member for array in arrays for member in array.all("item")]
    return [text for member in members for text in _texts(member)]


def _texts(member: Reply) -> list[str]:
    """Return what a member says, "" where it is blank; a later version may wrap it."""
    within = member.children
    return [text for one in within for text in _texts(one)] if within else [member.text()]


def _unlisted(answer: Reply | Fault) -> str:
    reason = _reason(answer)
    return f"EAS did not list its vouchers as configured{f': {reason}' if reason else ''}"


def is_dead(answer: Reply | Fault) -> bool:
    """Tell whether a fault says that the session is dead, which EAS says before doing anything."""
    return bool(_DEAD.search(_reason(answer)))


def _reason(answer: Reply | Fault) -> str:
    from claimbridge.contract.calls.fault import Fault

    return answer.reason if isinstance(answer, Fault) else ""


def _own(reasons: tuple[Reason, ...], reference: str, *, alone: bool) -> tuple[Reason, ...]:
    """Return the reasons that are this voucher's: those that name it, else all there are."""
    named = tuple(one for one in reasons if reference in one.text)
    return reasons if alone or not named else named


__all__ = [
    "FIND",
    "IMPORT",
    "LookupRequest",
    "VoucherLookup",
    "company_of",
    "is_dead",
    "strings_of",
    "wanted_in",
]
