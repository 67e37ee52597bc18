//! The settings, each a block: name, default, least, most.

use super::error::Error;
use crate::quotelock::{LONGEST_TTL_MS, Terms};
use crate::server::{Call, Setting};
use crate::vehprice::Expiry;

/// How long a lock is in force, for locks without a ttl of their own.
static LOCK_TTL_MS: Setting = Setting::new("lock-ttl-ms", 360_000, 1, LONGEST_TTL_MS);

/// The last part of the ttl, in which a lock is closing, for locks without a buffer of their own.
static LOCK_BUFFER_MS: Setting = Setting::new("lock-buffer-ms", 60_000, 0, LONGEST_TTL_MS);

/// How far behind the server's clock `*` locks: more than upstream takes to commit a price plus the clocks' skew.
static LOCK_LAG_MS: Setting = Setting::new("lock-lag-ms", 0, 0, LONGEST_TTL_MS);

/// How long a row lives that is written without an expiry; 0: it does not expire.
static PRICE_TTL_MS: Setting = Setting::new("price-ttl-ms", 120_000, 0, LONGEST_TTL_MS);

/// The most ids, rows or keys of one call: what bounds the time it takes.
static MAX_BATCH: Setting = Setting::new("max-batch", 100_000, 1, 10_000_000);

/// The most claims there may be, over all tables: what bounds their memory.
static MAX_CLAIMS: Setting = Setting::new("max-claims", 1_000_000, 0, 100_000_000);

pub(super) const ALL: &[&Setting] =
    &[&LOCK_TTL_MS, &LOCK_BUFFER_MS, &LOCK_LAG_MS, &PRICE_TTL_MS, &MAX_BATCH, &MAX_CLAIMS];

/// The terms of a lock that carries none of its own.
pub(super) fn lock_terms() -> Terms {
    Terms { ttl_ms: LOCK_TTL_MS.get(), buffer_ms: LOCK_BUFFER_MS.get() }
}

/// The lag of `*` where the command names none, in milliseconds.
pub(super) fn lock_lag_ms() -> i64 {
    LOCK_LAG_MS.get()
}

/// The expiry of a row that is written at `now_ms` without one.
pub(super) fn default_expiry(now_ms: i64) -> Expiry {
    match PRICE_TTL_MS.get() {
        0 => Expiry::NEVER,
        ttl_ms => Expiry::at(now_ms.saturating_add(ttl_ms)),
    }
}

/// The most ids, rows or keys of one call.
pub(super) fn max_batch() -> i64 {
    MAX_BATCH.get()
}

/// The most claims there may be, over all tables.
pub(super) fn max_claims() -> usize {
    usize::try_from(MAX_CLAIMS.get()).unwrap_or_default()
}

/// Refuses more ids, rows or keys than the setting allows. What comes from the primary or the AOF was judged there, maybe by
/// another setting.
pub(super) fn check_batch(call: &Call<'_>, what: &'static str, count: usize) -> Result<(), Error> {
    let most = max_batch();
    if i64::try_from(count).is_ok_and(|count| count <= most) || call.is_replay() {
        Ok(())
    } else {
        Err(Error::TooMany { what, count, most })
    }
}
