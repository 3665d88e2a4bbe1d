"""What a line's supporting documents say about the tax in it, by the chart's rules for their kinds.

A document bears on tax when it states one, when its verification found a deductible one, or when
the chart has a rule for its kind. What line and documents state must agree: a contradiction is
refused. So is a tax that could be divided between documents in more than one way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

import msgspec

from claimbridge.errors import MappingError
from claimbridge.mapping.chart.rows import ExpenseRow
from claimbridge.mapping.chart.rules import InvoiceRule
from claimbridge.mapping.taxes.levies import (
    STATED,
    Levy,
    Split,
    contained_levy,
    share_of,
    stated_levy,
)
from claimbridge.model import Claim, ClaimLine, SupportingDocument
from claimbridge.model.claim_path import ClaimPath
from claimbridge.model.money import EXACT, summed

_ZERO: Final = Decimal(0)
_NOTHING: Final[frozenset[tuple[str, str]]] = frozenset()


class TaxedDocument(NamedTuple):
    """A document that bears on tax, and the chart's rule for its kind; None: there is none.

    The figures of a document on several lines of the claim are left out: no line may take them for
    its own. Where they would be needed, the document ``is_shared``.
    """

    document: SupportingDocument
    rule: InvoiceRule | None
    is_shared: bool = False

    @property
    def untaxed(self) -> bool:
        """Whether its tax counts as none."""
        return self.rule is not None and self.rule.none

    @property
    def treatment(self) -> tuple[bool, Decimal | None]:
        """What the chart says of its tax: whether it is none, and its share; None: the row's."""
        return (False, None) if self.rule is None else (self.rule.none, self.rule.deductible)


class DocumentRules:
    """The chart's rules for kinds of documents, as they apply to one claim."""

    def __init__(self, rules: Mapping[str, InvoiceRule], claim: Claim) -> None:
        self._rules = rules
        self._shared = _on_several_lines(claim)

    def on_line(self, line: ClaimLine, path: ClaimPath) -> list[TaxedDocument]:
        """Return the documents of a line that bear on tax; CB-123 for one that is there twice.

        Two without a number, such as tickets, are not known to be one.
        """
        bearing = [
            document
            for document in line.documents
            if document.tax is not None
            or document.deductible_tax is not None
            or document.kind in self._rules
        ]
        if len(bearing) > 1:
            _check_once(bearing, path)
        return [self._with_rule(document, alone=len(bearing) == 1) for document in bearing]

    def _with_rule(self, document: SupportingDocument, *, alone: bool) -> TaxedDocument:
        rule = self._rules.get(document.kind)
        if (document.code, document.number) not in self._shared:
            return TaxedDocument(document, rule)
        stated = document.tax is not None or document.deductible_tax is not None
        bare = msgspec.structs.replace(
            document, amount=None, tax=None, deductible_tax=None, fare=None
        )
        # A tax computed from the fare is computed from each line's own amount instead.
        return TaxedDocument(bare, rule, is_shared=stated or not alone)


def _check_once(documents: Sequence[SupportingDocument], path: ClaimPath) -> None:
    seen: set[tuple[str, str]] = set()
    for document in documents:
        identity = document.code, document.number
        if document.number and identity in seen:
            raise MappingError(
                f"{path}: document {document.number} stands on it twice, and its tax would be "
                "deducted twice; leave one of them out",
                code="CB-123",
            )
        seen.add(identity)


def _on_several_lines(claim: Claim) -> frozenset[tuple[str, str]]:
    """Return the documents, by code and number, that stand on several lines.

    A document of which each line says its part is not among them: its figures are that part's.
    """
    documented = [line.documents for line in claim.lines if line.documents]
    if len(documented) < 2:
        return _NOTHING
    lines = Counter(
        identity
        for documents in documented
        for identity in {(d.code, d.number) for d in documents if d.number and d.total is None}
    )
    return frozenset(identity for identity, count in lines.items() if count > 1)


class DocumentedLine(NamedTuple):
    """A line whose documents bear on its tax, and the row that answers for it."""

    line: ClaimLine
    row: ExpenseRow
    currency: str
    path: ClaimPath
    documents: Sequence[TaxedDocument]

    def split(self) -> Split:
        """Return the line's amount and the taxes in it.

        Raises MappingError: CB-123 for what contradicts itself, CB-124 for what can be divided in
        more than one way.
        """
        line, documents = self.line, self.documents
        self._check_agreement()
        untaxed = [taxed for taxed in documents if taxed.untaxed]
        if len(untaxed) == len(documents):
            self._check_nothing_deductible()
            return Split(line.amount, line.amount, note=_note(untaxed))
        self._check_shared()
        if line.taxes:
            levies = self._of_taxes()
        elif line.tax is not None and any(taxed.document.tax is None for taxed in documents):
            levies = [self._of_whole(line.tax)]
        else:
            single = map(self._of_document, documents)
            levies = _join([levy for levy in single if levy is not None])
        self._check_fit(levies)
        return Split.by(line.amount, tuple(levies), _note(untaxed) if untaxed else "")

    def _check_agreement(self) -> None:
        """Refuse documents whose taxes are not what the line states."""
        line = self.line
        if line.tax is None and not line.taxes:
            return
        own = summed(tax.amount for tax in line.taxes) if line.tax is None else line.tax
        stated, complete = sum_of_taxes(self.documents)
        if (complete and stated != own) or stated.copy_abs() > own.copy_abs():
            raise MappingError(
                f"{self.path}: the line states tax {own}, its documents {stated}; fix one of them",
                code="CB-123",
            )

    def _check_nothing_deductible(self) -> None:
        """Refuse a line that calls tax deductible where all documents count as having none."""
        if self.line.deductible or any(tax.deductible for tax in self.line.taxes):
            raise MappingError(
                f"{self.path}: the claim says that tax is deductible, and "
                f"{_labels(self.documents)} that there is none; fix the document's kind or leave "
                "out deductible",
                code="CB-123",
            )

    def _check_shared(self) -> None:
        """Refuse a line without a tax of its own whose document stands on other lines too."""
        if self.line.tax is not None or self.line.taxes:
            return
        for taxed in self.documents:
            if taxed.is_shared and not taxed.untaxed:
                raise MappingError(
                    f"{self.path}: document {taxed.document.number} stands on other lines too; "
                    "state on each the tax that is its own, or it would be deducted twice",
                    code="CB-124",
                )

    def _check_fit(self, levies: Sequence[Levy]) -> None:
        """Refuse the taxes of documents that a line of this amount cannot contain."""
        total, amount = _ZERO, self.line.amount
        for levy in levies:
            total = EXACT.add(total, levy.tax)
            if not _within(levy.deducted, levy.tax):
                raise MappingError(
                    f"{self.path}: {levy.deducted} of tax {levy.tax} cannot be deductible; fix tax "
                    "or deductible_tax of its documents",
                    code="CB-123",
                )
        if not (_within(total, amount) and all(_within(levy.tax, amount) for levy in levies)):
            raise MappingError(
                f"{self.path}: its documents have tax {total}, which does not fit amount {amount}: "
                "it must have the amount's sign and not exceed it",
                code="CB-123",
            )

    def _of_taxes(self) -> list[Levy]:
        """Return the taxes that the line states one by one."""
        alike = are_alike(self.documents)
        levies = []
        for tax in self.line.taxes:
            if tax.deductible is None and not alike:
                raise cannot_divide(self.path, self.documents)
            levies.append(
                stated_levy(
                    tax.amount,
                    self._share(tax.deductible, self.documents[0].rule),
                    self.currency,
                    rate=tax.rate,
                    kind=tax.kind,
                    by=self._rules_behind(self.documents, tax.deductible),
                )
            )
        check_verified(self.path, self.documents, levies)
        return levies

    def _of_whole(self, tax: Decimal) -> Levy:
        """Return the line's tax, where not every document says which part of it is its own."""
        line, documents = self.line, self.documents
        verified = [taxed.document.deductible_tax for taxed in documents]
        if any(amount is not None for amount in verified):
            if None in verified:
                raise cannot_divide(self.path, documents)
            deducted = summed(amount for amount in verified if amount is not None)
            return Levy(tax, deducted, tax, self._rate(None), None, STATED)
        if not are_alike(documents) and (
            line.deductible is None or any(taxed.untaxed for taxed in documents)
        ):
            raise cannot_divide(self.path, documents)
        return stated_levy(
            tax,
            self._share(line.deductible, documents[0].rule),
            self.currency,
            rate=self._rate(documents[0].rule),
            by=self._rules_behind(documents, line.deductible),
        )

    def _of_document(self, taxed: TaxedDocument) -> Levy | None:
        """Return the tax of one document; None where it has none, or counts as having none."""
        document, alone = taxed.document, len(self.documents) == 1
        if taxed.untaxed:
            return None
        fare = document.amount if document.fare is None else document.fare
        if fare is None and alone:
            fare = self.line.amount
        levy = self._levy_before_verification(taxed, fare)
        if levy is not None and document.deductible_tax is not None:
            # The verified tax is the better figure where ours was computed, and is smaller.
            tax = max(levy.tax, document.deductible_tax, key=Decimal.copy_abs)
            levy = msgspec.structs.replace(
                levy, tax=tax, deducted=document.deductible_tax, share=None
            )
        if levy is None or alone or fare is None:
            return levy
        return msgspec.structs.replace(levy, base=EXACT.subtract(fare, levy.tax))

    def _levy_before_verification(self, taxed: TaxedDocument, fare: Decimal | None) -> Levy | None:
        """Return the tax that a document states, or that its fare contains; None where neither."""
        document, rule = taxed.document, taxed.rule
        rate = self._rate(rule)
        share = self._share(self.line.deductible, rule)
        by = self._rules_behind([taxed], self.line.deductible)
        if document.tax is not None:
            return stated_levy(document.tax, share, self.currency, rate=rate, by=by)
        if rate and fare is not None:
            levy = contained_levy(fare, share, self.currency, rate=rate, by=by)
            if rule is None or rule.tax_rate is None or self.line.tax_rate is not None:
                return levy
            return msgspec.structs.replace(levy, origin=f"{levy.origin} by {rule.label}")
        if document.deductible_tax is not None:
            return stated_levy(document.deductible_tax, share, self.currency, rate=rate, by=by)
        return None

    def _share(self, stated: Decimal | None, rule: InvoiceRule | None) -> Decimal:
        return share_of(stated, rule.deductible if rule else None, self.row.deductible)

    def _rate(self, rule: InvoiceRule | None) -> Decimal | None:
        if self.line.tax_rate is not None:
            return self.line.tax_rate
        return self.row.tax_rate if rule is None or rule.tax_rate is None else rule.tax_rate

    def _rules_behind(self, documents: Sequence[TaxedDocument], stated: Decimal | None) -> str:
        """Return the rules that decided what is deductible; "" where the claim or the row did."""
        allowed, by_row = documents[0].treatment[1], self.row.deductible
        if stated is not None or allowed is None:
            return ""
        return "" if by_row is not None and by_row < allowed else _labels(documents)


def check_verified(
    path: ClaimPath, documents: Sequence[TaxedDocument], levies: Sequence[Levy]
) -> None:
    """Refuse taxes whose deductible parts are not what the documents' verification found."""
    amounts = [taxed.document.deductible_tax for taxed in documents]
    verified = summed(amount for amount in amounts if amount is not None)
    deducted = summed(levy.deducted for levy in levies)
    if None not in amounts and verified != deducted:
        raise MappingError(
            f"{path}: {deducted} of its tax would be deducted, and the verification of its "
            f"documents found {verified} deductible; state how much of each tax is",
            code="CB-123",
        )


def sum_of_taxes(documents: Sequence[TaxedDocument]) -> tuple[Decimal, bool]:
    """Return the sum of the taxes that documents state, and whether all of them state one."""
    taxes = [taxed.document.tax for taxed in documents if taxed.document.tax is not None]
    return summed(taxes), len(taxes) == len(documents)


def are_alike(documents: Sequence[TaxedDocument]) -> bool:
    """Whether the chart treats all documents in one way."""
    return len({taxed.treatment for taxed in documents}) == 1


def cannot_divide(path: ClaimPath, documents: Sequence[TaxedDocument]) -> MappingError:
    """Return the error CB-124: nothing says how much of which tax is deductible."""
    kinds = ", ".join(dict.fromkeys(taxed.document.kind for taxed in documents))
    return MappingError(
        f"{path}: its documents ({kinds}) are treated differently, and not all of them state "
        "their tax; state tax and, where it was verified, deductible_tax on each",
        code="CB-124",
    )


def _join(levies: Sequence[Levy]) -> list[Levy]:
    """Return the taxes with those added up that are treated alike."""
    alike: dict[tuple[object, ...], Levy] = {}
    for levy in levies:
        treatment = levy.rate, levy.share, levy.origin, levy.by
        earlier = alike.get(treatment)
        alike[treatment] = levy if earlier is None else _sum(earlier, levy)
    if len(alike) == 1:  # its base is the line's net amount
        return [msgspec.structs.replace(levy, base=None) for levy in alike.values()]
    return list(alike.values())


def _sum(levy: Levy, other: Levy) -> Levy:
    base = None
    if levy.base is not None and other.base is not None:
        base = EXACT.add(levy.base, other.base)
    return msgspec.structs.replace(
        levy,
        tax=EXACT.add(levy.tax, other.tax),
        deducted=EXACT.add(levy.deducted, other.deducted),
        exact=EXACT.add(levy.exact, other.exact),
        base=base,
    )


def _note(untaxed: Sequence[TaxedDocument]) -> str:
    return f"{_labels(untaxed)}: tax stays in the expense"


def _labels(documents: Sequence[TaxedDocument]) -> str:
    return ", ".join(dict.fromkeys(taxed.rule.label for taxed in documents if taxed.rule))


def _within(part: Decimal, whole: Decimal) -> bool:
    """Whether a part has the sign of its whole, and is not larger."""
    fits = not part or part.is_signed() == whole.is_signed()
    return fits and part.copy_abs() <= whole.copy_abs()


__all__ = [
    "DocumentRules",
    "DocumentedLine",
    "TaxedDocument",
    "are_alike",
    "cannot_divide",
    "check_verified",
    "sum_of_taxes",
]
