"""The profile of Kingdee EAS (金蝶 EAS): vouchers by the service ``WSGLWebServiceFacade``.

Facts it is built on, seen in its WSDL, in what its clients send and log, and in how its server
reads rows:

- The services are Axis 1.4, rpc/encoded. ``EASLogin`` gives a session, whose id travels in the SOAP
  header ``{http://login.webservice.bos.kingdee.com}SessionId``, which no WSDL declares.
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

A fault about a dead session comes before EAS does anything. The profile logs in again, asks EAS
where it can be asked, and sends the call once more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from claimbridge.contract.calls.fault import Fault
from claimbridge.errors import (
    DeliveryRefused,
    LedgerUnavailable,
    NotDelivered,
)
from claimbridge.model import Outcome, OutcomeKind, Submission
from claimbridge.profiles.base import Capabilities
from claimbridge.profiles.conversation import Attempt, Conversation, Credentials, LogIn, answer_to
from claimbridge.profiles.kingdee.lookup import (
    FIND,
    IMPORT,
    LookupRequest,
    VoucherLookup,
    company_of,
    is_dead,
    lookup_request,
    strings_of,
)
from claimbridge.profiles.kingdee.replies import FORM, outcome, results
from claimbridge.profiles.kingdee.rows import RowSettings, local_total, references, rows
from claimbridge.profiles.kit.markup import element
from claimbridge.profiles.kit.no_place import EMPLOYEE, NO_TAX, OF_THE_CLAIM, ROLE
from claimbridge.profiles.kit.reading import read_untyped, unknown
from claimbridge.profiles.request import Request, as_request

if TYPE_CHECKING:
    from claimbridge.contract.calls.replies import Reply
    from claimbridge.profiles.kingdee import requests

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


class KingdeeEas:
    """EAS's way, with the settings that differ from one EAS to the next.

    ``data_centre`` (dcName), ``solution`` (slnName), ``language`` and ``database`` (dbType) belong
    to the login. ``voucher_type`` 凭证字 and ``creator`` 制单人 must exist in EAS. ``currencies``
    are EAS's codes by ISO code, ``rates`` convert into ``local_currency``. ``dimensions`` name the
    assistant account 核算项目 of each dimension. ``credit`` is EAS's code of the credit side.
    ``submit`` False saves drafts.

    ``listing`` names the parts of a string of ``findVoucher``: ``reference``, ``number``, ``debit``
    (in local currency), ``type``, ``year``, ``period``, "" for a part of no interest. An empty
    ``listing``: EAS is never asked. With a ``listing``, each import is looked up afterwards
    (``confirm``), because its strings name no voucher; and ``batch`` vouchers may share an import.
    ``refuses_repeats``: EAS is set to refuse repeats. Raises ConfigurationError CB-243.
    """

    name: str = "kingdee-eas"
    contract: str = "kingdee-eas.wsdl"
    auth_kinds: tuple[str, ...] = ("eas-login",)
    ports: Mapping[str, str] = {"login": "EASLogin"}
    operations: tuple[str, ...] = (IMPORT, FIND, "login")
    kept: Mapping[str, str] = {
        "col/item/currencyNumber": "the currency",
        "col/item/localRate": "the rate",
        "col/item/entrySeq": "the number of the entry",
        "col/item/asstSeq": "the number of the row",
        "col/item/itemFlag": "the kind of the row",
        "isSubmit": "whether it is more than a draft",
    }

    def __init__(
        self,
        *,
        data_centre: str = "",
        solution: str = "eas",
        language: str = "L2",
        database: int = 2,
        voucher_type: str = "记",
        creator: str = "",
        local_currency: str = "CNY",
        currencies: dict[str, str] | None = None,
        rates: dict[str, Decimal] | None = None,
        dimensions: dict[str, str] | None = None,
        credit: int = 0,
        submit: bool = True,
        listing: list[str] | None = None,
        refuses_repeats: bool = False,
        confirm: bool = True,
        batch: int = 1,
    ) -> None:
        self._place = (solution, data_centre, language, database)
        self._settings = RowSettings(
            voucher_type=voucher_type,
            creator=creator,
            local_currency=local_currency,
            currencies={"CNY": "BB01"} if currencies is None else currencies,
            rates=rates or {},
            dimensions=_DIMENSIONS if dimensions is None else dimensions,
            credit=credit,
        )
        self._submits = submit
        self._lookup = VoucherLookup(
            listing or (),
            type_=voucher_type,
            currency=local_currency,
            found=_K.POSTED if submit else _K.ACKNOWLEDGED,
        )
        asks = bool(self._lookup.listing)
        self._confirms = confirm and asks
        self.no_place: Mapping[str, str] = _NO_PLACE
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
        solution, data_centre, *_ = self._place
        return f"solution {solution}" + (f", data_centre {data_centre}" if data_centre else "")

    # --- sessions ---------------------------------------------------------------------------

    def log_in(self, credentials: Credentials) -> Request:
        """Return the request that begins a session."""
        solution, data_centre, language, database = self._place
        body: requests.login = {
            "userName": credentials.user,
            "password": credentials.password,
            "slnName": solution,
            "dcName": data_centre,
            "language": language,
            "dbType": database,
        }
        return Request(operation="login", body=body, port="login", harmless=True)

    def read_log_in(self, reply: Reply | Fault) -> str:
        """Return the session's id; raises DeliveryRefused where EAS gives none."""
        if isinstance(reply, Fault):
            if _is_busy(reply):
                raise LedgerUnavailable(f"EAS gives no session now: {reply.reason}")
            raise DeliveryRefused(f"EAS refused the login: {reply.reason or reply.code}")
        session = reply.text("loginReturn", "sessionId")
        if not session:
            raise DeliveryRefused(
                "EAS answered the login without a session; check user, password and data_centre"
            )
        if not session.isprintable():
            raise NotDelivered("EAS gave a session id with characters that cannot be printed")
        return session

    def headers(self, call: Attempt) -> Sequence[bytes]:
        """Return the header with the session's id; none while there is no session."""
        return (element(_SESSION, call.session),) if call.session else ()

    # --- requests ---------------------------------------------------------------------------

    def submit(self, submissions: Sequence[Submission]) -> Request:
        """Return an import of these vouchers."""
        held = [row for submission in submissions for row in rows(submission, self._settings)]
        body: requests.importVoucher = {
            "col": {"item": held},
            "isSubmit": 1 if self._submits else 0,
            "isVerify": 0,
            "isCashflow": 0,
        }
        return as_request(IMPORT, body)

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
        return lookup_request(places, expected)

    # --- conversations ----------------------------------------------------------------------

    def converse(self, request: Request) -> Conversation:
        """Ask, or import; if the session was dead, log in and do it once more."""
        if isinstance(request, LookupRequest):
            return (yield from self._lookup.look_up(request, alone=True))
        answer = yield from answer_to(request)
        if is_dead(answer):
            yield LogIn()
            outcomes = yield from self._lookup.before_again(request)
            if outcomes:
                return outcomes
            answer = yield from answer_to(request)
        if isinstance(answer, Fault) or not (self._confirms or len(references(request.body)) > 1):
            return self._read(answer, company=company_of(request))
        return (yield from self._lookup.match(request, references(request.body), answer))

    # --- reading ----------------------------------------------------------------------------

    def read(self, reply: Reply) -> tuple[Outcome, ...]:
        """Return what the strings say, in their order; strings of an import name no reference."""
        if reply.local.startswith(FIND):
            return self._lookup.read(reply)
        return self._read(reply, company="")

    def read_fault(self, fault: Fault) -> Outcome:
        """Return what a fault says: EAS did nothing if the session was dead."""
        if is_dead(fault):
            return Outcome(kind=_K.UNAVAILABLE, text=f"the session was dead: {fault.reason}")
        return read_untyped(fault)

    def _read(self, answer: Reply | Fault, *, company: str) -> tuple[Outcome, ...]:
        if isinstance(answer, Fault):
            return (self.read_fault(answer),)
        # A string without parts is not a result in any version.
        strings = [one for one in strings_of(answer, IMPORT) or [] if "||" in one]
        read = results(strings)
        if not read:
            return (unknown("the answer holds no result that EAS is known to give"),)
        outcomes = tuple(
            outcome(one, company=company, posted=self._submits, item=item)
            for item, one in enumerate(dict.fromkeys(read), start=1)
        )
        if len(read) < len(strings) and any(one.kind is _K.REJECTED for one in outcomes):
            return (unknown("EAS refuses the voucher, and adds a string that is not a result"),)
        return outcomes


def _is_busy(fault: Fault) -> bool:
    return any(word in fault.reason.lower() for word in ("busy", "too many", "繁忙"))


__all__ = ["KingdeeEas"]
