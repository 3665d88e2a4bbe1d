"""What canonicalisation adds around a root element when a whole document is signed."""

from __future__ import annotations

from lxml import etree


def surroundings(root: etree._Element) -> tuple[bytes, bytes]:
    """Return the canonical bytes before and after ``root`` in its document, comments left out.

    Only processing instructions can stand there (Canonical XML 1.0 §2.3); mostly both are empty.
    """
    before = [_instruction(node) + b"\n" for node in root.itersiblings(preceding=True)]
    after = [b"\n" + _instruction(node) for node in root.itersiblings()]
    return b"".join(reversed([part for part in before if part != b"\n"])), b"".join(
        part for part in after if part != b"\n"
    )


def _instruction(node: etree._Element) -> bytes:
    if not isinstance(node, etree._ProcessingInstruction):
        return b""
    data = f" {node.text}" if node.text else ""
    return f"<?{node.target}{data}?>".encode()
