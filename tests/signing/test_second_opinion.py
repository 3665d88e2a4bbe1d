"""The second opinion: signxml must accept the same signature over the same content, or nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import signxml.verifier
from hypothesis import HealthCheck, given, settings
from tests.signing.documents import documents
from tests.signing.issuing import AT, At, issue

from claimbridge.cli import main
from claimbridge.errors import SignatureInvalid
from claimbridge.signing import Algorithm, Identity, Policy, Signer, Verified, Verifier, second
from claimbridge.signing.keys.throwaway import Throwaway

ENVELOPE = (
    b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header>'
    b'<r:To xmlns:r="urn:r">x</r:To></s:Header>\n'
    b"<s:Body><a>\xe6\x8a\xa5\xe9\x94\x80</a></s:Body></s:Envelope>"
)
TWO = b'<all><a Id="one">1</a><a Id="two">2</a></all>'


def asked(made: Throwaway, **settings: Any) -> Verifier:
    return Verifier(Policy(pin=made.pin, at=AT, second_opinion=True, **settings))


def plain(made: Throwaway, **settings: Any) -> Verifier:
    return Verifier(Policy(pin=made.pin, at=AT, **settings))


def signer_of(made: Throwaway, algorithm: Algorithm | None = None) -> Signer:
    return Signer(Identity.from_pem(made.pem(), algorithm=algorithm), clock=At())


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_every_algorithm_of_ours_has_a_second_opinion(
    algorithm: Algorithm, throwaways: Mapping[str, Throwaway]
) -> None:
    """Documents, XAdES, envelopes: what ours hands on is what signxml saw."""
    suits = {"ECDSA_SHA256": "p256", "ECDSA_SHA384": "p384"}
    kind = suits.get(algorithm.name, "p256") if algorithm.elliptic else "rsa"
    made = throwaways[kind]
    signer = signer_of(made, algorithm)
    for signed in (signer.sign(b"<a>1</a>"), signer.sign(b'<a Id="V-1">1</a>')):
        assert asked(made).verify(signed).content == plain(made).verify(signed).content
    assert asked(made).verify(signer.sign_xades(b"<a>1</a>")).signing_time
    envelope = signer.sign_envelope(ENVELOPE, headers=["{urn:r}To"])
    verified = asked(made, placement="soap", max_age=300).verify(envelope)
    assert verified == plain(made, placement="soap", max_age=300).verify(envelope)
    assert len(verified.blocks) == 1


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(documents(outside=False, ascii_names=True))
def test_generated_documents_have_the_same_content(throwaway: Throwaway, document: bytes) -> None:
    """No CDATA, comment, namespace or line break makes the two see different bytes."""
    signed = signer_of(throwaway).sign(document)
    assert asked(throwaway).verify(signed).content == plain(throwaway).verify(signed).content


def test_what_is_signed_together_or_beside_stands_or_falls_as_a_whole(
    throwaway: Throwaway,
) -> None:
    """It stops at the first content that does not fit, so it cannot vouch for the others."""
    signer, verifier = signer_of(throwaway), asked(throwaway)
    together = signer.sign_together(TWO, element="a")
    assert all(isinstance(one, Verified) for one in verifier.verify_together(together, "a"))
    first, second = verifier.verify_together(together.replace(b">2<", b">3<"), "a")
    assert [one.code for one in (first, second)] == ["CB-358", "CB-328"]
    contents = {"a.xml": b"1", "b.xml": b""}
    contents["b.xml"] = b"2"
    beside = signer.sign_detached(contents)
    assert all(isinstance(v, Verified) for v in verifier.verify_detached(beside, contents).values())
    altered = verifier.verify_detached(beside, {**contents, "b.xml": b"3"})
    assert [one.code for one in altered.values()] == ["CB-358", "CB-328"]
    with pytest.raises(SignatureInvalid, match="CB-358"):
        verifier.verify_detached(beside, {"a.xml": b"1"})


def test_where_signxml_cannot_judge_there_is_no_opinion(throwaway: Throwaway) -> None:
    """Names outside ASCII, and instructions around the root, it does not read: refused, as that."""
    signer = signer_of(throwaway)
    for document in (
        "<报销>1</报销>".encode(),
        b'<a xmlns:p="urn:x"><p:\xe9\x87\x91/></a>',
        b"<?x y?><a/>",
        b"<a/><?x y?>",
    ):
        signed = signer.sign(document)
        assert plain(throwaway).verify(signed)
        with pytest.raises(SignatureInvalid) as caught:
            asked(throwaway).verify(signed)
        assert caught.value.code == "CB-358"
    for document in (b"<!-- x --><a/>", b'<?x y?><a Id="V-1"/>'):  # these are not covered
        assert asked(throwaway).verify(signer.sign(document))


def test_it_does_not_read_without_a_bound(
    throwaway: Throwaway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many References over a large document would have it read gigabytes: it is not asked."""
    signed = signer_of(throwaway).sign_together(TWO, element="a")
    monkeypatch.setattr(second, "_MOST", 2 * len(signed))
    assert asked(throwaway).verify_together(signed, "a")
    monkeypatch.setattr(second, "_MOST", 2 * len(signed) - 1)
    with pytest.raises(SignatureInvalid, match="CB-358"):
        asked(throwaway).verify_together(signed, "a")


@pytest.mark.parametrize("way", ["refuses", "other content", "another signature", "more"])
def test_a_second_opinion_that_differs_refuses(
    way: str, throwaway: Throwaway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever signxml says against it, or says of something else, ends in CB-357."""
    signed = signer_of(throwaway).sign(b"<a>1</a>")
    other = signer_of(throwaway).sign(b"<a>2</a>")
    theirs = signxml.verifier.XMLVerifier.verify

    def verify(self: Any, data: bytes, **given: Any) -> Any:
        if way == "refuses":
            return theirs(self, data.replace(b">1<", b">2<"), **given)
        right, wrong = theirs(self, data, **given), theirs(self, other, **given)
        if way == "other content":
            return replaced(right, signed_data=wrong.signed_data)
        if way == "another signature":
            return replaced(right, signature_xml=wrong.signature_xml)
        return replaced(right, signed_data=right.signed_data + b"<!-- -->")

    monkeypatch.setattr(signxml.verifier.XMLVerifier, "verify", verify)
    assert plain(throwaway).verify(signed)
    with pytest.raises(SignatureInvalid) as caught:
        asked(throwaway).verify(signed)
    assert caught.value.code == "CB-357"


def replaced(result: Any, **fields: Any) -> Any:
    values = {name: getattr(result, name) for name in result.__dataclass_fields__}
    return type(result)(**{**values, **fields})


def test_ours_is_still_the_first(throwaway: Throwaway) -> None:
    """What ours refuses nobody else can rescue: another signer, another place."""
    stranger = issue("stranger")
    signed = Signer(Identity.from_pem(stranger.identity_pem()), clock=At()).sign(b"<a/>")
    with pytest.raises(Exception, match="CB-338"):
        asked(throwaway).verify(signed)


def test_signxml_is_loaded_when_it_is_asked(tmp_path: Path, throwaway: Throwaway) -> None:
    """Nobody who has no use for it waits for it."""
    (tmp_path / "pin.pem").write_bytes(throwaway.pin)
    (tmp_path / "a.xml").write_bytes(signer_of(throwaway).sign(b"<a/>"))
    script = (
        "import sys; from claimbridge.cli import main\n"
        "print(main(sys.argv[1:]), 'signxml' in sys.modules)"
    )
    command = ["verify", str(tmp_path / "a.xml"), "--pin", str(tmp_path / "pin.pem")]
    command += ["--at", AT.isoformat()]
    for more, loaded in (([], "0 False"), (["--second-opinion"], "0 True")):
        done = subprocess.run(
            [sys.executable, "-c", script, *command, *more],
            check=True,
            capture_output=True,
            text=True,
        )
        assert done.stdout.splitlines()[-1] == loaded


def test_the_command_says_why(
    tmp_path: Path, throwaway: Throwaway, capsys: pytest.CaptureFixture[str]
) -> None:
    """``verify --second-opinion`` refuses with the code, and a business no."""
    (tmp_path / "pin.pem").write_bytes(throwaway.pin)
    (tmp_path / "a.xml").write_bytes(signer_of(throwaway).sign("<报销/>".encode()))
    command = ["verify", str(tmp_path / "a.xml"), "--pin", str(tmp_path / "pin.pem")]
    command += ["--at", AT.isoformat()]
    assert main(command) == 0
    assert main([*command, "--second-opinion"]) == 1
    assert "CB-358" in capsys.readouterr().err
