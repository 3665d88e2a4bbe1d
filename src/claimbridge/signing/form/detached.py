"""Signatures beside their contents: bytes by their names, as they are, without any transform.

One signature covers many contents, so a batch costs one operation of the key, and an archived
voucher keeps its bytes. Names are never resolved: the caller of verify brings the contents.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence

from claimbridge.errors import SignatureInvalid, SigningError
from claimbridge.signing.form.dsig import SHA256, digest_value
from claimbridge.signing.form.structure import MAXIMUM_DETACHED, DigestReference

# A file name that needs no escape in a URI or in XML, and that cannot hide a path.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._\-]{0,127}")


def references_to(contents: Mapping[str, bytes]) -> str:
    """Return References to ``contents`` in canonical form; raises SigningError CB-302, CB-303."""
    if not 0 < len(contents) <= MAXIMUM_DETACHED:
        raise SigningError(
            f"there are {len(contents)} contents to sign; give 1 to {MAXIMUM_DETACHED}",
            code="CB-302",
        )
    for name in contents:
        if not _NAME.fullmatch(name):
            raise SigningError(
                f"{name[:60]!r} cannot name a content; use letters, digits, '.', '-' and '_'",
                code="CB-303",
            )
    return "".join(
        f'<ds:Reference URI="{name}"><ds:DigestMethod Algorithm="{SHA256}"></ds:DigestMethod>'
        f"<ds:DigestValue>{digest_value(content)}</ds:DigestValue></ds:Reference>"
        for name, content in contents.items()
    )


def by_name(references: Sequence[DigestReference]) -> dict[str, DigestReference]:
    """Return ``references`` by their names; raises SignatureInvalid for a name used twice."""
    found = {reference.uri: reference for reference in references}
    if len(found) != len(references):
        raise SignatureInvalid("the signature covers the same name twice", code="CB-325")
    return found


def not_covered(name: str) -> SignatureInvalid:
    """Return the refusal of a content that no Reference covers."""
    return SignatureInvalid(f"the signature does not cover {name[:120]!r}", code="CB-325")


def refusal(
    name: str, content: bytes, reference: DigestReference | None
) -> SignatureInvalid | None:
    """Return why ``content`` is not what ``reference`` covers; None when it is."""
    if reference is None:
        return not_covered(name)
    digest = hashlib.new(reference.hash, content).digest()
    if hmac.compare_digest(digest, reference.digest):
        return None
    return SignatureInvalid(
        f"{name[:120]} was altered after it was signed (its digest differs)", code="CB-328"
    )
