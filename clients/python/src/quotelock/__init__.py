"""Typed commands of the quotelock module, over redis-py or valkey-py. One class per command family, with methods named like its
commands.

With asyncio, import the same classes from `quotelock.asyncio`.
"""

from ._drivers import Driver, Redis, Send
from ._outage import OnChange
from ._table_key import Part
from .copies import PriceTableCopies, PriceTableCopy
from .errors import Reason, ServerError, is_unavailable
from .filling import Fetch, Fetched, Filled, FillError, FillOptions, Warming
from .locks import LockedQuoteInfo, QuoteLock
from .outage import Outage
from .plans import PricePlan
from .price_tables import PriceTables
from .reserving import Reserved, Seen
from .tables import VehPrice
from .timing import LockOptions, Moment, NextMoment, PriceTable, Timing, UnlockedLock
from .types import (
    AcquiredLock,
    ChangedRows,
    Changes,
    Claim,
    ClaimOptions,
    Condition,
    Expiry,
    FieldsRow,
    GivenRows,
    Lock,
    Outcome,
    QueryTime,
    RawRow,
    Route,
    Routed,
    Row,
    State,
    TableInfo,
    Value,
    Verified,
    Word,
)

__all__ = [
    "AcquiredLock",
    "ChangedRows",
    "Changes",
    "Claim",
    "ClaimOptions",
    "Condition",
    "Driver",
    "Expiry",
    "Fetch",
    "Fetched",
    "FieldsRow",
    "FillError",
    "FillOptions",
    "Filled",
    "GivenRows",
    "Lock",
    "LockOptions",
    "LockedQuoteInfo",
    "Moment",
    "NextMoment",
    "OnChange",
    "Outage",
    "Outcome",
    "Part",
    "PricePlan",
    "PriceTable",
    "PriceTableCopies",
    "PriceTableCopy",
    "PriceTables",
    "QueryTime",
    "QuoteLock",
    "RawRow",
    "Reason",
    "Redis",
    "Reserved",
    "Route",
    "Routed",
    "Row",
    "Seen",
    "Send",
    "ServerError",
    "State",
    "TableInfo",
    "Timing",
    "UnlockedLock",
    "Value",
    "VehPrice",
    "Verified",
    "Warming",
    "Word",
    "is_unavailable",
]
