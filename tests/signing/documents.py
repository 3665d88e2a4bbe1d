"""Documents for hypothesis to make: what XML allows and signatures must survive."""

from __future__ import annotations

from hypothesis import strategies as st

_NAMES = st.sampled_from(["Voucher", "a", "B-1", "差旅费", "p:Line", "q:Line", "q:金额"])
_TEXT = st.lists(
    st.sampled_from(
        [
            "x",
            " ",
            "\n",
            "\r\n",
            "\r",
            "\t",
            "&amp;",
            "&lt;",
            "&#13;",
            "&#x4e2d;",
            "报销",
            "𠮷",
            "'>",
        ]
    ),
    max_size=4,
).map("".join)
_VALUES = st.sampled_from(
    ["1>2", "酒店 7 晚", "a\r\n b\tc", "&quot;&amp;&#10;", "/", "", "</p:Line>"]
)
_CDATA = st.sampled_from(["", "</Voucher>", "<a b='", "报销 & <?x", "]]", "<!--"]).map(
    lambda text: f"<![CDATA[{text}]]>"
)
_COMMENT = st.sampled_from(["", " ", "</Voucher>", "</Voucher", "<a '\"", "中文", "<![CDATA["]).map(
    lambda text: f"<!--{text}-->"
)
_INSTRUCTION = st.sampled_from(["x", "x y", "x </Voucher", 'php </Voucher> "', "x <!-- >"]).map(
    lambda text: f"<?{text}?>"
)
_DECLARATIONS = st.sampled_from(
    [
        "",
        ' xmlns="urn:d"',
        " xmlns='urn:e'",
        ' xmlns=""',
        ' xmlns:p="urn:other"',
        ' xmlns:n="urn:n"',
    ]
)
_QUOTES = st.sampled_from(['"', "'"])


@st.composite
def _attributes(draw: st.DrawFn) -> str:
    names = draw(
        st.lists(st.sampled_from(["b", "p:b", "备注", "xml:lang"]), unique=True, max_size=2)
    )
    pieces = []
    for name in names:
        quote, value = draw(_QUOTES), draw(_VALUES).replace("<", "&lt;")
        pieces.append(f" {name}{draw(st.sampled_from(['=', ' = ']))}{quote}{value}{quote}")
    return "".join(pieces)


@st.composite
def _element(
    draw: st.DrawFn, content: st.SearchStrategy[str], name: str = "", more: str = ""
) -> str:
    name = name or draw(_NAMES)
    start = f"{name}{more}{draw(_DECLARATIONS) if not more else ''}{draw(_attributes())}"
    inside = draw(content)
    if not inside and draw(st.booleans()):
        return f"<{start} />"
    return f"<{start}>{inside}</{name}{draw(st.sampled_from(['', ' ', chr(10)]))}>"


def _around(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(
        st.one_of(_TEXT, _CDATA, _COMMENT, _INSTRUCTION, _element(inner)), max_size=4
    ).map("".join)


_CONTENT = st.recursive(_TEXT, _around, max_leaves=8)
_ROOTS = st.sampled_from(
    [
        ("Voucher", ' xmlns:p="urn:p" xmlns:q="urn:q"'),
        (
            "Voucher",
            ' xmlns="urn:claimbridge:voucher:1" xmlns:p="urn:p" xmlns:q="urn:q" xmlns:u="urn:u"',
        ),
        ("q:Voucher", ' xmlns="urn:d" xmlns:q="urn:q" xmlns:p="urn:p" xmlns:ds="urn:not-dsig"'),
    ]
)


@st.composite
def documents(draw: st.DrawFn, *, outside: bool = True, ascii_names: bool = False) -> bytes:
    """A well-formed document; with comments and instructions around the root when ``outside``.

    ``ascii_names`` keeps Chinese in the text only: signxml cannot read it in names.
    """
    name, declarations = draw(_ROOTS)
    body = draw(_element(_CONTENT, name, declarations))
    misc = st.lists(st.one_of(_COMMENT, st.just("\n"), _INSTRUCTION), max_size=2).map("".join)
    before, after = (draw(misc), draw(misc)) if outside else ("", "")
    declaration = draw(
        st.sampled_from(["", '<?xml version="1.0"?>', "<?xml version='1.0' encoding='utf-8'?>\n"])
    )
    bom = draw(st.sampled_from(["", "\ufeff"]))
    if ascii_names:
        body = body.replace("差旅费", "c").replace("q:金额", "q:c").replace("备注", "c")
    return f"{bom}{declaration}{before}{body}{after}".encode()
