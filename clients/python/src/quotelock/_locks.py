"""The calls of `QUOTELOCK.*`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ._replies import is_one, json
from ._steps import Call
from ._time import rfc3339
from ._words import Word, compact, word, words
from .types import AcquiredLock, Condition, Lock, QueryTime

# The prefix of a lock's key, as services use it.
PREFIX = "hermes:LockedQuoteInfo:"


def key_of(user: Word, prefix: str = PREFIX) -> str:
    return prefix + word("user", user)


def get(user: str, *, at: QueryTime | None = None) -> Call[Lock | None]:
    """The lock and its state (at the time `at`, if passed), or None if there is none. Never writes."""
    as_of = [] if at is None else ["AT", rfc3339(at)]
    return Call("QUOTELOCK.GET", [user, *as_of, "JSON"], _lock)


def acquire(
    user: str,
    role_ids: Sequence[Word],
    query_time: QueryTime = "*",
    *,
    if_missing: bool = False,
    ttl_ms: int | None = None,
    buffer_ms: int | None = None,
    lag_ms: int | None = None,
    align_seconds: int | None = None,
) -> Call[AcquiredLock]:
    """Get-or-set in one step: however many callers race, one creates or renews the lock, and all receive the same one. Renews a
    lock that is `CloseToExpired`, unless `if_missing` is set. These default to the server's settings: how long a new lock lives
    (`ttl_ms`), how long before its end it becomes `CloseToExpired` (`buffer_ms`), how far "*" is behind the server's clock
    (`lag_ms`), and to a multiple of how many seconds `queryTime` is rounded down, so that users share it (`align_seconds`).
    """
    new = _new_lock(user, role_ids, query_time, ttl_ms, buffer_ms, lag_ms, align_seconds)
    return Call("QUOTELOCK.ACQUIRE", [*new, *(["IFMISSING"] if if_missing else []), "JSON"], _acquired)


def set(
    user: str,
    role_ids: Sequence[Word],
    query_time: QueryTime = "*",
    *,
    condition: Condition | None = None,
    ttl_ms: int | None = None,
    buffer_ms: int | None = None,
    lag_ms: int | None = None,
    align_seconds: int | None = None,
) -> Call[bool]:
    """Sets the lock, replacing an existing one. False if the condition was not met. The options are those of `acquire`."""
    new = _new_lock(user, role_ids, query_time, ttl_ms, buffer_ms, lag_ms, align_seconds)
    return Call("QUOTELOCK.SET", [*new, *([condition] if condition else [])], lambda reply: reply is not None)


def delete(user: str, *, if_eq: str | None = None) -> Call[bool]:
    """Deletes the lock; with `if_eq`, only if it has exactly that `query_time`. True if it was deleted."""
    return Call("QUOTELOCK.DEL", [user, *([] if if_eq is None else ["IFEQ", if_eq])], is_one)


def _new_lock(
    user: str,
    role_ids: Sequence[Word],
    query_time: QueryTime,
    ttl_ms: int | None,
    buffer_ms: int | None,
    lag_ms: int | None,
    align_seconds: int | None,
) -> list[Word]:
    args: list[Word] = [user, compact(words("role_ids", role_ids)), rfc3339(query_time)]
    options = {"PX": ttl_ms, "PBUFFER": buffer_ms, "LAG": lag_ms, "ALIGN": align_seconds}
    for name, value in options.items():
        if value is not None:
            args += [name, value]
    return args


def _lock(reply: Any) -> Lock | None:
    found = json(reply)
    return found and Lock(found["roleIds"], found["queryTime"], found["state"])


def _acquired(reply: Any) -> AcquiredLock:
    found = json(reply)
    return AcquiredLock(found["roleIds"], found["queryTime"], found["state"], found["outcome"])
