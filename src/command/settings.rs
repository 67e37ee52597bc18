//! The settings, each a block: name, default, least, most.

use crate::quotelock::{LONGEST_TTL_MS, Terms};
use crate::server::Setting;

/// How long a lock is in force, for locks without a ttl of their own.
static LOCK_TTL_MS: Setting = Setting::new("lock-ttl-ms", 360_000, 1, LONGEST_TTL_MS);

/// The last part of the ttl, in which a lock is closing, for locks without a buffer of their own.
static LOCK_BUFFER_MS: Setting = Setting::new("lock-buffer-ms", 60_000, 0, LONGEST_TTL_MS);

/// How far behind the server's clock `*` locks: more than upstream takes to commit a price plus the clocks' skew.
static LOCK_LAG_MS: Setting = Setting::new("lock-lag-ms", 0, 0, LONGEST_TTL_MS);

pub(super) const ALL: &[&Setting] = &[&LOCK_TTL_MS, &LOCK_BUFFER_MS, &LOCK_LAG_MS];

/// The terms of a lock that carries none of its own.
pub(super) fn lock_terms() -> Terms {
    Terms { ttl_ms: LOCK_TTL_MS.get(), buffer_ms: LOCK_BUFFER_MS.get() }
}

/// The lag of `*` where the command names none, in milliseconds.
pub(super) fn lock_lag_ms() -> i64 {
    LOCK_LAG_MS.get()
}
