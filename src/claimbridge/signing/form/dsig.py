"""Names and allow-lists of XML signatures: everything that is not here is refused.

Sources: XML Signature 1.1 (W3C 2013), RFC 9231 (algorithm identifiers), Exclusive XML
Canonicalization 1.0, WS-Security 1.1 and its X.509 Certificate Token Profile (OASIS 2006).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

DS: Final = "http://www.w3.org/2000/09/xmldsig#"
SOAP11: Final = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12: Final = "http://www.w3.org/2003/05/soap-envelope"
_OASIS: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
XADES: Final = "http://uri.etsi.org/01903/v1.3.2#"
SIGNED_PROPERTIES: Final = "http://uri.etsi.org/01903#SignedProperties"
WSSE: Final = f"{_OASIS}wssecurity-secext-1.0.xsd"
WSU: Final = f"{_OASIS}wssecurity-utility-1.0.xsd"
WSSE11: Final = "http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd"

EXCLUSIVE_C14N: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED: Final = f"{DS}enveloped-signature"
X509_V3: Final = f"{_OASIS}x509-token-profile-1.0#X509v3"
BASE64_BINARY: Final = f"{_OASIS}soap-message-security-1.0#Base64Binary"

INCLUSIVE_NAMESPACES: Final = f"{{{EXCLUSIVE_C14N}}}InclusiveNamespaces"
SIGNATURE: Final = f"{{{DS}}}Signature"
WSU_ID: Final = f"{{{WSU}}}Id"
XML_ID: Final = "{http://www.w3.org/XML/1998/namespace}id"

# The attributes that may name what a Reference points at. A second attribute that looks like an
# id under any other name never counts for this, but always for uniqueness.
ID_ATTRIBUTES: Final = ("Id", "ID", "id", WSU_ID, XML_ID)

SHA256: Final = "http://www.w3.org/2001/04/xmlenc#sha256"

# Digest identifiers of References, as ``hashlib`` names them.
DIGESTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        SHA256: "sha256",
        "http://www.w3.org/2001/04/xmldsig-more#sha384": "sha384",
        "http://www.w3.org/2001/04/xmlenc#sha512": "sha512",
    }
)


def ds(local: str) -> str:
    """Return the full name of an element of XML Signature."""
    return f"{{{DS}}}{local}"


def xades(local: str) -> str:
    """Return the full name of an element of XAdES."""
    return f"{{{XADES}}}{local}"


def wsse(local: str) -> str:
    """Return the full name of an element of WS-Security."""
    return f"{{{WSSE}}}{local}"


def wsu(local: str) -> str:
    """Return the full name of an element of the WS-Security utilities."""
    return f"{{{WSU}}}{local}"


def digest_value(content: bytes) -> str:
    """Return the SHA-256 digest of ``content`` as the text of a ``DigestValue``."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()
