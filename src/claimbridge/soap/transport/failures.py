"""What an exception on the way means: before the request nothing, after it anything."""

from __future__ import annotations

import socket
import ssl

from claimbridge.errors import DeliveryRefused, NotDelivered, OutcomeUnknown

# X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH
_OTHER_HOST = {62, 64}

# RFC 8446 §6.2: what a server says about a client certificate, or the lack of one. In TLS 1.3 our
# side of the handshake is over by then and the request is on its way, but the server ends the
# connection without ever reading it.
_CERTIFICATE_ALERTS = {
    "SSLV3_ALERT_BAD_CERTIFICATE",
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
    "SSLV3_ALERT_CERTIFICATE_REVOKED",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
    "TLSV1_ALERT_UNKNOWN_CA",
    "TLSV1_ALERT_ACCESS_DENIED",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED",
}


def unreachable(error: OSError, *, place: str, seconds: float) -> NotDelivered:
    """Return what ``error`` means that came before the first byte of the request.

    ``seconds`` is the time that was given.
    """
    if refusal := certificate_refusal(error, place=place):
        return refusal
    if isinstance(error, ssl.SSLCertVerificationError):
        return _bad_certificate(error, place)
    if isinstance(error, TimeoutError):
        return NotDelivered(
            f"{place} gave no connection within {seconds:g} s; try again, or check the network",
            code="CB-414",
        )
    if isinstance(error, ssl.SSLError):
        return NotDelivered(
            f"the TLS handshake with {place} failed ({error.reason or 'cut off'}); "
            "the server must offer TLS 1.2 or later",
            code="CB-415",
        )
    if isinstance(error, socket.gaierror):
        return NotDelivered(
            f"the host name of {place} does not resolve ({error.strerror}); "
            "check the name, or the name server",
            code="CB-412",
        )
    why = error.strerror or "connection refused or cut off"
    return NotDelivered(f"{place} cannot be reached ({why}); try again", code="CB-413")


def certificate_refusal(error: BaseException, *, place: str) -> DeliveryRefused | None:
    """Return the refusal if TLS says no to our client certificate; None for any other error."""
    if isinstance(error, ssl.SSLError) and error.reason in _CERTIFICATE_ALERTS:
        said = error.reason.lower().rpartition("alert_")[2].replace("_", " ")
        return credentials_refused(f"{place} does not accept our client certificate ({said})")
    return None


def credentials_refused(what: str) -> DeliveryRefused:
    """Return the error for credentials that were shown and not accepted."""
    return DeliveryRefused(
        f"{what}; fix them before trying again, or the account may be locked", code="CB-418"
    )


def tunnel_refused(status: int, *, place: str) -> NotDelivered:
    """Return what it means that the proxy answered CONNECT with ``status``."""
    if status == 407:
        return credentials_refused(f"the proxy before {place} does not accept our credentials")
    return NotDelivered(
        f"the proxy does not connect to {place} (HTTP {status}); try again, or check the proxy",
        code="CB-413",
    )


def busy(*, place: str, seconds: float) -> NotDelivered:
    """Return the error for a pool that stayed empty."""
    return NotDelivered(
        f"all connections to {place} stayed busy for {seconds:g} s; "
        "send fewer at once, or raise pool",
        code="CB-416",
    )


def after_close(*, place: str) -> DeliveryRefused:
    """Return the error for the use of a transport after its end."""
    return DeliveryRefused(f"the transport to {place} is closed; open a new client", code="CB-410")


def standstill(*, place: str) -> NotDelivered:
    """Return the error for a process that stood still between its last check and the sending."""
    return NotDelivered(
        f"this process stood still just before it sent to {place}; another may have taken the "
        "claim over since, so nothing was sent; try again",
        code="CB-413",
    )


def late(*, place: str, seconds: float) -> OutcomeUnknown:
    """Return the error for a reply that was not complete in time."""
    return OutcomeUnknown(
        f"{place} gave no complete answer within {seconds:g} s; reconcile before sending again",
        code="CB-460",
    )


def break_off(error: BaseException, *, place: str) -> OutcomeUnknown:
    """Return the error for a connection, or HTTP itself, that broke before the reply's end."""
    return OutcomeUnknown(
        f"the answer of {place} broke off ({type(error).__name__}); reconcile before sending again",
        code="CB-461",
    )


def _bad_certificate(error: ssl.SSLCertVerificationError, place: str) -> DeliveryRefused:
    if error.verify_code in _OTHER_HOST:
        what = "was issued for another host name; use the name in the certificate as the endpoint"
    else:
        what = (
            f"is not to be trusted ({error.verify_message}); "
            "if its issuer is your own, add that issuer's certificate as ca"
        )
    return DeliveryRefused(f"the certificate of {place} {what}", code="CB-415")
