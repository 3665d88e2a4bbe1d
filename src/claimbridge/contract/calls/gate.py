"""The gate: the verdict on exactly the bytes that are to be sent.

libxml2 decides all but pattern facets, which ``patterns`` judges. ``explain`` may add what else is
wrong, and never changes the verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Final

from lxml import etree

from claimbridge import xmlio
from claimbridge.contract.calls.explain import Explainer
from claimbridge.contract.calls.findings import findings_from, traced
from claimbridge.contract.calls.shapes import Leaf
from claimbridge.contract.files.documents import SCHEME, Documents
from claimbridge.contract.outline.schemas import Schemas
from claimbridge.contract.patterns import Forms, without_patterns
from claimbridge.errors import ContractError
from claimbridge.findings import Finding

if TYPE_CHECKING:
    from lxml.etree._docloader import _InputDocument

MAX_FINDINGS: Final = 100
_DRIVER: Final = f"{SCHEME}driver.xsd"

# lxml sets libxml2's document loader before each parse and sets it back after, for the whole
# process. So while one thread compiles, another's parsing can take lxml's resolvers away for a
# moment, and libxml2 then skips imports without an error. A compilation counts only if libxml2 has
# asked us for each document; otherwise it is tried again.
_TRIES: Final = 8


class Gate:
    """Checks bodies against one contract's schemas; may be used by many threads at once.

    ``schemas`` is the outline of ``documents``; ``element`` returns what the contract knows of a
    root, for the wording of findings. ``explained`` is False where xmlschema is not to be asked for
    more. Raises ContractError CB-215 when libxml2 cannot compile the schemas.
    """

    def __init__(
        self,
        documents: Documents,
        schemas: Schemas,
        element: Callable[[str], Leaf | None],
        *,
        explained: bool = True,
    ) -> None:
        plain = without_patterns(documents)
        self._documents = plain or documents
        self._element = element
        self._forms = None if plain is None else Forms(schemas)
        self._explainer = Explainer(self._documents) if explained else None
        # A compiled schema keeps the errors of its last use on itself, so each thread that checks
        # takes one of its own. list.append and list.pop are atomic.
        self._idle: list[etree.XMLSchema] = [compiled(self._documents)]

    def check(self, body: bytes, sources: Mapping[str, str]) -> tuple[Finding, ...]:
        """Return what the contract forbids in ``body``, in document order; empty when valid.

        ``sources`` maps paths to claim fields. Raises DocumentError when ``body`` is not XML.
        """
        return self.judge(xmlio.parse(body, what="the request's body"), body, sources)

    def judge(
        self, root: etree._Element, body: bytes, sources: Mapping[str, str]
    ) -> tuple[Finding, ...]:
        """Return what ``check`` does; ``root`` is the tree of ``body``."""
        with self._schema() as schema:
            valid = schema.validate(root)
            entries = list(schema.error_log)[: 4 * MAX_FINDINGS]
        patterns = list(islice(self._forms.findings(root), MAX_FINDINGS)) if self._forms else []
        if valid and not patterns:
            return ()
        others = [] if valid else self._objections(entries, root, body, patterns)
        return tuple(traced(finding, sources) for finding in (*others, *patterns)[:MAX_FINDINGS])

    def _objections(
        self,
        entries: Iterable[etree._LogEntry],
        root: etree._Element,
        body: bytes,
        patterns: Sequence[Finding],
    ) -> list[Finding]:
        """Return libxml2's objections as findings, and what xmlschema finds beyond them."""
        leaf = self._element(str(root.tag))
        findings = list(findings_from(entries, root, leaf.shape if leaf else None))
        if not findings:
            findings = [Finding("", "invalid", "the contract forbids this request")]
        if self._explainer is not None:
            findings += self._explainer.more(body, root, known=[*findings, *patterns])
        return findings

    @contextmanager
    def _schema(self) -> Iterator[etree.XMLSchema]:
        try:
            schema = self._idle.pop()
        except IndexError:
            schema = compiled(self._documents)
        try:
            yield schema
        finally:
            self._idle.append(schema)


class _ClosedResolver(etree.Resolver):
    """Answers libxml2's questions for documents from memory, and refuses the rest."""

    def __init__(self, documents: Documents) -> None:
        super().__init__()
        self._documents = documents
        self.asked: set[str] = set()

    def resolve(
        self, system_url: str | None, public_id: str | None, context: object
    ) -> _InputDocument:
        text = self._documents.schemas.get(system_url or "")
        if text is None:
            # Returning None would let libxml2 look for itself, on disk or in the network.
            raise ContractError(
                f"the contract {self._documents.title} asks for {system_url}, "
                "which is not one of its files",
                code="CB-214",
            )
        self.asked.add(system_url or "")
        return self.resolve_string(text, context, base_url=system_url)


def compiled(documents: Documents) -> etree.XMLSchema:
    """Return what libxml2 makes of the schemas; raises ContractError CB-215 where it cannot."""
    failure: Exception | None = None
    for _ in range(_TRIES):
        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        resolver = _ClosedResolver(documents)
        parser.resolvers.add(resolver)
        try:
            # The driver is our own text; every document behind it has passed xmlio already.
            # libxml2 asks the resolvers of the parser that read the driver.
            driver = etree.fromstring(documents.driver(), parser, base_url=_DRIVER)  # noqa: TID251
            schema = etree.XMLSchema(driver)
        except etree.LxmlError as error:
            failure = error
            if resolver.asked >= documents.schemas.keys():
                break
        else:
            if resolver.asked >= documents.schemas.keys():
                return schema
    raise ContractError(
        f"the schemas of the contract {documents.title} do not compile: "
        f"{str(failure or 'not every document was read')[:300]}",
        code="CB-215",
    ) from failure


__all__ = ["Gate", "compiled"]
