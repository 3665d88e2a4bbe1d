"""Arguments of the testing tools: a wrong one is refused at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from claimbridge.errors import ConfigurationError
from claimbridge.mapping import Chart


def chart_given(chart: object) -> Chart | None:
    """Return the chart that was given: itself, or the one in a file; raises ConfigurationError."""
    if chart is None or isinstance(chart, Chart):
        return chart
    if isinstance(chart, (str, Path)):
        return Chart.load(chart)
    raise refusal("chart", chart, "a Chart, or the path of one")


def folder_given(recorded: object) -> Path | None:
    """Return the folder of recorded exchanges; raises ConfigurationError where there is none."""
    if recorded is None:
        return None
    if not isinstance(recorded, (str, Path)):
        raise refusal("recorded", recorded, "a folder's path")
    folder = Path(recorded)
    if not folder.is_dir():
        raise ConfigurationError(f"recorded: there is no folder {folder}", code="CB-250")
    return folder


def check_kind(name: str, value: object, kind: Any, what: str) -> None:
    """Refuse a value that is not of a kind; ``kind`` is as for ``isinstance``."""
    if not isinstance(value, kind):
        raise refusal(name, value, what)


def refusal(name: str, value: object, wanted: str) -> ConfigurationError:
    """Return the error for an argument of the wrong kind."""
    return ConfigurationError(f"{name} is a {type(value).__name__}; give {wanted}", code="CB-296")


__all__ = ["chart_given", "check_kind", "folder_given", "refusal"]
