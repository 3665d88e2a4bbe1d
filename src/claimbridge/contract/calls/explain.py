"""What else is wrong with a refused request, by xmlschema.

libxml2 stops looking inside an element at the first child out of place. xmlschema goes on, so that
everything can be fixed at once. xmlschema only adds to a refusal: nobody asks it about a valid
request, and its failures leave libxml2's findings as they are.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

from lxml import etree

from claimbridge import xmlio
from claimbridge.contract.base.names import XSD
from claimbridge.contract.files.documents import Documents
from claimbridge.findings import Finding

MAX_BYTES: Final = 256_000
MAX_SECONDS: Final = 1.0
MAX_MORE: Final = 50
_ABOUT_CHILDREN: Final = frozenset({"missing", "unexpected", "maxOccurs"})
MAX_SCHEMA_BYTES: Final = 1_000_000


class Explainer:
    """Asks xmlschema, which is imported and built (some 300 ms) when first needed."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._lock = threading.Lock()
        self._schema: Any = None
        self._usable = sum(map(len, documents.schemas.values())) <= MAX_SCHEMA_BYTES

    def more(self, body: bytes, root: etree._Element, *, known: Sequence[Finding]) -> list[Finding]:
        """Return findings beyond the ``known`` ones; empty whenever xmlschema cannot help."""
        if not self._usable or len(body) > MAX_BYTES:
            return []
        more: dict[tuple[str, str], Finding] = {}
        # Building is slow and not written for threads. A thread that must wait does without.
        if not self._lock.acquire(blocking=False):
            return []
        try:
            if self._schema is None:
                self._schema = build(self._documents)
            for finding in _findings(self._schema, root):
                if not _repeats(finding, known):
                    more.setdefault((finding.path, finding.rule), finding)
        except Exception:  # noqa: BLE001 - an explanation is a courtesy; the verdict stands
            self._usable = self._schema is not None
        finally:
            self._lock.release()
        return list(more.values())[:MAX_MORE]


def _repeats(finding: Finding, known: Sequence[Finding]) -> bool:
    """Whether libxml2 found it: at the same place, or a child out of place in the same element."""
    if any(finding.path == other.path for other in known):
        return True
    owner = finding.path.rpartition("/")[0]
    return finding.rule in _ABOUT_CHILDREN and any(
        other.rule in _ABOUT_CHILDREN and other.path.rpartition("/")[0] == owner for other in known
    )


def _findings(schema: Any, root: etree._Element) -> Iterator[Finding]:
    stop = time.monotonic() + MAX_SECONDS
    for error in schema.iter_errors(root):
        if time.monotonic() > stop:
            return
        if isinstance(error.elem, etree._Element):
            yield _finding(error)


def _finding(error: Any) -> Finding:
    """Return xmlschema's error as a finding, without the value it is about."""
    path, name = xmlio.path_of(error.elem), xmlio.local_name(error.elem)
    if hasattr(error, "expected"):
        return _child_finding(error, path, name)
    # XsdMaxLengthFacet, XsdEnumerationFacets: the class is named after the rule.
    facet = re.fullmatch(r"Xsd(\w+?)Facets?", type(error.validator).__name__)
    if facet is None:
        return Finding(path, "invalid", f"{name} does not have the form that the contract asks for")
    rule = facet[1][0].lower() + facet[1][1:]
    bound = getattr(error.validator, "value", None)
    limit = f" = {str(bound)[:40]}" if bound is not None else ""
    return Finding(path, rule, f"{name} breaks the limit {rule}{limit}")


def _child_finding(error: Any, path: str, name: str) -> Finding:
    child = error.invalid_child
    if isinstance(child, etree._Element):
        extra = xmlio.local_name(child)
        return Finding(xmlio.path_of(child), "unexpected", f"{extra} is not allowed at this place")
    above = f"{path}/" if path else ""
    lacking = [str(getattr(each, "local_name", None) or each) for each in error.expected or ()]
    return Finding(
        f"{above}{(lacking or [''])[0]}", "missing", f"{name} lacks {' or '.join(lacking)}"
    )


def build(documents: Documents) -> Any:
    """Return xmlschema's schema of all documents, which opens no file and no address."""
    import xmlschema  # imported here: it takes 130 ms, and most requests are valid

    texts = [_alone(text) for text in documents.schemas.values()]
    schema = xmlschema.XMLSchema10(
        texts[0], build=False, allow="none", defuse="always", use_fallback=False
    )
    for text in texts[1:]:
        schema.add_schema(text, build=False)
    schema.build()
    return schema


def _alone(text: bytes) -> str:
    """Return a schema document that names no other: all are given to xmlschema side by side."""
    tree = xmlio.parse(text, what="a schema")
    for include in list(tree.iterchildren(f"{{{XSD}}}include")):
        tree.remove(include)
    for reference in tree.iterchildren(f"{{{XSD}}}import"):
        reference.attrib.pop("schemaLocation", None)
    return etree.tostring(tree, encoding="unicode")


__all__ = ["MAX_SCHEMA_BYTES", "Explainer", "build"]
