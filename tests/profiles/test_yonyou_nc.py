"""Yonyou NC's profile: the vendor's document is valid by our schema, and what replies prove."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import msgspec
import pytest
from tests.profiles.four_claims import previewed
from tests.profiles.samples import TRIP, submission
from tests.site import SITE

from claimbridge.config import LedgerConfig
from claimbridge.contract import Bundle, Reply
from claimbridge.contract.strings.documents import InnerContract
from claimbridge.contract.strings.replies import read_inner
from claimbridge.errors import ClaimError, ConfigurationError
from claimbridge.ledger import Ledger
from claimbridge.model import OutcomeKind, Role, Voucher
from claimbridge.profiles import load_profile
from claimbridge.profiles.strings.yonyou_nc import YonyouNc
from claimbridge.xmlio import parse

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = Path(os.environ.get("CLAIMBRIDGE_CONTRACTS", ROOT.parent / "shared" / "contracts"))
REAL = CONTRACTS / "yonyou-nc" / "vouchergl_nc65_request.xml"


def without(*dimensions: str) -> Voucher:
    """The sample voucher without dimensions that NC is not told of."""
    postings = tuple(
        msgspec.structs.replace(
            one, dimensions={k: v for k, v in one.dimensions.items() if k not in dimensions}
        )
        for one in TRIP.postings
    )
    return msgspec.structs.replace(TRIP, postings=postings)


@pytest.mark.skipif(not REAL.is_file(), reason=f"no contract at {REAL}")
def test_a_real_document_is_valid_by_our_schema() -> None:
    """Our schema is no narrower than what the platform takes."""
    schema = Bundle.from_package("yonyou-nc.wsdl").started_by("xsd/yonyou-nc.xsd")
    contract = InnerContract(schema, "ufinterface")
    assert contract._rules.gate.check(REAL.read_bytes(), {}) == ()


@pytest.mark.parametrize("encoding", ["UTF-8", "GBK"])
def test_the_document_in_the_string(encoding: str) -> None:
    """Four columns on each side, balanced; the reference where a person finds it."""
    checks = {"cost_centre": "0001", "project": "0044", "partner": "0002", "profit_centre": "F01"}
    options = {**SITE["yonyou-nc"], "encoding": encoding, "checks": checks}
    config = LedgerConfig(
        name="N", profile="yonyou-nc", endpoint="http://127.0.0.1:1/x", options=options
    )
    ledger = Ledger(config)
    body, findings = ledger.writer.body(ledger.setup.profile.submit([submission(TRIP)]))
    assert findings == ()
    text = parse(body).findtext("xmlStr") or ""
    assert text.startswith(f'<?xml version="1.0" encoding="{encoding}"?>')
    assert text.encode(encoding).decode(encoding) == text
    head = read_inner(text).all("voucher", "voucher_head")[0]
    assert head.text("memo1") == read_inner(text).text("@filename") == submission(TRIP).reference
    items = head.all("details", "item")
    for column in ("", "local", "group", "global"):
        debits, credits_ = (
            sum(Decimal(one.text(f"{column}{side}amount")) for one in items)
            for side in ("debit", "credit")
        )
        assert debits == credits_ == Decimal("1000.00")


def posting_by(**options: Any) -> YonyouNc:
    return YonyouNc(**{**SITE["yonyou-nc"], **options})


def told(inner: str) -> tuple[OutcomeKind, str]:
    reply = f"<synchronizeDataResponse><return>{escape(inner)}</return></synchronizeDataResponse>"
    (outcome,) = posting_by().read(Reply(parse(reply.encode())))
    return outcome.kind, str(outcome.journal_entry or "")


def result(
    code: str,
    content: str = "",
    *,
    successful: str = "",
    times: int = 1,
    text: str = "",
    keys: str | None = None,
) -> str:
    """A reply's document; ``keys`` None leaves the places of a document's key out."""
    mark = f' successful="{successful}"' if successful else ""
    places = "" if keys is None else f"<billpk>{keys}</billpk><bdocid/>"
    one = (
        f"<sendresult>{places}<filename>EXP-7.xml</filename><resultcode>{code}</resultcode>"
        f"<resultdescription>{text}</resultdescription><content>{content}</content></sendresult>"
    )
    return f'<?xml version="1.0" encoding="GBK"?><ufinterface{mark}>{one * times}</ufinterface>'


OWN_EXCEPTION = "nc.vo.pfxx.exception.PfxxException: "
OWN = f"{OWN_EXCEPTION}the period is closed"
FRAMED = "单据 EXP-7.xml 处理错误:借贷不平"
DOUBTFUL = (
    "凭证已保存，发送消息失败",
    "事务提交超时 (commit timed out)",
    "Communications link failure",
    "ORA-00060: deadlock detected",
    "nc.vo.pub.BusinessException: 发送消息失败 at nc.bs.gl.voucher.Saver.<init>",
    "EXP-7: quelque chose",
)
"""What leaves open whether the voucher was kept; the last speaks of ours in words nobody knows."""
REPEATS = (
    "已經存在",
    "重複匯入",
    "exists in the system",
    "has been imported before",
    "単票は既に登録されています",
    "不能再次导入",
    "该单据已处理过",
    "唯一性校验失败",
    "违反唯一约束条件",
)


@pytest.mark.parametrize(
    ("inner", "kind"),
    [
        (result("1", "7"), OutcomeKind.POSTED),
        (result("1", "7", successful="Y"), OutcomeKind.POSTED),
        (result("1", "7", successful="N"), OutcomeKind.UNKNOWN),
        (result("1"), OutcomeKind.UNKNOWN),
        (result("-32003", successful="N"), OutcomeKind.REJECTED),
        (result("-32003", "7", successful="N"), OutcomeKind.UNKNOWN),
        (result("-32003", successful="Y"), OutcomeKind.UNKNOWN),
        (result("-32003"), OutcomeKind.UNKNOWN),
        (result("-32000", successful="N"), OutcomeKind.UNKNOWN),
        (result("", "7"), OutcomeKind.UNKNOWN),
        (result("1", "7", times=2), OutcomeKind.UNKNOWN),
        (result("-32000", successful="N", text=OWN, keys=""), OutcomeKind.REJECTED),
        (result("-32000", successful="N", text=OWN, keys="1001X"), OutcomeKind.UNKNOWN),
        (result("-32000", successful="N", text=OWN), OutcomeKind.UNKNOWN),
        (result("-32000", successful="Y", text=OWN, keys=""), OutcomeKind.UNKNOWN),
        (result("-32000", "7", successful="N", text=OWN, keys=""), OutcomeKind.UNKNOWN),
        (result("-32000", successful="N", text="a NullPointer", keys=""), OutcomeKind.UNKNOWN),
        (result("-22217", successful="N", text="no such 部门", keys="1001X"), OutcomeKind.UNKNOWN),
        (result("-31007", successful="N", text="单据重复导入: EXP-7"), OutcomeKind.DUPLICATE),
        (result("-32000", successful="N", text="EXP-7 already exists"), OutcomeKind.DUPLICATE),
        (
            result("-32003", successful="N", text="单据 EXP-7.xml 处理错误:借贷不平"),
            OutcomeKind.REJECTED,
        ),
        *(
            (result(code, successful="N", text=f"{prefix}{text}", keys=""), OutcomeKind.UNKNOWN)
            for text in DOUBTFUL
            for code, prefix in (("-1", ""), ("-32000", OWN_EXCEPTION))
        ),
        *(
            (result("-1", successful="N", text=f"EXP-7 {text}"), OutcomeKind.DUPLICATE)
            for text in REPEATS
        ),
        *((result("-1", successful="N", text=text), OutcomeKind.UNKNOWN) for text in REPEATS),
        (result("-31007", successful="N", text="单据重复导入"), OutcomeKind.UNKNOWN),
        (result("-22217", successful="N", text="辅助核算重复"), OutcomeKind.UNKNOWN),
        ("<ufinterface/>", OutcomeKind.UNKNOWN),
        ("processed", OutcomeKind.UNKNOWN),
        ("", OutcomeKind.UNKNOWN),
    ],
)
def test_what_a_reply_proves(inner: str, kind: OutcomeKind) -> None:
    """Code 1 with a number and nothing against it; a refusal that says so twice; else unknown."""
    assert told(inner) == (kind, "7" if kind is OutcomeKind.POSTED else "")


def test_what_has_no_place_is_refused() -> None:
    """Neither a dimension nor a foreign amount is dropped or guessed."""
    with pytest.raises(ClaimError, match="profit_centre") as caught:
        posting_by().submit([submission(TRIP)])
    assert caught.value.code == "CB-175"
    with pytest.raises(ClaimError, match="from CNY to EUR") as caught:
        posting_by(local_currency="EUR").submit([submission(without("profit_centre"))])
    assert caught.value.code == "CB-185"
    with pytest.raises(ClaimError, match="group_rates"):
        posting_by(group_currency="USD").submit([submission(without("profit_centre"))])


@pytest.mark.parametrize("name", ["account", "groupcode", "business_unit", "receiver", "book"])
def test_no_code_of_a_site_is_guessed(name: str) -> None:
    """A site's own codes have no defaults, and are not empty."""
    stated = {key: one for key, one in SITE["yonyou-nc"].items() if key != name}
    for options in (stated, {**stated, name: ""}):
        with pytest.raises(ConfigurationError, match=name) as caught:
            load_profile("yonyou-nc", options)
        assert caught.value.code == "CB-243"


def test_the_three_other_currencies() -> None:
    """Local, group and global amounts by their rates, each column balanced by itself."""
    third = Decimal("0.333333")
    profile = posting_by(
        local_currency="USD",
        rates={"CNY": third},
        group_currency="JPY",
        group_rates={"CNY": Decimal("20.5")},
    )
    inner = profile.submit([submission(without("profit_centre"))]).inner
    assert inner is not None
    items = inner.body["voucher"]["voucher_head"]["details"]["item"]
    assert {item["excrate2"] for item in items} == {"0.333333"}
    for column, exponent in (("", -2), ("local", -2), ("group", 0), ("global", -2)):
        debits, credits_ = (
            [Decimal(str(item[f"{column}{side}amount"])) for item in items]
            for side in ("debit", "credit")
        )
        assert sum(debits) == sum(credits_) > 0
        amounts = [one for one in debits + credits_ if one]
        assert {one.as_tuple().exponent for one in amounts} == {exponent}
    assert [item["localdebitamount"] for item in items] == [
        item["globaldebitamount"] for item in items
    ]


def test_a_group_s_rates_need_its_currency() -> None:
    """A rate into nothing is a wrong option."""
    with pytest.raises(ConfigurationError, match="group_currency") as caught:
        posting_by(group_rates={"USD": Decimal(7)})
    assert caught.value.code == "CB-243"


@pytest.mark.parametrize(
    ("book", "mark"),
    [
        ("{company}-0001", "account 0001, groupcode G01"),
        ("{company}-0002", "account 0001, groupcode G01, book {company}-0002"),
        ("77-0001", "account 0001, groupcode G01, book 77-0001"),
    ],
)
def test_books_are_told_apart_as_before(book: str, mark: str) -> None:
    """The usual book leaves the mark as earlier versions wrote it: a journal knows it again."""
    assert posting_by(book=book).told_apart_by(user="") == mark


ENTRIES = {
    "plain": [("6602.03", "23.00", "23.00", "0", "1200"), ("2241.01", "0", "0", "23.00", "E1024")],
    "taxed": [
        ("6602.02", "1000.00", "1000.00", "0", "1200"),
        ("2221.01.01", "60.00", "60.00", "0", ""),
        ("2241.01", "0", "0", "1060.00", "E1024"),
    ],
    "foreign": [
        ("6602.03", "100.00", "710.00", "0", "1200"),
        ("2241.01", "0", "0", "100.00", "E1024"),
    ],
}
"""Account, debit as entered and in local currency, credit as entered, and assistant account."""


@pytest.mark.parametrize("name", ENTRIES)
def test_what_a_claim_becomes(name: str) -> None:
    """The table of the page, by preview."""
    shown = previewed("yonyou-nc", name, {**SITE["yonyou-nc"], "rates": {"USD": "7.1"}})
    assert shown.valid
    document = read_inner(parse(shown.body).findtext("xmlStr") or "")
    entries = document.all("voucher", "voucher_head", "details", "item")
    fields = ("accsubjcode", "debitamount", "localdebitamount", "creditamount")
    assert [
        (*map(one.text, fields), one.text("ass", "item", "pk_Checkvalue")) for one in entries
    ] == ENTRIES[name]
    wanted = ("USD", "7.1") if name == "foreign" else ("CNY", "1")
    assert {(one.text("pk_currtype"), one.text("excrate2")) for one in entries} == {wanted}


def test_another_company_s_books_are_not_posted_in() -> None:
    """A voucher of NC stands in one accounting book."""
    with pytest.raises(ClaimError, match="CN02") as caught:
        previewed("yonyou-nc", "intercompany", SITE["yonyou-nc"])
    assert caught.value.code == "CB-189"


def test_cash_flows_stand_on_the_entry_of_the_cash() -> None:
    """One item for each posting that the cash paid; the parts add up in each column."""
    paid = [
        msgspec.structs.replace(one, dimensions={"cash_flow": "CI04.07"})
        if one.role is Role.EMPLOYEE_PAYABLE
        else one
        for one in without("profit_centre").postings
    ]
    voucher = msgspec.structs.replace(TRIP, postings=tuple(paid))
    options = {**SITE["yonyou-nc"], "local_currency": "USD", "rates": {"CNY": "0.333333"}}
    config = LedgerConfig(
        name="N", profile="yonyou-nc", endpoint="http://127.0.0.1:1/x", options=options
    )
    ledger = Ledger(config)
    request = ledger.setup.profile.submit([submission(voucher)])
    assert ledger.writer.body(request)[1] == ()
    assert request.inner is not None
    items = request.inner.body["voucher"]["voucher_head"]["details"]["item"]
    (cash,) = (one for one in items if "cashFlow" in one)
    flows = cash["cashFlow"]["item"]
    assert {one["pk_cashflow"] for one in flows} == {"CI04.07"}
    for part, column in (("money", ""), ("moneymain", "local"), ("moneyglobal", "global")):
        total = sum(Decimal(one[part]) for one in flows)
        assert total == Decimal(cash[f"{column}creditamount"])
    assert len(flows) == sum(Decimal(one["debitamount"]) > 0 for one in items)
