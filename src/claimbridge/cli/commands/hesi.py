"""Commands about Hesi's forms: what a field map reads of them, and the claims that they become."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
from cyclopts import Parameter

from claimbridge.cli.exit_codes import BUSINESS_NO, DONE
from claimbridge.cli.inputs import at_hand, read_file
from claimbridge.cli.options import Json
from claimbridge.cli.output import NO, WARN, YES, emit, row, say, show, table
from claimbridge.errors import ClaimBridgeError, ConfigurationError
from claimbridge.sources.hesi.forms.fields import FieldMap, load_map
from claimbridge.sources.hesi.forms.form import HesiForms, documents_in
from claimbridge.sources.hesi.forms.form_fields import FormField, fields_of

Map = Annotated[Path, Parameter(name="--map")]


def show_fields(*files: Path, field_map: Map, json: Json = False) -> int:
    """Show every field of saved documents: what it becomes, or that the field map ignores it.

    Parameters
    ----------
    files
        Documents as Hesi's interface gives them: one, a list, or an answer; - is stdin. What is
        a person's or an account's is masked.
    field_map
        The field map, a TOML file.

    """
    _require(files)
    fields = _map(field_map)
    by_path: dict[str, FormField] = {}
    for path in files:
        for document in documents_in(read_file(path), name=path.name):
            for field in fields_of(document, fields):
                by_path.setdefault(field.path, field)
    if json:
        for field in by_path.values():
            emit(
                {
                    "field": field.path,
                    "holds": field.kind,
                    "mapped_to": field.mapped_to or None,
                    "ignored": not field.mapped_to,
                    "deliberate": field.deliberate,
                    "example": field.example,
                }
            )
    else:
        _print_fields(tuple(by_path.values()))
    return DONE


def translate(
    *files: Path, field_map: Map, time_zone: str = "Asia/Shanghai", json: Json = False
) -> int:
    """Turn saved documents into claims by a field map, or say what is wrong with them.

    Parameters
    ----------
    files
        Documents as Hesi's interface gives them: one, a list, or an answer; - is stdin.
    field_map
        The field map, a TOML file.
    time_zone
        Where a day begins.

    """
    _require(files)
    forms = HesiForms(_map(field_map), zone=_zone(time_zone))
    code = DONE
    for path in files:
        for document in documents_in(read_file(path), name=path.name):
            try:
                claim = forms.claim(document)
            except ClaimBridgeError as error:
                code = BUSINESS_NO
                if json:
                    emit({"document": forms.label(document), "claim": None, "error": str(error)})
                else:
                    say(NO, f" {error}")
                continue
            if json:
                plain = msgspec.Raw(claim.to_json())
                emit({"document": forms.label(document), "claim": plain, "error": None})
            else:
                lines = f"{len(claim.lines)} lines" if len(claim.lines) > 1 else "1 line"
                say(
                    YES,
                    f" {claim.id} revision {claim.revision}: {claim.total} {claim.currency}, "
                    f"{lines}, {claim.company}, {claim.employee}",
                )
    return code


def _print_fields(fields: tuple[FormField, ...]) -> None:
    grid = table("", "field", "holds", "becomes", "example", texts=("example",))
    for field in fields:
        if field.mapped_to:
            mark, becomes = YES, field.mapped_to
        elif field.deliberate:
            mark, becomes = ("·", "dim"), "left out on purpose"
        else:
            mark, becomes = WARN, "ignored"
        row(grid, mark, field.path, field.kind, becomes, field.example)
    show(grid)
    mapped = sum(bool(field.mapped_to) for field in fields)
    left = sum(not field.mapped_to and not field.deliberate for field in fields)
    say(f"{mapped} mapped, {len(fields) - mapped - left} left out on purpose, {left} ignored")


def _map(path: Path) -> FieldMap:
    with at_hand(path, suffix=".toml") as file:
        return load_map(file)


def _require(files: tuple[Path, ...]) -> None:
    if not files:
        raise ConfigurationError("name at least one document; - is stdin", code="CB-251")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError) as error:
        raise ConfigurationError(f"--time-zone {name!r} is not known", code="CB-251") from error
