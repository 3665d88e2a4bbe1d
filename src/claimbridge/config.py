"""The configuration of a ledger: a TOML file, overridden by the environment, then by arguments.

    [ledger.CN01]
    profile  = "reference"
    endpoint = "https://erp.example/voucher-service"
    chart    = "chart.toml"
    journal  = "sqlite:///claims.db"
    identity = "file:signer.p12"
    identity_password = "env:SIGNER_PASSWORD"

``CLAIMBRIDGE_CN01_ENDPOINT`` overrides ``endpoint``, ``CLAIMBRIDGE_CN01_AUTH_USER`` the user in
``[ledger.CN01.auth]``. Relative paths, that of the journal too, start at the file's folder.
Secrets are references (``env:NAME``, ``file:PATH``, ``keyring:SERVICE/USER``), never the secret.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, Protocol
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec

from claimbridge.bounds import check_finite, check_numbers
from claimbridge.environment import Variable, overrides_nothing, read_as, stem, variables_of
from claimbridge.errors import ConfigurationError, KeyUnavailable, MissingExtra
from claimbridge.model.zones import find_zone
from claimbridge.places import path_in
from claimbridge.profiles.extra.settings import Extra


class Timeouts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Seconds: to connect, and for one whole exchange. Both are finite, always."""

    connect: float = 10.0
    total: float = 60.0

    def __post_init__(self) -> None:
        check_numbers("timeouts", self, where="timeouts.", code="CB-251")


class AuthConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How to authenticate; ``password``, ``token`` and ``certificate`` are references to secrets.

    ``kind`` is ``basic`` and ``username-token`` (user, password; ``digest`` for the latter sends
    a digest instead of the text), ``bearer`` (token), ``client-certificate`` (certificate: a
    PKCS#12 file; password), or one that the profile names. ``secrets`` are further references by
    name, for those.
    """

    kind: str
    user: str = ""
    password: str = ""
    token: str = ""
    certificate: str = ""
    digest: bool = False
    secrets: dict[str, str] = {}


class Replies(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the ERP signs its replies (WS-Security); see ``claimbridge.signing.Policy``.

    ``trust`` (anchors) or ``pin`` (the ERP's own certificates) is a PEM file. ``subjects`` are the
    common names one of which the signer must have; empty: whoever the anchor admits. ``max_age``
    is how many seconds old a reply may be by its signed Timestamp; each then counts once only.
    None: neither its age nor a repeat is judged. ``crls`` are files of revocation lists, ``ocsp``
    of OCSP responses (DER), and ``revocation`` is ``known`` or, to refuse whom none of them in
    force vouches for, ``required``; they are read when the client is opened. ``usages`` are
    extended key usages, as object identifiers, one of which the certificate must name.
    ``addressing`` sends a WS-Addressing MessageID, to which the reply's RelatesTo must then answer
    where it has one. ``second_opinion`` asks signxml about every reply too.
    """

    trust: str | None = None
    pin: str | None = None
    subjects: tuple[str, ...] = ()
    max_age: float | None = None
    crls: tuple[str, ...] = ()
    ocsp: tuple[str, ...] = ()
    usages: tuple[str, ...] = ()
    revocation: Literal["known", "required"] = "known"
    addressing: bool = False
    second_opinion: bool = False

    def __post_init__(self) -> None:
        check_numbers("replies", self, where="replies.", code="CB-251")


class LedgerConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One ledger as configured; it holds no secret and pickles.

    ``contract`` None means the profile's own. ``chart`` None means that vouchers are not mapped
    from claims here; ``submit`` then needs one. ``codes`` is the file of the ERP's own ids, for
    profiles that use one (``claimbridge codes``); None is a file beside the configuration.

    ``identity`` None means that vouchers are not signed. ``identity_algorithm`` None is what suits
    its key. ``batch_signature`` signs each voucher of a batch, or all of them by one signature.
    ``next_identity`` takes the place of ``identity`` as soon as its certificate is valid.

    ``batch`` is how many vouchers ``submit_many`` puts into one request (1: one each),
    ``concurrency`` how many requests are under way at once. ``retries``, ``backoff``,
    ``longest_wait`` and ``quiet_period`` are those of ``claimbridge.submission.Rules``, in seconds.
    ``first_send`` says what comes before a document is sent for the first time: ``ask`` the ERP for
    it, or just ``send`` it; None is what suits the profile.

    ``replies`` None means that replies are not signed, and that TLS alone vouches for them.
    ``endpoints`` are the addresses of the ERP's other ports by their names in the profile, where
    they are not beside ``endpoint``. ``options`` are the profile's own settings. ``omit`` are paths
    of fields that its requests to post or reverse leave out, ``extra`` fields that they get besides
    (see ``claimbridge.profiles.extra``). ``book`` tells
    this book apart from others behind the same endpoint, where the profile's options do not. A
    ``parallel`` ledger is given the same claims as others. ``production`` marks a ledger in which
    people keep their accounts: a probe is refused there, unless somebody insists.

    ``proxy`` is a URL, or the reference to one with a password. ``ca`` is a PEM file of further
    trust anchors for TLS. ``time_zone`` (``Asia/Shanghai``) is where the days of the ledger's
    companies begin, but for those whose chart says otherwise. With None, a claim is refused where
    a moment must decide a date. ``folder`` is where relative paths start.
    """

    endpoint: str
    name: str = "ledger"
    profile: str = "reference"
    contract: str | None = None
    chart: str | None = None
    codes: str | None = None
    journal: str = "sqlite:///claimbridge.db"
    identity: str | None = None
    identity_password: str | None = None
    identity_algorithm: str | None = None
    batch_signature: Literal["each", "together"] = "each"
    next_identity: str | None = None
    next_identity_password: str | None = None
    timeouts: Timeouts = Timeouts()
    auth: AuthConfig | None = None
    replies: Replies | None = None
    endpoints: dict[str, str] = {}
    options: dict[str, Any] = {}
    omit: tuple[str, ...] = ()
    extra: tuple[Extra, ...] = ()
    soap: Literal["1.1", "1.2"] = "1.1"
    book: str = ""
    parallel: bool = False
    production: bool = False
    proxy: str | None = None
    ca: str | None = None
    time_zone: str | None = None
    batch: int = 1
    concurrency: int = 8
    retries: int = 2
    backoff: float = 0.5
    longest_wait: float = 30.0
    quiet_period: float = 300.0
    first_send: Literal["ask", "send"] | None = None
    folder: str = "."

    def __post_init__(self) -> None:
        for key, address in {"endpoint": self.endpoint, **self.endpoints}.items():
            _check_address(address, what=f"ledger {self.name}: {key}")
        check_proxy(self.proxy, what=f"ledger {self.name}: proxy")
        _ = self.zone
        check_numbers("ledger", self, where=f"ledger {self.name}: ", code="CB-251")
        if self.quiet_period < self.timeouts.total:
            raise ConfigurationError(
                f"ledger {self.name}: quiet_period ({self.quiet_period:g} s) must be longer than "
                f"timeouts.total ({self.timeouts.total:g} s): a request given up may still arrive",
                code="CB-251",
            )

    def path(self, value: str) -> Path:
        """Return a configured path, from the configuration's own folder where it is relative.

        Raises ConfigurationError where it begins with the home of a user whom nobody knows.
        """
        try:
            return path_in(self.folder, value)
        except ValueError as error:
            raise ConfigurationError(f"ledger {self.name}: {error}", code="CB-251") from error

    @property
    def zone(self) -> ZoneInfo | None:
        """The time zone that ``time_zone`` names. Raises ConfigurationError CB-244."""
        if self.time_zone is None:
            return None
        try:
            return find_zone(self.time_zone)
        except ValueError as error:
            raise ConfigurationError(
                f"ledger {self.name}: time_zone {self.time_zone[:40]!r} {error}", code="CB-244"
            ) from None

    @property
    def journal_url(self) -> str:
        """The journal's URL with its path made absolute where it was relative."""
        prefix = "sqlite:///"
        if self.journal.startswith(prefix) and not self.journal.startswith("sqlite:////"):
            return prefix + str(self.path(self.journal.removeprefix(prefix)).absolute())
        return self.journal


def load_config(
    path: str | Path,
    *,
    ledger: str | None = None,
    environ: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> LedgerConfig:
    """Return the configuration of one ledger in a TOML file.

    ``ledger`` None means the only one in the file. ``environ`` None means the process's own
    environment. ``overrides`` win over both; None and missing values override nothing. Raises
    ConfigurationError naming the key.
    """
    path = Path(path)
    document = read_tables(path)
    tables = document["ledger"]
    name = ledger if ledger is not None else _only(tables, path)
    if name not in tables or not isinstance(tables[name], dict):
        raise ConfigurationError(
            f"{path} has no [ledger.{name}]; it has: {', '.join(sorted(tables)) or 'none'}",
            code="CB-252",
        )
    table: dict[str, Any] = dict(tables[name])
    _override_from_environment(table, name, os.environ if environ is None else environ, document)
    table.update({key: value for key, value in (overrides or {}).items() if value is not None})
    if "name" in table:
        raise ConfigurationError(
            f"{path} [ledger.{name}]: name: a ledger's name is that of its table", code="CB-251"
        )
    table["name"] = name
    table.setdefault("folder", str(path.parent))
    return config_from(table, where=f"{path} [ledger.{name}]")


def config_from(table: Mapping[str, Any], *, where: str) -> LedgerConfig:
    """Return the configuration that plain values describe; ``where`` is for the error."""
    config = read_as(LedgerConfig, table, where=where, code="CB-251")
    check_finite(config.options, what=f"{where}: options", code="CB-251")
    return config


def ledgers_in(path: str | Path) -> tuple[str, ...]:
    """Return the names of the ledgers that a configuration file describes."""
    return tuple(sorted(read_tables(Path(path))["ledger"]))


def read_tables(path: Path) -> dict[str, dict[str, Any]]:
    """Return the tables of a configuration file: ``ledger`` and ``source``, each by name.

    Raises ConfigurationError: CB-250 when it cannot be read, CB-251 for a table that nobody knows.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror}", code="CB-250") from error
    except ValueError as error:  # of TOML, of UTF-8, and of numbers with thousands of digits
        raise ConfigurationError(f"{path} is not TOML: {error}", code="CB-250") from error
    except RecursionError:
        raise ConfigurationError(f"{path} is nested too deeply", code="CB-250") from None
    unknown = set(document) - {"ledger", "source"}
    if unknown or not isinstance(document.get("ledger"), dict):
        what = f"unknown table [{min(unknown)}]" if unknown else "no [ledger.NAME] table"
        raise ConfigurationError(f"{path}: {what}", code="CB-251")
    if not isinstance(document.setdefault("source", {}), dict):
        raise ConfigurationError(f"{path}: sources are tables: [source.NAME]", code="CB-251")
    return document


def _only(tables: dict[str, Any], path: Path) -> str:
    if len(tables) != 1:
        raise ConfigurationError(
            f"{path} describes several ledgers ({', '.join(sorted(tables))}); name one",
            code="CB-252",
        )
    return next(iter(tables))


def _override_from_environment(
    table: dict[str, Any],
    name: str,
    environ: Mapping[str, str],
    document: Mapping[str, Mapping[str, Any]],
) -> None:
    """Take CLAIMBRIDGE_<LEDGER>_<KEY> into the table; an unknown key is an error, not a shrug."""
    for key, text in variables_of(name, environ, beside=stems_in(document)):
        if key in LedgerConfig.__struct_fields__ and key not in _NESTED.keys() | _FREE | {"name"}:
            table[key] = text
            continue
        outer, _, inner = key.partition("_")
        if inner in _SINGLE.get(outer, ()) or (outer in _FREE and inner):
            _put(table, (outer, inner), text)
        elif outer == "auth" and inner.startswith("secrets_") and inner != "secrets_":
            _put(table, (outer, "secrets", inner.removeprefix("secrets_")), text)
        else:
            raise overrides_nothing(text)


def stems_in(document: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return how the variables of each ledger and each source in a file begin."""
    sources = (f"source_{name}" for name in document["source"])
    return [stem(name) for name in (*document["ledger"], *sources)]


def _put(table: dict[str, Any], path: tuple[str, ...], text: Variable) -> None:
    """Put a value into a table of tables; what it changes of them is a copy."""
    *outer, last = path
    for key in outer:
        inner = table.get(key, {})
        if not isinstance(inner, dict):
            raise overrides_nothing(text, f"{key} is no table in the file")
        table[key] = table = dict(inner)
    table[last] = text


_FREE: Final = frozenset({"options", "endpoints"})
"""Tables whose keys are the profile's business."""

_NESTED: Final[dict[str, tuple[str, ...]]] = {
    "timeouts": Timeouts.__struct_fields__,
    "auth": AuthConfig.__struct_fields__,
    "replies": Replies.__struct_fields__,
}
_SINGLE: Final = {
    table: tuple(key for key in keys if key != "secrets") for table, keys in _NESTED.items()
}
"""The keys of nested tables that have one value."""


class HasPaths(Protocol):
    """A part of the configuration: what knows where its relative paths start."""

    def path(self, value: str) -> Path:
        """Return a configured path, from the configuration's own folder where it is relative."""
        ...


def read_secret(reference: str, config: HasPaths, *, what: str) -> bytes:
    """Return the secret that ``reference`` stands for; ``what`` names its use in errors.

    A file's content is returned whole for ``identity`` and certificates; for passwords strip it
    with ``read_password``. Raises ConfigurationError or KeyUnavailable; no message holds a secret.
    """
    scheme, _, rest = reference.partition(":")
    if scheme == "env" and rest:
        value = os.environ.get(rest)
        if value is None:
            raise KeyUnavailable(
                f"{what}: the environment variable {rest} is not set", code="CB-311"
            )
        return value.encode()
    if scheme == "file" and rest:
        try:
            return config.path(rest).read_bytes()
        except OSError as error:
            raise KeyUnavailable(
                f"{what}: cannot read {config.path(rest)}: {error.strerror}", code="CB-311"
            ) from error
    if scheme == "keyring" and rest:
        return _from_keyring(rest, what)
    raise ConfigurationError(
        f"{what} must be a reference (env:NAME, file:PATH or keyring:SERVICE/USER), "
        "not the secret itself",
        code="CB-255",
    )


def read_password(reference: str, config: HasPaths, *, what: str) -> str:
    """Return the password that ``reference`` stands for, without a file's final line break."""
    try:
        return read_secret(reference, config, what=what).decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise KeyUnavailable(f"{what} is not UTF-8 text", code="CB-311") from None


def _check_address(address: str, *, what: str) -> None:
    """Refuse what is no http(s) address; the message does not repeat it: it may hold a password."""
    try:
        parts = urlsplit(address)
        wrong = parts.scheme not in ("http", "https") or parts.port == 0
    except ValueError:  # a port that is no number up to 65535, a bracket that is not closed
        wrong = True
    if wrong:
        raise ConfigurationError(
            f"{what} is not an http(s) address, such as https://erp.example/service", code="CB-251"
        )


def read_proxy(proxy: str | None, config: HasPaths, *, what: str) -> str | None:
    """Return the URL of a proxy: as configured, or where a reference to it leads."""
    if proxy is None or not proxy.startswith(("env:", "file:", "keyring:")):
        return proxy
    return read_password(proxy, config, what=what)


def check_proxy(proxy: str | None, *, what: str) -> None:
    """Refuse a proxy's URL with a password in it (CB-255): a configuration holds no secret."""
    if proxy is not None and "@" in proxy.partition("://")[2]:
        raise ConfigurationError(
            f"{what} holds a password; write a reference to the whole URL, such as env:PROXY_URL",
            code="CB-255",
        )


def _from_keyring(rest: str, what: str) -> bytes:
    service, _, user = rest.rpartition("/")
    try:
        import keyring
    except ImportError as error:
        raise MissingExtra(
            f"{what} is in the keyring, which needs: pip install keyring", code="CB-230"
        ) from error
    try:
        value = keyring.get_password(service, user)
    except Exception as error:
        raise KeyUnavailable(f"{what}: the keyring cannot be read", code="CB-311") from error
    if value is None:
        raise KeyUnavailable(f"{what}: the keyring has no {rest}", code="CB-311")
    return str(value).encode()
