"""What services share whose voucher travels as a document in a string."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from typing import Final

from claimbridge.contract.calls.replies import Reply
from claimbridge.contract.strings.replies import read_inner
from claimbridge.errors import DocumentError
from claimbridge.sandbox.kit.disturbances import OperationKind
from claimbridge.sandbox.kit.documents import ErpDocument, ErpVoucher, Objection, Series
from claimbridge.sandbox.kit.responder import Desk, ErpAnswer, ErpCall
from claimbridge.xmlio import canonical

UNREADABLE: Final = "unreadable"
"""The objection to a string that holds no document, or not one that is a voucher."""


class StringResponder(abc.ABC):
    """A service that takes one voucher a call, as a string, and posts the voucher at once."""

    name: str
    contract: str
    items: frozenset[str] = frozenset({"return"})
    kinds: Mapping[str, OperationKind]
    at: str
    """The element of the request that holds the string."""
    reference_at: str
    """Where the reference stands in the document."""
    series: Series = Series("vouchers", 1, 6)
    unique: bool
    """Whether the service refuses a reference that it has already."""

    @abc.abstractmethod
    def entry(self, document: Reply) -> ErpVoucher:
        """Return the voucher; raises DocumentError, ArithmeticError or ValueError for none."""

    @abc.abstractmethod
    def acceptance(self, call: ErpCall, held: ErpDocument, *, again: bool) -> ErpAnswer:
        """Return that the voucher is in the books; ``again``: it was there before."""

    @abc.abstractmethod
    def refuse(self, call: ErpCall, objections: Sequence[Objection]) -> ErpAnswer:
        """Return the objections."""

    def references(self, call: ErpCall) -> tuple[str, ...]:
        """Return the document's reference; none if the string holds no document."""
        try:
            found = self._document(call).text(self.reference_at)
        except DocumentError:
            return ()
        return (found,) if found else ()

    def answer(self, call: ErpCall, desk: Desk) -> ErpAnswer:
        """Take the voucher in."""
        try:
            document = self._document(call)
            entry = self.entry(document)
        except (DocumentError, ArithmeticError, ValueError) as error:
            text = f"the document cannot be read: {error}"
            return self.refuse(call, [Objection(UNREADABLE, text)])
        with desk.books.transaction() as books:
            held = books.document_of(self.name, entry.reference) if self.unique else None
            if held is not None:
                return self.acceptance(call, held, again=True)
            objections = desk.rules.objections(entry)
            if objections:
                return self.refuse(call, objections)
            original = canonical(document.element)
            held = books.enter(self.name, entry, original, series=self.series, unique=self.unique)
            return self.acceptance(call, books.post(held), again=False)

    def throttle(self, call: ErpCall, seconds: int) -> ErpAnswer | None:
        """Return None: these services have no such answer."""
        return None

    def _document(self, call: ErpCall) -> Reply:
        return read_inner(call.body.findtext(self.at) or "")
