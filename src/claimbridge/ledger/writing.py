"""Building what is sent to a ledger."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import urljoin

import msgspec

from claimbridge.contract import Contract
from claimbridge.contract.calls.shapes import Leaf, Types
from claimbridge.errors import (
    ClaimBridgeError,
    ClaimError,
    ConfigurationError,
    DeliveryRefused,
    SchemaViolation,
)
from claimbridge.ledger.inner import InnerDocuments
from claimbridge.ledger.sessions import Session
from claimbridge.ledger.setup import NOT_BUILT, Setup
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
    LooksUp,
    NamesLaterElements,
    Queries,
    Reverses,
)
from claimbridge.profiles.conversation import Attempt
from claimbridge.profiles.request import Request
from claimbridge.soap.transport import HttpMessage
from claimbridge.submission import Built, digest_of, id_of, reference_for

log = logging.getLogger("claimbridge.ledger")

Signing = Literal["each", "together"] | None
"""How the vouchers of a request are signed; None for one that carries none."""


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that ``submit`` would build for a claim, before the journal and the network.

    ``body`` is what the ERP's contract is about, as it would be sent: the child of a SOAP Body. It
    is valid when ``findings`` is empty. ``fields`` says what the configuration has added to it and
    left out (``extra``, ``omit``).
    """

    claim_id: str
    reference: str
    operation: str
    voucher: Voucher
    explain: tuple[Explanation, ...]
    body: bytes
    findings: tuple[Finding, ...]
    fields: tuple[str, ...] = ()

    @property
    def valid(self) -> bool:
        """Whether the contract allows the body."""
        return not self.findings


class Writer:
    """Builds what one ledger is sent, by its setup; no I/O. Threads may share it."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._profile = setup.profile
        self._inner = InnerDocuments(Path(setup.config.folder))

    def preview(self, claim: Claim) -> Preview:
        """Return everything ``submit`` would build; an invalid body is returned with its findings.

        Raises MappingError and the other ClaimErrors that come before there is a body, and CB-164
        where it would be several documents: see ``previews``.
        """
        previews = self.previews(claim)
        if len(previews) > 1:
            raise ClaimError(
                f"this claim needs {len(previews)} documents (profile {self._profile.name} allows "
                f"{self._profile.capabilities.postings} postings each); call previews() instead of "
                "preview()",
                code="CB-164",
                claim_id=claim.id,
            )
        return previews[0]

    def previews(self, claim: Claim) -> tuple[Preview, ...]:
        """Return the preview of every document that the claim would be, most often one."""
        book = id_of(self._setup.book_config.place)
        return tuple(
            self._preview(submission, explain)
            for submission, explain in self.submissions(claim, book)
        )

    def _preview(self, submission: Submission, explain: tuple[Explanation, ...]) -> Preview:
        with self.building("the submit", submission.key.claim_id):
            request = self.request("submit", (submission,))
            body, findings = self.body(request, signing="each")
        return Preview(
            claim_id=submission.key.claim_id,
            reference=submission.reference,
            operation=request.operation,
            voucher=submission.voucher,
            explain=explain,
            body=body,
            findings=findings,
            fields=self._setup.extras.words(),
        )

    def submissions(
        self, claim: Claim, book: str
    ) -> tuple[tuple[Submission, tuple[Explanation, ...]], ...]:
        """Return the claim's submissions, each with how its voucher came about; raises ClaimError.

        ``book`` is the id of our book.
        """
        most = self._profile.capabilities.postings
        invoices = invoices_of(claim)
        with self.building("the voucher", claim.id):
            return tuple(
                (self._submission(claim, mapped.voucher, book, invoices), mapped.explain)
                for mapped in map_in_parts(self._setup.chart, claim, most=most)
            )

    @contextmanager
    def building(self, what: str, claim_id: str | None) -> Iterator[None]:
        """Let no foreign exception out while something is built: nothing was sent, and who failed.

        Profiles, charts and keys may be users' own, and may raise anything.
        """
        try:
            yield
        except ClaimBridgeError:
            raise
        except Exception as error:
            name = self._profile.name
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
        key = Key(book, claim.id, claim.revision, part=voucher.document_number)
        capabilities, apart = self._profile.capabilities, self._setup.rules.apart
        return Submission(
            key=key,
            reference=reference_for(key, capabilities, apart=apart),
            digest=digest_of(claim.digest, voucher.document_number, voucher.documents),
            voucher=voucher,
            state=State.PENDING,
            invoices=invoices,
        )

    def _check_companies(self, voucher: Voucher) -> None:
        others = {posting.company for posting in voucher.postings} - {""}
        if others and not self._profile.capabilities.companies:
            raise ClaimError(
                f"its voucher has postings in the books of {', '.join(sorted(others))}, and a "
                f"document of profile {self._profile.name} stands in those of one company; set "
                'mode = "recharge" in the chart\'s [intercompany], or claim it there',
                code="CB-189",
                claim_id=voucher.claim_id,
            )

    def request(
        self, verb: str, submissions: tuple[Submission, ...], *, trial: bool = False
    ) -> Request:
        """Return the request of a verb, with what the configuration adds and leaves out.

        It is neither judged nor signed. ``trial``: filters of added fields by account and company
        let everything pass. ``verb`` is ``submit``, ``reverse`` or ``query``. Raises
        ClaimError as the profile does, ConfigurationError.
        """
        profile, extras = self._profile, self._setup.extras
        if verb == "submit":
            return extras.build(profile.submit, submissions, self.opens, trial=trial)
        if verb == "reverse" and isinstance(profile, Reverses):
            reverse = profile.reverse
            return extras.build(lambda seen: reverse(seen[0]), submissions, self.opens, trial=trial)
        if verb == "query" and isinstance(profile, LooksUp):
            return profile.look_up(submissions)
        if verb == "query" and isinstance(profile, Queries):
            return profile.query([submission.reference for submission in submissions])
        raise ConfigurationError(
            f"profile {profile.name} has no method for a {verb}, which its capabilities promise",
            code="CB-242",
        )

    def opens(self, request: Request) -> tuple[Leaf, Types]:
        """Return what the contract knows of the element that a request's paths begin in.

        That is the inner document's root, where one travels in the request. The types are those
        that ``@xsi:type`` may name there. Raises ContractError.
        """
        if request.inner is None:
            return self._contract(request).request_of(request.operation, request.body.keys())
        inner = self._inner.opened(request.inner)
        return inner.root, inner.types

    def body(
        self, request: Request, *, signing: Signing = None
    ) -> tuple[bytes, tuple[Finding, ...]]:
        """Return the Body's child, signed where it carries vouchers, and what is wrong with it.

        The gate judges the signed bytes: what is validated is byte for byte what is sent.
        """
        contract = self._contract(request)
        try:
            fields = request.body if request.inner is None else self._inner.fill(request)
            body = contract.render(request.operation, fields, sources=request.sources)
        except SchemaViolation as error:
            return b"", tuple(map(self._with_generation, error.findings))
        if signing is not None:
            body = self._sign(body, signing)
        return body, contract.check(body, sources=request.sources)

    def _with_generation(self, finding: Finding) -> Finding:
        """Return a finding about an element that came into the ERP's contract later, saying so."""
        profile = self._profile
        later = profile.later_elements if isinstance(profile, NamesLaterElements) else {}
        name = finding.path.rpartition("/")[2].partition("[")[0]
        if finding.rule != "unexpected" or name not in later:
            return finding
        return msgspec.structs.replace(finding, text=f"{finding.text}; {later[name]}")

    def _sign(self, body: bytes, signing: Literal["each", "together"]) -> bytes:
        signer, place = self._setup.signer, self._profile.capabilities.document_signature
        if signer is None or place is None:
            return body
        sign = signer.sign_together if signing == "together" else signer.sign
        return sign(body, element=place)

    def build(self, verb: str, submissions: tuple[Submission, ...]) -> Built:
        """Return the request of an exchange, validated and signed; raises ClaimError."""
        signing: Signing = None
        if verb != "query":
            signing = self._setup.config.batch_signature if len(submissions) > 1 else "each"
        claim_id = submissions[0].key.claim_id
        with self.building(f"the {verb}", claim_id):
            request = self.request(verb, submissions)
            return self.validate(request, signing=signing, claim_id=claim_id)

    def validate(
        self, request: Request, *, signing: Signing = None, claim_id: str | None = None
    ) -> Built:
        """Return a request as it goes out; raises SchemaViolation for what the contract forbids."""
        body, findings = self.body(request, signing=signing)
        if findings:
            more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
            raise SchemaViolation(
                f"the contract forbids it: {_finding_text(findings[0])}{more}",
                findings=findings,
                claim_id=claim_id,
            )
        return Built(request.operation, body, request)

    def message(self, built: Built, session: Session) -> HttpMessage:
        """Return the message of one attempt at a request, within a session."""
        operation = self._contract(built.request).operations[built.operation]
        message = self._setup.wire.message(
            operation,
            built.body,
            address=self._address(built.request.port),
            headers=self._own_headers(built.operation, session.id),
        )
        cookies = session.cookies
        if not cookies:
            return message
        cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
        return msgspec.structs.replace(message, headers={**message.headers, "Cookie": cookie})

    def _contract(self, request: Request) -> Contract:
        """Return the contract that a request is written by: for another port perhaps its own."""
        contract = self._setup.contract
        known = not request.port or request.operation in contract.operations
        return contract if known else self._setup.own_contract

    def _address(self, port: str) -> str:
        """Return the address of another port of the ERP; "" is the ledger's endpoint."""
        if not port:
            return ""
        configured = self._setup.config.endpoints.get(port)
        if configured is not None:
            return configured
        ports = self._profile.ports if isinstance(self._profile, HasPorts) else {}
        if port not in ports:
            raise ConfigurationError(
                f"profile {self._profile.name} names no port {port!r}; add it to endpoints",
                code="CB-259",
            )
        return urljoin(self._setup.config.endpoint, ports[port])

    def _own_headers(self, operation: str, session: str) -> Sequence[bytes]:
        if not isinstance(self._profile, HasHeaders):
            return ()
        return self._profile.headers(
            Attempt(operation=operation, credentials=self._setup.credentials, session=session)
        )


def _finding_text(finding: Finding) -> str:
    where = f"{finding.claim_field}: " if finding.claim_field else ""
    return f"{where}{finding.text}"
