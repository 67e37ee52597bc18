//! The counters that `INFO quotelock` shows.

use crate::server::Counter;

// What the writing commands came to.
pub(super) static LOCKS_SET: Counter = Counter::new("locks_set");
pub(super) static LOCKS_CREATED: Counter = Counter::new("locks_created");
pub(super) static LOCKS_REFRESHED: Counter = Counter::new("locks_refreshed");
pub(super) static LOCKS_HELD: Counter = Counter::new("locks_held");
pub(super) static LOCKS_DELETED: Counter = Counter::new("locks_deleted");

// What `QUOTELOCK.GET` answered.
pub(super) static LOCKS_EFFECTIVE: Counter = Counter::new("locks_effective");
pub(super) static LOCKS_CLOSE_TO_EXPIRED: Counter = Counter::new("locks_close_to_expired");
pub(super) static LOCKS_MISSING: Counter = Counter::new("locks_missing");

/// Strings found where a lock should be, by any command.
pub(super) static LOCKS_INVALID: Counter = Counter::new("locks_invalid");

// What the commands of the price table came to, row by row.
pub(super) static ROWS_READ: Counter = Counter::new("rows_read");
pub(super) static ROWS_HIT: Counter = Counter::new("rows_hit");
pub(super) static ROWS_MISSED: Counter = Counter::new("rows_missed");
pub(super) static ROWS_STORED: Counter = Counter::new("rows_stored");
pub(super) static ROWS_DELETED: Counter = Counter::new("rows_deleted");

/// Expired rows that were swept.
pub(super) static ROWS_EXPIRED: Counter = Counter::new("rows_expired");

// What `VEHPRICE.VERIFY` answered.
pub(super) static VERDICTS_MATCH: Counter = Counter::new("verdicts_match");
pub(super) static VERDICTS_CHANGED: Counter = Counter::new("verdicts_changed");
pub(super) static VERDICTS_MISSING: Counter = Counter::new("verdicts_missing");

// What became of claims, row by row.
pub(super) static CLAIMS_GRANTED: Counter = Counter::new("claims_granted");
pub(super) static CLAIMS_RELEASED: Counter = Counter::new("claims_released");
pub(super) static CLAIMS_ENDED: Counter = Counter::new("claims_ended");
pub(super) static CLAIMS_EXPIRED: Counter = Counter::new("claims_expired");

/// Rows that were not claimed because there are too many claims.
pub(super) static CLAIMS_REFUSED: Counter = Counter::new("claims_refused");

/// Rows brought under a token that no longer held their claim, and so not stored.
pub(super) static CLAIMS_OVERTAKEN: Counter = Counter::new("claims_overtaken");

// How many claims there are now, and clients that wait for such rows.
pub(super) static CLAIMS_PENDING: Counter = Counter::new("claims_pending");
pub(super) static CLAIMS_WAITING: Counter = Counter::new("claims_waiting");

// The ids `PRICEPLAN.TAG` answered: those of old pricing, which are tagged, and those of new.
pub(super) static TAGS_LEGACY: Counter = Counter::new("tags_legacy");
pub(super) static TAGS_CORE: Counter = Counter::new("tags_core");

// Where `PRICEPLAN.ROUTE` sent ids.
pub(super) static ROUTES_LEGACY: Counter = Counter::new("routes_legacy");
pub(super) static ROUTES_CORE: Counter = Counter::new("routes_core");
pub(super) static ROUTES_RETIRED: Counter = Counter::new("routes_retired");

pub(super) const ALL: &[&Counter] = &[
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
    &TAGS_LEGACY,
    &TAGS_CORE,
    &ROUTES_LEGACY,
    &ROUTES_CORE,
    &ROUTES_RETIRED,
];
