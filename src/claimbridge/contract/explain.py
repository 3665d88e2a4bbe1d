"""What else is wrong with a refused request, by xmlschema.

libxml2 stops looking inside an element at the first child out of place; xmlschema goes on, so that
everything can be mended at once. It only adds to a refusal: it is never asked about a valid
request, and whatever it does wrong leaves libxml2's findings as they are.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any, Final

from lxml import etree

from claimbridge import xmlio
from claimbridge.contract.documents import XSD, Documents
from claimbridge.contract.findings import path_of
from claimbridge.model.outcome import Finding

MAX_BYTES: Final = 256_000
MAX_SECONDS: Final = 1.0
MAX_MORE: Final = 50
MAX_SCHEMA_BYTES: Final = 1_000_000


class Explainer:
    """Asks xmlschema, which is imported and built (some 300 ms) when first needed."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._lock = threading.Lock()
        self._schema: Any = None
        self._usable = sum(map(len, documents.schemas.values())) <= MAX_SCHEMA_BYTES

    def more(self, body: bytes, root: etree._Element, *, known: set[str]) -> list[Finding]:
        """Return findings at paths that are not ``known``; empty whenever xmlschema cannot help."""
        if not self._usable or len(body) > MAX_BYTES:
            return []
        found: dict[tuple[str, str], Finding] = {}
        # Building is slow and not written for threads; who finds it taken does without.
        if not self._lock.acquire(blocking=False):
            return []
        try:
            if self._schema is None:
                self._schema = _built(self._documents)
            for finding in _asked(self._schema, root):
                if finding.path not in known:
                    found.setdefault((finding.path, finding.rule), finding)
        except Exception:  # noqa: BLE001 - an explanation is a courtesy; the verdict stands
            self._usable = self._schema is not None
        finally:
            self._lock.release()
        return list(found.values())[:MAX_MORE]


def _asked(schema: Any, root: etree._Element) -> Iterator[Finding]:
    stop = time.monotonic() + MAX_SECONDS
    for error in schema.iter_errors(root):
        if time.monotonic() > stop:
            return
        if isinstance(error.elem, etree._Element):
            yield _finding(error)


def _finding(error: Any) -> Finding:
    """Return xmlschema's error without the value it is about."""
    path, name = path_of(error.elem), xmlio.local_name(error.elem)
    rule = str(getattr(error.validator, "local_name", None) or "invalid")
    if hasattr(error, "invalid_child"):
        above = f"{path}/" if path else ""
        if error.invalid_child is None:
            lacking = sorted({_local(each) for each in error.expected or ()})
            return Finding(
                above + "|".join(lacking), "missing", f"{name} lacks {' or '.join(lacking)}"
            )
        extra = xmlio.local_name(error.invalid_child)
        return Finding(
            path_of(error.invalid_child), "unexpected", f"{extra} is not allowed here in {name}"
        )
    bound = getattr(error.validator, "value", None)
    if bound is not None:
        return Finding(path, rule, f"{name} breaks the limit {rule} = {str(bound)[:40]}")
    return Finding(path, "invalid", f"{name} does not have the form that the contract asks for")


def _local(expected: Any) -> str:
    return str(getattr(expected, "local_name", None) or expected)


def _built(documents: Documents) -> Any:
    """Return xmlschema's schema of all documents, which may open nothing."""
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


__all__ = ["Explainer"]
