"""The command ``preview``: what would be sent for claims."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import Parameter

from claimbridge.cli.exit_codes import BUSINESS_NO, DONE, worst
from claimbridge.cli.inputs import read_claim
from claimbridge.cli.offline import configured_ledger, offline_ledger
from claimbridge.cli.options import Json, LedgerName, ProfileOptions
from claimbridge.cli.output import NO, complain, emit, say
from claimbridge.cli.readable import readable
from claimbridge.cli.records import finding_text, plain_findings
from claimbridge.errors import ClaimError, ConfigurationError
from claimbridge.ledger import Ledger, Preview

_USUAL: Final = Path("claimbridge.toml")


def preview(
    claims: list[Path],
    /,
    *,
    chart: Annotated[Path | None, Parameter(help="The chart of accounts.")] = None,
    profile: Annotated[
        str | None,
        Parameter(help="The ERP's profile: a name, or module:attribute; reference if left out."),
    ] = None,
    contract: Annotated[
        Path | None,
        Parameter(help="A locked bundle or a WSDL file; the profile's own when left out."),
    ] = None,
    option: ProfileOptions = (),
    config: Annotated[
        Path | None,
        Parameter(
            help="A configuration, which says all of this, and what extra and omit change; "
            "claimbridge.toml, if there is one, when all of this is left out."
        ),
    ] = None,
    ledger: LedgerName = None,
    json: Json = False,
) -> int:
    """Show what would be sent for claims, without journal and network.

    Parameters
    ----------
    claims
        Files with one claim each, in JSON; - is stdin.

    """
    opened = _opened(chart, profile, contract, option, config=config, ledger=ledger)
    codes = []
    for path in claims:
        try:
            previews = opened.previews(read_claim(path))
        except ClaimError as error:
            codes.append(BUSINESS_NO)
            _show_unbuilt(error, path, json)
            continue
        for each in previews:
            codes.append(DONE if each.valid else BUSINESS_NO)
            if json:
                emit(_preview_record(each))
            else:
                _print_preview(each)
    return worst(codes)


def _opened(
    chart: Path | None,
    profile: str | None,
    contract: Path | None,
    option: tuple[str, ...],
    *,
    config: Path | None,
    ledger: str | None,
) -> Ledger:
    named = chart or profile or contract or option
    if config is None and ledger is None and (named or not _USUAL.exists()):
        if chart is None:
            raise ConfigurationError(
                "name the chart with --chart, or a configuration with --config", code="CB-257"
            )
        return offline_ledger(profile or "reference", contract, chart, option)
    if named:
        raise ConfigurationError(
            "the configuration says which chart, profile, contract and options count; leave "
            "--chart, --profile, --contract and --option out",
            code="CB-251",
        )
    return configured_ledger(config or _USUAL, ledger)


def _preview_record(shown: Preview) -> dict[str, Any]:
    return {
        "claim": shown.claim_id,
        "reference": shown.reference,
        "operation": shown.operation,
        "body": shown.body.decode(),
        "valid": shown.valid,
        "findings": plain_findings(shown.findings),
        "fields": list(shown.fields),
    }


def _show_unbuilt(error: ClaimError, path: Path, json: bool) -> None:
    if not json:
        complain(str(error))
        return
    emit(
        {
            "claim": error.claim_id or path.name,
            "reference": None,
            "operation": None,
            "body": None,
            "valid": False,
            "fields": [],
            "findings": [
                {"path": "", "rule": error.code, "text": error.message, "claim_field": ""}
            ],
        }
    )


def _print_preview(shown: Preview) -> None:
    say((shown.claim_id, "bold"), f"  {shown.operation}  reference {shown.reference}")
    # Indented for reading; --json has the bytes as they would be sent.
    for line in readable(shown.body):
        say(line, whole=True)
    for words in shown.fields:
        say(f"    {words}")
    for finding in shown.findings:
        say(NO, f" {finding_text(finding)}")
    say(("valid", "green") if shown.valid else ("not valid: it would not be sent", "red"))
