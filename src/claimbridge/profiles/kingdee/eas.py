"""The profile of Kingdee EAS (金蝶 EAS): vouchers by the service ``WSGLWebServiceFacade``.

Facts it is built on, seen in its WSDL, in what its clients send and log, and in how its server
reads rows:

- The services are Axis 1.4, rpc/encoded. ``EASLogin`` gives a session, whose id travels in the SOAP
  header ``{http://login.webservice.bos.kingdee.com}SessionId``, which no WSDL declares.
- A voucher is flat rows, the head repeated on each; rows that follow each other with one
  ``voucherNumber`` are one voucher. The answer is a string for each voucher, which does not repeat
  our reference (see ``kingdee_replies``).
- Where the voucher's head is wrong in a way that EAS did not foresee, its rows may be added to the
  voucher before it in the same call. So a call has one voucher, unless ``batch`` says otherwise.
- EAS keeps amounts as doubles: beyond 15 digits nothing is sent.
- EAS compares the reference information 参考信息 (``description``) of a company's vouchers only
  where its parameter says that imports must not repeat (``refuses_repeats``).
- What ``findVoucher`` lists is not published. It is asked only where the configuration says how
  its strings are laid out (``listing``), and what has another layout is never taken for "absent".
- The service has no reversal. What takes an entry back is a red voucher 红字凭证 of our own: the
  same postings with negative amounts. EAS does not link the two.

After a lost answer: with ``listing`` EAS is asked, and a voucher is adopted once its amounts are
found equal; else, with ``refuses_repeats``, it is sent again and the repeat is refused; else a
person looks. A fault that says that the session is dead comes before anything is done: EAS is
logged in to again and asked where it can be, and the call is sent once more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final

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
    strings_of,
    wanted_in,
)
from claimbridge.profiles.kingdee.replies import FORM, outcome, results
from claimbridge.profiles.kingdee.rows import RowSettings, local_total, references, rows
from claimbridge.profiles.kit.markup import element
from claimbridge.profiles.kit.no_place import EMPLOYEE, NO_TAX, OF_THE_CLAIM, ROLE
from claimbridge.profiles.kit.reading import read_untyped, unknown
from claimbridge.profiles.request import Request, as_request

if TYPE_CHECKING:
    from claimbridge.contract.calls.fault import Fault
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
    ``submit`` False saves drafts. ``listing`` names the parts of a string of ``findVoucher``:
    ``reference``, ``number``, ``debit`` (in local currency), ``type``, ``year``, ``period``, ""
    for one of no interest; empty: it is never asked. ``refuses_repeats``: EAS is set to. Where
    there is a ``listing``, each import is looked up (``confirm``), for its strings name no voucher,
    and ``batch`` vouchers may go into one. Raises ConfigurationError CB-243.
    """

    name: str = "kingdee-eas"
    contract: str = "kingdee-eas.wsdl"
    auth_kinds: tuple[str, ...] = ("eas-login",)
    ports: Mapping[str, str] = {"login": "EASLogin"}
    operations: tuple[str, ...] = (IMPORT, FIND, "login")

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
        self._books = RowSettings(
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
        self.dimensions: tuple[str, ...] = tuple(self._books.dimensions)
        self.capabilities: Capabilities = Capabilities(
            can_query=asks,
            can_reverse=True,
            checks_reversals=False,
            can_list_changes=False,
            unique_reference=refuses_repeats,
            batch=batch if asks else 1,
            # EAS runs on databases that tell case apart, and on others that do not.
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
        from claimbridge.contract.calls.fault import Fault

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
            raise NotDelivered("EAS gave a session that is no id")
        return session

    def headers(self, call: Attempt) -> Sequence[bytes]:
        """Return the header with the session's id; none while there is no session."""
        return (element(_SESSION, call.session),) if call.session else ()

    # --- requests ---------------------------------------------------------------------------

    def submit(self, submissions: Sequence[Submission]) -> Request:
        """Return an import of these vouchers."""
        held = [row for submission in submissions for row in rows(submission, self._books)]
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
            reference: (local_total(voucher, self._books), voucher.totals)
            for reference, voucher in vouchers.items()
        }
        return wanted_in(places, expected)

    # --- conversations ----------------------------------------------------------------------

    def converse(self, request: Request) -> Conversation:
        """Ask, or import; where the session had died, log in and do it once more."""
        from claimbridge.contract.calls.fault import Fault

        if isinstance(request, LookupRequest):
            return (yield from self._lookup.found(request, alone=True))
        answer = yield from answer_to(request)
        if is_dead(answer):
            yield LogIn()
            found = yield from self._lookup.before_again(request)
            if found:
                return found
            answer = yield from answer_to(request)
        if isinstance(answer, Fault) or not (self._confirms or len(references(request.body)) > 1):
            return self._read(answer, company=company_of(request))
        return (yield from self._lookup.matched(request, references(request.body), answer))

    # --- reading ----------------------------------------------------------------------------

    def read(self, reply: Reply) -> tuple[Outcome, ...]:
        """Return what the strings say, in their order; those of an import name no reference."""
        if reply.local.startswith(FIND):
            return self._lookup.told(reply)
        return self._read(reply, company="")

    def read_fault(self, fault: Fault) -> Outcome:
        """Return what a fault says: nothing was done where the session was dead or EAS is full."""
        if is_dead(fault):
            return Outcome(kind=_K.UNAVAILABLE, text=f"the session was dead: {fault.reason}")
        return read_untyped(fault)

    def _read(self, answer: Reply | Fault, *, company: str) -> tuple[Outcome, ...]:
        from claimbridge.contract.calls.fault import Fault

        if isinstance(answer, Fault):
            return (self.read_fault(answer),)
        # What has no parts is no result of any version.
        strings = [one for one in strings_of(answer, IMPORT) or [] if "||" in one]
        said = results(strings)
        if not said:
            return (unknown("the answer holds no result that EAS is known to give"),)
        understood = len(said) == len(strings)
        outcomes = tuple(
            outcome(one, company=company, posted=self._submits, item=item)
            for item, one in enumerate(dict.fromkeys(said), start=1)
        )
        if not understood and any(one.kind is _K.REJECTED for one in outcomes):
            return (unknown("EAS refuses the voucher, and says more that is no known result"),)
        return outcomes


def _is_busy(fault: Fault) -> bool:
    return any(word in fault.reason.lower() for word in ("busy", "too many", "繁忙"))


__all__ = ["KingdeeEas"]
