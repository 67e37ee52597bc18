"""Reserving holds a vehicle's price against what its user saw."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from quotelock import Lock, PriceTable, Reserved, Seen, Timing

from .harness import Classes, ServerTest, key, through_each_driver

MOMENT = "2026-11-29T12:00:00.000Z"
OTHER = "2026-11-29T12:01:00.000Z"
HELD = Lock(["3"], MOMENT, "Effective")
MATCH = Reserved("Match", {"price": "5"})
CHANGED = Reserved("Changed", {"price": "5"})
NEW_QUOTE = Reserved("NewQuote", None)


class Reserving(ServerTest):
    @through_each_driver
    async def test_tells_what_to_show(self, classes: Classes) -> None:
        cases: list[tuple[str, Lock | None, str | None, str, str, Reserved, list[str]]] = [
            # The lock in force, the moment and the price that were seen, the vehicle; the answer, and which ids are fetched.
            ("no lock", None, MOMENT, "5", "1", NEW_QUOTE, []),
            ("no moment", HELD, None, "5", "1", NEW_QUOTE, []),
            ("another moment", HELD, OTHER, "5", "1", NEW_QUOTE, []),
            ("the same", HELD, MOMENT, "5", "1", MATCH, []),
            ("another price", HELD, MOMENT, "6", "1", CHANGED, []),
            ("missing, the same", HELD, MOMENT, "5", "2", MATCH, ["2"]),
            ("missing, another price", HELD, MOMENT, "6", "2", CHANGED, ["2"]),
            ("unknown", HELD, MOMENT, "5", "99", NEW_QUOTE, ["99"]),
        ]
        for fields in (None, ["price", "note"]):
            for what, lock, moment, price, id, expected, fetched in cases:
                table, asked = PriceTable(key("table"), timedelta(minutes=1)), list[str]()

                def upstream(ids: list[str], asked: list[str] = asked) -> Any:
                    asked.extend(ids)
                    return {id: {"price": "5"} for id in ids if id != "99"}

                await classes.VehPrice().mset(table.key, {"1": {"price": "5"}})
                seen = Seen(moment, {"price": price})
                answer = await classes.PriceTables().reserve(
                    lock, lambda _lock, table=table: table, id, seen, classes.fetch(upstream), fields=fields
                )
                self.assertEqual((answer, asked), (expected, fetched), (what, fields))

    @through_each_driver
    async def test_asks_upstream_alone_without_a_lock_that_holds(self, classes: Classes) -> None:
        timing = Timing(ttl_ms=360_000, align_ms=60_000, lag_ms=0)
        lock = timing.unlocked(["3"])
        fetch = classes.fetch(lambda ids: {id: {"price": 5} for id in ids})
        seen = Seen(lock.query_time, {"price": 5})
        name = key("table")
        # What is there was not asked for under this lock.
        stale = {"1": {"price": "9"}}
        await classes.VehPrice().mset(timing.table_key(lock, name), stale)
        answer = await classes.PriceTables().reserve(lock, lambda lock: timing.table(lock, name), 1, seen, fetch)
        self.assertEqual(answer, Reserved("Match", {"price": "5"}, locked=False))
        self.assertEqual(await classes.VehPrice().get_all(timing.table_key(lock, name)), stale)

    @through_each_driver
    async def test_takes_what_was_seen(self, classes: Classes) -> None:
        table = PriceTable(key("table"), timedelta(minutes=1))
        cases: list[tuple[Any, str]] = [({}, "at least one field"), ({"price": None}, "field 'price'")]
        for row, error in cases:
            reserving = classes.PriceTables().reserve
            with self.assertRaisesRegex((ValueError, TypeError), error):
                await reserving(HELD, lambda _: table, "1", Seen(MOMENT, row), classes.fetch(lambda _: {}))
