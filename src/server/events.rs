//! What happens to tables and databases without a command of the module, and the alarm it sets itself.
//!
//! The module subscribes to no keyspace events: Valkey 8.1 to 9.1 leave a client in another database after `MOVE` or `COPY`
//! where a module does.

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

use redis_module::raw;

use super::Call;
use super::api::api;
use super::call::guard;
use super::clock::clock_ms;
use super::{Shared, log};
use crate::MODULE;
use crate::vehprice::{Table, TableKey};

/// What has happened.
#[derive(Debug)]
pub enum Event<'e> {
    /// This table goes from its key: deleted, overwritten, renamed, moved, evicted or expired.
    TableGoes(TableKey<'e>, &'e Table),
    /// All keys of a database, or of all databases, are others or gone.
    DatabaseChanged(Option<i32>),
}

/// A context that outlives the load, for setting alarms where there is no other.
static CONTEXT: AtomicPtr<raw::RedisModuleCtx> = AtomicPtr::new(ptr::null_mut());

/// The timer that is set, and when it rings.
static TIMER: Shared<Option<(raw::RedisModuleTimerID, i64)>> = Shared::new(|| None);

/// Has the server tell of events.
pub(super) fn register(ctx: *mut raw::RedisModuleCtx) -> Result<(), String> {
    const EVENTS: [u64; 5] = [
        raw::REDISMODULE_EVENT_FLUSHDB,
        raw::REDISMODULE_EVENT_SWAPDB,
        raw::REDISMODULE_EVENT_LOADING,
        raw::REDISMODULE_EVENT_REPL_ASYNC_LOAD,
        raw::REDISMODULE_EVENT_REPLICATION_ROLE_CHANGED,
    ];
    // SAFETY: called while the module loads, with its context; the detached context is kept for good.
    unsafe {
        CONTEXT.store(api!(RedisModule_GetDetachedThreadSafeContext(ctx)), Relaxed);
        let mut status = 0;
        for id in EVENTS {
            let event = raw::RedisModuleEvent { id, dataver: 1 };
            status |= api!(RedisModule_SubscribeToServerEvent(ctx, event, Some(server_event)));
        }
        if status == 0 { Ok(()) } else { Err("the server refused to tell of its events".to_owned()) }
    }
}

/// A table goes from its key.
pub(super) fn unlinked(table: TableKey<'_>, value: &Table) {
    (MODULE.on_event)(&Event::TableGoes(table, value));
}

/// What the server calls for an event of its own.
unsafe extern "C" fn server_event(
    ctx: *mut raw::RedisModuleCtx,
    event: raw::RedisModuleEvent,
    subevent: u64,
    data: *mut c_void,
) {
    let done = guard(|| match event.id {
        raw::REDISMODULE_EVENT_FLUSHDB => {
            // SAFETY: this is what the server passes with this event.
            let db = unsafe { (*data.cast::<raw::RedisModuleFlushInfo>()).dbnum };
            (MODULE.on_event)(&Event::DatabaseChanged((db >= 0).then_some(db)));
        }
        raw::REDISMODULE_EVENT_SWAPDB => {
            // SAFETY: this is what the server passes with this event.
            let swap = unsafe { &*data.cast::<raw::RedisModuleSwapDbInfo>() };
            (MODULE.on_event)(&Event::DatabaseChanged(Some(swap.dbnum_first)));
            (MODULE.on_event)(&Event::DatabaseChanged(Some(swap.dbnum_second)));
        }
        raw::REDISMODULE_EVENT_REPLICATION_ROLE_CHANGED
            if subevent != raw::REDISMODULE_EVENT_REPLROLECHANGED_NOW_REPLICA => {}
        _ => (MODULE.on_event)(&Event::DatabaseChanged(None)),
    });
    warn(ctx, done);
}

/// Has the alarm ring in `in_ms` milliseconds, in a turn of the server's own between two commands; unless it rings earlier.
pub fn set_alarm(in_ms: i64) {
    let at_ms = clock_ms().saturating_add(in_ms);
    let set = TIMER.with(|timer| *timer);
    if set.is_some_and(|(_, set_ms)| set_ms <= at_ms) {
        return;
    }
    let ctx = CONTEXT.load(Relaxed);
    // SAFETY: the context is kept for good, and used under the server's lock; a timer is stopped only while it is set.
    unsafe {
        if let Some((timer, _)) = set {
            api!(RedisModule_StopTimer(ctx, timer, ptr::null_mut()));
        }
        let timer = api!(RedisModule_CreateTimer(ctx, in_ms.max(0), Some(ring), ptr::null_mut()));
        TIMER.with(|set| *set = Some((timer, at_ms)));
    }
}

/// What the server calls when the alarm rings.
unsafe extern "C" fn ring(ctx: *mut raw::RedisModuleCtx, _data: *mut c_void) {
    TIMER.with(Option::take);
    warn(ctx, guard(|| (MODULE.on_alarm)(&mut Turn { ctx })));
}

/// A turn of the module between two commands.
pub struct Turn {
    ctx: *mut raw::RedisModuleCtx,
}

impl Turn {
    /// The server's clock, in milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        super::clock::now_ms(self.ctx)
    }

    /// Runs `work` with a call that has this key as its first argument, and no client. One at a time, so that no table is borrowed
    /// twice.
    pub fn with_key<T>(&mut self, table: TableKey<'_>, work: impl FnOnce(&Call<'_>) -> T) -> T {
        // SAFETY: the context is of this turn; the string lives until it is freed, after the last use of the call.
        unsafe {
            api!(RedisModule_SelectDb(self.ctx, table.db));
            let name = api!(RedisModule_CreateString(self.ctx, table.name.as_ptr().cast(), table.name.len()));
            let done = work(&Call::new(self.ctx, &[name, name]));
            api!(RedisModule_FreeString(self.ctx, name));
            done
        }
    }
}

/// Milliseconds since 1970, as keys expire by them just now.
pub fn expiry_ms() -> i64 {
    super::clock::expiry_ms(CONTEXT.load(Relaxed))
}

fn warn(ctx: *mut raw::RedisModuleCtx, done: Result<(), String>) {
    if let Err(message) = done {
        log::warning(ctx, &format!("a callback panicked: {}", log::escaped(message.as_bytes())));
    }
}
