"""SOAP Faults of both versions, read as one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

import msgspec
from lxml import etree

from claimbridge import xmlio
from claimbridge.contract.calls.replies import Reply


class Fault(msgspec.Struct, frozen=True, eq=False):
    """What the other side says went wrong.

    ``code`` is the local part of the code: ``Client`` or ``Server`` in SOAP 1.1 (some servers add
    to it after a dot: ``Server.userException``), ``Sender`` or ``Receiver`` in 1.2, or a name of
    the server's own; "" when there is none. ``subcodes`` are SOAP 1.2's, outermost first.
    ``reason`` is the server's sentence, the English one where it gives several languages; "" when
    it gives none. ``detail`` is the first element in the detail, None when there is none;
    ``detail_name`` is its ``{namespace}name``, or ""; ``entries`` are all elements in it. Where a
    contract is known, ``detail`` is the first that it knows (``known_to``). ``role`` names who
    failed, "" mostly.
    """

    code: str
    reason: str
    detail: Reply | None = None
    detail_name: str = ""
    role: str = ""
    subcodes: tuple[str, ...] = ()
    entries: tuple[Reply, ...] = ()

    def known_to(self, names: Collection[str], read: Callable[[etree._Element], Reply]) -> Fault:
        """Return the fault with the detail that a contract knows by one of ``names``, local ones.

        Servers put details of their own beside it, or around it. ``read`` reads it as the contract
        has it; where nothing is known, the first detail stays.
        """
        inner = [one for entry in self.entries for one in entry.children]
        found = next((one for one in (*self.entries, *inner) if one.local in names), self.detail)
        if found is None:
            return self
        detail = read(found.element)
        return msgspec.structs.replace(self, detail=detail, detail_name=detail.name)


def fault_from(element: etree._Element) -> Fault:
    """Return what a Fault element of either version says; never raises for what it lacks.

    Namespaces of the parts are not looked at: SOAP 1.1's have none, and servers that mix the
    versions give them either.
    """
    codes = tuple(_codes(element))
    detail = _part(element, "detail", "Detail")
    entries = () if detail is None else tuple(map(Reply, detail.iterchildren("*")))
    first = entries[0] if entries else None
    return Fault(
        code=codes[0] if codes else "",
        reason=_reason(element),
        detail=first,
        detail_name="" if first is None else first.name,
        entries=entries,
        role=_text(_part(element, "faultactor", "Role")),
        subcodes=codes[1:],
    )


def _codes(element: etree._Element) -> Iterator[str]:
    """Yield the local part of the code and of each subcode within it."""
    plain = _part(element, "faultcode")
    if plain is not None:
        yield _local(_text(plain))
        return
    level = _part(element, "Code")
    while level is not None:
        yield _local(_text(_part(level, "Value")))
        level = _part(level, "Subcode")


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
