//! The lock a key holds, or the warning that what it holds is none.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use super::USER;
use crate::counters::LOCKS_INVALID;
use quotelock_core::lock::{Lock, STORED_BYTES};
use quotelock_server::{Call, Key, OpenError, excerpt};

/// The lock a key holds. A string that is not a lock counts as none; it is counted, and logged at most once a
/// second.
#[inline(always)]
pub(super) fn lock<'k>(call: &Call<'_>, key: &'k Key<'_>) -> Result<Option<Lock<'k>>, OpenError> {
    let Some(length) = key.string_length()? else {
        return Ok(None);
    };
    // What is too short or too long for a lock isn't read: see `Key::string`, and no call costs more than its
    // size.
    let stored = if STORED_BYTES.contains(&length) { key.string() } else { None };
    if let Some(lock) = stored.and_then(Lock::parse) {
        return Ok(Some(lock));
    }
    warn(call, length);
    Ok(None)
}

#[cold]
fn warn(call: &Call<'_>, length: usize) {
    /// When the next warning may be written, in milliseconds since 1970.
    static NEXT_MS: AtomicI64 = AtomicI64::new(i64::MIN);
    const PAUSE_MS: i64 = 1000;

    LOCKS_INVALID.count();
    let now_ms = call.now_ms();
    let next_ms = NEXT_MS.load(Relaxed);
    // A clock that was set back must not silence the warnings until it is where it was.
    if now_ms >= next_ms || now_ms < next_ms.saturating_sub(PAUSE_MS) {
        NEXT_MS.store(now_ms.saturating_add(PAUSE_MS), Relaxed);
        let key = excerpt(call.arg(USER));
        call.warn(&format!("key '{key}' holds a string of {length} bytes that is not a lock"));
    }
}
