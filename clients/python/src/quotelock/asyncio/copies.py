"""Copies of tables in this process's memory, with asyncio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar, cast, overload

from .._drivers import AsyncDriver
from .._faces import AsyncFace
from .._kept_tables import KeptTables, own_ms
from .._round_trips import AsyncRoundTrips
from .._table_copy import TableCopy
from .._words import Word, words

R = TypeVar("R", bound=Mapping[str, Any])


class PriceTableCopies(AsyncFace, Generic[R]):
    """Copies of tables in this process's memory, each kept exact by `VEHPRICE.CHANGES`: a round trip that tells what has changed
    since the last one, however many rows there are. For one event loop.

    `max_bytes` is about what all copies may take together; those not used for the longest time go first. `fields` are those that
    are copied, else all. `final` is for tables whose rows never change once they are there: named after a moment, and filled with
    `NX` or under claims. Ids that are there are answered without a round trip until they expire, and only for missing ones the
    server is asked. What is deleted all the same is answered until then.
    """

    @overload
    def __init__(
        self: PriceTableCopies[Mapping[str, str]],
        driver: AsyncDriver,
        *,
        max_bytes: int,
        fields: None = None,
        final: bool = False,
    ) -> None: ...
    @overload
    def __init__(
        self: PriceTableCopies[Mapping[str, str | None]],
        driver: AsyncDriver,
        *,
        max_bytes: int,
        fields: Sequence[str],
        final: bool = False,
    ) -> None: ...
    def __init__(self, driver: AsyncDriver, *, max_bytes: int, fields: Sequence[str] | None = None, final: bool = False) -> None:
        super().__init__(driver)
        self._fields = None if fields is None else list(fields)
        self._kept = KeptTables(max_bytes)
        self._trips = AsyncRoundTrips[TableCopy]()
        self._is_final = final

    @property
    def bytes(self) -> int:
        """About what the copies take of this process's memory."""
        return self._kept.bytes

    def __len__(self) -> int:
        """How many tables there are copies of."""
        return len(self._kept)

    def of(self, key: str) -> PriceTableCopy[R]:
        """The copy of a table. It is made when it is first read, and again when it had to go."""
        return PriceTableCopy(self, key)

    async def _exact(self, key: str) -> TableCopy:
        return await self._trips.share(key, lambda: self._take(self._kept.update(key, self._fields)))

    async def _rows(self, key: str, ids: list[str]) -> list[Any]:
        kept = self._kept.get(key) if self._is_final else None
        found = kept.unexpired(ids, own_ms()) if kept else None
        return (await self._exact(key)).rows(ids) if found is None else found


class PriceTableCopy(Generic[R]):
    """A table out of its copy. Each call makes one round trip first, shared with those made at the same time, and is as exact as if
    the rows themselves had been read by it: what was written before the call is in the answer. With `final` a call that finds all
    its ids makes none. The copy outlives a lost connection, and the next call is exact again.
    """

    def __init__(self, copies: PriceTableCopies[R], key: str) -> None:
        self.key = key
        self._copies = copies

    async def row(self, id: Word) -> R | None:
        """A row, None if there is none."""
        return (await self.rows([id]))[0]

    async def rows(self, ids: Sequence[Word]) -> list[R | None]:
        """Rows in the order of the ids, None where there is none. Without ids nothing is asked of the server."""
        texts = words("VEHPRICE.CHANGES", ids)
        return await self._copies._rows(self.key, texts) if texts else []

    async def all(self) -> Mapping[str, R]:
        """All rows, by id: the same map, which nobody can change, until there is a change in the table. With `final` too the
        server is asked."""
        return cast(Mapping[str, R], (await self._copies._exact(self.key)).all)
