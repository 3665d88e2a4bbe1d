"""Commands about signatures: sign, verify."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from claimbridge.cli.exit_codes import BUSINESS_NO, DONE, worst
from claimbridge.cli.inputs import moment, read_file
from claimbridge.cli.options import Json
from claimbridge.cli.output import YES, complain, emit, say, write_document
from claimbridge.config import LedgerConfig, read_password
from claimbridge.errors import ClaimBridgeError, ConfigurationError
from claimbridge.ledger import open_key

if TYPE_CHECKING:
    from claimbridge.signing import Policy, Verified

Kind = Annotated[Literal["document", "soap", "xades", "detached"], Parameter(name="--as")]
VerifiedKind = Annotated[Literal["document", "soap", "detached"], Parameter(name="--as")]
Several = Annotated[list[str], Parameter(negative=())]
Files = Annotated[list[Path], Parameter(negative=())]
_NONE: Any = []  # never changed


def sign(
    files: list[Path],
    /,
    *,
    identity: str,
    identity_password: str | None = None,
    kind: Kind = "document",
    algorithm: str | None = None,
    header: Several = _NONE,
) -> int:
    """Sign a document and write it to stdout.

    Parameters
    ----------
    files
        One document, - is stdin; with --as detached the contents that one signature is to cover,
        by their file names.
    identity
        A PKCS#12 or PEM file with the key and its certificate, or pkcs11:… (RFC 7512).
    identity_password
        A reference (env:NAME, file:PATH, keyring:SERVICE/USER), never the password itself.
    kind
        A document by an enveloped signature (document, xades), a SOAP envelope's Body by
        WS-Security (soap), or many contents by a signature beside them (detached).
    algorithm
        rsa-sha256, rsa-pss-sha256, ecdsa-sha384 and the like; what suits the key when left out.
    header
        With --as soap: a header block to sign too, as {namespace}name; may be repeated.

    """
    from claimbridge.signing import Signer

    if header and kind != "soap":
        raise ConfigurationError("--header goes with --as soap", code="CB-251")
    signer = Signer(open_key(identity, _password(identity_password), algorithm=algorithm))
    if kind == "detached":
        document = signer.sign_detached(_contents(files))
    else:
        data = read_file(_single(files))
        if kind == "soap":
            document = signer.sign_envelope(data, headers=header)
        else:
            document = signer.sign_xades(data) if kind == "xades" else signer.sign(data)
    write_document(document)
    return DONE


def _password(reference: str | None) -> bytes | None:
    if reference is None:
        return None
    nowhere = LedgerConfig(endpoint="http://127.0.0.1/")
    return read_password(reference, nowhere, what="--identity-password").encode()


def _single(files: list[Path]) -> Path:
    if len(files) != 1:
        raise ConfigurationError(
            f"{len(files)} files are given, and one is taken at a time; only --as detached covers "
            "several by one signature",
            code="CB-251",
        )
    return files[0]


def _contents(files: list[Path]) -> dict[str, bytes]:
    contents = {path.name: read_file(path) for path in files}
    if len(contents) != len(files):
        raise ConfigurationError(
            "two of the files have the same name; a signature beside them tells them apart by it",
            code="CB-251",
        )
    return contents


def verify(
    files: list[Path],
    /,
    *,
    kind: VerifiedKind = "document",
    content: Files = _NONE,
    trust: Path | None = None,
    pin: Path | None = None,
    subject: Several = _NONE,
    usage: Several = _NONE,
    crl: Files = _NONE,
    ocsp: Files = _NONE,
    revocation: Literal["known", "required"] = "known",
    at: str | None = None,
    max_age: float | None = None,
    second_opinion: bool = False,
    json: Json = False,
) -> int:
    """Verify signed documents, and print what was signed.

    Parameters
    ----------
    kind
        A signed document (an enveloped signature or XAdES), a SOAP envelope whose one Body must be
        signed in its place, or a signature beside what it covers.
    content
        With --as detached: a file that the signature must cover by its name; may be repeated.
    trust
        PEM file with the CA certificates that signers must chain to.
    pin
        PEM file with the one certificate that must have signed.
    subject
        A common name that may sign; may be repeated; any when left out.
    usage
        An extended key usage, as an object identifier, that the certificate must name.
    crl
        A file with a revocation list; may be repeated.
    ocsp
        A file with an OCSP response (DER); may be repeated.
    revocation
        Refuse whom a list or response says was revoked (known), or also whom none in force
        vouches for (required).
    at
        Judge certificates at this moment (RFC 3339); now when left out.
    max_age
        The greatest age in seconds of a WS-Security Timestamp; not judged when left out.
    second_opinion
        Have signxml, an independent verifier, accept the same signature over the same content too.

    """
    from claimbridge.signing import Policy

    if (trust is None) == (pin is None):
        raise ConfigurationError("give either --trust or --pin", code="CB-251")
    if bool(content) != (kind == "detached"):
        raise ConfigurationError("--content goes with --as detached", code="CB-251")
    policy = Policy(
        trust=read_file(trust) if trust else b"",
        pin=read_file(pin) if pin else b"",
        subjects=tuple(subject),
        usages=tuple(usage),
        crls=tuple(map(read_file, crl)),
        ocsp=tuple(map(read_file, ocsp)),
        revocation=revocation,
        at=moment(at, what="--at"),
        max_age=max_age,
        placement="soap" if kind == "soap" else "document",
        second_opinion=second_opinion,
    )
    if kind == "detached":
        verdicts = _verify_contents(_single(files), content, policy)
    else:
        verdicts = ((path, _verify(path, policy)) for path in files)
    return worst([_show(path, verdict, json=json) for path, verdict in verdicts])


def _verify(path: Path, policy: Policy) -> Verified | ClaimBridgeError:
    from claimbridge.signing import verify as verified

    try:
        return verified(read_file(path), policy)
    except ConfigurationError:
        raise
    except ClaimBridgeError as error:
        return error


def _verify_contents(
    signature: Path, contents: list[Path], policy: Policy
) -> Iterator[tuple[Path, Verified | ClaimBridgeError]]:
    from claimbridge.signing import verify_detached

    by_name = _contents(contents)
    verdicts: Mapping[str, Verified | ClaimBridgeError]
    try:
        verdicts = verify_detached(read_file(signature), by_name, policy)
    except ConfigurationError:
        raise
    except ClaimBridgeError as error:
        verdicts = dict.fromkeys(by_name, error)
    for path in contents:
        yield path, verdicts[path.name]


def _show(path: Path, verdict: Verified | ClaimBridgeError, *, json: bool) -> int:
    if isinstance(verdict, ClaimBridgeError):
        record = {"file": str(path), "verdict": "refused", "code": verdict.code, "signed": None}
        if not json:
            complain(f"{path}: {verdict}")
    else:
        # A detached signature may cover what is no text; it covers it all the same.
        signed = verdict.content.decode("utf-8", "replace")
        record = {"file": str(path), "verdict": "accepted", "code": None, "signed": signed}
        if not json:
            say(YES, f" {path}: accepted")
    if json:
        emit(record)
    return BUSINESS_NO if isinstance(verdict, ClaimBridgeError) else DONE
