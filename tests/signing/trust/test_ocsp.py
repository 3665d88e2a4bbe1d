"""What responders said of certificates: ours to judge, also when OpenSSL wrote it."""

from __future__ import annotations

import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID
from tests.signing.issuing import AT, At, Holder, huge, issue
from tests.signing.trust.test_revocation import revoke

from claimbridge.clock import SYSTEM, Uptime
from claimbridge.errors import ConfigurationError, SignerUntrusted
from claimbridge.signing import Identity, Policy, Signer, Verifier, verify
from claimbridge.signing.trust import ocsp as ocsp_module

ROOT = issue("root", ca=True)
SIGNER = issue("signer", ROOT)
SIGNED = Signer(Identity.from_pem(SIGNER.identity_pem()), clock=At()).sign(b"<a/>")
OCSP_SIGNING = [ExtendedKeyUsageOID.OCSP_SIGNING]
HOUR = timedelta(hours=1)


def respond(
    by: Holder,
    about: Holder = SIGNER,
    issuer: Holder = ROOT,
    *,
    status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD,
    since: datetime | None = None,
    issued: datetime = AT - HOUR,
    until: datetime | None = AT + HOUR,
    named_by: hashes.HashAlgorithm | None = None,
    by_key: bool = True,
    delegate: bool = False,
    brings: Holder | None = None,
) -> bytes:
    """A response about ``about``, by ``by``; ``since`` says when it was revoked."""
    if since is not None:
        status = ocsp.OCSPCertStatus.REVOKED
    encoding = ocsp.OCSPResponderEncoding.HASH if by_key else ocsp.OCSPResponderEncoding.NAME
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            cert=about.certificate,
            issuer=issuer.certificate,
            algorithm=named_by or hashes.SHA1(),
            cert_status=status,
            this_update=issued,
            next_update=until,
            revocation_time=since,
            revocation_reason=None,
        )
        .responder_id(encoding, by.certificate)
    )
    if delegate or brings is not None:
        builder = builder.certificates([(brings or by).certificate])
    return builder.sign(by.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def verdict(
    *responses: bytes,
    revocation: str = "required",
    crls: tuple[bytes, ...] = (),
    at: datetime = AT,
) -> str:
    policy = Policy(trust=ROOT.pem, at=at, ocsp=responses, revocation=revocation, crls=crls)
    try:
        verify(SIGNED, policy)
    except SignerUntrusted as error:
        return error.code
    return "accepted"


@pytest.mark.parametrize("by_key", [True, False])
@pytest.mark.parametrize("named_by", [hashes.SHA1(), hashes.SHA256(), hashes.SHA384()])
def test_the_issuer_vouches(named_by: hashes.HashAlgorithm, by_key: bool) -> None:
    """A good response in force by the issuer is enough, however it names things."""
    assert verdict(respond(ROOT, named_by=named_by, by_key=by_key)) == "accepted"


def test_a_delegate_vouches_only_with_the_issuers_leave() -> None:
    """Certified by the issuer itself, for OCSP signing, and valid at the moment."""
    right = issue("responder", ROOT, usages=OCSP_SIGNING)
    plain = issue("responder", ROOT)
    late = issue("responder", ROOT, usages=OCSP_SIGNING, end=AT - timedelta(minutes=1))
    stranger = issue("root", ca=True)
    theirs = issue("responder", stranger, usages=OCSP_SIGNING)
    assert verdict(respond(right, delegate=True)) == "accepted"
    assert verdict(respond(right, delegate=True, by_key=False)) == "accepted"
    assert verdict(respond(right)) == "CB-349"  # its certificate did not come along
    assert verdict(respond(plain, delegate=True)) == "CB-349"
    assert verdict(respond(late, delegate=True)) == "CB-349"
    assert verdict(respond(theirs, delegate=True)) == "CB-349"
    assert verdict(respond(SIGNER, delegate=True)) == "CB-349"  # nobody vouches for himself


def test_a_delegate_that_was_revoked_vouches_for_nobody() -> None:
    """By a list of the issuer, whatever its scope, or by the issuer's own response about it."""
    delegate = issue("responder", ROOT, usages=OCSP_SIGNING)
    good = respond(delegate, delegate=True)
    ended = respond(ROOT, delegate, since=AT - HOUR)
    assert verdict(good) == "accepted"
    old = AT - timedelta(days=9)  # so that it does not itself vouch for the signer
    assert verdict(good, crls=(revoke(ROOT, delegate, issued=old, since=old),)) == "CB-349"
    assert verdict(good, crls=(revoke(ROOT, delegate, limited=True),)) == "CB-349"
    assert verdict(good, ended) == "CB-349"
    later = revoke(ROOT, delegate, limited=True, since=AT + HOUR)
    assert verdict(good, crls=(later,)) == "accepted"
    stranger = issue("root", ca=True)
    theirs = respond(stranger, delegate, stranger, since=AT - HOUR)
    assert verdict(good, theirs, crls=(revoke(stranger, delegate),)) == "accepted"


def test_a_delegate_for_other_uses_vouches_for_nobody() -> None:
    """Its key usage must say digitalSignature; that somebody was revoked it says all the same."""
    for other in (
        issue("responder", ROOT, usages=OCSP_SIGNING, signs=False),
        issue("responder", ROOT, usages=OCSP_SIGNING, signs=None),
    ):
        assert verdict(respond(other, delegate=True)) == "CB-349"
        assert verdict(respond(other, delegate=True), revocation="known") == "accepted"
        denied = respond(other, since=AT - 9 * HOUR, issued=AT - HOUR, delegate=True)
        assert verdict(denied, revocation="known") == "CB-348"


def test_a_delegate_with_a_huge_key_is_not_computed_with(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cap on keys is for delegates too: nothing is checked with such a key."""
    tried: list[x509.Certificate] = []
    monkeypatch.setattr(ocsp_module, "_has_signed", lambda by, _: bool(tried.append(by)))
    for bits, counts in ((4096, True), (9001, False)):
        large = huge("responder", ROOT, bits=bits, ca=False, usages=OCSP_SIGNING)
        response = respond(issue("responder", ROOT), by_key=False, brings=large)
        assert verdict(response) == "CB-349"
        assert (large.certificate in tried) == counts


def test_who_was_revoked_is_refused() -> None:
    """Whatever the policy requires, also by a response that is old, and from its moment on."""
    for required in ("known", "required"):
        assert verdict(respond(ROOT, since=AT - HOUR), revocation=required) == "CB-348"
    # The response is produced now, while its delegate's certificate lasts, and judged afterwards.
    late = issue("responder", ROOT, usages=OCSP_SIGNING, end=AT + 5 * HOUR)
    ended = respond(late, since=AT - 9 * HOUR, issued=AT - 9 * HOUR, delegate=True)
    assert verdict(ended, revocation="known", at=AT + 6 * HOUR) == "CB-348"
    old = respond(ROOT, since=AT - 9 * HOUR, issued=AT - 9 * HOUR, until=AT - 8 * HOUR)
    assert verdict(old, revocation="known") == "CB-348"
    later = respond(ROOT, since=AT + timedelta(minutes=1))
    assert verdict(later, revocation="known") == "accepted"
    assert verdict(respond(ROOT), respond(ROOT, since=AT - HOUR)) == "CB-348"
    assert verdict(respond(ROOT), crls=(revoke(ROOT, SIGNER),)) == "CB-348"


def test_what_says_nothing_vouches_for_nobody() -> None:
    """Unknown, stale, early, endless, about another certificate, or by another key."""
    stranger = issue("root", ca=True)
    other = issue("signer", ROOT)
    for response in (
        respond(ROOT, status=ocsp.OCSPCertStatus.UNKNOWN),
        respond(ROOT, until=AT - timedelta(minutes=1)),
        respond(ROOT, issued=AT + timedelta(minutes=1)),
        respond(ROOT, until=None),
        respond(ROOT, other),
        respond(stranger),
        respond(stranger, issuer=stranger),
        respond(stranger, since=AT - HOUR),
    ):
        assert verdict(response) == "CB-349"
        assert verdict(response, revocation="known") == "accepted"
        assert verdict(response, respond(ROOT)) == "accepted"
    assert verdict(respond(stranger), crls=(revoke(ROOT),)) == "accepted"


def test_a_remembered_signer_is_judged_anew_when_a_response_ends() -> None:
    """One verifier, many documents: what it remembers lasts no longer than what it rests on."""

    class Moving:
        moment = AT

        def now(self) -> datetime:
            return self.moment

        def monotonic(self) -> float:
            return 0.0

        def uptime(self) -> Uptime:
            return Uptime("test", self.monotonic())

    clock = Moving()
    responses = (respond(ROOT),)
    policy = Policy(trust=ROOT.pem, ocsp=responses, revocation="required")
    verifier = Verifier(policy, clock=clock)
    for _ in range(2):
        assert verifier.verify(SIGNED).content
    clock.moment = AT + 2 * HOUR
    with pytest.raises(SignerUntrusted, match="CB-349"):
        verifier.verify(SIGNED)
    clock.moment = AT
    assert verifier.verify(SIGNED).content


def test_responses_that_make_no_sense_are_refused_with_the_policy() -> None:
    """Unreadable, unsuccessful, or beside a pin: a ConfigurationError."""
    busy = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER)
    for settings in (
        {"trust": ROOT.pem, "ocsp": (b"nonsense",)},
        {"trust": ROOT.pem, "ocsp": (busy.public_bytes(serialization.Encoding.DER),)},
        {"pin": SIGNER.pem, "ocsp": (respond(ROOT),)},
    ):
        with pytest.raises(ConfigurationError):
            Policy(**settings)


def test_openssl_is_understood(tmp_path: Path) -> None:
    """A response by OpenSSL's own responder, with a delegate: good, then revoked."""
    now = SYSTEM.now()
    root = issue("root", ca=True, start=now - HOUR, end=now + HOUR * 99)
    signer = issue("signer", root, start=now - HOUR, end=now + HOUR * 99)
    responder = issue("responder", root, usages=OCSP_SIGNING, start=now - HOUR, end=now + HOUR * 99)
    (tmp_path / "root.pem").write_bytes(root.pem)
    (tmp_path / "signer.pem").write_bytes(signer.pem)
    (tmp_path / "responder.pem").write_bytes(responder.identity_pem())
    signed = Signer(Identity.from_pem(signer.identity_pem())).sign(b"<a/>")

    def asked(entry: str) -> bytes:
        (tmp_path / "index.txt").write_text(entry)
        answer = tmp_path / "answer.der"
        subprocess.run(
            [
                "openssl", "ocsp", "-index", "index.txt", "-CA", "root.pem",
                "-rsigner", "responder.pem", "-issuer", "root.pem", "-cert", "signer.pem",
                "-respout", str(answer), "-ndays", "1", "-noverify",
            ],
            cwd=tmp_path, check=True, capture_output=True, timeout=60,
        )  # fmt: skip
        return answer.read_bytes()

    serial = f"{signer.certificate.serial_number:X}"
    serial = serial if len(serial) % 2 == 0 else f"0{serial}"
    end = f"{signer.certificate.not_valid_after_utc:%y%m%d%H%M%SZ}"
    good = asked(f"V\t{end}\t\t{serial}\tunknown\t/CN=signer\n")
    taken = f"{now - HOUR / 2:%y%m%d%H%M%S}Z"
    gone = asked(f"R\t{end}\t{taken}\t{serial}\tunknown\t/CN=signer\n")
    trusting = {"trust": root.pem, "revocation": "required"}
    assert verify(signed, Policy(ocsp=(good,), **trusting)).content == b"<a></a>"
    with pytest.raises(SignerUntrusted, match="CB-348"):
        verify(signed, Policy(ocsp=(gone,), **trusting))


def test_a_required_usage_must_be_named() -> None:
    """``usages``: the certificate names one of them itself; any usage, or none, is not enough."""
    document = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")

    def judged(named: list[x509.ObjectIdentifier] | None, *required: str) -> str:
        holder = issue("signer", ROOT, usages=named)
        signed = Signer(Identity.from_pem(holder.identity_pem()), clock=At()).sign(b"<a/>")
        try:
            verify(signed, Policy(trust=ROOT.pem, at=AT, usages=required))
        except SignerUntrusted as error:
            return error.code
        return "accepted"

    wanted = document.dotted_string
    client = ExtendedKeyUsageOID.CLIENT_AUTH
    assert judged([document], wanted) == "accepted"
    assert judged([client, document], wanted)
    assert judged([client], wanted, client.dotted_string) == "accepted"
    assert judged([client], wanted) == "CB-336"
    assert judged([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE], wanted) == "CB-336"
    assert judged(None, wanted) == "CB-336"
    assert judged(None) == "accepted"
    with pytest.raises(ConfigurationError, match="object identifier"):
        Policy(trust=ROOT.pem, usages=("document signing",))
