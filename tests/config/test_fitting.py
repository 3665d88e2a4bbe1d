"""What is wrong in a configuration is said in its own words, with the place and what may stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
import pytest

from claimbridge.config import config_from
from claimbridge.errors import ConfigurationError
from claimbridge.fitting import misfit
from claimbridge.model import Role
from claimbridge.profiles import load_profile
from claimbridge.profiles.kit.options import convert_options


class Rates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of an option."""

    kind: str
    digits: int = 2
    base: Literal["first", "second"] = "first"


class Maker:
    """Stands for a profile."""

    def __init__(
        self,
        *,
        must: int,
        also: str,
        way: Literal["yes", "no"] = "yes",
        names: Mapping[Role, str] | None = None,
        rates: Mapping[str, Rates] | None = None,
        pairs: tuple[tuple[str, int], ...] = (),
        on: bool | Literal["both"] = False,
    ) -> None:
        """Take the options."""


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"way": "maybe"}, "way must be one of: yes, no"),
        ({"names": "a"}, "names must be a table"),
        ({"names": {"rounding": 1}}, "names.rounding must be a text"),
        ({"names": {"taxi": "1"}}, "names: there is no 'taxi'; it is one of: expense, "),
        ({"rates": {"org": {"kind": 1}}}, "rates.org.kind must be a text"),
        ({"rates": {"org": {"kin": "x"}}}, "rates.org: there is no key 'kin'; there are: base, "),
        ({"rates": {"org": {}}}, "rates.org: the key 'kind' must be given"),
        ({"rates": {"org": {"kind": "x", "base": "last"}}}, "base must be one of: first, second"),
        ({"pairs": [["a", 1], ["b", "c"]]}, "pairs[1][1] must be a whole number"),
        ({"pairs": [["a"]]}, "pairs[0] must be a list of 2"),
        ({"on": "maybe"}, "on must be true or false or one of: both"),
        ({"must": "1"}, "must must be a whole number"),
    ],
)
def test_an_option_is_refused_in_our_words(options: Mapping[str, Any], told: str) -> None:
    """Its place, and what may stand there; no word of another library."""
    with pytest.raises(ConfigurationError, match="CB-243") as refused:
        convert_options(Maker, "mine", {"must": 1, "also": "x", **options})
    assert told in str(refused.value)
    for foreign in ("$", "`", "Expected", "Invalid", "object"):
        assert foreign not in str(refused.value)


def test_all_options_that_are_missing_are_named() -> None:
    """At once: a person fills them in one go."""
    with pytest.raises(ConfigurationError, match="the options 'must', 'also' are missing"):
        convert_options(Maker, "mine", {})
    with pytest.raises(ConfigurationError, match="the option 'also' is missing"):
        convert_options(Maker, "mine", {"must": 1})


def test_what_fits_is_no_misfit() -> None:
    """None where there is nothing to say."""
    assert misfit({"a": 1}, dict[str, int]) is None


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"extra": [{"at": "A", "value": 1, "rol": "tax"}]}, "extra[0]: there is no key 'rol'; "),
        ({"extra": [{"at": "A"}]}, "extra[0]: the key 'value' must be given"),
        ({"timeouts": {"connect": "soon"}}, "timeouts.connect must be a number"),
        ({"first_send": "maybe"}, "first_send must be one of: "),
        ({"batsh": 3}, "there is no key 'batsh'; there are: auth, "),
    ],
)
def test_a_key_of_a_ledger_is_refused_in_our_words(more: Mapping[str, Any], told: str) -> None:
    """The same in the ledger's own table."""
    with pytest.raises(ConfigurationError, match="CB-251") as refused:
        config_from({"name": "X", "endpoint": "http://127.0.0.1/", **more}, where="f [ledger.X]")
    assert told in str(refused.value)


def test_a_real_profile_says_what_it_takes() -> None:
    """An enumeration of a profile of ours."""
    with pytest.raises(ConfigurationError, match="must be one of: ") as refused:
        load_profile("kingdee-eas", {"credit": -1, "facade": "maybe"})
    assert "facade" in str(refused.value)
