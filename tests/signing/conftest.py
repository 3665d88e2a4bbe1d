"""Identities made once per run, and the moment they are judged at."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from tests.signing.issuing import At

from claimbridge.signing import Identity
from claimbridge.signing.keys.throwaway import Throwaway, make


@pytest.fixture(scope="session")
def throwaways() -> Mapping[str, Throwaway]:
    """One throw-away signer per kind of key: rsa, p256, p384."""
    return {kind: make(kind=kind, clock=At()) for kind in ("rsa", "p256", "p384")}


@pytest.fixture(scope="session")
def throwaway(throwaways: Mapping[str, Throwaway]) -> Throwaway:
    return throwaways["p256"]


@pytest.fixture(scope="session")
def identity(throwaway: Throwaway) -> Identity:
    return Identity.from_pem(throwaway.pem())
