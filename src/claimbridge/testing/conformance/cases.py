"""All checks of one profile, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec

from claimbridge.config import AuthConfig
from claimbridge.errors import ConfigurationError
from claimbridge.mapping import Chart
from claimbridge.profiles import Profile
from claimbridge.sandbox import Responder
from claimbridge.testing.conformance import fields, replies, requests, unlucky
from claimbridge.testing.conformance.subject import Nonconformity, Subject
from claimbridge.testing.given import chart_given, check_kind, folder_given

_ALWAYS: Final[Mapping[str, Callable[[Subject], None]]] = {
    "capabilities": requests.capabilities,
    "requests-valid": requests.valid,
    "requests-deterministic": requests.deterministic,
    "requests-name-claim-fields": requests.claim_fields,
    "requests-whole-reference": requests.whole_reference,
    "requests-companies": requests.companies,
    "requests-no-place": fields.declarations,
    "replies-nonsense": replies.nonsense,
    "replies-empty": replies.empty,
    "replies-bare-fault": replies.bare_fault,
}


class ConformanceCase(msgspec.Struct, frozen=True):
    """One check of one profile; ``run`` raises Nonconformity where the profile fails it."""

    name: str
    run: Callable[[], None]

    def __str__(self) -> str:
        return self.name


def conformance_cases(
    profile: str | Profile,
    *,
    responder: str | Responder | None = None,
    recorded: str | Path | None = None,
    options: Mapping[str, Any] | None = None,
    auth: AuthConfig | None = None,
    chart: Chart | str | Path | None = None,
    path: str = "",
    no_place: Mapping[str, str] | None = None,
    lifelike: bool = True,
) -> list[ConformanceCase]:
    """Return every check of a profile, as cases for ``pytest.mark.parametrize``.

    ``profile`` is its name, ``module:attribute``, or itself. ``responder`` plays its ERP in a
    sandbox (``path`` follows the address), for the disturbances; ``recorded`` is a folder of
    exchanges (``claimbridge.testing.load_exchanges``), for the drifts. ``chart`` None
    takes one account for every expense. ``no_place`` are the fields of a voucher (``approver``,
    ``posting.project``) that the ERP has no place for, each with the reason; a profile may have
    them as ``no_place`` itself. ``lifelike`` False: the responder's replies are written tidily, and
    not as real systems write them.
    Raises ConfigurationError: CB-296 for an argument of another kind, CB-297 where ``recorded``
    holds no exchange of the profile.
    """
    if auth is not None:
        check_kind("auth", auth, AuthConfig, "an AuthConfig")
    for name, value in (("options", options), ("no_place", no_place)):
        if value is not None:
            check_kind(name, value, Mapping, "a mapping")
    subject = Subject(
        profile=profile,
        responder=responder,
        recorded=folder_given(recorded),
        options=options or {},
        auth=auth,
        chart=chart_given(chart),
        path=path,
        no_place=no_place or {},
        lifelike=lifelike,
    )
    return [*_cases(subject)]


def check(profile: str | Profile, **given: Any) -> None:
    """Run every case; raises Nonconformity with all failures.

    ``given`` are the arguments of ``conformance_cases``.
    """
    failed = []
    for case in conformance_cases(profile, **given):
        try:
            case.run()
        except Nonconformity as error:
            failed.append(f"{case}: {error}")
    if failed:
        raise Nonconformity("\n".join(failed))


def _cases(subject: Subject) -> Iterator[ConformanceCase]:
    for name, judge in _ALWAYS.items():
        yield ConformanceCase(name, partial(judge, subject))
    for field in fields.fields():
        yield ConformanceCase(f"requests-carry-{field}", partial(fields.carries, subject, field))
    found = [*replies.exchanges(subject)]
    if subject.recorded is not None and not found:
        raise ConfigurationError(
            f"recorded: {subject.recorded} holds no exchange of profile "
            f"{subject.open_profile().name} with a reply; they stand in "
            "PROFILE/OPERATION/CASE, with case.toml",
            code="CB-297",
        )
    for exchange in found:
        name = f"recorded-{exchange.operation}-{exchange.case}"
        yield ConformanceCase(name, partial(replies.recording, subject, exchange))
    if subject.responder is not None:
        for name, run in unlucky.checks(subject):
            yield ConformanceCase(name, run)
