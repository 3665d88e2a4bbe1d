"""Reading one field of a form by its declared type; what is of another type is refused."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from claimbridge.errors import ClaimError
from claimbridge.model.money import EXACT, as_amount, rounded
from claimbridge.sources.hesi.forms.fields import Field, FieldMap

_NEVER: Final = 4_102_444_800_000
"""The year 2100, in milliseconds; Hesi writes ``9007199254740991`` for "no date"."""
_DIGITS: Final = re.compile(r"-?[0-9]{1,15}")
_NUMBER: Final = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?")
_INVOICE_NUMBER: Final = re.compile(r"[0-9]{6,20}")
_INVOICE_CODE: Final = re.compile(r"[0-9]{10,12}")
_DIGITAL: Final = 20
_ZEROS: Final = "00000"
_MOST_DIGITS: Final = 40


class InvoiceId(msgspec.Struct, frozen=True):
    """What Hesi's id of an invoice says: 发票代码 and 发票号码, or only what Hesi knows it by.

    ``id`` is "" where the number tells the invoice from every other.
    """

    code: str = ""
    number: str = ""
    id: str = ""


def invoice_id(text: str) -> InvoiceId:
    """Return what is in Hesi's invoice id, most often ``corporation:code:number``.

    A fully digital invoice (数电票) has a number of twenty digits, and no code. An id of another
    form, such as a train ticket's, holds neither.
    """
    *before, number = text.split(":")
    if not _INVOICE_NUMBER.fullmatch(number):
        return InvoiceId(id=text if number else "")
    if len(number) == _DIGITAL:
        # Hesi had it verified: zeros at its end are its own, and not a spreadsheet's.
        return InvoiceId(number=number, id=text if number.endswith(_ZEROS) else "")
    code = before[-1] if before and _INVOICE_CODE.fullmatch(before[-1]) else ""
    return InvoiceId(code, number, "" if code else text)


class FormMoney(msgspec.Struct, frozen=True):
    """An amount of a form: in the company's currency, and in the foreign one it was spent in.

    ``foreign`` and ``rate`` (one unit of ``foreign_currency`` in ``currency``) are None where it
    was spent in the company's own.
    """

    amount: Decimal
    currency: str
    foreign: Decimal | None = None
    foreign_currency: str = ""
    rate: Decimal | None = None


class FormPlace(msgspec.Struct, frozen=True):
    """Where a value stands, in the words of the form."""

    field: Field
    where: str = ""

    def __str__(self) -> str:
        path = next(filter(None, self.field.paths), "")
        name = f"{self.field.label} ({path})" if self.field.label else path
        return f"{self.where}, {name}" if self.where else name


class FormValues:
    """Reads fields of forms by a field map.

    ``zone`` is where a day begins. ``employees`` is asked for what the table of employees does
    not have; None from it: unknown there too.
    """

    def __init__(
        self,
        fields: FieldMap,
        *,
        zone: ZoneInfo,
        employees: Callable[[str], str | None] | None = None,
    ) -> None:
        self._map = fields
        self._zone = zone
        self._employees = employees

    def raw(self, field: Field, part: object) -> object:
        """Return what stands at the field's path; None where there is nothing."""
        for path in field.paths:
            value: object = part
            for name in path.split("."):
                value = value.get(name) if isinstance(value, Mapping) else None
            if value not in (None, "", [], {}):
                return value
        return None

    def text(self, field: Field, part: object, where: str = "") -> str:
        """Return a field as text; empty where the form has nothing there."""
        if field.value:
            return field.value
        value = self.raw(field, part)
        if value is None:
            return ""
        place = FormPlace(field, where)
        match field.type:
            case "text":
                return _text(value, place)
            case "reference":
                return self._code_of(_reference(value, place), place, None)
            case "person":
                return self._code_of(_reference(value, place), place, self._employees)
            case "choice":
                return _choice(value, place)
            case "switch":
                return "true" if _switch(value, place) else "false"
            case "date":
                day = self._day(value, place)
                return day.isoformat() if day else ""
            case "number" | "percent":
                return str(_number(value, place))
            case _:
                return str(self._money(value, place).amount)

    def number(self, field: Field, part: object, where: str = "") -> Decimal | None:
        """Return a number, a percentage as its fraction; None where there is nothing."""
        value: object = field.value or self.raw(field, part)
        if value is None:
            return None
        number = _number(value, FormPlace(field, where))
        return EXACT.scaleb(number, -2) if field.type == "percent" else number

    def day(self, field: Field, part: object, where: str = "") -> dt.date | None:
        """Return the day of a moment in the form's time zone; None where there is none."""
        value = self.raw(field, part)
        return None if value is None else self._day(value, FormPlace(field, where))

    def switch(self, field: Field, part: object, where: str = "") -> bool:
        """Return a switch; False where the form has nothing there."""
        value: object = field.value or self.raw(field, part)
        return value is not None and _switch(value, FormPlace(field, where))

    def money(self, field: Field, part: object, where: str = "") -> FormMoney | None:
        """Return an amount; None where there is nothing."""
        value = self.raw(field, part)
        if value is None or (isinstance(value, Mapping) and value.get("standard") in (None, "")):
            return None
        return self._money(value, FormPlace(field, where))

    def moment(self, value: object) -> dt.datetime | None:
        """Return a moment of an approval's log; None where it is none."""
        milliseconds = _milliseconds(value)
        if milliseconds is None:
            return None
        return dt.datetime.fromtimestamp(milliseconds / 1000, self._zone)

    def _day(self, value: object, place: FormPlace) -> dt.date | None:
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            raise _other(value, place, "a date (milliseconds)")
        if isinstance(value, str) and not _DIGITS.fullmatch(value):
            raise _other(value, place, "a date (milliseconds)")
        milliseconds = _milliseconds(value)
        if milliseconds is None:
            return None
        return dt.datetime.fromtimestamp(milliseconds // 1000, self._zone).date()

    def _money(self, value: object, place: FormPlace) -> FormMoney:
        if not isinstance(value, Mapping):
            currency = self._currency("", place)
            return FormMoney(_money_in(currency, value, place), currency)
        currency = self._currency(value.get("standardStrCode"), place)
        amount = _money_in(currency, value.get("standard"), place)
        scale = value.get("standardScale")
        if scale is not None and not re.fullmatch(r"[0-9]{1,2}", str(scale)):
            raise _other(scale, place, "money with a whole number as its scale")
        foreign, code = value.get("foreign"), value.get("foreignStrCode")
        if foreign in (None, "") or code in (None, "", currency):
            return FormMoney(amount, currency)
        other = self._currency(code, place)
        spent = _money_in(other, foreign, place)
        rate = _rate(value.get("rate"), amount, spent, currency, place)
        return FormMoney(amount, currency, spent, other, rate)

    def _currency(self, code: object, place: FormPlace) -> str:
        currency = code or self._map.currency
        if not isinstance(currency, str):
            raise _other(code, place, "money with the code of its currency")
        if not currency:
            raise ClaimError(
                f"{place} names no currency; give the field map a currency", code="CB-519"
            )
        return currency

    def _code_of(
        self,
        reference: tuple[str, str],
        place: FormPlace,
        lookup: Callable[[str], str | None] | None,
    ) -> str:
        """Return the ERP's code for a reference, by its id or by its code in Hesi."""
        key, code = reference
        name = place.field.table
        if not name:
            return code or key
        table = self._map.tables.get(name, {})
        entry = table.get(key) or (table.get(code) if code else None)
        if entry is None and lookup is not None:
            entry = lookup(key)
        if entry is None:
            raise ClaimError(
                f"{place}: tables.{name} of the field map does not know {key[:60]!r}; add it with "
                "its code in the ERP",
                code="CB-520",
            )
        return entry


def _text(value: object, place: FormPlace) -> str:
    if not isinstance(value, str):
        raise _other(value, place, "text")
    return value.strip()


def _reference(value: object, place: FormPlace) -> tuple[str, str]:
    """Return the id, and the code where the form has the whole entry; a list may hold one."""
    if isinstance(value, list):
        if len(value) != 1:
            raise ClaimError(
                f"{place} names {len(value)} entries, and a claim takes one; leave one in the form",
                code="CB-518",
            )
        value = value[0]
    if isinstance(value, str):
        return value, ""
    if isinstance(value, Mapping) and isinstance(value.get("id"), str):
        code = value.get("code")
        return value["id"], code.strip() if isinstance(code, str) else ""
    raise _other(value, place, "the id of an entry")


def _choice(value: object, place: FormPlace) -> str:
    choice = _reference(value, place)[0]
    meaning = place.field.values.get(choice)
    if meaning is None:
        raise ClaimError(
            f"{place}: the field map has no value for {choice[:60]!r}; it has: "
            f"{', '.join(sorted(place.field.values))}",
            code="CB-520",
        )
    return meaning


def _switch(value: object, place: FormPlace) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return value == "true"
    raise _other(value, place, "a switch (true or false)")


def _number(value: object, place: FormPlace) -> Decimal:
    return _amount(value, place, "a number")


def _amount(value: object, place: FormPlace, wanted: str) -> Decimal:
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return Decimal(value.strip())
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise _other(value, place, wanted)
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise _other(value, place, wanted) from None
    if not number.is_finite() or abs(number.adjusted()) > _MOST_DIGITS:
        raise _other(value, place, wanted)
    return number


def _money_in(currency: str, value: object, place: FormPlace) -> Decimal:
    return as_amount(_amount(value, place, "money"), currency, what=str(place))


def _rate(
    stated: object, amount: Decimal, foreign: Decimal, currency: str, place: FormPlace
) -> Decimal | None:
    """Return the rate by which the foreign amount becomes the company's, to the cent.

    The vendor's page says that one is the other times the rate.
    """
    if not foreign:
        rate = None if stated in (None, "") else _amount(stated, place, "money with a rate")
        return rate if rate else Decimal(1)
    if stated in (None, ""):
        rate = EXACT.quantize(EXACT.divide(amount, foreign), Decimal("1e-12"))
    else:
        rate = _amount(stated, place, "money with a rate")
    becomes = rounded(EXACT.multiply(foreign, rate), currency)
    if becomes != amount:
        raise ClaimError(
            f"{place}: {foreign} at the rate {rate} is {becomes} {currency}, and the form says "
            f"{amount} {currency}; fix the form",
            code="CB-521",
        )
    return rate


def _milliseconds(value: object) -> int | None:
    """Return a moment in milliseconds; None for Hesi's ways to say that there is none."""
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    if type(value) is not int or not 0 < value < _NEVER:
        return None
    return value


def _other(value: object, place: FormPlace, wanted: str) -> ClaimError:
    return ClaimError(
        f"{place} holds {_kind_name(value)}, where the field map declares {wanted}; fix the map, "
        "or the field in Hesi",
        code="CB-518",
    )


def _kind_name(value: Any) -> str:
    """Return what kind of thing a value is; never the value: it may be anybody's account."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case int() | Decimal():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "a table of values"
