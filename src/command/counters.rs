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
];
