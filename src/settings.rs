//! The settings: name, default, lowest and highest value.

use quotelock_core::lock::{MAX_TTL_MS, Terms};
use quotelock_core::table::Expiry;
use quotelock_server::{Call, Setting};

use crate::error::Error;

/// How long a lock is in force, for locks without their own ttl.
static LOCK_TTL_MS: Setting = Setting::new("lock-ttl-ms", 360_000, 1, MAX_TTL_MS);

/// The last part of the ttl, in which a lock is closing, for locks without their own buffer.
static LOCK_BUFFER_MS: Setting = Setting::new("lock-buffer-ms", 60_000, 0, MAX_TTL_MS);

/// How far `*` locks behind the server's clock: longer than upstream takes to commit a price, plus the skew
/// of clocks.
static LOCK_LAG_MS: Setting = Setting::new("lock-lag-ms", 0, 0, MAX_TTL_MS);

/// To a multiple of how many seconds `*` floors the moment, so that many users share one; 0: not at all.
static LOCK_ALIGN_S: Setting = Setting::new("lock-align-s", 0, 0, MAX_TTL_MS / 1000);

/// The ttl of rows written without an expiry; 0: they don't expire.
static PRICE_TTL_MS: Setting = Setting::new("price-ttl-ms", 120_000, 0, MAX_TTL_MS);

/// The most ids, rows or keys of one call: it bounds the time a call takes.
static MAX_BATCH: Setting = Setting::new("max-batch", 100_000, 1, 10_000_000);

/// The most claims over all tables: it bounds their memory, see [`max_claims_bytes`].
static MAX_CLAIMS: Setting = Setting::new("max-claims", 1_000_000, 0, 100_000_000);

/// The longest reply: it bounds what a caller gets by asking for the same row many times. The least it can be set to is
/// longer than the reply of any lock of ours, so that `ACQUIRE` refuses none after it was written.
static MAX_REPLY_BYTES: Setting = Setting::new("max-reply-bytes", 64 << 20, 2 << 20, 512 << 20);

pub(crate) const ALL: &[&Setting] = &[
    &LOCK_TTL_MS,
    &LOCK_BUFFER_MS,
    &LOCK_LAG_MS,
    &LOCK_ALIGN_S,
    &PRICE_TTL_MS,
    &MAX_BATCH,
    &MAX_CLAIMS,
    &MAX_REPLY_BYTES,
];

/// The terms of a lock that has none of its own.
pub(crate) fn lock_terms() -> Terms {
    Terms { ttl_ms: LOCK_TTL_MS.get(), buffer_ms: LOCK_BUFFER_MS.get() }
}

/// The lag of `*` where the command names none, in milliseconds.
pub(crate) fn lock_lag_ms() -> i64 {
    LOCK_LAG_MS.get()
}

/// The align of `*` where the command names none, in seconds; `None`: none.
pub(crate) fn lock_align_s() -> Option<i64> {
    Some(LOCK_ALIGN_S.get()).filter(|seconds| *seconds > 0)
}

/// The expiry of a row that is written at `now_ms` without one.
pub(crate) fn default_expiry(now_ms: i64) -> Expiry {
    match PRICE_TTL_MS.get() {
        0 => Expiry::NEVER,
        ttl_ms => Expiry::at(now_ms.saturating_add(ttl_ms)),
    }
}

/// The most ids, rows or keys of one call.
pub(crate) fn max_batch() -> i64 {
    MAX_BATCH.get()
}

/// The most claims over all tables.
pub(crate) fn max_claims() -> usize {
    usize::try_from(MAX_CLAIMS.get()).unwrap_or(0)
}

/// The most bytes that claims may take: room for claims of usual ids, many to a table, and for the names of
/// tables.
pub(crate) fn max_claims_bytes() -> usize {
    const EACH: usize = 512;
    const BESIDES: usize = 1024 * 1024;

    max_claims().saturating_mul(EACH).saturating_add(BESIDES)
}

/// The longest reply in bytes.
pub(crate) fn max_reply_bytes() -> usize {
    usize::try_from(MAX_REPLY_BYTES.get()).unwrap_or(0)
}

/// The most ids or rows of one argument; what comes from the primary or the AOF was checked there.
pub(crate) fn batch_limit(call: &Call<'_>) -> usize {
    if call.is_replay() { usize::MAX } else { usize::try_from(max_batch()).unwrap_or(usize::MAX) }
}

/// Refuses more ids, rows or keys than the setting allows. What comes from the primary or the AOF was checked
/// there, maybe against another setting.
pub(crate) fn check_batch(call: &Call<'_>, what: &'static str, count: usize) -> Result<(), Error> {
    let max = max_batch();
    if i64::try_from(count).is_ok_and(|count| count <= max) || call.is_replay() {
        Ok(())
    } else {
        Err(Error::TooMany { what, count, max })
    }
}
