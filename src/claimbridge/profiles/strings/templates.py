"""Documents described by templates: names of an ERP on the left, fields of a voucher on the right.

``{"billNo": "{reference}", "head/date": "{posting_date}T00:00:00"}`` needs no code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from claimbridge.errors import ClaimError, ConfigurationError
from claimbridge.model import Posting, Side, Submission, Voucher
from claimbridge.profiles.kit.options import wrong_option
from claimbridge.profiles.kit.owners import of_document, of_posting
from claimbridge.profiles.kit.sourced import Sourced, claim_field

_FIELD: Final = re.compile(r"\{([^{}]*)\}")
_FIELD_OF: Final = {
    "company": "company",
    "employee": "employee",
    "employee_name": "employee",
    "currency": "currency",
    "document_date": "lines",
    "posting_date": "posting_date",
    "year": "posting_date",
    "period": "posting_date",
    "text": "title",
}
"""The claim field behind a head field."""
_HEAD: Final = frozenset({*_FIELD_OF, "reference", "claim_id", "revision", "approver"})
_POSTING: Final = frozenset(
    {"number", "account", "side", "amount", "debit", "credit", "currency", "narration", "role"}
    | {"cost_centre", "project", "partner", "tax_code"}
)
_OPTIONAL_HEAD: Final = (
    "claim_id", "revision", "employee", "document_date", "employee_name", "approver", "text",
)  # fmt: skip
_OPTIONAL_POSTING: Final = ("role", "tax_code", "narration")
_UNNAMEABLE: Final = (
    "approved_at",
    "document_number",
    "documents",
    "posting.tax_base",
    "posting.source",
)
_NEVER_LOST: Final = ("cost_centre", "project")
"""Fields of a posting, besides account and amount, that must not get lost."""


class VoucherTemplate:
    """What stands in the document's head, and in each of its postings."""

    def __init__(
        self,
        head: Mapping[str, str],
        posting: Mapping[str, str],
        *,
        postings_at: str,
        sides: Mapping[str, str],
        ignored: Iterable[str],
    ) -> None:
        """Check the templates; raises ConfigurationError CB-176 for what cannot be filled."""
        self._head, self._posting = dict(head), dict(posting)
        self._postings_at = postings_at
        self._sides = {Side.DEBIT: sides.get("debit", ""), Side.CREDIT: sides.get("credit", "")}
        self._in_head = _check(head, _HEAD, "head")
        used = _check(posting, _POSTING, "posting")
        self._placed = used | set(ignored)
        self._ignored = set(ignored) - used
        amounts = {"debit", "credit"} <= used or {"amount", "side"} <= used
        if not amounts or "account" not in used:
            raise wrong_template(
                "posting needs {account}, and {amount} with {side} or {debit} and {credit}"
            )
        if "side" in used and "" in self._sides.values():
            raise wrong_template("sides needs a word for debit and a word for credit")

    def no_place(self) -> dict[str, str]:
        """Return the fields of a voucher that the templates leave out, each with the reason."""
        unnamed = "the templates do not name the field; the options head and posting can"
        fields = dict.fromkeys(_UNNAMEABLE, "no template can name it; the reference stands for it")
        fields |= {name: unnamed for name in _OPTIONAL_HEAD if name not in self._in_head}
        fields |= {f"posting.{n}": unnamed for n in _OPTIONAL_POSTING if n not in self._placed}
        return fields | {f"posting.{name}": "the option ignored names it" for name in self._ignored}

    def document(self, submission: Submission) -> dict[str, Any]:
        """Return the document, with ``Sourced`` leaves.

        Raises ClaimError CB-175 for a field that the templates have no place for.
        """
        voucher = submission.voucher
        for posting in voucher.postings:
            self._check_places(posting, voucher)
        document: dict[str, Any] = of_document(submission, {})
        for path, text in self._head.items():
            _put(document, path, _fill(text, _head_values(submission), _FIELD_OF))
        rows = []
        for number, posting in enumerate(voucher.postings, start=1):
            values = self._posting_values(posting, number)
            fields = {name: claim_field(posting, name) for name in values}
            row: dict[str, Any] = of_posting(posting, {})
            for path, text in self._posting.items():
                _put(row, path, _fill(text, values, fields))
            rows.append(row)
        _put(document, self._postings_at, rows)
        return document

    def _posting_values(self, posting: Posting, number: int) -> dict[str, str]:
        amount = f"{posting.amount:f}"
        debit = posting.side is Side.DEBIT
        return {
            "number": str(number),
            "account": posting.account,
            "side": self._sides[posting.side],
            "amount": amount,
            "debit": amount if debit else "0",
            "credit": "0" if debit else amount,
            "currency": posting.currency,
            "narration": posting.narration,
            "role": str(posting.role),
            "cost_centre": posting.cost_centre,
            "project": posting.project,
            "partner": posting.partner,
            "tax_code": posting.tax_code,
            **{f"dimensions.{name}": value for name, value in posting.dimensions.items()},
        }

    def _check_places(self, posting: Posting, voucher: Voucher) -> None:
        filled = [name for name in _NEVER_LOST if getattr(posting, name)]
        filled += [f"dimensions.{name}" for name in posting.dimensions]
        filled += ["currency"] if posting.currency != voucher.currency else []
        filled += ["partner"] if posting.partner not in ("", voucher.employee) else []
        lost = [name for name in filled if name not in self._placed]
        if lost:
            raise ClaimError(
                f"the document has no place for {lost[0]} of the posting on account "
                f"{posting.account}; put {{{lost[0]}}} into the option posting, or into ignored",
                code="CB-175",
                claim_id=voucher.claim_id,
            )


def _head_values(submission: Submission) -> dict[str, str]:
    voucher = submission.voucher
    return {
        "reference": submission.reference,
        "claim_id": voucher.claim_id,
        "revision": str(voucher.revision),
        "company": voucher.company,
        "employee": voucher.employee,
        "employee_name": voucher.employee_name,
        "currency": voucher.currency,
        "document_date": voucher.document_date.isoformat(),
        "posting_date": voucher.posting_date.isoformat(),
        "year": str(voucher.posting_date.year),
        "period": f"{voucher.posting_date.month:02}",
        "text": voucher.text,
        "approver": voucher.approver,
    }


def _fill(template: str, values: Mapping[str, str], fields: Mapping[str, str]) -> Sourced:
    """Return the text with its fields filled in; "" if it has fields, and all are empty."""
    names = _FIELD.findall(template)
    if names and not any(values.get(name) for name in names):
        return Sourced("", "")
    text = _FIELD.sub(lambda found: values.get(found[1], ""), template)
    return Sourced(text, next((fields[name] for name in names if name in fields), ""))


def _check(templates: Mapping[str, str], known: frozenset[str], option: str) -> set[str]:
    """Return the fields that the templates use."""
    used = {name for text in templates.values() for name in _FIELD.findall(text)}
    strange = [name for name in sorted(used - known) if not _is_dimension(name, option)]
    if strange:
        offered = ", ".join(sorted(known))
        raise wrong_template(f"{option} names {{{strange[0]}}}; the fields are {offered}")
    return used


def _is_dimension(name: str, option: str) -> bool:
    return option == "posting" and name.startswith("dimensions.")


def _put(document: dict[str, Any], path: str, value: object) -> None:
    *steps, last = path.split("/")
    for step in steps:
        document = document.setdefault(step, {})
        if not isinstance(document, dict):
            raise wrong_template(f"{path} leads through an element that already has a value")
    document[last] = value


def wrong_template(why: str) -> ConfigurationError:
    """Return the error for an option of the profile ``in-string``: CB-176."""
    return wrong_option("in-string", why, code="CB-176")


def steps_of(paths: str) -> Iterator[str]:
    """Yield the steps of a path in the configuration's form; none for the empty path."""
    yield from (step for step in paths.split("/") if step)
