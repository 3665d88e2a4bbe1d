from __future__ import annotations

import subprocess
import sys

MANY_AT_ONCE = """
import threading
from claimbridge.contract import Bundle, Contract
from claimbridge.errors import ClaimBridgeError

failures = []

def load() -> None:
    barrier.wait()
    try:
        contract = Contract.load(Bundle.from_package("voucher-service.wsdl"))
        contract.check(b"<nothing/>")
    except ClaimBridgeError as error:
        failures.append(str(error))

barrier = threading.Barrier(8)
threads = [threading.Thread(target=load) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
raise SystemExit(failures[0] if failures else 0)
"""


def test_threads_may_be_the_first_to_use_a_contract() -> None:
    """Threads that compile the first schemas of a process at once all get whole ones."""
    for _ in range(6):
        ended = subprocess.run([sys.executable, "-c", MANY_AT_ONCE], capture_output=True, text=True)
        assert ended.returncode == 0, ended.stderr
