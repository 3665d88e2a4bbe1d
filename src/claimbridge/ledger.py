"""One ledger: builds what is sent to it, reads what it answers, and plans what callers ask for.

No I/O and no decisions: the plans come from ``claimbridge.submission``, the clients perform them.
A Ledger is shared by threads.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from claimbridge import submission as plans
from claimbridge.clock import SYSTEM, Clock
from claimbridge.config import LedgerConfig, read_password, read_secret
from claimbridge.contract import Bundle, Contract
from claimbridge.contract.replies import Reply
from claimbridge.errors import (
    ClaimBridgeError,
    ClaimError,
    ConfigurationError,
    DeliveryError,
    DeliveryRefused,
    LedgerRejection,
    LedgerUnavailable,
    NotDelivered,
    OutcomeUnknown,
    SchemaViolation,
)
from claimbridge.mapping import Chart, Explanation
from claimbridge.model import (
    LIVE,
    Acknowledgement,
    Change,
    Claim,
    Finding,
    JournalEntry,
    Key,
    Outcome,
    OutcomeKind,
    Purpose,
    State,
    Status,
    Submission,
    Voucher,
)
from claimbridge.profiles import load_profile
from claimbridge.profiles.base import Page, Profile, Request
from claimbridge.signing import Identity, Signer
from claimbridge.soap.envelope import build, open_envelope
from claimbridge.soap.faults import Fault
from claimbridge.soap.security import username_token
from claimbridge.soap.transport import (
    Auth,
    Basic,
    Bearer,
    ClientCertificate,
    HttpReply,
    TransportSettings,
    content_headers,
)
from claimbridge.submission import Built, Draft, Exchange, Pause, Plan, Recall, Rules
from claimbridge.xmlio import canonical, local_name, parse

T = TypeVar("T")

log = logging.getLogger("claimbridge.ledger")


class Message(msgspec.Struct, frozen=True):
    """One HTTP request body and its headers, ready for the transport; which operation it asks."""

    operation: str
    body: bytes
    headers: Mapping[str, str]


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that ``submit`` would build for a claim, before the journal and the network.

    ``body`` is the SOAP Body's child as it would be sent; it is valid when ``findings`` is empty.
    """

    claim_id: str
    reference: str
    operation: str
    voucher: Voucher
    explain: tuple[Explanation, ...]
    body: bytes
    findings: tuple[Finding, ...]

    @property
    def valid(self) -> bool:
        """Whether the contract allows the body."""
        return not self.findings


class Ledger:
    """One book in one ERP that vouchers are posted to, by its configuration."""

    def __init__(
        self,
        config: LedgerConfig,
        *,
        profile: Profile | None = None,
        contract: Contract | None = None,
        chart: Chart | None = None,
        signer: Signer | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        """Open profile, contract, chart and identity; arguments replace what ``config`` names."""
        self.config = config
        self.clock = clock
        self.profile: Profile = profile or load_profile(config.profile)
        self._chart = chart
        self._contract = contract
        identity = None if signer else open_identity(config)
        self.signer: Signer | None = Signer(identity, clock=clock) if identity else signer
        place = self.profile.capabilities.document_signature
        if self.signer is not None and place is None:
            raise ConfigurationError(
                f"ledger {config.name}: identity is set, but the contract of profile "
                f"{self.profile.name} has no place for a voucher's signature; leave identity out",
                code="CB-256",
            )
        self.rules = Rules(
            capabilities=self.profile.capabilities,
            retries=config.retries,
            backoff=config.backoff,
            longest_wait=config.longest_wait,
            quiet_period=config.quiet_period,
            turn=config.timeouts.total * 2,
            clock=clock,
        )

    @cached_property
    def contract(self) -> Contract:
        """The ERP's contract: the configured one, or the profile's own."""
        if self._contract is not None:
            return self._contract
        if self.config.contract is not None:
            return Contract.load(self.config.path(self.config.contract))
        return open_own_contract(self.profile)

    @cached_property
    def chart(self) -> Chart:
        """The chart of accounts; ConfigurationError when none is configured."""
        if self._chart is not None:
            return self._chart
        if self.config.chart is None:
            raise ConfigurationError(
                f'ledger {self.config.name} has no chart; add chart = "chart.toml"',
                code="CB-257",
            )
        return Chart.load(self.config.path(self.config.chart))

    # --- building ---------------------------------------------------------------------------

    def key(self, claim: Claim) -> Key:
        """Return the idempotency key of posting a claim here."""
        return Key(self.config.name, claim.id, claim.revision)

    def preview(self, claim: Claim) -> Preview:
        """Return everything ``submit`` would build; an invalid body is returned with its findings.

        Raises MappingError and the other ClaimErrors that come before there is a body.
        """
        submission, explain = self._submission(claim)
        request = self._request("submit", (submission,))
        body, findings = self._body(request, signed=True)
        return Preview(
            claim_id=claim.id,
            reference=submission.reference,
            operation=request.operation,
            voucher=submission.voucher,
            explain=explain,
            body=body,
            findings=findings,
        )

    def draft(self, claim: Claim) -> Draft:
        """Return the claim's submission with its validated, signed body; raises ClaimError."""
        submission, _ = self._submission(claim)
        return Draft(submission, self._built("submit", (submission,)))

    def _submission(self, claim: Claim) -> tuple[Submission, tuple[Explanation, ...]]:
        mapped = self.chart.map(claim)
        key = self.key(claim)
        submission = Submission(
            key=key,
            reference=plans.reference_for(key, self.profile.capabilities),
            digest=claim.digest,
            voucher=mapped.voucher,
            state=State.PENDING,
        )
        return submission, mapped.explain

    def _request(self, verb: str, submissions: tuple[Submission, ...]) -> Request:
        if verb == "submit":
            return self.profile.submit(submissions)
        if verb == "reverse":
            return self.profile.reverse(submissions[0])
        return self.profile.query([submission.reference for submission in submissions])

    def _body(self, request: Request, *, signed: bool) -> tuple[bytes, tuple[Finding, ...]]:
        """Return the Body's child, signed where it carries vouchers, and what is wrong with it.

        The gate judges the signed bytes: what is validated is byte for byte what is sent.
        """
        try:
            body = self.contract.render(request.operation, request.body)
        except SchemaViolation as error:
            return b"", error.findings
        if signed and self.signer is not None:
            place = self.profile.capabilities.document_signature
            body = self.signer.sign(body, element=place)
        return body, self.contract.check(body, sources=request.sources)

    def _built(self, verb: str, submissions: tuple[Submission, ...]) -> Built:
        request = self._request(verb, submissions)
        body, findings = self._body(request, signed=verb != "query")
        if findings:
            more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
            raise SchemaViolation(
                f"the contract forbids it: {_told(findings[0])}{more}",
                findings=findings,
                claim_id=submissions[0].key.claim_id,
            )
        return Built(request.operation, body)

    def message(self, exchange: Exchange) -> Message:
        """Return the HTTP message for an exchange; raises ClaimError when it cannot be built."""
        return self._message(exchange.built or self._built(exchange.verb, exchange.submissions))

    def _message(self, built: Built) -> Message:
        version = self.config.soap
        envelope = build(built.body, version=version, headers=self._security_headers())
        action = self.contract.operations[built.operation].soap_action
        return Message(built.operation, envelope, content_headers(version, action))

    def _security_headers(self) -> tuple[bytes, ...]:
        auth = self.config.auth
        if auth is None or auth.kind != "username-token":
            return ()
        password = read_password(auth.password, self.config, what="auth.password")
        return (username_token(auth.user, password, digest=auth.digest, clock=self.clock),)

    # --- reading ----------------------------------------------------------------------------

    def read(self, message: Message, reply: HttpReply) -> tuple[Outcome, ...]:
        """Return what a reply says; whatever cannot be read for certain is UNKNOWN."""
        return self.read_bytes(reply.body, asked=message.operation)

    def read_bytes(self, data: bytes, *, asked: str | None = None) -> tuple[Outcome, ...]:
        """Return what a reply's envelope says; ``asked`` None accepts a reply to any operation."""
        try:
            envelope = open_envelope(data)
            if envelope.fault is not None:
                return (self.profile.read_fault(self._known(envelope.fault)),)
            assert envelope.body is not None  # an envelope has a fault or a body
            reply = self.contract.reply(envelope.body)
            if asked is not None and not self._answers(reply, asked):
                return (_unknown(f"the reply {reply.local} does not answer {asked}"),)
            return self.profile.read(reply)
        except ClaimBridgeError as error:
            return (_unknown(error.message, code=error.code),)
        except Exception as error:
            log.exception("profile %s failed to read a reply", self.profile.name)
            return (_unknown(f"profile {self.profile.name} failed on the reply: {error!r}"),)

    def _known(self, fault: Fault) -> Fault:
        """Return the fault with a detail that is read by what the contract has where."""
        if fault.detail is None:
            return fault
        return msgspec.structs.replace(fault, detail=self.contract.reply(fault.detail.element))

    def _answers(self, reply: Reply, asked: str) -> bool:
        return self.contract.operations[asked].output.rpartition("}")[2] == reply.local

    def check_document(self, data: bytes) -> tuple[Finding, ...]:
        """Return what the contract finds wrong with a request: an envelope, or its Body's child.

        Raises DocumentError when it is no XML.
        """
        root = parse(data)
        if local_name(root) == "Envelope":
            body = open_envelope(data).body
            data = canonical(body) if body is not None else data
        return self.contract.check(data)

    def changes_message(self, cursor: str, limit: int) -> Message:
        """Return the HTTP message that asks for a page of changes."""
        if not self.profile.capabilities.can_list_changes:
            raise ConfigurationError(
                f"profile {self.profile.name} cannot list changes; use status or wait",
                code="CB-254",
            )
        request = self.profile.changes(cursor, limit)
        body, findings = self._body(request, signed=False)
        if findings:
            raise SchemaViolation(
                f"the question for changes is invalid: {_told(findings[0])}", findings=findings
            )
        return self._message(Built(request.operation, body))

    def read_page(self, reply: HttpReply) -> Page:
        """Return a page of changes; raises NotDelivered or LedgerUnavailable when it is none."""
        try:
            envelope = open_envelope(reply.body)
            if envelope.fault is None and envelope.body is not None:
                return self.profile.read_changes(self.contract.reply(envelope.body))
        except ClaimBridgeError as error:
            raise NotDelivered(
                f"the changes could not be read: {error.message}", code="CB-411"
            ) from error
        assert envelope.fault is not None  # an envelope has a fault or a body
        outcome = self.profile.read_fault(self._known(envelope.fault))
        if outcome.kind is OutcomeKind.UNAVAILABLE:
            raise LedgerUnavailable(outcome.text, retry_after=outcome.retry_after)
        raise NotDelivered(
            f"the ERP refused to list changes: {outcome.text or envelope.fault.reason}",
            code="CB-411",
        )

    # --- plans for the callers --------------------------------------------------------------

    def submit(self, claim: Claim) -> Plan[Acknowledgement]:
        """Plan ``Client.submit``."""
        key = self.key(claim)
        done = yield from plans.submit(key, claim.digest, lambda: self.draft(claim), self.rules)
        return acknowledgement(done)

    def submit_batch(
        self, claims: tuple[Claim, ...]
    ) -> Plan[list[Acknowledgement | ClaimBridgeError]]:
        """Plan one request of ``Client.submit_many``; a result or an error per claim, in order."""
        drafts, built = self._batch(claims)
        ended = yield from plans.submit_batch(list(drafts.values()), self.rules, built=built)
        results: dict[int, Acknowledgement | ClaimBridgeError] = {
            index: end if isinstance(end, ClaimBridgeError) else acknowledgement(end)
            for index, end in zip(drafts, ended, strict=True)
        }
        for index, claim in enumerate(claims):
            if index not in results:
                # It cannot be built now, but may have been posted when it could.
                results[index] = yield from _caught(self.submit(claim), claim)
        return [results[index] for index in range(len(claims))]

    def _batch(self, claims: tuple[Claim, ...]) -> tuple[dict[int, Draft], Built | None]:
        """Return the drafts of the claims that can be built, by their place, and their request.

        Where the contract refuses the request as a whole, each is judged alone and the request is
        left to be built of what remains.
        """
        drafts: dict[int, Draft] = {}
        for index, claim in enumerate(claims):
            with contextlib.suppress(ClaimBridgeError):
                drafts[index] = Draft(self._submission(claim)[0])
        try:
            together = tuple(draft.submission for draft in drafts.values())
            return drafts, self._built("submit", together) if together else None
        except ClaimBridgeError:
            return {i: draft for i, draft in drafts.items() if self._can_be_built(draft)}, None

    def _can_be_built(self, draft: Draft) -> bool:
        try:
            self._built("submit", (draft.submission,))
        except ClaimBridgeError:
            return False
        return True

    def status(self, claim_id: str, *, ask: bool) -> Plan[Status]:
        """Plan ``Client.status``."""
        known = yield from self._newest(claim_id)
        if ask and known.state in LIVE:
            known = yield from plans.refresh(known, self.rules)
        return status_of(known)

    def wait(self, claim_id: str, *, until: State, timeout: float) -> Plan[Status]:
        """Plan ``Client.wait``."""
        if until not in LIVE:
            raise ConfigurationError(f"cannot wait until {until}; wait until posted or paid")
        deadline = self.clock.monotonic() + timeout
        pause = 0.1
        while True:
            status = yield from self.status(claim_id, ask=True)
            if status.state in LIVE and _RANK[status.state] >= _RANK[until]:
                return status
            if status.state in _ENDED:
                raise _never(status, until)
            left = deadline - self.clock.monotonic()
            if left <= 0:
                raise LedgerUnavailable(
                    f"still {status.state} after {timeout:g} s, not {until}; wait longer",
                    code="CB-441",
                    claim_id=claim_id,
                    reference=status.reference,
                    attempt=status.attempt,
                )
            yield from Pause(min(pause, left))
            pause = min(pause * 1.6, 15.0)

    def reverse(
        self, claim_id: str, *, revision: int | None, posting_date: dt.date | None, reason: str
    ) -> Plan[Acknowledgement]:
        """Plan ``Client.reverse``."""
        if revision is None:
            known = yield from self._newest(claim_id)
            key = known.key
        else:
            key = Key(self.config.name, claim_id, revision)
        date = posting_date or self.clock.now().astimezone().date()
        return acknowledgement((yield from plans.reverse(key, date, reason, self.rules)))

    def reconcile(self, unfinished: Submission) -> Plan[Status]:
        """Plan one claim of ``Client.reconcile``."""
        return status_of((yield from plans.reconcile(unfinished, self.rules)))

    def settle(
        self, claim_id: str, *, revision: int, posted: JournalEntry | None, note: str
    ) -> Plan[Status]:
        """Plan ``Client.settle``."""
        key = Key(self.config.name, claim_id, revision)
        outcome = Outcome(
            kind=OutcomeKind.NOT_DELIVERED if posted is None else OutcomeKind.POSTED,
            journal_entry=posted,
            text=note,
        )
        return status_of((yield from plans.settle_by_hand(key, outcome, self.rules)))

    def take_in(self, known: Submission | None, outcome: Outcome, cursor: str) -> Plan[Change]:
        """Plan what one change of ``Client.changes`` does to our record."""
        current = None
        if known is not None:
            current = status_of((yield from plans.absorb(known, outcome, self.rules)))
        return Change(
            reference=outcome.reference or "",
            status=outcome.kind,
            journal_entry=outcome.journal_entry,
            submission=current,
            cursor=cursor,
        )

    def _newest(self, claim_id: str) -> Plan[Submission]:
        history = yield from Recall(self.config.name, claim_id)
        posts = [s for s in history.submissions if s.key.purpose is Purpose.POST]
        if not posts:
            raise ClaimError(
                f"nothing was submitted for it to ledger {self.config.name}",
                code="CB-132",
                claim_id=claim_id,
            )
        return posts[-1]


_RANK = {State.ACKNOWLEDGED: 0, State.POSTED: 1, State.PAID: 2}
_ENDED = frozenset({State.REJECTED, State.PARKED, State.REVERSED, State.REVERSING})


def _never(status: Status, until: State) -> DeliveryError:
    about: dict[str, Any] = {
        "claim_id": status.claim_id,
        "reference": status.reference,
        "attempt": status.attempt,
    }
    text = f"it is {status.state} and will not become {until}: {status.detail}"
    if status.state is State.REJECTED:
        return LedgerRejection(text, reasons=status.reasons, **about)
    return OutcomeUnknown(text, code="CB-429", **about)


def outcome_of(error: DeliveryError) -> Outcome:
    """Return what a failed transport means for the documents of the request."""
    if isinstance(error, LedgerUnavailable):
        kind, wait = OutcomeKind.UNAVAILABLE, error.retry_after
    elif isinstance(error, NotDelivered):
        kind, wait = OutcomeKind.NOT_DELIVERED, None
    else:
        kind, wait = OutcomeKind.UNKNOWN, None
    return Outcome(
        kind=kind,
        text=error.message,
        code=error.code,
        retry_after=wait,
        useless=isinstance(error, DeliveryRefused),
    )


def not_built(error: ClaimBridgeError) -> Outcome:
    """Return what a request that could not be built means: nothing left this machine."""
    return Outcome(
        kind=OutcomeKind.NOT_DELIVERED,
        text=f"the request could not be built: {error.message}",
        code="CB-419",
        useless=True,
    )


def acknowledgement(done: Submission) -> Acknowledgement:
    """Return what a caller learns of an accepted submission."""
    return Acknowledgement(
        claim_id=done.key.claim_id,
        revision=done.key.revision,
        reference=done.reference,
        state=done.state,
        journal_entry=done.journal_entry,
    )


def _caught(plan: Plan[T], claim: Claim) -> Plan[T | ClaimBridgeError]:
    """Run a plan of one claim among many: its error is its result."""
    try:
        return (yield from plan)
    except ClaimBridgeError as error:
        error.claim_id = error.claim_id or claim.id
        return error


def status_of(known: Submission) -> Status:
    """Return what a caller learns of a submission's status."""
    return Status(
        claim_id=known.key.claim_id,
        revision=known.key.revision,
        reference=known.reference,
        state=known.state,
        attempt=known.attempt,
        journal_entry=known.journal_entry,
        reasons=known.reasons,
        detail=known.detail,
        updated_at=known.updated_at,
    )


def transport_settings(config: LedgerConfig) -> TransportSettings:
    """Return how to reach the ledger; secrets are read now, and only held in memory."""
    return TransportSettings(
        endpoint=config.endpoint,
        connect=config.timeouts.connect,
        total=config.timeouts.total,
        auth=_http_auth(config),
        proxy=config.proxy,
        ca=_anchors(config.path(config.ca)) if config.ca else None,
        pool=config.concurrency,
    )


def _anchors(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"ca: cannot read {path}: {error.strerror}", code="CB-250"
        ) from error


def _http_auth(config: LedgerConfig) -> Auth | None:
    auth = config.auth
    if auth is None or auth.kind == "username-token":
        return None
    if auth.kind == "basic":
        return Basic(auth.user, read_password(auth.password, config, what="auth.password"))
    if auth.kind == "bearer":
        return Bearer(read_password(auth.token, config, what="auth.token"))
    if auth.kind == "client-certificate":
        certificate = read_secret(auth.certificate, config, what="auth.certificate")
        password = read_password(auth.password, config, what="auth.password")
        return ClientCertificate(certificate, password)
    raise ConfigurationError(
        f"auth.kind {auth.kind!r} is unknown; use basic, bearer, client-certificate or "
        "username-token",
        code="CB-258",
    )


def open_identity(config: LedgerConfig) -> Identity | None:
    """Return the identity that vouchers are signed with; None when none is configured.

    Raises KeyUnavailable or ConfigurationError.
    """
    if config.identity is None:
        return None
    password = None
    if config.identity_password is not None:
        password = read_password(config.identity_password, config, what="identity_password")
    data = read_secret(config.identity, config, what="identity")
    secret = password.encode() if password is not None else None
    if b"-----BEGIN" in data:
        return Identity.from_pem(data, secret)
    return Identity.from_pkcs12(data, secret)


def open_own_contract(profile: Profile) -> Contract:
    """Return the contract that a profile ships: in ``claimbridge.wsdl``, or at a path."""
    own = profile.contract
    return Contract.load(Path(own) if Path(own).is_file() else Bundle.from_package(own))


def _unknown(text: str, *, code: str = "") -> Outcome:
    return Outcome(kind=OutcomeKind.UNKNOWN, text=text, code=code if code[:5] == "CB-42" else "")


def _told(finding: Finding) -> str:
    where = f"{finding.claim_field}: " if finding.claim_field else ""
    return f"{where}{finding.text}"


__all__ = [
    "Ledger",
    "Message",
    "Preview",
    "acknowledgement",
    "not_built",
    "open_identity",
    "open_own_contract",
    "outcome_of",
    "status_of",
    "transport_settings",
]
