"""The configuration of sources, ``[source.NAME]``, and the sources that it makes.

    [source.inbox]
    kind   = "folder"
    ledger = "CN01"
    path   = "inbox"

``CLAIMBRIDGE_SOURCE_INBOX_PATH`` overrides ``path``. Secrets are references, as for ledgers.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from claimbridge.bounds import check_finite
from claimbridge.config import load_config, read_password, read_tables, stems_in
from claimbridge.environment import overrides_nothing, read_as, variables_of
from claimbridge.errors import ClaimBridgeError, ClaimError, ConfigurationError
from claimbridge.model import Claim
from claimbridge.places import attribute_at, offers, path_in
from claimbridge.sources.base import Source
from claimbridge.sources.record import SourceRecord

S = TypeVar("S", bound=msgspec.Struct)

ENTRY_POINTS: Final = "claimbridge.sources"
"""The entry point group in which other packages offer kinds of sources."""

KINDS: Final = {
    "folder": "claimbridge.sources.folder:folder_source",
    "hesi": "claimbridge.sources.hesi.kind:hesi_source",
    "webhook": "claimbridge.sources.webhook:webhook_source",
}
"""The kinds that come with claimbridge; each names what makes a source of it."""

_PARTS: Final = ("name", "arrivals", "reread", "ended", "close")


class SourceConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One source as configured; it holds no secret and pickles.

    ``kind`` is one of ``KINDS``, a name from the entry point group, or ``module:attribute``.
    Every claim goes to ``ledger``, or by its company to one of ``ledgers``. ``options`` are all
    further keys, which are the kind's own. ``folder`` is where relative paths start.
    """

    name: str
    kind: str
    ledger: str = ""
    ledgers: dict[str, str] = {}
    options: dict[str, Any] = {}
    folder: str = "."

    def __post_init__(self) -> None:
        if bool(self.ledger) == bool(self.ledgers):
            raise ConfigurationError(
                f"source {self.name}: give one of ledger and ledgers: where its claims go",
                code="CB-531",
            )

    def path(self, value: str) -> Path:
        """Return a configured path, from the configuration's own folder where it is relative.

        Raises ConfigurationError where it begins with the home of a user whom nobody knows.
        """
        try:
            return path_in(self.folder, value)
        except ValueError as error:
            raise ConfigurationError(f"source {self.name}: {error}", code="CB-531") from error

    def secret(self, reference: str, *, what: str) -> str:
        """Return the secret that ``reference`` stands for; ``what`` names its use in errors."""
        return read_password(reference, self, what=f"source {self.name}: {what}")

    def settings(self, kind: type[S]) -> S:
        """Return the options as a struct of the kind's own, with ``name`` and ``folder`` if it has.

        Texts are converted where a number is wanted. Raises ConfigurationError.
        """
        common = {"name": self.name, "folder": self.folder}
        fields = kind.__struct_fields__
        table = {**self.options, **{key: common[key] for key in common if key in fields}}
        where = f"[source.{self.name}]"
        settings = read_as(kind, table, where=where, code="CB-531")
        check_finite(msgspec.structs.asdict(settings), what=where, code="CB-531")
        return settings

    def ledger_of(self, claim: Claim) -> str:
        """Return the ledger that the claim goes to. Raises ClaimError CB-532."""
        if self.ledger:
            return self.ledger
        ledger = self.ledgers.get(claim.company)
        if ledger is None:
            raise ClaimError(
                f"company: no ledger is configured for company {claim.company}; add it to "
                f"ledgers of [source.{self.name}], which has {', '.join(sorted(self.ledgers))}",
                code="CB-532",
                claim_id=claim.id,
            )
        return ledger

    @property
    def all_ledgers(self) -> tuple[str, ...]:
        """Every ledger that its claims may go to."""
        return (self.ledger,) if self.ledger else tuple(sorted(set(self.ledgers.values())))


def sources_in(path: str | Path) -> tuple[str, ...]:
    """Return the names of the sources that a configuration file describes."""
    return tuple(sorted(read_tables(Path(path))["source"]))


def load_source(
    path: str | Path, name: str, *, environ: Mapping[str, str] | None = None
) -> SourceConfig:
    """Return the configuration of one source in a TOML file.

    ``environ`` None means the process's own environment. Raises ConfigurationError naming the key.
    """
    path = Path(path)
    document = read_tables(path)
    tables = document["source"]
    if not isinstance(tables.get(name), dict):
        known = ", ".join(sorted(key for key in tables if isinstance(tables[key], dict))) or "none"
        raise ConfigurationError(f"{path} has no [source.{name}]; it has: {known}", code="CB-531")
    table: dict[str, Any] = dict(tables[name])
    _override(table, name, os.environ if environ is None else environ, document)
    own = SourceConfig.__struct_fields__
    options = {key: table.pop(key) for key in list(table) if key not in own or key == "options"}
    fields = {**table, "name": name, "options": options, "folder": str(path.parent)}
    return read_as(SourceConfig, fields, where=f"{path} [source.{name}]", code="CB-531")


def journal_of(path: str | Path, config: SourceConfig) -> str:
    """Return the URL of the journal that all ledgers of a source share.

    Raises ConfigurationError CB-531 where they have several: what was read, and which invoices
    are used, is recorded in one place.
    """
    urls = {name: load_config(path, ledger=name).journal_url for name in config.all_ledgers}
    if len(set(urls.values())) > 1:
        raise ConfigurationError(
            f"source {config.name}: its ledgers ({', '.join(urls)}) have several journals; let "
            "them share one, which keeps ledgers apart by itself",
            code="CB-531",
        )
    return next(iter(urls.values()))


def open_source(config: SourceConfig, record: SourceRecord) -> Source:
    """Return the source that ``config`` describes.

    What ``kind`` names is called with ``config`` and ``record``. Raises ConfigurationError: CB-534
    when there is no such kind, or it cannot be loaded or is no source.
    """
    source = _maker(config.kind)(config, record)
    missing = [part for part in _PARTS if not hasattr(source, part)]
    if missing:
        raise ConfigurationError(
            f"what {config.kind!r} makes is no source: it has no {', '.join(missing)}; see "
            "claimbridge.sources.Source",
            code="CB-534",
        )
    return source


def _maker(kind: str) -> Callable[[SourceConfig, SourceRecord], Source]:
    target = KINDS.get(kind) or (kind if ":" in kind else _from_entry_points(kind))
    try:
        maker = attribute_at(target)
    except ClaimBridgeError:
        raise
    except Exception as error:  # a user's module may raise anything while it loads
        raise _unloadable(kind, error) from error
    if not callable(maker):
        raise _unloadable(kind, TypeError(f"{target} cannot be called"))

    def make(config: SourceConfig, record: SourceRecord) -> Source:
        try:
            source: Source = maker(config, record)
        except ClaimBridgeError:
            raise
        except Exception as error:  # and so may what it makes
            raise _unloadable(kind, error) from error
        return source

    return make


def _from_entry_points(kind: str) -> str:
    offered = offers(ENTRY_POINTS)
    if kind not in offered:
        known = ", ".join(sorted([*KINDS, *offered]))
        raise ConfigurationError(
            f"there is no source of kind {kind!r}; there are {known}, and your own as "
            "module:attribute",
            code="CB-534",
        )
    return offered[kind]


def _unloadable(kind: str, error: Exception) -> ConfigurationError:
    return ConfigurationError(
        f"the source {kind!r} cannot be made: {type(error).__name__}: {error}; is its module on "
        "the Python path?",
        code="CB-534",
    )


def _override(
    table: dict[str, Any],
    name: str,
    environ: Mapping[str, str],
    document: Mapping[str, Mapping[str, Any]],
) -> None:
    """Take CLAIMBRIDGE_SOURCE_<NAME>_<KEY> into the table; the kind refuses keys it has not."""
    for key, text in variables_of(name, environ, kind="source_", beside=stems_in(document)):
        if key in ("ledgers", "options", "name", "folder", ""):
            raise overrides_nothing(text, f"{key or 'it'} is no single value")
        table[key] = text


__all__ = [
    "ENTRY_POINTS",
    "KINDS",
    "SourceConfig",
    "journal_of",
    "load_source",
    "open_source",
    "sources_in",
]
