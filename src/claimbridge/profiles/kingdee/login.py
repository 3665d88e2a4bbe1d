"""The login of Kingdee EAS: one operation with six, seven or eight arguments.

``EASLogin`` overloads ``login``. The six arguments are user, password, solution, data centre,
language and kind of database. The seventh, ``authPattern``, names how EAS checks the password: a
key of its file ``easAuthPatterns.xml``, such as ``BaseDB``. The eighth, ``isEncodePwd``, is 1 where
the password comes encoded. A facade of one version may lack a form that another one has.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from claimbridge.contract.calls.fault import Fault
from claimbridge.errors import (
    DeliveryRefused,
    LedgerUnavailable,
    NotDelivered,
)
from claimbridge.profiles.conversation import Credentials
from claimbridge.profiles.kit.options import wrong_option
from claimbridge.profiles.request import Request

if TYPE_CHECKING:
    from claimbridge.contract.calls.replies import Reply

_NO_SUCH_FORM: Final = re.compile(
    r"no such (operation|method)|do(es)? not match the signature|wrong number of arguments"
    r"|IllegalArgumentException|could not find (an )?appropriate method"
    r"|SimpleDeserializer|invalid element|参数(个数|数量)",
    re.IGNORECASE,
)
"""What Axis 1.4 says of a call whose arguments fit none of a service's methods."""


class LoginForm(msgspec.Struct, frozen=True, kw_only=True):
    """Where one logs in, and with how many arguments.

    ``auth_pattern`` None: six arguments. ``password_encoded`` None: seven.
    """

    solution: str
    data_centre: str
    language: str
    database: int
    auth_pattern: str | None = None
    password_encoded: bool | None = None

    def __post_init__(self) -> None:
        if self.password_encoded is not None and self.auth_pattern is None:
            raise wrong_option(
                "kingdee-eas",
                "password_encoded is the eighth argument of the login, and "
                'auth_pattern the seventh; set auth_pattern too ("BaseDB" unless EAS has another), '
                "or leave password_encoded out",
            )

    @property
    def arguments(self) -> int:
        """How many arguments the login has."""
        return 6 + (self.auth_pattern is not None) + (self.password_encoded is not None)

    def request(self, credentials: Credentials) -> Request:
        """Return the request that begins a session."""
        body: dict[str, object] = {
            "userName": credentials.user,
            "password": credentials.password,
            "slnName": self.solution,
            "dcName": self.data_centre,
            "language": self.language,
            "dbType": self.database,
        }
        if self.auth_pattern is not None:
            body["authPattern"] = self.auth_pattern
        if self.password_encoded is not None:
            body["isEncodePwd"] = int(self.password_encoded)
        return Request(operation="login", body=body, port="login", harmless=True)

    def session_of(self, reply: Reply | Fault) -> str:
        """Return the session's id.

        Raises DeliveryRefused where EAS gives none, LedgerUnavailable where it is busy,
        NotDelivered for an id that no header can carry.
        """
        if isinstance(reply, Fault):
            raise self._refusal(reply)
        session = reply.text("loginReturn", "sessionId")
        if not session:
            raise DeliveryRefused(
                "EAS answered the login without a session; check user, password, data_centre and "
                f"auth_pattern ({self._shown})"
            )
        if not session.isprintable():
            raise NotDelivered("EAS gave a session id with characters that cannot be printed")
        return session

    def _refusal(self, fault: Fault) -> DeliveryRefused | LedgerUnavailable:
        said = fault.reason or fault.code
        if any(word in fault.reason.lower() for word in ("busy", "too many", "繁忙")):
            return LedgerUnavailable(f"EAS gives no session now: {fault.reason}")
        if _NO_SUCH_FORM.search(said):
            return DeliveryRefused(
                f"EAS has no login with these {self.arguments} arguments; set auth_pattern for "
                "seven, password_encoded too for eight, neither for six, as the WSDL of EASLogin "
                f"says. EAS says: {said}"
            )
        return DeliveryRefused(f"EAS refused the login ({self._shown}): {said}")

    @property
    def _shown(self) -> str:
        return f"the login has {self.arguments} arguments"


def book_of(form: LoginForm) -> str:
    """Return the solution and the data centre that is logged in to."""
    centre = f", data_centre {form.data_centre}" if form.data_centre else ""
    return f"solution {form.solution}{centre}"


__all__ = ["LoginForm", "book_of"]
