"""What a configuration only refers to, read: keys, passwords, certificates, anchors of trust."""

from __future__ import annotations

from pathlib import Path

from claimbridge.config import LedgerConfig, read_password, read_proxy, read_secret
from claimbridge.errors import (
    ConfigurationError,
)
from claimbridge.profiles.conversation import Credentials
from claimbridge.signing import Algorithm, Identity, Policy
from claimbridge.signing.keys.tokens import open_token
from claimbridge.soap.transport import (
    Auth,
    Basic,
    Bearer,
    ClientCertificate,
    TransportSettings,
)


def transport_settings(config: LedgerConfig) -> TransportSettings:
    """Return how to reach the ledger; secrets are read now, and only held in memory."""
    return TransportSettings(
        endpoint=config.endpoint,
        connect=config.timeouts.connect,
        total=config.timeouts.total,
        auth=_http_auth(config),
        proxy=read_proxy(config.proxy, config, what="proxy"),
        ca=_read(config.path(config.ca), "ca") if config.ca else None,
        pool=config.concurrency,
    )


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"{what}: cannot read {path}: {error.strerror}", code="CB-250"
        ) from error


def reply_policy(config: LedgerConfig) -> Policy | None:
    """Return what a reply's signature must be; None when replies are not signed.

    Raises ConfigurationError.
    """
    replies = config.replies
    if replies is None:
        return None
    return Policy(
        placement="soap",
        trust=_read(config.path(replies.trust), "replies.trust") if replies.trust else b"",
        pin=_read(config.path(replies.pin), "replies.pin") if replies.pin else b"",
        subjects=replies.subjects,
        max_age=replies.max_age,
        crls=tuple(_read(config.path(name), "replies.crls") for name in replies.crls),
        ocsp=tuple(_read(config.path(name), "replies.ocsp") for name in replies.ocsp),
        usages=replies.usages,
        revocation=replies.revocation,
        second_opinion=replies.second_opinion,
    )


def _http_auth(config: LedgerConfig) -> Auth | None:
    auth = config.auth
    if auth is None:
        return None
    if auth.kind == "basic":
        return Basic(auth.user, read_password(auth.password, config, what="auth.password"))
    if auth.kind == "bearer":
        return Bearer(read_password(auth.token, config, what="auth.token"))
    if auth.kind == "client-certificate":
        certificate = read_secret(auth.certificate, config, what="auth.certificate")
        password = read_password(auth.password, config, what="auth.password")
        return ClientCertificate(certificate, password)
    # username-token, or the profile's own kind: it goes into the message. A secret that is not
    # there is reported now, and not when the first claim is on its way.
    read_credentials(config)
    return None


def read_credentials(config: LedgerConfig) -> Credentials:
    """Return the secrets of ``auth`` for the profile; raises KeyUnavailable."""
    auth = config.auth
    if auth is None:
        return Credentials()
    return Credentials(
        user=auth.user,
        password=read_password(auth.password, config, what="auth.password")
        if auth.password
        else "",
        secrets={
            name: read_password(reference, config, what=f"auth.secrets.{name}")
            for name, reference in auth.secrets.items()
        },
    )


def open_identities(config: LedgerConfig) -> tuple[Identity, ...]:
    """Return the identities that vouchers are signed with: none, one, or two that overlap.

    Raises KeyUnavailable or ConfigurationError.
    """
    configured = (
        (config.identity, config.identity_password, "identity"),
        (config.next_identity, config.next_identity_password, "next_identity"),
    )
    return tuple(
        _identity(reference, password, what, config)
        for reference, password, what in configured
        if reference is not None
    )


def _identity(reference: str, password: str | None, what: str, config: LedgerConfig) -> Identity:
    secret = None
    if password is not None:
        secret = read_password(password, config, what=f"{what}_password").encode()
    algorithm = _algorithm(config.identity_algorithm)
    if reference.startswith("pkcs11:"):
        return open_token(reference, pin=secret, algorithm=algorithm)
    data = read_secret(reference, config, what=what)
    read = Identity.from_pem if b"-----BEGIN" in data else Identity.from_pkcs12
    return read(data, secret, algorithm=algorithm)


def open_key(place: str, secret: bytes | None, *, algorithm: str | None) -> Identity:
    """Return the identity in a file, or in the token that ``pkcs11:…`` names.

    ``algorithm`` is a name as in the configuration; None: what suits the key. Raises KeyUnavailable
    or ConfigurationError.
    """
    chosen = _algorithm(algorithm)
    if place.startswith("pkcs11:"):
        return open_token(place, pin=secret, algorithm=chosen)
    return Identity.open(place, secret, algorithm=chosen)


def _algorithm(name: str | None) -> Algorithm | None:
    if name is None:
        return None
    algorithms = {each.name.lower().replace("_", "-"): each for each in Algorithm}
    if name not in algorithms:
        raise ConfigurationError(
            f"there is no signature algorithm {name!r}; there are {', '.join(algorithms)}",
            code="CB-251",
        )
    return algorithms[name]
