"""Services that take a document in a string judge what it holds."""

from __future__ import annotations

from xml.sax.saxutils import escape  # it writes only; nothing is parsed with it

import pytest
from tests.sandbox.caller import Caller
from tests.site import SITE

from claimbridge.model import Outcome, OutcomeKind
from claimbridge.profiles import load_profile
from claimbridge.sandbox import Sandbox

FRAMES = {
    "in-string": '<n:receiveVoucher xmlns:n="urn:claimbridge:in-string:1"><document>{}</document>'
    "</n:receiveVoucher>",
    "yonyou-nc": '<n:synchronizeData xmlns:n="http://synchdata.pfxx.itf.nc/IPfxxWs">'
    "<xmlStr>{}</xmlStr><pluginCode>vouchergl</pluginCode></n:synchronizeData>",
}
NO_VOUCHERS = (
    "hello",
    "{}",
    "[1, 2]",
    '{"reference": "EXP-1", "date": "2026-03-31", "posting": [{"amount": "many"}]}',
    "<ufinterface/>",
    '<ufinterface filename="EXP-1"><voucher><voucher_head><prepareddate>2026-03-31</prepareddate>'
    "<details/></voucher_head></voucher></ufinterface>",
    "<ufinterface><voucher>",
)


TOLD = {"in-string": {"duplicate_values": ["2"]}}
"""What a profile must be told of its service to know a repeat."""


def sent(erp: Sandbox, profile: str, document: str) -> Outcome:
    """What the profile reads when ``document`` was the string."""
    caller = Caller(erp, profile)
    envelope = caller.call(FRAMES[profile].format(escape(document)).encode())
    assert envelope.body is not None
    reader = load_profile(profile, {**SITE.get(profile, {}), **TOLD.get(profile, {})})
    (outcome,) = reader.read(caller.contract.reply(envelope.body))
    return outcome


@pytest.mark.parametrize("document", NO_VOUCHERS)
@pytest.mark.parametrize("profile", FRAMES)
def test_a_string_without_a_voucher_is_refused(profile: str, document: str) -> None:
    """In the service's own words, and nothing is entered."""
    with Sandbox(profiles=[profile]) as erp:
        outcome = sent(erp, profile, document)
        assert outcome.kind is OutcomeKind.REJECTED
        assert "cannot be read" in outcome.reasons[0].text
        assert outcome.reasons[0].code == {"in-string": "1", "yonyou-nc": "-31002"}[profile]
        assert erp.ledger() == []


def test_one_keeps_references_unique_and_the_other_does_not() -> None:
    """The same string twice: a repeat with the number that is there, or a second voucher."""
    json = (
        '{"reference": "EXP-1", "company": "CN01", "currency": "CNY", "date": "2026-03-31",'
        ' "posting": [{"account": "1", "side": "D", "amount": 5, "currency": "CNY"},'
        ' {"account": "2", "side": "C", "amount": 5, "currency": "CNY"}]}'
    )
    items = "".join(
        f"<item><accsubjcode>{account}</accsubjcode><debitamount>{debit}</debitamount>"
        f"<creditamount>{credit}</creditamount><pk_currtype>CNY</pk_currtype></item>"
        for account, debit, credit in (("1", 5, 0), ("2", 0, 5))
    )
    xml = (
        '<ufinterface filename="EXP-1" receiver="0001A110000000000ABC"><voucher><voucher_head>'
        f"<pk_org>CN01</pk_org><prepareddate>2026-03-31</prepareddate><details>{items}</details></voucher_head></voucher>"
        "</ufinterface>"
    )
    with Sandbox(profiles=list(FRAMES)) as erp:
        first, again = (sent(erp, "in-string", json) for _ in range(2))
        assert (first.kind, again.kind) == (OutcomeKind.POSTED, OutcomeKind.DUPLICATE)
        assert first.journal_entry == again.journal_entry
        first, again = (sent(erp, "yonyou-nc", xml) for _ in range(2))
        assert (first.kind, again.kind) == (OutcomeKind.POSTED, OutcomeKind.POSTED)
        assert first.journal_entry != again.journal_entry
        assert [one.profile for one in erp.ledger()].count("in-string") == 1
