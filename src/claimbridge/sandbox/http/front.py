"""What stands in front of an ERP: servers, load balancers, gateways. They pack what it answers.

They decide how a document is encoded and declared, in how many parts it travels, and which headers
come with it. What the document says stays as it is, and so does what is signed in it.
"""

from __future__ import annotations

import gzip
import re
from typing import Final

import msgspec

from claimbridge.sandbox.http.reply import SandboxReply
from claimbridge.sandbox.kit.manner import Manner

_DECLARATION: Final = re.compile(r"<\?xml[^>]*\?>\s*")
_BOUNDARIES: Final = (
    "uuid:5e3cd4a1-1d0a-4cb8-9a57-front",
    "MIME_boundary",
    "----=_Part_7_2084.1764",
    "=_0a1b.front",
)
_ROOT: Final = "<root.message@front.invalid>"
_HEADERS: Final = {
    "X-Powered-By": "Servlet/3.0",
    "Via": "1.1 gateway",
    "Cache-Control": "no-store, no-cache",
    "Expires": "0",
    "Content-Language": "zh-CN",
    "Vary": "Accept-Encoding",
    "X-Request-ID": "7c0f3a52",
}
_COOKIES: Final = ("BIGipServer~erp~pool=1677787402.36895.0000; path=/", "JSESSIONID=0A1B; Path=/x")


def packed(reply: SandboxReply, manner: Manner, *, gzip_taken: bool = False) -> SandboxReply:
    """Return a reply as it leaves the front; as it is when ``manner`` is tidy.

    ``gzip_taken``: the client takes compressed replies.
    """
    if not manner.lifelike:
        return reply
    if "xml" in reply.content_type:
        reply = _encoded(reply, manner)
        if manner.happens("parts", chance=0.15):
            reply = _in_parts(reply, manner)
    if gzip_taken and reply.body and manner.happens("gzip", chance=0.3):
        headers = {**reply.headers, "Content-Encoding": "gzip"}
        body = gzip.compress(reply.body, mtime=0)
        reply = msgspec.structs.replace(reply, body=body, headers=headers)
    return _with_headers(reply, manner)


def _encoded(reply: SandboxReply, manner: Manner) -> SandboxReply:
    """Write the document in an encoding, and say which: in it, beside it, or both."""
    try:
        text = reply.body.decode()
    except UnicodeDecodeError:
        return reply  # it was cut off in the middle of a character
    declared = _DECLARATION.match(text)
    text = text[declared.end() :] if declared else text
    encoding = reply.encoding or manner.choose("encoding", "utf-8", "utf-8", "utf-8-sig", "utf-16")
    if not _holds(encoding, text):
        encoding = "utf-8"
    name = "UTF-16" if encoding == "utf-16" else "UTF-8" if "utf-8" in encoding else encoding
    must = name != "UTF-8"
    declaration = manner.choose(
        "declaration",
        f'<?xml version="1.0" encoding="{name}"?>',
        f"<?xml version='1.0' encoding='{name.lower()}'?>\n",
        f'<?xml version="1.0" encoding="{name}" standalone="no"?>\r\n',
        *(() if must else ("", '<?xml version="1.0" ?>')),
    )
    return msgspec.structs.replace(
        reply,
        body=(declaration + text).encode(encoding),
        content_type=_content_type(reply.content_type, name, manner),
    )


def _holds(encoding: str, text: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _content_type(content_type: str, name: str, manner: Manner) -> str:
    kind = content_type.partition(";")[0]
    return manner.choose(
        "content-type",
        f"{kind}; charset={name.lower()}",
        f"{kind};charset={name}",
        f'{kind}; charset="{name}"',
        f"{kind.title()}; Charset={name}",
        kind,
    )


def _in_parts(reply: SandboxReply, manner: Manner) -> SandboxReply:
    """Put the reply into the root part of a multipart/related, as SOAP with attachments does."""
    boundary = manner.choose("boundary", *_BOUNDARIES)
    kind = reply.content_type.partition(";")[0]
    root = (
        f'Content-Type: application/xop+xml; charset=UTF-8; type="{kind}"\r\n'
        if manner.happens("xop") and b"\0" not in reply.body
        else f"Content-Type: {reply.content_type}\r\n"
    )
    head = (
        f"\r\n--{boundary}\r\n{root}"
        f"Content-Transfer-Encoding: binary\r\nContent-ID: {_ROOT}\r\n\r\n"
    )
    more = (
        f"\r\n--{boundary}\r\nContent-Type: text/plain\r\nContent-ID: <log>\r\n\r\nok"
        if manner.happens("attachment")
        else ""
    )
    body = head.encode() + reply.body + f"{more}\r\n--{boundary}--\r\n".encode()
    said = f'multipart/related; type="{kind}"; boundary="{boundary}"'
    start = f'; start="{_ROOT}"' if more or manner.happens("start") else ""
    return msgspec.structs.replace(reply, body=body, content_type=said + start)


def _with_headers(reply: SandboxReply, manner: Manner) -> SandboxReply:
    """Add headers and cookies, in any order; some replies do not say how long they are."""
    draw = manner.draw("headers")
    names = draw.sample(list(_HEADERS), draw.randrange(4))
    headers = {**reply.headers, **{name: _HEADERS[name] for name in names}}
    shuffled = draw.sample(list(headers), len(headers))
    return msgspec.structs.replace(
        reply,
        headers={name: headers[name] for name in shuffled},
        cookies=draw.sample(_COOKIES, draw.choice((0, 0, 1, 2))),
        chunked=manner.happens("chunked", chance=0.3),
    )
