"""When the rows of a copy expire."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf

# The size of an entry whose value is a number.
_ENTRY_BYTES = 136


class Expiries:
    """When rows expire, in milliseconds since 1970, `inf` for never. In most tables all rows expire at the same time: only the
    others are kept one by one."""

    __slots__ = ("_common", "_others", "earliest")

    def __init__(self, common: float) -> None:
        self._common = common
        self._others: dict[str, float] = {}
        self.earliest: float = inf
        """No row expires before this."""

    def copy(self) -> Expiries:
        copy = Expiries(self._common)
        copy._others = dict(self._others)
        copy.earliest = self.earliest
        return copy

    @property
    def bytes(self) -> int:
        """About how much memory it takes."""
        return len(self._others) * _ENTRY_BYTES

    def of(self, id: str) -> float:
        """When an existing row expires."""
        return self._others.get(id, self._common)

    def set(self, ids: Iterable[str], at: float) -> None:
        if at == self._common:
            for id in ids if self._others else ():
                self._others.pop(id, None)
        else:
            self._others.update(dict.fromkeys(ids, at))
        self.earliest = min(self.earliest, at)

    def delete(self, id: str) -> None:
        self._others.pop(id, None)

    def expired(self, ids: Iterable[str], now: float) -> list[str]:
        """The rows that have expired by now. The caller must delete them."""
        if now < self.earliest:
            return []
        ends = [(id, self.of(id)) for id in ids]
        self.earliest = min((at for _, at in ends if at > now), default=inf)
        return [id for id, at in ends if at <= now]
