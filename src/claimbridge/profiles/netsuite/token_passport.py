"""NetSuite's token passport: the SOAP header that proves who calls, new for each attempt.

Oracle describes it in the *SuiteTalk SOAP Web Services Platform Guide*, "TokenPassport Complex
Type", and in "The Signature for Web Services and RESTlets". The signature is an HMAC-SHA256 over
account, consumer key, token, nonce and timestamp, with both secrets as the key. Each part is
percent-encoded (RFC 5849 §3.6), and "&" joins the parts.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

from claimbridge.errors import ConfigurationError
from claimbridge.profiles.conversation import Credentials
from claimbridge.profiles.kit.markup import element

SECRETS: Final = ("consumer_key", "consumer_secret", "token", "token_secret")
"""What ``[ledger.X.auth] secrets`` must name; ``user`` is the account."""


def token_passport(credentials: Credentials, *, version: str, nonce: str, at: dt.datetime) -> bytes:
    """Return the header for one attempt; ``version`` is that of the namespaces (``2023_2``).

    Raises ConfigurationError CB-243 for a secret that is not configured.
    """
    lacking = [name for name in SECRETS if not credentials.secrets.get(name)]
    if lacking or not credentials.user:
        what = f"secrets.{lacking[0]}" if lacking else "user (the account)"
        raise ConfigurationError(
            f"the token passport lacks auth.{what}; see docs/netsuite.md", code="CB-243"
        )
    timestamp = str(int(at.timestamp()))
    key, token = (credentials.secrets[name] for name in ("consumer_key", "token"))
    secrets = (credentials.secrets[name] for name in ("consumer_secret", "token_secret"))
    parts = (credentials.user, key, token, nonce, timestamp)
    mac = hmac.new(_join(secrets), _join(parts), hashlib.sha256)
    core = f"{{urn:core_{version}.platform.webservices.netsuite.com}}"
    return element(
        f"{{urn:messages_{version}.platform.webservices.netsuite.com}}tokenPassport",
        {
            f"{core}account": credentials.user,
            f"{core}consumerKey": key,
            f"{core}token": token,
            f"{core}nonce": nonce,
            f"{core}timestamp": timestamp,
            f"{core}signature": {
                "@algorithm": "HMAC-SHA256",
                "#text": base64.b64encode(mac.digest()).decode(),
            },
        },
    )


def _join(parts: Iterable[str]) -> bytes:
    # RFC 5849 §3.6: only unreserved characters stay as they are; "~" is one of them.
    return "&".join(quote(part, safe="~") for part in parts).encode()
