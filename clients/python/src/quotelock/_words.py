"""Arguments, and many ids or rows as one JSON argument."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

# The types of a user, an id or a value. Not float, as it has more than one text form: 5.0 and 5 would be two prices.
Word = str | int

# A field's value as passed. None means that the row lacks the field.
Value = Word | None

# Rows to write: by id, or pairs of id and row.
GivenRows = Mapping[str, Mapping[str, Value]] | Mapping[int, Mapping[str, Value]] | Iterable[tuple[Word, Mapping[str, Value]]]


def word(what: str, given: Any) -> str:
    """An argument as text. Checked at run time, as JSON from elsewhere has no types: None would be sent as text, and stored."""
    if isinstance(given, str):
        return given
    if isinstance(given, int) and not isinstance(given, bool):
        return str(int(given))
    raise TypeError(f"{what} takes strings and whole numbers alone, not {type(given).__name__}")


def words(what: str, given: Iterable[Word]) -> list[str]:
    if isinstance(given, (str, bytes)):
        raise TypeError(f"{what} takes a list here, not {type(given).__name__}")
    return [one if type(one) is str else word(what, one) for one in given]


def names(what: str, given: Sequence[str]) -> list[str]:
    """Field names."""
    return words(what, given)


def ids_text(what: str, ids: Iterable[Word]) -> str:
    """Ids as one argument."""
    return compact(words(what, ids))


def columns_text(what: str, fields: Sequence[str], rows: Iterable[tuple[Word, Mapping[str, Value]]]) -> str:
    """Rows as one argument, by column."""
    given = [(word(what, id), row) for id, row in rows]
    columns = [[_value(what, id, field, row.get(field)) for id, row in given] for field in fields]
    for (id, _), *values in zip(given, *columns):
        if all(value is None for value in values):
            raise _no_value(what, id)
    return compact({"ids": [id for id, _ in given], "fields": list(fields), "columns": columns})


def rows_text(what: str, rows: Iterable[tuple[Word, Mapping[str, Value]]]) -> str:
    """Rows as one argument, each with its own fields."""
    table = {}
    for given, row in rows:
        id = word(what, given)
        values = {field: _value(what, id, field, value) for field, value in row.items() if value is not None}
        if not values:
            raise _no_value(what, id)
        table[id] = values
    return compact(table)


def compact(given: Any) -> str:
    """JSON without escapes, which the server reads fastest."""
    return json.dumps(given, ensure_ascii=False, separators=(",", ":"))


def _value(what: str, id: str, field: str, given: Value) -> str | None:
    if given is None or type(given) is str:
        return given
    return word(f"{what}, row '{id}', field '{field}'", given)


def _no_value(what: str, id: str) -> ValueError:
    return ValueError(f"{what} takes rows of at least one value, row '{id}' has none")
