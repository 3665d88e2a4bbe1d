"""Where a journal may be kept: the URL, and what the file system must offer."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Final

from claimbridge.errors import JournalError
from claimbridge.journal.sqlite.failures import PLACE, explain

_SHARED: Final = frozenset(
    {
        # Of other machines.
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "coda", "ceph", "lustre"),
        *("gpfs", "beegfs", "pvfs2", "orangefs", "gfs2", "ocfs2", "glusterfs", "davfs"),
        *("fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.s3fs", "fuse.rclone", "fuse.davfs"),
        *("fuse.gcsfuse", "fuse.blobfuse", "fuse.blobfuse2", "fuse.mount-s3", "fuse.juicefs"),
        *("fuse.davfs2", "fuse.curlftpfs", "fuse.mfs", "fuse.lizardfs", "fuse.seaweedfs"),
        # Of the host of a virtual machine or of a container's desktop.
        *("9p", "virtiofs", "drvfs", "vboxsf", "vmhgfs", "fuse.vmhgfs-fuse", "prl_fs", "hgfs"),
        *("fuse.osxfs", "fuse.grpcfuse", "fakeowner", "hostfs", "xenfs"),
    }
)
"""File systems that somebody else may use at the same time, past our locks (mount(8), proc(5))."""


def path_of(url: str) -> Path:
    """Return the path that ``sqlite:///claims.db`` (``sqlite:////abs/claims.db``) names.

    It is taken literally: nothing is unescaped. Raises JournalError CB-227.
    """
    name = url.removeprefix("sqlite://")
    if ":memory:" in name or name in ("", "/"):
        raise _unusable(
            f"{url!r} names no file; a journal in SQLite's own memory would be another one for "
            "each thread: use memory: instead"
        )
    if not name.startswith("/"):
        raise _unusable(f"{url!r} lacks a slash: write sqlite:///{name}")
    return Path(name[1:])


def ensure_file(path: Path) -> Path:
    """Return the absolute path of a file that can hold a journal, creating it when missing.

    A new file is for its user alone (mode 0600): it holds names and amounts. Raises JournalError.
    """
    # Symbolic links are followed first: lock files must be the same ones by whatever name.
    resolved = Path(os.path.realpath(path))
    folder = resolved.parent
    if not folder.is_dir():
        raise _unusable(f"the folder {folder} does not exist; create it first")
    kind = filesystem_of(folder)
    if kind in _SHARED:
        raise _unusable(
            f"{resolved} lies on a network file system ({kind}) or one shared with another "
            "machine, where SQLite's shared memory and locks do not hold; use a local disk (for a "
            "container, a volume)"
        )
    try:
        os.close(os.open(resolved, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        _check_regular(resolved)
    except OSError as error:
        raise explain(error, resolved) from error
    return resolved


def filesystem_of(path: Path, mountinfo: str | None = None) -> str:
    """Return the type of the file system that ``path`` (absolute) lies on; "" when unknown.

    ``mountinfo`` is the text of Linux's ``/proc/self/mountinfo`` (see proc(5)); None reads it.
    """
    if mountinfo is None:
        try:
            mountinfo = Path("/proc/self/mountinfo").read_text(errors="surrogateescape")
        except OSError:  # not Linux
            return ""
    kind, best = "", Path()
    for line in mountinfo.splitlines():
        mount, _, source = line.partition(" - ")
        point = Path(_unescaped(mount.split(" ")[4]))
        # The last of equals: it covers those mounted before it at the same point.
        if path.is_relative_to(point) and len(point.parts) >= len(best.parts):
            kind, best = source.split(" ")[0], point
    return kind


def _check_regular(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise explain(error, path) from error
    if stat.S_ISDIR(mode):
        raise _unusable(f"{path} is a folder; name a file in it, such as {path / 'claims.db'}")
    if not stat.S_ISREG(mode):
        raise _unusable(f"{path} is not a regular file; name another")


def _unescaped(field: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal.group(1), 8)), field)


def _unusable(why: str) -> JournalError:
    return JournalError(f"no journal can be kept there: {why}", code=PLACE)


__all__ = ["ensure_file", "filesystem_of", "path_of"]
