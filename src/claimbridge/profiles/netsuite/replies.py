"""What NetSuite's answers say: about written records, records asked for, jobs, and in faults.

Success is ``isSuccess="true"`` together with the record's internal id. A refusal is
``isSuccess="false"`` with details in words, in an ordinary reply. Everything else is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final

import msgspec

from claimbridge.errors import DocumentError
from claimbridge.model import JournalEntry, Outcome, OutcomeKind, Reason, as_amount
from claimbridge.model.money import EXACT, summed
from claimbridge.profiles.kit.reading import legible, not_let_in, read_untyped, unknown

if TYPE_CHECKING:
    from claimbridge.contract.calls.fault import Fault
    from claimbridge.contract.calls.replies import Reply

_K = OutcomeKind
_TRUE: Final = frozenset({"true", "1"})
_FALSE: Final = frozenset({"false", "0"})

ABSENT: Final = "RCRD_DSNT_EXIST"
BUSY: Final = frozenset(
    {
        "ACCT_TEMP_UNAVAILABLE",
        "CONCURRENCY_LIMIT_EXCEEDED",
        "EXCEEDED_MAX_CONCUR_RQST",
        "EXCEEDED_MAX_SESSIONS",
        "SSS_REQUEST_LIMIT_EXCEEDED",
        "WS_CONCUR_SESSION_DISALLWD",
        "WS_EXCEEDED_CONCUR_USERS_ALLWD",
    }
)
"""Codes of a status that say: not now."""
UNCLEAR: Final = frozenset(
    {
        # Another call, perhaps an earlier one of ours, has written the record.
        "CANT_UPDATE_RECRD_HAS_CHANGED",
        "DUP_RCRD",
        "RCRD_HAS_BEEN_CHANGED",
        # Nobody knows how far it went.
        "JE_UNEXPECTED_ERROR",
        "SESSION_TIMED_OUT",
        "SSS_APP_SERVER_RESTART",
        "UNEXPECTED_ERROR",
        "UNEXPECTED_FAILURE",
    }
)
"""Codes of a status that do not prove that nothing was written."""
NOT_ADMITTED: Final = frozenset(
    {
        "ACCESS_DENIED",
        "ACCT_DISABLED",
        "ACCT_TEMP_DISABLED",
        "ACTIVE_ROLE_REQD",
        "FEATURE_DISABLED",
        "FEATURE_UNAVAILABLE",
        "INSUFFICIENT_FLD_PERMISSION",
        "INSUFFICIENT_PERMISSION",
        "INVALID_LOGIN",
        "INVALID_LOGIN_ATTEMPT",
        "INVALID_LOGIN_CREDENTIALS",
        "INVALID_LOGIN_IP",
        "INVALID_ROLE",
        "INVALID_SESSION",
        "LOGIN_DISABLED",
        "LOGIN_REQD",
        "NOT_ENOUGH_PERMISSIONS",
        "PERMISSION_VIOLATION",
        "REQUIRED_FEATURE_IS_NOT_ENABLED",
        "ROLE_REQD",
        "ROLE_REQUIRED",
        "TWO_FA_AUTH_REQD",
        "USER_DISABLED",
        "WS_FEATURE_REQD",
        "WS_PERMISSION_REQD",
    }
)
"""Codes of a status about who calls and what the role may do, in the contract's own list.

The claim is in order, and the same request fails again until an administrator changes the role, or
``omit`` leaves out the field that the role may not set.
"""

_THROTTLING: Final = frozenset(
    {"exceededConcurrentRequestLimitFault", "exceededRequestLimitFault", "exceededUsageLimitFault"}
)
_TOO_LARGE: Final = frozenset({"exceededRecordCountFault", "exceededRequestSizeFault"})
# NetSuite checks the caller first: nothing was done, and the same call fails again.
_NOT_ADMITTED_FAULTS: Final = frozenset(
    {
        "insufficientPermissionFault",
        "invalidAccountFault",
        "invalidCredentialsFault",
        "invalidSessionFault",
        "invalidVersionFault",
    }
)


# NetSuite reads the whole request before it calls anything. What its reader does not know it
# refuses in these words, with no typed detail. Other words of a reader (SAXParseException, "could
# not find deserializer") are also what a gateway says when it cannot read NetSuite's answer.
_UNREADABLE: Final = re.compile(
    r"(?:java\.io\.IOException: *)?org\.xml\.sax\.SAXException: *\S+ is not a legal element\b"
)
_AXIS: Final = "{http://xml.apache.org/axis/}"


class Records(msgspec.Struct, frozen=True, kw_only=True):
    """How records are read: ``written`` is the outcome of a record that was just written.

    A record asked for is POSTED only if it shows that it is approved. ``currencies`` are ISO codes
    by internal id.
    """

    written: OutcomeKind
    currencies: Mapping[str, str] = {}

    def read(self, reply: Reply) -> tuple[Outcome, ...]:
        """Return what became of written records, or which of those asked for NetSuite holds."""
        if reply.local == "upsertResponse":
            parts, read = reply.all("writeResponse"), self._read_written
        elif reply.local == "getAsyncResultResponse":
            parts = reply.all("asyncResult", "writeResponseList", "writeResponse")
            read = self._read_result
        elif reply.local == "getListResponse":
            parts, read = reply.all("readResponseList", "readResponse"), self._read_record
        else:
            return (unknown(f"the reply is a {reply.local}, which is about no record"),)
        outcomes = tuple(legible(read, part, number) for number, part in enumerate(parts, start=1))
        return outcomes or (unknown(f"the {reply.local} names no record"),)

    def _read_written(self, part: Reply, number: int) -> Outcome:
        success = part.text("status", "@isSuccess")
        id_ = part.text("baseRef", "@internalId")
        reference = part.text("baseRef", "@externalId") or None
        if success in _TRUE and id_:
            entry = JournalEntry(id_)
            return Outcome(kind=self.written, reference=reference, journal_entry=entry, item=number)
        if success in _FALSE and not id_:
            return _read_refusal(part, reference, number)
        # A refused update names the existing record.
        text = f"isSuccess is {success!r}, and the record's internal id {id_!r}"
        return unknown(text, reference=reference, item=number)

    def _read_result(self, part: Reply, number: int) -> Outcome:
        """Read the answer to one record of a job: the job itself was let in.

        So a refusal of the caller does not prove that none of the job's records was written.
        """
        outcome = self._read_written(part, number)
        if outcome.kind is not _K.NOT_DELIVERED:
            return outcome
        return unknown(outcome.text, reference=outcome.reference, item=number)

    def _read_record(self, part: Reply, number: int) -> Outcome:
        success = part.text("status", "@isSuccess")
        id_ = part.text("record", "@internalId")
        reference = part.text("record", "@externalId") or None
        if success in _TRUE and id_:
            is_report = _is_report(part)
            approval = part.text("record", "accountingApproval" if is_report else "approved")
            if is_report and approval not in _TRUE | _FALSE:
                # A report without approval is not in the books.
                text = f"expense report {id_} does not say whether accounting has approved it"
                return unknown(text, reference=reference, item=number)
            return Outcome(
                # Without evidence of approval nothing counts as in the books.
                kind=_K.POSTED if approval in _TRUE else _K.ACKNOWLEDGED,
                reference=reference,
                journal_entry=JournalEntry(id_),
                totals=self._report_totals(part) if is_report else self._totals(part),
                item=number,
            )
        reasons = reasons_of(part)
        codes = {reason.code.upper() for reason in reasons}
        if success in _FALSE and not id_ and codes == {ABSENT}:
            return Outcome(kind=_K.ABSENT, item=number)
        if success in _FALSE and codes & BUSY:
            return _busy(reasons, reference, number)
        text = f"isSuccess is {success!r}, {_reasons_text(reasons) or 'without a reason'}"
        return unknown(text, reference=reference, item=number)

    def _totals(self, part: Reply) -> dict[str, Decimal]:
        """Return the debits by currency; {} when the record says too little for that.

        A journal entry balances: if debits and credits differ, some lines were not read.
        """
        currency = self._currency(part, "currency")
        lines = part.all("record", "lineList", "line")
        debit, credit = (
            summed(_double(line, side) for line in lines) for side in ("debit", "credit")
        )
        return _debits(debit, currency) if debit == credit else {}

    def _report_totals(self, part: Reply) -> dict[str, Decimal]:
        """Return an expense report's debits by currency; {} when the report says too little.

        The debits are the lines' amounts, taxes by themselves, as in the voucher. If the lines do
        not add up to the head's amount, some lines were not read.
        """
        lines = part.all("record", "expenseList", "expense")
        net = [_double(line, "amount") for line in lines]
        taxes = [_double(line, "tax1Amt") for line in lines]
        gross = [*map(EXACT.add, net, taxes)]
        # An account without taxes gives no gross amounts.
        if any(
            line.text("grossAmt") and _double(line, "grossAmt") != sum_
            for line, sum_ in zip(lines, gross, strict=True)
        ):
            return {}
        if part.text("record", "amount"):
            # Oracle: "the total of all line items minus any advances". Oracle does not say whether
            # lines that a card paid count.
            own = (
                one
                for one, line in zip(gross, lines, strict=True)
                if line.text("corporateCreditCard") not in _TRUE
            )
            amounts = (part.text("record", name) or "0" for name in ("amount", "advance"))
            if summed(map(_number, amounts)) not in (summed(gross), summed(own)):
                return {}
        debit = summed(one for one in (*net, *taxes) if one > 0)
        return _debits(debit, self._currency(part, "expenseReportCurrency"))

    def _currency(self, part: Reply, name: str) -> str:
        configured = self.currencies.get(part.text("record", name, "@internalId"), "")
        names = (
            part.text("record", name, "@externalId"),
            part.text("record", name, "name"),
        )
        return configured or next((one for one in names if _ISO.fullmatch(one)), "")


_ISO: Final = re.compile(r"[A-Z]{3}")


def _is_report(part: Reply) -> bool:
    """Say whether a record is an expense report, by its type or by fields of reports alone."""
    kind = part.text("record", "@xsi:type").rpartition(":")[2]
    own = (part.find("record", name) for name in ("expenseList", "accountingApproval"))
    return kind == "ExpenseReport" or any(one is not None for one in own)


def _debits(debit: Decimal, currency: str) -> dict[str, Decimal]:
    if not currency or not debit:
        return {}
    # A double may come as 1.13E7, or with decimals that the currency does not have.
    return {currency: as_amount(f"{debit.normalize(EXACT):f}", currency, what="a debit")}


def _double(line: Reply, name: str) -> Decimal:
    return _number(line.text(name) or "0")


def read_fault(fault: Fault) -> Outcome:
    """Return what a typed detail says; a fault without one does not concern our record."""
    detail = fault.detail
    local = "" if detail is None else detail.local
    text = f"{local}: {fault.reason}" if detail is None else f"{local}: {_words(detail, fault)}"
    if local in _THROTTLING:
        return Outcome(kind=_K.UNAVAILABLE, text=text)
    if local in _NOT_ADMITTED_FAULTS:
        return not_let_in(text)
    if _is_unreadable(fault):
        return Outcome(kind=_K.REJECTED, reasons=(_our_fault(fault),))
    if local in _TOO_LARGE and detail is not None:
        reason = Reason(_words(detail, fault), code=_first(detail, "code"))
        return Outcome(kind=_K.REJECTED, reasons=(reason,))
    if local:
        # unexpectedErrorFault may come after the commit; asyncFault is about a job.
        return unknown(text)
    return read_untyped(fault, typed=True)


def _is_unreadable(fault: Fault) -> bool:
    """Say whether NetSuite's XML reader refused the request, before anything was executed."""
    detail = fault.detail
    own = detail is not None and not detail.name.startswith(_AXIS)
    return not own and _UNREADABLE.match(fault.reason) is not None


def _our_fault(fault: Fault) -> Reason:
    return Reason(
        "NetSuite cannot read claimbridge's request; the claim is not the reason: "
        f"{fault.reason}; lock your account's own contract (claimbridge contract lock), or leave "
        "the element out (omit)",
        code=fault.code,
    )


def job_of(reply: Reply) -> tuple[str, str]:
    """Return the id and the status of an asynchronous job; "" for one that is missing."""
    path = "asyncStatusResult"
    return reply.text(path, "jobId"), reply.text(path, "status")


def _read_refusal(part: Reply, reference: str | None, number: int) -> Outcome:
    """Read a refusal; it is UNKNOWN if it may have come after the writing, or without words."""
    reasons = reasons_of(part)
    codes = {reason.code.upper() for reason in reasons}
    late = any(one in _TRUE for one in part.texts("status", "statusDetail", "afterSubmitFailed"))
    if late or codes & UNCLEAR or not reasons or "" in codes:
        # afterSubmit scripts run after the record is saved; their failure undoes nothing. A refusal
        # whose code was lost may be about a duplicate.
        text = (
            f"NetSuite refuses {'after saving' if late else 'unclearly'}: {_reasons_text(reasons)}"
        )
        return unknown(text, reference=reference, item=number)
    if codes & BUSY:
        return _busy(reasons, reference, number)
    if codes <= NOT_ADMITTED:
        text = (
            f"NetSuite does not let the role do this: {_reasons_text(reasons)}; change the role, "
            "or leave out what it may not set (omit)"
        )
        return not_let_in(text, reference=reference, item=number)
    return Outcome(kind=_K.REJECTED, reference=reference, reasons=reasons, item=number)


def reasons_of(part: Reply) -> tuple[Reason, ...]:
    """Return the errors of a status, without its warnings."""
    details = [
        one for one in part.all("status", "statusDetail") if one.text("@type") in {"", "ERROR"}
    ]
    return tuple(
        Reason(one.text("message") or one.text("code"), code=one.text("code"))
        for one in details
        if one.text("message") or one.text("code")
    )


def _busy(reasons: Sequence[Reason], reference: str | None, number: int) -> Outcome:
    text = f"NetSuite is busy: {_reasons_text(reasons)}"
    return Outcome(kind=_K.UNAVAILABLE, reference=reference, text=text, item=number)


def _reasons_text(reasons: Sequence[Reason]) -> str:
    return "; ".join(map(str, reasons))


def _words(detail: Reply, fault: Fault) -> str:
    return _first(detail, "message") or fault.reason


def _first(detail: Reply, name: str) -> str:
    """Return a text that only explains; of two, the first is enough."""
    return next(iter(detail.texts(name)), "")


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise DocumentError(f"the reply gives {text!r} as a debit", code="CB-155")
    return number
