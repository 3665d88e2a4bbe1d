"""Whose certificate counts: paths, constraints, usages, subjects."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from ipaddress import IPv4Network

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID as Usage
from cryptography.x509.oid import NameOID
from tests.signing.issuing import AT, At, Holder, huge, issue, named

from claimbridge.errors import ConfigurationError, SignerUntrusted
from claimbridge.signing import Identity, Policy, Signer, verify
from claimbridge.signing.trust import chain as trust

PAST = {"start": AT - timedelta(days=9), "end": AT - timedelta(days=1)}
SERVER, CLIENT = [Usage.SERVER_AUTH], [Usage.CLIENT_AUTH]
Names = Sequence[x509.GeneralName]
DOCUMENTS = [x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")]


def _signed(leaf: Holder, *others: Holder) -> bytes:
    """Sign as a stranger would, whose signer does not look at its own certificate."""
    key = Identity.from_pem(issue("x", key=leaf.key).identity_pem()).key
    signer = Signer(Identity(key, issue("x", key=leaf.key).certificate), clock=At())
    document = signer.sign(b"<a/>")
    start, rest = document.split(b"<ds:X509Certificate>", 1)
    tail = rest.split(b"</ds:X509Certificate>", 1)[1]
    tags = b"".join(
        b"<ds:X509Certificate>" + _base64(holder) + b"</ds:X509Certificate>"
        for holder in (leaf, *others)
    )
    return start + tags + tail


def _base64(holder: Holder) -> bytes:
    return b"".join(line for line in holder.pem.splitlines() if not line.startswith(b"-"))


def _chain(case: str) -> tuple[Holder, tuple[Holder, ...], Holder]:
    """Return signer, what it brings along, and the anchor."""
    root = issue("root", ca=True)
    middle = issue("middle", root, ca=True)
    end = issue("end", root)
    short = issue("short", root, ca=True, path_length=0)
    below = issue("below", short, ca=True)
    long = [root]
    for number in range(6):
        long.append(issue(f"level {number}", long[-1], ca=True))
    impostor = issue("root", ca=True)
    two_names = x509.Name([*named("signer"), *named("other")])
    made = {
        # accepted
        "direct": (issue("signer", root),),
        "through an intermediate": (issue("signer", middle), middle),
        "brings its root along": (issue("signer", middle), middle, root),
        "in any order": (issue("signer", middle), root, middle),
        "brings an unrelated one": (issue("signer", root), impostor),
        "client authentication": (issue("signer", root, usages=CLIENT + SERVER),),
        "document signing": (issue("signer", root, usages=DOCUMENTS),),
        "no basic constraints": (issue("signer", root, ca=None),),
        # refused
        "intermediate left out": (issue("signer", middle),),
        "unknown root": (issue("signer", impostor),),
        "same name, other key": (issue("signer", impostor), impostor),
        "self-signed": (issue("signer"),),
        "end-entity as issuer": (issue("signer", end), end),
        "no basic constraints as issuer": _pair(issue("m", root, ca=None)),
        "issuer may not sign certificates": _pair(issue("m", root, ca=True, signs=False)),
        "issuer expired": _pair(issue("m", root, ca=True, **PAST)),
        "issuer for servers only": _pair(issue("m", root, ca=True, usages=SERVER)),
        "path too long for its issuer": (issue("signer", below), below, short),
        "path too long": (issue("signer", long[-1]), *long[3:]),
        "unknown critical extension": (issue("signer", root, extra=_unknown()),),
        "two signers": (issue("signer", root), issue("other", root)),
        "expired": (issue("signer", root, **PAST),),
        "not yet valid": (issue("signer", root, start=AT + timedelta(days=1)),),
        "no key usage": (issue("signer", root, signs=None),),
        "encipherment only": (issue("signer", root, signs=False),),
        "servers only": (issue("signer", root, usages=SERVER),),
        "time stamping": (issue("signer", root, usages=[Usage.TIME_STAMPING]),),
        "code signing": (issue("signer", root, usages=[Usage.CODE_SIGNING]),),
        "other subject": (issue("signer2", root),),
        "subject in other case": (issue("Signer", root),),
        "two common names": (issue(two_names, root),),
        "no common name": (issue(_organisation(), root),),
    }[case]
    return made[0], made[1:], root


def _constrained(*, permitted: Names = (), excluded: Names = ()) -> x509.NameConstraints:
    return x509.NameConstraints(permitted or None, excluded or None)


def _member(organisation: str, name: str = "signer") -> x509.Name:
    rdns = [
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
        x509.NameAttribute(NameOID.COMMON_NAME, name),
    ]
    return x509.Name(rdns)


def _mailed(address: str) -> x509.Name:
    rdns = [
        x509.NameAttribute(NameOID.COMMON_NAME, "signer"),
        x509.NameAttribute(NameOID.EMAIL_ADDRESS, address),
    ]
    return x509.Name(rdns)


ACME = x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "ACME")]))


@pytest.mark.parametrize(
    ("limits", "subject", "extra", "counts"),
    [
        ({"permitted": [ACME]}, _member("ACME"), None, False),
        ({"permitted": [ACME]}, _member("EVIL"), None, False),
        ({"permitted": [ACME]}, named("signer"), None, False),
        ({"excluded": [ACME]}, _member("EVIL"), None, False),
        ({"excluded": [ACME]}, _member("Acme"), None, False),
        (
            {"permitted": [x509.DNSName("acme.example")]},
            named("acme.example"),
            x509.DNSName("acme.example"),
            True,
        ),
        (
            {"permitted": [x509.DNSName("acme.example")]},
            named("acme.example"),
            x509.DNSName("evil.example"),
            False,
        ),
        (
            {"permitted": [x509.RFC822Name("acme.example")]},
            named("signer"),
            x509.RFC822Name("a@evil.example"),
            False,
        ),
        (
            {"permitted": [x509.RFC822Name("acme.example")]},
            named("signer"),
            x509.RFC822Name("a@acme.example"),
            True,
        ),
        ({"permitted": [x509.RFC822Name("acme.example")]}, _mailed("a@evil.example"), None, False),
        ({"excluded": [x509.RFC822Name("evil.example")]}, _mailed("a@evil.example"), None, False),
    ],
)
def test_name_constraints_hold(limits, subject, extra, counts):
    """An issuer limited to some names cannot certify others; limits we cannot judge refuse all."""
    root = issue("root", ca=True)
    middle = issue("middle", root, ca=True, extra=_constrained(**limits))
    alternative = x509.SubjectAlternativeName([extra]) if extra else None
    document = _signed(issue(subject, middle, extra=alternative), middle)
    policy = Policy(trust=root.pem, subjects=("signer", "acme.example"), at=AT)
    if counts:
        assert verify(document, policy).content
        return
    with pytest.raises(SignerUntrusted) as refused:
        verify(document, policy)
    assert refused.value.code == "CB-330"


def _pair(issuer: Holder) -> tuple[Holder, Holder]:
    return issue("signer", issuer), issuer


def _unknown() -> x509.UnrecognizedExtension:
    return x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")


def _organisation() -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "signer")])


ACCEPTED = (
    "direct",
    "through an intermediate",
    "brings its root along",
    "in any order",
    "brings an unrelated one",
    "client authentication",
    "document signing",
    "no basic constraints",
)
REFUSED = {
    "intermediate left out": "CB-330",
    "unknown root": "CB-330",
    "same name, other key": "CB-330",
    "self-signed": "CB-330",
    "end-entity as issuer": "CB-331",
    "no basic constraints as issuer": "CB-331",
    "issuer may not sign certificates": "CB-330",
    "issuer expired": "CB-330",
    "issuer for servers only": "CB-330",
    "path too long for its issuer": "CB-330",
    "path too long": "CB-330",
    "unknown critical extension": "CB-330",
    "two signers": "CB-331",
    "expired": "CB-333",
    "not yet valid": "CB-334",
    "no key usage": "CB-335",
    "encipherment only": "CB-335",
    "servers only": "CB-336",
    "time stamping": "CB-336",
    "code signing": "CB-336",
    "other subject": "CB-339",
    "subject in other case": "CB-339",
    "two common names": "CB-339",
    "no common name": "CB-339",
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_a_signer_under_the_anchor_counts(case):
    leaf, others, root = _chain(case)
    policy = Policy(trust=root.pem, subjects=("signer", "ec"), at=AT)
    assert verify(_signed(leaf, *others), policy).content == b"<a></a>"


@pytest.mark.parametrize("case", REFUSED)
def test_any_other_signer_does_not(case):
    """Each reason not to trust a certificate is told apart."""
    leaf, others, root = _chain(case)
    policy = Policy(trust=root.pem, subjects=("signer", "ec"), at=AT)
    with pytest.raises(SignerUntrusted) as caught:
        verify(_signed(leaf, *others), policy)
    assert caught.value.code == REFUSED[case]


@pytest.mark.parametrize("ca", [False, None])
@pytest.mark.parametrize("certifies", [False, True])
def test_an_end_entity_is_no_issuer(ca, certifies):
    """A certificate that is no CA's issues nothing: not as an anchor, not below one."""
    root = issue("root", ca=True)
    for issuer in (
        issue("anchor", ca=ca, certifies=certifies),
        issue("below", root, ca=ca, certifies=certifies),
    ):
        policy = Policy(trust=issuer.pem + root.pem, at=AT)
        with pytest.raises(SignerUntrusted, match="CB-330"):
            verify(_signed(issue("other", issuer)), policy)


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: issue("signer", **PAST), "CB-333"),
        (lambda: issue("signer", start=AT + timedelta(days=1)), "CB-334"),
        (lambda: issue("signer", signs=None), "CB-335"),
        (lambda: issue("signer", usages=SERVER), "CB-336"),
    ],
)
def test_a_pin_does_not_excuse_a_bad_certificate(make, code):
    """Pinning says who, not that anything goes."""
    signer = make()
    with pytest.raises(SignerUntrusted) as caught:
        verify(_signed(signer), Policy(pin=signer.pem, at=AT))
    assert caught.value.code == code


def test_huge_rsa_keys_are_refused_unused():
    """A stranger cannot make us compute with a modulus of its choice."""
    large = huge("signer", issue("signer"), ca=False)
    with pytest.raises(SignerUntrusted, match=r"CB-337 .* RSA with 9001 bits"):
        verify(_signed(large), Policy(pin=issue("signer").pem, at=AT))


@pytest.mark.parametrize(
    ("limits", "name", "counts"),
    [
        ({"permitted": [x509.DNSName("plant1.example")]}, "erp.example", False),
        ({"permitted": [x509.DNSName("plant1.example")]}, "erp.plant1.example", True),
        ({"permitted": [x509.DNSName("plant1.example")]}, "ERP.Plant1.Example.", True),
        ({"permitted": [x509.DNSName("plant1.example")]}, "plant1.example", True),
        ({"permitted": [x509.DNSName("plant1.example")]}, "notplant1.example", False),
        ({"permitted": [x509.DNSName("plant1.example")]}, "erp", False),
        ({"permitted": [x509.DNSName("plant1.example")]}, "财务", False),
        ({"excluded": [x509.DNSName("example")]}, "erp.example", False),
        ({"excluded": [x509.DNSName("example")]}, "erp.example.", False),
        ({"excluded": [x509.DNSName("xn--bcher-kva.example")]}, "bücher.example", False),
        ({"excluded": [x509.DNSName("example")]}, "财务", True),
        ({"permitted": [x509.IPAddress(IPv4Network("10.1.0.0/16"))]}, "10.2.0.1", False),
        ({"permitted": [x509.IPAddress(IPv4Network("10.1.0.0/16"))]}, "10.1.0.1", True),
        ({"permitted": [x509.IPAddress(IPv4Network("10.1.0.0/16"))]}, "erp.example", True),
        ({"permitted": [x509.RFC822Name("plant1.example")]}, "fi@erp.example", False),
        ({"permitted": [x509.RFC822Name("plant1.example")]}, "fi@plant1.example", True),
        ({"permitted": [x509.RFC822Name(".plant1.example")]}, "fi@a.plant1.example", True),
    ],
)
def test_a_common_name_that_is_compared_is_one_that_the_issuer_may_give(limits, name, counts):
    """A sub-CA that is limited to some names cannot make itself another by a bare CN."""
    root = issue("root", ca=True)
    middle = issue("middle", root, ca=True, extra=_constrained(**limits))
    document = _signed(issue(name, middle), middle)
    # Where no name is asked for, none is compared: whoever the anchor admits.
    assert verify(document, Policy(trust=root.pem, at=AT)).content
    asked = Policy(trust=root.pem, subjects=(name,), at=AT)
    if counts:
        assert verify(document, asked).content
        return
    with pytest.raises(SignerUntrusted) as refused:
        verify(document, asked)
    assert refused.value.code == "CB-355"


def test_a_pin_does_not_excuse_a_limit_that_we_do_not_know():
    """RFC 5280 §4.2: an unknown critical extension refuses a pinned certificate too."""
    signer = issue("signer", extra=_unknown())
    with pytest.raises(SignerUntrusted, match=r"1\.2\.3\.4\.5") as caught:
        verify(_signed(signer), Policy(pin=signer.pem, at=AT))
    assert caught.value.code == "CB-356"
    named_too = issue("signer", extra=x509.SubjectAlternativeName([x509.DNSName("erp.example")]))
    assert verify(_signed(named_too), Policy(pin=named_too.pem, at=AT)).content


@pytest.mark.parametrize(
    ("bits", "exponent", "told"),
    [(9001, 65537, "RSA with 9001 bits"), (2048, (1 << 1000) + 1, "exponent of 1001 bits")],
)
def test_huge_keys_of_issuers_are_refused_unused(bits, exponent, told):
    """The cap is for every certificate that comes along, not for the signer's alone."""
    root = issue("root", ca=True)
    large = huge("huge", root, bits=bits, exponent=exponent)
    for leaf in (issue("signer", large), issue("signer", root)):
        with pytest.raises(SignerUntrusted, match=told) as caught:
            verify(_signed(leaf, large), Policy(trust=root.pem, at=AT))
        assert caught.value.code == "CB-337"
    for trusted in ({"trust": large.pem}, {"pin": root.pem + large.pem}):
        with pytest.raises(ConfigurationError, match=told) as refused:
            Policy(**trusted)
        assert refused.value.code == "CB-359"


def test_issuers_that_issue_each_other_buy_no_time():
    """Four issuers of one name and one key are tried one by one, and not in every order."""
    key = issue("x").key
    first = issue("x", ca=True, key=key)
    circle = [issue("x", first, ca=True, key=key) for _ in range(4)]
    root = issue("root", ca=True)
    with pytest.raises(SignerUntrusted, match="CB-330"):
        verify(_signed(issue("signer", first), *circle), Policy(trust=root.pem, at=AT))
    others = [one.certificate for one in circle]
    assert [len(one) for one in trust._selections(others)] == [1, 1, 1, 1]
    different = [issue("x", ca=True).certificate, issue("y", ca=True, key=key).certificate]
    assert [len(one) for one in trust._selections(others[:2] + different)] == [3, 3]


def test_an_issuer_with_two_certificates_counts_by_either():
    """Cross-certified: one name and one key, by a stranger's root and by ours, in any order."""
    root, stranger = issue("root", ca=True), issue("stranger", ca=True)
    ours = issue("middle", root, ca=True)
    theirs = issue("middle", stranger, ca=True, key=ours.key)
    for brought in ((ours, theirs), (theirs, ours)):
        document = _signed(issue("signer", ours), *brought)
        assert verify(document, Policy(trust=root.pem, at=AT)).content
