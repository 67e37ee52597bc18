//! Clients that wait for an answer while the server goes on.

use std::ffi::{c_int, c_longlong, c_void};
use std::ptr::{self, NonNull};
use std::slice;

use redis_module::raw;

use super::Call;
use super::api::api;
use super::call::{Command, guard, handle};

/// A command that can have its client wait.
pub trait Waiting: Command {
    /// Something was stored at the key that a client waits on. It waits on; an error is no one's.
    fn ready(call: &Call<'_>) -> Result<(), Self::Error>;

    /// Answers a client that waits no longer: it was unblocked, or its time is over.
    fn answer(call: &Call<'_>, waiter: u64) -> Result<(), Self::Error>;

    /// The client is no longer there, or was answered. Comes once or more often for each waiter.
    fn forget(waiter: u64);
}

/// A client that waits: until its waiter is forgotten.
#[derive(Debug)]
pub struct Blocked(NonNull<raw::RedisModuleBlockedClient>);

// SAFETY: the handle is used by `wake` alone, which the server lets any thread call.
unsafe impl Send for Blocked {}

impl Call<'_> {
    /// Whether the client can wait: not inside `MULTI`, scripts and Functions, nor for who can't wait at all.
    pub fn can_wait(&self) -> bool {
        const DENIED: u32 = raw::REDISMODULE_CTX_FLAGS_DENY_BLOCKING
            | raw::REDISMODULE_CTX_FLAGS_MULTI
            | raw::REDISMODULE_CTX_FLAGS_LUA
            | raw::REDISMODULE_CTX_FLAGS_REPLICATED
            | raw::REDISMODULE_CTX_FLAGS_LOADING;
        // SAFETY: the context is of this call.
        unsafe { api!(RedisModule_GetContextFlags(self.ctx)) & DENIED.cast_signed() == 0 }
    }

    /// Has the client of this call wait, without an answer, for `timeout_ms` at most; 0: without end. The key at `index` of the
    /// arguments tells the cluster when the client is to be sent elsewhere. `waiter` is not 0.
    pub fn wait<C: Waiting>(&self, index: usize, timeout_ms: i64, waiter: u64) -> Option<Blocked> {
        let mut key = self.string(index)?;
        let waiter = usize::try_from(waiter).ok()?;
        // SAFETY: context and key are of this call; the waiter's number is no pointer, and is only handed back. Valkey answers null
        // where it will not have the client wait, as one that has subscribed to a channel.
        unsafe {
            let blocked = NonNull::new(api!(RedisModule_BlockClientOnKeys(
                self.ctx,
                Some(ready::<C>),
                Some(answer::<C>),
                Some(free::<C>),
                c_longlong::from(timeout_ms),
                &raw mut key,
                1,
                ptr::without_provenance_mut(waiter),
            )))?;
            api!(RedisModule_SetDisconnectCallback(blocked.as_ptr(), Some(disconnect::<C>)));
            Some(Blocked(blocked))
        }
    }
}

impl Blocked {
    /// Has the client answered, by [`Waiting::answer`]. The waiter must not be forgotten yet.
    pub fn wake(self) {
        // SAFETY: the server frees the handle only after `free` was called, with which the waiter is forgotten.
        unsafe { api!(RedisModule_UnblockClient(self.0.as_ptr(), ptr::null_mut())) };
    }
}

/// The number of the waiter the server hands back.
fn waiter(data: *mut c_void) -> u64 {
    u64::try_from(data.addr()).unwrap_or_default()
}

/// What the server calls when something was stored at the key: the client waits on, `wake` alone ends that.
unsafe extern "C" fn ready<C: Waiting>(
    ctx: *mut raw::RedisModuleCtx,
    argv: *mut *mut raw::RedisModuleString,
    argc: c_int,
) -> c_int {
    const WAITS_ON: c_int = 1;
    // SAFETY: the server passes the arguments of the command that waits, as it passed them to its handler.
    let argv = unsafe { slice::from_raw_parts(argv, usize::try_from(argc).unwrap_or_default()) };
    let _ = guard(|| C::ready(&Call::new(ctx, argv)));
    WAITS_ON
}

/// What the server calls to have the client answered.
unsafe extern "C" fn answer<C: Waiting>(
    ctx: *mut raw::RedisModuleCtx,
    argv: *mut *mut raw::RedisModuleString,
    argc: c_int,
) -> c_int {
    // SAFETY: the context is of this callback.
    let waiter = waiter(unsafe { api!(RedisModule_GetBlockedClientPrivateData(ctx)) });
    // SAFETY: the server passes the arguments of the command that waits, as it passed them to its handler.
    unsafe { handle(ctx, argv, argc, C::SPEC.name, |call| C::answer(call, waiter)) }
}

/// What the server calls when a client that waits is gone, or is told something else.
unsafe extern "C" fn disconnect<C: Waiting>(
    ctx: *mut raw::RedisModuleCtx,
    _blocked: *mut raw::RedisModuleBlockedClient,
) {
    // SAFETY: the context is of this callback.
    let waiter = waiter(unsafe { api!(RedisModule_GetBlockedClientPrivateData(ctx)) });
    let _ = guard(|| C::forget(waiter));
}

/// What the server calls last.
unsafe extern "C" fn free<C: Waiting>(_ctx: *mut raw::RedisModuleCtx, data: *mut c_void) {
    let _ = guard(|| C::forget(waiter(data)));
}
