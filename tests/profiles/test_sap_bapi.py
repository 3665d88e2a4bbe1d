"""The profile sap-bapi, without a network: what it sends, and what it makes of the answers."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from lxml import etree
from tests.profiles.samples import TRIP, reply, reversal, submission
from tests.strategies import vouchers

from claimbridge import xmlio
from claimbridge.contract import Bundle, Contract
from claimbridge.contract.calls.fault import Fault
from claimbridge.contract.calls.replies import Reply
from claimbridge.errors import ClaimError, ConfigurationError
from claimbridge.model import JournalEntry, Outcome, OutcomeKind, Role, Voucher
from claimbridge.profiles import load_profile
from claimbridge.profiles.request import Request
from claimbridge.profiles.sap.bapi import SapBapi
from claimbridge.profiles.sap.tables import SapTables, references_in

K = OutcomeKind
OURS = Contract.load(Bundle.from_package("sap-bapi.wsdl"))
NAMESPACE = "urn:sap-com:document:sap:soap:functions:mc-style"
PROFILE = SapBapi()
ENTRY = JournalEntry("0100000008", "1410", "2026")
REFERENCE = "EXP-2026-0042"


def body_of(voucher: Voucher = TRIP, profile: SapBapi = PROFILE) -> etree._Element:
    request = profile.submit([submission(voucher)])
    body = OURS.render(request.operation, request.body, sources=request.sources)
    assert OURS.check(body, sources=request.sources) == ()
    return xmlio.parse(body)


def texts(body: etree._Element, path: str) -> list[str]:
    return [str(found) for found in body.xpath(path)]


# ---------------------------------------------------------------- requests


@settings(max_examples=60, deadline=None)
@given(vouchers(currencies=("CNY",)))
def test_whatever_is_drawn_is_valid_or_refused_with_its_field(voucher: Voucher) -> None:
    """No voucher leaves with a value that SAP's structures would cut or refuse."""
    legs = tuple(msgspec.structs.replace(leg, dimensions={}) for leg in voucher.postings)
    post = msgspec.structs.replace(voucher, postings=legs, purpose="post", reverses=None)
    try:
        request = PROFILE.submit([submission(post)])
    except ClaimError as refusal:
        if refusal.code not in {"CB-180", "CB-181"}:  # a tax that fits no expense
            raise
        return
    body = OURS.render(request.operation, request.body, sources=request.sources)
    for finding in OURS.check(body, sources=request.sources):
        assert finding.claim_field, finding


def test_items_are_numbered_through_all_tables() -> None:
    """Each amount belongs to the item of its number, in whichever table that stands."""
    body = body_of()
    assert texts(body, "Accountgl/item/ItemnoAcc/text()") == ["0000000001"]
    assert texts(body, "Accounttax/item/ItemnoAcc/text()") == ["0000000002"]
    assert texts(body, "Accountpayable/item/ItemnoAcc/text()") == ["0000000003"]
    amounts = texts(body, "Currencyamount/item/AmtDoccur/text()")
    assert amounts == ["943.40", "56.60", "-1000.00"]
    assert texts(body, "Currencyamount/item/ItemnoAcc/text()")[2] == "0000000003"
    assert texts(body, "Currencyamount/item/AmtBase/text()") == ["943.40"]


def test_numbers_of_digits_have_leading_zeros() -> None:
    """A BAPI converts nothing: 1000 is not the cost centre 0000001000."""
    first = msgspec.structs.replace(
        TRIP.postings[0], account="6602", cost_centre="1000", dimensions={"order": "77"}
    )
    body = body_of(msgspec.structs.replace(TRIP, postings=(first, *TRIP.postings[1:])))
    item = "Accountgl/item/"
    assert texts(body, f"{item}GlAccount/text()") == ["0000006602"]
    assert texts(body, f"{item}Costcenter/text()") == ["0000001000"]
    assert texts(body, f"{item}Orderid/text()") == ["000000000077"]
    assert texts(body, "Accountpayable/item/VendorNo/text()") == ["E0815"]


def test_dimensions_have_their_fields() -> None:
    """What SAP has a place for is there; what it has none for is refused, not dropped."""
    named = {
        "profit_centre": "12",
        "segment": "S1",
        "order": "O1",
        "functional_area": "F1",
        "business_area": "B1",
    }
    first = msgspec.structs.replace(TRIP.postings[0], dimensions=named)
    body = body_of(msgspec.structs.replace(TRIP, postings=(first, *TRIP.postings[1:])))
    (item,) = body.iterfind("Accountgl/item")
    found = [item.findtext(name) for name in ("BusArea", "ProfitCtr", "Orderid", "Segment")]
    assert found == ["B1", "0000000012", "O1", "S1"]
    assert item.findtext("FuncAreaLong") == "F1"
    assert item.findtext("WbsElement") == "P-7"
    odd = msgspec.structs.replace(TRIP.postings[0], dimensions={"region": "R"})
    voucher = msgspec.structs.replace(TRIP, postings=(odd, *TRIP.postings[1:]))
    with pytest.raises(ClaimError, match="CB-162"):
        PROFILE.submit([submission(voucher)])


def test_the_partner_of_a_gl_item_is_its_assignment() -> None:
    """An advance on a clearing account says whose it is."""
    advance = msgspec.structs.replace(
        TRIP.postings[2], role=Role.ADVANCE_CLEARING, account="1221000000"
    )
    body = body_of(msgspec.structs.replace(TRIP, postings=(*TRIP.postings[:2], advance)))
    items = {
        item.findtext("GlAccount"): item.findtext("AllocNmbr") or ""
        for item in body.iterfind("Accountgl/item")
    }
    assert items.pop("1221000000") == "E0815"
    assert set(items.values()) == {""}


def test_a_reversal_exchanges_the_sides() -> None:
    """A document of its own, under its own reference."""
    request = PROFILE.reverse(reversal())
    body = xmlio.parse(OURS.render(request.operation, request.body))
    assert texts(body, "Documentheader/RefDocNo/text()") == ["EXP-2026-0042.x1"]
    assert texts(body, "Currencyamount/item/AmtDoccur/text()") == ["-943.40", "-56.60", "1000.00"]


def test_settings_come_from_the_configuration() -> None:
    """``[ledger.X.options]`` names operations, keys and tables."""
    options = {
        "commit": "service",
        "document_type": "SA",
        "post": "ZFiPost",
        "read_table": "ZRead",
        "tables": {"documents": "ZBKPF"},
    }
    profile: Any = load_profile("sap-bapi", options)
    request = profile.submit([submission()])
    assert request.operation == "ZFiPost"
    assert request.body["Documentheader"]["DocType"] == "SA"
    assert profile.query(["R"]).body["QueryTable"] == "ZBKPF"
    assert profile.operations == ("ZFiPost", "ZRead")
    with pytest.raises(ConfigurationError, match="CB-243"):
        load_profile("sap-bapi", {"commit": "never"})


# ---------------------------------------------------------------- conversations


def answer(name: str, content: str) -> Reply:
    return reply(f'<n:{name}Response xmlns:n="{NAMESPACE}">{content}</n:{name}Response>')


def message(kind: str, text: str = "Said") -> str:
    return (
        f"<Type>{kind}</Type><Id>F5</Id><Number>201</Number><Message>{text}</Message>"
        "<Parameter>ACCOUNTGL</Parameter><Row>2</Row><Field>COSTCENTER</Field>"
    )


def posted(key: str = "010000000814102026", *messages: str) -> Reply:
    rows = "".join(f"<item>{one}</item>" for one in messages)
    content = f"<ObjKey>{key}</ObjKey><ObjType>BKPFF</ObjType><Return>{rows}</Return>"
    return answer("AccDocumentPost", content)


def committed(kind: str = "") -> Reply:
    return answer("TransactionCommit", f"<Return>{message(kind) if kind else ''}</Return>")


def rows(*lines: str) -> Reply:
    items = "".join(f"<item><Wa>{line}</Wa></item>" for line in lines)
    return answer("RfcReadTable", f"<Data>{items}</Data>")


def row(number: str = "0100000008", reference: str = REFERENCE, **changes: str) -> str:
    cells = {"status": " ", "reversed_by": "          ", "reversal": " "} | changes
    named = (cells["status"], cells["reversed_by"], cells["reversal"])
    return "|".join((number, "1410", "2026", reference, "CNY  ", *named))


def played(
    request: Request, *answers: Reply | Fault, profile: SapBapi = PROFILE
) -> tuple[list[str], Sequence[Outcome]]:
    """Answer the calls of a conversation one by one; return their operations and the outcomes."""
    talk = profile.converse(request)
    called: list[str] = []
    asked: Any = next(talk)
    for given_answer in answers:
        called.append(asked.operation)
        try:
            asked = talk.send(given_answer)
        except StopIteration as end:
            assert given_answer is answers[-1], "fewer calls than answers"
            return called, end.value
    raise AssertionError(f"the conversation goes on with {asked}")


def posting(*answers: Reply | Fault, profile: SapBapi = PROFILE) -> tuple[list[str], Outcome]:
    called, (outcome,) = played(profile.submit([submission()]), *answers, profile=profile)
    return called, outcome


ALL_THREE = ["AccDocumentPost", "TransactionCommit", "RfcReadTable"]
FAULT = Fault("Server", "the work process was restarted")


def test_what_is_found_after_the_commit_is_posted() -> None:
    """Under its number, and under our reference."""
    called, outcome = posting(posted(), committed(), rows(row()))
    assert called == ALL_THREE
    assert (outcome.kind, outcome.journal_entry) == (K.POSTED, ENTRY)
    assert outcome.reference == REFERENCE


@pytest.mark.parametrize("found", [rows(), rows(row("0100000009"))], ids=["nothing", "another"])
def test_a_number_without_a_document_is_no_success(found: Reply) -> None:
    """Where the service keeps no session, the commit is that of another one, of nothing."""
    _, outcome = posting(posted(), committed("S"), found)
    assert outcome.kind is K.UNKNOWN
    assert "session" in outcome.text


def test_a_document_beside_ours_does_not_hide_it() -> None:
    """Its number is known: somebody else's document under the same reference is not ours."""
    _, outcome = posting(posted(), committed(), rows(row("0100000001"), row()))
    assert outcome.journal_entry == ENTRY


@pytest.mark.parametrize("kind", ["E", "A"])
def test_a_refusal_is_rolled_back(kind: str) -> None:
    """Whatever the rollback answers: nothing was posted."""
    for ended in (answer("TransactionRollback", "<Return/>"), FAULT):
        called, outcome = posting(posted("$", message(kind, "No")), ended)
        assert called == ["AccDocumentPost", "TransactionRollback"]
        assert outcome.kind is K.REJECTED
        (reason,) = outcome.reasons
        assert (reason.text, reason.code) == ("No", "201(F5)")
        assert reason.field == "ACCOUNTGL[2]/COSTCENTER"


@pytest.mark.parametrize(
    "said",
    [
        posted("010000000814102026", message("E")),
        posted("$", message("W")),
        posted(""),
        posted("4711", message("S")),
        answer("AccDocumentPost", ""),
    ],
    ids=["number and error", "only a warning", "nothing", "another key", "empty"],
)
def test_what_is_not_understood_is_not_committed(said: Reply) -> None:
    """It is rolled back, and remains in doubt."""
    called, outcome = posting(said, answer("TransactionRollback", "<Return/>"))
    assert called == ["AccDocumentPost", "TransactionRollback"]
    assert outcome.kind is K.UNKNOWN


def test_a_commit_that_could_not_be_carried_out() -> None:
    """The commit says no, and nothing is found: refused. One of both alone is no evidence."""
    _, outcome = posting(posted(), committed("E"), rows())
    assert outcome.kind is K.REJECTED
    _, outcome = posting(posted(), committed("E"), rows(row()))
    assert outcome.kind is K.POSTED
    _, outcome = posting(posted(), committed("E"), rows(row("0100000001")))
    assert outcome.kind is K.UNKNOWN
    _, outcome = posting(posted(), FAULT, rows())
    assert outcome.kind is K.UNKNOWN
    _, outcome = posting(posted(), FAULT, rows(row()))
    assert outcome.kind is K.POSTED


def test_what_cannot_be_looked_up_is_unknown() -> None:
    """A fault, or rows that are not those asked for."""
    for said in (FAULT, rows("a|b"), answer("RfcReadTable", "")):
        assert posting(posted(), committed(), said)[1].kind is K.UNKNOWN


def test_a_service_that_commits_itself_is_not_told_to() -> None:
    """Two calls; a refusal needs no rollback."""
    profile = SapBapi(commit="service")
    called, outcome = posting(posted(), rows(row()), profile=profile)
    assert called == ["AccDocumentPost", "RfcReadTable"]
    assert outcome.kind is K.POSTED
    called, outcome = posting(posted("$", message("E")), profile=profile)
    assert outcome.kind is K.REJECTED


# ---------------------------------------------------------------- looking up


def items(*sides: tuple[str, str]) -> Reply:
    return rows(*(f"0100000008|1410|2026|{side}|   {amount}" for side, amount in sides))


def looked_up(*answers: Reply | Fault, tables: SapTables | None = None) -> tuple[Outcome, ...]:
    profile = SapBapi(tables=tables or SapTables())
    _, outcomes = played(profile.query([REFERENCE, "OTHER"]), *answers, profile=profile)
    return tuple(outcomes)


def test_a_document_is_found_with_its_amounts() -> None:
    """The debit items add up to its total; the other reference is absent."""
    found, absent = looked_up(rows(row()), items(("S", "943.40"), ("S", "56.60"), ("H", "1000.00")))
    assert (found.kind, found.journal_entry) == (K.POSTED, ENTRY)
    assert found.totals == {"CNY": Decimal("1000.00")}
    assert (absent.kind, absent.reference) == (K.ABSENT, "OTHER")
    assert [found.item, absent.item] == [1, 2]


def test_amounts_stand_with_two_decimals_whatever_their_currency() -> None:
    """TCURX: 1000 yen are 10.00 in SAP's tables."""
    line = row().replace("CNY  ", "JPY  ")
    found, _ = looked_up(rows(line), items(("S", "10.00")))
    assert found.totals == {"JPY": Decimal("1000")}


def test_a_reversed_document_is_reversed() -> None:
    """The reversal made in SAP carries the same reference, and is not taken for ours."""
    lines = (row(reversed_by="0100000011", reversal="1"), row("0100000011", reversal="2"))
    found, _ = looked_up(rows(*lines), items(("S", "1000.00")))
    assert (found.kind, found.journal_entry) == (K.REVERSED, ENTRY)


@pytest.mark.parametrize(
    "lines",
    [(row(), row("0100000009")), (row(status="V"),)],
    ids=["two documents", "parked"],
)
def test_what_is_not_one_posted_document_is_unknown(lines: tuple[str, ...]) -> None:
    """Neither adopted nor taken as absent."""
    answers = (rows(*lines), rows())
    assert looked_up(*answers)[0].kind is K.UNKNOWN


@pytest.mark.parametrize(
    "answers",
    [
        (FAULT,),
        (rows("0100000008|1410"),),
        (rows(row(reference="STRANGE")),),
        (answer("RfcReadTable", "<Rows/>"),),
        (answer("RfcReadTable", "<Data><row><Wa>0100000008</Wa></row></Data>"),),
        (answer("RfcReadTable", "<Data>0100000008|1410</Data>"),),
        (rows(row()), FAULT),
        (rows(row()), rows("0100000009|1410|2026|S|1.00")),
        (rows(row()), items(("S", "much"))),
        (rows(row()), rows()),
        (rows(row()), items(("H", "1000.00"))),
    ],
    ids=[
        "fault",
        "cells",
        "reference",
        "no table",
        "no rows",
        "a text",
        "no items",
        "other items",
        "no amount",
        "empty",
        "credits alone",
    ],
)
def test_an_answer_to_another_question_makes_nothing_absent(
    answers: tuple[Reply | Fault, ...],
) -> None:
    """Absent would mean: send again."""
    assert {outcome.kind for outcome in looked_up(*answers)} == {K.UNKNOWN}


def test_amounts_need_not_be_readable() -> None:
    """Without a table of items a document is found, and its amounts are not compared."""
    found, _ = looked_up(rows(row()), tables=SapTables(items=""))
    assert (found.kind, found.totals) == (K.POSTED, {})


def test_a_question_fits_rfc_read_table() -> None:
    """Every line of its conditions has 72 characters at most, quotes doubled."""
    references = [f"{n:016}" for n in range(50)]
    request = PROFILE.query([*references, "O'NEIL"])
    lines = texts(
        xmlio.parse(OURS.render(request.operation, request.body)), "Options/item/Text/text()"
    )
    assert lines[:2] == ["( XBLNR EQ '0000000000000000' )", "OR ( XBLNR EQ '0000000000000001' )"]
    assert lines[-1] == "OR ( XBLNR EQ 'O''NEIL' )"
    request = PROFILE.look_up([submission(reference=one) for one in references])
    body = OURS.render(request.operation, request.body)
    assert OURS.check(body) == ()
    lines = texts(xmlio.parse(body), "Options/item/Text/text()")
    assert lines[:2] == ["( XBLNR EQ '0000000000000000'", "AND BUKRS EQ '1410' )"]
    assert references_in(request, SapTables()) == tuple(references)


def test_tables_are_asked_for() -> None:
    """SAP answers with those tables that the request names."""
    assert [part.tag for part in body_of() if part.tag == "Return"] == ["Return"]
    request = PROFILE.query(["R"])
    asked = xmlio.parse(OURS.render(request.operation, request.body))
    assert texts(asked, "Data/item") == []
    assert asked.find("Data") is not None


def test_either_spelling_is_read() -> None:
    """Services of the RFC style keep ABAP's names."""
    said = reply(
        f'<n:x xmlns:n="{NAMESPACE}"><OBJ_KEY>$</OBJ_KEY><RETURN><item><TYPE>E</TYPE>'
        "<MESSAGE>No</MESSAGE></item></RETURN></n:x>"
    )
    (outcome,) = PROFILE.read(said)
    assert outcome.kind is K.REJECTED


def test_a_posting_alone_is_never_a_success() -> None:
    """A saved reply says a number; whether it was committed, it cannot say."""
    (outcome,) = PROFILE.read(posted())
    assert outcome.kind is K.UNKNOWN
    assert "0100000008" in outcome.text
