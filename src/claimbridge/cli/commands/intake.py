"""Commands about sources: one pass of the intake; list, retry and refuse what is parked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import App, Parameter

from claimbridge.cli.book_names import warn_of_missing
from claimbridge.cli.catalogue import INTAKE
from claimbridge.cli.exit_codes import BUSINESS_NO, DONE, USAGE, exit_code, worst
from claimbridge.cli.listing import Listing
from claimbridge.cli.options import Config, Json, NewJournal, SourceName
from claimbridge.cli.output import NO, WARN, YES, complain, emit, progress, say
from claimbridge.cli.sources import record_of, source_configs
from claimbridge.cli.tree import with_commands
from claimbridge.client import Client
from claimbridge.errors import ClaimBridgeError, ClaimError
from claimbridge.sources.base import Source
from claimbridge.sources.base.writeback import FOR_A_PERSON
from claimbridge.sources.intake import Intake, IntakeItem, IntakeReport, reread
from claimbridge.sources.record import ArrivalState, SourceRecord, StoredArrival
from claimbridge.sources.settings import (
    SourceConfig,
    load_source,
    open_source,
)

Ids = Annotated[
    list[str],
    Parameter(help="Claim ids, or the keys that `claimbridge intake list` shows."),
]

_MARKS: Final = {
    ArrivalState.ACCEPTED: YES,
    ArrivalState.WITHDRAWN: YES,
    ArrivalState.READ: WARN,
    ArrivalState.SUPERSEDED: WARN,
    ArrivalState.REFUSED: WARN,
}
_CLOSED: Final = (ArrivalState.SUPERSEDED, ArrivalState.REFUSED)
"""Ends that nobody has to look at any more."""

tree = App(name="intake")


@tree.default
def intake(
    *,
    config: Config = Path("claimbridge.toml"),
    source: SourceName = None,
    new_journal: NewJournal = False,
    json: Json = False,
) -> int:
    """Carry what the sources have into the ledgers, in one pass; retry what is parked.

    Example: `claimbridge intake --config claimbridge.toml`
    """
    codes: list[int] = []
    with _clients(config, new_journal=new_journal) as client_of:
        for configured in source_configs(config, source):
            try:
                codes += _pass(config, configured, client_of, json)
            except ClaimBridgeError as error:  # one source's trouble does not hold up the others
                complain(f"{configured.name}: {error}")
                codes.append(exit_code(error))
    return worst(codes)


def _pass(
    config: Path, configured: SourceConfig, client_of: Callable[[str], Client], json: bool
) -> list[int]:
    """Make one pass of one source; return the exit code of each end."""
    codes: list[int] = []
    with record_of(config, configured) as record, ExitStack() as closing:
        opened_source = open_source(configured, record)
        closing.callback(opened_source.close)
        work = Intake(opened_source, config=configured, record=record, clients=client_of)
        for item in progress(work.run(), total=None, what=configured.name):
            codes.append(_show(configured.name, item, json))
        for trouble in work.report.troubles:
            complain(f"{configured.name}: {trouble}")
            codes.append(exit_code(trouble))
        if not json:
            say(f"{configured.name}: {_summary(work.report)}")
        if waiting := record.select_write_backs(configured.name, FOR_A_PERSON):
            complain(
                f"{configured.name}: {len(waiting)} to bring back wait for a person; see "
                "claimbridge intake write-backs"
            )
    return codes


def list_arrivals(
    *,
    config: Config = Path("claimbridge.toml"),
    source: SourceName = None,
    state: Annotated[list[ArrivalState], Parameter(negative=(), name_transform=str.lower)] = [],  # noqa: B006 - never changed
    json: Json = False,
) -> int:
    """List what sources gave, and why it is not in a ledger.

    Parameters
    ----------
    state
        Only these states; may be repeated; all when left out.

    """
    listing = Listing("source", "document", "claim", "rev", "state", numbers=("rev",))
    for configured in source_configs(config, source):
        with record_of(config, configured) as record:
            for arrival in record.select(state, source=configured.name):
                if json:
                    emit(_record(arrival))
                    continue
                why = f"{arrival.code} {arrival.reason}".strip()
                listing.add(
                    arrival.source,
                    arrival.key,
                    arrival.claim_id,
                    str(arrival.revision or ""),
                    arrival.state,
                    why=why,
                )
    if not json:
        listing.show()
    return DONE


def retry_arrivals(
    ids: Ids = [],  # noqa: B006 - never changed
    /,
    *,
    config: Config = Path("claimbridge.toml"),
    source: SourceName = None,
    all: Annotated[bool, Parameter(negative=())] = False,
    json: Json = False,
) -> int:
    """Let the next pass go on with what is parked, once its reason is fixed.

    Parameters
    ----------
    all
        Everything that is parked and may be retried.

    What became no claim is read again from its source at once: a corrected field map may read it.

    """
    if bool(ids) == all:
        complain("give ids, or --all")
        return USAGE
    codes: list[int] = []
    with ExitStack() as closing:
        sources: dict[str, Source] = {}

        def retry(record: SourceRecord, arrival: StoredArrival) -> bool:
            if record.retry(arrival):
                return True
            try:
                if arrival.source not in sources:
                    configured = load_source(config, arrival.source)
                    sources[arrival.source] = open_source(configured, record)
                    closing.callback(sources[arrival.source].close)
                return reread(sources[arrival.source], record, arrival)
            except ClaimBridgeError as error:  # it stays parked
                complain(f"{arrival.source}: {arrival.name} cannot be read again: {error}")
                codes.append(exit_code(error))
                return False

        codes.append(_each_parked(source_configs(config, source), config, ids, retry, json))
    return worst(codes)


def refuse_arrivals(
    ids: Ids,
    /,
    *,
    reason: str,
    config: Config = Path("claimbridge.toml"),
    source: SourceName = None,
    json: Json = False,
) -> int:
    """Close what is parked and will not be submitted.

    Parameters
    ----------
    reason
        Why; it is reported to the source.

    """

    def refuse(record: SourceRecord, arrival: StoredArrival) -> bool:
        return record.end(arrival, ArrivalState.REFUSED, code="CB-544", reason=reason)

    return _each_parked(source_configs(config, source), config, ids, refuse, json)


def _each_parked(
    sources: list[SourceConfig],
    config: Path,
    ids: list[str],
    act: Callable[[SourceRecord, StoredArrival], bool],
    json: bool,
) -> int:
    """Do something with parked arrivals: those of ``ids``, or all where there are none."""
    codes, missing = [DONE], set(ids)
    for configured in sources:
        with record_of(config, configured) as record:
            for arrival in record.select([ArrivalState.PARKED], source=configured.name):
                names = {arrival.key, arrival.claim_id} - {""}
                if ids and not names & set(ids):
                    continue
                missing -= names
                done = act(record, arrival)
                codes.append(DONE if done or not ids else BUSINESS_NO)
                (now,) = record.get([arrival.number])
                if json:
                    emit(_record(now))
                elif done:
                    waits = now.state is ArrivalState.READ
                    say(YES, f" {now.name}  {'goes on with the next pass' if waits else now.state}")
                else:
                    say(NO, f" {now.name}  it is no claim: fix it in its source, {now.reason}")
    for name in sorted(missing):
        error = ClaimError(
            "nothing is parked under this id; see claimbridge intake list",
            code="CB-540",
            claim_id=name,
        )
        complain(str(error))
        codes.append(exit_code(error))
    return worst(codes)


@contextmanager
def _clients(config: Path, *, new_journal: bool) -> Iterator[Callable[[str], Client]]:
    """Give the clients of ledgers by name, opened when first asked for."""
    clients: dict[str, Client] = {}
    warned_of: set[str] = set()

    def client_of(ledger: str) -> Client:
        if ledger not in clients:
            clients[ledger] = Client.from_config(config, ledger=ledger, new_journal=new_journal)
            if (url := clients[ledger].ledger.setup.config.journal_url) not in warned_of:
                warned_of.add(url)
                warn_of_missing(config, clients[ledger])
        return clients[ledger]

    try:
        yield client_of
    finally:
        for client in clients.values():
            client.close()


def _show(source: str, item: IntakeItem, json: bool) -> int:
    arrival, error = item.arrival, item.error
    if json and error is not None and not arrival.code:  # not tried: others had failed before it
        emit({**_record(arrival), "code": error.code, "reason": error.message})
    elif json:
        emit(_record(arrival))
    elif error is None:
        say(_MARKS.get(arrival.state, NO), f" {source}  {arrival.name}  {arrival.state}")
    else:
        word = "later" if arrival.state is ArrivalState.READ else arrival.state
        say(_MARKS.get(arrival.state, NO), f" {source}  {arrival.name}  {word}: {error}")
    if error is None or arrival.state in _CLOSED:
        return DONE
    return exit_code(error)


def _summary(report: IntakeReport) -> str:
    counts = {
        "read": report.read,
        "accepted": report.accepted,
        "parked": report.parked,
        "later": report.later,
        "closed": report.closed,
        "brought back": report.brought_back,
    }
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count or name == "read")


def _record(arrival: StoredArrival) -> dict[str, Any]:
    return {
        "source": arrival.source,
        "document": arrival.key,
        "label": arrival.label,
        "claim": arrival.claim_id,
        "revision": arrival.revision,
        "state": arrival.state,
        "code": arrival.code or None,
        "reason": arrival.reason,
        "ignored": arrival.ignored,
        "attempt": arrival.attempt,
        "read_at": arrival.read_at,
        "updated_at": arrival.updated_at,
    }


with_commands(tree, INTAKE, None)
