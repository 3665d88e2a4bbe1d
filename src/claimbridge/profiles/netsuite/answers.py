"""What NetSuite's answers mean for what was sent: whose they are, and whether it was approved."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from claimbridge.model import Outcome, OutcomeKind
from claimbridge.profiles.kit.reading import of_several
from claimbridge.profiles.request import Request

_K = OutcomeKind


def as_approved(outcomes: tuple[Outcome, ...], request: Request) -> tuple[Outcome, ...]:
    """Return the outcomes; a record that was written without approval is not POSTED.

    The request is what was sent: settings of the ledger may have taken the approval out of it.
    """
    sent = request.body.get("record")
    records = sent if isinstance(sent, list) else [sent] if sent is not None else []
    if all(str(_approval(one)).lower() in {"true", "1"} for one in records):
        return outcomes
    return tuple(
        msgspec.structs.replace(one, kind=_K.ACKNOWLEDGED) if one.kind is _K.POSTED else one
        for one in outcomes
    )


def _approval(record: Mapping[str, object]) -> object:
    return record.get("approved", record.get("accountingApproval"))


def by_reference(
    outcomes: tuple[Outcome, ...], request: Request, *, fold: Callable[[str], str]
) -> tuple[Outcome, ...]:
    """Return the outcomes with the references that NetSuite did not repeat.

    NetSuite answers in the order of the request. The order counts only if each record has an
    answer, and no answer names another record's reference once both are as ``fold`` writes them.
    """
    asked = request.body.get("record", request.body.get("baseRef", []))
    records = asked if isinstance(asked, list) else [asked]
    references = [str(one["@externalId"]) for one in records]
    answers = len(outcomes) == len(references) and all(
        one.reference is None or fold(one.reference) == fold(own)
        for one, own in zip(outcomes, references, strict=True)
    )
    if not answers:
        return outcomes if len(references) == 1 else of_several(outcomes)
    return tuple(
        msgspec.structs.replace(one, reference=own)
        for one, own in zip(outcomes, references, strict=True)
    )
