"""Every field of a voucher is told in every place, or is said not to be: a new one fails here."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import Phase, given, settings
from tests.strategies import vouchers

from claimbridge import xmlio
from claimbridge.contract import Bundle, Contract
from claimbridge.model import Posting, Voucher
from claimbridge.model.voucher_fields import POSTING, VOUCHER, FieldNames, Omission
from claimbridge.profiles.reference.profile import Reference
from claimbridge.profiles.samples import reversing, sample_submissions
from claimbridge.testing.conformance.fields import CHANGES, fields

TABLES = [(Voucher, VOUCHER), (Posting, POSTING)]
CONTRACT = Contract.load(Bundle.from_package("voucher-service.wsdl"))
ALL = [*VOUCHER, *(f"posting.{name}" for name in POSTING)]


@pytest.mark.parametrize(("kind", "table"), TABLES)
def test_the_table_has_every_field(
    kind: type[msgspec.Struct], table: dict[str, FieldNames]
) -> None:
    """A field that is added says at once where it is told; what is not has a reason."""
    assert tuple(table) == kind.__struct_fields__
    for told in table.values():
        for place in told:
            assert place.why if isinstance(place, Omission) else place


def test_the_conformance_suite_changes_every_field() -> None:
    """No field is left out of the judgement of profiles, and none is judged that there is not."""
    assert set(fields()) == set(CHANGES) == set(ALL)


def test_the_strategies_draw_every_field() -> None:
    """What the tests never draw, they never test: each field has two values or more."""
    drawn: dict[str, set[str]] = {name: set() for name in ALL}

    @settings(max_examples=100, phases=[Phase.generate], database=None, deadline=None)
    @given(vouchers())
    def draw(voucher: Voucher) -> None:
        for name, value in msgspec.structs.asdict(voucher).items():
            drawn[name].add(str(value))
        for posting in voucher.postings:
            for name, value in msgspec.structs.asdict(posting).items():
                drawn[f"posting.{name}"].add(str(value))

    draw()
    assert [name for name, values in drawn.items() if len(values) < 2] == []


def _elements() -> set[str]:
    """Return every element that the reference profile writes of the samples, by its path."""
    samples = list(sample_submissions(reference="R-1"))
    built = [Reference().submit([one]) for one in samples]
    built.append(Reference().reverse(reversing(samples[0])))
    found: set[str] = set()
    for request in built:
        (voucher,) = xmlio.parse(CONTRACT.render(request.operation, request.body))
        for child in voucher:
            name = child.tag.rpartition("}")[2]
            found |= {name, *(f"posting.{c.tag.rpartition('}')[2]}" for c in child)}
    return found


def test_the_reference_contract_has_an_element_for_what_the_table_says() -> None:
    """And what the profile writes is in the table."""
    written = _elements()
    for prefix, table in (("", VOUCHER), ("posting.", POSTING)):
        for name, told in table.items():
            if not isinstance(told.element, Omission):
                assert f"{prefix}{told.element}" in written, name


def test_what_the_contract_does_not_tell_is_declared() -> None:
    """The profile's list is the table's, so that the conformance suite holds it to that."""
    untold = {name for name, told in VOUCHER.items() if isinstance(told.element, Omission)}
    untold |= {f"posting.{n}" for n, told in POSTING.items() if isinstance(told.element, Omission)}
    assert set(Reference.no_place) == untold == {"document_number", "documents"}
