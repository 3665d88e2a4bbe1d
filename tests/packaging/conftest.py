"""Artefacts built once per run, and clean environments to install them into."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import msgspec
import pytest

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("src", "wsdl", "xsd", "examples", "tests", "docs", "setup.cfg", "pyproject.toml",
         "MANIFEST.in", "README.md", "CHANGELOG.md", "SECURITY.md", "LICENSE")  # fmt: skip
LEFT_BEHIND = shutil.ignore_patterns("__pycache__", "*.egg-info", "*.pyc", "_build")


class Built(msgspec.Struct, frozen=True):
    """The artefacts, what building them said, and every wheel that they need."""

    checkout: Path
    wheel: Path
    sdist: Path
    log: str
    wheelhouse: Path


class Environment:
    """A virtual environment that holds nothing yet; commands run from a folder of their own."""

    def __init__(self, folder: Path, wheelhouse: Path) -> None:
        self.folder = folder
        self._wheelhouse = wheelhouse
        venv.create(folder / "venv", symlinks=True)
        self.bin = folder / "venv/bin"
        self.elsewhere = folder / "elsewhere"
        self.elsewhere.mkdir()

    def install(self, *what: str | Path) -> None:
        """Install from the wheelhouse alone: nothing comes in by accident."""
        pip("--python", self.bin / "python", "install", "--quiet", "--no-index",
            "--find-links", self._wheelhouse, *what)  # fmt: skip

    def call(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment; return how it ended."""
        return subprocess.run(
            [str(self.bin / command[0]), *command[1:]],
            cwd=self.elsewhere,
            env={name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            capture_output=True,
            text=True,
            timeout=120,
        )

    def run(self, *command: str) -> str:
        """Run a program of the environment; return what it printed; fail unless it ends with 0."""
        done = self.call(*command)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def python(self, script: str) -> str:
        """Run a script from another folder; return what it printed, stripped."""
        return self.run("python", "-c", script).strip()


def pip(*arguments: str | Path) -> str:
    """Run pip; return its output."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *map(str, arguments)],
        capture_output=True,
        text=True,
    )
    if "Could not fetch URL" in done.stderr or "Failed to establish" in done.stderr:
        missing = "the package index cannot be reached from this machine"
        if os.environ.get("CLAIMBRIDGE_REQUIRE_PEERS") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Wheel and sdist of a clean copy of the checkout; workers of one run share them."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    folder = shared / "packaging"
    with (shared / "packaging.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "log").exists():
            shutil.rmtree(folder, ignore_errors=True)
            _build(folder)
    (wheel,) = (folder / "dist").glob("*.whl")
    (sdist,) = (folder / "dist").glob("*.tar.gz")
    return Built(
        checkout=folder / "checkout",
        wheel=wheel,
        sdist=sdist,
        log=(folder / "log").read_text(encoding="utf-8"),
        wheelhouse=folder / "wheelhouse",
    )


def _build(folder: Path) -> None:
    checkout, wheelhouse = folder / "checkout", folder / "wheelhouse"
    checkout.mkdir(parents=True)
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, checkout / part, ignore=LEFT_BEHIND)
        else:
            shutil.copy(ROOT / part, checkout / part)
    # What setup.cfg asks for, no more; setuptools is what pip builds sdist and checkout with.
    wheel = pip("wheel", "--no-deps", "-v", "-w", folder / "dist", checkout)
    (found,) = (folder / "dist").glob("*.whl")
    pip(
        "download", "--quiet", "-d", wheelhouse, f"{found}[async,cli,excel,rules]", "setuptools>=77"
    )
    done = subprocess.run(
        [sys.executable, "-m", "build", "--sdist", "--outdir", folder / "dist", checkout],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for stale in ("build", *(path.name for path in checkout.glob("src/*.egg-info"))):
        shutil.rmtree(checkout / stale, ignore_errors=True)
    (folder / "log").write_text(wheel + done.stdout + done.stderr, encoding="utf-8")
