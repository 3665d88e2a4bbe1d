"""Whom our signatures convince, and whose signatures convince us: every kind, every algorithm.

Each judge must refuse the same document with one figure changed, or its word counts for nothing.
The verdicts stand as a table at the end of the run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest
from tests.conftest import missing
from tests.peers.judges import (
    BATCH,
    ENVELOPES,
    PASSWORD,
    VOUCHER,
    XADES,
    Jdk,
    Judge,
    Program,
    Signer,
    Signxml,
    Wss4j,
    XmlCrypto,
    Xmlsec1,
    prepared,
)
from tests.peers.requests import contract, posting

from claimbridge import Claim
from claimbridge import signing as ours
from claimbridge.clock import SYSTEM
from claimbridge.errors import SigningError
from claimbridge.mapping import Chart
from claimbridge.profiles import load_profile
from claimbridge.signing import (
    Algorithm,
    Identity,
    Policy,
    Verified,
    verify,
    verify_detached,
    verify_elements,
)
from claimbridge.signing.keys.throwaway import Throwaway
from claimbridge.soap.envelope import build
from claimbridge.soap.security import username_token
from claimbridge.xmlio import canonical, parse

PEERS = Path(__file__).parent
JARS = ("wss4j", "xmlsec", "commons-logging", "commons-codec", "slf4j-api", "bcprov")
JUDGES: Final[Mapping[str, type[Judge]]] = {
    "xmlsec1": Xmlsec1,
    "JDK": Jdk,
    "WSS4J": Wss4j,
    "xml-crypto": XmlCrypto,
    "signxml": Signxml,
}
ACCEPT = [(name, kind) for name, judge in JUDGES.items() for kind in judge.accepted]
SIGN = [(name, kind) for name, judge in JUDGES.items() for kind in judge.signed]
BATCHED: Final = {f"V-{number}.xml": f"<a>{number}: 2189.00</a>".encode() for number in (1, 2, 3)}
FORGED: Final = BATCHED | {"V-2.xml": b"<a>2: 9189.00</a>"}
PLAIN = """<?xml version="1.0"?>
<a xmlns="urn:a" xmlns:b="urn:b">
  <b:c d="1">差旅 2189.00</b:c>
</a>
""".encode()


@pytest.fixture(scope="session")
def judges(
    peer: Callable[..., str], request: pytest.FixtureRequest
) -> Iterator[Callable[[str], Judge]]:
    """Finds a judge by its name; each is started once, when it is first asked for."""
    started: dict[str, Judge] = {}
    programs: list[Program] = []

    def program(command: list[str | Path], env: Mapping[str, str] | None = None) -> Program:
        programs.append(Program(command, env))
        return programs[-1]

    def java(source: str, *options: str) -> Program:
        path = peer("java", "--add-modules", "jdk.compiler", "--version")
        # Short-lived: compiling hard costs more than it saves.
        quick = ["-XX:TieredStopAtLevel=1", "-Xshare:auto"]
        return program([path, *quick, *options, PEERS / "java" / source])

    def start(name: str) -> Judge:
        if name == "xmlsec1":
            return Xmlsec1(peer("xmlsec1"))
        if name == "JDK":
            return Jdk(java("XmlSignatures.java"))
        if name == "WSS4J":
            return Wss4j(java("WsSecurity.java", "-cp", _jars()))
        if name == "xml-crypto":
            packages = request.getfixturevalue("packages")
            env = {**os.environ, "NODE_PACKAGES": f"{packages}/"}
            return XmlCrypto(program([peer("node"), PEERS / "node" / "signatures.mjs"], env))
        return Signxml()

    def find(name: str) -> Judge:
        if name not in started:
            started[name] = start(name)
        return started[name]

    yield find
    for one in programs:
        one.close()


def _jars() -> str:
    """Return the class path of WSS4J as Debian lays it out; Bouncy Castle brings RSA-PSS."""
    paths = [Path("/usr/share/java", f"{name}.jar") for name in JARS]
    absent = [path.name for path in paths if not path.exists()]
    if absent:
        missing(f"{', '.join(absent)} of WSS4J (libwss4j-java, libbcprov-java) not on this machine")
    return os.pathsep.join(map(str, paths))


@pytest.fixture(scope="session")
def request_body(trip: Claim, chart: Chart) -> bytes:
    """A SubmitVoucherRequest; its Voucher has an Id."""
    profile = load_profile("reference")
    request = profile.submit([posting(trip, chart)])
    return contract(profile.contract).render(request.operation, request.body)


@pytest.fixture
def unsigned(request_body: bytes) -> Callable[[str], bytes]:
    """Makes the document of a kind: SOAP 1.1, or 1.2 with a UsernameToken."""

    def make(kind: str) -> bytes:
        if kind in ("document", XADES):
            return PLAIN
        if kind == BATCH:
            return b""
        if kind == "voucher":
            return request_body
        if kind == "soap":
            return build(request_body, version="1.1")
        user = username_token("svc", PASSWORD, digest=True, clock=SYSTEM)
        return build(request_body, version="1.2", headers=[user])

    return make


@pytest.fixture(scope="session")
def signer(
    throwaways: Mapping[str, Throwaway], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Algorithm], Signer]:
    """Finds who signs with an algorithm: RSA; P-256 with SHA-256, P-384 with longer hashes."""
    stored = {
        kind: Signer.stored(made, tmp_path_factory.mktemp(kind))
        for kind, made in throwaways.items()
    }

    def find(algorithm: Algorithm) -> Signer:
        if not algorithm.elliptic:
            return stored["rsa"]
        return stored["p256" if algorithm is Algorithm.ECDSA_SHA256 else "p384"]

    return find


@pytest.mark.parametrize(("name", "kind"), ACCEPT, ids=map("-".join, ACCEPT))
def test_they_accept_what_we_sign(
    name: str,
    kind: str,
    judges: Callable[[str], Judge],
    unsigned: Callable[[str], bytes],
    signer: Callable[[Algorithm], Signer],
    record_property: Callable[[str, object], None],
) -> None:
    """Our signature is valid to the judge; with one figure changed it is not."""
    judge, seen = judges(name), {}
    algorithms = [one for one in Algorithm if one not in judge.lacks]
    for algorithm in algorithms:
        by = signer(algorithm)
        signed = _sign(kind, algorithm, unsigned(kind), by)
        forged = signed if kind == BATCH else _forged(signed)
        _lay_out(by, BATCHED)
        right = judge.accepts(kind, algorithm, signed, by)
        _lay_out(by, FORGED)
        seen[algorithm.name] = [right, judge.accepts(kind, algorithm, forged, by)]
    record_property("signatures", [name, kind, "theirs", seen])
    assert seen == {algorithm.name: [True, False] for algorithm in algorithms}


@pytest.mark.parametrize(("name", "kind"), SIGN, ids=map("-".join, SIGN))
def test_we_accept_what_they_sign(
    name: str,
    kind: str,
    judges: Callable[[str], Judge],
    unsigned: Callable[[str], bytes],
    signer: Callable[[Algorithm], Signer],
    record_property: Callable[[str, object], None],
) -> None:
    """The judge's signature holds by our policy, over what it was to cover; a forgery does not."""
    judge, seen = judges(name), {}
    algorithms = [one for one in Algorithm if one not in judge.lacks]
    for algorithm in algorithms:
        by, document = signer(algorithm), unsigned(kind)
        if kind in ENVELOPES:
            document = prepared(_sign(kind, algorithm, document, by))
        elif kind in (XADES, BATCH):
            document = _sign(kind, algorithm, document, by)
        _lay_out(by, BATCHED)
        signed = judge.sign(kind, algorithm, document, by)
        if kind == BATCH:
            seen[algorithm.name] = [_batch_accepted(signed, by, one) for one in (BATCHED, FORGED)]
            continue
        seen[algorithm.name] = [
            _accepted(kind, one, by, unsigned(kind)) for one in (signed, _forged(signed))
        ]
    record_property("signatures", [name, kind, "ours", seen])
    assert seen == {algorithm.name: [True, False] for algorithm in algorithms}


@pytest.mark.parametrize(("name", "kind"), [("JDK", "document"), ("WSS4J", "soap")])
@pytest.mark.parametrize(
    "algorithm", [Algorithm.RSA_SHA256, Algorithm.ECDSA_SHA256], ids=lambda one: one.name
)
def test_so_does_the_command(
    name: str,
    kind: str,
    algorithm: Algorithm,
    judges: Callable[[str], Judge],
    unsigned: Callable[[str], bytes],
    signer: Callable[[Algorithm], Signer],
    tmp_path: Path,
) -> None:
    """``claimbridge sign`` convinces the judge; ``claimbridge verify`` shows what it signed."""
    judge, by, placed = judges(name), signer(algorithm), "soap" if kind in ENVELOPES else kind
    (tmp_path / "plain.xml").write_bytes(unsigned(kind))
    (tmp_path / "signer.pem").write_bytes(by.made.pem())
    told = ["--as", placed, "--identity", tmp_path / "signer.pem", tmp_path / "plain.xml"]
    signed = _command("sign", *told)
    assert judge.accepts(kind, algorithm, signed, by)
    assert not judge.accepts(kind, algorithm, _forged(signed), by)

    document = unsigned(kind)
    theirs = judge.sign(kind, algorithm, document, by)
    files = [tmp_path / "theirs.xml", tmp_path / "forged.xml"]
    for file, content in zip(files, (theirs, _forged(theirs)), strict=True):
        file.write_bytes(content)
    told = ["--as", placed, "--trust", by.file("ca.pem"), "--json", *files]
    accepted, refused = map(json.loads, _command("verify", *told).splitlines())
    assert accepted["verdict"] == "accepted"
    shown = parse(accepted["signed"].encode())
    assert canonical(shown[0] if kind in ENVELOPES else shown) == canonical(
        parse(document)[-1][0] if kind in ENVELOPES else parse(document)
    )
    assert (refused["verdict"], refused["signed"]) == ("refused", None)


def _sign(kind: str, algorithm: Algorithm, document: bytes, by: Signer) -> bytes:
    maker = ours.Signer(Identity.from_pem(by.made.pem(), algorithm=algorithm))
    if kind in ENVELOPES:
        return maker.sign_envelope(document)
    if kind == XADES:
        return maker.sign_xades(document)
    if kind == BATCH:
        return maker.sign_detached(BATCHED)
    return maker.sign(document, element=VOUCHER if kind == "voucher" else None)


def _accepted(kind: str, signed: bytes, by: Signer, document: bytes) -> bool:
    """Tell whether our policy accepts ``signed``, and as just what ``document`` says."""
    trust = by.made.trust
    try:
        if kind == "voucher":
            (found,) = verify_elements(signed, VOUCHER, Policy(trust=trust))
        elif kind in ("document", XADES):
            found = verify(signed, Policy(trust=trust))
        else:
            found = verify(signed, Policy(trust=trust, placement="soap", max_age=300))
    except SigningError:
        return False
    root, content = parse(document), found.element()
    if kind in ENVELOPES:
        return canonical(content[0]) == canonical(root[-1][0])
    return canonical(content) == canonical(next(root.iter(VOUCHER)) if kind == "voucher" else root)


def _batch_accepted(signature: bytes, by: Signer, contents: Mapping[str, bytes]) -> bool:
    """Tell whether all of the batch is accepted; one that was altered takes no other with it."""
    verdicts = verify_detached(signature, contents, Policy(trust=by.made.trust))
    right = {name for name, verdict in verdicts.items() if isinstance(verdict, Verified)}
    assert right == {name for name in contents if contents[name] == BATCHED[name]}
    return len(right) == len(contents)


def _lay_out(by: Signer, contents: Mapping[str, bytes]) -> None:
    for name, content in contents.items():
        by.file(name).write_bytes(content)


def _forged(signed: bytes) -> bytes:
    forged = signed.replace(b"2189.00", b"9189.00")
    assert forged != signed
    return forged


def _command(*arguments: str | Path) -> bytes:
    command = [sys.executable, "-m", "claimbridge.cli", *arguments]
    run = subprocess.run(command, capture_output=True, timeout=60)
    assert run.returncode in {0, 1}, run.stderr
    return run.stdout
