"""Any service whose document travels inside a string element; configured, not coded.

Only the configuration describes such a service, so the profile believes little. Success needs a
value that the options name, and so does a refusal; every other answer is unknown. Nothing can be
asked. If the options say that the service refuses a known reference, a lost answer is resolved by
sending again; otherwise a person looks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from claimbridge.contract.strings.replies import read_inner
from claimbridge.model import JournalEntry, Outcome, OutcomeKind, Reason, Submission
from claimbridge.profiles.base import Capabilities
from claimbridge.profiles.kit.reading import legible, read_untyped, unknown
from claimbridge.profiles.request import Inner, Request, as_request
from claimbridge.profiles.strings.templates import VoucherTemplate, steps_of, wrong_template

if TYPE_CHECKING:
    from claimbridge.contract.calls.fault import Fault
    from claimbridge.contract.calls.replies import Reply

_HEAD: Final = MappingProxyType(
    {
        "reference": "{reference}",
        "company": "{company}",
        "employee": "{employee}",
        "currency": "{currency}",
        "date": "{posting_date}",
        "text": "{text}",
    }
)
_POSTING: Final = MappingProxyType(
    {
        "account": "{account}",
        "side": "{side}",
        "amount": "{amount}",
        "currency": "{currency}",
        "costCentre": "{cost_centre}",
        "project": "{project}",
        "text": "{narration}",
    }
)
_SIDES: Final = MappingProxyType({"debit": "D", "credit": "C"})
_K = OutcomeKind


class InString:
    """The way of one configured operation; the defaults fit ``in-string.wsdl``, ours."""

    name: str = "in-string"
    contract: str = "in-string.wsdl"

    def __init__(
        self,
        *,
        operation: str = "receiveVoucher",
        at: str = "document",
        format: Literal["json", "xml", "elements"] = "json",
        encoding: Literal["UTF-8", "GBK"] = "UTF-8",
        schema: str = "in-string.xsd",
        root: str = "voucher",
        head: dict[str, str] | None = None,
        posting: dict[str, str] | None = None,
        postings_at: str = "posting",
        sides: dict[str, str] | None = None,
        ignored: tuple[str, ...] = (),
        reply_at: str = "return",
        reply_inside: bool = True,
        success: str = "code",
        success_values: tuple[str, ...] = ("0",),
        refused_values: tuple[str, ...] = ("1",),
        duplicate_values: tuple[str, ...] = (),
        number: str = "number",
        reference: str = "reference",
        message: str = "message",
        reference_length: int = 36,
        reference_case: Literal["kept", "upper"] = "kept",
    ) -> None:
        """Check the options; raises ConfigurationError CB-176."""
        if not success_values or not success:
            raise wrong_template(
                "success and success_values must say what proves that a voucher is posted"
            )
        values = (*success_values, *refused_values, *duplicate_values)
        if not all(values):
            raise wrong_template(
                "a value is empty; every answer without the element would match it"
            )
        if len(set(values)) != len(values):
            raise wrong_template("one value has two meanings; give each value one meaning")
        self._operation, self._at, self._format = operation, at, format
        self._encoding: Literal["UTF-8", "GBK"] = encoding
        self._schema, self._root = schema, root
        self._template = VoucherTemplate(
            _HEAD if head is None else head,
            _POSTING if posting is None else posting,
            postings_at=postings_at,
            sides=_SIDES if sides is None else sides,
            ignored=ignored,
        )
        self._reply_at, self._inside = tuple(steps_of(reply_at)), reply_inside
        self._meaning: Mapping[str, OutcomeKind] = (
            dict.fromkeys(success_values, _K.POSTED)
            | dict.fromkeys(refused_values, _K.REJECTED)
            | dict.fromkeys(duplicate_values, _K.DUPLICATE)
        )
        self._paths = {
            "success": tuple(steps_of(success)),
            "number": tuple(steps_of(number)),
            "reference": tuple(steps_of(reference)),
            "message": tuple(steps_of(message)),
        }
        self.no_place: Mapping[str, str] = self._template.no_place()
        self.capabilities = Capabilities(
            can_query=False,
            can_reverse=False,
            can_list_changes=False,
            unique_reference=bool(duplicate_values),
            reference_length=reference_length,
            reference_case=reference_case,
        )

    def submit(self, submissions: Sequence[Submission]) -> Request:
        """Return the operation with one voucher; raises ClaimError CB-175."""
        document = self._template.document(submissions[0])
        if self._format == "elements":
            return as_request(self._operation, _under(self._at, document))
        plain = as_request(self._operation, document)
        inner = Inner(
            at=self._at,
            schema=self._schema,
            element=self._root,
            body=plain.body,
            sources=plain.sources,
            owners=plain.owners,
            format=self._format,
            encoding=self._encoding,
        )
        return Request(operation=self._operation, body={}, inner=inner)

    def read(self, reply: Reply) -> tuple[Outcome, ...]:
        """Return what the configured values say; POSTED only with the configured number."""
        return (legible(self._read_reply, reply, 1),)

    def read_fault(self, fault: Fault) -> Outcome:
        """Return REJECTED when the fault blames our message, else UNKNOWN."""
        return read_untyped(fault)

    def _read_reply(self, reply: Reply, number: int) -> Outcome:
        answer = reply
        if self._inside:
            answer = read_inner(reply.text(*self._reply_at))
        elif self._reply_at:
            answers = reply.all(*self._reply_at)
            if len(answers) != 1:
                return unknown(f"the reply holds {len(answers)} answers")
            answer = answers[0]
        return msgspec.structs.replace(self._read(answer, number), drift=answer.drift)

    def _read(self, answer: Reply, number: int) -> Outcome:
        value = self._text(answer, "success")
        reference = self._text(answer, "reference") or None
        kind = self._meaning.get(value)
        message = self._text(answer, "message")
        if kind is None:
            text = f"the options do not name the answer {value!r}: {message}"
            return unknown(text, reference=reference)
        document_number = self._text(answer, "number")
        if kind is _K.REJECTED and document_number:
            text = f"the answer {value!r} refuses, but names the number {document_number}: "
            return unknown(text + message, reference=reference)
        if kind is _K.REJECTED:
            reason = Reason(message or "the ERP refused it without a reason", code=value)
            return Outcome(kind=kind, reference=reference, reasons=(reason,), item=number)
        entry = JournalEntry(document_number) if document_number else None
        if kind is _K.POSTED and entry is None:
            if self._paths["number"]:
                return unknown("the answer says success, but names no number", reference=reference)
            kind = _K.ACKNOWLEDGED
        return Outcome(kind=kind, reference=reference, journal_entry=entry, item=number)

    def _text(self, answer: Reply, what: str) -> str:
        path = self._paths[what]
        return answer.text(*path) if path else ""


def _under(path: str, document: Mapping[str, Any]) -> Mapping[str, Any]:
    for step in reversed(list(steps_of(path))):
        document = {step: document}
    return document
