"""A contract's files as a closed set: nothing outside it is ever opened.

A bundle is a WSDL file with everything below its folder, a folder with a ``contract.toml`` that
lists every file with its hash, or a WSDL shipped inside claimbridge. Names inside a bundle are
relative, with ``/``. A reference that leads outside is refused, not followed.

``contract.toml``, as ``claimbridge.contract.study.lock`` writes it (with more besides)::

    wsdl = "voucher-service.wsdl"

    [files]
    "voucher-service.wsdl" = "sha256:9f86d0…"
    "voucher-service-xsd-1.xsd" = "sha256:60303a…"

    [locations]                       # where the files refer to each other by address
    "https://erp.example/voucher-service?wsdl" = "voucher-service.wsdl"
    "https://erp.example/voucher-service?xsd=1" = "voucher-service-xsd-1.xsd"
"""

from __future__ import annotations

import hashlib
import json
import os
import posixpath
import re
import stat
import tomllib
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import unquote, urljoin

from claimbridge.errors import ContractDrift, ContractError

LOCK_NAME: Final = "contract.toml"
MAX_FILE_BYTES: Final = 50_000_000
MAX_LOCK_BYTES: Final = 5_000_000
_NOWHERE: Final[Mapping[str, str]] = MappingProxyType({})


class Bundle:
    """A closed set of files, one of them (``entry``) the WSDL that starts it.

    ``title`` says in messages where the files come from. ``read`` takes names that lie inside, and
    returns None for a missing file. ``locations`` has the names of files by the addresses that they
    were fetched from. ``home`` is the folder of a locked bundle, and ``digest`` names what was
    locked; other bundles have None and "".
    """

    def __init__(
        self,
        entry: str,
        read: Callable[[str], bytes | None],
        *,
        title: str,
        locations: Mapping[str, str] = _NOWHERE,
        home: Path | None = None,
        digest: str = "",
    ) -> None:
        self.entry: Final = entry
        self.title: Final = title
        self.locations: Final = MappingProxyType(dict(locations))
        self.home: Final = home
        self.digest: Final = digest
        self._read: Final = read
        self._addresses = {name: address for address, name in locations.items()}

    @classmethod
    def from_path(cls, path: Path | str) -> Bundle:
        """Return the bundle of a WSDL file or of a contract's folder.

        A folder needs a ``contract.toml``, or exactly one WSDL in it (or one level below it). A
        WSDL file brings the files below its folder. If that folder is called ``wsdl``, the file
        also brings those of the ``xsd`` beside it, as many toolkits lay contracts out. Raises
        ContractError; ContractDrift when a locked file is not the file that was locked.
        """
        path = Path(path)
        try:
            is_folder = stat.S_ISDIR(path.stat().st_mode)
            is_locked = is_folder and (path / LOCK_NAME).exists()
        except (OSError, ValueError) as error:  # ValueError: a name with a null in it
            raise ContractError(
                f"there is no contract at {path}: {getattr(error, 'strerror', error)}",
                code="CB-213",
            ) from error
        if not is_folder:
            return _around(path)
        if is_locked:
            return _locked(path)
        return cls(_only_wsdl(path), _folder_reader(path), title=str(path))

    @classmethod
    def from_package(cls, name: str) -> Bundle:
        """Return the bundle of a WSDL shipped in ``claimbridge.wsdl``, with ``claimbridge.xsd``.

        The two are siblings, as in the source tree: the WSDL names ``../xsd/voucher.xsd``.
        """
        return cls(f"wsdl/{name}", _read_shipped, title=f"claimbridge's own {name}")

    @classmethod
    def named(cls, name: str) -> Bundle:
        """Return the bundle that a profile's ``contract`` means.

        That is a WSDL that ships with claimbridge, by its file name; else a WSDL file or a
        contract's folder, by its path. Raises ContractError, as ``from_path`` does.
        """
        if Path(name).name == name and _read_shipped(f"wsdl/{name}") is not None:
            return cls.from_package(name)
        return cls.from_path(name)

    @classmethod
    def from_files(
        cls,
        entry: str,
        contents: Mapping[str, bytes],
        *,
        title: str = "",
        locations: Mapping[str, str] = _NOWHERE,
    ) -> Bundle:
        """Return the bundle of files held in memory, by name."""
        return cls(entry, dict(contents).get, title=title or entry, locations=locations)

    def started_by(self, entry: str) -> Bundle:
        """Return the same files begun with ``entry``."""
        return Bundle(entry, self._read, title=self.title, locations=self.locations)

    def __repr__(self) -> str:
        return f"Bundle({self.title!r})"

    def read(self, name: str) -> bytes:
        """Return the bytes of the file ``name``.

        Raises ContractError: CB-213 when it is not in the bundle, CB-214 when it lies outside.
        """
        content = self._read(self.resolve(name, ""))
        if content is None:
            raise ContractError(
                f"{name} is missing from the contract {self.title}; put it beside the WSDL",
                code="CB-213",
            )
        return content

    def resolve(self, location: str, base: str) -> str:
        """Return the name that ``location`` has, as written in the file named ``base``.

        Raises ContractError CB-214 for an address that is not among the bundle's ``locations``, an
        absolute path, or a way out by ``..``.
        """
        name = self._by_address(location, base)
        if name is not None:
            return name
        plain = unquote(location.partition("#")[0].strip())
        if re.match(r"[A-Za-z][A-Za-z0-9+.\-]*:|[/\\]", plain) or "\\" in plain or "\0" in plain:
            raise self._outside(location, base)
        name = posixpath.normpath(posixpath.join(posixpath.dirname(base), plain))
        if name == ".." or name.startswith(("../", "/")):
            raise self._outside(location, base)
        return name

    def _by_address(self, location: str, base: str) -> str | None:
        """Return the file that was fetched from an address; None when none was."""
        if not self.locations:
            return None
        plain = location.partition("#")[0].strip()
        try:
            return self.locations.get(urljoin(self._addresses.get(base, ""), plain))
        except ValueError:  # urllib's word for an address such as http://[
            return None

    def _outside(self, location: str, base: str) -> ContractError:
        asker = f"{base} of the contract" if base else "the contract"
        return ContractError(
            f"{asker} {self.title} asks for {location}, outside its own files; "
            "copy the file into the contract's folder and name it there",
            code="CB-214",
        )


def _around(wsdl: Path) -> Bundle:
    """Return the bundle of a WSDL file: its own folder, and an ``xsd`` beside that."""
    folder = wsdl.absolute().parent
    if folder.name != "wsdl" or not (folder.parent / "xsd").is_dir():
        return Bundle(wsdl.name, _folder_reader(folder), title=str(wsdl))
    readers = {name: _folder_reader(folder.parent / name) for name in ("wsdl", "xsd")}

    def read(name: str) -> bytes | None:
        top, _, rest = name.partition("/")
        return readers[top](rest) if top in readers and rest else None

    return Bundle(f"wsdl/{wsdl.name}", read, title=str(wsdl))


def _folder_reader(root: Path) -> Callable[[str], bytes | None]:
    # Not Path.resolve(), which Python 3.11 lets end in a RuntimeError for links in a circle.
    home = os.path.realpath(root)

    def read(name: str) -> bytes | None:
        # Texts, since fifty files as paths take longer to compare than to read.
        path = os.path.realpath(f"{home}/{name}")
        if os.path.commonpath((home, path)) != home:
            raise ContractError(f"{name} is a link that leads out of {root}", code="CB-214")
        return _contents(Path(path))

    return read


def _contents(path: Path) -> bytes | None:
    try:
        status = path.stat()
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
            # A pipe would be waited for, and a device may never end.
            raise ContractError(f"{path} is neither a file nor a folder", code="CB-213")
        if status.st_size > MAX_FILE_BYTES:
            raise ContractError(f"{path} is larger than {MAX_FILE_BYTES} bytes", code="CB-212")
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ContractError(f"{path} cannot be read: {error.strerror}", code="CB-213") from error


def _read_shipped(name: str) -> bytes | None:
    area, _, rest = name.partition("/")
    if area not in {"wsdl", "xsd"}:
        return None
    try:
        return (files(f"claimbridge.{area}") / rest).read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        return None


def _only_wsdl(folder: Path) -> str:
    wsdls = sorted(folder.glob("*.wsdl")) or sorted(folder.glob("*/*.wsdl"))
    if len(wsdls) != 1:
        raise ContractError(
            f"{folder} holds {len(wsdls)} WSDL files and no {LOCK_NAME}; name the WSDL itself",
            code="CB-213",
        )
    return wsdls[0].relative_to(folder).as_posix()


def _locked(folder: Path) -> Bundle:
    """Return the bundle that ``contract.toml`` lists, after checking every hash in it."""
    entry, hashes, locations = read_lock(folder / LOCK_NAME)
    reader = _folder_reader(folder)
    contents: dict[str, bytes] = {}
    locked = json.dumps([entry, hashes, locations], sort_keys=True).encode()
    bundle = Bundle(
        entry,
        contents.get,
        title=str(folder),
        locations=locations,
        home=folder,
        digest=hashlib.sha256(locked).hexdigest(),
    )
    for name, expected in hashes.items():
        content = reader(bundle.resolve(name, ""))
        if content is None:
            raise ContractDrift(f"{name} is listed in {folder / LOCK_NAME} but missing")
        if hashlib.sha256(content).hexdigest() != expected:
            raise ContractDrift(
                f"{name} of the contract {folder} is not the file that was locked; "
                "compare it with the ERP's, then lock the contract again"
            )
        contents[name] = content
    return bundle


def read_lock(path: Path) -> tuple[str, dict[str, str], dict[str, str]]:
    """Return what a ``contract.toml`` says: the WSDL's name, hashes and locations.

    Raises ContractError CB-218.
    """
    try:
        if path.stat().st_size > MAX_LOCK_BYTES:
            raise ContractError(f"{path} is larger than {MAX_LOCK_BYTES} bytes", code="CB-218")
        lock = tomllib.loads(path.read_text("utf-8"))
        entry, table = lock["wsdl"], lock["files"]
        hashes = {name: _sha256(value) for name, value in table.items()}
        locations = _listed_locations(lock.get("locations", {}), hashes)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ContractError(f"{path} cannot be read: {error}", code="CB-218") from error
    except (KeyError, AttributeError, TypeError, ValueError, RecursionError) as error:
        raise ContractError(
            f'{path} needs wsdl = "NAME", [files] with "NAME" = "sha256:HEX", and in [locations], '
            'if there is one, "ADDRESS" = "NAME"',
            code="CB-218",
        ) from error
    if not isinstance(entry, str) or entry not in hashes:
        raise ContractError(f"{path}: the wsdl is not among its [files]", code="CB-218")
    return entry, hashes, locations


def _listed_locations(table: Any, hashes: Mapping[str, str]) -> dict[str, str]:
    if not all(name in hashes for name in table.values()):
        raise ValueError("a location is none of the files")
    return dict(table)


def _sha256(value: object) -> str:
    match = re.fullmatch(r"sha256:([0-9a-f]{64})", str(value))
    if not match:
        raise ValueError(value)
    return match[1]


__all__ = ["LOCK_NAME", "MAX_FILE_BYTES", "Bundle", "read_lock"]
