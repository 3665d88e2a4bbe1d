from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.profiles.samples import TRIP, reversal, submission
from tests.strategies import as_told, vouchers

from claimbridge import xmlio
from claimbridge.contract import Bundle, Contract
from claimbridge.errors import ClaimError, DocumentError
from claimbridge.model import Purpose, Submission, Voucher
from claimbridge.profiles.reference.profile import Reference, voucher_from

CONTRACT = Contract.load(Bundle.from_package("voucher-service.wsdl"))


def sent(known: Submission) -> bytes:
    """The body that carries a submission; valid by the contract."""
    post = known.voucher.purpose is Purpose.POST
    request = Reference().submit([known]) if post else Reference().reverse(known)
    body = CONTRACT.render(request.operation, request.body)
    assert CONTRACT.check(body, sources=request.sources) == ()
    return body


@settings(max_examples=150, deadline=None)
@given(vouchers())
def test_a_voucher_survives_xml_unchanged(voucher: Voucher) -> None:
    """Every field comes back as it went: digits, zones, white space at the edges, line ends."""
    element = xmlio.parse(sent(submission(voucher)))[0]
    back = voucher_from(element)
    assert back == as_told(voucher)
    # Equal moments may differ in zone, and equal decimals in digits.
    assert msgspec.json.encode(back) == msgspec.json.encode(as_told(voucher))


@settings(max_examples=30, deadline=None)
@given(st.lists(vouchers(), min_size=2, max_size=4))
def test_a_batch_survives_xml_unchanged(batch: list[Voucher]) -> None:
    """In a batch each voucher keeps its own identity."""
    posts = [msgspec.structs.replace(v, purpose=Purpose.POST, reverses=None) for v in batch]
    known = [submission(voucher, reference=f"R{n}") for n, voucher in enumerate(posts)]
    request = Reference().submit(known)
    body = CONTRACT.render(request.operation, request.body)
    assert CONTRACT.check(body) == ()
    assert [voucher_from(element) for element in xmlio.parse(body)] == [*map(as_told, posts)]


def test_a_reversal_names_what_it_takes_back() -> None:
    """The journal entry's number, company and year travel with the voucher that reverses it."""
    known = reversal()
    assert voucher_from(xmlio.parse(sent(known))[0]) == known.voucher


def test_a_signature_and_comments_are_no_part_of_the_voucher() -> None:
    """Comments, which no signature covers, cannot change a value."""
    body = sent(submission()).decode()
    signed = body.replace(
        "</n1:Voucher>",
        '<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/></n1:Voucher>',
    ).replace("<n1:Account>660201", "<n1:Account>6602<!--99-->01")
    assert voucher_from(xmlio.parse(signed.encode())[0]) == TRIP


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<n1:Role>expense</n1:Role>", ""),
        (">debit<", ">soll<"),
        (">943.40<", ">n/a<"),
        (">2026-03-31<", ">2026-02-30<"),
    ],
)
def test_what_is_no_voucher_is_refused(old: str, new: str) -> None:
    """A server that skips its schema check gets an error of ours, not a foreign one."""
    body = sent(submission()).decode()
    assert old in body
    with pytest.raises(DocumentError) as caught:
        voucher_from(xmlio.parse(body.replace(old, new, 1).encode())[0])
    assert caught.value.code == "CB-160"


def test_another_element_is_no_voucher() -> None:
    """The request around a voucher is not the voucher."""
    with pytest.raises(DocumentError, match="SubmitVoucherRequest"):
        voucher_from(xmlio.parse(sent(submission())))


def test_an_unbalanced_document_is_no_voucher() -> None:
    """What the schema cannot see, the constructor does."""
    body = sent(submission()).replace(b">943.40<", b">943.41<", 1)
    with pytest.raises(ClaimError, match="debits exceed credits"):
        voucher_from(xmlio.parse(body)[0])
