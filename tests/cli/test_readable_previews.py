"""``preview`` for people: documents that travel as text are printed below, indented."""

from __future__ import annotations

import re

import pytest
from tests.cli.conftest import Folder, Run
from tests.cli.probing import configure

from claimbridge.cli.readable import readable
from claimbridge.sandbox import Sandbox


@pytest.mark.parametrize(
    ("profile", "options", "told"),
    [
        ("yonyou-nc", {}, r"^ +<pk_accasoa>6602"),
        ("kingdee-eas", {"facade": "json"}, r'^  \["CN01", .*"6602.02", '),
    ],
)
def test_an_inner_document_is_printed_below(
    run: Run, folder: Folder, sandbox: Sandbox, profile: str, options: dict[str, str], told: str
) -> None:
    """A line for each field; ``--json`` has the bytes as they would be sent."""
    configure(folder, sandbox, profile, options=options)
    shown = run("preview", "--config", folder.config, folder.claim())
    assert "which travels as text:" in shown.out, shown.out + shown.err
    assert "(the document below)" in shown.out
    assert "&lt;" not in shown.out
    assert re.search(told, shown.out, re.MULTILINE), shown.out
    body = run("preview", "--config", folder.config, "--json", folder.claim()).record["body"]
    assert "(the document below)" not in body


def test_numbers_and_other_texts_stay_as_they_are() -> None:
    """Nothing is rounded for reading; a text that is no document stays where it is."""
    lines = list(readable(b'<a><b>{"x": 1.10, "n": [1]}</b><c>[1</c><d>&lt;3</d><e>{}</e></a>'))
    assert '  "x": 1.10,' in lines
    assert "  <c>[1</c>" in lines
    assert "  <d>&lt;3</d>" in lines
    assert "  <e>{}</e>" in lines
    declared = (
        "<a>&lt;?xml version='1.0' encoding='GBK'?>&lt;v>&lt;t>\u5dee\u65c5&lt;/t>&lt;/v></a>"
    )
    assert "  <t>\u5dee\u65c5</t>" in list(readable(declared.encode()))


def test_the_configuration_of_the_folder_counts(run: Run, folder: Folder, sandbox: Sandbox) -> None:
    """As with other commands; a chart or a profile that is named goes without it."""
    configure(folder, sandbox, "kingdee-eas")
    assert "importVoucher" in run("preview", folder.claim()).out
    plain = run("preview", "--chart", folder.chart, folder.claim()).out
    assert "importVoucher" not in plain
    folder.config.unlink()
    assert "CB-257" in run("preview", folder.claim()).err
