"""Somebody who stands between a client and the ERP."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Serve = Callable[[], bytes]
Stands = Callable[[bytes, Serve], bytes]


class Between:
    """Passes requests on to ``port`` and answers back, as ``stands`` says.

    ``stands`` is given the request's body and what has the ERP serve it; an answer b"" breaks the
    connection off.
    """

    def __init__(self, port: int) -> None:
        self.stands: Stands = lambda _, serve: serve()
        self.status: int = 200
        """What each answer says of itself, whatever the ERP said."""
        between = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                cookies: list[str] = []

                def serve() -> bytes:
                    onward = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                    kept = ("Content-Type", "SOAPAction", "Cookie")
                    headers = {name: self.headers[name] for name in kept if self.headers[name]}
                    onward.request("POST", self.path, body, headers)
                    answer = onward.getresponse()
                    cookies.extend(answer.headers.get_all("Set-Cookie") or [])
                    read = answer.read()
                    onward.close()
                    return read

                reply = between.stands(body, serve)
                if not reply:
                    self.close_connection = True
                    return
                self.send_response(between.status)
                self.send_header("Content-Type", "text/xml; charset=utf-8")
                for cookie in cookies:
                    self.send_header("Set-Cookie", cookie)
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
