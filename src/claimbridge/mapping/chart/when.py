"""The condition ``when`` of a row: an expression of rule-engine over the fields of a line.

Numbers are decimals, computed exactly. Field names and types are checked when the chart is
loaded. Nothing that changes from run to run (the time, chance) can be named.
"""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from claimbridge.errors import MappingError, requires_extra
from claimbridge.mapping.chart.facts import CONDITIONS, Facts
from claimbridge.mapping.chart.patterns import check_pattern
from claimbridge.model.money import EXACT

if TYPE_CHECKING:
    from rule_engine import Rule

MAX_EXPRESSION: Final = 1000

WHEN_FIELDS: Final[dict[str, str]] = {
    "type": "text",
    **dict.fromkeys(CONDITIONS, "text"),
    "cost_centre": "text",
    "text": "text",
    "title": "text",
    "unit": "text",
    "currency": "text",
    "claim_currency": "text",
    "amount": "number",
    "refund": "truth",
    "tax": "number or null",
    "tax_rate": "number or null",
    "quantity": "number or null",
    "date": "date",
    "posting_date": "date",
    "documents": "texts",
    "dimensions": "texts by name",
}
"""The fields of an expression. ``amount`` is in the claim's currency and without a sign, as for
``amount_over``; ``refund`` says whether it was negative. ``currency`` is the line's.
``documents`` are the kinds of the line's documents."""


class When:
    """A checked expression; ``text`` is how it is written."""

    def __init__(self, text: str, rule: Rule) -> None:
        self.text = text
        self._rule = rule

    @classmethod
    @lru_cache(maxsize=4096)  # sheets repeat their expressions, and each takes a millisecond
    def parse(cls, text: str) -> When:
        """Return the expression; raises ValueError saying what is wrong with it.

        Raises MissingExtra where rule-engine is not installed.
        """
        if len(text) > MAX_EXPRESSION:
            raise ValueError(f"it has {len(text)} characters; the limit is {MAX_EXPRESSION}")
        text = text.strip()
        if "<<" in text:
            raise ValueError("<< is not available: it can ask for more memory than there is")
        engine = _engine()
        try:
            rule = engine.Rule(text, context=_context(engine))
        except (engine.errors.EngineError, ArithmeticError, RecursionError, ValueError) as error:
            raise ValueError(_message(error)) from error
        result = rule.statement.expression.result_type
        if result.name != "BOOLEAN":
            raise ValueError(
                f"it gives {_KINDS.get(result.name, result.name.lower())}, not true or false; "
                "compare it with something"
            )
        for comparison in _regular(rule.statement.expression):
            _check_regular(comparison)
        return cls(text, rule)

    def holds(self, facts: Facts) -> bool:
        """Return whether a line fits; raises MappingError CB-197 where that cannot be judged."""
        try:
            return bool(self._rule.matches(facts))
        except Exception as error:  # rule-engine raises errors of decimal, of re and its own
            raise MappingError(
                f'a line of type "{facts.type}": the condition when {self.text!r} cannot be '
                f"judged: {_message(error)}; guard what a line may lack: (quantity ?? 0) > 3",
                code="CB-197",
                claim_id=facts.claim.id,
            ) from error

    def __reduce__(self) -> tuple[object, ...]:
        # A chart goes to other processes; the expression is parsed anew there.
        return When.parse, (self.text,)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, When) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"When({self.text!r})"


def _regular(node: object) -> Iterator[Any]:
    """Yield the comparisons with a regular expression in an expression, however deep."""
    if isinstance(node, (tuple, list)):
        for child in node:
            yield from _regular(child)
    elif isinstance(node, Mapping):
        yield from _regular([*node, *node.values()])
    elif type(node).__module__.startswith("rule_engine.ast"):
        if type(node).__name__ == "FuzzyComparisonExpression":
            yield node
        slots = [slot for kind in type(node).__mro__ for slot in getattr(kind, "__slots__", ())]
        yield from _regular([getattr(node, name, None) for name in sorted({*slots, *vars(node)})])


def _check_regular(comparison: Any) -> None:
    """Refuse a pattern that could run for long, or that comes from a claim (ValueError)."""
    pattern = getattr(comparison.right, "value", None)
    if not isinstance(pattern, str):
        raise ValueError("a regular expression must be written out, and not come from a claim")
    check_pattern(pattern, anywhere=comparison.type.endswith("fzs"))


def _engine() -> Any:
    with requires_extra("rules", need="a chart's condition when needs rule-engine"):
        import rule_engine
    return rule_engine


_KINDS: Final = {"FLOAT": "a number", "STRING": "a text", "DATETIME": "a date"}


def _context(engine: Any) -> Any:
    kinds = engine.DataType
    number = kinds.NULLABLE(kinds.FLOAT)
    by_name = {
        "text": kinds.STRING,
        "number": kinds.FLOAT,
        "number or null": number,
        "truth": kinds.BOOLEAN,
        "date": kinds.DATETIME,
        "texts": kinds.ARRAY(kinds.STRING),
        "texts by name": kinds.MAPPING(kinds.STRING, kinds.STRING),
    }
    types = {name: by_name[kind] for name, kind in WHEN_FIELDS.items()}
    context = engine.Context(
        resolver=_resolve,
        type_resolver=engine.type_resolver_from_dict(types),
        default_timezone="utc",
        decimal_context=EXACT,
    )

    class Nothing(engine.builtins.Builtins):  # type: ignore[misc]  # rule-engine has no types
        """No $now and no $random: the same claim must always find the same row."""

        def resolve_type(self, name: str) -> Any:
            raise engine.errors.SymbolResolutionError("$" + name)

    context.builtins = Nothing({})
    return context


def _message(error: Exception) -> str:
    """Return rule-engine's sentence; for an unknown field, one with the nearest field."""
    symbol = getattr(error, "symbol_name", None)
    if isinstance(symbol, str):
        near = difflib.get_close_matches(symbol, WHEN_FIELDS, n=1)
        hint = f'did you mean "{near[0]}"?' if near else f"there are {', '.join(WHEN_FIELDS)}"
        return f'unknown field "{symbol}"; {hint}'
    return str(getattr(error, "message", None) or error or type(error).__name__)[:300]


def _exact(name: str) -> Callable[[Facts], object]:
    place = CONDITIONS.index(name)
    return lambda facts: facts.exact[place]


_VALUES: Final[Mapping[str, Callable[[Facts], object]]] = {
    "type": lambda facts: facts.type,
    **{name: _exact(name) for name in CONDITIONS},
    "cost_centre": lambda facts: facts.line.cost_centre or facts.claim.cost_centre,
    "text": lambda facts: facts.line.text,
    "title": lambda facts: facts.claim.title,
    "unit": lambda facts: facts.line.unit,
    "currency": lambda facts: facts.line.currency or facts.claim.currency,
    "claim_currency": lambda facts: facts.claim.currency,
    "amount": lambda facts: facts.amount,
    "refund": lambda facts: facts.line.amount < 0,
    "tax": lambda facts: facts.line.tax,
    "tax_rate": lambda facts: facts.line.tax_rate,
    "quantity": lambda facts: facts.line.quantity,
    "date": lambda facts: _midnight(facts.line.date),
    "posting_date": lambda facts: _midnight(facts.posting),
    "documents": lambda facts: tuple(document.kind for document in facts.line.documents),
    "dimensions": lambda facts: {**facts.claim.dimensions, **facts.line.dimensions},
}


def _resolve(facts: Facts, name: str) -> object:
    """Return the value of a field that an expression names."""
    return _VALUES[name](facts)


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)
