"""The profile of Kingdee EAS (金蝶 EAS): vouchers by the service ``WSGLWebServiceFacade``.

Facts it is built on, seen in its WSDL, in what its clients send and log, and in how its server
reads rows:

- The services are Axis 1.4, rpc/encoded. ``EASLogin`` gives a session, whose id travels in the SOAP
  header ``{http://login.webservice.bos.kingdee.com}SessionId``, which no WSDL declares. The login
  has six, seven or eight arguments (see ``kingdee.login``).
- Every value of ``entryDC`` but 1 is a credit to EAS's import. What else reads it differs: most
  clients send -1, others 0 or 2. So the configuration states it.
- A voucher is flat rows, and each row repeats the head. Rows that follow each other with one
  ``voucherNumber`` are one voucher. The answer is a string for each voucher, and does not repeat
  our reference (see ``kingdee.replies``).
- If the voucher's head is wrong in a way that EAS did not foresee, its rows may be added to the
  voucher before it in the same call. So a call has one voucher, unless ``batch`` says otherwise.
- EAS keeps amounts as doubles. An amount of more than 15 digits is not sent.
- EAS compares the reference information 参考信息 (``description``) of a company's vouchers only
  where its parameter says that imports must not repeat (``refuses_repeats``).
- The layout of ``findVoucher``'s strings is not published. EAS is asked only if the configuration
  gives that layout (``listing``). A string of another layout never counts as "absent".
- The service has no reversal. Our own red voucher 红字凭证 takes an entry back: the same postings
  with negative amounts. EAS does not link the two.

After a lost answer there are three cases. With ``listing``, EAS is asked, and a voucher is adopted
if its amounts are equal. With ``refuses_repeats``, the voucher is sent again and EAS refuses the
repeat. Otherwise a person looks.

A fault that says of a dead session, and nothing else, comes before EAS does anything
(``kingdee.dead_sessions``). The profile logs in again. Words alone do not make it send a voucher
twice: it sends the call once more only if EAS was asked first, or refuses repeats. Otherwise the
caller is told, and nothing is sent again within the same ``submit``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import msgspec

from claimbridge.contract.calls.fault import Fault
from claimbridge.model import Outcome, OutcomeKind, Submission
from claimbridge.profiles.base import Capabilities
from claimbridge.profiles.conversation import Attempt, Conversation, Credentials, LogIn, answer_to
from claimbridge.profiles.kingdee.answers import ImportRequest, read_import
from claimbridge.profiles.kingdee.dead_sessions import is_dead, told
from claimbridge.profiles.kingdee.facades import ENDPOINTS, OPERATIONS, Facade, import_request
from claimbridge.profiles.kingdee.login import LoginForm, book_of
from claimbridge.profiles.kingdee.lookup import FIND, LookupRequest, VoucherLookup
from claimbridge.profiles.kingdee.replies import FORM, outcome
from claimbridge.profiles.kingdee.rows import DEBIT, MOST_ASSISTANTS, RowSettings, local_total, rows
from claimbridge.profiles.kit.local_amounts import LocalCurrency
from claimbridge.profiles.kit.markup import element
from claimbridge.profiles.kit.no_place import EMPLOYEE, NO_TAX, OF_THE_CLAIM, ROLE
from claimbridge.profiles.kit.options import wrong_option
from claimbridge.profiles.kit.reading import read_untyped, unknown
from claimbridge.profiles.request import Request

if TYPE_CHECKING:
    from claimbridge.contract.calls.replies import Reply

_SESSION: Final = "{http://login.webservice.bos.kingdee.com}SessionId"
_DIMENSIONS: Final = {"cost_centre": "成本中心", "project": "项目", "partner": "职员"}
_K = OutcomeKind


_NO_PLACE: Final[Mapping[str, str]] = {
    **OF_THE_CLAIM,
    "employee": EMPLOYEE,
    "text": "EAS has texts on entries only, and those are the narrations",
    "posting.role": ROLE,
    "posting.tax_code": NO_TAX,
    "posting.tax_base": NO_TAX,
}


_KEPT: Final[Mapping[str, str]] = {
    **{
        f"{at}/item/{name}": why
        for at in ("col", "voucherCols")
        for name, why in {
            "currencyNumber": "the currency",
            "localRate": "the rate",
            "entrySeq": "the number of the entry",
            "asstSeq": "the number of the row",
            "itemFlag": "the kind of the row",
            "oppAccountSeq": "what a cash flow paid for",
            "primaryItem": "the item of a cash flow",
            "cashflowAmountOriginal": "the amount of a cash flow",
            "cashflowAmountLocal": "the amount of a cash flow",
            "cashflowAmountRpt": "the amount of a cash flow",
        }.items()
    },
    "isCashflow": "whether there are cash flows",
    "isImpCashflow": "whether there are cash flows",
    "rows": "the voucher",
    "params": "whether it is more than a draft",
    "isSubmit": "whether it is more than a draft",
    "isVerify": "whether it is more than a draft",
}


class KingdeeEas:
    """EAS's way, with the settings that differ from one EAS to the next.

    ``credit`` is the ``entryDC`` of a credit, and must be given: -1 in most installations, 0 or 2
    in others. ``facade`` is the service that imports: ``strings`` is ``WSGLWebServiceFacade``,
    ``rows`` the older ``WSWSVoucher``, ``json`` the latter's ``nImportVoucher``.

    ``data_centre`` (dcName), ``solution`` (slnName), ``language`` and ``database`` (dbType) belong
    to the login. ``auth_pattern`` is its seventh argument, ``password_encoded`` the eighth; None:
    the login has no such argument.

    ``voucher_type`` 凭证字 and ``creator`` 制单人 must exist in EAS. ``currencies`` are EAS's codes
    by ISO code, ``rates`` convert into ``local_currency``. ``dimensions`` name the assistant
    account 核算项目 of each dimension. ``assistant_names`` are names by code, for dimensions whose
    name EAS asks for beside the code. ``account_assistants`` are codes by account and assistant
    account, for accounts whose assistant accounts no claim knows: a bank account's own number.
    ``submit`` False saves drafts.

    ``listing`` names the parts of a string of ``findVoucher``: ``reference``, ``number``, ``debit``
    (in local currency), ``type``, ``year``, ``period``, "" for a part of no interest. An empty
    ``listing``: EAS is never asked. With a ``listing``, each import is looked up afterwards
    (``confirm``), because its strings name no voucher; and ``batch`` vouchers may share an import.
    ``refuses_repeats``: EAS is set to refuse repeats. Raises ConfigurationError CB-243.
    """

    name: str = "kingdee-eas"
    auth_kinds: tuple[str, ...] = ("eas-login",)

    def __init__(
        self,
        *,
        credit: int | None = None,
        facade: Facade = "strings",
        data_centre: str = "",
        solution: str = "eas",
        language: str = "L2",
        database: int = 2,
        auth_pattern: str | None = None,
        password_encoded: bool | None = None,
        voucher_type: str = "记",
        creator: str = "",
        local_currency: str = "CNY",
        currencies: dict[str, str] | None = None,
        rates: dict[str, Decimal] | None = None,
        dimensions: dict[str, str] | None = None,
        assistant_names: dict[str, dict[str, str]] | None = None,
        account_assistants: dict[str, dict[str, str]] | None = None,
        submit: bool = True,
        listing: list[str] | None = None,
        refuses_repeats: bool = False,
        confirm: bool = True,
        batch: int = 1,
    ) -> None:
        self._login = LoginForm(
            solution=solution,
            data_centre=data_centre,
            language=language,
            database=database,
            auth_pattern=auth_pattern,
            password_encoded=password_encoded,
        )
        self._settings = RowSettings(
            voucher_type=voucher_type,
            creator=creator,
            local=LocalCurrency(local_currency, rates or {}, profile=self.name),
            currencies={"CNY": "BB01"} if currencies is None else currencies,
            dimensions=_DIMENSIONS if dimensions is None else dimensions,
            assistant_names=assistant_names or {},
            account_assistants=_check_assistants(account_assistants or {}),
            credit=_check_credit(credit),
        )
        self._facade: Facade = facade
        self._submits = submit
        self._lookup = VoucherLookup(
            listing or (),
            type_=voucher_type,
            currency=local_currency,
            found=_K.POSTED if submit else _K.ACKNOWLEDGED,
            port="find" if "find" in ENDPOINTS[facade] else "",
        )
        asks = bool(self._lookup.listing)
        self._confirms = confirm and asks
        self.contract: str = "kingdee-eas.wsdl" if facade == "strings" else "kingdee-eas-rows.wsdl"
        self.ports: Mapping[str, str] = {"login": "EASLogin", **ENDPOINTS[facade]}
        self.operations: tuple[str, ...] = (OPERATIONS[facade], FIND, "login")
        self.no_place: Mapping[str, str] = _NO_PLACE
        self.kept: Mapping[str, str] = _KEPT
        self.dimensions: tuple[str, ...] = tuple(self._settings.dimensions)
        self.capabilities: Capabilities = Capabilities(
            can_query=asks,
            can_reverse=True,
            checks_reversals=False,
            can_list_changes=False,
            unique_reference=refuses_repeats,
            batch=batch if asks else 1,
            # EAS runs on databases that distinguish case, and on others that do not.
            reference_case="upper",
            entry=FORM,
        )

    def told_apart_by(self, *, user: str) -> str:
        """Return the solution and the data centre that is logged in to."""
        return book_of(self._login)

    # --- sessions ---------------------------------------------------------------------------

    def log_in(self, credentials: Credentials) -> Request:
        """Return the request that begins a session."""
        return self._login.request(credentials)

    def read_log_in(self, reply: Reply | Fault) -> str:
        """Return the session's id; raises DeliveryRefused where EAS gives none."""
        return self._login.session_of(reply)

    def headers(self, call: Attempt) -> Sequence[bytes]:
        """Return the header with the session's id; none while there is no session."""
        return (element(_SESSION, call.session),) if call.session else ()

    # --- requests ---------------------------------------------------------------------------

    def submit(self, submissions: Sequence[Submission]) -> Request:
        """Return an import of these vouchers."""
        held = [row for submission in submissions for row in rows(submission, self._settings)]
        return import_request(held, facade=self._facade, submits=self._submits)

    def reverse(self, submission: Submission) -> Request:
        """Return an import of the red voucher that takes the entry back."""
        return self.submit((submission,))

    def look_up(self, submissions: Sequence[Submission]) -> Request:
        """Return the question for what the company's vouchers in these periods are."""
        vouchers = {one.reference: one.voucher for one in submissions}
        places = [
            (voucher.company, voucher.posting_date.year, voucher.posting_date.month)
            for voucher in vouchers.values()
        ]
        expected = {
            reference: (local_total(voucher, self._settings), voucher.totals)
            for reference, voucher in vouchers.items()
        }
        return self._lookup.request(places, expected)

    # --- conversations ----------------------------------------------------------------------

    def converse(self, request: Request) -> Conversation:
        """Ask, or import; if the session was dead, log in and do it once more where that is safe.

        EAS must have been asked for the voucher, or refuse repeats. Else the caller decides.
        """
        if isinstance(request, LookupRequest):
            return (yield from self._lookup.look_up(request, alone=True))
        answer = yield from answer_to(request)
        if isinstance(answer, Fault) and is_dead(answer):
            yield LogIn()
            if not (isinstance(request, ImportRequest) and self._may_send_again):
                return (_not_again(answer),)
            outcomes = yield from self._lookup.before_again(request)
            if outcomes:
                return outcomes
            answer = yield from answer_to(request)
        if not isinstance(request, ImportRequest):  # a subclass built it: nothing to look up
            return self._read(answer, None)
        if isinstance(answer, Fault) or not (self._confirms or len(request.references) > 1):
            return self._read(answer, request)
        return (yield from self._lookup.match(request, answer))

    @property
    def _may_send_again(self) -> bool:
        """Whether a voucher that EAS has after all is found, or refused as a repeat."""
        return bool(self._lookup.listing) or self.capabilities.unique_reference

    # --- reading ----------------------------------------------------------------------------

    def read(self, reply: Reply) -> tuple[Outcome, ...]:
        """Return what the strings say, in their order; strings of an import name no reference."""
        if reply.local.startswith(FIND):
            return self._lookup.read(reply)
        return self._read(reply, None)

    def read_fault(self, fault: Fault) -> Outcome:
        """Return what a fault says: EAS did nothing if it says only that the session was dead."""
        if is_dead(fault):
            return Outcome(kind=_K.UNAVAILABLE, text=f"the session was dead: {told(fault)}")
        return read_untyped(msgspec.structs.replace(fault, reason=told(fault)))

    def _read(self, answer: Reply | Fault, request: ImportRequest | None) -> tuple[Outcome, ...]:
        if isinstance(answer, Fault):
            return (self.read_fault(answer),)
        read = read_import(answer, request)
        if not read.results:
            return (unknown("the answer holds no result that EAS is known to give"),)
        company = request.company if request else ""
        outcomes = tuple(
            outcome(one, company=company, posted=self._submits, item=item)
            for item, one in enumerate(dict.fromkeys(read.results), start=1)
        )
        if read.others and any(one.kind is _K.REJECTED for one in outcomes):
            return (unknown("EAS refuses the voucher, and adds a part that is not a result"),)
        return outcomes


def _not_again(fault: Fault) -> Outcome:
    """Return the outcome of a dead session where nothing is sent again on its words alone."""
    return Outcome(
        kind=_K.NOT_DELIVERED,
        text=f"the session was dead: {told(fault)}. claimbridge has logged in again, and sent "
        "nothing twice; submit it again. With a listing, or refuses_repeats, claimbridge does that "
        "by itself",
        retry_is_useless=True,
    )


def _check_assistants(given: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    for account, own in given.items():
        if len(own) > MOST_ASSISTANTS or not all(name and code for name, code in own.items()):
            raise wrong_option(
                "kingdee-eas",
                f"account_assistants of account {account}: give "
                f"{MOST_ASSISTANTS} assistant accounts at most, each with its code; an empty table "
                "sends none",
            )
    return given


def _check_credit(credit: int | None) -> int:
    if credit is None or credit == DEBIT:
        raise wrong_option(
            "kingdee-eas",
            "the option 'credit' "
            + ("is missing" if credit is None else f"is {credit}, which is a debit's")
            + "; set it to the entryDC that your EAS takes for a credit: -1 in most installations, "
            "0 or 2 in others (claimbridge sent 0 until this version). Ask who set up the other "
            "interfaces to EAS, or try a draft with submit = false",
        )
    return credit


__all__ = ["KingdeeEas"]
