"""The decisions of one submission, without I/O.

Each function named as a verb here is a *plan*: a generator that yields steps (read the journal,
write it, make one exchange with the ERP, pause) and is sent their answers. A client performs the
steps; it decides nothing. So the same code runs under the synchronous client, the asynchronous
one, and a simulation of a million deliveries.

What the plans guarantee, as long as the profile's ``Capabilities`` are true:

* ``sending`` is durable before a request leaves; an attempt that ends without an answer is
  ``in_doubt`` and is never simply sent again.
* Doubt ends by evidence only: what the ERP answers when asked for our reference, or its refusal of
  a duplicate. "There is no such document" is believed at once only for sending the *same*
  reference again to an ERP that refuses duplicates; for everything else it must still be true
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

from claimbridge.submission.books import Wanted, id_of, missing, open_book, place_of
from claimbridge.submission.by_hand import settle_by_hand, settle_gone
from claimbridge.submission.decisions import closed_error, decide
from claimbridge.submission.division import (
    reconcile_claim,
    reverse_claim,
    submit_claim,
)
from claimbridge.submission.documents import current, digest_of, documents, standing
from claimbridge.submission.doubt import resolve
from claimbridge.submission.evidence import counts, moved
from claimbridge.submission.feed import Feed
from claimbridge.submission.first import forgets, told_of
from claimbridge.submission.news import absorb
from claimbridge.submission.plans import (
    reconcile,
    reverse,
    submit,
    submit_batch,
)
from claimbridge.submission.port import Built, Draft, Exchanger, FirstSend, Rules
from claimbridge.submission.probe import Probed, probe
from claimbridge.submission.question import refresh
from claimbridge.submission.references import found_by, recognised, reference_for
from claimbridge.submission.restored import bring_into_doubt
from claimbridge.submission.steps import (
    Access,
    AgreeNew,
    AtOnce,
    Begin,
    Books,
    Confirm,
    FirstSight,
    IsNew,
    KeepBooks,
    Look,
    NoteJob,
    Pause,
    Plan,
    Post,
    Recall,
    Record,
    Step,
    with_journal,
)
from claimbridge.submission.withdrawal import withdraw

__all__ = [
    "Access",
    "AgreeNew",
    "AtOnce",
    "Begin",
    "Books",
    "Built",
    "Confirm",
    "Draft",
    "Exchanger",
    "Feed",
    "FirstSend",
    "FirstSight",
    "IsNew",
    "KeepBooks",
    "Look",
    "NoteJob",
    "Pause",
    "Plan",
    "Post",
    "Probed",
    "Recall",
    "Record",
    "Rules",
    "Step",
    "Wanted",
    "absorb",
    "bring_into_doubt",
    "closed_error",
    "counts",
    "current",
    "decide",
    "digest_of",
    "documents",
    "forgets",
    "found_by",
    "id_of",
    "missing",
    "moved",
    "open_book",
    "place_of",
    "probe",
    "recognised",
    "reconcile",
    "reconcile_claim",
    "reference_for",
    "refresh",
    "resolve",
    "reverse",
    "reverse_claim",
    "settle_by_hand",
    "settle_gone",
    "standing",
    "submit",
    "submit_batch",
    "submit_claim",
    "told_of",
    "with_journal",
    "withdraw",
]
