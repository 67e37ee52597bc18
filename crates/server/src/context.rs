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
