"""A process that dies anywhere in a write-back leaves nothing undone and nothing done twice."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from tests.sources.hesi.stage import CASHIER, EBOT, Stage, stage

from claimbridge.sources.base.writeback import WriteBack, WriteBackState
from claimbridge.sources.record import SourceRecord, SqliteRecord

KILLS = 24
EACH = 40
ROOT = Path(__file__).parents[3]


def plan(hesi: Stage, record: SourceRecord) -> list[WriteBack]:
    """Put documents that wait for each kind into Hesi, and their write-backs into the record."""
    answers, made = hesi.answers(), []
    for number in range(EACH):
        voucher, approval, payment = f"V{number}", f"A{number}", f"P{number}"
        hesi.hesi.put(voucher, state="paid")
        hesi.hesi.put(approval, state="approving", nodes=[EBOT, CASHIER])
        hesi.hesi.put(payment, state="PROCESSING", nodes=[CASHIER])
        made += [
            answers.voucher(voucher, occasion="1", number=f"{number:06}"),
            answers.decision(approval, occasion="1", action="accept", comment="posted"),
            answers.payment(payment, occasion="1"),
        ]
    return [record.begin_write_back(one) for one in made]


def worker(path: Path, hesi: Stage) -> subprocess.Popen[str]:
    """Start a worker; return it once its work begins."""
    command = [sys.executable, "-m", "tests.sources.hesi.worker", str(path)]
    started = subprocess.Popen(
        [*command, hesi.sandbox.url("hesi")], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert started.stdout is not None
    assert started.stdout.readline() == "ready\n"
    return started


def test_killed_at_random_points(tmp_path: Path) -> None:
    """24 kills, with answers lost besides: every document shows one effect, every record done."""
    chance = random.Random(20261124)
    states: Counter[WriteBackState] = Counter()
    with stage(total=5) as hesi:
        record = SqliteRecord(tmp_path / "claims.db")
        made = plan(hesi, record)
        hesi.sandbox.set_faults("write_back:commit-then-drop%0.1,write_back:slow=0.02", seed=1)
        for _ in range(KILLS):
            running = worker(tmp_path / "claims.db", hesi)
            time.sleep(chance.uniform(0.0, 0.15))
            running.kill()
            assert running.wait() == -9, "it was at work when it was killed"
            assert running.stdout is not None
            running.stdout.close()
            states.update(one.state for one in record.open_write_backs("hesi"))
        assert states[WriteBackState.SENDING] > KILLS / 4, "kills struck in the middle of sending"
        last = worker(tmp_path / "claims.db", hesi)
        assert last.wait(timeout=60) == 0
        assert last.stdout is not None
        last.stdout.close()
        for one in made:
            (held,) = record.write_backs_of("hesi", one.key)
            assert (held.key, held.state) == (one.key, WriteBackState.DONE), held.reason
            assert len(hesi.hesi.effects(one.key)) == 1
        record.close()
