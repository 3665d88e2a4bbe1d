"""Read what every played ERP answers, tidily written and as real systems write, and compare.

    python -m tests.drills.lifelike [--seeds N] [--profile NAME]

The same calls are made of a tidy sandbox and of lifelike ones: claims posted, refused, repeated,
asked for after a lost answer, corrected and reversed, alone and in batches, and the ERP's own
refusals for locks and licences. Each reply of the lifelike sandboxes is read and compared with the
tidy sandbox's reply to the same call. A reply may be read otherwise where the profile asks once
more; what counts is how each scene ends. The command exits 1 when a certain end differs.
"""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
import os
import sys
import time
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
from claimbridge.errors import ClaimBridgeError, OutcomeUnknown
from claimbridge.journal import MemoryJournal
from claimbridge.ledger import Ledger
from claimbridge.model import Acknowledgement, Claim, Outcome, Standing
from claimbridge.profiles import load_profile
from claimbridge.results import Result
from claimbridge.sandbox import PROFILES, Sandbox
from claimbridge.soap.http import accept
from claimbridge.soap.transport import HttpAnswer, HttpMessage
from claimbridge.submission.steps.driver import Deadline

AUTH: Final = {
    "kingdee-eas": AuthConfig(kind="eas-login", user="user", password="env:EAS_PASSWORD")
}
_DAY: Final = dt.date(2026, 4, 30)
_DOUBT: Final = frozenset({"OutcomeUnknown", "LedgerUnavailable"})
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


class Played(msgspec.Struct):
    """One scene: what each reply said, and how it ended for the caller, claim by claim."""

    said: list[Said]
    ends: tuple[tuple[str, str], ...] = ()


class Counts(msgspec.Struct):
    """How one profile's lifelike replies were read."""

    tidy: int = 0
    lifelike: int = 0
    alike: int = 0
    otherwise: int = 0
    """Read otherwise than the tidy reply to the same call, or calls that were not made then."""
    ends: int = 0
    unsure: int = 0
    """Claims that ended in doubt, where the tidy ones did not."""
    wrong: int = 0
    """Claims that ended with another certain outcome."""
    notes: list[str] = msgspec.field(default_factory=list)


def _told(outcome: Outcome) -> tuple[object, ...]:
    entry = outcome.journal_entry
    return outcome.kind, outcome.reference, str(entry or ""), bool(outcome.reasons), outcome.totals


def compare(profile: str, seeds: Sequence[int]) -> Counts:
    """Play the calls of one profile, and compare every seed's replies with the tidy ones."""
    counts = Counts()
    tidy = played(profile, lifelike=False, seed=0)
    counts.tidy = sum(len(scene.said) for scene in tidy.values())
    for seed in seeds:
        for name, scene in played(profile, lifelike=True, seed=seed).items():
            compare_scene(counts, scene, tidy[name], f"{name}, seed {seed}")
    return counts


def compare_scene(counts: Counts, scene: Played, tidy: Played, where: str) -> None:
    """Compare the replies up to the first difference (from there on other calls are made)."""
    pairs = itertools.zip_longest(scene.said, tidy.said)
    alike = len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)))
    counts.lifelike += len(scene.said)
    counts.alike += alike
    counts.otherwise += len(scene.said) - alike
    counts.ends += len(scene.ends)
    for end, was in itertools.zip_longest(scene.ends, tidy.ends, fillvalue=("", "")):
        if end != was:
            counts.unsure += end[0] in _DOUBT
            counts.wrong += end[0] not in _DOUBT
            counts.notes.append(f"{where}: {end} instead of {was}")


def played(profile: str, *, lifelike: bool, seed: int) -> dict[str, Played]:
    """Return what became of every scene."""
    found: dict[str, Played] = {}
    with Sandbox(profiles=[profile], lifelike=lifelike, seed=seed) as erp:
        with _client(profile, erp) as client:
            for name, run in _scenes(erp, client):
                erp.set_faults("")
                found[name] = _play(client, run)
        with _client(profile, erp) as other:  # whose journal knows nothing
            found["again"] = _play(other, lambda: other.submit(claim("L1")))
    return found


def _play(client: Watched, run: Callable[[], object]) -> Played:
    client.said = []
    try:
        end = run()
    except ClaimBridgeError as error:
        end = error
    ends = end if isinstance(end, list) else [end]
    return Played(client.said, tuple(map(_end, ends)))


def _end(end: object) -> tuple[str, str]:
    """Return how a call ended: its state and number, or the class and the code of its error."""
    error = end.error if isinstance(end, Result) else end
    if isinstance(error, ClaimBridgeError):
        return type(error).__name__, error.code
    held = end.acknowledgement if isinstance(end, Result) else end
    assert isinstance(held, Acknowledgement | Standing)
    return held.state.value, str(held.journal_entry or "")


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
            try:
                return client.submit(mine)
            except OutcomeUnknown as error:
                if error.retry_after is None:
                    raise
                time.sleep(error.retry_after + 0.02)  # a refusal that says no place is asked about
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
    """Print one row a profile, and what ended otherwise."""
    names = ("tidy", "lifelike", "alike", "otherwise", "ends", "unsure", "wrong")
    print(f"{'replies and ends':<20}" + "".join(f"{name:>10}" for name in names))
    for profile, one in counted.items():
        print(f"{profile:<20}" + "".join(f"{getattr(one, name):>10}" for name in names))
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
