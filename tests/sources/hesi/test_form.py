"""A document of Hesi's becomes the claim that it is, or an error in the words of its form."""

from __future__ import annotations

import contextlib
import copy
import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sources.hesi.forms import MAP, ROOT, SHANGHAI, document, forms

from claimbridge.errors import ClaimBridgeError, ClaimError, ConfigurationError
from claimbridge.mapping import Chart
from claimbridge.model import Allocation, Payee
from claimbridge.sources.hesi.forms.fields import load_map
from claimbridge.sources.hesi.forms.form import HesiForms
from claimbridge.sources.hesi.forms.form_fields import fields_of, paths_ignored
from claimbridge.sources.hesi.forms.values import invoice_id
from claimbridge.sources.hesi.forms.words import FormWords

D = Decimal


def claim(name: str) -> Any:
    return forms().claim(document(name))


def changed(name: str, change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """A fixture, changed by hand."""
    found = document(name)
    change(found)
    return found


def refusal(found: dict[str, Any]) -> ClaimBridgeError:
    with pytest.raises(ClaimError) as caught:
        forms().claim(found)
    assert caught.value.claim_id, "the document's number"
    return caught.value


def test_a_plain_form() -> None:
    """Number, people, places, amounts as text and as number, and days in China."""
    found = claim("plain")

    assert (found.id, found.revision, found.company, found.employee) == (
        "B26000001", 1, "CN01", "E1001",
    )  # fmt: skip
    assert (found.currency, found.total) == ("CNY", D("153.50"))
    assert [(line.type, line.date, line.amount, line.text) for line in found.lines] == [
        ("taxi", dt.date(2026, 11, 1), D("33.00"), "机场到客户"),
        ("meals", dt.date(2026, 11, 1), D("120.50"), "工作餐"),
    ]
    assert (found.department, found.cost_centre) == ("SALES", "1000")
    assert found.advances == found.payees == ()


def test_approval_is_that_of_the_last_person() -> None:
    """Neither the robot that agreed before nor the cashier who paid after approved it."""
    found = claim("plain")

    assert found.approver == "E2001"
    assert found.approved_at == dt.datetime(2026, 11, 4, 2, 30, tzinfo=dt.UTC)


def test_a_day_depends_on_the_time_zone() -> None:
    """Midnight in Shanghai is the day before in Berlin: the zone is declared."""
    elsewhere = forms(zone=ZoneInfo("Europe/Berlin")).claim(document("plain"))

    assert elsewhere.lines[0].date == dt.date(2026, 10, 31)


def test_foreign_currency() -> None:
    """The line keeps what was spent and its rate; the claim adds up in the company's currency."""
    hotel, taxi = claim("foreign").lines

    assert (hotel.amount, hotel.currency, hotel.rate) == (D("100.00"), "USD", D("7.123"))
    assert (taxi.currency, taxi.rate) == (None, None)


def test_allocations() -> None:
    """Amounts are those of the form, to the cent; a project is found in its table."""
    (line,) = claim("allocated").lines

    assert line.allocations == (
        Allocation(amount=D("33.33"), cost_centre="1000", department="SALES"),
        Allocation(amount=D("66.67"), cost_centre="3000", department="RD", project="P-7"),
    )


def test_allocations_of_a_foreign_line_go_by_share() -> None:
    """Hesi keeps their amounts in the company's currency, which is not the line's."""

    def abroad(found: dict[str, Any]) -> None:
        form = found["form"]["details"][0]["feeTypeForm"]
        form["amount"] |= {"foreign": "10.00", "foreignStrCode": "USD", "rate": "10"}

    (line,) = forms().claim(changed("allocated", abroad)).lines

    assert [part.share for part in line.allocations] == [D("0.3333"), D("0.6667")]


def test_several_payees() -> None:
    """What one payee gets for several details is one amount."""
    assert claim("several-payees").payees == (
        Payee(partner="E1001", amount=D("110.00")),
        Payee(partner="E1002", amount=D("40.00")),
    )


def test_an_advance_written_off() -> None:
    """An amount without a currency is in the form's own."""
    (advance,) = claim("advance").advances

    assert (advance.reference, advance.settled) == ("ID-loan-1", D("222.00"))


def test_invoices() -> None:
    """A fully digital invoice has twenty digits and no code; a paper one has both."""
    digital, paper = (line.documents[0] for line in claim("digital-invoice").lines)

    assert (digital.number, digital.code, digital.kind) == (
        "26312000000012345678",
        "",
        "vat_special",
    )
    assert (digital.tax, digital.deductible_tax, digital.date) == (
        D("24.00"), D("24.00"), dt.date(2026, 10, 30),
    )  # fmt: skip
    assert (paper.number, paper.code, paper.deductible_tax) == ("67083249", "042001900211", D("0"))


@pytest.mark.parametrize(
    ("text", "code", "number", "known_by"),
    [
        ("corp:042001900211:67083249", "042001900211", "67083249", ""),
        ("corp::67083249", "", "67083249", "corp::67083249"),
        ("corp::26312000000012345678", "", "26312000000012345678", ""),
        ("26312000000012345678", "", "26312000000012345678", ""),
        ("corp:042001900211:26312000000012345678", "", "26312000000012345678", ""),
        ("corp::26312000000012300000", "", "26312000000012300000", "corp::26312000000012300000"),
        ("ID01p4zRadPLd5", "", "", "ID01p4zRadPLd5"),
        ("corp:", "", "", ""),
        ("", "", "", ""),
    ],
)
def test_numbers_of_invoices(text: str, code: str, number: str, known_by: str) -> None:
    """What is no number is not passed off as one; what has none is known by Hesi's id."""
    found = invoice_id(text)
    assert (found.code, found.number, found.id) == (code, number, known_by)


def test_what_the_company_paid() -> None:
    """The choice on the form says who paid."""
    assert [line.payment for line in claim("company-card").lines] == ["company_card", "employee"]


def test_the_revision_counts_what_may_have_changed_the_form() -> None:
    """Handed in, rejected, handed in again, changed during approval: the third content."""
    assert claim("changed").revision == 3


def test_the_same_document_gives_the_same_claim() -> None:
    """Reading twice is reading once: nothing depends on when, or on order in a table."""
    assert claim("digital-invoice").digest == claim("digital-invoice").digest


@pytest.mark.parametrize(
    "name",
    ["plain", "foreign", "allocated", "several-payees", "advance", "digital-invoice",
     "company-card", "changed"],
)  # fmt: skip
def test_the_example_map_goes_with_the_example_chart(name: str) -> None:
    """Every type, company and department that the map gives is one that the chart knows."""
    mapped = Chart.load(ROOT / "examples" / "chart.toml").map(claim(name))

    assert mapped.voucher.postings


# ---- what is wrong is told in the words of the form


def test_another_type_than_declared() -> None:
    """The label, the field's code, what is there and what was declared; no value, no Python."""
    error = refusal(document("odd-type"))

    assert (error.code, error.claim_id) == ("CB-518", "B26000009")
    assert error.message.startswith(
        "detail 1, 消费日期 (feeTypeForm.feeDate) holds text, where the field map declares a date"
    )
    assert "十一月" not in error.message


def detail_form(found: dict[str, Any]) -> dict[str, Any]:
    form: dict[str, Any] = found["form"]["details"][0]["feeTypeForm"]
    return form


WRONG: dict[str, tuple[str, Callable[[dict[str, Any]], object], str, str]] = {
    "details that do not add up": (
        "plain",
        lambda found: detail_form(found)["amount"].update(standard="34"),
        "CB-108",
        "the 2 details add up to 154.50 CNY, and 报销金额 (expenseMoney) says 153.50",
    ),
    "a rate that does not fit": (
        "foreign",
        lambda found: detail_form(found)["amount"].update(rate="7.2"),
        "CB-521",
        "detail 1, 费用金额 (feeTypeForm.amount): 100.00 at the rate 7.2 is 720.00 CNY",
    ),
    "an unknown currency": (
        "plain",
        lambda found: [
            money.update(standardStrCode="RMB")
            for money in (
                found["form"]["expenseMoney"],
                *(entry["feeTypeForm"]["amount"] for entry in found["form"]["details"]),
            )
        ],
        "CB-103",
        "'RMB' is not in ISO 4217",
    ),
    "a detail without a type": (
        "plain",
        lambda found: found["form"]["details"][0].update(feeTypeId=""),
        "CB-519",
        "detail 1, 费用类型 (feeTypeId) is empty",
    ),
    "a type that no table knows": (
        "plain",
        lambda found: found["form"]["details"][0].update(feeTypeId="corp:new"),
        "CB-520",
        "tables.expense_types of the field map does not know 'corp:new'",
    ),
    "an employee unknown to the ERP": (
        "plain",
        lambda found: found["form"].update(submitterId="corp:nobody"),
        "CB-520",
        "提交人 (submitterId): tables.employees of the field map does not know 'corp:nobody'",
    ),
    "ten megabytes in a remark": (
        "plain",
        lambda found: detail_form(found).update(consumptionReasons="长" * 10_000_000),
        "CB-140",
        "detail 1, 消费原因 (feeTypeForm.consumptionReasons) has 10000000 characters",
    ),
    "a control character in a title": (
        "plain",
        lambda found: found["form"].update(title="a\x00b"),
        "CB-109",
        "标题 (title) holds the control character",
    ),
    "allocations that do not add up": (
        "allocated",
        lambda found: detail_form(found)["apportions"].pop(),
        "CB-193",
        "add up to 33.33",
    ),
    "a list that is none": (
        "plain",
        lambda found: found["form"].update(details={"a": 1}),
        "CB-518",
        "details is not a list of entries",
    ),
    "no details": (
        "plain",
        lambda found: found["form"].update(details=[]),
        "CB-519",
        "the form has no 消费明细",
    ),
    "written off, but no record": (
        "advance",
        lambda found: found["form"].update(writtenOffRecords=[]),
        "CB-521",
        "核销金额 (writtenOffMoney) says 222.00",
    ),
    "a sum to pay that does not remain": (
        "plain",
        lambda found: found["form"]["payMoney"].update(standard="1.00"),
        "CB-521",
        "支付金额 (payMoney) says 1.00 CNY, and 153.50 remains",
    ),
    "paid by the company, but no detail says so": (
        "company-card",
        lambda found: detail_form(found).update(u_支付方式="个人垫付"),
        "CB-521",
        "企业已付金额 (companyRealPay) says 260.00",
    ),
    "a choice that the map does not have": (
        "company-card",
        lambda found: detail_form(found).update(u_支付方式="现金"),
        "CB-520",
        "detail 1, 支付方式 (feeTypeForm.u_支付方式): the field map has no value for '现金'",
    ),
    "money that is a list": (
        "plain",
        lambda found: found["form"].update(expenseMoney=[1]),
        "CB-518",
        "报销金额 (expenseMoney) holds a list",
    ),
    "an endless number": (
        "plain",
        lambda found: detail_form(found)["amount"].update(standard=D("1E+999999")),
        "CB-518",
        "holds a number, where the field map declares money",
    ),
    "several companies": (
        "plain",
        lambda found: found["form"].update(u_法人实体=["ID-corp-cn01", "ID-corp-cn02"]),
        "CB-518",
        "法人实体 (u_法人实体) names 2 entries",
    ),
    "a loan": ("loan", lambda found: None, "CB-524", "it is a loan"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_in_the_words_of_the_form(case: str) -> None:
    """Which detail, the field's label and code, and what to do."""
    name, change, code, words = WRONG[case]
    found = document(name)
    change(found)

    error = refusal(found)

    assert error.code == code
    assert words in error.message, error.message


LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.text(max_size=5),
    st.decimals(allow_nan=False), st.just([]), st.just([None]), st.just({}), st.just({"id": 3}),
    st.just({"standard": {}}), st.just("9" * 40), st.just("1e5"),
)  # fmt: skip


def places(part: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(part, (dict, list)):
        entries = part.items() if isinstance(part, dict) else enumerate(part)
        for key, value in entries:
            found += places(value, (*path, key))
    return found


@given(st.data())
def test_whatever_a_form_holds_it_is_a_claim_or_one_of_our_errors(data: st.DataObject) -> None:
    """A field of any type in any place raises nothing of Python's."""
    found = document(data.draw(st.sampled_from(["digital-invoice", "several-payees", "foreign"])))
    *way, last = data.draw(st.sampled_from(places(found)))
    target: Any = found
    for key in way:
        target = target[key]
    target[last] = data.draw(LEAVES)

    with contextlib.suppress(ClaimBridgeError):
        forms().claim(found)
    fields_of(found, load_map(MAP))
    forms().was_approved(found)


def test_a_form_that_is_nested_without_end() -> None:
    """It is read by paths, not by walking into everything."""
    deep: Any = 1
    for _ in range(20_000):
        deep = [deep]
    found = document("plain")
    found["form"]["u_深"] = deep
    found["form"]["payPlan"] = deep

    assert forms().claim(found).id == "B26000001"
    assert "u_深" in paths_ignored(found, load_map(MAP))


def test_employees_may_be_looked_up() -> None:
    """A program's own directory answers for whom the table does not have."""
    found = copy.deepcopy(document("plain"))
    found["form"]["submitterId"] = "corp:new.hire"
    asked = HesiForms(load_map(MAP), zone=SHANGHAI, employees={"corp:new.hire": "E9"}.get)

    assert asked.claim(found).employee == "E9"


# ---- what the map ignores, and the map itself


def test_what_the_map_ignores_is_told() -> None:
    """Fields that hold something and fill nothing; Hesi's own noise is none."""
    assert paths_ignored(document("changed"), load_map(MAP)) == ("u_备注码", "u_银行卡")
    assert paths_ignored(document("plain"), load_map(MAP)) == ()


def test_examples_hide_what_is_personal() -> None:
    """Accounts, cards and people are not shown to whoever sets up a map."""
    shown = {field.path: field for field in fields_of(document("changed"), load_map(MAP))}

    assert "6222" not in shown["u_银行卡"].example
    assert "li.na" not in shown["submitterId"].example
    assert shown["expenseMoney"].example == "-20.00"
    assert shown["expenseMoney"].mapped_to == "claim.total"


COMPANY = '[claim]\ncompany = { value = "CN01" }\n'
BAD_MAPS = {
    '[claim]\nnonsense = { field = "x" }': "claim.nonsense is no field of a claim",
    "[claim]\ntitle = { field = 3 }": "claim.title",
    '[claim]\ncompany = { field = "x", value = "y" }': "claim.company must have either",
    COMPANY
    + '[line]\namount = { field = "x", type = "text" }': 'line.amount must have type = "money"',
    COMPANY + '[line]\npayment = { field = "x", type = "choice" }': "a choice without values",
    '[claim]\ncompany = { field = "x", table = "t", type = "reference" }': "tables.t: add it",
    "": "claim.company is missing",
    "[claim": "is not TOML",
    "colour = 3": "unknown field",
}


@pytest.mark.parametrize("text", BAD_MAPS)
def test_a_map_that_cannot_work_is_refused_when_it_is_read(text: str, tmp_path: Path) -> None:
    """The error names the key."""
    path = tmp_path / "map.toml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ConfigurationError) as caught:
        load_map(path)

    assert caught.value.code == "CB-522"
    assert BAD_MAPS[text] in caught.value.message


def test_a_table_may_stand_in_a_csv_file(tmp_path: Path) -> None:
    """Long tables are kept in a spreadsheet; its first two columns are id and code."""
    path = tmp_path / "map.toml"
    text = '[claim]\ncompany = { value = "CN01" }\n[tables]\nemployees = "people.csv"\n'
    path.write_text(text, encoding="utf-8")
    people = tmp_path / "people.csv"
    people.write_text("﻿id,code,name\ncorp:li.na,E1,李娜\n\n", encoding="utf-8")

    assert load_map(path).tables == {"employees": {"corp:li.na": "E1"}}

    people.write_text("id,code\ncorp:li.na,E1\ncorp:li.na,E2\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"row 3 repeats corp:li\.na"):
        load_map(path)


def test_claims_survive_json() -> None:
    """What was read can be kept and read again."""
    found = claim("digital-invoice")

    assert type(found).from_json(found.to_json()) == found
    assert msgspec.json.decode(found.to_json())["total"] == "479.00"


def test_the_words_of_a_reason() -> None:
    """Paths become fields with their labels; the ERP's own line numbers stay what they are."""
    claim = forms().claim(document("plain"))
    words = FormWords(load_map(MAP))
    said = words.of_reason("lines[0].amount: too large; see line 1 of 99", claim, counted=False)
    assert said.startswith("detail 1, ")
    assert "feeTypeForm.amount" in said
    assert "see line 1 of 99" in said
    kind = claim.lines[0].type
    said = words.of_reason("line 1, allocation 2 and line 99", claim, counted=True)
    assert said == f"detail 1 (费用类型 {kind}), 分摊 2 and line 99"
