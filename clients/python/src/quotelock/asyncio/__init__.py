"""The classes of `quotelock` with asyncio. Their parameter and result types, and the errors, are in `quotelock` itself."""

from .._drivers import AsyncDriver, AsyncSend
from ..filling import AsyncFetch
from .copies import PriceTableCopies, PriceTableCopy
from .locks import LockedQuoteInfo, QuoteLock
from .outage import Outage
from .plans import PricePlan
from .price_tables import PriceTables
from .tables import VehPrice

__all__ = [
    "AsyncDriver",
    "AsyncFetch",
    "AsyncSend",
    "LockedQuoteInfo",
    "Outage",
    "PricePlan",
    "PriceTableCopies",
    "PriceTableCopy",
    "PriceTables",
    "QuoteLock",
    "VehPrice",
]
