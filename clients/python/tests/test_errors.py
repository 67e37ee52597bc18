"""What goes wrong, and why."""

from __future__ import annotations

import pickle
import socket
from typing import Any
from unittest import TestCase

import redis
import redis.asyncio
import redis.exceptions
import valkey.exceptions
from redis._parsers.base import BaseParser

from quotelock import QuoteLock, ServerError, is_unavailable
from quotelock.asyncio import QuoteLock as AsyncQuoteLock

from .harness import URL, Classes, ServerTest, key, opened, through_each_driver


class Refusals(ServerTest):
    @through_each_driver
    async def test_say_why(self, classes: Classes) -> None:
        of_list, broken = key("list"), key("toggle")
        self.redis.rpush(of_list, "x")
        self.redis.set(broken, "5")
        locks, prices = classes.QuoteLock(), classes.VehPrice()
        cases: list[tuple[Any, str, str, str, str]] = [
            (locks.get(of_list), "type", "WRONGTYPE", "QUOTELOCK.GET", "^WRONGTYPE Operation against"),
            (prices.clear(of_list), "type", "WRONGTYPE", "VEHPRICE.CLEAR", "^WRONGTYPE "),
            (locks.acquire(key(), [""]), "call", "ERR", "QUOTELOCK.ACQUIRE", "^ERR invalid roleIds, id 1 is empty$"),
            (locks.set(key(), [], "soon"), "call", "ERR", "QUOTELOCK.SET", "^ERR invalid queryTime 'soon'"),
            (prices.set(key(), "", {"a": 1}), "call", "ERR", "VEHPRICE.SET", "^ERR invalid id ''"),
            (prices.mget(key(), [1], block_ms=-1), "call", "ERR", "VEHPRICE.MGET", "^ERR timeout is negative"),
            (prices.mget(key(), [1, ""]), "call", "ERR", "VEHPRICE.MGET", "^ERR invalid id ''"),
            (prices.mget(key(), [1], fields=[]), "call", "ERR", "VEHPRICE.MGET", "^ERR value is not an integer"),
            (prices.changes(key(), "1"), "call", "ERR", "VEHPRICE.CHANGES", "^ERR invalid revision '1'"),
            (prices.claim(key(), [1], ttl_ms=1, token="x"), "call", "ERR", "VEHPRICE.CLAIM", "^ERR invalid token 'x'"),
            (classes.PricePlan(broken).tag([1]), "toggle", "ERR", "PRICEPLAN.TAG", "^ERR invalid value '5' in the toggle"),
        ]
        for call, reason, code, command, message in cases:
            with self.assertRaisesRegex(ServerError, message) as raised:
                await call
            error = raised.exception
            self.assertEqual((error.reason, error.code, error.command), (reason, code, command))
            self.assertFalse(is_unavailable(error))
            self.assertIsNotNone(error.__cause__)

    async def test_say_what_a_user_may_not_do(self) -> None:
        user = key("user")
        self.redis.execute_command("ACL", "SETUSER", user, "on", ">secret", "%R~*", "+quotelock.get", "+quotelock.set")
        self.addCleanup(self.redis.execute_command, "ACL", "DELUSER", user)
        locks = QuoteLock(redis.Redis.from_url(URL, username=user, password="secret"))
        self.assertIsNone(locks.get(key()))
        for call in (lambda: locks.set(key(), []), lambda: locks.delete(key())):
            with self.assertRaisesRegex(ServerError, "^NOPERM ") as raised:
                call()
            self.assertEqual(raised.exception.reason, "access")
        with self.assertRaisesRegex(ServerError, "^WRONGPASS ") as raised:
            QuoteLock(redis.Redis.from_url(URL, username=user, password="wrong")).get(key())
        self.assertEqual(raised.exception.reason, "access")

    @through_each_driver
    async def test_a_text_that_cant_be_sent_is_no_answer(self, classes: Classes) -> None:
        prices = classes.VehPrice()
        with self.assertRaises(UnicodeEncodeError):
            await prices.mget(key(), ["\ud800"])
        self.assertEqual(await prices.mget(key(), ["1"]), [None])

    async def test_one_face_refuses_the_other_ones_driver(self) -> None:
        async with opened("redis-py, asyncio") as asynchronous:
            with self.assertRaisesRegex(TypeError, "import from quotelock.asyncio"):
                QuoteLock(asynchronous.driver).get("user")
        with self.assertRaisesRegex(TypeError, "import from quotelock$"):
            await AsyncQuoteLock(self.redis).get("user")
        with self.assertRaisesRegex(TypeError, "has execute_command or is a function"):
            QuoteLock(URL)  # type: ignore[arg-type]
        with self.assertRaisesRegex(TypeError, "answered Pipeline where"):
            QuoteLock(self.redis.pipeline()).get("user")

    async def test_the_drivers_own_stay_as_they_are(self) -> None:
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            port = listening.getsockname()[1]
        retry = redis.retry.Retry(redis.backoff.NoBackoff(), 0)
        with self.assertRaises(redis.exceptions.ConnectionError) as raised:
            QuoteLock(redis.Redis(port=port, retry=retry)).get("user")
        self.assertTrue(is_unavailable(raised.exception))
        patient = redis.asyncio.retry.Retry(redis.backoff.NoBackoff(), 0)
        with self.assertRaises(redis.exceptions.ConnectionError) as raised:
            await AsyncQuoteLock(redis.asyncio.Redis(port=port, retry=patient)).get("user")
        self.assertTrue(is_unavailable(raised.exception))


class Messages(TestCase):
    def refusal(self, error: BaseException) -> ServerError:
        def refuse(*_: Any) -> None:
            raise error

        with self.assertRaises(ServerError) as raised:
            QuoteLock(refuse).get("user")
        return raised.exception

    def test_tell_the_reasons_apart(self) -> None:
        cases = [
            ("ERR wrong number of arguments for 'quotelock.get' command", "call", False),
            ("ERR too many ids, 3 are more than quotelock.max-batch, 2", "call", False),
            ("ERR unknown command 'QUOTELOCK.GET', with args beginning with: 'user' ", "module", False),
            ("OOM command not allowed when used memory > 'maxmemory'.", "full", True),
            ("READONLY You can't write against a read only replica.", "role", True),
            ("NOREPLICAS Not enough good replicas to write.", "role", True),
            ("MISCONF Errors writing to the AOF file: No space left on device", "role", True),
            ("LOADING Redis is loading the dataset in memory", "role", True),
            ("CLUSTERDOWN Hash slot not served", "role", True),
            ("MASTERDOWN Link with MASTER is down", "role", True),
            ("TRYAGAIN Multiple keys request during rehashing of slot", "role", True),
            ("NOAUTH Authentication required.", "access", False),
            ("ERR internal error, see the server's log", "other", False),
        ]
        for message, reason, unavailable in cases:
            for parse in (BaseParser.parse_error, _without_code):
                error = self.refusal(parse(message))
                self.assertEqual((error.message, error.reason, is_unavailable(error)), (message, reason, unavailable))
                self.assertEqual(vars(pickle.loads(pickle.dumps(error))), vars(error))

    def test_say_that_the_module_is_older(self) -> None:
        for said in ("syntax error, 'COLUMNS' is not a word of 'vehprice.mget'", "wrong number of arguments for 'vehprice.mset' command"):
            error = self.refusal(redis.exceptions.ResponseError(said))
            self.assertEqual(error.reason, "module")
            self.assertEqual(error.message, f"ERR {said}: the module on the server is older than this client and must be upgraded")
        # A Cluster of redis-py asks for the command first.
        error = self.refusal(redis.exceptions.RedisError("QUOTELOCK.GET command doesn't exist in Redis commands"))
        self.assertEqual(error.reason, "module")

    def test_tell_what_is_unavailable(self) -> None:
        wrapped = RuntimeError("no price")
        wrapped.__cause__ = redis.exceptions.TimeoutError("Timeout reading from socket")
        circle = RuntimeError("round")
        circle.__cause__ = RuntimeError("and round")
        circle.__cause__.__cause__ = circle
        for error in (
            redis.exceptions.ConnectionError("Connection refused"),
            valkey.exceptions.ConnectionError("Connection refused"),
            redis.exceptions.BusyLoadingError("Redis is loading the dataset in memory"),
            redis.exceptions.ClusterDownError("Hash slot not served"),
            redis.exceptions.RedisClusterException("Redis Cluster cannot be connected."),
            redis.sentinel.MasterNotFoundError("No master found for 'prices'"),
            ConnectionResetError(),
            TimeoutError(),
            TimeoutError(),
            socket.gaierror(),
            wrapped,
        ):
            self.assertTrue(is_unavailable(error), repr(error))
        refused = redis.exceptions.AuthenticationError("invalid username-password pair")
        for mistake in (ValueError(), circle, refused, FileNotFoundError()):
            self.assertFalse(is_unavailable(mistake), repr(mistake))


def _without_code(message: str) -> BaseException:
    """As redis-py did before 8, and valkey-py does."""
    error: Any = BaseParser.parse_error(message)
    error.status_code = None
    return error  # type: ignore[no-any-return]
