"""What NetSuite's records have in common: references by code, fields of dimensions, doubles."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from claimbridge.clock import SYSTEM, Clock
from claimbridge.errors import ClaimError
from claimbridge.model import Posting
from claimbridge.model.money import EXACT
from claimbridge.profiles.kit.sourced import Sourced, dimensions_of
from claimbridge.profiles.master_records import MasterRecord, MasterRecords
from claimbridge.profiles.netsuite.record_lists import BEGINS, ENDS, EXTERNAL_ID, PERIOD

if TYPE_CHECKING:
    from claimbridge.profiles.netsuite import requests

Field = Literal[
    "account",
    "subsidiary",
    "currency",
    "department",
    "class",
    "location",
    "entity",
    "customer",
    "category",
    "tax_code",
    "posting_period",
]
MatchField = Literal[
    "account",
    "subsidiary",
    "currency",
    "department",
    "class",
    "location",
    "entity",
    "customer",
    "category",
    "tax_code",
]
Name = Literal["external-id", "number", "name", "full-name", "symbol", "entity-id", "email"]
LineField = Literal["department", "class", "location", "entity", "customer"]
LINE_FIELDS: Final[Mapping[str, LineField]] = MappingProxyType(
    {
        "cost_centre": "department",
        "project": "class",
        "partner": "entity",
        "department": "department",
        "class": "class",
        "location": "location",
    }
)
"""The line's field for each dimension, unless an option says otherwise."""
KINDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "account": ("account",),
        "subsidiary": ("subsidiary",),
        "currency": ("currency",),
        "department": ("department",),
        "class": ("class",),
        "location": ("location",),
        # Whoever a line may name; customers only where they were listed too.
        "entity": ("employee", "vendor", "customer"),
        "customer": ("customer",),
        "category": ("expense-category",),
        "tax_code": ("tax-code",),
    }
)
"""The kinds of records that each field may name."""
NAMES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "account": ("number", "name"),
        "currency": ("symbol", "name"),
        "entity": ("entity-id", "email", "name"),
        "customer": ("entity-id", "email", "name"),
        "category": ("name",),
        "tax_code": ("name",),
        **dict.fromkeys(("subsidiary", "department", "class", "location"), ("name", "full-name")),
    }
)
"""What ``match`` may say of each field, besides ``external-id``."""
_DIGITS: Final = 15
_OLDEST: Final = dt.timedelta(days=400)
"""Beyond that a list is not posted by; ``doctor`` warns after 30 days."""
_SHARED: Final = frozenset({"vendor", "customer"})
"""Kinds whose records show their first subsidiary only, and may belong to others too."""


class Codes(msgspec.Struct, frozen=True, kw_only=True):
    """How codes of the chart and of claims name NetSuite's records.

    ``internal_ids`` are NetSuite's ids by field and code; ``line_fields`` the fields of a line by
    dimension. ``match`` says by which name the lists find a field's codes; a field that it does not
    name is sent as ``externalId``. ``found`` are the listed records by field and code, ``former``
    those of earlier lists. ``company`` is the code of the company that is posted to; "" where there
    are no subsidiaries. ``back``: for a reversal.
    """

    internal_ids: Mapping[str, Mapping[str, str]]
    line_fields: Mapping[str, LineField]
    match: Mapping[str, str] = {}
    lists: MasterRecords = MasterRecords()
    found: Mapping[str, Mapping[str, tuple[MasterRecord, ...]]] = {}
    former: Mapping[str, Mapping[str, tuple[MasterRecord, ...]]] = {}
    clock: Clock = SYSTEM
    company: str = ""
    back: bool = False

    def of(self, company: str, *, back: bool) -> Codes:
        """Return how the codes name records in one company; ``back``: of an entry taken back."""
        return msgspec.structs.replace(self, company=company, back=back)

    def ref(self, field: MatchField, code: Sourced) -> requests.RecordRef:
        """Return a reference to a record: by NetSuite's id where that is known, else by code.

        Raises ClaimError CB-488 where the lists do not give one active record for the code.
        """
        id_ = self.internal_ids.get(field, {}).get(code.text)
        if not id_ and code.text and self.match.get(field, EXTERNAL_ID) != EXTERNAL_ID:
            id_ = self._listed(field, code)
        return {"@internalId": Sourced(id_, code.field)} if id_ else {"@externalId": code}

    def period(self, day: dt.date) -> requests.RecordRef:
        """Return the posting period of a day; raises ClaimError CB-488 where no list has it."""
        month = f"{day:%Y-%m}"
        id_ = self.internal_ids.get("posting_period", {}).get(month)
        if not id_:
            at = day.isoformat()
            found = [
                one
                for one in self.lists.records(PERIOD)
                if one.names.get(BEGINS, "~") <= at <= one.names.get(ENDS, "")
            ]
            if len(found) != 1:
                why = f"{len(found) or 'no'} posting periods hold {at}"
                if PERIOD not in self.lists.lists:
                    why = _no_list(PERIOD)
                elif not any(BEGINS in one.names for one in self.lists.records(PERIOD)):
                    why = "the list of posting periods has no days that are certain"
                raise self._refusal("posting_period", PERIOD, "posting_date", month, why)
            id_ = found[0].id
        return {"@internalId": Sourced(id_, "posting_date")}

    def _listed(self, field: str, code: Sourced) -> str:
        by, kind = self.match[field], KINDS[field][0]
        listed = self.found.get(field, {}).get(code.text, ())
        found = [one for one in listed if self._is_open_to_us(field, one)]
        active = [one for one in found if not one.inactive]
        moved = self._moved(field, code, found) if self.back else ()
        if len(active) == 1 and not moved and not self._is_old(kind):
            return active[0].id
        what = f"NetSuite has no {field} whose {by} is {code.text!r}"
        if kind not in self.lists.lists:
            what = _no_list(kind)
        elif self._is_old(kind):
            what = f"the list of {kind} is older than {_OLDEST.days} days"
        elif moved:
            ids = " and ".join(moved)
            what = (
                f"{code.text!r} is, or was, the {by} of several records ({ids}), and nobody knows "
                "which one the entry to reverse names; reverse it in NetSuite, and record that: "
                "claimbridge journal settle --reversed"
            )
        elif len(active) > 1:
            ids = " and ".join(one.id for one in active)
            what = f"{code.text!r} is the {by} of several records ({ids})"
        elif found:
            what = f"the {field} {code.text!r} (internal id {found[0].id}) is inactive in NetSuite"
        elif listed:
            what = self._of_others(field, code, listed)
        raise self._refusal(field, kind, code.field, code.text, what)

    def _is_old(self, kind: str) -> bool:
        listed = self.lists.lists.get(kind)
        return listed is not None and self.clock.now() - listed.fetched_at > _OLDEST

    def _moved(self, field: str, code: Sourced, found: Iterable[MasterRecord]) -> tuple[str, ...]:
        """Return the ids that a code has or had, if they are several."""
        former = self.former.get(field, {}).get(code.text, ())
        there = [*found, *(one for one in former if self._is_open_to_us(field, one))]
        ids = tuple(dict.fromkeys(one.id for one in there))
        return ids if len(ids) > 1 else ()

    def _is_open_to_us(self, field: str, record: MasterRecord) -> bool:
        """Say whether a record may be used in the company; not where nobody knows."""
        if not self.company or field in ("subsidiary", "currency"):
            return True
        own = self._own_subsidiaries()
        if record.company_ids:
            ids = {one.id for one in own}
            return bool(
                (self._with_parents(ids) if record.with_children else ids) & set(record.company_ids)
            )
        names = {self.company}.union(*(one.names.values() for one in own))
        return not record.companies or bool(names & set(record.companies))

    def _own_subsidiaries(self) -> tuple[MasterRecord, ...]:
        """Return the company's subsidiary, or all that its code may mean; () where nobody knows."""
        id_ = self.internal_ids.get("subsidiary", {}).get(self.company)
        by = self.match.get("subsidiary", EXTERNAL_ID)
        known = tuple(
            one
            for one in self.lists.records("subsidiary")
            if (one.id == id_ if id_ else one.names.get(by) == self.company)
        )
        return known or ((MasterRecord(id=id_, names={}),) if id_ else ())

    def _with_parents(self, ids: set[str]) -> set[str]:
        above = {one.id: one.parent for one in self.lists.records("subsidiary")}
        found: set[str] = set()
        while ids := ids - found - {""}:
            found |= ids
            ids = {above.get(one, "") for one in ids}
        return found

    def _of_others(self, field: str, code: Sourced, listed: Sequence[MasterRecord]) -> str:
        if not self._own_subsidiaries():
            return (
                f"the {field} {code.text!r} is limited to subsidiaries, and nobody knows which one "
                f"{self.company!r} is: name it in match.subsidiary or internal_ids.subsidiary"
            )
        others = ", ".join(sorted({name for one in listed for name in one.companies}))
        ids = " and ".join(one.id for one in listed)
        return (
            f"the {field} {code.text!r} (internal id {ids}) is limited to other subsidiaries "
            f"than {self.company!r}: {others}"
        )

    def _refusal(self, field: str, kind: str, at: str, code: str, why: str) -> ClaimError:
        listed = self.lists.lists.get(kind)
        of = f" (list of {listed.fetched_at:%Y-%m-%d})" if listed else ""
        return ClaimError(
            f"{at}: {why}{of}; run {self.lists.advice(kind)}, fix the record in NetSuite, or give "
            f"its id for {code!r} in the option internal_ids.{field}",
            code="CB-488",
        )

    def by_line_field(self, posting: Posting, claim_id: str) -> dict[LineField, Sourced]:
        """Return the codes of dimensions by the line's fields; no dimension is dropped.

        Raises ClaimError CB-168 for a dimension without a field, or whose field has another code.
        """
        codes: dict[LineField, Sourced] = {}
        for name, code in dimensions_of(posting, claim_id=claim_id).items():
            field = self.line_fields.get(name)
            if field is None:
                raise _no_place(name, code.field, "no field of a line is named for it", claim_id)
            if field in codes and codes[field].text != code.text:
                why = f"{field} holds {codes[field].text!r} already"
                raise _no_place(name, code.field, why, claim_id)
            codes[field] = code
        return codes

    def currencies(self) -> dict[str, str]:
        """Return the ISO codes by NetSuite's ids, as far as they are known."""
        listed = {
            one.id: one.names["symbol"]
            for one in self.lists.records("currency")
            if "symbol" in one.names
        }
        return listed | {id_: code for code, id_ in self.internal_ids.get("currency", {}).items()}


def find_all(
    match: Mapping[str, str], records: Callable[[str], Iterator[MasterRecord]]
) -> dict[str, dict[str, tuple[MasterRecord, ...]]]:
    """Return the records by field, and by the name that ``match`` says.

    ``records`` gives those of a kind.
    """
    found: dict[str, dict[str, tuple[MasterRecord, ...]]] = {}
    for field, by in match.items():
        if by == EXTERNAL_ID:
            continue
        of_field = found.setdefault(field, {})
        for kind in KINDS[field]:
            for one in map(_shared if kind in _SHARED else _as_listed, records(kind)):
                if name := one.names.get(by, ""):
                    of_field[name] = (*of_field.get(name, ()), one)
    return found


def _shared(record: MasterRecord) -> MasterRecord:
    return msgspec.structs.replace(record, companies=(), company_ids=())


def _as_listed(record: MasterRecord) -> MasterRecord:
    return record


def double(amount: Decimal, field: str, claim_id: str) -> Sourced:
    """Return an amount as ``xsd:double`` carries it unchanged.

    ``field`` is the claim field behind the amount. Raises ClaimError CB-169 if a double would
    change the amount.
    """
    text = f"{amount:f}"
    # XSD 1.0 part 2 §3.2.5: an IEEE 754 double, which keeps 15 decimal digits for certain.
    if len(amount.normalize(EXACT).as_tuple().digits) > _DIGITS:
        raise ClaimError(
            f"{field}: {text} has more than {_DIGITS} digits, but NetSuite takes amounts as "
            "doubles; divide the claim",
            code="CB-169",
            claim_id=claim_id,
        )
    return Sourced(text, field)


def _no_list(kind: str) -> str:
    return f"the ledger has no list of NetSuite's records of the kind {kind}"


def _no_place(name: str, field: str, why: str, claim_id: str) -> ClaimError:
    return ClaimError(
        f"{field}: there is no place for the dimension {name!r}: {why}; name one in the profile's "
        "option dimensions (department, class, location, entity, or a report's customer)",
        code="CB-168",
        claim_id=claim_id,
    )
