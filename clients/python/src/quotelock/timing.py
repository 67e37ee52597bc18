"""Names tables after a `queryTime` and says when their rows expire, so that all pods and screens do this in the same way."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NotRequired, Protocol, TypedDict

from ._table_key import Part, table_key
from ._time import from_unix_ms, rfc3339, unix_ms
from ._words import Word, words
from .types import Expiry, Lock


class Moment(Protocol):
    """Anything with a `queryTime`, such as a lock."""

    @property
    def query_time(self) -> str: ...


@dataclass(frozen=True)
class NextMoment:
    """A `queryTime` that no lock has yet."""

    query_time: str
    since: datetime
    """From when on new locks have it."""


@dataclass(frozen=True)
class UnlockedLock(Lock):
    """Stands in for a lock while Redis is down: a `queryTime` and roles to fetch prices for, which nothing locks."""


@dataclass(frozen=True)
class PriceTable:
    """A table: its key, when rows written to it expire, and whether it may be read and written (not for an `UnlockedLock`)."""

    key: str
    expiry: Expiry
    locked: bool = True


class LockOptions(TypedDict):
    """Options for `acquire`."""

    lag_ms: int
    align_seconds: NotRequired[int]


@dataclass(frozen=True)
class Timing:
    """How long locks live, and which `queryTime` they have. It must be the same in all pods and match the server's settings."""

    ttl_ms: int
    """`lock-ttl-ms`: how long a lock lives."""
    align_ms: int
    """`lock-align-s`, in milliseconds: each `queryTime` is a multiple of it, so that users share it and its tables. 0: each
    user has their own `queryTime`."""
    lag_ms: int
    """`lock-lag-ms`: how far `queryTime` is behind the server's clock. Set it above the time upstream takes to commit a price
    plus the clocks' differences."""
    buffer_ms: int | None = None
    """`lock-buffer-ms`: how long before its end a lock becomes `CloseToExpired`. Defaults to 60,000, or the ttl if that is
    shorter."""

    def __post_init__(self) -> None:
        ttl_ms, buffer_ms, align_ms = self.ttl_ms, self._buffer_ms, self.align_ms
        _check("ttl_ms", ttl_ms, ttl_ms >= 1, "whole milliseconds from 1 on")
        _check("buffer_ms", buffer_ms, 0 <= buffer_ms <= ttl_ms, "whole milliseconds from 0 to ttl_ms")
        _check("align_ms", align_ms, align_ms >= 0 and align_ms % 1000 == 0, "whole seconds, in milliseconds")
        # With a longer one, a new lock could already be `CloseToExpired`. The server refuses it.
        _check("align_ms", align_ms, align_ms <= ttl_ms - buffer_ms, "at most ttl_ms less buffer_ms")
        _check("lag_ms", self.lag_ms, self.lag_ms >= 0, "whole milliseconds from 0 on")

    @property
    def lock_options(self) -> LockOptions:
        """Options for `acquire`, so that its locks have the `queryTime` expected here. The ttl and the buffer come from the
        server's settings: if sent with each call, they would be stored in each lock."""
        if self.align_ms == 0:
            return {"lag_ms": self.lag_ms}
        return {"lag_ms": self.lag_ms, "align_seconds": self.align_ms // 1000}

    def table(self, lock: Moment, name: str, *parts: Part) -> PriceTable:
        """The table of a lock's `queryTime`, with these parts in its name: everything else that upstream's answer depends on,
        such as roles."""
        locked = not isinstance(lock, UnlockedLock)
        return PriceTable(self.table_key(lock, name, *parts), self.expiry_of(lock), locked)

    def table_key(self, lock: Moment, name: str, *parts: Part) -> str:
        """The table's key: `name:{queryTime}:part:part`. No two sets of parts share a key, and all tables of a `queryTime` are
        in one slot of a Cluster."""
        return table_key(lock.query_time, name, parts)

    def expiry_of(self, lock: Moment) -> datetime:
        """When rows of a lock's `queryTime` expire: not before any lock that has it. The last lock with a `queryTime` is
        created before `queryTime + align + lag`, and lives for the ttl."""
        return from_unix_ms(min(_time_of(lock.query_time) + self._lasts_ms, _END_OF_TIME))

    def moment_at(self, now: datetime) -> str:
        """The `queryTime` of locks created then."""
        return rfc3339(from_unix_ms(self._floor(unix_ms(now) - self.lag_ms)))

    def next_moment(self, now: datetime) -> NextMoment:
        """The `queryTime` after that one. Between that time and `since`, upstream can be asked for it, and no lock has it yet."""
        if self.align_ms == 0:
            raise ValueError("without align_ms each user has a moment, and none is the next")
        next_ms = self._floor(unix_ms(now) - self.lag_ms) + self.align_ms
        return NextMoment(rfc3339(from_unix_ms(next_ms)), from_unix_ms(next_ms + self.lag_ms))

    def unlocked(self, role_ids: Sequence[Word], seen: str | None = None, now: datetime | None = None) -> UnlockedLock:
        """For a screen that goes on while Redis is down. `seen` is the `queryTime` that the app sent back, of a quote for the
        same roles: it is kept as long as a lock with it could be in force. Otherwise `queryTime` comes from this pod's clock."""
        now = datetime.now(UTC) if now is None else now
        moment = seen if seen is not None and self._may_be_in_force(seen, now) else self.moment_at(now)
        # Whole seconds, truncated toward zero, as on the server.
        age_ms = int((unix_ms(now) - _time_of(moment)) / 1000) * 1000
        is_closing = age_ms > self.ttl_ms - self._buffer_ms
        return UnlockedLock(words("role_ids", role_ids), moment, "CloseToExpired" if is_closing else "Effective")

    def _may_be_in_force(self, moment: str, now: datetime) -> bool:
        """The app may send anything."""
        try:
            time = _time_of(moment)
        except ValueError:
            return False
        is_moment = self.align_ms == 0 or time % self.align_ms == 0
        return is_moment and self.lag_ms - _MAX_SKEW_MS <= unix_ms(now) - time < self._lasts_ms + _MAX_SKEW_MS

    @property
    def _buffer_ms(self) -> int:
        return min(60_000, self.ttl_ms) if self.buffer_ms is None else self.buffer_ms

    @property
    def _lasts_ms(self) -> int:
        return self.align_ms + self.lag_ms + self.ttl_ms

    def _floor(self, ms: int) -> int:
        return ms if self.align_ms == 0 else ms - ms % self.align_ms


# 9999-12-31, the last day on which a row can expire.
_END_OF_TIME = unix_ms(datetime(9999, 12, 31, 23, 59, 59, 999_000, UTC))

# How much this pod's clock may differ from the server's.
_MAX_SKEW_MS = 1000

# The longest timestamp that the server accepts.
_MAX_LENGTH = 64

_RFC_3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ]([01]\d|2[0-3])(:\d\d:)(\d\d)(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)", re.IGNORECASE | re.ASCII
)


def _time_of(moment: str) -> int:
    """Accepts and reads exactly what the server does."""
    found = _RFC_3339.fullmatch(moment) if len(moment) <= _MAX_LENGTH else None
    if found is None:
        raise ValueError(f"a moment takes a time of RFC 3339, not '{moment}'")
    date, hour, minute, second, fraction, zone, _ = found.groups("")
    # A leap second counts as the first second of the next minute.
    is_leap = second == "60"
    text = f"{date}T{hour}{minute}{59 if is_leap else second}{fraction}{zone.upper()}"
    return unix_ms(datetime.fromisoformat(text)) + (1000 if is_leap else 0)


def _check(name: str, value: int, is_right: bool, expected: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not is_right:
        raise ValueError(f"{name} takes {expected}, not {value}")
