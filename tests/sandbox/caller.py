"""A client of the sandbox that nobody would mistake for claimbridge's own: sockets and bytes."""

from __future__ import annotations

import datetime as dt
import email
import functools
import http.client
import json
import socket
from collections.abc import Mapping
from decimal import Decimal
from email.policy import HTTP
from typing import Any

import msgspec
from lxml import etree
from tests.site import SITE

from claimbridge import xmlio
from claimbridge.contract import Bundle, Contract
from claimbridge.model import (
    JournalEntry,
    Key,
    Outcome,
    Posting,
    Purpose,
    Role,
    Side,
    State,
    Submission,
    Voucher,
)
from claimbridge.profiles import load_profile
from claimbridge.profiles.base import Profile
from claimbridge.profiles.request import Request
from claimbridge.sandbox import Sandbox
from claimbridge.soap.envelope import SOAP11, Envelope, build, open_envelope

BOTH = ("reference", "sap-journal-entry")
MEDIA = {"1.1": "text/xml; charset=utf-8", "1.2": "application/soap+xml; charset=utf-8"}


@functools.cache
def contract(profile: str) -> Contract:
    """The profile's own contract, loaded once."""
    return Contract.load(Bundle.from_package(load_profile(profile, SITE.get(profile, {})).contract))


def submission(reference: str = "EXP-1", **changes: Any) -> Submission:
    """A submission of a hotel bill; ``changes`` go to the voucher, ``account`` to its expense."""
    account = changes.pop("account", "660201")
    debit = Posting(
        role=Role.EXPENSE,
        account=account,
        side=Side.DEBIT,
        amount=Decimal("100.00"),
        currency="CNY",
        cost_centre="CC-1",
    )
    credit = Posting(
        role=Role.EMPLOYEE_PAYABLE,
        account="224101",
        side=Side.CREDIT,
        amount=Decimal("100.00"),
        currency="CNY",
        partner="E0815",
    )
    voucher = Voucher(
        **{
            "claim_id": reference,
            "revision": 1,
            "company": "CN01",
            "employee": "E0815",
            "currency": "CNY",
            "document_date": dt.date(2026, 3, 20),
            "posting_date": dt.date(2026, 3, 31),
            "postings": (debit, credit),
            **changes,
        }
    )
    key = Key("CN01", voucher.claim_id, voucher.revision, voucher.purpose)
    return Submission(
        key=key, reference=reference, digest="d", voucher=voucher, state=State.PENDING
    )


def reversal(original: Submission, entry: JournalEntry, **changes: Any) -> Submission:
    """The submission that takes ``entry`` back."""
    voucher = original.voucher.reversal(entry, posting_date=dt.date(2026, 4, 30))
    voucher = msgspec.structs.replace(voucher, **changes)
    key = msgspec.structs.replace(original.key, purpose=Purpose.REVERSE)
    return msgspec.structs.replace(
        original, key=key, reference=f"{original.reference}.x1", voucher=voucher
    )


def body_of(profile: str, request: Request) -> bytes:
    """The Body's child of a request, checked against the contract."""
    body = contract(profile).render(request.operation, request.body)
    assert contract(profile).check(body) == ()
    return body


def document(headers: Mapping[str, str], content: bytes) -> bytes:
    """The XML of a reply, as Python's own readers of MIME and of encodings find it."""
    kind = headers.get("content-type", "")
    if not kind.lower().startswith("multipart/"):
        return content
    head = f"Content-Type: {kind}\r\n\r\n".encode()
    root = next(email.message_from_bytes(head + content, policy=HTTP).iter_parts())
    found = root.get_payload(decode=True)
    assert isinstance(found, bytes)
    return found


class Caller:
    """Calls one profile of a sandbox."""

    def __init__(self, erp: Sandbox, profile: str = "reference", *, version: str = SOAP11) -> None:
        self.name = profile
        self.profile: Profile = load_profile(profile, SITE.get(profile, {}))
        self.contract = contract(profile)
        self.version = version
        self._erp = erp

    def submit(self, *submissions: Submission) -> tuple[Outcome, ...]:
        """Submit; return what the profile reads in the reply."""
        return self.ask(self.profile.submit(submissions or (submission(),)))

    def reverse(self, of: Submission) -> tuple[Outcome, ...]:
        """Submit a reversal."""
        return self.ask(self.profile.reverse(of))

    def query(self, *references: str) -> tuple[Outcome, ...]:
        """Ask for references."""
        return self.ask(self.profile.query(references))

    def ask(self, request: Request) -> tuple[Outcome, ...]:
        """Call an operation; return what the profile reads in the reply or the Fault."""
        envelope = self.call(body_of(self.name, request))
        if envelope.fault is not None:
            return (self.profile.read_fault(envelope.fault),)
        assert envelope.body is not None
        return self.profile.read(self.contract.reply(envelope.body))

    def call(self, body: bytes) -> Envelope:
        """Call with any body; the reply must be one that the contract allows."""
        status, headers, sent = self.post(build(body, version=self.version))
        content = document(headers, sent)
        envelope = open_envelope(content)
        assert envelope.version == self.version
        assert (status == 200) == (envelope.fault is None)
        self.check(envelope, content)
        return envelope

    def check(self, envelope: Envelope, content: bytes) -> None:
        """Judge a reply, or a typed Fault's detail, by the contract's own schema."""
        if envelope.body is not None:
            told = envelope.body
        else:
            details = xmlio.parse(content).xpath(
                "//*[local-name()='detail' or local-name()='Detail']/*"
            )
            assert isinstance(details, list)
            if not details:
                return
            assert isinstance(details[0], etree._Element)
            told = details[0]
        text = etree.tostring(told, with_tail=False)
        # SAP's refusal is not valid by SAP's own schema, for its blank document number.
        faithful = [
            f
            for f in self.contract.check(text)
            if b"<FiscalYear>0000<" not in text
            or f.path.rpartition("/")[2] not in ("AccountingDocument", "CompanyCode")
        ]
        assert faithful == []

    def post(
        self, envelope: bytes, *, headers: dict[str, str] | None = None, timeout: float = 10
    ) -> tuple[int, dict[str, str], bytes]:
        """POST bytes on a connection of their own; raises what http.client raises."""
        connection = http.client.HTTPConnection("127.0.0.1", self._erp.port, timeout=timeout)
        try:
            sent = {"Content-Type": MEDIA[self.version], **(headers or {})}
            connection.request("POST", f"/{self.name}", envelope, sent)
            reply = connection.getresponse()
            names = {name.lower(): value for name, value in reply.getheaders()}
            return reply.status, names, reply.read()
        finally:
            connection.close()

    def envelope(self, *submissions: Submission) -> bytes:
        """The bytes of a submitting request."""
        request = self.profile.submit(submissions or (submission(),))
        return build(body_of(self.name, request), version=self.version)


def fetch(erp: Sandbox, path: str, body: str | None = None) -> Any:
    """GET, or POST ``body`` to, a control page; its JSON."""
    connection = http.client.HTTPConnection("127.0.0.1", erp.port, timeout=10)
    try:
        connection.request("GET" if body is None else "POST", path, body)
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def refused(port: int) -> bool:
    """Whether nobody listens on the port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False
