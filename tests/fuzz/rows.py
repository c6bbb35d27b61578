"""A row of the table: a callable, a valid call of it, and what is looked at of its result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from kinds import Kind, Trial


@dataclass(frozen=True)
class Row:
    """Arguments by name; those that begin with "*" are passed by position.

    Attributes:
        name: what is called, as the reference has it.
        function: what to call; where it changes its arguments, a wrapper that looks at them.
        kinds: argument → kind.
        look: result → what is compared; it is part of the call, since a step fails where it runs.
    """

    name: str
    function: Callable[..., Any]
    kinds: dict[str, Kind] = field(default_factory=dict)
    look: Callable[[Any], Any] = lambda result: result

    def call(self, **changed: Any) -> Any:
        """The valid call, with these arguments changed."""
        given = {name: kind.plain() for name, kind in self.kinds.items()} | changed
        by_position = [given.pop(name) for name in list(given) if name.startswith("*")]
        return self.look(self.function(*by_position, **given))

    def trials(self) -> Iterator[tuple[str, Trial]]:
        """Every call that is tried: the argument, and what stands in its place."""
        for name, kind in self.kinds.items():
            for trial in kind.trials:
                yield name, trial


def row(name: str, function: Callable[..., Any], /, **kinds: Any) -> Row:
    """A row; `look=` says what of the result is compared."""
    look = kinds.pop("look", None)
    return Row(name, function, kinds, look) if look else Row(name, function, kinds)
