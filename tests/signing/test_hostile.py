"""Broken input of every kind gives our errors, and never a wrong acceptance."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from contextlib import suppress

import pytest
from lxml import etree
from tests.signing.issuing import AT, At

from claimbridge.errors import ConfigurationError, DocumentError, KeyUnavailable, SigningError
from claimbridge.signing import Identity, Policy, Signer, Verifier
from claimbridge.xmlio import parse

DOCUMENT = '<v:Voucher xmlns:v="urn:v" Id="V-1"><v:Payee>差旅</v:Payee><v:B b="1"/></v:Voucher>'
ENVELOPE = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
    f"{DOCUMENT}</s:Body></s:Envelope>"
)
ROUNDS = 400


@pytest.fixture(scope="module", params=["document", "soap"])
def case(request, identity, throwaway) -> tuple[bytes, Verifier]:
    """A good document and a verifier that accepts it."""
    signer = Signer(identity, clock=At())
    policy = Policy(placement=request.param, trust=throwaway.trust, subjects=("signer",), at=AT)
    sign = signer.sign_envelope if request.param == "soap" else signer.sign
    text = ENVELOPE if request.param == "soap" else DOCUMENT
    return sign(text.encode()), Verifier(policy)


def _check(altered: bytes, good: bytes, verifier: Verifier) -> bool:
    """Verify; what is accepted must be what was signed. Returns whether it was refused."""
    try:
        content = verifier.verify(altered).content
    except (SigningError, DocumentError):
        return True
    assert content == verifier.verify(good).content
    return False


def _flipped(good: bytes, rng: random.Random) -> bytes:
    data = bytearray(good)
    for _ in range(rng.randint(1, 3)):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def _cut(good: bytes, rng: random.Random) -> bytes:
    start, end = sorted(rng.sample(range(len(good)), 2))
    return rng.choice([good[:end], good[start:], good[:start] + good[end:]])


def _copied(good: bytes, rng: random.Random) -> bytes:
    start, end = sorted(rng.sample(range(len(good)), 2))
    place = rng.randrange(len(good))
    return good[:place] + good[start:end] + good[place:]


@pytest.mark.parametrize("alter", [_flipped, _cut, _copied])
def test_altered_bytes(alter, case):
    """Flipped bits, cuts and copies are refused; what is accepted is what was signed."""
    good, verifier = case
    rng = random.Random(20261124)
    refused = sum(_check(alter(good, rng), good, verifier) for _ in range(ROUNDS))
    assert refused > ROUNDS * 0.8


def _rearranged(good: bytes, rng: random.Random) -> Iterator[bytes]:
    """Move, copy, drop, empty and rename elements: well-formed, and wrong."""
    for _ in range(ROUNDS):
        root = parse(good)
        every = list(root.iter(etree.Element))
        one, other = rng.choice(every[1:]), rng.choice(every)
        match rng.randrange(5):
            case 0 if other not in one.iter():
                other.insert(rng.randint(0, len(other)), one)
            case 1 if one.getparent() is not None:
                copy = parse(etree.tostring(one, with_tail=False))
                other.append(copy)
            case 2:
                one.getparent().remove(one)
            case 3:
                one.text = rng.choice(["", " ", "AAAA", "=", "é", "0" * 999])
            case _:
                one.tag = other.tag
        yield etree.tostring(root)


def test_rearranged_elements(case):
    """Whatever is moved, copied, dropped or renamed, nothing but the original is accepted."""
    good, verifier = case
    rng = random.Random(7)
    refused = sum(_check(altered, good, verifier) for altered in _rearranged(good, rng))
    assert refused > ROUNDS * 0.8


def test_altered_attributes(case):
    """Every attribute, dropped or set to something odd, is refused or does no harm."""
    good, verifier = case
    number = len(list(parse(good).iter(etree.Element)))
    for index in range(number):
        for name in list(parse(good).iter(etree.Element))[index].attrib:
            for value in (None, "", "#", "http://127.0.0.1:9/", "é" * 200, "#V-1 "):
                root = parse(good)
                element = list(root.iter(etree.Element))[index]
                if value is None:
                    del element.attrib[name]
                else:
                    element.set(name, value)
                _check(etree.tostring(root), good, verifier)


def test_altered_identities(throwaway):
    """A damaged identity opens as itself or gives KeyUnavailable, never anything else."""
    rng = random.Random(3)
    for data, open_as in (
        (throwaway.pem(), Identity.from_pem),
        (throwaway.pkcs12(b"x"), Identity.from_pkcs12),
    ):
        for _ in range(150):
            altered = rng.choice([_flipped, _cut])(data, rng)
            with suppress(KeyUnavailable):
                assert open_as(altered, b"x").certificate.subject.rfc4514_string()


def test_altered_policies(throwaway):
    """A damaged anchor gives a ConfigurationError, never anything else."""
    rng = random.Random(4)
    for _ in range(150):
        with suppress(ConfigurationError):
            Verifier(Policy(trust=_flipped(throwaway.trust, rng)))


def test_certificates_inside_are_hostile_too(case, throwaway):
    """Bits flipped inside the certificate, under correct base64, give our errors."""
    good, verifier = case
    der = b"".join(line for line in throwaway.pin.splitlines() if not line.startswith(b"-"))
    assert der in good
    rng = random.Random(5)
    for _ in range(ROUNDS):
        broken = base64.b64encode(_flipped(base64.b64decode(der), rng))
        assert _check(good.replace(der, broken), good, verifier)
