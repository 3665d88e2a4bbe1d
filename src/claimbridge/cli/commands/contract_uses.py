"""Commands about what contracts mean for those who use them: diff, check, types."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Annotated, Final

import msgspec
from cyclopts import Parameter

from claimbridge.cli.exit_codes import BUSINESS_NO, DONE
from claimbridge.cli.inputs import at_hand
from claimbridge.cli.offline import configured_ledger, read_options
from claimbridge.cli.options import Json, ProfileOptions
from claimbridge.cli.output import NO, WARN, YES, complain, emit, say, write_document
from claimbridge.contract import Bundle, Contract
from claimbridge.contract.outline.wording import listed
from claimbridge.contract.study.check import Check, Obstacle, check
from claimbridge.contract.study.diff import ContractChange, Impact, diff
from claimbridge.contract.study.generation import Generation
from claimbridge.contract.study.typed_dicts import types_module
from claimbridge.contract.study.uses import Uses
from claimbridge.errors import ClaimBridgeError, ConfigurationError
from claimbridge.ledger import Ledger
from claimbridge.profiles import PROFILES, Profile, load_profile
from claimbridge.profiles.abilities import TakesSamples
from claimbridge.profiles.samples import SAMPLE_OPTIONS
from claimbridge.profiles.usage import uses_of

_CONFIG: Final = Path("claimbridge.toml")
_TITLES: Final = {
    Impact.BREAKS: ("breaks", NO),
    Impact.HARMLESS: ("harmless", YES),
    Impact.NEW: ("new possibilities", YES),
}


def diff_contracts(
    old: Path,
    new: Path,
    /,
    *,
    profile: Annotated[
        tuple[str, ...],
        Parameter(
            help="Judge for this profile; without one, for each of ours that calls an operation "
            "of the old contract."
        ),
    ] = (),
    config: Annotated[Path, Parameter(help="The configuration that has the ledgers.")] = _CONFIG,
    ledger: Annotated[
        tuple[str, ...],
        Parameter(
            help="Judge for this ledger of the configuration too: its profile, its options, and "
            "the fields that it adds and leaves out."
        ),
    ] = (),
    any_sender: Annotated[
        bool,
        Parameter(negative=(), help="Judge for a sender of everything that the old form allows."),
    ] = False,
    json: Json = False,
) -> int:
    """Report what changed between two contracts, and whom it breaks.

    Parameters
    ----------
    old
        The contract in use: a locked bundle, or a WSDL file; - is stdin.
    new
        The contract that the ERP offers now.

    """
    before, after = _generation(old), _generation(new)
    ledgers = tuple(_uses_of_ledger(config, name) for name in ledger)
    uses = () if any_sender else (*ledgers, *_judges(profile, before, alone=not ledgers))
    changes = diff(before, after, uses=uses)
    if json:
        for change in changes:
            emit(msgspec.to_builtins(change))
    else:
        _print_changes(changes, uses)
    return BUSINESS_NO if any(each.verdict is Impact.BREAKS for each in changes) else DONE


def check_profile(
    contract: Path,
    /,
    *,
    profile: Annotated[
        str | None, Parameter(help="The ERP's profile: a name, or module:attribute.")
    ] = None,
    option: ProfileOptions = (),
    config: Annotated[Path, Parameter(help="The configuration that has the ledger.")] = _CONFIG,
    ledger: Annotated[
        str | None,
        Parameter(
            help="A ledger of the configuration in a profile's place: its profile, its options, "
            "and the fields that it adds and leaves out."
        ),
    ] = None,
    json: Json = False,
) -> int:
    """Report whether a profile works with a contract: what it needs, lacks and could exceed.

    Parameters
    ----------
    contract
        A locked bundle, or a WSDL file.

    """
    opened = _for_samples(configured_ledger(config, ledger)) if ledger is not None else None
    judged = opened.setup.profile if opened else _profile(profile, option)
    own = _own_generation(judged)
    uses = _uses_with_fields(opened) if opened else uses_of(judged, own)
    with at_hand(contract, suffix=".wsdl") as file:
        result = check(uses, Contract.load(file), Generation.load(file), own=own)
    if json:
        _emit_check(result)
    else:
        _print_check(judged.name, result)
    return DONE if result.works else BUSINESS_NO


def print_types(
    operations: list[str],
    /,
    *,
    contract: Annotated[Path, Parameter(help="A locked bundle, or a WSDL file.")],
    kind: Annotated[
        tuple[str, ...],
        Parameter(
            name="--type",
            negative=(),
            help="Which of many types that may stand in one place: JournalEntry, for NetSuite.",
        ),
    ] = (),
    sourced: Annotated[
        bool, Parameter(negative=(), help="Values may be claimbridge.profiles.Sourced too.")
    ] = False,
    json: Json = False,
) -> int:
    """Print a Python module of TypedDicts that checkers hold a profile's requests against.

    Parameters
    ----------
    operations
        The operations whose requests are wanted.

    """
    text = types_module(_generation(contract), operations, kinds=kind, sourced=sourced)
    if json:
        emit({"operations": operations, "module": text})
    else:
        write_document(text.encode())
    return DONE


def _generation(path: Path) -> Generation:
    with at_hand(path, suffix=".wsdl") as file:
        return Generation.load(file)


def _profile(name: str | None, options: tuple[str, ...]) -> Profile:
    if name is None:
        raise ConfigurationError(
            "name a profile with --profile, or a ledger with --ledger", code="CB-252"
        )
    return load_profile(name, {**SAMPLE_OPTIONS.get(name, {}), **read_options(options)})


def _own_generation(profile: Profile) -> Generation:
    return Generation.load(Bundle.named(profile.contract))


def _judges(names: Sequence[str], old: Generation, *, alone: bool) -> tuple[Uses, ...]:
    """Return the uses of the profiles named, or of ours that call an operation of ``old``.

    ``alone``: nobody else judges.
    """
    if names or not alone:
        return tuple(_uses(name) for name in names)
    judges: list[Uses] = []
    for name in PROFILES:
        try:
            uses = _uses(name)
        except ClaimBridgeError as error:
            complain(f"not judged for {name}: {error}")
            continue
        if any(operation in old.operations for operation in uses.operations):
            judges.append(uses)
    return tuple(judges)


def _uses(name: str) -> Uses:
    profile = load_profile(name, SAMPLE_OPTIONS.get(name, {}))
    return uses_of(profile, _own_generation(profile))


def _for_samples(ledger: Ledger) -> Ledger:
    """Return the ledger with a profile that takes the samples' codes."""
    setup = ledger.setup
    if not isinstance(setup.profile, TakesSamples):
        return ledger
    return Ledger(setup.config, profile=setup.profile.for_samples())


def _uses_with_fields(ledger: Ledger) -> Uses:
    """Return what a ledger's requests have, with the fields of its configuration."""
    profile = ledger.setup.profile
    return uses_of(
        profile,
        _own_generation(profile),
        build=partial(ledger.writer.request, trial=True),
        dimensions=ledger.setup.extras.dimensions,
    )


def _uses_of_ledger(config: Path, name: str) -> Uses:
    """Return what a ledger's requests have, with the fields of its configuration."""
    ledger = _for_samples(configured_ledger(config, name))
    uses = _uses_with_fields(ledger)
    return msgspec.structs.replace(uses, profile=name)


def _print_changes(changes: Sequence[ContractChange], uses: Sequence[Uses]) -> None:
    for verdict, (title, mark) in _TITLES.items():
        group = [each for each in changes if each.verdict is verdict]
        if group:
            say(mark, f" {title}", whole=True)
        for _, alike in groupby(group, key=lambda each: (each.side, each.operations, each.type)):
            _print_type(list(alike))
    others = [each for each in changes if each.strict is Impact.BREAKS is not each.verdict]
    for change in others:
        say(WARN, f" would break who uses it, and no profile here does: {change}")
    for judge in uses:
        _print_profile(judge.profile, changes)
    if not changes:
        say(YES, " the two mean the same")


def _print_type(changes: Sequence[ContractChange]) -> None:
    first = changes[0]
    if first.side == "operation":
        for change in changes:
            say(f"    operation {change}")
        return
    operations = ", ".join(first.operations[:3]) + (" …" if len(first.operations) > 3 else "")
    say(f"    {first.type}, in the {first.side} of {operations}")
    for text, alike in groupby(changes, key=lambda each: each.text):
        names = [each.name for each in alike]
        say(f"        {', '.join(name for name in names if name) or first.type}: {text}")


def _print_profile(name: str, changes: Sequence[ContractChange]) -> None:
    breaking = [each for each in changes if name in each.breaks]
    for change in breaking:
        say(NO, f" {name}: {change}")
    if not breaking:
        say(YES, f" {name}: nothing breaks it")
    passed_over: dict[str, list[str]] = {}
    for change in changes:
        if change.side == "reply" and name in change.concerns and name not in change.breaks:
            passed_over.setdefault(change.type, []).append(change.name or change.text)
    for kind, names in passed_over.items():
        parts = listed(names, most=5)
        say(WARN, f" {name}: its reading of {kind} in replies meets {parts}, and reads past it")


def _emit_check(result: Check) -> None:
    for need in result.needs:
        emit({"about": "name", **msgspec.to_builtins(need)})
    for about, obstacles in (("refused", result.refused), ("limit", result.could_exceed)):
        for each in obstacles:
            emit({"about": about, "operation": each.operation} | msgspec.to_builtins(each.finding))


def _print_check(name: str, result: Check) -> None:
    for sends, what in ((True, "sends"), (False, "reads")):
        needs = [each for each in result.needs if each.sends is sends]
        for where in dict.fromkeys(each.where for each in needs):
            there = [each for each in needs if each.where == where]
            missing = [each for each in there if not each.present]
            count = f"{len(there)} names, {len(missing)} missing"
            say(NO if missing else YES, f" {what} {where}: {count}")
            for need in missing:
                say(f"    {need.path or where} is not in the contract")
    for text, operations in _operations_by_text(result.refused).items():
        say(NO, f" refused in {operations}: {text}")
    for text, operations in _operations_by_text(result.could_exceed).items():
        say(WARN, f" could exceed in {operations}: {text}")
    if result.works:
        say(YES, f" {name} works with this contract")
    else:
        say(NO, f" {name} does not work with all of this contract")


def _operations_by_text(obstacles: Sequence[Obstacle]) -> dict[str, str]:
    """Return each sentence once, with the operations that it holds for."""
    by_text: dict[str, list[str]] = {}
    for each in obstacles:
        field = f" (from {each.finding.claim_field})" if each.finding.claim_field else ""
        text = f"{each.finding.path}: {each.finding.text}{field}"
        by_text.setdefault(text, []).append(each.operation)
    return {text: ", ".join(operations) for text, operations in by_text.items()}


__all__ = ["check_profile", "diff_contracts", "print_types"]
