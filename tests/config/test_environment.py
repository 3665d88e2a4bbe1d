"""Environment overrides: each does what its name says, or is refused by that name."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from claimbridge.config import load_config
from claimbridge.errors import ConfigurationError
from claimbridge.profiles import load_profile
from claimbridge.sources.hesi.api.settings import HesiSettings
from claimbridge.sources.settings import load_source

ONE = """
[ledger.CN]
endpoint = "https://erp.example/a"
"""
TWO = ONE + '[ledger."%s"]\nendpoint = "https://erp.example/b"\n'
HESI = ONE + '[source.x]\nkind = "hesi"\nledger = "CN"\napp_key = "env:K"\napp_secret = "env:S"\n'
MAIN = "from claimbridge.cli import main; raise SystemExit(main())"
SECRET = "hunter2-do-not-show"


def file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "claimbridge.toml"
    path.write_text(text)
    return path


def refused(path: Path, ledger: str, **environ: str) -> ConfigurationError:
    """Return the refusal of what the environment says."""
    with pytest.raises(ConfigurationError) as caught:
        load_config(path, ledger=ledger, environ=environ)
    return caught.value


def test_each_kind_of_value_is_read_as_what_its_key_is(tmp_path: Path) -> None:
    """Numbers, switches, choices, texts; in tables too."""
    config = load_config(
        file(tmp_path, ONE),
        environ={
            "CLAIMBRIDGE_CN_BATCH": "20",
            "CLAIMBRIDGE_CN_BACKOFF": "0.25",
            "CLAIMBRIDGE_CN_TIMEOUTS_TOTAL": "12.5",
            "CLAIMBRIDGE_CN_REPLIES_ADDRESSING": "True",
            "CLAIMBRIDGE_CN_REPLIES_MAX_AGE": "300",
            "CLAIMBRIDGE_CN_SOAP": "1.2",
            "CLAIMBRIDGE_CN_TIME_ZONE": "Asia/Shanghai",
            "CLAIMBRIDGE_SG_BATCH": "absurd, and another ledger's",
        },
    )
    assert (config.batch, config.backoff, config.timeouts.total) == (20, 0.25, 12.5)
    assert config.replies is not None
    assert (config.replies.addressing, config.replies.max_age) == (True, 300)
    assert (config.soap, config.time_zone) == ("1.2", "Asia/Shanghai")
    assert type(config.soap) is type(config.time_zone) is str


NO_VALUES = ["", " ", "null", "NULL", "\0", "a\0b", "\udcff"]


@pytest.mark.parametrize("text", NO_VALUES)
@pytest.mark.parametrize(
    "key", ["PROXY", "ENDPOINT", "BATCH", "REPLIES_MAX_AGE", "AUTH_PASSWORD", "OPTIONS_X"]
)
def test_what_says_nothing_or_is_no_text_is_refused(tmp_path: Path, key: str, text: str) -> None:
    """``null`` switched the age of replies off; a NUL and bytes were another library's errors."""
    variable = f"CLAIMBRIDGE_CN_{key}"
    error = refused(file(tmp_path, ONE), "CN", **{variable: text})
    assert (error.code, variable in str(error)) == ("CB-245", True)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        *(("BATCH", text) for text in ("1e3", "1.0", "0x10", " 5", "1_000", "٣", "x", "9" * 4000)),
        *(("BACKOFF", text) for text in ("inf", "-inf", "nan", "1e999", "1,5", "NaN", ".5")),
        *(("REPLIES_MAX_AGE", text) for text in ("inf", "nan", "none", "5m")),
        ("REPLIES_ADDRESSING", "yes please"),
        ("AUTH_DIGEST", "on"),
        ("SOAP", "1.3"),
        ("REPLIES_SUBJECTS", "erp.example"),
        ("REPLIES_CRLS", "a.crl"),
    ],
)
def test_what_is_not_what_its_key_is_is_refused(tmp_path: Path, key: str, text: str) -> None:
    """By the variable's name, without its value."""
    variable = f"CLAIMBRIDGE_CN_{key}"
    error = refused(file(tmp_path, ONE), "CN", **{variable: text})
    assert (error.code, variable in str(error)) == ("CB-245", True)


@pytest.mark.parametrize(
    "key",
    [
        "COLOUR", "NAME", "", "REPLIES", "TIMEOUTS", "OPTIONS", "AUTH_SECRETS", "AUTH_SECRETS_",
        "TIMEOUTS_", "TIMEOUTS_READ", "\udcff",
    ],
)  # fmt: skip
def test_a_variable_that_overrides_nothing_is_refused(tmp_path: Path, key: str) -> None:
    """An unknown key, a table as a whole, and the name of the table itself."""
    error = refused(file(tmp_path, ONE), "CN", **{f"CLAIMBRIDGE_CN_{key}": SECRET})
    assert (error.code, SECRET in str(error)) == ("CB-253", False)
    str(error).encode()


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("BATCH", "0"), ("BATCH", "1001"), ("CONCURRENCY", "-1"), ("RETRIES", "999999999999999"),
        ("BACKOFF", "-0.1"), ("LONGEST_WAIT", "86401"), ("QUIET_PERIOD", "99999999"),
        ("TIMEOUTS_TOTAL", "0"), ("TIMEOUTS_CONNECT", "3601"), ("REPLIES_MAX_AGE", "-1"),
        ("REPLIES_MAX_AGE", "99999999"), ("ENDPOINT", "https://erp.example:99999/"),
        ("ENDPOINT", "https://[::1/"), ("ENDPOINTS_LOGIN", "ftp://x"), ("TIME_ZONE", "Mars/Crater"),
    ],
)  # fmt: skip
def test_what_is_out_of_bounds_is_refused_by_its_key(tmp_path: Path, key: str, text: str) -> None:
    """With the bounds and why there are some."""
    error = refused(file(tmp_path, ONE), "CN", **{f"CLAIMBRIDGE_CN_{key}": text})
    last = key.lower().removeprefix("timeouts_").removeprefix("replies_").removeprefix("endpoints_")
    assert error.code in ("CB-251", "CB-244")
    assert last in str(error)


@pytest.mark.parametrize(
    ("other", "variable"),
    [
        ("C N", "CLAIMBRIDGE_CN_BATCH"),
        ("cn", "CLAIMBRIDGE_CN_BATCH"),
        ("CN_US", "CLAIMBRIDGE_CN_US_BATCH"),
        ("CN-OPTIONS", "CLAIMBRIDGE_CN_OPTIONS_SOAP"),
    ],
)
def test_a_variable_that_could_be_two_ledgers_is_refused(
    tmp_path: Path, other: str, variable: str
) -> None:
    """For both of them; without such a variable both are read."""
    path = file(tmp_path, TWO % other)
    same = other != "C N"
    for ledger in ("CN", other):
        assert load_config(path, ledger=ledger, environ={}).name == ledger
        if same:
            error = refused(path, ledger, **{variable: "1"})
            assert (error.code, variable in str(error)) == ("CB-246", True)
        else:
            stem = {"CN": "CLAIMBRIDGE_CN_BATCH", other: "CLAIMBRIDGE_C_N_BATCH"}[ledger]
            assert load_config(path, ledger=ledger, environ={stem: "7"}).batch == 7


def test_a_ledger_called_source_does_not_take_the_sources_variables(tmp_path: Path) -> None:
    """One namespace for both: ``CLAIMBRIDGE_SOURCE_X_KIND`` could be either's."""
    ledger = '[ledger.SOURCE]\nendpoint = "https://erp.example/b"\n'
    path = file(tmp_path, HESI + ledger)
    environ = {"CLAIMBRIDGE_SOURCE_X_RATE": "3"}
    with pytest.raises(ConfigurationError, match="CB-246"):
        load_config(path, ledger="SOURCE", environ=environ)
    with pytest.raises(ConfigurationError, match="CB-246"):
        load_source(path, "x", environ=environ)


def test_a_value_that_stands_for_a_table_in_the_file_is_told(tmp_path: Path) -> None:
    """Not by a TypeError."""
    path = file(tmp_path, ONE + "timeouts = 5\n")
    error = refused(path, "CN", CLAIMBRIDGE_CN_TIMEOUTS_TOTAL="5")
    assert (error.code, "TIMEOUTS_TOTAL" in str(error)) == ("CB-253", True)
    assert refused(path, "CN").code == "CB-251"


def test_no_message_repeats_a_value(tmp_path: Path) -> None:
    """Which may be a secret, under a wrong name or in a wrong place."""
    path = file(tmp_path, ONE)
    for key in ("BATCH", "ENDPOINT", "SOAP", "REPLIES_ADDRESSING", "REPLIES_SUBJECTS", "NONSENSE"):
        assert SECRET not in str(refused(path, "CN", **{f"CLAIMBRIDGE_CN_{key}": SECRET}))


@pytest.mark.parametrize(
    ("key", "text", "code"),
    [
        ("RATE", "inf", "CB-245"),
        ("RATE", "-1", "CB-510"),
        ("QUIET", "nan", "CB-245"),
        ("BEGIN", "null", "CB-245"),
        ("BEGIN", "2026-02-30", "CB-245"),
        ("PAGE_SIZE", "101", "CB-510"),
        ("PAGE_SIZE", "1e2", "CB-245"),
        ("REPLY_LIMIT", "10", "CB-510"),
        ("FORMS", "expense", "CB-245"),
        ("TIME_ZONE", "localtime", "CB-510"),
        ("MAP", "a\0b", "CB-245"),
        ("COLOUR", "red", "CB-531"),
        ("LEDGERS", "CN", "CB-253"),
    ],
)
def test_sources_are_read_by_the_same_rules(tmp_path: Path, key: str, text: str, code: str) -> None:
    """Every number, day and switch of a kind of source."""
    path = file(tmp_path, HESI)
    with pytest.raises(ConfigurationError) as caught:
        load_source(path, "x", environ={f"CLAIMBRIDGE_SOURCE_X_{key}": text}).settings(HesiSettings)
    assert caught.value.code == code
    assert key.lower() in str(caught.value).lower()
    found = load_source(path, "x", environ={"CLAIMBRIDGE_SOURCE_X_RATE": "2.5"})
    assert found.settings(HesiSettings).rate == 2.5


def test_options_of_a_profile_are_read_by_the_same_rules(tmp_path: Path) -> None:
    """The profile's keys are known when it is opened; the variable is still named."""
    config = load_config(file(tmp_path, ONE), environ={"CLAIMBRIDGE_CN_OPTIONS_DATABASE": "two"})
    with pytest.raises(ConfigurationError, match="CLAIMBRIDGE_CN_OPTIONS_DATABASE") as caught:
        load_profile("kingdee-eas", config.options)
    assert caught.value.code == "CB-245"


@pytest.mark.skipif(sys.platform == "win32", reason="environments are bytes on POSIX")
def test_bytes_that_are_no_text_are_refused_by_a_real_process(tmp_path: Path) -> None:
    """The operating system hands over any bytes; Python makes surrogates of them."""
    path = file(tmp_path, ONE)
    done = subprocess.run(  # our own interpreter
        [sys.executable, "-c", MAIN, "doctor", "--config", str(path)],
        env={**os.environb, b"CLAIMBRIDGE_CN_ENDPOINT": b"https://\xff.example/"},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert "CB-245" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
