"""Signing a document: nothing else moves, and everybody else agrees."""

from __future__ import annotations

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.signer import XMLSigner
from signxml.verifier import SignatureConfiguration, XMLVerifier
from tests.signing.documents import documents
from tests.signing.issuing import AT, At, issue

from claimbridge.errors import DocumentError, SigningError
from claimbridge.signing import Identity, Policy, Signer, Verifier, verify
from claimbridge.xmlio import canonical, parse

VOUCHER = "{urn:claimbridge:voucher:1}Voucher"
SIGNATURE = re.compile(rb'<ds:Signature xmlns:ds="http://www\.w3\.org/.*?</ds:Signature>')
DS = "{http://www.w3.org/2000/09/xmldsig#}"

# Signing and verifying take no fixture state with them from one example to the next.
example_runs = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def _unsigned(signed: bytes) -> bytes:
    return SIGNATURE.sub(b"", signed)


@given(document=documents())
@settings(example_runs, max_examples=120)
def test_only_the_signature_is_added(document, throwaway, identity):
    """Without the signature, the bytes are the document's; what verifies is its canonical form."""
    signed = Signer(identity).sign(document)
    assert len(SIGNATURE.findall(signed)) == 1
    rest = _unsigned(signed)
    if rest != document:
        # An empty root cannot hold a signature: its one tag becomes two, and nothing else.
        tag = re.search(rb"<((?:q:)?Voucher)[^<]*/>", document)
        assert tag is not None
        expanded = tag[0][:-2] + b"></" + tag[1] + b">"
        assert rest == document.replace(tag[0], expanded)
    content = verify(signed, Policy(trust=throwaway.trust)).content
    assert content == canonical(parse(document))


@pytest.mark.parametrize("kind", ["rsa", "p256", "p384"])
@given(document=documents())
@settings(example_runs, max_examples=20)
def test_xmlsec1_accepts_it(kind, document, throwaways, peer, tmp_path):
    """xmlsec1 finds the signature valid and its signer trusted, for every kind of key."""
    made = throwaways[kind]
    signed, trust = tmp_path / "signed.xml", tmp_path / "ca.pem"
    signed.write_bytes(Signer(Identity.from_pem(made.pem())).sign(document))
    trust.write_bytes(made.trust)
    command = [peer("xmlsec1"), "--verify", "--enabled-key-data", "x509", "--trusted-pem"]
    run = subprocess.run([*command, trust, signed], capture_output=True, text=True, timeout=30)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("kind", ["rsa", "p256"])
@given(document=documents(outside=False, ascii_names=True))
@settings(example_runs, max_examples=30)
def test_signxml_accepts_it(kind, document, throwaways):
    """Signxml verifies the signature, over the same bytes."""
    made = throwaways[kind]
    signed = Signer(Identity.from_pem(made.pem())).sign(document)
    result = XMLVerifier().verify(
        signed,
        x509_cert=made.pin.decode(),
        expect_config=SignatureConfiguration(location="./"),
    )
    assert result.signed_data == canonical(parse(document))


@given(document=documents(outside=False, ascii_names=True))
@settings(example_runs, max_examples=30)
def test_signedinfo_and_value_equal_those_of_signxml(document, throwaways):
    """RSA signatures are deterministic: the spliced one is signxml's own, to the last bit."""
    made = throwaways["rsa"]
    theirs = XMLSigner(
        signature_algorithm=SignatureMethod.RSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    ).sign(parse(document), key=made.key, cert=[made.certificate])
    ours = parse(Signer(Identity.from_pem(made.pem())).sign(document))
    assert canonical(ours.find(f"{DS}Signature/{DS}SignedInfo")) == canonical(
        theirs.find(f"{DS}Signature/{DS}SignedInfo")
    )
    path = f"{DS}Signature/{DS}SignatureValue"
    assert ours.findtext(path) == "".join(theirs.findtext(path).split())


def test_a_root_with_an_id_is_referred_to_by_it(identity, throwaway):
    """Where the root carries an Id, the Reference names it."""
    signed = Signer(identity).sign(b'<a Id="V-1"><b/></a>')
    assert b'<ds:Reference URI="#V-1">' in signed
    assert verify(signed, Policy(trust=throwaway.trust)).content == b'<a Id="V-1"><b></b></a>'


REQUEST = """<r:SubmitVouchersRequest xmlns:r="urn:r" xmlns="urn:claimbridge:voucher:1">
  <!-- <Voucher Id="no"> --><r:Item><Voucher Id="V-1"\t><Payee>差旅</Payee>\r\n</Voucher ></r:Item>
  <r:Item><Voucher Id='V-2' a="/>"/></r:Item><?x <Voucher?>
  <r:Item><v:Voucher xmlns:v="urn:claimbridge:voucher:1" xmlns:xs="urn:xs" Id="V-3" t="xs:a"
    ><![CDATA[</v:Voucher>]]></v:Voucher></r:Item>
</r:SubmitVouchersRequest>""".encode()


def test_each_element_gets_its_own_signature(identity):
    """Every Voucher is signed as its last child, by its Id; all other bytes stay."""
    signed = Signer(identity).sign(REQUEST, element=VOUCHER)
    assert _unsigned(signed) == REQUEST.replace(b'a="/>"/>', b'a="/>"></Voucher>')
    root = parse(signed)
    for number, voucher in enumerate(root.iter(VOUCHER), start=1):
        assert voucher[-1].tag == f"{DS}Signature"
        assert voucher[-1].find(f".//{DS}Reference").get("URI") == f"#V-{number}"
    assert signed.count(b"<ds:Signature ") == 3


def test_xmlsec1_accepts_a_signed_element_alone(identity, throwaway, peer, tmp_path):
    """An element taken out of the request verifies on its own with xmlsec1."""
    root = parse(Signer(identity).sign(REQUEST, element=VOUCHER))
    (tmp_path / "ca.pem").write_bytes(throwaway.trust)
    for number, voucher in enumerate(root.iter(VOUCHER)):
        alone = tmp_path / f"{number}.xml"
        alone.write_bytes(canonical(voucher))
        command = [peer("xmlsec1"), "--verify", "--enabled-key-data", "x509", "--trusted-pem"]
        by_id = ["--id-attr:Id", "urn:claimbridge:voucher:1:Voucher"]
        run = subprocess.run(
            [*command, tmp_path / "ca.pem", *by_id, alone], capture_output=True, timeout=30
        )
        assert run.returncode == 0, run.stderr


REFUSED = {
    "signed already": (b'<a><ds:Signature xmlns:ds="%s"/></a>' % DS[1:-1].encode(), None, "CB-301"),
    "signed element": (
        b'<a><b Id="x"><ds:Signature xmlns:ds="%s"/></b></a>' % DS[1:-1].encode(),
        "b",
        "CB-301",
    ),
    "no such element": (b"<a/>", VOUCHER, "CB-302"),
    "no Id": (b"<a><b/></a>", "b", "CB-303"),
    "empty Id": (b'<a Id=""/>', None, "CB-303"),
    "Id that breaks out": (b'<a Id="x&quot;/>"/>', None, "CB-303"),
    "Id with a space": (b'<a><b Id="a b"/></a>', "b", "CB-303"),
    "Id used twice": (b'<a Id="x"><b ID="x"/></a>', None, "CB-303"),
    "UTF-16": ("<a>差旅</a>".encode("utf-16"), None, "CB-304"),
    "ISO-8859-1": (b'<?xml version="1.0" encoding="ISO-8859-1"?><a>\xe4</a>', None, "CB-304"),
    "GBK": ('<?xml version="1.0" encoding="GBK"?><a>差旅</a>'.encode("gbk"), None, "CB-304"),
    "nested": (b'<a><b Id="x"><b Id="y"/></b></a>', "b", "CB-305"),
    "relative namespace": (b'<a xmlns:r="1" r:b="c"/>', None, "CB-306"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_signed_is_refused(case, identity):
    """Each reason has its code, and nothing half signed comes out."""
    document, element, code = REFUSED[case]
    with pytest.raises(SigningError) as caught:
        Signer(identity).sign(document, element=element)
    assert caught.value.code == code


@pytest.mark.parametrize("document", [b"", b"<a>", b"<!DOCTYPE a><a/>", b"\xff\xfe<"])
def test_what_is_no_document_is_refused(document, identity):
    """Broken and hostile XML gives the parser's error."""
    with pytest.raises(DocumentError):
        Signer(identity).sign(document)


def test_signing_twice_is_refused(identity):
    """A signed document is not signed over."""
    signer = Signer(identity)
    with pytest.raises(SigningError, match="CB-301 this a carries a signature already"):
        signer.sign(signer.sign(b"<a/>"))


def test_a_nested_signed_document_is_content(identity, throwaway):
    """A signature deeper inside belongs to what it signs, and is covered like any content."""
    signer = Signer(identity)
    inner = signer.sign(b"<b/>")
    outer = signer.sign(b"<a>" + inner + b"</a>")
    assert b"Signature" in verify(outer, Policy(trust=throwaway.trust)).content


def test_issuers_travel_with_the_signature():
    """What lies between signer and root goes along; a root does not: it is trusted or it is not."""
    root = issue("root", ca=True)
    middle = issue("middle", root, ca=True)
    leaf = issue("leaf", middle)
    signer = Signer(Identity.from_pem(leaf.identity_pem(middle, root)), clock=At())
    signed = signer.sign(b"<a/>")
    assert signed.count(b"<ds:X509Certificate>") == 2
    assert verify(signed, Policy(trust=root.pem, at=AT)).content == b"<a></a>"


def test_threads_share_a_signer_and_a_verifier(identity, throwaway):
    """Signer and Verifier keep nothing of one document when they take the next."""
    signer, verifier = Signer(identity), Verifier(Policy(trust=throwaway.trust))

    def round_trip(number: int) -> bool:
        document = f"<a>{number}</a>".encode()
        return verifier.verify(signer.sign(document)).content == document

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(round_trip, range(200)))


def test_a_deep_document_is_signed(identity, throwaway):
    """Depth up to the parser's limit costs no recursion of ours."""
    document = b"<a>" * 190 + b"x" + b"</a>" * 190
    signed = Signer(identity).sign(document)
    assert verify(signed, Policy(trust=throwaway.trust)).content == document


@pytest.mark.parametrize(
    "document",
    [
        b"<a></a><!--</a-->",
        b"<a></a><?x </a?>",
        b"<a/><!--</a-->",
        b"<a--></a-->",
        b"<a-></a-><!--</a-->",
        b"<a></a >\n<!-- > -->\n",
        b"<a><![CDATA[</a>]]></a>",
        b"<a b='</a>'/>".replace(b"</", b"/>"),
    ],
)
def test_what_looks_like_the_end_of_the_root(document, identity, throwaway):
    """End tags in comments, instructions, CDATA and values do not mislead the signer."""
    signed = Signer(identity).sign(document)
    policy = Policy(trust=throwaway.trust)
    assert verify(signed, policy).content == canonical(parse(document))


def test_the_tree_of_what_was_signed_is_the_callers_own(identity, throwaway):
    """The tree a caller gets is parsed afresh: changing it changes nothing for the next caller."""
    verified = verify(Signer(identity).sign(b"<a><b>1</b></a>"), Policy(trust=throwaway.trust))
    first = verified.element()
    first[0].text = "2"
    assert etree.tostring(verified.element()) == b"<a><b>1</b></a>"
