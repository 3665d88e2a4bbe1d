"""The codes of a site that a profile posts nothing without, for whatever test posts by it."""

from __future__ import annotations

from typing import Any, Final

SITE: Final[dict[str, dict[str, Any]]] = {
    "kingdee-eas": {"credit": -1},
    "yonyou-nc": {
        "account": "0001",
        "groupcode": "G01",
        "business_unit": "unit1",
        "receiver": "0001A1100000000009XY",
        "book": "{company}-0001",
        "preparer": "clerk1",
        "checks": {"cost_centre": "0001", "partner": "0002", "project": "0044"},
    },
}
