"""`QUOTELOCK.*` with asyncio."""

from __future__ import annotations

from collections.abc import Sequence

from .. import _locks
from .._drivers import AsyncDriver
from .._faces import AsyncFace, awaits
from .._words import Word
from ..types import AcquiredLock, Lock, QueryTime


class QuoteLock(AsyncFace):
    """`QUOTELOCK.*`: one user's price lock. `user` is the whole key."""

    get = awaits(_locks.get)
    acquire = awaits(_locks.acquire)
    set = awaits(_locks.set)
    delete = awaits(_locks.delete)


class LockedQuoteInfo(AsyncFace):
    """Users' locks, under the keys that services use: `prefix` comes before the user in each key.

    A ttl and a buffer passed here apply to every lock set or acquired; otherwise the server's settings apply.
    """

    def __init__(
        self, driver: AsyncDriver, *, prefix: str = _locks.PREFIX, ttl_ms: int | None = None, buffer_ms: int | None = None
    ) -> None:
        super().__init__(driver)
        self._prefix = prefix
        self._ttl_ms = ttl_ms
        self._buffer_ms = buffer_ms

    def key(self, user: Word) -> str:
        """The key of a user's lock."""
        return _locks.key_of(user, self._prefix)

    async def get_by_id(self, user: Word) -> Lock | None:
        """The lock, or None if there is none. For screens that never create one."""
        return await self._take(_locks.get(self.key(user)))

    async def set_by_id(self, user: Word, role_ids: Sequence[Word], query_time: QueryTime) -> None:
        """Sets the lock, replacing an existing one. If you call `get_by_id` first, use `acquire` instead: it does both without
        a race."""
        ttl_ms, buffer_ms = self._ttl_ms, self._buffer_ms
        await self._take(_locks.set(self.key(user), role_ids, query_time, ttl_ms=ttl_ms, buffer_ms=buffer_ms))

    async def acquire(
        self,
        user: Word,
        role_ids: Sequence[Word],
        query_time: QueryTime = "*",
        *,
        if_missing: bool = False,
        lag_ms: int | None = None,
        align_seconds: int | None = None,
    ) -> AcquiredLock:
        """The lock in force: the existing one, or a new one for these roles by the server's clock. Renews a lock that is
        `CloseToExpired`, unless `if_missing` is set. Call it without `if_missing` for the map, with `if_missing` for a
        vehicle's page."""
        return await self._take(
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

    async def delete_by_id(self, user: Word, *, if_eq: str | None = None) -> bool:
        """Deletes the lock; with `if_eq`, only if it has exactly that `query_time`. True if it was deleted."""
        return await self._take(_locks.delete(self.key(user), if_eq=if_eq))
