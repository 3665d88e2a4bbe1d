"""How long the road of one ``submit`` is: files, calls, and changes of file.

    python -m tests.benchmarks.road [--fake]

One claim (``examples/claims/travel-cn.json``) goes through the public ``Client`` with the reference
profile, a signature and an SQLite journal to a sandbox in another process, whose code does not
count. It is the second claim: what the first one imports and loads does not count either.
``--fake`` takes ``FakeLedger`` instead: no signature, no journal file, no network.

call            A function of a file below ``src/claimbridge`` starts, on any thread. A generator
                counts when it is first advanced, and not when it goes on. Comprehensions and
                generator expressions are part of the function that they stand in.
change of file  A call by a function of another file, directly or through a library.
pair of files   The two files of a change: however often, each pair counts once.

All are the same at every run, but for three calls more where the reply arrives in two pieces.
"""

from __future__ import annotations

import argparse
import dis
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import NamedTuple

import msgspec
from tests.benchmarks.end_to_end import ledger_config, make_claims, running_erp

import claimbridge
from claimbridge import Client
from claimbridge.signing.keys import throwaway
from claimbridge.testing import FakeLedger

PACKAGE = Path(claimbridge.__file__).parent
PARTS_OF_FUNCTIONS = {"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"}


class Call(NamedTuple):
    """One function that started; ``caller`` is the file that called it, "" for none of ours."""

    caller: str
    file: str
    function: str


class Recorder:
    """Keeps the calls that are made while it is ``on``."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.on = False

    def hear(self, frame: FrameType, event: str, _: object) -> None:
        """Take what the interpreter says of a thread: ``sys.setprofile`` calls it."""
        code, file = frame.f_code, file_of(frame)
        starts = event == "call" and code.co_name not in PARTS_OF_FUNCTIONS
        if self.on and file and starts and frame.f_lasti <= start_of(code):
            self.calls.append(Call(caller_of(frame), file, code.co_qualname))


def file_of(frame: FrameType) -> str:
    """Return the place in the package of the file that runs; "" for none of it."""
    return place_of(frame.f_code.co_filename)


@cache
def place_of(path: str) -> str:
    """Return a file's place in the package; "" where it is not in it."""
    return str(Path(path).relative_to(PACKAGE)) if Path(path).is_relative_to(PACKAGE) else ""


@cache
def start_of(code: CodeType) -> int:
    """Return where a function starts: a generator that goes on does so further down."""
    return next(one.offset for one in dis.get_instructions(code) if one.opname == "RESUME")


def caller_of(frame: FrameType) -> str:
    """Return the file of the nearest function of ours that called; "" for none."""
    while frame.f_back is not None:
        frame = frame.f_back
        if file_of(frame):
            return file_of(frame)
    return ""


def road_of(opened: Callable[[], Client]) -> list[Call]:
    """Return the calls of the second of two claims, on all threads that the client has begun."""
    recorder = Recorder()
    threading.setprofile(recorder.hear)
    sys.setprofile(recorder.hear)
    try:
        with opened() as client:
            warm, measured = make_claims("ROAD", 2)
            client.submit(warm)
            recorder.on = True
            client.submit(measured)
            recorder.on = False
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return recorder.calls


def road_to_sandbox() -> list[Call]:
    """Return the calls of a signed claim that goes to a sandbox in another process."""
    identity = throwaway.make()
    with running_erp(identity.trust) as endpoint, tempfile.TemporaryDirectory() as folder:
        Path(folder, "key.pem").write_bytes(identity.pem())
        unsigned = ledger_config(endpoint, Path(folder, "road.db"))
        config = msgspec.structs.replace(unsigned, identity=f"file:{folder}/key.pem")
        return road_of(lambda: Client(config))


def show(calls: list[Call]) -> None:
    """Print the figures, the files and pairs of files with most, and the path."""
    changes = [call for call in calls if call.caller not in ("", call.file)]
    first = {call.file: call for call in reversed(calls)}
    entries = [first[file] for file in dict.fromkeys(call.file for call in calls)]
    pairs = Counter((call.caller, call.file) for call in changes)
    print(f"files            {len(entries):6}\ncalls            {len(calls):6}")
    print(f"changes of file  {len(changes):6}\npairs of files   {len(pairs):6}")
    print("\ncalls    the ten files with most")
    for file, count in Counter(call.file for call in calls).most_common(10):
        print(f"{count:7}  {file}")
    print("\nchanges  the twenty pairs with most")
    for (caller, file), count in pairs.most_common(20):
        print(f"{count:7}  {caller} → {file}")
    print("\nthe path: each file as it is first entered")
    for number, call in enumerate(entries, 1):
        print(f"{number:7}  {call.file} {call.function} (from {call.caller or 'outside'})")


def main() -> None:
    """Record a claim's road and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fake", action="store_true", help="to the ERP of claimbridge.testing")
    given = parser.parse_args()
    show(road_of(FakeLedger) if given.fake else road_to_sandbox())


if __name__ == "__main__":
    main()
