"""Tables as people and spreadsheets write them: bytes, first line, days and numbers.

A text with one meaning is read. A text with two, or none, raises ``UnreadableCell`` with the
reason in words; the caller adds which cell it was. Charts and claims in CSV share these rules.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from decimal import Decimal
from typing import Final, NamedTuple

from claimbridge.model.money import EXACT, EXPONENTS

_DELIMITERS: Final = ",;\t"
_SEP: Final = re.compile(r'"?sep=([,;\t|])"?[ ]*(?:\r\n|\r|\n|$)', re.IGNORECASE)
_EURO: Final = 0x80
"""The euro of Windows' code page 936, which is one byte there and none in GB18030."""
_RARE: Final = 0.3
_SURE: Final = 0.7


class UnreadableCell(ValueError):
    """A text that is not read, and why."""


# --- bytes ------------------------------------------------------------------------------------


def decode_text(data: bytes) -> str:
    """Return text in UTF-8, with or without a mark, in UTF-16 with one, or in GB18030 or cp936.

    Raises UnreadableCell for bytes in no such encoding, and for those that are more likely Big5.
    """
    try:
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return data.decode("utf-16").lstrip("\ufeff")
        return data.decode("utf-8-sig").lstrip("\ufeff")
    except UnicodeDecodeError:
        pass  # Chinese Excel writes GBK, of which GB18030 is the whole
    text = _chinese(data)
    _refuse_big5(data, text)
    return text


def _chinese(data: bytes) -> str:
    parts: list[str] = []
    rest = data
    while True:
        try:
            return "".join((*parts, rest.decode("gb18030")))
        except UnicodeDecodeError as error:
            if rest[error.start] != _EURO:
                at = len(data) - len(rest) + error.start
                row = data.count(b"\n", 0, at) + 1
                raise UnreadableCell(
                    f"neither UTF-8 nor UTF-16 nor GB18030: line {row} has the byte "
                    f"0x{data[at]:02X} where no character has one; save it as CSV UTF-8"
                ) from error
            parts += (rest[: error.start].decode("gb18030"), "€")
            rest = rest[error.start + 1 :]


def _refuse_big5(data: bytes, text: str) -> None:
    """Refuse a text of rare characters in GB18030 that is one of everyday characters in Big5."""
    foreign = [character for character in text if ord(character) > 0x7F]
    rare = sum(not _encodes(character, "gb2312") for character in foreign)
    if not foreign or rare <= _RARE * len(foreign):
        return
    try:
        other = data.decode("big5")
    except UnicodeDecodeError:
        return
    in_big5 = [character for character in other if ord(character) > 0x7F]
    # Big5 orders by use: lead bytes A4 to C6 are its everyday characters.
    common = sum(0xA1 <= character.encode("big5")[0] <= 0xC6 for character in in_big5)
    if in_big5 and common >= _SURE * len(in_big5):
        raise UnreadableCell(
            f'its text is not likely GB18030, where it begins "{"".join(foreign[:8])}"; in Big5 '
            f'that is "{"".join(in_big5[:8])}": save it as CSV UTF-8'
        )


def _encodes(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


# --- tables -----------------------------------------------------------------------------------


class TableText(NamedTuple):
    """A table's text without the line that names its separator; ``skipped`` lines stood before."""

    text: str
    separator: str
    skipped: int


def table_text(text: str) -> TableText:
    """Return a table's text and its separator.

    A first line ``sep=;`` names the separator. Otherwise it is the most frequent one in the header.
    """
    match = _SEP.match(text)
    if match:
        return TableText(text[match.end() :], match[1], 1)
    head = next((line for line in text.splitlines() if line.strip()), "")
    bare = "".join(head.split('"')[::2])  # text in quotes separates nothing
    return TableText(text, max(_DELIMITERS, key=bare.count), 0)


def unescape(text: str) -> str:
    """Return a text with the characters that Excel writes as ``_x000D_`` (ECMA-376 §22.9.2.19)."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text


_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")


# --- days -------------------------------------------------------------------------------------

_MIDNIGHT: Final = r"(?:[T ]+0{1,2}:00(?::00(?:\.0+)?)?)?"
_YEAR_FIRST: Final = re.compile(rf"([0-9]{{4}})([-/.])([0-9]{{1,2}})\2([0-9]{{1,2}}){_MIDNIGHT}")
_CHINESE_DAY: Final = re.compile(r"([0-9]{4})年([0-9]{1,2})月([0-9]{1,2})[日号]?")
_EIGHT: Final = re.compile(r"((?:19|20|21)[0-9]{2})([0-9]{2})([0-9]{2})")
_YEAR_LAST: Final = re.compile(rf"([0-9]{{1,2}})([-/.])([0-9]{{1,2}})\2([0-9]{{4}}){_MIDNIGHT}")
_SHORT_YEAR: Final = re.compile(r"[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{1,2}")
_SERIAL: Final = re.compile(r"[0-9]{5}(?:\.[0-9]+)?")
_TIMED: Final = re.compile(r"[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}[T ]+[0-9]{1,2}:.*")
_ERROR: Final = re.compile(r"#(?:[A-Z]+[!?]|DIV/0!|N/A|#+)")


def day_of(text: str) -> dt.date:
    """Return the day that a cell gives; raises UnreadableCell."""
    plain = _plain(text)
    _refuse_computed(plain)
    for form in (_CHINESE_DAY, _EIGHT):
        if match := form.fullmatch(plain):
            return _day(match[1], match[2], match[3])
    if match := _YEAR_FIRST.fullmatch(plain):
        return _day(match[1], match[3], match[4])
    if match := _YEAR_LAST.fullmatch(plain):
        return _year_last(int(match[1]), int(match[3]), match[4])
    if _SERIAL.fullmatch(plain):
        raise UnreadableCell(
            "it is a day's number of a spreadsheet; give the column a date format and save it anew"
        )
    if _SHORT_YEAR.fullmatch(plain):
        raise UnreadableCell("it could mean several days; write it as 2026-03-31")
    if _TIMED.fullmatch(plain):
        raise UnreadableCell("it has a time of day, and a date is meant; write it as 2026-03-31")
    raise UnreadableCell("it is no date; write it as 2026-03-31")


def _year_last(first: int, second: int, year: str) -> dt.date:
    if first > 12 >= second or first == second:
        return _day(year, str(second), str(first))
    if second > 12 >= first:
        return _day(year, str(first), str(second))
    raise UnreadableCell(
        f"it could mean two days, {year}-{first:02}-{second:02} and {year}-{second:02}-{first:02}; "
        "write the one that is meant like this"
    )


def _day(year: str, month: str, day: str) -> dt.date:
    try:
        return dt.date(int(year), int(month), int(day))
    except ValueError:
        raise UnreadableCell("there is no such day") from None


# --- numbers ----------------------------------------------------------------------------------

_DOLLARS: Final = frozenset({"AUD", "CAD", "HKD", "MOP", "NZD", "SGD", "TWD", "USD"})
_MARKS: Final = {
    "¥": frozenset({"CNY", "JPY"}),
    "元": frozenset({"CNY", "HKD", "TWD", "MOP"}),
    "圆": frozenset({"CNY"}),
    "円": frozenset({"JPY"}),
    "RMB": frozenset({"CNY"}),
    "人民币": frozenset({"CNY"}),
    "$": _DOLLARS,
    "US$": frozenset({"USD"}),
    "HK$": frozenset({"HKD"}),
    "NT$": frozenset({"TWD"}),
    "€": frozenset({"EUR"}),
    "£": frozenset({"GBP"}),
    "₩": frozenset({"KRW"}),
}
"""Signs and words of money, and the currencies that they may mean."""
_DASHES: Final = str.maketrans(dict.fromkeys("\u2212\u2010\u2011\u2012\u2013", "-"))
_MARK: Final = r"[^0-9.,+\-\s()]*"
_POWER: Final = r"[Ee][+-]?[0-9]{1,3}"
_MONEY: Final = re.compile(
    rf"(?P<before>{_MARK})\s*(?P<number>[0-9.,' ]*[0-9.])(?P<power>{_POWER})?\s*(?P<after>{_MARK})"
)
_PLAIN: Final = re.compile(r"[0-9]+\.?[0-9]*|\.[0-9]+")
_THOUSANDS: Final = re.compile(r"[0-9]{1,3}(?:(,|'| )[0-9]{3})(?:\1[0-9]{3})*(?:\.[0-9]+)?")
_LONGEST: Final = 60


def amount_of(text: str, currency: str) -> Decimal:
    """Return the amount that a cell gives, in ``currency``; raises UnreadableCell."""
    unsigned, negative = _without_sign(text)
    match = _MONEY.fullmatch(unsigned)
    if match is None:
        raise UnreadableCell("it is no amount; write it as 1234.50")
    for mark in (match["before"], match["after"]):
        if mark and currency not in _MARKS.get(mark.upper(), {mark.upper()}):
            raise UnreadableCell(f"it is in {mark}, and {currency} is meant here")
    number = _number(match["number"].strip(), decimals=EXPONENTS.get(currency))
    if match["power"]:
        number = Decimal(f"{number}{match['power']}")
    return EXACT.minus(number) if negative else number


def number_of(text: str) -> Decimal:
    """Return the number that a cell gives, 6 % as 0.06; raises UnreadableCell."""
    unsigned, negative = _without_sign(text)
    percent = unsigned.endswith("%")
    bare = unsigned.removesuffix("%").strip()
    match = re.fullmatch(r"([0-9.,' ]*[0-9.])([Ee][+-]?[0-9]{1,3})?", bare)
    if match is None:
        raise UnreadableCell("it is no number; write it as 1234.5, a rate as 0.06 or 6 %")
    number = Decimal(f"{_number(match[1], decimals=None)}{match[2] or ''}")
    number = EXACT.scaleb(number, -2) if percent else number
    return EXACT.minus(number) if negative else number


def _without_sign(text: str) -> tuple[str, bool]:
    """Return a number's text without its sign, and whether it is negative."""
    plain = _plain(text).translate(_DASHES)
    _refuse_computed(plain)
    signs = 0
    if plain.startswith("(") and plain.endswith(")"):  # as accountants write it
        plain, signs = plain[1:-1].strip(), signs + 1
    # A currency's sign may stand before the minus or behind it: -¥23, ¥-23.
    if match := re.fullmatch(r"([^0-9.,+\-\s()]*)\s*([+-])\s*(.*)", plain):
        plain, signs = match[1] + match[3], signs + (match[2] == "-")
    if plain.endswith("-"):  # as SAP and mainframes write it
        plain, signs = plain[:-1].rstrip(), signs + 1
    if signs > 1 or "(" in plain or ")" in plain:
        raise UnreadableCell("it has two signs; write it as -1234.50")
    return plain, signs == 1


def _number(text: str, *, decimals: int | None) -> Decimal:
    if _PLAIN.fullmatch(text):
        return Decimal(text)
    grouped = _THOUSANDS.fullmatch(text)
    if grouped and not (decimals == 3 and text.count(",") == 1 and "." not in text):
        return Decimal(re.sub("[,' ]", "", text))
    if re.fullmatch(r"[0-9]+,[0-9]+", text):
        whole, _, part = text.partition(",")
        raise UnreadableCell(
            f"it could mean {whole}.{part} or {whole}{part}; write it with a point, or bare"
        )
    if re.fullmatch(r"[0-9]{1,3}(\.[0-9]{3})*,[0-9]+", text):
        raise UnreadableCell("its comma seems to be a decimal point; write it as 1234.50")
    raise UnreadableCell("its digits are grouped otherwise than by thousands; write it as 1234.50")


def _plain(text: str) -> str:
    """Return a number's or a day's text in half-width, without white space at its ends."""
    plain = unicodedata.normalize("NFKC", text[: _LONGEST + 1]).strip()
    if len(text) > _LONGEST:
        raise UnreadableCell("it is too long")
    return plain


def _refuse_computed(plain: str) -> None:
    if _ERROR.fullmatch(plain.upper()):
        raise UnreadableCell(
            "it is an error of the spreadsheet; fix the formula, or type the value"
        )
    if plain.startswith("="):
        raise UnreadableCell("it is a formula; put in its value")


__all__ = [
    "TableText",
    "UnreadableCell",
    "amount_of",
    "day_of",
    "decode_text",
    "number_of",
    "table_text",
    "unescape",
]
