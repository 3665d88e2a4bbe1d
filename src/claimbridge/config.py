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
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, Protocol

import msgspec

from claimbridge.errors import ConfigurationError, KeyUnavailable, MissingExtra


class Timeouts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Seconds: to connect, and for one whole exchange. Both are finite, always."""

    connect: float = 10.0
    total: float = 60.0

    def __post_init__(self) -> None:
        if not 0 < self.connect <= 3600 or not 0 < self.total <= 3600:
            raise ConfigurationError(
                "timeouts.connect and timeouts.total must be more than 0 and at most 3600 seconds",
                code="CB-251",
            )


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
    where it has one.
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


class LedgerConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One ledger as configured; it holds no secret and pickles.

    ``contract`` None means the profile's own; ``chart`` None means that vouchers are not mapped
    from claims here (``submit`` then needs one); ``identity`` None means that vouchers are not
    signed; ``identity_algorithm`` None is what suits its key; ``batch_signature`` signs each
    voucher of a batch, or all of them by one signature; ``next_identity`` is the one that
    replaces it, and signs as soon as its certificate is valid.
    ``batch`` is how many vouchers ``submit_many`` puts into one request (1: one each),
    ``concurrency`` how many requests are under way at once. ``retries``, ``backoff``,
    ``longest_wait``, ``quiet_period`` are those of ``claimbridge.submission.Rules`` (seconds), and
    so is ``first_send``: ``ask`` the ERP for a document before it is sent for the first time, or
    ``send`` it; None is what suits the profile.
    ``replies`` None means that replies are not signed, and that TLS alone vouches for them.
    ``endpoints`` are the addresses of the ERP's other ports by their names in the profile, where
    they are not beside ``endpoint``; ``options`` are the profile's own settings.
    ``proxy`` is a URL, or the reference to one with a password; ``ca`` a PEM file of further trust
    anchors for TLS. ``folder`` is where relative paths start.
    """

    endpoint: str
    name: str = "ledger"
    profile: str = "reference"
    contract: str | None = None
    chart: str | None = None
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
    soap: Literal["1.1", "1.2"] = "1.1"
    proxy: str | None = None
    ca: str | None = None
    batch: int = 1
    concurrency: int = 8
    retries: int = 2
    backoff: float = 0.5
    longest_wait: float = 30.0
    quiet_period: float = 300.0
    first_send: Literal["ask", "send"] | None = None
    folder: str = "."

    def __post_init__(self) -> None:
        if not self.endpoint.startswith(("http://", "https://")):
            raise ConfigurationError(
                f"ledger {self.name}: endpoint {self.endpoint!r} is not an http(s) address",
                code="CB-251",
            )
        check_proxy(self.proxy, what=f"ledger {self.name}: proxy")
        for field, low, high in _RANGES:
            if not low <= getattr(self, field) <= high:
                raise ConfigurationError(
                    f"ledger {self.name}: {field} must be from {low} to {high}", code="CB-251"
                )
        if self.quiet_period < self.timeouts.total:
            raise ConfigurationError(
                f"ledger {self.name}: quiet_period ({self.quiet_period:g} s) must be longer than "
                f"timeouts.total ({self.timeouts.total:g} s): a request given up may still arrive",
                code="CB-251",
            )

    def path(self, value: str) -> Path:
        """Return a configured path, from the configuration's own folder where it is relative."""
        return Path(self.folder, value).expanduser()

    @property
    def journal_url(self) -> str:
        """The journal's URL with its path made absolute where it was relative."""
        prefix = "sqlite:///"
        if self.journal.startswith(prefix) and not self.journal.startswith("sqlite:////"):
            return prefix + str(self.path(self.journal.removeprefix(prefix)).absolute())
        return self.journal


_RANGES: Final = (
    ("batch", 1, 1000),
    ("concurrency", 1, 500),
    ("retries", 0, 20),
    ("backoff", 0, 3600),
    ("longest_wait", 0, 86400),
    ("quiet_period", 0, 30 * 86400),
)


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
    tables = read_tables(path)["ledger"]
    name = ledger if ledger is not None else _only(tables, path)
    if name not in tables or not isinstance(tables[name], dict):
        raise ConfigurationError(
            f"{path} has no [ledger.{name}]; it has: {', '.join(sorted(tables)) or 'none'}",
            code="CB-252",
        )
    table: dict[str, Any] = dict(tables[name])
    _override_from_environment(table, name, os.environ if environ is None else environ)
    table.update({key: value for key, value in (overrides or {}).items() if value is not None})
    table["name"] = name
    table.setdefault("folder", str(path.parent))
    return config_from(table, where=f"{path} [ledger.{name}]")


def config_from(table: Mapping[str, Any], *, where: str) -> LedgerConfig:
    """Return the configuration that plain values describe; ``where`` is for the error."""
    try:
        # Text is converted where a number is wanted: environment variables are always text.
        return msgspec.convert(table, LedgerConfig, strict=False)
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, ConfigurationError):
            raise error.__cause__ from None
        raise ConfigurationError(f"{where}: {error}", code="CB-251") from error


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
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not TOML: {error}", code="CB-250") from error
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
    table: dict[str, Any], name: str, environ: Mapping[str, str]
) -> None:
    """Take CLAIMBRIDGE_<LEDGER>_<KEY> into the table; an unknown key is an error, not a shrug."""
    prefix = f"CLAIMBRIDGE_{re.sub(r'[^A-Za-z0-9]', '_', name).upper()}_"
    for variable, value in sorted(environ.items()):
        if not variable.startswith(prefix):
            continue
        key = variable.removeprefix(prefix).lower()
        if key in LedgerConfig.__struct_fields__ and key not in _NESTED.keys() | _FREE:
            table[key] = value
            continue
        outer, _, inner = key.partition("_")
        if outer == "auth" and inner.startswith("secrets_"):
            auth = table.get("auth", {})
            secrets = auth.get("secrets", {}) | {inner.removeprefix("secrets_"): value}
            table["auth"] = {**auth, "secrets": secrets}
            continue
        if outer in _FREE and inner:
            table[outer] = {**table.get(outer, {}), inner: value}
            continue
        if outer not in _NESTED or inner not in _NESTED[outer]:
            raise ConfigurationError(
                f"the environment variable {variable} overrides nothing: there is no such key",
                code="CB-253",
            )
        table[outer] = {**table.get(outer, {}), inner: value}


_FREE: Final = frozenset({"options", "endpoints"})
"""Tables whose keys are the profile's business."""

_NESTED: Final[dict[str, tuple[str, ...]]] = {
    "timeouts": Timeouts.__struct_fields__,
    "auth": AuthConfig.__struct_fields__,
    "replies": Replies.__struct_fields__,
}


class Placed(Protocol):
    """A part of the configuration: what knows where its relative paths start."""

    def path(self, value: str) -> Path:
        """Return a configured path, from the configuration's own folder where it is relative."""
        ...


def read_secret(reference: str, config: Placed, *, what: str) -> bytes:
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


def read_password(reference: str, config: Placed, *, what: str) -> str:
    """Return the password that ``reference`` stands for, without a file's final line break."""
    try:
        return read_secret(reference, config, what=what).decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise KeyUnavailable(f"{what} is not UTF-8 text", code="CB-311") from None


def read_proxy(proxy: str | None, config: Placed, *, what: str) -> str | None:
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
