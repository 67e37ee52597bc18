//! What `INFO` shows of the module.

use std::ffi::CStr;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

use redis_module::raw;

use crate::api::api;
use crate::clock_ms;
use crate::guard::guard;
use crate::module::loaded;

/// A figure that `INFO` shows as `<module>_<name>`. In effect it is sealed: only this crate can write to an
/// [`InfoWriter`].
pub trait Figure: Sync {
    /// Writes it.
    fn write(&self, info: &InfoWriter);
}

/// A count of something: since the module was loaded, or at present.
#[derive(Debug)]
pub struct Counter {
    name: &'static CStr,
    count: AtomicU64,
}

impl Counter {
    /// A counter of this name.
    pub const fn new(name: &'static CStr) -> Self {
        Self { name, count: AtomicU64::new(0) }
    }

    /// Counts one.
    pub fn count(&self) {
        self.add(1);
    }

    /// Counts several.
    pub fn add(&self, more: usize) {
        add(&self.count, more);
    }

    /// Sets the number of something there is at present.
    pub fn set(&self, count: usize) {
        self.count.store(count as u64, Relaxed);
    }
}

impl Figure for Counter {
    fn write(&self, info: &InfoWriter) {
        info.field(self.name, self.count.load(Relaxed));
    }
}

/// Only the thread that holds the server's lock counts, so a load and a store do, which are cheaper than an
/// addition.
fn add(count: &AtomicU64, more: usize) {
    count.store(count.load(Relaxed).wrapping_add(more as u64), Relaxed);
}

/// An amount of something there is at present, which any thread may change: the server frees values on others.
#[derive(Debug)]
pub struct Gauge {
    name: &'static CStr,
    amount: AtomicU64,
}

impl Gauge {
    /// A gauge of this name, at 0.
    pub const fn new(name: &'static CStr) -> Self {
        Self { name, amount: AtomicU64::new(0) }
    }

    /// What was `before` is `after` now.
    pub fn replace(&self, before: usize, after: usize) {
        if before != after {
            self.amount.fetch_add((after as u64).wrapping_sub(before as u64), Relaxed);
        }
    }
}

impl Figure for Gauge {
    fn write(&self, info: &InfoWriter) {
        info.field(self.name, self.amount.load(Relaxed));
    }
}

/// For how many milliseconds something has lasted; 0 while there is nothing.
#[derive(Debug)]
pub struct Since {
    name: &'static CStr,
    /// [`i64::MAX`] while there is nothing.
    since_ms: AtomicI64,
}

impl Since {
    /// A figure of this name, of nothing yet.
    pub const fn new(name: &'static CStr) -> Self {
        Self { name, since_ms: AtomicI64::new(i64::MAX) }
    }

    /// Sets since when it has lasted.
    pub fn set(&self, since_ms: Option<i64>) {
        self.since_ms.store(since_ms.unwrap_or(i64::MAX), Relaxed);
    }
}

impl Figure for Since {
    fn write(&self, info: &InfoWriter) {
        let ms = clock_ms().saturating_sub(self.since_ms.load(Relaxed));
        info.field(self.name, ms.max(0).cast_unsigned());
    }
}

/// How many calls were of which size: up to 1, 4, 16 and so on.
///
/// `INFO` shows the number of calls, the sum of their sizes, and for each bound how many were not above it.
#[derive(Debug)]
pub struct Sizes {
    name: &'static CStr,
    sum: AtomicU64,
    /// One for each bound, and one for what is above the last.
    calls: [AtomicU64; BOUNDS.len() + 1],
}

/// The bounds of [`Sizes`]: each is four times the one before.
const BOUNDS: [&CStr; 14] = [
    c"le_1",
    c"le_4",
    c"le_16",
    c"le_64",
    c"le_256",
    c"le_1024",
    c"le_4096",
    c"le_16384",
    c"le_65536",
    c"le_262144",
    c"le_1048576",
    c"le_4194304",
    c"le_16777216",
    c"le_67108864",
];

impl Sizes {
    /// The sizes of no calls.
    pub const fn new(name: &'static CStr) -> Self {
        Self { name, sum: AtomicU64::new(0), calls: [const { AtomicU64::new(0) }; BOUNDS.len() + 1] }
    }

    /// Counts a call of this size.
    #[inline]
    #[expect(clippy::indexing_slicing, reason = "a place is at most the one above the last bound")]
    pub fn count(&self, size: usize) {
        add(&self.sum, size);
        add(&self.calls[place(size)], 1);
    }
}

/// The place of a size among the bounds.
#[inline]
fn place(size: usize) -> usize {
    let digits = usize::BITS - size.saturating_sub(1).leading_zeros();
    (digits.div_ceil(2) as usize).min(BOUNDS.len())
}

impl Figure for Sizes {
    fn write(&self, info: &InfoWriter) {
        info.fields(self.name, || {
            let calls = self.calls.each_ref().map(|calls| calls.load(Relaxed));
            info.field(c"calls", calls.iter().sum());
            info.field(c"sum", self.sum.load(Relaxed));
            let mut below = 0;
            for (bound, calls) in BOUNDS.iter().zip(calls) {
                below += calls;
                info.field(bound, below);
            }
        });
    }
}

/// Takes the figures of a report.
#[derive(Debug)]
pub struct InfoWriter(*mut raw::RedisModuleInfoCtx);

impl InfoWriter {
    fn field(&self, name: &CStr, value: u64) {
        // SAFETY: the context belongs to the report that is being written, and the name ends in NUL.
        unsafe { api!(RedisModule_InfoAddFieldULongLong(self.0, name.as_ptr(), value)) };
    }

    /// Several in one line: those that `write` writes.
    fn fields(&self, name: &CStr, write: impl FnOnce()) {
        // SAFETY: as in `field`; what was begun is ended.
        unsafe { api!(RedisModule_InfoBeginDictField(self.0, name.as_ptr())) };
        write();
        // SAFETY: as above.
        unsafe { api!(RedisModule_InfoEndDictField(self.0)) };
    }
}

/// Has the server ask for the figures.
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
        loaded().figures.iter().for_each(|figure| figure.write(&InfoWriter(ctx)));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_counts_below_the_first_bound_it_does_not_exceed() {
        for (size, bound) in
            [(0, 0), (1, 0), (2, 1), (4, 1), (5, 2), (16, 2), (17, 3), (8000, 7), (16_385, 8)]
        {
            assert_eq!(place(size), bound, "{size}");
        }
        for (at, name) in BOUNDS.iter().enumerate() {
            let bound: usize = name.to_str().unwrap().strip_prefix("le_").unwrap().parse().unwrap();
            assert_eq!((place(bound), place(bound + 1)), (at, at + 1));
        }
        assert_eq!(place(usize::MAX), BOUNDS.len());
    }

    #[test]
    fn a_gauge_follows_what_comes_and_goes() {
        let gauge = Gauge::new(c"g");
        for (before, after) in [(0, 5), (0, 7), (5, 2), (2, 0), (7, 7)] {
            gauge.replace(before, after);
        }
        assert_eq!(gauge.amount.load(Relaxed), 7);
    }
}
