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
        for offered in overview.operations(operation):
            _show_operation(overview, offered, wanted, json=json)
    elif type_ is not None:
        rows = (row for row in overview.type_tree(type_) if _tells(row, wanted))
        _show_tree(rows, {"of_type": type_}, wanted, json=json)
    else:
        _show_offer(overview, wanted, json=json)
    return DONE


def _show_offer(overview: Overview, wanted: str, *, json: bool) -> None:
    for service in overview.offer.services:
        for port in service.ports:
            operations = [operation for operation in port.operations if _holds(operation, wanted)]
            kind = f"SOAP {port.version}" if port.version else "another protocol"
            if json:
                for operation in operations:
                    emit({"service": service.name, "port": port.name, "version": port.version}
                         | {"address": port.address} | _operation_record(operation))  # fmt: skip
                continue
            say((f"{service.name} / {port.name}", "bold"), f"  {kind}  {port.address}")
            grid = table("operation", "call", "input", "output", texts=("input", "output"))
            for operation in operations:
                row(
                    grid,
                    operation.name,
                    f"{operation.style}/{operation.use}",
                    *map(_parts, (operation.input, operation.output)),
                )
            show(grid)


def _show_operation(
    overview: Overview, operation: OfferedOperation, wanted: str, *, json: bool
) -> None:
    if not json:
        say(
            (operation.name, "bold"),
            f"  {operation.style}/{operation.use}  SOAPAction {operation.soap_action!r}",
        )
        if operation.documentation:
            say(operation.documentation)
    for root in overview.roots(operation):
        rows = [row for row in overview.tree(root.element) if _tells(row, wanted)]
        if rows and not json:
            say()
            say((root.role, "italic"))
        _show_tree(rows, {"operation": operation.name, "role": root.role}, wanted, json=json)


def _show_tree(rows: Iterable[Row], about: dict[str, Any], wanted: str, *, json: bool) -> None:
    for each in rows:
        if json:
            emit(about | msgspec.to_builtins(each))
        else:
            _say_row(each, whole_path=bool(wanted))


def _tells(tree_row: Row, wanted: str) -> bool:
    return wanted in f"{tree_row.path} {tree_row.documentation}".casefold()


def _say_row(tree_row: Row, *, whole_path: bool) -> None:
    indent = "" if whole_path else "  " * tree_row.depth
    local = tree_row.name.rpartition("}")[2]
    name = tree_row.path if whole_path and tree_row.name else local
    if tree_row.kind == "attribute" and not whole_path:
        name = f"@{name}"
    if tree_row.kind in {"choice", "all", "sequence"}:
        words = {"choice": "one of", "all": "in any order", "sequence": "together"}
        name = f"({words[tree_row.kind]})"
    if tree_row.kind == "any":
        name = f"(any element: {tree_row.name})"
    parts: list[str | tuple[str, str]] = [f"{indent}{name} ", (_times(tree_row), "cyan")]
    parts += [(f" {word}", "dim") for word in _words(tree_row)]
    say(*parts, whole=True)


def _times(tree_row: Row) -> str:
    if tree_row.kind == "attribute":
        return "required" if tree_row.least else "optional"
    most = "*" if tree_row.most is None else str(tree_row.most)
    return str(tree_row.least) if most == str(tree_row.least) else f"{tree_row.least}..{most}"


def _words(tree_row: Row) -> Iterator[str]:
    kind = tree_row.type.rpartition("}")[2]
    if tree_row.array_of:
        yield f"array of {tree_row.array_of.rpartition('}')[2]}"
    elif kind or tree_row.text:
        yield (
            f"{kind} ({tree_row.text})"
            if kind and tree_row.text not in {"", kind}
            else kind or tree_row.text
        )
    yield from _facet_words(tree_row.facets)
    if tree_row.nillable:
        yield "nillable"
    if tree_row.abstract:
        yield f"abstract: {_some(tree_row.alternatives)}"
    elif tree_row.alternatives:
        yield f"or {_some(tree_row.alternatives)}"
    if tree_row.fixed is not None:
        yield f"always {tree_row.fixed!r}"
    elif tree_row.default is not None:
        yield f"default {tree_row.default!r}"
    if tree_row.shown_above:
        yield "(as above)"
    if tree_row.documentation:
        text = tree_row.documentation
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
    validations: Iterable[Validation] = overview.all_validations()
    if operation is not None:
        validations = (
            validation
            for each in overview.operations(operation)
            for validation in overview.validations(each)
        )
    about = {} if operation is None else {"operation": operation}
    count = 0
    for validation in validations:
        if wanted not in f"{validation.place} {validation.message}".casefold():
            continue
        count += 1
        if json:
            emit(about | msgspec.to_builtins(validation))
        else:
            say((validation.place, "cyan"), f"  {validation.message}")
    if not json:
        complain(f"{count} validation messages")
    return DONE if count else BUSINESS_NO


def _operation_record(operation: OfferedOperation) -> dict[str, Any]:
    record: dict[str, Any] = msgspec.to_builtins(operation)
    return {"operation": record.pop("name")} | record


def _holds(operation: OfferedOperation, wanted: str) -> bool:
    return wanted in f"{operation.name} {operation.documentation}".casefold()


def _parts(message: OfferedMessage | None) -> str:
    parts = () if message is None else message.parts
    return ", ".join((part.element or part.name).rpartition("}")[2] for part in parts)
