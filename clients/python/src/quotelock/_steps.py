"""What a method does, as steps that somebody else takes: so it is written once, for both ways to wait."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from ._words import Word, word

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Call(Generic[T]):
    """A command to be sent, and how its reply is read. In a flow `yield from` answers what was read."""

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
    """A function of the caller's own. With asyncio what it returns is awaited."""

    function: Callable[[], Any]

    def __iter__(self) -> Flow[T]:
        answer: T = yield self
        return answer


class Handle(Protocol):
    """Work that was begun: a future or a task."""

    def done(self) -> bool: ...
    def result(self) -> Any: ...
    def cancel(self) -> bool: ...


@dataclass(frozen=True)
class Start:
    """Begins work that goes on by itself: in a thread, or as a task. What it fails with is told to who asks its handle."""

    work: Steps[Any]

    def __iter__(self) -> Flow[Handle]:
        handle: Handle = yield self
        return handle


@dataclass(frozen=True)
class Wait:
    """Waits until one of these is done, or for a time."""

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
    """A call or a flow: what a method comes to."""

    def __iter__(self) -> Generator[Step, Any, T_co]: ...


def take(steps: Steps[T], step: Callable[[Step], Any]) -> T:
    """Takes the steps one by one, and answers what they come to."""
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
    """`take`, with steps that are awaited."""
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
