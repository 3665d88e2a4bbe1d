"""NetSuite's own ids: found in lists of its records by the name that ``match`` says, or refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace
from tests.profiles.samples import TRIP, submission

from claimbridge.clock import SYSTEM
from claimbridge.contract import Bundle, Contract
from claimbridge.contract.calls.replies import Reply
from claimbridge.errors import (
    ClaimError,
    ConfigurationError,
    DeliveryRefused,
    LedgerUnavailable,
    NotDelivered,
)
from claimbridge.model import JournalEntry, Posting, Purpose, Role, Voucher
from claimbridge.profiles import load_profile
from claimbridge.profiles.master_records import MasterRecord, MasterRecords, RecordList
from claimbridge.profiles.netsuite.journal_entries import NetSuite
from claimbridge.profiles.netsuite.record_lists import LISTED
from claimbridge.xmlio import parse

OURS = Contract.load(Bundle.from_package("netsuite.wsdl"))
AT = SYSTEM.now()
PLAIN = replace(TRIP, postings=tuple(replace(one, dimensions={}) for one in TRIP.postings))
MATCH: Any = {
    "account": "number",
    "subsidiary": "name",
    "currency": "symbol",
    "department": "full-name",
    "entity": "email",
}


def one(id_: str, *, inactive: bool = False, **names: str) -> MasterRecord:
    return MasterRecord(
        id=id_,
        names={key.replace("_", "-"): text for key, text in names.items()},
        inactive=inactive,
    )


def lists(**kinds: list[MasterRecord]) -> MasterRecords:
    return MasterRecords(
        ledger="US01",
        lists={
            kind.replace("_", "-"): RecordList(fetched_at=AT, records=tuple(records))
            for kind, records in kinds.items()
        },
    )


ACCOUNTS = [
    one("213", number="6602010000"),
    one("214", number="2221010100"),
    one("215", number="2241000000"),
]
KNOWN = lists(
    account=ACCOUNTS,
    subsidiary=[one("3", name="1410")],
    currency=[one("7", symbol="CNY", name="Yuan")],
    department=[one("10", name="CC-1001", full_name="CC-1001")],
    employee=[one("17", entity_id="E0815 Li", email="E0815")],
)


def sent(profile: NetSuite, voucher: Voucher = PLAIN) -> dict[str, Any]:
    request = profile.submit([submission(voucher, reference="R-1")])
    body = OURS.render(request.operation, request.body, sources=request.sources)
    assert OURS.check(body, sources=request.sources) == ()
    record: dict[str, Any] = request.body["record"]
    return record


def test_the_lists_give_the_ids() -> None:
    """By the name that ``match`` says for each field; a field that it leaves out stays a code."""
    record = sent(NetSuite(match=MATCH).with_records(KNOWN))
    lines = record["lineList"]["line"]
    assert record["subsidiary"] == {"@internalId": "3"}
    assert record["currency"] == {"@internalId": "7"}
    assert [line["account"]["@internalId"] for line in lines] == ["213", "214", "215"]
    assert lines[0]["department"] == {"@internalId": "10"}
    assert lines[0]["class"] == {"@externalId": "P-7"}
    assert lines[2]["entity"] == {"@internalId": "17"}


def test_without_match_codes_are_external_ids_as_before() -> None:
    """Lists alone change nothing: what is sent is what the options say."""
    assert sent(NetSuite().with_records(KNOWN)) == sent(NetSuite())
    assert NetSuite().needed_kinds == ()


def test_what_is_configured_goes_before_what_is_listed() -> None:
    """``internal_ids`` is how a person settles what the lists cannot."""
    twice = lists(account=[*ACCOUNTS, one("900", number="6602010000")])
    profile = NetSuite(
        match={"account": "number"}, internal_ids={"account": {"6602010000": "900"}}
    ).with_records(twice)
    assert sent(profile)["lineList"]["line"][0]["account"] == {"@internalId": "900"}


@pytest.mark.parametrize(
    ("accounts", "words"),
    [
        (None, "claimbridge codes US01 account"),
        ([], "no account whose number is '6602010000'"),
        ([*ACCOUNTS, one("900", number="6602010000")], "several records (213 and 900)"),
        ([one("213", number="6602010000", inactive=True), *ACCOUNTS[1:]], "inactive in NetSuite"),
    ],
)
def test_what_the_lists_do_not_say_for_certain_is_refused(
    accounts: list[MasterRecord] | None, words: str
) -> None:
    """Before anything is sent; the message names the claim, the code and the command."""
    known = lists() if accounts is None else lists(account=accounts)
    profile = NetSuite(match={"account": "number"}).with_records(known)
    with pytest.raises(ClaimError, match="CB-488") as refused:
        profile.submit([submission(PLAIN)])
    assert words in refused.value.message
    assert "claimbridge codes US01 account" in refused.value.message
    assert refused.value.claim_id == submission(PLAIN).key.claim_id


def test_an_inactive_record_beside_an_active_one_is_passed_over() -> None:
    """A number that was given anew means the record that is in use."""
    known = lists(account=[one("1", number="6602010000", inactive=True), *ACCOUNTS])
    profile = NetSuite(match={"account": "number"}).with_records(known)
    assert sent(profile)["lineList"]["line"][0]["account"] == {"@internalId": "213"}


def test_a_person_is_looked_for_among_all_who_may_be_named() -> None:
    """An employee and a vendor of one name are two records: nobody guesses which."""
    both = lists(employee=[one("17", entity_id="E0815")], vendor=[one("90", entity_id="E0815")])
    profile = NetSuite(match={"entity": "entity-id"}).with_records(both)
    with pytest.raises(ClaimError, match="several records"):
        profile.submit([submission(PLAIN)])
    assert profile.needed_kinds == ("employee", "vendor")


def test_what_netsuite_holds_is_compared_in_the_listed_currency() -> None:
    """The list says which currency an internal id is, so totals can be compared."""
    document = (
        '<getListResponse xmlns="urn:messages_2023_2.platform.webservices.netsuite.com" '
        'xmlns:c="urn:core_2023_2.platform.webservices.netsuite.com" '
        'xmlns:g="urn:general_2023_2.transactions.webservices.netsuite.com">'
        '<readResponseList><readResponse><c:status isSuccess="true"/>'
        '<record internalId="973" externalId="R-1"><g:currency internalId="7"/>'
        "<g:approved>true</g:approved><g:lineList><g:line><g:debit>5.0</g:debit></g:line>"
        "<g:line><g:credit>5.0</g:credit></g:line></g:lineList></record>"
        "</readResponse></readResponseList></getListResponse>"
    )
    (outcome,) = NetSuite().with_records(KNOWN).read(OURS.reply(parse(document.encode())))
    assert outcome.totals == {"CNY": Decimal("5.00")}


# --- whose records they are, and of when --------------------------------------------------------

HERE = one("3", name="1410")
US, CN = (one("213", number="6602010000"), one("913", number="6602010000"))
OTHERS = ACCOUNTS[1:]
BY_NUMBER: Any = {"account": "number", "subsidiary": "name"}


def limited(record: MasterRecord, *ids: str, **more: Any) -> MasterRecord:
    return replace(record, companies=tuple(f"S{id_}" for id_ in ids), company_ids=ids, **more)


def first_account(known: MasterRecords, **options: Any) -> Any:
    profile = NetSuite(**{"match": BY_NUMBER, **options}).with_records(known)
    return sent(profile)["lineList"]["line"][0]["account"]


def test_of_two_accounts_that_of_the_own_subsidiary_is_taken() -> None:
    """A number may be given once for each subsidiary."""
    known = lists(account=[limited(US, "9"), limited(CN, "3"), *OTHERS], subsidiary=[HERE])
    assert first_account(known) == {"@internalId": "913"}
    by_id = {"match": {"account": "number"}, "internal_ids": {"subsidiary": {"1410": "3"}}}
    assert first_account(known, **by_id) == {"@internalId": "913"}


@pytest.mark.parametrize(
    ("accounts", "words"),
    [
        ([limited(US, "9")], "limited to other subsidiaries than '1410': S9"),
        ([limited(US, "9"), limited(CN, "3", inactive=True)], "(internal id 913) is inactive"),
        ([replace(US, companies=("S9",))], "limited to other subsidiaries"),  # an earlier list
        ([limited(US, "1")], "limited to other subsidiaries"),  # above, without its children
    ],
)
def test_a_record_of_other_subsidiaries_is_not_taken(
    accounts: list[MasterRecord], words: str
) -> None:
    """Not even where it is the only one that is active."""
    above = [replace(HERE, parent="1"), one("1", name="All")]
    with pytest.raises(ClaimError, match="CB-488") as refused:
        first_account(lists(account=[*accounts, *OTHERS], subsidiary=above))
    assert words in refused.value.message


def test_a_limit_that_nobody_can_judge_refuses() -> None:
    """Where the company's subsidiary is not known, the message says how to name it."""
    known = lists(account=[limited(US, "3"), *OTHERS])
    with pytest.raises(ClaimError, match=r"CB-488 .*internal_ids\.subsidiary"):
        first_account(known, match={"account": "number"})
    assert first_account(known, match={"account": "number"}, one_world=False) == {
        "@internalId": "213"
    }


def test_a_record_may_be_open_to_all_below_a_subsidiary() -> None:
    """By ``includeChildren``; the levels between are in the list."""
    subsidiaries = [replace(HERE, parent="2"), one("2", name="Asia"), one("1", name="All")]
    subsidiaries[1] = replace(subsidiaries[1], parent="1")
    known = lists(account=[limited(US, "1", with_children=True), *OTHERS], subsidiary=subsidiaries)
    assert first_account(known) == {"@internalId": "213"}


def test_a_vendor_of_another_first_subsidiary_is_taken() -> None:
    """NetSuite shows the first subsidiary of those whom several share."""
    vendor = limited(one("90", entity_id="E0815"), "9")
    profile = NetSuite(match={"entity": "entity-id"})
    line = sent(profile.with_records(lists(vendor=[vendor], employee=[])))["lineList"]["line"][2]
    assert line["entity"] == {"@internalId": "90"}


def test_by_a_list_of_another_year_nothing_is_posted() -> None:
    """Numbers are given anew; ``doctor`` has warned for a year."""
    known = lists(account=ACCOUNTS, subsidiary=[HERE])
    old = replace(known.lists["account"], fetched_at=AT - dt.timedelta(days=401))
    with pytest.raises(ClaimError, match=r"CB-488 .*older than 400 days.*--refresh"):
        first_account(replace(known, lists={**known.lists, "account": old}))
    old = replace(old, fetched_at=AT - dt.timedelta(days=399))
    assert first_account(replace(known, lists={**known.lists, "account": old}))


def reversed_with(accounts: RecordList, **options: Any) -> Any:
    known = MasterRecords(ledger="US01", lists={"account": accounts})
    profile = NetSuite(match={"account": "number"}, **options).with_records(known)
    voucher = replace(PLAIN, purpose=Purpose.REVERSE, reverses=JournalEntry("973"))
    return profile.reverse(submission(voucher)).body["record"]["lineList"]["line"][0]["account"]


def test_a_reversal_never_goes_to_another_account_than_its_posting() -> None:
    """A number that means, or meant, several accounts is refused; ``internal_ids`` settles it."""
    now = RecordList(fetched_at=AT, records=tuple(ACCOUNTS))
    assert reversed_with(now.after(now)) == {"@internalId": "213"}
    renumbered = (one("213", number="6602010000-OLD"), CN, *OTHERS)
    gone = (CN, *OTHERS)
    for records in (renumbered, gone, (replace(US, inactive=True), CN, *OTHERS)):
        # Several refreshes later too.
        later = RecordList(fetched_at=AT, records=records)
        moved = later.after(later.after(now))
        with pytest.raises(ClaimError, match=r"CB-488 .*213.*settle --reversed"):
            reversed_with(moved)
        ids = {"account": {"6602010000": "213"}}
        assert reversed_with(moved, internal_ids=ids) == {"@internalId": "213"}
        # A new posting names what the number means today.
        known = MasterRecords(lists={"account": moved})
        assert first_account(known, match={"account": "number"}) == {"@internalId": "913"}


# --- the posting period -----------------------------------------------------------------------

MARCH = one("103", name="Mar 2026", first_day="2026-03-01", last_day="2026-03-31")
APRIL = one("104", name="Apr 2026", first_day="2026-04-01", last_day="2026-04-30")


@pytest.mark.parametrize("record", ["journal-entry", "expense-report"])
def test_the_period_is_that_of_the_posting_date(record: Any) -> None:
    """By the list, or by ``internal_ids`` and the month; left out unless somebody wants it."""
    listed = NetSuite(record=record, posting_period=True)
    profile = listed.with_records(lists(posting_period=[MARCH, APRIL]))
    assert sent(profile)["postingPeriod"] == {"@internalId": "103"}
    given = NetSuite(
        record=record, posting_period=True, internal_ids={"posting_period": {"2026-03": "77"}}
    )
    assert sent(given)["postingPeriod"] == {"@internalId": "77"}
    assert "postingPeriod" not in sent(NetSuite(record=record))
    assert listed.needed_kinds == ("posting-period",)


@pytest.mark.parametrize("periods", [[], [APRIL], [MARCH, replace(MARCH, id="203")]])
def test_no_period_or_two_are_refused(periods: list[MasterRecord]) -> None:
    """Two calendars have two periods for a day: a person says which."""
    profile = NetSuite(posting_period=True).with_records(lists(posting_period=periods))
    with pytest.raises(ClaimError, match="CB-488"):
        profile.submit([submission(PLAIN)])


# --- every line -------------------------------------------------------------------------------

HOTEL, VAT, PAID = PLAIN.postings
BARE = replace(PLAIN, postings=(HOTEL, VAT, replace(PAID, cost_centre="", project="")))
TAXI = replace(HOTEL, cost_centre="CC-2002", amount=Decimal("10.00"), source="lines[1].amount")


def departments(profile: NetSuite, voucher: Voucher) -> list[str]:
    lines = sent(profile, voucher)["lineList"]["line"]
    return [line.get("department", {}).get("@externalId", "") for line in lines]


def unplaced(posting: Posting) -> Posting:
    return replace(posting, cost_centre="", dimensions={})


def test_a_line_gets_what_the_expenses_have() -> None:
    """Tax and payable have the department of the expense; without the option nothing is added."""
    lacking = replace(BARE, postings=(HOTEL, unplaced(VAT), unplaced(PAID)))
    assert departments(NetSuite(), lacking) == ["CC-1001", "", ""]
    profile = NetSuite(on_every_line=("department",))
    assert departments(profile, lacking) == ["CC-1001"] * 3


def test_where_expenses_differ_the_companys_default_counts() -> None:
    """What is owed belongs to no expense alone; the tax stays with its own."""
    more = replace(PAID, amount=Decimal("1010.00"))
    mixed = replace(BARE, postings=(HOTEL, unplaced(VAT), TAXI, unplaced(more)))
    with pytest.raises(ClaimError, match="CB-490"):
        NetSuite(on_every_line=("department",)).submit([submission(mixed)])
    for company in ("1410", "*"):
        profile = NetSuite(
            on_every_line=("department",), defaults={company: {"department": "CC-0"}}
        )
        assert departments(profile, mixed) == ["CC-1001", "CC-1001", "CC-2002", "CC-0"]


def test_an_expense_takes_no_other_expenses_department() -> None:
    """A cost on the wrong department is worse than a refusal."""
    more = replace(PAID, amount=Decimal("1010.00"))
    mixed = replace(BARE, postings=(HOTEL, VAT, unplaced(TAXI), more))
    with pytest.raises(ClaimError, match="CB-490"):
        NetSuite(on_every_line=("department",)).submit([submission(mixed)])


def test_the_head_has_them_where_the_form_shows_them() -> None:
    """Only where ``in_head`` says so: NetSuite refuses fields that the form does not show."""
    profile = NetSuite(in_head=("department", "class"))
    head = sent(profile)
    assert (head["department"], head["class"]) == (
        {"@externalId": "CC-1001"},
        {"@externalId": "P-7"},
    )
    assert "department" not in sent(NetSuite())
    with pytest.raises(ClaimError, match="CB-490"):
        NetSuite(in_head=("location",)).submit([submission(PLAIN)])


def test_a_report_has_them_too() -> None:
    """The head of a report has the codes of what is owed, which NetSuite books."""
    lacking = replace(BARE, postings=(HOTEL, unplaced(VAT), replace(PAID, cost_centre="")))
    profile = NetSuite(
        record="expense-report",
        on_every_line=("department", "location"),
        defaults={"*": {"location": "L1"}},
    )
    record = sent(profile, lacking)
    (expense,) = record["expenseList"]["expense"]
    assert record["department"] == expense["department"] == {"@externalId": "CC-1001"}
    assert record["location"] == expense["location"] == {"@externalId": "L1"}


def test_the_role_decides_who_is_filled() -> None:
    """A rounding line is no expense: it gets what the expenses agree on."""
    rounding = replace(unplaced(PAID), role=Role.ROUNDING, amount=Decimal("0.01"), partner="")
    paid = replace(PAID, amount=Decimal("999.99"))
    voucher = replace(BARE, postings=(HOTEL, VAT, paid, rounding))
    assert departments(NetSuite(on_every_line=("department",)), voucher)[-1] == "CC-1001"


@pytest.mark.parametrize(
    "options",
    [
        {"match": {"account": "email"}},
        {"match": {"acount": "number"}},
        {"match": {"account": "nummer"}},
        {"match": {"posting_period": "name"}},
        {"on_every_line": ["entity"]},
        {"on_every_line": ["department"], "dimensions": {"department": "class"}},
        {"defaults": {"*": {"department": "1"}}},
        {"posting_period": "open"},
    ],
)
def test_wrong_options_are_told(options: dict[str, object]) -> None:
    """By name, when the profile is made."""
    with pytest.raises(ConfigurationError, match="CB-243"):
        load_profile("netsuite", options)


# --- the pages of a list ----------------------------------------------------------------------

CORE = (
    'xmlns="urn:core_2023_2.platform.webservices.netsuite.com" '
    'xmlns:a="urn:accounting_2023_2.lists.webservices.netsuite.com" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
)


def page(inside: str, status: str = '<status isSuccess="true"/>', of: str = "search") -> Reply:
    uri = "urn:messages_2023_2.platform.webservices.netsuite.com"
    document = (
        f'<m:{of}Response xmlns:m="{uri}" {CORE}><searchResult>{status}{inside}'
        f"</searchResult></m:{of}Response>"
    )
    return OURS.reply(parse(document.encode()))


COUNTS = (
    "<totalRecords>3</totalRecords><pageSize>2</pageSize><totalPages>2</totalPages>"
    "<pageIndex>{}</pageIndex><searchId>S-1</searchId>"
)
RECORD = (
    '<recordList><record xsi:type="a:Department" internalId="7" externalId="D7">'
    '<a:name>East</a:name><a:parent internalId="1"><name>Sales : All</name></a:parent>'
    '<a:isInactive>true</a:isInactive><a:subsidiaryList><recordRef internalId="3"><name>US</name>'
    "</recordRef></a:subsidiaryList><a:includeChildren>true</a:includeChildren>"
    "</record></recordList>"
)


def test_a_page_gives_records_and_the_next_question() -> None:
    """Names by kind, the levels above, the companies; the last page asks for nothing."""
    read = NetSuite().read_records("department", page(COUNTS.format(1) + RECORD))
    assert read.total == 3
    assert read.records == (
        MasterRecord(
            id="7",
            names={"name": "East", "full-name": "Sales : All : East", "external-id": "D7"},
            inactive=True,
            companies=("US",),
            company_ids=("3",),
            with_children=True,
            parent="1",
        ),
    )
    assert read.next is not None
    assert (read.next.operation, read.next.body) == (
        "searchMoreWithId",
        {"searchId": "S-1", "pageIndex": "2"},
    )
    assert NetSuite().read_records("department", page(COUNTS.format(2))).next is None
    assert NetSuite().read_records("account", page("<totalRecords>0</totalRecords>")).records == ()


def refusal(code: str) -> str:
    return (
        f'<status isSuccess="false"><statusDetail type="ERROR"><code>{code}</code>'
        "<message>no</message></statusDetail></status>"
    )


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (page("", refusal("WS_CONCUR_SESSION_DISALLWD")), LedgerUnavailable),
        (page("", refusal("INSUFFICIENT_PERMISSION")), DeliveryRefused),
        (page("", refusal("UNEXPECTED_ERROR")), NotDelivered),
        (page("", ""), NotDelivered),
        (page(""), NotDelivered),
        (page(COUNTS.format(1).replace("S-1", "")), NotDelivered),
        (page(COUNTS.format(1) + RECORD.replace('internalId="7"', "")), NotDelivered),
    ],
)
def test_what_is_no_page_is_never_an_empty_list(reply: Reply, error: type[Exception]) -> None:
    """Busy, not let in, or unreadable: an empty list would let every code be unknown."""
    with pytest.raises(error):
        NetSuite().read_records("department", reply)


def period(id_: int, begins: dt.datetime, ends: dt.datetime) -> str:
    """A period as NetSuite writes it: the midnights of the user's zone, in Pacific time."""
    pacific = ZoneInfo("America/Los_Angeles")
    first, last = (at.astimezone(pacific).isoformat("T", "milliseconds") for at in (begins, ends))
    return (
        f'<record internalId="{id_}"><a:periodName>P</a:periodName><a:startDate>{first}'
        f"</a:startDate><a:endDate>{last}</a:endDate></record>"
    )


def periods_of(zone: str, *days: tuple[dt.date, dt.date]) -> MasterRecords:
    """The list of the periods of these first and last days, for a user of a zone."""

    def midnight(day: dt.date) -> dt.datetime:
        return dt.datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))

    listed = "".join(period(n, *map(midnight, each)) for n, each in enumerate(days, 1))
    read = NetSuite().read_records(
        "posting-period", page(COUNTS.format(2) + f"<recordList>{listed}</recordList>")
    )
    return lists(posting_period=list(read.records))


MONTHS = [
    (dt.date(2026, month, 1), dt.date(2026, month + 1, 1) - dt.timedelta(days=1))
    for month in range(1, 12)
]


@pytest.mark.parametrize(
    "zone",
    [
        *("Asia/Shanghai", "America/Los_Angeles", "UTC", "Europe/Berlin", "Asia/Kolkata"),
        *("Pacific/Auckland", "Pacific/Honolulu", "Pacific/Kiritimati", "Pacific/Pago_Pago"),
        *("Etc/GMT+12", "Pacific/Chatham", "America/St_Johns", "Asia/Kathmandu"),
    ],
)
def test_the_month_is_the_users_wherever_the_user_is(zone: str) -> None:
    """For Shanghai, April begins on 31 March at 9 in Los Angeles; 31 March is March there."""
    profile = NetSuite(posting_period=True).with_records(periods_of(zone, *MONTHS))
    for month, days in enumerate(MONTHS, 1):
        for day in days:
            record = sent(profile, replace(PLAIN, posting_date=day))
            assert record["postingPeriod"] == {"@internalId": str(month)}, day


def test_periods_of_weeks_are_found_or_refused() -> None:
    """They begin on any day; where a zone leaves two days open, nobody guesses."""
    weeks = (
        (dt.date(2026, 2, 22), dt.date(2026, 3, 21)),
        (dt.date(2026, 3, 22), dt.date(2026, 4, 25)),
    )
    voucher = replace(PLAIN, posting_date=dt.date(2026, 3, 22))
    profile = NetSuite(posting_period=True)
    there = profile.with_records(periods_of("Asia/Shanghai", *weeks))
    assert sent(there, voucher)["postingPeriod"] == {"@internalId": "2"}
    with pytest.raises(ClaimError, match="CB-488"):
        profile.with_records(periods_of("Pacific/Auckland", *weeks)).submit([submission(voucher)])


def test_a_list_without_regard_to_zones_is_refused() -> None:
    """As earlier versions kept it: nobody knows whose days these are."""
    old = one("104", name="Apr 2026", begins="2026-03-31", ends="2026-04-29")
    profile = NetSuite(posting_period=True).with_records(lists(posting_period=[old]))
    with pytest.raises(ClaimError, match=r"CB-488 .*--refresh"):
        profile.submit([submission(replace(PLAIN, posting_date=dt.date(2026, 3, 31)))])


def test_quarters_and_years_are_no_posting_periods() -> None:
    """Of the accounting periods only months take postings."""
    record = (
        '<record internalId="{}"><a:periodName>P</a:periodName><a:startDate>2026-01-01T00:00:00'
        "</a:startDate><a:endDate>2026-03-31T00:00:00</a:endDate><a:{}>true</a:{}></record>"
    )
    listed = "".join(
        record.format(at, name, name)
        for at, name in enumerate(("isQuarter", "isYear", "isAdjust", "closed"))
    )
    read = NetSuite().read_records(
        "posting-period", page(COUNTS.format(2) + f"<recordList>{listed}</recordList>")
    )
    assert [(each.id, each.inactive) for each in read.records] == [("3", True)]
    assert read.total is None


@pytest.mark.parametrize("contract", ["ours", "netsuite-2023.2"])
def test_every_question_for_a_list_is_valid(contract: str, shared: Callable[[str], Path]) -> None:
    """By our contract and by NetSuite's own."""
    wanted = OURS
    profile = NetSuite()
    if contract != "ours":
        wanted = Contract.load(
            shared(f"contracts/{contract}/netsuite.wsdl"),
            operations=profile.operations,
            types=profile.types,
        )
    read = profile.read_records("department", page(COUNTS.format(1)))
    assert read.next is not None
    for request in (*map(profile.list_records, LISTED), read.next):
        body = wanted.render(request.operation, request.body, sources=request.sources)
        assert wanted.check(body, sources=request.sources) == ()
