"""All files that a contract consists of, each read once: from a folder, or from its server.

Files stay as they are, byte for byte. Where they name each other by address, the bundle's
``locations`` say which file has which address. ``documents.gather`` follows the same references
later, inside the closed bundle.
"""

from __future__ import annotations

import ipaddress
import posixpath
import re
from collections import deque
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, unquote, urldefrag, urljoin, urlsplit

import msgspec
from lxml import etree

from claimbridge.contract.base.names import WSDL
from claimbridge.contract.files.bundle import Bundle
from claimbridge.contract.files.documents import parse_document, references, refuse_excess
from claimbridge.errors import ContractError

_ADDRESS: Final = re.compile(r"https?://", re.I)
Fetch = Callable[[str], bytes]


def is_address(source: str) -> bool:
    """Whether a source is an ``http://`` or ``https://`` address."""
    return bool(_ADDRESS.match(source))


class ContractFiles(msgspec.Struct, frozen=True):
    """The files of a contract by name, ``entry`` the WSDL; ``locations`` as a bundle has them."""

    entry: str
    files: Mapping[str, bytes]
    locations: Mapping[str, str]
    title: str

    def bundle(self) -> Bundle:
        """Return the bundle of these files."""
        return Bundle.from_files(self.entry, self.files, title=self.title, locations=self.locations)


def collect(source: Path | str, *, fetch: Fetch, hosts: Collection[str] = ()) -> ContractFiles:
    """Return everything that ``source`` leads to: a WSDL file, a contract's folder, an address.

    ``fetch`` is asked once for each document at the address's own origin and at ``hosts``
    (``name`` or ``name:port``), and for no other. Raises what ``fetch`` raises, and ContractError:
    CB-212 for a document that is not WSDL or XSD or beyond the limits, CB-213 for a missing file,
    CB-214 for a reference that leads elsewhere.
    """
    walk = _Walk(str(source), fetch, frozenset(host.lower() for host in hosts))
    walk.follow()
    return walk.files()


class _Walk:
    """Follows references breadth first. A place is an address, or a name in the local bundle."""

    def __init__(self, source: str, fetch: Fetch, hosts: frozenset[str]) -> None:
        self._fetch = fetch
        self._hosts = hosts
        self._local: Bundle | None = None
        if is_address(source):
            self._start = _tidy(source)
            self._title = _plain(self._start)
        else:
            self._local = Bundle.from_path(source)
            self._start = self._local.entry
            self._title = self._local.title
        self._files: dict[str, bytes] = {}
        self._names: dict[str, str] = {}

    def follow(self) -> None:
        size = 0
        waiting = deque([self._start])
        while waiting:
            place = waiting.popleft()
            if place in self._names:
                continue
            content = self._content(place)
            size += len(content)
            refuse_excess(len(self._files), size, self._title)
            root = parse_document(_plain(place), content, self._title)
            self._names[place] = name = self._name(place, root)
            self._files[name] = content
            waiting.extend(
                self._target(reference.get(key, ""), place) for reference, key in references(root)
            )

    def files(self) -> ContractFiles:
        locations = {place: name for place, name in self._names.items() if is_address(place)}
        if self._local is not None:
            addresses = self._local.locations.items()
            locations |= {place: name for place, name in addresses if name in self._files}
        return ContractFiles(self._names[self._start], self._files, locations, self._title)

    def _content(self, place: str) -> bytes:
        if is_address(place):
            return self._fetch(place)
        assert self._local is not None  # only a local bundle has names
        return self._local.read(place)

    def _target(self, location: str, base: str) -> str:
        """Return the place that ``location`` means as written in the document at ``base``."""
        plain = location.strip()
        local = self._local
        is_local = local is not None and (not is_address(plain) or plain in local.locations)
        if local is not None and is_local and not is_address(base):
            return local.resolve(plain, base)
        try:
            return self._allowed(urljoin(base, plain), location, base)
        except ValueError as error:  # urllib's word for an address such as http://[
            raise self._outside(location, base, "no address") from error

    def _allowed(self, address: str, location: str, base: str) -> str:
        """Return an address that may be fetched; raises ContractError CB-214 for any other."""
        if not is_address(address):
            raise self._outside(location, base, "no address of a server")
        parts = urlsplit(address)
        if _is_link_local(parts.hostname or ""):
            # Where clouds keep their machines' credentials (RFC 3927).
            raise self._outside(location, base, "an address that no ERP has")
        if _origin(parts) != _origin(urlsplit(self._start)):
            host = (parts.hostname or "").lower()
            if not self._hosts & {host, f"{host}:{_port(parts)}"}:
                why = f"another server; if it is to be asked too, add --allow-host {host}"
                raise self._outside(location, base, why)
        return _tidy(address)

    def _name(self, place: str, root: etree._Element) -> str:
        """Return the name of a file; one that was fetched gets a speaking one of its own."""
        if not is_address(place):
            return place
        kind = ".wsdl" if root.tag == f"{{{WSDL}}}definitions" else ".xsd"
        stem = _stem(urlsplit(place))
        names = {name.lower() for name in self._files}
        number = 1
        name = f"{stem}{kind}"
        while name.lower() in names:  # also on systems that do not tell A from a
            number += 1
            name = f"{stem}-{number}{kind}"
        return name

    def _outside(self, location: str, base: str, why: str) -> ContractError:
        return ContractError(
            f"{_plain(base)} of the contract {self._title} asks for {_plain(location)}: {why}",
            code="CB-214",
        )


def _stem(parts: SplitResult) -> str:
    """Return a file's name without ending for an address: ``service?xsd=1`` is service-xsd-1."""
    stem, ending = posixpath.splitext(posixpath.basename(unquote(parts.path)))
    if ending.lower() not in {".wsdl", ".xsd", ".xml", ".asmx", ".svc"}:
        stem += ending
    query = "" if parts.query.lower() in {"wsdl", "singlewsdl"} else unquote(parts.query)
    return re.sub(r"[^A-Za-z0-9_.]+", "-", f"{stem}-{query}").strip("-.")[:80] or "contract"


def _tidy(address: str) -> str:
    return urldefrag(address).url


def _plain(place: str) -> str:
    """Return a place as messages show it: an address's query may hold a token."""
    return place.partition("?")[0][:200]


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme.lower() == "https" else 80)


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    return parts.scheme.lower(), (parts.hostname or "").lower(), _port(parts)


def _is_link_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_link_local
    except ValueError:
        return False


__all__ = ["ContractFiles", "Fetch", "collect", "is_address"]
