"""Signed originals: vouchers and envelopes that verify, each with the policy that accepts it."""

from __future__ import annotations

import msgspec

from claimbridge.signing import Identity, Policy, Signer, verify
from claimbridge.signing.keys.throwaway import Kind, make

_POSTINGS = (
    '<v:Posting><v:Account>6602.03</v:Account><v:Side>debit</v:Side><v:Amount currency="CNY">'
    "1000.00</v:Amount><v:Text>酒店 7 晚 &amp; taxi</v:Text></v:Posting>"
    '<v:Posting><v:Account>2241.01</v:Account><v:Side>credit</v:Side><v:Amount currency="CNY">'
    "1000.00</v:Amount><v:Payee>ACME</v:Payee></v:Posting>"
)
_VOUCHER = (
    '<v:Voucher xmlns:v="urn:claimbridge:voucher:1"{id}><v:Reference>{reference}</v:Reference>'
    f"{_POSTINGS}</v:Voucher>"
)
_LOOSE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<!-- approved --><Voucher xmlns='
    '"urn:claimbridge:voucher:1" xmlns:x="urn:x" b="2" a=\'1\'>\n  <Payee>ACME</Payee>\r\n'
    "  <Amount x:c='y'>1000<!-- and no more -->.00</Amount><![CDATA[<Payee>]]><?print twice?>\n"
    "</Voucher>\n"
)


class Original(msgspec.Struct, frozen=True):
    """A document that verifies, the policy it verifies by, and the bytes that come out."""

    document: bytes
    policy: Policy
    content: bytes


def corpus() -> tuple[Original, ...]:
    """Return newly signed originals of every kind."""
    return tuple(original for kind in ("rsa", "p256") for original in _of(kind))


def _of(kind: Kind) -> list[Original]:
    throwaway = make("signer", kind=kind)
    signer = Signer(Identity.from_pem(throwaway.pem()))
    by_anchor = Policy(trust=throwaway.trust, subjects=("signer",))
    by_pin = Policy(pin=throwaway.pin)
    in_soap = Policy(placement="soap", trust=throwaway.trust, max_age=86400)
    named = _VOUCHER.format(id=' Id="v1"', reference="EXP-1")
    plain = _VOUCHER.format(id="", reference="EXP-2")
    made = [
        (signer.sign(named.encode()), by_anchor),
        (signer.sign(plain.encode()), by_anchor),
        (signer.sign(_LOOSE.encode()), by_pin),
    ]
    for namespace in (
        "http://schemas.xmlsoap.org/soap/envelope/",
        "http://www.w3.org/2003/05/soap-envelope",
    ):
        envelope = (
            f'<s:Envelope xmlns:s="{namespace}"><s:Header><n:Note xmlns:n="urn:n">x</n:Note>'
            f"</s:Header><s:Body>{named.replace('v1', 'v2')}</s:Body></s:Envelope>"
        )
        made.append((signer.sign_envelope(envelope.encode()), in_soap))
    return [
        Original(document, policy, verify(document, policy).content) for document, policy in made
    ]
