"""Fields that a configuration adds to requests, and leaves out: for every profile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from lxml import etree
from tests.profiles.samples import TRIP, submission
from tests.site import SITE

from claimbridge import xmlio
from claimbridge.config import LedgerConfig, config_from
from claimbridge.errors import ClaimError, ConfigurationError, SchemaViolation
from claimbridge.ledger import Ledger
from claimbridge.model import JournalEntry, Posting, Submission, Voucher
from claimbridge.profiles import PROFILES, Profile, load_profile
from claimbridge.profiles.extra.opening import open_extras
from claimbridge.profiles.extra.owned import Owned
from claimbridge.profiles.extra.settings import Extra
from claimbridge.profiles.extra.trials import owned, trials
from claimbridge.profiles.extra.weight import weights
from claimbridge.profiles.reference.profile import Reference

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
replace = msgspec.structs.replace
CODED = replace(
    TRIP,
    postings=(
        replace(TRIP.postings[0], dimensions={"region": "EAST"}),
        *(replace(one, dimensions={}) for one in TRIP.postings[1:]),
    ),
)
"""A trip whose expense has a dimension that hardly any ERP has a place for."""
JOURNAL = "Accounting_Journal_Data"
LINES = f"{JOURNAL}/Journal_Entry_Line_Replacement_Data"
SAP = "JournalEntryCreateRequest/JournalEntry"
HEAD = "voucher/voucher_head"


class Way(NamedTuple):
    """A profile, what it gets and leaves out, and what must stand in the request, or must not."""

    profile: str
    omit: str
    extra: dict[str, Any]
    there: str
    gone: str
    options: Mapping[str, Any] = {}


WAYS = [
    Way(
        "reference",
        "Voucher/Approver",
        {"at": "Voucher/Posting/Dimension", "value": {"Name": "claim", "Value": "{claim.id}"}},
        "Posting[1]/Dimension/Value=EXP-2026-0042",
        "Approver",
    ),
    Way(
        "sap-journal-entry",
        f"{SAP}/DocumentHeaderText",
        {
            "at": f"{SAP}/Item/AccountAssignment/Segment",
            "value": "{posting.dimensions.region}",
            "role": "expense",
        },
        "Item/AccountAssignment/Segment=EAST",
        "DocumentHeaderText",
    ),
    Way(
        "sap-bapi",
        "Documentheader/HeaderTxt",
        {"at": "Accountgl/item/Segment", "value": "{posting.dimensions.region}"},
        "Accountgl/item/Segment=EAST",
        "HeaderTxt",
    ),
    Way(
        "netsuite",
        "record/approved",
        {"at": "record/lineList/line/location/@internalId", "value": "{posting.dimensions.region}"},
        "line[1]/location/@internalId=EAST",
        "approved",
    ),
    Way(
        "netsuite",
        "record/complete",
        {"at": "record/expenseList/expense/location/@internalId", "value": "7"},
        "expense/location/@internalId=7",
        "complete",
        {"record": "expense-report"},
    ),
    Way(
        "workday",
        f"{JOURNAL}/Journal_Entry_Memo",
        {
            "at": f"{LINES}/Worktags_Reference",
            "value": {"ID": {"@type": "Region_ID", "#text": "{posting.dimensions.region}"}},
        },
        "Journal_Entry_Line_Replacement_Data[1]/Worktags_Reference[3]/ID=EAST",
        "Journal_Entry_Memo",
    ),
    Way(
        "kingdee-eas",
        "col/item/bizDate",
        {"at": "col/item/attaches", "value": 2},
        "/attaches=2",
        "bizDate",
    ),
    Way(
        "yonyou-nc",
        f"{HEAD}/attachment",
        {"at": f"{HEAD}/memo2", "value": "{claim.id}/{claim.revision}"},
        "voucher_head/memo2=EXP-2026-0042/1",
        "attachment",
    ),
    Way(
        "in-string",
        "text",
        {"at": "posting/project", "value": "{posting.dimensions.region}"},
        '"project":"EAST"',
        '"Customer visit',
        {
            "posting": {name: f"{{{name}}}" for name in ("account", "side", "amount", "currency")},
            "ignored": ["project", "cost_centre", "partner"],
        },
    ),
]


def config(profile: str, omit: Any = (), extra: Any = (), **more: Any) -> LedgerConfig:
    table = {"endpoint": "http://127.0.0.1/", "name": "X", "profile": profile, **more}
    table["options"] = {**SITE.get(profile, {}), **more.get("options", {})}
    return config_from(table | {"omit": omit, "extra": extra}, where="c.toml [ledger.X]")


def ledger(profile: str, omit: Any = (), extra: Any = (), **more: Any) -> Ledger:
    return Ledger(config(profile, list(omit), list(extra), **more))


def sent(of: Ledger, *submissions: Submission, verb: str = "submit") -> etree._Element:
    """What goes out for these, as a document; in a string too."""
    root = xmlio.parse(of.build(verb, submissions).body, what="the request")
    inner = [each.text for each in root.iter() if (each.text or "").startswith("<?xml")]
    return xmlio.parse((inner[0] or "").encode(), what="the document") if inner else root


def values(root: etree._Element) -> list[str]:
    """Each value with its path, from each element on: ``Line[1]/Text=Hotel``."""
    found = []
    for element in root.iter(etree.Element):
        at = xmlio.path_of(element)
        found.append(f"{at}={element.text}")
        found += [
            f"{at}/@{etree.QName(name).localname}={text}" for name, text in element.attrib.items()
        ]
    return found


def has(root: etree._Element, wanted: str) -> bool:
    return any(each.endswith(wanted) or wanted in each for each in values(root))


def refusal(profile: str, omit: Any = (), extra: Any = (), **more: Any) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as refused:
        ledger(profile, omit, extra, **more)
    return refused.value


@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way.profile}-{way.omit}")
def test_every_profile_sends_what_is_added_and_not_what_is_left_out(way: Way) -> None:
    """The request is valid by the contract, and differs in nothing else."""
    options = dict(way.options)
    voucher = CODED if "region" in str(way.extra) else replace(CODED, postings=_plain(CODED))
    plain = replace(voucher, postings=_plain(voucher))
    usual = sent(ledger(way.profile, options=options), submission(plain))
    made = sent(ledger(way.profile, [way.omit], [way.extra], options=options), submission(voucher))
    assert has(made, way.there)
    assert not has(usual, way.there)
    assert has(usual, way.gone)
    assert not has(made, f"/{way.gone}=")
    if way.profile != "in-string":  # whose document is one string
        more = {one for one in values(made) if one not in values(usual)}
        known = f"{way} None"  # an element that holds others has no text
        assert [
            each
            for each in more
            if each.split("=")[1] not in known
            and not each.startswith(
                ("MessageHeader/CreationDate", "JournalEntryCreateRequest/Mess")
            )
            and "/@type=" not in each  # which the encoded form says of every element
        ] == []


def _plain(voucher: Voucher) -> Any:
    return tuple(replace(one, dimensions={}) for one in voucher.postings)


@pytest.mark.parametrize(
    ("profile", "place", "omit", "extra", "there"),
    [
        (
            "netsuite",
            "netsuite-2023.2/netsuite.wsdl",
            ["record/approved", "record/lineList/line/memo"],
            [
                {
                    "at": "record/customFieldList/customField",
                    "value": {
                        "@xsi:type": "StringCustomFieldRef",
                        "@scriptId": "custbody_claim",
                        "value": "{claim.id}",
                    },
                },
                {
                    "at": "record/customFieldList/customField",
                    "value": {
                        "@xsi:type": "BooleanCustomFieldRef",
                        "@scriptId": "custbody_ours",
                        "value": True,
                    },
                },
            ],
            ["customField[1]/value=EXP-2026-0042", "customField[2]/value=true"],
        ),
        (
            "sap-journal-entry",
            "sap-journal-entry/2024.wsdl",
            [f"{SAP}/DocumentHeaderText"],
            [{"at": f"{SAP}/Reference1InDocumentHeader", "value": "{voucher.employee}"}],
            ["Reference1InDocumentHeader=E0815"],
        ),
        (
            "sap-journal-entry",
            "sap-journal-entry/2020.wsdl",
            [f"{SAP}/DocumentHeaderText"],
            [{"at": f"{SAP}/Item/AccountAssignment/Segment", "value": "S1", "account": "66*"}],
            ["Item/AccountAssignment/Segment=S1"],
        ),
        (
            "workday",
            "workday-financial-management-v30/Financial_Management.wsdl",
            [f"{LINES}/Memo"],
            [{"at": f"{JOURNAL}/Disable_Optional_Worktag_Balancing", "value": True}],
            ["Disable_Optional_Worktag_Balancing=true"],
        ),
        (
            "kingdee-eas",
            "kingdee-eas/WSGLWebServiceFacade.wsdl",
            ["col/item/bizDate"],
            [{"at": "col/item/bizNumber", "value": "{claim.id}"}],
            ["/bizNumber=EXP-2026-0042"],
        ),
    ],
)
def test_by_the_real_contract(
    shared: Callable[[str], Path],
    profile: str,
    place: str,
    omit: list[str],
    extra: list[dict[str, Any]],
    there: list[str],
) -> None:
    """Custom fields, extension fields: what ours do not have, and the ERP's own contract does."""
    contract = str(shared(f"contracts/{place}"))
    of = ledger(profile, omit, extra, contract=contract)
    made = sent(of, submission(replace(CODED, postings=_plain(CODED))))
    assert [each for each in there if not has(made, each)] == []
    assert refusal(profile, (), [{"at": "Nowhere/To/Be", "value": "x"}], contract=contract).code


@pytest.mark.parametrize(
    ("profile", "at", "first", "second"),
    [
        ("reference", "Voucher/Posting/Dimension", "Voucher[1]", "Voucher[2]"),
        ("netsuite", "record/tranId", "record[1]/tranId", "record[2]/tranId"),
        (
            "sap-journal-entry",
            f"{SAP}/Reference1InDocumentHeader",
            "JournalEntryCreateRequest[1]",
            "JournalEntryCreateRequest[2]",
        ),
    ],
)
def test_each_document_of_a_batch_gets_its_own_value(
    profile: str, at: str, first: str, second: str
) -> None:
    """Two claims in one request, two ids."""
    dimension = at.endswith("Dimension")
    value: Any = {"Name": "claim", "Value": "{claim.id}"} if dimension else "{claim.id}"
    one = replace(CODED, postings=_plain(CODED))
    other = replace(one, claim_id="EXP-2026-0043")
    pair = submission(one), submission(other, reference="EXP-2026-0043")
    made = values(sent(ledger(profile, (), [{"at": at, "value": value}]), *pair))
    last = "Value" if dimension else at.rpartition("/")[2]
    for place, claim in ((first, "EXP-2026-0042"), (second, "EXP-2026-0043")):
        told = [each for each in made if place in each and f"{last}=" in each]
        assert told
        assert all(each.endswith(f"={claim}") for each in told)


def test_a_reversal_gets_them_too_unless_the_purpose_says_otherwise() -> None:
    """One entry for all documents, one for each purpose."""
    at = f"{SAP}/Reference1InDocumentHeader"
    extra = [
        {"at": at, "value": "P", "purpose": "post"},
        {"at": at, "value": "R", "purpose": "reverse"},
        {"at": f"{SAP}/Reference2InDocumentHeader", "value": "{voucher.reverses}"},
    ]
    of = ledger("sap-journal-entry", [f"{SAP}/DocumentHeaderText"], extra)
    posted = submission(replace(TRIP, postings=_plain(TRIP)))
    entry = JournalEntry("100000008", "1410", "2026")
    reversal = posted.voucher.reversal(entry, posting_date=TRIP.posting_date)
    taken_back = sent(of, submission(reversal), verb="reverse")
    assert has(taken_back, "Reference1InDocumentHeader=R")
    assert has(taken_back, "Reference2InDocumentHeader=100000008")
    assert not has(taken_back, "DocumentHeaderText=")
    made = sent(of, posted)
    assert has(made, "Reference1InDocumentHeader=P")
    assert not has(made, "Reference2InDocumentHeader")  # it reverses nothing: the value is empty


def test_filters_by_role_account_and_company() -> None:
    """Each posting gets the entries that are meant for it, and no other."""
    at = "Voucher/Posting/Dimension"
    extra = [
        {"at": at, "value": {"Name": "a", "Value": "role"}, "role": ["input_tax"]},
        {"at": at, "value": {"Name": "a", "Value": "glob"}, "account": ["6602*", "9*"]},
        {"at": at, "value": {"Name": "a", "Value": "here"}, "company": "1410", "account": "2241*"},
        {"at": at, "value": {"Name": "a", "Value": "elsewhere"}, "company": ["9999"]},
    ]
    made = sent(ledger("reference", (), extra), submission(replace(TRIP, postings=_plain(TRIP))))
    told = [each for each in values(made) if "Dimension/Value=" in each]
    assert told == [
        "Voucher/Posting[1]/Dimension/Value=glob",
        "Voucher/Posting[2]/Dimension/Value=role",
        "Voucher/Posting[3]/Dimension/Value=here",
    ]


def test_what_is_left_out_first_may_be_written_anew() -> None:
    """``omit`` and then ``extra``: the field has the configured value."""
    extra = [{"at": "Voucher/Approver", "value": "{{{voucher.approver}}} of {voucher.company}"}]
    of = ledger("reference", ["Voucher/Approver"], extra)
    assert has(sent(of, submission()), "Approver={Li Na} of 1410")


def test_a_table_is_left_out_where_its_fields_are_empty() -> None:
    """A custom field without a value is not sent as an empty one."""
    value = {"Name": "project", "Value": "{posting.project}"}
    made = values(
        sent(ledger("reference", (), [{"at": "Voucher/Posting/Dimension", "value": value}]),
             submission(replace(TRIP, postings=_plain(TRIP))))
    )  # fmt: skip
    assert [each for each in made if "/Dimension/" in each] == [
        "Voucher/Posting[1]/Dimension/Name=project",
        "Voucher/Posting[1]/Dimension/Value=P-7",
    ]


def test_a_dimension_goes_where_an_entry_carries_it_and_nowhere_else() -> None:
    """SAP has no region: without an entry for this posting it is refused, as without any."""
    at = f"{SAP}/Item/AccountAssignment/Segment"
    entry = {"at": at, "value": "{posting.dimensions.region}", "account": "66*"}
    made = sent(ledger("sap-journal-entry", (), [entry]), submission(CODED))
    assert has(made, "Segment=EAST")
    elsewhere = {**entry, "account": "77*"}
    with pytest.raises(ClaimError) as refused:
        ledger("sap-journal-entry", (), [elsewhere]).build("submit", (submission(CODED),))
    assert refused.value.code == "CB-162"
    assert "region" in refused.value.message


def test_a_dimension_that_the_profile_has_a_place_for_stays_in_it() -> None:
    """It is carried twice: an entry takes nothing away."""
    entry = {"at": f"{SAP}/Reference1InDocumentHeader", "value": "x"}
    second = {"at": f"{SAP}/Item/AssignmentReference", "value": "{posting.dimensions.segment}"}
    voucher = replace(TRIP, postings=(
        replace(TRIP.postings[0], dimensions={"segment": "S7"}), *_plain(TRIP)[1:]))  # fmt: skip
    of = ledger("sap-journal-entry", [f"{SAP}/Item/AssignmentReference"], [entry, second])
    made = sent(of, submission(voucher))
    assert has(made, "AccountAssignment/Segment=S7")
    assert has(made, "AssignmentReference=S7")


def test_a_finding_names_the_claim_field_behind_an_added_value() -> None:
    """A person is told what to fix in the claim."""
    extra = [
        {"at": f"{SAP}/Item/AccountAssignment/Segment", "value": "{posting.dimensions.region}"}
    ]
    wide = replace(CODED.postings[0], dimensions={"region": "E" * 40})
    voucher = replace(CODED, postings=(wide, *CODED.postings[1:]))
    with pytest.raises(SchemaViolation) as refused:
        ledger("sap-journal-entry", (), extra).build("submit", (submission(voucher),))
    (finding,) = refused.value.findings
    assert finding.claim_field == "lines[0].dimensions.region"
    assert finding.path.endswith("Item/AccountAssignment/Segment")


@pytest.mark.parametrize(
    ("extra", "told"),
    [
        ({"at": "Voucher/Posting[1]/Dimension", "value": "x"}, "no path"),
        ({"at": "Voucher//Posting", "value": "x"}, "no path"),
        ({"at": "", "value": "x"}, "no path"),
        ({"at": "Voucher/@Id/Posting", "value": "x"}, "no path"),
        ({"at": "Voucher/Text", "value": "{posting.colour}"}, "posting.dimensions.NAME"),
        ({"at": "Voucher/Text", "value": "{posting.dimensions.}"}, "no field"),
        ({"at": "Voucher/Text", "value": "{voucher.text"}, "write it twice"),
        ({"at": "Voucher/Text", "value": 0.5}, "no exact form"),
        ({"at": "Voucher/Text", "value": {"a": {}}}, "empty table"),
        ({"at": "Voucher/Text", "value": "x", "role": ["boss"]}, "expense, input_tax"),
        ({"at": "Voucher/Text", "value": "x", "account": ""}, "matches nothing"),
    ],
)
def test_an_entry_that_is_not_understood_is_refused(extra: dict[str, Any], told: str) -> None:
    """With the entry, and what could stand there."""
    error = refusal("reference", (), [extra])
    assert error.code == "CB-247"
    assert told in error.message
    assert "c.toml" in error.message


@pytest.mark.parametrize("more", [{"path": "x"}, {"role": 7}, {"purpose": "pay"}, {"at": 1}])
def test_an_unknown_key_is_refused_like_any_other(more: dict[str, Any]) -> None:
    """The configuration's own check."""
    error = refusal("reference", (), [{"at": "Voucher/Text", "value": "x", **more}])
    assert error.code == "CB-251"
    assert "extra[0]" in error.message


@pytest.mark.parametrize(
    ("omit", "extra", "told"),
    [
        (["Voucher/Aprover"], [], "Approver"),
        (["Voucher/Employee"], [], "Voucher lacks Employee"),
        ([], [{"at": "Voucher/Posting/Narative", "value": "x"}], "Narration"),
        ([], [{"at": "Voucher/Approver", "value": "x"}], "fills it already"),
        ([], [{"at": "Voucher/Posting/Dimension", "value": {"Name": "x"}}], "lacks Value"),
        ([], [{"at": "Voucher/Posting/Dimension", "value": {"Nam": "x"}}], "knows no Nam"),
        (
            ["Voucher/Approver"],
            [{"at": "Voucher/Approver", "value": "{posting.project}"}],
            "once for each posting",
        ),
        (
            ["Voucher/Approver"],
            [{"at": "Voucher/Approver", "value": "x"}, {"at": "Voucher/Approver", "value": "y"}],
            "another entry",
        ),
    ],
)
def test_what_the_contract_does_not_allow_is_refused(
    omit: list[str], extra: list[dict[str, Any]], told: str
) -> None:
    """When the ledger is opened, and not when the first claim is on its way."""
    if told == "another entry":
        of = ledger("reference", omit, extra)  # each by itself is right: filters may part them
        with pytest.raises(ConfigurationError, match=told):
            of.build("submit", (submission(),))
        return
    error = refusal("reference", omit, extra)
    assert error.code == "CB-248"
    assert told in error.message
    assert "ledger X" in error.message


def test_an_entry_for_postings_that_never_come_is_refused() -> None:
    """No card's payable is a tax item."""
    at = f"{SAP}/ProductTaxItem/TaxItemGroup"
    error = refusal("sap-journal-entry", (), [{"at": at, "value": "1", "role": "card_payable"}])
    assert error.code == "CB-248"
    assert "no posting of these roles" in error.message


def test_an_element_that_no_posting_has_is_not_made() -> None:
    """Without the option debtors there are no debtor items to add to."""
    at = f"{SAP}/DebtorItem/AltvRecnclnAccts"
    error = refusal("sap-journal-entry", (), [{"at": at, "value": "1"}])
    assert error.code == "CB-248"


def test_what_stands_outside_of_documents_takes_constants_only() -> None:
    """A request of several documents has one header."""
    at = "MessageHeader/RecipientBusinessSystemID"
    error = refusal("sap-journal-entry", (), [{"at": at, "value": "{claim.id}"}])
    assert error.code == "CB-247"
    assert "constants" in error.message
    of = ledger("sap-journal-entry", (), [{"at": at, "value": "S4H"}])
    made = sent(of, submission(replace(TRIP, postings=_plain(TRIP))))
    assert has(made, "MessageHeader/RecipientBusinessSystemID=S4H")


def test_an_element_for_each_posting_may_stand_beside_them(tmp_path: Path) -> None:
    """Extension rows that name their item by its number."""
    wsdl = (Path(__file__).resolve().parents[2] / "wsdl/sap-bapi.wsdl").read_text("utf-8")
    marker = 'name="Return"'
    at = wsdl.index("<", wsdl.rindex("\n", 0, wsdl.index(marker)))
    row = (
        '<xsd:element name="Extension2" minOccurs="0"><xsd:complexType><xsd:sequence>'
        '<xsd:element name="item" minOccurs="0" maxOccurs="unbounded" form="unqualified">'
        '<xsd:complexType><xsd:sequence><xsd:element name="Structure" type="xsd:string"/>'
        '<xsd:element name="Valuepart1" type="xsd:string"/></xsd:sequence></xsd:complexType>'
        "</xsd:element></xsd:sequence></xsd:complexType></xsd:element>"
    )
    prefix = wsdl[at + 1 : wsdl.index(":", at)]
    changed = wsdl[:at] + row.replace("xsd:", f"{prefix}:") + wsdl[at:]
    (tmp_path / "bapi.wsdl").write_text(changed, "utf-8")
    value = {"Structure": "ZFI", "Valuepart1": "{posting.number} {posting.account}"}
    extra = [{"at": "Extension2/item", "value": value, "role": ["expense", "input_tax"]}]
    of = ledger("sap-bapi", (), extra, contract=str(tmp_path / "bapi.wsdl"))
    made = values(sent(of, submission(replace(TRIP, postings=_plain(TRIP)))))
    assert [each for each in made if "Valuepart1" in each] == [
        "Extension2/item[1]/Valuepart1=1 6602010000",
        "Extension2/item[2]/Valuepart1=2 2221010100",
    ]


ALL: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in PROFILES),
    ("netsuite", {"record": "expense-report"}),
    ("in-string", {"format": "elements"}),
    ("kingdee-eas", {"facade": "rows"}),
    ("kingdee-eas", {"facade": "json"}),
]


@pytest.mark.parametrize(("name", "options"), ALL)
def test_what_identifies_or_weighs_is_never_left_out_nor_written(
    name: str, options: dict[str, Any]
) -> None:
    """Found by changing samples: each of these paths is refused for ``omit`` and for ``extra``."""
    profile = load_profile(name, {**SITE.get(name, {}), **options})
    made = trials(profile)
    kept = weights(profile, made, owned(profile, made))
    if options.get("facade") == "json":  # the rows are one text
        assert "rows" in kept
    else:
        carried = {*kept.values()}
        assert {"our reference", "the account", "the company", "the posting date"} <= carried
        assert {"the amount", "the side"} & carried
    for path in {what: path for path, what in sorted(kept.items())}.values():
        around = [path.rpartition("/")[0]] if "/" in path else []
        for omit, at in (([path], ()), ((), [path]), (around, around)):
            extra = [Extra(at=one, value="x") for one in at]
            if omit or extra:
                with pytest.raises(ConfigurationError, match="CB-249 ledger"):
                    open_extras(profile, omit, extra, about="ledger X")


def test_a_copy_of_a_posting_cannot_be_added() -> None:
    """Nor a value of it that the profile leaves empty on the other side."""
    for at in ("record/lineList/line", "record/lineList/line/credit"):
        error = refusal("netsuite", (), [{"at": at, "value": {"credit": "1"}}])
        assert error.code == "CB-249"
    error = refusal("reference", (), [{"at": "Voucher/Signature", "value": "x"}])
    assert error.code == "CB-249"
    assert "identity" in error.message


_SAP_ENTRY = "JournalEntryCreateRequest/JournalEntry"
_PAID = {"AmountInTransactionCurrency": {"@currencyCode": "CNY", "#text": "9.00"}}


@pytest.mark.parametrize(
    ("profile", "at", "value"),
    [
        # Whole items of their own, which balance among themselves.
        ("sap-journal-entry", f"{_SAP_ENTRY}/DebtorItem", {"Debtor": "17", **_PAID}),
        ("sap-journal-entry", f"{_SAP_ENTRY}/CreditorItem", {"Creditor": "17", **_PAID}),
        ("sap-journal-entry", f"{_SAP_ENTRY}/WithholdingTaxItem", _PAID),
        ("sap-journal-entry", f"{_SAP_ENTRY}/DebtorItem/AmountInTransactionCurrency/#text", "9"),
        ("sap-journal-entry", f"{_SAP_ENTRY}/Item/AmountInGroupCurrency", "9"),
        ("sap-journal-entry", f"{_SAP_ENTRY}/{{urn:x}}Extra/TaxBaseAmountInCoCodeCrcy", "9"),
        ("sap-bapi", "Accountwt/item", {"ItemnoAcc": "1", "BasAmtTc": "9"}),
        ("sap-bapi", "Valuefield/item/AmtValcom", "9"),
        ("sap-bapi", "Paymentcard/item", [{"Authamount": "9"}, {"Authamount": "8"}]),
        ("kingdee-eas", "voucherCols/voucherCols/standardAmount", "9"),
        ("workday", "Accounting_Journal_Data/Other/Line/Ledger_Debit_Amount", "9"),
        ("netsuite", "record/otherList/line", {"inner": {"debit": "9"}}),
        ("netsuite", "record/otherList/other/foreignAmount", "9"),
        ("reference", "Voucher/Other/Amount/@value", "9"),
        # What moves amounts elsewhere, or empties what the profile writes.
        ("sap-bapi", "Documentheader/FisPeriod", "13"),
        ("sap-journal-entry", f"{_SAP_ENTRY}/PostingFiscalPeriod", "13"),
        ("netsuite", "record/nullFieldList", {"name": ["externalId", "subsidiary"]}),
        ("netsuite", "record/nullFieldList/name", "externalId"),
    ],
)
def test_only_the_profile_writes_amounts(profile: str, at: str, value: Any) -> None:
    """An amount in an element of its own weighs as much as the profile's."""
    of = load_profile(profile, SITE.get(profile, {}))
    with pytest.raises(ConfigurationError, match="CB-249"):
        open_extras(of, (), [Extra(at=at, value=value)], about="ledger X")


def test_a_report_s_amount_cannot_come_from_a_rate() -> None:
    """Nor is a line taken off what the employee is owed."""
    of = load_profile("netsuite", {"record": "expense-report"})
    for name in ("quantity", "rate", "foreignAmount", "isNonReimbursable"):
        extra = [Extra(at=f"record/expenseList/expense/{name}", value="2")]
        with pytest.raises(ConfigurationError, match="CB-249"):
            open_extras(of, (), extra, about="ledger X")


def test_a_reference_beside_the_codes_cannot_take_their_place() -> None:
    """NetSuite would go by the internal id, whatever the external one says."""
    at = "record/lineList/line/account/@internalId"
    assert refusal("netsuite", (), [{"at": at, "value": "17"}]).code == "CB-249"


class Unmarked(Reference):
    """A profile of a user's own that marks nothing; it sends one document at a time."""

    capabilities = replace(Reference.capabilities, batch=1)

    def submit(self, submissions: Any) -> Any:
        return replace(super().submit(submissions), owners={})

    def reverse(self, submission: Submission) -> Any:
        return replace(super().reverse(submission), owners={})


class Copying(Reference):
    """A profile that marks copies of the postings."""

    def submit(self, submissions: Any) -> Any:
        made = super().submit(submissions)
        owners = {path: replace(owner) for path, owner in made.owners.items()}
        return replace(made, owners=owners)


def opened(profile: Profile, omit: Any, extra: Any) -> Ledger:
    return Ledger(config("reference", omit, extra), profile=profile)


def test_a_profile_without_marks_can_have_fields_of_the_document() -> None:
    """But none of a posting: nobody knows which element is whose."""
    extra = [{"at": "Voucher/Approver", "value": "{voucher.employee}"}]
    of = opened(Unmarked(), ["Voucher/Approver"], extra)
    assert has(sent(of, submission()), "Approver=E0815")
    posting = [{"at": "Voucher/Posting/Narration", "value": "{posting.account}"}]
    with pytest.raises(ConfigurationError, match=r"CB-248 .*of_posting"):
        opened(Unmarked(), ["Voucher/Posting/Narration"], posting)
    dimension = {"Name": "account", "Value": "{posting.account}"}  # which may repeat
    with pytest.raises(ConfigurationError, match=r"CB-248 .*of_posting"):
        opened(Unmarked(), (), [{"at": "Voucher/Posting/Dimension", "value": dimension}])
    constant = [{"at": "Voucher/Posting/Narration", "value": "x"}]
    made = sent(opened(Unmarked(), ["Voucher/Posting/Narration"], constant), submission())
    assert [each[-1] for each in values(made) if "Narration=" in each] == ["x", "x", "x"]


def test_marks_of_copies_are_understood() -> None:
    """A profile may replace a posting before it builds its element."""
    extra = [{"at": "Voucher/Posting/Narration", "value": "{posting.account}"}]
    made = sent(opened(Copying(), ["Voucher/Posting/Narration"], extra), submission())
    assert has(made, "Posting[2]/Narration=2221010100")


class Changing(Reference):
    """A profile that marks copies which are no longer what the voucher has."""

    def submit(self, submissions: Any) -> Any:
        made = super().submit(submissions)
        owners = {
            path: replace(owner, narration="other") if isinstance(owner, Posting) else owner
            for path, owner in made.owners.items()
        }
        return replace(made, owners=owners)


def test_a_mark_of_a_posting_that_no_voucher_has_is_refused() -> None:
    """Another posting's values and role are no substitute."""
    extra = [{"at": "Voucher/Posting/Narration", "value": "{posting.account}"}]
    with pytest.raises(ConfigurationError, match=r"CB-248 .*of_posting"):
        opened(Changing(), ["Voucher/Posting/Narration"], extra)


FILLED = {"on_every_line": ["location"], "defaults": {"*": {"location": "L1"}}}


@pytest.mark.parametrize("options", [{}, FILLED])
@pytest.mark.parametrize("record", ["journal-entry", "expense-report"])
def test_a_line_that_a_profile_fills_stays_its_postings(
    record: str, options: dict[str, Any]
) -> None:
    """What NetSuite's mandatory fields change is still the voucher's posting, with its role."""
    line = "lineList/line" if record == "journal-entry" else "expenseList/expense"
    extra = [
        {"at": f"record/{line}/class/@internalId", "value": "{posting.number}-{posting.role}"},
        {"at": f"record/{line}/department/@internalId", "value": "99", "role": "expense"},
    ]
    omit = [f"record/{line}/class", f"record/{line}/department"]
    of = ledger("netsuite", omit, extra, options={"record": record, **options})
    made = sent(of, submission(replace(TRIP, postings=_plain(TRIP))))
    told = [each.rpartition("=")[2] for each in values(made) if "class/@internalId=" in each]
    numbered = [f"{n}-{one.role}" for n, one in enumerate(TRIP.postings, 1)]
    assert told == (numbered if record == "journal-entry" else numbered[:1])
    assert len([each for each in values(made) if "department/@internalId=99" in each]) == 1


class OnlyOfTheSecond(Copying):
    """Of a batch, it marks the postings of the second document only."""

    def submit(self, submissions: Any) -> Any:
        made = super().submit(submissions)
        marked = {p: one for p, one in made.owners.items() if "Voucher[1]/Posting" not in p}
        return replace(made, owners=marked)


def test_a_posting_is_that_of_the_document_around_it() -> None:
    """Two vouchers may have equal postings: the claim is the one whose document it stands in."""
    extra = [{"at": "Voucher/Posting/Narration", "value": "{claim.id}"}]
    other = replace(TRIP, claim_id="EXP-2026-0043")
    pair = submission(), submission(other, reference="EXP-2026-0043")
    made = sent(opened(OnlyOfTheSecond(), ["Voucher/Posting/Narration"], extra), *pair)
    told = [each for each in values(made) if "Narration=" in each]
    assert len(told) == 3
    assert all(each.startswith("Voucher[2]/") for each in told)
    assert all(each.endswith("=EXP-2026-0043") for each in told)


def test_a_user_s_own_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example, by a contract that has grown a field."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    wsdl = (EXAMPLES / "own_erp.wsdl").read_text("utf-8")
    text = '<xs:element name="Text" type="b:Text" minOccurs="0"/>\n                </xs:sequence>'
    assert text in wsdl
    field = '<xs:element name="Region" type="xs:token" minOccurs="0"/>\n</xs:sequence>'
    grown = text.replace("</xs:sequence>", field)
    (tmp_path / "own.wsdl").write_text(wsdl.replace(text, grown), "utf-8")
    extra = [{"at": "Line/Region", "value": "{posting.dimensions.region}"}]
    of = ledger("own_erp:OwnErp", ["Text"], extra, contract=str(tmp_path / "own.wsdl"))
    voucher = replace(CODED, postings=tuple(replace(one, project="") for one in CODED.postings))
    made = sent(of, submission(voucher))
    assert has(made, "Line[1]/Region=EAST")
    assert not has(made, "PostEntry/Text")
    assert refusal("own_erp:OwnErp", ["Date"]).code == "CB-249"


def test_a_profile_that_looks_codes_up_is_tried_without_its_lists() -> None:
    """No sample is in NetSuite's lists; what must stay is found all the same."""
    options = {
        "match": {"account": "number", "department": "name", "currency": "symbol"},
        "posting_period": True,
        "internal_ids": {
            "account": {"6602010000": "1", "2221010100": "2", "2241000000": "3"},
            "department": {"CC-1001": "4"},
            "currency": {"CNY": "5"},
            "posting_period": {"2026-03": "6"},
        },
    }
    extra = [{"at": "record/tranId", "value": "{claim.id}"}]
    of = ledger("netsuite", ["record/lineList/line/memo"], extra, options=options)
    assert has(sent(of, submission(replace(TRIP, postings=_plain(TRIP)))), "tranId=EXP-2026-0042")
    for path in ("record/postingPeriod", "record/lineList/line/account"):
        assert refusal("netsuite", [path], options=options).code == "CB-249"


def test_levels() -> None:
    """The innermost marked element around a path counts."""
    places = Owned(frozenset({"D/P"}), frozenset({"D"}), whole=False)
    assert [places.level_of(path).kind for path in ("D/P/x", "D/P", "D/PX", "X")] == [
        "posting",
        "document",
        "document",
        "request",
    ]
    assert places._replace(whole=True).level_of("X").kind == "document"


def test_amounts_stay_exact() -> None:
    """A posting's amount as a text has its own digits."""
    extra = [{"at": "Voucher/Posting/Dimension",
              "value": {"Name": "net", "Value": "{posting.tax_base}"}}]  # fmt: skip
    whole = replace(TRIP.postings[1], tax_base=Decimal("943.40"))
    voucher = replace(TRIP, postings=(TRIP.postings[0], whole, TRIP.postings[2]))
    made = sent(ledger("reference", (), extra), submission(voucher))
    assert has(made, "Posting[2]/Dimension/Value=943.40")
