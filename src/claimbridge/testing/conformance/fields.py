"""Checks that requests carry everything that a voucher says: each field is changed in turn.

When a field changes, the request must change, or the profile must refuse. Or ``no_place`` of the
profile, or of the call, declares the field as one that the ERP has no place for, with the reason.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from itertools import combinations, permutations
from typing import Any, Final

import msgspec

from claimbridge.clock import SYSTEM
from claimbridge.ledger import Ledger
from claimbridge.model import Posting, Role, Side, Submission, Voucher
from claimbridge.profiles.samples import reversing
from claimbridge.testing.conformance.requests import build, samples
from claimbridge.testing.conformance.subject import Nonconformity, Subject

Change = Callable[[Submission], Iterator[Submission]]
"""Yields a submission that differs in one field, once for each place where it may stand."""

EVERYWHERE: Final = frozenset(
    {"company", "currency", "posting_date", "postings", "reverses"}
    | {f"posting.{name}" for name in ("account", "amount", "currency", "dimensions", "side")}
)
"""Fields that must reach every request; for others one place in one request is enough."""

_MOMENT: Final = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?")
_SENDING: Final = dt.timedelta(hours=1)
_DAY: Final = dt.timedelta(days=1)
_STANDS_FOR: Final[Mapping[Role, tuple[str, str]]] = {
    Role.EMPLOYEE_PAYABLE: ("partner", "E0999"),
    Role.CARD_PAYABLE: ("partner", "E0999"),
    Role.CARD_CLEARING: ("partner", "E0999"),
    Role.ADVANCE_CLEARING: ("partner", "E0999"),
    Role.INPUT_TAX: ("tax_code", "J2"),
}
"""Fields from which an ERP may find the account in its master data, and then ignore ours."""
_PLAIN: Final[Mapping[str, Any]] = {
    "claim_id": "EXP-2026-0077",
    "revision": 3,
    "company": "CN09",
    "employee": "E0999",
    "text": "Another journey",
    "employee_name": "Li Si",
    "approver": "Zhao Wu",
}
_PLAIN_OF_POSTINGS: Final[Mapping[str, Any]] = {
    "cost_centre": "CC-2002",
    "project": "P-8",
    "partner": "E0999",
    "tax_code": "J2",
    "tax_base": Decimal("90.00"),
    "narration": "Taxi",
    "source": "lines[1].amount",
}


def fields() -> Iterator[str]:
    """Yield every field of a voucher, and of its postings as ``posting.NAME``."""
    yield from (name for name in Voucher.__struct_fields__ if name != "postings")
    yield "postings"
    yield from (f"posting.{name}" for name in Posting.__struct_fields__)


def carries(subject: Subject, name: str) -> None:
    """A request changes when the field does; or the profile refuses, or declares the field."""
    change = CHANGES.get(name)
    if change is None:
        raise Nonconformity(f"the suite does not know how to change {name}; add it to CHANGES")
    ledger = subject.ledger()
    declared = subject.no_place_of(ledger.setup.profile)
    if name == "posting.company" and not ledger.rules.capabilities.companies:
        return  # refused before a request is built (CB-189)
    seen, silent = _compare(ledger, name, change)
    if name in declared:
        if seen and not silent:
            raise Nonconformity(f"{name} is declared to have no place, and it is sent")
        return
    if silent and (name in EVERYWHERE or not seen):
        raise Nonconformity(
            f"{silent} differ in {name}, and the requests do not: the ERP posts something "
            "else than the claim says. Send it, refuse it, or declare it: "
            f"no_place = {{{name!r}: 'why'}}"
        )


def declarations(subject: Subject) -> None:
    """Every declaration of ``no_place`` names a field and a reason, and no amount or account."""
    for name, why in subject.no_place_of(subject.open_profile()).items():
        if name not in set(fields()) or not why.strip():
            raise Nonconformity(f"no_place names {name!r}, which is no field, or gives no reason")
        if name in EVERYWHERE - {"reverses"}:
            raise Nonconformity(f"no_place names {name}: without it nothing is posted rightly")


def _compare(ledger: Ledger, name: str, change: Change) -> tuple[int, str]:
    """Return in how many places a change was seen or refused, and the last where it was not."""
    seen, silent = 0, ""
    for verb, submission in _bases(ledger):
        before = build(ledger, verb, (submission,))
        if before is None:
            continue  # a refused voucher is not posted wrongly
        for changed in change(submission):
            after = build(ledger, verb, (changed,))
            if after is None or _body(after) != _body(before):
                seen += 1
            else:
                silent = f"two vouchers to {verb} ({submission.voucher.postings[0].role})"
    return seen, silent


def _bases(ledger: Ledger) -> Iterator[tuple[str, Submission]]:
    can_reverse = ledger.rules.capabilities.can_reverse
    for number, submission in enumerate(samples(ledger)):
        yield "submit", submission
        if can_reverse and not number:
            yield "reverse", reversing(submission)


def _body(data: bytes) -> bytes:
    """Return a request without the moment of its sending; other moments stay."""
    now = SYSTEM.now()

    def without_sending(found: re.Match[bytes]) -> bytes:
        moment = dt.datetime.fromisoformat(found[0].decode())
        moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
        return b"" if abs(moment - now) < _SENDING else found[0]

    return _MOMENT.sub(without_sending, data)


def _with(submission: Submission, **given: Any) -> Submission:
    voucher = msgspec.structs.replace(submission.voucher, **given)
    return msgspec.structs.replace(submission, voucher=voucher)


def _posting(submission: Submission, given: Mapping[int, Mapping[str, Any]]) -> Submission:
    postings = tuple(
        msgspec.structs.replace(one, **given.get(place, {}))
        for place, one in enumerate(submission.voucher.postings)
    )
    return _with(submission, postings=postings)


def _plain(name: str) -> Change:
    def change(submission: Submission) -> Iterator[Submission]:
        if submission.voucher.reverses is None:  # a reversal may name the journal entry alone
            yield _with(submission, **{name: _PLAIN[name]})

    return change


def _of_posting(name: str) -> Change:
    def change(submission: Submission) -> Iterator[Submission]:
        if submission.voucher.reverses is not None:
            return
        for place, posting in enumerate(submission.voucher.postings):
            if msgspec.structs.asdict(posting)[name]:
                yield _posting(submission, {place: {name: _PLAIN_OF_POSTINGS[name]}})

    return change


def _pairs(submission: Submission, *, same_side: bool) -> Iterator[tuple[int, int]]:
    """Yield the places of two postings of one amount, in one book, on one side or on both."""
    if submission.voucher.reverses is not None:
        return
    postings = submission.voucher.postings
    for one, other in combinations(range(len(postings)), 2):
        first, second = postings[one], postings[other]
        alike = (first.company, first.amount) == (second.company, second.amount)
        if alike and (first.side is second.side) is same_side:
            yield one, other


def _amounts(submission: Submission) -> Iterator[Submission]:
    """Raise one posting, lower another: the totals stay, so only the postings show the change."""
    for one, other in _pairs(submission, same_side=True):
        for more, less in permutations((one, other)):
            amount = submission.voucher.postings[one].amount
            yield _posting(
                submission,
                {more: {"amount": amount + 2}, less: {"amount": amount - 2}},
            )
    if submission.voucher.reverses is None:
        doubled = {n: {"amount": p.amount * 2} for n, p in enumerate(submission.voucher.postings)}
        yield _posting(submission, doubled)


def _sides(submission: Submission) -> Iterator[Submission]:
    for one, other in _pairs(submission, same_side=False):
        postings = submission.voucher.postings
        if _but_side(postings[one]) != _but_side(postings[other]):
            yield _posting(
                submission,
                {place: {"side": postings[place].side.other} for place in (one, other)},
            )


def _but_side(posting: Posting) -> Posting:
    return msgspec.structs.replace(posting, side=Side.DEBIT)


def _currencies(submission: Submission) -> Iterator[Submission]:
    for pair in _pairs(submission, same_side=False):
        yield _posting(submission, {place: {"currency": "EUR"} for place in pair})


def _currency(submission: Submission) -> Iterator[Submission]:
    if submission.voucher.reverses is None:
        places = range(len(submission.voucher.postings))
        changed = _posting(submission, {place: {"currency": "EUR"} for place in places})
        yield _with(changed, currency="EUR")


def _fewer(submission: Submission) -> Iterator[Submission]:
    """Leave out a pair that balances by itself, if others remain."""
    postings = submission.voucher.postings
    for pair in _pairs(submission, same_side=False) if len(postings) > 3 else ():
        yield _with(submission, postings=tuple(p for n, p in enumerate(postings) if n not in pair))


def _dimensions(submission: Submission) -> Iterator[Submission]:
    for place, posting in enumerate(submission.voucher.postings):
        if posting.dimensions:
            other = dict.fromkeys(posting.dimensions, "X9")
            yield _posting(submission, {place: {"dimensions": other}})


def _accounts(submission: Submission) -> Iterator[Submission]:
    if submission.voucher.reverses is None:
        for place, posting in enumerate(submission.voucher.postings):
            if posting.role not in _STANDS_FOR:
                yield _posting(submission, {place: {"account": "2241000999"}})


def _owing(submission: Submission) -> Iterator[Submission]:
    """Change an account together with the field that may stand for it; one of them must show."""
    if submission.voucher.reverses is None:
        for place, posting in enumerate(submission.voucher.postings):
            name, other = _STANDS_FOR.get(posting.role, ("", ""))
            if name:
                yield _posting(submission, {place: {"account": "2241000999", name: other}})


def _each(*changes: Change) -> Change:
    def change(submission: Submission) -> Iterator[Submission]:
        for one in changes:
            yield from one(submission)

    return change


def _companies(submission: Submission) -> Iterator[Submission]:
    """Change the company of all postings in another company's books, where they balance."""
    postings = submission.voucher.postings
    elsewhere = [place for place, posting in enumerate(postings) if posting.company]
    if elsewhere:
        yield _posting(submission, {place: {"company": "CN08"} for place in elsewhere})


def _roles(submission: Submission) -> Iterator[Submission]:
    if submission.voucher.reverses is None:
        for place, posting in enumerate(submission.voucher.postings):
            other = Role.EXPENSE if posting.role is not Role.EXPENSE else Role.EMPLOYEE_PAYABLE
            yield _posting(submission, {place: {"role": other}})


def _dates(name: str) -> Change:
    def change(submission: Submission) -> Iterator[Submission]:
        day: dt.date = msgspec.structs.asdict(submission.voucher)[name]
        if submission.voucher.reverses is None or name == "posting_date":
            yield _with(submission, **{name: day - _DAY})
            yield _with(submission, **{name: day.replace(year=day.year - 1)})

    return change


def _approval(submission: Submission) -> Iterator[Submission]:
    if submission.voucher.reverses is None and submission.voucher.approved_at is not None:
        yield _with(submission, approved_at=submission.voucher.approved_at - _DAY)


def _entries(submission: Submission) -> Iterator[Submission]:
    entry = submission.voucher.reverses
    if entry is not None:
        other = msgspec.structs.replace(entry, number="100000999")
        changed = _with(submission, reverses=other)
        yield msgspec.structs.replace(changed, journal_entry=other)


def _purpose(submission: Submission) -> Iterator[Submission]:
    """Change nothing: a reversal is another request, which ``reverses`` judges."""
    yield from ()


def _part(submission: Submission) -> Iterator[Submission]:
    if submission.voucher.reverses is None:
        yield _with(submission, document_number=1, documents=2)


CHANGES: Final[Mapping[str, Change]] = {
    **{name: _plain(name) for name in _PLAIN},
    "currency": _currency,
    "document_date": _dates("document_date"),
    "posting_date": _dates("posting_date"),
    "postings": _fewer,
    "purpose": _purpose,
    "approved_at": _approval,
    "reverses": _entries,
    "document_number": _part,
    "documents": _part,
    **{f"posting.{name}": _of_posting(name) for name in _PLAIN_OF_POSTINGS},
    "posting.account": _each(_accounts, _owing),
    "posting.role": _roles,
    "posting.side": _sides,
    "posting.amount": _amounts,
    "posting.currency": _currencies,
    "posting.dimensions": _dimensions,
    "posting.company": _companies,
}
"""How each field is changed; a field that is missing here fails every profile."""
