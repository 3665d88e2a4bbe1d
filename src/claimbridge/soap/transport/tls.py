"""TLS: always verified, by alternative names alone, and 1.2 or later.

A client certificate is shown where the ERP asks for one.
"""

from __future__ import annotations

import os
import secrets
import socket
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    pkcs12,
)

from claimbridge.errors import ConfigurationError, KeyUnavailable
from claimbridge.soap.transport.failures import unreachable
from claimbridge.soap.transport.settings import ClientCertificate, TransportSettings

_OPEN_FILES = Path("/proc/self/fd")


def tls_context(settings: TransportSettings) -> ssl.SSLContext:
    """Return the context for every connection of these settings.

    Raises ConfigurationError for an unusable ``ca``, KeyUnavailable for an unusable client
    certificate.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # RFC 9525 §6.3: a server is named by its alternative names. Its CN is free text.
    context.hostname_checks_common_name = False
    if settings.ca is not None:
        _trust(context, settings.ca)
    if isinstance(settings.auth, ClientCertificate):
        _show(context, settings.auth)
    return context


def _trust(context: ssl.SSLContext, ca: bytes) -> None:
    try:
        context.load_verify_locations(cadata=ca.decode("ascii"))
    except (ssl.SSLError, ValueError) as error:
        raise ConfigurationError(
            "ca holds no certificate in PEM form; export the issuer's certificate again",
            code="CB-282",
        ) from error


def _show(context: ssl.SSLContext, certificate: ClientCertificate) -> None:
    once = secrets.token_bytes(32).hex().encode("ascii")
    try:
        # `ssl` reads keys from files only. The file is memory where the system has that; the key
        # in it is encrypted under a password that nobody ever sees.
        with _file_holding(_as_pem(certificate, once)) as name:
            context.load_cert_chain(name, password=once)
    except ssl.SSLError as error:
        raise KeyUnavailable(
            f"the client certificate cannot be used ({error.reason or 'TLS refuses it'}); "
            "take the certificate that was issued for this key",
            code="CB-314",
        ) from error


def _as_pem(certificate: ClientCertificate, password: bytes) -> bytes:
    secret = None if certificate.password is None else certificate.password.encode()
    try:
        store = pkcs12.load_pkcs12(certificate.pkcs12, secret)
    except (ValueError, TypeError) as error:
        # cryptography tells a wrong password from a broken file in its words only.
        if "password" in str(error).lower():
            raise KeyUnavailable(
                "the client certificate does not open with this password; check the password",
                code="CB-311",
            ) from error
        raise KeyUnavailable("the client certificate is not a readable PKCS#12 file") from error
    if store.key is None or store.cert is None:
        raise KeyUnavailable(
            "the client certificate's PKCS#12 file lacks the key or its certificate; "
            "export it again with both",
            code="CB-312" if store.key is None else "CB-313",
        )
    key = store.key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password)
    )
    chain = (store.cert, *store.additional_certs)
    return key + b"".join(entry.certificate.public_bytes(Encoding.PEM) for entry in chain)


@contextmanager
def _file_holding(data: bytes) -> Iterator[str]:
    """Give a path to ``data`` that is gone afterwards: memory on Linux, else a 0600 file."""
    if hasattr(os, "memfd_create") and _OPEN_FILES.is_dir():
        with os.fdopen(os.memfd_create("claimbridge"), "wb") as memory:
            memory.write(data)
            memory.flush()
            yield str(_OPEN_FILES / str(memory.fileno()))
        return
    descriptor, name = tempfile.mkstemp(prefix="claimbridge-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        yield name
    finally:
        Path(name).unlink()


def greet(settings: TransportSettings, *, tls: bool) -> str:
    """Connect and hang up, with ``tls`` after its handshake; return what answered.

    No request is made, and no proxy used. Raises NotDelivered or DeliveryRefused as a transport
    does, and what an unusable ``ca`` or client certificate raises.
    """
    address = settings.address
    place = f"{address.host}:{address.port}"
    try:
        with socket.create_connection((address.host, address.port), settings.connect) as plain:
            if not (tls and address.secure):
                return f"{place} answers"
            context = tls_context(settings)
            with context.wrap_socket(plain, server_hostname=address.host) as secure:
                return f"{place} answers, and its certificate is good ({secure.version()})"
    except OSError as error:
        raise unreachable(error, place=place, seconds=settings.connect) from error
