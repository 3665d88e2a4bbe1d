"""A document of Hesi's becomes a claim, by a company's field map.

What is wrong with a form is said in its own words: the document's number, which detail, the field's
label.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from claimbridge.errors import ClaimError
from claimbridge.model import Advance, Allocation, Claim, ClaimLine, Payee, SupportingDocument
from claimbridge.model.claim_lines import converted
from claimbridge.model.money import EXACT, summed
from claimbridge.sources.hesi.api.http import JsonObject
from claimbridge.sources.hesi.forms.fields import LISTS, SEVERAL_PAYEES, Field, FieldMap
from claimbridge.sources.hesi.forms.log import approval, revision
from claimbridge.sources.hesi.forms.reader import FormReader, in_currency
from claimbridge.sources.hesi.forms.values import FormMoney, FormValues, invoice_id
from claimbridge.sources.hesi.forms.words import FormWords

_LINE_TEXTS: Final = ("type", "unit", "company", "cost_centre", "department", "project", "text")
_LINE_NUMBERS: Final = ("tax_rate", "deductible", "quantity")
_INVOICE_TEXTS: Final = ("kind", "number", "code", "seller", "uri")


class Translation:
    """The work on one document: its form becomes a claim."""

    def __init__(
        self, fields: FieldMap, values: FormValues, form: Mapping[str, Any], document: JsonObject
    ) -> None:
        self._map = fields
        self._values = values
        self._read = FormReader(fields, values)
        self._form = form
        self._document = document

    def claim(self) -> Claim:
        """Return the claim; raises ClaimError for what cannot be read, or cannot be a claim."""
        total = self._read.money("claim", "total", self._form)
        assert total is not None  # it is required
        lines = tuple(
            self._line(detail, f"detail {number}", total.currency)
            for number, detail in enumerate(self._read.parts("line", self._form, ""), start=1)
        )
        if not lines:
            raise ClaimError(
                f"the form has no 消费明细 ({LISTS['line']}): there is nothing to post",
                code="CB-519",
            )
        lines = self._with_payer(lines, total)
        advances = self._advances(total.currency)
        self._check_total(lines, total)
        when, who = approval(self._document)
        fields: dict[str, Any] = {
            name: self._read.text("claim", name, self._form)
            for name in (
                "id", "title", "company", "employee", "employee_name", "department",
                "cost_centre", "country", "grade",
            )
        }  # fmt: skip
        return self._create(
            revision=revision(self._document),
            currency=total.currency,
            total=total.amount,
            lines=lines,
            posting_date=self._read.day("claim", "posting_date", self._form),
            approved_at=self._values.moment(when),
            approver=self._map.tables.get("employees", {}).get(who, who)[:200],
            dimensions=self._read.dimensions("claim", self._form),
            advances=advances,
            payees=self._payees(total.currency),
            **fields,
        )

    def _line(self, detail: Mapping[str, Any], where: str, currency: str) -> ClaimLine:
        money = self._read.money("line", "amount", detail, where)
        assert money is not None  # it is required
        if money.currency != currency:
            raise ClaimError(
                f"{self._read.place('line', 'amount', where)} is kept in {money.currency}, and the "
                f"form in {currency}; fix the form",
                code="CB-521",
            )
        spent = money.foreign_currency or money.currency
        day = self._read.day("line", "date", detail, where)
        assert day is not None  # it is required
        section = self._map.sections["line"]
        payment = self._read.text("line", "payment", detail, where) or "employee"
        if payment not in {"employee", "company_card"}:
            raise ClaimError(
                f"{self._read.place('line', 'payment', where)} becomes {payment[:40]!r}; it must "
                "be employee or company_card: fix the field map's values",
                code="CB-520",
            )
        return ClaimLine(
            date=day,
            amount=money.amount if money.foreign is None else money.foreign,
            currency=money.foreign_currency or None,
            rate=money.rate,
            tax=self._read.amount("line", "tax", detail, where, spent),
            payment="company_card" if payment == "company_card" else "employee",
            personal="personal" in section
            and self._values.switch(section["personal"], detail, where),
            dimensions=self._read.dimensions("line", detail, where),
            allocations=self._allocations(detail, where, spent),
            documents=self._invoices(detail, where, spent),
            **self._line_fields(detail, where),
        )

    def _line_fields(self, detail: Mapping[str, Any], where: str) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for name in _LINE_NUMBERS:
            fields[name] = self._read.number("line", name, detail, where)
        for name in _LINE_TEXTS:
            fields[name] = self._read.text("line", name, detail, where)
        return fields

    def _invoices(
        self, detail: Mapping[str, Any], where: str, spent: str
    ) -> tuple[SupportingDocument, ...]:
        invoices = []
        for number, invoice in enumerate(self._read.parts("invoice", detail, where), start=1):
            place = f"{where}, invoice {number}"
            texts = {
                name: self._read.text("invoice", name, invoice, place) for name in _INVOICE_TEXTS
            }
            amounts: dict[str, Any] = {
                name: self._read.amount("invoice", name, invoice, place, spent)
                for name in ("amount", "tax", "deductible_tax", "fare", "total")
            }
            name_parts = invoice_id(self._read.text("invoice", "id", invoice, place))
            invoices.append(
                SupportingDocument(
                    kind=texts["kind"] or "invoice",
                    id=name_parts.id,
                    number=texts["number"] or name_parts.number,
                    code=texts["code"] or name_parts.code,
                    date=self._read.day("invoice", "date", invoice, place),
                    seller=texts["seller"],
                    uri=texts["uri"],
                    **amounts,
                )
            )
        return tuple(invoices)

    def _allocations(
        self, detail: Mapping[str, Any], where: str, spent: str
    ) -> tuple[Allocation, ...]:
        """Return who bears what: by amount, or by share where one amount is in another currency.

        Hesi keeps the amounts of an allocation in the company's currency.
        """
        parts = [
            (entry, f"{where}, 分摊 {number}")
            for number, entry in enumerate(self._read.parts("allocation", detail, where), start=1)
        ]
        moneys = [self._read.money("allocation", "amount", entry, place) for entry, place in parts]
        amounts = [None if money is None else in_currency(money, spent) for money in moneys]
        by_amount = all(amount is not None for amount in amounts)
        return tuple(
            Allocation(
                amount=amount if by_amount else None,
                share=None if by_amount else self._read.number("allocation", "share", entry, place),
                dimensions=self._read.dimensions("allocation", entry, place),
                **{
                    name: self._read.text("allocation", name, entry, place)
                    for name in ("company", "cost_centre", "department", "project")
                },
            )
            for (entry, place), amount in zip(parts, amounts, strict=True)
        )

    def _with_payer(self, lines: tuple[ClaimLine, ...], total: FormMoney) -> tuple[ClaimLine, ...]:
        """Return the lines, with who paid them as the form's own sum says."""
        company_paid = self._read.money("claim", "company_paid", self._form)
        if company_paid is None:
            return lines
        if "payment" not in self._map.sections["line"] and company_paid.amount:
            if company_paid.amount != total.amount:
                raise ClaimError(
                    f"{self._read.place('claim', 'company_paid')} is {company_paid.amount}, a part "
                    f"of {total.amount}, and the field map does not say which details the company "
                    "paid; add line.payment to it",
                    code="CB-521",
                )
            return tuple(msgspec.structs.replace(line, payment="company_card") for line in lines)
        paid = summed(
            converted(line, total.currency) for line in lines if line.payment != "employee"
        )
        if paid != company_paid.amount:
            raise ClaimError(
                f"the details that the company paid add up to {paid} {total.currency}, and "
                f"{self._read.place('claim', 'company_paid')} says {company_paid.amount}; "
                "fix the form",
                code="CB-521",
            )
        return lines

    def _check_total(self, lines: tuple[ClaimLine, ...], total: FormMoney) -> None:
        sum_of_lines = summed(converted(line, total.currency) for line in lines)
        if sum_of_lines != total.amount:
            raise ClaimError(
                f"the {len(lines)} details add up to {sum_of_lines} {total.currency}, and "
                f"{self._read.place('claim', 'total')} says {total.amount}; fix the form",
                code="CB-108",
            )
        to_pay = self._read.money("claim", "to_pay", self._form)
        if to_pay is None:
            return
        rest = total.amount
        for name in ("company_paid", "written_off"):
            part = self._read.money("claim", name, self._form)
            rest = EXACT.subtract(rest, part.amount if part else Decimal(0))
        if rest != to_pay.amount:
            raise ClaimError(
                f"{self._read.place('claim', 'to_pay')} says {to_pay.amount} {total.currency}, and "
                f"{rest} remains of {self._read.place('claim', 'total')}; fix the form",
                code="CB-521",
            )

    def _advances(self, currency: str) -> tuple[Advance, ...]:
        advances = []
        for number, record in enumerate(self._read.parts("advance", self._form, ""), start=1):
            place = f"核销 {number}"
            settled = self._read.bare("advance", "settled", record, place, currency)
            if settled:
                returned = self._read.bare("advance", "returned", record, place, currency)
                advances.append(
                    Advance(
                        reference=self._read.text("advance", "reference", record, place),
                        settled=settled,
                        returned=returned or Decimal(0),
                    )
                )
        written_off = self._read.money("claim", "written_off", self._form)
        total = summed(advance.settled for advance in advances)
        if written_off is not None and written_off.amount != total:
            raise ClaimError(
                f"the 核销 records add up to {total} {currency}, and "
                f"{self._read.place('claim', 'written_off')} says {written_off.amount}; fix the "
                "form",
                code="CB-521",
            )
        return tuple(advances)

    def _payees(self, currency: str) -> tuple[Payee, ...]:
        """Return who is paid; none stands for the employee."""
        several = self._values.switch(Field(field=SEVERAL_PAYEES, type="switch"), self._form)
        if not several:
            return ()
        payees: dict[str, Payee] = {}
        for number, plan in enumerate(self._read.parts("payee", self._form, ""), start=1):
            place = f"支付计划 {number}"
            partner = self._read.text("payee", "partner", plan, place)
            amount = self._read.bare("payee", "amount", plan, place, currency) or Decimal(0)
            if partner in payees:  # 按明细: one entry for each detail
                amount = EXACT.add(payees[partner].amount, amount)
            name = self._read.text("payee", "name", plan, place)
            payees[partner] = Payee(partner=partner, amount=amount, name=name)
        return tuple(payee for payee in payees.values() if payee.amount)

    def _create(self, **fields: Any) -> Claim:
        """Return the claim; where a claim refuses a field, the error names the form's field."""
        try:
            return Claim(**fields)
        except ClaimError as error:
            error.message = FormWords(self._map).of_refusal(error.message)
            error.args = (error.message,)
            raise
