"""libxml2's schema messages as findings that a finance engineer understands.

A finding quotes a value only where the contract lists the allowed ones, or wants a number or a
date: other values may be names or bank accounts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from lxml import etree

from claimbridge import xmlio
from claimbridge.contract.base.names import split_name
from claimbridge.contract.calls.shapes import Leaf, Shape
from claimbridge.contract.outline.wording import BOUNDS, listed
from claimbridge.findings import Finding

_MESSAGE: Final = re.compile(
    r"Element '(?P<element>[^']*)'(?:, attribute '(?P<attribute>[^']*)')?: "
    r"(?:\[facet '(?P<facet>\w+)'\] )?(?P<rest>.*)",
    re.DOTALL,
)
_PREFIX: Final = "SCHEMAV_"
_CONTENT: Final = "SCHEMAV_ELEMENT_CONTENT"
# libxml2's names of failed checks, by the clause of XML Schema Part 1.
_RULES: Final = {
    "CVC_DATATYPE_VALID_1_2_1": "type",
    "CVC_DATATYPE_VALID_1_2_2": "type",
    "CVC_DATATYPE_VALID_1_2_3": "type",
    "CVC_COMPLEX_TYPE_2_1": "empty",
    "CVC_COMPLEX_TYPE_2_2": "text",
    "CVC_COMPLEX_TYPE_2_3": "text",
    "CVC_TYPE_3_1_1": "unexpected",
    "CVC_TYPE_3_1_2": "unexpected",
    "CVC_COMPLEX_TYPE_3_1": "fixed",
    "CVC_COMPLEX_TYPE_3_2_1": "unexpected",
    "CVC_COMPLEX_TYPE_3_2_2": "unexpected",
    "CVC_COMPLEX_TYPE_4": "missing",
    "CVC_ELT_1": "unexpected",
    "CVC_ELT_2": "abstract",
    "CVC_TYPE_2": "abstract",
    "CVC_ELT_3_1": "nillable",
    "CVC_ELT_3_2_1": "nillable",
    "CVC_ELT_4_1": "xsi:type",
    "CVC_ELT_4_2": "xsi:type",
    "CVC_ELT_4_3": "xsi:type",
    "CVC_ELT_5_2_2_2_1": "fixed",
    "CVC_ELT_5_2_2_2_2": "fixed",
    "CVC_AU": "fixed",
    "CVC_IDC": "unique",
}
_SENTENCES: Final = {
    "empty": "{name} must be empty",
    "text": "{name} holds a text where only elements may stand",
    "unexpected": "the contract does not allow {name} here",
    "missing": "{name} is missing",
    "abstract": "{name} needs a concrete type (@xsi:type)",
    "nillable": "{name} cannot be empty (@xsi:nil)",
    "xsi:type": "the type given for {name} is not one that may stand here",
    "fixed": "{name} must have the value that the contract fixes",
    "unique": "{name} repeats, or refers to, a value that must be unique or present elsewhere",
    "invalid": "{name} breaks the contract",
}
_TYPES: Final = {
    "decimal": "a decimal number",
    "date": "a date (2026-11-24)",
    "dateTime": "a date and time (2026-11-24T08:00:00Z)",
    "boolean": "true or false",
    "integer": "a whole number",
    "int": "a whole number",
    "long": "a whole number",
    "base64Binary": "base64",
    "ID": "an identifier (a letter, then letters, digits, - _ .) used once",
}


def findings_from(
    entries: Iterable[etree._LogEntry], root: etree._Element, shape: Shape | None
) -> Iterator[Finding]:
    """Yield a finding for each failed check in libxml2's log, each path and rule once.

    ``shape`` is what the contract says of the root; None when it knows no such root.
    """
    seen: set[tuple[str, str]] = set()
    prefixes = _prefixes(root)
    for entry in entries:
        message = _MESSAGE.match(entry.message or "")
        if message is None or message["rest"].startswith("Warning: "):
            continue
        node = _node(entry.path, root, prefixes)
        if entry.type_name == _CONTENT:
            finding = _content_finding(message["rest"], node, shape)
        else:
            finding = _value_finding(entry.type_name, message, node)
        if (finding.path, finding.rule) not in seen:
            seen.add((finding.path, finding.rule))
            yield finding


def traced(finding: Finding, sources: Mapping[str, str]) -> Finding:
    """Return the finding with the claim field that it came from, where ``sources`` knows one.

    A part without a source of its own has the source of the nearest element above it.
    ``Voucher[1]`` and ``Voucher`` name the same element.
    """
    if not sources:
        return finding
    fields = {path.replace("[1]", ""): field for path, field in sources.items()}
    path = finding.path.replace("[1]", "")
    while path not in fields and path:
        path = path.rpartition("/")[0]
    return Finding(finding.path, finding.rule, finding.text, fields.get(path, ""))


def _value_finding(kind: str, message: re.Match[str], node: etree._Element | None) -> Finding:
    attribute = split_name(message["attribute"] or "")[1]
    rest = message["rest"]
    if kind == "SCHEMAV_CVC_COMPLEX_TYPE_4":
        # "The attribute 'currencyCode' is required but missing."
        attribute = split_name(_first_quoted(rest))[1]
    name = attribute or split_name(message["element"])[1]
    path = xmlio.path_of(node)
    if attribute:
        path = f"{path}/@{attribute}" if path else f"@{attribute}"
    facet = message["facet"]
    if facet:
        return Finding(path, facet, _FACETS.get(facet, _any_facet)(name, rest))
    rule = _RULES.get(kind.removeprefix(_PREFIX), "invalid")
    if rule == "type":
        return Finding(path, rule, _type_text(name, rest))
    return Finding(path, rule, _SENTENCES[rule].format(name=name))


def _content_finding(rest: str, node: etree._Element | None, shape: Shape | None) -> Finding:
    """Return what is wrong with the children of one element: one missing, or one too many."""
    expected = _expected(rest)
    if rest.startswith("Missing"):
        return _missing(node, expected, shape)
    parent = node.getparent() if node is not None else None
    if node is None or parent is None:
        return Finding("", "unexpected", "the contract does not know this request")
    name, owner = xmlio.local_name(node), xmlio.local_name(parent)
    inside = _shape_at(parent, shape)
    if inside is None or name not in inside.children:
        hint = f"; expected here: {', '.join(expected)}" if expected else ""
        return Finding(
            xmlio.path_of(node), "unexpected", f"the contract knows no {name} in {owner}{hint}"
        )
    before = node.getprevious()
    if before is not None and before.tag == node.tag and name not in expected:
        return Finding(
            xmlio.path_of(node), "maxOccurs", f"{owner} has more {name} than are allowed"
        )
    present = {xmlio.local_name(other) for other in parent}
    lacking = [other for other in expected if other not in present and _required(inside, other)]
    if lacking:
        return _missing(parent, lacking, shape)
    hint = f"; expected here: {', '.join(expected)}" if expected else ""
    return Finding(xmlio.path_of(node), "unexpected", f"{name} is not allowed at this place{hint}")


def _missing(parent: etree._Element | None, expected: list[str], shape: Shape | None) -> Finding:
    owner = xmlio.local_name(parent) if parent is not None else "the request"
    inside = _shape_at(parent, shape)
    names = [name for name in expected if _required(inside, name)] or expected
    order = list(inside.children) if inside else []
    names.sort(key=lambda name: order.index(name) if name in order else len(order))
    above = xmlio.path_of(parent)
    path = f"{above}/{names[0]}" if above and names else (names or [""])[0]
    what = names[0] if len(names) == 1 else f"one of {', '.join(names)}"
    return Finding(path, "missing", f"{owner} lacks {what}")


def _expected(rest: str) -> list[str]:
    """Return the local names in "Expected is one of ( {urn}A, {urn}B )."."""
    match = re.search(r"Expected is (?:one of )?\( (.*) \)", rest)
    names = match[1].split(", ") if match else ()
    return [split_name(name.strip())[1] for name in names if not name.startswith("##")]


def _required(shape: Shape | None, name: str) -> bool:
    return shape is None or name in shape.needed


def _shape_at(node: etree._Element | None, root: Shape | None) -> Shape | None:
    """Return what the contract says of a node, following the names above it."""
    if node is None or root is None:
        return None
    above = node.getparent()
    if above is None:
        return root
    inside = _shape_at(above, root)
    leaf: Leaf | None = inside.children.get(xmlio.local_name(node)) if inside else None
    return leaf.shape if leaf else None


def _node(
    path: str | None, root: etree._Element, prefixes: Mapping[str, str]
) -> etree._Element | None:
    if not path:
        return None
    try:
        nodes = root.getroottree().xpath(path, namespaces=dict(prefixes))
    except etree.XPathError:
        return None
    first = nodes[0] if isinstance(nodes, list) and nodes else None
    return first if isinstance(first, etree._Element) else None


def _prefixes(root: etree._Element) -> dict[str, str]:
    prefixes: dict[str, str] = {}
    for element in root.iter(etree.Element):
        for prefix, uri in element.nsmap.items():
            if prefix:
                prefixes.setdefault(prefix, uri)
    return prefixes


def _first_quoted(text: str) -> str:
    quoted = re.search(r"'([^']*)'", text)
    return quoted[1] if quoted else ""


def _shortened(value: str) -> str:
    return value if len(value) <= 40 else f"{value[:40]}…"


def _length_text(bound: str) -> Callable[[str, str], str]:
    def text(name: str, rest: str) -> str:
        actual, allowed = [*re.findall(r"length of '(\d+)'", rest), "?", "?"][:2]
        return f"{name} has {actual} characters; {bound} {allowed} are allowed"

    return text


def _bound_text(relation: str) -> Callable[[str, str], str]:
    def text(name: str, rest: str) -> str:
        # "… the maximum value allowed ('4')." where it is included, "… less than '5'." where not.
        bound = re.search(r"(?:allowed \(| than )'([^']*)'\)?\.", rest)
        return f"{name} must be {relation} {bound[1] if bound else '?'}"

    return text


def _enumeration_text(name: str, rest: str) -> str:
    match = re.search(r"The value '(.*)' is not an element of the set \{(.*)\}", rest, re.DOTALL)
    if not match:
        return f"{name} is not one of the allowed values"
    allowed = [value.strip("'") for value in match[2].split(", ")]
    return f"{name} is {_shortened(match[1])!r}; allowed are {listed(allowed)}"


def _type_text(name: str, rest: str) -> str:
    match = re.match(r"'(.*)' is not a valid value of the .*? type(?: '([^']*)')?", rest, re.DOTALL)
    if not match:
        return f"{name} is not of the type that the contract asks for"
    kind = (match[2] or "").rpartition(":")[2].rpartition("}")[2]
    form = _TYPES.get(kind, f"a value of the type {kind}" if kind else "of the right type")
    if not match[1].strip():
        return f"{name} is empty; it must be {form}"
    # Only what should have been a number or a date. Anything else may be a name or an account.
    value = (
        f" {_shortened(match[1])!r}"
        if re.fullmatch(r"[-+\d.,:TZ/ ]+|NaN|[A-Za-z]{1,12}", match[1])
        else ""
    )
    return f"{name}{value} is not {form}"


def _any_facet(name: str, _rest: str) -> str:
    return f"{name} breaks a limit of the contract"


_FACETS: Final[Mapping[str, Callable[[str, str], str]]] = {
    "maxLength": _length_text("at most"),
    "minLength": _length_text("at least"),
    "length": _length_text("exactly"),
    "enumeration": _enumeration_text,
    "fractionDigits": lambda name, rest: f"{name} has more than {_last_number(rest)} decimals",
    "totalDigits": lambda name, rest: f"{name} has more than {_last_number(rest)} digits",
    "minInclusive": _bound_text(BOUNDS["min_inclusive"]),
    "maxInclusive": _bound_text(BOUNDS["max_inclusive"]),
    "minExclusive": _bound_text(BOUNDS["min_exclusive"]),
    "maxExclusive": _bound_text(BOUNDS["max_exclusive"]),
}


def _last_number(rest: str) -> str:
    numbers: list[str] = re.findall(r"'(\d+)'", rest)
    return numbers[-1] if numbers else "the allowed"


__all__ = ["findings_from", "traced"]
