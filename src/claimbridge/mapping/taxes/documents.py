"""What a line's supporting documents say about the tax in it, by the chart's rules for their kinds.

A document bears on tax when it states one, when its verification found a deductible one, or when
the chart has a rule for its kind. What line and documents state must agree: a contradiction is
refused, and so is a tax that could be divided between documents in more than one way.
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
from claimbridge.mapping.claim_path import ClaimPath
from claimbridge.mapping.taxes.levies import STATED, Levy, contained, levied, share_of
from claimbridge.model import Claim, ClaimLine, SupportingDocument
from claimbridge.model.money import EXACT, summed

_ZERO: Final = Decimal(0)
_NOTHING: Final[frozenset[tuple[str, str]]] = frozenset()


class Paper(NamedTuple):
    """A document that bears on tax, and the chart's rule for its kind; None: there is none.

    The figures of one that stands on several lines of the claim are left out, for none of these
    may take them for its own; where they would be needed, it ``is_shared``.
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


class Invoices:
    """A claim's documents by the chart's rules for their kinds."""

    def __init__(self, rules: Mapping[str, InvoiceRule], claim: Claim) -> None:
        self._rules = rules
        self._shared = _shared(claim)

    def papers(self, documents: Sequence[SupportingDocument], place: ClaimPath) -> list[Paper]:
        """Return those of a line's documents that bear on tax; CB-123 for one that is there twice.

        Two without a number, such as tickets, are not known to be one.
        """
        bearing = [
            document
            for document in documents
            if document.tax is not None
            or document.deductible_tax is not None
            or document.kind in self._rules
        ]
        if len(bearing) > 1:
            _check_once(bearing, place)
        return [self._paper(document, alone=len(bearing) == 1) for document in bearing]

    def _paper(self, document: SupportingDocument, *, alone: bool) -> Paper:
        rule = self._rules.get(document.kind)
        if (document.code, document.number) not in self._shared:
            return Paper(document, rule)
        stated = document.tax is not None or document.deductible_tax is not None
        bare = msgspec.structs.replace(
            document, amount=None, tax=None, deductible_tax=None, fare=None
        )
        # A tax computed from the fare is computed from each line's own amount instead.
        return Paper(bare, rule, is_shared=stated or not alone)


def _check_once(documents: Sequence[SupportingDocument], place: ClaimPath) -> None:
    seen: set[tuple[str, str]] = set()
    for document in documents:
        named = document.code, document.number
        if document.number and named in seen:
            raise MappingError(
                f"{place}: document {document.number} stands on it twice, and its tax would be "
                "deducted twice; leave one of them out",
                code="CB-123",
            )
        seen.add(named)


def _shared(claim: Claim) -> frozenset[tuple[str, str]]:
    """Return the documents, by code and number, that stand on several lines.

    Not those of which each line says its part: their figures are that part's.
    """
    documented = [line.documents for line in claim.lines if line.documents]
    if len(documented) < 2:
        return _NOTHING
    counted = Counter(
        named
        for documents in documented
        for named in {
            (one.code, one.number) for one in documents if one.number and one.total is None
        }
    )
    return frozenset(named for named, lines in counted.items() if lines > 1)


def levies_of(
    line: ClaimLine, row: ExpenseRow, currency: str, place: ClaimPath, papers: Sequence[Paper]
) -> tuple[tuple[Levy, ...], str]:
    """Return the taxes of a line with documents, and the note for its split.

    Raises MappingError CB-123 for what contradicts itself, CB-124 for what can be divided in more
    than one way.
    """
    _check_agreement(line, place, papers)
    if all(paper.untaxed for paper in papers):
        return (), _untaxed(line, place, papers)
    shared = [paper.document.number for paper in papers if paper.is_shared and not paper.untaxed]
    if shared and line.tax is None and not line.taxes:
        raise MappingError(
            f"{place}: document {shared[0]} stands on other lines too; state on each the tax that "
            "is its own, or it would be deducted twice",
            code="CB-124",
        )
    if line.taxes:
        levies = _of_taxes(line, row, currency, place, papers)
    elif line.tax is not None and any(paper.document.tax is None for paper in papers):
        levies = [_of_whole(line, row, currency, place, papers)]
    else:
        found = [_of_paper(line, row, currency, paper, alone=len(papers) == 1) for paper in papers]
        levies = _joined([levy for levy in found if levy is not None])
    _check_fit(line, place, levies)
    untaxed = [paper for paper in papers if paper.untaxed]
    return tuple(levies), f"{_labels(untaxed)}: tax stays in the expense" if untaxed else ""


def _untaxed(line: ClaimLine, place: ClaimPath, papers: Sequence[Paper]) -> str:
    if line.deductible or any(tax.deductible for tax in line.taxes):
        raise MappingError(
            f"{place}: the claim says that tax is deductible, and {_labels(papers)} that there is "
            "none; mend the document's kind or leave out deductible",
            code="CB-123",
        )
    return f"{_labels(papers)}: tax stays in the expense"


def _labels(papers: Sequence[Paper]) -> str:
    return ", ".join(dict.fromkeys(paper.rule.label for paper in papers if paper.rule))


def _decided_by(papers: Sequence[Paper], stated: Decimal | None, row: ExpenseRow) -> str:
    """Return the rules that decided what is deductible; "" where the claim or the row did."""
    allowed = papers[0].treatment[1]
    if stated is not None or allowed is None:
        return ""
    return "" if row.deductible is not None and row.deductible < allowed else _labels(papers)


def stated_tax(papers: Sequence[Paper]) -> tuple[Decimal, bool]:
    """Return the sum of the taxes that documents state, and whether all of them state one."""
    taxes = [paper.document.tax for paper in papers if paper.document.tax is not None]
    return summed(taxes), len(taxes) == len(papers)


def _check_agreement(line: ClaimLine, place: ClaimPath, papers: Sequence[Paper]) -> None:
    """Refuse documents whose taxes are not what the line states."""
    if line.tax is None and not line.taxes:
        return
    own = summed(tax.amount for tax in line.taxes) if line.tax is None else line.tax
    stated, complete = stated_tax(papers)
    if (complete and stated != own) or stated.copy_abs() > own.copy_abs():
        raise MappingError(
            f"{place}: the line states tax {own}, its documents {stated}; mend one of them",
            code="CB-123",
        )


def _check_fit(line: ClaimLine, place: ClaimPath, levies: Sequence[Levy]) -> None:
    """Refuse the taxes of documents that a line of this amount cannot contain."""
    total = _ZERO
    for levy in levies:
        total = EXACT.add(total, levy.tax)
        if not _within(levy.deducted, levy.tax):
            raise MappingError(
                f"{place}: {levy.deducted} of tax {levy.tax} cannot be deductible; mend tax or "
                "deductible_tax of its documents",
                code="CB-123",
            )
    amount = line.amount
    if not (_within(total, amount) and all(_within(levy.tax, amount) for levy in levies)):
        raise MappingError(
            f"{place}: its documents have tax {total}, which does not fit amount {amount}: it must "
            "have the amount's sign and not exceed it",
            code="CB-123",
        )


def _within(part: Decimal, whole: Decimal) -> bool:
    """Whether a part has the sign of its whole, and is not larger."""
    fits = not part or part.is_signed() == whole.is_signed()
    return fits and part.copy_abs() <= whole.copy_abs()


def _of_taxes(
    line: ClaimLine, row: ExpenseRow, currency: str, place: ClaimPath, papers: Sequence[Paper]
) -> list[Levy]:
    alike = are_alike(papers)
    levies = []
    for tax in line.taxes:
        own = tax.deductible
        if own is None and not alike:
            raise undivided(place, papers)
        levies.append(
            levied(
                tax.amount,
                share_of(own, papers[0].treatment[1], row.deductible),
                currency,
                rate=tax.rate,
                kind=tax.kind,
                by=_decided_by(papers, own, row),
            )
        )
    check_verified(place, papers, levies)
    return levies


def check_verified(place: ClaimPath, papers: Sequence[Paper], levies: Sequence[Levy]) -> None:
    """Refuse taxes whose deductible parts are not what the documents' verification found."""
    found = [paper.document.deductible_tax for paper in papers]
    verified = summed(one for one in found if one is not None)
    deducted = summed(levy.deducted for levy in levies)
    if None not in found and verified != deducted:
        raise MappingError(
            f"{place}: {deducted} of its tax would be deducted, and the verification of its "
            f"documents found {verified} deductible; state how much of each tax is",
            code="CB-123",
        )


def _of_whole(
    line: ClaimLine, row: ExpenseRow, currency: str, place: ClaimPath, papers: Sequence[Paper]
) -> Levy:
    """Return the line's tax, where not every document says which part of it is its own."""
    assert line.tax is not None  # the caller looked
    found = [paper.document.deductible_tax for paper in papers]
    if any(one is not None for one in found):
        if None in found:
            raise undivided(place, papers)
        verified = summed(one for one in found if one is not None)
        rate = row.tax_rate if line.tax_rate is None else line.tax_rate
        return Levy(line.tax, verified, line.tax, rate, None, STATED)
    if not are_alike(papers) and (
        line.deductible is None or any(paper.untaxed for paper in papers)
    ):
        raise undivided(place, papers)
    return levied(
        line.tax,
        share_of(line.deductible, papers[0].treatment[1], row.deductible),
        currency,
        rate=_rate(line, row, papers[0].rule),
        by=_decided_by(papers, line.deductible, row),
    )


def _of_paper(
    line: ClaimLine, row: ExpenseRow, currency: str, paper: Paper, *, alone: bool
) -> Levy | None:
    """Return the tax of one document; None where it has none, or counts as having none."""
    document, rule = paper.document, paper.rule
    if paper.untaxed:
        return None
    rate = _rate(line, row, rule)
    share = share_of(line.deductible, rule.deductible if rule else None, row.deductible)
    by = _decided_by([paper], line.deductible, row)
    fare = document.amount if document.fare is None else document.fare
    if fare is None and alone:
        fare = line.amount
    if document.tax is not None:
        levy = levied(document.tax, share, currency, rate=rate, by=by)
    elif rate and fare is not None:
        levy = contained(fare, share, currency, rate=rate, by=by)
        if rule is not None and rule.tax_rate is not None and line.tax_rate is None:
            levy = msgspec.structs.replace(levy, origin=f"{levy.origin} by {rule.label}")
    elif document.deductible_tax is not None:
        levy = levied(document.deductible_tax, share, currency, rate=rate, by=by)
    else:
        return None
    if document.deductible_tax is not None:
        # Never more than the tax: where that was computed, the verified one is the better figure.
        tax = max(levy.tax, document.deductible_tax, key=Decimal.copy_abs)
        levy = msgspec.structs.replace(levy, tax=tax, deducted=document.deductible_tax, share=None)
    return levy if alone or fare is None else _with_base(levy, fare)


def _with_base(levy: Levy, gross: Decimal) -> Levy:
    return msgspec.structs.replace(levy, base=EXACT.subtract(gross, levy.tax))


def _joined(levies: Sequence[Levy]) -> list[Levy]:
    """Return the taxes with those added up that are treated alike."""
    alike: dict[tuple[object, ...], Levy] = {}
    for levy in levies:
        how = levy.rate, levy.share, levy.origin, levy.by
        held = alike.get(how)
        alike[how] = levy if held is None else _sum(held, levy)
    if len(alike) == 1:  # its base is the line's net amount
        return [msgspec.structs.replace(levy, base=None) for levy in alike.values()]
    return list(alike.values())


def _sum(one: Levy, other: Levy) -> Levy:
    known = one.base is not None and other.base is not None
    return msgspec.structs.replace(
        one,
        tax=EXACT.add(one.tax, other.tax),
        deducted=EXACT.add(one.deducted, other.deducted),
        exact=EXACT.add(one.exact, other.exact),
        base=EXACT.add(one.base or _ZERO, other.base or _ZERO) if known else None,
    )


def are_alike(papers: Sequence[Paper]) -> bool:
    """Whether the chart treats all documents in one way."""
    return len({paper.treatment for paper in papers}) == 1


def undivided(place: ClaimPath, papers: Sequence[Paper]) -> MappingError:
    """Return the error CB-124: it cannot be told what is deductible of which tax."""
    kinds = ", ".join(dict.fromkeys(paper.document.kind for paper in papers))
    return MappingError(
        f"{place}: its documents ({kinds}) are treated differently, and not all of them state "
        "their tax; state tax and, where it was verified, deductible_tax on each",
        code="CB-124",
    )


def _rate(line: ClaimLine, row: ExpenseRow, rule: InvoiceRule | None) -> Decimal | None:
    if line.tax_rate is not None:
        return line.tax_rate
    return row.tax_rate if rule is None or rule.tax_rate is None else rule.tax_rate
