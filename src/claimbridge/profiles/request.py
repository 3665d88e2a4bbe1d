"""What a profile returns to be sent: a call of the contract, with where its values came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from claimbridge.profiles.kit.owners import Marked, Owner
from claimbridge.profiles.kit.sourced import Sourced


class Inner(msgspec.Struct, frozen=True, kw_only=True):
    """A document that travels as text inside a request, with a schema of its own.

    Its text goes to the key path ``at`` of the request's body (``xmlStr``, ``arg0/data``).
    ``schema`` is an XSD: one of ``claimbridge.xsd`` by its name, or a path; ``element`` its root
    as ``{namespace}name``. ``body``, ``sources`` and ``owners`` are as a Request's. With the format
    ``json`` elements become members, those that may repeat arrays, and numbers and booleans of the
    schema are such in JSON. An XML text declares ``encoding``.
    """

    at: str
    schema: str
    element: str
    body: Mapping[str, Any]
    sources: Mapping[str, str] = {}
    format: Literal["xml", "json"] = "xml"
    encoding: Literal["UTF-8", "GBK"] = "UTF-8"
    owners: Mapping[str, Owner] = {}


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One call: the contract's operation, its body in the contract's own names.

    ``sources`` maps a path in the body to the claim field that the value came from. Paths are
    written as in findings (``Voucher[1]/Posting[2]/Amount``): local names, counted only where a
    name repeats. ``owners`` maps a path to the posting or submission that its element stands for,
    as the profile marked it (``profiles.kit.owners``). ``port`` names another port of the same ERP,
    one of the profile's ``ports``; "" is the ledger's endpoint. ``harmless`` marks a call of a
    conversation that changes nothing in the ledger: logging in, asking, polling. ``inner`` is a
    document that travels as text in the body.
    """

    operation: str
    body: Mapping[str, Any]
    sources: Mapping[str, str] = {}
    port: str = ""
    harmless: bool = False
    inner: Inner | None = None
    owners: Mapping[str, Owner] = {}


def as_request(operation: str, body: Mapping[str, Any]) -> Request:
    """Return the request that ``body`` describes.

    Leaves are ``Sourced`` or plain text. None, an empty ``Sourced`` and an empty list are left
    out: claims and vouchers use "" for "not given".
    """
    found = _Found({}, {})
    plain = _plain(body, "", found)
    return Request(operation=operation, body=plain, sources=found.sources, owners=found.owners)


class _Found(NamedTuple):
    """What is known of the values and elements of a body, by their paths."""

    sources: dict[str, str]
    owners: dict[str, Owner]


def _plain(body: Mapping[str, Any], path: str, found: _Found) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    if isinstance(body, Marked):
        found.owners[path] = body.owner
    for name, value in body.items():
        if value is None or value == [] or (isinstance(value, Sourced) and not value.text):
            continue
        if isinstance(value, list):
            step = _step(path, name)
            # A step is counted only where its name repeats.
            steps = [step] if len(value) == 1 else [f"{step}[{n + 1}]" for n in range(len(value))]
            plain[name] = [_value(value[n], steps[n], found) for n in range(len(value))]
        else:
            plain[name] = _value(value, _step(path, name), found)
    return plain


def _value(value: object, path: str, found: _Found) -> object:
    if isinstance(value, Sourced):
        found.sources[path] = value.field
        return value.text
    return _plain(value, path, found) if isinstance(value, Mapping) else value


def _step(path: str, name: str) -> str:
    if name == "#text":
        return path
    return f"{path}/{name}" if path else name
