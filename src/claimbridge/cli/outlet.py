"""Where a command prints: writing to it never fails, so that no output changes how work ends.

What an encoding lacks is spelt; what a full disk or a closed pipe does not take is dropped. A word
on stderr says so once, when the work is over.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import re
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, TextIO

_PLAIN: Final = {
    "✓": "+", "✗": "x", "…": "...", "·": "-", "—": "-", "–": "-", "→": "->", "━": "-", "╺": "-",
    "╸": "-", "“": '"', "”": '"', "’": "'",
}  # fmt: skip
"""Our own marks for encodings that lack them; nothing of what is said is lost with them."""
_NOT_ASCII: Final = re.compile(r"[^\x00-\x7f]")


def escape_unseen(text: str) -> str:
    r"""Return JSON in which C1, format and separating characters are ``\uXXXX``; it says the same.

    JSON has such characters in strings alone; msgspec has escaped those below U+0020.
    """
    if text.isascii() and "\x7f" not in text:
        return text
    return "".join(_units(character) if _is_obeyed(character) else character for character in text)


def _is_obeyed(character: str) -> bool:
    # Python calls all but letters, marks, numbers, signs and the one space unprintable.
    return not character.isprintable() and unicodedata.category(character) != "Zs"


def in_ascii(text: str) -> str:
    r"""Return a text in ASCII: the rest as ``\uXXXX``, in pairs where need be, as JSON has it."""
    return _NOT_ASCII.sub(lambda character: _units(character[0]), text)


def _units(character: str) -> str:
    data = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{data[at : at + 2].hex()}" for at in range(0, len(data), 2))


def holds_everything(encoding: str | None) -> bool:
    """Return whether an encoding has all characters; what we do not know may lack some."""
    return (encoding or "").lower().replace("_", "-").startswith(("utf-", "utf8"))


class Outlet(io.TextIOBase):
    """A text stream over another, for one run of the command; ``None`` takes everything.

    ``failed`` is why it takes nothing any more; ``lacking`` whether a character had to be spelt;
    ``silent`` whether both were reported already.
    """

    def __init__(self, stream: TextIO | None) -> None:
        super().__init__()
        self._stream = stream
        self._binary = stream.buffer if isinstance(stream, io.TextIOWrapper) else None
        self._encoding = (stream.encoding if stream is not None else None) or "utf-8"
        self._encoder = codecs.getincrementalencoder(self._encoding)()
        self.failed: OSError | None = None
        self.lacking: bool = False
        self.silent: bool = False

    @property
    def encoding(self) -> str:  # type: ignore[override]  # TextIOBase has it as an attribute
        """The stream's own."""
        return self._encoding

    def isatty(self) -> bool:
        """Return whether the stream is a terminal."""
        return self._stream is not None and self._stream.isatty()

    def fileno(self) -> int:
        """Return the stream's descriptor; raises OSError where it has none."""
        if self._stream is None:
            raise OSError(errno.EBADF, "the stream is closed")
        return self._stream.fileno()

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, text: str) -> int:
        """Write a text, or drop it."""
        if self._binary is None:
            self._try(lambda: self._stream.write(text) if self._stream is not None else 0)
        else:
            self.write_bytes(self._encoder.encode(self._printable(text)))
        return len(text)

    def write_bytes(self, data: bytes) -> None:
        """Write bytes as they are, or drop them."""
        binary = self._binary
        if binary is None:
            self.write(data.decode("utf-8", "replace"))
        else:
            self._try(lambda: binary.write(data))

    def flush(self) -> None:
        """Hand on what is kept back, or drop it."""
        self._try(lambda: self._stream.flush() if self._stream is not None else None)

    def _printable(self, text: str) -> str:
        try:
            text.encode(self._encoding)
        except UnicodeEncodeError:
            return "".join(map(self._printable_character, text))
        return text

    def _printable_character(self, character: str) -> str:
        try:
            character.encode(self._encoding)
        except UnicodeEncodeError:
            if character in _PLAIN:
                return _PLAIN[character]
            self.lacking = True
            return _units(character)
        return character

    def _try(self, act: object) -> None:
        if self.failed is not None:
            return
        assert callable(act)
        try:
            act()
        except (OSError, ValueError) as error:  # ValueError: somebody has closed it
            self.failed = error if isinstance(error, OSError) else OSError(errno.EBADF, str(error))
            self._let_go()

    def _let_go(self) -> None:
        """Let the descriptor lead to nothing: the interpreter flushes it once more at its end."""
        try:
            nothing = os.open(os.devnull, os.O_WRONLY)
        except OSError:
            return
        try:
            os.dup2(nothing, self.fileno())
        except (OSError, ValueError):
            pass
        finally:
            os.close(nothing)


@contextmanager
def outlets(*, acts: bool) -> Iterator[None]:
    """Let stdout and stderr be outlets for one run; tell at its end of what was not printed.

    A reader that goes away (``| head -1``) is reported only where the command ``acts``.
    """
    before = sys.stdout, sys.stderr
    for stream in before:
        if stream is not None:
            Outlet(stream).flush()
    out, err = Outlet(sys.stdout), Outlet(sys.stderr)
    sys.stdout, sys.stderr = out, err
    try:
        yield
    finally:
        try:
            out.flush()
            if warning := _warning(out, acts=acts):
                err.write(f"warning: {warning}\n")
            err.flush()
        finally:
            sys.stdout, sys.stderr = before


def _warning(out: Outlet, *, acts: bool) -> str:
    if out.silent:
        return ""
    ended = "the work went on to its end, and the exit code is the work's"
    if out.failed is not None and out.failed.errno == errno.EPIPE:
        return f"stdout's reader went away before everything was printed; {ended}" if acts else ""
    if out.failed is not None:
        return f"stdout took no more: {out.failed.strerror}; the rest was not printed; {ended}"
    if out.lacking:
        return (
            f"stdout is in {out.encoding}, which lacks some characters; they are shown as \\uXXXX "
            "(PYTHONIOENCODING=utf-8 shows them)"
        )
    return ""


def fill_standard_descriptors() -> None:
    """Let closed standard descriptors (``>&-``) lead to nothing: a journal must not get theirs."""
    for wanted in range(3):
        try:
            os.fstat(wanted)
        except OSError:
            given = os.open(os.devnull, os.O_RDWR)
            if given != wanted:
                os.dup2(given, wanted)
                os.close(given)


__all__ = [
    "Outlet",
    "escape_unseen",
    "fill_standard_descriptors",
    "holds_everything",
    "in_ascii",
    "outlets",
]
