"""Every error claimbridge raises, in one tree.

    ClaimBridgeError              .code  .retryable  .claim_id
    ├─ ConfigurationError         fix the set-up
    │  ├─ ContractError           the WSDL or XSD cannot be used
    │  │  └─ ContractDrift        a file differs from its lock
    │  ├─ JournalError            the journal cannot be read or written
    │  └─ MissingExtra            an optional dependency is not installed
    ├─ ClaimError                 fix the claim
    │  ├─ MappingError            the chart has no answer for it
    │  ├─ UnbalancedVoucher       debits and credits differ
    │  └─ SchemaViolation         .findings: the contract forbids it
    ├─ DocumentError              XML that is malformed, hostile or beyond the limits
    ├─ SigningError
    │  ├─ KeyUnavailable          no key, wrong password, key and certificate differ
    │  ├─ SignatureInvalid        the bytes are not what was signed
    │  └─ SignerUntrusted         signed, but not by someone we trust
    └─ DeliveryError              .reference  .attempt
       ├─ NotDelivered            never reached the ERP: try again
       │  └─ DeliveryRefused      and never will until somebody fixes the set-up
       ├─ OutcomeUnknown          may be posted: reconcile, never resend blindly
       ├─ LedgerRejection         the ERP said no: .reasons
       ├─ LedgerUnavailable       a technical no: .retry_after
       └─ ConflictingSubmission   the same claim revision with other content, or out of order

``code`` is stable and documented in ``docs/errors.md``. No code ever gets another meaning.
``str(error)`` is ``CB-nnn [claim X:] what happened; what to do``. It holds no secret, no bank
account and no whole document.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from claimbridge.findings import Finding, Reason


_UNSEEN: Final = (
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xa0\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2"
    "\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\u2800\u3164\ud800-\udfff\ue000-\uf8ff\ufeff\uffa0\ufff0-\uffff\U000110bd\U000110cd"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U0010ffff]"
    # A joiner or a selector belongs to an emoji; elsewhere it hides.
    "|(?<![\u2190-\u2bff\ufe0f\U0001f000-\U0001faff])[\u200d\ufe00-\ufe0f]"
)
"""Unicode's control and format characters, and others that have no visible form."""
_HIDDEN: Final = re.compile(_UNSEEN)
_HIDDEN_OR_BREAKS: Final = re.compile(f"\n|{_UNSEEN}")


def spelt(text: str, *, breaks: bool = False) -> str:
    """Return a text in which a reader sees every character: ``CN01<U+200B>`` for an unseen one.

    Tabs, ends of lines and the joiners of emoji stay. With ``breaks`` ends of lines are spelt too:
    a text from outside then cannot look like a line of ours.
    """
    if text.isascii() and text.isprintable():
        return text
    hidden = _HIDDEN_OR_BREAKS if breaks else _HIDDEN
    return hidden.sub(lambda match: f"<U+{ord(match[0]):04X}>", text)


class ClaimBridgeError(Exception):
    """The root: catching it catches everything that claimbridge raises.

    ``claim_id`` is None where the error does not concern one claim.
    """

    default_code: ClassVar[str] = "CB-000"
    retryable: ClassVar[bool] = False

    def __init__(
        self, message: str, *, code: str | None = None, claim_id: str | None = None
    ) -> None:
        super().__init__(message)
        self.message: str = message
        self.code: str = code or self.default_code
        self.claim_id: str | None = claim_id

    def __str__(self) -> str:
        about = f"claim {self.claim_id}: " if self.claim_id else ""
        return spelt(f"{self.code} {about}{self.message}", breaks=True)

    def __reduce__(self) -> tuple[object, ...]:
        # Exception pickles its positional arguments only; ours are keywords.
        return (_rebuild, (type(self), self.args, self.__dict__))


def _rebuild(
    kind: type[ClaimBridgeError], args: tuple[object, ...], fields: dict[str, object]
) -> ClaimBridgeError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(fields)
    return error


class ConfigurationError(ClaimBridgeError):
    """The set-up is wrong; no claim is at fault."""

    default_code = "CB-200"


class ContractError(ConfigurationError):
    """A WSDL or XSD is missing, malformed, incomplete or asks for something outside its bundle."""

    default_code = "CB-210"


class ContractDrift(ContractError):
    """A file of a locked contract is not the file that was locked."""

    default_code = "CB-211"


class JournalError(ConfigurationError):
    """The journal cannot be read or written; nothing was sent because of that."""

    default_code = "CB-220"


class MissingExtra(ConfigurationError):
    """An optional dependency is needed; the message names the ``pip install`` that brings it."""

    default_code = "CB-230"


@contextlib.contextmanager
def requires_extra(extra: str, *, need: str) -> Iterator[None]:
    """Raise MissingExtra where an import in the block fails; ``extra`` brings what it needs.

    ``need`` says who needs which package. A module of our own that cannot be imported is no extra:
    its error passes unchanged.
    """
    try:
        yield
    except ImportError as error:
        if (error.name or "").partition(".")[0] == "claimbridge":
            raise
        raise MissingExtra(
            f"{need}: pip install 'claimbridge[{extra}]', "
            f"or in a checkout: pip install '.[{extra}]'"
        ) from error


class ClaimError(ClaimBridgeError):
    """Somebody must fix the claim itself before it can be submitted."""

    default_code = "CB-100"


class MappingError(ClaimError):
    """The chart of accounts has no answer for a claim line."""

    default_code = "CB-110"


class UnbalancedVoucher(ClaimError):
    """Debits and credits of a voucher differ in some currency."""

    default_code = "CB-102"


class SchemaViolation(ClaimError):
    """The contract forbids what the claim would send; nothing was sent.

    ``findings`` holds each failed check with its XML path, rule and claim field.
    """

    default_code = "CB-120"

    def __init__(
        self,
        message: str,
        *,
        findings: Sequence[Finding] = (),
        code: str | None = None,
        claim_id: str | None = None,
    ) -> None:
        super().__init__(message, code=code, claim_id=claim_id)
        self.findings: tuple[Finding, ...] = tuple(findings)


class DocumentError(ClaimBridgeError):
    """An XML document is malformed, carries a DTD, or is beyond the parser's limits."""

    default_code = "CB-150"


class SigningError(ClaimBridgeError):
    """Something about keys, signatures or certificates."""

    default_code = "CB-300"


class KeyUnavailable(SigningError):
    """The identity cannot be opened or its key and certificate do not belong together."""

    default_code = "CB-310"


class SignatureInvalid(SigningError):
    """The document is unsigned, altered, or signed in a way the policy refuses."""

    default_code = "CB-320"


class SignerUntrusted(SigningError):
    """The certificate that comes with the signature is not one we trust for this.

    Trust is judged first; the signature itself was not checked yet.
    """

    default_code = "CB-330"


class DeliveryError(ClaimBridgeError):
    """A submission did not end in an acknowledgement.

    ``reference`` is what the ERP knows the voucher by; None when no submission was begun.
    ``attempt`` counts from 1; 0 when nothing was sent.
    """

    default_code = "CB-400"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        claim_id: str | None = None,
        reference: str | None = None,
        attempt: int = 0,
    ) -> None:
        super().__init__(message, code=code, claim_id=claim_id)
        self.reference: str | None = reference
        self.attempt: int = attempt


class NotDelivered(DeliveryError):
    """The request never reached the ERP; trying again is safe."""

    default_code = "CB-410"
    retryable = True


class DeliveryRefused(NotDelivered):
    """The request was turned away unread, here or there: nothing was posted.

    Sending it again unchanged is safe but useless, and wrong credentials sent again may lock the
    account. Fix the address, the credentials or the trust first.
    """

    retryable = False


class OutcomeUnknown(DeliveryError):
    """The ERP may hold the voucher: reconcile, never resend blindly.

    ``retry_after`` is the number of seconds after which asking again can bring an answer; None
    when time alone will not (a person is needed).
    """

    default_code = "CB-420"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        claim_id: str | None = None,
        reference: str | None = None,
        attempt: int = 0,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(
            message, code=code, claim_id=claim_id, reference=reference, attempt=attempt
        )
        self.retry_after: float | None = retry_after


class LedgerRejection(DeliveryError):
    """The ERP refused the voucher; ``reasons`` are its own words. Nothing was posted."""

    default_code = "CB-430"

    def __init__(
        self,
        message: str,
        *,
        reasons: Sequence[Reason] = (),
        code: str | None = None,
        claim_id: str | None = None,
        reference: str | None = None,
        attempt: int = 0,
    ) -> None:
        super().__init__(
            message, code=code, claim_id=claim_id, reference=reference, attempt=attempt
        )
        self.reasons: tuple[Reason, ...] = tuple(reasons)


class LedgerUnavailable(DeliveryError):
    """The ERP took nothing in, for a technical reason; trying again is safe.

    ``retry_after`` is the wait in seconds that the ERP asked for; None when it named none.
    """

    default_code = "CB-440"
    retryable = True

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        claim_id: str | None = None,
        reference: str | None = None,
        attempt: int = 0,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(
            message, code=code, claim_id=claim_id, reference=reference, attempt=attempt
        )
        self.retry_after: float | None = retry_after


class ConflictingSubmission(DeliveryError):
    """The claim revision was submitted before with other content, or a later one was."""

    default_code = "CB-450"


class JournalWarning(UserWarning):
    """The journal cannot guarantee "exactly once" here; the text says why."""


class ContractDriftWarning(UserWarning):
    """A reply differs from the contract, without harm; warned of once for each difference."""
