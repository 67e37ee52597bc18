"""Keys of tables: the same as the TypeScript client makes of the same parts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence, Set

from ._words import Word, word, words

# What a table is named after, besides the moment. A list is a set, such as role ids: neither order nor repetition counts.
Part = Word | Sequence[Word] | Set[Word]

_WHAT = "a table's key"


def table_key(moment: str, name: str, parts: Iterable[Part]) -> str:
    """`name:{moment}:part:part`, as `hermes:rules:{2024-09-12T02:50:00.000Z}:3,7`. Other parts give another key, whatever
    characters are in them; only a number and its digits, and a list of one and its element, are the same.

    The moment is the hash tag, and nothing else: in Cluster all tables of a moment are on one node, and those of other moments on
    others.
    """
    if not name or re.search("[{}]", name):
        raise ValueError(f"a table's name takes a text without braces, not '{name}'")
    # Colons separate parts, and the moment is none of them.
    tag = _escaped(moment).replace("%3a;", ":")
    return ":".join([f"{name}:{{{tag}}}", *map(_part_text, parts)])


def _part_text(part: Part) -> str:
    if isinstance(part, (list, tuple, set, frozenset)):
        return ",".join(map(_escaped, sorted(set(words(_WHAT, part)), key=_utf16)))
    return _escaped(word(_WHAT, part))


def _utf16(text: str) -> bytes:
    """The order that JavaScript sorts by."""
    return text.encode("utf-16-be", "surrogatepass")


def _escaped(text: str) -> str:
    """Without what separates words and parts, ends a hash tag, or can't be sent. Every `%` begins an escape and a `;` ends it."""
    return "".join(f"%{ord(one):x};" if _is_escaped(one) else one for one in text) or "%;"


def _is_escaped(one: str) -> bool:
    # No version of Unicode changes which characters these are.
    return one in "%,:?{}" or unicodedata.category(one) in ("Cc", "Cs")
