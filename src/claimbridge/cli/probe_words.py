"""What ``probe`` shows before it asks, and the command that goes on with it."""

from __future__ import annotations

import datetime as dt
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from claimbridge.cli.output import emit, say
from claimbridge.client import Client
from claimbridge.model import Posting, State
from claimbridge.submission import ProbeIntention

BEING_REVERSED: Final = frozenset({State.REVERSING, State.REVERSED})
"""States of a voucher whose reversal is under way or done."""
_UNSAID: Final = {"config": Path("claimbridge.toml"), "wait": 60.0}
"""Options that nobody needs to say."""


def command_again(
    ledger: str, options: Mapping[str, str | Path | dt.date | float | bool | None]
) -> str:
    """Return the command of a probe as a shell takes it, with the options that were given.

    ``options`` are by the names of the command's parameters; "", None and False are left out.
    """
    words = ["claimbridge", "probe", ledger]
    for name, value in options.items():
        if value is None or value is False or value in ("", _UNSAID.get(name)):
            continue
        option = f"--{name.replace('_', '-')}"
        text = f"{value:g}" if isinstance(value, float) else str(value)
        if value is True:
            words.append(option)
        elif text.startswith("-") and text != "-":
            words.append(f"{option}={text}")
        else:
            words += [option, text]
    return shlex.join(words)


def other_command(words: str, config: object) -> str:
    """Return another command that reads the same configuration."""
    named = "" if config == _UNSAID["config"] else f" --config {shlex.quote(str(config))}"
    return f"claimbridge {words}{named}"


def show_intention(intention: ProbeIntention, client: Client, *, json: bool) -> None:
    """Show what a probe will send and what remains, or go on with; no more than the ERP can."""
    if json:
        emit(_intention_record(intention, client))
        return
    document, settings = intention.document, client.ledger.setup.config
    voucher, place = document.voucher, client.ledger.book_config.place
    amount = f"{voucher.postings[0].amount} {voucher.currency}"
    can_ask = client.ledger.rules.capabilities.can_query
    then = "and taken back by a reversal" if intention.is_reversed else "and left in the books"
    then = f"found, {then}" if can_ask else then
    if intention.claim is None:
        say(f"A probe of this ledger is not over: {document.reference} is {document.state}.")
        if document.state in BEING_REVERSED:
            say("Its reversal is under way or done, and is finished; nothing else is posted.")
        elif document.state is State.PARKED:
            say("No other voucher is posted. Whether this one was, somebody has to look first.")
        else:
            then = then.removeprefix("and ")
            say(f"It goes on with that one; no other voucher is posted. It is {then}.")
    else:
        say(f"One voucher of {amount} will be posted, {then}.")
    if not can_ask:
        say("This ERP cannot be asked, so you look for it there.")
    say()
    if client.ledger.is_production:
        _line("production", "true: people keep their accounts in this ledger")
    _line("ledger", f"{settings.name} (profile {settings.profile})")
    _line("endpoint", place.endpoint + (f" ({place.within})" if place.within else ""))
    _line("company", f"{voucher.company}, employee {voucher.employee}")
    for posting in voucher.postings:
        _line(posting.side, _posting(posting))
    _line("date", str(voucher.posting_date))
    _line("reference", document.reference)
    say()
    stay = "two documents: the voucher and its reversal" if intention.is_reversed else _ONE
    say(f"What remains in the books: {stay}.")


_ONE: Final = "this voucher, until somebody takes it out"


def _posting(posting: Posting) -> str:
    centre = f", cost centre {posting.cost_centre}" if posting.cost_centre else ""
    return f"{posting.account}  {posting.amount} {posting.currency}{centre}"


def _line(name: str, text: str) -> None:
    say(f"  {name:<10} {text}")


def _intention_record(intention: ProbeIntention, client: Client) -> dict[str, Any]:
    document = intention.document
    voucher = document.voucher
    return {
        "step": "intended",
        "ledger": client.ledger.name,
        "endpoint": client.ledger.book_config.place.endpoint,
        "claim": document.key.claim_id,
        "reference": document.reference,
        "goes_on": intention.claim is None,
        "is_reversed": intention.is_reversed,
        "is_production": client.ledger.is_production,
        "company": voucher.company,
        "employee": voucher.employee,
        "posting_date": voucher.posting_date,
        "postings": [
            {
                "account": one.account,
                "side": one.side,
                "amount": str(one.amount),
                "currency": one.currency,
                "cost_centre": one.cost_centre,
            }
            for one in voucher.postings
        ],
    }


__all__ = ["BEING_REVERSED", "command_again", "other_command", "show_intention"]
