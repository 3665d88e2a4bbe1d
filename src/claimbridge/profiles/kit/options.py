"""Options of a profile: ``[ledger.X.options]`` as the keyword arguments of what makes it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

import msgspec

from claimbridge.bounds import check_finite, check_numbers
from claimbridge.environment import as_kind
from claimbridge.errors import ConfigurationError
from claimbridge.fitting import misfit


def convert_options(
    maker: Callable[..., object], name: str, options: Mapping[str, object]
) -> dict[str, Any]:
    """Return ``options`` as ``maker`` takes them; a text becomes a number where one is declared.

    ``name`` is the profile's name, for the error. Raises ConfigurationError CB-243 for an option
    that ``maker`` does not know, that is missing, or that has another type.
    """
    declared = _parameters(maker)
    unknown = sorted(options.keys() - declared.keys())
    if unknown:
        known = ", ".join(sorted(declared)) or "none"
        raise wrong_option(name, f"there is no option {unknown[0]!r}; there are: {known}")
    lacking = [key for key, (_, needed) in declared.items() if needed and key not in options]
    if lacking:
        keys = ", ".join(map(repr, lacking))
        many = len(lacking) > 1
        what = f"the options {keys} are missing" if many else f"the option {keys} is missing"
        raise wrong_option(name, what)
    return {key: _convert(name, key, value, declared[key][0]) for key, value in options.items()}


def _parameters(maker: Callable[..., object]) -> dict[str, tuple[Any, bool]]:
    """Return each keyword's type and whether it must be given."""
    made_by: Any = vars(maker).get("__init__", maker) if isinstance(maker, type) else maker
    hints = get_type_hints(made_by)
    parameters = inspect.signature(maker).parameters.values()
    found = {
        one.name: (hints.get(one.name, Any), one.default is inspect.Parameter.empty)
        for one in parameters
        if one.kind in {inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
    }
    # A clock, for tests, cannot be written into a configuration.
    return {key: held for key, held in found.items() if key != "clock"}


def _convert(name: str, key: str, value: object, kind: Any) -> object:
    try:
        plain = as_kind(value, kind)
        found: object = msgspec.convert(plain, kind)
    except msgspec.ValidationError as error:
        raise wrong_option(name, misfit(plain, kind, where=key) or f"{key}: {error}") from error
    check_numbers(name, {key: found}, where=f"profile {name!r}: ", code="CB-243")
    check_finite(found, what=f"profile {name!r}: {key}", code="CB-243")
    return found


def wrong_option(name: str, what: str, *, code: str = "CB-243") -> ConfigurationError:
    """Return the error for an option of the profile ``name``: what is wrong, and what to do."""
    return ConfigurationError(f"profile {name!r}: {what}; see [ledger.X.options]", code=code)
