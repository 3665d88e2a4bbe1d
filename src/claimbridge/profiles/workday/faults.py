"""Reading Workday's faults: a refusal, a repeat, an absence, or a door that stays shut.

Facts it is built on:

- A ``Validation_Fault`` refuses the whole request, with several errors; each may point at its place
  by an XPath (public recordings: ``/bsvc:X_Request[1]/bsvc:Y_Data[1]/bsvc:Z[3]``, or nothing).
- The contract (v30.0) lists what is said of the request of ``Submit_Accounting_Journal`` as a
  whole: each of these sentences but one says that there is a journal with its id.
- ``Client.authenticationError`` is a wrong user or password (public logs of several connectors).
- "The task submitted is not authorized." is a ``Processing_Fault`` for a user who may not call this
  operation at all; public clients meet it for operations that their user has no right to. Workday
  gives no code with it, so that only its English words count. Any other ``Processing_Fault`` does
  not say how far the processing went.
- For an id that nobody has, the error stands at the reference and says so:
  ``Invalid ID value.  'X' is not a valid ID value for type = 'Accounting_Journal_ID'``. Other
  errors there (no access, locked) name the id or its type as well, and prove nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from claimbridge.contract.calls.fault import Fault
from claimbridge.model import Outcome, OutcomeKind, Reason
from claimbridge.profiles.kit.reading import legible, not_let_in, read_untyped, unknown

if TYPE_CHECKING:
    from collections.abc import Sequence


JOURNAL_ID: Final = "Accounting_Journal_ID"
_DATA: Final = "Accounting_Journal_Data"
_GENERAL: Final = "Validation error occurred."
_FAILED: Final = "Processing error occurred."
_NOT_AUTHORIZED: Final = "The task submitted is not authorized."
# What contract v30.0 says of the whole request where there is a journal with its id.
_EXISTS: Final = (
    "The Web Service is set to Add Only; documents cannot be resubmitted.",
    "The Accounting Journal is posted or canceled or is an intercompany or reversal journal and "
    "cannot be submitted.",
    'Journals with a status of "Correct In Progress" are not supported in the web service.',
    "The header company can not be changed when updating an existing accounting journal.",
)
# As ``_same`` has it. Only these English words: what else is said of an id there is no absence.
_NO_SUCH_ID: Final = re.compile(
    r"(?:^|[ (])invalid id value\. '([^']+)' is not a valid id value for type = "
    rf"'{JOURNAL_ID.casefold()}'"
)
_K = OutcomeKind


class ValidationError(msgspec.Struct, frozen=True):
    """One error of a ``Validation_Fault``.

    ``path`` is its place below the request, its steps without prefixes and with their counts; ""
    for the request as a whole, and where there is no place. ``of_query``: the place lies in a
    question for journals. ``strange``: its place lies in nothing that we know.
    """

    words: str
    path: str
    of_query: bool = False
    strange: bool = False

    @property
    def place(self) -> tuple[str, ...]:
        """The steps of ``path`` without counts; () for the request as a whole."""
        return tuple(_uncounted(step) for step in self.path.split("/") if step)

    @property
    def is_open(self) -> bool:
        """Whether it may be about the journal as a whole, so also that there is one already."""
        inside = len(self.place) > 1 and self.place[0] == _DATA
        return not inside or self.place[1] in {JOURNAL_ID, "External_Reference_ID"}

    @property
    def says_that_it_exists(self) -> bool:
        """Whether it says, by place or words, that there is a journal with this id."""
        at_id = self.place in {(_DATA, JOURNAL_ID), ("Add_Only",)}
        known = any(_same(one) in _same(self.words) for one in _EXISTS)
        return at_id or (self.is_open and known)

    def says_that_no_journal_has(self, reference: str) -> bool:
        """Say whether it says that the reference is no journal's id; "" stands for any."""
        found = _NO_SUCH_ID.search(_same(self.words))
        return found is not None and reference.casefold() in {"", found[1]}

    def names(self, reference: str) -> bool:
        """Say whether the words name the reference, or the type of its id."""
        words = self.words.casefold()
        return JOURNAL_ID.casefold() in words or bool(reference and reference.casefold() in words)


def read_fault(fault: Fault, *, asked: str = "") -> Outcome:
    """Return what a fault says of a journal, or of the one with the reference ``asked``.

    REJECTED may still be a refusal of a repeat, and UNKNOWN a refusal: see ``may_exist``.
    """
    if _is_unknown_user(fault):
        return not_let_in(
            f"Workday does not know the user or the password: {fault.reason}; check auth.user "
            "(NAME@TENANT) and auth.password, and that the user's password has not expired"
        )
    if _is_unauthorized(fault):
        return not_let_in(
            f"Workday does not let this user call the operation: {fault.reason}; give the user's "
            "security group the right to it, and activate the pending security policy changes"
        )
    if not _is_validation(fault):
        return read_untyped(fault, typed=True)
    if fault.detail is None:
        return _verdict(_errors(fault), asked, 1)
    return legible(lambda _, number: _verdict(_errors(fault), asked, number), fault.detail, 1)


def may_exist(fault: Fault) -> bool:
    """Say whether a validation may have refused a repeat: ask whether the journal is there.

    An error about the request as a whole may say so in words that we do not know.
    """
    return _is_validation(fault) and any(one.is_open for one in _errors(fault))


def refusal(fault: Fault) -> Outcome:
    """Return what a validation means if Workday says that there is no journal: its reasons."""
    return _refused(_errors(fault), 1)


def _verdict(errors: Sequence[ValidationError], asked: str, number: int) -> Outcome:
    words = [one.words for one in errors if one.words]
    if errors and all(one.of_query for one in errors):
        return _of_question(errors, asked, number)
    if any(one.says_that_it_exists for one in errors):
        return Outcome(kind=_K.DUPLICATE, text="; ".join(words), item=number)
    # Without its place, an error about the id may be that of a repeat, or of an absence.
    unplaced = [one for one in errors if one.strange or (not one.path and one.names(asked))]
    if not words or unplaced:
        why = "; ".join(words) or "no reason"
        return unknown(f"Workday refuses without a place: {why}", item=number)
    return _refused(errors, number)


def _refused(errors: Sequence[ValidationError], number: int) -> Outcome:
    reasons = tuple(Reason(one.words or "no reason given", field=one.path) for one in errors)
    return Outcome(kind=_K.REJECTED, reasons=reasons, item=number)


def _of_question(errors: Sequence[ValidationError], asked: str, number: int) -> Outcome:
    """Read the refusal of a question: ABSENT only if each error says that the id asked for is none.

    ``asked`` "" is any id: that of a reply that is read by itself.
    """
    at = ("Request_References", "JournalEntryReference")
    if all(one.place[:2] == at and one.says_that_no_journal_has(asked) for one in errors):
        return Outcome(kind=_K.ABSENT, item=number)
    why = "; ".join(one.words for one in errors if one.words) or "no reason"
    return unknown(f"Workday refuses the question: {why}", item=number)


def _is_validation(fault: Fault) -> bool:
    if fault.detail is not None:
        return fault.detail.local == "Validation_Fault"
    return "validationError" in fault.kinds


def _is_unknown_user(fault: Fault) -> bool:
    """Say whether a fault blames us for the user or the password; a server's own failure is not."""
    ours = fault.code.partition(".")[0] in {"Client", "Sender"}
    return ours and "authenticationError" in fault.kinds


def _is_unauthorized(fault: Fault) -> bool:
    """Say whether each sentence of a fault says that the task is not authorized, and no other."""
    detail = fault.detail
    if detail is not None and detail.local != "Processing_Fault":
        return False
    if detail is None and "processingError" not in fault.kinds:
        return False
    said = [fault.reason, *(detail.texts("Detail_Message") if detail is not None else ())]
    sentences = {_same(one.replace(_FAILED, "", 1)) for one in said} - {""}
    return sentences == {_same(_NOT_AUTHORIZED)}


def _errors(fault: Fault) -> list[ValidationError]:
    """Return the errors of a validation fault; its own sentence is the error if it lists none."""
    listed = fault.detail.all("Validation_Error") if fault.detail is not None else []
    found = [
        _error(_words(one.text("Message"), one.text("Detail_Message")), one.text("Xpath"))
        for one in listed
    ]
    return found or [_error(_words(fault.reason, ""), "")]


def _error(words: str, xpath: str) -> ValidationError:
    steps = _steps(xpath)
    root = next((n for n, step in enumerate(steps) if _uncounted(step).endswith("_Request")), -1)
    name = _uncounted(steps[root]) if root >= 0 else ""
    below = [step for step in steps[root + 1 :] if _uncounted(step) not in _OUTSIDE]
    first = _uncounted(below[0]) if below else ""
    of_query = name == "Get_Journals_Request" or first == "Request_References"
    strange = bool(below) and not name and first not in _PARTS
    return ValidationError(words, "" if strange else "/".join(below), of_query, strange)


# What stands right below the two requests, for places that do not begin with the request.
_PARTS: Final = frozenset({_DATA, "Request_References", "Business_Process_Parameters", "Add_Only"})
_OUTSIDE: Final = frozenset({"Envelope", "Body"})
_NAMESPACE: Final = re.compile(r"\{[^{}]*\}")
_TEST: Final = re.compile(r"\[(?!\d+\])[^\[\]]*\]")


def _steps(xpath: str) -> list[str]:
    """Return an XPath's steps, without prefixes, axes and tests, with their counts."""
    plain = _TEST.sub("", _NAMESPACE.sub("", xpath))
    steps = (step.strip().rpartition(":")[2].lstrip("@") for step in plain.split("/"))
    return [step for step in steps if step not in {"", ".", "text()"}]


def _uncounted(step: str) -> str:
    return step.partition("[")[0]


def _words(message: str, detail: str) -> str:
    """Return what an error says; of a sentence for people and a technical one both, in order."""
    message = message.strip()
    if message.startswith(_GENERAL):
        message = message[len(_GENERAL) :].strip()
    if not message or message in detail:
        # The technical sentence repeats the one for people, with names of Workday's own around it.
        return message or detail
    return f"{message} ({detail})" if detail and detail not in message else message


def _same(sentence: str) -> str:
    """Return a sentence in the form in which it is compared: neither case nor space counts."""
    return " ".join(sentence.split()).rstrip(".").casefold()
