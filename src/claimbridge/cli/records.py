"""What --json prints: records of entries, reasons, standings and submissions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from claimbridge.model import Finding, JournalEntry, Key, Reason, Standing, Submission


def standing_record(standing: Standing) -> dict[str, Any]:
    """Return where a claim stands, for JSON."""
    return {
        "claim": standing.claim_id,
        "revision": standing.revision,
        "state": standing.state,
        "reference": standing.reference,
        "journal_entry": plain_entry(standing.journal_entry),
        "reasons": plain_reasons(standing.reasons),
        "detail": standing.detail,
        "attempt": standing.attempt,
    }


def submission_record(submission: Submission) -> dict[str, Any]:
    """Return a submission, for JSON."""
    return {
        "claim": submission.key.claim_id,
        "revision": submission.key.revision,
        **part_record(submission.key),
        "purpose": submission.key.purpose,
        "state": submission.state,
        "reference": submission.reference,
        "journal_entry": plain_entry(submission.journal_entry),
        "attempt": submission.attempt,
        "reasons": plain_reasons(submission.reasons),
        "detail": submission.detail,
        "updated_at": submission.updated_at,
    }


def part_record(key: Key) -> dict[str, int]:
    """Return which document of a divided claim it is; nothing for one document."""
    return {"part": key.part} if key.part else {}


def plain_entry(entry: JournalEntry | None) -> str | None:
    """Return a journal entry for JSON, as ``number / company / year``; None stays null."""
    return str(entry) if entry is not None else None


def plain_reasons(reasons: Iterable[Reason]) -> list[str]:
    """Return the ERP's reasons for JSON, each as ``code: text``."""
    return [str(reason) for reason in reasons]


def finding_text(finding: Finding) -> str:
    """Return what is wrong, and where: in the claim where that is known."""
    return f"{finding.claim_field or finding.path}: {finding.text}"


def plain_findings(findings: Iterable[Finding]) -> list[dict[str, str]]:
    """Return the gate's findings for JSON."""
    return [msgspec.to_builtins(finding) for finding in findings]


__all__ = [
    "finding_text",
    "part_record",
    "plain_entry",
    "plain_findings",
    "plain_reasons",
    "standing_record",
    "submission_record",
]
