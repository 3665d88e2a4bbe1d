"""The claim of a probe: one line of the smallest amount, made from a ledger's chart; pure."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Iterable
from typing import Final

import msgspec

from claimbridge.errors import ConfigurationError
from claimbridge.model import LIVE, Claim, ClaimLine, History, Purpose, State, Submission
from claimbridge.model.money import quantum
from claimbridge.submission.decisions.evidence import reversal_key
from claimbridge.submission.decisions.port import LedgerPort

TITLE: Final = "claimbridge probe"
"""What a probe says of itself in the ERP, where the chart's texts let it."""
_LETTERS: Final = "BCDFGHJKMNPQRSTVWXZ23456789"
"""No vowels, so that they make no words; nothing that looks like another."""
PREFIX: Final = "PROBE-"
"""What the id of each probe begins with."""
_DRAWN: Final = 7
"""How many letters are drawn for an id."""
_ID: Final = re.compile(
    rf"{PREFIX}([{_LETTERS}]{{{_DRAWN}}}|[0-9]{{4}}-[{_LETTERS}]{{2}})"  # the second was once
)
OVER: Final = "probed:"
"""What the detail of each voucher begins with whose probe is over; the rest is for people."""
LEFT: Final = f"{OVER} posted, and left in the books on purpose"
"""The detail of a voucher that no later probe takes back."""
BEING_REVERSED: Final = frozenset({State.REVERSING, State.REVERSED})
"""States of a voucher whose reversal is under way or done."""
_SHOWN: Final = 12
"""How many choices an error lists."""


class ProbeChoice(msgspec.Struct, frozen=True, kw_only=True):
    """What the voucher of a probe is made of.

    ``company`` and ``type`` (of expense) may be "" where the chart has one only. ``employee`` is a
    code that the ERP knows. ``cost_centre`` and ``department`` "" are left out. ``like`` is a claim
    whose company, employee, codes and first line are taken where nothing else is said. Its amounts
    and documents are not. ``posting_date`` None is today in the company's time zone.
    """

    company: str = ""
    type: str = ""
    employee: str = ""
    cost_centre: str = ""
    department: str = ""
    like: Claim | None = None
    posting_date: dt.date | None = None


def new_id() -> str:
    """Return a claim id for a probe, such as ``PROBE-K7TQ2XD``; one of ten thousand million.

    It has 13 characters, so that the reference of its reversal (``.X1``) fits into SAP's 16 too.
    """
    number, letters = uuid.uuid4().int, ""
    for _ in range(_DRAWN):
        number, letter = divmod(number, len(_LETTERS))
        letters += _LETTERS[letter]
    return PREFIX + letters


def is_probe(submission: Submission) -> bool:
    """Whether a submission is the voucher of a probe, by its id and its amount.

    A claim of a source may be called so too: it is none of ours unless it is as small.
    """
    voucher = submission.voucher
    return (
        submission.key.purpose is Purpose.POST
        and _ID.fullmatch(submission.key.claim_id) is not None
        and all(one.amount == quantum(voucher.currency) for one in voucher.postings)
    )


def is_foreign(submission: Submission) -> bool:
    """Whether the ERP had the document before this journal sent any: another's, and never ours."""
    taken = submission.state in LIVE or submission.state in BEING_REVERSED
    return taken and submission.attempt == 0


def unfinished(history: History) -> Submission | None:
    """Return the voucher of a probe that is not over; None where the claim is none, or is over.

    One that was left on purpose is over, and so is one that was paid since: a person's matter.
    """
    one = next(iter(history.submissions), None)
    if one is None or not is_probe(one) or is_foreign(one):
        return None
    if one.state is State.REVERSED:
        # One that a person reversed and settled is over.
        ours = history.get(reversal_key(one.key))
        is_over = one.detail.startswith(OVER) or ours is None or ours.state not in LIVE
    elif one.state in LIVE:
        is_over = one.detail.startswith(OVER) or one.state is State.PAID
    else:
        is_over = one.state is State.REJECTED
    return None if is_over else one


def probe_claim(choice: ProbeChoice, claim_id: str, ledger: LedgerPort, day: dt.date) -> Claim:
    """Return the claim that a probe submits: one line of the currency's smallest amount.

    ``choice`` is whole, as ``with_all_chosen`` returns it.
    """
    company, like = choice.company, choice.like
    line = like.lines[0] if like is not None else None
    currency = ledger.companies[company]
    smallest = quantum(currency)
    return Claim(
        id=claim_id,
        revision=1,
        company=company,
        employee=choice.employee,
        currency=currency,
        total=smallest,
        lines=(
            ClaimLine(
                type=choice.type,
                date=day,
                amount=smallest,
                text=TITLE,
                cost_centre=line.cost_centre if line is not None else "",
                department=line.department if line is not None else "",
                project=line.project if line is not None else "",
                dimensions=line.dimensions if line is not None else {},
            ),
        ),
        title=TITLE,
        department=choice.department or (like.department if like is not None else ""),
        cost_centre=choice.cost_centre or (like.cost_centre if like is not None else ""),
        country=like.country if like is not None else "",
        grade=like.grade if like is not None else "",
        dimensions=like.dimensions if like is not None else {},
        approved_at=ledger.rules.clock.now(),
        posting_date=day,
    )


def with_all_chosen(choice: ProbeChoice, ledger: LedgerPort) -> ProbeChoice:
    """Return a choice with company, type and employee; raises ConfigurationError CB-279."""
    like = choice.like
    company = choice.company or (like.company if like is not None else _only(ledger.companies))
    type_ = choice.type or (like.lines[0].type if like is not None else _only(ledger.expense_types))
    employee = choice.employee or (like.employee if like is not None else "")
    lacking = [
        f"the company ({_listed(ledger.companies)})" if company not in ledger.companies else "",
        f"the type of expense ({_listed(ledger.expense_types)})"
        if type_ not in ledger.expense_types
        else "",
        "an employee whom the ERP knows, by code" if not employee else "",
    ]
    if any(lacking):
        raise ConfigurationError(
            f"the probe of ledger {ledger.name} needs {'; '.join(filter(None, lacking))}: give "
            "--company, --type and --employee, or --like a claim",
            code="CB-279",
        )
    return msgspec.structs.replace(choice, company=company, type=type_, employee=employee)


def _only(names: Iterable[str]) -> str:
    found = list(names)
    return found[0] if len(found) == 1 else ""


def _listed(names: Iterable[str]) -> str:
    found = list(names)
    more = ", …" if len(found) > _SHOWN else ""
    return f"one of {', '.join(found[:_SHOWN])}{more}" if found else "the chart names none"
