"""`QUOTELOCK.*`: one user's price lock."""

from __future__ import annotations

from collections.abc import Sequence

from . import _locks
from ._drivers import Driver
from ._faces import Face, answers
from ._words import Word
from .types import AcquiredLock, Lock, QueryTime


class QuoteLock(Face):
    """`QUOTELOCK.*`: one user's price lock. `user` is the whole key."""

    get = answers(_locks.get)
    acquire = answers(_locks.acquire)
    set = answers(_locks.set)
    delete = answers(_locks.delete)


class LockedQuoteInfo(Face):
    """Users' locks where services keep them: `prefix` is what each key has before the user.

    A ttl and a buffer given here are those of every lock that is set or acquired, else the server's settings hold.
    """

    def __init__(self, driver: Driver, *, prefix: str = _locks.PREFIX, ttl_ms: int | None = None, buffer_ms: int | None = None) -> None:
        super().__init__(driver)
        self._prefix = prefix
        self._ttl_ms = ttl_ms
        self._buffer_ms = buffer_ms

    def key(self, user: Word) -> str:
        """The key of a user's lock."""
        return _locks.key_of(user, self._prefix)

    def get_by_id(self, user: Word) -> Lock | None:
        """The lock, None if there is none. For the screens that never start one."""
        return self._take(_locks.get(self.key(user)))

    def set_by_id(self, user: Word, role_ids: Sequence[Word], query_time: QueryTime) -> None:
        """Sets the lock, whatever lock is there. Where `get_by_id` comes before it, `acquire` does both without a race."""
        ttl_ms, buffer_ms = self._ttl_ms, self._buffer_ms
        self._take(_locks.set(self.key(user), role_ids, query_time, ttl_ms=ttl_ms, buffer_ms=buffer_ms))

    def acquire(
        self,
        user: Word,
        role_ids: Sequence[Word],
        query_time: QueryTime = "*",
        *,
        if_missing: bool = False,
        lag_ms: int | None = None,
        align_seconds: int | None = None,
    ) -> AcquiredLock:
        """The lock in force: the one that is there, or else a new one at the server's clock for these roles. A closing one is
        renewed, unless `if_missing`. The map uses it so, a vehicle's page with `if_missing`."""
        return self._take(
            _locks.acquire(
                self.key(user),
                role_ids,
                query_time,
                if_missing=if_missing,
                ttl_ms=self._ttl_ms,
                buffer_ms=self._buffer_ms,
                lag_ms=lag_ms,
                align_seconds=align_seconds,
            )
        )

    def delete_by_id(self, user: Word, *, if_eq: str | None = None) -> bool:
        """Deletes the lock, with `if_eq` only while it holds that very `query_time`. True if it was deleted."""
        return self._take(_locks.delete(self.key(user), if_eq=if_eq))
