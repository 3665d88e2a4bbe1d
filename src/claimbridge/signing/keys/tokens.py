"""Keys in a token (an HSM, a smart card): PKCS#11, named by a URI of RFC 7512.

The key never leaves the token. Everything of python-pkcs11 is behind this module, and loaded when
the first token is opened.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from cryptography import x509

from claimbridge.errors import ConfigurationError, KeyUnavailable, requires_extra
from claimbridge.signing.keys.algorithms import Algorithm
from claimbridge.signing.keys.certificates import UnreadableCertificate, from_der, public_key_of
from claimbridge.signing.keys.identity import Identity
from claimbridge.signing.keys.keys import algorithm_for
from claimbridge.turns import Turn

SCHEME: Final = "pkcs11:"
_PATH: Final = frozenset({"token", "serial", "object", "id", "type"})
_QUERY: Final = frozenset({"module-path"})


def open_token(
    uri: str, *, pin: bytes | None = None, algorithm: Algorithm | None = None
) -> Identity:
    """Open the key and the certificate that ``uri`` names, in their token.

    ``pkcs11:token=LABEL;object=LABEL?module-path=/usr/lib/…`` (RFC 7512; ``serial`` and ``id`` may
    name them too). ``pin`` is None for a token that asks for none; ``algorithm`` None for the one
    that suits the key. A certificate with the key's id or label must lie in the token.

    Raises ConfigurationError CB-360 for a URI that names no key, and MissingExtra without
    python-pkcs11. Raises KeyUnavailable: CB-361 no such module or token, CB-311 wrong PIN, CB-312
    no such key, CB-319 several keys, CB-313 no certificate. Raises as Identity does.
    """
    named = _read(uri)
    library = _library()
    try:
        session = _session(library, named, pin)
        key = _find_key(library, session, named)
        certificate = _find_certificate(library, session, named)
    except library.exceptions.PKCS11Error as error:
        raise KeyUnavailable(
            "the token does not answer as expected; see the cause", code="CB-361"
        ) from error
    chosen = algorithm_for(public_key_of(certificate), algorithm)
    return Identity(TokenKey(key, algorithm=chosen), certificate)


class TokenKey:
    """A key in a token; threads may share it, and take turns at its one session.

    ``key`` is a private key of python-pkcs11, whose types lack ``sign``.
    """

    __slots__ = ("_algorithm", "_key", "_turn")

    def __init__(self, key: Any, *, algorithm: Algorithm) -> None:
        self._key = key
        self._algorithm = algorithm
        self._turn = Turn()

    def __repr__(self) -> str:
        return f"TokenKey({self._algorithm.name})"

    @property
    def algorithm(self) -> Algorithm:
        """What ``sign`` does."""
        return self._algorithm

    def sign(self, data: bytes) -> bytes:
        """Return the token's signature over ``data``."""
        with self._turn.hold():
            if self._algorithm.elliptic:
                # Few tokens hash for ECDSA; all sign a hash.
                data = hashlib.new(self._algorithm.digest, data).digest()
            value: bytes = self._key.sign(data, **_mechanism(self._algorithm))
            return value


def _mechanism(algorithm: Algorithm) -> dict[str, Any]:
    # Any: python-pkcs11 takes parameters of many types.
    from pkcs11 import MGF, Mechanism

    if algorithm.elliptic:
        return {"mechanism": Mechanism.ECDSA}
    name = algorithm.digest.upper()
    if not algorithm.pss:
        return {"mechanism": Mechanism[f"{name}_RSA_PKCS"]}
    salt = hashlib.new(algorithm.digest).digest_size
    return {
        "mechanism": Mechanism[f"{name}_RSA_PKCS_PSS"],
        "mechanism_param": (Mechanism[name], MGF[name], salt),
    }


def _read(uri: str) -> dict[str, bytes]:
    """Return the attributes of a PKCS#11 URI (RFC 7512 §2.3)."""
    path, _, query = uri.removeprefix(SCHEME).partition("?")
    named: dict[str, bytes] = {}
    for part in (*filter(None, path.split(";")), *filter(None, query.split("&"))):
        name, _, value = part.partition("=")
        if name not in (_QUERY if name in query and name not in _PATH else _PATH):
            secret = name.startswith("pin-")
            raise _wrong(
                "remove the PIN and give it as identity_password"
                if secret
                else f"the attribute {name[:30]!r} is unknown"
            )
        named[name] = unquote_to_bytes(value)
    if "module-path" not in named:
        raise _wrong("add module-path=, the path of the token's driver")
    if not named.keys() & {"object", "id"}:
        raise _wrong("name the key by object= or id=")
    if named.get("type", b"private") != b"private":
        raise _wrong("type must be private, or left out")
    return named


def _wrong(why: str) -> ConfigurationError:
    return ConfigurationError(f"the PKCS#11 URI of the identity: {why}", code="CB-360")


def _library() -> Any:
    # Any: the module itself, which is there or not.
    with requires_extra("pkcs11", need="keys in a token need python-pkcs11"):
        import pkcs11
    return pkcs11


def _session(library: Any, named: Mapping[str, bytes], pin: bytes | None) -> Any:
    module = Path(named["module-path"].decode(errors="replace"))
    wanted: dict[str, Any] = {}
    if "token" in named:
        wanted["token_label"] = named["token"].decode(errors="replace")
    if "serial" in named:
        wanted["token_serial"] = named["serial"]
    try:
        token = library.lib(str(module)).get_token(**wanted)
    except (library.exceptions.PKCS11Error, RuntimeError, OSError) as error:
        # An exception of python-pkcs11's own when the module cannot be loaded.
        raise KeyUnavailable(
            f"there is no such token behind {module}; see whether the driver is installed and the "
            "token is plugged in",
            code="CB-361",
        ) from error
    try:
        return token.open(user_pin=None if pin is None else pin.decode(errors="replace"))
    except library.exceptions.UserAlreadyLoggedIn:
        # PKCS#11 §5.6: a process logs in to a token once, for all its sessions.
        return token.open()
    except library.exceptions.PKCS11Error as error:
        # PinIncorrect, PinLenRange, PinLocked, …: only the token knows the reason.
        raise KeyUnavailable(
            "the token does not open with this PIN; check it before the token locks itself",
            code="CB-311",
        ) from error


def _find_key(library: Any, session: Any, named: Mapping[str, bytes]) -> Any:
    found = list(session.get_objects(_template(library, named, "PRIVATE_KEY")))
    if len(found) != 1:
        raise KeyUnavailable(
            f"the token holds {len(found)} private keys of this name; it must name one (without "
            "the PIN, a token shows none)",
            code="CB-319" if found else "CB-312",
        )
    return found[0]


def _find_certificate(library: Any, session: Any, named: Mapping[str, bytes]) -> x509.Certificate:
    for found in session.get_objects(_template(library, named, "CERTIFICATE")):
        try:
            return from_der(bytes(found[library.Attribute.VALUE]))
        except UnreadableCertificate as error:
            raise KeyUnavailable("the certificate in the token cannot be read") from error
    raise KeyUnavailable(
        "the token holds the key but no certificate of its id or label; put it beside the key",
        code="CB-313",
    )


def _template(library: Any, named: Mapping[str, bytes], kind: str) -> dict[Any, Any]:
    template = {library.Attribute.CLASS: library.ObjectClass[kind]}
    if "object" in named:
        template[library.Attribute.LABEL] = named["object"].decode(errors="replace")
    if "id" in named:
        template[library.Attribute.ID] = named["id"]
    return template
