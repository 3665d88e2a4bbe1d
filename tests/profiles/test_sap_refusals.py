"""What SAP's refusals prove: at the door, of the document, or nothing."""

from __future__ import annotations

import pytest
from tests.profiles.samples import reply, submission

from claimbridge.contract.calls.fault import Fault
from claimbridge.contract.calls.replies import Reply
from claimbridge.model import Outcome, OutcomeKind
from claimbridge.profiles import load_profile
from claimbridge.profiles.request import Request
from claimbridge.profiles.sap.bapi import SapBapi
from claimbridge.profiles.sap.journal_entry import SapJournalEntry

K = OutcomeKind
DOOR = Fault("Server", 'SRT: Unsupported xstream found: ("HTTP Code 401 : Unauthorized")')
PROCESSING = Fault("Server", "Web service processing error; more details in the log (UTC …)")
NAMESPACE = "urn:sap-com:document:sap:soap:functions:mc-style"


def ending(request: Request, *answers: Reply | Fault) -> tuple[Outcome, ...]:
    """What the BAPI profile's conversation ends with when it is answered so."""
    talk = SapBapi().converse(request)
    next(talk)
    for answer in answers:
        try:
            talk.send(answer)
        except StopIteration as end:
            outcomes: tuple[Outcome, ...] = end.value
            return outcomes
    raise AssertionError("the conversation goes on")


def xstream(words: str) -> str:
    """The sentence of the runtime as a client, with the HTTP status in it."""
    return f'SRT: Unsupported xstream found: ("HTTP Code {words}")'


@pytest.mark.parametrize("name", ["sap-journal-entry", "sap-bapi"])
@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (DOOR.reason, K.NOT_DELIVERED),
        (f" {DOOR.reason}\n", K.NOT_DELIVERED),
        ("SRT: Unsupported xstream found: (HTTP Code 401)", K.NOT_DELIVERED),
        (xstream("407 : Proxy Authentication Required"), K.NOT_DELIVERED),
        (xstream("404 : Not Found"), K.UNKNOWN),
        (xstream("403 : Forbidden"), K.UNKNOWN),
        (xstream("500 : Error"), K.UNKNOWN),
        (xstream("200 : OK"), K.UNKNOWN),
        ("Document posted, then HTTP Code 401", K.UNKNOWN),
        (f"Document posted. DRC: {DOOR.reason}", K.UNKNOWN),
        (f"Document posted.\n{DOOR.reason}", K.UNKNOWN),
        (f"{DOOR.reason}; document 0100000000 was posted", K.UNKNOWN),
        (xstream("401 : Unauthorized by DRC after posting"), K.UNKNOWN),
        (PROCESSING.reason, K.UNKNOWN),
    ],
)
def test_only_what_ended_at_the_door_is_not_delivered(name: str, words: str, kind: K) -> None:
    """The whole reason says so: a call after the commit uses the same words of its own target."""
    outcome = load_profile(name, {}).read_fault(Fault("Server", words))
    assert (outcome.kind, outcome.retry_is_useless) == (kind, kind is K.NOT_DELIVERED)


@pytest.mark.parametrize("name", ["sap-journal-entry", "sap-bapi"])
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault("Receiver", DOOR.reason), K.NOT_DELIVERED),
        (Fault("Server.Application", DOOR.reason), K.UNKNOWN),
        (Fault("Receiver", DOOR.reason, subcodes=("Application",)), K.UNKNOWN),
        (Fault("", DOOR.reason), K.UNKNOWN),
        (Fault("Server", DOOR.reason, reply("<Document>0100000000</Document>")), K.UNKNOWN),
    ],
)
def test_the_door_is_the_runtime_s_own_and_adds_nothing(name: str, fault: Fault, kind: K) -> None:
    """A class of an application, or a detail, says that somebody had begun."""
    assert load_profile(name, {}).read_fault(fault).kind is kind


@pytest.mark.parametrize("name", ["sap-journal-entry", "sap-bapi"])
@pytest.mark.parametrize("code", ["Client", "Client.Data", "Sender", "MustUnderstand", "Server"])
@pytest.mark.parametrize(
    "words",
    [
        PROCESSING.reason,
        "WEB SERVICE  processing error",
        "Fehler; Details im Protokoll (UTC-Zeitstempel 20261130101010; Transaktions-ID 0A)",
        "处理错误；请参阅提供者端的日志（UTC时间戳20261130101010；事务标识 0A）",
    ],
)
def test_a_processing_error_is_doubt_whatever_its_class(name: str, code: str, words: str) -> None:
    """It hides how far SAP went; in other languages its time in UTC gives it away."""
    assert load_profile(name, {}).read_fault(Fault(code, words)).kind is K.UNKNOWN


@pytest.mark.parametrize("name", ["sap-journal-entry", "sap-bapi"])
def test_a_message_that_is_wrong_is_refused(name: str) -> None:
    """Class Client without that sentence blames the request."""
    fault = Fault("Client", "Error during XML parsing: element CompanyCode is unknown")
    assert load_profile(name, {}).read_fault(fault).kind is K.REJECTED


def test_a_posting_turned_away_at_the_door_is_not_in_doubt() -> None:
    """It is the first call: nothing came before it."""
    request = SapBapi().submit([submission()])
    (outcome,) = ending(request, DOOR)
    assert (outcome.kind, outcome.retry_is_useless) == (K.NOT_DELIVERED, True)


def posted() -> Reply:
    return reply(
        f'<n:AccDocumentPostResponse xmlns:n="{NAMESPACE}"><ObjKey>010000000814102026</ObjKey>'
        "<ObjType>BKPFF</ObjType><Return/></n:AccDocumentPostResponse>"
    )


def committed() -> Reply:
    return reply(f'<n:TransactionCommitResponse xmlns:n="{NAMESPACE}"><Return/></n:x>'.replace(
        "</n:x>", "</n:TransactionCommitResponse>"))  # fmt: skip  # one thought


def test_a_door_that_closes_midway_is_doubt() -> None:
    """The posting before it may have been committed: by a service of one's own, at once."""
    request = SapBapi().submit([submission()])
    assert [one.kind for one in ending(request, posted(), DOOR, DOOR)] == [K.UNKNOWN]
    assert [one.kind for one in ending(request, posted(), committed(), DOOR)] == [K.UNKNOWN]


def test_a_question_turned_away_was_not_asked() -> None:
    """It says what to set, and nothing of the documents."""
    outcomes = ending(SapBapi().query(["A", "B"]), DOOR)
    assert [(one.kind, one.reference) for one in outcomes] == [
        (K.NOT_DELIVERED, "A"),
        (K.NOT_DELIVERED, "B"),
    ]
    assert {one.kind for one in ending(SapBapi().query(["A"]), PROCESSING)} == {K.UNKNOWN}


def duplicate(kind: str) -> Reply:
    return reply(
        f'<n:AccDocumentPostResponse xmlns:n="{NAMESPACE}"><ObjKey>$</ObjKey>'
        f"<Return><item><Type>{kind}</Type><Id>F5</Id><Number>286</Number>"
        "<Message>Check whether document has already been entered</Message></item></Return>"
        "</n:AccDocumentPostResponse>"
    )


def test_the_bapi_s_duplicate_is_asked_for() -> None:
    """As an error it is no refusal like others: the document may be ours, and SAP can be asked."""
    request = SapBapi().submit([submission()])
    rolled_back = reply(f'<n:TransactionRollbackResponse xmlns:n="{NAMESPACE}"/>')
    (outcome,) = ending(request, duplicate("E"), rolled_back)
    assert (outcome.kind, outcome.reference) == (K.DUPLICATE, "EXP-2026-0042")
    assert outcome.journal_entry is None
    (outcome,) = ending(request, duplicate("W"), rolled_back)
    assert outcome.kind is K.UNKNOWN  # neither a number nor an error


def confirmation(*notes: tuple[str, str], number: str = " ") -> Reply:
    items = "".join(
        f"<Item><TypeID>{code}</TypeID><SeverityCode>{severity}</SeverityCode>"
        "<Note>检查凭证是否已输入</Note></Item>"
        for code, severity in notes
    )
    return reply(
        "<JournalEntryBulkCreateConfirmation><JournalEntryCreateConfirmation><MessageHeader>"
        "<ReferenceID>EXP-7</ReferenceID></MessageHeader><JournalEntryCreateConfirmation>"
        f"<AccountingDocument>{number}</AccountingDocument><CompanyCode>1410</CompanyCode>"
        "<FiscalYear>2026</FiscalYear></JournalEntryCreateConfirmation>"
        f"<Log>{items}</Log></JournalEntryCreateConfirmation></JournalEntryBulkCreateConfirmation>"
    )


def test_a_duplicate_as_an_error_says_what_to_do_first() -> None:
    """In any language of SAP's: the document may be this claim's own."""
    (outcome,) = SapJournalEntry().read(confirmation(("609(RW)", "3"), ("286(F5)", "3")))
    assert outcome.kind is K.REJECTED
    assert [reason.code for reason in outcome.reasons] == ["609(RW)", "286(F5)", ""]
    assert "EXP-7 before you submit a new revision" in outcome.reasons[-1].text
    (outcome,) = SapJournalEntry().read(confirmation(("609(RW)", "3"), ("201(F5)", "3")))
    assert [reason.code for reason in outcome.reasons] == ["609(RW)", "201(F5)"]


def test_a_duplicate_as_a_warning_beside_a_number_is_posted() -> None:
    """SAP has entered it all the same."""
    (outcome,) = SapJournalEntry().read(
        confirmation(("605(RW)", "1"), ("286(F5)", "2"), number="0100000008")
    )
    assert outcome.kind is K.POSTED
