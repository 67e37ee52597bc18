"""Whether a vehicle can be reserved at what its user saw."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import redis

from quotelock import FillError, Lock, PriceTable, PriceTables, Reserved, Seen, Timing, VehPrice

from .harness import URL, Classes, ServerTest, key, through_each_driver

TIMING = Timing(ttl_ms=360_000, align_ms=60_000, lag_ms=0)
FIELDS = ["styleId", "pricingId"]

MOMENT = TIMING.moment_at(datetime.now(UTC))
LOCK = Lock(["3"], MOMENT, "Effective")
ROW = {"styleId": "12", "pricingId": "571"}
FETCHED = {"styleId": "12", "pricingId": "580"}


def fetch(_ids: list[str]) -> Any:
    """It knows vehicle 2 alone."""
    return {"2": {**FETCHED, "note": None}}


class Reserving(ServerTest):
    @through_each_driver
    async def test_answers_match_changed_and_new_quote(self, classes: Classes) -> None:
        name, prices, tables = key("prices"), VehPrice(self.redis), classes.PriceTables()

        def table_of(lock: Lock) -> PriceTable:
            return TIMING.table(lock, name, lock.role_ids)

        own = table_of(LOCK).key
        prices.mset(own, {1: ROW})
        for id, query_time, row, lock, expected in (
            (1, MOMENT, {"pricingId": 571}, LOCK, Reserved("Match", ROW)),
            (1, MOMENT, ROW, LOCK, Reserved("Match", ROW)),
            (1, MOMENT, {"pricingId": "570"}, LOCK, Reserved("Changed", ROW)),
            (1, MOMENT, {"styleId": "12", "more": "x"}, LOCK, Reserved("Changed", ROW)),
            # What a failover has lost is fetched again.
            (2, MOMENT, {"pricingId": 580}, LOCK, Reserved("Match", FETCHED)),
            (3, MOMENT, {"pricingId": "570"}, LOCK, Reserved("NewQuote", None)),
            (1, MOMENT, {"pricingId": "571"}, None, Reserved("NewQuote", None)),
            (1, None, {"pricingId": "571"}, LOCK, Reserved("NewQuote", None)),
            (1, "2024-09-12T02:50:00.000Z", {"pricingId": "571"}, LOCK, Reserved("NewQuote", None)),
        ):
            got = await tables.reserve(lock, table_of, id, Seen(query_time, row), classes.fetch(fetch), fields=FIELDS)
            self.assertEqual(got, expected, (id, query_time, row, lock))
        self.assertEqual(prices.get(own, 2), FETCHED)
        # Rows come without the fields that they lack, as they do from the table.
        for fields in (None, [*FIELDS, "note"]):
            prices.delete(own, [2])
            seen = Seen(MOMENT, {"pricingId": "570"})
            got = await tables.reserve(LOCK, table_of, 2, seen, classes.fetch(fetch), fields=fields)
            self.assertEqual(got, Reserved("Changed", FETCHED))

    @through_each_driver
    async def test_compares_with_what_upstream_answers_under_an_unlocked_lock(self, classes: Classes) -> None:
        tables, name = classes.PriceTables(), key("prices")
        # What is there was not asked for under this lock.
        VehPrice(self.redis).mset(TIMING.table_key(LOCK, name), {2: {**FETCHED, "pricingId": "570"}})
        for seen, id, pricing_id, expected in (
            (MOMENT, 2, "580", Reserved("Match", FETCHED, locked=False)),
            (MOMENT, 2, "570", Reserved("Changed", FETCHED, locked=False)),
            (MOMENT, 3, "580", Reserved("NewQuote", None, locked=False)),
            ("2024-09-12T02:50:00.000Z", 2, "580", Reserved("NewQuote", None, locked=False)),
        ):
            lock = TIMING.unlocked(["3"], seen)
            got = await tables.reserve(
                lock, lambda lock: TIMING.table(lock, name), id, Seen(seen, {"pricingId": pricing_id}), classes.fetch(fetch), fields=FIELDS
            )
            self.assertEqual(got, expected)

    @through_each_driver
    async def test_says_where_a_missing_row_can_not_be_had(self, classes: Classes) -> None:
        def fail(_ids: list[str]) -> Any:
            raise ConnectionRefusedError("upstream is down")

        name, seen = key("prices"), Seen(MOMENT, ROW)
        with self.assertRaisesRegex(FillError, "^1 of 1 rows could not be had: upstream is down$"):
            await classes.PriceTables().reserve(LOCK, lambda lock: TIMING.table(lock, name), 1, seen, classes.fetch(fail))

    def test_refuses_to_match_nothing(self) -> None:
        tables = PriceTables(redis.Redis.from_url(URL))

        def reserve(row: Mapping[str, Any]) -> None:
            tables.reserve(LOCK, lambda lock: TIMING.table(lock, "t"), 1, Seen(MOMENT, row), fetch)

        self.assertRaisesRegex(ValueError, "^reserve takes at least one field that was seen$", reserve, {})
        self.assertRaisesRegex(TypeError, "^reserve, field 'pricingId' takes strings and whole", reserve, {"pricingId": None})
