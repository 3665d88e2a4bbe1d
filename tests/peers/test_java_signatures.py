"""The JDK's own XML signatures: it accepts ours, and we accept its."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.peers.requests import contract, posting

from claimbridge import Claim
from claimbridge.mapping import Chart
from claimbridge.profiles import load_profile
from claimbridge.signing.throwaway import Throwaway
from claimbridge.xmlio import canonical, parse

PROGRAM = Path(__file__).parent / "java" / "XmlSignatures.java"
VOUCHER = "{urn:claimbridge:voucher:1}Voucher"
Java = Callable[..., str]


@pytest.fixture(scope="session")
def java(peer: Callable[..., str]) -> Java:
    """Runs the program; a JRE without a compiler cannot."""
    path = peer("java", "--add-modules", "jdk.compiler", "--version")

    def run(*arguments: str | Path) -> str:
        # Short-lived: compiling hard costs more than it saves.
        command = [path, "-XX:TieredStopAtLevel=1", "-Xshare:auto", PROGRAM, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def documents(tmp_path: Path, trip: Claim, chart: Chart) -> list[Path]:
    """A voucher, whose root has an Id, and a document whose root has none."""
    profile = load_profile("reference")
    request = profile.submit([posting(trip, chart)])
    body = contract(profile.contract).render(request.operation, request.body)
    voucher = parse(body).find(VOUCHER)
    assert voucher is not None
    plain = (
        '<?xml version="1.0"?>\n<a xmlns="urn:a" xmlns:b="urn:b">\n  <b:c d="1">差旅</b:c>\n</a>\n'
    )
    files = [tmp_path / "voucher.xml", tmp_path / "plain.xml"]
    files[0].write_bytes(canonical(voucher))
    files[1].write_text(plain)
    return files


@pytest.mark.parametrize("key", ["rsa", "p256"])
def test_the_jdk_accepts_what_the_command_signs(
    key: str,
    java: Java,
    documents: list[Path],
    throwaways: Mapping[str, Throwaway],
    tmp_path: Path,
) -> None:
    """``claimbridge sign`` makes signatures that Java finds valid, and no others."""
    made, pin = throwaways[key], tmp_path / "signer.crt"
    identity = tmp_path / "signer.pem"
    identity.write_bytes(made.pem())
    pin.write_bytes(made.pin)
    signed = [tmp_path / f"signed-{file.name}" for file in documents]
    for file, target in zip(documents, signed, strict=True):
        target.write_bytes(_command("sign", "--identity", identity, file).stdout)
    forged = tmp_path / "forged.xml"
    forged.write_bytes(signed[0].read_bytes().replace(b"2189.00", b"9189.00"))

    told = java("verify", pin, *signed, forged).splitlines()
    assert told == [f"{signed[0]} valid", f"{signed[1]} valid", f"{forged} invalid"]


@pytest.mark.parametrize("key", ["rsa", "p256"])
def test_the_command_accepts_what_the_jdk_signs(
    key: str,
    java: Java,
    documents: list[Path],
    throwaways: Mapping[str, Throwaway],
    tmp_path: Path,
) -> None:
    """``claimbridge verify`` accepts Java's signature, and shows just what Java signed."""
    made, trust = throwaways[key], tmp_path / "ca.pem"
    identity = tmp_path / "signer.p12"
    identity.write_bytes(made.pkcs12(b"secret"))
    trust.write_bytes(made.trust)
    java("sign", identity, "secret", *documents)
    signed = [Path(f"{file}.signed") for file in documents]
    forged = tmp_path / "forged.xml"
    forged.write_bytes(signed[1].read_bytes().replace("差旅".encode(), "餐饮".encode()))

    run = _command("verify", "--trust", trust, "--json", *signed, forged)
    *accepted, refused = map(json.loads, run.stdout.splitlines())
    assert [one["verdict"] for one in accepted] == ["accepted", "accepted"]
    shown = [one["signed"].encode() for one in accepted]
    assert shown == [canonical(parse(file.read_bytes())) for file in documents]
    assert (refused["verdict"], refused["signed"]) == ("refused", None)


def _command(*arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "claimbridge.cli", *arguments]
    run = subprocess.run(command, capture_output=True, timeout=60)
    assert run.returncode in {0, 1}, run.stderr
    return run
