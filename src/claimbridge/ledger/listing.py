"""Fetching lists of an ERP's master records, page by page: harmless calls, so each may be repeated.

No I/O: what must be sent is yielded to the client, as every step of a plan is.
"""

from __future__ import annotations

from typing import Final

from claimbridge.contract.calls.fault import Fault
from claimbridge.errors import (
    ClaimBridgeError,
    ConfigurationError,
    DeliveryError,
    DeliveryRefused,
    LedgerUnavailable,
    NotDelivered,
)
from claimbridge.ledger.exchange import ExchangeRun, NoAnswer
from claimbridge.ledger.setup import Setup
from claimbridge.model import OutcomeKind
from claimbridge.profiles.abilities import ListsMasterRecords
from claimbridge.profiles.base import Profile
from claimbridge.profiles.master_records import MasterRecord, RecordList, RecordPage
from claimbridge.profiles.request import Request
from claimbridge.submission import Pause, Plan

_MOST_PAGES: Final = 10_000
_NO_LIST: Final = "CB-491"


def list_records(setup: Setup, run: ExchangeRun, kind: str) -> Plan[RecordList]:
    """Fetch all records of one kind; a list that is not whole is none.

    Raises ConfigurationError CB-254 where the profile has no lists, CB-251 where it has no such
    kind; DeliveryRefused, NotDelivered or LedgerUnavailable where there is no whole list.
    """
    profile = lister(setup.profile, kind)
    at = setup.clock.now()
    found: dict[str, MasterRecord] = {}
    counted, total = 0, None
    request: Request | None = profile.list_records(kind)
    for _ in range(_MOST_PAGES):
        if request is None:
            break
        page = yield from _patiently(setup, run, profile, kind, request)
        counted += len(page.records)
        found |= {record.id: record for record in page.records}
        total = page.total if page.total is not None else total
        request = page.next
    if request is not None or len(found) != counted or (total is not None and total != counted):
        raise NotDelivered(
            f"the list of {kind} is not whole: {counted} records, {len(found)} different ones, of "
            f"{'unknown' if total is None else total}; it changed while it was read: run the "
            "command again",
            code=_NO_LIST,
        )
    return RecordList(fetched_at=at, records=tuple(found.values()))


def lister(profile: Profile, kind: str | None = None) -> ListsMasterRecords:
    """Return the profile as one that lists records; raises ConfigurationError."""
    if not isinstance(profile, ListsMasterRecords):
        raise ConfigurationError(
            f"profile {profile.name} lists no records of its ERP; its codes are sent as they are",
            code="CB-254",
        )
    if kind is not None and kind not in profile.record_kinds:
        known = ", ".join(profile.record_kinds)
        raise ConfigurationError(
            f"profile {profile.name} lists no {kind!r}; it lists {known}", code="CB-251"
        )
    return profile


def _patiently(
    setup: Setup, run: ExchangeRun, profile: ListsMasterRecords, kind: str, request: Request
) -> Plan[RecordPage]:
    """Ask for one page; a busy ERP and a lost answer are asked again, as often as configured."""
    rules, wait = setup.rules, setup.rules.backoff
    for _ in range(rules.retries):
        try:
            return (yield from _page(run, profile, kind, request))
        except DeliveryRefused:
            raise
        except DeliveryError as error:
            asked = error.retry_after if isinstance(error, LedgerUnavailable) else None
            if asked is not None and asked > rules.longest_wait:
                raise
            if not (yield from Pause(max(wait, asked or 0.0))):
                raise
        wait *= 2
    return (yield from _page(run, profile, kind, request))


def _page(
    run: ExchangeRun, profile: ListsMasterRecords, kind: str, request: Request
) -> Plan[RecordPage]:
    try:
        answer = yield from run.ask(request)
        if not isinstance(answer, Fault):
            return profile.read_records(kind, answer)
    except NoAnswer as end:
        raise _harmless(end.error, kind) from end.error
    except DeliveryError:
        raise
    except ClaimBridgeError as error:
        text = f"the list of {kind} cannot be read: {error.message}"
        raise NotDelivered(text, code=_NO_LIST) from error
    except Exception as error:
        text = f"the list of {kind} cannot be read: the profile failed: {error!r}"
        raise NotDelivered(text, code=_NO_LIST) from error
    outcome = run.outcome_of(answer)
    text = outcome.text or "; ".join(map(str, outcome.reasons)) or answer.reason
    if outcome.kind is OutcomeKind.UNAVAILABLE:
        raise LedgerUnavailable(text, retry_after=outcome.retry_after)
    refused = DeliveryRefused if outcome.retry_is_useless else NotDelivered
    raise refused(f"the ERP refused to list {kind}: {text}", code=_NO_LIST)


def _harmless(error: DeliveryError, kind: str) -> DeliveryError:
    """Return a lost answer as what it is here: a question changes nothing."""
    if isinstance(error, NotDelivered | LedgerUnavailable):
        return error
    return NotDelivered(f"no list of {kind} came: {error.message}", code=_NO_LIST)


__all__ = ["list_records", "lister"]
