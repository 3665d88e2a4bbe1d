"""Asking Kingdee EAS for the vouchers of a company's period, by ``findVoucher``.

EAS is asked in three cases: after a lost answer, before a voucher is sent again, and after an
import. The strings of an import do not say which voucher got which number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from claimbridge.contract.calls.fault import Fault
from claimbridge.model import Outcome, OutcomeKind, Reason
from claimbridge.model.money import EXACT
from claimbridge.profiles.conversation import Conversation, LogIn, answer_to
from claimbridge.profiles.kingdee.answers import ImportRequest, read_import, strings_of
from claimbridge.profiles.kingdee.dead_sessions import is_dead, told
from claimbridge.profiles.kingdee.replies import (
    SAVED,
    ListedVoucher,
    outcome,
    read_listed_voucher,
)
from claimbridge.profiles.kit.options import wrong_option
from claimbridge.profiles.kit.reading import unknown
from claimbridge.profiles.request import Request

if TYPE_CHECKING:
    from claimbridge.contract.calls.replies import Reply

FIND: Final = "findVoucher"
_LISTED: Final = frozenset({"reference", "number", "type", "year", "period", "debit", ""})
_K = OutcomeKind


CompanyPeriod = tuple[str, int, int]
"""A company, a year, and a period of it."""


class LookupRequest(Request, frozen=True, kw_only=True):
    """A look-up: the companies and periods to ask for, and the amounts to expect.

    ``expected`` has, by reference, the debits' sum in the local currency and the voucher's totals.
    """

    places: tuple[CompanyPeriod, ...]
    expected: Mapping[str, tuple[Decimal, dict[str, Decimal]]]


class VoucherLookup:
    """The questions of one EAS, whose strings have the parts of ``listing``.

    ``type_`` is the type of vouchers if the strings do not hold it, ``currency`` the local one,
    ``found`` the outcome of a voucher that EAS lists. ``port`` is that of ``findVoucher``, "" where
    it is the endpoint.
    """

    def __init__(
        self,
        listing: Sequence[str],
        *,
        type_: str,
        currency: str,
        found: OutcomeKind,
        port: str = "",
    ) -> None:
        self.listing: Final = _check_listing(listing)
        self._type = type_
        self._currency = currency
        self._kind = found
        self._port = port

    def request(
        self,
        places: Sequence[CompanyPeriod],
        expected: Mapping[str, tuple[Decimal, dict[str, Decimal]]],
    ) -> LookupRequest:
        """Return the look-up of the vouchers ``expected`` in ``places``."""
        unique = tuple(dict.fromkeys(places))
        return LookupRequest(
            operation=FIND,
            body=_question(unique[0], self._port).body,
            harmless=True,
            port=self._port,
            places=unique,
            expected=expected,
        )

    def of_import(self, request: ImportRequest) -> LookupRequest:
        """Return the look-up for the vouchers of an import, from its own rows."""
        sums: dict[str, Decimal] = {}
        for row in request.rows:
            so_far = sums.get(row["description"], Decimal(0))
            debit = Decimal(row.get("debitAmount", "0")).copy_abs()
            sums[row["description"]] = EXACT.add(so_far, debit)
        places = [
            (row["companyNumber"], int(row["periodYear"]), int(row["periodNumber"]))
            for row in request.rows
        ]
        # The totals in the postings' own currencies are unknown here: only the local sums are
        # compared.
        expected: dict[str, tuple[Decimal, dict[str, Decimal]]] = {
            reference: (total, {}) for reference, total in sums.items()
        }
        return self.request(places, expected)

    def before_again(self, request: ImportRequest) -> Conversation:
        """Return what EAS holds of vouchers that are to be sent again; () if it holds none."""
        if not self.listing:
            return ()
        outcomes = yield from self.look_up(self.of_import(request))
        return () if all(one.kind is _K.ABSENT for one in outcomes) else outcomes

    def look_up(self, wanted: LookupRequest, *, alone: bool = False) -> Conversation:
        """Return an outcome for each voucher that is looked for.

        ``alone``: nothing else was sent in this exchange, so a dead session may be replaced.
        """
        rows: list[ListedVoucher] = []
        trouble = ""
        for number, place in enumerate(wanted.places):
            question = wanted if number == 0 else _question(place, self._port)
            answer = yield from answer_to(question)
            # LogIn says that the call before had no effect: never yield it after an import.
            if alone and number == 0 and is_dead(answer):
                yield LogIn()
                answer = yield from answer_to(question)
            here = self._read_list(answer, place)
            trouble = trouble or ("" if here is not None else _no_list(answer))
            rows += here or []
        return tuple(
            outcome
            for item, reference in enumerate(wanted.expected, start=1)
            for outcome in self._about(reference, wanted, rows, trouble, item)
        )

    def read(self, reply: Reply) -> tuple[Outcome, ...]:
        """Return what a list of vouchers says by itself; its strings must hold their period."""
        vouchers = [
            None
            if place is None
            else read_listed_voucher(one, self.listing, place=place, type_=self._type)
            for one in strings_of(reply, FIND) or []
            for place in [self._place(one)]
        ]
        return tuple(
            unknown(_no_list(reply), item=item)
            if one is None
            else Outcome(
                kind=self._kind, reference=one.reference, journal_entry=one.entry, item=item
            )
            for item, one in enumerate(vouchers, start=1)
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
        # A database may have folded the case; an earlier version's references have lower case.
        ours = [row for row in rows if row.reference.upper() == reference.upper()]
        exact = [row for row in ours if row.reference == reference]
        vouchers = list(dict.fromkeys(exact or ours))
        if not vouchers and trouble:
            return [unknown(trouble, reference=reference, item=item)]
        if not vouchers:
            return [Outcome(kind=_K.ABSENT, reference=reference, item=item)]
        return [
            Outcome(
                kind=self._kind,
                reference=reference,
                journal_entry=row.entry,
                totals=self._totals(row, *wanted.expected[reference]),
                item=item,
            )
            for row in vouchers
        ]

    def _totals(
        self, row: ListedVoucher, local: Decimal, ours: dict[str, Decimal]
    ) -> dict[str, Decimal]:
        """Return the totals for comparison: our own totals if the local sums agree."""
        if row.debit is None:
            return {}
        return ours if row.debit == local else {self._currency: row.debit}

    def _read_list(self, answer: Reply | Fault, place: CompanyPeriod) -> list[ListedVoucher] | None:
        """Return the vouchers of a period; None if one of them cannot be read."""
        strings = strings_of(answer, FIND)
        if strings is None:
            return None
        read = [
            read_listed_voucher(one, self.listing, place=place, type_=self._type) for one in strings
        ]
        return None if None in read else [one for one in read if one is not None]

    def match(self, request: ImportRequest, answer: Reply) -> Conversation:
        """Return an outcome for each of several vouchers, by what EAS lists after the import.

        The strings of the import do not say which voucher they are about; the list does. A voucher
        that is not listed was refused, if there are as many refusals as vouchers not listed.
        """
        read, named = read_import(answer, request).results, request.references
        listed = yield from self.look_up(self.of_import(request))
        lacking = [one for one in listed if one.kind is _K.ABSENT]
        refusals = [outcome(one) for one in read if one.code != SAVED]
        certain = (
            len(read) == len(named)
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
                text="" if certain else "EAS neither lists nor refuses the voucher",
                item=one.item,
            )
            for one in listed
        )


def _check_listing(listing: Sequence[str]) -> tuple[str, ...]:
    foreign = sorted(set(listing) - _LISTED)
    twice = sorted({name for name in listing if name and listing.count(name) > 1})
    lacking = sorted({"reference", "number"} - set(listing)) if listing else []
    if foreign or twice or lacking:
        raise wrong_option(
            "kingdee-eas",
            f"listing {list(listing)}: "
            + (f"unknown {foreign}" if foreign else f"twice {twice}" if twice else f"no {lacking}")
            + f"; it may name {', '.join(sorted(filter(None, _LISTED)))}",
        )
    return tuple(listing)


def _question(place: CompanyPeriod, port: str) -> Request:
    company, year, period = place
    # The WSDL spells it so: periodNnumber.
    body = {"comNumber": company, "year": str(year), "periodNnumber": str(period)}
    return Request(operation=FIND, body=body, harmless=True, port=port)


def _no_list(answer: Reply | Fault) -> str:
    """Return the sentence for an answer that lists nothing."""
    reason = told(answer)
    return f"EAS did not list its vouchers as configured{f': {reason}' if reason else ''}"


def _own(reasons: tuple[Reason, ...], reference: str, *, alone: bool) -> tuple[Reason, ...]:
    """Return this voucher's reasons: those that name the voucher, or else all."""
    named = tuple(one for one in reasons if reference in one.text)
    return reasons if alone or not named else named


__all__ = ["FIND", "LookupRequest", "VoucherLookup"]
