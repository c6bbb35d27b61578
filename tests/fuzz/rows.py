"""A row of the table: a callable, a valid call of it, and what is looked at of its result."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from fuzz.kinds import Expect, Kind, Trial


@dataclass(frozen=True)
class Row:
    """Arguments by name; those that begin with "*" are passed by position.

    Attributes:
        name: what is called, as the reference has it, without "cvcourse.".
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
        if not self.kinds:
            yield "", Trial("as it is", lambda: None, Expect.FINE)
        for name, kind in self.kinds.items():
            for trial in kind.trials:
                yield name, trial


def row(
    name: str,
    function: Callable[..., Any] | None = None,
    /,
    look: Callable[[Any], Any] | None = None,
    **kinds: Kind,
) -> Row:
    """A row; without a function, of what has that name in the package."""
    try:
        called = public(name) if function is None else function
    except (AttributeError, ImportError):  # no more; the test names it
        called = gone
    return Row(name, called, kinds, look) if look else Row(name, called, kinds)


def gone(**_: Any) -> None:
    """What a row calls whose name the package has no more."""


def public(name: str) -> Any:
    """What stands at a dotted name within the package; "()" and what follows a space are notes."""
    parts = name.split(" ")[0].removesuffix("()").split(".")
    found: Any = importlib.import_module("cvcourse")
    for number, part in enumerate(parts, 1):
        if not hasattr(found, part):
            importlib.import_module(".".join(["cvcourse", *parts[:number]]))
        found = getattr(found, part)
    return found
