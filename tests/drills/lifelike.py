"""Read what every played ERP answers, tidily written and as real systems write, and compare.

    python -m tests.drills.lifelike [--seeds N] [--profile NAME]

The same calls are made of a tidy sandbox and of lifelike ones: claims posted, refused, repeated,
asked for after a lost answer, corrected and reversed, alone and in batches, and the ERP's own
refusals for locks and licences. Each reply of the lifelike sandboxes is read and compared with the
tidy sandbox's reply to the same call. The command exits 1 when a certain outcome differs.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import itertools
import os
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec
from tests.testing.record import OPTIONS
from tests.withstand.scene import chart, claim, late

from claimbridge.client import Client
from claimbridge.clock import SYSTEM
from claimbridge.config import AuthConfig, LedgerConfig, Timeouts
from claimbridge.errors import ClaimBridgeError
from claimbridge.journal import MemoryJournal
from claimbridge.ledger import Ledger
from claimbridge.model import Claim, Outcome, OutcomeKind
from claimbridge.profiles import load_profile
from claimbridge.sandbox import PROFILES, Sandbox
from claimbridge.soap.http import accept
from claimbridge.soap.transport import HttpAnswer, HttpMessage
from claimbridge.submission.steps.driver import Deadline

AUTH: Final = {
    "kingdee-eas": AuthConfig(kind="eas-login", user="user", password="env:EAS_PASSWORD")
}
_DAY: Final = dt.date(2026, 4, 30)
_UNSURE: Final = frozenset({OutcomeKind.UNKNOWN, OutcomeKind.UNDER_WAY})
Said = tuple[tuple[object, ...], ...]
"""What one reply says, of each document: its kind, its number, and how many reasons it has."""


class Watched(Client):
    """A client that keeps what each answer says, as the profile reads it."""

    said: list[Said]

    def _post(self, message: HttpMessage, deadline: Deadline) -> HttpAnswer:
        answer = super()._post(message, deadline)
        try:
            body = accept(answer, now=SYSTEM.now()).body
        except ClaimBridgeError as error:
            self.said.append(((error.code,),))
        else:
            self.said.append(tuple(map(_told, self.ledger.read_bytes(body))))
        return answer


class Counts(msgspec.Struct):
    """How one profile's lifelike replies were read."""

    tidy: int = 0
    lifelike: int = 0
    equal: int = 0
    unsure: int = 0
    """Read as unknown, where the tidy reply says something certain."""
    wrong: int = 0
    """Read as something certain that the tidy reply does not say."""
    notes: list[str] = msgspec.field(default_factory=list)


def _told(outcome: Outcome) -> tuple[object, ...]:
    entry = outcome.journal_entry
    return outcome.kind, outcome.reference, str(entry or ""), bool(outcome.reasons), outcome.totals


def compare(profile: str, seeds: Sequence[int]) -> Counts:
    """Play the calls of one profile, and compare every seed's replies with the tidy ones."""
    counts = Counts()
    tidy = played(profile, lifelike=False, seed=0)
    counts.tidy = sum(map(len, tidy.values()))
    for seed in seeds:
        for scene, said in played(profile, lifelike=True, seed=seed).items():
            compare_scene(counts, said, tidy[scene], f"{scene}, seed {seed}")
    return counts


def compare_scene(counts: Counts, said: Sequence[Said], tidy: Sequence[Said], where: str) -> None:
    """Compare up to the first difference: from there on other calls are made."""
    counts.lifelike += len(said)
    for mine, was in itertools.zip_longest(said, tidy):
        if mine != was:
            _count(counts, mine, was, where)
            return
        counts.equal += 1


def _count(counts: Counts, mine: Said | None, was: Said | None, where: str) -> None:
    certain = mine is not None and any(one[0] not in _UNSURE for one in mine)
    counts.wrong += certain
    counts.unsure += not certain
    counts.notes.append(f"{where}: {mine} instead of {was}")


def played(profile: str, *, lifelike: bool, seed: int) -> dict[str, list[Said]]:
    """Return what the replies of every scene say."""
    found: dict[str, list[Said]] = {}
    with Sandbox(profiles=[profile], lifelike=lifelike, seed=seed) as erp:
        with _client(profile, erp) as client:
            for name, run in _scenes(erp, client):
                client.said = []
                erp.set_faults("")
                with contextlib.suppress(ClaimBridgeError):
                    run()
                found[name] = client.said
        with _client(profile, erp) as other:  # whose journal knows nothing
            other.said = found["again"] = []
            with contextlib.suppress(ClaimBridgeError):
                other.submit(claim("L1"))
    return found


def _client(profile: str, erp: Sandbox) -> Watched:
    endpoint = erp.url(profile)
    options = OPTIONS.get(profile, {})
    config = LedgerConfig(
        name="CN01",
        profile=profile,
        endpoint=endpoint,
        endpoints={"login": f"{endpoint}/EASLogin"} if profile == "kingdee-eas" else {},
        options=options,
        auth=AUTH.get(profile),
        timeouts=Timeouts(connect=0.5, total=1),
        quiet_period=1.1,
        backoff=0.01,
        retries=1,
    )
    ledger = Ledger(config, profile=load_profile(profile, options), chart=chart())
    made = Watched(config, ledger=ledger, journal=MemoryJournal())
    made.said = []
    return made


def _scenes(erp: Sandbox, client: Watched) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield every scene by name; they follow each other in one ledger."""

    def struck(faults: str, mine: Claim) -> Callable[[], object]:
        def run() -> object:
            erp.set_faults(faults)
            return client.submit(mine)

        return run

    def posted() -> object:
        return client.submit(claim("L1"))

    def batch() -> object:
        claims = [claim("L2"), late(claim("L3")), claim("L4")]
        return list(client.submit_many(claims, batch=3, concurrency=1))

    yield "posted", posted
    yield "refused", lambda: client.submit(late(claim("L5")))
    yield "batch", batch
    yield "lost", struck("commit-then-drop@1", claim("L6"))
    for name in ("fault", "lock", "licence", "throttle=typed"):
        yield name, struck(f"{name}@1", claim(f"L-{name[:4]}"))
    yield "status", lambda: client.status("L1")
    yield "corrected", lambda: client.submit(claim("L1", revision=2, taxi="31.00"))
    yield "reversed", lambda: client.reverse("L2", posting_date=_DAY)


def report(counted: dict[str, Counts]) -> None:
    """Print one row a profile, and what differed."""
    print(f"{'profile':<20}{'tidy':>8}{'lifelike':>10}{'equal':>8}{'unknown':>9}{'wrong':>7}")
    for profile, one in counted.items():
        print(
            f"{profile:<20}{one.tidy:>8}{one.lifelike:>10}{one.equal:>8}{one.unsure:>9}{one.wrong:>7}"
        )
    for profile, one in counted.items():
        for note, times in Counter(one.notes).most_common(5):
            print(f"{profile}: {times} x {note}")


def main() -> int:
    """Compare and print; return 1 when a certain outcome differs."""
    os.environ.setdefault("EAS_PASSWORD", "right")
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--profile", action="append", choices=list(PROFILES))
    options = parser.parse_args()
    counted = {
        profile: compare(profile, range(1, options.seeds + 1))
        for profile in options.profile or PROFILES
    }
    report(counted)
    return 1 if any(one.wrong for one in counted.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
