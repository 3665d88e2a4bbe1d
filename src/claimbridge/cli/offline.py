"""A ledger for commands that touch no network, by a profile's name and options."""

from __future__ import annotations

import json
import tomllib
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from claimbridge.cli.inputs import at_hand
from claimbridge.config import LedgerConfig, load_config
from claimbridge.errors import ConfigurationError
from claimbridge.ledger import Ledger
from claimbridge.profiles.samples import SAMPLE_OPTIONS


def read_options(given: tuple[str, ...]) -> dict[str, Any]:
    """Return the options that were given: TOML (``debtors=["advance_clearing"]``), or plain text.

    Raises ConfigurationError CB-251 for what is no KEY=VALUE, and for a key given twice.
    """
    options: dict[str, Any] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not (equals and key.strip()):
            raise _wrong(text, "is not KEY=VALUE")
        try:
            table = tomllib.loads(f"{key} = {value}", parse_float=Decimal)
        except (ValueError, ArithmeticError, RecursionError):  # of TOML, and of absurd numbers
            try:
                table = tomllib.loads(f"{key} = {json.dumps(value)}")
            except ValueError as error:
                raise _wrong(text, f"is not KEY=VALUE: {error}") from error
        _join(options, table, text)
    return options


def _join(options: dict[str, Any], table: dict[str, Any], text: str) -> None:
    for key, value in table.items():
        before = options.setdefault(key, value)
        if before is value:
            continue
        if not (isinstance(before, dict) and isinstance(value, dict)):
            raise _wrong(text, "gives a key a second time")
        _join(before, value, text)


def _wrong(text: str, why: str) -> ConfigurationError:
    return ConfigurationError(f"--option {text[:80]!r} {why}", code="CB-251")


def offline_ledger(
    profile: str,
    contract: Path | None,
    chart: Path | None,
    options: tuple[str, ...],
    *,
    reads_only: bool = False,
) -> Ledger:
    """Return a ledger that builds and reads, for commands that touch no network.

    ``reads_only``: it builds nothing, so options that only matter to what is sent may be lacking.
    """
    demanded = SAMPLE_OPTIONS.get(profile, {}) if reads_only else {}
    profile_options = {**demanded, **read_options(options)}
    with ExitStack() as files:
        if contract is not None:
            contract = files.enter_context(at_hand(contract, suffix=".wsdl"))
        if chart is not None:
            chart = files.enter_context(at_hand(chart, suffix=".toml"))
        config = LedgerConfig(
            name="preview",
            profile=profile,
            endpoint="http://127.0.0.1/",
            contract=str(contract) if contract else None,
            chart=str(chart) if chart else None,
            options=profile_options,
        )
        ledger = Ledger(config)
        _ = ledger.setup.contract  # opened while stdin's copy is there
        if chart is not None:
            _ = ledger.setup.chart
    return ledger


def configured_ledger(path: Path, name: str | None) -> Ledger:
    """Return a ledger of a configuration, unsigned, for commands that touch no network."""
    config = load_config(path, ledger=name)
    return Ledger(msgspec.structs.replace(config, identity=None, next_identity=None))


__all__ = ["configured_ledger", "offline_ledger", "read_options"]
