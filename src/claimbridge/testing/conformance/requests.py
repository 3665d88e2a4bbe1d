"""Checks of a profile's requests, on sample vouchers that hold everything a voucher can."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

import msgspec

from claimbridge.errors import ClaimBridgeError, SchemaViolation
from claimbridge.ledger import Ledger
from claimbridge.ledger.setup import NOT_BUILT
from claimbridge.model import Submission
from claimbridge.profiles.abilities import lacking
from claimbridge.profiles.samples import (
    FIELDS,
    dimensions_to_try,
    reversing,
    sample_submissions,
)
from claimbridge.testing.conformance.subject import Nonconformity, Subject

_MOMENT = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?")


def capabilities(subject: Subject) -> None:
    """Every promise of the capabilities has a method; their numbers make sense."""
    profile = subject.open_profile()
    can = profile.capabilities
    for method in lacking(profile):
        raise Nonconformity(f"the capabilities promise {method}, and there is no such method")
    if can.batch < 1 or can.reference_length < 1 or (can.postings or 1) < 1:
        raise Nonconformity("batch, reference_length and postings count from 1")
    re.compile(can.reference_pattern)
    _ = subject.ledger().setup.contract


def valid(subject: Subject) -> None:
    """Sample vouchers are built, and valid by the contract; refusals name the claim field."""
    ledger, built = subject.ledger(), 0
    for verb, submissions in _exchanges(ledger):
        built += build(ledger, verb, submissions) is not None and verb == "submit"
    if not built:
        raise Nonconformity("every sample voucher is refused: nothing can be sent")


def claim_fields(subject: Subject) -> None:
    """Too long values are built or refused, and each finding names its claim field."""
    ledger = subject.ledger()
    for name in FIELDS:
        for submission in samples(ledger, widest=(name,)):
            build(ledger, "submit", (submission,))


def deterministic(subject: Subject) -> None:
    """The same voucher gives the same request, except for the moment of sending."""
    one, other = subject.ledger(), subject.ledger()
    for verb, submissions in _exchanges(one):
        first, second = (build(ledger, verb, submissions) or b"" for ledger in (one, other))
        if _MOMENT.sub(b"", first) != _MOMENT.sub(b"", second):
            raise Nonconformity(f"{verb}: the same voucher became two different requests")


def whole_reference(subject: Subject) -> None:
    """Our reference is in the request, whole, at the longest that the capabilities allow."""
    ledger = subject.ledger()
    longest = ledger.rules.capabilities.reference_length
    for reference in ("EXP-2026-0042"[:longest], "R" * longest):
        for submission in samples(ledger, reference=reference):
            body = build(ledger, "submit", (submission,))
            if body is not None and reference.encode() not in body:
                raise Nonconformity(
                    f"the reference {reference} is not whole in the request: nothing finds the "
                    "document again, or it finds another one"
                )


def companies(subject: Subject) -> None:
    """Where the capabilities promise it, the request names other companies' books."""
    ledger = subject.ledger()
    for submission in samples(ledger) if ledger.rules.capabilities.companies else ():
        others = {posting.company for posting in submission.voucher.postings} - {""}
        body = build(ledger, "submit", (submission,)) or b"".join(map(str.encode, others))
        if not all(code.encode() in body for code in others):
            raise Nonconformity(
                f"postings in the books of {', '.join(others)} are sent without that company: "
                "they would be posted in the voucher's own"
            )


def samples(
    ledger: Ledger, *, reference: str = "", widest: Collection[str] = ()
) -> Iterator[Submission]:
    """Yield sample submissions that hold all that the profile may be given."""
    longest = ledger.rules.capabilities.reference_length
    yield from sample_submissions(
        dimensions_to_try(ledger.setup.profile),
        reference=reference or "EXP-2026-0042"[:longest],
        widest=widest,
    )


def _exchanges(ledger: Ledger) -> Iterator[tuple[str, tuple[Submission, ...]]]:
    can = ledger.rules.capabilities
    given = list(samples(ledger))
    yield from (("submit", (one,)) for one in given)
    other = msgspec.structs.replace(given[1], reference=f"{given[1].reference[:-1]}X")
    if can.batch > 1:
        yield "submit", (given[0], other)
    if can.can_reverse:
        yield "reverse", (reversing(given[0]),)
    if can.can_query:
        yield "query", (given[0],)


def build(ledger: Ledger, verb: str, submissions: tuple[Submission, ...]) -> bytes | None:
    """Return the request's body; None where the profile refuses, as it may."""
    try:
        return ledger.writer.build(verb, submissions).body
    except SchemaViolation as error:
        for finding in error.findings:
            if not finding.claim_field:
                raise Nonconformity(
                    f"{verb}: the contract forbids it, and no claim field is named: {finding}"
                ) from error
        return None
    except ClaimBridgeError as error:
        if error.code == NOT_BUILT:
            raise Nonconformity(
                f"{verb} raises {error.__cause__!r}; a refusal is a ClaimError"
            ) from error
        return None
