"""Values of a request that remember the claim field they came from.

A profile builds its request once, with ``Sourced`` leaves; ``as_request`` parts the values from
their origins. So a finding about a path of the request can name the claim field to fix.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from claimbridge.errors import ClaimError
from claimbridge.model import Posting


class Sourced(NamedTuple):
    """A text for the request; ``field`` is the claim field it came from."""

    text: str
    field: str


def field_at(sources: Mapping[str, str], xpath: str) -> str:
    """Return the claim field behind the place that an ERP names by an XPath; "" when unknown.

    ``sources`` are those of a Request. Prefixes, the root's name and a ``[1]`` that we do not count
    make no difference. If the place itself came from no field, the first field below it counts.
    """
    steps = [step.rpartition(":")[2] for step in xpath.split("/") if step]
    for place in (steps[1:], steps):
        below = [at for at in sources if place and _lies_at(at.split("/"), place)]
        exact = [at for at in below if at.count("/") + 1 == len(place)]
        found = next((sources[at] for at in (*exact, *below) if sources[at]), "")
        if found:
            return found
    return ""


def _lies_at(at: list[str], place: list[str]) -> bool:
    """Say whether the path of a source is the place or lies below it; ``[1]`` may go uncounted."""
    return len(at) >= len(place) and all(
        wanted in {own, f"{own}[1]"} for own, wanted in zip(at, place, strict=False)
    )


_OF_LINE: Final = {
    "account": "type",
    "narration": "text",
    "cost_centre": "cost_centre",
    "project": "project",
    "tax_code": "tax",
    "tax_base": "tax",
    "company": "company",
}
_OF_ITEM: Final = frozenset({"type", "text", "tax"})
_OF_CLAIM: Final = {
    "account": "employee",
    "narration": "title",
    "cost_centre": "cost_centre",
    "tax_code": "lines",
    "tax_base": "lines",
    "company": "lines",
}


def claim_field(posting: Posting, name: str) -> str:
    """Return the claim field behind a posting's field ``name``: the field to look at, not a proof.

    A posting from a line points into that line (``lines[2].text``), a total at the claim.
    """
    line, dot, _ = posting.source.partition(".")
    if name == "partner":
        return f"{line}.partner" if line.startswith("payees[") else "employee"
    if not (dot and line.startswith("lines[")):
        return _OF_CLAIM.get(name, posting.source or "total")
    if name.startswith("dimensions."):
        return f"{line}.{name}"
    within = _OF_LINE.get(name)
    if within is None:
        return posting.source
    # An item has a type, text and tax of its own, an allocation whom it is allocated to.
    part = posting.source.rpartition(".")[0]
    if ".items[" in part:
        return f"{part if within in _OF_ITEM else line}.{within}"
    return f"{line if within in _OF_ITEM else part}.{within}"


def sourced(posting: Posting, texts: Mapping[str, str]) -> dict[str, Sourced]:
    """Return texts by the posting's field that each shows, with the claim field behind it."""
    return {name: Sourced(text, claim_field(posting, name)) for name, text in texts.items()}


OWN_DIMENSIONS: Final = ("cost_centre", "project", "partner")
"""The dimensions that are fields of a posting."""


def dimensions_of(posting: Posting, *, claim_id: str = "") -> dict[str, Sourced]:
    """Return the codes that a posting carries by dimension, its own fields first; no empty ones.

    Raises ClaimError CB-188 where a field and a dimension of its name differ: one would be lost.
    """
    held = {
        name: Sourced(code, claim_field(posting, name))
        for name in OWN_DIMENSIONS
        if (code := getattr(posting, name))
    }
    for name, code in posting.dimensions.items():
        field = claim_field(posting, f"dimensions.{name}")
        if code and name in held and held[name].text != code:
            raise ClaimError(
                f"{field}: the dimension {name!r} is {code!r}, but the field says "
                f"{held[name].text!r}; give one of them",
                code="CB-188",
                claim_id=claim_id,
            )
        if code:
            held.setdefault(name, Sourced(code, field))
    return held
