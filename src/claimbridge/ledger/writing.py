"""Building what is sent to a ledger."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Final, Literal
from urllib.parse import urljoin

import msgspec

from claimbridge import submission as plans
from claimbridge.config import read_password
from claimbridge.contract import Contract
from claimbridge.errors import (
    ClaimBridgeError,
    ClaimError,
    ConfigurationError,
    DeliveryRefused,
    SchemaViolation,
)
from claimbridge.ledger.message import Message
from claimbridge.ledger.setup import Opened
from claimbridge.mapping import Explanation
from claimbridge.mapping.division import map_in_parts
from claimbridge.model import (
    Claim,
    Finding,
    InvoiceUse,
    Key,
    State,
    Submission,
    Voucher,
    invoices_of,
)
from claimbridge.profiles.abilities import (
    HasHeaders,
    HasPorts,
    HasSessions,
    LooksUp,
    Queries,
    Reverses,
)
from claimbridge.profiles.conversation import Attempt
from claimbridge.profiles.request import Request
from claimbridge.soap.addressing import message_headers
from claimbridge.soap.envelope import build
from claimbridge.soap.security import username_token
from claimbridge.soap.transport import (
    content_headers,
)
from claimbridge.submission import Built, Draft

log = logging.getLogger("claimbridge.ledger")

Signing = Literal["each", "together"] | None
"""How the vouchers of a request are signed; None for one that carries none."""

NOT_BUILT: Final = "CB-419"
"""The code of what could not be built: nothing left this machine."""

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


class Messages(Opened):
    """What one ledger is sent, by its configuration; no I/O."""

    def key(self, claim: Claim, book: str) -> Key:
        """Return the idempotency key of posting a claim here; ``book`` is the id of our book."""
        return Key(book, claim.id, claim.revision)

    def preview(self, claim: Claim) -> Preview:
        """Return everything ``submit`` would build; an invalid body is returned with its findings.

        Raises MappingError and the other ClaimErrors that come before there is a body, and CB-164
        where it would be several documents: see ``previews``.
        """
        found = self.previews(claim)
        if len(found) > 1:
            raise ClaimError(
                f"it would be {len(found)} documents, since one of profile {self.profile.name} "
                f"takes {self.profile.capabilities.postings} postings; ask for its previews",
                code="CB-164",
                claim_id=claim.id,
            )
        return found[0]

    def previews(self, claim: Claim) -> tuple[Preview, ...]:
        """Return the preview of every document that the claim would be, most often one."""
        return tuple(
            self._preview(submission, explain)
            for submission, explain in self._submissions(claim, plans.id_of(self.wanted.place))
        )

    def _preview(self, submission: Submission, explain: tuple[Explanation, ...]) -> Preview:
        with self._building("the submit", submission.key.claim_id):
            request = self._request("submit", (submission,))
            body, findings = self._body(request, signing="each")
        return Preview(
            claim_id=submission.key.claim_id,
            reference=submission.reference,
            operation=request.operation,
            voucher=submission.voucher,
            explain=explain,
            body=body,
            findings=findings,
        )

    def drafts(self, claim: Claim, book: str) -> tuple[Draft, ...]:
        """Return the claim's submissions with their validated, signed bodies: one, or its parts.

        ``book`` is the id of our book. Raises ClaimError.
        """
        return tuple(
            Draft(submission, self.build("submit", (submission,)))
            for submission, _ in self._submissions(claim, book)
        )

    def _submissions(
        self, claim: Claim, book: str
    ) -> tuple[tuple[Submission, tuple[Explanation, ...]], ...]:
        most = self.profile.capabilities.postings
        invoices = invoices_of(claim)
        with self._building("the voucher", claim.id):
            return tuple(
                (self._submission(claim, mapped.voucher, book, invoices), mapped.explain)
                for mapped in map_in_parts(self.chart, claim, most=most)
            )

    @contextmanager
    def _building(self, what: str, claim_id: str | None) -> Iterator[None]:
        """Let no foreign exception out while something is built: nothing was sent, and who failed.

        Profiles, charts and keys may be users' own, and may raise anything.
        """
        try:
            yield
        except ClaimBridgeError:
            raise
        except Exception as error:
            name = self.profile.name
            log.exception("profile %s failed to build %s of claim %s", name, what, claim_id)
            raise DeliveryRefused(
                f"nothing was sent: profile {name} failed to build {what}: "
                f"{type(error).__name__}: {error}; fix the profile, or what it is given",
                code=NOT_BUILT,
                claim_id=claim_id,
            ) from error

    def _submission(
        self, claim: Claim, voucher: Voucher, book: str, invoices: tuple[InvoiceUse, ...]
    ) -> Submission:
        self._check_companies(voucher)
        key = msgspec.structs.replace(self.key(claim, book), part=voucher.part)
        return Submission(
            key=key,
            reference=plans.reference_for(key, self.profile.capabilities, apart=self.rules.apart),
            digest=plans.digest_of(claim.digest, voucher.part, voucher.parts),
            voucher=voucher,
            state=State.PENDING,
            invoices=invoices,
        )

    def _check_companies(self, voucher: Voucher) -> None:
        others = {posting.company for posting in voucher.postings} - {""}
        if others and not self.profile.capabilities.companies:
            raise ClaimError(
                f"its voucher has postings in the books of {', '.join(sorted(others))}, and a "
                f"document of profile {self.profile.name} stands in those of one company; set "
                'mode = "recharge" in the chart\'s [intercompany], or claim it there',
                code="CB-189",
                claim_id=voucher.claim_id,
            )

    def _request(self, verb: str, submissions: tuple[Submission, ...]) -> Request:
        profile = self.profile
        if verb == "submit":
            return profile.submit(submissions)
        if verb == "reverse" and isinstance(profile, Reverses):
            return profile.reverse(submissions[0])
        if verb == "query" and isinstance(profile, LooksUp):
            return profile.look_up(submissions)
        if verb == "query" and isinstance(profile, Queries):
            return profile.query([submission.reference for submission in submissions])
        raise ConfigurationError(
            f"profile {profile.name} has no method for a {verb}, which its capabilities promise",
            code="CB-242",
        )

    def _body(
        self, request: Request, *, signing: Signing = None
    ) -> tuple[bytes, tuple[Finding, ...]]:
        """Return the Body's child, signed where it carries vouchers, and what is wrong with it.

        The gate judges the signed bytes: what is validated is byte for byte what is sent.
        """
        contract = self._contract_for(request)
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

    def build(self, verb: str, submissions: tuple[Submission, ...]) -> Built:
        """Return the request of an exchange, validated and signed; raises ClaimError."""
        signing: Signing = None
        if verb != "query":
            signing = self.config.batch_signature if len(submissions) > 1 else "each"
        claim_id = submissions[0].key.claim_id
        with self._building(f"the {verb}", claim_id):
            request = self._request(verb, submissions)
            return self._validated(request, signing=signing, claim_id=claim_id)

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

    def built(self, request: Request) -> Built:
        """Return a further request of a conversation, validated; raises SchemaViolation."""
        return self._validated(request)

    def message(
        self,
        built: Built,
        *,
        book: str,
        session: str = "",
        cookies: Mapping[str, str] = _NO_COOKIES,
    ) -> Message:
        """Return the HTTP message for a request: one attempt, with its headers."""
        version = self.config.soap
        action = self._contract_for(built.request).operations[built.operation].soap_action
        replies = self.config.replies
        name = uuid.uuid4().urn if replies is not None and replies.addressing else ""
        named = message_headers(name, action) if name else ()
        own = self._own_headers(built.operation, session)
        headers = (*named, *self._security_headers(), *own)
        sent = content_headers(version, action)
        if cookies:
            sent["Cookie"] = "; ".join(f"{key}={value}" for key, value in cookies.items())
        envelope = build(built.body, version=version, headers=headers)
        return Message(
            built.operation,
            envelope,
            sent,
            book,
            name,
            self._endpoint(built.request.port),
            self.clock.now(),
        )

    def _contract_for(self, request: Request) -> Contract:
        return self._contract_with(request.operation) if request.port else self.contract

    def _endpoint(self, port: str) -> str:
        """Return the address of another port of the ERP; "" is the ledger's endpoint."""
        if not port:
            return ""
        configured = self.config.endpoints.get(port)
        if configured is not None:
            return configured
        ports = self.profile.ports if isinstance(self.profile, HasPorts) else {}
        if port not in ports:
            raise ConfigurationError(
                f"profile {self.profile.name} names no port {port!r}; add it to endpoints",
                code="CB-259",
            )
        return urljoin(self.config.endpoint, ports[port])

    def _own_headers(self, operation: str, session: str) -> Sequence[bytes]:
        if not isinstance(self.profile, HasHeaders):
            return ()
        attempt = Attempt(operation=operation, credentials=self._credentials, session=session)
        return self.profile.headers(attempt)

    def _security_headers(self) -> tuple[bytes, ...]:
        auth = self.config.auth
        if auth is None or auth.kind != "username-token":
            return ()
        password = read_password(auth.password, self.config, what="auth.password")
        return (username_token(auth.user, password, digest=auth.digest, clock=self.clock),)

    @property
    def has_sessions(self) -> bool:
        """Whether the ERP is logged in to."""
        return isinstance(self.profile, HasSessions)

    def log_in_message(self, *, book: str) -> Message:
        """Return the message that begins a session."""
        assert isinstance(self.profile, HasSessions)  # asked only where there are sessions
        return self.message(self.built(self.profile.log_in(self._credentials)), book=book)


def _told(finding: Finding) -> str:
    where = f"{finding.claim_field}: " if finding.claim_field else ""
    return f"{where}{finding.text}"
