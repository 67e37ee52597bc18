"""The calls of `PRICEPLAN.*`, and functions that need no server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from ._replies import texts
from ._steps import Call, Flow
from ._words import Word, word, words
from .types import Route, Routed

_OLD = "_old"


def tag(toggle: str, ids: Sequence[Word]) -> Flow[list[str]]:
    given = words("PRICEPLAN.TAG", ids)
    return (yield from Call("PRICEPLAN.TAG", [toggle, *given], texts)) if given else []


def route(toggle: str, ids: Sequence[Word]) -> Flow[list[Routed]]:
    given = words("PRICEPLAN.ROUTE", ids)
    return (yield from Call("PRICEPLAN.ROUTE", [toggle, *given], _routes)) if given else []


def bare(id: Word) -> str:
    """A plan's id without the tag of old pricing: `571` for `571_old`."""
    return word("a plan's id", id).removesuffix(_OLD)


def is_old(id: Word) -> bool:
    """Whether a plan's id has the tag of old pricing."""
    return word("a plan's id", id).endswith(_OLD)


def _routes(reply: Any) -> list[Routed]:
    return [Routed(cast(Route, where), id) for where, id in map(texts, reply)]
