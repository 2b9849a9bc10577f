"""The tools to plant a bug with: each changes a piece of the engine for a while and puts it back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple

from liftgate.engine.core.rules import table
from liftgate.engine.core.rules.base import Rule


class Bug(NamedTuple):
    """A bug that can be planted. plant: a context in which the engine has it."""

    what: str
    plant: Callable[[], AbstractContextManager[None]]


@contextmanager
def replaced(owner: Any, name: str, value: Any) -> Iterator[Any]:
    """`owner.name` is `value` for a while; gives what it was, for `value` to build on."""
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield before
    finally:
        setattr(owner, name, before)


@contextmanager
def swapped(table: dict[Any, Any], key: Any, value: Any) -> Iterator[None]:
    """`table[key]` is `value` for a while."""
    before = table[key]
    table[key] = value
    try:
        yield
    finally:
        table[key] = before


def without_rule(*kinds: type[Rule]) -> Callable[[], AbstractContextManager[None]]:
    """Nobody asks them, neither on the way in nor on the way out."""

    @contextmanager
    def plant() -> Iterator[None]:
        entry, leave = (_others(rules, kinds) for rules in (table.ENTRY, table.EXIT))
        with replaced(table, "ENTRY", entry), replaced(table, "EXIT", leave):
            yield

    return plant


def _others(rules: tuple[type[Rule], ...], kinds: tuple[type[Rule], ...]) -> tuple[type[Rule], ...]:
    return tuple(rule for rule in rules if not issubclass(rule, kinds))


def replacing(owner: Any, name: str, value: Any) -> Callable[[], AbstractContextManager[None]]:
    return lambda: replaced(owner, name, value)
