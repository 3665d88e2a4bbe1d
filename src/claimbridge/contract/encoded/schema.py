"""A literal schema for encoded calls, so that libxml2 judges their values as it judges others.

The schema leaves free what the encoding leaves free: the order of accessors, their presence, and
nil. A value must keep to its type: its form and its facets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final
from xml.sax.saxutils import quoteattr  # it writes only; nothing is parsed with it

import msgspec

from claimbridge.contract.base.names import ITEM, XSD, split_name
from claimbridge.contract.encoded.types import Array, EncodedTypes, Simple, Struct
from claimbridge.contract.files.documents import SCHEME, Documents

_PLACE: Final = f"{SCHEME}encoded-"


def with_calls(
    documents: Documents, types: EncodedTypes, calls: Mapping[str, Mapping[str, str]]
) -> Documents:
    """Return ``documents`` with a schema in which each call is an element.

    ``calls`` has the parts of each ``{namespace}name``, with their types, in their order.
    """
    schemas, namespaces = dict(documents.schemas), dict(documents.namespaces)
    for number, space in enumerate(dict.fromkeys(split_name(name)[0] for name in calls)):
        own = {split_name(n)[1]: parts for n, parts in calls.items() if split_name(n)[0] == space}
        place = f"{_PLACE}{number}.xsd"
        schemas[place] = _Schema(space, types, documents.namespaces).written(own).encode()
        namespaces[space] = place
    return msgspec.structs.replace(documents, schemas=schemas, namespaces=namespaces)


class _Schema:
    """Writes one schema; never shared."""

    def __init__(self, space: str, types: EncodedTypes, known: Mapping[str, str]) -> None:
        self._space = space
        self._types = types
        self._known = known
        self._names: dict[str, str] = {}
        self._prefixes: dict[str, str] = {XSD: "xs", space: "own"}

    def written(self, calls: Mapping[str, Mapping[str, str]]) -> str:
        """Return the schema; types are written as they turn up, each once."""
        texts = [self._call(name, parts) for name, parts in calls.items()]
        done = 0
        while done < len(self._names):
            name, given = list(self._names.items())[done]
            texts.append(self._type(name, given))
            done += 1
        declared = "".join(f" xmlns:{p}={quoteattr(uri)}" for uri, p in self._prefixes.items())
        target = f" targetNamespace={quoteattr(self._space)}" if self._space else ""
        return f"<xs:schema{declared}{target}>{''.join((*self._imports(), *texts))}</xs:schema>"

    def _imports(self) -> Iterator[str]:
        for uri, place in self._known.items():
            if uri == self._space:
                yield f'<xs:include schemaLocation="{place}"/>'
            else:
                attribute = f" namespace={quoteattr(uri)}" if uri else ""
                yield f'<xs:import{attribute} schemaLocation="{place}"/>'

    def _call(self, name: str, parts: Mapping[str, str]) -> str:
        # SOAP 1.1 §7.1: the parameters stand in the order of the signature, each of them.
        elements = "".join(self._element(part, kind, "") for part, kind in parts.items())
        return (
            f"<xs:element name={quoteattr(name)}><xs:complexType>"
            f"<xs:sequence>{elements}</xs:sequence></xs:complexType></xs:element>"
        )

    def _type(self, name: str, own_name: str) -> str:
        kind = self._types.of(name)
        if isinstance(kind, Array):
            members = self._element(ITEM, kind.member, ' minOccurs="0" maxOccurs="unbounded"')
            content = f"<xs:sequence>{members}</xs:sequence>"
            return f'<xs:complexType name="{own_name}">{content}</xs:complexType>'
        assert isinstance(kind, Struct)  # simple types are referred to by their own names
        elements = "".join(
            self._element(key, type_, ' minOccurs="0"') for key, type_ in kind.accessors.items()
        )
        return f'<xs:complexType name="{own_name}"><xs:all>{elements}</xs:all></xs:complexType>'

    def _element(self, key: str, name: str, occurs: str) -> str:
        return (
            f"<xs:element name={quoteattr(key)} type={quoteattr(self._reference(name))}"
            f'{occurs} nillable="true"/>'
        )

    def _reference(self, name: str) -> str:
        if not isinstance(self._types.of(name), Simple):
            own_name = self._names.setdefault(name, f"encoded-{len(self._names)}")
            return f"own:{own_name}" if self._space else own_name
        uri, local = split_name(name)
        if not uri:
            return local
        prefix = self._prefixes.setdefault(uri, f"n{len(self._prefixes)}")
        return f"{prefix}:{local}"


__all__ = ["with_calls"]
