"""Kingdee EAS: vouchers as rows, strings as outcomes, and what is said around a dead session."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimbridge.contract import Bundle, Contract
from claimbridge.contract.calls.fault import Fault
from claimbridge.contract.calls.replies import Reply
from claimbridge.contract.study.check import check
from claimbridge.contract.study.generation import Generation
from claimbridge.errors import ClaimError, ConfigurationError
from claimbridge.model import (
    JournalEntry,
    Key,
    Outcome,
    OutcomeKind,
    Posting,
    Purpose,
    Role,
    Side,
    State,
    Submission,
    Voucher,
)
from claimbridge.profiles import load_profile
from claimbridge.profiles.conversation import Attempt, Credentials, LogIn
from claimbridge.profiles.kingdee.eas import KingdeeEas
from claimbridge.profiles.kingdee.replies import outcome, result
from claimbridge.profiles.request import Request
from claimbridge.profiles.usage import uses_of
from claimbridge.xmlio import parse

K = OutcomeKind
DAY = dt.date(2026, 3, 31)
CONTRACT = Contract.load(Bundle.from_package("kingdee-eas.wsdl"))
LISTING = ["reference", "number", "debit", "type", "year", "period"]
ASKING = KingdeeEas(credit=-1, listing=LISTING)
DEAD = Fault(code="Server.userException", reason="session is invalid")


def posting(side: Side, amount: str, **changes: Any) -> Posting:
    given: dict[str, Any] = {
        "role": Role.EXPENSE if side is Side.DEBIT else Role.EMPLOYEE_PAYABLE,
        "account": "6602.01" if side is Side.DEBIT else "2241.01",
        "side": side,
        "amount": Decimal(amount),
        "currency": "CNY",
        "source": "lines[0].amount" if side is Side.DEBIT else "",
    }
    return Posting(**given | changes)


def submission(*postings: Posting, reference: str = "EXP-1", **changes: Any) -> Submission:
    voucher = Voucher(
        claim_id=reference,
        revision=1,
        company="CN01",
        employee="E1",
        currency="CNY",
        document_date=DAY,
        posting_date=DAY,
        postings=postings or (posting(Side.DEBIT, "106.00"), posting(Side.CREDIT, "106.00")),
        **changes,
    )
    purpose = voucher.purpose
    return Submission(
        key=Key("CN01", reference, 1, purpose),
        reference=reference,
        digest="",
        voucher=voucher,
        state=State.PENDING,
    )


def rows(profile: KingdeeEas, *submissions: Submission) -> list[dict[str, Any]]:
    held: list[dict[str, Any]] = profile.submit(submissions).body["col"]["item"]
    return held


def answer(*strings: str, operation: str = "importVoucher") -> Reply:
    members = "".join(f"<item>{one}</item>" for one in strings)
    name = f"{operation}Return"
    text = (
        f'<r:{operation}Response xmlns:r="urn:r"><{name}>{members}</{name}></r:{operation}Response>'
    )
    return CONTRACT.reply(parse(text.encode()))


# --- requests -----------------------------------------------------------------------------------


def test_requests_are_valid_by_our_contract_and_kingdee_s(shared: Callable[[str], Path]) -> None:
    """Postings with everything, reversals, batches, questions and logins."""
    folder = shared("contracts/kingdee-eas")
    facade = Contract.load(folder / "WSGLWebServiceFacade.wsdl")
    login = Contract.load(folder / "EASLogin_2021.wsdl")
    full = posting(Side.DEBIT, "9.99", cost_centre="C", project="P", partner="E", narration="出租")
    sent = submission(full, posting(Side.CREDIT, "9.99"))
    red = msgspec.structs.replace(
        sent, voucher=sent.voucher.reversal(JournalEntry("记-3-0001"), posting_date=DAY)
    )
    for request in (
        ASKING.submit([sent]),
        ASKING.submit([sent, submission(reference="EXP-2")]),
        ASKING.reverse(red),
        ASKING.look_up([sent]),
    ):
        for contract in (CONTRACT, facade):
            body = contract.render(request.operation, request.body, sources=request.sources)
            assert contract.check(body, sources=request.sources) == ()
    request = ASKING.log_in(Credentials(user="u", password="p"))
    for contract in (CONTRACT, login):
        assert contract.check(contract.render(request.operation, request.body)) == ()


def test_the_facade_s_contract_is_enough(shared: Callable[[str], Path]) -> None:
    """The check of a contract: the login is another port's, and our own contract has it."""
    place = shared("contracts/kingdee-eas/WSGLWebServiceFacade.wsdl")
    own = Generation.load(Bundle.from_package("kingdee-eas.wsdl"))
    uses = uses_of(ASKING, own)
    assert set(uses.operations) == {"importVoucher", "findVoucher", "login"}
    found = check(uses, Contract.load(place), Generation.load(Bundle.from_path(place)), own=own)
    assert found.works
    assert {need.where for need in found.needs if need.sends} == {"importVoucher", "findVoucher"}


def test_a_foreign_currency_is_converted_and_still_balances() -> None:
    """Original amounts as they are, at the rate that is stated."""
    profile = KingdeeEas(
        credit=-1, currencies={"CNY": "BB01", "USD": "BB02"}, rates={"USD": Decimal("7.1234")}
    )
    parts = [posting(Side.DEBIT, "3.33", currency="USD") for _ in range(3)]
    found = rows(profile, submission(*parts, posting(Side.CREDIT, "9.99", currency="USD")))
    assert [row["originalAmount"] for row in found] == ["3.33", "3.33", "3.33", "9.99"]
    assert {row["localRate"] for row in found} == {Decimal("7.1234")}
    assert {row["currencyNumber"] for row in found} == {"BB02"}
    assert found[3]["creditAmount"] == "71.16"
    assert sum(Decimal(row["debitAmount"]) for row in found[:3]) == Decimal("71.16")


@given(
    st.lists(st.decimals("0.01", "99999.99", places=2), min_size=1, max_size=6),
    st.decimals("0.0001", "999", places=4),
)
def test_the_local_amounts_balance_whatever_the_rate(amounts: list[Decimal], rate: Decimal) -> None:
    """Debits and credits agree to the cent in the local currency."""
    profile = KingdeeEas(credit=-1, currencies={"USD": "BB02"}, rates={"USD": rate})
    debits = [posting(Side.DEBIT, str(one), currency="USD") for one in amounts]
    total = posting(Side.CREDIT, str(sum(amounts)), currency="USD")
    found = rows(profile, submission(*debits, total))
    sides = [
        sum(Decimal(row.get(name, "0")) for row in found)
        for name in ("debitAmount", "creditAmount")
    ]
    assert sides[0] == sides[1]


def test_a_reversal_keeps_the_sides_and_turns_the_signs() -> None:
    """红字: the debit of what is taken back is a negative debit."""
    sent = submission()
    entry = JournalEntry("记-3-0001", "CN01", "2026")
    red = msgspec.structs.replace(sent, voucher=sent.voucher.reversal(entry, posting_date=DAY))
    assert red.voucher.purpose is Purpose.REVERSE
    first, second = rows(ASKING, red)
    assert (first["accountNumber"], first["entryDC"], first["debitAmount"]) == (
        "6602.01",
        1,
        "-106.00",
    )
    assert (second["entryDC"], second["creditAmount"], second["originalAmount"]) == (
        -1,
        "-106.00",
        "-106.00",
    )
    assert first["voucherAbstract"] == "冲销 记-3-0001"


def test_assistant_accounts_stand_without_a_gap() -> None:
    """EAS stops reading at the first that is empty."""
    profile = KingdeeEas(credit=-1, dimensions={"partner": "职员", "region": "地区"})
    given_ = posting(Side.DEBIT, "1.00", partner="E1", dimensions={"region": "R9"})
    row = rows(profile, submission(given_, posting(Side.CREDIT, "1.00")))[0]
    assert [row[f"asstActType{n}"] for n in (1, 2)] == ["职员", "地区"]
    assert [row[f"asstActNumber{n}"] for n in (1, 2)] == ["E1", "R9"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"currency": "USD"}, "CB-185"),
        ({"amount": "12345678901234.56"}, "CB-186"),
        ({"dimensions": {"region": "R"}}, "CB-187"),
    ],
)
def test_what_eas_cannot_hold_is_refused_before_sending(changes: dict[str, Any], code: str) -> None:
    """With the claim's id, and the field where there is one."""
    given_ = {"amount": "1.00"} | changes
    pair = [posting(side, **given_) for side in Side]
    with pytest.raises(ClaimError) as refused:
        ASKING.submit([submission(*pair)])
    assert (refused.value.code, refused.value.claim_id) == (code, "EXP-1")


@pytest.mark.parametrize(
    "listing", [["reference"], ["reference", "number", "amount"], ["reference", "number", "number"]]
)
def test_a_listing_without_sense_is_refused(listing: list[str]) -> None:
    """Reference and number are needed, nothing unknown, nothing twice."""
    with pytest.raises(ConfigurationError) as refused:
        load_profile("kingdee-eas", {"credit": -1, "listing": listing})
    assert refused.value.code == "CB-243"


@pytest.mark.parametrize(
    ("options", "recipe"),
    [
        ({}, (False, False, 1)),
        ({"batch": 9}, (False, False, 1)),
        ({"refuses_repeats": True}, (False, True, 1)),
        ({"listing": LISTING, "batch": 9}, (True, False, 9)),
    ],
)
def test_the_recipe_follows_from_the_configuration(
    options: dict[str, Any], recipe: tuple[bool, bool, int]
) -> None:
    """Nothing is asked, sent again or sent together that the configuration does not vouch for."""
    can = load_profile("kingdee-eas", {"credit": -1, **options}).capabilities
    assert (can.can_query, can.unique_reference, can.batch) == recipe


def test_the_session_travels_in_its_header() -> None:
    """In the login's namespace; there is none before the login."""
    call = Attempt(operation="importVoucher", credentials=Credentials(), session="s&1")
    (header,) = ASKING.headers(call)
    read = parse(header)
    assert read.tag == "{http://login.webservice.bos.kingdee.com}SessionId"
    assert read.text == "s&1"
    assert ASKING.headers(msgspec.structs.replace(call, session="")) == ()


# --- replies ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "kind", "entry"),
    [
        ("0000||转账凭证||2017||9||成功保存||0366", K.POSTED, "转账凭证-9-0366 / CN01 / 2017"),
        ("0000||记||2017||9||成功保存||0366||dkf7Xw==", K.POSTED, "记-9-0366 / CN01 / 2017"),
        ("0000||记||2017||9||成功保存", K.UNKNOWN, None),
        ("0000||记||2017||9||成功保存||null", K.UNKNOWN, None),
        ("0000||记||2017||9||成功保存||０３６６", K.POSTED, "记-9-0366 / CN01 / 2017"),
        # A part more, wherever it stands: the parts cannot be told apart.
        ("0000||new||记||2017||9||成功保存||0366", K.UNKNOWN, None),
        ("0000||记||new||2017||9||成功保存||0366", K.UNKNOWN, None),
        ("0000||记||2017||2017||9||成功保存||0366", K.UNKNOWN, None),
        ("0000||记||2017||9||9||成功保存||0366", K.UNKNOWN, None),
        ("0000||记||2017||9||成功保存||new||0366", K.UNKNOWN, None),
        ("0000||记||2017||9||成功保存||12||0366", K.UNKNOWN, None),
        ("0000||记||2017||9||成功保存||12||000366", K.UNKNOWN, None),
        ("0000||记||2017||9||12||0366", K.UNKNOWN, None),
        # A part less.
        ("0000||2017||9||成功保存||0366", K.UNKNOWN, None),
        ("0000||记||2017||成功保存||0366||dkf7Xw==", K.UNKNOWN, None),
        ("0000||null||2017||9||成功保存||0366", K.UNKNOWN, None),
        ("0000||记||null||9||成功保存||0366", K.UNKNOWN, None),
        ("0000||记||2017||0||成功保存||0366", K.UNKNOWN, None),
        ("0000||记||2017||9||成功保存||0000", K.UNKNOWN, None),
        ("0000||记||2017||9||成功保存||N/A", K.UNKNOWN, None),
        ("1002||null||0||0||凭证P201709004凭证分录1没有找到科目:660201", K.REJECTED, None),
        ("3003||null||0||0||期间不符||null", K.REJECTED, None),
        ("4105||null||0||0||借贷不平||0366", K.UNKNOWN, None),
        ("3100||null||0||0||已经引入||0366", K.DUPLICATE, None),
        ("3101||null||0||0||正在引入", K.UNKNOWN, None),
        ("1111||null||0||0||java.lang.NullPointerException", K.UNKNOWN, None),
    ],
)
def test_a_string_says_what_eas_says_with_it(written: str, kind: K, entry: str | None) -> None:
    """Success only with a number, refusal only without one, the unforeseen is unknown."""
    found = result(written)
    assert found is not None
    read = outcome(found, company="CN01")
    assert read.kind is kind
    assert (str(read.journal_entry) if read.journal_entry else None) == entry


@pytest.mark.parametrize(
    "strings",
    [(), ("",), ("none voucher!",), ("成功",), ("0000",), ("0000||0366",), ("ok||a||b||c||d||e",)],
)
def test_what_is_no_result_is_unknown(strings: tuple[str, ...]) -> None:
    """A reply that EAS is not known to give proves nothing."""
    assert [one.kind for one in ASKING.read(answer(*strings))] == [K.UNKNOWN]


def test_two_results_for_one_voucher_name_nobody() -> None:
    """Which of them is ours nobody can tell; the same one twice is one."""
    saved = "0000||记||2026||3||成功保存||{}"
    two = ASKING.read(answer(saved.format("0001"), saved.format("0002")))
    assert len(two) == 2
    assert [one.kind for one in ASKING.read(answer(*[saved.format("0001")] * 2))] == [K.POSTED]


# --- conversations ------------------------------------------------------------------------------


def held(profile: KingdeeEas, request: Request, *answers: Any) -> tuple[list[Any], Any]:
    """What a conversation asks when it gets ``answers``, and how it ends; None: it asks on."""
    talk = profile.converse(request)
    asked: list[Any] = [next(talk)]
    try:
        for one in answers:
            asked.append(talk.send(one))
    except StopIteration as end:
        return asked, end.value
    return asked, None


def found(*strings: str) -> Reply:
    return answer(*strings, operation="findVoucher")


SAVED = "0000||记||2026||3||成功保存||0007"
LISTED = "EXP-1||0007||106.00||记||2026||3"


def kinds(outcomes: tuple[Outcome, ...]) -> list[K]:
    return [one.kind for one in outcomes]


def test_words_alone_do_not_send_a_voucher_twice() -> None:
    """Unasked, and without a refusal of repeats: a fresh session, and the caller is told."""
    plain = KingdeeEas(credit=-1)
    asked, (end,) = held(plain, plain.submit([submission()]), DEAD, None)
    assert [isinstance(one, LogIn) for one in asked] == [False, True]
    # The client itself would repeat what is merely unavailable.
    assert (end.kind, end.retry_is_useless) == (K.NOT_DELIVERED, True)
    assert "session is invalid. claimbridge has logged in again" in end.text


def test_a_dead_session_costs_one_more_login_and_one_more_call() -> None:
    """Where repeats are refused: import, login, import; a second dead session is the end."""
    plain = KingdeeEas(credit=-1, refuses_repeats=True)
    request = plain.submit([submission()])
    asked, end = held(plain, request, DEAD, None, answer(SAVED))
    assert [isinstance(one, LogIn) for one in asked] == [False, True, False]
    assert asked[0] is asked[2]
    assert kinds(end) == [K.POSTED]
    _, end = held(plain, request, DEAD, None, DEAD)
    assert kinds(end) == [K.UNAVAILABLE]


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("Session has expired", K.UNAVAILABLE),
        ("sessionId: invalid", K.UNAVAILABLE),
        ("Invalid session", K.UNAVAILABLE),
        ("session timeout", K.UNAVAILABLE),
        ("登录已超时", K.UNAVAILABLE),
        ("请重新登录", K.UNAVAILABLE),
        ("com.kingdee.bos.webservice.WSInvokeException: 会话已失效,请重新登录", K.UNAVAILABLE),
        ("您尚未登录！", K.UNAVAILABLE),
        ("session is invalid 会话已失效", K.UNAVAILABLE),
        ("voucher saved 会话已失效", K.UNKNOWN),
        ("EJB session bean VoucherFacade: transaction timed out", K.UNKNOWN),
        ("could not flush session: invalid column", K.UNKNOWN),
        ("IllegalStateException: setAttribute: Session already invalidated", K.UNKNOWN),
        ("session is invalidated", K.UNKNOWN),
        ("数据库登录超时", K.UNKNOWN),
        ("登录超时", K.UNKNOWN),
        ("凭证已保存; 会话已失效", K.UNKNOWN),
        ("session is invalid, voucher saved", K.UNKNOWN),
        ("mail user not logged in", K.UNKNOWN),
        ("java.sql.SQLException: session is invalid", K.UNKNOWN),
        ("请登录", K.UNKNOWN),
        ("session " * 10_000, K.UNKNOWN),
    ],
)
def test_only_a_session_that_is_dead_itself_is_taken_for_one(reason: str, kind: K) -> None:
    """A session bean's trouble may come after the voucher was saved: it is not sent again."""
    fault = Fault(code="Server.userException", reason=reason)
    assert ASKING.read_fault(fault).kind is kind
    plain = KingdeeEas(credit=-1, refuses_repeats=True)
    asked, _ = held(plain, plain.submit([submission()]), fault)
    assert any(isinstance(one, LogIn) for one in asked) is (kind is K.UNAVAILABLE)


def test_a_refusal_beside_what_is_not_understood_is_unknown() -> None:
    """The other string may be the success of a later version."""
    refused = "3003||null||0||0||期间不符||null"
    assert kinds(ASKING.read(answer(refused, "0007||saved"))) == [K.UNKNOWN]
    assert kinds(ASKING.read(answer(refused, ""))) == [K.REJECTED]
    assert kinds(ASKING.read(answer(refused, "OK"))) == [K.REJECTED]


def test_after_a_dead_session_eas_is_asked_before_the_voucher_is_sent_again() -> None:
    """What turns out to be there is adopted, not sent."""
    request = ASKING.submit([submission()])
    asked, end = held(ASKING, request, DEAD, None, found(LISTED))
    assert asked[2].operation == "findVoucher"
    assert kinds(end) == [K.POSTED]
    asked, end = held(ASKING, request, DEAD, None, found(), answer(SAVED), found(LISTED))
    assert [one.operation for one in asked if isinstance(one, Request)] == [
        "importVoucher",
        "findVoucher",
        "importVoucher",
        "findVoucher",
    ]
    assert kinds(end) == [K.POSTED]


def test_no_login_after_an_import_that_may_have_had_an_effect() -> None:
    """A session that dies at the question: to log in would say that nothing had been done."""
    request = ASKING.submit([submission()])
    asked, end = held(ASKING, request, answer(SAVED), DEAD)
    assert not [one for one in asked if isinstance(one, LogIn)]
    assert kinds(end) == [K.UNKNOWN]


def test_a_mixed_up_answer_does_not_give_a_voucher_another_s_number() -> None:
    """The list decides, not the import's string."""
    request = ASKING.submit([submission()])
    other = SAVED.replace("0007", "0099")
    _, (end,) = held(ASKING, request, answer(other), found(LISTED))
    assert end.journal_entry == JournalEntry("记-3-0007", "CN01", "2026")
    _, (end,) = held(ASKING, request, answer(SAVED), found("EXP-9||0007||1.00||记||2026||3"))
    assert end.kind is K.UNKNOWN


@pytest.mark.parametrize(
    ("listed", "kind"),
    [
        ([LISTED], K.POSTED),
        ([], K.ABSENT),
        (["EXP-2||0008||1.00||记||2026||3"], K.ABSENT),
        (["0008||EXP-2"], K.UNKNOWN),
        (["EXP-2||0008||1.00||记||2026||4"], K.UNKNOWN),
        (["EXP-2||0008||many||记||2026||3"], K.UNKNOWN),
        (["0008||x"], K.UNKNOWN),
        (["EXP-1||null||106.00||记||2026||3"], K.UNKNOWN),
        (["EXP-1||成功||106.00||记||2026||3"], K.UNKNOWN),
        ([""], K.UNKNOWN),
        (["<new>EXP-1||0007||106.00||记||2026||3</new>"], K.POSTED),
    ],
)
def test_absent_only_where_every_string_was_understood(listed: list[str], kind: K) -> None:
    """A list in another layout, or of another period, is never "absent": nothing is sent again."""
    asked, end = held(ASKING, ASKING.look_up([submission()]), found(*listed))
    assert asked[0].body == {"comNumber": "CN01", "year": "2026", "periodNnumber": "3"}
    assert kinds(end) == [kind]


def test_other_amounts_are_told_and_equal_ones_are_ours() -> None:
    """What is compared is the sum in the local currency."""
    ours = submission()
    _, (same,) = held(ASKING, ASKING.look_up([ours]), found(LISTED))
    assert same.totals == ours.voucher.totals
    _, (other,) = held(ASKING, ASKING.look_up([ours]), found(LISTED.replace("106", "107")))
    assert other.totals == {"CNY": Decimal("107.00")}


def test_a_voucher_listed_twice_is_two_answers() -> None:
    """Two numbers under one reference contradict each other."""
    twice = [LISTED, LISTED.replace("0007", "0008")]
    _, end = held(ASKING, ASKING.look_up([submission()]), found(*twice))
    assert len(end) == 2


def test_a_list_that_is_nil_says_nothing() -> None:
    """Neither an array that is nil nor a fault is an empty list."""
    nil = parse(
        b'<findVoucherResponse><findVoucherReturn xmlns:x="http://www.w3.org/2001/XMLSchema-instance"'
        b' x:nil="true"/></findVoucherResponse>'
    )
    for said in (CONTRACT.reply(nil), Fault(code="Server", reason="broken")):
        _, end = held(ASKING, ASKING.look_up([submission()]), said)
        assert kinds(end) == [K.UNKNOWN]


def test_vouchers_of_two_companies_in_one_call_are_asked_for_in_both() -> None:
    """A voucher is not held for refused because another company's list lacks it."""
    profile = KingdeeEas(credit=-1, listing=LISTING, batch=5)
    other = submission(reference="EXP-2")
    other = msgspec.structs.replace(
        other, voucher=msgspec.structs.replace(other.voucher, company="CN02")
    )
    request = profile.submit([submission(), other])
    asked, end = held(
        profile,
        request,
        answer(SAVED, SAVED),
        found(LISTED),
        found("EXP-2||0007||106.00||记||2026||3"),
    )
    assert [one.body["comNumber"] for one in asked[1:]] == ["CN01", "CN02"]
    assert [str(one.journal_entry) for one in end] == [
        "记-3-0007 / CN01 / 2026",
        "记-3-0007 / CN02 / 2026",
    ]


def test_a_voucher_that_is_neither_listed_nor_refused_is_unknown() -> None:
    """As many refusals as vouchers that lack, or nothing is certain."""
    profile = KingdeeEas(credit=-1, listing=LISTING, batch=5)
    request = profile.submit([submission(), submission(reference="EXP-2")])
    refused = "1002||null||0||0||凭证EXP-2没有找到科目"
    _, end = held(profile, request, answer(SAVED, refused), found(LISTED))
    assert kinds(end) == [K.POSTED, K.REJECTED]
    _, end = held(profile, request, answer(SAVED), found(LISTED))
    assert kinds(end) == [K.POSTED, K.UNKNOWN]
    _, end = held(profile, request, answer(refused, refused), found(LISTED))
    assert kinds(end) == [K.POSTED, K.UNKNOWN]
