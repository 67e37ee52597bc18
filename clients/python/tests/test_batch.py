"""Many ids and rows in one argument: what is sent, and that it comes back as it was."""

from __future__ import annotations

from typing import Any
from unittest import TestCase

from quotelock import VehPrice

from .harness import Classes, ServerTest, key, through_each_driver

# What JSON, names of members and the wire could take for something else.
ODD = ["__class__", "7", "-0", "1e5", '"', "\\", "\n\r\0\u001f", "é", "\u2028", "🛵", "null", "[", '{"a":1}', " "]


class ManyRows(ServerTest):
    @through_each_driver
    async def test_come_back_as_they_were(self, classes: Classes) -> None:
        prices, table = classes.VehPrice(), key("table")
        row = dict(zip(ODD, reversed(ODD)))
        rows = dict.fromkeys(ODD, row)
        for fields in [ODD, None]:
            self.assertEqual(await prices.mset(table, rows, fields=fields), len(ODD))
            self.assertEqual(await prices.mget(table, ODD), list(rows.values()))
            self.assertEqual(await prices.mget(table, ODD, fields=ODD), list(rows.values()))
            self.assertEqual(await prices.get_all(table), rows)
            await prices.clear(table)

    @through_each_driver
    async def test_are_stored_without_what_they_lack(self, classes: Classes) -> None:
        prices, table = classes.VehPrice(), key("table")
        rows = {"1": {"a": "x", "b": None}, "2": {"b": ""}}
        for fields in [["a", "b"], None]:
            await prices.mset(table, rows, fields=fields)
            self.assertEqual(await prices.get_all(table), {"1": {"a": "x"}, "2": {"b": ""}})
        await prices.mset(table, {"1": {"a": None, "b": 7}}, fields=["a", "b"], merge=True)
        self.assertEqual(await prices.get(table, 1), {"a": "x", "b": "7"})

    @through_each_driver
    async def test_by_column_are_those_that_json_has(self, classes: Classes) -> None:
        prices, table = classes.VehPrice(), key("table")
        await prices.mset(table, [(id, {name: id * len(name) for name in ("a", "bb", "ccc")[id % 3 :]}) for id in range(30)])
        for fields in (["a"], ["bb", "a"], ["ccc", "none", "a"], ["a", "a"], ["a", "bb", "ccc", "none"]):
            ids = [*range(40), 3]
            by_json = await prices.mget(table, ids, fields=fields, raw=["none"])
            self.assertEqual(await prices.mget(table, ids, fields=fields), by_json)
            claim = await prices.claim(table, ids, ttl_ms=1000, limit=1, fields=fields)
            self.assertEqual(claim.rows, by_json)
            await prices.release(table, claim.token or "0" * 32)


class Words(TestCase):
    def test_go_in_one_argument_with_the_options_before_it(self) -> None:
        sent = []

        def send(words: list[str], _key: str, read_only: bool) -> object:
            sent.append((words, read_only))
            return 1 if words[0] == "VEHPRICE.MSET" else '{"missing":[0,1],"columns":[[null,null]]}'

        prices = VehPrice(send)
        prices.mget("t", [1, 'b"é'], fields=["a"], block_ms=5)
        prices.mget("t", [1, 2], fields=["a"])
        prices.mset("t", [(1, {"a": 2})], fields=["a", "b"], condition="NX")
        prices.mset("t", {"1": {"a": 2, "b": None}}, expiry="keep")
        wanted = [
            (["VEHPRICE.MGET", "t", "FIELDS", "1", "a", "COLUMNS", "BLOCK", "5", "LIST", '["1","b\\"é"]'], False),
            (["VEHPRICE.MGET", "t", "FIELDS", "1", "a", "COLUMNS", "LIST", '["1","2"]'], True),
            (["VEHPRICE.MSET", "t", "NX", "COLUMNS", '{"ids":["1"],"fields":["a","b"],"columns":[["2"],[null]]}'], False),
            (["VEHPRICE.MSET", "t", "KEEPTTL", "JSON", '{"1":{"a":"2"}}'], False),
        ]
        self.assertEqual([(words, read_only) for words, read_only in sent if "BLOCK" not in words], wanted[1:])
        self.assertEqual(sent[0], wanted[0])

    def test_are_refused_before_anything_is_sent(self) -> None:
        sent = []
        prices = VehPrice(lambda words, *_: sent.append(words))
        for wrong in [None, True, 1.5, b"1", {"net": 1}, [1]]:
            message = f"takes strings and whole numbers alone, not {type(wrong).__name__}$"
            for call in (
                lambda wrong=wrong: prices.mget("t", [1, wrong]),
                lambda wrong=wrong: prices.claim("t", [wrong], ttl_ms=1),
                lambda wrong=wrong: prices.set("t", 1, {"a": wrong}),
                lambda wrong=wrong: prices.mset("t", [(wrong, {"a": 1})]),
            ):
                self.assertRaisesRegex(TypeError, message, call)
            if wrong is not None:
                named = f"row '7', field 'a' {message}"
                self.assertRaisesRegex(TypeError, named, lambda wrong=wrong: prices.mset("t", {7: {"a": wrong, "b": 1}}))
                self.assertRaisesRegex(TypeError, named, lambda wrong=wrong: prices.mset("t", {7: {"a": wrong}}, fields=["a"]))
        for fields in (["a", "b"], None):
            rows: list[dict[str, Any]] = [{}, {"a": None}]
            for row in rows:
                with self.assertRaisesRegex(ValueError, "row '4712' has none"):
                    prices.mset("t", {4711: {"a": 1}, 4712: row}, fields=fields)
        self.assertRaisesRegex(TypeError, "takes a list here, not str", lambda: prices.mget("t", "4711"))
        self.assertEqual(sent, [])
