"""What of a request identifies a document or weighs, found out by changing samples.

The profile builds a sample, and the sample with another reference, amount, currency, side, account,
company, posting date: whatever differs carries it. What a profile needs besides, and that never
changes, it names itself (``abilities.NamesKept``).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

import msgspec

from claimbridge.contract.calls.render import lexical
from claimbridge.model import JournalEntry, Posting, Submission, Voucher
from claimbridge.profiles.abilities import NamesKept
from claimbridge.profiles.base import Profile
from claimbridge.profiles.extra.owned import Owned
from claimbridge.profiles.extra.paths import is_within, leaves, steps_of, without_counts
from claimbridge.profiles.extra.trials import Trial, built, changed_postings

_AMOUNT: Final = "the amount"
_BY_NAME: Final = re.compile(r"(?i:amount|^(?:debit|credit)(?:tax)?$|^amt|amt$)|Amt|AMT")
_OTHER: Final = "1999"
_DAY: Final = dt.date(2027, 5, 4)
_ENTRY: Final = JournalEntry("100000777", "CN77", "2031")
_STAND_FOR_ACCOUNTS: Final = ("the partner", "the tax code")
"""What an ERP takes the account from, where a posting's element names none."""
_replace: Final = msgspec.structs.replace
Change = Callable[[Submission], Submission]


def weights(profile: Profile, made: tuple[Trial, ...], owned: Owned) -> Mapping[str, str]:
    """Return what must stay, by its path without counts: ``the amount``, ``our reference``.

    Of an attribute, or a text beside attributes, the whole element stays.
    """
    found: dict[str, str] = {}
    for each in made:
        if len(each.submissions) == 1:
            found |= _weights(profile, each, owned)
        found |= {path: "the type" for path in map(without_counts, _values(each)) if _types(path)}
    units = {_unit(path, owned): what for path, what in found.items()}
    return units | (dict(profile.kept) if isinstance(profile, NamesKept) else {})


def _weights(profile: Profile, trial: Trial, owned: Owned) -> dict[str, str]:
    found: dict[str, str] = {}
    accounts: set[str] = set()
    for what, change in _CHANGES.items():
        paths = _carrying(profile, trial, what, change)
        if what in _STAND_FOR_ACCOUNTS:
            paths = {path for path in paths if not _beside(path, accounts, owned)}
        accounts |= paths if what == "the account" else set()
        found |= dict.fromkeys(paths, what)
    return found


def _carrying(profile: Profile, trial: Trial, what: str, change: Change) -> set[str]:
    """Return what the change makes differ; a time of day, which differs by itself, is not in it."""
    submission = trial.submissions[0]
    before = _values(trial)
    other = built(profile, trial.verb, (change(submission),))
    if other is None:
        text = _original(submission.voucher, what)
        return {without_counts(path) for path, value in before.items() if text and value == text}
    changed = _values(other)
    after = _values(built(profile, trial.verb, trial.submissions))
    return {
        without_counts(path)
        for path in before.keys() | changed.keys()
        if before.get(path) == after.get(path) != changed.get(path)
    }


def _unit(path: str, owned: Owned) -> str:
    """Return the element that an attribute or a text beside attributes belongs to."""
    above, _, last = path.rpartition("/")
    if last[0] not in "@#" or above in owned.postings | owned.documents | {""}:
        return path
    return above


def _types(path: str) -> bool:
    return path.endswith("@xsi:type")


def _original(voucher: Voucher, what: str) -> str:
    return {"the currency": voucher.currency, "the company": voucher.company}.get(what, "")


def _values(trial: Trial | None) -> dict[str, str]:
    body = trial.target.body if trial is not None else {}
    return {path: _text(value) for path, value in leaves(body)}


def _text(value: object) -> str:
    try:
        return lexical(value)
    except ValueError:
        return repr(value)


def _beside(path: str, accounts: set[str], owned: Owned) -> bool:
    """Whether the posting's element names the account too; else this stands for it."""
    level = owned.level_of(path)
    return level.kind != "posting" or any(is_within(one, level.prefix) for one in accounts)


def _scaled(posting: Posting) -> Posting:
    base = posting.tax_base
    return _replace(
        posting, amount=posting.amount * 2, tax_base=None if base is None else base * Decimal(2)
    )


def _by_voucher(**changes: object) -> Change:
    return lambda one: _replace(one, voucher=_replace(one.voucher, **changes))


def _by_posting(change: Callable[[Posting], Posting]) -> Change:
    return lambda one: changed_postings(one, change)


def _in_currency(one: Submission) -> Submission:
    changed = changed_postings(one, lambda posting: _replace(posting, currency="USD"))
    return _replace(changed, voucher=_replace(changed.voucher, currency="USD"))


def _reversing(one: Submission) -> Submission:
    voucher = one.voucher
    return one if voucher.reverses is None else _by_voucher(reverses=_ENTRY)(one)


def _elsewhere(posting: Posting) -> Posting:
    return _replace(posting, company=posting.company and _OTHER)


_CHANGES: Final[Mapping[str, Change]] = MappingProxyType(
    {
        "our reference": lambda one: _replace(one, reference=one.reference[::-1]),
        _AMOUNT: _by_posting(_scaled),
        "the currency": _in_currency,
        "the side": _by_posting(lambda one: _replace(one, side=one.side.other)),
        "the account": _by_posting(lambda one: _replace(one, account=_OTHER)),
        "the company": _by_voucher(company=_OTHER),
        "the company of a posting": _by_posting(_elsewhere),
        "the posting date": _by_voucher(posting_date=_DAY),
        "the entry to reverse": _reversing,
        "the tax code": _by_posting(lambda one: _replace(one, tax_code=one.tax_code and _OTHER)),
        "the partner": _by_posting(lambda one: _replace(one, partner=one.partner and _OTHER)),
    }
)


def at_risk(path: str, kept: Mapping[str, str]) -> tuple[str, str] | None:
    """Return what the element at ``path`` would take with it or change, and what that carries."""
    return next(
        ((one, what) for one, what in kept.items() if is_within(one, path) or is_within(path, one)),
        None,
    )


def amount_names(profile: Profile, made: tuple[Trial, ...]) -> frozenset[str]:
    """Return the local names of the elements where the profile writes amounts."""
    singles = (each for each in made if len(each.submissions) == 1)
    return frozenset(
        _local(path)
        for each in singles
        for path in _carrying(profile, each, _AMOUNT, _CHANGES[_AMOUNT])
    )


def holds_amount(path: str, known: frozenset[str]) -> bool:
    """Say whether a path leads to an amount, by its name: also where the profile writes none.

    Elements named as those in ``known`` (``amount_names``) hold amounts in other lists too. Beyond
    these, the names are those that contracts give to amounts.
    """
    name = _local(path)
    return name in known or _BY_NAME.search(name) is not None


def _local(path: str) -> str:
    """Return the local name of the element that a path leads to, or whose text or attribute it is.

    For an attribute of the first element it is the attribute's.
    """
    steps = steps_of(without_counts(path), what="")
    elements = [one for one in steps if one[0] not in "@#"] or [steps[-1]]
    return elements[-1].rpartition("}")[2].lstrip("@")
