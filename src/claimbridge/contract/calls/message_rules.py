"""All that a contract's schemas say about messages: how to write, judge and read one."""

from __future__ import annotations

from dataclasses import dataclass

from claimbridge.contract.calls.gate import Gate
from claimbridge.contract.calls.shapes import Shapes
from claimbridge.contract.files.documents import Documents
from claimbridge.contract.outline.schemas import Schemas


@dataclass(frozen=True)
class MessageRules:
    """The outline of schemas, the shapes made from it, and the gate that libxml2 compiled."""

    outline: Schemas
    shapes: Shapes
    gate: Gate

    @classmethod
    def of(cls, documents: Documents, *, explained: bool = True) -> MessageRules:
        """Return the rules of these schemas; raises ContractError CB-215 for what has no meaning.

        ``explained`` is False where xmlschema is not to be asked about refused messages.
        """
        outline = Schemas(documents)
        shapes = Shapes(outline)
        gate = Gate(documents, outline, shapes.element, explained=explained)
        return cls(outline, shapes, gate)


__all__ = ["MessageRules"]
