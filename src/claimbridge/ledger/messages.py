"""Building what is sent to a ledger, and reading what it answers."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Mapping
from functools import cached_property

import msgspec

from claimbridge import submission as plans
from claimbridge.clock import SYSTEM, Clock
from claimbridge.config import LedgerConfig, read_password
from claimbridge.contract import Contract
from claimbridge.contract.replies import Reply
from claimbridge.errors import (
    ClaimBridgeError,
    ConfigurationError,
    DeliveryError,
    DeliveryRefused,
    LedgerUnavailable,
    NotDelivered,
    SchemaViolation,
)
from claimbridge.ledger.authentic import Authenticator, FirstSight
from claimbridge.ledger.opening import open_identity, open_own_contract, reply_policy
from claimbridge.mapping import Chart, Explanation
from claimbridge.model import (
    Claim,
    Finding,
    Key,
    Outcome,
    OutcomeKind,
    State,
    Submission,
    Voucher,
)
from claimbridge.profiles import load_profile
from claimbridge.profiles.base import Page, Profile, Request
from claimbridge.signing import Signer
from claimbridge.soap.addressing import message_headers
from claimbridge.soap.envelope import Envelope, build, open_envelope
from claimbridge.soap.faults import Fault
from claimbridge.soap.security import username_token
from claimbridge.soap.transport import (
    HttpReply,
    content_headers,
)
from claimbridge.submission import Built, Draft, Exchange, Rules
from claimbridge.xmlio import canonical, local_name, parse

log = logging.getLogger("claimbridge.ledger")


class Message(msgspec.Struct, frozen=True):
    """One HTTP request body and its headers, ready for the transport; which operation it asks.

    ``id`` is what it calls itself (WS-Addressing), "" when it has no name.
    """

    operation: str
    body: bytes
    headers: Mapping[str, str]
    id: str = ""


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


class Messages:
    """What one ledger is sent and what it answers, by its configuration; no I/O."""

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
        policy = reply_policy(config)
        self._authenticator = Authenticator(policy, clock=clock) if policy else None
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
        action = self.contract.operations[built.operation].soap_action
        replies = self.config.replies
        name = uuid.uuid4().urn if replies is not None and replies.addressing else ""
        named = message_headers(name, action) if name else ()
        envelope = build(built.body, version=version, headers=(*named, *self._security_headers()))
        return Message(built.operation, envelope, content_headers(version, action), name)

    def _security_headers(self) -> tuple[bytes, ...]:
        auth = self.config.auth
        if auth is None or auth.kind != "username-token":
            return ()
        password = read_password(auth.password, self.config, what="auth.password")
        return (username_token(auth.user, password, digest=auth.digest, clock=self.clock),)

    # --- reading ----------------------------------------------------------------------------

    def read(
        self, message: Message, reply: HttpReply, *, first_sight: FirstSight
    ) -> tuple[Outcome, ...]:
        """Return what a reply says; whatever cannot be read for certain is UNKNOWN.

        Where replies are signed, one that does not verify says nothing, a Fault included.
        """
        return self._outcomes(
            lambda: self._open(message, reply, first_sight), asked=message.operation
        )

    def read_bytes(self, data: bytes, *, asked: str | None = None) -> tuple[Outcome, ...]:
        """Return what a saved reply's envelope says, whoever wrote it.

        ``asked`` None accepts a reply to any operation.
        """
        return self._outcomes(lambda: open_envelope(data), asked=asked)

    def _open(self, message: Message, reply: HttpReply, first_sight: FirstSight) -> Envelope:
        if self._authenticator is None:
            return open_envelope(reply.body)
        return self._authenticator.open(reply.body, message_id=message.id, first_sight=first_sight)

    def _outcomes(
        self, opening: Callable[[], Envelope], *, asked: str | None
    ) -> tuple[Outcome, ...]:
        try:
            envelope = opening()
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

    def read_page(self, message: Message, reply: HttpReply, *, first_sight: FirstSight) -> Page:
        """Return a page of changes; raises NotDelivered or LedgerUnavailable when it is none."""
        try:
            envelope = self._open(message, reply, first_sight)
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


def _unknown(text: str, *, code: str = "") -> Outcome:
    telling = code.startswith(("CB-42", "CB-3"))  # the others say what is wrong with documents
    return Outcome(kind=OutcomeKind.UNKNOWN, text=text, code=code if telling else "")


def _told(finding: Finding) -> str:
    where = f"{finding.claim_field}: " if finding.claim_field else ""
    return f"{where}{finding.text}"
