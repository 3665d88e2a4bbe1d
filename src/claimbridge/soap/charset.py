"""The bytes of a document as the parser takes them: where it begins, and what it is encoded in.

A document says in up to three places how it is encoded: in its first bytes, in its declaration, and
in the HTTP header. Where they agree, nothing is changed here. Where the bytes contradict one of
them, the next one that the bytes bear out counts, and that is reported. Where nothing fits, the
bytes stay as they are, and the parser refuses them.
"""

from __future__ import annotations

import re
from typing import Final

_MARK: Final = b"\xef\xbb\xbf"
_FIRST: Final = (b"\xef", b" ", b"\t", b"\r", b"\n")
_WIDE_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_BEFORE: Final = re.compile(
    rb"(?:(?:\xef\xbb\xbf|[ \t\r\n])*+(?=<\?xml\s)|(?:\xef\xbb\xbf)++(?=<))"
)
_LONGEST: Final = 4096
"""Bytes that are looked at for where a document begins."""
_DECLARATION: Final = re.compile(
    r"\s*<\?xml\s[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]{1,40})[\"'][^>]{0,200}\?>"
)
_CHARSET: Final = re.compile(r';\s*charset\s*=\s*"?([\w.:+-]{1,40})', re.I)
_WIDE: Final = re.compile(r"utf-?(?:16|32)(?:[bl]e)?|ucs-?[24]|unicode|iso-10646-ucs-[24]", re.I)
_UTF8: Final = re.compile(r"utf-?8", re.I)
# Codecs that run in linear time and mean text; Python knows others by name.
_CODECS: Final = re.compile(
    r"utf-?(?:8|16(?:[bl]e)?)|(?:us-)?ascii|big5(?:-?hkscs)?|shift[_-]?jis|euc-(?:jp|kr)|koi8-[ru]"
    r"|iso-?8859-?\d{1,2}|(?:windows-|cp)(?:12\d\d|9[345]\d)|latin-?\d{1,2}",
    re.I,
)
_CHINESE: Final = re.compile(r"(?:x-)?gb(?:k|2312|18030)|(?:cp|windows-)936", re.I)


def as_document(body: bytes, content_type: str) -> tuple[bytes, tuple[str, ...]]:
    """Return a document for the parser, and what was wrong with it as sent, a sentence each."""
    document, prefix_drift = _without_prefix(body)
    text, encoding_drift = _in_utf8(document, content_type)
    return text, prefix_drift + encoding_drift


def _without_prefix(body: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Return a document without what stands before its declaration."""
    match = _BEFORE.match(body, 0, _LONGEST) if body[:1] in _FIRST else None
    if match is None:
        return body, ()
    prefix = match[0]
    drift = []
    if prefix.count(_MARK) > 1:
        drift.append("a reply begins with its byte order mark more than once")
    if prefix.strip(_MARK):
        drift.append("a reply has white space before its XML declaration")
    if not drift:
        return body, ()
    mark = _MARK if _MARK in prefix else b""
    return mark + body[len(prefix) :], tuple(drift)


def _in_utf8(body: bytes, content_type: str) -> tuple[bytes, tuple[str, ...]]:
    """Return a document in UTF-8 where the parser would not read it as it was written.

    Without a declaration the header counts (RFC 7303 §3.2). Else the declaration wins over the
    header, against RFC 7303: servers set one charset for all they send, and the declaration was
    written by what wrote the document.
    """
    charset = _name_in(_CHARSET.search(content_type))
    if body.startswith(_WIDE_MARKS):
        return _wide(body)
    start = body.removeprefix(_MARK)[:512].decode("ascii", "replace")
    declared = _name_in(_DECLARATION.match(start))
    if not declared:
        return _by_header(body, charset)
    if body.startswith(_MARK):
        if _UTF8.fullmatch(declared) or not _fits(body, "utf-8"):
            return body, ()
        return _in_true_encoding(body, "utf-8", declared, "UTF-8, as its byte order mark says")
    if _bears_out(body, declared, charset):
        return body, ()
    for other, why in ((charset, "as its header says"), ("utf-8", "as its bytes show")):
        if other and not _WIDE.fullmatch(other) and _fits(body, other):
            return _in_true_encoding(body, other, declared, f"{other.upper()}, {why}")
    return body, ()


def _by_header(body: bytes, charset: str) -> tuple[bytes, tuple[str, ...]]:
    """Return a document that declares nothing, read as its header says where it can be that."""
    if body.startswith(_MARK) or not charset:
        return body, ()
    if _WIDE.fullmatch(charset) and body[:1] == b"<" and body[1:2] != b"\0":
        return body, (f"a reply's header names {charset.upper()}, and the reply is in UTF-8",)
    text = _text_of(body, charset)
    return (body if text is None else _without_declaration(text)), ()


def _bears_out(body: bytes, declared: str, charset: str) -> bool:
    """Say whether a document may be encoded as it declares, or in what nobody here can judge."""
    if _WIDE.fullmatch(declared):
        return False  # its declaration was read byte by byte
    if not _codec(declared):
        return True
    if _UTF8.fullmatch(charset) and not body.isascii() and not _UTF8.fullmatch(declared):
        # Hardly a text in another encoding is UTF-8 by chance, and the header says it too.
        return not _fits(body, "utf-8")
    return _fits(body, declared)


def _wide(body: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Return a document in UTF-16, by its byte order mark; another declaration is reported."""
    text = _text_of(body, "utf-16")
    declared = _name_in(_DECLARATION.match(text[:512])) if text is not None else ""
    if text is None or not declared or _WIDE.fullmatch(declared):
        return body, ()
    return _without_declaration(text), (
        _contradiction(declared, "UTF-16, as its byte order mark says"),
    )


def _in_true_encoding(
    body: bytes, encoding: str, declared: str, really: str
) -> tuple[bytes, tuple[str, ...]]:
    text = _text_of(body, encoding)
    assert text is not None  # it fits
    return _without_declaration(text.removeprefix("\ufeff")), (_contradiction(declared, really),)


def _without_declaration(text: str) -> bytes:
    """Return a document in UTF-8 without its declaration, which says another encoding."""
    text = text.removeprefix("\ufeff")
    match = _DECLARATION.match(text[:512])
    return (text[match.end() :] if match else text).encode(errors="replace")


def _contradiction(declared: str, really: str) -> str:
    return f"a reply declares the encoding {declared} and is in {really}"


def _name_in(match: re.Match[str] | None) -> str:
    return match[1] if match else ""


def _codec(name: str) -> str:
    """Return Python's name of an encoding that is read here; "" for another."""
    if _CHINESE.fullmatch(name):
        return "gb18030"  # reads GB2312 and GBK too, and what is called GB2312 is often GBK
    return name.lower() if _CODECS.fullmatch(name) else ""


def _text_of(body: bytes, name: str) -> str | None:
    codec = _codec(name)
    try:
        return body.decode(codec) if codec else None
    except (LookupError, UnicodeError):
        return None


def _fits(body: bytes, name: str) -> bool:
    return _text_of(body, name) is not None


__all__ = ["as_document"]
