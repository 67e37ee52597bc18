"""The client against the module's table of commands, as the server tells it: neither lacks a command or a word."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from quotelock import LockedQuoteInfo, PricePlan, QuoteLock, VehPrice

from .harness import ServerTest, key

# The client counts in milliseconds; these words are the same in seconds.
IN_SECONDS = {"EX", "EXAT", "BUFFER"}

# The client sends ids and rows in one argument; these words are for the same in many.
IN_MANY = {
    "vehprice.mget": {"IDS"},
    "vehprice.claim": {"IDS"},
    "vehprice.mset": {"FIELDS", "ROWS"},
    # `json` makes the rows of one text faster.
    "vehprice.getall": {"COLUMNS"},
}


class Commands(ServerTest):
    def test_sends_every_command_and_every_word(self) -> None:
        sent: dict[str, set[str]] = {}

        def record(words: list[str], _key: str, _read_only: bool) -> Any:
            command, *args = words
            # No name, id or value here is in capitals.
            sent.setdefault(command.lower(), set()).update(arg for arg in args if re.fullmatch("[A-Z]+", arg))
            return self.redis.execute_command(*words)

        locks, prices, plans = QuoteLock(record), VehPrice(record), PricePlan(record, key("toggle"))
        user, table, later = key("user"), key("table"), datetime.now(UTC) + timedelta(days=1)
        new: dict[str, Any] = {"ttl_ms": 9000, "buffer_ms": 1000, "lag_ms": 0, "align_seconds": 1}
        both: dict[str, Any] = {"fields": ["a", "b"], "raw": ["b"]}
        row, second = {"1": {"a": 1}}, timedelta(seconds=1)
        locks.set(user, ["3"], **new, condition="NX")
        locks.set(user, ["3"], condition="XX")
        locks.get(user, at=later)
        locks.acquire(user, ["3"], **new, if_missing=True)
        locks.delete(user, if_eq="x")
        LockedQuoteInfo(record).get_by_id(user)
        for options in ({"condition": "NX", "merge": True, "expiry": second}, {"condition": "XX", "expiry": "keep"}, {"expiry": later}):
            prices.set(table, 1, row["1"], **options)
            prices.mset(table, row, fields=["a"], **options)
        prices.set(table, 1, row["1"], expiry="never")
        prices.mset(table, row, expiry="never")
        prices.get(table, 1, **both)
        prices.mget(table, [1], **both)
        prices.mget(table, [1], fields=["a"], block_ms=1)
        prices.get_all(table, **both)
        prices.changes(table, "0", fields=["a"])
        list(prices.scan(table, fields=["a"], count=5))
        prices.len(table)
        prices.pttl(table, [1])
        prices.verify(table, 1, {"a": 1})
        prices.info(table)
        prices.mget_hash([key()])
        prices.delete(table, [1])
        prices.clear(table)
        plans.tag([571])
        plans.route([571])
        prices.claim(table, [1], ttl_ms=1000, limit=1, refresh_ms=1, **both)
        prices.claim(table, [1], ttl_ms=1000, fields=["a"])
        prices.set(table, 1, {"a": 1}, token="0" * 32, keep_claim=True)
        prices.mset(table, row, token="0" * 32, keep_claim=True)
        prices.release(table, "0" * 32, [1])

        names = self.redis.execute_command("COMMAND LIST", "FILTERBY", "MODULE", "quotelock")
        self.assertEqual(sorted(sent), sorted(names))
        for name in names:
            docs = _told(self.redis.execute_command("COMMAND DOCS", name))[name]
            wanted = _words_of(_told(docs).get("arguments", [])) - IN_SECONDS - IN_MANY.get(name, set())
            self.assertEqual(sent[name], wanted, name)


def _told(reply: Any) -> dict[str, Any]:
    return dict(zip(reply[::2], reply[1::2])) if isinstance(reply, list) else reply


def _words_of(args: list[Any]) -> set[str]:
    found = set()
    for arg in map(_told, args):
        found |= {arg["token"]} if "token" in arg else set()
        found |= _words_of(arg.get("arguments", []))
    return found
