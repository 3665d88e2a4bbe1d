"""Hesi 合思 (formerly 易快报) as a source: its approved documents become claims.

source = HesiSource.from_settings(settings)
for arrival in source.arrivals(since=mark):
    ...
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import threading
from collections.abc import Callable, Iterator
from typing import Final

from claimbridge.clock import SYSTEM, Clock
from claimbridge.errors import ClaimBridgeError, ClaimError, ConfigurationError, LedgerUnavailable
from claimbridge.model import Claim, Standing
from claimbridge.sources.base import Arrival
from claimbridge.sources.hesi.api.client import HesiClient
from claimbridge.sources.hesi.api.http import JsonObject
from claimbridge.sources.hesi.api.listing import HesiListEntry, read_changes
from claimbridge.sources.hesi.api.settings import HesiSettings
from claimbridge.sources.hesi.forms.fields import FieldMap, load_map
from claimbridge.sources.hesi.forms.form import HesiForms
from claimbridge.sources.hesi.forms.form_fields import paths_ignored
from claimbridge.sources.hesi.forms.log import DRAFT, WAITING
from claimbridge.sources.hesi.forms.words import FormWords

_MARK: Final = re.compile(r"([A-Za-z]{1,30})=([0-9]{1,15})")


class HesiSource:
    """Reads approved documents, each change of one again; threads may share it.

    ``client`` may be used for other calls. ``employees`` turns Hesi's id of an employee into the
    ERP's code where the field map's table does not have it; None from it: unknown.
    """

    def __init__(
        self,
        client: HesiClient,
        fields: FieldMap,
        settings: HesiSettings,
        *,
        employees: Callable[[str], str | None] | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        self.name: str = settings.name
        self.client: HesiClient = client
        self._fields = fields
        self._settings = settings
        self._clock = clock
        self._forms = HesiForms(
            fields,
            zone=settings.zone,
            states=settings.states,
            node=settings.node,
            employees=employees,
        )
        self._lock = threading.Lock()
        self._quiet: dict[str, tuple[int, int]] = {}

    @classmethod
    def from_settings(
        cls,
        settings: HesiSettings,
        *,
        clock: Clock = SYSTEM,
        employees: Callable[[str], str | None] | None = None,
    ) -> HesiSource:
        """Open a Hesi as configured; nothing is called yet.

        Raises ConfigurationError or KeyUnavailable for what it needs.
        """
        fields = load_map(settings.path(settings.map))
        client = HesiClient.from_settings(settings, clock=clock)
        return cls(client, fields, settings, employees=employees, clock=clock)

    def arrivals(self, *, since: str = "") -> Iterator[Arrival]:
        """Yield the documents that changed since a mark, oldest change first; empty: all.

        A document that is not approved is left out; one that once was, and is deleted or taken
        back, comes as withdrawn. Raises what ``HesiClient`` raises for a read; whatever was
        yielded before counts. What cannot be read, and is in the way of nothing, is raised at the
        end: the marks stay before it, so that every pass tells it until it can be read.
        """
        marks = _marks(since)
        unread: list[LedgerUnavailable] = []
        for form in self._settings.forms:
            for listed, mark in self._changes(form, marks, unread):
                arrival = self._arrival(listed, mark)
                if arrival is not None:
                    yield arrival
        if unread:
            raise LedgerUnavailable(
                f"{len(unread)} of Hesi's list could not be read, and may be claims: "
                f"{unread[0].message}; all others were read. Look at the documents changed after "
                f"{self._day(marks)}; every pass reads from there again until it can be read",
                code=unread[0].code,
            )

    def answer_doctor(self) -> str:
        """Log in, and ask for one document; raises what ``HesiClient`` raises for a read."""
        form = self._settings.forms[0]
        page = self.client.documents(form=form, count=1)
        return f"Hesi lets us in, and has {page.total} documents of the form {form}"

    def reread(self, key: str) -> Arrival | None:
        """Return a document as it is now, by its flow id.

        None when Hesi has none, when it is no form that this source reads, or when it is not, and
        never was, approved. A deleted one comes as withdrawn.
        """
        document = self.client.details(key)
        if document is None:
            return None
        if document.get("active") is False and "form" not in document:
            return Arrival(key=key, version="deleted", withdrawn=True)
        if document.get("formType") not in self._settings.forms:
            return None
        updated = document.get("updateTime")
        return self._judge(document, key, updated if type(updated) is int else None, "")

    @property
    def rereads(self) -> bool:
        """Whether claims are read again before they are sent: at a node they may go back."""
        return bool(self._settings.node)

    def ended(
        self, arrival: Arrival, *, standing: Standing | None, error: ClaimBridgeError | None
    ) -> None:
        """Take note of nothing: what Hesi is to know is written back, and kept in the journal."""

    def in_words(self, text: str, claim: Claim, *, counted: bool) -> str:
        """Return a reason against a claim in the words of its form; see ``SpeaksFormLanguage``."""
        return FormWords(self._fields).of_reason(text, claim, counted=counted)

    def close(self) -> None:
        """Give the connections back."""
        self.client.close()

    def _day(self, marks: dict[str, int]) -> str:
        """Return the moment of the earliest mark, in Hesi's time zone."""
        earliest = min((marks.get(form, 0) for form in self._settings.forms), default=0)
        return f"{dt.datetime.fromtimestamp(earliest // 1000, self._settings.zone):%Y-%m-%d %H:%M}"

    def _changes(
        self, form: str, marks: dict[str, int], unread: list[LedgerUnavailable]
    ) -> Iterator[tuple[HesiListEntry, str]]:
        """Yield a form type's changes, each with the mark up to it.

        The mark stays before what is ``unread``. No mark is later than the pass's own beginning: a
        change that shows late may have come behind the reader's back while a long pass went on.
        """
        began = round(self._clock.now().timestamp() * 1000)
        mark = marks.get(form)
        begin = self._begin(form, mark)
        reached = mark or 0
        alone = True
        at_node = (WAITING, DRAFT) if self._settings.node else ()  # retracted, it is a draft

        def fetch(since: int | None, offset: int, count: int) -> tuple[object, ...]:
            return self.client.documents(
                form=form,
                states=self._settings.states + self._settings.withdrawn + at_node,
                since=since,
                start=offset,
                count=count,
                active=None,
            ).documents

        stuck = False
        for listed in read_changes(fetch, since=begin, page_size=self._settings.page_size):
            if listed.unread is not None:
                unread.append(listed.unread)
                stuck = True
            if stuck:
                if listed.unread is None and self._matters(listed.document):
                    yield listed, _mark(marks)
                continue
            reached = max(reached, min(listed.updated, began))
            if self._matters(listed.document):
                alone = marks.get(form) != reached
                marks[form] = reached
                yield listed, _mark(marks)
        # What followed the mark and does not matter need not be read again and again. Where two
        # documents share the mark, it does not tell whether both were recorded.
        with self._lock:
            self._quiet.pop(form, None)
            if alone and not stuck:
                self._quiet[form] = (marks.get(form, 0), reached)

    def _begin(self, form: str, mark: int | None) -> int | None:
        """Return the update time from which to read, in milliseconds; None: from the first."""
        settings = self._settings
        first = None
        if settings.begin is not None:
            day = dt.datetime.combine(settings.begin, dt.time(), settings.zone)
            first = round(day.timestamp() * 1000)
        if mark is None:
            return first
        with self._lock:
            quiet = self._quiet.get(form)
        reached = quiet[1] if quiet is not None and quiet[0] == mark else mark
        return max(first or 0, reached - settings.overlap * 1000, 0)

    def _matters(self, document: JsonObject) -> bool:
        if not isinstance(document.get("state"), str):
            return True  # it was asked for by its state; what it is has to be looked at
        return self._forms.is_approved(document) or self._forms.was_approved(document)

    def _arrival(self, listed: HesiListEntry, mark: str) -> Arrival | None:
        """Return what a document of a list is; its details are read where the map needs them."""
        document = listed.document
        if not isinstance(document.get("id"), str):
            nameless = ClaimError("a document in Hesi's list has no id; look at it", code="CB-519")
            return Arrival(key=listed.id, version=str(listed.updated), error=nameless, mark=mark)
        if not isinstance(document.get("state"), str):
            unclear = ClaimError("Hesi's list has it without a state; look at it", code="CB-519")
            return Arrival(
                key=listed.id,
                version=str(listed.updated),
                error=unclear,
                label=self._forms.label(document),
                mark=mark,
            )
        if self._fields.details and self._forms.is_approved(document):
            details = self.client.details(listed.id)
            document = details if details is not None else {**document, "active": False}
            if "form" not in document:
                document = {**listed.document, "active": False}
        dated = type(listed.document.get("updateTime")) is int
        return self._judge(document, listed.id, listed.updated if dated else None, mark)

    def _judge(
        self, document: JsonObject, key: str, updated: int | None, mark: str
    ) -> Arrival | None:
        """Return a document as a claim, as what is wrong with it, or as withdrawn.

        ``updated`` None: Hesi does not say when it changed; its version is what it holds.
        """
        label, occasion = self._forms.label(document), self._forms.occasion(document)

        def version(content: str) -> str:
            content_bytes = (content + occasion).encode("utf-8", "backslashreplace")
            digest = hashlib.sha256(content_bytes).hexdigest()[:16]
            return str(updated) if updated is not None else f"content-{digest}"

        if not self._forms.is_approved(document):
            if not self._forms.was_approved(document):
                return None
            gone = version(f"withdrawn {document.get('state')}")
            return Arrival(key=key, version=gone, withdrawn=True, label=label, mark=mark)
        left = paths_ignored(document, self._fields)
        try:
            claim = self._forms.claim(document)
        except ClaimBridgeError as error:
            wrong = version(str(error))
            return Arrival(
                key=key, version=wrong, error=error, label=label, ignored=left, mark=mark
            )
        return Arrival(
            key=key,
            version=version(claim.to_json().decode()),
            claim=claim,
            label=label,
            ignored=left,
            occasion=occasion,
            mark=mark,
        )


def _marks(mark: str) -> dict[str, int]:
    """Return the update times that a mark holds, by form type."""
    marks = {}
    for part in mark.split():
        form_mark = _MARK.fullmatch(part)
        if form_mark is None:
            raise ConfigurationError(
                f"the mark {mark[:80]!r} is not one of a Hesi source; was the source's kind "
                "changed under its name?",
                code="CB-510",
            )
        marks[form_mark[1]] = int(form_mark[2])
    return marks


def _mark(marks: dict[str, int]) -> str:
    return " ".join(f"{form}={marks[form]}" for form in sorted(marks))
