"""Codes of a chart that no ERP or claim has: unknown accounts, departments, two spellings."""

from __future__ import annotations

import difflib
import itertools
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Final, Literal, TypeAlias

from claimbridge.mapping.chart.facts import CONDITIONS
from claimbridge.mapping.chart.finding import ChartFinding
from claimbridge.mapping.chart.rules import ChartRules
from claimbridge.model.text import plain

_Places: TypeAlias = defaultdict[str, list[str]]
"""By code, where the chart names it."""
_ALIKE: Final = 2000
"""Among how many listed codes the nearest is looked for."""
_SHOWN: Final = 20
"""How many departments a note shows."""


def unknown_accounts(rules: ChartRules, known: Collection[str]) -> Iterator[ChartFinding]:
    """Find accounts that the ERP does not have; ``known`` are those that it has."""
    places: _Places = defaultdict(list)
    for where, account in _accounts_of(rules):
        if account not in known:
            places[account].append(where)
    for account, named in places.items():
        alike = [one for one in known if one[:3] == account[:3]][:_ALIKE]
        near = difflib.get_close_matches(account, alike, n=1)
        yield _not_in_list("account", account, named, near)


def unknown_departments(rules: ChartRules, known: Collection[str] | None) -> Iterator[ChartFinding]:
    """Find departments of rows' conditions that no claim may name; ``known`` are those it may.

    None: nobody listed them. Then a note shows those of the chart, for a person to compare.
    """
    places = _values_of(rules, "department")
    if known is None:
        if places:
            more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
            shown = f"{', '.join(itertools.islice(places, _SHOWN))}{more}"
            text = f"rows name {shown}; no list says which departments claims may name"
            yield ChartFinding("department", "note", "chart", text)
        return
    there = {plain(one): one for one in known}
    for department, named in places.items():
        if department not in there:
            yield _not_in_list("department", department, named, _nearest(department, there))


def two_spellings(rules: ChartRules) -> Iterator[ChartFinding]:
    """Find codes that a chart writes in two ways that differ in capitals alone.

    Claims are compared letter by letter, so that one of the two may never fit. Where the same rows
    name both, they mean it.
    """
    for name in ("type", *CONDITIONS):
        spelt: defaultdict[str, dict[str, list[str]]] = defaultdict(dict)
        for code, named in _values_of(rules, name).items():
            spelt[code.casefold()][code] = named
        for codes in spelt.values():
            if len({tuple(named) for named in codes.values()}) > 1:
                first = [named[0] for named in codes.values()]
                yield ChartFinding(
                    "spelling",
                    "look",
                    " and ".join(dict.fromkeys(first)),
                    f"{name} {' and '.join(codes)} differ in capitals alone, and a claim's must be "
                    "the same letter by letter; write one of them everywhere",
                )


def _values_of(rules: ChartRules, name: str) -> _Places:
    """Return the values of a condition, or the types, with the places that name each."""
    places: _Places = defaultdict(list)
    for row in rules.rows.rows:
        if name == "type":
            places[row.type].append(row.label)
            continue
        for value in sorted(row.conditions[CONDITIONS.index(name)] or ()):
            places[value].append(row.label)
    return places


def _nearest(code: str, there: Mapping[str, str]) -> list[str]:
    """Return the listed code that is meant, or nothing: first one that differs in capitals."""
    folded = {one.casefold(): one for one in itertools.islice(there, _ALIKE)}
    near = difflib.get_close_matches(code.casefold(), folded, n=1)
    return [there[folded[one]] for one in near]


def _not_in_list(
    kind: Literal["account", "department"], code: str, named: list[str], near: list[str]
) -> ChartFinding:
    hint = f"; did you mean {near[0]}?" if near else ""
    more = f" and {len(named) - 1} more" if len(named) > 1 else ""
    text = f"{kind} {code} is not in the list of {kind}s{hint}"
    return ChartFinding(kind, "mend", f"{named[0]}{more}", text)


def _accounts_of(rules: ChartRules) -> Iterator[tuple[str, str]]:
    for row in rules.rows.rows:
        yield row.label, row.account
        if row.taxable_account:
            yield f"{row.label}, taxable_account", row.taxable_account
    for name in rules.accounts.__struct_fields__:
        value = getattr(rules.accounts, name)
        if isinstance(value, str):
            yield f"accounts.{name}", value
    for rate, account in rules.accounts.input_tax.items():
        yield "accounts.input_tax" + ("" if rate is None else f".{rate}"), account
    for code, company in rules.companies.items():
        for other, between in company.intercompany.items():
            for name in ("receivable", "payable"):
                if getattr(between, name) is not None:
                    where = f"company.{code}.intercompany.{other}.{name}"
                    yield where, getattr(between, name)


__all__ = ["two_spellings", "unknown_accounts", "unknown_departments"]
