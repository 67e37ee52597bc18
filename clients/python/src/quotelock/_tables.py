"""The calls of `VEHPRICE.*`. Many ids and rows go in one argument, and named fields are returned by column."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from time import monotonic
from typing import Any

from ._replies import is_one, json, members, number, rows_by_column, text
from ._steps import Call, Flow, Start
from ._time import unix_ms, whole_ms
from ._words import GivenRows, Word, columns_text, ids_text, names, rows_text, words
from .errors import ServerError
from .types import Changes, Claim, Condition, Expiry, Row, TableInfo, Verified

Names = Sequence[str] | None

# The longest that one call waits. Drivers have time-outs, so a longer wait takes several calls.
LONGEST_WAIT_MS = 2000
_SHORTEST_WAIT_MS = 200


def get(key: str, id: Word, fields: Names, raw: Names) -> Call[Any]:
    return Call("VEHPRICE.GET", [key, id, *_projection(fields, raw)], json, read_only=True)


def mget(
    key: str, ids: Sequence[Word], fields: Names, raw: Names, block_ms: int | None = None, longest_ms: int = LONGEST_WAIT_MS
) -> Flow[list[Any]]:
    asked = words("VEHPRICE.MGET", ids)
    if not asked:
        return []
    if block_ms is None:
        return (yield from _mget(key, asked, fields, raw, None))
    if longest_ms < _SHORTEST_WAIT_MS:
        raise ValueError("block_ms takes a driver whose socket_timeout is at least half a second, or is None")
    left = block_ms
    while True:
        # 0 waits without limit: this does so too, in steps.
        wait_ms = longest_ms if block_ms == 0 else min(left, longest_ms)
        began = monotonic()
        rows: list[Any] = yield from _mget(key, asked, fields, raw, wait_ms)
        waited_ms = (monotonic() - began) * 1000
        left -= round(waited_ms)
        # A reply long before the time is up is final.
        if waited_ms < 0.9 * wait_ms or None not in rows or (block_ms != 0 and left <= 0):
            return rows


def _mget(key: str, ids: list[str], fields: Names, raw: Names, block_ms: int | None) -> Call[list[Any]]:
    projected, read = _by_id(fields, raw)
    block: list[Word] = [] if block_ms is None else ["BLOCK", block_ms]
    args = [key, *projected, *block, "LIST", ids_text("VEHPRICE.MGET", ids)]
    return Call("VEHPRICE.MGET", args, lambda reply: read(json(reply)), read_only=block_ms is None)


def get_all(key: str, fields: Names, raw: Names) -> Call[dict[str, Any]]:
    return Call("VEHPRICE.GETALL", [key, *_projection(fields, raw)], json, read_only=True)


def changes(key: str, revision: str, *, fields: Names = None) -> Call[Changes]:
    """What has changed since a revision: `0` at first, then the one returned last. The call goes to the primary, as each
    server has revisions of its own. `PriceTableCopies` keeps copies with it."""
    return Call("VEHPRICE.CHANGES", [key, revision, *_projection(fields, None)], lambda reply: Changes.of(json(reply)))


def server_ms(key: str) -> Call[int]:
    """The server's clock, in milliseconds since 1970. Pass a key that has no table."""
    return Call("VEHPRICE.CHANGES", [key, "0", "JSON"], lambda reply: Changes.of(json(reply)).now)


def scan(key: str, cursor: str, fields: Names, count: int | None) -> Call[tuple[str, dict[str, Any]]]:
    def read(reply: Any) -> tuple[str, dict[str, Any]]:
        step = json(reply)
        return step["cursor"], step["rows"]

    words: list[Word] = [] if count is None else ["COUNT", count]
    return Call("VEHPRICE.SCAN", [key, cursor, *words, *_projection(fields, None)], read)


def set(
    key: str,
    id: Word,
    row: Mapping[str, Word],
    *,
    condition: Condition | None = None,
    merge: bool = False,
    expiry: Expiry | None = None,
    token: str | None = None,
    keep_claim: bool = False,
) -> Call[bool]:
    """Sets a row. False if a condition or the token prevented it, or if its expiry is in the past. The options are those of
    `mset`."""
    writing = _writing(condition, merge, expiry, token, keep_claim)
    pairs = [word for pair in row.items() for word in pair]
    return Call("VEHPRICE.SET", [key, id, *writing, "FIELDS", len(row), *pairs], is_one)


def mset(
    key: str,
    rows: GivenRows,
    *,
    fields: Names = None,
    condition: Condition | None = None,
    merge: bool = False,
    expiry: Expiry | None = None,
    token: str | None = None,
    keep_claim: bool = False,
) -> Flow[int]:
    """Sets rows, a mapping by id or pairs of id and row, and returns how many were stored. A value that is None or absent is
    stored as missing, or with `merge` left unchanged.

    With `fields`, writes these fields of each row, by column, which is faster; without it, all fields of each row. `condition` is
    checked row by row. `merge` sets these fields, and keeps the others and the row's expiry. `expiry` defaults to the server's
    setting `price-ttl-ms`. With a `token`, only rows still claimed under it are stored; `keep_claim` keeps the claims, for rows
    filled in two steps.
    """
    given = list(rows.items() if isinstance(rows, Mapping) else rows)
    if not given:
        return 0
    command = "VEHPRICE.MSET"
    form = ["JSON", rows_text(command, given)] if fields is None else ["COLUMNS", columns_text(command, fields, given)]
    writing = _writing(condition, merge, expiry, token, keep_claim)
    return (yield from Call(command, [key, *writing, *form], number))


def delete(key: str, ids: Sequence[Word]) -> Flow[int]:
    """Deletes rows, and returns how many there were."""
    given = words("VEHPRICE.DEL", ids)
    return (yield from Call("VEHPRICE.DEL", [key, *given], number)) if given else 0


def clear(key: str) -> Call[bool]:
    """Deletes the table, and ends all claims on it. True if there was one."""
    return Call("VEHPRICE.CLEAR", [key], is_one)


def length(key: str) -> Call[int]:
    """How many rows there are."""
    return Call("VEHPRICE.LEN", [key], number, read_only=True)


def pttl(key: str, ids: Sequence[Word]) -> Flow[list[int]]:
    """The milliseconds until rows expire, in the order of the ids: -1 never, -2 no such row."""
    given = words("VEHPRICE.PTTL", ids)
    if not given:
        return []
    return (yield from Call("VEHPRICE.PTTL", [key, *given], lambda reply: [int(one) for one in reply], read_only=True))


def verify(key: str, id: Word, expected: Mapping[str, Word]) -> Call[Verified]:
    """Whether a row holds what the user saw, and the row compared."""
    pairs = [word for pair in expected.items() for word in pair]
    return Call("VEHPRICE.VERIFY", [key, id, *pairs, "JSON"], lambda reply: Verified(**json(reply)))


def info(key: str) -> Call[TableInfo | None]:
    """Facts about the table, None if there is none."""

    def read(reply: Any) -> TableInfo | None:
        if reply is None:
            return None
        found = members(reply)
        earliest, latest = found["earliestExpiry"], found["latestExpiry"]
        return TableInfo(int(found["rows"]), int(found["fields"]), int(found["bytes"]), earliest, latest)

    return Call("VEHPRICE.INFO", [key], read, read_only=True)


def mget_hash(keys: Sequence[str]) -> Flow[list[Row | None]]:
    """What `HGETALL` of each key returns, None if there is none: for pods that still keep a hash per vehicle."""

    def read(reply: Any) -> list[Row | None]:
        return [one and {name: text(value) for name, value in members(one).items()} for one in reply]

    given = words("VEHPRICE.MGETHASH", keys)
    return (yield from Call("VEHPRICE.MGETHASH", given, read, read_only=True)) if given else []


def claim(
    key: str,
    ids: Sequence[Word],
    fields: Names,
    raw: Names,
    *,
    ttl_ms: int,
    token: str | None = None,
    limit: int | None = None,
    refresh_ms: int | None = None,
) -> Flow[Claim[Any]]:
    asked = words("VEHPRICE.CLAIM", ids)
    if not asked:
        return Claim(None, [], [], [])
    # A driver repeats a call whose reply was lost: with a token it gets the same reply.
    held = secrets.token_hex(16) if token is None else token
    options: dict[str, Word | None] = {"PX": ttl_ms, "TOKEN": held, "LIMIT": limit, "REFRESH": refresh_ms}
    projected, read = _by_id(fields, raw)
    args: list[Word] = [key]
    for name, value in options.items():
        if value is not None:
            args += [name, value]

    def claim_of(reply: Any) -> Claim[Any]:
        told = json(reply)
        return Claim(told["token"], read(told["rows"]), told["claimed"], told["pending"])

    try:
        return (yield from Call("VEHPRICE.CLAIM", [*args, *projected, "LIST", ids_text("VEHPRICE.CLAIM", asked)], claim_of))
    except ServerError:
        raise
    except BaseException:
        # It is unknown whether the call arrived. A token passed by the caller is the caller's to release.
        if token is None:
            yield from Start(release(key, held))
        raise


def release(key: str, token: str, ids: Sequence[Word] = ()) -> Call[int]:
    """Releases claims under a token, on these ids or all, so that another pod can claim them at once. Returns how many."""
    return Call("VEHPRICE.RELEASE", [key, token, *words("VEHPRICE.RELEASE", ids)], number)


def _projection(fields: Names, raw: Names) -> list[Word]:
    return [*([] if fields is None else _counted("FIELDS", fields)), "JSON", *(_counted("RAW", raw) if raw else [])]


def _by_id(fields: Names, raw: Names) -> tuple[list[Word], Any]:
    """`_projection` for rows of a list of ids, and how to read them: by column, which is fastest, if all have the same fields."""
    if fields is None or raw:
        return _projection(fields, raw), lambda rows: rows
    named = names("fields", fields)
    return [*_counted("FIELDS", named), "COLUMNS"], lambda told: rows_by_column(named, told["columns"], told["missing"])


def _counted(word: str, given: Sequence[str]) -> list[Word]:
    return [word, len(given), *names(word, given)]


def _writing(condition: Condition | None, merge: bool, expiry: Expiry | None, token: str | None, keep_claim: bool) -> Iterable[Word]:
    if condition:
        yield condition
    if merge:
        yield "MERGE"
    if expiry == "keep":
        yield "KEEPTTL"
    elif expiry == "never":
        yield "PERSIST"
    elif isinstance(expiry, datetime):
        yield from ("PXAT", unix_ms(expiry))
    elif expiry is not None:
        yield from ("PX", whole_ms(expiry))
    if token is not None:
        yield from ("TOKEN", token)
    if keep_claim:
        yield "KEEPCLAIM"
