"""Bytes that are known to be canonical: how they come about, and that nothing else does."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import HealthCheck, given, settings
from lxml import etree
from tests.signing.documents import documents

from claimbridge.errors import DocumentError
from claimbridge.xmlio import Canonical, canonical, parse

example_runs = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@given(document=documents())
@settings(example_runs, max_examples=100)
def test_what_is_canonical_is_found_so(document):
    """canonical() gives Canonical, which reading confirms; its parts are plain bytes."""
    form = canonical(parse(document))
    assert type(form) is Canonical
    assert Canonical(bytes(form)) == form
    assert type(pickle.loads(pickle.dumps(form))) is Canonical
    assert type(form[:-1]) is type(form + b"") is bytes


@given(document=documents())
@settings(example_runs, max_examples=100)
def test_every_element_has_the_form_it_has_alone(document):
    """In its tree, cut out of it, or read afresh: one form."""
    root = parse(document)
    for element in list(root.iter(etree.Element)):
        alone = parse(etree.tostring(element, with_tail=False, encoding="utf-8"))
        expected = etree.tostring(alone, method="c14n", exclusive=True, with_comments=False)
        assert canonical(element) == canonical(alone) == expected


@pytest.mark.parametrize(
    "document",
    [
        b"<a/>",
        b"<a></a>\n",
        b'<?xml version="1.0"?><a></a>',
        b"<a><!-- --></a>",
        b"<a></a><?x?>",
        b'<a c="" b=""></a>',
        b'<a xmlns:unused="urn:u"></a>',
        b"<a b=''></a>",
        b"<a>&#65;</a>",
        b"<a>\r\n</a>",
    ],
)
def test_what_is_not_is_refused(document):
    with pytest.raises(DocumentError) as caught:
        Canonical(document)
    assert caught.value.code == "CB-156"
