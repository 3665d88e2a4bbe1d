"""The public names: what is promised is there, and what is there is promised."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import subprocess
import sys

import pytest

import claimbridge
from claimbridge import errors


def test_all_is_what_is_visible() -> None:
    """``dir`` shows every public name, ``from claimbridge import *`` brings them, no others."""
    assert claimbridge.__all__ == sorted(claimbridge.__all__)
    assert set(claimbridge.__all__) <= set(dir(claimbridge))
    script = (
        "from claimbridge import *; import claimbridge; "
        "shown = {name for name in globals() if name[0] != '_' and name != 'shown'}; "
        "print(sorted(shown ^ {*claimbridge.__all__, 'claimbridge'}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize("name", claimbridge.__all__)
def test_every_public_name_exists_and_is_documented(name: str) -> None:
    """A name resolves to the object of that name, from one home, with a docstring."""
    value = getattr(claimbridge, name)
    assert value.__name__ == name
    assert value.__module__.startswith("claimbridge.")
    assert inspect.getdoc(value)
    assert getattr(claimbridge, name) is value


@pytest.mark.parametrize("package", ["claimbridge.sandbox", "claimbridge.sources"])
def test_the_face_of_a_package_has_its_names(package: str) -> None:
    """What is loaded when first asked for is there, in order, and says what it is."""
    face = importlib.import_module(package)
    assert face.__all__ == sorted(face.__all__, key=lambda name: (not name.isupper(), name))
    for name in face.__all__:
        value = getattr(face, name)
        assert name.isupper() or inspect.getdoc(value)
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = face.Nothing


def test_every_error_is_public_and_in_the_tree() -> None:
    """The docstring of ``errors`` draws each class; each can be caught from ``claimbridge``."""
    classes = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.ClaimBridgeError)
    }
    assert classes <= set(claimbridge.__all__)
    drawn = errors.__doc__ or ""
    assert [name for name in classes if name not in drawn] == []


def test_default_codes_are_unique() -> None:
    """Two error classes never share a general code, except where one refines the other."""
    owners: dict[str, str] = {}
    for name in claimbridge.__all__:
        value = getattr(claimbridge, name)
        if isinstance(value, type) and "default_code" in vars(value):
            assert owners.setdefault(value.default_code, name) == name


def test_an_unknown_name_is_an_attribute_error() -> None:
    """A misspelt import fails as Python's own do."""
    with pytest.raises(AttributeError, match="Cleint"):
        claimbridge.Cleint  # noqa: B018 - the access is the test


MODULES = [
    name
    for _, name, _ in pkgutil.walk_packages(claimbridge.__path__, "claimbridge.")
    if not name.startswith("claimbridge.examples") and not name.endswith("__main__")
]


@pytest.mark.parametrize("name", MODULES)
def test_every_module_names_what_it_exports(name: str) -> None:
    """Where a module has ``__all__``, everything in it is there."""
    module = importlib.import_module(name)
    assert module.__doc__ or name in {"claimbridge.wsdl", "claimbridge.xsd"}
    for exported in getattr(module, "__all__", ()):
        assert hasattr(module, exported), exported
