"""The command that shows a contract: what it offers, its messages as trees, its validations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from cyclopts import Parameter

from claimbridge.cli.exit_codes import BUSINESS_NO, DONE
from claimbridge.cli.inputs import at_hand
from claimbridge.cli.options import Json
from claimbridge.cli.output import complain, emit, row, say, show, table
from claimbridge.errors import ConfigurationError

if TYPE_CHECKING:
    from claimbridge.contract.outline.offer import OfferedMessage, OfferedOperation
    from claimbridge.contract.outline.types import Facets
    from claimbridge.contract.study.overview import Overview, Row, Validation

_LISTED = 8
"""Values of an enumeration that a tree names; --json has all."""
_QUOTED = 100
"""Characters of a documentation that a tree shows; --json has all."""


def show_contract(
    source: Path = Path(),
    /,
    *,
    operation: str | None = None,
    type_: Annotated[str | None, Parameter(name="--type")] = None,
    validations: Annotated[bool, Parameter(negative=())] = False,
    search: str | None = None,
    json: Json = False,
) -> int:
    """Show what a contract offers: services, ports, operations, and messages as a tree.

    Parameters
    ----------
    source
        A WSDL file, or the folder of a locked contract; this folder when left out, - is stdin.
    operation
        Show the messages of this operation.
    type_
        Show this type, by its name or {namespace}name.
    validations
        Show the messages that the ERP refuses with, as the contract announces them: of the
        operation's request, or all.
    search
        Only what holds this text, in upper or lower case.

    """
    from claimbridge.contract.study.overview import Overview

    if operation is not None and type_ is not None:
        raise ConfigurationError("name an --operation or a --type, not both", code="CB-251")
    with at_hand(source, suffix=".wsdl") as file:
        overview = Overview.load(file)
    wanted = (search or "").casefold()
    if validations:
        return _show_validations(overview, operation, wanted, json=json)
    if operation is not None:
        for found in overview.operations(operation):
            _show_operation(overview, found, wanted, json=json)
    elif type_ is not None:
        rows = (one for one in overview.type_tree(type_) if _tells(one, wanted))
        _show_tree(rows, {"of_type": type_}, wanted, json=json)
    else:
        _show_offer(overview, wanted, json=json)
    return DONE


def _show_offer(overview: Overview, wanted: str, *, json: bool) -> None:
    for service in overview.offer.services:
        for port in service.ports:
            operations = [one for one in port.operations if _holds(one, wanted)]
            kind = f"SOAP {port.version}" if port.version else "another protocol"
            if json:
                for one in operations:
                    emit({"service": service.name, "port": port.name, "version": port.version}
                         | {"address": port.address} | _operation_record(one))  # fmt: skip
                continue
            say((f"{service.name} / {port.name}", "bold"), f"  {kind}  {port.address}")
            made = table("operation", "call", "input", "output", texts=("input", "output"))
            for one in operations:
                row(made, one.name, f"{one.style}/{one.use}", *map(_parts, (one.input, one.output)))
            show(made)


def _show_operation(
    overview: Overview, found: OfferedOperation, wanted: str, *, json: bool
) -> None:
    if not json:
        say((found.name, "bold"), f"  {found.style}/{found.use}  SOAPAction {found.soap_action!r}")
        if found.documentation:
            say(found.documentation)
    for root in overview.roots(found):
        rows = [one for one in overview.tree(root.element) if _tells(one, wanted)]
        if rows and not json:
            say()
            say((root.role, "italic"))
        _show_tree(rows, {"operation": found.name, "role": root.role}, wanted, json=json)


def _show_tree(rows: Iterable[Row], about: dict[str, Any], wanted: str, *, json: bool) -> None:
    for found in rows:
        if json:
            emit(about | msgspec.to_builtins(found))
        else:
            _say_row(found, whole_path=bool(wanted))


def _tells(found: Row, wanted: str) -> bool:
    return wanted in f"{found.path} {found.documentation}".casefold()


def _say_row(found: Row, *, whole_path: bool) -> None:
    indent = "" if whole_path else "  " * found.depth
    local = found.name.rpartition("}")[2]
    name = found.path if whole_path and found.name else local
    if found.kind == "attribute" and not whole_path:
        name = f"@{name}"
    if found.kind in {"choice", "all", "sequence"}:
        words = {"choice": "one of", "all": "in any order", "sequence": "together"}
        name = f"({words[found.kind]})"
    if found.kind == "any":
        name = f"(any element: {found.name})"
    parts: list[str | tuple[str, str]] = [f"{indent}{name} ", (_times(found), "cyan")]
    parts += [(f" {word}", "dim") for word in _words(found)]
    say(*parts, whole=True)


def _times(found: Row) -> str:
    if found.kind == "attribute":
        return "required" if found.least else "optional"
    most = "*" if found.most is None else str(found.most)
    return str(found.least) if most == str(found.least) else f"{found.least}..{most}"


def _words(found: Row) -> Iterator[str]:
    kind = found.type.rpartition("}")[2]
    if found.array_of:
        yield f"array of {found.array_of.rpartition('}')[2]}"
    elif kind or found.text:
        yield (
            f"{kind} ({found.text})"
            if kind and found.text not in {"", kind}
            else kind or found.text
        )
    yield from _facet_words(found.facets)
    if found.nillable:
        yield "nillable"
    if found.abstract:
        yield f"abstract: {_some(found.alternatives)}"
    elif found.alternatives:
        yield f"or {_some(found.alternatives)}"
    if found.fixed is not None:
        yield f"always {found.fixed!r}"
    elif found.default is not None:
        yield f"default {found.default!r}"
    if found.shown_above:
        yield "(as above)"
    if found.documentation:
        text = found.documentation
        yield f"— {text if len(text) <= _QUOTED else text[: _QUOTED - 1] + '…'}"


def _facet_words(facets: Facets) -> Iterator[str]:
    for name, value in msgspec.to_builtins(facets).items():
        if name == "enumeration":
            yield f"one of {_some(facets.enumeration)}"
        elif name == "patterns":
            yield from (f"/{pattern}/" for pattern in facets.patterns)
        elif name != "white_space":
            yield f"{_schema_name(name)} {value}"


def _schema_name(field: str) -> str:
    """Return a facet's name as XML Schema spells it: ``max_length`` is maxLength."""
    first, *rest = field.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _some(values: tuple[str, ...]) -> str:
    from claimbridge.contract.outline.wording import listed

    return listed([value.rpartition("}")[2] for value in values], most=_LISTED)


def _show_validations(overview: Overview, operation: str | None, wanted: str, *, json: bool) -> int:
    found: Iterable[Validation] = overview.all_validations()
    if operation is not None:
        found = (
            one for each in overview.operations(operation) for one in overview.validations(each)
        )
    about = {} if operation is None else {"operation": operation}
    count = 0
    for one in found:
        if wanted not in f"{one.place} {one.message}".casefold():
            continue
        count += 1
        if json:
            emit(about | msgspec.to_builtins(one))
        else:
            say((one.place, "cyan"), f"  {one.message}")
    if not json:
        complain(f"{count} validation messages")
    return DONE if count else BUSINESS_NO


def _operation_record(found: OfferedOperation) -> dict[str, Any]:
    record: dict[str, Any] = msgspec.to_builtins(found)
    return {"operation": record.pop("name")} | record


def _holds(found: OfferedOperation, wanted: str) -> bool:
    return wanted in f"{found.name} {found.documentation}".casefold()


def _parts(message: OfferedMessage | None) -> str:
    parts = () if message is None else message.parts
    return ", ".join((part.element or part.name).rpartition("}")[2] for part in parts)
