"""The Profile protocol: our code for one ERP's way, without I/O.

A profile turns vouchers into a request in the contract's own names, and a reply into outcomes. It
decides success only from evidence. What it cannot read is ``OutcomeKind.UNKNOWN``, never None.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

import msgspec

from claimbridge.model import Outcome, Submission
from claimbridge.profiles.kit.forms import EntryForm
from claimbridge.profiles.request import Request

if TYPE_CHECKING:
    from claimbridge.contract.calls.fault import Fault
    from claimbridge.contract.calls.replies import Reply


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What the ERP can be relied on for. The first two decide what a lost answer leads to.

    =========== ================= ==========================================================
    can query   unique reference  recipe for a lost answer
    =========== ================= ==========================================================
    yes         yes               ask by our reference; adopt the document, else resend now
    yes         no                ask; adopt; else resend after the ledger's quiet period
    no          yes               resend, and adopt the "duplicate" answer
    no          no                park it: a person looks in the ERP
    =========== ================= ==========================================================

    ``unique_reference``: the ERP itself refuses a second document with the same reference, even
    when both arrive at once. ``batch`` is the largest number of documents in one request (1: no
    batches). ``postings`` is the most postings that one document may have (None: no limit is
    known); a claim with more becomes several documents (``submission.claim.division``).

    ``reference_pattern`` is a regular expression. A claim id that matches it in full serves as the
    reference; any other id is replaced by a base32 digest of at most ``reference_length``
    characters. ``reference_case`` is what the ERP does with a reference: ``kept`` leaves it as it
    was sent, ``upper`` folds lower case, or may do so. Under ``upper`` an id with lower case is
    replaced by a digest too, and a reference that comes back in capitals is ours.

    ``document_signature`` is the ``{namespace}name`` of the element that carries an enveloped
    signature; None when the contract has no place for one. ``together``: a request of several may
    carry one signature over all of them, as its root's last child. ``companies``: one document may
    have postings in the books of other companies. Without it, such a voucher is refused.
    ``checks_reversals``: the ERP itself refuses to reverse an entry that it does not hold. Without
    it (a reversal is a document like any other) the ERP is asked for the entry right before.
    ``entry`` is the form of this ERP's numbers, companies and years: a number of another form is no
    evidence of success (see ``profiles.kit.forms``).
    """

    can_query: bool
    can_reverse: bool
    can_list_changes: bool
    unique_reference: bool
    batch: int = 1
    postings: int | None = None
    reference_length: int = 36
    reference_pattern: str = r"[A-Za-z0-9._/\-]+"
    reference_case: Literal["kept", "upper"] = "kept"
    document_signature: str | None = None
    together: bool = False
    companies: bool = False
    checks_reversals: bool = True
    entry: EntryForm = EntryForm()

    def fold(self, reference: str) -> str:
        """Return a reference in the form in which this ERP's answers are compared with ours."""
        return reference.upper() if self.reference_case == "upper" else reference


class Page(msgspec.Struct, frozen=True):
    """One page of changes: outcomes, and the cursor to go on from.

    ``more`` is True when another page waits now.
    """

    outcomes: tuple[Outcome, ...]
    cursor: str
    more: bool


@runtime_checkable
class Profile(Protocol):
    """One ERP's way. Users write their own; see ``examples/own_erp.py``.

    Every profile has these six members. What only some ERPs need (to ask, to reverse, to list
    changes, sessions, several calls in one exchange) is an ability: see ``profiles.abilities``. A
    method for something that ``capabilities`` denies is never called. ``[ledger.X.options]`` fills
    the arguments of the class's constructor.
    """

    @property
    def name(self) -> str:
        """The name in the configuration (``profile = "reference"``)."""
        ...

    @property
    def contract(self) -> str:
        """The profile's own contract: a WSDL's file name in ``claimbridge.wsdl``, or a path.

        The path is that of a WSDL file, or of the folder that ``claimbridge contract lock`` wrote.
        """
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What the ERP can be relied on for."""
        ...

    def submit(self, submissions: Sequence[Submission]) -> Request:
        """Return the request that posts these vouchers (one, or up to ``capabilities.batch``).

        A voucher with purpose ``reverse`` goes through ``reverse``.
        """
        ...

    def read(self, reply: Reply) -> tuple[Outcome, ...]:
        """Return an outcome per document in the reply, in its order; never an empty tuple.

        The reply's own element says which operation it answers. A reply that says nothing usable
        is one UNKNOWN.
        """
        ...

    def read_fault(self, fault: Fault) -> Outcome:
        """Return what a Fault says: REJECTED, UNAVAILABLE, DUPLICATE, NOT_DELIVERED or UNKNOWN.

        NOT_DELIVERED only where the ERP refused the call before doing anything: a login, a
        permission (see ``profiles.kit.reading.not_let_in``).
        """
        ...
