"""The one XML parser, with its limits, and canonical bytes.

Everything that is XML enters claimbridge here. A document type declaration is refused before the
parser sees it, so no entity is ever expanded and no file or address is ever fetched. Limits are
counted before a tree is built wherever counting is cheaper than building.
"""

from __future__ import annotations

import itertools
import re
import threading
from typing import Final, TypeAlias

import msgspec
from lxml import etree

from claimbridge.errors import DocumentError

Element: TypeAlias = etree._Element
"""What ``parse`` returns, for those who hand it back."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a document may hold. The parser itself stops at 256 levels and 10 MB of one text.

    The three limits in total bound the memory: by those that stand here, the worst document costs
    about ten times ``max_bytes`` (``tests/benchmarks/inputs.py`` measures it).
    """

    max_bytes: int = 50_000_000
    max_depth: int = 200
    """Levels of nested elements."""
    max_elements: int = 250_000
    """Elements, comments, processing instructions and CDATA sections together."""
    max_attributes: int = 256
    """Attributes of one element, namespace declarations included."""
    max_attributes_in_all: int = 500_000
    """Attributes of all elements together, namespace declarations included."""
    max_namespaces: int = 64
    """Namespace declarations of one element."""
    max_text: int = 10_000_000
    """Characters of one text or attribute value."""


LIMITS: Final = Limits()


class _Own(threading.local):
    """Each thread's parser: making one costs more than it looks, and lxml lets one work at a time.

    It keeps nothing from one document to the next that the next could notice.
    """

    def __init__(self) -> None:
        self.parser = etree.XMLParser(
            encoding="utf-8",
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            dtd_validation=False,
            huge_tree=False,
        )


_OWN: Final = _Own()

# Superset codecs: documents declared GB2312 often hold GBK, and GB18030 reads both.
_CODECS: Final = {
    "GB2312": "gb18030",
    "GBK": "gb18030",
    "GB18030": "gb18030",
    "BIG5": "big5",
    "ISO-8859-1": "iso-8859-1",
    "ISO-8859-15": "iso-8859-15",
    "WINDOWS-1252": "windows-1252",
}
_UTF8_NAMES: Final = frozenset({"", "UTF-8", "UTF8"})
_ASCII_NAMES: Final = frozenset({"US-ASCII", "ASCII"})
# XML 1.0 appendix F: what the first bytes say about an encoding.
_UTF16_STARTS: Final = {
    b"\xff\xfe": ("utf-16", "UTF-16"),
    b"\xfe\xff": ("utf-16", "UTF-16"),
    b"<\0": ("utf-16-le", "UTF-16LE"),
    b"\0<": ("utf-16-be", "UTF-16BE"),
}
_UTF32_STARTS: Final = (b"\0\0\xfe\xff", b"\xff\xfe\0\0", b"\0\0\0<", b"<\0\0\0")
_EBCDIC_START: Final = b"\x4c\x6f\xa7\x94"
_BOM: Final = b"\xef\xbb\xbf"

_DECLARED: Final = re.compile(r"<\?xml\s[^>]*?encoding\s*=\s*[\"']([A-Za-z][A-Za-z0-9._\-]*)[\"']")
# Possessive throughout: a hostile prolog or tag is scanned once, never again.
_PROLOG: Final = re.compile(rb"(?:\xef\xbb\xbf)?(?>\s++|<\?(?>.*?\?>)|<!--(?>.*?-->))*+", re.DOTALL)
_START_TAG: Final = re.compile(
    rb"[^\s!?/>][^\s>]*+(?:\s*+[^\s=>]++\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'))*+"
)
_ATTRIBUTE: Final = re.compile(rb"=\s*+(?:\"[^\"]*+\"|'[^']*+')")
_DECLARATION: Final = re.compile(rb"\sxmlns(?::[^\s=]++)?+\s*+=")


def parse(data: bytes, *, limits: Limits = LIMITS, what: str = "document") -> etree._Element:
    """Return the root element of ``data``, or refuse it in bounded time and memory.

    ``what`` names the document in the error. Nothing is fetched or expanded; comments and
    processing instructions stay in the tree and mean nothing. UTF-8, UTF-16, ASCII, ISO-8859-1
    and -15, windows-1252, GBK, GB2312, GB18030 and Big5 are read.

    Raises DocumentError: CB-150 malformed, CB-151 a DOCTYPE, CB-152 beyond a limit, CB-153 an
    encoding that is not accepted or not the declared one.
    """
    if len(data) > limits.max_bytes:
        raise _beyond(what, f"{len(data)} bytes", limits.max_bytes)
    text = _as_utf8(data, what)
    mentioned = b"<!DOCTYPE" in text
    if mentioned:
        _refuse_doctype(text, what)
    _count_markup(text, limits, what)
    root = _parsed(text, what)
    # Without the word there is none, and asking costs a tenth of a small document's parsing.
    if mentioned and root.getroottree().docinfo.internalDTD is not None:
        raise _doctype(what)
    _measure_tree(root, text, limits, what)
    return root


class Canonical(bytes):
    """One element in exclusive C14N without comments, as a document of its own, nothing around it.

    ``Canonical(data)`` reads ``data`` and raises DocumentError CB-156 unless it is its own
    canonical form. What is cut from it or joined to it is plain bytes again.
    """

    __slots__ = ()

    def __new__(cls, data: bytes) -> Canonical:
        """Return ``data``, read and found canonical."""
        if canonical(parse(data)) != data:
            raise DocumentError(
                "the document is not its own exclusive canonical form; take canonical() of it",
                code="CB-156",
            )
        return cls.written(data)

    @classmethod
    def written(cls, data: bytes) -> Canonical:
        """Return ``data`` unread: for those alone who write this form, and whose tests show it."""
        return super().__new__(cls, data)


def canonical(element: etree._Element, *, inclusive_prefixes: tuple[str, ...] = ()) -> bytes:
    """Return ``element`` in exclusive C14N 1.0 without comments, its tail left out.

    A part of a document has the form that it has as a document of its own. (Ask before taking an
    element out of its tree: lxml may rename the prefixes of what it moves.)
    ``inclusive_prefixes`` are kept declared although only values use them (InclusiveNamespaces);
    without them the result is a ``Canonical``.

    Raises DocumentError CB-154 where no canonical form exists (a relative namespace URI).
    """
    try:
        result = _exclusive(element, inclusive_prefixes) if _is_alone(element) else b""
        # lxml writes a false xmlns="" on grandchildren of a detached element that inherited a
        # default namespace; its serialiser does not, so the element is read afresh.
        if not result or b' xmlns=""' in result:
            text = etree.tostring(element, with_tail=False, encoding="utf-8")
            result = _exclusive(_parsed(text, "element"), inclusive_prefixes)
    except (etree.LxmlError, ValueError) as error:
        raise DocumentError(
            "the element has no canonical form; look for a relative namespace URI in it",
            code="CB-154",
        ) from error
    if not result:
        raise DocumentError("the element has no canonical form", code="CB-154")
    return result if inclusive_prefixes else Canonical.written(result)


def _is_alone(element: etree._Element) -> bool:
    """Whether nothing stands around or beside ``element``."""
    around = (element.getparent(), element.getprevious(), element.getnext(), element.tail)
    return around == (None, None, None, None)


def _exclusive(element: etree._Element, prefixes: tuple[str, ...]) -> bytes:
    result: bytes = etree.tostring(
        element,
        method="c14n",
        exclusive=True,
        with_comments=False,
        inclusive_ns_prefixes=list(prefixes) or None,
    )
    return result


def serialised(element: Element) -> bytes:
    """Return an element as a document in UTF-8, comments and all; no form that a digest is of."""
    return etree.tostring(element, with_tail=False, encoding="utf-8", xml_declaration=True)


def indented(document: bytes) -> str:
    """Return a document as people read it: a line for each element. Never for sending."""
    root = parse(document)
    etree.indent(root)
    return etree.tostring(root, encoding="unicode")


def local_name(element: etree._Element) -> str:
    """Return the name without its namespace; "" for a comment or processing instruction."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def namespace(element: etree._Element) -> str:
    """Return the namespace URI; "" when there is none."""
    tag = element.tag
    return tag[1:].partition("}")[0] if isinstance(tag, str) and tag[:1] == "{" else ""


def path_of(node: etree._Element | None) -> str:
    """Return the path below the root: local names, counted only where one repeats.

    "" for the root itself and for None.
    """
    steps: list[str] = []
    while node is not None:
        above = node.getparent()
        if above is None:
            break
        name = local_name(node)
        alike = [other for other in above if local_name(other) == name]
        steps.append(f"{name}[{alike.index(node) + 1}]" if len(alike) > 1 else name)
        node = above
    return "/".join(reversed(steps))


def _as_utf8(data: bytes, what: str) -> bytes:
    """Return ``data`` in UTF-8, so that what is counted here is what the parser reads."""
    # XML 1.0 appendix F: no mark, no null byte and no declaration is UTF-8. ("<" and a letter
    # begin no other encoding's declaration: in UTF-16 and UTF-32 a null byte stands between.)
    if data[:1] == b"<" and data[1:2].isalpha():
        return data
    if data.startswith((*_UTF32_STARTS, _EBCDIC_START)):
        raise _encoding(what, "is in UTF-32 or EBCDIC")
    wide = _UTF16_STARTS.get(data[:2])
    if wide:
        return _from_utf16(data, *wide, what=what)
    declared = _declared(data[:256].decode("ascii", "replace").lstrip("\ufffd"))
    if declared in _UTF8_NAMES:
        return data
    if data.startswith(_BOM):
        raise _encoding(what, f"says {declared} but starts with a UTF-8 byte order mark")
    if declared in _ASCII_NAMES and data.isascii():
        return data
    if declared not in _CODECS:
        raise _encoding(what, f"is declared {declared}")
    return _decoded(data, _CODECS[declared], what).encode()


def _from_utf16(data: bytes, codec: str, name: str, *, what: str) -> bytes:
    text = _decoded(data, codec, what)
    if _declared(text[:256]) not in {"", "UTF-16", name}:
        raise _encoding(what, "is in UTF-16 but declares another encoding")
    return text.encode()


def _declared(start: str) -> str:
    match = _DECLARED.match(start)
    return match[1].upper() if match else ""


def _decoded(data: bytes, codec: str, what: str) -> str:
    try:
        return data.decode(codec)
    except UnicodeDecodeError as error:
        raise _encoding(what, f"is not valid {codec}") from error


def _refuse_doctype(text: bytes, what: str) -> None:
    prolog = _PROLOG.match(text)
    if prolog and text.startswith(b"<!", prolog.end()):
        raise _doctype(what)


def _count_markup(text: bytes, limits: Limits, what: str) -> None:
    """Refuse too many elements, or attributes on one or on all, before a tree is built."""
    if len(text) > limits.max_elements:  # else there is no room for so many
        ends = text.count(b"</")
        items = max(text.count(b"<") - ends, ends)  # what ends has begun, in what is well-formed
        if items > limits.max_elements:
            raise _beyond(what, f"{items} elements", limits.max_elements)
    # Every attribute and every declaration has its "=".
    signs = text.count(b"=")
    if signs <= min(limits.max_attributes, limits.max_namespaces):
        return
    # "<" cannot stand inside a tag, so each piece holds at most one.
    pieces = text.split(b"<")
    for piece in pieces:
        if (
            piece.count(b"=") > limits.max_attributes
            or piece.count(b"xmlns") > limits.max_namespaces
        ):
            _count_tag(piece, limits, what)
    if signs > limits.max_attributes_in_all:
        _count_in_all(pieces, limits.max_attributes_in_all, what)


def _count_tag(piece: bytes, limits: Limits, what: str) -> None:
    tag = _START_TAG.match(piece)
    if tag is None:
        return
    if _count(_ATTRIBUTE, tag[0], limits.max_attributes) > limits.max_attributes:
        raise _beyond(what, "more attributes on one element", limits.max_attributes)
    if _count(_DECLARATION, tag[0], limits.max_namespaces) > limits.max_namespaces:
        raise _beyond(what, "more namespaces on one element", limits.max_namespaces)


def _count(form: re.Pattern[bytes], tag: bytes, most: int) -> int:
    """Return how often a form stands in a tag; one more than ``most`` for whatever is beyond."""
    return sum(1 for _ in itertools.islice(form.finditer(tag), most + 1))


def _count_in_all(pieces: list[bytes], most: int, what: str) -> None:
    total = 0
    for piece in pieces:
        tag = _START_TAG.match(piece) if b"=" in piece else None
        if tag is not None:
            # No element has too many: that was counted before. Values may hold "=" themselves.
            total += len(_ATTRIBUTE.findall(tag[0]))
            if total > most:
                raise _beyond(what, "more attributes in all", most)


def _parsed(text: bytes, what: str) -> etree._Element:
    try:
        root = etree.fromstring(text, _OWN.parser)  # noqa: TID251 - this is the one secure parser
    except (etree.LxmlError, ValueError) as error:
        raise _unreadable(error, what) from error
    if root is None:
        raise DocumentError(f"{what} is empty", code="CB-150")
    return root


def _measure_tree(root: etree._Element, text: bytes, limits: Limits, what: str) -> None:
    # A level takes seven bytes at least: <a></a>.
    if len(text) > 7 * limits.max_depth and text.count(b"</") >= limits.max_depth:
        deeper = f"boolean({'/*' * (limits.max_depth + 1)})"
        if root.getroottree().xpath(deeper):
            raise _beyond(what, "the depth of nesting", limits.max_depth)
    if len(text) > limits.max_text:
        longer = f"[string-length() > {limits.max_text}]"
        if root.xpath(f"boolean(//text(){longer} | //@*{longer})"):
            raise _beyond(what, "the length of one text", limits.max_text)


def _unreadable(error: Exception, what: str) -> DocumentError:
    reason = str(error).replace("\n", " ")[:200]
    if re.search(r"Excessive depth|too long|[Ll]imit exceeded|too big", reason):
        return DocumentError(f"{what} is beyond the parser's limits: {reason}", code="CB-152")
    return DocumentError(f"{what} is not well-formed XML: {reason}", code="CB-150")


def _beyond(what: str, found: str, limit: int) -> DocumentError:
    return DocumentError(
        f"{what} is beyond the limits: {found}, where {limit} is allowed", code="CB-152"
    )


def _doctype(what: str) -> DocumentError:
    return DocumentError(
        f"{what} carries a DOCTYPE, which is refused unread; send it without", code="CB-151"
    )


def _encoding(what: str, found: str) -> DocumentError:
    return DocumentError(f"{what} {found}; send it in UTF-8", code="CB-153")


__all__ = [
    "LIMITS",
    "Canonical",
    "Element",
    "Limits",
    "canonical",
    "indented",
    "local_name",
    "namespace",
    "parse",
    "path_of",
    "serialised",
]
