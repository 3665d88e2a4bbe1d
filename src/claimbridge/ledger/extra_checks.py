"""Added and left out fields held against the contract, when a ledger is opened.

The profile builds its samples, and the gate judges them as they would be sent. What the contract
forbids in them anyway is not told here: only what comes from ``extra`` and ``omit``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from claimbridge.errors import ConfigurationError, ContractError
from claimbridge.findings import Finding
from claimbridge.ledger.setup import Setup
from claimbridge.ledger.writing import Writer
from claimbridge.model import Posting, Submission
from claimbridge.profiles.extra.entries import Entry
from claimbridge.profiles.extra.extras import Applied, Extras
from claimbridge.profiles.extra.outline import Missing, find
from claimbridge.profiles.extra.paths import is_within, steps_of, without_counts
from claimbridge.profiles.extra.trials import Trial, changed_postings, trials
from claimbridge.profiles.request import Request

_OF_FORM: Final = frozenset(
    {"unexpected", "missing", "maxOccurs", "abstract", "nillable", "xsi:type", "empty", "text"}
)
"""Findings that do not depend on a sample's values."""
_MOST: Final = 3
"""Samples of one operation that an entry is tried on: what is said of one holds for the next."""
_LOCK: Final = (
    "lock the contract of your own ERP (claimbridge contract lock) and name it in contract, or "
    "write the path in the contract's names"
)
_FILLED: Final = ("cost_centre", "project", "partner", "tax_code", "narration")
Place = tuple[str, str]


def check_extras(setup: Setup, writer: Writer) -> None:
    """Raise ConfigurationError CB-248 for a field that the contract does not have, or not so."""
    if setup.extras:
        reduced = setup.has_reduced_contract
        _Check(setup.extras, writer, trials(setup.profile), reduced=reduced).run()


class _Check:
    """One check of one ledger's fields."""

    def __init__(
        self, extras: Extras, writer: Writer, made: Iterable[Trial], *, reduced: bool
    ) -> None:
        self._extras = extras
        self._reduced = reduced
        self._writer = writer
        self._made = list(self._known(made))
        self._dimensions = dict.fromkeys(sorted(extras.dimensions), "D1")

    def run(self) -> None:
        for path in self._extras.omit:
            self._find(f"omit {path}", path)
        for entry in self._extras.entries:
            self._find(entry.title, entry.extra.at)
        before = [self._judge(trial.request) for trial in self._made]
        without = [self._applied(trial, ()) for trial in self._made]
        for trial, usual, applied in zip(self._made, before, without, strict=True):
            self._check_omitted(trial, usual, applied)
        for number, entry in enumerate(self._extras.entries):
            others = self._extras.entries[:number] + self._extras.entries[number + 1 :]
            self._check_entry((entry, *others), before)

    def _known(self, made: Iterable[Trial]) -> Iterator[Trial]:
        """Yield the requests of operations that the contract offers; raises if it offers none."""
        error: ContractError | None = None
        known = 0
        for trial in made:
            try:
                self._writer.opens(trial.request)
            except ContractError as refused:
                error = error or refused
                continue
            known += 1
            yield trial
        if error is not None and not known:
            raise error

    def _find(self, title: str, path: str) -> None:
        """Refuse a path that no operation of the contract has."""
        steps = steps_of(path, what="")
        missing: Missing | None = None
        for trial in self._made:
            root, types = self._writer.opens(trial.request)
            place = find(root, steps, trial.target.body, types)
            if not isinstance(place, Missing):
                return
            missing = missing or place
        if missing is not None and self._reduced:
            raise self._wrong(title, f"claimbridge's own reduced contract {missing.words}; {_LOCK}")
        raise self._wrong(title, f"{missing}; write the path in the contract's names")

    def _check_omitted(self, trial: Trial, usual: set[Place], applied: Applied) -> None:
        for finding in self._new(applied, usual):
            wanted = without_counts(finding.path)
            path = next((one for one in self._extras.omit if is_within(wanted, one)), None)
            title = f"omit {path}" if path else "omit"
            why = f"the contract wants it in {trial.request.operation}: {finding.text}"
            raise self._wrong(title, f"{why}; take it out of omit")

    def _check_entry(self, entries: Sequence[Entry], before: Sequence[set[Place]]) -> None:
        """Refuse an entry that no document has a place for, or that the contract forbids there."""
        title, tried = entries[0].title, Counter[str]()
        for trial, usual in zip(self._made, before, strict=True):
            if tried[trial.request.operation] >= _MOST:
                continue
            if 0 not in self._applied(trial, entries[:1]).used:
                continue
            tried[trial.request.operation] += 1
            for finding in self._own(trial, entries, usual):
                why = f"the contract forbids it: {finding.path}: {finding.text}"
                raise self._wrong(title, f"{why}; fix at or value")
        if not tried:
            raise self._wrong(
                title,
                "no document has a place for it: no posting of these roles has such an element "
                "with this profile; fix at, role or purpose",
            )

    def _own(self, trial: Trial, entries: Sequence[Entry], usual: set[Place]) -> Iterator[Finding]:
        """Yield what the first entry is to blame for, alone and beside the others.

        Alone it may lack what another entry adds; beside them it may repeat what filters part.
        """
        alone = self._new(self._applied(trial, entries[:1]), usual)
        beside = self._new(self._applied(trial, entries), usual) if alone else []
        places = {_place(each) for each in beside}
        yield from (each for each in alone if _place(each) in places)

    def _applied(self, trial: Trial, entries: Sequence[Entry]) -> Applied:
        given = tuple(self._full(one) for one in trial.submissions)
        opens = self._writer.opens
        return self._extras.applied(
            entries, trial.request, trial.submissions, given, opens, trial=True
        )

    def _full(self, submission: Submission) -> Submission:
        """Return the submission with every field of its postings filled."""
        company = submission.voucher.company

        def filled(posting: Posting) -> Posting:
            empty = {name: "X1" for name in _FILLED if not getattr(posting, name)}
            return msgspec.structs.replace(
                posting,
                **empty,
                tax_base=posting.tax_base or Decimal(1),
                dimensions=self._dimensions,
                company=posting.company or company,
                source=posting.source or "total",
            )

        return changed_postings(submission, filled)

    def _new(self, applied: Applied, usual: set[Place]) -> list[Finding]:
        """Return what the gate finds that it does not find in the request as it usually is.

        A value of a sample proves nothing: the claim's own may be right.
        """
        _, findings = self._writer.body(applied.request)
        return [
            each
            for each in findings
            if _place(each) not in usual and (not each.claim_field or each.rule in _OF_FORM)
        ]

    def _judge(self, request: Request) -> set[Place]:
        return {_place(each) for each in self._writer.body(request)[1]}

    def _wrong(self, title: str, why: str) -> ConfigurationError:
        return ConfigurationError(f"{self._extras.about}: {title}: {why}", code="CB-248")


def _place(finding: Finding) -> Place:
    return without_counts(finding.path), finding.rule


__all__ = ["check_extras"]
