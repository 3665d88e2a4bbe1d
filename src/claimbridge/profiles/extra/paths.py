"""Paths into a request's body in the contract's own names, without counts.

``record/lineList/line/class/@internalId``: elements by their keys, at the end perhaps an attribute
or ``#text``. A key with a namespace stands in braces: ``{urn:x}Line/Code``. Where an element
repeats, a path means each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from claimbridge.errors import ConfigurationError

_STEP: Final = re.compile(r"(?:\{[^{}]*\})?[^/{}\[\]@#\s]+")
_LAST: Final = re.compile(r"(?:@(?:\{[^{}]*\})?[^/{}\[\]@#\s]+|#text)")
_SLASH: Final = re.compile(r"/(?![^{}]*\})")
_COUNT: Final = re.compile(r"\[\d+\]")
_COUNTED: Final = re.compile(r"(.+)\[(\d+)\]")
Steps = tuple[str, ...]
Element = dict[str, Any]


class FilledAlreadyError(Exception):
    """Something stands already at the path that is this error's text."""


def steps_of(path: str, *, what: str) -> Steps:
    """Return the keys of a path; raises ConfigurationError CB-247 for what is none."""
    steps = tuple(_SLASH.split(path))
    above, last = steps[:-1], steps[-1]
    right = all(map(_STEP.fullmatch, above)) and (_STEP.fullmatch(last) or _LAST.fullmatch(last))
    if not right:
        raise ConfigurationError(
            f"{what} {path[:80]!r} is no path; write the contract's names from the request's first "
            "element on, without counts, such as record/lineList/line/class/@internalId",
            code="CB-247",
        )
    return steps


def without_counts(path: str) -> str:
    """Return a path as of findings without its counts."""
    return _COUNT.sub("", path)


def is_within(path: str, above: str) -> bool:
    """Say whether a path is, or leads through, the element at ``above``; "" is the whole body."""
    return not above or path == above or path.startswith(f"{above}/")


def copied(body: Mapping[str, Any]) -> Element:
    """Return a copy whose elements may be changed."""
    return {key: _copied(value) for key, value in body.items()}


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return copied(value)
    return [_copied(each) for each in value] if isinstance(value, list) else value


def element_at(body: Element, path: str) -> Element | None:
    """Return the element at a path with counts, as ``Request.owners`` has it."""
    here: Any = body
    for step in _SLASH.split(path) if path else ():
        counted = _COUNTED.fullmatch(step)
        key, number = (counted[1], int(counted[2])) if counted else (step, 1)
        here = here.get(key) if isinstance(here, dict) else None
        if isinstance(here, list):
            here = here[number - 1] if number <= len(here) else None
    return here if isinstance(here, dict) else None


def leaves(body: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, object]]:
    """Yield each value with its path, counted where a name repeats; ``#text`` is a step too."""
    for key, value in body.items():
        step = f"{path}/{key}" if path else key
        many = value if isinstance(value, list) else [value]
        for number, each in enumerate(many, start=1):
            at = f"{step}[{number}]" if len(many) > 1 else step
            if isinstance(each, Mapping):
                yield from leaves(each, at)
            else:
                yield at, each


def remove(body: Element, steps: Steps) -> None:
    """Take out what stands at ``steps``, in every element that repeats."""
    first, *rest = steps
    inner = body.get(first)
    if not rest or (rest == ["#text"] and not isinstance(inner, dict | list)):
        body.pop(first, None)
        return
    for each in inner if isinstance(inner, list) else [inner]:
        if isinstance(each, dict):
            remove(each, tuple(rest))


def add(element: Element, steps: Steps, value: object, *, repeats: bool) -> None:
    """Put a value at ``steps``, and make the elements on the way; into each that repeats.

    What ``repeats`` is appended to what is there. Raises FilledAlreadyError otherwise.
    """
    first, *rest = steps
    if not rest:
        _add_here(element, first, value, repeats=repeats)
        return
    _opened(element, first)
    inner = element[first]
    for each in inner if isinstance(inner, list) else [inner]:
        add(each, tuple(rest), value, repeats=repeats)


def crosses_several(element: Element, steps: Steps) -> bool:
    """Whether elements that repeat stand on the way to the last step."""
    here: object = element
    for step in steps[:-1]:
        here = here.get(step) if isinstance(here, dict) else None
        if isinstance(here, list):
            return True
    return False


def _opened(element: Element, key: str) -> None:
    """Make what stands at ``key`` elements that can hold others; a text moves beside them."""
    inner = element.get(key)
    if isinstance(inner, list):
        element[key] = [each if isinstance(each, dict) else {"#text": each} for each in inner]
    elif inner is None:
        element[key] = {}
    elif not isinstance(inner, dict):
        element[key] = {"#text": inner}


def _add_here(element: Element, key: str, value: object, *, repeats: bool) -> None:
    there = element.get(key)
    values = value if isinstance(value, list) else [value]
    if there is None and (repeats or len(values) == 1):
        element[key] = value
    elif there is not None and repeats:
        element[key] = [*(there if isinstance(there, list) else [there]), *values]
    else:
        raise FilledAlreadyError(key)
