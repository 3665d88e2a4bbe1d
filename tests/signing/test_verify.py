"""Verifying by position and policy: documents, elements of a request, SOAP envelopes."""

from __future__ import annotations

import re
import subprocess
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from tests.signing.issuing import AT, VECTORS_AT, At, issue

from claimbridge.errors import (
    ConfigurationError,
    DocumentError,
    KeyUnavailable,
    SignatureInvalid,
    SigningError,
)
from claimbridge.signing import (
    Identity,
    Policy,
    Signer,
    Verified,
    Verifier,
    verify,
    verify_elements,
)
from claimbridge.signing.form.dsig import DS, ENVELOPED, SOAP11, SOAP12, WSSE, WSU
from claimbridge.signing.trust.timestamps import verify_timestamp
from claimbridge.xmlio import canonical, parse

VOUCHER = "{urn:claimbridge:voucher:1}Voucher"
REQUEST = """<r:SubmitVouchersRequest xmlns:r="urn:r" xmlns="urn:claimbridge:voucher:1">
<Voucher Id="V-1"><Amount>100.00</Amount></Voucher><r:x/>
<Voucher Id="V-2"><Text>差旅</Text></Voucher>
</r:SubmitVouchersRequest>""".encode()


@pytest.fixture(scope="module")
def trusted(throwaway) -> Policy:
    return Policy(trust=throwaway.trust, subjects=("signer",))


@pytest.fixture(scope="module")
def signed(identity) -> bytes:
    return Signer(identity).sign(b'<a Id="x"><b>100.00</b><c/></a>')


def _code(document: bytes, policy: Policy) -> str:
    with pytest.raises(SigningError) as caught:
        verify(document, policy)
    return caught.value.code


def test_the_result_is_who_and_what(signed, trusted, throwaway):
    """The caller gets the signed bytes, the signer's name and its certificate's fingerprint."""
    verified = verify(signed, trusted)
    assert verified == Verified(
        content=b'<a Id="x"><b>100.00</b><c></c></a>',
        subject="CN=signer",
        fingerprint=verified.fingerprint,
        seal=verified.seal,
    )
    assert bytes.fromhex(verified.fingerprint) == throwaway.certificate.fingerprint(
        throwaway.certificate.signature_hash_algorithm
    )


SIGNATURE = b"<ds:Signature "
EXCLUSIVE = b"http://www.w3.org/2001/10/xml-exc-c14n#"
INCLUSIVE = b'Method Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315'
FIRST = b"<ds:Transforms>"
TRANSFORM = b'<ds:Transforms><ds:Transform Algorithm="%s"/>'
EMPTY = b'<ds:Signature xmlns:ds="%s"/>' % DS.encode()
OBJECT = b'<ds:Reference Type="http://www.w3.org/2000/09/xmldsig#Object" '
LENGTH = b"<ds:HMACOutputLength>0</ds:HMACOutputLength></ds:SignatureMethod>"
CASES = {
    # what is done to the signed document: (before, after), code
    "content": ((b"100.00", b"900.00"), "CB-328"),
    "attribute": ((b"<b>", b'<b x="">'), "CB-328"),
    "text beside the signature": ((b"</a>", b"x</a>"), "CB-328"),
    "instruction inside": ((b"<c/>", b"<c/><?x?>"), "CB-328"),
    "an element after it": ((b"</ds:Signature>", b"</ds:Signature><d/>"), "CB-321"),
    "a second signature": ((SIGNATURE, EMPTY + SIGNATURE), "CB-321"),
    "other target": ((b'URI="#x"', b'URI="#y"'), "CB-325"),
    "external target": ((b'URI="#x"', b'URI="http://127.0.0.1:9/"'), "CB-325"),
    "no target": ((b' URI="#x"', b""), "CB-325"),
    "object": ((b"</ds:Signature>", b"<ds:Object/></ds:Signature>"), "CB-322"),
    "no key": ((b"ds:KeyInfo", b"ds:Object"), "CB-322"),
    "inclusive C14N": ((b'Method Algorithm="' + EXCLUSIVE, INCLUSIVE), "CB-323"),
    "with comments": ((b'#"></ds:Transform>', b'#WithComments"></ds:Transform>'), "CB-324"),
    "SHA-1": ((b"xmlenc#sha256", b"xmldsig#sha1"), "CB-323"),
    "HMAC": ((b"#ecdsa-sha256", b"#hmac-sha256"), "CB-323"),
    "RSA for an EC key": ((b"#ecdsa-sha256", b"#rsa-sha256"), "CB-323"),
    "another hash": ((b"#ecdsa-sha256", b"#ecdsa-sha512"), "CB-329"),
    "parameter of the method": ((b"</ds:SignatureMethod>", LENGTH), "CB-322"),
    "transform twice": ((FIRST, TRANSFORM % EXCLUSIVE), "CB-324"),
    "type": ((b"<ds:Reference ", OBJECT), "CB-322"),
    "comment": ((b"<ds:DigestValue>", b"<ds:DigestValue><!---->"), "CB-327"),
    "instruction": ((b"<ds:SignatureValue>", b"<?x?><ds:SignatureValue>"), "CB-327"),
    "stray text": ((b"<ds:KeyInfo>", b"x<ds:KeyInfo>"), "CB-327"),
    "base64 padding": ((b"</ds:SignatureValue>", b"=</ds:SignatureValue>"), "CB-327"),
    "empty value": ((b"<ds:SignatureValue>", b"<ds:SignatureValue/><ds:SignatureValue>"), "CB-322"),
    "repeated id": ((b"<b>", b'<b xml:id="x">'), "CB-326"),
    "repeated foreign id": ((b"<b>", b'<b xmlns:v="urn:v" v:iD="x">'), "CB-326"),
    "shortened certificate": ((b"<ds:X509Certificate>MII", b"<ds:X509Certificate>"), "CB-327"),
    "damaged certificate": ((b"<ds:X509Certificate>MIIB", b"<ds:X509Certificate>AAAA"), "CB-332"),
    "certificate revocation list": ((b"<ds:X509Data>", b"<ds:X509Data><ds:X509CRL/>"), "CB-322"),
    "key value too": ((b"<ds:KeyInfo>", b"<ds:KeyInfo><ds:KeyValue/>"), "CB-331"),
    "key name only": ((b"ds:X509Data", b"ds:KeyName"), "CB-331"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_each_alteration_has_its_code(case, signed, trusted):
    """Whatever is changed is refused, before cryptography where the policy can tell."""
    (before, after), code = CASES[case]
    altered = signed.replace(before, after)
    assert altered != signed
    assert _code(altered, trusted) == code


def test_a_target_is_covered_once(signed, trusted):
    """Two References to one element, which could say different things of it, are refused."""
    reference = re.search(rb"<ds:Reference .*?</ds:Reference>", signed)
    assert reference is not None
    assert _code(signed.replace(reference[0], reference[0] * 2), trusted) == "CB-325"
    assert _code(signed.replace(reference[0], reference[0] * 17), trusted) == "CB-322"


@pytest.mark.parametrize("document", [b"<a/>", b"<a><b/>x</a>"])
def test_an_unsigned_document_is_refused(document, trusted):
    assert _code(document, trusted) == "CB-320"


def test_a_signature_deeper_inside_signs_nothing_here(identity, trusted):
    """A signed element in an unsigned document does not make the document signed."""
    inner = Signer(identity).sign(b"<b/>")
    assert _code(b"<a>" + inner + b"</a>", trusted) == "CB-320"
    assert _code(b"<a><b>" + inner + b"</b></a>", trusted) == "CB-320"


@pytest.mark.parametrize(
    "change",
    [(b"<ds:KeyInfo>", b"\n <ds:KeyInfo>\n"), (b"</ds:Signature>", b"</ds:Signature><!-- x -->")],
)
def test_white_space_and_comments_around_values_change_nothing(change, signed, trusted):
    """Receivers that indent what is not signed, or comment after it, do no harm."""
    assert verify(signed.replace(*change), trusted).content == verify(signed, trusted).content


def test_top_level_instructions_belong_to_a_whole_document(identity, trusted):
    """URI "" covers the document with its processing instructions; comments are covered nowhere."""
    signed = Signer(identity).sign(b"<?a b?><!-- c --><d/><?e?>")
    assert verify(signed, trusted).content == b"<d></d>"
    assert verify(signed.replace(b" c ", b" x "), trusted).content == b"<d></d>"
    assert _code(signed.replace(b"<?a b?>", b"<?a x?>"), trusted) == "CB-328"
    assert _code(signed.replace(b"<?e?>", b""), trusted) == "CB-328"


TEMPLATE = """<a Id="x" xmlns="urn:d" xmlns:p="urn:p" xmlns:q="urn:q" t="p:T"><b/>
<Signature xmlns="{ds}"><SignedInfo>
<CanonicalizationMethod Algorithm="{exc}"><i:InclusiveNamespaces xmlns:i="{exc}" PrefixList="q"/>
</CanonicalizationMethod><SignatureMethod Algorithm="{more}rsa-sha512"/>
<Reference URI="{uri}"><Transforms><Transform Algorithm="{ds}enveloped-signature"/>
<Transform Algorithm="{exc}"><i:InclusiveNamespaces xmlns:i="{exc}" PrefixList="p #default"/>
</Transform></Transforms><DigestMethod Algorithm="{more}sha384"/><DigestValue/></Reference>
</SignedInfo><SignatureValue/><KeyInfo><X509Data/></KeyInfo></Signature></a>"""


@pytest.mark.parametrize("uri", ["", "#x"])
def test_what_xmlsec1_signs_is_accepted(uri, throwaways, peer, tmp_path):
    """Another signer's indented document verifies: default prefix, RSA-SHA512, PrefixLists.

    The PrefixList is honoured: a QName in a value keeps its namespace in what the caller gets.
    """
    made = throwaways["rsa"]
    more = "http://www.w3.org/2001/04/xmldsig-more#"
    (tmp_path / "in.xml").write_text(
        TEMPLATE.format(ds=DS, exc=EXCLUSIVE.decode(), more=more, uri=uri)
    )
    (tmp_path / "key.pem").write_bytes(made.pem())
    (tmp_path / "cert.pem").write_bytes(made.pin)
    key = ["--privkey-pem", f"{tmp_path / 'key.pem'},{tmp_path / 'cert.pem'}"]
    command = [peer("xmlsec1"), "--sign", *key, "--id-attr:Id", "urn:d:a", tmp_path / "in.xml"]
    run = subprocess.run(command, capture_output=True, timeout=30)
    assert run.returncode == 0, run.stderr
    verified = verify(run.stdout, Policy(trust=made.trust))
    assert verified.content.startswith(b'<a xmlns="urn:d" xmlns:p="urn:p" Id="x" t="p:T"><b></b>')


# --- elements of a request ----------------------------------------------------------------------


def test_every_element_is_verified_for_itself(identity, trusted):
    """Each Voucher of a request is given as its own signed bytes, in order."""
    request = Signer(identity).sign(REQUEST, element=VOUCHER)
    first, second = verify_elements(request, VOUCHER, trusted)
    assert b"100.00" in first.content
    assert b"Signature" not in first.content
    assert second.element().findtext("{*}Text") == "差旅"


def test_a_taken_out_element_is_a_signed_document(identity, trusted):
    """The element's own canonical bytes verify as a document, its Reference naming its root."""
    request = parse(Signer(identity).sign(REQUEST, element=VOUCHER))
    for voucher in request.iter(VOUCHER):
        alone = canonical(voucher)
        assert verify(alone, trusted).element().get("Id") == voucher.get("Id")


def test_elements_survive_another_envelope(identity, trusted):
    """Signed vouchers stay valid when a gateway puts them into a body of its own."""
    vouchers = [
        canonical(voucher)
        for voucher in parse(Signer(identity).sign(REQUEST, element=VOUCHER)).iter(VOUCHER)
    ]
    body = b'<g:Post xmlns:g="urn:g" xmlns="urn:other">\n' + b"".join(vouchers) + b"</g:Post>"
    assert len(verify_elements(body, VOUCHER, trusted)) == 2


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ((b"100.00", b"100.01"), "CB-328"),
        ((b'Id="V-2"', b'Id="V-1"'), "CB-326"),
        ((b'URI="#V-2"', b'URI="#V-1"'), "CB-325"),
        ((b'URI="#V-2"', b'URI=""'), "CB-329"),
        ((b"<r:x/>", b'<Voucher Id="V-3"><Amount>1</Amount></Voucher>'), "CB-320"),
    ],
)
def test_one_bad_element_fails_all(change, code, identity, trusted):
    """A request is taken only when every one of its elements is signed and intact."""
    request = Signer(identity).sign(REQUEST, element=VOUCHER)
    altered = request.replace(*change)
    assert altered != request
    with pytest.raises(SignatureInvalid) as caught:
        verify_elements(altered, VOUCHER, trusted)
    assert caught.value.code == code


def test_no_element_is_not_a_success(trusted):
    """Nothing to verify is refused, rather than taken for verified."""
    with pytest.raises(SignatureInvalid) as caught:
        verify_elements(b"<a/>", VOUCHER, trusted)
    assert caught.value.code == "CB-320"


# --- SOAP envelopes -----------------------------------------------------------------------------

USERNAME = f'<w:Security xmlns:w="{WSSE}"><w:UsernameToken/></w:Security>'
HEADERS = {
    "none": "",
    "empty": "<s:Header/>",
    "others": '<s:Header><x:To xmlns:x="urn:x">y</x:To></s:Header>',
    "security": f"<s:Header>{USERNAME}</s:Header>",
    "empty security": f'<s:Header><w:Security xmlns:w="{WSSE}"/></s:Header>',
}
BODIES = {
    "plain": "<s:Body>",
    "with wsu:Id": f'<s:Body xmlns:u="{WSU}" u:Id="the-body">',
    "wsu otherwise": '<s:Body xmlns:wsu="urn:x">',
    "wsu declared": f'<s:Body xmlns:wsu="{WSU}">',
}
CONTENT = '<v:Reply xmlns:v="urn:v">\r\n<v:Payee>差旅</v:Payee></v:Reply>'


def _envelope(header: str = "", body: str = "<s:Body>", soap: str = SOAP11) -> bytes:
    return f'<s:Envelope xmlns:s="{soap}">{header}{body}{CONTENT}</s:Body></s:Envelope>'.encode()


@pytest.mark.parametrize("soap", [SOAP11, SOAP12])
@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("body", BODIES)
def test_an_envelope_is_signed_over_its_body(soap, header, body, identity, throwaway):
    """Whatever headers there are, the Body in its place is covered, with a fresh Timestamp."""
    plain = _envelope(HEADERS[header], BODIES[body], soap)
    signed = Signer(identity, clock=At()).sign_envelope(plain)
    assert CONTENT.encode() in signed
    policy = Policy(placement="soap", pin=throwaway.pin, at=AT, max_age=0)
    reply = verify(signed, policy).element()
    assert reply.tag == f"{{{soap}}}Body"
    assert reply.findtext("{urn:v}Reply/{urn:v}Payee") == "差旅"
    assert signed.count(b"wsu:Timestamp ") == 1
    assert (
        (HEADERS[header] == "") or b"UsernameToken/>" not in plain or b"UsernameToken/>" in signed
    )


@pytest.mark.parametrize("kind", ["rsa", "p256", "p384"])
def test_xmlsec1_accepts_a_signed_envelope(kind, throwaways, peer, tmp_path):
    """xmlsec1 verifies both references of the WS-Security signature."""
    made = throwaways[kind]
    signed, pin = tmp_path / "signed.xml", tmp_path / "pin.pem"
    signed.write_bytes(Signer(Identity.from_pem(made.pem())).sign_envelope(_envelope()))
    pin.write_bytes(made.pin)
    ids = ["--id-attr:Id", f"{SOAP11}:Body", "--id-attr:Id", f"{WSU}:Timestamp"]
    command = [peer("xmlsec1"), "--verify", "--pubkey-cert-pem", pin, *ids, signed]
    run = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert run.returncode == 0, run.stderr
    assert "(ok/all): 2/2" in run.stdout + run.stderr


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (b"<a/>", "CB-307"),
        (f'<s:Envelope xmlns:s="{SOAP11}"><s:Body/><s:Body/></s:Envelope>'.encode(), "CB-307"),
        (_envelope(body=f'<s:Body xmlns:u="{WSU}" u:Id="no good">'), "CB-303"),
        (_envelope(f'<s:Header><x xmlns="{DS}"/><Signature xmlns="{DS}"/></s:Header>'), "CB-301"),
    ],
)
def test_what_is_no_free_envelope_is_not_signed(document, code, identity):
    with pytest.raises(SigningError) as caught:
        Signer(identity).sign_envelope(document)
    assert caught.value.code == code


@pytest.fixture(scope="module")
def enveloped(identity) -> bytes:
    return Signer(identity, clock=At()).sign_envelope(_envelope(HEADERS["others"]))


ENVELOPE_CASES = {
    "reply": (("差旅".encode(), b"x"), "CB-328"),
    "timestamp": ((b"Z</wsu:Created>", b".5Z</wsu:Created>"), "CB-328"),
    "second body": ((b"</s:Body>", b"</s:Body><s:Body/>"), "CB-321"),
    "after the body": ((b"</s:Body>", b"</s:Body><x/>"), "CB-321"),
    "second security header": ((b"<s:Header>", f"<s:Header>{USERNAME}".encode()), "CB-321"),
    "stray signature": ((b"<s:Header>", b"<s:Header><x>" + EMPTY + b"</x>"), "CB-321"),
    "stray signature after": ((b"</s:Header>", b"<x>" + EMPTY + b"</x></s:Header>"), "CB-321"),
    "other envelope": ((SOAP11.encode(), b"urn:soap"), "CB-321"),
    "body without id": ((b' wsu:Id="body-', b' wsu:id="body-'), "CB-325"),
    "token of another type": ((b"#X509v3", b"#X509PKIPathv1"), "CB-331"),
    "token missing": ((b'<wsse:Reference URI="#x509', b'<wsse:Reference URI="#x508'), "CB-331"),
    "key identifier": ((b"wsse:Reference", b"wsse:KeyIdentifier"), "CB-331"),
    "markup in the token": ((b"</wsse:Binary", b"<x/></wsse:Binary"), "CB-322"),
    "enveloped transform": ((FIRST, TRANSFORM % ENVELOPED.encode()), "CB-324"),
}  # fmt: skip


@pytest.mark.parametrize("case", ENVELOPE_CASES)
def test_each_alteration_of_an_envelope_has_its_code(case, enveloped, throwaway):
    """The Body counts in its place only, and the token as an X.509 certificate only."""
    (before, after), code = ENVELOPE_CASES[case]
    altered = enveloped.replace(before, after)
    assert altered != enveloped
    assert _code(altered, Policy(placement="soap", pin=throwaway.pin, at=AT)) == code


def test_a_signature_inside_another_block_does_not_count(enveloped, throwaway):
    """A good signature moved one level down in the WS-Security header is not in its place."""
    altered = enveloped.replace(SIGNATURE, b"<x>" + SIGNATURE).replace(
        b"</ds:Signature>", b"</ds:Signature></x>"
    )
    assert _code(altered, Policy(placement="soap", pin=throwaway.pin, at=AT)) == "CB-321"


def test_a_document_signature_does_not_sign_an_envelope(identity, throwaway):
    """An enveloped signature over the whole envelope is not one over its Body, nor the reverse."""
    policy = Policy(placement="soap", pin=throwaway.pin, at=AT)
    whole = Signer(identity, clock=At()).sign(_envelope("<s:Header/>"))
    assert _code(whole, policy) == "CB-321"
    wss = Signer(identity, clock=At()).sign_envelope(_envelope())
    assert _code(wss, Policy(pin=throwaway.pin, at=AT)) == "CB-320"


@pytest.mark.parametrize(
    ("later", "max_age", "code"),
    [(0, 0, ""), (60, 60, ""), (61, 60, "CB-341"), (299, 900, ""), (300, 900, "CB-341"),
     (-60, 60, ""), (-61, 60, "CB-341"), (3600, None, "")],
)  # fmt: skip
def test_age_is_judged_when_asked(later, max_age, code, enveloped, throwaway):
    """A message older than asked for, past its Expires, or from the future is refused."""
    at = AT + timedelta(seconds=later)
    policy = Policy(placement="soap", pin=throwaway.pin, at=at, max_age=max_age)
    if code:
        assert _code(enveloped, policy) == code
    else:
        assert verify(enveloped, policy).subject == "CN=signer"


def test_a_signature_over_something_else_signs_no_body(shared):
    """A good signature over the Timestamp alone is refused for what it does not cover."""
    folder = shared("vectors/generated-attacks")
    policy = Policy(placement="soap", pin=(folder / "signer.pem").read_bytes(), at=VECTORS_AT)
    assert _code((folder / "sig-covers-timestamp-only.xml").read_bytes(), policy) == "CB-325"


def test_an_unsigned_timestamp_says_nothing_about_age(shared):
    """A Timestamp that anyone could have renewed does not count when the age is asked for."""
    folder = shared("vectors/generated-attacks")
    policy = Policy(
        placement="soap", pin=(folder / "signer.pem").read_bytes(), at=VECTORS_AT, max_age=864000
    )
    assert _code((folder / "valid-rsa-sha256.xml").read_bytes(), policy) == "CB-340"


def test_the_clock_says_now(enveloped, throwaway):
    """Without ``at``, validity and age are judged by the given clock."""
    policy = Policy(placement="soap", pin=throwaway.pin, max_age=10)
    assert verify(enveloped, policy, clock=At()).subject == "CN=signer"
    with pytest.raises(SigningError) as caught:
        verify(enveloped, policy, clock=At(AT + timedelta(days=60)))
    assert caught.value.code == "CB-333"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, "CB-345"),
        ({"trust": b"PEM", "pin": b"PEM"}, "CB-345"),
        ({"pin": b"no PEM"}, "CB-346"),
        ({"trust": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"}, "CB-346"),
        ({"pin": b"PEM", "placement": "anywhere"}, "CB-345"),
        ({"pin": b"PEM", "at": datetime(2026, 11, 24)}, "CB-345"),  # noqa: DTZ001 - the point
        ({"pin": b"PEM", "max_age": 5}, "CB-345"),
        ({"pin": b"PEM", "placement": "soap", "max_age": -1}, "CB-345"),
        ({"pin": b"PEM", "placement": "soap", "max_age": float("nan")}, "CB-345"),
        ({"pin": b"PEM", "placement": "soap", "max_age": float("inf")}, "CB-345"),
        ({"pin": b"PEM", "placement": "soap", "max_age": 1e300}, "CB-345"),
        ({"pin": b"PEM", "placement": "soap", "max_age": 10**400}, "CB-345"),
        ({"pin": b"PEM", "placement": "soap", "max_age": "300"}, "CB-345"),
        ({"pin": b"PEM", "placement": "soap", "max_age": True}, "CB-345"),
    ],
)
def test_a_policy_cannot_contradict_itself(given, code, throwaway):
    """A policy that says nothing, or two things, cannot be made."""
    real = {name: throwaway.pin if value == b"PEM" else value for name, value in given.items()}
    with pytest.raises(ConfigurationError) as caught:
        Policy(**real)
    assert caught.value.code == code


def test_several_pins_serve_a_renewal(identity, throwaway, signed):
    """While one certificate replaces another, both may be pinned."""
    other = issue("next")
    assert verify(signed, Policy(pin=other.pem + throwaway.pin)).subject == "CN=signer"
    with pytest.raises(SigningError, match="CB-338"):
        verify(signed, Policy(pin=other.pem, at=AT))


def test_an_expired_identity_signs_no_envelope(identity):
    """The clock is asked for envelopes too."""
    with pytest.raises(KeyUnavailable):
        Signer(identity, clock=At(AT + timedelta(days=60))).sign_envelope(_envelope())


def test_an_age_of_any_kind_of_number_is_judged(enveloped, throwaway):
    """A Decimal, an int: what the policy takes, verifying computes with."""
    for age in (Decimal("300"), 300, 300.0):
        policy = Policy(placement="soap", pin=throwaway.pin, at=AT, max_age=age)
        assert verify(enveloped, policy).created


@pytest.mark.parametrize("given", ["<a/>", None, memoryview(b"<a/>"), bytearray(b"<a/>"), 7, []])
def test_what_is_no_bytes_is_refused_as_no_document(given, throwaway):
    """Every door of verifying: one of our errors, and the kind that was given."""
    verifier = Verifier(Policy(pin=throwaway.pin, at=AT))
    soap = Verifier(Policy(placement="soap", pin=throwaway.pin, at=AT))
    for attempt in (
        lambda: verifier.verify(given),
        lambda: soap.verify(given),
        lambda: verifier.verify_detached(given, {}),
        lambda: verifier.verify_detached(b"<a/>", {"a": given}),
        lambda: verifier.verify_together(given, "a"),
        lambda: verifier.verify_elements(given, "a"),
        lambda: verify_timestamp(given, b"x", trust=throwaway.trust),
        lambda: verify_timestamp(b"x", given, trust=throwaway.trust),
    ):
        with pytest.raises(DocumentError, match=type(given).__name__) as caught:
            attempt()
        assert caught.value.code == "CB-150"
