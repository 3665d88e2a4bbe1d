"""Claims per second, end to end against a sandbox in a process of its own.

    python -m tests.benchmarks.end_to_end [--claims 300] [--memory]

Three tables, from one run on one machine:

1. claims per second of ours, and of the same work done the obvious way: zeep builds the message,
   xmlschema validates it, signxml signs it, requests sends it, sqlite3 keeps a row. Both send the
   same vouchers to the same ERP, which verifies schema and signature. Rounds alternate.
2. where the time of one of our submissions goes, stage by stage.
3. with ``--memory``: peak memory of a batch of 1,000 and of 10,000 claims, each in a fresh process.
"""

from __future__ import annotations

import argparse
import json
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from claimbridge import Chart, Claim, Client, LedgerConfig
from claimbridge.journal import open_journal
from claimbridge.ledger import Ledger
from claimbridge.signing import Identity, Signer
from claimbridge.signing.keys import throwaway

EXAMPLES = Path(__file__).parents[2] / "examples"
CHART = EXAMPLES / "chart.toml"
MODEL = EXAMPLES / "claims" / "travel-cn.json"
WSDL = Path(__file__).parents[2] / "wsdl" / "voucher-service.wsdl"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--claims", type=int, default=300, help="per round and contestant")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--batch-of", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--endpoint", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.batch_of:
        print(json.dumps(_one_batch(given.batch_of, given.endpoint)))
        return
    print(f"{'':28}{'claims/s':>10}{'ms/claim':>10}{'ratio':>8}")
    _print_speed(given.claims, given.rounds)
    print()
    _print_stages(given.claims)
    if given.memory:
        print()
        _print_memory()


# --- 1. speed ---------------------------------------------------------------------------------


def _print_speed(count: int, rounds: int) -> None:
    identity = throwaway.make()
    with running_erp(identity.trust) as endpoint, tempfile.TemporaryDirectory() as folder:
        contestants: dict[str, Callable[[list[Claim]], None]] = {
            "obvious (zeep + signxml …)": Obvious(endpoint, identity, Path(folder, "o.db")).submit,
            "claimbridge, one by one": _ours(endpoint, identity, Path(folder, "a.db"), workers=1),
            "claimbridge, 8 at once": _ours(endpoint, identity, Path(folder, "b.db"), workers=8),
            "claimbridge, batches of 50": _ours(
                endpoint, identity, Path(folder, "c.db"), workers=2, batch=50
            ),
        }
        rates: dict[str, list[float]] = {name: [] for name in contestants}
        for index, submit in enumerate(contestants.values()):  # warm up
            submit(make_claims(f"W{index}", 20))
        for number in range(rounds):
            for index, (name, submit) in enumerate(contestants.items()):
                claims = make_claims(f"R{number}{index}", count)
                started = time.perf_counter()
                submit(claims)
                rates[name].append(count / (time.perf_counter() - started))
    base = statistics.median(rates["obvious (zeep + signxml …)"])
    for name, measured in rates.items():
        rate = statistics.median(measured)
        print(f"{name:28}{rate:10.0f}{1000 / rate:10.2f}{rate / base:8.1f}")


def _ours(
    endpoint: str, identity: throwaway.Throwaway, journal: Path, *, workers: int, batch: int = 1
) -> Callable[[list[Claim]], None]:
    config = ledger_config(endpoint, journal)
    signer = Signer(Identity.from_pem(identity.pem()))
    client = Client(config, ledger=Ledger(config, signer=signer))

    def submit(claims: list[Claim]) -> None:
        for result in client.submit_many(claims, concurrency=workers, batch=batch):
            if result.error is not None:
                raise result.error

    return submit


class Obvious:
    """The same work as a good engineer would write it in an afternoon."""

    def __init__(self, endpoint: str, identity: throwaway.Throwaway, journal: Path) -> None:
        import xmlschema
        import zeep
        from signxml import methods
        from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
        from signxml.signer import XMLSigner

        from claimbridge.profiles.reference.profile import Reference

        self._profile = Reference()
        self._chart = Chart.load(CHART)
        self._endpoint = endpoint
        self._client = zeep.Client(str(WSDL))
        self._service = self._client.create_service(
            next(iter(self._client.wsdl.bindings)), endpoint
        )
        xsd = WSDL.parents[1] / "xsd" / "voucher-service.xsd"
        self._schema = xmlschema.XMLSchema(str(xsd))
        self._signer = XMLSigner(
            method=methods.enveloped,
            signature_algorithm=SignatureMethod.ECDSA_SHA256,
            digest_algorithm=DigestAlgorithm.SHA256,
            c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
        )
        self._signer.namespaces = {"ds": "http://www.w3.org/2000/09/xmldsig#"}
        self._key = identity.pem()
        self._certificate = identity.pin
        self._db = sqlite3.connect(journal)
        self._db.execute("CREATE TABLE sent (claim TEXT PRIMARY KEY, entry TEXT)")

    def submit(self, claims: list[Claim]) -> None:
        """Submit the claims one after the other, raising at the first that fails."""
        for claim in claims:
            envelope = self._signed(claim)
            reply = self._client.transport.post_xml(
                self._endpoint, envelope, {"Content-Type": "text/xml", "SOAPAction": '""'}
            )
            operation = self._client.wsdl.bindings[next(iter(self._client.wsdl.bindings))].get(
                "SubmitVoucher"
            )
            answer = operation.process_reply(operation_envelope(reply.content))
            with self._db:
                number = answer.JournalEntry.Number
                self._db.execute("INSERT INTO sent VALUES (?, ?)", (claim.id, number))

    def _signed(self, claim: Claim) -> Any:
        from lxml import etree

        body = _zeep_values(self._profile, self._chart, claim)
        envelope = self._client.create_message(self._service, "SubmitVoucher", **body)
        voucher = envelope.find(".//{urn:claimbridge:voucher:1}Voucher")
        self._schema.validate(voucher.getparent())
        alone = etree.fromstring(etree.tostring(voucher))  # noqa: TID251 - the obvious way
        signed = self._signer.sign(
            alone, key=self._key, cert=self._certificate, reference_uri="#" + alone.get("Id")
        )
        voucher.getparent().replace(voucher, signed)
        return envelope


def operation_envelope(content: bytes) -> Any:
    """Parse a reply as zeep does."""
    from zeep.loader import parse_xml

    return parse_xml(content, None)


def _zeep_values(profile: Any, chart: Chart, claim: Claim) -> dict[str, Any]:
    """Return the request in zeep's own conventions."""
    from claimbridge.model import Key, State, Submission

    submission = Submission(
        key=Key("B", claim.id, claim.revision),
        reference=claim.id,
        digest=claim.digest,
        voucher=chart.map(claim).voucher,
        state=State.PENDING,
    )
    plain = profile.submit([submission]).body
    renamed: dict[str, Any] = _renamed(plain)
    return renamed


def _renamed(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            {"#text": "_value_1"}.get(name, name.removeprefix("@")): _renamed(item)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [_renamed(item) for item in value]
    return value


# --- 2. stages --------------------------------------------------------------------------------


def _print_stages(count: int) -> None:
    identity = throwaway.make()
    with running_erp(identity.trust) as endpoint, tempfile.TemporaryDirectory() as folder:
        config = ledger_config(endpoint, Path(folder, "s.db"))
        ledger = Ledger(config, signer=Signer(Identity.from_pem(identity.pem())))
        stages = _timed_stages(ledger)
        with Client(config, ledger=ledger) as client:
            _time(client.journal, "history", stages, "journal")
            _time(client.journal, "begin", stages, "journal")
            _time(client.journal, "record", stages, "journal")
            _time(client._transports.to(""), "post", stages, "the ERP and the network")
            for claim in make_claims("warm", 20):
                client.submit(claim)
            stages.update(dict.fromkeys(stages, 0.0))
            started = time.perf_counter()
            for claim in make_claims("S", count):
                client.submit(claim)
            total = time.perf_counter() - started
    print(f"{'stage':28}{'ms/claim':>10}{'share':>10}")
    for stage, seconds in stages.items():
        print(f"{stage:28}{seconds * 1000 / count:10.2f}{seconds / total:10.1%}")
    rest = total - sum(stages.values())
    print(f"{'the rest':28}{rest * 1000 / count:10.2f}{rest / total:10.1%}")


def _timed_stages(ledger: Ledger) -> dict[str, float]:
    stages: dict[str, float] = {}
    _time(ledger.setup.chart, "map", stages, "mapping")
    _time(ledger.setup.profile, "submit", stages, "profile")
    _time(ledger.setup.contract, "render", stages, "rendering")
    assert ledger.setup.signer is not None
    _time(ledger.setup.signer, "sign", stages, "signing")
    _time(ledger.setup.contract, "check", stages, "XSD gate")
    _time(ledger.setup.wire, "open", stages, "reading the reply")
    _time(ledger.reader, "answer", stages, "reading the reply")
    _time(ledger.setup.profile, "read", stages, "reading the reply")
    return stages


def _time(owner: Any, name: str, stages: dict[str, float], stage: str) -> None:
    """Count the time spent in ``owner.name`` as ``stage``."""
    real = getattr(owner, name)
    stages.setdefault(stage, 0.0)

    def timed(*args: Any, **named: Any) -> Any:
        started = time.perf_counter()
        try:
            return real(*args, **named)
        finally:
            stages[stage] += time.perf_counter() - started

    try:
        object.__setattr__(owner, name, timed)
    except AttributeError:
        setattr(type(owner), name, lambda _, *args, **named: timed(*args, **named))


# --- 3. memory --------------------------------------------------------------------------------


def _print_memory() -> None:
    print(f"{'claims in the batch':28}{'peak MB':>10}{'claims/s':>10}")
    for count in (1_000, 10_000):
        with running_erp(None) as endpoint:
            ended = subprocess.run(
                [sys.executable, "-m", "tests.benchmarks.end_to_end", "--batch-of", str(count),
                 "--endpoint", endpoint],
                check=True, capture_output=True, text=True,
            )  # fmt: skip
        measured = json.loads(ended.stdout)
        print(f"{count:28,}{measured['peak_mb']:10.1f}{measured['rate']:10.0f}")


def _one_batch(count: int, endpoint: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        config = ledger_config(endpoint, Path(folder, "m.db"))
        started = time.perf_counter()
        with Client(config) as client:
            model = Claim.from_json(MODEL.read_bytes())
            claims = (msgspec.structs.replace(model, id=f"M{n}") for n in range(count))
            done = sum(1 for result in client.submit_many(claims, batch=20) if not result.error)
        seconds = time.perf_counter() - started
        journal = open_journal(config.journal_url)
        kept = sum(1 for _ in journal.select(journal.books()[0].id))
        journal.close()
    if done != count or kept != count:
        raise SystemExit(f"{done} of {count} claims posted, {kept} in the journal")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"peak_mb": peak, "rate": count / seconds}


# --- the ERP ----------------------------------------------------------------------------------


def ledger_config(endpoint: str, journal: Path) -> LedgerConfig:
    """Return the settings of a ledger that is a running sandbox."""
    return LedgerConfig(
        name="B", endpoint=endpoint, chart=str(CHART), journal=f"sqlite:///{journal}"
    )


def make_claims(prefix: str, count: int) -> list[Claim]:
    """Return claims that differ in their ids and invoices alone."""
    model = Claim.from_json(MODEL.read_bytes())
    return [_with_own_invoice(model, f"{prefix}-{number}") for number in range(count)]


def _with_own_invoice(model: Claim, claim_id: str) -> Claim:
    """Return the claim under another id, with invoices that no other claim has."""
    mark = zlib.crc32(claim_id.encode())
    lines = tuple(
        msgspec.structs.replace(
            line,
            documents=tuple(
                msgspec.structs.replace(one, number=f"2{mark:010}{at:08}1")
                for one in line.documents
            ),
        )
        for at, line in enumerate(model.lines)
    )
    return msgspec.structs.replace(model, id=claim_id, lines=lines)


@contextmanager
def running_erp(trust: bytes | None) -> Iterator[str]:
    """Run a sandbox in a process of its own, so that it does not share our interpreter."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["--port", "0", "--profile", "reference"]
        if trust is not None:
            anchor = Path(folder, "ca.pem")
            anchor.write_bytes(trust)
            arguments += ["--trust", str(anchor)]
        process = subprocess.Popen(
            [sys.executable, "-m", "claimbridge.cli", "sandbox", *arguments],
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert process.stderr is not None
            yield process.stderr.readline().split()[1]
        finally:
            process.terminate()
            process.communicate()


if __name__ == "__main__":
    main()
