"""Building what is sent to a ledger, and reading what it answers."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal
from urllib.parse import urljoin

import msgspec

from claimbridge import submission as plans
from claimbridge.clock import SYSTEM, Clock
from claimbridge.config import LedgerConfig, read_password
from claimbridge.contract import Contract
from claimbridge.contract.replies import Reply
from claimbridge.errors import (
    ClaimBridgeError,
    ClaimError,
    ConfigurationError,
    LedgerUnavailable,
    NotDelivered,
    OutcomeUnknown,
    SchemaViolation,
)
from claimbridge.ledger.authentic import Authenticator, FirstSight
from claimbridge.ledger.drifts import Drifts
from claimbridge.ledger.exchange import Exchanging, Sessions
from claimbridge.ledger.inner import InnerDocuments
from claimbridge.ledger.message import Answer, Message
from claimbridge.ledger.opening import (
    check_auth,
    open_contract,
    open_identities,
    open_own_contract,
    read_credentials,
    reply_policy,
)
from claimbridge.ledger.outcomes import not_built, of_question, unknown
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
from claimbridge.profiles.conversation import (
    Call,
    Credentials,
    HasHeaders,
    HasSessions,
    LooksUp,
)
from claimbridge.signing import Identity, Signer
from claimbridge.soap.addressing import message_headers
from claimbridge.soap.envelope import Envelope, build, open_envelope
from claimbridge.soap.faults import Fault
from claimbridge.soap.security import username_token
from claimbridge.soap.transport import (
    HttpReply,
    content_headers,
)
from claimbridge.submission import Built, Draft, Exchange, Plan, Rules
from claimbridge.xmlio import canonical, local_name, parse

log = logging.getLogger("claimbridge.ledger")

Signing = Literal["each", "together"] | None
"""How the vouchers of a request are signed; None for one that carries none."""

_NO_COOKIES: Final[Mapping[str, str]] = MappingProxyType({})


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
        self.profile: Profile = profile or load_profile(config.profile, config.options)
        check_auth(config, self.profile)
        self.sessions: Final = Sessions()
        self.drifts: Final = Drifts(config.name)
        self._documents: Final = InnerDocuments(Path(config.folder))
        self._chart = chart
        self._contract = contract
        identities = () if signer else open_identities(config)
        self._signers = {identity: Signer(identity, clock=clock) for identity in identities}
        self._signer = signer
        place = self.profile.capabilities.document_signature
        if (self._signers or signer) and place is None:
            raise ConfigurationError(
                f"ledger {config.name}: identity is set, but the contract of profile "
                f"{self.profile.name} has no place for a voucher's signature; leave identity out",
                code="CB-256",
            )
        if config.batch_signature == "together" and not self.profile.capabilities.together:
            raise ConfigurationError(
                f"ledger {config.name}: the contract of profile {self.profile.name} has no place "
                'for one signature over a batch; leave batch_signature at "each"',
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

    @property
    def signer(self) -> Signer | None:
        """What signs vouchers now; None when they are not signed.

        Of two identities that overlap the newer that is valid. Raises KeyUnavailable when none is.
        """
        if len(self._signers) > 1:
            return self._signers[Identity.current(tuple(self._signers), self.clock.now())]
        return next(iter(self._signers.values()), self._signer)

    @cached_property
    def contract(self) -> Contract:
        """The ERP's contract: the configured one, or the profile's own."""
        if self._contract is not None:
            return self._contract
        if self.config.contract is not None:
            return open_contract(self.profile, self.config.path(self.config.contract))
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
        body, findings = self._body(request, signing="each")
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
        self._check_size(mapped.voucher)
        key = self.key(claim)
        submission = Submission(
            key=key,
            reference=plans.reference_for(key, self.profile.capabilities),
            digest=claim.digest,
            voucher=mapped.voucher,
            state=State.PENDING,
        )
        return submission, mapped.explain

    def _check_size(self, voucher: Voucher) -> None:
        most, count = self.profile.capabilities.postings, len(voucher.postings)
        if most is not None and count > most:
            raise ClaimError(
                f"its voucher has {count} postings, and a document of profile {self.profile.name} "
                f"takes {most}; divide the claim",
                code="CB-164",
                claim_id=voucher.claim_id,
            )

    def _request(self, verb: str, submissions: tuple[Submission, ...]) -> Request:
        if verb == "submit":
            return self.profile.submit(submissions)
        if verb == "reverse":
            return self.profile.reverse(submissions[0])
        if isinstance(self.profile, LooksUp):
            return self.profile.look_up(submissions)
        return self.profile.query([submission.reference for submission in submissions])

    def _body(
        self, request: Request, *, signing: Signing = None
    ) -> tuple[bytes, tuple[Finding, ...]]:
        """Return the Body's child, signed where it carries vouchers, and what is wrong with it.

        The gate judges the signed bytes: what is validated is byte for byte what is sent.
        """
        contract = self._contract_of(request.operation, request.port)
        try:
            body = contract.render(request.operation, self._documents.filled(request))
        except SchemaViolation as error:
            return b"", error.findings
        if signing is not None:
            body = self._signed(body, signing)
        return body, contract.check(body, sources=request.sources)

    def _signed(self, body: bytes, signing: Literal["each", "together"]) -> bytes:
        signer, place = self.signer, self.profile.capabilities.document_signature
        if signer is None or place is None:
            return body
        sign = signer.sign_together if signing == "together" else signer.sign
        return sign(body, element=place)

    def _built(self, verb: str, submissions: tuple[Submission, ...]) -> Built:
        request = self._request(verb, submissions)
        signing: Signing = None
        if verb != "query":
            signing = self.config.batch_signature if len(submissions) > 1 else "each"
        return self._validated(request, signing=signing, claim_id=submissions[0].key.claim_id)

    def _validated(
        self, request: Request, *, signing: Signing = None, claim_id: str | None = None
    ) -> Built:
        body, findings = self._body(request, signing=signing)
        if findings:
            more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
            raise SchemaViolation(
                f"the contract forbids it: {_told(findings[0])}{more}",
                findings=findings,
                claim_id=claim_id,
            )
        return Built(request.operation, body, request)

    def exchange(self, step: Exchange) -> Plan[tuple[Outcome, ...]]:
        """Plan one exchange: what is sent, and what the answers say of its documents."""
        try:
            built = self.build(step)
            request = built.request or Request(operation=built.operation, body={})
        except ClaimBridgeError as error:
            return (not_built(error),)
        outcomes = yield from Exchanging(self).perform(request, built)
        return tuple(map(of_question, outcomes)) if step.verb == "query" else outcomes

    def build(self, step: Exchange) -> Built:
        """Return the request of an exchange, validated; raises ClaimError."""
        return step.built or self._built(step.verb, step.submissions)

    def built(self, request: Request) -> Built:
        """Return a further request of a conversation, validated; raises SchemaViolation."""
        return self._validated(request)

    def message(
        self, built: Built, *, session: str = "", cookies: Mapping[str, str] = _NO_COOKIES
    ) -> Message:
        """Return the HTTP message for a request: one attempt, with its headers."""
        version = self.config.soap
        port = built.request.port if built.request else ""
        action = self._contract_of(built.operation, port).operations[built.operation].soap_action
        replies = self.config.replies
        name = uuid.uuid4().urn if replies is not None and replies.addressing else ""
        named = message_headers(name, action) if name else ()
        own = self._own_headers(built.operation, session)
        headers = (*named, *self._security_headers(), *own)
        sent = content_headers(version, action)
        if cookies:
            sent["Cookie"] = "; ".join(f"{key}={value}" for key, value in cookies.items())
        envelope = build(built.body, version=version, headers=headers)
        return Message(built.operation, envelope, sent, name, self._endpoint(port))

    def _endpoint(self, port: str) -> str:
        """Return the address of another port of the ERP; "" is the ledger's endpoint."""
        if not port:
            return ""
        configured = self.config.endpoints.get(port)
        if configured is not None:
            return configured
        ports: Mapping[str, str] = getattr(self.profile, "ports", {})
        if port not in ports:
            raise ConfigurationError(
                f"profile {self.profile.name} names no port {port!r}; add it to endpoints",
                code="CB-259",
            )
        return urljoin(self.config.endpoint, ports[port])

    def _contract_of(self, operation: str, port: str) -> Contract:
        """Return the contract that an operation is in: another port's may be the profile's own."""
        if port and operation not in self.contract.operations:
            return self._own_contract
        return self.contract

    @cached_property
    def _own_contract(self) -> Contract:
        return open_own_contract(self.profile)

    @cached_property
    def _credentials(self) -> Credentials:
        """The secrets that the profile authenticates with, read once and only held in memory."""
        return read_credentials(self.config)

    def _own_headers(self, operation: str, session: str) -> Sequence[bytes]:
        if not isinstance(self.profile, HasHeaders):
            return ()
        call = Call(operation=operation, credentials=self._credentials, session=session)
        return self.profile.headers(call)

    def _security_headers(self) -> tuple[bytes, ...]:
        auth = self.config.auth
        if auth is None or auth.kind != "username-token":
            return ()
        password = read_password(auth.password, self.config, what="auth.password")
        return (username_token(auth.user, password, digest=auth.digest, clock=self.clock),)

    # --- sessions ---------------------------------------------------------------------------

    @property
    def replies_are_signed(self) -> bool:
        """Whether a reply counts only with a signature."""
        return self._authenticator is not None

    @property
    def has_sessions(self) -> bool:
        """Whether the ERP is logged in to."""
        return isinstance(self.profile, HasSessions)

    def log_in_message(self) -> Message:
        """Return the message that begins a session."""
        assert isinstance(self.profile, HasSessions)  # asked only where there are sessions
        return self.message(self.built(self.profile.log_in(self._credentials)))

    def read_log_in(self, envelope: Envelope, *, asked: str) -> str:
        """Return the session's id; raises NotDelivered or LedgerUnavailable when it is none."""
        assert isinstance(self.profile, HasSessions)  # asked only where there are sessions
        session: str = self.profile.read_log_in(self.answer(envelope, asked=asked))
        return session

    # --- reading ----------------------------------------------------------------------------

    def read_bytes(self, data: bytes, *, asked: str | None = None) -> tuple[Outcome, ...]:
        """Return what a saved reply's envelope says, whoever wrote it; what is unclear is UNKNOWN.

        ``asked`` None accepts a reply to any operation.
        """
        try:
            answer = self.answer(open_envelope(data), asked=asked)
            if isinstance(answer, Fault):
                return (self.profile.read_fault(answer),)
            return self.profile.read(answer)
        except ClaimBridgeError as error:
            return (unknown(error.message, code=error.code),)
        except Exception as error:
            log.exception("profile %s failed to read a reply", self.profile.name)
            return (unknown(f"profile {self.profile.name} failed on the reply: {error!r}"),)

    def open(self, message: Message, reply: HttpReply, *, first_sight: FirstSight) -> Answer:
        """Return what an HTTP reply holds.

        Where replies are signed, one that does not verify says nothing, a Fault included. Raises
        DocumentError or SigningError.
        """
        if self._authenticator is None:
            envelope = open_envelope(reply.body)
        else:
            envelope = self._authenticator.open(
                reply.body, message_id=message.id, first_sight=first_sight
            )
        return Answer(envelope, reply.headers)

    def answer(self, envelope: Envelope, *, asked: str | None) -> Reply | Fault:
        """Return the reply, or the Fault, that an envelope holds; ``asked`` None takes any reply.

        Raises OutcomeUnknown for the reply to another operation.
        """
        if envelope.fault is not None:
            return self._known(envelope.fault)
        assert envelope.body is not None  # an envelope has a fault or a body
        contract = self.contract if asked is None else self._contract_with(asked)
        reply = contract.reply(envelope.body)
        if asked is not None and not _answers(contract, reply, asked):
            raise OutcomeUnknown(f"the reply {reply.local} does not answer {asked}")
        return reply

    def note_drift(self, answer: Reply | Fault, *, asked: str) -> None:
        """Tell of what the ERP's reply has otherwise than the contract; it is read all the same."""
        if isinstance(answer, Reply):
            self.drifts.note(self._contract_with(asked).drift(answer.element))

    def _contract_with(self, operation: str) -> Contract:
        own = operation not in self.contract.operations
        return self._own_contract if own else self.contract

    def _known(self, fault: Fault) -> Fault:
        """Return the fault with the detail that the contract knows, read by what it has where."""
        return fault.known_to(self._fault_names, self.contract.reply)

    @cached_property
    def _fault_names(self) -> frozenset[str]:
        """The local names of the typed details of this ERP's faults."""
        operations = self.contract.operations.values()
        return frozenset(
            name.rpartition("}")[2] for operation in operations for name in operation.faults
        )

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
        body, findings = self._body(request)
        if findings:
            raise SchemaViolation(
                f"the question for changes is invalid: {_told(findings[0])}", findings=findings
            )
        return self.message(Built(request.operation, body, request))

    def read_page(self, message: Message, reply: HttpReply, *, first_sight: FirstSight) -> Page:
        """Return a page of changes; raises NotDelivered or LedgerUnavailable when it is none."""
        try:
            envelope = self.open(message, reply, first_sight=first_sight).envelope
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


def _answers(contract: Contract, reply: Reply, asked: str) -> bool:
    return contract.operations[asked].output.rpartition("}")[2] == reply.local


def _told(finding: Finding) -> str:
    where = f"{finding.claim_field}: " if finding.claim_field else ""
    return f"{where}{finding.text}"
