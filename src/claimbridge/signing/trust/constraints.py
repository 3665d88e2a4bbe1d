"""Name constraints (RFC 5280 §4.2.1.10) where the path verifier does not apply them.

It holds alternative names against them, and nothing of a subject. Here is what we compare of a
subject (its CN), or what the standard binds (its mail address).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Sequence

from cryptography import x509
from cryptography.x509.oid import NameOID

from claimbridge.errors import SignerUntrusted

_Fits = Callable[[str, x509.GeneralName], bool]


def check_mail_names(path: Sequence[x509.Certificate]) -> None:
    """Refuse a path with constraints on mail addresses where a subject holds one.

    RFC 5280 §4.2.1.10 applies them to the subject's emailAddress too.
    """
    limited = any(
        isinstance(name, x509.RFC822Name)
        for one in _constraints(path)
        for name in (*(one.permitted_subtrees or ()), *(one.excluded_subtrees or ()))
    )
    if limited:
        for one in path:
            if one.subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS):
                raise SignerUntrusted(
                    f"{_named(one)} has a mail address in its subject, where an issuer limits "
                    "mail addresses; have it moved to the alternative names"
                )


def check_common_name(name: str, path: Sequence[x509.Certificate]) -> None:
    """Refuse a signer's CN that an issuer in ``path`` may not give (CB-355).

    ``path`` is signer first. A CN that is compared counts for a name: for an IP address or a mail
    address where it reads as one, else for a DNS name. So under an issuer who is limited to some
    DNS names a CN that is none of these does not count either.
    """
    kind, fits = _kind(name)
    for one in _constraints(path[1:]):
        permitted = [each for each in one.permitted_subtrees or () if isinstance(each, kind)]
        excluded = [each for each in one.excluded_subtrees or () if isinstance(each, kind)]
        if (permitted and not any(fits(name, each) for each in permitted)) or any(
            fits(spelt, each) for each in excluded for spelt in _spellings(name)
        ):
            raise SignerUntrusted(
                f"{_named(path[0])} has a common name that one of its issuers may not give (name "
                "constraints); ask for a certificate of an issuer who may",
                code="CB-355",
            )


def _constraints(path: Sequence[x509.Certificate]) -> Iterator[x509.NameConstraints]:
    for one in path:
        try:
            yield one.extensions.get_extension_for_class(x509.NameConstraints).value
        except x509.ExtensionNotFound:
            continue


def _kind(name: str) -> tuple[type[x509.GeneralName], _Fits]:
    """Return the kind of name that a CN reads as, and what tells whether it is in a subtree."""
    try:
        ipaddress.ip_address(name.strip())
    except ValueError:
        return (x509.RFC822Name, _mail_fits) if "@" in name else (x509.DNSName, _host_fits)
    return x509.IPAddress, _address_fits


def _spellings(name: str) -> Iterator[str]:
    """Yield the name, and what it is in the letters of the DNS."""
    yield name
    try:
        yield name.encode("idna").decode("ascii")
    except UnicodeError:
        return


def _address_fits(name: str, subtree: x509.GeneralName) -> bool:
    network = subtree.value
    if not isinstance(network, ipaddress.IPv4Network | ipaddress.IPv6Network):
        return False
    return ipaddress.ip_address(name.strip()) in network


def _mail_fits(name: str, subtree: x509.GeneralName) -> bool:
    limit = str(subtree.value)
    if "@" in limit:
        return name.lower() == limit.lower()
    host = name.rpartition("@")[2]
    if limit.startswith("."):
        return _plain(host).endswith(_plain(limit))
    return _plain(host) == _plain(limit)


def _host_fits(name: str, subtree: x509.GeneralName) -> bool:
    host, limit = _plain(name), _plain(str(subtree.value))
    if limit == "":
        return True
    return host.endswith(limit if limit.startswith(".") else f".{limit}") or host == limit


def _plain(host: str) -> str:
    return host.strip().lower().rstrip(".")


def _named(certificate: x509.Certificate) -> str:
    return f"the certificate of {certificate.subject.rfc4514_string()!r}"
