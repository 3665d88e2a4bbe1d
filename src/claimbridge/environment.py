"""The environment's part of a configuration: which variable overrides which key, and as what.

A variable holds text. It becomes a number, a switch or a day only where the whole text is one. A
message names the variable, and never repeats its text: that may be a secret.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, TypeVar

import msgspec
from msgspec import inspect

from claimbridge.errors import ConfigurationError
from claimbridge.fitting import misfit

S = TypeVar("S")

_WHOLE: Final = re.compile(r"-?[0-9]{1,15}", re.ASCII)
_NUMBER: Final = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?", re.ASCII)
_SWITCH: Final = {"true": True, "1": True, "false": False, "0": False}


class Variable(str):
    """The text of an environment variable; ``variable`` is the variable's name."""

    variable: str

    def __new__(cls, text: str, variable: str = "") -> Variable:
        """Return the text of a variable."""
        value = super().__new__(cls, text)
        value.variable = variable
        return value


def variables_of(
    name: str, environ: Mapping[str, str], *, kind: str = "", beside: Iterable[str]
) -> Iterator[tuple[str, Variable]]:
    """Yield the key and the text of each variable that overrides a key of a table.

    ``name`` is the table's; ``kind`` comes before it: "" for ledgers, ``source_`` for sources.
    ``beside`` are the stems of all tables in the file, this one's included: see ``stem``. Raises
    ConfigurationError: CB-246 for a variable that could be another table's too, CB-245 for a value
    that is no text.
    """
    own = stem(kind + name)
    stems = sorted(beside)
    others = [other for other in stems if other != own] + [own] * (stems.count(own) - 1)
    for variable in sorted(environ):
        if not variable.startswith(own):
            continue
        if any(variable.startswith(other) for other in others):
            raise ConfigurationError(
                f"the environment variable {_ascii(variable)} could belong to several tables, "
                "whose names begin the same way; rename one, or write the value into the file",
                code="CB-246",
            )
        yield variable.removeprefix(own).lower(), _text(variable, environ[variable])


def stem(name: str) -> str:
    """Return how the variables of a table of this name begin."""
    return f"CLAIMBRIDGE_{re.sub(r'[^A-Za-z0-9]', '_', name).upper()}_"


def overrides_nothing(variable: Variable, why: str = "there is no such key") -> ConfigurationError:
    """Return the refusal of a variable that overrides nothing (CB-253)."""
    return ConfigurationError(
        f"the environment variable {_ascii(variable.variable)} overrides nothing: {why}",
        code="CB-253",
    )


def _text(variable: str, text: str) -> Variable:
    """Return the text of a variable; raises CB-245 for an empty value, or one that is no text."""
    if not text.strip() or text.strip().lower() == "null":
        raise _refusal(variable, "is empty; unset it to use the file's value")
    if "\0" in text:
        raise _refusal(variable, "holds a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError:  # bytes that are not UTF-8 come as lone surrogates
        raise _refusal(variable, "is not UTF-8 text") from None
    return Variable(text, variable)


def read_as(kind: type[S], table: Mapping[str, Any], *, where: str, code: str) -> S:
    """Return a table of plain values as a struct; texts of variables take the types of its keys.

    Raises ConfigurationError: CB-245 for a variable that has not its key's type, ``code`` for a
    value of the table, with ``where`` and the key.
    """
    _refuse_nul(table, where=where, code=code)
    struct = inspect.type_info(kind)
    assert isinstance(struct, inspect.StructType)
    values = _convert_table(table, struct)
    try:
        return msgspec.convert(values, kind)
    except ConfigurationError as error:  # of the struct's own checks
        raise ConfigurationError(f"{where}: {error.message}", code=error.code) from None
    except msgspec.ValidationError as error:
        why = misfit(values, kind) or _by_key(error)
        raise ConfigurationError(f"{where}: {why}", code=code) from error


def as_kind(value: object, kind: Any) -> object:
    """Return the text of a variable as a value of ``kind``; anything else as it is.

    Raises ConfigurationError CB-245.
    """
    return _convert(value, inspect.type_info(kind)) if isinstance(value, Variable) else value


def _refuse_nul(value: object, *, where: str, code: str) -> None:
    """Refuse a text that can name no file and no address."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            _refuse_nul(inner, where=f"{where} {key}", code=code)
    elif isinstance(value, list | tuple):
        for inner in value:
            _refuse_nul(inner, where=where, code=code)
    elif isinstance(value, str) and "\0" in value:
        raise ConfigurationError(f"{where} holds a NUL character", code=code)


def _by_key(error: msgspec.ValidationError) -> str:
    """Return what is wrong, the key first: ``timeouts.connect: expected …``."""
    what, at, path = str(error).partition(" - at `$.")
    return f"{path.rstrip('`')}: {what}" if at else what


def _convert_table(table: Mapping[str, Any], kind: inspect.StructType) -> dict[str, Any]:
    types = {field.encode_name: field.type for field in kind.fields}
    return {
        key: _convert(value, types[key]) if key in types else value for key, value in table.items()
    }


def _convert(value: object, kind: inspect.Type) -> object:
    if isinstance(kind, inspect.UnionType):
        kind = next(each for each in kind.types if not isinstance(each, inspect.NoneType))
    if isinstance(value, Mapping):
        return _convert_table(value, kind) if isinstance(kind, inspect.StructType) else value
    if not isinstance(value, Variable):
        return value
    for form, read in _FORMS.items():
        if isinstance(kind, form):
            return read(value, kind)
    raise _refusal(value.variable, "overrides a list or a table; write that into the file")


def _whole(text: Variable, _: inspect.Type) -> int:
    if not _WHOLE.fullmatch(text):
        raise _refusal(text.variable, "is not a whole number, such as 20")
    return int(text)


def _real(text: Variable, _: inspect.Type) -> float:
    return float(_decimal(text, _))


def _decimal(text: Variable, _: inspect.Type) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise _refusal(text.variable, "is not a number, such as 20 or 0.5")
    return Decimal(text)


def _switch(text: Variable, _: inspect.Type) -> bool:
    try:
        return _SWITCH[text.lower()]
    except KeyError:
        raise _refusal(text.variable, "is neither true nor false") from None


def _day(text: Variable, _: inspect.Type) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise _refusal(text.variable, "is not a day, such as 2026-03-31") from None


def _choice(text: Variable, kind: inspect.Type) -> str:
    assert isinstance(kind, inspect.LiteralType)
    if str(text) not in kind.values:
        choices = ", ".join(map(str, kind.values))
        raise _refusal(text.variable, f"is none of {choices}")
    return str(text)


def _plain(text: Variable, kind: inspect.Type) -> object:
    return text if isinstance(kind, inspect.AnyType) else str(text)


_FORMS: Final[Mapping[type[inspect.Type], Callable[[Variable, inspect.Type], object]]] = {
    inspect.IntType: _whole,
    inspect.FloatType: _real,
    inspect.DecimalType: _decimal,
    inspect.BoolType: _switch,
    inspect.DateType: _day,
    inspect.LiteralType: _choice,
    inspect.StrType: _plain,
    inspect.AnyType: _plain,
}


def _refusal(variable: str, why: str) -> ConfigurationError:
    return ConfigurationError(f"the environment variable {_ascii(variable)} {why}", code="CB-245")


def _ascii(variable: str) -> str:
    return variable.encode("ascii", "backslashreplace").decode()[:120]


__all__ = ["Variable", "as_kind", "overrides_nothing", "read_as", "stem", "variables_of"]
