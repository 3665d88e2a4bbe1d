"""A field map is tried on saved documents before anything is connected."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.cli.conftest import EXAMPLES, Run

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "hesi"
MAP = str(EXAMPLES / "hesi-map.toml")


def test_each_field_is_mapped_or_said_to_be_ignored(run: Run) -> None:
    """Nothing that a form holds is passed over in silence; what is an account's is masked."""
    shown = run("hesi", "fields", "--map", MAP, "--json", str(FIXTURES / "changed.json"))
    fields: dict[str, dict[str, Any]] = {one["field"]: one for one in shown.records}

    assert shown.code == 0
    assert fields["expenseMoney"]["mapped_to"] == "claim.total"
    assert fields["expenseDepartment"]["mapped_to"] == "claim.department, claim.cost_centre"
    assert (fields["printCount"]["ignored"], fields["printCount"]["deliberate"]) == (True, True)
    assert (fields["u_备注码"]["ignored"], fields["u_备注码"]["deliberate"]) == (True, False)
    assert "6222" not in shown.out


def test_fields_for_people(run: Run) -> None:
    """The last line counts; ignored fields stand out."""
    shown = run("hesi", "fields", "--map", MAP, str(FIXTURES / "changed.json"))

    assert "!  u_备注码" in shown.out
    assert shown.out.rstrip().endswith("2 ignored")
    assert "6222" not in shown.out


def test_documents_become_claims(run: Run) -> None:
    """One that is wrong is told, and does not stop the others; the exit code says so."""
    files = [str(FIXTURES / f"{name}.json") for name in ("plain", "odd-type", "foreign")]
    shown = run("hesi", "claims", "--map", MAP, "--json", *files)
    plain, odd, foreign = shown.records

    assert shown.code == 1
    assert plain["claim"]["total"] == "153.50"
    assert odd["claim"] is None
    assert odd["error"].startswith("CB-518 claim B26000009: detail 1, 消费日期")
    assert foreign["claim"]["lines"][0]["currency"] == "USD"


def test_an_answer_of_hesi_s_holds_its_documents(run: Run, tmp_path: Path) -> None:
    """A saved list, or a saved detail, is read as it is."""
    one = json.loads((FIXTURES / "plain.json").read_text(encoding="utf-8"))
    for number, content in enumerate(({"count": 1, "items": [one]}, {"value": one}, [one])):
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        shown = run("hesi", "claims", "--map", MAP, "--json", str(path))
        assert shown.record["document"] == "B26000001"


def test_what_is_no_document(run: Run, tmp_path: Path) -> None:
    """The error names the file."""
    for number, content in enumerate((b"[]", b"{", b'{"value": 3}', b"[" * 100_000, b"\xff")):
        path = tmp_path / f"bad{number}.json"
        path.write_bytes(content)
        shown = run("hesi", "fields", "--map", MAP, str(path))
        assert shown.code == 1
        assert f"CB-526 bad{number}.json holds no document" in shown.err

    assert run("hesi", "claims", "--map", MAP).code == 2
    assert run("hesi", "claims", "--map", "none.toml", "x.json").code == 2


def test_the_shipped_samples_and_the_shipped_map_agree(run: Run) -> None:
    """Each becomes a claim; of the one that is wrong on purpose its own fault is told."""
    samples = sorted((EXAMPLES / "hesi").glob("*.json"))
    shown = run("hesi", "claims", "--map", MAP, "--json", *samples)
    errors = {one["document"]: one["error"] for one in shown.records if one["error"]}
    assert len(shown.records) == len(samples) == 4
    assert list(errors) == ["B26000104"]
    assert "CB-108" in errors["B26000104"]
    fields = run("hesi", "fields", "--map", MAP, "--json", *samples).records
    assert not [one["field"] for one in fields if one["ignored"] and not one["deliberate"]]
