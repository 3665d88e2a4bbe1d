from __future__ import annotations

import importlib.resources
import sys
from pathlib import Path

import pytest
from tests.site import SITE

from claimbridge.errors import ConfigurationError, KeyUnavailable
from claimbridge.profiles import PROFILES, load_profile
from claimbridge.profiles.reference.profile import Reference
from claimbridge.profiles.sap.journal_entry import SapJournalEntry


def own_module(folder: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> str:
    name = f"profiles_of_{folder.name.replace('-', '_')}"
    (folder / f"{name}.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, name, raising=False)
    return name


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_each_profile_of_ours_has_its_contract_in_the_package(name: str) -> None:
    """A profile works without any configured contract: its own is installed with it."""
    profile = load_profile(name, SITE.get(name, {}))
    assert profile.name == name
    assert importlib.resources.files("claimbridge.wsdl").joinpath(profile.contract).is_file()


def test_capabilities_decide_the_recipe_for_a_lost_answer() -> None:
    """The reference service can be asked; SAP cannot, so a lost answer there needs a person."""
    reference, sap = Reference().capabilities, SapJournalEntry().capabilities
    assert (reference.can_query, reference.unique_reference, reference.batch) == (True, True, 100)
    assert reference.can_reverse
    assert reference.can_list_changes
    assert reference.document_signature == "{urn:claimbridge:voucher:1}Voucher"
    assert (sap.can_query, sap.unique_reference, sap.can_list_changes) == (False, False, False)
    assert sap.can_reverse
    assert sap.document_signature is None


@pytest.mark.parametrize(
    "definition",
    [
        "profile = SapJournalEntry(document_type='ZE')",
        "profile = SapJournalEntry",
        "def profile(): return SapJournalEntry(document_type='ZE')",
    ],
)
def test_an_own_profile_is_named_by_module_and_attribute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, definition: str
) -> None:
    """An instance, a class and a function that makes one are all accepted."""
    source = f"from claimbridge.profiles.sap.journal_entry import SapJournalEntry\n{definition}\n"
    module = own_module(tmp_path, monkeypatch, source)
    assert load_profile(f"{module}:profile").name == "sap-journal-entry"


def test_an_unknown_name_lists_what_there_is() -> None:
    """A misspelt name in a configuration shows the names that exist."""
    with pytest.raises(ConfigurationError, match="sap-journal-entry") as caught:
        load_profile("sap")
    assert caught.value.code == "CB-240"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("raise RuntimeError('no licence')", "no licence"),
        ("other = 1", "profile"),
        ("profile = 1", "submit"),
        ("def profile(): raise OSError('no route')", "no route"),
    ],
)
def test_what_is_no_profile_is_a_configuration_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, said: str
) -> None:
    """Whatever a user's module does while it loads, our own error says so."""
    module = own_module(tmp_path, monkeypatch, source)
    with pytest.raises(ConfigurationError, match=said) as caught:
        load_profile(f"{module}:profile")
    assert caught.value.code == "CB-241"


@pytest.mark.parametrize("where", ["", "def profile():\n    "])
def test_an_error_of_ours_passes_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """A profile that says by our own errors what is missing is not called unloadable."""
    source = (
        "from claimbridge.errors import KeyUnavailable\n"
        f"{where}raise KeyUnavailable('the licence has no key')\n"
    )
    module = own_module(tmp_path, monkeypatch, source)
    with pytest.raises(KeyUnavailable, match="the licence has no key"):
        load_profile(f"{module}:profile")


def test_a_missing_module_is_a_configuration_error() -> None:
    """A module that is not installed is named."""
    with pytest.raises(ConfigurationError, match="no_such_module_here"):
        load_profile("no_such_module_here:profile")


@pytest.mark.parametrize(
    ("profile", "options"),
    [
        ("kingdee-eas", {"credit": 1}),
        ("kingdee-eas", {"credit": -1, "password_encoded": True}),
        ("kingdee-eas", {"credit": -1, "listing": ["nonsense"]}),
        ("sap-bapi", {"untaxed": "V1234"}),
        ("sap-journal-entry", {"debtors": ["advances"]}),
        ("sap-journal-entry", {"taxes": {"V1": {"direct": True, "by_item": True}}}),
        ("workday", {"version": "thirty"}),
        ("netsuite", {"match": {"account": "symbol"}}),
    ],
)
def test_a_refusal_names_the_profile_and_the_table(
    profile: str, options: dict[str, object]
) -> None:
    """The same form everywhere: whose option, what is wrong, and where to fix it."""
    with pytest.raises(ConfigurationError, match="CB-243") as refused:
        load_profile(profile, options)
    assert f"profile {profile!r}: " in str(refused.value)
    assert str(refused.value).endswith("; see [ledger.X.options]")
    assert str(refused.value).count("see [ledger.X.options]") == 1
