"""Yonyou NC's exchange platform: general ledger vouchers as XML in a string.

``synchronizeData`` takes a ``ufinterface`` of the type ``vouchergl``. Each entry has its amount in
four columns of its side: as entered, in local, in group and in global currency. The reply is a
document in a string too. A voucher is posted if its result has code 1 and holds the number.

No operation asks for vouchers, and the platform's settings decide whether it refuses a repeat. So
after a lost answer nothing is sent again: a person looks for our reference, which is the document's
``filename`` and the voucher's ``memo1``. Replies are read in ``strings.yonyou_replies``.

A site's codes have no defaults: the organisation's key that the platform is addressed by, the
kinds of assistant accounting and the like differ from one NC to the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal

from claimbridge.errors import ClaimError
from claimbridge.model import Outcome, Posting, Side, Submission, Voucher
from claimbridge.model.cash_flow import CASH_FLOW, cash_flows
from claimbridge.profiles.base import Capabilities
from claimbridge.profiles.kit.limits import one_line
from claimbridge.profiles.kit.local_amounts import LocalCurrency
from claimbridge.profiles.kit.no_place import EMPLOYEE, NO_TAX, OF_THE_CLAIM, ONE_DATE, ROLE
from claimbridge.profiles.kit.options import wrong_option
from claimbridge.profiles.kit.owners import of_document, of_posting
from claimbridge.profiles.kit.reading import legible, read_untyped
from claimbridge.profiles.kit.sourced import Sourced, claim_field, dimensions_of
from claimbridge.profiles.request import Inner, Request, as_request
from claimbridge.profiles.strings.yonyou_replies import read_result

if TYPE_CHECKING:
    from claimbridge.contract.calls.fault import Fault
    from claimbridge.contract.calls.replies import Reply

OPERATION: Final = "synchronizeData"
_CAPABILITIES: Final = Capabilities(
    can_query=False,
    can_reverse=False,
    can_list_changes=False,
    unique_reference=False,
    reference_length=36,
)
_OWN_BOOK: Final = "{company}-0001"
"""An organisation's first accounting book, which versions before 0.13 took for granted."""
_COLUMNS: Final = ("", "local", "group", "global")


class YonyouNc:
    """The way of one account set and accounting book of NC 6.5.

    A site states by what the exchange platform is addressed: ``account`` 账套, ``groupcode`` 集团,
    ``business_unit`` 业务中心 and ``receiver``, the organisation's key. It states ``book`` 核算账簿
    (``{company}`` stands for the organisation's code) and ``preparer`` 制单人, a user of NC.
    None of them has a default, because nobody can guess it. Raises ConfigurationError CB-243.

    ``orgcode`` "" means the voucher's company. ``sender`` is the external system that the platform
    has registered, ``plugin`` the platform's ``pluginCode``. ``voucher_type`` is the code of the
    凭证类别. ``checks`` are the kinds of assistant accounting 辅助核算 by dimension; a dimension
    without a kind is refused. ``rates`` convert into ``local_currency``, by ISO code;
    ``group_rates`` and ``global_rates`` into ``group_currency`` and ``global_currency``. An empty
    group or global currency: these columns repeat the local amounts.
    """

    name: str = "yonyou-nc"
    contract: str = "yonyou-nc.wsdl"
    capabilities: Capabilities = _CAPABILITIES
    no_place: Mapping[str, str] = {
        **OF_THE_CLAIM,
        "employee": EMPLOYEE,
        "document_date": ONE_DATE,
        "posting.role": ROLE,
        "posting.tax_code": NO_TAX,
        "posting.tax_base": NO_TAX,
    }
    kept: Mapping[str, str] = {
        "@billtype": "the kind of the document",
        "@replace": "that NC replaces no voucher by it",
        "voucher/voucher_head/details/item/detailindex": "the number of the entry",
        "voucher/voucher_head/details/item/excrate2": "the rate",
        "voucher/voucher_head/pk_voucher": "which voucher is written",
        "voucher/voucher_head/discardflag": "whether the voucher counts",
    }

    def __init__(
        self,
        *,
        account: str,
        groupcode: str,
        business_unit: str,
        receiver: str,
        book: str,
        preparer: str,
        orgcode: str = "",
        sender: str = "claimbridge",
        voucher_type: str = "01",
        checks: dict[str, str] | None = None,
        local_currency: str = "CNY",
        rates: dict[str, Decimal] | None = None,
        group_currency: str = "",
        group_rates: dict[str, Decimal] | None = None,
        global_currency: str = "",
        global_rates: dict[str, Decimal] | None = None,
        encoding: Literal["UTF-8", "GBK"] = "UTF-8",
        plugin: str = "PFXX",
    ) -> None:
        self._account, self._group, self._org, self._book = account, groupcode, orgcode, book
        self._sender, self._receiver, self._unit = sender, receiver, business_unit
        self._voucher_type, self._preparer = voucher_type, preparer
        self._checks: Mapping[str, str] = checks or {}
        self.dimensions: tuple[str, ...] = tuple(self._checks)
        local = LocalCurrency(local_currency, rates or {}, profile=self.name)
        self._local = local
        self._currencies: Mapping[str, LocalCurrency] = {
            "": LocalCurrency("", {}, profile=self.name),
            "local": local,
            "group": _column(group_currency, group_rates, local, "group"),
            "global": _column(global_currency, global_rates, local, "global"),
        }
        self._encoding: Literal["UTF-8", "GBK"] = encoding
        self._plugin = plugin
        stated = {
            "account": account,
            "groupcode": groupcode,
            "business_unit": business_unit,
            "receiver": receiver,
            "book": book,
            "preparer": preparer,
        }
        for name, text in stated.items():
            if not text:
                raise wrong_option(self.name, f"the option {name!r} is empty; state the site's own")

    def told_apart_by(self, *, user: str) -> str:
        """Return the codes of the account set, the organisation and the accounting book."""
        # A journal knows a book by this text; earlier versions left the usual book out of it.
        book = "" if self._book == _OWN_BOOK else self._book
        named = (
            ("account", self._account),
            ("groupcode", self._group),
            ("orgcode", self._org),
            ("book", book),
        )
        return ", ".join(f"{name} {code}" for name, code in named if code)

    def submit(self, submissions: Sequence[Submission]) -> Request:
        """Return ``synchronizeData`` with one voucher; raises ClaimError CB-175 or CB-185."""
        submission = submissions[0]
        document = as_request(OPERATION, of_document(submission, self._document(submission)))
        inner = Inner(
            at="xmlStr",
            schema="yonyou-nc.xsd",
            element="ufinterface",
            body=document.body,
            sources=document.sources,
            owners=document.owners,
            encoding=self._encoding,
        )
        return Request(operation=OPERATION, body={"pluginCode": self._plugin}, inner=inner)

    def read(self, reply: Reply) -> tuple[Outcome, ...]:
        """Return what the document in the reply says; POSTED only with the voucher's number."""
        return (legible(read_result, reply, 1),)

    def read_fault(self, fault: Fault) -> Outcome:
        """Return REJECTED when the fault blames our message, else UNKNOWN."""
        return read_untyped(fault)

    def _document(self, submission: Submission) -> dict[str, Any]:
        voucher = submission.voucher
        return {
            "@account": self._account,
            "@billtype": "vouchergl",
            "@businessunitcode": self._unit,
            "@filename": submission.reference,
            "@groupcode": self._group,
            "@isexchange": "Y",
            "@orgcode": self._org or voucher.company,
            "@receiver": self._receiver,
            "@replace": "N",
            "@roottag": "",
            "@sender": self._sender,
            "voucher": {"voucher_head": self._head(submission)},
        }

    def _head(self, submission: Submission) -> dict[str, Any]:
        voucher = submission.voucher
        organisation = Sourced(self._org or voucher.company, "company")
        day = voucher.posting_date
        return {
            "pk_vouchertype": self._voucher_type,
            "year": Sourced(str(day.year), "posting_date"),
            "pk_system": "GL",
            "voucherkind": "0",
            "pk_accountingbook": Sourced(
                self._book.replace("{company}", organisation.text), "company"
            ),
            "discardflag": "N",
            "period": Sourced(f"{day.month:02}", "posting_date"),
            "attachment": "0",
            "prepareddate": Sourced(f"{day.isoformat()} 00:00:00", "posting_date"),
            "pk_prepared": self._preparer,
            "signflag": "N",
            "memo1": Sourced(submission.reference, "id"),
            "pk_org": organisation,
            "pk_org_v": organisation,
            "pk_group": self._group,
            "details": {"item": self._entries(voucher)},
        }

    def _entries(self, voucher: Voucher) -> list[dict[str, Any]]:
        """Return an entry for each posting; debits and credits agree in every column."""
        try:
            columns = {
                column: currency.amounts(voucher.postings)
                for column, currency in self._currencies.items()
            }
        except ClaimError as error:
            error.claim_id = error.claim_id or voucher.claim_id
            raise
        flows = self._cash_flows(voucher, columns)
        entries = []
        for at, posting in enumerate(voucher.postings):
            entry = self._entry(posting, at, _at(at, columns), voucher)
            entry["cashFlow"] = {"item": flows[at]} if at in flows else None
            entries.append(of_posting(posting, entry))
        return entries

    def _cash_flows(
        self, voucher: Voucher, columns: Mapping[str, Sequence[Decimal]]
    ) -> dict[int, list[dict[str, Any]]]:
        """Return the cash flows by the place of the posting on the account of cash."""
        flows = cash_flows(voucher)
        parts = {
            column: currency.of_flows(flows, voucher.postings, columns[column])
            for column, currency in self._currencies.items()
        }
        found: dict[int, list[dict[str, Any]]] = {}
        for number, flow in enumerate(flows):
            cash, opposite = voucher.postings[flow.cash], voucher.postings[flow.opposite]
            field = claim_field(opposite, "amount")
            sizes = {column: Sourced(f"{of[number]:f}", field) for column, of in parts.items()}
            found.setdefault(flow.cash, []).append(
                {
                    "m_pk_currtype": cash.currency,
                    "money": sizes[""],
                    "moneymain": sizes["local"],
                    "moneygroup": sizes["group"],
                    "moneyglobal": sizes["global"],
                    "pk_cashflow": Sourced(flow.item, claim_field(opposite, "account")),
                }
            )
        return found

    def _entry(
        self, posting: Posting, at: int, amounts: Mapping[str, Decimal], voucher: Voucher
    ) -> dict[str, Any]:
        account = Sourced(posting.account, claim_field(posting, "account"))
        # NC demands an explanation of each entry.
        explanation = one_line(posting.narration or voucher.text or voucher.claim_id)
        return {
            "detailindex": str(at + 1),
            "accsubjcode": account,
            "explanation": Sourced(explanation, claim_field(posting, "narration")),
            "verifydate": f"{voucher.posting_date.isoformat()} 00:00:00",
            "excrate2": f"{self._local.rate(posting.currency):f}",
            **_columns(posting, amounts),
            "pk_currtype": Sourced(posting.currency, "currency"),
            "pk_accasoa": account,
            "ass": {"item": held} if (held := self._assistants(posting, voucher)) else None,
        }

    def _assistants(self, posting: Posting, voucher: Voucher) -> list[dict[str, Any]]:
        held = dimensions_of(posting, claim_id=voucher.claim_id)
        held.pop(CASH_FLOW, None)
        lost = sorted(held.keys() - self._checks.keys())
        if lost:
            raise ClaimError(
                f"{held[lost[0]].field}: the dimension {lost[0]!r} has no assistant accounting in "
                "Yonyou NC; name its kind in the profile's option checks",
                code="CB-175",
                claim_id=voucher.claim_id,
            )
        return [
            {"pk_Checktype": self._checks[name], "pk_Checkvalue": code}
            for name, code in held.items()
        ]


def _column(
    currency: str, rates: Mapping[str, Decimal] | None, local: LocalCurrency, column: str
) -> LocalCurrency:
    """Return how a column's amounts are computed: as the local ones where no currency is named."""
    if currency:
        return LocalCurrency(currency, rates or {}, profile="yonyou-nc", option=f"{column}_rates")
    if rates:
        raise wrong_option("yonyou-nc", f"{column}_rates needs {column}_currency beside it")
    return local


def _at(place: int, columns: Mapping[str, Sequence[Decimal]]) -> dict[str, Decimal]:
    return {column: amounts[place] for column, amounts in columns.items()}


def _columns(posting: Posting, amounts: Mapping[str, Decimal]) -> dict[str, Any]:
    """Return the four columns of each side; the other side's are zero."""
    field = claim_field(posting, "amount")
    own, other = ("debit", "credit") if posting.side is Side.DEBIT else ("credit", "debit")
    return {
        f"{column}{own}amount": Sourced(f"{amounts[column]:f}", field) for column in _COLUMNS
    } | {f"{column}{other}amount": "0" for column in _COLUMNS}
