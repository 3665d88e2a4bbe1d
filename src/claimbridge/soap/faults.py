"""SOAP Faults of both versions, read as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from lxml import etree

from claimbridge import xmlio
from claimbridge.contract import Contract
from claimbridge.contract.calls.fault import Fault
from claimbridge.contract.calls.replies import Reply


class SoapFault(msgspec.Struct, frozen=True, eq=False):
    """What the other side says went wrong, in SOAP's own words.

    ``code`` is the local part of the code: ``Client`` or ``Server`` in SOAP 1.1, ``Sender`` or
    ``Receiver`` in 1.2, or a name of the server's own; "" when there is none. Some servers add to
    it after a dot: ``Server.userException``. ``subcodes`` are SOAP 1.2's, outermost first.
    ``reason`` is the server's sentence, the English one where it gives several languages; "" when
    it gives none. ``entries`` are the elements in the detail. ``role`` names who failed, "" mostly.
    ``at_door``: WS-Security's codes refuse our credentials, and blame us for it; or the HTTP status
    is 401 or 407. ``of_security``: one of the codes has a name of WS-Security's, whatever it means.
    """

    code: str
    reason: str
    role: str = ""
    subcodes: tuple[str, ...] = ()
    entries: tuple[Reply, ...] = ()
    at_door: bool = False
    of_security: bool = False

    @property
    def detail(self) -> Reply | None:
        """The first element in the detail; None when there is none."""
        return self.entries[0] if self.entries else None

    @property
    def detail_name(self) -> str:
        """The ``{namespace}name`` of ``detail``, or ""."""
        return self.entries[0].name if self.entries else ""

    def neutral(self, contract: Contract) -> Fault:
        """Return the fault without SOAP, its detail read by what the contract has where.

        The detail is the first of those that the contract knows. Servers put details of their own
        beside it, or around it. Where the contract knows none, the detail is the first of all.
        """
        fault = Fault(self.code, self.reason, None, self.subcodes, self.at_door, self.of_security)
        if not self.entries:
            return fault
        operations = contract.operations.values()
        known = {name.rpartition("}")[2] for operation in operations for name in operation.faults}
        inner = [child for entry in self.entries for child in entry.children]
        candidates = (*self.entries, *inner)
        detail = next((each for each in candidates if each.local in known), self.entries[0])
        return msgspec.structs.replace(fault, detail=contract.reply(detail.element))


def fault_from(element: etree._Element) -> SoapFault:
    """Return what a Fault element of either version says; never raises for what it lacks.

    Namespaces of the parts are not looked at: SOAP 1.1's have none, and servers that mix the
    versions give them either.
    """
    values = tuple(_codes(element))
    codes = tuple(map(_local, map(_text, values)))
    detail = _part(element, "detail", "Detail")
    return SoapFault(
        code=codes[0] if codes else "",
        reason=_reason(element),
        role=_text(_part(element, "faultactor", "Role")),
        subcodes=codes[1:],
        entries=() if detail is None else tuple(map(Reply, detail.iterchildren("*"))),
        at_door=_refuses_credentials(values),
        of_security=not _SECURITY.isdisjoint(codes),
    )


def _codes(element: etree._Element) -> Iterator[etree._Element | None]:
    """Yield the element of the code and of each subcode within it; None for one that is missing."""
    plain = _part(element, "faultcode")
    if plain is not None:
        yield plain
        return
    level = _part(element, "Code")
    while level is not None:
        yield _part(level, "Value")
        level = _part(level, "Subcode")


# WSS SOAP Message Security 1.1 §12: a receiver that cannot take the security header refuses the
# message with one of these, of the namespace that its header has. These are about who sent it.
_CREDENTIALS: Final = frozenset(
    {
        "UnsupportedSecurityToken",
        "UnsupportedAlgorithm",
        "InvalidSecurityToken",
        "FailedAuthentication",
        "SecurityTokenUnavailable",
    }
)
# The others are about one copy of the message. A proxy may have sent two: the second is refused as
# a replay, because the first was taken. Or a bus says them of the answer that it brings back.
# WSS4J hides which of all it was behind SecurityError.
_SECURITY: Final = _CREDENTIALS | {
    "InvalidSecurity",
    "FailedCheck",
    "MessageExpired",
    "SecurityError",
}
_OURS: Final = frozenset({"Client", "Sender"})
# Of 1.0 and 1.1, and of the drafts that older servers still write.
_SECURITY_SPACES: Final = (
    "http://docs.oasis-open.org/wss/",
    "http://schemas.xmlsoap.org/ws/2002/",
    "http://schemas.xmlsoap.org/ws/2003/",
)


def _refuses_credentials(codes: Sequence[etree._Element | None]) -> bool:
    """Say whether the codes refuse our credentials, blame us, and say nothing else of security."""
    if not codes:
        return False
    own = [code for code in codes if _local(_text(code)) in _SECURITY]
    blames_us = _local(_text(codes[0])) in _OURS or codes[0] in own
    return blames_us and bool(own) and all(map(_is_of_credentials, own))


def _is_of_credentials(code: etree._Element | None) -> bool:
    """Say whether a code is WS-Security's own: by its namespace, a name alone may be anybody's."""
    prefix, colon, name = _text(code).rpartition(":")
    if code is None or not colon or name not in _CREDENTIALS:
        return False
    space = code.nsmap.get(prefix)
    # Servers that forget to declare the prefix use the one that the standard itself uses.
    return space.startswith(_SECURITY_SPACES) if space else prefix == "wsse"


def _reason(element: etree._Element) -> str:
    plain = _part(element, "faultstring")
    if plain is not None:
        return _text(plain)
    reason = _part(element, "Reason")
    if reason is None:
        return ""
    texts = [part for part in reason.iterchildren("*") if xmlio.local_name(part) == "Text"]
    english = [part for part in texts if part.get(_LANGUAGE, "").lower().startswith("en")]
    return next((text for text in map(_text, english + texts) if text), "")


_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


def _part(element: etree._Element, *names: str) -> etree._Element | None:
    for child in element.iterchildren("*"):
        if xmlio.local_name(child) in names:
            return child
    return None


def _text(element: etree._Element | None) -> str:
    """Return the text, comments left out, white space at the ends too."""
    if element is None:
        return ""
    return "".join(element.xpath("text()")).strip()


def _local(name: str) -> str:
    return name.rpartition(":")[2]
