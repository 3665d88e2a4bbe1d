"""NetSuite's profile, without a wire: what it asks for, what it reads, and its token passport."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.profiles.samples import TRIP, submission

from claimbridge.contract import Bundle, Contract
from claimbridge.contract.calls.fault import Fault
from claimbridge.contract.calls.replies import Reply
from claimbridge.errors import ClaimError, ConfigurationError
from claimbridge.model import (
    JournalEntry,
    Key,
    Outcome,
    OutcomeKind,
    Posting,
    Purpose,
    Voucher,
)
from claimbridge.profiles import load_profile
from claimbridge.profiles.conversation import Attempt, Began, Credentials, Wait
from claimbridge.profiles.netsuite.journal_entries import NetSuite
from claimbridge.profiles.netsuite.token_passport import token_passport
from claimbridge.submission.decisions.references import reference_for
from claimbridge.xmlio import parse

OURS = Contract.load(Bundle.from_package("netsuite.wsdl"))
MSG = 'xmlns="urn:messages_2023_2.platform.webservices.netsuite.com"'
CORE = 'xmlns:c="urn:core_2023_2.platform.webservices.netsuite.com"'
K = OutcomeKind
PLAIN = replace(TRIP, postings=tuple(replace(one, dimensions={}) for one in TRIP.postings))
SECRETS = {
    "consumer_key": "71cc02b731f05895561ef0862d71553a3ac99498a947c3b7beaf4a1e4a29f7c4",
    "consumer_secret": "7278da58caf07f5c336301a601203d10a58e948efa280f0618e25fcee1ef2abd",
    "token": "89e08d9767c5ac85b374415725567d05b54ecf0960ad2470894a52f741020d82",
    "token_secret": "060cd9ab3ffbbe1e3d3918e90165ffd37ab12acc76b4691046e2d29c7d7674c2",
}
"""Oracle's published example, of no account."""


def reply(document: str) -> Reply:
    return OURS.reply(parse(document.encode()))


def written(status: str, ref: str = "") -> str:
    return f"<writeResponse {MSG} {CORE}>{status}{ref}</writeResponse>"


def read(*parts: str, profile: NetSuite | None = None) -> tuple[Outcome, ...]:
    document = f"<upsertResponse {MSG}>{''.join(parts)}</upsertResponse>"
    return (profile or NetSuite()).read(reply(document))


def refused(*details: tuple[str, str], more: str = "", type_: str = "ERROR") -> str:
    told = "".join(
        f'<c:statusDetail type="{type_}"><c:code>{code}</c:code><c:message>{text}</c:message>{more}'
        "</c:statusDetail>"
        for code, text in details
    )
    return f'<c:status isSuccess="false">{told}</c:status>'


DONE = '<c:status isSuccess="true"/>'
REF = '<baseRef internalId="973" externalId="R-1" type="journalEntry"/>'
CLOSED = ("TRAN_PERIOD_CLOSED", "The period is closed.")


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        (written(DONE, REF), K.POSTED),
        (written(DONE), K.UNKNOWN),
        (written(DONE, '<baseRef externalId="R-1"/>'), K.UNKNOWN),
        (written("", REF), K.UNKNOWN),
        (written("<c:status/>", REF), K.UNKNOWN),
        (written(refused(CLOSED)), K.REJECTED),
        (written(refused(CLOSED), REF), K.UNKNOWN),
        (written(refused()), K.UNKNOWN),
        (written(refused(CLOSED, type_="WARN")), K.UNKNOWN),
        (
            written(refused(CLOSED, more="<c:afterSubmitFailed>true</c:afterSubmitFailed>")),
            K.UNKNOWN,
        ),
        (written(refused(("UNEXPECTED_ERROR", "oops"))), K.UNKNOWN),
        (written(refused(CLOSED, ("DUP_RCRD", "This record already exists"))), K.UNKNOWN),
        (written(refused(("dup_rcrd", "This record already exists"))), K.UNKNOWN),
        # Without its code, nobody knows whether it is a duplicate.
        (written(refused(("", "This record already exists"))), K.UNKNOWN),
        (written(refused(CLOSED, ("", "This record already exists"))), K.UNKNOWN),
        (
            written(refused(CLOSED).replace("c:code>", "c:Code>")),
            K.UNKNOWN,
        ),
        (written(refused(("EXCEEDED_MAX_CONCUR_RQST", "wait"))), K.UNAVAILABLE),
    ],
)
def test_a_status_is_evidence_with_an_id_or_with_words(part: str, kind: OutcomeKind) -> None:
    """Success needs the record's id, a refusal a reason that leaves nothing written behind."""
    (outcome,) = read(part)
    assert outcome.kind is kind
    if kind is K.POSTED:
        assert (outcome.reference, outcome.journal_entry) == ("R-1", JournalEntry("973"))
    if kind is K.REJECTED:
        assert [str(one) for one in outcome.reasons] == [": ".join(CLOSED)]


def test_an_entry_that_others_approve_is_not_posted() -> None:
    """With ``approved = false`` NetSuite's people decide; until then it is acknowledged."""
    (outcome,) = read(written(DONE, REF), profile=NetSuite(approved=False))
    assert outcome.kind is K.ACKNOWLEDGED


def held(record: str, status: str = DONE) -> Outcome:
    document = (
        f"<getListResponse {MSG} {CORE}><readResponseList><readResponse>{status}{record}"
        "</readResponse></readResponseList></getListResponse>"
    )
    (outcome,) = NetSuite(internal_ids={"currency": {"CNY": "7"}}).read(reply(document))
    return outcome


def entry(inside: str, approved: str = "true") -> str:
    return (
        '<record xmlns:g="urn:general_2023_2.transactions.webservices.netsuite.com" '
        f'internalId="973" externalId="R-1">{inside}<g:approved>{approved}</g:approved>'
        "<g:lineList><g:line><g:debit>1.2345678E7</g:debit></g:line>"
        "<g:line><g:debit>0.5</g:debit></g:line><g:line><g:credit>12345678.5</g:credit></g:line>"
        "</g:lineList></record>"
    )


@pytest.mark.parametrize(
    ("currency", "totals"),
    [
        ('<g:currency internalId="7"><c:name>Yuan</c:name></g:currency>', "CNY"),
        ('<g:currency internalId="1"><c:name>USD</c:name></g:currency>', "USD"),
        ('<g:currency internalId="1"><c:name>US Dollar</c:name></g:currency>', ""),
        ("", ""),
    ],
)
def test_what_is_held_tells_its_total(currency: str, totals: str) -> None:
    """Doubles as Java writes them are read exactly; a currency that is not sure gives no total."""
    outcome = held(entry(currency))
    assert (outcome.kind, outcome.reference) == (K.POSTED, "R-1")
    assert outcome.totals == ({totals: Decimal("12345678.50")} if totals else {})


def test_half_an_entry_gives_no_total() -> None:
    """Where debits and credits differ, some were not found: no total, rather than a wrong one."""
    currency = "<g:currency><c:name>USD</c:name></g:currency>"
    lost = entry(currency).replace("<g:debit>0.5</g:debit>", "<g:amount>0.5</g:amount>")
    assert (held(lost).kind, held(lost).totals) == (K.POSTED, {})


def test_absence_must_be_said() -> None:
    """Only the code for a record that is not there says so; an entry may wait for approval."""
    assert held("", refused(("RCRD_DSNT_EXIST", "no such record"))).kind is K.ABSENT
    assert held("", refused(("INSUFFICIENT_PERMISSION", "not yours"))).kind is K.UNKNOWN
    assert held("", refused()).kind is K.UNKNOWN
    assert held("").kind is K.UNKNOWN
    assert held(entry("", approved="false")).kind is K.ACKNOWLEDGED
    nothing = NetSuite().read(reply(f"<getListResponse {MSG}/>"))
    assert [one.kind for one in nothing] == [K.UNKNOWN]


@pytest.mark.parametrize(
    ("local", "kind"),
    [
        ("exceededConcurrentRequestLimitFault", K.UNAVAILABLE),
        ("exceededRequestLimitFault", K.UNAVAILABLE),
        ("exceededUsageLimitFault", K.UNAVAILABLE),
        ("exceededRequestSizeFault", K.REJECTED),
        ("exceededRecordCountFault", K.REJECTED),
        ("invalidCredentialsFault", K.NOT_DELIVERED),
        ("insufficientPermissionFault", K.NOT_DELIVERED),
        ("invalidSessionFault", K.NOT_DELIVERED),
        ("unexpectedErrorFault", K.UNKNOWN),
        ("asyncFault", K.UNKNOWN),
        ("anotherFault", K.UNKNOWN),
    ],
)
def test_each_typed_fault_means_one_thing(local: str, kind: OutcomeKind) -> None:
    """Throttled, not let in, too large, or nobody knows."""
    assert NetSuite().read_fault(fault(local)).kind is kind


def fault(local: str) -> Fault:
    uri = "urn:faults_2023_2.platform.webservices.netsuite.com"
    detail = parse(f'<{local} xmlns="{uri}"><code>C</code><message>m</message></{local}>'.encode())
    return Fault(code="Server", reason="r", detail=Reply(detail))


def test_a_fault_without_a_detail_is_unknown() -> None:
    """A ``Server.userException`` may come after the record was saved."""
    assert NetSuite().read_fault(Fault(code="Server.userException", reason="r")).kind is K.UNKNOWN


# --- jobs -----------------------------------------------------------------------------------


def told(status: str, operation: str = "checkAsyncStatus") -> Reply:
    return reply(
        f"<{operation}Response {MSG} {CORE}><c:asyncStatusResult><c:jobId>J-1</c:jobId>"
        f"<c:status>{status}</c:status></c:asyncStatusResult></{operation}Response>"
    )


def results(*parts: str) -> Reply:
    return reply(
        f"<getAsyncResultResponse {MSG}><asyncResult><writeResponseList>{''.join(parts)}"
        "</writeResponseList></asyncResult></getAsyncResultResponse>"
    )


def talked(*answers: Reply | Fault) -> tuple[list[str], tuple[Outcome, ...]]:
    """Hold the conversation about two vouchers; return the operations called, and its end."""
    profile = NetSuite()
    both = [submission(PLAIN, reference=name) for name in ("R-1", "R-2")]
    talk = profile.converse(profile.submit(both))
    left, called, answer = list(answers), [], None
    try:
        while True:
            asked = talk.send(answer)
            answer = None
            if not isinstance(asked, (Began, Wait)):
                called.append(getattr(asked, "operation", "?"))
                answer = left.pop(0)
    except StopIteration as end:
        return called, end.value


def test_a_job_is_asked_for_until_it_is_done() -> None:
    """Pending, throttled, processing, finished; each voucher gets its own answer, by its place."""
    called, outcomes = talked(
        told("pending", "asyncUpsertList"),
        fault("exceededConcurrentRequestLimitFault"),
        told("processing"),
        told("finishedWithErrors"),
        results(written(DONE, REF), written(refused(CLOSED))),
    )
    assert called == ["asyncUpsertList", *["checkAsyncStatus"] * 3, "getAsyncResult"]
    assert [(one.kind, one.reference) for one in outcomes] == [
        (K.POSTED, "R-1"),
        (K.REJECTED, "R-2"),
    ]


@pytest.mark.parametrize(
    "answers",
    [
        (told("finished", "asyncUpsertList"), fault("asyncFault")),
        (told("pending", "asyncUpsertList"), fault("invalidCredentialsFault")),
        (told("failed", "asyncUpsertList"), results()),
    ],
)
def test_a_job_that_is_lost_is_unknown(answers: tuple[Reply | Fault, ...]) -> None:
    """What was taken in may be written, whatever is answered later."""
    assert [one.kind for one in talked(*answers)[1]] == [K.UNKNOWN]


def test_one_refusal_is_not_that_of_all() -> None:
    """Fewer answers than vouchers: whose refusal it is nobody knows, so no voucher is refused."""
    answers = (told("failed", "asyncUpsertList"), results(written(refused(CLOSED))))
    assert [(one.kind, one.reference) for one in talked(*answers)[1]] == [(K.UNKNOWN, None)]


def test_answers_out_of_order_are_not_named() -> None:
    """A refusal without a name is nobody's where another answer shows that the order is gone."""
    other = '<baseRef internalId="974" externalId="R-2"/>'
    answers = (
        told("finished", "asyncUpsertList"),
        results(written(DONE, other), written(refused(CLOSED))),
    )
    assert [one.reference for one in talked(*answers)[1]] == ["R-2", None]


# --- requests -------------------------------------------------------------------------------


@pytest.mark.parametrize("contract", ["ours", "netsuite-2023.2"])
def test_every_request_is_valid_by_both_contracts(
    contract: str, shared: Callable[[str], Path]
) -> None:
    """Ours is reduced, not different."""
    wanted = OURS
    if contract != "ours":
        wanted = Contract.load(shared(f"contracts/{contract}/netsuite.wsdl"))
    profile = NetSuite(internal_ids={"account": {"6602010000": "213"}})
    taken_back = PLAIN.reversal(JournalEntry("973"), posting_date=dt.date(2026, 4, 1))
    both = [submission(PLAIN, reference=name) for name in ("R-1", "R-2")]
    requests = [
        profile.submit(both[:1]),
        profile.submit(both),
        profile.reverse(replace(both[0], voucher=taken_back)),
        profile.query(["R-1", "R-2"]),
    ]
    for request in requests:
        body = wanted.render(request.operation, request.body, sources=request.sources)
        assert wanted.check(body, sources=request.sources) == ()
    polled = wanted.render("getAsyncResult", {"jobId": "J-1", "pageIndex": "1"})
    assert wanted.check(polled) == ()


def test_an_entry_is_written_as_it_should_be() -> None:
    """Ids where they are known, the rest by code; amounts to the letter; all lines replaced."""
    profile = NetSuite(internal_ids={"account": {"6602010000": "213"}, "currency": {"CNY": "7"}})
    body = OURS.render("upsert", profile.submit([submission(PLAIN, reference="R-1")]).body)
    for part in (
        b'externalId="R-1"',
        b"JournalEntry",
        b'account internalId="213"',
        b'account externalId="2221010100"',
        b'currency internalId="7"',
        b'subsidiary externalId="1410"',
        b">2026-03-31T12:00:00Z<",
        b">943.40<",
        b'lineList replaceAll="true"',
        b'department externalId="CC-1001"',
        b'class externalId="P-7"',
    ):
        assert part in body, part


def with_first(**changes: object) -> Voucher:
    """The trip with another first posting."""
    return replace(PLAIN, postings=(replace(PLAIN.postings[0], **changes), *PLAIN.postings[1:]))


@pytest.mark.parametrize(
    ("claim_id", "fits"),
    [
        ("EXP-2026-0042", True),
        ("exp-2026-0042", False),
        ("EXP-2026.R2", False),
        ("EXP-2026/0042", False),
    ],
)
def test_references_never_differ_by_case_alone(claim_id: str, fits: bool) -> None:
    """Nobody says that NetSuite tells them apart, and upsert would write one over the other."""
    for purpose, mark in ((Purpose.POST, ".R2"), (Purpose.REVERSE, ".X2")):
        key = Key(book="L", claim_id=claim_id, revision=2, purpose=purpose)
        reference = reference_for(key, NetSuite.capabilities)
        assert (reference == f"{claim_id}{mark}") is fits
        assert fits or reference.isupper()


def balanced(amount: str) -> Voucher:
    first, last = PLAIN.postings[0], PLAIN.postings[-1]
    legs: list[Posting] = [replace(one, amount=Decimal(amount)) for one in (first, last)]
    return replace(PLAIN, postings=tuple(legs))


def test_what_an_entry_cannot_hold_is_refused() -> None:
    """Several currencies, a dimension without a place or whose place is taken, too many digits."""
    dollars = [replace(one, currency="USD") for one in PLAIN.postings]
    several = replace(PLAIN, postings=(*PLAIN.postings, *dollars))
    for voucher, code in (
        (several, "CB-167"),
        (with_first(dimensions={"fund": "F1"}), "CB-168"),
        (with_first(dimensions={"department": "D9"}), "CB-168"),
        (balanced("12345678901234.56"), "CB-169"),
    ):
        with pytest.raises(ClaimError, match=code):
            NetSuite().submit([submission(voucher)])
    placed = NetSuite(dimensions={"fund": "location"})
    request = placed.submit([submission(with_first(dimensions={"fund": "F1"}))])
    assert b'location externalId="F1"' in OURS.render("upsert", request.body)
    NetSuite().submit([submission(balanced("1234567890123.45"))])


@pytest.mark.parametrize(
    "options",
    [
        {"version": "2023.2"},
        {"internal_ids": {"acount": {"1": "2"}}},
        {"dimensions": {"fund": "custcol_fund"}},
        {"approved": "perhaps"},
    ],
)
def test_a_wrong_option_is_told(options: dict[str, object]) -> None:
    """By name, when the profile is made."""
    with pytest.raises(ConfigurationError, match="CB-243"):
        load_profile("netsuite", options)


# --- the token passport ---------------------------------------------------------------------


def test_the_passport_is_signed_as_oracle_shows() -> None:
    """The published example, whose signature other clients give too."""
    passport = token_passport(
        Credentials(user="1234567", secrets=SECRETS),
        version="2023_2",
        nonce="6obMKq0tmY8ylVOdEkA1",
        at=dt.datetime.fromtimestamp(1439829974, dt.UTC),
    )
    assert b">FCghIZqXNetuZY8ILWOFH0ucdfzQOmAuL+q+kF21zPs=<" in passport
    assert SECRETS["token_secret"].encode() not in passport


def test_each_attempt_has_a_passport_of_its_own() -> None:
    """A nonce is used once; without secrets there is no passport, with some of them an error."""
    profile = NetSuite()
    call = Attempt(operation="upsert", credentials=Credentials(user="1", secrets=SECRETS))
    assert profile.headers(call) != profile.headers(call)
    assert profile.headers(replace(call, credentials=Credentials())) == ()
    for credentials in (
        Credentials(user="1", secrets={"token": "t"}),
        Credentials(secrets=SECRETS),
    ):
        with pytest.raises(ConfigurationError, match="CB-243"):
            profile.headers(replace(call, credentials=credentials))


def test_a_reply_is_compared_with_the_type_that_it_names() -> None:
    """A record is declared abstract: its ``xsi:type`` says what may be in it."""
    typed = (
        f"<getAsyncResultResponse {MSG}><asyncResult xsi:type='AsyncUpsertListResult' "
        "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'><writeResponseList>{}"
        "</writeResponseList></asyncResult></getAsyncResultResponse>"
    )
    assert OURS.drift(parse(typed.format(written(DONE)).encode())) == ()
    told = OURS.drift(parse(typed.format(f"{written(DONE)}<new/>").encode()))
    at = "getAsyncResultResponse/asyncResult/writeResponseList/new"
    assert told == (f"{at} is not in the contract",)
