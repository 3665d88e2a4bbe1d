"""Name constraints (RFC 5280 §4.2.1.10) that the path verifier does not apply.

The path verifier applies them to alternative names, but not to subjects. Here they are applied to
the parts of a subject that count: its CN, which we compare, and its mail address, by the standard.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Sequence

from cryptography import x509
from cryptography.x509.oid import NameOID

from claimbridge.errors import SignerUntrusted
from claimbridge.signing.keys.certificates import name_of

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
                    f"{name_of(one)} has a mail address in its subject, where an issuer limits "
                    "mail addresses; have it moved to the alternative names"
                )


def check_common_name(name: str, path: Sequence[x509.Certificate]) -> None:
    """Refuse a signer's CN that an issuer in ``path`` may not give (CB-355).

    ``path`` is signer first. A CN counts as an IP address or a mail address if it reads as one,
    otherwise as a DNS name. So an issuer that is limited to some DNS names may give only these as
    CNs.
    """
    kind, fits = _kind(name)
    for one in _constraints(path[1:]):
        permitted = [each for each in one.permitted_subtrees or () if isinstance(each, kind)]
        excluded = [each for each in one.excluded_subtrees or () if isinstance(each, kind)]
        if (permitted and not any(fits(name, each) for each in permitted)) or any(
            fits(spelt, each) for each in excluded for spelt in _spellings(name)
        ):
            raise SignerUntrusted(
                f"{name_of(path[0])} has a common name that one of its issuers may not give (name "
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
    """Return the kind of name that a CN reads as, and the test whether it is in a subtree."""
    try:
        ipaddress.ip_address(name.strip())
    except ValueError:
        return (x509.RFC822Name, _mail_fits) if "@" in name else (x509.DNSName, _host_fits)
    return x509.IPAddress, _address_fits


def _spellings(name: str) -> Iterator[str]:
    """Yield the name, and the same in the letters of the DNS."""
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
