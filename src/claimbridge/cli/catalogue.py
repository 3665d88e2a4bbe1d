"""Every command: its words, where its code is, what it does, an example."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple


class Command(NamedTuple):
    """One command: its code as ``module:function`` in this package, what it does, an example.

    ``acts``: it changes something that stays: a ledger, a journal, a record, a file.
    """

    name: str
    place: str
    summary: str
    example: str
    acts: bool = False


GROUPS: Final[dict[str, tuple[Command, ...]]] = {
    "Begin here": (
        Command(
            "demo",
            "scenes.demo:demo",
            "Submit the example claims to an ERP on loopback, with things going wrong.",
            "claimbridge demo",
        ),
        Command(
            "sandbox",
            "commands.serve:sandbox",
            "Serve an ERP on 127.0.0.1 to try things against, until interrupted.",
            "claimbridge sandbox --port 8765 --faults commit-then-drop@2,throttle%0.1",
        ),
        Command(
            "doctor",
            "commands.doctor:doctor",
            "Check the set-up of every ledger; nothing is posted.",
            "claimbridge doctor --config claimbridge.toml",
        ),
        Command(
            "probe",
            "commands.probe:probe",
            "Post one voucher of 0.01 in a test client, find it, reverse it, find it reversed.",
            "claimbridge probe CN01 --employee E1024 --type taxi",
            acts=True,
        ),
    ),
    "Claims and the ledger": (
        Command(
            "submit",
            "commands.claims:submit",
            "Carry approved claims into the ledger, each exactly once in effect.",
            "claimbridge submit --config claimbridge.toml claims/*.json",
            acts=True,
        ),
        Command(
            "status",
            "commands.claims:status",
            "Report where claims stand, by their ids.",
            "claimbridge status EXP-2026-0042",
        ),
        Command(
            "reverse",
            "commands.claims:reverse",
            "Take a claim's journal entry back by a reversal.",
            'claimbridge reverse EXP-2026-0042 --reason "paid twice"',
            acts=True,
        ),
        Command(
            "reconcile",
            "commands.claims:reconcile",
            "Bring every unfinished submission to an end: ask the ERP, adopt, or send.",
            "claimbridge reconcile --config claimbridge.toml",
            acts=True,
        ),
    ),
    "Claims from their sources": (
        Command(
            "intake",
            "commands.intake:tree",
            "Carry what the sources have into the ledgers, in one pass; retry what is parked.",
            "claimbridge intake --config claimbridge.toml",
            acts=True,
        ),
    ),
    "Before anything is sent": (
        Command(
            "map",
            "commands.claims:map_claims",
            "Show the postings of claims, and why each is there.",
            "claimbridge map --chart chart.toml --explain claim.json",
        ),
        Command(
            "preview",
            "commands.previews:preview",
            "Show what would be sent for claims, without journal and network.",
            "claimbridge preview --profile sap-journal-entry --chart chart.toml claim.json",
        ),
        Command(
            "validate",
            "commands.documents:validate",
            "Check claims (.json) against the model, and requests (XML) against a contract.",
            "claimbridge validate --profile sap-journal-entry request.xml",
        ),
        Command(
            "schema",
            "commands.documents:schema",
            "Print the JSON Schema of a claim or a voucher.",
            "claimbridge schema claim > claim.schema.json",
        ),
        Command(
            "codes",
            "commands.codes:list_codes",
            "List the records of an ERP with its own ids, and keep them for the ledger's profile.",
            "claimbridge codes US01 account department --config claimbridge.toml",
            acts=True,
        ),
    ),
    "Documents": (
        Command(
            "reply",
            "commands.documents:reply",
            "Read saved replies of an ERP as its profile would.",
            "claimbridge reply --profile sap-journal-entry reply.xml",
        ),
        Command(
            "sign",
            "commands.signatures:sign",
            "Sign a document and write it to stdout.",
            "claimbridge sign --identity signer.p12 --identity-password env:PW voucher.xml",
        ),
        Command(
            "verify",
            "commands.signatures:verify",
            "Verify signed documents, and print what was signed.",
            "claimbridge verify --trust ca.pem --subject signer voucher.xml",
        ),
    ),
}
CONTRACT: Final = (
    Command(
        "lock",
        "commands.contracts:lock_contract",
        "Fetch a contract's files once, and write them with their hashes into a folder.",
        "claimbridge contract lock https://erp.example/voucher-service?wsdl --into contracts/erp",
        acts=True,
    ),
    Command(
        "show",
        "commands.trees:show_contract",
        "Show what a contract offers: services, ports, operations, and messages as a tree.",
        "claimbridge contract show contracts/erp --operation SubmitVoucher",
    ),
    Command(
        "diff",
        "commands.contract_uses:diff_contracts",
        "Report what changed between two contracts, and whom it breaks.",
        "claimbridge contract diff contracts/erp contracts/erp-new",
    ),
    Command(
        "check",
        "commands.contract_uses:check_profile",
        "Report whether a profile works with a contract: what it needs, lacks and could exceed.",
        "claimbridge contract check --profile sap-journal-entry contracts/erp",
    ),
    Command(
        "types",
        "commands.contract_uses:print_types",
        "Print a Python module of TypedDicts that checkers hold a profile's requests against.",
        "claimbridge contract types upsert --type JournalEntry --contract contracts/erp > erp.py",
    ),
)
INTAKE: Final = (
    Command(
        "list",
        "commands.intake:list_arrivals",
        "List what sources gave, and why it is not in a ledger.",
        "claimbridge intake list --state parked",
    ),
    Command(
        "retry",
        "commands.intake:retry_arrivals",
        "Let the next pass go on with what is parked, once its reason is fixed.",
        "claimbridge intake retry EXP-2026-0042",
        acts=True,
    ),
    Command(
        "refuse",
        "commands.intake:refuse_arrivals",
        "Close what is parked and will not be submitted.",
        'claimbridge intake refuse EXP-2026-0042 --reason "paid by hand"',
        acts=True,
    ),
    Command(
        "write-backs",
        "commands.write_backs:write_backs",
        "List what goes back to sources, and let what waits for a person be tried again.",
        "claimbridge intake write-backs --state parked",
        acts=True,
    ),
)
CHART: Final = (
    Command(
        "check",
        "commands.charts:check_chart",
        "Find gaps, overlaps, unreachable rows, unknown codes and expired rows of a chart.",
        "claimbridge chart check chart.xlsx --accounts accounts.csv",
    ),
    Command(
        "test",
        "commands.charts:compare_examples",
        "Map the example claims beside a chart, and compare with the postings expected of them.",
        "claimbridge chart test chart.toml",
        acts=True,
    ),
)
HESI: Final = (
    Command(
        "fields",
        "commands.hesi:show_fields",
        "Show every field of saved documents: what it becomes, or that the field map ignores it.",
        "claimbridge hesi fields --map hesi-map.toml document.json",
    ),
    Command(
        "claims",
        "commands.hesi:translate",
        "Turn saved documents into claims by a field map, or say what is wrong with them.",
        "claimbridge hesi claims --map hesi-map.toml document.json",
    ),
)
JOURNAL: Final = (
    Command(
        "list",
        "commands.journal:list_submissions",
        "List submissions, oldest first.",
        "claimbridge journal list --state parked --state in_doubt",
    ),
    Command(
        "show",
        "commands.journal:show_submissions",
        "Show every move of a claim's submissions, oldest first.",
        "claimbridge journal show EXP-2026-0042",
    ),
    Command(
        "invoices",
        "commands.invoices:show_invoice",
        "Show which claims use an invoice, or used it, in whatever spelling of its number.",
        "claimbridge journal invoices 26312000000000123456",
    ),
    Command(
        "settle",
        "commands.journal:settle_submission",
        "Record what you found in the ERP about a parked submission, or one that is gone from it.",
        "claimbridge journal settle EXP-2026-0042 --revision 1 --posted 0100000008",
        acts=True,
    ),
    Command(
        "books",
        "commands.books:list_books",
        "List the books of the journal: their names, where they are, and what they hold.",
        "claimbridge journal books --config claimbridge.toml",
    ),
    Command(
        "rename",
        "commands.books:rename_book",
        "Let a new name mean the book that an old name meant, after a ledger was renamed.",
        "claimbridge journal rename CN01 CN-SHANGHAI",
        acts=True,
    ),
    Command(
        "moved",
        "commands.books:move_book",
        "Record that a ledger's book is now where the configuration says.",
        "claimbridge journal moved CN01",
        acts=True,
    ),
    Command(
        "restored",
        "commands.restored:journal_restored",
        "Say until when a newer copy of the journal was in use; what it may have sent is doubted.",
        "claimbridge journal restored --until 2026-03-31T18:30:00+08:00",
        acts=True,
    ),
)


class Tree(NamedTuple):
    """Commands under one word: what they are about, and where the help lists them."""

    commands: tuple[Command, ...]
    about: str
    title: str
    position: int = 0


TREES: Final = {
    "journal": Tree(
        JOURNAL,
        "Look into the journal, and settle what is parked.",
        "Claims and the ledger",
        9,
    ),
    "chart": Tree(
        CHART,
        "Check a chart of accounts, and test it with example claims.",
        "Before anything is sent",
        9,
    ),
    "hesi": Tree(
        HESI,
        "Try a field map on saved documents of Hesi's.",
        "Before anything is sent",
        10,
    ),
    "contract": Tree(CONTRACT, "Lock an ERP's WSDL, and look into it.", "Contracts"),
}
"""The words that do nothing alone; ``intake`` does something, and builds its own tree."""


def commands() -> Iterator[tuple[list[str], Command]]:
    """Yield every command, each after the words that name it."""
    for group in GROUPS.values():
        for command in group:
            yield [command.name], command
    under = {name: tree.commands for name, tree in TREES.items()}
    for name, below in {**under, "intake": INTAKE}.items():
        for command in below:
            yield [name, command.name], command


def acts(arguments: Sequence[str]) -> bool:
    """Return whether the command that these arguments name changes something that stays."""
    return any(
        command.acts and list(arguments[: len(names)]) == names for names, command in commands()
    )


__all__ = [
    "CHART",
    "CONTRACT",
    "GROUPS",
    "HESI",
    "INTAKE",
    "JOURNAL",
    "TREES",
    "Command",
    "Tree",
    "acts",
    "commands",
]
