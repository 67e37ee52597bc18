//! What `INFO` shows of the module.

use std::ffi::CString;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use redis_module::raw;

use super::api::api;
use super::call::guard;

/// A count of something, since the module was loaded or now.
#[derive(Debug)]
pub struct Counter {
    name: &'static str,
    count: AtomicU64,
}

impl Counter {
    /// A counter that `INFO` shows as `<module>_<name>`.
    pub const fn new(name: &'static str) -> Self {
        Self { name, count: AtomicU64::new(0) }
    }

    /// Counts one.
    pub fn count(&self) {
        self.add(1);
    }

    /// Counts several.
    pub fn add(&self, more: usize) {
        let more = u64::try_from(more).unwrap_or(u64::MAX);
        // Only who holds the server's lock counts, so this needs no costlier step that no one can come between.
        self.count.store(self.count.load(Relaxed).wrapping_add(more), Relaxed);
    }

    /// Shows this number, of something there is now.
    pub fn set(&self, count: usize) {
        self.count.store(u64::try_from(count).unwrap_or(u64::MAX), Relaxed);
    }
}

/// Has the server ask for the counters.
pub(super) fn register(ctx: *mut raw::RedisModuleCtx) {
    // SAFETY: called while the module loads, with its context.
    unsafe { api!(RedisModule_RegisterInfoFunc(ctx, Some(report))) };
}

/// Answers `INFO`, and the server's report of a crash.
extern "C" fn report(ctx: *mut raw::RedisModuleInfoCtx, _for_crash_report: i32) {
    // SAFETY: the server passes the context of this report; a section without a name gets the module's.
    if unsafe { api!(RedisModule_InfoAddSection(ctx, std::ptr::null())) } != 0 {
        return;
    }
    // There is no one to tell of a panic here, and what is missing from the report shows it.
    let _ = guard(|| {
        for counter in crate::MODULE.counters {
            if let Ok(name) = CString::new(counter.name) {
                // SAFETY: the context is of this report, and the name ends in NUL.
                unsafe {
                    api!(RedisModule_InfoAddFieldULongLong(ctx, name.as_ptr(), counter.count.load(Relaxed)))
                };
            }
        }
    });
}
