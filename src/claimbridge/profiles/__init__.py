"""Profiles: our code for each ERP's way, found by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from claimbridge.errors import ClaimBridgeError, ConfigurationError
from claimbridge.places import attribute_at, offers
from claimbridge.profiles.abilities import lacking
from claimbridge.profiles.base import Capabilities, Page, Profile
from claimbridge.profiles.kit.forms import EntryForm
from claimbridge.profiles.kit.options import convert_options
from claimbridge.profiles.kit.owners import of_document, of_posting
from claimbridge.profiles.kit.reading import legible, read_untyped
from claimbridge.profiles.kit.sourced import Sourced, claim_field
from claimbridge.profiles.request import Request, as_request

__all__ = [
    "PROFILES",
    "Capabilities",
    "EntryForm",
    "Page",
    "Profile",
    "Request",
    "Sourced",
    "as_request",
    "claim_field",
    "legible",
    "load_profile",
    "of_document",
    "of_posting",
    "read_untyped",
]

ENTRY_POINTS: Final = "claimbridge.profiles"
"""The entry point group in which other packages offer profiles."""

PROFILES: Final = {
    "in-string": "claimbridge.profiles.strings.in_string:InString",
    "kingdee-eas": "claimbridge.profiles.kingdee.eas:KingdeeEas",
    "netsuite": "claimbridge.profiles.netsuite.journal_entries:NetSuite",
    "reference": "claimbridge.profiles.reference.profile:Reference",
    "sap-bapi": "claimbridge.profiles.sap.bapi:SapBapi",
    "sap-journal-entry": "claimbridge.profiles.sap.journal_entry:SapJournalEntry",
    "workday": "claimbridge.profiles.workday.profile:Workday",
    "yonyou-nc": "claimbridge.profiles.strings.yonyou_nc:YonyouNc",
}
"""The profiles that come with claimbridge, by the name that a configuration uses."""

_NO_OPTIONS: Final[Mapping[str, object]] = MappingProxyType({})
_PARTS: Final = ("name", "contract", "capabilities", "submit", "read", "read_fault")


def load_profile(name: str, options: Mapping[str, object] = _NO_OPTIONS) -> Profile:
    """Return the profile that ``name`` means: one of ours, ``module:attribute``, or an entry point.

    The attribute is a profile, or a class or function that makes one. ``options`` are its keyword
    arguments, converted to their declared types. Raises ConfigurationError: CB-240 when there is no
    such profile, CB-241 when it cannot be loaded or is not a profile, CB-243 for an option that it
    does not take, or not in that form.
    """
    target = PROFILES.get(name) or (name if ":" in name else _entry_point(name))
    found = _attribute(target, name)
    if _is_profile(found) and options:
        raise ConfigurationError(
            f"profile {name!r} is an object, not a class; remove its options", code="CB-243"
        )
    made = found if _is_profile(found) else _make(found, name, options)
    if not isinstance(made, Profile):
        raise _incomplete(name, "it has no ", [part for part in _PARTS if not hasattr(made, part)])
    _check_capabilities(name, made.capabilities)
    if missing := list(lacking(made)):
        raise _incomplete(name, "its capabilities promise what it does not have: ", missing)
    return made


def _check_capabilities(name: str, capabilities: object) -> None:
    if not isinstance(capabilities, Capabilities):
        raise _incomplete(name, "its capabilities must be a ", ["Capabilities"])


def _incomplete(name: str, what: str, parts: list[str]) -> ConfigurationError:
    return ConfigurationError(
        f"profile {name!r} is not a profile: {what}{', '.join(parts)}; "
        "see claimbridge.profiles.base.Profile and claimbridge.profiles.abilities",
        code="CB-241",
    )


def _entry_point(name: str) -> str:
    offered = offers(ENTRY_POINTS)
    if name not in offered:
        known = ", ".join(sorted([*PROFILES, *offered]))
        raise ConfigurationError(
            f"there is no profile {name!r}; there are {known}, and your own as module:attribute",
            code="CB-240",
        )
    return offered[name]


def _attribute(target: str, name: str) -> object:
    try:
        return attribute_at(target)
    except ClaimBridgeError:
        raise
    except Exception as error:  # a user's module may raise anything while it loads
        raise _unloadable(name, error) from error


def _is_profile(found: object) -> bool:
    return not isinstance(found, type) and isinstance(found, Profile)


def _make(maker: object, name: str, options: Mapping[str, object]) -> object:
    if not callable(maker):
        return maker
    given = convert_options(maker, name, options)
    try:
        return maker(**given)
    except ClaimBridgeError:
        raise
    except Exception as error:  # a user's code may raise anything when called
        raise _unloadable(name, error) from error


def _unloadable(name: str, error: Exception) -> ConfigurationError:
    return ConfigurationError(
        f"profile {name!r} cannot be loaded: {type(error).__name__}: {error}; "
        "is its module on the Python path?",
        code="CB-241",
    )
