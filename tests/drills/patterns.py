r"""Every pattern of a folder of contracts, beside xmlschema's reading of it.

    python -m tests.drills.patterns ../shared/contracts

Prints how many patterns and values were compared and each difference; exit code 1 for any that is
not explained. One is: by XSD 1.0 Part 2, Appendix F, ``\w`` holds symbols such as ``+``, and
xmlschema takes Python's ``\w``, which does not. Values are short, since xmlschema hands patterns to
Python's engine, which may take for ever on long ones.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from elementpath.regex import RegexError, translate_pattern

from claimbridge import xmlio
from claimbridge.contract.base.names import XSD
from claimbridge.contract.patterns import Pattern, Undecidable
from claimbridge.errors import ClaimBridgeError

VALUES: Final = (
    *("", " ", "0", "A", "a", "AB12", "CN01", "2026-03-09", "12.50", "-3", "EXP-1", "a@b.cn"),
    *("费用", "P1Y", "x" * 12, "1" * 12, "A_b-c.d"),
)
LONGEST: Final = 12


def patterns_of(folder: Path) -> Iterator[str]:
    """Yield each pattern of the contracts under a folder, once."""
    seen: set[str] = set()
    for place in sorted((*folder.rglob("*.xsd"), *folder.rglob("*.wsdl"))):
        try:
            root = xmlio.parse(place.read_bytes(), what=place.name)
        except ClaimBridgeError:
            continue
        for facet in root.iter(f"{{{XSD}}}pattern"):
            source = facet.get("value", "")
            if source not in seen:
                seen.add(source)
                yield source


def values_for(source: str, chance: random.Random) -> Iterator[str]:
    """Yield values that may be of the form, or nearly."""
    yield from VALUES
    letters = [*dict.fromkeys(source.replace("\\\\", "")), *"aZ09 -."]
    for _ in range(40):
        yield "".join(chance.choices(letters, k=chance.randint(1, LONGEST)))
    for digits in range(1, LONGEST):
        yield "1" * digits
        yield "A" * digits


def explained(source: str, value: str) -> bool:
    r"""Whether two readings differ because only Python's ``\w`` leaves symbols out."""
    return "\\w" in source.lower() and any(unicodedata.category(char)[0] == "S" for char in value)


def compare(folder: Path, seed: int) -> tuple[int, int, int, int, list[str]]:
    """Return patterns, values, patterns unread, differences explained, and others in words."""
    chance = random.Random(seed)
    patterns = values = unread = known = 0
    differences: list[str] = []
    for source in patterns_of(folder):
        patterns += 1
        ours = Pattern(source)
        try:
            theirs = re.compile(
                translate_pattern(
                    source, back_references=False, lazy_quantifiers=False, anchors=False
                )
            )
        except (RegexError, re.error):
            unread += 1
            continue
        for value in values_for(source, chance):
            values += 1
            expected = theirs.fullmatch(value) is not None
            try:
                found: object = ours.matches(value)
            except Undecidable as error:
                found = error
            if found is not expected and explained(source, value):
                known += 1
            elif found is not expected:
                differences.append(f"{source!r} {value!r}: {found}, xmlschema {expected}")
    return patterns, values, unread, known, differences


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    began = time.process_time()
    patterns, values, unread, known, differences = compare(options.folder, options.seed)
    print(
        f"{patterns} patterns, {values} values, {unread} that xmlschema does not read, "
        f"{len(differences)} differences and {known} explained, {time.process_time() - began:.1f} s"
    )
    print("\n".join(differences[:50]))
    return 1 if differences or not patterns else 0


if __name__ == "__main__":
    sys.exit(main())
