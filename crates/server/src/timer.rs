//! The module's timer: what it does between two commands.

use std::cell::{Cell, OnceCell};
use std::ffi::c_void;
use std::ptr;
use std::time::{Duration, Instant};

use redis_module::raw;

use crate::api::api;
use crate::clock::{self, clock_ms};
use crate::context::detached;
use crate::guard::guard_logged;
use crate::key::Mode;
use crate::module::loaded;
use crate::{DataType, GilGuarded, Key, KeyName, OpenError, TypedKey};

static TIMER: GilGuarded<Option<SetTimer>> = GilGuarded::new(|| None);

/// The timer that is set, and when it goes off. The server sleeps by the one clock and then looks at the other, so
/// once someone has set the clock it goes off at the later of the two.
#[derive(Clone, Copy)]
struct SetTimer {
    id: raw::RedisModuleTimerID,
    at: Instant,
    at_ms: i64,
}

/// Sets the timer to go off in `in_ms` milliseconds, between two commands; unless it goes off earlier anyway.
pub fn set_timer(in_ms: i64) {
    let in_ms = in_ms.max(0);
    let at = Instant::now() + Duration::from_millis(in_ms.unsigned_abs());
    let at_ms = clock_ms().saturating_add(in_ms);
    let set = TIMER.with(|timer| *timer);
    if set.is_some_and(|set| set.at <= at && set.at_ms <= at_ms) {
        return;
    }
    let ctx = detached();
    // SAFETY: the context is kept for good, and used under the server's lock; a timer is stopped only while
    // it is set.
    unsafe {
        if let Some(set) = set {
            api!(RedisModule_StopTimer(ctx, set.id, ptr::null_mut()));
        }
        let id = api!(RedisModule_CreateTimer(ctx, in_ms, Some(timer_callback), ptr::null_mut()));
        TIMER.with(|set| *set = Some(SetTimer { id, at, at_ms }));
    }
}

/// What the server calls when the timer goes off.
unsafe extern "C" fn timer_callback(ctx: *mut raw::RedisModuleCtx, _data: *mut c_void) {
    guard_logged(ctx, || {
        TIMER.with(Option::take);
        (loaded().on_timer)(&mut TimerContext {
            ctx,
            key_is_open: Cell::new(false),
            is_failing_over: OnceCell::new(),
        });
    });
}

/// The module's work between two commands: no client, no arguments.
pub struct TimerContext {
    pub(crate) ctx: *mut raw::RedisModuleCtx,
    key_is_open: Cell<bool>,
    /// Asked at most once: it doesn't change while the timer has the server.
    pub(crate) is_failing_over: OnceCell<bool>,
}

impl TimerContext {
    /// The server's clock in milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        clock::now_ms(self.ctx, 0)
    }

    /// Runs `work` with this key, opened to read as one of the data type `T`.
    pub fn with_key<T: DataType, R>(
        &mut self,
        key: KeyName<'_>,
        work: impl FnOnce(Result<TypedKey<'_, T>, OpenError>) -> R,
    ) -> R {
        let name = OwnedString::new(self.ctx, key.name);
        // SAFETY: the context is the timer's.
        unsafe { api!(RedisModule_SelectDb(self.ctx, key.db)) };
        // SAFETY: the name lives until the key is closed, which `work` does before it returns.
        let key = unsafe { Key::open(self.ctx, name.string, &self.key_is_open, Mode::Read) };
        work(key.and_then(Key::typed))
    }
}

/// A string of the server's, freed when it is dropped.
pub(crate) struct OwnedString {
    ctx: *mut raw::RedisModuleCtx,
    pub(crate) string: *mut raw::RedisModuleString,
}

impl OwnedString {
    pub(crate) fn new(ctx: *mut raw::RedisModuleCtx, text: &[u8]) -> Self {
        // SAFETY: the server copies the text.
        let string = unsafe { api!(RedisModule_CreateString(ctx, text.as_ptr().cast(), text.len())) };
        Self { ctx, string }
    }
}

impl Drop for OwnedString {
    fn drop(&mut self) {
        // SAFETY: it was made by `new` with this context, and is freed only here.
        unsafe { api!(RedisModule_FreeString(self.ctx, self.string)) };
    }
}
