"""Tables that are filled before users are given their moment."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import redis
import redis.asyncio

from quotelock import FillOptions, NextMoment, Timing, Warming

from .harness import URL, ServerTest, key, until
from .way import Way, bare, either_way

TIMING = Timing(ttl_ms=20_000, align_ms=2000, lag_ms=3900, buffer_ms=1000)
# A thousand days, so that none begins during the tests.
AGE_MS = 86_400_000_000
# Where it is time at once, and not again for an age.
DAILY = Timing(ttl_ms=2 * AGE_MS, align_ms=AGE_MS, lag_ms=AGE_MS - 100)
IDS = [str(id) for id in range(1, 51)]


def filler(way: Way, fill: Callable[[NextMoment], Any], seconds: float = 0) -> Any:
    """What fills tables, as a face takes it, and how long that takes."""

    def answer(moment: NextMoment) -> Any:
        time.sleep(seconds)
        return fill(moment)

    async def awaited(moment: NextMoment) -> Any:
        await asyncio.sleep(seconds)
        return fill(moment)

    return awaited if way.is_async else answer


async def stop(*warmings: Warming) -> None:
    """Stops, and lets what is under way end."""
    for warming in warmings:
        warming.stop()
    await asyncio.sleep(0.2)


def fail(_moment: NextMoment) -> Any:
    raise RuntimeError("upstream is down")


class KeepingWarm(ServerTest):
    async def asyncSetUp(self) -> None:
        # In debug mode, which unittest turns on, a loop is several times slower: fillings come seconds late on a busy machine.
        asyncio.get_running_loop().set_debug(False)

    @either_way
    async def test_has_each_table_of_a_moment_filled_by_one_pod_before_users_are_on_it_until_it_is_stopped(self, way: Way) -> None:
        names, asked, failures = [key("rules"), key("tags")], Counter[Any](), list[Exception]()
        fillings = list[tuple[str, str]]()
        early = list[bool]()
        pods = [bare(way.PriceTables(FillOptions(parallel=1, claim_ms=20_000))) for _ in range(6)]

        def filling(pod: Any, name: str) -> Any:
            def rows(ids: list[str], moment: str) -> Any:
                asked.update((name, moment, id) for id in ids)
                return {id: {"price": "1"} for id in ids}

            def begin(moment: NextMoment) -> Any:
                fillings.append((name, moment.query_time))
                # Users are on the moment before at the most.
                early.append(TIMING.moment_at(datetime.now(UTC)) < moment.query_time)
                fetch = way.fetch(lambda ids: rows(ids, moment.query_time))
                return pod.get_or_fill(TIMING.table(moment, name), IDS, fetch, fields=["price"])

            async def begin_async(moment: NextMoment) -> None:
                await begin(moment)

            return begin_async if way.is_async else begin

        # Just after a beginning, for both names to begin with the same moment, and long before users turn to it.
        await asyncio.sleep((0.5 - time.time()) % 2)
        warmings = [
            pod.keep_warm(TIMING, name, filling(pod, name), lead_ms=3500, on_error=failures.append) for pod in pods for name in names
        ]
        # Two are due at once, the third after a second.
        await until(lambda: len(fillings) >= 6)
        await stop(*warmings)
        stopped = len(fillings)
        await asyncio.sleep(2.1)
        self.assertEqual(len(fillings), stopped, "it goes on")

        self.assertEqual(failures, [])
        moments = sorted({moment for _, moment in fillings})
        self.assertEqual(sorted(fillings), sorted((name, moment) for name in names for moment in moments), "each by one pod")
        self.assertEqual(early, [True] * stopped)
        self.assertEqual(asked, Counter((name, moment, id) for name, moment in fillings for id in IDS))

    @either_way
    async def test_leaves_a_moment_that_a_pod_fails_to_fill_to_another_and_tells_what_failed(self, way: Way) -> None:
        name, failures, calls = key("rules"), list[Exception](), list[NextMoment]()

        def fill(moment: NextMoment) -> None:
            calls.append(moment)
            if len(calls) == 1:
                fail(moment)

        warmings = [
            bare(way.PriceTables()).keep_warm(DAILY, name, filler(way, fill, 0.2), lead_ms=DAILY.lag_ms, on_error=failures.append)
            for _ in range(3)
        ]
        await until(lambda: len(calls) == 2)
        await stop(*warmings)
        self.assertEqual(len(calls), 2)
        self.assertEqual([str(error) for error in failures], ["1 of 1 rows could not be had: upstream is down"])

    @either_way
    async def test_goes_by_the_servers_clock(self, way: Way) -> None:
        # Rows of an hour ago are there still.
        timing = Timing(ttl_ms=7_200_000, align_ms=1000, lag_ms=3900)
        for ahead in (timedelta(minutes=5), timedelta(hours=-1)):
            moments, failures = list[tuple[str, datetime]](), list[Exception]()

            def fill(moment: NextMoment, moments: list[tuple[str, datetime]] = moments, ahead: timedelta = ahead) -> None:
                moments.append((moment.query_time, datetime.now(UTC) + ahead))

            way.reply = lambda command, reply, ahead=ahead: _set(reply, ahead) if command == "VEHPRICE.CHANGES" else reply  # type: ignore[misc]
            tables = bare(way.PriceTables())
            warming = tables.keep_warm(timing, key("rules"), filler(way, fill), lead_ms=3500, on_error=failures.append)
            await until(lambda: len(moments) >= 5)  # noqa: B023
            await stop(warming)
            self.assertEqual(failures, [])
            first, left = min(moment for moment, _ in moments), list[timedelta]()
            for moment, now in moments:
                # All of it has passed, and no user is on it; of the first one little time may have been left.
                since = datetime.fromisoformat(moment) + timedelta(milliseconds=timing.lag_ms)
                self.assertLessEqual(since - timedelta(milliseconds=3510), now, moment)
                if moment != first:
                    self.assertLess(now, since, moment)
                left.append(since - now)
            # All that were due were begun, from the next one on.
            self.assertLessEqual(min(left), timedelta(milliseconds=timing.align_ms))

    @either_way
    async def test_looks_at_the_clock_rarely(self, way: Way) -> None:
        warming = bare(way.PriceTables()).keep_warm(TIMING, key("rules"), filler(way, lambda _: None), lead_ms=TIMING.lag_ms)
        await asyncio.sleep(1)
        await stop(warming)
        self.assertLessEqual(way.asked.count("VEHPRICE.CHANGES"), 3)

    @either_way
    async def test_lets_a_filling_take_longer_than_an_upstream_call(self, way: Way) -> None:
        failures, filled = list[Exception](), list[NextMoment]()
        tables = bare(way.PriceTables(FillOptions(fetch_ms=100, max_ms=100)))
        warming = tables.keep_warm(DAILY, key("rules"), filler(way, filled.append, 0.4), lead_ms=DAILY.lag_ms, on_error=failures.append)
        await until(lambda: len(filled) == 1)
        await stop(warming)
        self.assertEqual((len(filled), failures), (1, []))

    @either_way
    async def test_goes_on_after_what_its_hook_raises_and_after_a_clock_that_can_not_be_had(self, way: Way) -> None:
        told, moments = list[Exception](), set[str]()

        def tell(error: Exception) -> None:
            told.append(error)
            raise RuntimeError("hook")

        def fill(moment: NextMoment) -> None:
            moments.add(moment.query_time)
            fail(moment)

        way.is_cut = lambda command: command == "VEHPRICE.CHANGES" and way.asked.count(command) <= 2
        warming = bare(way.PriceTables()).keep_warm(TIMING, key("rules"), filler(way, fill), on_error=tell)
        await until(lambda: len(moments) == 2)
        await stop(warming)
        lost = [error for error in told if isinstance(error, redis.exceptions.ConnectionError)]
        self.assertEqual((lost, len(lost)), (told[:1], 1), "it is told once")

    @either_way
    async def test_leaves_a_moment_cold_that_was_filled_while_redis_was_down(self, way: Way) -> None:
        name, told, moments = key("rules"), list[Exception](), list[NextMoment]()
        pod = bare(way.PriceTables(outage=way.outage()))
        fetch = way.fetch(lambda ids: {id: {"price": "1"} for id in ids})

        def cut_off(moment: NextMoment) -> Any:
            moments.append(moment)
            way.is_cut = lambda command: command == "VEHPRICE.MGET"
            return pod.get_or_fill(DAILY.table(moment, name), IDS, fetch)

        async def fill_async(moment: NextMoment) -> None:
            fill_end(await cut_off(moment))

        def fill_end(filled: Any) -> None:
            self.assertFalse(filled.locked)
            way.is_cut = lambda _command: False

        fill = fill_async if way.is_async else lambda moment: fill_end(cut_off(moment))
        warming = pod.keep_warm(DAILY, name, fill, lead_ms=DAILY.lag_ms, on_error=told.append)
        await until(lambda: len(told) == 1)
        await stop(warming)
        self.assertEqual(str(told[0]), "1 of 1 rows could not be had: Redis was down")
        other = bare(way.PriceTables()).keep_warm(DAILY, name, filler(way, moments.append), lead_ms=DAILY.lag_ms)
        await until(lambda: len(moments) == 2)
        await stop(other)

    @either_way
    async def test_refuses_at_the_call_what_can_not_be(self, way: Way) -> None:
        def keep(name: str = "rules", lag_ms: int = 1000, align_ms: int = 60_000, **options: Any) -> None:
            timing = Timing(ttl_ms=360_000, align_ms=align_ms, lag_ms=lag_ms)
            bare(way.PriceTables()).keep_warm(timing, name, filler(way, fail), **options)

        for wrong, message in (
            ({"name": "a{b"}, "a table's name takes a text without braces, not 'a{b[?]warm'"),
            ({"lag_ms": 0}, "lead_ms takes a time above 0 up to lag_ms, 0 ms, not 0"),
            ({"lead_ms": 1001}, "lead_ms takes a time above 0 up to lag_ms, 1000 ms, not 1001"),
            ({"lead_ms": 0}, "lead_ms takes a time above 0 up to lag_ms, 1000 ms, not 0"),
            ({"align_ms": 0}, "without align_ms each user has a moment, and none is the next"),
        ):
            with self.assertRaisesRegex(ValueError, f"^{message}$"):
                keep(**wrong)

    def test_keeps_no_process_alive(self) -> None:
        threads = """
            from quotelock import PriceTables, Timing
            tables = PriceTables(redis.Redis.from_url(url))
            tables.keep_warm(Timing(ttl_ms=360000, align_ms=60000, lag_ms=1000), "rules", lambda _: None)
        """
        tasks = """
            import asyncio
            from quotelock import Timing
            from quotelock.asyncio import PriceTables

            async def fill(_moment):
                pass

            async def main():
                client = redis.asyncio.Redis.from_url(url)
                PriceTables(client).keep_warm(Timing(ttl_ms=360000, align_ms=60000, lag_ms=1000), "rules", fill)
                await asyncio.sleep(0.1)
                await client.aclose()

            asyncio.run(main())
        """
        deaf = """
            import asyncio
            from quotelock import Timing
            from quotelock.asyncio import PriceTables

            class Deaf(redis.asyncio.Redis):
                async def execute_command(self, *words, **options):
                    try:
                        await asyncio.sleep(0.2)
                    except asyncio.CancelledError:
                        pass
                    return await super().execute_command(*words, **options)

            async def fill(_moment):
                pass

            async def main():
                client = Deaf.from_url(url)
                PriceTables(client).keep_warm(Timing(ttl_ms=360000, align_ms=60000, lag_ms=1000), "rules", fill)
                await asyncio.sleep(0.1)

            asyncio.run(main())
        """
        for program in (threads, tasks, deaf):
            lines = "\n".join(line[12:] for line in program.splitlines())
            source = f"import redis, redis.asyncio\nurl = {URL!r}\n{lines}"
            ended = subprocess.run(
                [sys.executable, "-c", f"import sys\nsys.path[:] = {sys.path!r}\n{source}"],
                capture_output=True,
                text=True,
                timeout=30,
                check=False,
            )
            self.assertEqual((ended.returncode, ended.stdout, ended.stderr), (0, "", ""))


def _set(reply: bytes, ahead: timedelta) -> str:
    """The reply of a server whose clock is ahead."""
    told = json.loads(reply)
    return json.dumps({**told, "now": told["now"] + round(ahead.total_seconds() * 1000)})
