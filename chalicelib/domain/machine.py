"""What a state machine is: a table of moves, checked when it is declared.

The tables themselves stand beside their nouns (applications, loans, transactions, mandates).  A
move that the table does not know is refused; nothing moves silently.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from chalicelib.domain.errors import Refused


@dataclass(frozen=True, slots=True)
class Machine:
    """States and, per command, which state leads where.

    ``moves`` maps a command to ``{state: next state}``.  ``final`` states have no way out except
    the moves that name them.
    """

    noun: str
    states: tuple[str, ...]
    initial: str
    moves: Mapping[str, Mapping[str, str]]
    refusals: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = set(self.states)
        used = {self.initial} | {s for m in self.moves.values() for pair in m.items() for s in pair}
        if used - known:
            raise ValueError(f"{self.noun}: unknown states {sorted(used - known)}")
        reachable = self._reachable()
        if known - reachable:
            raise ValueError(f"{self.noun}: unreachable states {sorted(known - reachable)}")

    def _reachable(self) -> set[str]:
        seen, frontier = {self.initial}, [self.initial]
        while frontier:
            state = frontier.pop()
            for targets in self.moves.values():
                target = targets.get(state)
                if target is not None and target not in seen:
                    seen.add(target)
                    frontier.append(target)
        return seen

    def can(self, state: str, command: str) -> bool:
        """Whether ``command`` moves from ``state``."""
        return state in self.moves[command]

    def move(self, state: str, command: str) -> str:
        """The state after ``command``, or :class:`Refused` with the command's own code."""
        target = self.moves[command].get(state)
        if target is None:
            code = self.refusals.get(state, "invalid_status")
            raise Refused(
                code,
                f"{command} is not possible while the {self.noun} is {state}; "
                f"it is from {_words(self.moves[command])}.",
                {"status": state, "command": command},
            )
        return target


def _words(states: Iterable[str]) -> str:
    return ", ".join(states)
