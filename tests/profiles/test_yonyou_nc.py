"""Yonyou NC's profile: the vendor's document is valid by our schema, and what replies prove."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from xml.sax.saxutils import escape

import msgspec
import pytest
from tests.profiles.samples import TRIP, submission

from claimbridge.config import LedgerConfig
from claimbridge.contract import Bundle, Reply
from claimbridge.contract.strings.documents import InnerContract
from claimbridge.contract.strings.replies import read_inner
from claimbridge.errors import ClaimError
from claimbridge.ledger import Ledger
from claimbridge.model import OutcomeKind, Voucher
from claimbridge.profiles.strings.yonyou_nc import YonyouNc
from claimbridge.xmlio import parse

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = Path(os.environ.get("CLAIMBRIDGE_CONTRACTS", ROOT.parent / "shared" / "contracts"))
REAL = CONTRACTS / "yonyou-nc" / "vouchergl_nc65_request.xml"


def without(*dimensions: str) -> Voucher:
    """The sample voucher without dimensions that NC is not told of."""
    postings = tuple(
        msgspec.structs.replace(
            one, dimensions={k: v for k, v in one.dimensions.items() if k not in dimensions}
        )
        for one in TRIP.postings
    )
    return msgspec.structs.replace(TRIP, postings=postings)


@pytest.mark.skipif(not REAL.is_file(), reason=f"no contract at {REAL}")
def test_a_real_document_is_valid_by_our_schema() -> None:
    """Our schema is no narrower than what the platform takes."""
    schema = Bundle.from_package("yonyou-nc.wsdl").started_by("xsd/yonyou-nc.xsd")
    contract = InnerContract(schema, "ufinterface")
    assert contract._rules.gate.check(REAL.read_bytes(), {}) == ()


@pytest.mark.parametrize("encoding", ["UTF-8", "GBK"])
def test_the_document_in_the_string(encoding: str) -> None:
    """Four columns on each side, balanced; the reference where a person finds it."""
    options = {"encoding": encoding, "checks": {"cost_centre": "0001", "project": "0010",
               "partner": "0002", "profit_centre": "F01"}}  # fmt: skip
    config = LedgerConfig(
        name="N", profile="yonyou-nc", endpoint="http://127.0.0.1:1/x", options=options
    )
    ledger = Ledger(config)
    body, findings = ledger.writer.body(ledger.setup.profile.submit([submission(TRIP)]))
    assert findings == ()
    text = parse(body).findtext("xmlStr") or ""
    assert text.startswith(f'<?xml version="1.0" encoding="{encoding}"?>')
    assert text.encode(encoding).decode(encoding) == text
    head = read_inner(text).all("voucher", "voucher_head")[0]
    assert head.text("memo1") == read_inner(text).text("@filename") == submission(TRIP).reference
    items = head.all("details", "item")
    for column in ("", "local", "group", "global"):
        debits, credits_ = (
            sum(Decimal(one.text(f"{column}{side}amount")) for one in items)
            for side in ("debit", "credit")
        )
        assert debits == credits_ == Decimal("1000.00")


def told(inner: str) -> tuple[OutcomeKind, str]:
    reply = f"<synchronizeDataResponse><return>{escape(inner)}</return></synchronizeDataResponse>"
    (outcome,) = YonyouNc().read(Reply(parse(reply.encode())))
    return outcome.kind, str(outcome.journal_entry or "")


def result(code: str, content: str = "", *, successful: str = "", times: int = 1) -> str:
    mark = f' successful="{successful}"' if successful else ""
    one = f"<sendresult><resultcode>{code}</resultcode><content>{content}</content></sendresult>"
    return f'<?xml version="1.0" encoding="GBK"?><ufinterface{mark}>{one * times}</ufinterface>'


@pytest.mark.parametrize(
    ("inner", "kind"),
    [
        (result("1", "7"), OutcomeKind.POSTED),
        (result("1", "7", successful="Y"), OutcomeKind.POSTED),
        (result("1", "7", successful="N"), OutcomeKind.UNKNOWN),
        (result("1"), OutcomeKind.UNKNOWN),
        (result("-32003", successful="N"), OutcomeKind.REJECTED),
        (result("-32003", "7", successful="N"), OutcomeKind.UNKNOWN),
        (result("-32003", successful="Y"), OutcomeKind.UNKNOWN),
        (result("-32003"), OutcomeKind.UNKNOWN),
        (result("-32000", successful="N"), OutcomeKind.UNKNOWN),
        (result("", "7"), OutcomeKind.UNKNOWN),
        (result("1", "7", times=2), OutcomeKind.UNKNOWN),
        ("<ufinterface/>", OutcomeKind.UNKNOWN),
        ("processed", OutcomeKind.UNKNOWN),
        ("", OutcomeKind.UNKNOWN),
    ],
)
def test_what_a_reply_proves(inner: str, kind: OutcomeKind) -> None:
    """Code 1 with a number and nothing against it; a refusal that says so twice; else unknown."""
    assert told(inner) == (kind, "7" if kind is OutcomeKind.POSTED else "")


def test_what_has_no_place_is_refused() -> None:
    """Neither a dimension nor a foreign amount is dropped or guessed."""
    with pytest.raises(ClaimError, match="profit_centre") as caught:
        YonyouNc().submit([submission(TRIP)])
    assert caught.value.code == "CB-175"
    with pytest.raises(ClaimError, match="EUR too") as caught:
        YonyouNc(local_currency="EUR").submit([submission(without("profit_centre"))])
    assert caught.value.code == "CB-177"
