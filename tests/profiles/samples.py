"""Vouchers, submissions and replies that the tests of profiles share."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from claimbridge import xmlio
from claimbridge.contract.calls.replies import Reply
from claimbridge.model import (
    JournalEntry,
    Key,
    Posting,
    Purpose,
    Role,
    Side,
    State,
    Submission,
    Voucher,
)

SERVICE = "urn:claimbridge:voucher-service:1"
TYPES = "urn:claimbridge:voucher:1"

TRIP = Voucher(
    claim_id="EXP-2026-0042",
    revision=1,
    company="1410",
    employee="E0815",
    currency="CNY",
    document_date=dt.date(2026, 3, 20),
    posting_date=dt.date(2026, 3, 31),
    text="Customer visit in Shanghai, three days 上海拜访客户",
    employee_name="王小明",
    approver="Li Na",
    approved_at=dt.datetime(2026, 3, 25, 9, 30, tzinfo=dt.timezone(dt.timedelta(hours=8))),
    postings=(
        Posting(
            role=Role.EXPENSE,
            account="6602010000",
            side=Side.DEBIT,
            amount=Decimal("943.40"),
            currency="CNY",
            cost_centre="CC-1001",
            project="P-7",
            narration="Hotel",
            dimensions={"profit_centre": "PC-3"},
            source="lines[0].amount",
        ),
        Posting(
            role=Role.INPUT_TAX,
            account="2221010100",
            side=Side.DEBIT,
            amount=Decimal("56.60"),
            currency="CNY",
            tax_code="J1",
            tax_base=Decimal("943.40"),
            narration="Hotel, VAT",
            source="lines[0].tax",
        ),
        Posting(
            role=Role.EMPLOYEE_PAYABLE,
            account="2241000000",
            side=Side.CREDIT,
            amount=Decimal("1000.00"),
            currency="CNY",
            partner="E0815",
            narration="Reimbursement",
        ),
    ),
)


def submission(voucher: Voucher = TRIP, *, reference: str = "EXP-2026-0042") -> Submission:
    """A pending submission of ``voucher``."""
    key = Key(
        book="CN01",
        claim_id=voucher.claim_id,
        revision=voucher.revision,
        purpose=Purpose(voucher.purpose),
    )
    return Submission(
        key=key, reference=reference, digest="0" * 64, voucher=voucher, state=State.PENDING
    )


def reversal() -> Submission:
    """The submission that takes the trip's journal entry back."""
    entry = JournalEntry("0100000008", "1410", "2026")
    voucher = TRIP.reversal(entry, posting_date=dt.date(2026, 4, 2))
    return submission(voucher, reference="EXP-2026-0042.x1")


def reply(xml: str | bytes) -> Reply:
    """The reply that ``xml`` is."""
    return Reply(xmlio.parse(xml.encode() if isinstance(xml, str) else xml))


def message(name: str, content: str) -> str:
    """A message of the voucher service; the types' prefix is ``v``."""
    return f'<{name} xmlns="{SERVICE}" xmlns:v="{TYPES}">{content}</{name}>'


def document(
    reference: str = "EXP-2026-0042",
    status: str = "posted",
    *,
    number: str = "0100000008",
    total: str = "1000.00",
    more: str = "",
) -> str:
    """A Document, as the contract has it."""
    entry = (
        f"<v:JournalEntry><v:Number>{number}</v:Number><v:Company>1410</v:Company>"
        "<v:FiscalYear>2026</v:FiscalYear></v:JournalEntry>"
    )
    return (
        f"<Document><v:Reference>{reference}</v:Reference><v:Status>{status}</v:Status>"
        f"{entry if number else ''}<v:DebitTotal><v:Currency>CNY</v:Currency>"
        f"<v:Amount>{total}</v:Amount></v:DebitTotal>{more}</Document>"
    )


REASON = (
    "<v:Reason><v:Code>period-closed</v:Code><v:Text>Period 3 is closed</v:Text>"
    "<v:Field>PostingDate</v:Field></v:Reason>"
)
"""A Reason as it stands in a Document."""
