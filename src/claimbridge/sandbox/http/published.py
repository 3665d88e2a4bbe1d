"""The contract as foreign clients load it: ``GET /<profile>?wsdl``, and the schemas beside it."""

from __future__ import annotations

from lxml import etree

from claimbridge.contract import Bundle
from claimbridge.errors import ContractError
from claimbridge.xmlio import local_name, namespace, parse

_WSDL = "http://schemas.xmlsoap.org/wsdl/"
_PORTS = frozenset({f"{_WSDL}soap/", f"{_WSDL}soap12/"})


def wsdl(bundle: Bundle, url: str) -> bytes:
    """Return the bundle's WSDL with ``url`` as its address, and imports that lead back here."""
    root = parse(bundle.read(bundle.entry), what=bundle.entry)
    for part in root.iter(etree.Element):
        if local_name(part) == "address" and namespace(part) in _PORTS:
            part.set("location", url)
        for name in ("schemaLocation", "location"):
            imported = part.get(name)
            if imported and local_name(part) in ("import", "include"):
                part.set(name, f"{url}/contract/{bundle.resolve(imported, bundle.entry)}")
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")


def file(bundle: Bundle, name: str) -> bytes | None:
    """Return a file of the bundle as it is; None for a file that the bundle does not hold."""
    try:
        return bundle.read(name)
    except ContractError:
        return None
