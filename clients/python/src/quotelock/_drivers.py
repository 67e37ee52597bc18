"""What commands are sent through, blocking or awaited."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from ._steps import Call
from ._tables import LONGEST_WAIT_MS
from .errors import server_error

T = TypeVar("T")


class Redis(Protocol):
    """A client of redis-py or valkey-py: for one server, a Cluster, or from a Sentinel."""

    def execute_command(self, *args: Any, **options: Any) -> Any: ...


# Any other way to reach a server. It is passed the command's words, its first key, and whether it only reads.
Send = Callable[[list[str], str, bool], Any]
AsyncSend = Callable[[list[str], str, bool], Awaitable[Any]]

Driver = Redis | Send
AsyncDriver = Redis | AsyncSend


def sender(driver: Driver | AsyncDriver) -> Callable[[Call[Any]], Any]:
    """How a call goes to the server. With asyncio, its result is awaited."""
    execute = getattr(driver, "execute_command", None)
    if execute is not None:
        return lambda call: execute(call.command, *call.args)
    if callable(driver):
        return lambda call: driver([call.command, *call.args], call.key, call.read_only)
    raise TypeError(f"a driver has execute_command or is a function, {type(driver).__name__} is neither")


def answered(call: Call[T], error: Exception) -> Exception:
    """The error to raise: the server's, or the driver's own."""
    return server_error(error, call.command) or error


def longest_wait_ms(driver: Driver | AsyncDriver) -> int:
    """How long one call may wait without reaching the driver's time-out. A server ends waits some 100 ms late."""
    seconds = _socket_timeout(driver)
    return LONGEST_WAIT_MS if not seconds else max(0, min(LONGEST_WAIT_MS, round(seconds * 1000) - 300))


def _socket_timeout(driver: Any) -> float | None:
    """As set on the driver. Its default is longer than any wait."""
    for holder in (getattr(driver, "connection_pool", None), getattr(driver, "nodes_manager", None), driver):
        options = getattr(holder, "connection_kwargs", None)
        if isinstance(options, dict):
            timeout = options.get("socket_timeout")
            return timeout if isinstance(timeout, (int, float)) else None
    return None
