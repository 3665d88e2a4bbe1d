"""Text: what every later stage can carry, and when two texts name one thing.

Three rules, from the loosest. ``check_text`` is for the texts of vouchers and journals.
``check_free_text`` is for what people write on a claim. ``check_code`` and ``check_identifier`` are
for names of things; they accept no character that a reader cannot see.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from claimbridge.errors import ClaimError, spelt

UNPRINTABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
"""What XML 1.0 §2.2 cannot carry (and DEL): refused rather than dropped."""
_REORDERS: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""UAX #9 §2: embeddings, overrides and isolates, which show a text in another order than it has."""
_TAGS: Final = re.compile("[\U000e0000-\U000e007f]")
_UNSEEN: Final = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
"""Unicode's categories of characters without a shape: controls, formats, private, separators."""
_SHAPELESS: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)
"""Letters and marks, by their category, that show nothing (DerivedCoreProperties:
Default_Ignorable_Code_Point; and U+2800, the blank of Braille)."""
_STOPS: Final = str.maketrans({"\u3002": ".", "\u3001": ",", "\uff61": "."})
_STOPPED: Final = re.compile("[\u3001\u3002\uff61]")
"""The stop and the comma of Chinese keyboards, which no ASCII code holds."""

MAX_DIMENSIONS: Final = 50
DIMENSION_NAME: Final = 64
DIMENSION_TEXT: Final = 200


def plain(text: str) -> str:
    """Return the form in which texts that name things are compared.

    It is NFKC (UAX #15), so that full-width is half-width, without the characters that a reader
    cannot see. Every run of white space is one space, and there is none at the ends.
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    seen = _without_hidden(unicodedata.normalize("NFKC", _without_hidden(text)))
    return " ".join(unicodedata.normalize("NFKC", seen).split())


def hidden_in(text: str) -> str | None:
    """Return the first character that a reader cannot see; None where there is none.

    White space is no such character, except for the separators of lines and paragraphs.
    """
    if text.isprintable() and not _SHAPELESS.search(text):  # most texts are
        return None
    return next((character for character in text if _is_hidden(character)), None)


def check_identifier(
    value: object, what: str, limit: int | None = None, *, required: bool = True
) -> None:
    """Refuse a text that is not its own ``plain`` form: for ids, each of which has one spelling.

    Raises ClaimError naming ``what``: CB-127 for a character that cannot be seen, CB-128 for
    another spelling, and what ``check_text`` raises.
    """
    _check_spelling(value, what, limit, required=required, strict=True)


def check_code(
    value: object, what: str, limit: int | None = None, *, required: bool = False
) -> None:
    """Refuse hidden characters, white space except single spaces, and a full-width ASCII code.

    For accounts, cost centres, departments and the like. An ERP may really call a department
    ``研发部（上海）`` or ``Ⅱ期``. Such a text stays as it is, and charts compare its ``plain``
    form.
    Raises ClaimError as ``check_identifier`` does.
    """
    _check_spelling(value, what, limit, required=required, strict=False)


def _check_spelling(
    value: object, what: str, limit: int | None, *, required: bool, strict: bool
) -> None:
    check_text(value, what, limit, required=required)
    assert isinstance(value, str)  # check_text saw to it
    normal = plain(value)
    if value == normal and (strict or value.isascii() or not _STOPPED.search(value)):
        return
    hidden = hidden_in(value)
    if hidden is not None:
        raise ClaimError(
            f"{what} {_quote(value)} holds the invisible character {character_name(hidden)} at "
            f"position {value.index(hidden)}; remove it",
            code="CB-127",
        )
    if value != " ".join(part for part in value.split(" ") if part) or _other_space(value):
        raise ClaimError(
            f"{what} {_quote(value)} has white space at an end, or more than one space between "
            f"two words; write {normal!r}",
            code="CB-128",
        )
    normal = normal if strict else normal.translate(_STOPS)
    if strict or normal.isascii():
        raise ClaimError(
            f"{what} {_quote(value)} is written with full-width or other compatible characters; "
            f"write {normal!r}",
            code="CB-128",
        )


def check_free_text(
    value: object, what: str, limit: int | None = None, *, required: bool = False
) -> None:
    """Refuse also what changes the order in which a text is shown, and invisible tags.

    For titles, names and descriptions: emoji with their joiners are welcome, and so are the marks
    of Arabic and Hebrew. Raises ClaimError CB-133 naming ``what``, and what ``check_text`` raises.
    """
    check_text(value, what, limit, required=required)
    assert isinstance(value, str)  # check_text saw to it
    match = None if value.isprintable() else _REORDERS.search(value) or _TAGS.search(value)
    if match:
        raise ClaimError(
            f"{what} {_quote(value)} holds {character_name(match[0])} at position {match.start()}, "
            "which makes the text look different from what it holds; remove it",
            code="CB-133",
        )


def check_text(
    value: object, what: str, limit: int | None = None, *, required: bool = False
) -> None:
    """Refuse a value that is no text, too long, unprintable or, where ``required``, blank.

    ``limit`` counts characters; None: any number. Raises ClaimError naming ``what``.
    """
    if not isinstance(value, str):
        raise ClaimError(f"{what} must be text, not {type(value).__name__}", code="CB-146")
    if required and not value.strip():
        raise ClaimError(f"{what} is empty", code="CB-140")
    if limit is not None and len(value) > limit:
        raise ClaimError(f"{what} has {len(value)} characters; the limit is {limit}", code="CB-140")
    check_printable(value, what)


def check_printable(value: str, what: str) -> None:
    """Refuse control characters and lone surrogates; raises ClaimError naming ``what``."""
    if value.isprintable():  # most text is; nothing unprintable to XML is printable to Python
        return
    match = UNPRINTABLE.search(value)
    if match:
        raise ClaimError(
            f"{what} holds the control character U+{ord(match.group()):04X} at position "
            f"{match.start()}; remove it",
            code="CB-109",
        )


def check_dimensions(value: object, what: str) -> None:
    """Refuse a value that is no small table of names and texts; ClaimError names ``what``."""
    for name, text in _table(value, what).items():
        check_text(name, f"a name in {what}", DIMENSION_NAME, required=True)
        check_text(text, f"{what}.{name}", DIMENSION_TEXT)


def check_codes(value: object, what: str) -> None:
    """Refuse a claim's dimensions unless names and values are codes; ClaimError names ``what``."""
    for name, text in _table(value, what).items():
        check_code(name, f"a name in {what}", DIMENSION_NAME, required=True)
        check_code(text, f"{what}.{name}", DIMENSION_TEXT)


def character_name(character: str) -> str:
    """Return a character for messages by its number and, where it has one, its name."""
    name = unicodedata.name(character, "")
    return f"U+{ord(character):04X}" + (f" ({name.lower()})" if name else "")


def _table(value: object, what: str) -> dict[object, object]:
    if not isinstance(value, dict) or len(value) > MAX_DIMENSIONS:
        raise ClaimError(
            f"{what} must be a table of at most {MAX_DIMENSIONS} names and texts", code="CB-146"
        )
    return value


def _is_hidden(character: str) -> bool:
    if character in "\t\n\r":
        return False
    return unicodedata.category(character) in _UNSEEN or bool(_SHAPELESS.match(character))


def _without_hidden(text: str) -> str:
    return "".join(character for character in text if not _is_hidden(character))


def _other_space(value: str) -> bool:
    return any(character.isspace() and character != " " for character in value)


def _quote(value: str) -> str:
    return f'"{spelt(value[:80])}"'
