"""The conformance suite: all our profiles pass it, and each broken one is found by its check."""

from __future__ import annotations

import datetime as dt
import importlib.util
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.examples.books import BooksResponder
from tests.testing.record import FIXTURES, OPTIONS

from claimbridge import ConfigurationError, JournalEntry, Outcome, OutcomeKind
from claimbridge.config import AuthConfig
from claimbridge.contract.calls.replies import Reply
from claimbridge.model import Role, Side, Submission
from claimbridge.profiles import PROFILES, Profile, Request
from claimbridge.profiles.reference.profile import Reference
from claimbridge.profiles.sap.bapi import SapBapi
from claimbridge.sandbox import PROFILES as PLAYED
from claimbridge.sandbox import Responder
from claimbridge.sandbox.erps.kingdee_eas import KingdeeEasResponder
from claimbridge.testing.conformance import ConformanceCase, Nonconformity, check, conformance_cases

pytestmark = pytest.mark.filterwarnings("ignore::claimbridge.errors.ContractDriftWarning")
EXAMPLE = Path(__file__).resolve().parents[2] / "examples/own_erp.py"
SETTINGS: dict[str, dict[str, Any]] = {
    "kingdee-eas": {
        "options": OPTIONS["kingdee-eas"],
        "auth": AuthConfig(kind="eas-login", user="svc", password="env:EAS_PASSWORD"),
        "path": "/WSGLWebServiceFacade",
    },
    "yonyou-nc": {"options": OPTIONS["yonyou-nc"]},
}


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EAS_PASSWORD", "right")


def ours() -> Iterator[Any]:
    for profile in sorted(PROFILES):
        yield from judged(profile, profile, recorded=FIXTURES, **SETTINGS.get(profile, {}))
    # What was recorded of both kinds of record has been judged.
    reports = {"record": "expense-report"}
    yield from judged("netsuite-reports", "netsuite", options=reports)
    for facade in ("rows", "json"):
        settings = SETTINGS["kingdee-eas"] | {"path": "/WSWSVoucher"}
        settings["options"] = {**settings["options"], "facade": facade}
        older = KingdeeEasResponder(older=True)
        yield from judged(f"kingdee-eas-{facade}", "kingdee-eas", responder=older, **settings)


def judged(
    name: str, profile: str, *, responder: Responder | None = None, **given: Any
) -> Iterator[Any]:
    player = responder or (profile if profile in PLAYED else None)
    cases = conformance_cases(profile, responder=player, **given)
    # With AsyncClient tests/withstand plays the same faults.
    chosen = (case for case in cases if "AsyncClient" not in str(case))
    yield from (pytest.param(case, id=f"{name}-{case}") for case in chosen)


@pytest.mark.parametrize("case", list(ours()))
def test_ours_conform(case: ConformanceCase) -> None:
    """Every profile of ours passes every check."""
    case.run()


def own_erp() -> Any:
    """The example's module, loaded from its file."""
    if "conforming_own_erp" not in sys.modules:
        spec = importlib.util.spec_from_file_location("conforming_own_erp", EXAMPLE)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
    return sys.modules["conforming_own_erp"]


Good: Any = own_erp().OwnErp
Outcomes = tuple[Outcome, ...]


class NoExceptionIsSuccess(Good):  # type: ignore[misc]  # loaded by its file
    """What did not fail was posted, it thinks."""

    def read(self, reply: Reply) -> Outcomes:
        return (Outcome(kind=OutcomeKind.POSTED, journal_entry=JournalEntry("1")),)


class ReadsNone(Good):  # type: ignore[misc]
    """Returns None where it finds nothing."""

    def read(self, reply: Reply) -> Outcomes:
        return super().read(reply) if reply.all("Entry") else None  # type: ignore[return-value]


class ReadsNothing(Good):  # type: ignore[misc]
    """Returns () where it finds nothing."""

    def read(self, reply: Reply) -> Outcomes:
        return super().read(reply) if reply.all("Entry") else ()


class EmptyIsAbsent(Good):  # type: ignore[misc]
    """Takes a reply without entries for the ERP's word that there is none."""

    def read(self, reply: Reply) -> Outcomes:
        return super().read(reply) if reply.all("Entry") else (Outcome(kind=OutcomeKind.ABSENT),)


class ReadsByPlace(Good):  # type: ignore[misc]
    """Takes the second element for the number, whatever it is called."""

    def read(self, reply: Reply) -> Outcomes:
        entries = reply.all("Entry")
        texts = ["".join(one.itertext()) for one in entries[0].element] if entries else []
        if len(texts) < 2 or not texts[1]:
            return super().read(reply)  # type: ignore[no-any-return]
        number = JournalEntry(texts[1])
        return (Outcome(kind=OutcomeKind.POSTED, reference=texts[0], journal_entry=number),)


class CutsReference(Good):  # type: ignore[misc]
    """Sends eight characters of our reference."""

    def submit(self, submissions: Sequence[Submission]) -> Request:
        (one,) = submissions
        cut = msgspec.structs.replace(one, reference=one.reference[:8])
        return super().submit([cut])  # type: ignore[no-any-return]


class FailsOnFaults(Good):  # type: ignore[misc]
    """Expects a detail in every Fault."""

    def read_fault(self, fault: Any) -> Outcome:
        raise KeyError("detail")


class PromisesReversal(Good):  # type: ignore[misc]
    """Says that it can reverse, and has no such method."""

    capabilities = msgspec.structs.replace(Good.capabilities, can_reverse=True)


class PromisesCompanies(Good):  # type: ignore[misc]
    """Says that postings may stand in other companies' books, and does not send which."""

    capabilities = msgspec.structs.replace(Good.capabilities, companies=True)


class ChangesItsRequests(Good):  # type: ignore[misc]
    """Counts its requests in the voucher's text."""

    count = 0

    def submit(self, submissions: Sequence[Submission]) -> Request:
        type(self).count += 1
        request: Request = super().submit(submissions)
        body = {**request.body, "Text": f"no. {self.count}"}
        return msgspec.structs.replace(request, body=body)


class ForgetsTheDate(Good):  # type: ignore[misc]
    """Leaves out what the contract demands."""

    def submit(self, submissions: Sequence[Submission]) -> Request:
        request: Request = super().submit(submissions)
        body = {name: value for name, value in request.body.items() if name != "Date"}
        return msgspec.structs.replace(request, body=body)


class CrashesOnPartners(Good):  # type: ignore[misc]
    """Fails on what it did not expect, which is no refusal."""

    def submit(self, submissions: Sequence[Submission]) -> Request:
        if any(posting.partner for posting in submissions[0].voucher.postings):
            raise KeyError("partner")
        return super().submit(submissions)  # type: ignore[no-any-return]


class NamesNoField(Good):  # type: ignore[misc]
    """Does not say where its values come from."""

    def submit(self, submissions: Sequence[Submission]) -> Request:
        return msgspec.structs.replace(super().submit(submissions), sources={})


BROKEN: list[tuple[Callable[[], Profile], str]] = [
    (NoExceptionIsSuccess, "replies-empty"),
    (ReadsNone, "replies-empty"),
    (ReadsNothing, "replies-empty"),
    (EmptyIsAbsent, "replies-empty"),
    (ReadsByPlace, "sandbox-drifts"),
    (CutsReference, "requests-whole-reference"),
    (FailsOnFaults, "replies-bare-fault"),
    (PromisesReversal, "capabilities"),
    (PromisesCompanies, "requests-companies"),
    (ChangesItsRequests, "requests-deterministic"),
    (ForgetsTheDate, "requests-valid"),
    (NamesNoField, "requests-name-claim-fields"),
    (CrashesOnPartners, "requests-valid"),
    (CrashesOnPartners, "requests-carry-posting.partner"),
    (NoExceptionIsSuccess, "fault-Client-wrong-reference"),
]


@pytest.mark.parametrize(("broken", "name"), BROKEN)
def test_a_broken_profile_is_found(broken: Callable[[], Profile], name: str) -> None:
    """The check of that name fails for it, and passes for the profile that is not broken."""
    for profile, fails in ((Good(), False), (broken(), True)):
        cases = {str(one): one for one in conformance_cases(profile, responder=BooksResponder())}
        if fails:
            with pytest.raises(Nonconformity):
                cases[name].run()
        else:
            cases[name].run()


def altered(legs: dict[str, Any] | None = None, **given: Any) -> Callable[[Submission], Submission]:
    """Return what replaces fields of a voucher; ``legs`` are those of all its postings."""

    def alter(known: Submission) -> Submission:
        kept = known.voucher.postings
        postings = tuple(msgspec.structs.replace(p, **(legs or {})) for p in kept)
        voucher = msgspec.structs.replace(known.voucher, **{"postings": postings, **given})
        return msgspec.structs.replace(known, voucher=voucher)

    return alter


def amounts_alike(known: Submission) -> Submission:
    """Book the average on every posting: totals and balance stay."""
    return _each_posting(known, lambda p, n: {"amount": _average(known, p)})


def _average(known: Submission, like: Any) -> Decimal:
    book = like.side, like.company
    same = [p.amount for p in known.voucher.postings if (p.side, p.company) == book]
    return (sum(same) / len(same)).quantize(Decimal("0.01"))


def _each_posting(known: Submission, change: Callable[[Any, int], dict[str, Any]]) -> Submission:
    postings = tuple(
        msgspec.structs.replace(p, **change(p, n)) for n, p in enumerate(known.voucher.postings)
    )
    return altered(postings=postings)(known)


def sides_in_turn(known: Submission) -> Submission:
    """Take the first half for debits, whatever they are."""
    half = len(known.voucher.postings) // 2
    return _each_posting(
        known, lambda _, n: {"side": Side.DEBIT if n < half else Side.CREDIT, "amount": Decimal(1)}
    )


def first_two_only(known: Submission) -> Submission:
    """Lose what comes after the first debit and the first credit."""
    return altered(
        postings=tuple(next(p for p in known.voucher.postings if p.side is side) for side in Side)
    )(known)


def forget(name: str) -> Callable[[Submission], Submission]:
    """Leave a text of the postings out."""
    return altered({name: ""})


YEAR_2000 = dt.date(2000, 1, 1)


def nonsense_books(known: Submission) -> Submission:
    """Book every posting as 1.00 on account 9999 in 2000."""
    whole = altered({"amount": Decimal("1.00"), "account": "9999"}, posting_date=YEAR_2000)
    return whole(first_two_only(known))


LOSING: list[tuple[Callable[[Submission], Submission], str]] = [
    (nonsense_books, "amount account"),
    (nonsense_books, "posting_date"),
    (amounts_alike, "posting.amount"),
    (sides_in_turn, "posting.side"),
    (first_two_only, "postings"),
    (altered({"account": "9999"}), "posting.account"),
    (altered(posting_date=YEAR_2000), "posting_date"),
    (altered(document_date=YEAR_2000), "document_date"),
    (altered({"currency": "CNY"}, currency="CNY"), "currency"),
    (altered({"currency": "CNY"}), "posting.currency"),
    (altered(company="CN01"), "company"),
    (altered(claim_id="C"), "claim_id"),
    (altered(revision=1), "revision"),
    (altered(employee="E"), "employee"),
    (altered(employee_name=""), "employee_name"),
    (altered(text=""), "text"),
    (altered(approver=""), "approver"),
    (altered(approved_at=None), "approved_at"),
    (altered({"role": Role.EXPENSE}), "posting.role"),
    (altered({"tax_base": None}), "posting.tax_base"),
    (altered({"dimensions": {}}), "posting.dimensions"),
    (altered({"company": ""}), "posting.company"),
    *((forget(name), f"posting.{name}") for name in
      ("cost_centre", "project", "partner", "tax_code", "narration", "source")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("alter", "fields"), LOSING, ids=[f"{n}-{fields}" for n, (_, fields) in enumerate(LOSING)]
)
def test_a_profile_that_loses_a_field_is_found(
    alter: Callable[[Submission], Submission], fields: str
) -> None:
    """By the check of that field, with no ERP at hand; the reference profile loses none."""

    class Losing(Reference):
        """Builds other vouchers than it is given."""

        def submit(self, submissions: Sequence[Submission]) -> Request:
            return super().submit([alter(one) for one in submissions])

    sound, unsound = (
        {str(one): one for one in conformance_cases(profile)} for profile in (Reference(), Losing())
    )
    for field in fields.replace("amount account", "posting.amount posting.account").split():
        sound[f"requests-carry-{field}"].run()
        with pytest.raises(Nonconformity, match=f"differ in {re.escape(field)}, and the requests"):
            unsound[f"requests-carry-{field}"].run()


class ReversesAnother(Reference):
    """Names always the same journal entry when it takes one back."""

    def reverse(self, submission: Submission) -> Request:
        other = altered(reverses=JournalEntry("4711", "CN01", "2026"))
        return super().reverse(other(submission))


class FlipsSides(Reference):
    """Takes debits for credits, always: only who reads the ERP's books can tell."""

    def submit(self, submissions: Sequence[Submission]) -> Request:
        return super().submit(
            [_each_posting(one, lambda p, _: {"side": p.side.other}) for one in submissions]
        )


@pytest.mark.parametrize(
    ("broken", "name"),
    [(ReversesAnother, "requests-carry-reverses"), (FlipsSides, "sandbox-books")],
)
def test_a_profile_that_books_the_other_way_is_found(broken: type[Reference], name: str) -> None:
    """Another entry is reversed; or every entry stands on the other side."""
    for profile, fails in ((Reference(), False), (broken(), True)):
        cases = {str(one): one for one in conformance_cases(profile, responder="reference")}
        if fails:
            with pytest.raises(Nonconformity):
                cases[name].run()
        else:
            cases[name].run()


@pytest.mark.parametrize(
    ("no_place", "name", "told"),
    [
        ({"approver": "nobody asks"}, "requests-carry-approver", "and it is sent"),
        ({"posting.amount": "who cares"}, "requests-no-place", "nothing is posted rightly"),
        ({"posting.account": "who cares"}, "requests-no-place", "nothing is posted rightly"),
        ({"aprover": "a slip"}, "requests-no-place", "no field"),
        ({"approver": " "}, "requests-no-place", "no reason"),
    ],
)
def test_what_is_declared_is_judged(no_place: dict[str, str], name: str, told: str) -> None:
    """A list that is not true would hide what is lost later."""
    cases = {str(one): one for one in conformance_cases(Reference(), no_place=no_place)}
    with pytest.raises(Nonconformity, match=told):
        cases[name].run()


def test_the_call_may_declare_what_the_profile_does_not() -> None:
    """A profile that is not yours to change passes with a list of yours."""
    named = {"approver": "ours has none"}

    class Forgets(Reference):
        """Has no approver."""

        def submit(self, submissions: Sequence[Submission]) -> Request:
            return super().submit([altered(approver="")(one) for one in submissions])

    cases = {str(one): one for one in conformance_cases(Forgets(), no_place=named)}
    cases["requests-carry-approver"].run()


def test_check_tells_of_all_that_failed() -> None:
    """One call, no pytest: what fails is told by the names of its checks."""
    check(Good())
    with pytest.raises(Nonconformity, match=r"replies-empty: .*read as absent"):
        check(EmptyIsAbsent())


class NumbersAllAlike(Reference):
    """Gives every voucher of a batch the number of the first."""

    def read(self, reply: Reply) -> Outcomes:
        outcomes = super().read(reply)
        entry = outcomes[0].journal_entry
        return tuple(
            msgspec.structs.replace(one, journal_entry=entry) if one.journal_entry else one
            for one in outcomes
        )


class LosesTheLast(Reference):
    """Sends all vouchers of a batch but one, and calls that one posted like the others."""

    lost = ""

    def submit(self, submissions: Sequence[Submission]) -> Request:
        if len(submissions) < 3:
            return super().submit(submissions)
        self.lost = submissions[-1].reference
        return super().submit(submissions[:-1])

    def read(self, reply: Reply) -> Outcomes:
        outcomes = super().read(reply)
        if len(outcomes) != 2:
            return outcomes
        unseen = {"reference": self.lost, "journal_entry": JournalEntry("777"), "item": 3}
        return (*outcomes, msgspec.structs.replace(outcomes[-1], **unseen))


class ReversesTheSameWay(SapBapi):
    """Books again, with a reference of its own, what it should take back."""

    def reverse(self, submission: Submission) -> Request:
        voucher = submission.voucher
        back = tuple(msgspec.structs.replace(one, side=one.side.other) for one in voucher.postings)
        again = msgspec.structs.replace(voucher, postings=back)
        return super().reverse(msgspec.structs.replace(submission, voucher=again))


@pytest.mark.parametrize(
    ("good", "broken", "name", "told"),
    [
        (Reference, NumbersAllAlike, "batch-slow=0.1", "acknowledged with one number"),
        (Reference, LosesTheLast, "batch-slow=0.1", "3 are acknowledged"),
        (SapBapi, ReversesTheSameWay, "revision-slow=0.1", "400.00 is booked"),
        (SapBapi, ReversesTheSameWay, "revision-commit-then-drop", "400.00 is booked"),
    ],
)
def test_a_broken_batch_or_reversal_is_found(
    good: type[Profile], broken: type[Profile], name: str, told: str
) -> None:
    """What goes wrong only with several vouchers, or with a correction, has checks of its own."""
    sound, unsound = (
        {str(one): one for one in conformance_cases(profile, responder=profile.name)}
        for profile in (good(), broken())
    )
    sound[name].run()
    with pytest.raises(Nonconformity, match=told):
        unsound[name].run()


@pytest.mark.parametrize("fault", ["commit-then-drop", "half-reply=cut", "timeout=after-commit"])
@pytest.mark.parametrize("check", ["fault-Client", "fault-AsyncClient", "revision"])
def test_a_false_promise_is_found(check: str, fault: str) -> None:
    """A profile that says that its ERP refuses repeats, with an ERP that takes them: two documents.

    The ERP is not asked either, so that everything hangs on that promise.
    """
    settings = SETTINGS["kingdee-eas"] | {"options": {"credit": -1, "refuses_repeats": True}}
    cases = conformance_cases("kingdee-eas", responder="kingdee-eas", **settings)
    (case,) = [one for one in cases if str(one) == f"{check}-{fault}"]
    with pytest.raises(Nonconformity, match=r"2 documents|is booked"):
        case.run()


@pytest.mark.parametrize(
    "given",
    [
        {"recorded": 5}, {"recorded": "nowhere"}, {"recorded": Path()}, {"options": 5}, {"auth": 5},
        {"no_place": 5}, {"chart": 5}, {"responder": "no_module:at_all"}, {"responder": "nothing"},
    ],
)  # fmt: skip
def test_a_wrong_argument_is_refused_in_our_words(given: dict[str, Any], tmp_path: Path) -> None:
    """A suite that tests nothing, for a folder without exchanges, is refused too."""
    if given == {"recorded": Path()}:
        given = {"recorded": tmp_path}
    with pytest.raises(ConfigurationError):
        check("reference", **given)
