"""One sandbox for the tests of a module; each test has its own faults and its own claims."""

from __future__ import annotations

import itertools
import multiprocessing
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkServerContext

import pytest
from tests.withstand.relay import Relay
from tests.withstand.scene import seed_of

from claimbridge.sandbox import Sandbox

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def shared_erp() -> Iterator[Sandbox]:
    """An ERP that serves every profile, for all tests of a module in one process."""
    with Sandbox(lifelike=True) as erp:
        yield erp


@pytest.fixture
def erp(shared_erp: Sandbox, request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """The module's ERP, without faults before and after; each test has its own untidiness."""
    shared_erp.set_faults("", seed=seed_of(request.node.nodeid))
    yield shared_erp
    shared_erp.set_faults("")


@pytest.fixture
def new_id() -> Callable[[], str]:
    """Makes claim ids that no other test of the module uses."""
    return lambda: f"W{next(_NUMBERS):05}"


@pytest.fixture
def relay(erp: Sandbox) -> Iterator[Relay]:
    """A relay between clients and the module's ERP."""
    with Relay(erp.port) as relay:
        yield relay


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    """Makes processes quickly: what they need is imported once."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.withstand.breaks.interrupted"])
    return context
