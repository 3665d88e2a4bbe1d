"""Every algorithm: what we make, xmlsec1 and signxml accept, and we accept by our own policy."""

from __future__ import annotations

import subprocess

import pytest
from signxml.algorithms import SignatureMethod
from signxml.verifier import SignatureConfiguration, XMLVerifier

from claimbridge.errors import SignatureInvalid
from claimbridge.signing import Algorithm, Identity, Policy, Signer, verify

DOCUMENT = '<Voucher xmlns="urn:claimbridge:voucher:1"><Text>差旅费</Text></Voucher>'.encode()

ALGORITHMS = [
    *(
        (kind, algorithm)
        for algorithm in Algorithm
        if algorithm.elliptic
        for kind in ("p256", "p384")
    ),
    *(("rsa", algorithm) for algorithm in Algorithm if not algorithm.elliptic),
]


@pytest.fixture(params=ALGORITHMS, ids=lambda case: f"{case[0]}-{case[1].name}")
def signed(request, throwaways):
    kind, algorithm = request.param
    made = throwaways[kind]
    identity = Identity.from_pkcs12(made.pkcs12(), algorithm=algorithm)
    assert identity.algorithm is algorithm
    return Signer(identity).sign(DOCUMENT), made, algorithm


def test_we_accept_it(signed):
    """Each algorithm is written by its identifier, and verifies."""
    document, made, algorithm = signed
    assert f'<ds:SignatureMethod Algorithm="{algorithm}">'.encode() in document
    assert verify(document, Policy(trust=made.trust)).content == DOCUMENT


def test_xmlsec1_accepts_it(signed, peer, tmp_path):
    """xmlsec1 finds the signature valid and its signer trusted; it knows PSS since 1.3."""
    document, made, algorithm = signed
    if algorithm.pss and "rsa-pss" not in _transforms_of(peer("xmlsec1")):
        pytest.skip("this xmlsec1 is older than 1.3, and does not know RSA-PSS")
    (tmp_path / "signed.xml").write_bytes(document)
    (tmp_path / "ca.pem").write_bytes(made.trust)
    command = [peer("xmlsec1"), "--verify", "--enabled-key-data", "x509", "--trusted-pem"]
    run = subprocess.run(
        [*command, tmp_path / "ca.pem", tmp_path / "signed.xml"], capture_output=True, timeout=30
    )
    assert run.returncode == 0, run.stderr


def _transforms_of(program: str) -> str:
    return subprocess.run(
        [program, "--list-transforms"], capture_output=True, text=True, timeout=30
    ).stdout


def test_signxml_accepts_it(signed):
    """Signxml verifies the signature, over the same bytes."""
    document, made, algorithm = signed
    configuration = SignatureConfiguration(
        location="./", signature_methods=frozenset({SignatureMethod(str(algorithm))})
    )
    result = XMLVerifier().verify(
        document, x509_cert=made.pin.decode(), expect_config=configuration
    )
    assert result.signed_data == DOCUMENT


def test_one_padding_is_not_taken_for_the_other(throwaways):
    """A PKCS#1 v1.5 signature that says it is PSS is refused, and the other way round."""
    made = throwaways["rsa"]
    for says, is_ in (("RSA_SHA256", "RSA_PSS_SHA256"), ("RSA_PSS_SHA256", "RSA_SHA256")):
        document = Signer(Identity.from_pem(made.pem(), algorithm=Algorithm[is_])).sign(DOCUMENT)
        lying = document.replace(Algorithm[is_].encode(), Algorithm[says].encode())
        with pytest.raises(SignatureInvalid, match="CB-329"):
            verify(lying, Policy(pin=made.pin))
