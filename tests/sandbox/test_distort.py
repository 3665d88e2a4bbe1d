"""Replies made wrong: a document in a string stays a string."""

from __future__ import annotations

import pytest

from claimbridge.sandbox.http.distort import drift_reply, misname_reference
from claimbridge.xmlio import local_name, parse

DOCUMENTS = ('{"reference": "EXP-1", "code": 0}', "<?xml version='1.0'?><r reference='EXP-1'/>")


def reply(document: str) -> bytes:
    escaped = document.replace("<", "&lt;")
    return f'<a:answer xmlns:a="urn:a"><return>{escaped}</return></a:answer>'.encode()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_string_is_wrapped_and_given_no_children(document: str) -> None:
    """An element that may hold a text only holds a text only in another version too."""
    root = parse(drift_reply(reply(document), {"return"}))
    (wrapper,) = [one for one in root if local_name(one) == "Result"]
    (item,) = wrapper
    assert (item.text, len(item)) == (document, 0)


def test_an_item_with_parts_gets_a_new_one() -> None:
    """The new part comes first, the others in another order."""
    content = b"<answer><item><Number>1</Number><Text>x</Text></item></answer>"
    root = parse(drift_reply(content, {"item"}))
    (item,) = root.iter("{*}item")
    assert [local_name(one) for one in item] == ["ProcessingStage", "Text", "Number"]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_reference_in_a_string_is_another(document: str) -> None:
    """The document in the string names the wrong reference, and is otherwise as it was."""
    root = parse(misname_reference(reply(document), "EXP-1"))
    assert root.findtext("return") == document.replace("EXP-1", "EXP-0")


def test_a_text_that_only_mentions_a_reference_stays() -> None:
    """What is for people is not evidence, and is not touched."""
    content = b"<answer><text>EXP-1 is there</text><id>EXP-1</id></answer>"
    root = parse(misname_reference(content, "EXP-1"))
    assert (root.findtext("text"), root.findtext("id")) == ("EXP-1 is there", "EXP-0")
