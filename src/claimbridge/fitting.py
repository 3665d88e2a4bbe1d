"""Where a plain value of a configuration does not fit its type, in the configuration's words.

No message repeats a value: it may be a secret.
"""

from __future__ import annotations

import datetime as dt
import types
from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

_WORDS: Final[Mapping[Any, str]] = {
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    Decimal: "a number",
    dt.date: "a day, such as 2026-03-31",
    dt.datetime: "a moment, such as 2026-03-31T08:00:00Z",
}
_UNIONS: Final = (Union, types.UnionType)


def misfit(value: object, kind: Any, *, where: str = "") -> str | None:
    """Return the first place in ``value`` that does not fit, and what may stand there.

    ``where`` is the path of ``value`` itself, "" for a whole table. None: it fits, or nobody can
    say why not.
    """
    if _fits(value, kind):
        return None
    kind = _member(value, kind)
    inner = next(_inner(value, kind, where), None)
    if inner is not None:
        return inner
    words = _words(kind)
    return f"{where} must be {words}" if words and where else None


def _fits(value: object, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def _member(value: object, kind: Any) -> Any:
    """Return the member of a union that has the value's shape; the type itself elsewhere."""
    if get_origin(kind) is Annotated:
        return _member(value, get_args(kind)[0])
    if get_origin(kind) not in _UNIONS:
        return kind
    members = [_member(value, one) for one in get_args(kind) if one is not types.NoneType]
    alike = [one for one in members if _is_table(one) and isinstance(value, Mapping)]
    alike += [one for one in members if _is_list(one) and isinstance(value, list | tuple)]
    return alike[0] if alike else members[0] if len(members) == 1 else kind


def _inner(value: object, kind: Any, where: str) -> Iterator[str]:
    """Yield what does not fit inside a table or a list."""
    if isinstance(value, Mapping) and _is_struct(kind):
        yield from _in_struct(value, kind, where)
    elif isinstance(value, Mapping) and _is_table(kind):
        of_key, of_value = get_args(kind) or (Any, Any)
        for key, one in value.items():
            if not _fits(key, of_key):
                allowed = _words(of_key)
                yield f"{where}: there is no {key!r}" + (f"; it is {allowed}" if allowed else "")
            found = misfit(one, of_value, where=_below(where, str(key)))
            if found:
                yield found
    elif isinstance(value, list | tuple) and _is_list(kind):
        arguments = [one for one in get_args(kind) if one is not Ellipsis] or [Any]
        for number, one in enumerate(value):
            of_item = arguments[min(number, len(arguments) - 1)]
            found = misfit(one, of_item, where=f"{where}[{number}]")
            if found:
                yield found


def _in_struct(value: Mapping[Any, Any], kind: Any, where: str) -> Iterator[str]:
    hints = get_type_hints(kind)
    fields = {one.encode_name: one for one in msgspec.structs.fields(kind)}
    before = f"{where}: " if where else ""
    unknown = sorted(str(key) for key in value if key not in fields)
    if unknown and kind.__struct_config__.forbid_unknown_fields:
        known = ", ".join(sorted(fields))
        yield f"{before}there is no key {unknown[0]!r}; there are: {known}"
    lacking = [key for key, one in fields.items() if one.required and key not in value]
    if lacking:
        keys = ", ".join(map(repr, lacking))
        yield f"{before}the key{'s' if len(lacking) > 1 else ''} {keys} must be given"
    for key, one in fields.items():
        if key in value:
            found = misfit(value[key], hints[one.name], where=_below(where, key))
            if found:
                yield found


def _below(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _is_table(kind: Any) -> bool:
    made = get_origin(kind) or kind
    return _is_struct(kind) or (isinstance(made, type) and issubclass(made, Mapping))


def _is_list(kind: Any) -> bool:
    made = get_origin(kind) or kind
    return (
        isinstance(made, type)
        and issubclass(made, Collection)
        and not (_is_table(kind) or issubclass(made, str | bytes | Enum))
    )


def _words(kind: Any) -> str:
    """Return in words what a type allows; "" where there are none."""
    if get_origin(kind) is Annotated:
        return _words(get_args(kind)[0])
    if get_origin(kind) in _UNIONS:
        members = [_words(one) for one in get_args(kind) if one is not types.NoneType]
        return " or ".join(members) if all(members) else ""
    if get_origin(kind) is Literal:
        return f"one of: {', '.join(map(str, get_args(kind)))}"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return f"one of: {', '.join(str(one.value) for one in kind)}"
    if _is_table(kind):
        return "a table"
    if _is_list(kind):
        items = get_args(kind)
        fixed = get_origin(kind) is tuple and Ellipsis not in items
        return f"a list of {len(items)}" if fixed else "a list"
    return _WORDS.get(kind, "")


__all__ = ["misfit"]
