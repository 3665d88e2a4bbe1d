"""What Workday's profile reads from faults, in every way in which tenants write them."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.profiles.samples import TRIP, submission

from claimbridge.contract import Bundle, Contract, Reply
from claimbridge.contract.calls.fault import Fault
from claimbridge.model import Outcome, Voucher
from claimbridge.model import OutcomeKind as K
from claimbridge.profiles.request import Request
from claimbridge.profiles.workday.profile import Workday
from claimbridge.soap.envelope import NAMESPACES, SOAP11, SOAP12, SoapReply, open_envelope
from claimbridge.xmlio import parse

OURS = Contract.load(Bundle.from_package("workday.wsdl"))
ADD_ONLY = "The Web Service is set to Add Only; documents cannot be resubmitted."
IN_GERMAN = "Der Webdienst darf nur hinzufügen; der Beleg kann nicht noch einmal kommen."
NO_ID = "Invalid ID value.  'EXP-1' is not a valid ID value for type = 'Accounting_Journal_ID'"
REQUEST = "Submit_Accounting_Journal_Request"
DATA = "Accounting_Journal_Data"
LINE = "Journal_Entry_Line_Replacement_Data"
ASKED = "Get_Journals_Request/Request_References/JournalEntryReference"


def fault(said: str = "", *, code: str = "validationError", soap: str = SOAP11) -> Fault:
    """The fault of a whole message, as our wire opens it; ``said`` is its detail or its reason."""
    detail, reason = (said, "Failed") if said.startswith("<") else ("", said)
    side = "Server" if code == "processingError" else "Client"
    parts = {
        SOAP11: f"<faultcode>e:{side}.{code}</faultcode><faultstring>{reason}</faultstring>"
        + (f"<detail>{detail}</detail>" if detail else ""),
        SOAP12: "<e:Code><e:Value>e:Sender</e:Value>"
        f"<e:Subcode><e:Value>wd:{code}</e:Value></e:Subcode></e:Code>"
        f"<e:Reason><e:Text xml:lang='en'>{reason}</e:Text></e:Reason>"
        + (f"<e:Detail>{detail}</e:Detail>" if detail else ""),
    }
    message = (
        f'<e:Envelope xmlns:e="{NAMESPACES[soap]}" xmlns:wd="urn:com.workday/bsvc"><e:Body>'
        f"<e:Fault>{parts[soap]}</e:Fault></e:Body></e:Envelope>"
    )
    found = SoapReply(open_envelope(message.encode())).content(OURS)
    assert isinstance(found, Fault)
    return found


def errors(*pairs: tuple[str, str], prefix: str = "wd") -> str:
    """A Validation_Fault with an error for each pair of words and place."""
    listed = "".join(
        f"<{prefix}:Validation_Error><{prefix}:Message>{words}</{prefix}:Message>"
        f"<{prefix}:Xpath>{place}</{prefix}:Xpath></{prefix}:Validation_Error>"
        for words, place in pairs
    )
    space = f'xmlns:{prefix}="urn:com.workday/bsvc"'
    return f"<{prefix}:Validation_Fault {space}>{listed}</{prefix}:Validation_Fault>"


def refused(*pairs: tuple[str, str]) -> Outcome:
    """What a Validation_Fault with these errors says."""
    return Workday().read_fault(fault(errors(*pairs)))


def told(outcome: Outcome) -> list[str]:
    return [str(reason) for reason in outcome.reasons]


WRITINGS = {
    "plain": lambda path: f"/{path}",
    "relative": lambda path: path,
    "prefixes": lambda path: "/" + "/".join(_prefixed(step, "bsvc") for step in path.split("/")),
    "counts": lambda path: "/" + "/".join(_counted(step, "wd") for step in path.split("/")),
    "envelope": lambda path: f"/env:Envelope[1]/env:Body[1]/{path}",
    "axes": lambda path: "/" + "/".join(f"child::{step}" for step in path.split("/")),
    "clark": lambda path: "/" + path.replace("/", "/{urn:com.workday/bsvc}"),
    "text": lambda path: f"/{path}/text()",
}


def _prefixed(step: str, prefix: str) -> str:
    return f"@{prefix}:{step[1:]}" if step.startswith("@") else f"{prefix}:{step}"


def _counted(step: str, prefix: str) -> str:
    own = _prefixed(step, prefix)
    return own if step.startswith("@") or step.endswith("]") else f"{own}[1]"


@pytest.mark.parametrize("soap", [SOAP11, SOAP12])
@pytest.mark.parametrize("writing", WRITINGS)
@pytest.mark.parametrize(
    "path", [f"{REQUEST}/{DATA}/Accounting_Journal_ID", f"{REQUEST}/@Add_Only"]
)
def test_at_the_id_it_is_a_repeat(path: str, writing: str, soap: str) -> None:
    """However the place is written, and whatever the words are."""
    found = fault(errors(("wir haben das schon", WRITINGS[writing](path))), soap=soap)
    assert Workday().read_fault(found).kind is K.DUPLICATE


@pytest.mark.parametrize("path", [REQUEST, f"{REQUEST}/{DATA}", ""])
@pytest.mark.parametrize("writing", ["plain", "counts", "envelope"])
def test_the_contracts_own_words_are_a_repeat_wherever_the_whole_is_meant(
    path: str, writing: str
) -> None:
    """The contract says them of the whole request; other words there refuse, with their reason."""
    place = WRITINGS[writing](path) if path else ""
    assert refused((ADD_ONLY, place)).kind is K.DUPLICATE
    assert refused((f"  {ADD_ONLY.upper()} ", place)).kind is K.DUPLICATE
    other = refused(("The ledger period status is not valid.", place))
    assert (other.kind, told(other)[0].rpartition(": ")[2]) == (
        K.REJECTED, "The ledger period status is not valid.",
    )  # fmt: skip


def test_a_repeat_among_other_errors_is_a_repeat() -> None:
    """A journal with our id exists, whatever else is wrong with the second one."""
    line = f"/{REQUEST}[1]/{DATA}[1]/{LINE}[2]/Worktags_Reference[1]"
    assert refused(("no such cost center", line), (ADD_ONLY, f"/{REQUEST}[1]")).kind is K.DUPLICATE
    # What is said of a line is no word about the journal.
    assert refused((ADD_ONLY, line)).kind is K.REJECTED


def test_an_error_without_words_or_without_its_place_about_the_id_is_no_refusal() -> None:
    """It may be the one that says that the journal is there."""
    assert refused().kind is K.REJECTED  # the fault's own sentence is its reason
    assert refused(("", "")).kind is K.UNKNOWN
    assert refused((NO_ID, "")).kind is K.UNKNOWN
    assert refused(("closed", "/Journal/Date")).kind is K.UNKNOWN


@pytest.mark.parametrize(
    ("words", "place"), [("", ""), (NO_ID, ""), ("closed", "/Journal/Date"), ("closed", "")]
)
def test_what_is_no_refusal_by_itself_is_asked_about(words: str, place: str) -> None:
    """Where Workday has the journal, it was the refusal of a repeat; else the doubt stays."""
    found = fault(errors((words, place)))
    assert answered(found, ABSENT).kind is K.UNKNOWN
    assert answered(found, journal("POSTED")).kind is K.DUPLICATE
    assert answered(found, processing("busy")).kind is K.UNKNOWN


@pytest.mark.parametrize("writing", WRITINGS)
@pytest.mark.parametrize("path", [ASKED, f"{ASKED}[1]", f"{ASKED}/ID", f"{ASKED}[1]/ID[1]"])
def test_at_the_reference_asked_for_it_is_an_absence(path: str, writing: str) -> None:
    """Only if the error says that this id is none; elsewhere it proves nothing."""
    place = WRITINGS[writing](path)
    assert refused((NO_ID, place)).kind is K.ABSENT
    assert refused((f"  {NO_ID.upper()}. ", place)).kind is K.ABSENT
    assert refused(("You have no access to this.", place)).kind is K.UNKNOWN
    assert refused((NO_ID, "/wd:Get_Journals_Request[1]")).kind is K.UNKNOWN
    assert refused((NO_ID, place), ("busy", "/wd:Get_Journals_Request")).kind is K.UNKNOWN


def of_question(*errors_: tuple[str, str], reference: str = "EXP-1") -> Outcome:
    """What the question for one journal ends with, answered by these errors."""
    return answered(fault(errors(*errors_)), request=Workday().query([reference]), harmless=True)


TYPE = "type = 'Accounting_Journal_ID'"


@pytest.mark.parametrize(
    "words",
    [
        f"You do not have security access to this object ({TYPE})",
        f"You do not have security access to 'EXP-1' ({TYPE})",
        f"The object 'EXP-1' ({TYPE}) is locked by another process.",
        f"The ID 'EXP-1' for {TYPE} finds several objects.",
        f"Could not tell whether 'EXP-1' is not a valid ID value for {TYPE}",
        "Invalid ID value.  'EXP-1' is not a valid ID value for type = 'Company_Reference_ID'",
        f"Invalid ID value.  'EXP-2' is not a valid ID value for {TYPE}",
        f"Invalid ID value.  'XEXP-1' is not a valid ID value for {TYPE}",
        "Ungültiger ID-Wert. 'EXP-1' ist kein gültiger ID-Wert für Typ = 'Accounting_Journal_ID'",
    ],
)
def test_any_other_error_about_the_id_proves_no_absence(words: str) -> None:
    """The journal may be there: locked, hidden from this user, or under another id."""
    place = f"/{ASKED}[1]/ID[1]"
    assert of_question((NO_ID, place)).kind is K.ABSENT
    assert of_question((NO_ID.lower(), place)).kind is K.ABSENT
    found = of_question((words, place))
    assert found.kind is K.UNKNOWN
    assert words in found.text
    assert of_question((NO_ID, place), (words, place)).kind is K.UNKNOWN


def test_a_validation_fault_without_a_detail_is_a_refusal() -> None:
    """Its code says what it is; its sentence is the reason, or says that the journal exists."""
    plain = Workday().read_fault(fault("Validation error occurred. No Line of Business."))
    assert (plain.kind, told(plain)) == (K.REJECTED, ["No Line of Business."])
    repeat = Workday().read_fault(fault(f"Validation error occurred. {ADD_ONLY}"))
    assert repeat.kind is K.DUPLICATE
    # Another server's class alone says nothing: the typed fault may have been lost on the way.
    assert Workday().read_fault(Fault("Client", "no")).kind is K.UNKNOWN


@pytest.mark.parametrize("soap", [SOAP11, SOAP12])
def test_a_wrong_password_is_not_delivered(soap: str) -> None:
    """Nothing was read of the request, and it is useless to repeat it."""
    outcome = Workday().read_fault(fault("who are you?", code="authenticationError", soap=soap))
    assert (outcome.kind, outcome.retry_is_useless) == (K.NOT_DELIVERED, True)
    assert "auth.password" in outcome.text


def processing(detail: str, *, reason: str = "Processing error occurred. {}") -> Fault:
    held = "" if detail == "-" else f"<wd:Detail_Message>{detail}</wd:Detail_Message>"
    body = f'<wd:Processing_Fault xmlns:wd="urn:com.workday/bsvc">{held}</wd:Processing_Fault>'
    found = fault(body, code="processingError")
    return replace(found, reason=reason.format("" if detail == "-" else detail))


NOT_AUTHORIZED = "The task submitted is not authorized."


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (processing(NOT_AUTHORIZED), K.NOT_DELIVERED),
        (processing("the task  submitted is not authorized"), K.NOT_DELIVERED),
        (processing("-", reason=f"Processing error occurred. {NOT_AUTHORIZED}"), K.NOT_DELIVERED),
        (fault(f"Processing error occurred. {NOT_AUTHORIZED}", code="processingError"),
         K.NOT_DELIVERED),
        (processing("The task submitted is not authorized for this journal"), K.UNKNOWN),
        (processing(NOT_AUTHORIZED, reason="The journal was saved, and its print was not."),
         K.UNKNOWN),
        (processing("The step after posting is not authorized."), K.UNKNOWN),
        (processing("-"), K.UNKNOWN),
        (fault(NOT_AUTHORIZED, code="validationError"), K.REJECTED),
    ],
)  # fmt: skip
def test_only_the_very_sentence_says_that_the_task_is_not_authorized(found: Fault, kind: K) -> None:
    """Any other processing fault may come after the commit."""
    outcome = Workday().read_fault(found)
    assert (outcome.kind, outcome.retry_is_useless) == (kind, kind is K.NOT_DELIVERED)


def answered(
    *answers: Fault | Reply, request: Request | None = None, harmless: bool = False
) -> Outcome:
    """What the conversation about a journal ends with, each call answered by the next of these.

    ``harmless``: the request is a question, and no submission.
    """
    talk = Workday().converse(request or Workday().submit([submission(plain_trip())]))
    step = next(talk)
    try:
        for number, answer in enumerate(answers):
            assert isinstance(step, Request)
            assert harmless or step.harmless is bool(number)
            step = talk.send(answer)
    except StopIteration as end:
        (outcome,) = end.value
        assert isinstance(outcome, Outcome)
        return outcome
    raise AssertionError(f"it goes on with {step}")


def plain_trip() -> Voucher:
    return replace(TRIP, postings=tuple(replace(one, dimensions={}) for one in TRIP.postings))


def journal(status: str, reference: str = "EXP-2026-0042") -> Reply:
    return OURS.reply(
        parse(
            '<wd:Get_Journals_Response xmlns:wd="urn:com.workday/bsvc"><wd:Response_Data>'
            "<wd:Journal_Entry><wd:Journal_Entry_Data><wd:Journal_Number>J 1</wd:Journal_Number>"
            f'<wd:Journal_Status_Reference><wd:ID wd:type="Journal_Entry_Status_ID">{status}'
            f"</wd:ID></wd:Journal_Status_Reference><wd:External_Reference_ID>{reference}"
            "</wd:External_Reference_ID></wd:Journal_Entry_Data></wd:Journal_Entry>"
            "</wd:Response_Data></wd:Get_Journals_Response>".encode()
        )
    )


ABSENT = fault(errors((NO_ID.replace("EXP-1", "EXP-2026-0042"), f"/{ASKED}[1]")))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (ABSENT, K.UNKNOWN),
        (journal("POSTED"), K.DUPLICATE),
        (journal("In_Progress"), K.DUPLICATE),
        (journal("Canceled"), K.UNKNOWN),
        (journal("POSTED", "EXP-9"), K.UNKNOWN),
        (fault("who are you?", code="authenticationError"), K.UNKNOWN),
        (processing(NOT_AUTHORIZED), K.UNKNOWN),
        (processing("busy"), K.UNKNOWN),
        (fault(errors(("no", ""))), K.UNKNOWN),
    ],
)
@pytest.mark.parametrize(
    "place",
    [
        f"/{REQUEST}[1]",
        f"/{REQUEST}[1]/{DATA}[1]",
        f"/{REQUEST}[1]/{DATA}[1]/External_Reference_ID[1]",
        "",
    ],
)
def test_a_refusal_of_the_whole_in_other_words_is_asked_about(
    place: str, answer: Fault | Reply, kind: K
) -> None:
    """In a language that we do not know it may be that of a repeat: Workday is asked.

    "There is none" is too early: a twin of the request may be under way. The reasons stay.
    """
    outcome = answered(fault(errors((IN_GERMAN, place))), answer)
    assert outcome.kind is kind
    assert IN_GERMAN in outcome.text
    if answer is ABSENT:
        assert told(outcome) == [IN_GERMAN]


def test_a_wrong_password_is_the_callers_fault() -> None:
    """A server that failed says nothing of how far it came."""
    assert Workday().read_fault(Fault("Server.authenticationError", "no")).kind is K.UNKNOWN


def test_a_refusal_of_a_part_needs_no_question_and_names_its_claim_field() -> None:
    """Counts in the XPath lead to the posting's own line."""
    posting = plain_trip().postings[1]
    path = f"/wd:{REQUEST}[1]/wd:{DATA}[1]/wd:{LINE}[2]/wd:Ledger_Account_Reference[1]/wd:ID[1]"
    outcome = answered(fault(errors(("retired", path))))
    (reason,) = outcome.reasons
    assert (outcome.kind, reason.field) == (K.REJECTED, f"{posting.source.partition('.')[0]}.type")


def test_a_refusal_of_the_whole_names_no_field() -> None:
    """The first field below it would be a wrong one."""
    outcome = answered(fault(errors(("not balanced", f"/{REQUEST}/{DATA}"))), ABSENT)
    assert told(outcome) == ["not balanced"]


def test_what_an_error_says_is_told_once() -> None:
    """Of the sentence for people and the technical one, each where it says something of its own."""

    def words(message: str, detail: str) -> str:
        body = errors(("MESSAGE", f"/{REQUEST}/{DATA}/Accounting_Date")).replace(
            "<wd:Message>MESSAGE</wd:Message>",
            f"<wd:Message>{message}</wd:Message><wd:Detail_Message>{detail}</wd:Detail_Message>",
        )
        (reason,) = Workday().read_fault(fault(body)).reasons
        return reason.text

    assert words("Validation error occurred.", "closed") == "closed"
    assert words("closed", "Parm Date Restricted by Period-closed{+1}") == "closed"
    assert words("Check this field.", "closed") == "Check this field. (closed)"
    assert words("closed", "") == "closed"
