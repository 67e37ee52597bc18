"""The README's program is the one that stands beside this, and prints what the README says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import redis
import valkey

from .harness import URL, ServerTest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(mark: str) -> str:
    """The fenced block that follows a mark."""
    found = re.search(rf"<!-- {mark} -->\n```\w*\n(.*?)```", README, re.DOTALL)
    assert found, f"README.md has no block after {mark}"
    return found[1]


class Readme(ServerTest):
    def test_shows_the_tour_as_it_is_and_what_it_prints(self) -> None:
        tour = ROOT / "tests" / "tour.py"
        self.assertEqual(block("tests/tour.py"), tour.read_text(encoding="utf-8"))
        self.redis.delete("hermes:LockedQuoteInfo:42", "hermes:LockedQuoteInfo:43", "hermes:pricingReleaseToggle")
        env = {**os.environ, "REDIS_URL": URL, "PYTHONPATH": os.pathsep.join(sys.path)}
        printed = subprocess.run([sys.executable, tour], env=env, capture_output=True, text=True, check=False)
        self.assertEqual(printed.stderr, "")
        self.assertEqual(block("printed"), printed.stdout)

    def test_names_the_versions_that_the_tests_run_on(self) -> None:
        for name, module in (("redis-py", redis), ("valkey-py", valkey)):
            self.assertIn(f"{name} {module.__version__}", README)
