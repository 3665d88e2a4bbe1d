"""Names and parts that all of NetSuite's records share."""

from __future__ import annotations

from typing import Final

from lxml import etree

VERSION: Final = "2023_2"
MSG: Final = f"{{urn:messages_{VERSION}.platform.webservices.netsuite.com}}"
CORE: Final = f"{{urn:core_{VERSION}.platform.webservices.netsuite.com}}"
FAULTS: Final = f"{{urn:faults_{VERSION}.platform.webservices.netsuite.com}}"
GENERAL: Final = f"{{urn:general_{VERSION}.transactions.webservices.netsuite.com}}"
EMPLOYEES: Final = f"{{urn:employees_{VERSION}.transactions.webservices.netsuite.com}}"
LISTS: Final = f"{{urn:accounting_{VERSION}.lists.webservices.netsuite.com}}"
PEOPLE: Final = f"{{urn:employees_{VERSION}.lists.webservices.netsuite.com}}"
RELATIONS: Final = f"{{urn:relationships_{VERSION}.lists.webservices.netsuite.com}}"
_XSI: Final = "{http://www.w3.org/2001/XMLSchema-instance}type"


def with_type(made: etree._Element, namespace: str, name: str) -> etree._Element:
    """Return a copy of the element that names its type with a prefix of its own."""
    copy = etree.Element(made.tag, nsmap={"t": namespace.strip("{}")})
    copy.set(_XSI, f"t:{name}")
    return copy


def type_of(record: etree._Element) -> str:
    """Return the local name of a record's type."""
    return record.get(_XSI, "").rpartition(":")[2]


def date_of(record: etree._Element, tag: str) -> str:
    """Return a record's day; its time is noon in UTC."""
    return (record.findtext(tag) or "")[:10]


def as_double(amount: object) -> str:
    """Return an amount as Java writes a double."""
    return repr(float(str(amount)))
