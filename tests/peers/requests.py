"""Requests as the arguments that other makers' SOAP clients take."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable
from typing import Any

from lxml import etree

from claimbridge import Claim, JournalEntry, State
from claimbridge.contract import Bundle, Contract
from claimbridge.mapping import Chart
from claimbridge.model import Key, Purpose, Submission, Voucher
from claimbridge.profiles.base import Profile
from claimbridge.profiles.request import Request
from claimbridge.xmlio import local_name, parse

Reword = Callable[[dict[str, str], str | None, dict[str, Any]], Any]
"""Makes one element's argument from its attributes, its text and its children."""


def posting(claim: Claim, chart: Chart) -> Submission:
    """The submission of a claim, under its own id."""
    return _submission(chart.map(claim).voucher, claim.id)


def reversing(posted: Submission, entry: JournalEntry) -> Submission:
    """The submission that takes ``entry`` back."""
    voucher = posted.voucher.reversal(entry, posting_date=dt.date(2026, 4, 30))
    return _submission(voucher, f"{posted.reference}.x1")


def _submission(voucher: Voucher, reference: str) -> Submission:
    key = Key("CN01", voucher.claim_id, voucher.revision, Purpose(voucher.purpose))
    return Submission(
        key=key, reference=reference, digest="0" * 64, voucher=voucher, state=State.PENDING
    )


def reworded(profile: Profile, request: Request, reword: Reword) -> tuple[str, Any]:
    """Return the operation and its argument in a peer's own form, in the order of the schema.

    Some peers write the elements in the order in which they are given.
    """
    body = contract(profile.contract).render(request.operation, request.body)
    return request.operation, _reworded(parse(body), reword)


@functools.cache
def contract(name: str) -> Contract:
    """A contract of our own, loaded once."""
    return Contract.load(Bundle.from_package(name))


def _reworded(element: etree._Element, reword: Reword) -> Any:
    attributes = {str(name): str(text) for name, text in element.attrib.items()}
    if not len(element):
        text = element.text or ""
        return reword(attributes, text, {}) if attributes else text
    children: dict[str, list[Any]] = {}
    for child in element:
        children.setdefault(local_name(child), []).append(_reworded(child, reword))
    parts = {name: many if len(many) > 1 else many[0] for name, many in children.items()}
    return reword(attributes, None, parts)
