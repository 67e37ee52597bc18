//! A context for use where the server passes none.

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

use redis_module::raw;

use crate::api::api;

static DETACHED: AtomicPtr<raw::RedisModuleCtx> = AtomicPtr::new(ptr::null_mut());

/// Makes the context.
pub(crate) fn register(ctx: *mut raw::RedisModuleCtx) {
    // SAFETY: called while the module loads, with its context; the detached context is kept for good.
    DETACHED.store(unsafe { api!(RedisModule_GetDetachedThreadSafeContext(ctx)) }, Relaxed);
}

/// The context, for whoever holds the server's lock.
pub(crate) fn detached() -> *mut raw::RedisModuleCtx {
    DETACHED.load(Relaxed)
}

/// Whether a process that the server forked shares its memory, as one that saves: then what only tidies up should
/// wait, as each page of memory that is written to is copied.
pub fn has_child() -> bool {
    has_flag(raw::REDISMODULE_CTX_FLAGS_ACTIVE_CHILD)
}

/// Whether one of these holds, of those that describe the server and no client.
pub(crate) fn has_flag(flags: u32) -> bool {
    // SAFETY: the context is kept for good, and used under the server's lock.
    unsafe { api!(RedisModule_GetContextFlags(detached())) & flags.cast_signed() != 0 }
}
