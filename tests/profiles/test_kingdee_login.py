"""The login of Kingdee EAS in its three forms, and the sign of its credits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.profiles.test_kingdee_eas import CONTRACT, K, held, posting, submission

from claimbridge.contract import Contract
from claimbridge.contract.calls.fault import Fault
from claimbridge.contract.calls.replies import Reply
from claimbridge.errors import ConfigurationError, DeliveryRefused, LedgerUnavailable
from claimbridge.model import Side
from claimbridge.profiles import load_profile
from claimbridge.profiles.conversation import Credentials, LogIn
from claimbridge.profiles.kingdee.eas import KingdeeEas
from claimbridge.xmlio import parse

FORMS: list[tuple[dict[str, Any], int]] = [
    ({}, 6),
    ({"auth_pattern": "BaseDB"}, 7),
    ({"auth_pattern": ""}, 7),
    ({"auth_pattern": "BaseDB", "password_encoded": False}, 8),
    ({"auth_pattern": "BaseDB", "password_encoded": True}, 8),
]
AGAIN = "session is invalid, please login"
THROWN = "java.lang.reflect.InvocationTargetException"


def loaded(**options: Any) -> KingdeeEas:
    profile = load_profile("kingdee-eas", {"credit": -1, **options})
    assert isinstance(profile, KingdeeEas)
    return profile


@pytest.mark.parametrize(("options", "arguments"), FORMS)
def test_the_login_has_the_arguments_that_are_configured(
    shared: Callable[[str], Path], options: dict[str, Any], arguments: int
) -> None:
    """Valid by our contract and by Kingdee's, which has all three forms."""
    request = loaded(**options).log_in(Credentials(user="u", password="p"))
    assert len(request.body) == arguments
    for contract in (CONTRACT, Contract.load(shared("contracts/kingdee-eas/EASLogin_2021.wsdl"))):
        body = contract.render("login", request.body)
        assert contract.check(body) == ()
        assert len(parse(body)) == arguments
    if arguments == 8:
        assert request.body["isEncodePwd"] == int(options["password_encoded"])


def test_the_eighth_argument_needs_the_seventh() -> None:
    """The form without ``authPattern`` has no place for ``isEncodePwd``."""
    with pytest.raises(ConfigurationError, match="set auth_pattern too") as refused:
        loaded(password_encoded=True)
    assert refused.value.code == "CB-243"


@pytest.mark.parametrize(
    "reason",
    [
        "No such operation 'login'",
        "Tried to invoke method login with a,b. The arguments do not match the signature.",
        "java.lang.IllegalArgumentException: wrong number of arguments",
    ],
)
def test_a_login_of_another_form_is_not_delivered_and_says_what_to_set(reason: str) -> None:
    """Nothing was done, and the same login fails again."""
    with pytest.raises(DeliveryRefused, match="these 7 arguments; set auth_pattern") as refused:
        loaded(auth_pattern="BaseDB").read_log_in(Fault("Server.userException", reason))
    assert reason in refused.value.message
    assert not refused.value.retryable


def test_a_refused_or_a_busy_login_is_told_as_it_is() -> None:
    """A wrong password is for a person, a busy EAS for later."""
    profile = loaded()
    with pytest.raises(DeliveryRefused, match=r"6 arguments.*密码错误"):
        profile.read_log_in(Fault("Server.userException", "用户名或密码错误"))
    with pytest.raises(LedgerUnavailable):
        profile.read_log_in(Fault("Server", "系统繁忙"))


@pytest.mark.parametrize("sign", [-1, 0, 2])
def test_a_credit_has_the_sign_that_is_stated(sign: int) -> None:
    """Debits are 1 everywhere."""
    profile = loaded(credit=sign)
    body = profile.submit([submission()]).body
    assert [row["entryDC"] for row in body["col"]["item"]] == [1, sign]


@pytest.mark.parametrize(("options", "why"), [({}, "is missing"), ({"credit": 1}, "a debit's")])
def test_the_sign_of_a_credit_is_never_guessed(options: dict[str, Any], why: str) -> None:
    """Who upgrades is told what to set, when the ledger is loaded."""
    with pytest.raises(ConfigurationError, match=rf"{why}.*-1 in most.*0 or 2") as refused:
        load_profile("kingdee-eas", options)
    assert refused.value.code == "CB-243"


def detailed(reason: str, *texts: str, name: str = "message") -> Fault:
    """A fault whose detail holds these texts."""
    held_ = "".join(f"<{name}>{text}</{name}>" for text in texts)
    detail = parse(f'<f:fault xmlns:f="urn:f">{held_}</f:fault>'.encode())
    return Fault("Server.generalException", reason, Reply(detail))


@pytest.mark.parametrize(
    ("fault", "dead"),
    [
        (detailed("", AGAIN), True),
        (detailed("com.kingdee.bos.webservice.WSInvokeException", AGAIN), True),
        (detailed("", "会话不存在"), True),
        (detailed("", "用户尚未登录"), True),
        (detailed("java.lang.reflect.InvocationTargetException", "", AGAIN), True),
        (detailed("org.apache.axis.AxisFault; nested exception is: ", "会话已过期。"), True),
        (detailed(AGAIN, f"at a.b.C(C.java:1) {AGAIN} " * 20), True),
        (detailed(AGAIN, AGAIN), True),
        (detailed(AGAIN, "2"), True),
        (detailed(AGAIN, "voucher saved; notice not sent"), False),
        (detailed("java.lang.NullPointerException", AGAIN), False),
        (detailed("java.lang.IllegalStateException", AGAIN), False),
        (detailed("could not save the voucher", AGAIN), False),
        (detailed(THROWN, "voucher saved; notice not sent: mail user not logged in"), False),
        (detailed(THROWN, "voucher saved", "not logged in"), False),
        (detailed(THROWN, "保存成功", "短信平台登录超时"), False),
        (detailed(THROWN, "凭证已保存，请重新登录"), False),
        (detailed(THROWN, "please login: session is invalid, voucher saved"), False),
        (detailed("", f"at a.b.C(C.java:1) {AGAIN} " * 20), False),
        (detailed("", AGAIN, name="stackTrace"), False),
        (detailed("", "EJB session bean VoucherFacade: transaction timed out"), False),
        (detailed("", "凭证保存失败"), False),
    ],
)
def test_a_dead_session_may_stand_in_the_detail(fault: Fault, dead: bool) -> None:
    """Only where the fault says nothing else; what may have run is never sent again."""
    profile = loaded(refuses_repeats=True)
    outcome = profile.read_fault(fault)
    assert outcome.kind is (K.UNAVAILABLE if dead else K.UNKNOWN)
    asked, _ = held(profile, profile.submit([submission()]), fault)
    assert any(isinstance(one, LogIn) for one in asked) is dead


def test_an_unknown_fault_tells_its_detail() -> None:
    """A person who reconciles reads it."""
    outcome = loaded().read_fault(detailed("", "凭证保存失败", "请联系管理员"))
    assert outcome.kind is K.UNKNOWN
    assert "凭证保存失败; 请联系管理员" in outcome.text


# --- names of assistant accounts ----------------------------------------------------------------


def test_a_name_stands_beside_the_code_where_eas_asks_for_it() -> None:
    """From the configuration; the employee's own from the claim."""
    names = {"cost_centre": {"CC-1": "研发部"}, "partner": {}}
    profile = loaded(assistant_names=names, dimensions={"cost_centre": "1", "partner": "职员"})
    debit = posting(Side.DEBIT, "9.00", cost_centre="CC-1")
    credit = posting(Side.CREDIT, "9.00", partner="E1")
    first, second = profile.submit([submission(debit, credit, employee_name="李娜")]).body["col"][
        "item"
    ]
    assert (first["asstActType1"], first["asstActNumber1"]) == ("1", "CC-1")
    assert first["asstActName1"] == "研发部"
    assert (second["asstActNumber1"], second["asstActName1"]) == ("E1", "李娜")


def test_a_code_without_a_name_is_refused_where_eas_asks_for_names() -> None:
    """The message says where the name goes."""
    profile = loaded(assistant_names={"cost_centre": {}})
    pair = [posting(side, "9.00", cost_centre="CC-9") for side in Side]
    with pytest.raises(Exception, match=r"assistant_names\.cost_centre") as refused:
        profile.submit([submission(*pair)])
    assert refused.value.code == "CB-187"  # type: ignore[attr-defined]  # a ClaimError


def test_an_account_may_have_assistant_accounts_of_its_own() -> None:
    """A bank account wants its own number, and not the employee."""
    own = {"1002.01": {"银行账户": "0241"}, "1001": {}}
    profile = loaded(account_assistants=own)
    pair = (
        posting(Side.DEBIT, "9.00", account="1001", partner="E1"),
        posting(Side.CREDIT, "9.00", account="1002.01", partner="E1", dimensions={"region": "N"}),
    )
    first, second = profile.submit([submission(*pair)]).body["col"]["item"]
    assert not [name for name in first if name.startswith("asstAct")]
    assert (second["asstActType1"], second["asstActNumber1"]) == ("银行账户", "0241")
    assert "asstActType2" not in second


@pytest.mark.parametrize(
    "own", [{"银行账户": ""}, {"": "0241"}, {str(number): "1" for number in range(9)}]
)
def test_assistant_accounts_without_sense_are_refused(own: dict[str, str]) -> None:
    """EAS stops reading at the first empty one, and reads eight."""
    with pytest.raises(ConfigurationError, match=r"account 1002\.01") as refused:
        loaded(account_assistants={"1002.01": own})
    assert refused.value.code == "CB-243"
