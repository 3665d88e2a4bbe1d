"""What is brought back to Hesi: voucher numbers, decisions of an EBot node, results of payments.

Before it is sent, and again when an answer was lost, the document is read and asked whether it
shows the effect already. What it shows counts, not what an answer said or failed to say.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from claimbridge.clock import SYSTEM, Clock
from claimbridge.errors import (
    ClaimBridgeError,
    ClaimError,
    LedgerRejection,
    OutcomeUnknown,
)
from claimbridge.model import JournalEntry, Standing, State
from claimbridge.sources.base import Arrival, WriteBack, WriteBackKind, WriteBackState
from claimbridge.sources.hesi.api.client import HesiClient
from claimbridge.sources.hesi.api.http import JsonObject
from claimbridge.sources.hesi.evidence import (
    DocumentEvidence,
    decision_evidence,
    payment_evidence,
    voucher_evidence,
)
from claimbridge.sources.hesi.forms.log import DECISION_MARK, waiting_node

QUIET: Final = dt.timedelta(seconds=60)
"""How long a request whose answer was lost may still arrive: until then nothing is sent again."""
_LONGEST_CALL: Final = dt.timedelta(minutes=5)
"""From the start of an attempt, with its reads, until its call has left us."""
_NUMBERED: Final = frozenset({State.POSTED, State.PAID})
_ENDED_STAGES: Final = frozenset({"完成", "已删除", "拒绝", "尚未提交"})
"""What Hesi calls the stage of a document at no step: paid, deleted, rejected, not handed in."""
_LONGEST_COMMENT: Final = 400
_SIGN_KEY_REFUSED: Final = "401"


def period_of(standing: Standing) -> str:
    """Return the period of a journal entry as Hesi shows it.

    It is the chart's name for it; where the chart has no periods, the month of the posting date.
    """
    if standing.period:
        return standing.period
    return f"{standing.posting_date:%Y-%m}" if standing.posting_date is not None else ""


class HesiWriteBackPort:
    """Brings write-backs to one Hesi; a ``WriteBackPort`` that ``KnowsWhatIsDue``.

    ``source`` is its name in the configuration. ``sign_key`` is the 签名秘钥 of the outbound
    message. ``node`` is the name of the EBot node at which claims wait for the ledger. A claim that
    was posted is agreed to there; one that cannot be posted is sent back with the reason. ``node``
    "" decides nothing. ``vouchers`` brings the number, ``payments`` reports to Hesi what the ledger
    paid. ``quiet`` is how long a request without an answer may still arrive.
    """

    def __init__(
        self,
        client: HesiClient,
        *,
        source: str = "hesi",
        sign_key: str = "",
        node: str = "",
        vouchers: bool = True,
        payments: bool = False,
        quiet: dt.timedelta = QUIET,
        clock: Clock = SYSTEM,
    ) -> None:
        self._client = client
        self._source = source
        self._sign_key = sign_key
        self._node = node
        self._vouchers = vouchers
        self._payments = payments
        self._quiet = quiet
        self._clock = clock

    def plan(
        self, arrival: Arrival, *, standing: Standing | None, error: ClaimBridgeError | None = None
    ) -> tuple[WriteBack, ...]:
        """Return what goes back to Hesi for an arrival that ended so; see ``WriteBackPort``.

        Nothing without a number: an acknowledged claim waits until it has one. The number of a
        reversal takes the place of the one that it took back.
        """
        if arrival.withdrawn:
            return ()
        planned = []
        if standing is not None and standing.state in _NUMBERED and _entries(standing):
            if self._node:
                planned.append(self._agreement(arrival, standing))
            if self._payments and standing.state is State.PAID:
                planned.append(self.payment(arrival.key, occasion=str(standing.revision)))
            if self._vouchers:
                planned.append(self._number_of_entries(arrival, standing))
        elif self._vouchers and standing is not None and (undone := _reversals(standing)):
            number = ",".join(entry.number for entry in undone)
            occasion = f"{standing.revision} reversed"
            planned.append(self.voucher(arrival.key, occasion=occasion, number=number))
        elif self._node and _fault_of_claim(error):
            planned.append(
                self.decision(
                    arrival.key,
                    occasion=arrival.version,
                    action="refuse",
                    comment=str(error),
                    revision=arrival.claim.revision if arrival.claim else None,
                )
            )
        return tuple(planned)

    def voucher(self, key: str, *, occasion: str, number: str, period: str = "") -> WriteBack:
        """Return the write-back of a voucher number; raises ClaimError CB-550 for an empty one."""
        if not number.strip():
            raise ClaimError(
                f"no voucher number for document {key}: an empty one deletes what stands there",
                code="CB-550",
            )
        created = str(round(self._clock.now().timestamp() * 1000))
        content = {"number": number, "created": created, "period": period}
        return self._new(key, WriteBackKind.VOUCHER, occasion, content)

    def decision(
        self,
        key: str,
        *,
        occasion: str,
        action: Literal["accept", "refuse"],
        comment: str,
        revision: int | None = None,
    ) -> WriteBack:
        """Return the write-back of a decision; its comment carries a mark of ours.

        It is about ``revision`` of the form alone; None: about whatever waits there.
        """
        occasion = f"{action} {occasion}"
        mark = f"{DECISION_MARK}{occasion}]"
        content = {
            "action": action,
            "comment": f"{comment[:_LONGEST_COMMENT]} {mark}",
            "mark": mark,
            "revision": "" if revision is None else str(revision),
        }
        return self._new(key, WriteBackKind.APPROVAL, occasion, content)

    def payment(self, key: str, *, occasion: str, failure: str = "") -> WriteBack:
        """Return the write-back of a payment's result; ``failure`` says why it was not paid."""
        content = {"paid": "no" if failure else "yes", "message": failure}
        return self._new(key, WriteBackKind.PAYMENT, occasion, content)

    def due(self, write_backs: Sequence[WriteBack]) -> Sequence[WriteBack]:
        """Return all but the numbers whose documents are still on their way to being paid.

        Hesi says for many documents in one call at which step they are.
        """
        numbers = [each for each in write_backs if _is_number_to_send(each)]
        try:
            stages = self._client.approval_states(list(dict.fromkeys(each.key for each in numbers)))
        except ClaimBridgeError:
            return write_backs  # each of them finds out by itself
        early = {each.flow_id for each in stages if each.stage not in _ENDED_STAGES}
        return [
            each for each in write_backs if not (_is_number_to_send(each) and each.key in early)
        ]

    def send(self, write_back: WriteBack, *, earlier: Sequence[WriteBack]) -> WriteBack:
        """Read the document, send what it does not show yet, and return what became of it."""
        try:
            document = self._client.details(write_back.key)
            evidence = self._evidence(write_back, document, earlier, attempted=False)
            if evidence is None and write_back.kind is WriteBackKind.APPROVAL:
                evidence = self._not_there_yet(write_back)
        except ClaimBridgeError as error:
            return _now(write_back, WriteBackState.PENDING, f"nothing was sent: {error}")
        if evidence is not None:
            return _now(write_back, *evidence)
        try:
            self._call(write_back, document or {})
        except LedgerRejection as error:
            return self._after_refusal(write_back, error, earlier)
        except OutcomeUnknown as error:
            return _now(write_back, WriteBackState.IN_DOUBT, str(error))
        except ClaimBridgeError as error:
            return _now(write_back, WriteBackState.PENDING, f"it was not delivered: {error}")
        return _now(write_back, WriteBackState.DONE, "")

    def look(self, write_back: WriteBack, *, earlier: Sequence[WriteBack]) -> WriteBack:
        """Read the document and return what it shows of a write-back whose answer was lost."""
        try:
            document = self._client.details(write_back.key)
        except ClaimBridgeError as error:
            return _now(write_back, WriteBackState.IN_DOUBT, f"it cannot be looked up: {error}")
        evidence = self._evidence(write_back, document, earlier, attempted=True)
        if evidence is not None and evidence.state is not WriteBackState.PENDING:
            return _now(write_back, *evidence)
        if self._may_arrive(write_back):
            return _now(
                write_back, WriteBackState.IN_DOUBT, "Hesi shows nothing of it; it may still arrive"
            )
        return _now(write_back, WriteBackState.PENDING, "it did not arrive; it is sent again")

    def _may_arrive(self, write_back: WriteBack) -> bool:
        if write_back.doubt_since is None:
            return False
        passed = self._clock.uptime().since(write_back.doubt_uptime)
        return passed is None or passed < self._quiet.total_seconds()

    def __repr__(self) -> str:
        return f"HesiWriteBackPort(source={self._source!r})"

    def _new(
        self, key: str, kind: WriteBackKind, occasion: str, content: dict[str, str]
    ) -> WriteBack:
        return WriteBack(
            source=self._source, key=key, kind=kind, occasion=occasion, content=content
        )

    def _number_of_entries(self, arrival: Arrival, standing: Standing) -> WriteBack:
        return self.voucher(
            arrival.key,
            occasion=str(standing.revision),
            number=",".join(entry.number for entry in _entries(standing)),
            period=period_of(standing),
        )

    def _agreement(self, arrival: Arrival, standing: Standing) -> WriteBack:
        return self.decision(
            arrival.key,
            occasion=" again ".join(filter(None, (str(standing.revision), arrival.occasion))),
            action="accept",
            comment=f"posted as {', '.join(map(str, _entries(standing)))}",
            revision=standing.revision,
        )

    def _evidence(
        self,
        write_back: WriteBack,
        document: JsonObject | None,
        earlier: Sequence[WriteBack],
        *,
        attempted: bool,
    ) -> DocumentEvidence | None:
        """Return what a document shows of a write-back; None when it may be sent.

        ``attempted`` is whether an attempt of ours may have arrived.
        """
        match write_back.kind:
            case WriteBackKind.VOUCHER:
                return voucher_evidence(write_back, document, earlier)
            case WriteBackKind.APPROVAL:
                return decision_evidence(write_back, document, self._node)
            case WriteBackKind.PAYMENT:
                return payment_evidence(
                    write_back, document, attempted=attempted, within=self._quiet + _LONGEST_CALL
                )

    def _not_there_yet(self, write_back: WriteBack) -> DocumentEvidence | None:
        """Ask for the stage, too: after a change a document passes through steps of Hesi's own."""
        stages = {each.stage for each in self._client.approval_states([write_back.key])}
        if stages == {self._node}:
            return None
        return DocumentEvidence(
            WriteBackState.PENDING, f"it is at {', '.join(stages) or 'no step'}, not {self._node}"
        )

    def _call(self, write_back: WriteBack, document: JsonObject) -> None:
        content = write_back.content
        match write_back.kind:
            case WriteBackKind.VOUCHER:
                self._client.put_voucher(
                    write_back.key,
                    number=content["number"],
                    created=dt.datetime.fromtimestamp(int(content["created"]) / 1000, dt.UTC),
                    period=content["period"],
                )
            case WriteBackKind.APPROVAL:
                self._client.answer_approval(
                    write_back.key,
                    node_id=waiting_node(document, self._node),
                    sign_key=self._sign_key,
                    action="accept" if content["action"] == "accept" else "refuse",
                    comment=content["comment"],
                )
            case WriteBackKind.PAYMENT:
                self._client.report_payment(
                    write_back.key, paid=content["paid"] == "yes", message=content["message"]
                )

    def _after_refusal(
        self, write_back: WriteBack, error: LedgerRejection, earlier: Sequence[WriteBack]
    ) -> WriteBack:
        """Return what a no means: an earlier attempt of ours may be what it is about."""
        words = "; ".join(map(str, error.reasons)) or error.message
        if any(reason.code == _SIGN_KEY_REFUSED for reason in error.reasons):
            return _now(
                write_back,
                WriteBackState.PENDING,
                f"CB-551 Hesi does not know the sign_key ({words}); fix it in the configuration",
            )
        try:
            document = self._client.details(write_back.key)
        except ClaimBridgeError as unread:
            return _now(
                write_back, WriteBackState.IN_DOUBT, f"Hesi says {words}, and then: {unread}"
            )
        attempted = write_back.attempt > 1
        evidence = self._evidence(write_back, document, earlier, attempted=attempted)
        if evidence is not None and evidence.state in (WriteBackState.DONE, WriteBackState.PENDING):
            return _now(write_back, *evidence)
        return _now(write_back, WriteBackState.REFUSED, f"CB-552 Hesi refuses it: {words}")


def _reversals(standing: Standing) -> list[JournalEntry]:
    """Return the journal entries that took the claim's back; none where it stands."""
    if standing.state is not State.REVERSED:
        return []
    entries = [part.reversed_by for part in standing.documents or (standing,)]
    return [] if None in entries else [entry for entry in entries if entry is not None]


def _is_number_to_send(write_back: WriteBack) -> bool:
    return write_back.kind is WriteBackKind.VOUCHER and write_back.state is WriteBackState.PENDING


def _entries(standing: Standing) -> list[JournalEntry]:
    """Return the claim's journal entries: of a divided one those of all its parts, or none yet."""
    entries = [part.journal_entry for part in standing.documents or (standing,)]
    return [] if None in entries else [entry for entry in entries if entry is not None]


def _fault_of_claim(error: ClaimBridgeError | None) -> bool:
    """Return whether the claim itself has to be fixed by who handed it in."""
    return isinstance(error, (ClaimError, LedgerRejection))


def _now(write_back: WriteBack, state: WriteBackState, reason: str) -> WriteBack:
    return msgspec.structs.replace(write_back, state=state, reason=reason)
