"""What two providers' answers look like, and where they differ: kinds of values, never the values.

Pure.  A shape is ``{path: kinds}``: ``payments.links.mandate`` → ``{"text"}``; ``[]`` stands for
any element of a list.  What an answer holds (names, ids, tokens) is in no shape.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Shape = Mapping[str, frozenset[str]]
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})")
#: What a partner names itself: the members are nobody's shape.
OPEN = frozenset({"metadata", "resource_metadata"})
#: Lists whose elements are of several kinds, and the members that say of which.
NAMED = {"events": ("resource_type", "action"), "actions": ("type",)}
EMPTY = "empty "


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: which step asked for it, how it was asked, its status and its JSON."""

    step: str
    operation: str
    status: int
    body: Any


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that the one provider's answers have and the other's have not, or otherwise."""

    step: str
    path: str
    simulator: str
    sandbox: str

    def __str__(self) -> str:
        return f"{self.step}: {self.path}: simulator {self.simulator}, sandbox {self.sandbox}"


def kind(value: Any) -> str:
    """What sort of value it is."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case str() if DAY.fullmatch(value):
            return "date"
        case str() if INSTANT.fullmatch(value):
            return "instant"
        case str():
            return "text"
        case list():
            return "list" if value else "empty list"
        case dict():
            return "object" if value else "empty object"
    return "number"


def shape_of(value: Any) -> Shape:
    """The shape of a JSON value."""
    found: dict[str, set[str]] = {}
    for path, what in _leaves("", value):
        found.setdefault(path, set()).add(what)
    return {path: frozenset(kinds) for path, kinds in found.items()}


def _leaves(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if path.rpartition(".")[2] in OPEN:
        yield path, "object" if isinstance(value, dict) else kind(value)
        return
    if path:
        yield path, kind(value)
    if isinstance(value, dict):
        for name, inner in value.items():
            below = f"{path}.{name}".lstrip(".")
            if name in NAMED and isinstance(inner, list):
                yield from _by_name(below, inner, NAMED[name])
            else:
                yield from _leaves(below, inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(f"{path}[]", inner)


def _by_name(path: str, rows: Sequence[Any], names: Sequence[str]) -> Iterator[tuple[str, str]]:
    yield path, kind(rows)
    for row in rows:
        name = ".".join(str(row.get(each)) for each in names) if isinstance(row, dict) else "?"
        yield from _leaves(f"{path}[{name}]", row)


def differences(simulator: Sequence[Answer], sandbox: Sequence[Answer]) -> list[Difference]:
    """Call by call; several answers to one call of a step (polls) count as one with all members."""
    ours, theirs = _by_step(simulator), _by_step(sandbox)
    found: list[Difference] = []
    for step in dict.fromkeys([*ours, *theirs]):
        if step not in ours or step not in theirs:
            sides = ("asked" if step in side else "never asked" for side in (ours, theirs))
            found.append(Difference(step, "the whole answer", *sides))
            continue
        (our_status, our_shape), (their_status, their_shape) = ours[step], theirs[step]
        if our_status != their_status:
            found.append(Difference(step, "status", our_status, their_status))
        for path in sorted({*our_shape, *their_shape}):
            mine, other = _words(our_shape.get(path)), _words(their_shape.get(path))
            if mine != other and not _follows(path, our_shape, their_shape):
                found.append(Difference(step, path, mine, other))
    return found


def _follows(path: str, ours: Shape, theirs: Shape) -> bool:
    """Whether this is only so because what holds it differs, or is empty on one side."""
    cut = max(path.rfind("."), path.rfind("["))
    while cut > 0:
        above = path[:cut]
        mine, other = ours.get(above), theirs.get(above)
        if above in ours or above in theirs:
            hollow = any(each.startswith(EMPTY) for each in {*(mine or ()), *(other or ())})
            if hollow or _words(mine) != _words(other):
                return True
        cut = max(above.rfind("."), above.rfind("["))
    return False


def _words(kinds: frozenset[str] | None) -> str:
    """For a reader; whether a list or an object is empty is no difference."""
    if kinds is None:
        return "does not have it"
    return " or ".join(sorted({each.removeprefix(EMPTY) for each in kinds}))


def _by_step(answers: Sequence[Answer]) -> dict[str, tuple[str, Shape]]:
    found: dict[str, tuple[str, dict[str, frozenset[str]]]] = {}
    for answer in answers:
        step = f"{answer.step} ({answer.operation})"
        _, shape = found.setdefault(step, ("", {}))
        for path, kinds in shape_of(answer.body).items():
            shape[path] = shape.get(path, frozenset()) | kinds
        found[step] = (str(answer.status), shape)
    return {step: (status, shape) for step, (status, shape) in found.items()}
