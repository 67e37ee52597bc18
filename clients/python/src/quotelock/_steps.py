"""A method as steps that a runner executes, so that it is written once for both blocking and asyncio."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from ._words import Word, word

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Call(Generic[T]):
    """A command to send, and how to read its reply. In a flow, `yield from` returns what was read."""

    __slots__ = ("args", "command", "read", "read_only")

    def __init__(self, command: str, args: Iterable[Word], read: Callable[[Any], T], read_only: bool = False) -> None:
        self.command = command
        self.args = [word(command, arg) for arg in args]
        self.read = read
        self.read_only = read_only

    @property
    def key(self) -> str:
        return self.args[0]

    def __iter__(self) -> Flow[T]:
        answer: T = yield self
        return answer


@dataclass(frozen=True)
class Run(Generic[T]):
    """A function of the caller's. With asyncio its result is awaited."""

    function: Callable[[], Any]

    def __iter__(self) -> Flow[T]:
        answer: T = yield self
        return answer


class Handle(Protocol):
    """Work under way: a future or a task."""

    def done(self) -> bool: ...
    def result(self) -> Any: ...
    def cancel(self) -> bool: ...


@dataclass(frozen=True)
class Start:
    """Starts background work: in a thread, or as a task. Its handle reports errors."""

    work: Steps[Any]

    def __iter__(self) -> Flow[Handle]:
        handle: Handle = yield self
        return handle


@dataclass(frozen=True)
class Wait:
    """Waits until one of these is done, for a limited time."""

    handles: Sequence[Handle]
    seconds: float

    def __iter__(self) -> Flow[None]:
        yield self


@dataclass(frozen=True)
class Sleep:
    """A pause."""

    seconds: float

    def __iter__(self) -> Flow[None]:
        yield self


Step = Call[Any] | Run[Any] | Start | Wait | Sleep

Flow = Generator[Step, Any, T]


class Steps(Protocol[T_co]):
    """A call or a flow: the result of a method."""

    def __iter__(self) -> Generator[Step, Any, T_co]: ...


def take(steps: Steps[T], step: Callable[[Step], Any]) -> T:
    """Runs the steps one by one, and returns their result."""
    flow = iter(steps)
    try:
        next_step = next(flow)
        while True:
            try:
                answer = step(next_step)
            except BaseException as error:
                next_step = flow.throw(error)
            else:
                next_step = flow.send(answer)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


async def take_async(steps: Steps[T], step: Callable[[Step], Awaitable[Any]]) -> T:
    """`take` with awaited steps."""
    flow = iter(steps)
    try:
        next_step = next(flow)
        while True:
            try:
                answer = await step(next_step)
            except BaseException as error:
                next_step = flow.throw(error)
            else:
                next_step = flow.send(answer)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
