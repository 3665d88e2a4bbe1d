"""What zeep makes of the same replies, strict and lax: whether the document is in its object."""

from __future__ import annotations

import functools
from importlib.resources import files
from types import SimpleNamespace
from typing import Any, Literal

import zeep
from tests.site import SITE
from zeep.helpers import serialize_object

from claimbridge.model import Outcome
from claimbridge.profiles import load_profile

Said = Literal["right", "raises", "lost", "no contract"]


def zeep_reads(
    profile: str,
    wsdl: str,
    operation: str,
    reply: bytes,
    before: tuple[Outcome, ...],
    *,
    strict: bool,
) -> Said:
    """Tell whether zeep's object holds each number and each first reason that the reply held.

    ``raises``: an exception, which at least is no silence; ``lost``: an object without
    them; ``no contract``: it cannot load the contract without a network.
    """
    wanted = [
        one.journal_entry.number if one.journal_entry else one.reasons[0].text
        for one in before
        if one.journal_entry or one.reasons
    ]
    if not wanted:
        return "right"
    client = _client(profile, wsdl, strict)
    binding = _binding(client, operation)
    if binding is None:
        return "no contract"
    answer = SimpleNamespace(
        status_code=200, content=reply, headers={"Content-Type": "text/xml"}, encoding="utf-8"
    )
    try:
        read = binding.process_reply(client, binding.get(operation), answer)
    except Exception:  # noqa: BLE001 - zeep and lxml raise many kinds; here all say the same
        return "raises"
    held = set(_texts(serialize_object(read)))
    return "right" if all(any(one in text for text in held) for one in wanted) else "lost"


@functools.cache
def _client(profile: str, wsdl: str, strict: bool) -> Any:
    place = wsdl or str(
        files("claimbridge.wsdl") / load_profile(profile, SITE.get(profile, {})).contract
    )
    try:
        return zeep.Client(place, transport=_Offline(), settings=zeep.Settings(strict=strict))  # type: ignore[no-untyped-call]  # zeep has no types
    except Exception:  # noqa: BLE001 - it would fetch what the contract imports by name alone
        return None


class _Offline(zeep.Transport):  # type: ignore[misc]  # zeep has no types
    """Reads files, and asks nobody."""

    def _load_remote_data(self, url: str) -> bytes:
        raise OSError(f"not fetched: {url}")


def _binding(client: Any, operation: str) -> Any:
    found = client.wsdl.bindings.values() if client is not None else ()
    return next((one for one in found if operation in one.all()), None)


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for one in value.values() for text in _texts(one)]
    if isinstance(value, list | tuple):
        return [text for one in value for text in _texts(one)]
    return [] if value is None else [str(value)]
