"""SAP in the sandbox converts no codes and computes no taxes, as behind its real interfaces."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.profiles.samples import submission as taxed
from tests.sandbox.caller import Caller, body_of, submission

from claimbridge.model import Outcome, OutcomeKind
from claimbridge.profiles import load_profile
from claimbridge.sandbox import Sandbox

K = OutcomeKind
JOURNAL_ENTRY = "sap-journal-entry"
BAPI = "sap-bapi"
POSTED = {JOURNAL_ENTRY: K.POSTED, BAPI: K.UNKNOWN}
"""What one reply says: the BAPI's number counts only after the commit."""


@pytest.fixture(params=[JOURNAL_ENTRY, BAPI])
def caller(request: pytest.FixtureRequest) -> Iterator[Caller]:
    with Sandbox(profiles=[request.param]) as erp:
        yield Caller(erp, request.param)


def sent(caller: Caller, old: bytes = b"", new: bytes = b"", *, tax: bool = False) -> Outcome:
    """What the sandbox makes of a voucher whose request was changed on the way."""
    one = taxed() if tax else submission()
    body = body_of(caller.profile.name, caller.profile.submit([one]))
    assert old in body
    envelope = caller.call(body.replace(old, new))
    assert envelope.body is not None
    (outcome,) = caller.profile.read(caller.contract.reply(envelope.body))
    return outcome


def codes(outcome: Outcome) -> list[str]:
    return [reason.code for reason in outcome.reasons]


def test_an_account_without_its_zeros_does_not_exist(caller: Caller) -> None:
    """As people write it, it is another account."""
    assert sent(caller).kind is POSTED[caller.profile.name]
    outcome = sent(caller, b"0000660201", b"660201")
    assert outcome.kind is K.REJECTED
    assert codes(outcome) == ["609(RW)", "004(FH)"]
    assert "Account 660201 does not exist" in outcome.reasons[-1].text


def test_a_vendor_of_digits_needs_its_zeros_too(caller: Caller) -> None:
    """Letters have none."""
    assert codes(sent(caller, b"E0815", b"815")) == ["609(RW)", "104(F5)"]
    assert sent(caller, b"E0815", b"0000000815").kind is POSTED[caller.profile.name]


def test_an_item_with_a_tax_code_needs_a_tax_item(caller: Caller) -> None:
    """Else SAP says that the tax statement item is missing."""
    assert sent(caller, tax=True).kind is POSTED[caller.profile.name]
    body = body_of(caller.profile.name, caller.profile.submit([taxed()]))
    # The first is the item's, not the tax item's.
    envelope = caller.call(body.replace(b"TaxCode>J1<", b"TaxCode>J7<", 1))
    assert envelope.body is not None
    (outcome,) = caller.profile.read(caller.contract.reply(envelope.body))
    assert codes(outcome) == ["609(RW)", "805(FF)", codes(outcome)[-1]]
    assert "Tax statement item missing for tax code J7" in str(outcome.reasons[1])
    assert "no item with tax code J1" in str(outcome.reasons[2])


def test_a_group_must_have_a_base() -> None:
    """FF 818: by item, tax item and base have the same group."""
    with Sandbox(profiles=[JOURNAL_ENTRY]) as erp:
        caller = Caller(erp, JOURNAL_ENTRY)
        profile = load_profile(JOURNAL_ENTRY, {"taxes": {"J1": {"by_item": True}}})
        body = body_of(JOURNAL_ENTRY, profile.submit([taxed()]))
        assert caller.call(body).fault is None
        other = body.replace(b"<TaxItemGroup>2<", b"<TaxItemGroup>3<", 1)
        envelope = caller.call(other)
        assert envelope.body is not None
        (outcome,) = profile.read(caller.contract.reply(envelope.body))
        assert codes(outcome) == ["609(RW)", "818(FF)"]


def test_a_direct_posting_needs_no_base() -> None:
    """It says so itself."""
    with Sandbox(profiles=[JOURNAL_ENTRY]) as erp:
        caller = Caller(erp, JOURNAL_ENTRY)
        profile = load_profile(JOURNAL_ENTRY, {"taxes": {"J1": {"direct": True}}})
        envelope = caller.call(body_of(JOURNAL_ENTRY, profile.submit([taxed()])))
        assert envelope.body is not None
        (outcome,) = profile.read(caller.contract.reply(envelope.body))
        assert outcome.kind is K.POSTED
