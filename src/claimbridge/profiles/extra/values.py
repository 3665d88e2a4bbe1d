"""The values of added fields: constants, and texts with fields of the claim, voucher and posting.

``"{posting.dimensions.region}"`` is filled in; a literal brace is written twice. A text whose
fields are all empty is empty, and what is empty is left out.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from functools import partial
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from claimbridge.errors import ConfigurationError
from claimbridge.model import JournalEntry, Posting, Submission, Voucher
from claimbridge.profiles.kit.sourced import Sourced, claim_field

Value = str | int | bool | dt.date | dict[str, Any]
"""What a configuration may give: a text, a number, true or false, a day, or a table of these."""

_PIECE: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_DIMENSION: Final = "posting.dimensions."
_OF_CLAIM: Final = MappingProxyType({"claim.id": "claim_id", "claim.revision": "revision"})
_NOT_TEXT: Final = frozenset({"postings", "dimensions", "claim_id", "revision"})
_CLAIM_FIELDS: Final = MappingProxyType(
    {"claim_id": "id", "text": "title", "document_date": "lines", "reference": "id"}
)
"""The claim field behind a voucher's field, where it has another name."""
_PARTS: Final = frozenset({"document_number", "documents"})
"""Fields that only a part of a claim has."""
_OURS: Final = _PARTS | {"purpose", "reverses"}
"""Fields of a voucher that come from no field of the claim."""


class Occasion(NamedTuple):
    """What a field is added for: a document, or one posting of it, counted from 1."""

    submission: Submission
    posting: Posting | None = None
    number: int = 0


def known_fields() -> tuple[str, ...]:
    """Return the fields that a text may name, besides ``posting.dimensions.NAME``."""
    vouchers = [n for n in Voucher.__struct_fields__ if n not in _NOT_TEXT]
    postings = [n for n in Posting.__struct_fields__ if n not in _NOT_TEXT]
    return (
        *_OF_CLAIM,
        "voucher.reference",
        *(f"voucher.{name}" for name in vouchers),
        "posting.number",
        *(f"posting.{name}" for name in postings),
    )


_KNOWN: Final = frozenset(known_fields())


class Template(NamedTuple):
    """A configured value, ready to be filled in.

    ``fields`` are those that it names, ``types`` those that ``@xsi:type`` names in it. ``fill``
    returns the value with ``Sourced`` texts, None where it is empty; its scope may be None for a
    value without fields.
    """

    fill: Callable[[Occasion | None], Any]
    fields: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()

    @property
    def dimensions(self) -> frozenset[str]:
        """The dimensions of postings that it names."""
        names = (one for one in self.fields if one.startswith(_DIMENSION))
        return frozenset(one.removeprefix(_DIMENSION) for one in names)


def template_of(value: object, *, what: str) -> Template:
    """Return what a configured value means; ``what`` names the entry in errors.

    Raises ConfigurationError CB-247 for a field that does not exist, and a value of another kind.
    """
    if isinstance(value, Mapping):
        return _table(value, what)
    if isinstance(value, list | tuple):
        members = [template_of(each, what=what) for each in value]
        return _joined(partial(_filled_list, members), members)
    if isinstance(value, str):
        pieces = list(_pieces(value, what))
        return Template(partial(_filled_text, pieces), frozenset(n for _, n in pieces if n))
    if isinstance(value, bool | int | Decimal | dt.date):
        return Template(lambda _: value)
    raise _wrong(what, f'a {type(value).__name__} has no exact form; write a text, such as "0.5"')


def _table(table: Mapping[str, object], what: str) -> Template:
    if not table:
        raise _wrong(what, "an empty table says nothing; leave the entry out")
    members = {key: template_of(value, what=what) for key, value in table.items()}
    kind = table.get("@xsi:type")
    types = frozenset({kind} if isinstance(kind, str) else ())
    return _joined(partial(_filled_table, members), members.values(), types)


def _joined(
    fill: Callable[[Occasion | None], Any],
    members: Iterable[Template],
    types: frozenset[str] = frozenset(),
) -> Template:
    several = list(members)
    return Template(
        fill,
        frozenset().union(*(each.fields for each in several)),
        types.union(*(each.types for each in several)),
    )


def _pieces(text: str, what: str) -> Iterator[tuple[str, str]]:
    """Yield the parts of a text: constants, and the names of the fields between them."""
    start = 0
    for found in _PIECE.finditer(text):
        yield text[start : found.start()], ""
        start = found.end()
        if found[0] in ("{{", "}}"):
            yield found[0][0], ""
        elif found[1] is None:
            raise _wrong(what, f"a brace stands alone in {text[:60]!r}; write it twice")
        else:
            yield "", _known(found[1].strip(), what)
    yield text[start:], ""


def _known(name: str, what: str) -> str:
    if name in _KNOWN or (name.startswith(_DIMENSION) and name != _DIMENSION):
        return name
    raise _wrong(
        what,
        f"there is no field {{{name[:60]}}}; the fields are {', '.join(known_fields())}, "
        f"{_DIMENSION}NAME",
    )


def _wrong(what: str, why: str) -> ConfigurationError:
    return ConfigurationError(f"{what}: value: {why}", code="CB-247")


def _filled_text(pieces: list[tuple[str, str]], scope: Occasion | None) -> Sourced | None:
    fields = [_field(name, scope) for _, name in pieces if name and scope is not None]
    if fields and not any(each.text for each in fields):
        return None
    waiting = iter(fields)
    text = "".join(next(waiting).text if name else constant for constant, name in pieces)
    source = next((each.field for each in fields if each.text), "")
    return Sourced(text, source) if text else None


def _filled_list(members: list[Template], scope: Occasion | None) -> list[Any] | None:
    filled = [each.fill(scope) for each in members]
    return [each for each in filled if each is not None] or None


def _filled_table(members: Mapping[str, Template], scope: Occasion | None) -> dict[str, Any] | None:
    """Return the members that are not empty; None where all with a field are."""
    filled = {key: each.fill(scope) for key, each in members.items()}
    varying = [filled[key] for key, each in members.items() if each.fields]
    if varying and all(value is None for value in varying):
        return None
    return {key: value for key, value in filled.items() if value is not None} or None


def _field(name: str, scope: Occasion | None) -> Sourced:
    assert scope is not None  # a value with fields is filled for a document
    owner, _, rest = name.partition(".")
    if owner == "posting":
        return _of_posting(scope, rest)
    voucher = scope.submission.voucher
    if rest == "reference":
        return Sourced(scope.submission.reference, "id")
    attribute = _OF_CLAIM.get(name, rest)
    if attribute in _PARTS and not voucher.documents:
        return Sourced("", "")
    source = "" if attribute in _OURS else _CLAIM_FIELDS.get(attribute, attribute)
    return Sourced(_text(getattr(voucher, attribute)), source)


def _of_posting(scope: Occasion, name: str) -> Sourced:
    posting = scope.posting
    assert posting is not None  # an entry with a posting's field is filled for a posting
    if name == "number":
        return Sourced(str(scope.number), "")
    field = claim_field(posting, name)
    if name.startswith("dimensions."):
        return Sourced(posting.dimensions.get(name.removeprefix("dimensions."), ""), field)
    return Sourced(_text(getattr(posting, name)), field)


def _text(value: object) -> str:
    """Return a value as a text: days and moments in ISO form, amounts in digits, "" for none."""
    if value is None:
        return ""
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.number if isinstance(value, JournalEntry) else str(value)
