"""Makers and verifiers of XML signatures that nobody here wrote, each asked the same way.

A judge answers whether it accepts a signed document, and signs one itself. Those that are slow to
start run once and take a line per job.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Final, Protocol

import msgspec
from cryptography.hazmat.primitives import serialization
from lxml import etree
from signxml.algorithms import (
    CanonicalizationMethod,
    DigestAlgorithm,
    SignatureConstructionMethod,
    SignatureMethod,
)
from signxml.exceptions import InvalidInput, SignXMLException
from signxml.signer import XMLSigner
from signxml.verifier import SignatureConfiguration, XMLVerifier

from claimbridge.signing import Algorithm
from claimbridge.signing.keys.throwaway import Throwaway
from claimbridge.xmlio import canonical, parse

DS: Final = "http://www.w3.org/2000/09/xmldsig#"
EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
SHA256: Final = "http://www.w3.org/2001/04/xmlenc#sha256"
VOUCHER: Final = "{urn:claimbridge:voucher:1}Voucher"
_OASIS: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
WSSE: Final = f"{{{_OASIS}wssecurity-secext-1.0.xsd}}"
WSU: Final = f"{{{_OASIS}wssecurity-utility-1.0.xsd}}"
X509_V3: Final = f"{_OASIS}x509-token-profile-1.0#X509v3"

PASSWORD: Final = "secret"
"""Of the PKCS#12 files; and what a UsernameToken's user is known by."""

DOCUMENTS: Final = ("document", "voucher")
XADES: Final = "xades"
BATCH: Final = "batch"
ENVELOPES: Final = ("soap", "soap+user")


class Signer(msgspec.Struct, frozen=True):
    """Whoever signs, with the files that judges read; the folder is the judges' to write in."""

    made: Throwaway
    folder: Path

    @classmethod
    def stored(cls, made: Throwaway, folder: Path) -> Signer:
        """Write the files: signer.p12, key.pem, signer.crt, ca.pem."""
        key = made.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        files = {
            "signer.p12": made.pkcs12(PASSWORD.encode()),
            "key.pem": key,
            "signer.crt": made.pin,
            "ca.pem": made.trust,
        }
        for name, content in files.items():
            (folder / name).write_bytes(content)
        return cls(made, folder)

    def file(self, name: str) -> Path:
        return self.folder / name

    def holding(self, content: bytes) -> Path:
        """Put a document where a judge can read it."""
        file = self.file("document.xml")
        file.write_bytes(content)
        return file


class Judge(Protocol):
    """One maker's implementation."""

    accepted: tuple[str, ...]
    """The kinds of signature it can verify."""
    signed: tuple[str, ...]
    """The kinds of signature it can make."""
    lacks: frozenset[Algorithm]
    """The algorithms it does not know."""

    def accepts(self, kind: str, algorithm: Algorithm, signed: bytes, by: Signer) -> bool: ...

    def sign(self, kind: str, algorithm: Algorithm, document: bytes, by: Signer) -> bytes:
        """Return ``document`` signed.

        An envelope for it comes as ``prepared`` makes it; a signature with XAdES, or over a batch,
        comes as we made it, and is made anew.
        """
        ...


class Program:
    """A program that answers each line with a line."""

    def __init__(self, command: list[str | Path], env: Mapping[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            bufsize=1,
            env=env,
        )

    def ask(self, *fields: str | Path) -> str:
        asked, answers = self._pipes()
        asked.write("\t".join(map(str, fields)) + "\n")
        answer = answers.readline().strip()
        assert answer, f"the program has ended: {self._process.args}"
        assert not answer.startswith("failed"), answer
        return answer

    def close(self) -> None:
        for pipe in self._pipes():
            pipe.close()
        self._process.wait(timeout=20)

    def _pipes(self) -> tuple[IO[str], IO[str]]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        return self._process.stdin, self._process.stdout


class Xmlsec1:
    """The xmlsec library's command."""

    accepted = (*DOCUMENTS, *ENVELOPES, XADES, BATCH)
    signed = (*DOCUMENTS, *ENVELOPES, XADES, BATCH)

    def __init__(self, path: str) -> None:
        self._path = path
        # It knows PSS since 1.3.
        known = b"rsa-pss" in self._run("--list-transforms").stdout
        self.lacks = frozenset(one for one in Algorithm if one.pss and not known)

    def accepts(self, kind: str, algorithm: Algorithm, signed: bytes, by: Signer) -> bool:
        if kind in ENVELOPES:  # it does not know how to follow a SecurityTokenReference
            key: list[str | Path] = ["--pubkey-cert-pem", by.file("signer.crt")]
        else:
            key = ["--enabled-key-data", "x509", "--trusted-pem", by.file("ca.pem")]
        file = by.holding(signed)
        run = self._run("--verify", *key, *_id_attributes(signed), file, beside=file)
        return run.returncode == 0

    def sign(self, kind: str, algorithm: Algorithm, document: bytes, by: Signer) -> bytes:
        if kind in (XADES, BATCH):
            template = _emptied(document)
        else:
            root = parse(document)
            parent, references, key_info = _to_sign(kind, root)
            parent.append(parse(_template(algorithm, references, key_info).encode()))
            template = etree.tostring(root)
        file, target = by.holding(template), by.file("signed.xml")
        key = f"{by.file('key.pem')},{by.file('signer.crt')}"
        told = ["--privkey-pem", key, "--output", target, *_id_attributes(document)]
        run = self._run("--sign", *told, file, beside=file)
        assert run.returncode == 0, run.stderr
        return target.read_bytes()

    def _run(
        self, *arguments: str | Path, beside: Path | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """Run the command; files of a batch are looked for ``beside`` a file."""
        folder = beside and beside.parent
        command = [self._path, *arguments]
        return subprocess.run(command, capture_output=True, timeout=30, cwd=folder)


class Jdk:
    """javax.xml.crypto, as the JDK brings it."""

    accepted = (*DOCUMENTS, *ENVELOPES, XADES, BATCH)
    signed = (*DOCUMENTS, *ENVELOPES, XADES, BATCH)
    lacks: frozenset[Algorithm] = frozenset()

    def __init__(self, program: Program) -> None:
        self._program = program

    def accepts(self, kind: str, algorithm: Algorithm, signed: bytes, by: Signer) -> bool:
        file = by.holding(signed)
        return self._program.ask("verify", by.file("signer.crt"), file) == "valid"

    def sign(self, kind: str, algorithm: Algorithm, document: bytes, by: Signer) -> bytes:
        target = by.file("signed.xml")
        key = (by.file("signer.p12"), PASSWORD)
        self._program.ask("sign", kind, algorithm, *key, by.holding(document), target)
        return target.read_bytes()


class Wss4j:
    """Apache WSS4J, which makes its own header: what ``prepared`` left there goes first."""

    accepted = signed = ENVELOPES
    lacks: frozenset[Algorithm] = frozenset()

    def __init__(self, program: Program) -> None:
        self._program = program

    def accepts(self, kind: str, algorithm: Algorithm, signed: bytes, by: Signer) -> bool:
        answer = self._program.ask("verify", by.file("ca.pem"), PASSWORD, by.holding(signed))
        return answer == "valid"

    def sign(self, kind: str, algorithm: Algorithm, document: bytes, by: Signer) -> bytes:
        root, target = parse(document), by.file("signed.xml")
        for block in list(root.iter(f"{WSSE}BinarySecurityToken", f"{WSU}Timestamp")):
            parent = block.getparent()
            assert parent is not None
            parent.remove(block)
        plain = by.holding(etree.tostring(root))
        self._program.ask("sign", algorithm, by.file("signer.p12"), PASSWORD, plain, target)
        return target.read_bytes()


class XmlCrypto:
    """npm's xml-crypto: RSA, and not with every hash."""

    accepted = (*DOCUMENTS, *ENVELOPES, XADES)
    signed = (*DOCUMENTS, *ENVELOPES)
    lacks = frozenset(Algorithm) - {
        Algorithm.RSA_SHA256,
        Algorithm.RSA_SHA512,
        Algorithm.RSA_PSS_SHA256,
    }

    def __init__(self, program: Program) -> None:
        self._program = program

    def accepts(self, kind: str, algorithm: Algorithm, signed: bytes, by: Signer) -> bool:
        file = by.holding(signed)
        return self._program.ask("verify", kind, by.file("signer.crt"), file) == "valid"

    def sign(self, kind: str, algorithm: Algorithm, document: bytes, by: Signer) -> bytes:
        target = by.file("signed.xml")
        token = _to_sign(kind, parse(document))[2]
        pair = (by.file("key.pem"), by.file("signer.crt"))
        self._program.ask("sign", kind, algorithm, *pair, token, by.holding(document), target)
        return target.read_bytes()


class Signxml:
    """Python's signxml."""

    accepted = (*DOCUMENTS, *ENVELOPES, XADES, BATCH)
    # Its own XAdES is not valid with exclusive C14N: SignedProperties go without that Transform.
    signed = (*DOCUMENTS, *ENVELOPES)
    lacks: frozenset[Algorithm] = frozenset()

    def accepts(self, kind: str, algorithm: Algorithm, signed: bytes, by: Signer) -> bool:
        expected = SignatureConfiguration(
            location="./" if kind in ("document", XADES) else ".//",
            signature_methods=frozenset({SignatureMethod(str(algorithm))}),
            expect_references=len(parse(signed).findall(f".//{{{DS}}}Reference")),
        )
        try:
            XMLVerifier().verify(
                signed,
                x509_cert=by.made.pin.decode(),
                expect_config=expected,
                id_attribute="Id",
                uri_resolver=lambda name: by.file(name).read_bytes(),
            )
        except (SignXMLException, InvalidInput):
            return False
        return True

    def sign(self, kind: str, algorithm: Algorithm, document: bytes, by: Signer) -> bytes:
        root = parse(document)
        parent, references, key_info = _to_sign(kind, root)
        signer = XMLSigner(
            method=SignatureConstructionMethod.detached
            if kind in ENVELOPES
            else SignatureConstructionMethod.enveloped,
            signature_algorithm=SignatureMethod(str(algorithm)),
            digest_algorithm=DigestAlgorithm.SHA256,
            c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
        )
        given = {"key": by.made.key, "cert": [by.made.certificate], "id_attribute": "Id"}
        if kind == "document":
            return etree.tostring(signer.sign(root, **given))
        if kind == "voucher":
            # It signs roots: the voucher alone, whose signature holds in its request too.
            alone = signer.sign(parse(canonical(parent)), reference_uri=references[0][0], **given)
            parent.append(alone[-1])
            return etree.tostring(root)
        uris = [uri for uri, _ in references]
        info = parse(f'<ds:KeyInfo xmlns:ds="{DS}">{key_info}</ds:KeyInfo>'.encode())
        parent.append(signer.sign(root, reference_uri=uris, key_info=info, **given))
        return etree.tostring(root)


def prepared(envelope: bytes) -> bytes:
    """Return a signed envelope without its signature: what a judge is to sign in our place.

    Certificate, Timestamp and their ids are there; WS-Security is not known to most judges.
    """
    return re.sub(rb"<ds:Signature .*</ds:Signature>", b"", envelope)


def _to_sign(kind: str, root: etree._Element) -> tuple[etree._Element, list[tuple[str, bool]], str]:
    """Return where the signature goes, its References (and whether enveloped), its KeyInfo."""
    if kind == "document":
        return root, [("", True)], "<ds:X509Data/>"
    if kind == "voucher":
        voucher = next(root.iter(VOUCHER))
        return voucher, [(f"#{voucher.get('Id')}", True)], "<ds:X509Data/>"
    security = next(root.iter(f"{WSSE}Security"))
    token = next(security.iter(f"{WSSE}BinarySecurityToken")).get(f"{WSU}Id")
    info = (
        f'<wsse:SecurityTokenReference xmlns:wsse="{WSSE[1:-1]}"><wsse:Reference URI="#{token}" '
        f'ValueType="{X509_V3}"/></wsse:SecurityTokenReference>'
    )
    signed = (root[-1], next(security.iter(f"{WSU}Timestamp")))
    return security, [(f"#{element.get(f'{WSU}Id')}", False) for element in signed], info


def _emptied(signed: bytes) -> bytes:
    """Return a document whose signature waits to be made: no digests, value, certificates.

    The digest that XAdES holds of the certificate stays; its tag declares its own prefix.
    """
    without = re.sub(rb"<ds:(DigestValue|SignatureValue)>[^<]*<", rb"<ds:\1><", signed)
    return re.sub(rb"<ds:X509Data>.*</ds:X509Data>", b"<ds:X509Data/>", without)


def _template(algorithm: Algorithm, references: list[tuple[str, bool]], key_info: str) -> str:
    """Return a signature for xmlsec1 to fill in."""
    filled = ""
    for uri, enveloped in references:
        steps = [f"{DS}enveloped-signature", EXCLUSIVE] if enveloped else [EXCLUSIVE]
        transforms = "".join(f'<ds:Transform Algorithm="{step}"/>' for step in steps)
        filled += (
            f'<ds:Reference URI="{uri}"><ds:Transforms>{transforms}</ds:Transforms>'
            f'<ds:DigestMethod Algorithm="{SHA256}"/><ds:DigestValue/></ds:Reference>'
        )
    return (
        f'<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo>'
        f'<ds:CanonicalizationMethod Algorithm="{EXCLUSIVE}"/>'
        f'<ds:SignatureMethod Algorithm="{algorithm}"/>{filled}</ds:SignedInfo>'
        f"<ds:SignatureValue/><ds:KeyInfo>{key_info}</ds:KeyInfo></ds:Signature>"
    )


def _id_attributes(document: bytes) -> list[str]:
    """Tell xmlsec1 which attributes are ids."""
    root = parse(document)
    names = {
        etree.QName(element)
        for element in root.iter(etree.Element)
        if element.get("Id") or element.get(f"{WSU}Id")
    }
    told: list[str] = []
    for name in sorted(names, key=str):
        if name.namespace != DS:
            told += ["--id-attr:Id", f"{name.namespace}:{name.localname}"]
    return told
