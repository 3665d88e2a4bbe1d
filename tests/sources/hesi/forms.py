"""Documents in the shape of the vendor's pages, and the example field map that reads them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from claimbridge.sources.hesi.forms.fields import FieldMap, load_map
from claimbridge.sources.hesi.forms.form import HesiForms

ROOT = Path(__file__).resolve().parents[3]
FIXTURES = ROOT / "tests" / "fixtures" / "hesi"
MAP = ROOT / "examples" / "hesi-map.toml"
SHANGHAI = ZoneInfo("Asia/Shanghai")


def document(name: str) -> dict[str, Any]:
    """A fixture, with its numbers read as Hesi's client reads them."""
    data = (FIXTURES / f"{name}.json").read_bytes()
    found: dict[str, Any] = msgspec.json.Decoder(float_hook=Decimal).decode(data)
    return found


def forms(fields: FieldMap | None = None, zone: ZoneInfo = SHANGHAI) -> HesiForms:
    """The translation by the example map, or by another."""
    return HesiForms(fields or load_map(MAP), zone=zone)
