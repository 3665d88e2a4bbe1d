"""Whether vouchers carry the signatures that this sandbox demands."""

from __future__ import annotations

import re
from typing import Final

from lxml import etree

from claimbridge.clock import SYSTEM, Clock
from claimbridge.errors import (
    ConfigurationError,
    DocumentError,
    SignatureInvalid,
    SignerUntrusted,
    SigningError,
)
from claimbridge.sandbox.kit.documents import Objection
from claimbridge.signing import Policy, Verifier

_DS: Final = "{http://www.w3.org/2000/09/xmldsig#}"


class Signatures:
    """With ``trust`` (PEM anchors) every voucher must carry a valid signature under them.

    Without ``trust``, unsigned vouchers are accepted; a signature must still fit the voucher and
    its own certificate. Raises ConfigurationError for certificates that cannot be read.
    """

    def __init__(self, trust: bytes | None = None, *, clock: Clock = SYSTEM) -> None:
        self._clock = clock
        self._verifier = Verifier(Policy(trust=trust), clock=clock) if trust else None

    def read(self, voucher: etree._Element) -> etree._Element | Objection:
        """Return the voucher to book, of a signed one only the signed content; or why not."""
        if voucher.find(f"{_DS}Signature") is None:
            if self._verifier is None:
                return voucher
            return Objection("signature-missing", "this ledger takes signed vouchers only")
        try:
            verifier = self._verifier or self._self_signed(voucher)
            # A copy of the voucher alone: a signature that covers anything else is refused.
            return verifier.verify(etree.tostring(voucher, with_tail=False)).element()
        except SignerUntrusted as error:
            return Objection("signer-untrusted", error.message[:1000])
        except (SigningError, DocumentError, ConfigurationError) as error:
            return Objection("signature-invalid", error.message[:1000])

    def read_all(self, request: etree._Element, element: str) -> list[etree._Element | Objection]:
        """Return the same for every voucher of a request, which may carry one signature over all.

        Each voucher has its own verdict; an invalid signature over all refuses all of them.
        """
        vouchers = list(request.iterchildren(element))
        if request.find(f"{_DS}Signature") is None:
            return [self.read(voucher) for voucher in vouchers]
        try:
            verifier = self._verifier or self._self_signed(request)
            alone = etree.tostring(request, with_tail=False)
            verdicts = verifier.verify_together(alone, element)
        except SignerUntrusted as error:
            return [Objection("signer-untrusted", error.message[:1000])] * len(vouchers)
        except (SigningError, DocumentError, ConfigurationError) as error:
            return [Objection("signature-invalid", error.message[:1000])] * len(vouchers)
        return [
            Objection("signature-invalid", verdict.message[:1000])
            if isinstance(verdict, SignatureInvalid)
            else verdict.element()
            for verdict in verdicts
        ]

    def _self_signed(self, voucher: etree._Element) -> Verifier:
        """Return a verifier that trusts the signature's own certificate: it proves integrity."""
        encoded = voucher.findtext(f"{_DS}Signature/{_DS}KeyInfo//{_DS}X509Certificate") or ""
        if not re.fullmatch(r"[A-Za-z0-9+/=\s]+", encoded):
            raise SigningError("the signature names no certificate")
        body = "\n".join(re.findall(".{1,64}", "".join(encoded.split())))
        pem = f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"
        return Verifier(Policy(pin=pem.encode()), clock=self._clock)
