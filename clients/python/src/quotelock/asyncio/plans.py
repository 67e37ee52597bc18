"""`PRICEPLAN.*` with asyncio."""

from __future__ import annotations

from collections.abc import Sequence

from .. import _plans
from .._drivers import AsyncDriver
from .._faces import AsyncFace
from .._words import Word
from ..types import Routed


class PricePlan(AsyncFace):
    """`PRICEPLAN.*`: old and new pricing side by side. `toggle` is the whole key of the toggle that all pods share."""

    def __init__(self, driver: AsyncDriver, toggle: str) -> None:
        super().__init__(driver)
        self._toggle = toggle

    async def tag(self, ids: Sequence[Word]) -> list[str]:
        """The ids to send out, in order: with `_old` if old pricing is in force."""
        return await self._take(_plans.tag(self._toggle, ids))

    async def route(self, ids: Sequence[Word]) -> list[Routed]:
        """The pricing of each id that came back, in order."""
        return await self._take(_plans.route(self._toggle, ids))

    bare = staticmethod(_plans.bare)
    is_old = staticmethod(_plans.is_old)
