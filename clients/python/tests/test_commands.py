"""What each method does, through every driver."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from quotelock import AcquiredLock, Lock, LockedQuoteInfo, PricePlan, Routed, TableInfo, Verified, Word

from .harness import Classes, ServerTest, key, through_each_driver

MOMENT = "2024-09-12T02:50:53.000Z"


class Locks(ServerTest):
    @through_each_driver
    async def test_acquires_and_shares(self, classes: Classes) -> None:
        locks, user = classes.QuoteLock(), key("user")
        self.assertIsNone(await locks.get(user))
        lock = await locks.acquire(user, ["3", 7], ttl_ms=9000, buffer_ms=1000)
        self.assertEqual(lock, AcquiredLock(["3", "7"], lock.query_time, "Effective", "Created"))
        self.assertEqual((await locks.acquire(user, ["9"], if_missing=True)).outcome, "Held")
        self.assertEqual(await locks.get(user), Lock(["3", "7"], lock.query_time, "Effective"))
        later = datetime.now(UTC) + timedelta(seconds=9)
        self.assertEqual((await locks.get(user, at=later)).state, "CloseToExpired")
        self.assertFalse(await locks.delete(user, if_eq=MOMENT))
        self.assertTrue(await locks.delete(user, if_eq=lock.query_time))
        self.assertFalse(await locks.delete(user))

    @through_each_driver
    async def test_sets_as_services_store_it(self, classes: Classes) -> None:
        locks, user = classes.QuoteLock(), key("user")
        taipei = datetime(2024, 9, 12, 10, 50, 53, 999, timezone(timedelta(hours=8)))
        self.assertTrue(await locks.set(user, ["3"], taipei, condition="NX"))
        self.assertEqual(self.redis.get(user), f'{{"roleIds":["3"],"queryTime":"{MOMENT}"}}')
        self.assertFalse(await locks.set(user, ["3"], condition="NX"))
        self.assertTrue(await locks.set(user, [], MOMENT, condition="XX", ttl_ms=5000))
        self.assertEqual(await locks.get(user), Lock([], MOMENT, "CloseToExpired"))
        with self.assertRaisesRegex(ValueError, "has no time zone"):
            await locks.set(user, [], datetime(2024, 9, 12))
        aligned = await locks.acquire(key(), [], align_seconds=60, lag_ms=120_000)
        self.assertRegex(aligned.query_time, r":00\.000Z$")

    @through_each_driver
    async def test_keeps_locks_of_users_under_a_prefix(self, classes: Classes) -> None:
        prefix = key("prefix")
        locks = classes.LockedQuoteInfo(prefix=prefix, ttl_ms=1_800_000, buffer_ms=60_000)
        self.assertIsNone(await locks.get_by_id(42))
        await locks.set_by_id(42, ["3"], MOMENT)
        stored = f'{{"roleIds":["3"],"queryTime":"{MOMENT}","ttlMs":1800000,"bufferMs":60000}}'
        self.assertEqual(self.redis.get(f"{prefix}42"), stored)
        self.assertEqual((await locks.acquire("42", ["7"])).outcome, "Refreshed")
        self.assertEqual((await locks.get_by_id("42")).role_ids, ["7"])
        self.assertTrue(await locks.delete_by_id(42))


class Tables(ServerTest):
    @through_each_driver
    async def test_writes_and_reads_rows(self, classes: Classes) -> None:
        prices, table = classes.VehPrice(), key("table")
        self.assertTrue(await prices.set(table, 1, {"styleId": 12, "pricingId": "571"}))
        self.assertFalse(await prices.set(table, 1, {"styleId": "9"}, condition="NX"))
        rows = {"2": {"styleId": "13", "pricingId": None}, "3": {"pricingId": "é"}}
        self.assertEqual(await prices.mset(table, rows, fields=["styleId", "pricingId"]), 2)
        self.assertEqual(await prices.mset(table, [(4, {"more": '{"net":1}'})]), 1)
        self.assertEqual(await prices.get(table, 1), {"styleId": "12", "pricingId": "571"})
        self.assertEqual(await prices.get(table, 2, fields=["pricingId", "styleId"]), {"pricingId": None, "styleId": "13"})
        self.assertEqual(await prices.get(table, 4, raw=["more"]), {"more": {"net": 1}})
        self.assertEqual(await prices.mget(table, [3, 9, "2"]), [{"pricingId": "é"}, None, {"styleId": "13"}])
        by_column = await prices.mget(table, [3, 9, "2"], fields=["styleId"])
        self.assertEqual(by_column, [{"styleId": None}, None, {"styleId": "13"}])
        self.assertEqual(await prices.mget(table, [4], fields=["more"], raw=["more"]), [{"more": {"net": 1}}])
        self.assertEqual(sorted(await prices.get_all(table)), ["1", "2", "3", "4"])
        self.assertEqual((await prices.get_all(table, fields=["more"]))["1"], {"more": None})
        scanned = {id: row async for id, row in prices.scan(table, fields=["styleId"], count=1)}
        self.assertEqual(scanned["1"], {"styleId": "12"})
        self.assertEqual(len(scanned), await prices.len(table))
        self.assertEqual(await prices.delete(table, [3, 99]), 1)
        self.assertTrue(await prices.clear(table))
        self.assertFalse(await prices.clear(table))

    @through_each_driver
    async def test_rows_expire_as_told(self, classes: Classes) -> None:
        prices, table = classes.VehPrice(), key("table")
        self.assertIsNone(await prices.info(table))
        at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=100)
        await prices.mset(table, {"1": {"a": 1}}, expiry=at)
        await prices.mset(table, {"2": {"a": 1}}, expiry=timedelta(seconds=50))
        await prices.mset(table, {"1": {"b": 2}}, merge=True, expiry="keep")
        left = await prices.pttl(table, [1, 2, 3])
        self.assertTrue(90_000 < left[0] <= 100_000 and 40_000 < left[1] <= 50_000, left)
        self.assertEqual(left[2], -2)
        info = await prices.info(table)
        latest = round(at.timestamp() * 1000)
        self.assertEqual(info, TableInfo(2, 2, info.bytes, info.earliest_expiry, latest))
        self.assertFalse(await prices.set(table, 3, {"a": 1}, expiry=datetime(2020, 1, 1, tzinfo=UTC)))

    @through_each_driver
    async def test_rows_may_never_expire(self, classes: Classes) -> None:
        prices, table = classes.VehPrice(), key("table")
        await prices.mset(table, {"1": {"a": 1}}, expiry="never")
        self.assertEqual(await prices.pttl(table, [1]), [-1])
        self.assertIsNone((await prices.info(table)).latest_expiry)

    @through_each_driver
    async def test_verifies(self, classes: Classes) -> None:
        prices, table = classes.VehPrice(), key("table")
        await prices.set(table, 1, {"a": 1})
        self.assertEqual(await prices.verify(table, 1, {"a": 1}), Verified("Match", {"a": "1"}))
        self.assertEqual(await prices.verify(table, 1, {"a": 2}), Verified("Changed", {"a": "1"}))
        self.assertEqual(await prices.verify(table, 2, {"a": 2}), Verified("Missing", None))

    @through_each_driver
    async def test_reads_hashes_of_before(self, classes: Classes) -> None:
        one = key("hash")
        self.redis.hset(one, mapping={"a": "é", "b": ""})
        self.assertEqual(await classes.VehPrice().mget_hash([one, key()]), [{"a": "é", "b": ""}, None])

    @through_each_driver
    async def test_claims_and_releases(self, classes: Classes) -> None:
        prices, table = classes.VehPrice(), key("table")
        claim = await prices.claim(table, [1, 2], ttl_ms=60_000, limit=1, fields=["a"])
        self.assertRegex(claim.token, "^[0-9a-f]{32}$")
        self.assertEqual([claim.rows, claim.claimed, claim.pending], [[None, None], ["1"], []])
        other = await prices.claim(table, [1], ttl_ms=60_000)
        self.assertEqual([other.token, other.claimed, other.pending], [None, [], ["1"]])
        again = await prices.claim(table, [1], ttl_ms=60_000, token=claim.token)
        self.assertEqual([again.token, again.claimed], [claim.token, ["1"]])
        self.assertEqual(await prices.mset(table, {"1": {"a": 1}, "2": {"a": 2}}, token="0" * 32), 0)
        self.assertEqual(await prices.mset(table, {"1": {"a": 1}}, token=claim.token, keep_claim=True), 1)
        self.assertEqual(await prices.release(table, claim.token, [2]), 0)
        self.assertEqual(await prices.release(table, claim.token), 1)
        soon = await prices.claim(table, [1], ttl_ms=1000, refresh_ms=3_600_000)
        self.assertEqual([soon.rows, soon.claimed], [[{"a": "1"}], ["1"]])

    @through_each_driver
    async def test_asks_nothing_without_ids(self, classes: Classes) -> None:
        prices = classes.VehPrice()
        # No key of this name can be sent.
        none = "\ud800"
        self.assertEqual([await prices.mget(none, []), await prices.mset(none, {}), await prices.pttl(none, [])], [[], 0, []])
        self.assertEqual([await prices.delete(none, []), await prices.mget_hash([])], [0, []])
        self.assertEqual((await prices.claim(none, [], ttl_ms=1)).rows, [])


class Plans(ServerTest):
    @through_each_driver
    async def test_tags_and_routes(self, classes: Classes) -> None:
        toggle = key("toggle")
        plans = classes.PricePlan(toggle)
        self.assertEqual(await plans.tag([571, "580_old"]), ["571_old", "580_old"])
        self.redis.set(toggle, "3")
        self.assertEqual(await plans.tag(["571"]), ["571"])
        self.assertEqual(await plans.route(["571", "571_old"]), [Routed("Core", "571"), Routed("Legacy", "571")])
        self.assertEqual([await plans.tag([]), await plans.route([])], [[], []])

    def test_keys_are_those_of_services(self) -> None:
        self.assertEqual(LockedQuoteInfo(lambda *_: None).key(42), "hermes:LockedQuoteInfo:42")

    def test_bares_without_a_server(self) -> None:
        cases: list[tuple[Word, str, bool]] = [
            ("571_old", "571", True),
            (571, "571", False),
            ("_old_old", "_old", True),
            ("571_OLD", "571_OLD", False),
        ]
        for id, bare, is_old in cases:
            self.assertEqual((PricePlan.bare(id), PricePlan.is_old(id)), (bare, is_old))
