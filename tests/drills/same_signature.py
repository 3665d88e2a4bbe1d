"""The fast ways of signing and verifying against everybody else's, on random documents.

    python -m tests.drills.same_signature [--documents 100000] [--sample 500] [--seed 1]

For every document: its canonical bytes are those of signxml's canonicalisation; signed with and
without a parser it is the same; signed, and altered once, both ways of verifying give the same
verdict and content. A sample is verified by signxml and by xmlsec1 where it is installed.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import tempfile
from pathlib import Path

from lxml import etree
from signxml.algorithms import CanonicalizationMethod
from signxml.signer import XMLSigner
from signxml.verifier import SignatureConfiguration, XMLVerifier

from claimbridge.errors import DocumentError, SigningError
from claimbridge.signing import Identity, Policy, Signer, Verifier
from claimbridge.signing.keys.throwaway import Throwaway, make
from claimbridge.xmlio import canonical, parse

EXCLUSIVE = CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0
TEXTS = (
    "x",
    " ",
    "\n",
    "&amp;",
    "&lt;",
    "&#13;",
    ">",
    "报销",
    "𠮷",
    "<![CDATA[<a b='&]]>",
    "<!--x-->",
)
NAMES = ("a", "b-1", "p:c", "q:c", "r:d", "Voucher")
DECLARED = ("", "", "", ' xmlns="urn:d"', ' xmlns=""', " xmlns:p='urn:p2'", ' xmlns:n="urn:n"')
VALUES = ("1&gt;2", "a\tb", "&quot;", "'", "", "酒店", " id=", ">")


def document(rng: random.Random) -> bytes:
    """Return a random document, some of it as ledgers send it and some as nobody should."""
    declared = ' xmlns:p="urn:p" xmlns:q="urn:q" xmlns:r="urn:r"'
    number = iter(range(10_000))

    def element(depth: int) -> str:
        name = "Voucher" if depth == 0 else rng.choice(NAMES)
        start = name + (declared if depth == 0 else rng.choice(DECLARED))
        for attribute in rng.sample(("z", "b", "p:b", "xml:lang"), rng.choice((0, 0, 1, 2))):
            start += f' {attribute}="{rng.choice(VALUES)}"'
        if rng.random() < 0.4:
            start += f" {rng.choice(('Id', 'Id', 'id'))}='V-{next(number)}'"
        parts = [
            element(depth + 1) if depth < 4 and rng.random() < 0.5 else rng.choice(TEXTS)
            for _ in range(rng.randrange(5))
        ]
        return f"<{start}>{''.join(parts)}</{name}>" if parts else f"<{start}/>"

    return element(0).encode()


def altered(good: bytes, rng: random.Random) -> bytes:
    """Return ``good`` with one span of it dropped, doubled or replaced."""
    start, end = sorted(rng.choices(range(len(good)), k=2))
    end = min(end, start + rng.choice((1, 8, 4000)))
    return good[:start] + rng.choice((b"", b" ", b"x", good[start:end] * 2)) + good[end:]


def check(
    data: bytes, made: Throwaway, signer: Signer, verifier: Verifier, rng: random.Random
) -> bytes:
    """Return the signed document; raises AssertionError where two ways differ."""
    theirs = XMLSigner(c14n_algorithm=EXCLUSIVE)._c14n(parse(data), algorithm=EXCLUSIVE)
    form = canonical(parse(data))
    assert form == theirs, (data, form, theirs)
    fast, general = signer.sign(form), signer.sign(bytes(form))
    assert fast.count(b"<ds:Signature ") == 1, data
    assert _verdict(verifier.verify, fast) == _verdict(verifier._verify, general), data
    assert verifier.verify(fast).content == form, data
    for element in ("{urn:p}c", "{urn:r}d"):
        assert _outline(signer, form, element) == _outline(signer, bytes(form), element), data
    for mutant in (altered(fast, rng), altered(fast, rng)):
        assert _verdict(verifier.verify, mutant) == _verdict(verifier._verify, mutant), mutant
    return fast


def _outline(signer: Signer, data: bytes, element: str) -> object:
    """Return all of a signed document but the signature values, which differ each time."""
    try:
        root = parse(signer.sign(data, element=element))
    except SigningError as error:
        return error.code
    for value in root.iter("{http://www.w3.org/2000/09/xmldsig#}SignatureValue"):
        value.text = ""
    return etree.tostring(root)


def _verdict(verify: object, data: bytes) -> object:
    assert callable(verify)
    try:
        found = verify(data)
    except (SigningError, DocumentError) as error:
        return error.code
    return found.content, found.subject, found.fingerprint


def judged(signed: bytes, made: Throwaway, folder: Path) -> None:
    """Have signxml, and xmlsec1 where there is one, verify a signed document."""
    XMLVerifier().verify(
        signed,
        x509_cert=made.pin.decode(),
        expect_config=SignatureConfiguration(location="./"),
    )
    program = shutil.which("xmlsec1")
    if program is None:
        return
    (folder / "ca.pem").write_bytes(made.trust)
    (folder / "signed.xml").write_bytes(signed)
    command = [program, "--verify", "--enabled-key-data", "x509", "--id-attr:Id", "Voucher"]
    trust = ["--trusted-pem", str(folder / "ca.pem"), str(folder / "signed.xml")]
    run = subprocess.run([*command, *trust], capture_output=True, text=True, timeout=30)
    assert run.returncode == 0, (signed, run.stderr)


def run(documents: int, *, sample: int, seed: int) -> str:
    """Return a line that says what was compared; raises AssertionError at a difference."""
    rng = random.Random(seed)
    made = make(kind="p256")
    signer = Signer(Identity.from_pem(made.pem()))
    verifier = Verifier(Policy(trust=made.trust))
    every = max(1, documents // max(sample, 1))
    asked = 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(documents):
            signed = check(document(rng), made, signer, verifier, rng)
            if sample and number % every == 0:
                judged(signed, made, Path(folder))
                asked += 1
    others = "signxml and xmlsec1" if shutil.which("xmlsec1") else "signxml (no xmlsec1 here)"
    return (
        f"{documents} documents, {2 * documents} mutants: no difference; {asked} asked of {others}"
    )


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--sample", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(run(options.documents, sample=options.sample, seed=options.seed))


if __name__ == "__main__":
    main()
