"""TLS is verified, always; client certificates work without a key on any disk."""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.soap.authority import Authority
from tests.soap.conftest import Sender
from tests.soap.server import REPLY, Server, Wire, http

from claimbridge.errors import (
    ConfigurationError,
    ContractError,
    DeliveryError,
    DeliveryRefused,
    KeyUnavailable,
    NotDelivered,
)
from claimbridge.soap.transport import ClientCertificate, Transport, TransportSettings
from claimbridge.soap.transport.download import Downloads
from claimbridge.soap.transport.tls import tls_context


def test_an_own_authority_is_trusted_beside_the_systems(
    sender: Sender, serve: Callable[..., Server], authority: Authority, tmp_path: Path
) -> None:
    """``ca`` makes a server of the company's own authority acceptable."""
    server = serve(http(), tls=authority.server(tmp_path))
    assert sender(server.url(), ca=authority.pem)().body == REPLY


@pytest.mark.parametrize("case", ["unknown authority", "other host", "other address", "expired"])
def test_an_unacceptable_certificate_is_refused(
    case: str,
    sender: Sender,
    serve: Callable[..., Server],
    authority: Authority,
    stranger: Authority,
    tmp_path: Path,
) -> None:
    """A certificate that is not to be trusted ends the exchange before the request leaves."""
    issuer = stranger if case == "unknown authority" else authority
    hosts = ("erp.example",) if case.startswith("other") else ("127.0.0.1", "localhost")
    tls = issuer.server(tmp_path, hosts=hosts, ended=case == "expired")
    server = serve(http(), tls=tls)
    host = "localhost" if case == "other host" else "127.0.0.1"
    with pytest.raises(DeliveryRefused) as caught:
        sender(server.url(host=host), ca=authority.pem)()
    assert caught.value.code == "CB-415"
    expected = {
        "unknown authority": "as ca",
        "other host": "another host name",
        "other address": "another host name",
        "expired": "expired",
    }
    assert expected[case] in str(caught.value)
    assert server.requests == []


def test_a_server_is_known_by_its_alternative_names_alone(
    sender: Sender, serve: Callable[..., Server], authority: Authority, tmp_path: Path
) -> None:
    """A certificate without any is refused, whatever its CN says; for a contract's file too."""
    tls = authority.server(tmp_path, name="localhost", hosts=())
    server = serve(http(), tls=tls)
    address = server.url(host="localhost")
    with pytest.raises(DeliveryRefused) as caught:
        sender(address, ca=authority.pem)()
    assert caught.value.code == "CB-415"
    with pytest.raises(ContractError) as refused:
        Downloads(ca=authority.pem)(address)
    assert refused.value.code == "CB-219"
    assert server.requests == []


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")  # ours to refuse
def test_tls_below_1_2_is_refused(
    sender: Sender, serve: Callable[..., Server], authority: Authority, tmp_path: Path
) -> None:
    """A server that offers nothing newer than TLS 1.1 gets no request."""
    tls = authority.server(tmp_path)
    tls.set_ciphers("ALL:@SECLEVEL=0")
    tls.minimum_version = ssl.TLSVersion.TLSv1
    tls.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(NotDelivered) as caught:
        sender(serve(http(), tls=tls).url(), ca=authority.pem)()
    assert caught.value.code == "CB-415"


def test_a_server_without_tls_behind_https(
    sender: Sender, serve: Callable[..., Server], authority: Authority
) -> None:
    """Plain HTTP on a TLS port fails in the handshake: not delivered."""

    def act(wire: Wire) -> None:
        wire.sock.recv(100)
        wire.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        wire.hang()

    server = serve(act, raw=True)
    with pytest.raises(NotDelivered) as caught:
        sender(server.url().replace("http:", "https:"), ca=authority.pem)()
    assert caught.value.code == "CB-415"


def test_a_handshake_that_is_cut_off(sender: Sender, serve: Callable[..., Server]) -> None:
    """A server that resets during the handshake has not got the request."""
    server = serve(lambda wire: wire.reset(), raw=True)
    with pytest.raises(NotDelivered) as caught:
        sender(server.url().replace("http:", "https:"))()
    assert caught.value.code in {"CB-413", "CB-415"}
    assert caught.value.retryable


def test_a_handshake_that_hangs(sender: Sender, serve: Callable[..., Server]) -> None:
    """A server that accepts and then says nothing has not got the request."""
    server = serve(lambda wire: wire.hang(), raw=True)
    with pytest.raises(NotDelivered) as caught:
        sender(server.url().replace("http:", "https:"), connect=0.3)()
    assert caught.value.code == "CB-414"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("shown", ["the right one", "none", "a stranger's"])
def test_client_certificates(
    version: ssl.TLSVersion,
    shown: str,
    sender: Sender,
    serve: Callable[..., Server],
    authority: Authority,
    stranger: Authority,
    tmp_path: Path,
) -> None:
    """The right client certificate is let in; without it the request is refused, not in doubt.

    In TLS 1.3 the server refuses after our handshake is over and the request is on its way.
    """
    tls = authority.server(tmp_path, clients=authority)
    tls.minimum_version = tls.maximum_version = version
    issuer = authority if shown == "the right one" else stranger
    auth = None if shown == "none" else ClientCertificate(issuer.pkcs12("us", "open"), "open")
    server = serve(http(), tls=tls)
    post = sender(server.url(), ca=authority.pem, auth=auth)
    if shown == "the right one":
        assert post().body == REPLY
        return
    with pytest.raises(DeliveryError) as caught:
        post()
    # In TLS 1.3 a reset can overtake the server's alert: then nobody can know.
    late = version == ssl.TLSVersion.TLSv1_3
    assert caught.value.code in ({"CB-418", "CB-461"} if late else {"CB-418", "CB-415"})
    assert server.requests == []


@pytest.mark.parametrize("memory", [True, False])
def test_no_key_stays_on_the_disk(
    memory: bool, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key reaches TLS through memory; elsewhere through a file gone at once, encrypted."""
    seen: list[tuple[int, bytes]] = []
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    if not memory:
        monkeypatch.delattr(os, "memfd_create")
        load = ssl.SSLContext.load_cert_chain

        def watched(context: ssl.SSLContext, name: str, password: bytes) -> None:
            seen.append((Path(name).stat().st_mode & 0o777, Path(name).read_bytes()))
            load(context, name, password=password)

        monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", watched)
    auth = ClientCertificate(authority.pkcs12("us", "open"), "open")
    tls_context(TransportSettings("https://erp.example/", auth=auth))
    assert list(tmp_path.iterdir()) == []
    for mode, content in seen:
        assert mode == 0o600
        assert b"ENCRYPTED PRIVATE KEY" in content
    assert bool(seen) is not memory


def test_an_unusable_client_certificate(authority: Authority) -> None:
    """A wrong password, no password, a broken file: our error at once, and no secret in it."""
    locked = authority.pkcs12("us", "right-password")
    for auth, code in (
        (ClientCertificate(locked, "wrong-password"), "CB-311"),
        (ClientCertificate(locked), "CB-311"),
        (ClientCertificate(b"nonsense", "right-password"), "CB-310"),
    ):
        with pytest.raises(KeyUnavailable) as caught:
            Transport(TransportSettings("https://erp.example/", auth=auth))
        assert caught.value.code == code
        assert "-password" not in str(caught.value)


def test_an_unusable_ca() -> None:
    """``ca`` that is no PEM is a set-up error."""
    for ca in (b"", b"nonsense", "中".encode(), b"-----BEGIN CERTIFICATE-----\nAAAA\n"):
        with pytest.raises(ConfigurationError) as caught:
            Transport(TransportSettings("https://erp.example/", ca=ca))
        assert caught.value.code == "CB-282"


def test_no_setting_turns_verification_off() -> None:
    """TLS is verified whatever the settings say."""
    context = tls_context(TransportSettings("https://erp.example/"))
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    fields = TransportSettings.__struct_fields__
    assert not [name for name in fields if "verif" in name or "insecure" in name]
