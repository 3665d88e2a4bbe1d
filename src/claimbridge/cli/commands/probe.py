"""The command ``probe``: the first posting in a test client, there and back, with consent."""

from __future__ import annotations

import datetime as dt
import math
import sys
from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import Parameter

from claimbridge.cli.book_names import warn_of_missing
from claimbridge.cli.exit_codes import (
    BUSINESS_NO,
    DONE,
    INTERRUPTED,
    NOT_DELIVERED,
    UNKNOWN,
    exit_code,
)
from claimbridge.cli.inputs import read_claim
from claimbridge.cli.options import Config, Json, NewJournal
from claimbridge.cli.output import NO, WARN, YES, complain, emit, paragraph, say
from claimbridge.cli.probe_words import BEING_REVERSED, command_again, other_command, show_intention
from claimbridge.cli.records import plain_entry, plain_reasons
from claimbridge.client import Client
from claimbridge.errors import (
    ClaimBridgeError,
    ConfigurationError,
    DeliveryError,
    JournalError,
    LedgerRejection,
    OutcomeUnknown,
)
from claimbridge.profiles import PROFILES
from claimbridge.submission import ProbeChoice, ProbeIntention, ProbeStep
from claimbridge.submission.probe import check_wait

_STEPS: Final = {
    "posted": "posted",
    "found": "found",
    "reversed": "reversed",
    "found_reversed": "found reversed",
}
"""The steps in their order, and what people call them."""
_UNPROVEN: Final = {"found": "not asked", "reversed": "not reversed", "found_reversed": "not asked"}
"""What they are called where the ERP shows nothing."""
_PAGES: Final = {"reference": "reference-contract"}
"""Pages that are not named as their profile."""


def probe(
    ledger: str,
    /,
    *,
    config: Config = Path("claimbridge.toml"),
    company: str = "",
    type: str = "",
    employee: str = "",
    cost_centre: str = "",
    department: str = "",
    like: Path | None = None,
    date: dt.date | None = None,
    without_reversal: Annotated[bool, Parameter(negative=())] = False,
    wait: float = 60.0,
    yes: Annotated[bool, Parameter(negative=())] = False,
    yes_in_production: Annotated[bool, Parameter(negative=())] = False,
    new_journal: NewJournal = False,
    json: Json = False,
) -> int:
    """Post one voucher of 0.01 in a test client, find it, reverse it, find it reversed.

    It shows what it will send, and asks first. A probe that was interrupted, or whose answer was
    lost, goes on when you run it again: it posts no second voucher.

    Parameters
    ----------
    ledger
        The ledger's name in the configuration.
    company
        The company to post in; may be left out when the chart has one only.
    type
        The type of expense of its one line; may be left out when the chart has one only.
    employee
        An employee whom the ERP knows, by code.
    cost_centre
        The cost centre of its line; when left out, as the chart says.
    department
        The department of the claim, where rows of the chart ask for one.
    like
        A claim in JSON: its company, employee, codes and first line are taken, not its amounts.
    date
        The posting date of the voucher and its reversal; when left out, today.
    without_reversal
        Leave the voucher in the books for good; a profile that cannot reverse needs this.
    wait
        Seconds that the ERP may take to show what it accepted.
    yes
        Do not ask; needed where stdin is no terminal.
    yes_in_production
        Probe a ledger that is marked production = true.

    """
    choice = ProbeChoice(
        company=company,
        type=type,
        employee=employee,
        cost_centre=cost_centre,
        department=department,
        like=read_claim(like) if like is not None else None,
        posting_date=date,
    )
    check_wait(wait)
    again = command_again(
        ledger,
        {
            "config": config,
            "company": company,
            "type": type,
            "employee": employee,
            "cost_centre": cost_centre,
            "department": department,
            "like": like,
            "date": date,
            "without_reversal": without_reversal,
            "wait": wait,
            "yes_in_production": yes_in_production,
        },
    )
    with Client.from_config(config, ledger=ledger, new_journal=new_journal) as client:
        warn_of_missing(config, client)
        try:
            intention = client.intend_probe(
                choice, is_reversed=not without_reversal, in_production=yes_in_production
            )
        except JournalError as error:
            return _refuse(error, again)
        show_intention(intention, client, json=json)
        try:
            is_agreed = yes or _agreed()
        except KeyboardInterrupt:
            complain("interrupted; nothing was sent")
            return INTERRUPTED
        if not is_agreed:
            complain("nothing was sent")
            return BUSINESS_NO
        return _Run(intention, client, config, again, json=json).carry(wait)


def _refuse(error: JournalError, again: str) -> int:
    """Say why nothing may be sent through this journal, and what would say that it is new."""
    complain(str(error))
    if error.code == "CB-236":
        complain(f"Only if nothing was ever sent to this ledger: `{again} --new-journal`")
    return exit_code(error)


def _agreed() -> bool:
    """Ask on stderr; whatever is not yes is no. Raises ConfigurationError where nobody is there."""
    if sys.stdin is None or not sys.stdin.isatty():
        raise ConfigurationError(
            "a probe posts, and nobody is here to agree: stdin is no terminal; nothing was sent. "
            "If you agree, say --yes",
            code="CB-278",
        )
    sys.stderr.write("Post it? Type yes: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() == "yes"


class _Run:
    """One probe, told step by step."""

    def __init__(
        self, intention: ProbeIntention, client: Client, config: Path, again: str, *, json: bool
    ) -> None:
        self._intention = intention
        self._client = client
        self._config = config
        self._again = again
        self._json = json
        self._done: list[ProbeStep] = []

    def carry(self, wait: float) -> int:
        """Do it, and return the exit code."""
        try:
            for step in self._client.probe(self._intention, wait=wait):
                self._done.append(step)
                self._show(step)
        except ClaimBridgeError as error:
            return self._fail(error)
        except KeyboardInterrupt:
            complain(
                f"interrupted; {self._claim_id} may be in the books: run `{self._again}` again, "
                "which goes on with it"
            )
            return INTERRUPTED
        if not self._json:
            self._conclude()
        return DONE

    def _show(self, step: ProbeStep) -> None:
        if self._json:
            emit(self._record(step.name, step.text, step))
        else:
            if step.is_proven:
                say(YES, f" {_STEPS[step.name]}")
            else:
                say(WARN, f" {_UNPROVEN[step.name]}")
            paragraph(step.text, indent=4)

    def _record(self, name: str, text: str, step: ProbeStep | None, **error: Any) -> dict[str, Any]:
        return {
            "step": name,
            "is_proven": step is not None and step.is_proven,
            "claim": self._claim_id,
            "reference": step.reference if step is not None else None,
            "journal_entry": plain_entry(step.journal_entry) if step is not None else None,
            "text": text,
            "code": None,
            "reasons": [],
            **error,
        }

    def _fail(self, error: ClaimBridgeError) -> int:
        code = exit_code(error)
        if self._done and code == NOT_DELIVERED:
            code = UNKNOWN  # what was posted is there, whatever became of the question
        advice = self._advice(code, error)
        failed = self._next_step()
        if self._json:
            reasons = plain_reasons(error.reasons) if isinstance(error, LedgerRejection) else []
            text = f"{error.message}; {advice}"
            claim = error.claim_id or self._claim_id
            record = self._record(failed, text, None, code=error.code, reasons=reasons)
            emit(record | {"claim": claim})
        else:
            if code == UNKNOWN:
                say(WARN, f" {_STEPS[failed]}: not known")
            else:
                say(NO, f" not {_STEPS[failed]}")
            paragraph(str(error), indent=4)
            paragraph(advice, indent=4)
        return code

    def _next_step(self) -> str:
        """Return the step that was under way; of one that is being reversed, finding is over."""
        names = list(_STEPS)
        if not self._done:
            return names[0]
        last = self._done[-1].name
        if last == "posted" and self._intention.document.state in BEING_REVERSED:
            last = "found"
        return names[names.index(last) + 1]

    def _advice(self, code: int, error: ClaimBridgeError) -> str:
        again = self._again
        if code == UNKNOWN:
            wait = error.retry_after if isinstance(error, OutcomeUnknown) else None
            soon = f" in {math.ceil(wait)} s" if wait else ""
            first = {
                "CB-421": f"{self._settle(error)}; then ",
                "CB-431": f"{self._settle(error)}; then ",
                "CB-427": "settle it so; then ",
            }.get(error.code, "")
            then = "it goes on with this voucher, and posts no other"
            return f"{first}run `{again}` again{soon}: {then}"
        if code == NOT_DELIVERED:
            doctor = other_command("doctor --ask", self._config)
            return f"nothing was posted; `{doctor}` looks why, then `{again}` again"
        if error.code == "CB-458":
            return f"nothing was posted; run `{again}` again"
        profile = self._client.ledger.setup.config.profile
        page = _PAGES.get(profile, profile)
        where = f' as "First day" in docs/{page}.md says' if profile in PROFILES else ""
        stays = f"the voucher stays in the books as {self._entry()}; " if self._done else ""
        return f"{stays}fix what is refused{where}, then run `{again}` again"

    def _entry(self) -> str:
        entries = [step.journal_entry for step in self._done if step.journal_entry is not None]
        return str(entries[-1]) if entries else self._intention.document.reference

    @property
    def _claim_id(self) -> str:
        """The probe's claim; another than was intended, where the ERP had that one."""
        return self._done[-1].claim_id if self._done else self._intention.document.key.claim_id

    def _settle(self, error: ClaimBridgeError) -> str:
        document = self._intention.document
        reference = error.reference if isinstance(error, DeliveryError) else None
        claim, ledger = error.claim_id or self._claim_id, self._client.ledger.name
        words = f"journal settle {claim} --revision 1 --ledger {ledger}"
        command = other_command(words, self._config)
        return (
            f"look for {reference or document.reference} in the ERP, and record what you find: "
            f"`{command} --posted NUMBER` or `{command} --not-posted`"
        )

    def _conclude(self) -> None:
        proven = [step.name for step in self._done if step.is_proven]
        if proven == list(_STEPS):
            say("The whole way works: what was posted was found, and taken back.")
        elif len(proven) == len(self._done):
            say("Done: it is taken back; whether it is found was not asked again.")
        else:
            say("Done; what is marked ! is for you to look at.")


__all__ = ["probe"]
