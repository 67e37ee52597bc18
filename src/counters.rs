//! What `INFO quotelock` shows.

use quotelock_server::{Counter, Figure, Gauge, Since, Sizes};

// What `QUOTELOCK.SET`, `ACQUIRE` and `DEL` did.
pub(crate) static LOCKS_SET: Counter = Counter::new(c"locks_set");
pub(crate) static LOCKS_CREATED: Counter = Counter::new(c"locks_created");
pub(crate) static LOCKS_REFRESHED: Counter = Counter::new(c"locks_refreshed");
pub(crate) static LOCKS_HELD: Counter = Counter::new(c"locks_held");
pub(crate) static LOCKS_DELETED: Counter = Counter::new(c"locks_deleted");

// What `QUOTELOCK.GET` answered.
pub(crate) static LOCKS_EFFECTIVE: Counter = Counter::new(c"locks_effective");
pub(crate) static LOCKS_CLOSE_TO_EXPIRED: Counter = Counter::new(c"locks_close_to_expired");
pub(crate) static LOCKS_MISSING: Counter = Counter::new(c"locks_missing");

/// Strings found where a lock should be, by any command.
pub(crate) static LOCKS_INVALID: Counter = Counter::new(c"locks_invalid");

// What the commands of the price table did, row by row.
pub(crate) static ROWS_READ: Counter = Counter::new(c"rows_read");
pub(crate) static ROWS_HIT: Counter = Counter::new(c"rows_hit");
pub(crate) static ROWS_MISSED: Counter = Counter::new(c"rows_missed");
pub(crate) static ROWS_STORED: Counter = Counter::new(c"rows_stored");
pub(crate) static ROWS_DELETED: Counter = Counter::new(c"rows_deleted");

/// Expired rows that were swept, and how many milliseconds they had been expired, all together.
pub(crate) static ROWS_EXPIRED: Counter = Counter::new(c"rows_expired");
pub(crate) static ROWS_EXPIRED_LATE_MS: Counter = Counter::new(c"rows_expired_late_ms");

// The tables in memory, and what they hold and take. What is being freed on another thread counts until it is.
pub(crate) static TABLES: Gauge = Gauge::new(c"tables");
pub(crate) static TABLES_ROWS: Gauge = Gauge::new(c"tables_rows");
pub(crate) static TABLES_BYTES: Gauge = Gauge::new(c"tables_bytes");

// How many rows calls ask for, write, or are answered.
pub(crate) static SIZES_MGET: Sizes = Sizes::new(c"sizes_mget");
pub(crate) static SIZES_CLAIM: Sizes = Sizes::new(c"sizes_claim");
pub(crate) static SIZES_MSET: Sizes = Sizes::new(c"sizes_mset");
pub(crate) static SIZES_GETALL: Sizes = Sizes::new(c"sizes_getall");
pub(crate) static SIZES_CHANGES: Sizes = Sizes::new(c"sizes_changes");

/// The bytes of replies of JSON and by column.
pub(crate) static SIZES_REPLY: Sizes = Sizes::new(c"sizes_reply");

// What `VEHPRICE.CHANGES` answered: how often it was asked, that nothing had changed, and the whole table.
pub(crate) static CHANGES_ASKED: Counter = Counter::new(c"changes_asked");
pub(crate) static CHANGES_UNCHANGED: Counter = Counter::new(c"changes_unchanged");
pub(crate) static CHANGES_WHOLE: Counter = Counter::new(c"changes_whole");

// What `VEHPRICE.VERIFY` answered.
pub(crate) static VERDICTS_MATCH: Counter = Counter::new(c"verdicts_match");
pub(crate) static VERDICTS_CHANGED: Counter = Counter::new(c"verdicts_changed");
pub(crate) static VERDICTS_MISSING: Counter = Counter::new(c"verdicts_missing");

// What became of claims, row by row.
pub(crate) static CLAIMS_GRANTED: Counter = Counter::new(c"claims_granted");
pub(crate) static CLAIMS_RELEASED: Counter = Counter::new(c"claims_released");
pub(crate) static CLAIMS_ENDED: Counter = Counter::new(c"claims_ended");
pub(crate) static CLAIMS_EXPIRED: Counter = Counter::new(c"claims_expired");

/// Rows not claimed because there are too many claims, or too many of that table.
pub(crate) static CLAIMS_REFUSED: Counter = Counter::new(c"claims_refused");

/// Rows not stored because their token no longer held the claim.
pub(crate) static CLAIMS_OVERTAKEN: Counter = Counter::new(c"claims_overtaken");

// How many claims there are, and clients that wait for claimed rows.
pub(crate) static CLAIMS_PENDING: Counter = Counter::new(c"claims_pending");
pub(crate) static CLAIMS_WAITING: Counter = Counter::new(c"claims_waiting");

/// For how long the client waits that came first.
pub(crate) static CLAIMS_LONGEST_WAIT_MS: Since = Since::new(c"claims_longest_wait_ms");

/// About how many bytes claims and waiters take.
pub(crate) static CLAIMS_BYTES: Counter = Counter::new(c"claims_bytes");

// The ids `PRICEPLAN.TAG` answered: tagged for old pricing, and bare for new.
pub(crate) static TAGS_LEGACY: Counter = Counter::new(c"tags_legacy");
pub(crate) static TAGS_CORE: Counter = Counter::new(c"tags_core");

// Where `PRICEPLAN.ROUTE` sent ids.
pub(crate) static ROUTES_LEGACY: Counter = Counter::new(c"routes_legacy");
pub(crate) static ROUTES_CORE: Counter = Counter::new(c"routes_core");
pub(crate) static ROUTES_RETIRED: Counter = Counter::new(c"routes_retired");

/// Replies longer than they may be.
pub(crate) static REPLIES_REFUSED: Counter = Counter::new(c"replies_refused");

pub(crate) const ALL: &[&dyn Figure] = &[
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
    &ROWS_EXPIRED_LATE_MS,
    &TABLES,
    &TABLES_ROWS,
    &TABLES_BYTES,
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
    &CLAIMS_LONGEST_WAIT_MS,
    &CLAIMS_BYTES,
    &TAGS_LEGACY,
    &TAGS_CORE,
    &ROUTES_LEGACY,
    &ROUTES_CORE,
    &ROUTES_RETIRED,
    &REPLIES_REFUSED,
    &SIZES_MGET,
    &SIZES_CLAIM,
    &SIZES_MSET,
    &SIZES_GETALL,
    &SIZES_CHANGES,
    &SIZES_REPLY,
];
