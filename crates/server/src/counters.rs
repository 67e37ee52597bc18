//! What `INFO` shows of the module.

use std::ffi::CString;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use redis_module::raw;

use crate::api::api;
use crate::guard::guard;
use crate::module::loaded;

/// A count of something: since the module was loaded, or at present.
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
        // Only the thread that holds the server's lock counts, so a load and a store do, which are cheaper
        // than an addition.
        self.count.store(self.count.load(Relaxed).wrapping_add(more as u64), Relaxed);
    }

    /// Sets the number of something there is at present.
    pub fn set(&self, count: usize) {
        self.count.store(count as u64, Relaxed);
    }
}

/// Has the server ask for the counters.
pub(crate) fn register(ctx: *mut raw::RedisModuleCtx) {
    // SAFETY: called while the module loads, with its context.
    unsafe { api!(RedisModule_RegisterInfoFunc(ctx, Some(report))) };
}

/// Answers `INFO`, and the server's report of a crash.
extern "C" fn report(ctx: *mut raw::RedisModuleInfoCtx, _for_crash_report: i32) {
    // Nobody can be told of a panic here, but the report is missing fields then.
    let _ = guard(|| {
        // SAFETY: the server passes the context of this report; a section without a name gets the module's.
        if unsafe { api!(RedisModule_InfoAddSection(ctx, std::ptr::null())) } != 0 {
            return;
        }
        for counter in loaded().counters {
            if let Ok(name) = CString::new(counter.name) {
                // SAFETY: the context belongs to this report, and the name ends in NUL.
                unsafe {
                    api!(RedisModule_InfoAddFieldULongLong(ctx, name.as_ptr(), counter.count.load(Relaxed)))
                };
            }
        }
    });
}
