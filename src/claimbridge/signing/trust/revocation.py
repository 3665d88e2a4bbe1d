"""Certificates revoked before their time: judged by local lists and responses, never fetched.

Lists (RFC 5280 §5 and §6.3) count when the issuer itself signed them. A list that *names* a
certificate counts against it in any scope. A list that does not name it proves something only if
the list is complete (no issuing distribution point, no delta). ``claimbridge.signing.trust.ocsp``
judges what responders say of single certificates.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from claimbridge.errors import ConfigurationError, SignerUntrusted
from claimbridge.signing.keys.certificates import name_of
from claimbridge.signing.trust.ocsp import answers, read_response

_HASHES = ("sha256", "sha384", "sha512")


class Revocations:
    """One policy's lists and responses; immutable, so threads may share it.

    ``required``: a list or a response in force must vouch for a certificate, or it is refused.
    """

    def __init__(
        self, crls: Sequence[bytes], responses: Sequence[bytes], *, required: bool
    ) -> None:
        self._lists = [read_list(data) for data in crls]
        self._responses = [read_response(data) for data in responses]
        self._required = required

    def moments(self) -> Iterator[datetime]:
        """Yield every moment at which a verdict may change."""
        for one in self._lists:
            yield one.last_update_utc
            if one.next_update_utc is not None:
                yield one.next_update_utc
            yield from (entry.revocation_date_utc for entry in one)
        for response in self._responses:
            for said in response.responses:
                yield said.this_update_utc
                yield from filter(None, (said.next_update_utc, said.revocation_time_utc))
        # A delegate must be valid too.
        for delegate in (one for response in self._responses for one in response.certificates):
            yield from (delegate.not_valid_before_utc, delegate.not_valid_after_utc)

    def check(self, path: Sequence[x509.Certificate], at: datetime) -> None:
        """Refuse a path, signer first and anchor last, with a certificate revoked by ``at``.

        Raises SignerUntrusted CB-348 for a revoked certificate, CB-349 if that is not known. The
        anchor is trusted by decree. An old list or response still counts for the revoked ones.
        """
        for certificate, issuer in itertools.pairwise(path):
            own = [one for one in self._lists if _is_by(one, issuer)]
            for one in own:
                _check_since(_since(one, certificate), certificate, at)
            delegates = partial(self._is_revoked, own, issuer)
            said = list(answers(self._responses, certificate, issuer, at, delegates=delegates))
            for answer in said:
                _check_since(answer.revoked, certificate, at)
            vouched = any(_vouches(one, at) for one in own) or any(one.good for one in said)
            if self._required and not vouched:
                raise SignerUntrusted(
                    f"it is not known whether {name_of(certificate)} was revoked: there is no list "
                    f"of its issuer and no OCSP response in force at {at.isoformat()}; get a "
                    "new one",
                    code="CB-349",
                )

    def _is_revoked(
        self,
        lists: Sequence[x509.CertificateRevocationList],
        issuer: x509.Certificate,
        delegate: x509.Certificate,
        at: datetime,
    ) -> bool:
        """Say whether the issuer revoked a delegate by ``at``, by its lists or its own word."""
        said = answers(self._responses, delegate, issuer, at, delegates=None)
        since = [*(_since(one, delegate) for one in lists), *(one.revoked for one in said)]
        return any(one is not None and one <= at for one in since)


def read_list(data: bytes) -> x509.CertificateRevocationList:
    """Return a list, PEM or DER, that can be read in every part; raises ConfigurationError."""
    pem = data.lstrip().startswith(b"-----BEGIN")
    try:
        found = x509.load_pem_x509_crl(data) if pem else x509.load_der_x509_crl(data)
        _ = found.issuer, found.extensions, found.last_update_utc, found.next_update_utc
        _ = [(entry.serial_number, entry.revocation_date_utc, entry.extensions) for entry in found]
    except Exception as error:
        # ValueError, and what cryptography raises for parts that are broken.
        raise ConfigurationError(
            "a revocation list cannot be read; give it as a PEM or DER file", code="CB-346"
        ) from error
    return found


def _is_by(one: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    if one.issuer != issuer.subject:
        return False
    try:
        usage = issuer.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        pass  # RFC 5280 §6.3.3 (f) asks only where key usage is there
    else:
        if not usage.crl_sign:
            return False
    key = issuer.public_key()
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        return False
    try:
        strong = one.signature_hash_algorithm
        return strong is not None and strong.name in _HASHES and one.is_signature_valid(key)
    except UnsupportedAlgorithm:
        return False


def _since(one: x509.CertificateRevocationList, certificate: x509.Certificate) -> datetime | None:
    """Return since when the list names a certificate; None when it does not."""
    if one.get_revoked_certificate_by_serial_number(certificate.serial_number) is None:
        return None
    found = []
    issuer = one.issuer
    for entry in one:
        issuer = _issuer_in(entry) or issuer
        ours = entry.serial_number == certificate.serial_number and issuer == certificate.issuer
        if ours and not _is_let_go(entry):
            found.append(entry.revocation_date_utc)
    return min(found, default=None)


def _issuer_in(entry: x509.RevokedCertificate) -> x509.Name | None:
    """Return whose certificates an indirect list names from this entry on (RFC 5280 §5.3.3)."""
    try:
        names = entry.extensions.get_extension_for_class(x509.CertificateIssuer).value
    except x509.ExtensionNotFound:
        return None
    return next(iter(names.get_values_for_type(x509.DirectoryName)), None)


def _is_let_go(entry: x509.RevokedCertificate) -> bool:
    """Say whether a delta says that a certificate is on hold no longer (§5.3.1)."""
    try:
        reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except x509.ExtensionNotFound:
        return False
    return reason is x509.ReasonFlags.remove_from_crl


def _check_since(since: datetime | None, certificate: x509.Certificate, at: datetime) -> None:
    if since is not None and since <= at:
        raise SignerUntrusted(
            f"{name_of(certificate)} was revoked at {since.isoformat()}", code="CB-348"
        )


def _vouches(one: x509.CertificateRevocationList, at: datetime) -> bool:
    """Say whether the list is complete and in force, so that its silence counts."""
    if any(extension.critical for extension in one.extensions):
        return False
    # RFC 5280 §5.1.2.5: every list must say when the next one comes; a list without it is old.
    until = one.next_update_utc
    return until is not None and one.last_update_utc <= at <= until
