from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_public_api_has_the_types_that_it_promises() -> None:
    """mypy, strict, agrees with every line of ``api.py``, also that misuse is an error."""
    done = subprocess.run(
        [
            sys.executable, "-m", "mypy", "--strict", "--warn-unused-ignores",
            "--config-file", "setup.cfg", "--cache-dir", ".mypy_cache/api", "tests/typing/api.py",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
