"""The decisions of one submission, without I/O.

Each function named as a verb here is a *plan*: a generator that yields steps and is sent their
answers. There are three kinds of step: ask the journal (``Access``), send a message to the ERP
(``Post``), and wait (``Pause``). A plan of many values hands them out as well (``Emit``).
``perform`` performs a plan for the synchronous client, ``perform_awaiting`` for the asynchronous
one; a simulation of a million deliveries performs the same plans. ``plans`` has one for each thing
that callers ask. What they need of a ledger is a port (``LedgerPort``): it builds documents and
requests, and plans one exchange with the ERP.

What the plans guarantee, as long as the profile's ``Capabilities`` are true:

* ``sending`` is durable before a request leaves; an attempt that ends without an answer is
  ``in_doubt`` and is never simply sent again.
* Doubt ends by evidence only: what the ERP answers when asked for our reference, or its refusal of
  a duplicate. "There is no such document" is believed at once only for sending the *same*
  reference again to an ERP that refuses duplicates. For everything else it must still be true
  after the quiet period, because a request that we gave up may yet arrive.
* A refusal of a later sending says nothing of an earlier one whose answer was lost: the doubt
  stays, with the ERP's reasons, until the quiet period has passed and the ERP was asked again.
* Where the ERP can be asked and refuses no duplicate, it is asked before a document is sent for the
  first time: a journal that was restored or lost knows less than it does.
* A claim has one live journal entry: a later revision first settles the doubt about the earlier
  ones, then reverses what was posted, then posts. That it is to be posted is written before
  anything is reversed for it.
* A claim of several documents is one history. What is intended with all of them is written before
  the first one moves, so that any process can finish it.
"""

from claimbridge.submission.claim.batch import submit_batch
from claimbridge.submission.claim.by_hand import settle_by_hand, settle_gone
from claimbridge.submission.claim.division import submit_claim
from claimbridge.submission.claim.recovery import reconcile_claim, reconcile_document, unfinished
from claimbridge.submission.claim.restored import bring_into_doubt
from claimbridge.submission.claim.reversal import reverse_claim
from claimbridge.submission.claim.withdrawal import withdraw_claim
from claimbridge.submission.decisions.advice import first_send_report, memory_warning
from claimbridge.submission.decisions.books import BookConfig, id_of, missing, open_book, place_of
from claimbridge.submission.decisions.decisions import decide
from claimbridge.submission.decisions.documents import digest_of, documents_of
from claimbridge.submission.decisions.evidence import counts
from claimbridge.submission.decisions.port import Built, Draft, Exchanger, LedgerPort, Rules
from claimbridge.submission.decisions.references import in_our_spelling, reference_for
from claimbridge.submission.document.delivery import submit_document
from claimbridge.submission.document.doubt import resolve
from claimbridge.submission.document.news import absorb, submission_of
from claimbridge.submission.document.question import refresh
from claimbridge.submission.document.reversal import reverse_document
from claimbridge.submission.probe import ProbeChoice, ProbeIntention, ProbeStep
from claimbridge.submission.reachable import Reachability
from claimbridge.submission.steps.driver import (
    Deadline,
    Emissions,
    End,
    InThread,
    Performer,
    WorkWindow,
    advance,
    perform,
    perform_awaiting,
    take,
    with_journal,
)
from claimbridge.submission.steps.steps import (
    Access,
    AtOnce,
    Begin,
    Confirm,
    FirstSight,
    NoteJob,
    Pause,
    Plan,
    Post,
    Recall,
    Record,
    Step,
)

__all__ = [
    "Access",
    "AtOnce",
    "Begin",
    "BookConfig",
    "Built",
    "Confirm",
    "Deadline",
    "Draft",
    "Emissions",
    "End",
    "Exchanger",
    "FirstSight",
    "InThread",
    "LedgerPort",
    "NoteJob",
    "Pause",
    "Performer",
    "Plan",
    "Post",
    "ProbeChoice",
    "ProbeIntention",
    "ProbeStep",
    "Reachability",
    "Recall",
    "Record",
    "Rules",
    "Step",
    "WorkWindow",
    "absorb",
    "advance",
    "bring_into_doubt",
    "counts",
    "decide",
    "digest_of",
    "documents_of",
    "first_send_report",
    "id_of",
    "in_our_spelling",
    "memory_warning",
    "missing",
    "open_book",
    "perform",
    "perform_awaiting",
    "place_of",
    "reconcile_claim",
    "reconcile_document",
    "reference_for",
    "refresh",
    "resolve",
    "reverse_claim",
    "reverse_document",
    "settle_by_hand",
    "settle_gone",
    "submission_of",
    "submit_batch",
    "submit_claim",
    "submit_document",
    "take",
    "unfinished",
    "with_journal",
    "withdraw_claim",
]
