"""Keys of tables and when their rows expire: the same as the TypeScript client's."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import TestCase

from quotelock import Lock, NextMoment, Part, PriceTable, Timing, UnlockedLock


def cases(name: str) -> list[Any]:
    """Cases that hold for every client."""
    path = Path(__file__).parents[2] / "shared-cases" / f"{name}.json"
    return list(json.loads(path.read_text(encoding="utf-8")))


TIMING = Timing(ttl_ms=360_000, align_ms=60_000, lag_ms=2000)


def lock(moment: str) -> Lock:
    return Lock(["3", "7"], moment, "Effective")


class Keys(TestCase):
    def test_are_those_of_every_client(self) -> None:
        all_cases = cases("table-keys")
        self.assertGreater(len(all_cases), 10)
        keys = [TIMING.table_key(lock(case["moment"]), case["name"], *case["parts"]) for case in all_cases]
        self.assertEqual(keys, [case["key"] for case in all_cases])

    def test_of_sets_have_no_order(self) -> None:
        sets: list[Part] = [["7", 3], (3, 7), {"3", 7}, frozenset([3, 7]), ["3", "7", 7]]
        made = {TIMING.table_key(lock("m"), "t", parts) for parts in sets}
        self.assertEqual(made, {"t:{m}:3,7"})

    def test_refuse_what_is_no_name(self) -> None:
        for name in ("", "a{b", "a}b"):
            self.assertRaisesRegex(ValueError, "a text without braces", lambda name=name: TIMING.table_key(lock("m"), name))
        self.assertRaisesRegex(TypeError, "a table's key takes strings", lambda: TIMING.table_key(lock("m"), "t", 1.5))  # type: ignore[arg-type]


class Times(TestCase):
    def test_rows_outlive_every_lock_on_their_moment(self) -> None:
        for moment in ("2024-09-12T02:50:00.000Z", "2024-09-12T10:50:00+08:00", "2024-09-12t02:50:00.000999999z"):
            ends = datetime(2024, 9, 12, 2, 57, 2, tzinfo=UTC)
            self.assertEqual(TIMING.expiry_of(lock(moment)), ends, moment)
        self.assertEqual(TIMING.expiry_of(lock("9999-12-31T23:59:59Z")).year, 9999)
        table = TIMING.table(lock("2024-09-12T02:50:00.000Z"), "t", ["7", "3"])
        self.assertEqual(table, PriceTable("t:{2024-09-12T02:50:00.000Z}:3,7", ends))
        for moment in ("soon", "2024-09-12T02:50:00.000", "2024-09-12", "2024-13-12T02:50:00Z"):
            self.assertRaises(ValueError, TIMING.expiry_of, lock(moment))

    def test_moments_are_those_that_the_server_takes(self) -> None:
        all_cases = cases("moments")
        self.assertGreater(len(all_cases), 10)
        for moment, ms in ((case["moment"], case["unixMs"]) for case in all_cases):
            if ms is None:
                self.assertRaises(ValueError, TIMING.expiry_of, lock(moment))
            else:
                self.assertEqual(TIMING.expiry_of(lock(moment)).timestamp() * 1000, ms + 422_000, moment)

    def test_moments_are_those_that_the_server_gives(self) -> None:
        for second, moment in ((1, "2024-09-12T02:49:00.000Z"), (2, "2024-09-12T02:50:00.000Z"), (59, "2024-09-12T02:50:00.000Z")):
            self.assertEqual(TIMING.moment_at(datetime(2024, 9, 12, 2, 50, second, tzinfo=UTC)), moment)
        following = NextMoment("2024-09-12T02:50:00.000Z", datetime(2024, 9, 12, 2, 50, 2, tzinfo=UTC))
        self.assertEqual(TIMING.next_moment(datetime(2024, 9, 12, 2, 50, 1, tzinfo=UTC)), following)
        own = Timing(ttl_ms=360_000, align_ms=0, lag_ms=1)
        self.assertEqual(own.moment_at(datetime(2024, 9, 12, tzinfo=UTC)), "2024-09-11T23:59:59.999Z")
        self.assertRaises(ValueError, own.next_moment, datetime.now(UTC))
        self.assertEqual([own.lock_options, TIMING.lock_options], [{"lag_ms": 1}, {"lag_ms": 2000, "align_seconds": 60}])

    def test_what_the_server_would_refuse_is_refused(self) -> None:
        for wrong in (
            {"ttl_ms": 0},
            {"ttl_ms": 1.5},
            {"ttl_ms": True},
            {"buffer_ms": -1},
            {"buffer_ms": 360_001},
            {"align_ms": 1500},
            {"align_ms": 301_000},
            {"lag_ms": -1},
        ):
            with self.assertRaisesRegex(ValueError, f"{next(iter(wrong))} takes "):
                Timing(**{"ttl_ms": 360_000, "align_ms": 60_000, "lag_ms": 0, **wrong})  # type: ignore[arg-type]
        Timing(ttl_ms=360_000, align_ms=300_000, lag_ms=0)
        Timing(ttl_ms=1000, align_ms=0, lag_ms=0)

    def test_a_moment_stands_in_while_redis_is_down(self) -> None:
        now = datetime(2024, 9, 12, 2, 55, 30, tzinfo=UTC)
        for seen, moment, state in (
            (None, "2024-09-12T02:55:00.000Z", "Effective"),
            ("2024-09-12T02:50:00.000Z", "2024-09-12T02:50:00.000Z", "CloseToExpired"),
            ("2024-09-12T02:51:00.000Z", "2024-09-12T02:51:00.000Z", "Effective"),
            ("2024-09-12T02:48:00.000Z", "2024-09-12T02:55:00.000Z", "Effective"),
            ("2024-09-12T02:56:00.000Z", "2024-09-12T02:55:00.000Z", "Effective"),
            # No lock is on this.
            ("2024-09-12T02:51:29.000Z", "2024-09-12T02:55:00.000Z", "Effective"),
            ("anything", "2024-09-12T02:55:00.000Z", "Effective"),
        ):
            self.assertEqual(TIMING.unlocked([3, "7"], seen, now), UnlockedLock(["3", "7"], moment, state), seen)  # type: ignore[arg-type]
        # This pod's clock may be a little behind the server's, or ahead.
        own = Timing(ttl_ms=360_000, align_ms=60_000, lag_ms=0)
        first, last = datetime(2024, 9, 12, 2, 56, tzinfo=UTC), datetime(2024, 9, 12, 3, 3, tzinfo=UTC)
        for at, ms, is_kept in ((first, -1000, True), (first, -1001, False), (last, 999, True), (last, 1000, False)):
            seen = "2024-09-12T02:56:00.000Z"
            lock = own.unlocked([], seen, at + timedelta(milliseconds=ms))
            self.assertEqual(lock.query_time == seen, is_kept, at)
        self.assertFalse(TIMING.table(TIMING.unlocked([]), "t").locked)
