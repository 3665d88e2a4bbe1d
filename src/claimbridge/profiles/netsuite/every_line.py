"""Department, class and location on every line, where a site makes them mandatory.

What a line without a code gets: a tax that of its expense, what is owed that of the expenses if
all have the same, else the company's default. Nothing is guessed beyond that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec

from claimbridge.errors import ClaimError
from claimbridge.model import Posting, Role, Voucher
from claimbridge.profiles.kit.sourced import OWN_DIMENSIONS, Sourced, claim_field
from claimbridge.profiles.netsuite.codes import Codes, LineField

PlaceField = Literal["department", "class", "location"]
PLACE_FIELDS: Final[tuple[PlaceField, ...]] = ("department", "class", "location")
ALL_COMPANIES: Final = "*"
_SPENT: Final = frozenset({Role.EXPENSE, Role.NON_DEDUCTIBLE_TAX})


class EveryLine(msgspec.Struct, frozen=True, kw_only=True):
    """Which fields every line has, which the head has, and the companies' defaults.

    ``defaults`` are codes by company (``*``: any) and field.
    """

    codes: Codes
    fields: tuple[PlaceField, ...] = ()
    head: tuple[PlaceField, ...] = ()
    defaults: Mapping[str, Mapping[PlaceField, str]] = {}

    def filled(self, voucher: Voucher) -> Voucher:
        """Return the voucher with the codes that its lines lack.

        Raises ClaimError CB-490 for a line that no rule gives a code.
        """
        postings = voucher.postings
        for field in self.fields:
            postings = self._filled(field, postings, voucher)
        return msgspec.structs.replace(voucher, postings=postings) if self.fields else voucher

    def of_head(self, voucher: Voucher) -> dict[PlaceField, Sourced]:
        """Return the codes of the head: those of the expenses if they agree, else the defaults.

        Raises ClaimError CB-490 where there is neither.
        """
        spent = [one for one in voucher.postings if one.role in _SPENT]
        return {field: self._code(field, spent, voucher, where="the head") for field in self.head}

    def _filled(
        self, field: PlaceField, postings: Iterable[Posting], voucher: Voucher
    ) -> tuple[Posting, ...]:
        """Fill the expenses first: what they have decides about the other lines."""
        postings = tuple(
            self._given(field, one, (), voucher) if one.role in _SPENT else one for one in postings
        )
        spent = [one for one in postings if one.role in _SPENT]
        return tuple(
            one if one.role in _SPENT else self._given(field, one, _of_line(one, spent), voucher)
            for one in postings
        )

    def _given(
        self, field: PlaceField, posting: Posting, like: Iterable[Posting], voucher: Voucher
    ) -> Posting:
        if field in self.codes.by_line_field(posting, voucher.claim_id):
            return posting
        where = f"{claim_field(posting, 'amount')} ({posting.role})"
        code = self._code(field, like, voucher, where=where).text
        dimensions = {**posting.dimensions, dimension_for(field, self.codes.line_fields): code}
        return msgspec.structs.replace(posting, dimensions=dimensions)

    def _code(
        self, field: PlaceField, like: Iterable[Posting], voucher: Voucher, *, where: str
    ) -> Sourced:
        found = [self.codes.by_line_field(one, voucher.claim_id).get(field) for one in like]
        codes = {one.text: one for one in found if one is not None}
        if len(codes) == 1 and None not in found:
            return next(iter(codes.values()))
        for company in (voucher.company, ALL_COMPANIES):
            if code := self.defaults.get(company, {}).get(field):
                return Sourced(code, "company")
        raise ClaimError(
            f"{where} has no {field}, which your site wants there, and the expenses do not agree "
            f"on one; give the line one, or name one for {voucher.company} in the profile's option "
            "defaults",
            code="CB-490",
            claim_id=voucher.claim_id,
        )


def dimension_for(field: LineField, line_fields: Mapping[str, LineField]) -> str:
    """Return a dimension that is placed in a field; "" where none is."""
    names = (name for name, at in line_fields.items() if at == field and name not in OWN_DIMENSIONS)
    return next(names, "")


def _of_line(posting: Posting, spent: list[Posting]) -> list[Posting]:
    """Return the expenses that a posting belongs to: of its item, of its line, else all."""
    within, line = posting.source.rpartition(".")[0], posting.source.partition(".")[0]
    of_item = [one for one in spent if within and one.source.rpartition(".")[0] == within]
    return of_item or [one for one in spent if one.source.partition(".")[0] == line] or spent
