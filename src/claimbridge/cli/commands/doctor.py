"""The command ``doctor``: is everything in place to post to a ledger? It posts nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Annotated, Final

import msgspec
from cyclopts import Parameter

from claimbridge.cli import certificates, list_ages
from claimbridge.cli.book_names import book_of, missing_in
from claimbridge.cli.exit_codes import DONE, USAGE
from claimbridge.cli.options import Config, Json, LedgerName
from claimbridge.cli.output import NO, WARN, YES, emit, row, say, show, table
from claimbridge.client import Client
from claimbridge.clock import SYSTEM
from claimbridge.config import LedgerConfig, ledgers_in, load_config
from claimbridge.errors import ClaimBridgeError
from claimbridge.journal import MemoryJournal, open_journal
from claimbridge.ledger import Ledger, book_config_of, transport_settings
from claimbridge.model import State
from claimbridge.profiles import load_profile
from claimbridge.soap.transport.tls import greet
from claimbridge.sources.base import NOT_ASKED, AnswersDoctor, Source
from claimbridge.sources.record import ArrivalState, open_record
from claimbridge.sources.settings import journal_of, load_source, open_source, sources_in
from claimbridge.submission import Rules, first_send_report, memory_warning
from claimbridge.submission.decisions.books import find_book

Check = Callable[[LedgerConfig], str | tuple[str, str]]
_ALONE: Final = ("identity", "secrets", "endpoint", "replies")
"""What is looked at though the profile does not load."""
_OPENED: Final = ("secrets", "replies", "codes")
"""Rows of their own for what is read when a ledger is opened."""
_OF_PROFILE: Final = ("CB-230", "CB-240", "CB-241")
"""The codes of a profile that is not there; others are of its options."""


class CheckResult(msgspec.Struct, frozen=True):
    """One thing looked at: ``verdict`` is ok, warning or failure; ``text`` says what to do."""

    ledger: str
    what: str
    verdict: str
    text: str


def doctor(
    *,
    config: Config = Path("claimbridge.toml"),
    ledger: LedgerName = None,
    ask: Annotated[bool, Parameter(negative=())] = False,
    json: Json = False,
) -> int:
    """Check the set-up of every ledger; nothing is posted.

    Looked at are contract, chart, identity, replies, journal, secrets and endpoint, of all ledgers
    in the configuration unless one is named; and then its sources. Without --ask nothing is sent.

    Parameters
    ----------
    ask
        Ask each ERP about a document that nobody sent, and each source whether it answers: TLS,
        authentication, path, contract and reading are tried.

    """
    names = (ledger,) if ledger is not None else ledgers_in(config)
    results = [result for name in names for result in _examine(config, name, ask=ask)]
    if ledger is None:
        results += [
            result for name in sources_in(config) for result in _source(config, name, ask=ask)
        ]
    results += _missing(config, names)
    if json:
        for result in results:
            emit(msgspec.to_builtins(result))
    else:
        _print(results)
    return USAGE if any(f.verdict == "failure" for f in results) else DONE


def _print(results: list[CheckResult]) -> None:
    marks = {"ok": YES, "warning": WARN, "failure": NO}
    say(f"claimbridge {metadata.version('claimbridge')}, Python {sys.version.split()[0]}")
    grid = table("", "ledger", "what", "found", wrapped=("found",))
    for result in results:
        row(grid, marks[result.verdict], result.ledger, result.what, result.text)
    show(grid)


def _examine(path: Path, name: str, *, ask: bool) -> Iterator[CheckResult]:
    try:
        config = load_config(path, ledger=name)
    except ClaimBridgeError as error:
        yield CheckResult(name, "configuration", "failure", str(error))
        return
    checks, told = _checks(config), set[str]()
    if (broken := _what_does_not_open(config)) is not None:
        what, why = broken
        left_out = [one for one in checks if one not in _ALONE]
        for one in left_out:
            del checks[one]
        told.add(str(why))
        not_asked = ["asked"] if ask else []
        text = f"{why}. Until this is fixed, not looked at: {', '.join(left_out + not_asked)}"
        yield CheckResult(name, what, "failure", text)
    for what, check in checks.items():
        try:
            verdict_and_text = check(config)
        except ClaimBridgeError as error:
            if str(error) not in told:  # one mistake has one row
                yield CheckResult(name, what, "failure", str(error))
            told.add(str(error))
            continue
        verdict, text = (
            verdict_and_text if isinstance(verdict_and_text, tuple) else ("ok", verdict_and_text)
        )
        yield CheckResult(name, what, verdict, text)
    if config.production:
        text = "marked as production: claimbridge probe needs --yes-in-production"
        yield CheckResult(name, "production", "ok", text)
    if ask and broken is None:
        try:
            yield from (CheckResult(name, "asked", *answer) for answer in _ask(config))
        except ClaimBridgeError as error:
            if str(error) not in told:
                yield CheckResult(name, "asked", "failure", str(error))


def _checks(config: LedgerConfig) -> dict[str, Check]:
    """Return what is looked at, by the names of the rows."""
    checks: dict[str, Check] = {
        "contract": _contract,
        "chart": _chart,
        "identity": certificates.check_identity,
        "journal": _journal,
        "book": _book,
        "secrets": _secrets,
        "endpoint": _endpoint,
    }
    if list_ages.works_with_lists(config):
        checks["codes"] = list_ages.check_codes
    if config.extra or config.omit:
        checks["fields"] = _fields
    if config.replies is not None:
        checks["replies"] = certificates.check_replies
    return checks


def _what_does_not_open(config: LedgerConfig) -> tuple[str, ClaimBridgeError] | None:
    """Return the row and the error of what nothing works with: profile, options, or the ledger."""
    try:
        load_profile(config.profile, config.options)
    except ClaimBridgeError as error:
        return ("profile" if error.code in _OF_PROFILE else "options"), error
    try:
        Ledger(_plain(config))
    except ClaimBridgeError as error:
        return _row_of(error, config), error
    return None


def _row_of(error: ClaimBridgeError, config: LedgerConfig) -> str:
    """Return the row that is to blame for a ledger that does not open."""
    for what, check in _checks(config).items():
        if what in _OPENED:
            try:
                check(config)
            except ClaimBridgeError as own:
                if str(own) == str(error):
                    return what
    return "ledger"


def _plain(config: LedgerConfig) -> LedgerConfig:
    """Return the configuration without what has rows of its own: identities and fields."""
    return msgspec.structs.replace(config, identity=None, next_identity=None, extra=(), omit=())


def _source(path: Path, name: str, *, ask: bool) -> Iterator[CheckResult]:
    """Make the source as the intake would; nothing is read from it, unless it is to be asked."""
    answer: CheckResult | None = None
    try:
        config = load_source(path, name)
        record = open_record(journal_of(path, config))
        try:
            source = open_source(config, record)
            try:
                if ask:
                    answer = _ask_source(name, source)
            finally:
                source.close()
            parked = sum(1 for _ in record.select([ArrivalState.PARKED], source=name))
        finally:
            record.close()
    except ClaimBridgeError as error:
        yield CheckResult(name, "source", "failure", str(error))
        return
    text = f"{config.kind}, to {', '.join(config.all_ledgers)}"
    if parked:
        text += f": {parked} parked; see claimbridge intake list --state parked"
    yield CheckResult(name, "source", "warning" if parked else "ok", text)
    if answer is not None:
        yield answer


def _ask_source(name: str, source: Source) -> CheckResult:
    if not isinstance(source, AnswersDoctor):
        return CheckResult(name, "asked", "ok", NOT_ASKED)
    try:
        return CheckResult(name, "asked", "ok", source.answer_doctor())
    except ClaimBridgeError as error:
        return CheckResult(name, "asked", "failure", str(error))
    except Exception as error:  # noqa: BLE001 - a user's source may raise anything
        return CheckResult(name, "asked", "failure", f"it failed: {type(error).__name__}: {error}")


def _contract(config: LedgerConfig) -> str:
    ledger = Ledger(_plain(config))
    count = len(ledger.setup.contract.operations)
    return f"profile {config.profile}, {count} operation{'s' if count != 1 else ''}"


def _fields(config: LedgerConfig) -> str:
    """Say what is added to requests and left out; the contract was asked about it."""
    ledger = Ledger(msgspec.structs.replace(config, identity=None, next_identity=None))
    return "; ".join(ledger.setup.extras.words())


def _chart(config: LedgerConfig) -> str | tuple[str, str]:
    if config.chart is None:
        return "warning", "none: claims cannot be mapped"
    chart = Ledger(_plain(config)).setup.chart
    place = str(config.path(config.chart))
    wrong = [finding for finding in chart.check(day=SYSTEM.now().date()) if finding.weight == "fix"]
    if wrong:
        first = f"{wrong[0].where}: {wrong[0].text}"
        more = f" ({len(wrong)} such; claimbridge chart check {place})" if len(wrong) > 1 else ""
        return "failure", f"{place}: {first}{more}"
    return place


def _journal(config: LedgerConfig) -> str | tuple[str, str]:
    capabilities = load_profile(config.profile, config.options).capabilities
    rules = Rules(capabilities=capabilities, first_send=config.first_send)
    journal = open_journal(config.journal_url)
    try:
        continuity, book = journal.continuity(), book_of(journal, config)
        counts, is_new = journal.counts(book), journal.is_new(book)
    finally:
        journal.close()
    may_send, about = first_send_report(continuity, rules, new=is_new)
    forgetful = memory_warning(continuity, rules)
    if not may_send:
        as_new = is_new and continuity.is_newest
        return "warning" if as_new else "failure", about
    waiting = {state: counts.get(state, 0) for state in (State.IN_DOUBT, State.PARKED)}
    if any(waiting.values()):
        text = ", ".join(f"{count} {state}" for state, count in waiting.items() if count)
        return "warning", f"{config.journal_url}: {text}; run claimbridge reconcile"
    if forgetful:
        return "warning", forgetful
    return f"{config.journal_url}: {about}"


def _book(config: LedgerConfig) -> str:
    """Say which book the ledger's name means; it is not opened."""
    journal = open_journal(config.journal_url)
    try:
        opened = find_book(journal.books(), book_config_of(config))
    finally:
        journal.close()
    if opened is None:
        return "new: the first submission opens it"
    others = [name for name in opened.book.names if name != config.name]
    also = f", also known as {', '.join(others)}" if others else ""
    return f"{opened.book.id}{also}" + (", parallel" if config.parallel else "")


def _missing(path: Path, names: Sequence[str]) -> Iterator[CheckResult]:
    """Report books in the journals of these ledgers that no ledger means."""
    urls: set[str] = set()
    for name in names:
        with suppress(ClaimBridgeError):  # reported where the ledger was examined
            urls.add(load_config(path, ledger=name).journal_url)
    for url in sorted(urls):
        with suppress(ClaimBridgeError):
            journal = open_journal(url)
            try:
                sentences = missing_in(path, journal, url)
            finally:
                journal.close()
            yield from (CheckResult("-", "books", "warning", sentence) for sentence in sentences)


def _secrets(config: LedgerConfig) -> str:
    transport_settings(config)
    return f"authentication {config.auth.kind}" if config.auth else "no authentication"


def _endpoint(config: LedgerConfig) -> str:
    """Connect and hang up: no request is made."""
    return greet(transport_settings(config), tls=False)


def _ask(config: LedgerConfig) -> Iterator[tuple[str, str]]:
    """Ask the ERP about a document that nobody sent: the whole way there and back.

    Neither the journal nor the ledger is touched.
    """
    config = msgspec.structs.replace(config, identity=None, next_identity=None)
    with Client(config, journal=MemoryJournal()) as client:
        found = client.ask_for_nothing()
        drifts = client.contract_drifts()
    verdicts = {True: "ok", False: "failure", None: "warning"}
    text = found.text
    if found.works is None and not client.ledger.rules.capabilities.can_query:
        text = f"{greet(transport_settings(config), tls=True)}; {text}"
    yield verdicts[found.works], text
    for difference in drifts:
        yield (
            "warning",
            f"its answer differs from the contract, and was read: {difference}",
        )
