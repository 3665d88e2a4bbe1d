"""Checks with an ERP: every disturbance against the real clients, one effect or parked."""

from __future__ import annotations

import asyncio
import datetime as dt
import tempfile
import time
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import msgspec

from claimbridge.client import Client
from claimbridge.errors import ClaimBridgeError, LedgerRejection, LedgerUnavailable, OutcomeUnknown
from claimbridge.journal import MemoryJournal
from claimbridge.model import Acknowledgement, Claim, ClaimLine, Posting, Role
from claimbridge.sandbox import DISTURBANCES, LedgerRow, Sandbox
from claimbridge.testing.conformance.replies import drifts
from claimbridge.testing.conformance.subject import Nonconformity, Subject
from claimbridge.testing.exchanges import load_exchanges

PARKED = "CB-421"
_TRIES = 8
_LIVE = frozenset({"entered", "posted", "paid"})
Call = Callable[[Claim], Acknowledgement]


def checks(subject: Subject) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield every check that needs an ERP, by name."""
    yield "sandbox-books", partial(same_books, subject)
    yield "sandbox-drifts", partial(own_drifts, subject)
    can = subject.open_profile().capabilities
    if can.reference_case == "upper":
        yield "folded-references", partial(one_effect_folded, subject)
    for disturbance in _disturbances():
        yield f"fault-Client-{disturbance}", partial(one_effect, subject, disturbance)
        if find_spec("aiohttp"):
            yield (
                f"fault-AsyncClient-{disturbance}",
                partial(one_effect_async, subject, disturbance),
            )
        if can.batch > 1:
            yield f"batch-{disturbance}", partial(one_effect_each, subject, disturbance)
        if can.can_reverse:
            yield f"revision-{disturbance}", partial(one_revision, subject, disturbance)


def _disturbances() -> Iterator[str]:
    for name, variants in DISTURBANCES.items():
        known = ("0.1", "3") if name == "slow" else variants
        yield from (f"{name}={variant}" for variant in known) if known else (name,)


def one_effect(subject: Subject, disturbance: str) -> None:
    """Submitted again after a disturbance, a claim is in the ledger once, or parked."""
    with _erp(subject, f"one_effect {disturbance}") as erp, _client(subject, erp) as client:
        _one_effect(erp, client.submit, disturbance)


def one_effect_folded(subject: Subject) -> None:
    """If the ERP keeps references in capitals, lost answers are found, also of corrections.

    Claims that differ in case alone are different documents, and so is one whose id looks marked.
    """
    with _erp(subject, "one_effect_folded", folds=True) as erp, _client(subject, erp) as client:
        for claim in (_claim("CONF-1"), _claim("conf-1"), _claim("CONF-1.R2")):
            _submit_folded(erp, client, claim)
        if len({one.reference for one in _live(erp)}) != len(_live(erp)):
            raise Nonconformity("two claims have one reference where case is folded")
        if subject.open_profile().capabilities.can_reverse:
            _submit_folded(erp, client, _claim("CONF-1", revision=2))


def _submit_folded(erp: Sandbox, client: Client, claim: Claim) -> None:
    """Submit a claim, and lose every first answer: the claim is booked once, or parked."""

    def submit(claim: Claim) -> Acknowledgement:
        client.status(claim.id)  # where the number comes later, it is asked for
        return client.submit(claim)

    before = _balance(erp)
    erp.set_faults("commit-then-drop@1")
    _attempt(client.submit, claim)
    erp.set_faults("commit-then-drop@1" if claim.revision > 1 else "")
    _attempt(client.submit, claim)
    erp.set_faults("")
    end = _settle(submit, claim)
    whole = _balance(erp) - before
    added = Decimal("100.00")  # a correction is so much more than the first revision
    possible = {added} if isinstance(end, Acknowledgement) else {Decimal(0), added, -added}
    if whole not in possible:
        raise Nonconformity(f"{claim.id}: {whole} more is booked where case is folded, not {added}")


def one_effect_async(subject: Subject, disturbance: str) -> None:
    """The same with ``AsyncClient``."""
    from claimbridge.aio import AsyncClient

    with _erp(subject, f"one_effect_async {disturbance}") as erp, asyncio.Runner() as loop:
        ledger = subject.ledger(erp.url(subject.server().name) + subject.path)
        client = AsyncClient(ledger.setup.config, ledger=ledger, journal=MemoryJournal())
        try:
            _one_effect(erp, lambda claim: loop.run(client.submit(claim)), disturbance)
        finally:
            loop.run(client.close())


def _one_effect(erp: Sandbox, submit: Call, disturbance: str) -> None:
    before = submit(_claim("CONF-1"))
    erp.set_faults(f"{disturbance}@1")
    _attempt(submit, _claim("CONF-2"))
    erp.set_faults("")
    after = _settle(submit, _claim("CONF-2"))
    count = len(_live(erp)) - 1
    if isinstance(after, ClaimBridgeError):
        if count > 1:
            raise Nonconformity(f"{disturbance}: {count} documents of one claim, which is parked")
        return
    if count != 1:
        raise Nonconformity(f"{disturbance}: acknowledged, and {count} documents are in the ledger")
    if after.journal_entry is not None and after.journal_entry == before.journal_entry:
        raise Nonconformity(
            f"{disturbance}: acknowledged with the number of another claim's document"
        )
    calls = erp.requests()
    if submit(_claim("CONF-2")) != after or erp.requests() != calls:
        raise Nonconformity(f"{disturbance}: an acknowledged claim is sent again")


def one_effect_each(subject: Subject, disturbance: str) -> None:
    """Each of several vouchers in one request is in the ledger once, or parked."""
    with _erp(subject, f"one_effect_each {disturbance}") as erp, _client(subject, erp) as client:
        claims = [_claim(f"CONF-{n}") for n in range(1, 4)]
        erp.set_faults(f"{disturbance}@1")
        list(client.submit_many(claims, batch=3))
        erp.set_faults("")
        ends = [_settle(client.submit, claim) for claim in claims]
        acknowledged = [end for end in ends if isinstance(end, Acknowledgement)]
        entries = [end.journal_entry for end in acknowledged if end.journal_entry is not None]
        references = {one.reference for one in _live(erp)}
        if len(set(entries)) != len(entries):
            raise Nonconformity(f"{disturbance}: two claims are acknowledged with one number")
        missing = {end.reference for end in acknowledged} - references
        if len(references) != len(_live(erp)) or missing:
            raise Nonconformity(
                f"{disturbance}: of 3 claims {len(acknowledged)} are acknowledged, and the ledger "
                f"holds {len(_live(erp))} documents of {len(references)}"
            )


def one_revision(subject: Subject, disturbance: str) -> None:
    """A correction leaves its amounts booked once, whatever happens to its first call."""
    with _erp(subject, f"one_revision {disturbance}") as erp, _client(subject, erp) as client:

        def submit(claim: Claim) -> Acknowledgement:
            client.status(claim.id)  # where the number comes later, it is asked for
            return client.submit(claim)

        client.submit(_claim("CONF-1"))
        first, second = (_claim("CONF-1", revision=number).total for number in (1, 2))
        erp.set_faults(f"{disturbance}@1")
        _attempt(submit, _claim("CONF-1", revision=2))
        erp.set_faults("")
        end = _settle(submit, _claim("CONF-1", revision=2))
        booked = _balance(erp)
        possible = {second} if isinstance(end, Acknowledgement) else {Decimal(0), first, second}
        if booked not in possible:
            raise Nonconformity(
                f"{disturbance}: after a correction to {second}, {booked} is booked"
            )


def same_books(subject: Subject) -> None:
    """The ERP books the voucher's sides, amounts, currency, company, year and accounts."""
    with _erp(subject, "same_books") as erp, _client(subject, erp) as client:
        claim = _claim("CONF-1")
        (made,) = client.previews(claim)
        client.submit(claim)
        held = [one for one in erp.ledger() if one.purpose == "post"]
        wanted = [
            (one.side.value, one.amount, one.currency, one.account if _ours(one) else "")
            for one in made.voucher.postings
        ]
        places = {one.account for one in made.voucher.postings if _ours(one)}
        found = [
            (posting["side"], Decimal(posting["amount"]), posting["currency"], posting["account"])
            for one in held
            for posting in one.postings
        ]
        found = [(*posting[:3], posting[3] if posting[3] in places else "") for posting in found]
        if sorted(found) != sorted(wanted):
            raise Nonconformity(f"the ERP holds {sorted(found)}, and we sent {sorted(wanted)}")
        year = str(made.voucher.posting_date.year)
        if any((one.company, one.fiscal_year) != (made.voucher.company, year) for one in held):
            raise Nonconformity(f"the ERP holds {held}, and we posted to {claim.company} {year}")


def _ours(posting: Posting) -> bool:
    """Say whether we choose the account; for payables the ERP may find it by the partner."""
    return posting.role is Role.EXPENSE


def _balance(erp: Sandbox) -> Decimal:
    """Return the booked sum; of a reversed entry, however its ERP writes it, nothing is left."""
    accounts: dict[str, Decimal] = defaultdict(Decimal)
    for one in erp.ledger():
        for posting in one.postings if one.state != "rejected" else ():
            sign = 1 if posting["side"] == "debit" else -1
            accounts[posting["account"]] += sign * Decimal(posting["amount"])
    return sum((balance for balance in accounts.values() if balance > 0), Decimal(0))


def own_drifts(subject: Subject) -> None:
    """The sandbox's own replies, mutated as other versions of the ERP would write them."""
    with (
        tempfile.TemporaryDirectory() as folder,
        _erp(subject, "own_drifts", record=Path(folder)) as erp,
        _client(subject, erp) as client,
    ):
        client.submit(_claim("CONF-1"))
        erp.set_faults("commit-then-drop@1")
        _attempt(client.submit, _claim("CONF-2"))
        for exchange in load_exchanges(Path(folder)):
            if exchange.reply is not None:
                drifts(client.ledger, exchange.reply, str(exchange))


def _erp(
    subject: Subject, about: str, *, record: Path | None = None, folds: bool = False
) -> Sandbox:
    """Return an ERP whose untidiness is that of one check, and always the same."""
    return Sandbox(
        profiles=[subject.server()],
        record=record,
        folds=folds,
        lifelike=subject.lifelike,
        seed=zlib.crc32(about.encode()),
    )


def _client(subject: Subject, erp: Sandbox) -> Client:
    ledger = subject.ledger(erp.url(subject.server().name) + subject.path)
    return Client(ledger.setup.config, ledger=ledger, journal=MemoryJournal())


def _live(erp: Sandbox) -> list[LedgerRow]:
    return [one for one in erp.ledger() if one.purpose == "post" and one.state in _LIVE]


def _attempt(submit: Call, claim: Claim) -> Acknowledgement | ClaimBridgeError:
    try:
        return submit(claim)
    except ClaimBridgeError as error:
        return error


def _settle(submit: Call, claim: Claim) -> Acknowledgement | ClaimBridgeError:
    """Submit again as the errors say, until the claim is acknowledged or parked."""
    for _ in range(_TRIES):
        end = _attempt(submit, claim)
        if isinstance(end, Acknowledgement) or end.code == PARKED:
            return end
        wait = end.retry_after if isinstance(end, (OutcomeUnknown, LedgerUnavailable)) else None
        if not (end.retryable or isinstance(end, LedgerRejection) or wait is not None):
            raise Nonconformity(f"neither acknowledged nor parked: {end}") from end
        time.sleep((wait or 0.0) + 0.02)
    raise Nonconformity(f"neither acknowledged nor parked after {_TRIES} calls: {end}")


def _claim(id_: str, *, revision: int = 1) -> Claim:
    day, amount = dt.date(2026, 3, 31), Decimal("100.00") * revision
    claim = Claim(
        id=id_,
        revision=revision,
        company="CN01",
        employee="E1024",
        currency="CNY",
        total=amount,
        lines=(ClaimLine(type="taxi", date=day, amount=amount, text="站 → office"),),
        posting_date=day,
    )
    return msgspec.structs.replace(claim, title="Conformance")
