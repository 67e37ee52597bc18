//! What happens to whole databases without a command of the module.
//!
//! The module subscribes to no keyspace events: where one does, Valkey 8.1 to 9.1 leave a client in another
//! database after `MOVE` or `COPY`, and every event of any key would cost.

use std::ffi::c_void;

use redis_module::raw;

use crate::api::api;
use crate::guard::guard_logged;
use crate::load_error::LoadError;
use crate::module::loaded;

/// Subscribes to the server's events.
pub(crate) fn register(ctx: *mut raw::RedisModuleCtx) -> Result<(), LoadError> {
    const EVENTS: [u64; 5] = [
        raw::REDISMODULE_EVENT_FLUSHDB,
        raw::REDISMODULE_EVENT_SWAPDB,
        raw::REDISMODULE_EVENT_LOADING,
        raw::REDISMODULE_EVENT_REPL_ASYNC_LOAD,
        raw::REDISMODULE_EVENT_REPLICATION_ROLE_CHANGED,
    ];
    let subscribed = EVENTS.into_iter().all(|id| {
        let event = raw::RedisModuleEvent { id, dataver: 1 };
        // SAFETY: called while the module loads, with its context.
        unsafe { api!(RedisModule_SubscribeToServerEvent(ctx, event, Some(server_event))) == 0 }
    });
    if subscribed { Ok(()) } else { Err(LoadError::Events) }
}

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
