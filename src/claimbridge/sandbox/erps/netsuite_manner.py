"""How NetSuite's servers write: names without a namespace, warnings, and who answered."""

from __future__ import annotations

from typing import Final

from lxml import etree

from claimbridge.sandbox.erps.netsuite_parts import CORE, MSG
from claimbridge.sandbox.kit.manner import Manner
from claimbridge.sandbox.kit.markup import element, render

_LISTS: Final = tuple(
    f"{MSG}{operation}Response" for operation in ("search", "searchMoreWithId", "getAll")
)
_HOST: Final = "{http://xml.apache.org/axis/}hostname"
_BARE: Final = {
    "all": (),
    "root": (f"{MSG}upsertResponse", f"{MSG}getListResponse", *_LISTS),
    "lists": (
        *_LISTS,
        f"{MSG}upsertResponse",
        f"{MSG}getListResponse",
        f"{MSG}readResponseList",
        f"{MSG}readResponse",
        f"{MSG}writeResponse",
    ),
}
"""What stands without its namespace, in one server's way or another's."""


def written(root: etree._Element, manner: Manner) -> bytes:
    """Return a reply as one of the servers writes it."""
    if not manner.lifelike:
        return render(root)
    bare = _BARE[manner.choose("bare", "all", "root", "lists")]
    for part in list(root.iter(etree.Element)):
        if part.tag == f"{CORE}status":
            _detail(part, manner)
    for part in root.iter(*bare) if bare else ():
        part.tag = etree.QName(part).localname
    return render(root)


def fault_detail(detail: etree._Element, manner: Manner) -> bytes:
    """Return a fault's detail, with the name of the server before it or behind it."""
    host = render(element(_HOST, "java051.sandbox.invalid"))
    place = manner.choose("hostname", "none", "first", "last")
    return (
        {"none": b"", "first": host}.get(place, b"")
        + render(detail)
        + (host if place == "last" else b"")
    )


def _detail(status: etree._Element, manner: Manner) -> None:
    """Add what stands beside the result: that nothing failed afterwards, or a warning."""
    if status.get("isSuccess") == "true":
        if manner.happens("warning", chance=0.3):
            status.append(_warning())
        elif manner.happens("after-submit"):
            status.append(element(f"{CORE}statusDetail", element(_AFTER, "false")))
        return
    if manner.happens("after-submit"):
        for detail in status.findall(f"{CORE}statusDetail"):
            detail.append(element(_AFTER, "false"))


def _warning() -> etree._Element:
    made = element(
        f"{CORE}statusDetail",
        element(f"{CORE}code", "WARNING"),
        element(f"{CORE}message", "该期间即将关闭"),
    )
    made.set("type", "WARN")
    return made


_AFTER: Final = f"{CORE}afterSubmitFailed"
