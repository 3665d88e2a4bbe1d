"""``[source.NAME]``: what is configured, overridden, refused."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests.sources.claims import claim
from tests.sources.conftest import Inbox, plain

from claimbridge.cli import main
from claimbridge.config import load_config
from claimbridge.errors import ClaimBridgeError, ClaimError, ConfigurationError, KeyUnavailable
from claimbridge.sandbox import Sandbox
from claimbridge.sources.record import MemoryRecord, SqliteRecord
from claimbridge.sources.settings import (
    SourceConfig,
    journal_of,
    load_source,
    open_source,
    sources_in,
)

LEDGERS = """
[ledger.CN01]
endpoint = "https://erp.example/a"
journal = "sqlite:///claims.db"
[ledger.CN02]
endpoint = "https://erp.example/b"
journal = "sqlite:///claims.db"
[ledger.SG01]
endpoint = "https://erp.example/c"
journal = "sqlite:///other.db"
"""


class Own(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Keys of a kind of one's own."""

    path: str
    size: int = 1
    name: str = ""
    folder: str = ""


FOLDER = "[source.x]\nkind = 'folder'\nledger = 'CN01'\n"


def configured(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "claimbridge.toml"
    path.write_text(LEDGERS + text)
    return path


def test_a_source_beside_its_ledgers(tmp_path: Path) -> None:
    """Known keys are the intake's, all others the kind's own; ledgers are read as before."""
    path = configured(
        tmp_path, '[source.x-1]\nkind = "folder"\nledgers = { A = "CN01", B = "CN02" }\nsize = 2\n'
        'path = "in"\n[source.y]\nkind = "webhook"\nledger = "SG01"\n'
    )  # fmt: skip
    assert sources_in(path) == ("x-1", "y")
    assert load_config(path, ledger="CN01").name == "CN01"
    found = load_source(path, "x-1", environ={"CLAIMBRIDGE_SOURCE_X_1_SIZE": "7"})
    own = found.settings(Own)
    assert (own.path, own.size, own.name, own.folder) == ("in", 7, "x-1", str(tmp_path))
    assert found.path("in") == tmp_path / "in"
    assert found.ledger_of(claim(company="B")) == "CN02"
    with pytest.raises(ClaimError) as missing:
        found.ledger_of(claim(company="C"))
    assert (missing.value.code, missing.value.claim_id) == ("CB-532", "EXP-1")
    assert journal_of(path, found) == f"sqlite:///{tmp_path / 'claims.db'}"
    other = load_source(path, "y", environ={"CLAIMBRIDGE_SOURCE_Y_LEDGER": "CN01"})
    assert other.all_ledgers == ("CN01",)


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("[source.x]\nledger = 'CN01'", "CB-531", "kind"),
        ("[source.x]\nkind = 'folder'", "CB-531", "ledger"),
        ("[source.x]\nkind = 'folder'\nledger = 'CN01'\nledgers = { A = 'CN01' }", "CB-531", "one"),
        ("[source.x]\nkind = 'folder'\nledgers = { A = 'CN01', B = 'SG01' }", "CB-531", "share"),
        ("[source.x]\nkind = 'folder'\nledger = 'NONE'", "CB-252", "NONE"),
        ("[source.x]\nkind = 'folder'\nledger = 'CN01'", "CB-531", "path"),
        ("[source.x]\nkind = 'folder'\nledger = 'CN01'\npath = 'in'\nhue = 1", "CB-531", "hue"),
        ("[source.x]\nkind = 'folder'\nledger = 'CN01'\npath = 'in'\nsettle = -1", "CB-531", "set"),
        ("[source.x]\nkind = 'folder'\nledger = 'CN01'\npath = 'in'", "CB-535", "create it"),
        (f"{FOLDER}path = '.'\ndone = '.'", "CB-531", "three folders"),
        (f"{FOLDER}path = '.'\ndone = 'refused'", "CB-531", "three folders"),
        (FOLDER + 'path = "."\ndone = "a\\u0000b"', "CB-531", "NUL"),
        ("[source.x]\nkind = 'pigeon'\nledger = 'CN01'", "CB-534", "folder, hesi, webhook"),
        ("[source.x]\nkind = 'builtins:slice'\nledger = 'CN01'", "CB-534", "no source"),
        ("[source.x]\nkind = 'tests.sources.nothing:x'\nledger = 'CN01'", "CB-534", "Python path"),
        ("[source.x]\nkind = 'tests.sources.claims:INVOICE'\nledger = 'CN01'", "CB-534", "called"),
        ("[source]\nx = 3", "CB-531", "has no [source.x]; it has: none"),
        ("[sources.x]\nkind = 'folder'", "CB-251", "sources"),
        ("[source.x]\nkind = 'webhook'\nledger = 'CN01'", "CB-531", "secret"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tmp_path: Path, text: str, code: str, told: str) -> None:
    """A set-up that cannot work is refused before anything is read, by one of our errors."""
    path = configured(tmp_path, text)
    with pytest.raises(ConfigurationError) as refused:
        _opened(path)
    assert refused.value.code == code
    assert told in str(refused.value)


def test_a_home_that_nobody_has_is_told(tmp_path: Path) -> None:
    """By one of our errors, whatever the operating system knows of users."""
    config = SourceConfig(name="x", kind="folder", ledger="CN01", folder="")
    with pytest.raises(ConfigurationError, match="CB-531") as refused:
        config.path("~nobody-of-this-name/inbox")
    assert "home" in str(refused.value)


def _opened(path: Path) -> None:
    found = load_source(path, "x", environ={})
    journal_of(path, found)
    open_source(found, MemoryRecord())


def test_an_environment_variable_that_overrides_nothing_is_refused(tmp_path: Path) -> None:
    """A table is no single value, and a key that the kind has not is refused by the kind."""
    path = configured(tmp_path, "[source.x]\nkind = 'folder'\nledger = 'CN01'\npath = 'in'\n")
    with pytest.raises(ConfigurationError) as refused:
        load_source(path, "x", environ={"CLAIMBRIDGE_SOURCE_X_LEDGERS": "CN01"})
    assert refused.value.code == "CB-253"
    found = load_source(path, "x", environ={"CLAIMBRIDGE_SOURCE_X_COLOUR": "red"})
    with pytest.raises(ConfigurationError):
        found.settings(Own)


def test_secrets_are_references(tmp_path: Path) -> None:
    """A missing one is told by its name, a literal one is refused, and none is repeated."""
    config = SourceConfig(name="x", kind="webhook", ledger="CN01", folder=str(tmp_path))
    (tmp_path / "secret").write_text("hush\n")
    assert config.secret("file:secret", what="secret") == "hush"
    with pytest.raises(KeyUnavailable):
        config.secret("env:NOT_SET_ANYWHERE", what="secret")
    with pytest.raises(ClaimBridgeError) as refused:
        config.secret("hush", what="secret")
    assert "hush" not in str(refused.value)


def test_one_source_in_trouble_does_not_hold_up_the_others(inbox: Inbox, sandbox: Sandbox) -> None:
    """Each is told by its name; the exit code is the worst."""
    with inbox.config.open("a") as file:
        file.write('[source.broken]\nkind = "folder"\npath = "nowhere"\nledger = "CN01"\n')
    inbox.put("a.json", plain("A"))
    assert inbox.intake()["a.json"]["state"] == "accepted"
    assert inbox.code == 2
    inbox.put("b.json", plain("B"))
    record = SqliteRecord(inbox.path.parent / "claims.db")
    with record.turn("inbox"):
        assert inbox.intake() == {}
    record.close()
    inbox.command("intake", "--source", "inbox")
    assert inbox.code == 0
    assert len(sandbox.ledger()) == 2
    inbox.command("intake", "--source", "none")
    assert inbox.code == 2


def test_doctor_looks_at_sources(inbox: Inbox) -> None:
    """What the intake would stumble over is found before; what is parked is mentioned."""
    with inbox.config.open("a") as file:
        file.write('[source.broken]\nkind = "folder"\npath = "nowhere"\nledger = "CN01"\n')
    inbox.put("a.json", b"{")
    inbox.command("intake", "--source", "inbox")
    found = {one["ledger"]: one for one in inbox.command("doctor") if one["what"] == "source"}
    assert inbox.code == 2
    assert found["broken"]["verdict"] == "failure"
    assert found["broken"]["text"].startswith("CB-535")
    assert found["inbox"]["verdict"] == "warning"
    assert found["inbox"]["text"].startswith("folder, to CN01: 1 parked")


def test_a_configuration_without_sources_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not silence, which would look like an empty inbox."""
    path = configured(tmp_path, "")
    assert main(["intake", "--config", str(path)]) == 2
    assert "has no [source.NAME]" in capsys.readouterr().err
