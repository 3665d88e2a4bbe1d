"""Names with their namespaces, ``{namespace}name``, and the namespaces that contracts are made of.

A name without a namespace is its local name alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from lxml import etree

XML: Final = "http://www.w3.org/XML/1998/namespace"
XSD: Final = "http://www.w3.org/2001/XMLSchema"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
WSDL: Final = "http://schemas.xmlsoap.org/wsdl/"
SOAP_ENVELOPE: Final = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_ENCODING: Final = "http://schemas.xmlsoap.org/soap/encoding/"

ITEM: Final = "item"
"""The name of a SOAP-encoded array's members in requests, findings and outlines."""


def full_name(namespace: str, local: str) -> str:
    """Return ``{namespace}local``."""
    return f"{{{namespace}}}{local}" if namespace else local


def split_name(name: str) -> tuple[str, str]:
    """Return namespace and local name of ``{namespace}name``."""
    if not name.startswith("{"):
        return "", name
    uri, _, local = name[1:].partition("}")
    return uri, local


def qname(written: str, near: etree._Element) -> str:
    """Return the ``{namespace}name`` of a QName as ``near`` writes it; "" stays ""."""
    prefix, _, local = written.strip().rpartition(":")
    uri = XML if prefix == "xml" else near.nsmap.get(prefix or None, "")
    return full_name(uri, local) if local else ""


def unprefixed(written: str) -> str:
    """Return the local part of a QName."""
    return written.strip().rpartition(":")[2]


def by_local_name(full: Iterable[str]) -> dict[str, list[str]]:
    """Return the ``{namespace}name``s by their local names."""
    names: dict[str, list[str]] = {}
    for name in dict.fromkeys(full):
        names.setdefault(split_name(name)[1], []).append(name)
    return names


def unique_local_names(names: Iterable[str]) -> dict[str, str]:
    """Return the ``{namespace}name`` of each local name that only one has."""
    return {local: full[0] for local, full in by_local_name(names).items() if len(full) == 1}


__all__ = [
    "ITEM",
    "SOAP_ENCODING",
    "SOAP_ENVELOPE",
    "WSDL",
    "XML",
    "XSD",
    "XSI",
    "by_local_name",
    "full_name",
    "qname",
    "split_name",
    "unique_local_names",
    "unprefixed",
]
