"""What only some profiles can do is found by the methods and attributes that they have."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from tests.profiles.samples import submission
from tests.site import SITE

from claimbridge.config import LedgerConfig
from claimbridge.errors import ConfigurationError
from claimbridge.ledger import Ledger
from claimbridge.profiles import PROFILES, Profile, abilities, load_profile
from claimbridge.profiles.reference.profile import Reference

OF_CAPABILITIES = {
    "can_query": (abilities.Queries, abilities.LooksUp),
    "can_reverse": (abilities.Reverses,),
    "can_list_changes": (abilities.ListsChanges,),
}
DENIED_BY_OPTION = {("kingdee-eas", "can_query")}


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_a_profile_of_ours_has_just_what_its_capabilities_promise(name: str) -> None:
    """No method only refuses; what an option denies may have one all the same."""
    profile = load_profile(name, SITE.get(name, {}))
    assert isinstance(profile, Profile)
    assert list(abilities.lacking(profile)) == []
    for capability, methods in OF_CAPABILITIES.items():
        if not getattr(profile.capabilities, capability):
            able = isinstance(profile, methods)
            assert not able or (name, capability) in DENIED_BY_OPTION


ABILITIES: list[tuple[type, dict[str, Any]]] = [
    (abilities.HasAuthKinds, {"auth_kinds": ("own",)}),
    (abilities.HasPorts, {"ports": {"other": "Other"}}),
    (abilities.NamesOperations, {"operations": ()}),
    (abilities.NamesTypes, {"types": ()}),
    (abilities.NamesDimensions, {"dimensions": ()}),
    (abilities.NamesNoPlace, {"no_place": {}}),
    (abilities.NamesLaterElements, {"later_elements": {}}),
    (abilities.Converses, {"converse": lambda self, request: None}),
    (abilities.HasHeaders, {"headers": lambda self, call: ()}),
    (
        abilities.HasSessions,
        {"log_in": lambda self, credentials: None, "read_log_in": lambda self, reply: ""},
    ),
    (abilities.TellsBooksApart, {"told_apart_by": lambda self, user: ""}),
]


@pytest.mark.parametrize(
    ("ability", "members"), ABILITIES, ids=[ability.__name__ for ability, _ in ABILITIES]
)
def test_an_ability_is_had_by_having_its_members(ability: type, members: dict[str, Any]) -> None:
    """Nothing is derived from and nothing registered; each member counts."""
    bare = type("Bare", (), {})
    assert isinstance(type("Able", (bare,), members)(), ability)
    for name in members:
        some = {key: value for key, value in members.items() if key != name}
        assert not isinstance(type("Unable", (bare,), some)(), ability)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("reverse = None", "promise what it does not have: reverse;"),
        ("query = None", "promise what it does not have: query;"),
        ("read_changes = None", "promise what it does not have: changes and read_changes;"),
        ("capabilities = {'can_query': True}", "must be a Capabilities"),
    ],
)
def test_a_promise_without_its_method_is_found_when_the_profile_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, told: str
) -> None:
    """What the capabilities promise is called some day: better no profile than half of one."""
    module = f"promising_{len(body)}"
    (tmp_path / f"{module}.py").write_text(
        "from claimbridge.profiles.reference.profile import Reference\n"
        f"class Promising(Reference):\n    {body}\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConfigurationError, match=told) as caught:
        load_profile(f"{module}:Promising")
    assert caught.value.code == "CB-241"
    sys.modules.pop(module)


@pytest.mark.parametrize("verb", ["query", "reverse"])
def test_a_promise_without_its_method_sends_nothing(verb: str) -> None:
    """A profile that is given as an object is not loaded; it is refused where it is asked."""

    class Promising(Reference):
        query = None  # type: ignore[assignment]
        reverse = None  # type: ignore[assignment]

    config = LedgerConfig(name="CN01", endpoint="http://127.0.0.1:9/")
    ledger = Ledger(config, profile=Promising())
    with pytest.raises(ConfigurationError, match=f"no method for a {verb}") as caught:
        ledger.build(verb, (submission(),))
    assert caught.value.code == "CB-242"
