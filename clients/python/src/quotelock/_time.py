"""Timestamps as the server accepts them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_MS = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def whole_ms(duration: timedelta) -> int:
    return duration // _MS


def unix_ms(moment: datetime) -> int:
    """Milliseconds since 1970."""
    return (_with_zone(moment) - _EPOCH) // _MS


def from_unix_ms(ms: int) -> datetime:
    return _EPOCH + ms * _MS


def rfc3339(moment: str | datetime) -> str:
    """A text as it is; a datetime in UTC to the millisecond, as locks are stored."""
    if isinstance(moment, str):
        return moment
    at = _with_zone(moment).astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"


def seconds(ms: int) -> float:
    """A time to wait, in seconds. Threads can't wait for more than some centuries; 30 years are as good."""
    return min(ms, 10**12) / 1000


def _with_zone(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone, so it is no moment")
    return moment
