"""The fast ways and the general ways: the same signatures, the same verdicts."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest
from hypothesis import given, settings
from tests.signing.documents import documents
from tests.signing.test_sign import REQUEST, VOUCHER, example_runs

from claimbridge.errors import DocumentError, SigningError
from claimbridge.signing import Identity, Policy, Signer, Verifier
from claimbridge.xmlio import canonical, parse


@pytest.fixture(scope="module")
def rsa(throwaways) -> Signer:
    """RSA signatures are deterministic, so whole documents can be compared."""
    return Signer(Identity.from_pem(throwaways["rsa"].pem()))


def _signed(signer: Signer, document: bytes, element: str | None = None) -> bytes | str:
    try:
        return signer.sign(document, element=element)
    except SigningError as error:
        return error.code


@given(document=documents())
@settings(example_runs, max_examples=60)
def test_canonical_bytes_are_signed_as_the_parser_would(document, rsa):
    """Without a parser, over the root or over elements: the same bytes as with one."""
    form = canonical(parse(document))
    assert _signed(rsa, form) == _signed(rsa, bytes(form)) == rsa.sign_tree(parse(document))
    for element in ("{urn:p}Line", "{urn:q}Line", "{urn:d}a", VOUCHER, "a"):
        assert _signed(rsa, form, element) == _signed(rsa, bytes(form), element)


CASES = {
    "declared at the element": b'<r:R xmlns:r="urn:r"><v:V xmlns:v="urn:v" Id="a">1</v:V></r:R>',
    "declared above": b'<v:R xmlns:v="urn:v"><v:V Id="a"></v:V><v:V Id="b"><v:x></v:x></v:V></v:R>',
    "from above": b'<r:R xmlns:r="urn:r"><v:V xmlns:v="urn:v" Id="a"><r:x></r:x></v:V></r:R>',
    "one in another": b'<v:V xmlns:v="urn:v" Id="a"><v:V Id="b"></v:V></v:V>',
    "longer name": b'<v:R xmlns:v="urn:v"><v:VV Id="a"></v:VV><v:V Id="b"></v:V></v:R>',
    "text like a tag's": b'<v:R xmlns:v="urn:v"><v:V Id="a"> Id="a" xmlns:v="urn:w"</v:V></v:R>',
    "value hides id": b'<v:R xmlns:v="urn:v"><v:V Id="a" b=" id="></v:V><v:V Id="a"></v:V></v:R>',
    "id of another spelling": b'<v:R xmlns:v="urn:v" iD="a"><v:V Id="a"></v:V></v:R>',
    "no id": b'<v:R xmlns:v="urn:v"><v:V></v:V></v:R>',
    "declared beside": b'<v:R xmlns:v="urn:v"><v:V xmlns:a="urn:a" Id="a" a:b=""></v:V></v:R>',
    "instruction": b'<v:R xmlns:v="urn:v"><?x <v:V Id="z"> ?><v:V Id="a"></v:V></v:R>',
    "greater in a value": b'<v:R xmlns:v="urn:v"><v:V Id="a" b=">"></v:V></v:R>',
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_elements_of_every_kind(case, rsa):
    document = canonical(parse(CASES[case]))
    assert document == CASES[case]
    assert _signed(rsa, document, "{urn:v}V") == _signed(rsa, bytes(document), "{urn:v}V")
    assert _signed(rsa, document) == _signed(rsa, bytes(document))


def test_a_request_is_signed_as_the_parser_would(rsa):
    form = canonical(parse(REQUEST))
    assert _signed(rsa, form, VOUCHER) == _signed(rsa, bytes(form), VOUCHER)


def _verdict(verify, document: bytes) -> object:
    try:
        verified = verify(document)
    except (SigningError, DocumentError) as error:
        return error.code
    return verified.content, verified.subject, verified.fingerprint


@given(document=documents(outside=False))
@settings(example_runs, max_examples=40)
def test_both_ways_of_verifying_agree(document, throwaway, identity):
    """A document or a mutant of it: what the fast way accepts the general one does, the same."""
    verifier = Verifier(Policy(trust=throwaway.trust))
    good = Signer(identity).sign_tree(parse(document))
    rng = random.Random(good[:64])
    assert _verdict(verifier.verify, good) == _verdict(verifier._verify, good)
    for _ in range(8):
        mutant = bytearray(good)
        start, end = sorted(rng.choices(range(len(good)), k=2))
        mutant[start:end] = rng.choice([b"", b" ", good[start:end] * 2, b"x"])
        assert _verdict(verifier.verify, bytes(mutant)) == _verdict(verifier._verify, bytes(mutant))


@pytest.mark.parametrize(
    "document",
    [
        b"<a><b/></a>",
        b"<a>\r\n</a>",
        b"<!DOCTYPE a><a></a>",
        b'<a Id="x"><b id="x"></b></a>',
        b'<a c="" b=""></a>',
        b"<a></a><b></b>",
        b"<a",
        b"",
    ],
)
def test_a_signed_digest_does_not_make_a_document(document, identity, throwaway):
    """A trusted signer's signature over bytes that are not canonical is refused as ever."""
    signer, verifier = Signer(identity), Verifier(Policy(trust=throwaway.trust))
    at = max(document.rfind(b"</"), 0)
    forged = document[:at] + signer._over(b"", document) + document[at:]
    with pytest.raises((SigningError, DocumentError)):
        verifier.verify(forged)


def test_remembered_signers_expire(identity, throwaway):
    """A verdict is remembered for as long as no certificate begins or ends, and no longer."""

    class Clock:
        moment = throwaway.certificate.not_valid_after_utc

        def now(self):
            return self.moment

    clock = Clock()
    verifier = Verifier(Policy(trust=throwaway.trust), clock=clock)
    signed = Signer(identity).sign(b"<a></a>")
    assert verifier.verify(signed).content == b"<a></a>"
    clock.moment = throwaway.certificate.not_valid_after_utc.replace(year=2099)
    with pytest.raises(SigningError) as caught:
        verifier.verify(signed)
    assert caught.value.code == "CB-333"
    clock.moment = throwaway.certificate.not_valid_before_utc.replace(year=2001)
    with suppress(SigningError):
        raise AssertionError(verifier.verify(signed))
