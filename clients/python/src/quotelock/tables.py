"""`VEHPRICE.*`: a table of vehicles' prices in one key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Unpack, overload

from . import _tables
from ._faces import Face, answers
from ._tables import Names
from ._words import Word
from .types import Claim, ClaimOptions, FieldsRow, RawRow, Row


class VehPrice(Face):
    """`VEHPRICE.*`: a table of vehicles' prices in one key. With no ids or rows, the server is not called.

    Rows have all their fields, or the `fields` asked for, None if a row lacks one. A field named in `raw` is parsed from the JSON
    it holds. For thousands of rows name the fields, without `raw`: they are then returned by column, which is faster to read.
    """

    changes = answers(_tables.changes)
    set = answers(_tables.set)
    mset = answers(_tables.mset)
    delete = answers(_tables.delete)
    clear = answers(_tables.clear)
    len = answers(_tables.length)
    pttl = answers(_tables.pttl)
    verify = answers(_tables.verify)
    info = answers(_tables.info)
    mget_hash = answers(_tables.mget_hash)
    release = answers(_tables.release)

    @overload
    def get(self, key: str, id: Word) -> Row | None: ...
    @overload
    def get(self, key: str, id: Word, *, fields: Sequence[str]) -> FieldsRow | None: ...
    @overload
    def get(self, key: str, id: Word, *, fields: Names = None, raw: Sequence[str]) -> RawRow | None: ...
    def get(self, key: str, id: Word, *, fields: Names = None, raw: Names = None) -> Any:
        """A row, or None if there is none."""
        return self._take(_tables.get(key, id, fields, raw))

    @overload
    def mget(self, key: str, ids: Sequence[Word], *, block_ms: int | None = None) -> list[Row | None]: ...
    @overload
    def mget(self, key: str, ids: Sequence[Word], *, fields: Sequence[str], block_ms: int | None = None) -> list[FieldsRow | None]: ...
    @overload
    def mget(
        self, key: str, ids: Sequence[Word], *, fields: Names = None, raw: Sequence[str], block_ms: int | None = None
    ) -> list[RawRow | None]: ...
    def mget(self, key: str, ids: Sequence[Word], *, fields: Names = None, raw: Names = None, block_ms: int | None = None) -> Any:
        """Rows in the order of the ids, None if there is none.

        With `block_ms`, waits until none of the rows is both missing and claimed, for at most that long (0: no limit). Meanwhile
        it occupies a connection of the driver's pool, and repeats the call every two seconds or sooner, so that the driver's
        `socket_timeout` does not end it.
        """
        return self._take(_tables.mget(key, ids, fields, raw, block_ms, self._longest_wait_ms))

    @overload
    def get_all(self, key: str) -> dict[str, Row]: ...
    @overload
    def get_all(self, key: str, *, fields: Sequence[str]) -> dict[str, FieldsRow]: ...
    @overload
    def get_all(self, key: str, *, fields: Names = None, raw: Sequence[str]) -> dict[str, RawRow]: ...
    def get_all(self, key: str, *, fields: Names = None, raw: Names = None) -> Any:
        """All rows, by id."""
        return self._take(_tables.get_all(key, fields, raw))

    @overload
    def scan(self, key: str, *, count: int | None = None) -> Iterator[tuple[str, Row]]: ...
    @overload
    def scan(self, key: str, *, fields: Sequence[str], count: int | None = None) -> Iterator[tuple[str, FieldsRow]]: ...
    def scan(self, key: str, *, fields: Names = None, count: int | None = None) -> Iterator[tuple[str, Any]]:
        """Iterates over all rows, so that a large table does not delay other clients."""
        cursor = "0"
        while True:
            cursor, rows = self._take(_tables.scan(key, cursor, fields, count))
            yield from rows.items()
            if cursor == "0":
                return

    @overload
    def claim(self, key: str, ids: Sequence[Word], **options: Unpack[ClaimOptions]) -> Claim[Row]: ...
    @overload
    def claim(self, key: str, ids: Sequence[Word], *, fields: Sequence[str], **options: Unpack[ClaimOptions]) -> Claim[FieldsRow]: ...
    @overload
    def claim(
        self, key: str, ids: Sequence[Word], *, fields: Names = None, raw: Sequence[str], **options: Unpack[ClaimOptions]
    ) -> Claim[RawRow]: ...
    def claim(
        self, key: str, ids: Sequence[Word], *, fields: Names = None, raw: Names = None, **options: Unpack[ClaimOptions]
    ) -> Claim[Any]:
        """The existing rows, and claims on the missing ones that nobody else is fetching.

        Claims last `ttl_ms`, 1 to 600,000. `limit` bounds how many rows are claimed; `refresh_ms` also claims rows that expire
        within this time. The claims are held under a random `token`, so that the call can be repeated. Pass one of your own, 32
        random hex digits, to renew claims while upstream takes longer: rows already claimed under it are claimed again.
        """
        return self._take(_tables.claim(key, ids, fields, raw, **options))
