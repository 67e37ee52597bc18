"""Keys of tables: the same as the TypeScript client makes from the same parts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence, Set

from ._words import Word, word, words

# What a table is named after, besides the `queryTime`. A list is a set, such as role ids: order and repetition don't matter.
Part = Word | Sequence[Word] | Set[Word]

_WHAT = "a table's key"


def table_key(moment: str, name: str, parts: Iterable[Part]) -> str:
    """`name:{moment}:part:part`, as `hermes:rules:{2024-09-12T02:50:00.000Z}:3,7`. Different parts give a different key, whatever
    characters they contain; only a number and its digits, and a list of one and its element, are the same.

    The hash tag is the `queryTime` alone: in a Cluster, all tables of a `queryTime` are on one node, and other ones spread over
    the nodes.
    """
    if not name or re.search("[{}]", name):
        raise ValueError(f"a table's name takes a text without braces, not '{name}'")
    # Colons separate parts, and the `queryTime` is not one of them.
    tag = _escaped(moment).replace("%3a;", ":")
    return ":".join([f"{name}:{{{tag}}}", *map(_part_text, parts)])


def _part_text(part: Part) -> str:
    if isinstance(part, (list, tuple, set, frozenset)):
        return ",".join(map(_escaped, sorted(set(words(_WHAT, part)), key=_utf16)))
    return _escaped(word(_WHAT, part))


def _utf16(text: str) -> bytes:
    """The sort order of JavaScript."""
    return text.encode("utf-16-be", "surrogatepass")


def _escaped(text: str) -> str:
    """Escapes characters that separate words or parts, end a hash tag, or can't be sent. Every `%` begins an escape and a `;`
    ends it."""
    return "".join(f"%{ord(one):x};" if _is_escaped(one) else one for one in text) or "%;"


def _is_escaped(one: str) -> bool:
    # No version of Unicode changes this set of characters.
    return one in "%,:?{}" or unicodedata.category(one) in ("Cc", "Cs")
