"""Signing and verifying beside the bare operation of the key, and beside signxml.

    python -m tests.benchmarks.signing [--rounds 15] [--seconds 0.2]

All contenders take turns in one run, so that noise falls on all alike; figures are medians of CPU
time. A ratio of 0.90 to the bare operation says: nine tenths of the time is the cryptography.
Verifying includes a tree of what was signed. python-xmlsec is among the peers where it is installed
(``pip install xmlsec``; the development extras leave it out). It checks that a signature is the
key's, and neither where the signature stands nor whose the key is.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, SignatureMethod
from signxml.signer import XMLSigner
from signxml.verifier import XMLVerifier

from claimbridge.signing import Identity, Policy, Signer, Verifier
from claimbridge.signing.keys.throwaway import Kind, Throwaway, make
from claimbridge.xmlio import Canonical, parse

POSTING = (
    "<Posting><Account>6601.02</Account><Side>debit</Side><Amount>1{:03}.50</Amount>"
    "<Currency>CNY</Currency><CostCentre>CC-100</CostCentre>"
    "<Text>差旅费 酒店 &amp; 高铁</Text></Posting>"
)
VOUCHER = (
    '<Voucher xmlns="urn:claimbridge:voucher:1" Id="V-1"><Reference>EXP-2026-0042</Reference>'
    + "".join(POSTING.format(number) for number in range(6))
    + "</Voucher>"
).encode()

Work = Callable[[], object]

BATCH = 100


def contenders(made: Throwaway, kind: Kind) -> tuple[dict[str, Work], dict[str, Work]]:
    """Return what signs and what verifies, the bare operation first."""
    identity = Identity.from_pem(made.pem())
    signer = Signer(identity)
    form, tree = Canonical(VOUCHER), parse(VOUCHER)
    signed = signer.sign(form)
    bare_sign, bare_verify = _bare(made)
    method = SignatureMethod.RSA_SHA256 if kind == "rsa" else SignatureMethod.ECDSA_SHA256
    theirs = XMLSigner(
        signature_algorithm=method,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    pinned, anchored = Verifier(Policy(pin=made.pin)), Verifier(Policy(trust=made.trust))
    pem = made.pin.decode()
    foreign = signed + b"\n"
    signing: dict[str, Work] = {
        "bare operation": bare_sign,
        "claimbridge, canonical": lambda: signer.sign(form),
        "claimbridge, tree": lambda: signer.sign_tree(tree),
        "claimbridge, bytes": lambda: signer.sign(VOUCHER),
        "signxml": lambda: theirs.sign(
            parse(VOUCHER), key=made.key, cert=[made.certificate], reference_uri="#V-1"
        ),
    }
    verifying: dict[str, Work] = {
        "bare operation": bare_verify,
        "claimbridge, pin": lambda: pinned.verify(signed).element(),
        "claimbridge, anchor": lambda: anchored.verify(signed).element(),
        "claimbridge, foreign form": lambda: anchored.verify(foreign).element(),
        "signxml, pin": lambda: XMLVerifier().verify(signed, x509_cert=pem),
    }
    signing |= _xmlsec_signing(made)
    verifying |= _xmlsec_verifying(made, signed)
    return signing, verifying


def _xmlsec_signing(made: Throwaway) -> dict[str, Work]:
    try:
        import xmlsec
    except ImportError:
        return {}
    kinds = xmlsec.constants
    rsa_key = isinstance(made.key, rsa.RSAPrivateKey)
    method = kinds.TransformRsaSha256 if rsa_key else kinds.TransformEcdsaSha256

    def sign() -> bytes:
        root = parse(VOUCHER)
        form = xmlsec.template.create(root, kinds.TransformExclC14N, method, ns="ds")
        root.append(form)
        covered = xmlsec.template.add_reference(form, kinds.TransformSha256, uri="#V-1")
        xmlsec.template.add_transform(covered, kinds.TransformEnveloped)
        xmlsec.template.add_transform(covered, kinds.TransformExclC14N)
        xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(form))
        context = xmlsec.SignatureContext()
        context.key = key
        context.register_id(root, "Id")
        context.sign(form)
        return etree.tostring(root)

    key = xmlsec.Key.from_memory(made.pem(), kinds.KeyDataFormatPem)
    key.load_cert_from_memory(made.pin, kinds.KeyDataFormatPem)
    return {"python-xmlsec": sign}


def _xmlsec_verifying(made: Throwaway, signed: bytes) -> dict[str, Work]:
    try:
        import xmlsec
    except ImportError:
        return {}

    def verify() -> object:
        root = parse(signed)
        context = xmlsec.SignatureContext()
        context.key = key
        context.register_id(root, "Id")
        context.verify(xmlsec.tree.find_node(root, xmlsec.constants.NodeSignature))
        return root

    key = xmlsec.Key.from_memory(made.pin, xmlsec.constants.KeyDataFormatCertPem)
    return {"python-xmlsec": verify}


def batch(made: Throwaway) -> dict[str, Work]:
    """Return what signs BATCH vouchers at once, and the bare operation that signs one."""
    signer = Signer(Identity.from_pem(made.pem()))
    contents = {
        f"V-{number}.xml": VOUCHER.replace(b"V-1", f"V-{number}".encode())
        for number in range(BATCH)
    }
    return {
        "bare operation": _bare(made)[0],
        "claimbridge": lambda: signer.sign_detached(contents),
    }


def report_batch(title: str, times: Mapping[str, float]) -> None:
    """Print vouchers per second of CPU, and how many times the limit of one signature each."""
    limit, ours = 1 / times["bare operation"], BATCH / times["claimbridge"]
    print(f"\n{title:<26} {'vouchers/s':>10} {'× limit':>8}")
    print(f"{'one signature each, bare':<26} {limit:10.0f} {1:8.1f}")
    print(f"{'one over all':<26} {ours:10.0f} {ours / limit:8.1f}")


def _bare(made: Throwaway) -> tuple[Work, Work]:
    data = b"x" * 800
    key, public = made.key, made.key.public_key()
    if isinstance(key, rsa.RSAPrivateKey) and isinstance(public, rsa.RSAPublicKey):
        value = key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        return (
            lambda: key.sign(data, padding.PKCS1v15(), hashes.SHA256()),
            lambda: public.verify(value, data, padding.PKCS1v15(), hashes.SHA256()),
        )
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert isinstance(public, ec.EllipticCurvePublicKey)
    ecdsa = ec.ECDSA(hashes.SHA256())
    value = key.sign(data, ecdsa)
    return lambda: key.sign(data, ecdsa), lambda: public.verify(value, data, ecdsa)


def measure(work: Mapping[str, Work], *, rounds: int, seconds: float) -> dict[str, float]:
    """Return CPU seconds per call, the median of ``rounds`` turns of ``seconds`` each."""
    calls = {name: _calls_in(seconds, run) for name, run in work.items()}
    taken: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds):
        for name, run in work.items():
            taken[name].append(_cpu(run, calls[name]) / calls[name])
    return {name: statistics.median(times) for name, times in taken.items()}


def _calls_in(seconds: float, run: Work) -> int:
    _cpu(run, 5)
    return max(1, int(seconds / max(_cpu(run, 20) / 20, 1e-7)))


def _cpu(run: Work, calls: int) -> float:
    start = time.process_time()
    for _ in range(calls):
        run()
    return time.process_time() - start


def report(title: str, times: Mapping[str, float]) -> None:
    """Print a table; ratios are speeds relative to the bare operation and to signxml."""
    bare = times["bare operation"]
    theirs = next(value for name, value in times.items() if name.startswith("signxml"))
    print(f"\n{title:<26} {'µs':>8} {'of bare':>8} {'× signxml':>10}")
    for name, value in times.items():
        print(f"{name:<26} {value * 1e6:8.1f} {bare / value:8.2f} {theirs / value:10.1f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=0.2, help="CPU time per turn")
    options = parser.parse_args()
    print(f"document of {len(VOUCHER)} bytes, {len(list(parse(VOUCHER).iter()))} elements")
    kinds: dict[Kind, str] = {"rsa": "RSA-2048", "p256": "P-256"}
    for kind, name in kinds.items():
        signing, verifying = contenders(make(kind=kind), kind)
        for what, work in (("sign", signing), ("verify", verifying)):
            times = measure(work, rounds=options.rounds, seconds=options.seconds)
            report(f"{name} {what}", times)
    times = measure(batch(make(kind="rsa")), rounds=options.rounds, seconds=options.seconds)
    report_batch(f"RSA-2048, batch of {BATCH}", times)


if __name__ == "__main__":
    main()
