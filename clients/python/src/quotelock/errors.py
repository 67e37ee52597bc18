"""Errors, and their reasons."""

from __future__ import annotations

import re
from socket import gaierror
from typing import Literal

# Why the server refused a command.
#
# - `call`: the arguments are wrong; the message names the one at fault and what it should have been
# - `toggle`: the `PRICEPLAN` toggle holds an invalid value
# - `type`: the key holds a value of another type (`WRONGTYPE`)
# - `access`: the user may not call the command or touch the key (`NOPERM`, `NOAUTH`, `WRONGPASS`)
# - `module`: the server does not know the command, or an option that this client needs: the module is not loaded or is too old
# - `full`: the server has no memory left for a write (`OOM`)
# - `role`: the server can't do it in its current state: a replica asked to write, a primary without replicas, or a server that is
#   loading or cut off
# - `other`: anything else
Reason = Literal["call", "toggle", "type", "access", "module", "full", "role", "other"]


class ServerError(Exception):
    """An error that the server returned. If the server can't be reached, you get the driver's own error instead."""

    def __init__(self, message: str, command: str) -> None:
        super().__init__(message)
        self.message = message
        self.command = command
        """The command that was refused."""
        self.code = _first_word(message)
        """The first word of the server's message: `ERR`, `WRONGTYPE`, `NOPERM` and so on."""
        self.reason: Reason = _reason(self.code, message)
        """Why the server refused."""

    def __reduce__(self) -> tuple[type[ServerError], tuple[str, str]]:
        return type(self), (self.message, self.command)


def is_unavailable(error: BaseException) -> bool:
    """Whether the server can't be reached or can't serve any call right now: the connection was refused or lost, no reply came in
    time, or the server is loading, cut off, full or about to change its role. The same call may succeed later; until then a
    service can go on without it. Also recognizes an error raised `from` such an error.
    """
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        told = at if isinstance(at, ServerError) else server_error(at, "")
        if told is not None:
            return told.reason in ("role", "full")
        if isinstance(at, (ConnectionError, TimeoutError, gaierror)) or _classes(at) & _UNREACHED:
            return True
        at = at.__cause__
    return False


def server_error(error: BaseException, command: str) -> ServerError | None:
    """The driver's error as a `ServerError`, if the server returned it."""
    classes = _classes(error)
    if not classes & _DRIVERS_OWN:
        return None
    said = str(error)
    if _UNKNOWN_TO_CLUSTER.search(said):
        return ServerError(f"ERR unknown command: {said}", command)
    if not classes & _ANSWERED:
        return None
    said = _with_code(error, said)
    if _OLDER.search(said):
        said += ": the module on the server is older than this client and must be upgraded"
    return ServerError(said, command)


# The base classes of redis-py's and valkey-py's errors. Neither package is imported, so that either will do.
_DRIVERS_OWN = {"RedisError", "ValkeyError"}


# The drivers' classes for errors that a server returns. To the drivers, two of them are connection errors.
_ANSWERED = {"ResponseError", "BusyLoadingError", "AuthenticationError"}

# The drivers' classes for a server that can't be reached. The last three are for a Cluster.
_UNREACHED = {
    "ConnectionError",
    "TimeoutError",
    "RedisClusterException",
    "ValkeyClusterException",
    "SlotNotCoveredError",
}

# A Cluster looks a command up before it sends it.
_UNKNOWN_TO_CLUSTER = re.compile(r"command doesn't exist in (Redis|Valkey) commands")

# The drivers remove the code from the server's message if they have a class for it.
_CODE_OF_CLASS = {
    "AuthenticationError": "NOAUTH",
    "AskError": "ASK",
    "BusyLoadingError": "LOADING",
    "ClusterCrossSlotError": "CROSSSLOT",
    "ClusterDownError": "CLUSTERDOWN",
    "MasterDownError": "MASTERDOWN",
    "MovedError": "MOVED",
    "NoPermissionError": "NOPERM",
    "OutOfMemoryError": "OOM",
    "ReadOnlyError": "READONLY",
    "TryAgainError": "TRYAGAIN",
}

_REASONS: dict[str, Reason] = {
    "WRONGTYPE": "type",
    "NOPERM": "access",
    "NOAUTH": "access",
    "WRONGPASS": "access",
    "OOM": "full",
    "READONLY": "role",
    "NOREPLICAS": "role",
    "LOADING": "role",
    "MASTERDOWN": "role",
    "CLUSTERDOWN": "role",
    "MISCONF": "role",
    "UNBLOCKED": "role",
    "TRYAGAIN": "role",
    "BUSY": "role",
}

# The errors of an older module, which does not know the forms in which this client sends and reads many rows. A newer one takes
# every number of arguments that `mset` sends.
_OLDER = re.compile(
    r"^ERR (syntax error, (unknown option )?'(LIST|COLUMNS|JSON|TOKEN|PERSIST)' (is not a word of|for) "
    r"|wrong number of arguments for 'vehprice\.mset')"
)

_OF_THE_CALL = re.compile(r"^ERR (syntax error|invalid|value is not|timeout is|too many|the reply would be|wrong number of arg)")


def _reason(code: str, message: str) -> Reason:
    if code != "ERR":
        return _REASONS.get(code, "other")
    if message.startswith("ERR unknown command") or _OLDER.search(message):
        return "module"
    if re.match(r"ERR invalid value '.*' in the toggle", message):
        return "toggle"
    return "call" if _OF_THE_CALL.search(message) else "other"


def _with_code(error: BaseException, said: str) -> str:
    code = getattr(error, "status_code", None)
    if code is None:
        code = next((_CODE_OF_CLASS[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in _CODE_OF_CLASS), None)
    if code is None and not _first_word(said):
        code = "ERR"
    return said if code is None or said.startswith(f"{code} ") else f"{code} {said}"


def _classes(error: BaseException) -> set[str]:
    return {kind.__name__ for kind in type(error).__mro__}


def _first_word(message: str) -> str:
    found = re.match(r"[A-Z]+(?= )", message)
    return found[0] if found else ""
