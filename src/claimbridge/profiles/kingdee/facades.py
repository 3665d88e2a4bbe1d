"""The services of EAS that import vouchers, and the form in which each takes rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

from claimbridge.profiles.kingdee.answers import IMPORT, IMPORT_JSON, ImportRequest
from claimbridge.profiles.request import as_request

if TYPE_CHECKING:
    from claimbridge.profiles.kingdee import requests

Facade = Literal["strings", "rows", "json"]
"""Named by what the service answers with; see ``KingdeeEas``."""
_FIND: Final = {"find": "WSGLWebServiceFacade"}
ENDPOINTS: Final[Mapping[Facade, Mapping[str, str]]] = {"strings": {}, "rows": _FIND, "json": _FIND}
"""The ports beside the login; only ``WSGLWebServiceFacade`` has ``findVoucher``."""
OPERATIONS: Final[Mapping[Facade, str]] = {
    "strings": IMPORT,
    "rows": IMPORT,
    "json": IMPORT_JSON,
}


def import_request(
    held: Sequence[requests.WSWSVoucher], *, facade: Facade, submits: bool
) -> ImportRequest:
    """Return the import of these rows; ``submits`` False saves drafts.

    The rows of cash flows, if there are any, are announced.
    """
    plain = as_request("", {"item": list(held)})
    rows: list[Mapping[str, Any]] = plain.body["item"]
    cash = any(row["itemFlag"] == 1 for row in rows)
    if facade == "json":
        return ImportRequest(
            operation=IMPORT_JSON, body=_in_strings(rows, cash, submits), rows=tuple(rows)
        )
    if facade == "rows":
        # 0 saves, 2 submits; 1 and 3 do so and settle open items too, 99 posts.
        at, flags = "voucherCols", {"isVerify": 2 if submits else 0, "isImpCashflow": int(cash)}
    else:
        at = "col"
        flags = {"isSubmit": int(submits), "isVerify": 0, "isCashflow": int(cash)}
    return ImportRequest(
        operation=IMPORT,
        body={at: {"item": rows}, **flags},
        sources={f"{at}/{path}": field for path, field in plain.sources.items()},
        owners={f"{at}/{path}": owner for path, owner in plain.owners.items()},
        rows=tuple(rows),
    )


def _in_strings(rows: Sequence[Mapping[str, Any]], cash: bool, submits: bool) -> dict[str, str]:
    """Return the two strings of ``nImportVoucher``: a table, its names first, and the settings."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = [names, *([_text(row.get(name)) for name in names] for row in rows)]
    params = {
        "isSubmit": submits,
        "isImpCashflow": cash,
        "isCompress": False,
        "isAudit": False,
        "isPost": False,
        # What EAS holds under our number is never replaced.
        "overwrite": False,
    }
    return {
        "rows": json.dumps(table, ensure_ascii=False),
        "params": json.dumps({name: _text(value) for name, value in params.items()}),
    }


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


__all__ = ["ENDPOINTS", "OPERATIONS", "Facade", "import_request"]
