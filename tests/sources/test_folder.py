"""A folder as a source: layouts, encodings, files in the making, and where files go."""

from __future__ import annotations

import csv
import datetime as dt
import os
import stat
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from tests.sources.conftest import EXAMPLES, Inbox, plain

from claimbridge.clock import SYSTEM, Uptime
from claimbridge.errors import ClaimBridgeError, ClaimError, ConfigurationError
from claimbridge.model import Claim, Standing, State
from claimbridge.sandbox import Sandbox
from claimbridge.sources.base import Arrival
from claimbridge.sources.csv.layouts import claims_in
from claimbridge.sources.folder import FolderSettings, FolderSource

HEADER = (
    "id,revision,company,employee,currency,total,title,line.type,line.date,line.amount,line.text"
)


def read(data: bytes | str, suffix: str) -> list[Claim]:
    """Return the claims of a file that has no others."""
    found = list(
        claims_in(data.encode() if isinstance(data, str) else data, suffix=suffix, what="f")
    )
    errors = [one for one in found if isinstance(one, ClaimBridgeError)]
    assert not errors, errors
    return [one for one in found if isinstance(one, Claim)]


def fault(data: bytes | str, suffix: str) -> ClaimBridgeError:
    """Return the only error of a file."""
    try:
        raw = data.encode() if isinstance(data, str) else data
        (found,) = list(claims_in(raw, suffix=suffix, what="f"))
    except ClaimBridgeError as error:
        return error
    assert isinstance(found, ClaimBridgeError)
    return found


# --- layouts --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted((EXAMPLES / "claims").glob("*.json")), ids=lambda p: p.stem)
def test_json_is_read_as_claims_are(path: Path) -> None:
    """One claim, a list, an object with a list, a line each: the same claim."""
    data = path.read_bytes()
    claim = Claim.from_json(data)
    assert read(data, ".json") == [claim]
    assert read(b"\xef\xbb\xbf[" + data + b",\n" + data + b"]", ".json") == [claim, claim]
    assert read(b'{"claims": [' + data + b"]}", ".json") == [claim]
    assert read(claim.to_json() + b"\n\n" + claim.to_json() + b"\n", ".jsonl") == [claim, claim]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_has_a_row_for_each_line(encoding: str, delimiter: str) -> None:
    """Rows of one claim share id and revision, wherever they stand."""
    rows = [
        f"{HEADER},line.dimensions.fund,dimensions.area,document.kind,document.number",
        "A,2,CN01,E1,CNY,30.00,出差,taxi,2026-03-09,10.00,车站,7,north,vat_ordinary,26312000000000123456",
        "B,,CN01,E2,CNY,5.00,,taxi,2026-03-09,5.00,,,,,",
        "A,2,CN01,E1,CNY,30.00,出差,office,2026-03-10,20.00,,,north,,",
        ",,,,,,,,,,,,,,",
    ]
    text = "\r\n".join(row.replace(",", delimiter) for row in rows) + "\r\n"
    first, second = read(text.encode(encoding), ".csv")
    assert (first.id, first.revision, first.title) == ("A", 2, "出差")
    assert [line.amount for line in first.lines] == [Decimal("10.00"), Decimal("20.00")]
    assert first.lines[0].text == "车站"
    assert first.lines[0].dimensions == {"fund": "7"}
    assert first.dimensions == {"area": "north"}
    assert first.lines[0].documents[0].number == "26312000000000123456"
    assert first.lines[1].documents == ()
    assert first.lines[1].date == dt.date(2026, 3, 10)
    assert (second.id, second.revision) == ("B", 1)


def test_csv_keeps_quoted_texts_whole() -> None:
    """A separator, a quote or a line break inside quotes belongs to the text."""
    row = 'A,1,CN01,E1,CNY,10.00,"a, ""b""\nc",taxi,2026-03-09,10.00,'
    (claim,) = read(f"{HEADER}\n{row}\n", ".csv")
    assert claim.title == 'a, "b"\nc'


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ("", "no column"),
        ("id,line.type\n", "line.amount"),
        (HEADER, "no rows"),
        (f"{HEADER},id\n", "id twice"),
        (f"{HEADER}\nA,1,CN01\n", "row 2 has 3 cells, the header 11"),
        (f'{HEADER}\nA,1,CN01,E1,CNY,10.00,"open\n', "not CSV"),
        (f"{HEADER}\nA,1,CN01,E1,CNY,10.00,{'x' * 200_000},taxi,2026-03-09,10.00,\n", "title"),
        (f"{HEADER}\nA,x,CN01,E1,CNY,10.00,,taxi,2026-03-09,10.00,\n", "revision"),
        (f"{HEADER}\nA,1,CN01,E1,CNY,10.00,,taxi,9/3/2026,10.00,\n", "date"),
        (f'{HEADER}\nA,1,CN01,E1,CNY,"1,060.00",,taxi,2026-03-09,10.00,\n', "total"),
        (f"{HEADER},colour\nA,1,CN01,E1,CNY,10.00,,taxi,2026-03-09,10.00,,red\n", "colour"),
        (f"{HEADER},line.personal\nA,1,CN01,E1,CNY,10.00,,taxi,2026-03-09,10.00,,si\n", "personal"),
        (b"\xff" * 99, "neither UTF-8 nor UTF-16 nor GB18030"),
    ],
)
def test_csv_that_is_wrong_is_told(data: bytes | str, told: str) -> None:
    """By its row or its column, in the words of the sheet."""
    assert told in fault(data, ".csv").message


def test_a_cell_too_long_is_its_own_claims_trouble() -> None:
    """The other claims of the file go on; the csv module's limit is left as it was."""
    before = csv.field_size_limit()
    good = "B,1,CN01,E2,CNY,10.00,,taxi,2026-03-09,10.00,"
    cell = "x" * 200_000
    bad = good.replace("B", "A").replace(",,", f",{cell},", 1)
    data = f"{HEADER}\n{bad}\n{good}\n"
    long, other = claims_in(data.encode(), suffix=".csv", what="a.csv")
    assert isinstance(long, ClaimError)
    assert (long.claim_id, long.code) == ("A", "CB-140")
    assert isinstance(other, Claim)
    assert other.id == "B"
    assert csv.field_size_limit() == before


def test_claim_columns_that_differ_are_told_by_row_and_column() -> None:
    """A total that differs from row to row is a mistake, whichever is right."""
    first = "A,1,CN01,E1,CNY,30.00,,taxi,2026-03-09,10.00,"
    rows = f"{first}\n{first.replace('30.00', '31.00')}"
    error = fault(f"{HEADER}\n{rows}\n", ".csv")
    assert (error.code, error.claim_id) == ("CB-536", "A")
    assert error.message.startswith("total: row 3 says '31.00', row 2 of the same claim '30.00'")


XML = """<?xml version="1.0" encoding="{encoding}"?>
<claims xmlns="urn:anything"><!-- two -->
 <claim><id>A</id><revision>2</revision><company>CN01</company><employee>E1</employee>
  <currency>CNY</currency><total>30.00</total><title>出差</title>
  <dimensions><dimension name="area">north</dimension></dimensions>
  <lines>
   <line><type>taxi</type><date>2026-03-09</date><amount>30.00</amount>
    <payment>company_card</payment><personal>true</personal>
    <documents><document><kind>vat_ordinary</kind><number>26312000000000123456</number></document>
    </documents>
   </line>
  </lines></claim>
 <claim><id>B</id><company>CN01</company><employee>E2</employee><currency>CNY</currency>
  <total>5.00</total><lines><line><type>taxi</type><date>2026-03-09</date><amount>5.00</amount>
   <text/><allocations><allocation><share>0.4</share><project>P</project></allocation>
   <allocation><share>0.6</share></allocation></allocations></line></lines></claim>
</claims>"""


@pytest.mark.parametrize("encoding", ["UTF-8", "GB18030", "GBK", "UTF-16"])
def test_xml_is_named_like_the_json(encoding: str) -> None:
    """What repeats stands in an element of its own."""
    first, second = read(XML.format(encoding=encoding).encode(encoding), ".xml")
    assert (first.id, first.revision, first.title) == ("A", 2, "出差")
    assert first.dimensions == {"area": "north"}
    assert first.lines[0].personal is True
    assert first.lines[0].documents[0].number == "26312000000000123456"
    assert [one.share for one in second.lines[0].allocations] == [Decimal("0.4"), Decimal("0.6")]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ("", "CB-150"),
        ("<claim>", "CB-150"),
        ("<order/>", "CB-543"),
        ('<!DOCTYPE x [<!ENTITY e "x">]><claim>&e;</claim>', "CB-151"),
        ("<claim><id>A</id><id>B</id></claim>", "CB-536"),
        ("<claim><id>A</id><lines><item/></lines></claim>", "CB-536"),
        ("<claim>text</claim>", "CB-536"),
        ("<claim><id>A</id><lines>x</lines></claim>", "CB-100"),
        (f"<claim><id>A</id><title>{'x' * 10_000_001}</title></claim>", "CB-152"),
        (f"<claim>{'<a>' * 300}{'</a>' * 300}</claim>", "CB-152"),
    ],
)
def test_xml_that_is_wrong_is_told(data: str, told: str) -> None:
    """Hostile, malformed, or not what a claim looks like."""
    assert fault(data, ".xml").code == told


@pytest.mark.parametrize(
    "data", ["", "  ", "null", "7", '"a"', "[1]", "{", '{"claims": 3}', "[" * 10_000]
)
def test_json_that_is_wrong_is_told(data: str) -> None:
    """Whatever it is, it is one error of ours."""
    assert isinstance(fault(data, ".json"), ClaimError)


# --- files ----------------------------------------------------------------------------------------


class Moment:
    """A clock that stands still."""

    def __init__(self, ahead: float = 0.0) -> None:
        self._now = SYSTEM.now() + dt.timedelta(seconds=ahead)

    def now(self) -> dt.datetime:
        return self._now

    def monotonic(self) -> float:
        return 0.0

    def uptime(self) -> Uptime:
        return Uptime("test", self.monotonic())


def source(path: Path, *, settle: float = 0.0, ahead: float = 0.0, **more: object) -> FolderSource:
    settings = FolderSettings(path=str(path), settle=settle, **more)  # type: ignore[arg-type]
    return FolderSource("inbox", path, settings, clock=Moment(ahead))


def listed(folder: Path) -> list[str]:
    """Return the names in a folder."""
    return sorted(one.name for one in folder.iterdir())


def posted(source: FolderSource, arrival: Arrival) -> None:
    status = Standing(claim_id="A", revision=1, reference="A", state=State.POSTED, attempt=1)
    source.ended(arrival, standing=status, error=None)


def claim_file(path: Path, name: str = "a.json", claim_id: str = "A") -> Path:
    file = path / name
    file.write_bytes(Claim.from_dict(plain(claim_id)).to_json())
    return file


@pytest.mark.parametrize("name", [".a.json", "a.json.tmp", "a.json.part", "A.JSON.PART", "a.json~"])
def test_files_in_the_making_are_not_looked_at(tmp_path: Path, name: str) -> None:
    """Whoever writes slowly writes under such a name."""
    claim_file(tmp_path, name)
    assert list(source(tmp_path).arrivals()) == []


def test_a_file_is_read_once_it_is_left_alone(tmp_path: Path) -> None:
    """Whatever its modification time is made to say; a clock that was set back hides nothing."""
    file = claim_file(tmp_path)
    os.utime(file, (0, 0))
    assert list(source(tmp_path, settle=60).arrivals()) == []
    assert len(list(source(tmp_path, settle=60, ahead=61).arrivals())) == 1
    assert len(list(source(tmp_path, settle=60, ahead=-3600).arrivals())) == 1


def test_a_file_replaced_meanwhile_is_not_moved(tmp_path: Path) -> None:
    """The new one under the same name has not been read yet."""
    file = claim_file(tmp_path)
    inbox = source(tmp_path)
    (arrival,) = inbox.arrivals()
    file.unlink()
    claim_file(tmp_path, claim_id="B")
    posted(inbox, arrival)
    assert file.exists()
    (other,) = inbox.arrivals()
    assert other.version != arrival.version


def test_a_file_that_vanishes_is_somebody_elses(tmp_path: Path) -> None:
    """Before it is read, and after: no error, nothing to move."""
    file = claim_file(tmp_path)
    inbox = source(tmp_path)
    arrivals = inbox.arrivals()
    claim_file(tmp_path, "b.json", "B")
    first = next(arrivals)
    for one in (file, tmp_path / "b.json"):
        one.unlink()
    assert list(arrivals) == []
    posted(inbox, first)
    assert listed(tmp_path / "done") == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A second file of the same name lies beside the first."""
    for number in range(3):
        claim_file(tmp_path, claim_id=f"A{number}")
        inbox = source(tmp_path)
        (arrival,) = inbox.arrivals()
        posted(inbox, arrival)
    assert listed(tmp_path / "done") == ["a.1.json", "a.2.json", "a.json"]


def test_a_second_telling_changes_nothing(tmp_path: Path) -> None:
    """A pass that was killed after the move tells again."""
    claim_file(tmp_path)
    inbox = source(tmp_path)
    (arrival,) = inbox.arrivals()
    posted(inbox, arrival)
    posted(inbox, arrival)
    posted(source(tmp_path), arrival)
    assert listed(tmp_path / "done") == ["a.json"]


def test_what_is_no_plain_file_is_refused(tmp_path: Path) -> None:
    """A link out of the folder is not followed, a pipe is not waited for."""
    outside = tmp_path / "outside"
    outside.mkdir()
    secret = claim_file(outside, "secret.json")
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "link.json").symlink_to(secret)
    (inbox / "dangling.json").symlink_to(outside / "nothing")
    os.mkfifo(inbox / "pipe.json")
    (inbox / "folder.json").mkdir()
    (inbox / "note.txt").write_text("hello")
    made = source(inbox)
    found = {one.key: one for one in made.arrivals()}
    assert sorted(found) == ["dangling.json", "link.json", "note.txt", "pipe.json"]
    for one in found.values():
        assert one.claim is None
        assert one.error is not None
        made.ended(one, standing=None, error=one.error)
    assert (inbox / "refused/link.json").is_symlink()
    assert secret.exists()
    assert stat.S_ISFIFO((inbox / "refused/pipe.json").lstat().st_mode)


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    """Its size is told; nothing of it is taken into memory."""
    with (tmp_path / "huge.json").open("wb") as file:
        file.truncate(100_000_000)
    (arrival,) = source(tmp_path).arrivals()
    assert arrival.error is not None
    assert "100000000 bytes" in arrival.error.message


def test_names_of_any_bytes(tmp_path: Path) -> None:
    """Names that are no text, hold a hash or are as long as can be: moved, with a reason."""
    names = [b"\xff\xfe.json", "费用#1.json".encode(), b"n" * 250 + b".json"]
    for name in names:
        (tmp_path / os.fsdecode(name)).write_bytes(b"{")
    inbox = source(tmp_path)
    for arrival in list(inbox.arrivals()):
        inbox.ended(arrival, standing=None, error=arrival.error)
    refused = [os.fsencode(name) for name in listed(tmp_path / "refused")]
    assert set(names) <= set(refused)
    assert len([name for name in refused if name.endswith(b".reason.txt")]) == 3


_NOBODY = """
import os, sys
from pathlib import Path
from claimbridge.errors import ConfigurationError
from claimbridge.sources.folder import FolderSettings, FolderSource
folder = Path(sys.argv[1])
os.setgid(65534); os.setuid(65534)
source = FolderSource("inbox", folder, FolderSettings(path=str(folder), settle=0))
(arrival,) = source.arrivals()
print(arrival.error)
try:
    source.ended(arrival, standing=None, error=arrival.error)
except ConfigurationError as error:
    print(error)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody")
def test_what_may_not_be_read_or_moved_is_told(tmp_path: Path) -> None:
    """Permission denied is an error of ours that names the file, and nothing is lost."""
    for folder in (tmp_path, *list(tmp_path.parents)[:3]):
        folder.chmod(0o755)
    for name in ("done", "refused"):
        (tmp_path / name).mkdir()
    claim_file(tmp_path).chmod(0o600)
    done = subprocess.run(
        [sys.executable, "-c", _NOBODY, str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    unread, unmoved = done.stdout.splitlines()
    assert unread.startswith("CB-536 a.json cannot be read: Permission denied")
    assert unmoved.startswith("CB-535")
    assert (tmp_path / "a.json").exists()


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    """As a set-up that is wrong, not as an empty folder."""
    inbox = source(tmp_path)
    (tmp_path / "done").rmdir()
    (tmp_path / "refused").rmdir()
    tmp_path.rmdir()
    with pytest.raises(ConfigurationError) as gone:
        list(inbox.arrivals())
    assert gone.value.code == "CB-535"
    with pytest.raises(ConfigurationError):
        source(tmp_path)
    tmp_path.mkdir()


def test_a_crash_between_submission_and_move_is_harmless(
    inbox: Inbox, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is read again, is known, is not posted again, and is moved now."""
    inbox.put("a.json", plain("A"))
    inbox.put("rows.csv", f"{HEADER}\nB,1,CN01,E1,CNY,9.00,,taxi,2026-03-09,9.00,\n".encode("gbk"))
    with monkeypatch.context() as patched:
        patched.setattr(FolderSource, "ended", _die)
        with pytest.raises(_Death):
            inbox.intake()
    assert inbox.files() == ["a.json", "rows.csv"]
    assert {one["state"] for one in inbox.intake().values()} == {"accepted"}
    assert inbox.files("done") == ["a.json", "rows.csv"]
    assert len(sandbox.ledger()) == 2


class _Death(BaseException):
    """The process ends here."""


def _die(*_: object, **__: object) -> None:
    raise _Death
