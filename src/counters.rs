//! The counters that `INFO quotelock` shows.

use quotelock_server::Counter;

// What `QUOTELOCK.SET`, `ACQUIRE` and `DEL` did.
pub(crate) static LOCKS_SET: Counter = Counter::new("locks_set");
pub(crate) static LOCKS_CREATED: Counter = Counter::new("locks_created");
pub(crate) static LOCKS_REFRESHED: Counter = Counter::new("locks_refreshed");
pub(crate) static LOCKS_HELD: Counter = Counter::new("locks_held");
pub(crate) static LOCKS_DELETED: Counter = Counter::new("locks_deleted");

// What `QUOTELOCK.GET` answered.
pub(crate) static LOCKS_EFFECTIVE: Counter = Counter::new("locks_effective");
pub(crate) static LOCKS_CLOSE_TO_EXPIRED: Counter = Counter::new("locks_close_to_expired");
pub(crate) static LOCKS_MISSING: Counter = Counter::new("locks_missing");

/// Strings found where a lock should be, by any command.
pub(crate) static LOCKS_INVALID: Counter = Counter::new("locks_invalid");

// What the commands of the price table did, row by row.
pub(crate) static ROWS_READ: Counter = Counter::new("rows_read");
pub(crate) static ROWS_HIT: Counter = Counter::new("rows_hit");
pub(crate) static ROWS_MISSED: Counter = Counter::new("rows_missed");
pub(crate) static ROWS_STORED: Counter = Counter::new("rows_stored");
pub(crate) static ROWS_DELETED: Counter = Counter::new("rows_deleted");

/// Expired rows that were swept.
pub(crate) static ROWS_EXPIRED: Counter = Counter::new("rows_expired");

// What `VEHPRICE.CHANGES` answered: how often it was asked, that nothing had changed, and the whole table.
pub(crate) static CHANGES_ASKED: Counter = Counter::new("changes_asked");
pub(crate) static CHANGES_UNCHANGED: Counter = Counter::new("changes_unchanged");
pub(crate) static CHANGES_WHOLE: Counter = Counter::new("changes_whole");

// What `VEHPRICE.VERIFY` answered.
pub(crate) static VERDICTS_MATCH: Counter = Counter::new("verdicts_match");
pub(crate) static VERDICTS_CHANGED: Counter = Counter::new("verdicts_changed");
pub(crate) static VERDICTS_MISSING: Counter = Counter::new("verdicts_missing");

// What became of claims, row by row.
pub(crate) static CLAIMS_GRANTED: Counter = Counter::new("claims_granted");
pub(crate) static CLAIMS_RELEASED: Counter = Counter::new("claims_released");
pub(crate) static CLAIMS_ENDED: Counter = Counter::new("claims_ended");
pub(crate) static CLAIMS_EXPIRED: Counter = Counter::new("claims_expired");

/// Rows not claimed because there are too many claims, or too many of that table.
pub(crate) static CLAIMS_REFUSED: Counter = Counter::new("claims_refused");

/// Rows not stored because their token no longer held the claim.
pub(crate) static CLAIMS_OVERTAKEN: Counter = Counter::new("claims_overtaken");

// How many claims there are, and clients that wait for claimed rows.
pub(crate) static CLAIMS_PENDING: Counter = Counter::new("claims_pending");
pub(crate) static CLAIMS_WAITING: Counter = Counter::new("claims_waiting");

/// About how many bytes claims and waiters take.
pub(crate) static CLAIMS_BYTES: Counter = Counter::new("claims_bytes");

// The ids `PRICEPLAN.TAG` answered: tagged for old pricing, and bare for new.
pub(crate) static TAGS_LEGACY: Counter = Counter::new("tags_legacy");
pub(crate) static TAGS_CORE: Counter = Counter::new("tags_core");

// Where `PRICEPLAN.ROUTE` sent ids.
pub(crate) static ROUTES_LEGACY: Counter = Counter::new("routes_legacy");
pub(crate) static ROUTES_CORE: Counter = Counter::new("routes_core");
pub(crate) static ROUTES_RETIRED: Counter = Counter::new("routes_retired");

/// Replies longer than they may be.
pub(crate) static REPLIES_REFUSED: Counter = Counter::new("replies_refused");

pub(crate) const ALL: &[&Counter] = &[
    &LOCKS_SET,
    &LOCKS_CREATED,
    &LOCKS_REFRESHED,
    &LOCKS_HELD,
    &LOCKS_DELETED,
    &LOCKS_EFFECTIVE,
    &LOCKS_CLOSE_TO_EXPIRED,
    &LOCKS_MISSING,
    &LOCKS_INVALID,
    &ROWS_READ,
    &ROWS_HIT,
    &ROWS_MISSED,
    &ROWS_STORED,
    &ROWS_DELETED,
    &ROWS_EXPIRED,
    &CHANGES_ASKED,
    &CHANGES_UNCHANGED,
    &CHANGES_WHOLE,
    &VERDICTS_MATCH,
    &VERDICTS_CHANGED,
    &VERDICTS_MISSING,
    &CLAIMS_GRANTED,
    &CLAIMS_RELEASED,
    &CLAIMS_ENDED,
    &CLAIMS_EXPIRED,
    &CLAIMS_REFUSED,
    &CLAIMS_OVERTAKEN,
    &CLAIMS_PENDING,
    &CLAIMS_WAITING,
    &CLAIMS_BYTES,
    &TAGS_LEGACY,
    &TAGS_CORE,
    &ROUTES_LEGACY,
    &ROUTES_CORE,
    &ROUTES_RETIRED,
    &REPLIES_REFUSED,
];
