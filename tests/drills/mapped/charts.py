"""Random charts that answer for the random claims, mostly."""

from __future__ import annotations

import random

from claimbridge.mapping import Chart

COMPANIES = {"C1": "CNY", "C2": "CNY", "C3": "EUR"}
CURRENCIES = ("CNY", "EUR", "USD", "JPY", "KWD")
TYPES = ("taxi", "travel", "hotel", "meals", "office")
DEPARTMENTS = ("RD", "HR", "")
KINDS = ("special", "ordinary", "rail", "receipt")
PER_KM = "0.83"
PER_DAY = "50"

_HEAD = """
[chart]
name = "drill"
[accounts]
employee_payable = "P"
card_payable = "K"
rounding = "R"
fx_difference = "X"
"""


def random_chart(draw: random.Random) -> tuple[Chart, bool]:
    """Return a chart, and whether it recharges what other companies bear."""
    recharges = draw.random() < 0.3
    text = [_HEAD]
    if draw.random() < 0.95:
        text.append('card_clearing = "CC"\n')
    if draw.random() < 0.95:
        text.append('advance_clearing = "AC"\n')
    if draw.random() < 0.3:
        text.append('non_deductible_tax = "N"\n')
    few = draw.random() < 0.1
    text.append('input_tax = { gst = "T1", "0.06" = "T2" }\n' if few else 'input_tax = "T"\n')
    for company, currency in COMPANIES.items():
        text.append(_company(draw, company, currency))
    text.append(f'[allocation]\nremainder = "{draw.choice(["largest", "first", "last"])}"\n')
    text.append(f'[intercompany]\nmode = "{"recharge" if recharges else "both"}"\n')
    text.extend(_invoices(draw))
    for place, type_ in enumerate(TYPES):
        if draw.random() < 0.5:
            text.append(_row(draw, type_, f"D{place}") + 'department = ["RD"]\n')
        if draw.random() < 0.98:
            text.append(_row(draw, type_, f"E{place}"))
    text.append(f'[[expense]]\ntype = "km"\naccount = "KM"\nper_unit = {PER_KM}\nunit = "km"\n')
    text.append(
        f'[[expense]]\ntype = "day"\naccount = "DAY"\nper_unit = {PER_DAY}\n'
        f"tax_free_per_unit = {draw.choice(['24', '50', '60', '0.01'])}\n"
        'taxable_account = "TAXABLE"\n'
    )
    return Chart.from_toml("".join(text).encode()), recharges


def _company(draw: random.Random, company: str, currency: str) -> str:
    text = f'[company.{company}]\ncurrency = "{currency}"\n'
    rates = [one for one in CURRENCIES if one != currency and draw.random() < 0.4]
    if rates:
        text += f"[company.{company}.rates]\n"
        text += "".join(f"{one} = {draw.randint(1, 10**6)}e-4\n" for one in rates)
    for other in COMPANIES:
        if other != company and draw.random() < 0.95:
            text += f'[company.{company}.intercompany.{other}]\nreceivable = "IR"\n'
            text += 'payable = "IP"\n'
    return text


def _invoices(draw: random.Random) -> list[str]:
    rules = ['[[invoice]]\nkind = "special"\ndeductible = 1\n']
    rules.append(
        '[[invoice]]\nkind = "ordinary"\n' + draw.choice(['tax="none"\n', "deductible=0\n"])
    )
    rules.append(f'[[invoice]]\nkind = "rail"\ntax_rate = {draw.choice(["0.09", "0.03"])}\n')
    return [rule for rule in rules if draw.random() < 0.8]


def _row(draw: random.Random, type_: str, account: str) -> str:
    return (
        f'[[expense]]\ntype = "{type_}"\naccount = "{account}"\n'
        f"tax_rate = {draw.choice([0, 0, 6, 9, 13])}e-2\n"
        f"deductible = {draw.choice([0, 1, 1, 0.5, 0.333])}\n"
        f'non_deductible_tax = "{draw.choice(["separate", "in_expense"])}"\n'
    )
