"""Timestamps of RFC 3161: an authority says that bytes, an archived voucher, existed at a moment.

Nothing here uses the network: ``claimbridge.soap.transport.timestamping`` sends the request. The
reply is kept beside the bytes and verified offline, for as long as the authority's root is trusted.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from cryptography import x509

from claimbridge.errors import SignatureInvalid, SignerUntrusted, SigningError, requires_extra
from claimbridge.signing.form.given import check_bytes
from claimbridge.signing.keys.certificates import from_der
from claimbridge.signing.trust.policy import read_certificates
from claimbridge.signing.trust.sizes import refuse_huge

MAXIMUM_REPLY: Final = 100_000


class Question(msgspec.Struct, frozen=True):
    """A request for a timestamp, and the nonce in it."""

    request: bytes
    nonce: int


def timestamp_request(content: bytes) -> bytes:
    """Return the request of ``question``, for callers that verify without its nonce."""
    return question(content).request


def question(content: bytes) -> Question:
    """Return a request for a timestamp over ``content``, with a nonce, for the certificate too.

    Raises SigningError CB-302 for empty content, MissingExtra without rfc3161-client.
    """
    if not content:
        raise SigningError("there is nothing to be given a timestamp", code="CB-302")
    library = _library()
    builder = library.TimestampRequestBuilder(content, library.HashAlgorithm.SHA256)
    built = builder.build()
    return Question(built.as_bytes(), built.nonce)


def verify_timestamp(
    content: bytes, reply: bytes, *, trust: bytes, nonce: int | None = None
) -> datetime:
    """Return when an authority saw ``content``, by its ``reply``; in UTC.

    ``trust`` is PEM text of the roots that authorities must lead up to. The authority's certificate
    must have been valid at that moment, and issued for time stamping. ``nonce`` is that of the
    question, and must have come back; None: not known any more.

    Raises SignatureInvalid: CB-370 not a timestamp, or a refusal; CB-328 about other bytes; CB-373
    the answer to another question. Raises SignerUntrusted CB-371 when the authority does not count,
    ConfigurationError CB-346, MissingExtra.
    """
    check_bytes(content, what="what was given a timestamp")
    check_bytes(reply, what="the authority's reply")
    library = _library()
    stamp = _read(library, reply)
    refuse_huge(_certificates(stamp))
    builder = library.VerifierBuilder()
    for root in dict.fromkeys(read_certificates(trust)):
        builder = builder.add_root_certificate(root)
    if nonce is not None:
        builder = builder.nonce(nonce)
    try:
        builder.build().verify_message(stamp, content)
    except library.VerificationError as error:
        # Only the library's words distinguish these cases.
        if "between messages" in str(error):
            raise SignatureInvalid(
                "the timestamp is about other bytes: the content was altered since", code="CB-328"
            ) from error
        if "Nonce" in str(error):
            raise SignatureInvalid(
                "the timestamp answers another request: it may be an old one", code="CB-373"
            ) from error
        raise SignerUntrusted(
            "the timestamp is not by an authority that counts; see the cause, and whether its "
            "root is among the trusted ones",
            code="CB-371",
        ) from error
    except Exception as error:
        # ValueError and TypeError of damaged certificates, and what a later release may add.
        raise _no_timestamp() from error
    moment: datetime = stamp.tst_info.gen_time
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _read(library: Any, reply: bytes) -> Any:
    # Any: the library is there or not; its objects stay in this module.
    if len(reply) > MAXIMUM_REPLY:
        raise _no_timestamp()
    try:
        stamp = library.decode_timestamp_response(reply)
        granted = library.PKIStatus(stamp.status) == library.PKIStatus.GRANTED
    except Exception as error:
        # ValueError for other DER, and what a later release may add.
        raise _no_timestamp() from error
    if not granted:
        raise SignatureInvalid("the authority refused to give a timestamp", code="CB-370")
    return stamp


def _certificates(stamp: Any) -> list[x509.Certificate]:
    try:
        return [from_der(one) for one in stamp.signed_data.certificates]
    except Exception as error:
        # UnreadableCertificate, and what the library raises for a reply without signed data.
        raise _no_timestamp() from error


def _no_timestamp() -> SignatureInvalid:
    return SignatureInvalid(
        "the authority's reply is not a timestamp; ask again, or see what answered", code="CB-370"
    )


def _library() -> Any:
    with requires_extra("tsa", need="timestamps need rfc3161-client"):
        import rfc3161_client
    return rfc3161_client
