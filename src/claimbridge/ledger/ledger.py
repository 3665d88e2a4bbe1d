"""One book in one ERP: what ``claimbridge.submission`` asks of a ledger, and its public face."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final

from claimbridge.clock import SYSTEM, Clock
from claimbridge.config import LedgerConfig
from claimbridge.contract import Contract
from claimbridge.errors import ClaimBridgeError
from claimbridge.ledger.exchange import ExchangeRun
from claimbridge.ledger.extra_checks import check_extras
from claimbridge.ledger.listing import list_records
from claimbridge.ledger.reading import Reader, not_built, of_question
from claimbridge.ledger.setup import Setup
from claimbridge.ledger.writing import Preview, Writer
from claimbridge.mapping import Chart
from claimbridge.model import Claim, Finding, Outcome, Submission
from claimbridge.profiles.base import Page, Profile
from claimbridge.profiles.master_records import RecordList
from claimbridge.signing import Signer
from claimbridge.submission import BookConfig, Built, Plan, id_of, in_our_spelling


class Ledger:
    """One book in one ERP that vouchers are posted to; threads may share it.

    ``setup`` is what the ledger works with, ``writer`` builds what it is sent, and ``reader`` reads
    what it answers. It is the ``LedgerPort`` of the plans in ``claimbridge.submission``.
    """

    def __init__(
        self,
        config: LedgerConfig,
        *,
        profile: Profile | None = None,
        contract: Contract | None = None,
        chart: Chart | None = None,
        signer: Signer | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        """Open profile, contract, chart and identity; arguments replace what ``config`` names.

        Raises ConfigurationError: CB-247 to CB-249 for fields of ``extra`` and ``omit``.
        """
        self.setup: Final = Setup(
            config, profile=profile, contract=contract, chart=chart, signer=signer, clock=clock
        )
        self.rules: Final = self.setup.rules
        self.writer: Final = Writer(self.setup)
        self.reader: Final = Reader(self.setup)
        check_extras(self.setup, self.writer)

    def preview(self, claim: Claim) -> Preview:
        """Return everything ``submit`` would build; see ``Writer.preview``."""
        return self.writer.preview(claim)

    def previews(self, claim: Claim) -> tuple[Preview, ...]:
        """Return the preview of every document that the claim would be, most often one."""
        return self.writer.previews(claim)

    def read_bytes(self, data: bytes, *, asked: str | None = None) -> tuple[Outcome, ...]:
        """Return what a saved reply says; see ``Reader.read_bytes``."""
        return self.reader.read_bytes(data, asked=asked)

    def check_document(self, data: bytes) -> tuple[Finding, ...]:
        """Return what the contract finds wrong with a request; see ``Reader.check_document``."""
        return self.reader.check_document(data)

    # --- the port of the plans --------------------------------------------------------------

    @property
    def name(self) -> str:
        """What people call it."""
        return self.setup.config.name

    @property
    def book_config(self) -> BookConfig:
        """What its configuration says of its book."""
        return self.setup.book_config

    @property
    def companies(self) -> Mapping[str, str]:
        """The companies of its chart, with their currencies; none where it has no chart."""
        return self.setup.chart.companies if self.setup.has_chart else {}

    @property
    def expense_types(self) -> Sequence[str]:
        """The types of expense of its chart, in the chart's order; none where it has no chart."""
        return self.setup.chart.expense_types if self.setup.has_chart else ()

    @property
    def is_production(self) -> bool:
        """Whether the configuration marks it as one of production."""
        return self.setup.config.production

    def documents(self, claim: Claim, book: str) -> tuple[Submission, ...]:
        """Return the documents that a claim would be, unsent: most often one.

        ``book`` is the id of our book. Raises ClaimError.
        """
        return tuple(submission for submission, _ in self.writer.submissions(claim, book))

    def build(self, verb: str, submissions: tuple[Submission, ...]) -> Built:
        """Return one request for these, validated and signed; raises ClaimError."""
        return self.writer.build(verb, submissions)

    def exchange(
        self, verb: str, submissions: tuple[Submission, ...], built: Built | None = None
    ) -> Plan[tuple[Outcome, ...]]:
        """Plan one exchange: what is sent, and what the answers say of its documents."""
        try:
            built = built or self.build(verb, submissions)
        except ClaimBridgeError as error:
            return (not_built(error),)
        book = submissions[0].key.book
        flights = () if verb == "query" else submissions
        answers = yield from self._run(book, flights).perform(built)
        outcomes = in_our_spelling(submissions, answers, self.rules.capabilities)
        return tuple(map(of_question, outcomes)) if verb == "query" else outcomes

    def page(self, book: str, cursor: str, limit: int) -> Plan[Page]:
        """Plan one page of changes after ``cursor`` in the book of that id.

        Raises ConfigurationError (CB-254) where the profile cannot list them; NotDelivered or
        LedgerUnavailable, and what the transport raises, when there is no page.
        """
        return self._run(book).page(cursor, limit)

    def list_records(self, kind: str) -> Plan[RecordList]:
        """Plan the list of all the ERP's records of one kind; see ``listing.list_records``."""
        return list_records(self.setup, self._run(id_of(self.book_config.place)), kind)

    def _run(self, book: str, flights: tuple[Submission, ...] = ()) -> ExchangeRun:
        return ExchangeRun(self.setup, self.writer, self.reader, book=book, flights=flights)

    def today(self, company: str, *, claim_id: str) -> dt.date:
        """Return the present day in a company's time zone; see ``Setup.today``."""
        return self.setup.today(company, claim_id=claim_id)
