"""A journal that holds digests of an older form knows the claims that it knew before."""

from __future__ import annotations

import hashlib
import pickle
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.withstand.division.test_division import client as divided_client
from tests.withstand.division.test_division import long_claim
from tests.withstand.scene import Threaded, claim, configured

from claimbridge import Claim
from claimbridge.errors import ConflictingSubmission
from claimbridge.model.digests import same_content
from claimbridge.sandbox import Sandbox

KNOWN: dict[str, Any] = {
    "id": "EXP-1",
    "revision": 1,
    "company": "CN01",
    "employee": "E1024",
    "currency": "CNY",
    "total": "123.45",
    "title": "站 → office",
    "approved_at": "2026-03-31T08:00:00+08:00",
    "lines": [
        {"type": "taxi", "date": "2026-03-09", "amount": "100.00", "dimensions": {"project": "P"}},
        {
            "type": "hotel",
            "date": "2026-03-10",
            "amount": "23.45",
            "tax": "1.33",
            "documents": [
                {
                    "kind": "vat_special",
                    "number": "26312000000000000001",
                    "date": "2026-03-10",
                    "amount": "23.45",
                }
            ],
        },
    ],
}
"""A claim as earlier versions could read it."""
FIRST = "4875852b0173b1b82b5ac5891c700568139cca80576acafdc0a38433d5a97eaf"
SECOND = "ff1ee099cc4610481f3bf54aa821185e4df6f65bb2e4bc6cba7d5f2eb81cd451"
"""What the version of each form computed of it."""


def test_the_forms_are_those_that_were() -> None:
    """Both older digests, computed by the versions that wrote them, are of the same content."""
    digest = Claim.from_dict(KNOWN).digest
    assert digest == f"2:{SECOND}"
    assert digest.older == (SECOND, FIRST)
    for kept in (digest, SECOND, FIRST):
        assert same_content(kept, digest)
    other = Claim.from_dict({**KNOWN, "title": "other"}).digest
    assert not any(same_content(kept, other) for kept in (digest, SECOND, FIRST))
    assert type(pickle.loads(pickle.dumps(digest))) is str


def test_what_an_older_version_could_not_say_has_no_older_digest() -> None:
    """A claim with a field that form 1 did not know was never written in that form."""
    changed = {**KNOWN, "grade": "P7"}
    assert len(Claim.from_dict(changed).digest.older) == 1
    lines = [{**KNOWN["lines"][0], "unit": "km"}, KNOWN["lines"][1]]
    assert len(Claim.from_dict({**KNOWN, "lines": lines}).digest.older) == 1


@pytest.mark.parametrize("form", [0, 1], ids=["second", "first"])
@pytest.mark.parametrize("many", [False, True], ids=["submit", "submit_many"])
def test_after_an_upgrade_the_same_claim_is_done(
    erp: Sandbox, new_id: Callable[[], str], tmp_path: Path, form: int, many: bool
) -> None:
    """The same content is recognised, nothing is sent; another content is CB-451."""
    config = configured("reference", port=erp.port, journal=tmp_path / "claims.db")
    mine = claim(new_id())
    with Threaded(config) as sender:
        ack = sender.submit(mine)
    _rewrite(tmp_path / "claims.db", lambda _: mine.digest.older[form])
    with Threaded(config) as sender:
        calls = erp.requests()
        if many:
            (result,) = sender.submit_many([mine], batch=5)
            assert result.acknowledgement == ack
        else:
            assert sender.submit(mine) == ack
        with pytest.raises(ConflictingSubmission) as refused:
            sender.submit(claim(mine.id, taxi="31.00"))
        assert refused.value.code == "CB-451"
        assert erp.requests() == calls


def test_after_an_upgrade_the_parts_of_a_claim_are_done(
    erp: Sandbox, new_id: Callable[[], str], tmp_path: Path
) -> None:
    """The digests of a claim's parts have the older forms too."""
    mine = long_claim(new_id())
    with divided_client(erp, tmp_path) as sender:
        ack = sender.submit(mine)
    whole = mine.digest.older[1]
    count = len(ack.documents)
    parts = {mine.digest.of_part(n, count): n for n in range(1, count + 1)}

    def older(kept: str) -> str:
        return hashlib.sha256(f"{whole} {parts[kept]}/{count}".encode()).hexdigest()  # type: ignore[index]

    _rewrite(tmp_path / "claims.db", older)
    with divided_client(erp, tmp_path) as sender:
        calls = erp.requests()
        assert sender.submit(mine) == ack
        assert erp.requests() == calls


def _rewrite(path: Path, older: Callable[[str], str]) -> None:
    """Put older digests into a journal, as the version before left them."""
    with sqlite3.connect(path) as db:
        for row, kept in db.execute("SELECT rowid, digest FROM submissions").fetchall():
            assert kept.startswith("2:")
            db.execute("UPDATE submissions SET digest = ? WHERE rowid = ?", (older(kept), row))
    db.close()
