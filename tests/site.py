"""The codes of a site that a profile posts nothing without, for whatever test posts by it."""

from __future__ import annotations

from typing import Any, Final

from claimbridge.profiles.samples import SAMPLE_OPTIONS

SITE: Final[dict[str, dict[str, Any]]] = {
    name: dict(options) for name, options in SAMPLE_OPTIONS.items()
}
