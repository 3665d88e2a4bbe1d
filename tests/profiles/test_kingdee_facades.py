"""The services of Kingdee EAS that import vouchers, and the cases of their replies."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.profiles.test_kingdee_eas import DEAD, K, held, submission

from claimbridge.config import LedgerConfig
from claimbridge.contract import Bundle, Contract
from claimbridge.contract.calls.replies import Reply
from claimbridge.ledger import Ledger
from claimbridge.model import JournalEntry, Outcome, OutcomeKind
from claimbridge.profiles import load_profile
from claimbridge.profiles.conversation import LogIn
from claimbridge.profiles.kingdee.eas import KingdeeEas
from claimbridge.profiles.request import Request
from claimbridge.xmlio import parse

OLDER = Contract.load(Bundle.from_package("kingdee-eas-rows.wsdl"))
IMPORTED = "importVoucherResponse"
SAVED = ("EXP-1", "记", "2026", "3", "0000", "成功保存", "0007")
REFUSED = ("EXP-1", None, "0", "0", "1001", "没有找到公司", None)


def loaded(facade: str, **options: Any) -> KingdeeEas:
    profile = load_profile("kingdee-eas", {"credit": -1, "facade": facade, **options})
    assert isinstance(profile, KingdeeEas)
    return profile


def in_rows(*rows: tuple[str | None, ...], contract: Contract = OLDER) -> Reply:
    """An answer of rows of strings, as Axis 1.4 writes it."""
    name = "importVoucherReturn"
    cells = "".join(
        f"<{name}>"
        + "".join(f"<{name}>{one}</{name}>" if one is not None else f"<{name}/>" for one in row)
        + f"</{name}>"
        for row in rows
    )
    text = f'<r:{IMPORTED} xmlns:r="urn:r"><{name}>{cells}</{name}></r:{IMPORTED}>'
    return contract.reply(parse(text.encode()))


def in_json(held_: object) -> Reply:
    text = json.dumps(held_).replace("&", "&amp;").replace("<", "&lt;")
    written = (
        '<r:nImportVoucherResponse xmlns:r="urn:r"><nImportVoucherReturn>'
        f"{text}</nImportVoucherReturn></r:nImportVoucherResponse>"
    )
    return OLDER.reply(parse(written.encode()))


# --- requests -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("submits", "verify"), [(True, 2), (False, 0)])
def test_the_older_service_takes_the_same_rows(submits: bool, verify: int) -> None:
    """Under other names, and with one number for drafts and submitted vouchers."""
    request = loaded("rows", submit=submits).submit([submission()])
    assert request.operation == "importVoucher"
    assert request.body["isVerify"] == verify
    assert request.body["isImpCashflow"] == 0
    assert request.sources["voucherCols/item[1]/debitAmount"] == "lines[0].amount"
    same = loaded("strings").submit([submission()]).body["col"]["item"]
    assert request.body["voucherCols"]["item"] == same
    body = OLDER.render(request.operation, request.body, sources=request.sources)
    assert OLDER.check(body, sources=request.sources) == ()


def test_json_is_a_table_whose_first_line_names_its_columns() -> None:
    """Both strings are JSON; nothing that EAS holds is replaced."""
    request = loaded("json").submit([submission()])
    assert request.operation == "nImportVoucher"
    names, debit, credit = json.loads(request.body["rows"])
    assert dict(zip(names, debit, strict=True))["debitAmount"] == "106.00"
    row = dict(zip(names, credit, strict=True))
    assert (row["entryDC"], row["creditAmount"], row["debitAmount"]) == ("-1", "106.00", "")
    params = json.loads(request.body["params"])
    assert params == {
        "isSubmit": "true",
        "isImpCashflow": "false",
        "isCompress": "false",
        "isAudit": "false",
        "isPost": "false",
        "overwrite": "false",
    }
    assert OLDER.check(OLDER.render(request.operation, request.body)) == ()


@pytest.mark.parametrize("facade", ["rows", "json"])
def test_the_older_service_is_asked_at_the_other_address(facade: str) -> None:
    """Only the newer one lists vouchers."""
    profile = loaded(facade, listing=["reference", "number", "debit"])
    question = profile.look_up([submission()])
    assert (question.operation, question.port) == ("findVoucher", "find")
    assert profile.ports == {"login": "EASLogin", "find": "WSGLWebServiceFacade"}
    asked, end = held(profile, profile.submit([submission()]), in_rows(SAVED))
    assert (asked[1].operation, asked[1].port) == ("findVoucher", "find")
    assert end is None


# --- replies ------------------------------------------------------------------------------------


@pytest.mark.parametrize("facade", ["strings", "rows"])
def test_a_row_names_our_voucher(facade: str) -> None:
    """Whichever of the two services was configured."""
    (saved,) = loaded(facade).read(in_rows(SAVED))
    assert (saved.kind, saved.reference) == (K.POSTED, "EXP-1")
    assert saved.journal_entry == JournalEntry("记-3-0007", "", "2026")
    (refused,) = loaded(facade).read(in_rows(REFUSED))
    assert (refused.kind, refused.reference) == (K.REJECTED, "EXP-1")
    assert [str(reason) for reason in refused.reasons] == ["1001: 没有找到公司"]


def test_rows_are_read_by_the_rules_of_strings() -> None:
    """Repeats, what EAS did not foresee, and what is no result."""
    profile = loaded("rows")
    repeated = (*REFUSED[:4], "3100", "已经引入，凭证号:0007", "0007")
    foreseen = (*REFUSED[:4], "1111", "null", None)
    half = ("EXP-1", "记", "2026", "3", "0000", "成功保存", None)
    kinds = [profile.read(in_rows(row))[0].kind for row in (repeated, foreseen, half)]
    assert kinds == [K.DUPLICATE, K.UNKNOWN, K.UNKNOWN]
    assert [one.kind for one in profile.read(in_rows(REFUSED, ("EXP-1",) * 7))] == [K.UNKNOWN]
    assert [one.kind for one in profile.read(in_rows(("EXP-1",) * 7))] == [K.UNKNOWN]
    eight = (*SAVED, "9f3kAAA=")
    assert [one.kind for one in profile.read(in_rows(eight))] == [K.POSTED]


def test_an_object_of_the_other_overload_is_read_by_its_members() -> None:
    """``WSWSRtnInfo``: its message is the code, its exception the text."""
    members = {"number": "EXP-1", "voucherType": "记", "year": "2026", "period": "3"}
    results = {"message": "0000", "exception": "成功保存", "easNumber": "0007"}
    inside = "".join(f"<{name}>{text}</{name}>" for name, text in {**members, **results}.items())
    name = "importVoucherReturn"
    text = f"<{IMPORTED}><{name}><item>{inside}</item></{name}></{IMPORTED}>"
    reply = OLDER.reply(parse(text.encode()))
    (outcome,) = loaded("rows").read(reply)
    assert (outcome.kind, outcome.reference) == (K.POSTED, "EXP-1")


def after(facade: str, reply: Reply) -> tuple[Outcome, ...]:
    profile = loaded(facade)
    _, outcomes = held(profile, profile.submit([submission()]), reply)
    assert isinstance(outcomes, tuple)
    return outcomes


def test_json_gives_a_number_and_the_request_its_period() -> None:
    """``sucs`` names our voucher and EAS's number; EAS refuses another period than ours."""
    saved = {"voucherNumber": "EXP-1", "number": "0007", "id": "9f3kAAA="}
    (outcome,) = after("json", in_json({"sucs": {"1": saved}, "errs": {}}))
    assert (outcome.kind, outcome.reference) == (K.POSTED, "EXP-1")
    assert outcome.journal_entry == JournalEntry("记-3-0007", "CN01", "2026")


@pytest.mark.parametrize(
    ("held_", "kind"),
    [
        ({"sucs": {}, "errs": {"2": "1002: 没有找到科目"}}, K.REJECTED),
        ({"sucs": {}, "errs": {"2": {"code": "1002", "message": "没有找到科目"}}}, K.REJECTED),
        ({"sucs": {}, "errs": {"2": "1111: null"}}, K.UNKNOWN),
        ({"sucs": {}, "errs": {"2": "系统错误"}}, K.UNKNOWN),
        ({"sucs": {}, "errs": {"2": "科目 660201 保存时系统错误"}}, K.UNKNOWN),
        ({"sucs": {}, "errs": {"2": {"message": "at line 1234"}}}, K.UNKNOWN),
        ({"sucs": {}, "errs": {"2": {"code": "1002", "errCode": "1111"}}}, K.UNKNOWN),
        ({"sucs": {}, "errs": {"2": ["1002: 没有找到科目"]}}, K.UNKNOWN),
        ({"sucs": {}, "errs": {"2": "1002||null||0||0||没有找到科目"}}, K.REJECTED),
        ({"sucs": {}, "errs": {"2": "Read timed out after 30000 ms"}}, K.UNKNOWN),
        ({"sucs": {}, "errs": {"2": "java.lang.NullPointerException (Line 1123)"}}, K.UNKNOWN),
        ({"sucs": {}, "errs": {"2": "2026-03-31 10:00:00 unknown error"}}, K.UNKNOWN),
        ({"sucs": {}, "errs": {"2": "2026: 系统异常"}}, K.UNKNOWN),
        ({"sucs": {}, "errs": {"2": "socket 10054"}}, K.UNKNOWN),
        ({"sucs": {}, "errs": {"2": "10054: connection reset"}}, K.UNKNOWN),
        ({"sucs": {}, "errs": {"2": {"code": 30000, "message": "timeout"}}}, K.UNKNOWN),
        ({"sucs": {}, "errs": {"2": '{"row": 1, "code": "1002"}'}}, K.UNKNOWN),
        ({"sucs": {}, "errs": {"2": {"code": "1002", "number": "0007"}}}, K.UNKNOWN),
        ({"sucs": {"1": {"voucherNumber": "EXP-9", "number": "0007"}}, "errs": {}}, K.UNKNOWN),
        ({"sucs": {"1": {"voucherNumber": "EXP-1"}}, "errs": {}}, K.UNKNOWN),
        ({"sucs": {"1": "0007"}, "errs": {}}, K.UNKNOWN),
        ({"sucs": {}, "errs": {}}, K.UNKNOWN),
        ({"sucs": ["0007"]}, K.UNKNOWN),
        (["EXP-1"], K.UNKNOWN),
        ({}, K.UNKNOWN),
    ],
)
def test_json_that_proves_nothing_is_unknown(held_: object, kind: OutcomeKind) -> None:
    """A refusal without a code may come after the voucher was saved."""
    assert [one.kind for one in after("json", in_json(held_))] == [kind]


OURS = '{"1": {"voucherNumber": "EXP-1", "number": "0007"}}'


@pytest.mark.parametrize("text", ["", "{", "true", f'{{"sucs": {{}}, "sucs": {OURS}}}', "[" * 9999])
def test_what_is_no_json_is_unknown(text: str) -> None:
    """Also what gives a member twice, or is nested without end."""
    name = "nImportVoucher"
    written = f"<{name}Response><{name}Return>{text}</{name}Return></{name}Response>"
    assert [one.kind for one in after("json", OLDER.reply(parse(written.encode())))] == [K.UNKNOWN]


def test_a_dead_session_of_the_older_service_costs_one_more_call() -> None:
    """The conversation is the same for all."""
    profile = loaded("rows", refuses_repeats=True)
    asked, (end,) = held(profile, profile.submit([submission()]), DEAD, None, in_rows(SAVED))
    assert asked[0] is asked[2]
    assert end.kind is K.POSTED


def test_a_request_of_one_s_own_is_sent_as_it_is() -> None:
    """A subclass may build what it likes; nothing is looked up or sent again for it."""
    profile = loaded("strings", listing=["reference", "number"])
    own = Request(operation="importVoucher", body={})
    asked, end = held(profile, own, DEAD, None)
    assert asked == [own, LogIn()]
    assert [(one.kind, one.retry_is_useless) for one in end] == [(K.NOT_DELIVERED, True)]


# --- the handed cases ---------------------------------------------------------------------------

CASES = {
    "eas-fault-relogin": K.UNAVAILABLE,
    "eas-fault-invoke": K.UNAVAILABLE,
    "eas-no-account-axis-nested": K.REJECTED,
    "eas-no-account-item": K.REJECTED,
    "eas-no-company-old-2d": K.REJECTED,
    "eas-ok-6-axis-nested": K.POSTED,
    "eas-ok-6-item": K.POSTED,
    "eas-ok-7-axis-nested": K.POSTED,
    "eas-ok-7-item": K.POSTED,
}


@pytest.mark.parametrize("facade", ["strings", "rows"])
@pytest.mark.parametrize("case", CASES)
def test_replies_in_the_way_of_real_systems(
    shared: Callable[[str], Path], case: str, facade: str
) -> None:
    """A session that is dead was dead before anything was done: the call goes out once more."""
    config = LedgerConfig(
        name="CN01",
        profile="kingdee-eas",
        endpoint="http://127.0.0.1/",
        options={"credit": -1, "facade": facade},
    )
    (outcome,) = Ledger(config).read_bytes(shared(f"cases/profiles/{case}.xml").read_bytes())
    assert outcome.kind is CASES[case]
