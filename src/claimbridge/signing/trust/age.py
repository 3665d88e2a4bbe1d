"""How old a signed message is, by the Timestamp that its signature covers (WS-Security 1.1 §10)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from lxml import etree

from claimbridge.errors import SignatureInvalid
from claimbridge.signing.form.dsig import wsu
from claimbridge.signing.form.place import SignaturePlace, timestamp
from claimbridge.signing.form.structure import elements
from claimbridge.signing.form.xades import CLOCK_SKEW


def check_age(
    place: SignaturePlace, covered: Collection[etree._Element], now: datetime, limit: timedelta
) -> datetime:
    """Return when the message was made; refuse a missing, unsigned, old or future Timestamp."""
    stamp = timestamp(place)
    if stamp is None or not any(element is stamp for element in covered):
        raise SignatureInvalid(
            "the age cannot be judged: there is no Timestamp that the signature covers",
            code="CB-340",
        )
    created, expires = _moments(stamp)
    if created - now > CLOCK_SKEW:
        raise _stale(f"was created at {created.isoformat()}, which is still to come")
    if now - created > limit:
        raise _stale(f"was created at {created.isoformat()}, more than {limit} ago")
    if expires is not None and expires <= now:
        raise _stale(f"expired at {expires.isoformat()}")
    return created


def _moments(stamp: etree._Element) -> tuple[datetime, datetime | None]:
    """Return Created, and Expires when it is there."""
    children = elements(stamp, attributes=tuple(stamp.attrib))
    if [child.tag for child in children] not in (
        [wsu("Created")],
        [wsu("Created"), wsu("Expires")],
    ):
        raise _stale("is not made of Created and Expires")
    moments = [_moment(child) for child in children]
    return moments[0], moments[1] if len(moments) == 2 else None


def _moment(element: etree._Element) -> datetime:
    try:
        moment = datetime.fromisoformat((element.text or "").strip())
    except ValueError:
        raise _stale("holds no date") from None
    if moment.tzinfo is None or len(element):
        # WS-Security 1.1 §10: UTC, with the zone.
        raise _stale("holds no date with its time zone")
    return moment


def _stale(why: str) -> SignatureInvalid:
    return SignatureInvalid(f"the Timestamp of the message {why}", code="CB-341")
