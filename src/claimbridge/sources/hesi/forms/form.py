"""A document of Hesi's becomes a claim, by a company's field map.

What a form holds wrong is told in its own words: the document's number, which detail, the field's
label.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from claimbridge.errors import ClaimBridgeError, ClaimError
from claimbridge.model import Advance, Allocation, Claim, ClaimLine, Payee, SupportingDocument
from claimbridge.model.claim_lines import converted
from claimbridge.model.money import EXACT, summed
from claimbridge.sources.hesi.api.http import JsonObject, read_json
from claimbridge.sources.hesi.effects import WAITING, came_and_went_back, waiting_node
from claimbridge.sources.hesi.forms.fields import LISTS, SEVERAL_PAYEES, Field, FieldMap
from claimbridge.sources.hesi.forms.log import approval, revision, states_of, times_at
from claimbridge.sources.hesi.forms.reader import FormReader, in_currency
from claimbridge.sources.hesi.forms.values import FormMoney, FormValues, invoice_id
from claimbridge.sources.hesi.forms.words import FormWords


def documents_in(data: bytes, *, name: str) -> tuple[JsonObject, ...]:
    """Return the documents in saved JSON: one, a list, or an answer of Hesi's (value, items).

    ``name`` is the file's, for the error. Raises ClaimError CB-526 where there is none.
    """
    found = read_json(data)
    if isinstance(found, dict) and "form" not in found:
        found = found.get("items", found.get("value"))
    listed = found if isinstance(found, list) else [found]
    if not listed or not all(isinstance(one, dict) and "form" in one for one in listed):
        raise ClaimError(
            f"{name} holds no document of Hesi's: a JSON object with a form, a list of them, or an "
            "answer of its interface",
            code="CB-526",
        )
    return tuple(listed)


class HesiForms:
    """Reads documents by one field map.

    ``states`` are those in which a document is approved; so is one that waits at ``node``, the
    EBot node of the ledger, where there is one. ``zone`` and ``employees`` are those of
    ``FormValues``.
    """

    def __init__(
        self,
        fields: FieldMap,
        *,
        zone: ZoneInfo,
        states: tuple[str, ...] = ("paid", "archived"),
        node: str = "",
        employees: Callable[[str], str | None] | None = None,
    ) -> None:
        self._map = fields
        self._states = frozenset(states)
        self._node = node
        self._values = FormValues(fields, zone=zone, employees=employees)

    def approved(self, document: JsonObject) -> bool:
        """Tell whether a document is there and approved."""
        if document.get("active") is False:
            return False
        state = str(document.get("state"))
        waits = bool(self._node) and waiting_node(document, self._node) != ""
        return state in self._states or (waits and state == WAITING)

    def was_approved(self, document: JsonObject) -> bool:
        """Tell whether one that is not approved now once was: by where it stands, and its log."""
        went_back = bool(self._node) and came_and_went_back(document, self._node)
        return went_back or not self._states.isdisjoint(states_of(document))

    def occasion(self, document: JsonObject) -> str:
        """Return which time it is that the unchanged form waits at the node; empty the first."""
        times = times_at(document, self._node) if self._node else 0
        return str(times) if times > 1 else ""

    def label(self, document: JsonObject) -> str:
        """Return what people call a document: its number; empty where it has none."""
        form = document.get("form")
        code = form.get("code") if isinstance(form, Mapping) else None
        return code[:64] if isinstance(code, str) else ""

    def claim(self, document: JsonObject) -> Claim:
        """Return the claim that an approved document is.

        Raises ClaimError for what the map cannot read, or what cannot be a claim.
        """
        label = self.label(document)
        try:
            form = document.get("form")
            kind = document.get("formType")
            if kind not in self._map.forms or not isinstance(form, Mapping):
                raise ClaimError(
                    f"it is a {str(kind)[:30]}, and the field map reads "
                    f"{', '.join(self._map.forms)} only",
                    code="CB-524",
                )
            return _Translation(self._map, self._values, form, document).claim()
        except ClaimBridgeError as error:
            error.claim_id = error.claim_id or label or str(document.get("id"))[:64]
            raise


class _Translation:
    """The work on one document."""

    def __init__(
        self, fields: FieldMap, values: FormValues, form: Mapping[str, Any], document: JsonObject
    ) -> None:
        self._map = fields
        self._values = values
        self._read = FormReader(fields, values)
        self._form = form
        self._document = document

    def claim(self) -> Claim:
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
        lines = self._paid_by_the_company(lines, total)
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
        return self._made(
            Claim,
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
                f"form in {currency}; mend the form",
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
                "be employee or company_card: mend the field map's values",
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
        found = []
        for number, invoice in enumerate(self._read.parts("invoice", detail, where), start=1):
            place = f"{where}, invoice {number}"
            texts = {
                name: self._read.text("invoice", name, invoice, place) for name in _INVOICE_TEXTS
            }
            amounts: dict[str, Any] = {
                name: self._read.amount("invoice", name, invoice, place, spent)
                for name in ("amount", "tax", "deductible_tax", "fare", "total")
            }
            known = invoice_id(self._read.text("invoice", "id", invoice, place))
            found.append(
                SupportingDocument(
                    kind=texts["kind"] or "invoice",
                    id=known.id,
                    number=texts["number"] or known.number,
                    code=texts["code"] or known.code,
                    date=self._read.day("invoice", "date", invoice, place),
                    seller=texts["seller"],
                    uri=texts["uri"],
                    **amounts,
                )
            )
        return tuple(found)

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

    def _paid_by_the_company(
        self, lines: tuple[ClaimLine, ...], total: FormMoney
    ) -> tuple[ClaimLine, ...]:
        """Return the lines, with who paid them as the form's own sum says."""
        said = self._read.money("claim", "company_paid", self._form)
        if said is None:
            return lines
        if "payment" not in self._map.sections["line"] and said.amount:
            if said.amount != total.amount:
                raise ClaimError(
                    f"{self._read.place('claim', 'company_paid')} is {said.amount}, a part of "
                    f"{total.amount}, and the field map does not say which details the company "
                    "paid; add line.payment to it",
                    code="CB-521",
                )
            return tuple(msgspec.structs.replace(line, payment="company_card") for line in lines)
        paid = summed(
            converted(line, total.currency) for line in lines if line.payment != "employee"
        )
        if paid != said.amount:
            raise ClaimError(
                f"the details that the company paid add up to {paid} {total.currency}, and "
                f"{self._read.place('claim', 'company_paid')} says {said.amount}; mend the form",
                code="CB-521",
            )
        return lines

    def _check_total(self, lines: tuple[ClaimLine, ...], total: FormMoney) -> None:
        found = summed(converted(line, total.currency) for line in lines)
        if found != total.amount:
            raise ClaimError(
                f"the {len(lines)} details add up to {found} {total.currency}, and "
                f"{self._read.place('claim', 'total')} says {total.amount}; mend the form",
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
                f"{rest} remains of {self._read.place('claim', 'total')}; mend the form",
                code="CB-521",
            )

    def _advances(self, currency: str) -> tuple[Advance, ...]:
        found = []
        for number, record in enumerate(self._read.parts("advance", self._form, ""), start=1):
            place = f"核销 {number}"
            settled = self._read.bare("advance", "settled", record, place, currency)
            if settled:
                returned = self._read.bare("advance", "returned", record, place, currency)
                found.append(
                    Advance(
                        reference=self._read.text("advance", "reference", record, place),
                        settled=settled,
                        returned=returned or Decimal(0),
                    )
                )
        said = self._read.money("claim", "written_off", self._form)
        total = summed(advance.settled for advance in found)
        if said is not None and said.amount != total:
            raise ClaimError(
                f"the 核销 records add up to {total} {currency}, and "
                f"{self._read.place('claim', 'written_off')} says {said.amount}; mend the form",
                code="CB-521",
            )
        return tuple(found)

    def _payees(self, currency: str) -> tuple[Payee, ...]:
        """Return who is paid; none stands for the employee."""
        several = self._values.switch(Field(field=SEVERAL_PAYEES, type="switch"), self._form)
        if not several:
            return ()
        found: dict[str, Payee] = {}
        for number, plan in enumerate(self._read.parts("payee", self._form, ""), start=1):
            place = f"支付计划 {number}"
            partner = self._read.text("payee", "partner", plan, place)
            amount = self._read.bare("payee", "amount", plan, place, currency) or Decimal(0)
            if partner in found:  # 按明细: one entry for each detail
                amount = EXACT.add(found[partner].amount, amount)
            name = self._read.text("payee", "name", plan, place)
            found[partner] = Payee(partner=partner, amount=amount, name=name)
        return tuple(payee for payee in found.values() if payee.amount)

    def _made(self, kind: type[Claim], **fields: Any) -> Claim:
        """Return the claim; what it refuses is told by the form's fields."""
        try:
            return kind(**fields)
        except ClaimError as error:
            error.message = FormWords(self._map).of_refusal(error.message)
            error.args = (error.message,)
            raise


_LINE_TEXTS: Final = ("type", "unit", "company", "cost_centre", "department", "project", "text")
_LINE_NUMBERS: Final = ("tax_rate", "deductible", "quantity")
_INVOICE_TEXTS: Final = ("kind", "number", "code", "seller", "uri")
