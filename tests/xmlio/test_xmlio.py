"""The one parser refuses what is hostile, reads what is valid, and gives canonical bytes."""

from __future__ import annotations

import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

from claimbridge import xmlio
from claimbridge.errors import DocumentError


@pytest.fixture(scope="module")
def bombs(shared: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of generated hostile documents."""
    folder = tmp_path_factory.mktemp("bombs")
    generator = shared("vectors/make_xml_bombs.py")
    subprocess.run([sys.executable, str(generator), str(folder)], check=True, capture_output=True)
    return folder


def _verdict(data: bytes) -> str:
    try:
        xmlio.parse(data)
    except DocumentError:
        return "reject"
    return "accept"


def test_every_hostile_document_gets_its_verdict_at_once(bombs: Path) -> None:
    """72 bombs, XXE attempts and malformed documents: the right verdict, quickly, and ours."""
    rows = [line.split("\t") for line in (bombs / "MANIFEST.tsv").read_text().splitlines()[1:]]
    assert len(rows) == 72
    wrong = []
    for name, expected, _ in rows:
        data = (bombs / name).read_bytes()
        start = time.process_time()
        verdict = _verdict(data)
        spent = time.process_time() - start
        wanted = {"reject": {"reject"}, "accept": {"accept"}, "no-expand": {"accept"}}
        if verdict not in wanted.get(expected, {"accept", "reject"}) or spent > 0.5:
            wrong.append((name, expected, verdict, spent))
    assert wrong == []


def test_no_entity_reaches_the_parser(bombs: Path) -> None:
    """A DOCTYPE is refused for being one, before anything in it is looked at."""
    rows = [line.split("\t") for line in (bombs / "MANIFEST.tsv").read_text().splitlines()[1:]]
    kinds = {"entity", "xxe", "dtd"}
    for name in (name for name, _, kind in rows if kind in kinds):
        with pytest.raises(DocumentError) as caught:
            xmlio.parse((bombs / name).read_bytes())
        assert caught.value.code == "CB-151", name
        assert caught.value.__cause__ is None


# Each in a process of its own, whose peak says what this document alone has cost.
_PEAKS = """
import os, resource, sys
from claimbridge import xmlio
from claimbridge.errors import DocumentError

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

for path in sys.argv[1:]:
    pid = os.fork()
    if pid == 0:
        data = open(path, "rb").read()
        before = peak()
        try:
            xmlio.parse(data)
        except DocumentError:
            pass
        print(os.path.basename(path), peak() - before, flush=True)
        os._exit(0)
    if os.waitpid(pid, 0)[1]:
        print(os.path.basename(path), "died", flush=True)
"""


def test_memory_stays_near_the_input(bombs: Path) -> None:
    """No document of them all costs more than 64 MB above itself."""
    paths = sorted(str(path) for path in bombs.glob("*") if path.name != "MANIFEST.tsv")
    command = [sys.executable, "-c", _PEAKS, *paths]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    grown = dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())
    assert len(grown) == len(paths) == 72
    assert {name: kb for name, kb in grown.items() if kb == "died" or int(kb) > 64 * 1024} == {}


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (b"<a><b></a>", "CB-150"),
        (b"", "CB-150"),
        (b"<!DOCTYPE a><a/>", "CB-151"),
        (b"<?xml version='1.0'?><!-- c --><?p i?>\n<!DOCTYPE a [<!ENTITY x 'y'>]><a/>", "CB-151"),
        (b"\xef\xbb\xbf<!DOCTYPE a><a/>", "CB-151"),
        ("<?xml version='1.0' encoding='UTF-16'?><!DOCTYPE a><a/>".encode("utf-16"), "CB-151"),
        (b"<a>" * 201 + b"</a>" * 201, "CB-152"),
        (b"<a>" + b"<b/>" * 250_001 + b"</a>", "CB-152"),
        (b"<a " + b" ".join(b'x%d="1"' % i for i in range(257)) + b"/>", "CB-152"),
        (b"<a " + b" ".join(b'xmlns:x%d="u%d"' % (i, i) for i in range(65)) + b"/>", "CB-152"),
        (b"<?xml version='1.0' encoding='UTF-7'?><a/>", "CB-153"),
        (b"<?xml version='1.0' encoding='UTF-16'?><a/>", "CB-153"),
        ("<a>价</a>".encode("utf-32"), "CB-153"),
        (b"\xef\xbb\xbf<?xml version='1.0' encoding='GBK'?><a/>", "CB-153"),
        (b"<?xml version='1.0' encoding='GBK'?><a>\xff\xff</a>", "CB-153"),
    ],
)
def test_each_refusal_has_its_own_code(document: bytes, code: str) -> None:
    """Malformed, DOCTYPE, beyond a limit and wrong encoding are told apart."""
    with pytest.raises(DocumentError) as caught:
        xmlio.parse(document, what="the reply")
    assert caught.value.code == code
    assert "the reply" in str(caught.value)


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16", "GBK", "GB2312", "GB18030", "Big5"])
def test_chinese_text_survives_every_accepted_encoding(encoding: str) -> None:
    """A reply in an encoding that Chinese ERPs use reads like the same reply in UTF-8."""
    text = f"<?xml version='1.0' encoding='{encoding}'?><a b='中'>中文 &lt;</a>"
    root = xmlio.parse(text.encode(encoding))
    assert (root.text, root.get("b")) == ("中文 <", "中")


def test_a_doctype_in_a_text_is_no_doctype() -> None:
    """Documents that travel inside CDATA or a comment may hold anything."""
    root = xmlio.parse(b"<a><![CDATA[<!DOCTYPE x><x/>]]><!-- <!DOCTYPE y> --></a>")
    assert root.text == "<!DOCTYPE x><x/>"


def test_many_attributes_spread_over_elements_or_in_text_are_fine() -> None:
    """Only attributes of one element count, not equals signs or escaped markup in a text."""
    inner = b"&lt;x xmlns:a=&quot;u&quot;" * 300 + b" a='1' " * 300
    xmlio.parse(b"<a>" + b'<b c="1" xmlns:n="u"/>' * 1000 + inner + b"</a>")


def test_attributes_are_limited_in_all_before_a_tree_is_built() -> None:
    """Attributes that no element has too many of cost the same memory: they are counted in all."""
    element = b"<b" + b"".join(b' a%d=""' % i for i in range(256)) + b"/>"
    tracemalloc.start()
    with pytest.raises(DocumentError, match="attributes in all") as caught:
        xmlio.parse(b"<a>" + element * 1_954 + b"</a>")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.code == "CB-152"
    assert peak < 20_000_000
    # What stands in texts, values and comments is no attribute.
    xmlio.parse(
        b"<a>" + b'<b c="%s">=&lt;x y="" z=""<!-- a="" --></b>' % (b"=" * 40) * 20_000 + b"</a>"
    )


def test_limits_can_be_set_lower() -> None:
    """Every limit is the caller's to lower."""
    for limits, document in [
        (xmlio.Limits(max_bytes=5), b"<aaaa/>"),
        (xmlio.Limits(max_depth=2), b"<a><b><c/></b></a>" + b"<!-- </ -->" * 3),
        (xmlio.Limits(max_elements=2), b"<a><b/><c/></a>"),
        (xmlio.Limits(max_attributes=1), b"<a b='1' c='2'/>"),
        (xmlio.Limits(max_namespaces=1), b"<a xmlns='u' xmlns:b='v'/>"),
        (
            xmlio.Limits(max_attributes=1, max_attributes_in_all=2),
            b"<a b='=='><c d='1'/><e xmlns:f='u'/></a>",
        ),
        (xmlio.Limits(max_elements=2), b"<a>" + b"</b>" * 3),
        (xmlio.Limits(max_text=5), b"<a>123456</a>"),
        (xmlio.Limits(max_text=5), b"<a b='123456'/>"),
    ]:
        with pytest.raises(DocumentError) as caught:
            xmlio.parse(document, limits=limits)
        assert caught.value.code == "CB-152", document


def test_canonical_form_of_a_child_is_that_of_a_document_of_its_own() -> None:
    """An inherited default namespace leaves no false xmlns="" behind, nor does a detached child."""
    text = b'<a xmlns="urn:a" xmlns:b="urn:b"><b:c><d e="1"><f/><g xmlns=""/></d></b:c>tail</a>'
    expected = b'<b:c xmlns:b="urn:b"><d xmlns="urn:a" e="1"><f></f><g xmlns=""></g></d></b:c>'
    child = xmlio.parse(text)[0]
    assert xmlio.canonical(child) == expected
    assert xmlio.canonical(child[0]) == expected[21:-6]
    child.getparent().remove(child)
    assert xmlio.canonical(child).count(b'xmlns=""') == expected.count(b'xmlns=""') - 1


def test_canonical_form_drops_comments_and_keeps_asked_prefixes() -> None:
    """Comments are not signed; a prefix that only a value uses stays when asked for."""
    root = xmlio.parse(b'<a xmlns:t="urn:t"><!-- c --><b type="t:x"/></a>')
    assert xmlio.canonical(root) == b'<a><b type="t:x"></b></a>'
    kept = xmlio.canonical(root, inclusive_prefixes=("t",))
    assert kept == b'<a xmlns:t="urn:t"><b type="t:x"></b></a>'


def test_relative_namespace_has_no_canonical_form() -> None:
    """A relative namespace URI is refused, never canonicalised to nothing."""
    with pytest.raises(DocumentError) as caught:
        xmlio.canonical(xmlio.parse(b'<a xmlns="../x"><b/></a>'))
    assert caught.value.code == "CB-154"


def test_names_are_told_without_their_prefix() -> None:
    """local_name and namespace also answer for comments."""
    root = xmlio.parse(b'<p:a xmlns:p="urn:p"><b/><!-- c --></p:a>')
    assert (xmlio.local_name(root), xmlio.namespace(root)) == ("a", "urn:p")
    assert (xmlio.local_name(root[0]), xmlio.namespace(root[0])) == ("b", "")
    assert (xmlio.local_name(root[1]), xmlio.namespace(root[1])) == ("", "")


def test_a_deep_document_in_memory_only_costs_its_size() -> None:
    """Parsing keeps no copies: Python's own allocations stay below the input's size."""
    data = b"<a>" + b"<b>text</b>" * 20_000 + b"</a>"
    tracemalloc.start()
    root = xmlio.parse(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(root, etree._Element)
    assert peak < 20 * len(data)
