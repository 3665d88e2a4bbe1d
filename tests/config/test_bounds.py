"""Numbers of a configuration: every one has bounds, in one table, with the reason for them."""

from __future__ import annotations

import inspect as signatures
import tomllib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import pytest
from msgspec import inspect
from tests.site import SITE

from claimbridge.bounds import BOUNDS, check_finite, check_numbers
from claimbridge.config import LedgerConfig, Replies, Timeouts, load_config
from claimbridge.errors import ConfigurationError
from claimbridge.profiles import PROFILES, load_profile
from claimbridge.sources.folder import FolderSettings
from claimbridge.sources.hesi.api.settings import HesiSettings
from claimbridge.sources.settings import SourceConfig
from claimbridge.sources.webhook import WebhookSettings

STRUCTS: dict[str, type[msgspec.Struct]] = {
    "ledger": LedgerConfig,
    "timeouts": Timeouts,
    "replies": Replies,
    "folder": FolderSettings,
    "webhook": WebhookSettings,
    "hesi": HesiSettings,
}
ENDLESS = [float("nan"), float("inf"), float("-inf"), Decimal("NaN"), Decimal("sNaN"), 10**400]


def numbers_of_structs() -> Iterator[str]:
    """Yield each number that a struct of the configuration has."""
    for owner, kind in STRUCTS.items():
        made = inspect.type_info(kind)
        assert isinstance(made, inspect.StructType)
        for field in made.fields:
            types = field.type.types if isinstance(field.type, inspect.UnionType) else (field.type,)
            if any(isinstance(one, inspect.IntType | inspect.FloatType) for one in types):
                yield f"{owner}.{field.name}"


def numbers_of_profiles() -> Iterator[str]:
    """Yield each number that an option of one of our profiles is."""
    for name in PROFILES:
        maker = type(load_profile(name, SITE.get(name, {})))
        hints = get_type_hints(vars(maker).get("__init__", object.__init__))
        for one in signatures.signature(maker).parameters:
            if {hints.get(one), *get_args(hints.get(one))} & {int, float, Decimal}:
                yield f"{name}.{one}"


def test_every_number_has_bounds_and_every_bound_a_number() -> None:
    """A number that is added to a configuration fails here until it says what it may be."""
    assert {*numbers_of_structs(), *numbers_of_profiles()} == set(BOUNDS)
    assert all(bound.least < bound.most and bound.reason for bound in BOUNDS.values())


@pytest.mark.parametrize("name", BOUNDS)
def test_what_is_out_of_bounds_is_refused(name: str) -> None:
    """Too little, too much, without an end, no number at all; the bounds themselves pass."""
    owner, key = name.rsplit(".", 1)
    bound = BOUNDS[name]
    for value in (bound.least, bound.most, None):
        check_numbers(owner, {key: value}, where="", code="CB-251")
    wrong: list[Any] = [bound.least - 1, bound.most + 1, *ENDLESS, True, "1", [1], b"1"]
    for value in wrong:
        with pytest.raises(ConfigurationError, match=f"{key} must be a number") as caught:
            check_numbers(owner, {key: value}, where="", code="CB-251")
        assert caught.value.code == "CB-251"


@pytest.mark.parametrize("value", ENDLESS)
def test_a_number_without_an_end_is_found_wherever_it_stands(value: Any) -> None:
    """In a table, in a list; by its path."""
    with pytest.raises(ConfigurationError, match=r"CB-251 options\.rates\[1\]\.USD must"):
        check_finite({"rates": [1, {"USD": value}]}, what="options", code="CB-251")


@pytest.mark.parametrize("key", ["batch", "backoff", "timeouts.total", "replies.max_age"])
@pytest.mark.parametrize(
    "value",
    [
        "nan", "inf", "-inf", "1e999", "true", "1979-05-27", "07:32:00", "[1]", '"5"', "-1",
        "9223372036854775807", "9" * 400, "{}", "1979-05-27T07:32:00Z",
    ],
)  # fmt: skip
def test_numbers_in_a_file_are_numbers(tmp_path: Path, key: str, value: str) -> None:
    """Bool, text, dates, lists, and what has no end: by file and key."""
    refused_by_key(tmp_path, key, value)


@pytest.mark.parametrize("key", ["profile", "journal", "chart", "auth.user", "options.x.y"])
@pytest.mark.parametrize("value", ["1979-05-27", "1", "true", "[1]", "nan", '"a\\u0000b"'])
def test_texts_in_a_file_are_texts(tmp_path: Path, key: str, value: str) -> None:
    """And hold no NUL; the options of a profile may be anything that has an end."""
    if key.startswith("options") and value not in ("nan", '"a\\u0000b"'):
        return
    refused_by_key(tmp_path, key, value)


def refused_by_key(tmp_path: Path, key: str, value: str) -> None:
    path = tmp_path / "claimbridge.toml"
    path.write_text(
        f'[ledger.CN]\nendpoint = "https://erp.example/"\nauth.kind = "basic"\n{key} = {value}\n'
    )
    with pytest.raises(ConfigurationError) as caught:
        load_config(path, environ={})
    assert caught.value.code == "CB-251"
    assert str(path) in str(caught.value)
    assert all(part in str(caught.value) for part in key.split("."))


@pytest.mark.parametrize("value", ["9" * 5000, "[" * 100_000])
def test_a_file_that_breaks_the_reader_is_refused(tmp_path: Path, value: str) -> None:
    """A number of five thousand digits, and nesting without end, raise other errors inside."""
    path = tmp_path / "claimbridge.toml"
    path.write_text(f"[ledger.CN]\nbatch = {value}\n")
    with pytest.raises(ConfigurationError, match="CB-250"):
        load_config(path, environ={})


def test_a_name_in_the_file_is_no_other_name(tmp_path: Path) -> None:
    """It was overwritten in silence."""
    path = tmp_path / "claimbridge.toml"
    path.write_text('[ledger.CN]\nname = "US"\nendpoint = "https://erp.example/"\n')
    with pytest.raises(ConfigurationError, match=r"\[ledger\.CN\]: name"):
        load_config(path, environ={})


@pytest.mark.parametrize("value", ["nan", "true", '"x"', "1e999", "-1"])
def test_numbers_of_sources_are_numbers(value: str) -> None:
    """By the source's table and the key."""
    options = tomllib.loads(f'path = "."\nsettle = {value}\n')
    config = SourceConfig(name="x", kind="folder", ledger="CN", options=options)
    with pytest.raises(ConfigurationError, match=r"CB-531 .*settle"):
        config.settings(FolderSettings)


def test_a_credit_is_never_written_as_a_debit() -> None:
    """``credit = 1`` is what EAS writes for debits: every side would be the same."""
    with pytest.raises(ConfigurationError, match="credit"):
        load_profile("kingdee-eas", {"credit": 1})


@pytest.mark.parametrize(
    ("code", "kind", "needed"),
    [
        ("CB-251", LedgerConfig, {"endpoint": "https://erp.example/"}),
        ("CB-510", HesiSettings, {"app_key": "env:K", "app_secret": "env:S"}),
        ("CB-531", SourceConfig, {"name": "inbox", "kind": "folder", "ledger": "CN"}),
    ],
)
def test_a_home_is_found_from_any_folder(
    monkeypatch: pytest.MonkeyPatch, code: str, kind: Any, needed: dict[str, Any]
) -> None:
    """``~`` means the home also where the file is named with its folder; others start there."""
    monkeypatch.setenv("HOME", "/home/wang")
    for folder in (".", "/etc/claimbridge", "conf"):
        path = kind(**needed, folder=folder).path
        assert path("~/chart.toml") == Path("/home/wang/chart.toml")
        assert path("/srv/chart.toml") == Path("/srv/chart.toml")
        assert path("chart.toml") == Path(folder, "chart.toml")
        with pytest.raises(
            ConfigurationError, match="~nobody-of-this-name/x names a home"
        ) as caught:
            path("~nobody-of-this-name/x")
        assert caught.value.code == code
