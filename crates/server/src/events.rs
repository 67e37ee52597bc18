//! What happens to whole databases and slots, and to the server's role, without a command of the module.
//!
//! The module subscribes to no keyspace events: where one does, Valkey 8.1 to 9.1 leave a client in another
//! database after `MOVE` or `COPY`, and every event of any key would cost.

use std::ffi::c_void;

use redis_module::raw;

use crate::api::api;
use crate::guard::guard_logged;
use crate::load_error::LoadError;
use crate::module::loaded;
use crate::slots::{Slots, VALKEY_SLOT_MIGRATION};

/// Subscribes to the server's events.
pub(crate) fn register(ctx: *mut raw::RedisModuleCtx, is_valkey: bool) -> Result<(), LoadError> {
    const EVENTS: [u64; 5] = [
        raw::REDISMODULE_EVENT_FLUSHDB,
        raw::REDISMODULE_EVENT_SWAPDB,
        raw::REDISMODULE_EVENT_LOADING,
        raw::REDISMODULE_EVENT_REPL_ASYNC_LOAD,
        raw::REDISMODULE_EVENT_REPLICATION_ROLE_CHANGED,
    ];
    let subscribe = |id, callback| {
        let event = raw::RedisModuleEvent { id, dataver: 1 };
        // SAFETY: called while the module loads, with its context.
        unsafe { api!(RedisModule_SubscribeToServerEvent(ctx, event, Some(callback))) == 0 }
    };
    if !EVENTS.into_iter().all(|id| subscribe(id, server_event as Callback)) {
        return Err(LoadError::Events);
    }
    // Redis before 8.4 and Valkey before 9.0 refuse these numbers, and move no slot whole.
    if is_valkey {
        subscribe(VALKEY_SLOT_MIGRATION, valkey_slot_event);
    } else {
        subscribe(raw::REDISMODULE_EVENT_CLUSTER_SLOT_MIGRATION, redis_slot_event);
        subscribe(raw::REDISMODULE_EVENT_CLUSTER_SLOT_MIGRATION_TRIM, redis_slot_event);
    }
    Ok(())
}

/// A function that the server calls for its events.
type Callback = unsafe extern "C" fn(*mut raw::RedisModuleCtx, raw::RedisModuleEvent, u64, *mut c_void);

/// What the server calls for one of its events.
unsafe extern "C" fn server_event(
    ctx: *mut raw::RedisModuleCtx,
    event: raw::RedisModuleEvent,
    subevent: u64,
    data: *mut c_void,
) {
    guard_logged(ctx, || {
        let changed = loaded().on_database_change;
        match event.id {
            raw::REDISMODULE_EVENT_FLUSHDB => {
                // SAFETY: the server passes this with the event.
                let db = unsafe { (*data.cast::<raw::RedisModuleFlushInfo>()).dbnum };
                changed((db >= 0).then_some(db));
            }
            raw::REDISMODULE_EVENT_SWAPDB => {
                // SAFETY: the server passes this with the event.
                let swap = unsafe { &*data.cast::<raw::RedisModuleSwapDbInfo>() };
                changed(Some(swap.dbnum_first));
                changed(Some(swap.dbnum_second));
            }
            raw::REDISMODULE_EVENT_REPLICATION_ROLE_CHANGED
                if subevent != raw::REDISMODULE_EVENT_REPLROLECHANGED_NOW_REPLICA => {}
            _ => changed(None),
        }
    });
}

/// What Redis calls when a slot moves whole, and when it removes the keys of a slot that it no longer has: in the
/// background it tells no data type of each.
unsafe extern "C" fn redis_slot_event(
    ctx: *mut raw::RedisModuleCtx,
    event: raw::RedisModuleEvent,
    subevent: u64,
    data: *mut c_void,
) {
    guard_logged(ctx, || {
        // SAFETY: the server passes this with the event.
        let slots = unsafe { Slots::of_redis(event.id, subevent, data) };
        slots.iter().for_each(loaded().on_slots_change);
    });
}

/// What Valkey calls when a slot moves whole.
unsafe extern "C" fn valkey_slot_event(
    ctx: *mut raw::RedisModuleCtx,
    _event: raw::RedisModuleEvent,
    subevent: u64,
    data: *mut c_void,
) {
    guard_logged(ctx, || {
        // SAFETY: the server passes this with the event.
        let slots = unsafe { Slots::of_valkey(subevent, data) };
        slots.iter().for_each(loaded().on_slots_change);
    });
}
