"""The transports of one ERP: its endpoint, and other ports that some profiles use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import msgspec

from claimbridge.soap.transport.settings import TransportSettings
from claimbridge.turns import Turn

T = TypeVar("T")


class Ports(Generic[T]):
    """One transport per address, made when first needed; threads may share it.

    The settings' own endpoint is opened at once. The credentials go to every port: those are named
    by the configuration or lie beside the endpoint, never by a reply.
    """

    def __init__(self, settings: TransportSettings, make: Callable[[TransportSettings], T]) -> None:
        """Open the endpoint; raises ConfigurationError or KeyUnavailable as ``make`` does."""
        self._settings = settings
        self._make = make
        self._turn = Turn()
        self._open: dict[str, T] = {settings.endpoint: make(settings)}

    def to(self, endpoint: str) -> T:
        """Return the transport to ``endpoint``; "" is the settings' own."""
        place = endpoint or self._settings.endpoint
        with self._turn.held():
            if place not in self._open:
                settings = msgspec.structs.replace(self._settings, endpoint=place)
                self._open[place] = self._make(settings)
            return self._open[place]

    def __iter__(self) -> Iterator[T]:
        with self._turn.held():
            return iter(list(self._open.values()))
