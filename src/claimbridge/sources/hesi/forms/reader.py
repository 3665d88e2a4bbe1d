"""Reading the parts of one form: which field of it fills which field of a claim, and where."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from claimbridge.errors import ClaimError
from claimbridge.sources.hesi.forms.fields import LISTS, Field, FieldMap
from claimbridge.sources.hesi.forms.values import FormMoney, FormPlace, FormValues


class FormReader:
    """Reads the fields that a map declares; ``where`` is the part of the form, in its words.

    Every method raises ClaimError: CB-518 for another type than declared, CB-519 for a required
    field without content, CB-520 for an entry that no table knows, CB-521 for amounts that
    contradict each other.
    """

    def __init__(self, fields: FieldMap, values: FormValues) -> None:
        self._map = fields
        self._values = values

    def parts(self, section: str, part: object, where: str) -> Iterator[Mapping[str, Any]]:
        """Yield the members of a list in the form; none where it is absent."""
        path = LISTS[section].removeprefix("details.")
        label = f"{where}, {path}" if where else path
        entries = self._values.raw(Field(field=path), part)
        if entries is None:
            return
        if not isinstance(entries, list) or not all(
            isinstance(entry, Mapping) for entry in entries
        ):
            raise ClaimError(
                f"{label} is not a list of entries, as Hesi documents it; look at the form",
                code="CB-518",
            )
        yield from entries

    def text(self, section: str, name: str, part: object, where: str = "") -> str:
        """Return a field as text; empty where the form has nothing there."""
        field = self._map.sections[section].get(name)
        text = self._values.text(field, part, where) if field else ""
        if not text and field and field.required:
            raise self._missing(field, where)
        return text

    def number(self, section: str, name: str, part: object, where: str) -> Decimal | None:
        """Return a number; None where the form has nothing there."""
        field = self._map.sections[section].get(name)
        return self._values.number(field, part, where) if field else None

    def day(self, section: str, name: str, part: object, where: str = "") -> dt.date | None:
        """Return a day; None where the form has none."""
        field = self._map.sections[section].get(name)
        day = self._values.day(field, part, where) if field else None
        if day is None and field and field.required:
            raise self._missing(field, where)
        return day

    def money(self, section: str, name: str, part: object, where: str = "") -> FormMoney | None:
        """Return an amount; None where the form has none."""
        field = self._map.sections[section].get(name)
        money = self._values.money(field, part, where) if field else None
        if money is None and field and field.required:
            raise self._missing(field, where)
        return money

    def amount(
        self, section: str, name: str, part: object, where: str, currency: str
    ) -> Decimal | None:
        """Return an amount in the currency of its line; None where the form has none."""
        money = self.money(section, name, part, where)
        if money is None:
            return None
        amount = in_currency(money, currency)
        if amount is None:
            raise ClaimError(
                f"{self.place(section, name, where)} is in {money.currency}, and its detail in "
                f"{currency}; leave it out of the field map, or fix the form",
                code="CB-521",
            )
        return amount

    def bare(
        self, section: str, name: str, part: object, where: str, currency: str
    ) -> Decimal | None:
        """Return an amount that may stand without a currency: it is the form's."""
        field = self._map.sections[section].get(name)
        if field is None:
            return None
        value = self._values.raw(field, part)
        if isinstance(value, Mapping):
            return self.amount(section, name, part, where, currency)
        amount = self._values.number(field, part, where)
        if amount is None and field.required:
            raise self._missing(field, where)
        return amount

    def dimensions(self, section: str, part: object, where: str = "") -> dict[str, str]:
        """Return the further codes of a part, by name."""
        by_name = self._map.dimensions.get(section, {})
        codes = {}
        for name, field in by_name.items():
            text = self._values.text(field, part, where)
            if text:
                codes[name] = text
            elif field.required:
                raise self._missing(field, where)
        return codes

    def place(self, section: str, name: str, where: str = "") -> str:
        """Return where a field of a claim stands in the form."""
        return str(FormPlace(self._map.sections[section][name], where))

    def _missing(self, field: Field, where: str) -> ClaimError:
        return ClaimError(
            f"{FormPlace(field, where)} is empty; fill it in Hesi, or fix the field map",
            code="CB-519",
        )


def in_currency(money: FormMoney, currency: str) -> Decimal | None:
    """Return the amount in one of its two currencies; None where it has another. Zero is zero."""
    if currency == money.currency or not money.amount:
        return money.amount
    return money.foreign if currency == money.foreign_currency else None
