//! The lock a key holds, or the warning that what it holds is none.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use super::USER;
use crate::command::counters::LOCKS_INVALID;
use crate::quotelock::{Lock, SHORTEST_STORED};
use crate::server::{Call, Key, WrongType, excerpt};

/// What a key holds.
pub(super) enum Held<'k> {
    Nothing,
    /// A string that is not a lock; for all but `NX` and `XX` that counts as no lock.
    NoLock,
    Lock(Lock<'k>),
}

impl<'k> Held<'k> {
    /// Reads the key. A string that is not a lock is counted, and logged at most once a second.
    pub(super) fn read(call: &Call<'_>, key: &'k Key<'_, '_>) -> Result<Self, WrongType> {
        let Some(length) = key.string_length()? else {
            return Ok(Self::Nothing);
        };
        // What is too short for a lock is left as it is, see `Key::string`.
        let stored = if length < SHORTEST_STORED { None } else { key.string() };
        Ok(stored.and_then(Lock::read).map_or_else(
            || {
                warn(call, length);
                Self::NoLock
            },
            Self::Lock,
        ))
    }

    pub(super) fn lock(self) -> Option<Lock<'k>> {
        match self {
            Self::Lock(lock) => Some(lock),
            Self::Nothing | Self::NoLock => None,
        }
    }
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
