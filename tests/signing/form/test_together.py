"""One signature over the vouchers of a request: a verdict for each, and no way around it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.signing.issuing import AT, At, issue

from claimbridge.errors import SignatureInvalid, SignerUntrusted, SigningError
from claimbridge.signing import Identity, Policy, Signer, Verifier

ROOT = issue("root", ca=True)
SIGNER = issue("signer", ROOT)
V = "{urn:v}Voucher"
PLAIN = (
    b'<r:Request xmlns:r="urn:r" xmlns:v="urn:v"><v:Voucher Id="a"><v:N>1</v:N></v:Voucher>'
    b'<v:Voucher Id="b"><v:N>2</v:N></v:Voucher><v:Voucher Id="c"><v:N>3</v:N></v:Voucher>'
    b"</r:Request>"
)
SIGNED = Signer(Identity.from_pem(SIGNER.identity_pem()), clock=At()).sign_together(
    PLAIN, element=V
)


def verdicts(document: bytes, trust: bytes = ROOT.pem) -> list[str]:
    found = Verifier(Policy(trust=trust, at=AT)).verify_together(document, V)
    return [
        one.code if isinstance(one, SignatureInvalid) else one.content.decode() for one in found
    ]


def form(name: str, number: int) -> str:
    return f'<v:Voucher xmlns:v="urn:v" Id="{name}"><v:N>{number}</v:N></v:Voucher>'


def test_each_voucher_has_its_own_verdict() -> None:
    """What was signed is returned; one that was altered is refused, and only that one."""
    assert verdicts(SIGNED) == [form("a", 1), form("b", 2), form("c", 3)]
    altered = SIGNED.replace(b"<v:N>2<", b"<v:N>9<")
    assert verdicts(altered) == [form("a", 1), "CB-328", form("c", 3)]


def test_one_signature_and_one_operation_of_the_key() -> None:
    """The vouchers' own bytes stay as they were."""
    assert SIGNED.count(b"<ds:SignatureValue>") == 1
    start, end = SIGNED.index(b"<ds:Signature "), SIGNED.index(b"</ds:Signature>") + 15
    assert SIGNED[:start] + SIGNED[end:] == PLAIN


def test_a_voucher_that_is_not_covered_is_refused_alone() -> None:
    """One that was slipped in, and one whose id was changed."""
    added = SIGNED.replace(b'<v:Voucher Id="c">', b'<v:Voucher Id="d"/><v:Voucher Id="c">')
    assert verdicts(added) == [form("a", 1), form("b", 2), "CB-325", form("c", 3)]
    bare = SIGNED.replace(b'<v:Voucher Id="c">', b'<v:Voucher/><v:Voucher Id="c">')
    assert verdicts(bare) == [form("a", 1), form("b", 2), "CB-325", form("c", 3)]


def _moved(document: bytes) -> bytes:
    """The second voucher hidden in a wrapper, and a forged one in its place."""
    second = b'<v:Voucher Id="b"><v:N>2</v:N></v:Voucher>'
    forged = b'<v:Voucher Id="x"><v:N>666</v:N></v:Voucher>'
    return document.replace(second, forged + b"<v:Hidden>" + second + b"</v:Hidden>")


@pytest.mark.parametrize(
    ("attack", "code"),
    [
        (lambda d: d.replace(b'Id="b"', b'Id="z"'), "CB-325"),
        (_moved, "CB-325"),
        (lambda d: d.replace(b'Id="c"', b'Id="a"'), "CB-326"),
        (lambda d: d.replace(b"</r:Request>", b"<r:Last/></r:Request>"), "CB-321"),
        (lambda d: d.replace(b'<ds:Reference URI="#b">', b'<ds:Reference URI="#a">'), "CB-325"),
        (lambda d: d.replace(b'<ds:Reference URI="#b">', b'<ds:Reference URI="">'), "CB-325"),
        (lambda d: d.replace(b"<v:Voucher ", b"<v:Other ").replace(b"v:Voucher>", b"v:Other>"),
         "CB-325"),
        (lambda _: PLAIN, "CB-320"),
    ],
    ids=["another id", "wrapped", "same id", "not last", "covered twice", "the whole", "none",
         "unsigned"],
)  # fmt: skip
def test_a_signature_over_something_else_counts_for_nothing(
    attack: Callable[[bytes], bytes], code: str
) -> None:
    """Whatever it covers must stand in its place: else not one voucher counts."""
    attacked = attack(SIGNED)
    assert attacked != SIGNED
    with pytest.raises(SignatureInvalid) as caught:
        verdicts(attacked)
    assert caught.value.code == code


def test_the_signer_must_be_trusted() -> None:
    """The same rules as for every signature."""
    with pytest.raises(SignerUntrusted):
        verdicts(SIGNED, trust=issue("other", ca=True).pem)


@pytest.mark.parametrize(
    "document",
    [
        SIGNED,
        PLAIN.replace(b' Id="b"', b""),
        PLAIN.replace(b'Id="b"', b'Id="a"'),
        b'<r:Request xmlns:r="urn:r"/>',
        b'<r:Request xmlns:r="urn:r"><r:In><v:Voucher xmlns:v="urn:v" Id="a"/></r:In></r:Request>',
    ],
    ids=["signed already", "no id", "same id", "no voucher", "elsewhere"],
)
def test_what_cannot_be_signed_together_is_refused(document: bytes) -> None:
    """An error of ours, and nothing half signed."""
    with pytest.raises(SigningError):
        Signer(Identity.from_pem(SIGNER.identity_pem()), clock=At()).sign_together(
            document, element=V
        )


def test_xmlsec1_takes_it(peer: Callable[..., str], tmp_path: Path) -> None:
    """The signature is an ordinary one: another implementation accepts it, and not an altered."""
    program = peer("xmlsec1", "--version")
    (tmp_path / "root.pem").write_bytes(ROOT.pem)
    for name, document, taken in (
        ("good.xml", SIGNED, True),
        ("bad.xml", SIGNED.replace(b"<v:N>2<", b"<v:N>9<"), False),
    ):
        (tmp_path / name).write_bytes(document)
        command = [program, "--verify", "--id-attr:Id", "urn:v:Voucher", "--trusted-pem"]
        command += ["root.pem", "--verification-gmt-time", f"{AT:%Y-%m-%d %H:%M:%S}", name]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60, check=False)
        assert (done.returncode == 0) == taken, done.stderr.decode()
