from __future__ import annotations

import pytest
from tests.profiles.samples import TRIP, submission

from claimbridge import xmlio
from claimbridge.contract import Bundle, Contract
from claimbridge.profiles.reference.profile import Reference, voucher_from
from claimbridge.signing import Identity, Signer
from claimbridge.signing.keys import throwaway

CONTRACT = Contract.load(Bundle.from_package("voucher-service.wsdl"))


@pytest.mark.parametrize("kind", ["p256", "rsa"])
def test_what_our_signer_signs_our_contract_allows(kind: throwaway.Kind) -> None:
    """Each voucher of a signed batch is valid, and reads as it did before."""
    profile = Reference()
    request = profile.submit([submission(reference="A"), submission(reference="B")])
    body = CONTRACT.render(request.operation, request.body)
    identity = Identity.from_pem(throwaway.make(kind=kind).pem())
    signed = Signer(identity).sign(body, element=profile.capabilities.document_signature)
    assert signed.count(b"<ds:Signature ") == 2
    assert CONTRACT.check(signed) == ()
    assert [voucher_from(element) for element in xmlio.parse(signed)] == [TRIP, TRIP]
