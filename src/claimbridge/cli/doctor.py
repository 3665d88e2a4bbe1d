"""The command ``doctor``: is everything in place to post to a ledger? It posts nothing."""

from __future__ import annotations

import datetime as dt
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from claimbridge.cli.app import DONE, USAGE
from claimbridge.cli.claims import Config, Json, LedgerName
from claimbridge.cli.named import book_of, missing_in
from claimbridge.cli.output import NO, WARN, YES, emit, row, say, show, table
from claimbridge.clock import SYSTEM
from claimbridge.config import LedgerConfig, ledgers_in, load_config
from claimbridge.errors import ClaimBridgeError, NotDelivered
from claimbridge.journal import open_journal
from claimbridge.ledger import Ledger, open_identities, transport_settings, wanted_book
from claimbridge.model import State
from claimbridge.profiles import load_profile
from claimbridge.signing import Identity
from claimbridge.sources.record import ArrivalState, open_record
from claimbridge.sources.settings import journal_of, load_source, open_source, sources_in
from claimbridge.submission import Rules, forgets, told_of
from claimbridge.submission.books import found

EXPIRY_WARNING = dt.timedelta(days=30)


class Finding(msgspec.Struct, frozen=True):
    """One thing looked at: ``verdict`` is ok, warning or failure; ``text`` says what to do."""

    ledger: str
    what: str
    verdict: str
    text: str


def doctor(
    *,
    config: Config = Path("claimbridge.toml"),
    ledger: LedgerName = None,
    json: Json = False,
) -> int:
    """Check the set-up of every ledger; nothing is posted.

    Looked at are contract, chart, identity, journal, secrets and endpoint, of all ledgers in the
    configuration unless one is named; and then its sources.
    """
    names = (ledger,) if ledger is not None else ledgers_in(config)
    findings = [finding for name in names for finding in _examine(config, name)]
    if ledger is None:
        findings += [_source(config, name) for name in sources_in(config)]
    findings += _missing(config, names)
    if json:
        for finding in findings:
            emit(msgspec.to_builtins(finding))
    else:
        _print(findings)
    return USAGE if any(f.verdict == "failure" for f in findings) else DONE


def _print(findings: list[Finding]) -> None:
    marks = {"ok": YES, "warning": WARN, "failure": NO}
    say(f"claimbridge {metadata.version('claimbridge')}, Python {sys.version.split()[0]}")
    made = table("", "ledger", "what", "found", wrapped=("found",))
    for finding in findings:
        row(made, marks[finding.verdict], finding.ledger, finding.what, finding.text)
    show(made)


def _examine(path: Path, name: str) -> Iterator[Finding]:
    try:
        config = load_config(path, ledger=name)
    except ClaimBridgeError as error:
        yield Finding(name, "configuration", "failure", str(error))
        return
    checks: dict[str, Callable[[LedgerConfig], str | tuple[str, str]]] = {
        "contract": _contract,
        "chart": _chart,
        "identity": _identity,
        "journal": _journal,
        "book": _book,
        "secrets": _secrets,
        "endpoint": _endpoint,
    }
    for what, check in checks.items():
        try:
            found = check(config)
        except ClaimBridgeError as error:
            yield Finding(name, what, "failure", str(error))
            continue
        verdict, text = found if isinstance(found, tuple) else ("ok", found)
        yield Finding(name, what, verdict, text)


def _source(path: Path, name: str) -> Finding:
    """Make the source as the intake would; nothing is read from it."""
    try:
        config = load_source(path, name)
        record = open_record(journal_of(path, config))
        try:
            open_source(config, record).close()
            parked = sum(1 for _ in record.select([ArrivalState.PARKED], source=name))
        finally:
            record.close()
    except ClaimBridgeError as error:
        return Finding(name, "source", "failure", str(error))
    text = f"{config.kind}, to {', '.join(config.all_ledgers)}"
    if parked:
        text += f": {parked} parked; see claimbridge intake list --state parked"
    return Finding(name, "source", "warning" if parked else "ok", text)


def _contract(config: LedgerConfig) -> str:
    unsigned = msgspec.structs.replace(config, identity=None, next_identity=None)
    ledger = Ledger(unsigned)
    count = len(ledger.contract.operations)
    return f"profile {config.profile}, {count} operation{'s' if count != 1 else ''}"


def _chart(config: LedgerConfig) -> str | tuple[str, str]:
    if config.chart is None:
        return "warning", "none: claims cannot be mapped"
    _ = Ledger(msgspec.structs.replace(config, identity=None, next_identity=None)).chart
    return str(config.path(config.chart))


def _identity(config: LedgerConfig) -> str | tuple[str, str]:
    identities = open_identities(config)
    if not identities:
        return "warning", "none: vouchers are not signed"
    text = "; then ".join(map(_certified, identities))
    # One that is about to expire is no trouble where the next is there already.
    left = max(one.certificate.not_valid_after_utc for one in identities) - SYSTEM.now()
    if left < dt.timedelta(0):
        return "failure", f"{text}: expired; get a new certificate"
    if left < EXPIRY_WARNING:
        return "warning", f"{text}: expires in {left.days} days; get a new certificate"
    return text


def _certified(identity: Identity) -> str:
    certificate = identity.certificate
    name, until = certificate.subject.rfc4514_string(), certificate.not_valid_after_utc
    return f"{name}, until {until:%Y-%m-%d}"


def _journal(config: LedgerConfig) -> str | tuple[str, str]:
    capabilities = load_profile(config.profile, config.options).capabilities
    rules = Rules(capabilities=capabilities, first_send=config.first_send)
    journal = open_journal(config.journal_url)
    try:
        continuity = journal.continuity()
        held = journal.counts(book_of(journal, config))
    finally:
        journal.close()
    may_send, about = told_of(continuity, rules)
    forgetful = forgets(continuity, rules)
    if not may_send:
        return "warning" if continuity.new and not continuity.replaces else "failure", about
    waiting = {state: held.get(state, 0) for state in (State.IN_DOUBT, State.PARKED)}
    if any(waiting.values()):
        told = ", ".join(f"{count} {state}" for state, count in waiting.items() if count)
        return "warning", f"{config.journal_url}: {told}; run claimbridge reconcile"
    if forgetful:
        return "warning", forgetful
    return f"{config.journal_url}: {about}"


def _book(config: LedgerConfig) -> str:
    """Say which book the ledger's name means; it is not opened."""
    journal = open_journal(config.journal_url)
    try:
        opened = found(journal.books(), wanted_book(config))
    finally:
        journal.close()
    if opened is None:
        return "new: the first submission opens it"
    others = [name for name in opened.book.names if name != config.name]
    also = f", also known as {', '.join(others)}" if others else ""
    return f"{opened.book.id}{also}" + (", parallel" if config.parallel else "")


def _missing(path: Path, names: Sequence[str]) -> Iterator[Finding]:
    """Tell of books in the journals of these ledgers that no ledger means."""
    urls: set[str] = set()
    for name in names:
        with suppress(ClaimBridgeError):  # told where the ledger was examined
            urls.add(load_config(path, ledger=name).journal_url)
    for url in sorted(urls):
        with suppress(ClaimBridgeError):
            journal = open_journal(url)
            try:
                told = missing_in(path, journal, url)
            finally:
                journal.close()
            yield from (Finding("-", "books", "warning", sentence) for sentence in told)


def _secrets(config: LedgerConfig) -> str:
    transport_settings(config)
    return f"authentication {config.auth.kind}" if config.auth else "no authentication"


def _endpoint(config: LedgerConfig) -> str:
    """Connect and hang up: no request is made."""
    parts = urlsplit(config.endpoint)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with socket.create_connection((parts.hostname or "", port), config.timeouts.connect):
            return f"{parts.hostname}:{port} answers"
    except OSError as error:
        raise NotDelivered(
            f"cannot connect to {parts.hostname}:{port}: {error.strerror or error}", code="CB-413"
        ) from error
