"""Ways to change a signed document: some an attacker's, some an accident's."""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Callable

from lxml import etree

_DS = "http://www.w3.org/2000/09/xmldsig#"
_EXC = "http://www.w3.org/2001/10/xml-exc-c14n#"
_WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_IDS = (
    *("Id", "ID", "id", "iD", f"{{{_WSU}}}Id", "{urn:x}Id"),
    "{http://www.w3.org/XML/1998/namespace}id",
)
_ALGORITHMS = (
    *(f"{_DS}rsa-sha1", f"{_DS}hmac-sha1", f"{_DS}sha1", f"{_DS}base64", f"{_DS}dsa-sha1"),
    *(f"{_DS}enveloped-signature", _EXC, f"{_EXC}WithComments", "", "urn:none"),
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
    "http://www.w3.org/2006/12/xml-c14n11",
    "http://www.w3.org/TR/1999/REC-xslt-19991116",
    "http://www.w3.org/TR/1999/REC-xpath-19991116",
    "http://www.w3.org/2002/06/xmldsig-filter2",
    "http://www.w3.org/2001/04/xmlenc#sha256",
    "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-md5",
)
_TEXTS = ("9999.99", "EVIL", "", " ", "1000.00\u200b", "\u0661", "&", "ACME ", "x" * 500)
_OUTSIDE = (
    b"<!DOCTYPE a>",
    b'<!DOCTYPE a [<!ENTITY e "9999.99">]>',
    b'<!DOCTYPE a [<!ATTLIST v:Voucher Id ID #IMPLIED x CDATA "y">]>',
    *(b"<!-- -->", b"<?x y?>", b"\n", b"\xef\xbb\xbf", b"<a/>", b"\0"),
)
_ENCODINGS = ("utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "utf-7", "gb18030", "utf-32")

Tree = Callable[[etree._Element, random.Random], None]
Bytes = Callable[[bytes, bytes, random.Random], bytes]


def mutate(document: bytes, other: bytes, chance: random.Random) -> tuple[bytes, list[str]]:
    """Return ``document`` changed one to four times, and how; ``other`` lends its parts."""
    names = []
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 4))):
        name = chance.choice(_NAMES)
        try:
            document = _apply(name, document, other, chance)
        except (etree.LxmlError, ValueError, UnicodeError):
            continue  # too broken already to be changed as a tree, or no name in XML
        names.append(name)
    return document, names


def _apply(name: str, document: bytes, other: bytes, chance: random.Random) -> bytes:
    if name in _BYTES:
        return _BYTES[name](document, other, chance)
    root = etree.fromstring(document, _PARSER)  # noqa: TID251 - our own document, to be broken
    _TREES[name](root, chance)
    tree = root.getroottree()
    # Half of them with the comments and instructions around the root, half without.
    return etree.tostring(tree if chance.random() < 0.5 else root, encoding="utf-8")


_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)


def _any(root: etree._Element, chance: random.Random) -> etree._Element:
    return chance.choice(list(root.iter(etree.Element)))


def _below(root: etree._Element, chance: random.Random) -> etree._Element:
    found = list(root.iterdescendants(etree.Element))
    if not found:
        raise ValueError("nothing left")
    return chance.choice(found)


def _named(root: etree._Element, *names: str) -> list[etree._Element]:
    return [one for one in root.iter(etree.Element) if etree.QName(one).localname in names]


def _one(root: etree._Element, chance: random.Random, *names: str) -> etree._Element:
    found = _named(root, *names)
    if not found:
        raise ValueError("not there")
    return chance.choice(found)


# --- structure ------------------------------------------------------------------------------


def _move(root: etree._Element, chance: random.Random) -> None:
    moved, place = _below(root, chance), _any(root, chance)
    if moved in (place, *place.iterancestors()):
        raise ValueError("into itself")
    place.insert(chance.randint(0, len(place)), moved)


def _duplicate(root: etree._Element, chance: random.Random) -> None:
    place = _any(root, chance)
    place.insert(chance.randint(0, len(place)), copy.deepcopy(_below(root, chance)))


def _wrap(root: etree._Element, chance: random.Random) -> None:
    inner = _below(root, chance)
    tag = chance.choice((str(inner.tag), "w", f"{{{_DS}}}Object", str(root.tag)))
    wrapper = etree.Element(tag)
    parent = inner.getparent()
    assert parent is not None
    parent.replace(inner, wrapper)
    wrapper.append(inner)


def _remove(root: etree._Element, chance: random.Random) -> None:
    gone = _below(root, chance)
    parent = gone.getparent()
    assert parent is not None
    parent.remove(gone)


def _wrap_signed(root: etree._Element, chance: random.Random) -> None:
    """Signature wrapping: the signed part goes where nobody reads, a forged one in its place."""
    bodies = _named(root, "Body")
    signed = bodies[0] if bodies else root
    kept = copy.deepcopy(signed)
    forged = chance.choice(_named(signed, "Amount", "Payee", "Reference", "Account") or [signed])
    forged.text = "9999.99"
    for name in list(signed.attrib):
        if chance.random() < 0.4:
            del signed.attrib[name]
    if chance.random() < 0.3:
        signed.set(chance.choice(_IDS), "forged")
    hidden = chance.choice(_named(root, "Signature", "Security", "Header", "KeyInfo") or [root])
    holder = etree.SubElement(hidden, chance.choice((f"{{{_DS}}}Object", "w")))
    holder.append(kept)


# --- ids, algorithms, references ------------------------------------------------------------


def _identify(root: etree._Element, chance: random.Random) -> None:
    values = [
        value
        for one in root.iter(etree.Element)
        for name, value in one.attrib.items()
        if str(name).lower().endswith("id")
    ]
    _any(root, chance).set(chance.choice(_IDS), chance.choice([*values, "v1", "other", ""]))


def _respell(root: etree._Element, chance: random.Random) -> None:
    named = [one for one in root.iter(etree.Element) if any(name in one.attrib for name in _IDS)]
    one = chance.choice(named) if named else _any(root, chance)
    for name in _IDS:
        value = one.attrib.pop(name, None)
        if value is not None:
            one.set(chance.choice(_IDS), value)


def _algorithm(root: etree._Element, chance: random.Random) -> None:
    names = ("CanonicalizationMethod", "SignatureMethod", "DigestMethod", "Transform")
    _one(root, chance, *names).set("Algorithm", chance.choice(_ALGORITHMS))


def _transform(root: etree._Element, chance: random.Random) -> None:
    place = _one(root, chance, "Transforms")
    for _ in range(chance.choice((1, 1, 2, 60))):
        new = etree.Element(f"{{{_DS}}}Transform", Algorithm=chance.choice(_ALGORITHMS))
        place.insert(chance.randint(0, len(place)), new)


def _prefix_list(root: etree._Element, chance: random.Random) -> None:
    place = _one(root, chance, "CanonicalizationMethod", "Transform")
    listed = chance.choice(("v", "s ds", "#default", "", "v v", "\u4e2d", "xml", "p:q"))
    etree.SubElement(place, f"{{{_EXC}}}InclusiveNamespaces", PrefixList=listed)


def _uri(root: etree._Element, chance: random.Random) -> None:
    uris = ("", "#v1", "#v2", "#", "#xpointer(/)", "#xpointer(id('v1'))", "file:///etc/passwd")
    _one(root, chance, "Reference").set("URI", chance.choice(uris))


def _reference(root: etree._Element, chance: random.Random) -> None:
    one = _one(root, chance, "Reference")
    parent = one.getparent()
    assert parent is not None
    for _ in range(chance.choice((1, 1, 20))):
        new = copy.deepcopy(one)
        new.set("URI", chance.choice(("", "#v1", "#v2", one.get("URI", ""))))
        parent.insert(chance.randint(0, len(parent)), new)


# --- values ---------------------------------------------------------------------------------


def _text(root: etree._Element, chance: random.Random) -> None:
    chance.choice(
        _named(root, "Amount", "Payee", "Reference", "Account") or [_any(root, chance)]
    ).text = chance.choice(_TEXTS)


def _attribute(root: etree._Element, chance: random.Random) -> None:
    one = _any(root, chance)
    names = [*map(str, one.attrib), "x", "{urn:x}y", "currency"]
    one.set(chance.choice(names), chance.choice(_TEXTS))


def _split(root: etree._Element, chance: random.Random) -> None:
    """Put a comment or an instruction, or another element, into a value."""
    holders = [one for one in root.iter(etree.Element) if one.text and one.text.strip()]
    one = chance.choice(holders)
    text = one.text or ""
    at = chance.randint(0, len(text))
    node = chance.choice((etree.Comment("x"), etree.ProcessingInstruction("x", "y")))
    if chance.random() < 0.2:
        node = etree.Element("x")
    one.text, node.tail = text[:at], text[at:]
    one.insert(0, node)


def _base64(root: etree._Element, chance: random.Random) -> None:
    names = ("DigestValue", "SignatureValue", "X509Certificate", "BinarySecurityToken")
    one = _one(root, chance, *names)
    text = one.text or ""
    at = chance.randint(0, len(text))
    trick = chance.choice((" ", "\n", "=", "==", "\u00a0", "!", "-", "_", "A", "AAAA", ""))
    one.text = text[:at] + trick + text[at + chance.choice((0, 0, 1)) :]


def _namespace(root: etree._Element, chance: random.Random) -> None:
    one = _any(root, chance)
    name = etree.QName(one)
    one.tag = chance.choice(
        (name.localname, f"{{urn:other}}{name.localname}", f"{{{_DS}}}{name.localname}")
    )


def _key_info(root: etree._Element, chance: random.Random) -> None:
    place = _one(root, chance, "KeyInfo", "X509Data")
    name = chance.choice(("KeyName", "KeyValue", "RetrievalMethod", "X509SubjectName", "MgmtData"))
    place.insert(chance.randint(0, len(place)), etree.Element(f"{{{_DS}}}{name}"))


# --- bytes ----------------------------------------------------------------------------------


def _truncate(document: bytes, _: bytes, chance: random.Random) -> bytes:
    return document[: chance.randint(0, len(document))]


def _flip(document: bytes, _: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(max(1, len(document)))
    return document[:at] + bytes([chance.randrange(256)]) + document[at + 1 :]


def _cut(document: bytes, _: bytes, chance: random.Random) -> bytes:
    at = chance.randint(0, len(document))
    return document[:at] + document[at + chance.randint(1, 40) :]


def _repeat(document: bytes, _: bytes, chance: random.Random) -> bytes:
    at = chance.randint(0, len(document))
    return document[:at] + document[at : at + chance.randint(1, 200)] + document[at:]


def _edit(document: bytes, _: bytes, chance: random.Random) -> bytes:
    """Change a word in the bytes, everything else as it was."""
    old, new = chance.choice(
        (
            (b"1000.00", b"9000.00"),
            (b"1000.00", b"&#49;000.00"),
            (b"ACME", b"EVIL"),
            (b"ACME", b"AC<!-- -->ME"),
            (b"ACME", b"<![CDATA[ACME]]>"),
            (b"debit", b"credit"),
            (b"urn:claimbridge:voucher:1", b"urn:claimbridge:voucher:2"),
            (b"ds:", b"dsig:"),
            (b"xmlns:v=", b"xmlns:w="),
            (b" ", b"  "),
            (b">", b" >"),
            (b"\r\n", b"\n"),
            (b'"', b"'"),
            (b"#v1", b""),
            (b"></", b">\n</"),
        )
    )
    return document.replace(old, new, chance.choice((1, 2, -1)))


def _outside(document: bytes, _: bytes, chance: random.Random) -> bytes:
    part = chance.choice(_OUTSIDE)
    at = chance.choice((0, len(document), document.find(b">") + 1))
    return document[:at] + part + document[at:]


def _encode(document: bytes, _: bytes, chance: random.Random) -> bytes:
    encoding = chance.choice(_ENCODINGS)
    declared = chance.choice((encoding, "UTF-8", "utf-7", "UTF-16", "nonsense"))
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", document.decode("utf-8-sig"))
    return f'<?xml version="1.0" encoding="{declared}"?>{text}'.encode(encoding)


def _graft(document: bytes, other: bytes, chance: random.Random) -> bytes:
    """Put the signature, or a part of it, of another document into this one."""
    name = chance.choice((b"Signature", b"SignedInfo", b"SignatureValue", b"KeyInfo", b"Reference"))
    part = re.compile(b"<ds:%b[ >].*?</ds:%b>" % (name, name), re.DOTALL)
    mine, theirs = part.search(document), part.search(other)
    if mine is None or theirs is None:
        raise ValueError("not there")
    if chance.random() < 0.3:
        return document[: mine.end()] + theirs[0] + document[mine.end() :]
    return document[: mine.start()] + theirs[0] + document[mine.end() :]


def _cross(document: bytes, other: bytes, chance: random.Random) -> bytes:
    cut = chance.random()
    return document[: int(len(document) * cut)] + other[int(len(other) * cut) :]


_TREES: dict[str, Tree] = {
    "move": _move,
    "duplicate": _duplicate,
    "wrap": _wrap,
    "remove": _remove,
    "wrap what is signed": _wrap_signed,
    "another id": _identify,
    "id respelled": _respell,
    "algorithm": _algorithm,
    "transform": _transform,
    "prefix list": _prefix_list,
    "uri": _uri,
    "reference": _reference,
    "text": _text,
    "attribute": _attribute,
    "split value": _split,
    "base64": _base64,
    "namespace": _namespace,
    "key info": _key_info,
}
_BYTES: dict[str, Bytes] = {
    "truncate": _truncate,
    "flip": _flip,
    "cut": _cut,
    "repeat": _repeat,
    "edit": _edit,
    "outside": _outside,
    "encode": _encode,
    "graft": _graft,
    "cross": _cross,
}
_NAMES = (*_TREES, *_BYTES)
