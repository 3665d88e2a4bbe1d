"""The list of packages in setup.cfg: what it leaves out is in no wheel."""

from __future__ import annotations

import configparser
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_folder_of_modules_is_listed() -> None:
    """A folder that was made or renamed is in the list, and in alphabetical order."""
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    listed = settings["options"]["packages"].split()
    modules = (ROOT / "src").glob("claimbridge/**/*.py")
    folders = {".".join(path.parent.relative_to(ROOT / "src").parts) for path in modules}
    data = {"claimbridge.examples", "claimbridge.wsdl", "claimbridge.xsd"}
    assert listed == sorted(folders | data)
