"""The taxes in a gross amount: how much of each there is, and how much may be deducted.

Amounts keep the sign of the line (negative on a refund) and its currency. Net and taxes always add
up to the gross amount.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from claimbridge.model.money import EXACT, rounded
from claimbridge.model.proportion import Remainder, divide, per_cent

_ZERO: Final = Decimal(0)
_ONE: Final = Decimal(1)
STATED: Final = "as the invoice states it"


class Levy(msgspec.Struct, frozen=True):
    """One tax in a gross amount.

    ``deducted`` is the part of ``tax`` that may be deducted. It is the tax's ``share``; where share
    is None, the verification of the invoice found it. ``exact`` is the tax before rounding, and
    equal to ``tax`` where the invoice states it. ``rate`` is None where nobody states one.
    ``origin`` says where the tax is from. ``kind`` may choose the tax's account. ``by`` names the
    invoice rule that decided the share. ``base`` is the net amount under the tax; None: the line's.
    """

    tax: Decimal
    deducted: Decimal
    exact: Decimal
    rate: Decimal | None
    share: Decimal | None
    origin: str
    kind: str = ""
    by: str = ""
    base: Decimal | None = None

    @property
    def kept(self) -> Decimal:
        """The part that is not deductible."""
        return EXACT.subtract(self.tax, self.deducted)

    @property
    def exact_deducted(self) -> Decimal:
        """The deductible part of the exact tax."""
        return self.deducted if self.share is None else EXACT.multiply(self.exact, self.share)


class Split(msgspec.Struct, frozen=True):
    """A gross amount and the taxes in it.

    ``net`` is what remains of ``gross`` without them. ``note`` says why a tax that a document
    states is not among them; empty elsewhere. ``beyond`` is the part of the expense beyond a
    legal rate.
    """

    gross: Decimal
    net: Decimal
    levies: tuple[Levy, ...] = ()
    note: str = ""
    beyond: Decimal = Decimal(0)

    @classmethod
    def by(cls, gross: Decimal, levies: tuple[Levy, ...], note: str = "") -> Split:
        """Return the split of ``gross`` by the taxes in it."""
        net = gross
        for levy in levies:
            net = EXACT.subtract(net, levy.tax)
        return cls(gross, net, levies, note)

    def expense(self, *, kept: bool) -> Decimal:
        """Return the expense: net, or with the taxes that are ``kept`` in it."""
        amount = self.net
        if kept:
            for levy in self.levies:
                amount = EXACT.add(amount, levy.kept)
        return amount

    def exact_expense(self, *, kept: bool) -> Decimal:
        """Return the expense as it was before any tax was rounded."""
        amount = self.gross
        for levy in self.levies:
            amount = EXACT.subtract(amount, levy.exact_deducted if kept else levy.exact)
        return amount

    def divide(
        self, gross: Sequence[Decimal], currency: str, remainder: Remainder, *, kept: bool
    ) -> list[Split]:
        """Return the split in parts whose gross amounts are given.

        Every tax, what is deductible of it, and what is beyond a legal rate add up to the whole's.
        No part has more of them than it has room for: nothing changes its sign.
        """
        room = list(gross)
        levies: list[list[Levy]] = [[] for _ in gross]
        for levy in self.levies:
            taxes = divide(levy.tax, room, currency, remainder)
            deducted = divide(levy.deducted, taxes, currency, remainder)
            bases = divide(levy.base or _ZERO, gross, currency, remainder)
            for number, tax in enumerate(taxes):
                room[number] = EXACT.subtract(room[number], tax)
                base = None if levy.base is None else bases[number]
                part = msgspec.structs.replace(levy, tax=tax, deducted=deducted[number], base=base)
                levies[number].append(part)
        parts = [
            Split(amount, net, tuple(taxes), self.note)
            for amount, net, taxes in zip(gross, room, levies, strict=True)
        ]
        if not self.beyond:
            return parts
        expenses = [part.expense(kept=kept) for part in parts]
        beyond = divide(self.beyond, expenses, currency, remainder)
        return [
            msgspec.structs.replace(part, beyond=amount)
            for part, amount in zip(parts, beyond, strict=True)
        ]


def share_of(stated: Decimal | None, by_kind: Decimal | None, by_row: Decimal | None) -> Decimal:
    """Return the deductible share of a tax: the one that the claim states, if it does.

    Otherwise the smaller of what the document's kind and the expense row allow: a special invoice
    does not make entertainment deductible. None: that one says nothing. Where neither says
    anything, nothing is deductible.
    """
    if stated is not None:
        return stated
    if by_kind is None:
        return by_row or _ZERO
    return by_kind if by_row is None else min(by_kind, by_row)


def stated_levy(
    tax: Decimal,
    share: Decimal,
    currency: str,
    *,
    rate: Decimal | None,
    kind: str = "",
    by: str = "",
) -> Levy:
    """Return a tax that an invoice states, ``share`` of which may be deducted."""
    deducted = rounded(EXACT.multiply(tax, share), currency)
    return Levy(tax, deducted, tax, rate, share, STATED, kind, by)


def contained_levy(
    gross: Decimal, share: Decimal, currency: str, *, rate: Decimal, by: str = ""
) -> Levy:
    """Return the tax that ``gross`` contains at ``rate``, rounded half up."""
    exact = EXACT.divide(EXACT.multiply(gross, rate), EXACT.add(_ONE, rate))
    tax = rounded(exact, currency)
    deducted = rounded(EXACT.multiply(tax, share), currency)
    return Levy(tax, deducted, exact, rate, share, f"contained at {per_cent(rate)}", by=by)


__all__ = ["STATED", "Levy", "Split", "contained_levy", "share_of", "stated_levy"]
