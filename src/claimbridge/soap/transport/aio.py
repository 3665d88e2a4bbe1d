"""The transport for asyncio, on aiohttp; importing it needs the ``[async]`` extra."""

from __future__ import annotations

import asyncio
import io
import ssl
from collections.abc import Mapping
from types import SimpleNamespace

from claimbridge.clock import SYSTEM, Clock, Uptime
from claimbridge.errors import DeliveryError, requires_extra
from claimbridge.soap.transport import failures
from claimbridge.soap.transport.answer import Headers, HttpAnswer, ReplyBody, headers_of
from claimbridge.soap.transport.request import Departure, TimedRequest, log_exchange, prepare
from claimbridge.soap.transport.settings import TransportSettings
from claimbridge.soap.transport.tls import tls_context

with requires_extra("async", need="the async transport needs aiohttp"):
    import aiohttp
    import yarl


class AsyncTransport:
    """Sends POSTs to one endpoint over a pool of connections, in one event loop.

    Raises ConfigurationError or KeyUnavailable when it is made with an unusable ``ca`` or client
    certificate.
    """

    def __init__(self, settings: TransportSettings, *, clock: Clock = SYSTEM) -> None:
        self._settings = settings
        self._clock = clock
        self._place = settings.place
        self._url = _exact(settings)
        self._tls = tls_context(settings) if settings.address.secure else None
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    async def post(
        self,
        body: bytes,
        *,
        headers: Mapping[str, str],
        timeout: float | None = None,
        checked: Uptime | None = None,
    ) -> HttpAnswer:
        """Send ``body`` once and return the complete answer, of whatever status.

        ``timeout`` replaces ``settings.total``, in seconds. ``checked`` is when the sender was last
        known to own what it sends: it leaves soon after that, or not at all. Raises NotDelivered or
        OutcomeUnknown, as the package's docstring sorts them.
        """
        call = prepare(self._settings, body, headers, timeout, checked)
        with log_exchange(place=self._place, size=len(body), clock=self._clock) as watch:
            progress = SimpleNamespace(connected=False, queued=False)
            try:
                watch.answer = await self._exchange(call, progress)
            except (OSError, aiohttp.ClientError) as error:
                # A timeout is an OSError too.
                raise self._meaning(error, call, progress) from error
            except asyncio.CancelledError:
                if self._closed and not progress.connected and not _is_cancelled():
                    # Those who wait for a connection are cancelled by aiohttp when it closes.
                    raise failures.after_close(place=self._place) from None
                raise
        return watch.answer

    async def close(self) -> None:
        """Close all connections, busy ones too; closing twice does no harm."""
        self._closed = True
        if self._session is not None:
            await self._session.close()

    async def __aenter__(self) -> AsyncTransport:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _exchange(self, call: TimedRequest, progress: SimpleNamespace) -> HttpAnswer:
        proxy = self._settings.via
        shown = (
            {"Proxy-Authorization": proxy.authorization} if proxy and proxy.authorization else {}
        )
        async with self._client_session().post(
            self._url,
            data=_DepartureBody(call.body, Departure(call, self._clock)),
            headers=call.headers,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=call.total, connect=call.connect),
            proxy=f"http://{_netloc(proxy.host, proxy.port)}" if proxy else None,
            proxy_headers=shown,
            trace_request_ctx=progress,
        ) as response:
            headers = headers_of(response.headers.items())
            body = await self._read(response, headers)
            return HttpAnswer(
                response.status, headers.joined, body, headers.cookies, place=self._place
            )

    async def _read(self, response: aiohttp.ClientResponse, headers: Headers) -> bytes:
        body = ReplyBody(
            headers.joined.get("content-encoding", ""),
            limit=self._settings.reply_limit,
            place=self._place,
        )
        async for piece in response.content.iter_any():
            body.add(piece)
        return body.whole()

    def _client_session(self) -> aiohttp.ClientSession:
        """Return the session, made on first use: aiohttp binds it to the running loop."""
        if self._closed:
            raise failures.after_close(place=self._place)
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._settings.pool,
                    ssl=self._tls or True,
                    keepalive_timeout=self._settings.idle,
                ),
                auto_decompress=False,  # ReplyBody does it, within the limit
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                trace_configs=[_progress()],
            )
        return self._session

    def _meaning(
        self, error: OSError | aiohttp.ClientError, call: TimedRequest, progress: SimpleNamespace
    ) -> DeliveryError:
        """Return what ``error`` means, by whether a connection was there when it came."""
        if not progress.connected:
            return self._not_delivered(error, call, progress)
        if isinstance(error, TimeoutError):
            return failures.late(place=self._place, seconds=call.total)
        if refusal := _certificate_refusal(error, self._place):
            return refusal
        return failures.break_off(error, place=self._place)

    def _not_delivered(
        self, error: OSError | aiohttp.ClientError, call: TimedRequest, progress: SimpleNamespace
    ) -> DeliveryError:
        if isinstance(error, aiohttp.ClientHttpProxyError):
            return failures.tunnel_refused(error.status, place=self._place)
        if isinstance(error, TimeoutError) and progress.queued:
            return failures.busy(place=self._place, seconds=call.connect)
        return failures.unreachable(_beneath(error), place=self._place, seconds=call.connect)


class _DepartureBody(io.BytesIO):
    """A body that aiohttp writes piece by piece, so that other tasks get a turn, or not at all."""

    def __init__(self, body: bytes, departure: Departure) -> None:
        super().__init__(body)
        self._departure = departure

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next piece, to be sent at once; raises Stale, a TimeoutError."""
        self._departure.check()
        return super().read(size)


def _is_cancelled() -> bool:
    """Say whether somebody asked for the end of the running task."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _exact(settings: TransportSettings) -> yarl.URL:
    """Return the endpoint as it is, without yarl's own idea of which characters to quote."""
    address = settings.address
    scheme = "https" if address.secure else "http"
    netloc = _netloc(address.host, address.port)
    return yarl.URL(f"{scheme}://{netloc}{address.target}", encoded=True)


def _netloc(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _progress() -> aiohttp.TraceConfig:
    """Return a trace that notes, per request, how far it got.

    ``connected``: there is a connection, TLS and proxy included, and the request may be on its
    way. ``queued``: it waits for a free connection.
    """
    trace = aiohttp.TraceConfig()

    async def queued(_: object, context: SimpleNamespace, __: object) -> None:
        context.trace_request_ctx.queued = True

    async def served(_: object, context: SimpleNamespace, __: object) -> None:
        context.trace_request_ctx.queued = False

    async def connected(_: object, context: SimpleNamespace, __: object) -> None:
        context.trace_request_ctx.connected = True

    trace.on_connection_queued_start.append(queued)
    trace.on_connection_queued_end.append(served)
    trace.on_connection_create_end.append(connected)
    trace.on_connection_reuseconn.append(connected)
    return trace


def _beneath(error: OSError | aiohttp.ClientError) -> OSError:
    """Return the system's or TLS's own error below aiohttp's."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        below: object = error.certificate_error
    elif isinstance(error, aiohttp.ClientConnectorError):
        below = error.os_error
    else:
        below = error
    return below if isinstance(below, OSError) else OSError()


def _certificate_refusal(error: BaseException, place: str) -> DeliveryError | None:
    """Return the refusal if TLS turned our client certificate down, anywhere below ``error``."""
    below: BaseException | None = error
    while below is not None:
        if isinstance(below, ssl.SSLError):
            return failures.certificate_refusal(below, place=place)
        below = below.__cause__ or below.__context__
    return None
