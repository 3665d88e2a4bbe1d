"""A contract in use: what an ERP's pinned WSDL allows, and how requests and replies look."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from lxml import etree

from claimbridge import xmlio
from claimbridge.contract.base.names import unique_local_names
from claimbridge.contract.base.operation import ENCODED, Operation
from claimbridge.contract.calls.drift import drift
from claimbridge.contract.calls.findings import traced
from claimbridge.contract.calls.gate import Gate
from claimbridge.contract.calls.message_rules import MessageRules
from claimbridge.contract.calls.render import render
from claimbridge.contract.calls.replies import Reply
from claimbridge.contract.calls.service import Service
from claimbridge.contract.calls.shapes import Leaf, Shapes, Types
from claimbridge.contract.encoded.calls import EncodedCalls
from claimbridge.contract.files.bundle import Bundle
from claimbridge.contract.files.documents import gather
from claimbridge.contract.pruned.gate import PrunedGate
from claimbridge.contract.pruned.in_use import InUse, read_in_use, write_in_use
from claimbridge.contract.pruned.shapes import PrunedShapes
from claimbridge.errors import ContractError, SchemaViolation
from claimbridge.findings import Finding
from claimbridge.turns import Turn

_NO_SOURCES: Final[Mapping[str, str]] = MappingProxyType({})


class Contract:
    """A loaded contract. Everything is in memory; all methods may be called from any thread.

    ``endpoints`` are the WSDL's own port addresses by SOAP version (``"1.1"``, ``"1.2"``).
    """

    def __init__(
        self,
        title: str,
        service: Service,
        shapes: Shapes | PrunedShapes,
        gate: Gate | PrunedGate,
        encoded: EncodedCalls | None = None,
    ) -> None:
        self.title: Final = title
        self._encoded = encoded
        operations = dict(encoded.operations) if encoded else {}
        self.operations: Final[Mapping[str, Operation]] = MappingProxyType(
            operations | dict(service.operations)
        )
        self.endpoints: Final[Mapping[str, str]] = MappingProxyType(dict(service.endpoints))
        self._unsupported = service.unsupported
        self._shapes = shapes
        self._gate = gate
        self._encoded_answers: Mapping[str, Leaf] = encoded.answers if encoded else {}
        self._answers: Mapping[str, str] = _by_name((*service.answers, *self._encoded_answers))

    @classmethod
    def load(
        cls,
        source: Path | str | Bundle,
        *,
        operations: Collection[str] = (),
        types: Collection[str] = (),
    ) -> Contract:
        """Return the contract of a WSDL file, a contract's folder, or a bundle.

        ``operations``, and ``types`` that ``@xsi:type`` names, say what the caller will use. A
        locked folder that was opened for this use before opens many times faster. The contract
        answers whatever else is asked later; it then reads all its files.

        Opens no socket, and no file outside the bundle. Raises ContractError: CB-212 for a file
        that is not WSDL or XSD, CB-213 for a missing file, CB-214 for a reference outside the
        bundle. CB-215 means a WSDL or schema with no meaning, CB-218 a broken ``contract.toml``.
        Raises ContractDrift CB-211 for a file that is not the one that was locked.
        """
        bundle = source if isinstance(source, Bundle) else Bundle.from_path(source)
        part = read_in_use(bundle, operations, types) if operations else None
        if part is not None:
            try:
                return cls._in_use(part, bundle)
            except ContractError:
                pass  # the part that was stored does not compile; it is made again
        return cls._whole(bundle, operations, types)

    @classmethod
    def _in_use(cls, part: InUse, bundle: Bundle) -> Contract:
        shapes, gate = part.open(bundle.title, _Once(lambda: MessageRules.of(gather(bundle))))
        return cls(bundle.title, part.service, shapes, gate)

    @classmethod
    def _whole(
        cls, bundle: Bundle, operations: Collection[str], types: Collection[str]
    ) -> Contract:
        # Imported here because zeep takes 150 ms, and replies are read without it.
        from claimbridge.contract.calls.zeep_reader import read_service

        documents = gather(bundle)
        service = read_service(documents)
        rules = MessageRules.of(documents)
        if operations:
            write_in_use(
                bundle, service, rules.outline, documents, operations=operations, types=types
            )
        encoded = (
            EncodedCalls(documents, rules.outline.declarations) if service.unsupported else None
        )
        return cls(documents.title, service, rules.shapes, rules.gate, encoded)

    def __repr__(self) -> str:
        return f"Contract({self.title!r}, {len(self.operations)} operations)"

    def render(
        self, operation: str, body: Mapping[str, Any], *, sources: Mapping[str, str] = _NO_SOURCES
    ) -> bytes:
        """Return the child of the SOAP Body for ``body``, in schema order and exclusive C14N.

        ``body`` holds what stands inside that child (see ``claimbridge.contract.calls.render``).
        What is missing is left for ``check`` to find. Raises SchemaViolation CB-121 for a name that
        the contract does not know and a value without an exact form, ContractError CB-216 for an
        unknown operation, CB-217 for one that is neither document/literal nor rpc/encoded.
        """
        offered = self._offered(operation)
        try:
            if self._encoded is not None and offered.style == ENCODED:
                return self._encoded.render(operation, body)
            return render(self._input(offered), body, self._shapes)
        except SchemaViolation as error:
            error.findings = tuple(traced(finding, sources) for finding in error.findings)
            raise

    def check(
        self, body: bytes, *, sources: Mapping[str, str] = _NO_SOURCES
    ) -> tuple[Finding, ...]:
        """Return what the contract's schemas forbid in exactly these bytes; empty when valid.

        ``sources`` maps paths in the body to claim fields. Raises DocumentError when ``body`` is
        not XML.
        """
        if self._encoded is not None and self._encoded.takes(
            str(xmlio.parse(body, what="the request's body").tag)
        ):
            return self._encoded.check(body, sources)
        return self._gate.check(body, sources)

    def reply(self, element: etree._Element) -> Reply:
        """Return a reader of a reply that knows what this contract has where.

        Such a reader also finds what was moved or wrapped since the contract. The reply to an
        rpc/encoded call is read as if it were literal. Raises DocumentError where its references
        lead nowhere.
        """
        element = self._encoded.read(element) if self._encoded else element
        leaf = self._leaf(element)
        return Reply(element, leaf.shape if leaf else None, self._shapes)

    def literal(self, element: etree._Element) -> etree._Element:
        """Return a request in the literal form: an rpc/encoded one without its encoding.

        Raises DocumentError where its references lead nowhere.
        """
        return self._encoded.literal(element) if self._encoded else element

    def drift(self, element: etree._Element) -> tuple[str, ...]:
        """Return how a reply differs from the contract, in at most 50 sentences. Never raises."""
        try:
            element = self._encoded.read(element) if self._encoded else element
            return drift(element, self._leaf(element), self._shapes)
        except Exception as error:  # noqa: BLE001 - a remark must never cost a reply
            return (f"the reply could not be compared with the contract: {type(error).__name__}",)

    def _leaf(self, element: etree._Element) -> Leaf | None:
        """Return what the contract knows of an element, by name, else by local name."""
        answers = self._answers
        name = answers.get(str(element.tag)) or answers.get(xmlio.local_name(element))
        if name is None:
            return None
        return self._encoded_answers.get(name) or self._shapes.element(name)

    def request_of(self, operation: str, keys: Collection[str]) -> tuple[Leaf, Types]:
        """Return what a request of ``operation`` may hold, and the types that ``@xsi:type`` names.

        ``keys`` are those that the request has: they tell the signatures of an overloaded name
        apart. Raises ContractError as ``render`` does.
        """
        offered = self._offered(operation)
        if self._encoded is not None and offered.style == ENCODED:
            return self._encoded.request_of(operation, keys), self._encoded
        return self._input(offered), self._shapes

    def _offered(self, name: str) -> Operation:
        operation = self.operations.get(name)
        if operation is not None:
            return operation
        style = self._unsupported.get(name)
        if style is not None:
            raise ContractError(
                f"{name} of the contract {self.title} is {style}, neither "
                "document/literal nor rpc/encoded; its profile must build the request itself",
                code="CB-217",
            )
        names = ", ".join(sorted(self.operations)[:10])
        raise ContractError(
            f"the contract {self.title} has no operation {name}; it offers {names}",
            code="CB-216",
        )

    def _input(self, operation: Operation) -> Leaf:
        leaf = self._shapes.element(operation.input)
        if leaf is None:
            raise ContractError(
                f"the contract {self.title} declares no element {operation.input} for "
                f"{operation.name}",
                code="CB-215",
            )
        return leaf


class _Once:
    """Reads the whole contract when first called, however many threads call at once."""

    def __init__(self, read: Callable[[], MessageRules]) -> None:
        self._read = read
        self._turn = Turn()
        self._rules: MessageRules | None = None

    def __call__(self) -> MessageRules:
        with self._turn.hold():
            if self._rules is None:
                self._rules = self._read()
            return self._rules


def _by_name(full: Iterable[str]) -> dict[str, str]:
    """Return each ``{namespace}name`` by itself, and by its local name where that is unique."""
    whole = {name: name for name in full}
    return unique_local_names(whole) | whole


__all__ = ["Contract"]
