"""Checks on the values of a chart's tables; each refusal names the table or row."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import NoReturn, TypeVar
from zoneinfo import ZoneInfo

from claimbridge.errors import ClaimError, ConfigurationError
from claimbridge.mapping.chart.narration import NarrationTemplate
from claimbridge.mapping.chart.when import When
from claimbridge.model.money import MAX_INTEGER_DIGITS, as_decimal, as_fraction, exponent
from claimbridge.model.text import check_code, check_text, plain
from claimbridge.model.zones import find_zone

_T = TypeVar("_T")


class ValueChecks:
    """Checks the values of one table; ``where`` names it in every refusal.

    Every method raises ConfigurationError, with the ``code`` given unless it says another.
    """

    def __init__(self, where: str, *, code: str = "CB-207") -> None:
        self.where = where
        self._code = code

    def refuse(self, problem: str, *, code: str | None = None) -> NoReturn:
        """Raise the refusal."""
        raise ConfigurationError(f"{self.where}: {problem}", code=code or self._code)

    def text(self, value: object, what: str, limit: int) -> None:
        """Refuse text that is blank, too long or unprintable."""
        self._as_ours(lambda: check_text(value, what, limit, required=True))

    def optional_text(self, value: object, what: str, limit: int) -> None:
        """Refuse text that is too long or unprintable."""
        self._as_ours(lambda: check_text(value, what, limit))

    def code(self, value: object, what: str, limit: int) -> None:
        """Refuse a code that is blank, too long, or holds what a reader cannot see."""
        self._as_ours(lambda: check_code(value, what, limit, required=True))

    def optional_code(self, value: object, what: str, limit: int) -> None:
        """Refuse a code that is too long, or holds what a reader cannot see."""
        self._as_ours(lambda: check_code(value, what, limit))

    def currency(self, value: str, what: str) -> None:
        """Refuse a currency that ISO 4217 does not list."""
        self._as_ours(lambda: exponent(value), prefix=f"{what}: ")

    def fraction(
        self, value: object, what: str, *, low: Decimal = Decimal(0), high: Decimal = Decimal(1)
    ) -> Decimal:
        """Return a rate or share as a Decimal within its bounds."""
        return self._as_ours(lambda: as_fraction(value, what=what, low=low, high=high))

    def bound(self, value: Decimal, what: str) -> None:
        """Refuse a bound that no amount can reach."""
        number = self._as_ours(lambda: as_decimal(value, what=what))
        if number < 0 or number.adjusted() >= MAX_INTEGER_DIGITS:
            self.refuse(f"{what} {number:f} is out of range: amounts are judged without their sign")

    def zone(self, name: str, what: str) -> ZoneInfo:
        """Return a time zone; CB-267 for an unknown name."""
        try:
            return find_zone(name)
        except ValueError as error:
            self.refuse(f"{what} {name[:40]!r} {error}", code="CB-267")

    def expression(self, text: str, what: str) -> When:
        """Return a condition's expression; CB-263 for one that is wrong."""
        try:
            return When.parse(text)
        except ValueError as error:
            self.refuse(f"{what}: {error}", code="CB-263")

    def template(self, text: str, what: str, fields: tuple[str, ...]) -> NarrationTemplate:
        """Return a narration template; CB-209 for an unknown field."""
        self.optional_text(text, what, 500)
        try:
            return NarrationTemplate.parse(text, fields)
        except ValueError as error:
            self.refuse(f"{what}: {error}", code="CB-209")

    def condition(self, values: tuple[str, ...] | None, what: str) -> frozenset[str] | None:
        """Return the values that fit a condition; None: any."""
        if values is None:
            return None
        if not values:
            self.refuse(f"{what} is an empty list, which nothing fits; leave it out for any")
        for value in values:
            self.code(value, what, 64)
        return frozenset(map(plain, values))

    def _as_ours(self, check: Callable[[], _T], *, prefix: str = "") -> _T:
        # The model's checks blame a claim; here the chart is at fault.
        try:
            return check()
        except ClaimError as error:
            raise ConfigurationError(
                f"{self.where}: {prefix}{error.message}", code=self._code
            ) from error
