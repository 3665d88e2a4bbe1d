"""One profile's SOAP endpoint, without HTTP: from the bytes of a request to those of the reply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import msgspec
from lxml import etree

from claimbridge.clock import Clock
from claimbridge.contract import Bundle, Contract, Operation
from claimbridge.errors import ConfigurationError, DocumentError
from claimbridge.model import Finding
from claimbridge.sandbox.http.reply import SandboxReply
from claimbridge.sandbox.http.untidy import untidy
from claimbridge.sandbox.kit.documents import Objection
from claimbridge.sandbox.kit.manner import Manners
from claimbridge.sandbox.kit.markup import MEDIA_TYPES, envelope
from claimbridge.sandbox.kit.responder import Desk, ErpAnswer, ErpCall, Responder
from claimbridge.signing import Signer
from claimbridge.soap.addressing import RELATES_TO, answering
from claimbridge.soap.envelope import open_envelope

_NO_COOKIES: Final[Mapping[str, str]] = MappingProxyType({})
UNREADABLE: Final = "unreadable"
"""The name under which a request counts that names no operation."""


class SoapExchange(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """An understood request: a call of an operation, in a SOAP version."""

    call: ErpCall
    version: str
    operation: Operation
    request: bytes


class Misunderstood(Exception):
    """The request is not a call of this contract; ``reply`` says so."""

    def __init__(self, reply: SandboxReply) -> None:
        super().__init__(reply.status)
        self.reply: SandboxReply = reply


class Endpoint:
    """Reads requests strictly, by the contract; has the Responder judge them."""

    def __init__(
        self,
        responder: Responder,
        desk: Desk,
        clock: Clock,
        signer: Signer | None = None,
        manners: Manners | None = None,
    ) -> None:
        self.responder: Responder = responder
        self.bundle: Bundle = Bundle.named(responder.contract)
        self.contract: Contract = Contract.load(self.bundle)
        self._desk = desk
        self._signer = signer
        self._clock = clock
        self._manners = manners or Manners()
        self._by_input = {found.input: found for found in self.contract.operations.values()}
        missing = responder.kinds.keys() - self.contract.operations.keys()
        if missing:
            raise ConfigurationError(
                f"the sandbox's {responder.name} answers {', '.join(sorted(missing))}, which its "
                "contract does not have; correct its kinds",
                code="CB-272",
            )

    def open(
        self,
        request: bytes,
        *,
        content_type: str,
        soap_action: str | None,
        cookies: Mapping[str, str] = _NO_COOKIES,
    ) -> SoapExchange:
        """Return the call that ``request`` makes; raises Misunderstood when it makes none."""
        version = _version(content_type)
        try:
            opened = open_envelope(request)
        except DocumentError as error:
            raise _misunderstood(version, error.message) from error
        if opened.version != version:
            text = f"an envelope of SOAP {opened.version} came as {content_type}"
            raise _misunderstood(opened.version, text)
        if opened.body is None:
            raise _misunderstood(version, "a Fault is no request")
        operation = self._by_input.get(str(opened.body.tag))
        if operation is None or operation.name not in self.responder.kinds:
            raise _misunderstood(version, f"no operation takes {opened.body.tag!s}")
        if soap_action is not None and soap_action not in ("", operation.soap_action):
            text = f"SOAPAction {soap_action} is not that of {operation.name}"
            raise _misunderstood(version, text)
        kind = self.responder.kinds[operation.name]
        call = ErpCall(
            operation=operation.name,
            kind=kind,
            body=self._plain(opened.body, version),
            at=self._clock.now(),
            headers=opened.headers,
            cookies=cookies,
            manner=self._manners.next(),
        )
        return SoapExchange(call=call, version=version, operation=operation, request=request)

    def _plain(self, body: etree._Element, version: str) -> etree._Element:
        try:
            return self.contract.literal(body)
        except DocumentError as error:
            raise _misunderstood(version, error.message) from error

    def answer(self, exchange: SoapExchange) -> ErpAnswer:
        """Do the work, if the contract allows the request; the answer is committed."""
        # The body as it came: tostring keeps every namespace that values may rely on.
        findings = self.contract.check(etree.tostring(exchange.call.body, with_tail=False))
        if findings:
            return self.refuse(exchange, tuple(map(_objection, findings)))
        return self.responder.answer(exchange.call, self._desk)

    def refuse(self, exchange: SoapExchange, objections: tuple[Objection, ...]) -> ErpAnswer:
        """Return the contract's own refusal, or a plain Fault if the contract has none.

        An invalid request gets a plain Fault too if the contract has no typed faults.
        """
        invalid = any(objection.code == "schema" for objection in objections)
        refused = None
        if exchange.operation.faults or not invalid:
            refused = self.responder.refuse(exchange.call, objections)
        text = "; ".join(objection.text for objection in objections)
        return refused or ErpAnswer(content=b"", fault="sender", reason=text)

    def reply(
        self, exchange: SoapExchange, answer: ErpAnswer, *, signed: bool = True
    ) -> SandboxReply:
        """Return an answer as HTTP carries it, in the SOAP version of its request.

        ``signed`` False leaves the reply unsigned, even if the ERP signs replies.
        """
        related = answering(exchange.call.headers)
        reply = _reply(answer, exchange.version, related)
        signs = self._signer is not None and signed
        body = untidy(reply.body, exchange.call.manner, signs=signs)
        reply = msgspec.structs.replace(reply, body=body)
        if self._signer is None or not signed:
            return reply
        covered = (RELATES_TO,) if related else ()
        body = self._signer.sign_envelope(reply.body, headers=covered)
        return msgspec.structs.replace(reply, body=body)


def _version(content_type: str) -> str:
    media_type = content_type.partition(";")[0].strip().lower()
    for version, known in MEDIA_TYPES.items():
        if media_type == known:
            return version
    text = f"content type {media_type!r}; SOAP comes as {' or '.join(MEDIA_TYPES.values())}"
    raise Misunderstood(SandboxReply(status=415, body=text.encode(), content_type="text/plain"))


def _misunderstood(version: str, text: str) -> Misunderstood:
    return Misunderstood(_reply(ErpAnswer(content=b"", fault="sender", reason=text), version))


def _reply(answer: ErpAnswer, version: str, headers: Sequence[bytes] = ()) -> SandboxReply:
    status, body = envelope(answer, version, headers)
    return SandboxReply(
        status=status,
        body=body,
        content_type=f"{MEDIA_TYPES[version]}; charset=utf-8",
        headers=answer.headers,
        encoding=answer.encoding,
    )


def _objection(finding: Finding) -> Objection:
    return Objection("schema", f"{finding.path}: {finding.text}", finding.path)
