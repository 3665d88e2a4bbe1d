"""Doubtful codes of a chart: unknown accounts and departments, and codes in two spellings."""

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
"""The places where the chart names a code, by code."""
_ALIKE: Final = 2000
"""How many listed codes are searched for the nearest."""
_MOST_NAMED: Final = 20
"""How many departments a note shows."""


def unknown_accounts(rules: ChartRules, known: Collection[str]) -> Iterator[ChartFinding]:
    """Find accounts that the ERP does not have; ``known`` are the ERP's."""
    places: _Places = defaultdict(list)
    for where, account in _accounts_of(rules):
        if account not in known:
            places[account].append(where)
    for account, users in places.items():
        alike = [code for code in known if code[:3] == account[:3]][:_ALIKE]
        near = difflib.get_close_matches(account, alike, n=1)
        yield _not_in_list("account", account, users, near)


def unknown_departments(rules: ChartRules, known: Collection[str] | None) -> Iterator[ChartFinding]:
    """Find departments in rows' conditions that no claim may name; ``known`` are those it may name.

    None: nobody listed them. A note then shows those of the chart, for a person to compare.
    """
    places = _values_of(rules, "department")
    if known is None:
        if places:
            more = f" and {len(places) - _MOST_NAMED} more" if len(places) > _MOST_NAMED else ""
            codes = f"{', '.join(itertools.islice(places, _MOST_NAMED))}{more}"
            text = f"rows name {codes}; no list says which departments claims may name"
            yield ChartFinding("department", "note", "chart", text)
        return
    listed = {plain(code): code for code in known}
    for department, users in places.items():
        if department not in listed:
            yield _not_in_list("department", department, users, _nearest(department, listed))


def two_spellings(rules: ChartRules) -> Iterator[ChartFinding]:
    """Find codes that a chart writes in two ways which differ only in capitals.

    Claims are compared letter by letter, so one of the two may never fit. Where the same rows name
    both, both are meant.
    """
    for name in ("type", *CONDITIONS):
        spellings: defaultdict[str, dict[str, list[str]]] = defaultdict(dict)
        for code, users in _values_of(rules, name).items():
            spellings[code.casefold()][code] = users
        for codes in spellings.values():
            if len({tuple(users) for users in codes.values()}) > 1:
                first = [users[0] for users in codes.values()]
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


def _nearest(code: str, listed: Mapping[str, str]) -> list[str]:
    """Return the listed code that is probably meant, or nothing; capitals do not count."""
    folded = {plain_code.casefold(): plain_code for plain_code in itertools.islice(listed, _ALIKE)}
    near = difflib.get_close_matches(code.casefold(), folded, n=1)
    return [listed[folded[match]] for match in near]


def _not_in_list(
    kind: Literal["account", "department"], code: str, users: list[str], near: list[str]
) -> ChartFinding:
    hint = f"; did you mean {near[0]}?" if near else ""
    more = f" and {len(users) - 1} more" if len(users) > 1 else ""
    text = f"{kind} {code} is not in the list of {kind}s{hint}"
    return ChartFinding(kind, "fix", f"{users[0]}{more}", text)


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
    for account in rules.cash_flows:
        yield "cash_flow", account
    for code, company in rules.companies.items():
        for other, between in company.intercompany.items():
            for name in ("receivable", "payable"):
                if getattr(between, name) is not None:
                    where = f"company.{code}.intercompany.{other}.{name}"
                    yield where, getattr(between, name)


__all__ = ["two_spellings", "unknown_accounts", "unknown_departments"]
