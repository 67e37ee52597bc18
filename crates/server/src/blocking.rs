//! Blocking a client while the server goes on.

use std::ffi::{c_int, c_longlong, c_void};
use std::ptr::{self, NonNull};
use std::slice;

use redis_module::raw;

use crate::Call;
use crate::api::api;
use crate::call::{Command, handle};
use crate::guard::guard;

/// A command that can block its client.
pub trait BlockingCommand: Command {
    /// Something was stored at the key the client is blocked on. The client stays blocked; errors are
    /// ignored.
    fn key_ready(call: &Call<'_>) -> Result<(), Self::Error>;

    /// Answers a client that was unblocked, or whose time is up. One whose user has lost the right meanwhile
    /// is told so instead.
    fn reply(call: &Call<'_>, waiter: u64) -> Result<(), Self::Error>;

    /// The client is gone or was answered. Called at least once for each waiter.
    fn forget(waiter: u64);
}

/// A blocked client, until its waiter is forgotten.
#[derive(Debug)]
pub struct BlockedClient(NonNull<raw::RedisModuleBlockedClient>);

// SAFETY: the handle is used by `unblock` alone, which the server lets any thread call.
unsafe impl Send for BlockedClient {}

impl Call<'_> {
    /// Whether the client can be blocked: not inside `MULTI`, scripts and Functions, nor if the server says
    /// so.
    pub fn can_block(&self) -> bool {
        const DENIED: u32 = raw::REDISMODULE_CTX_FLAGS_DENY_BLOCKING
            | raw::REDISMODULE_CTX_FLAGS_MULTI
            | raw::REDISMODULE_CTX_FLAGS_LUA
            | raw::REDISMODULE_CTX_FLAGS_REPLICATED
            | raw::REDISMODULE_CTX_FLAGS_LOADING;
        !self.has_flag(DENIED)
    }

    /// Blocks the client of this call for at most `timeout_ms`; 0: without limit. When the slot of the key at
    /// `index` of the arguments moves, the cluster redirects the client. `waiter` must not be 0. `None` if
    /// the server refuses to block the client.
    pub fn block_client<C: BlockingCommand>(
        &self,
        index: usize,
        timeout_ms: i64,
        waiter: u64,
    ) -> Option<BlockedClient> {
        let mut key = self.string(index)?;
        let waiter = usize::try_from(waiter).ok()?;
        // SAFETY: context and key belong to this call; the waiter's number is no pointer, and is only handed
        // back. Valkey returns null for a client it won't block, as one that has subscribed to a channel.
        unsafe {
            let blocked = NonNull::new(api!(RedisModule_BlockClientOnKeys(
                self.ctx,
                Some(key_ready::<C>),
                Some(reply::<C>),
                Some(free::<C>),
                c_longlong::from(timeout_ms),
                &raw mut key,
                1,
                ptr::without_provenance_mut(waiter),
            )))?;
            api!(RedisModule_SetDisconnectCallback(blocked.as_ptr(), Some(disconnect::<C>)));
            Some(BlockedClient(blocked))
        }
    }
}

impl BlockedClient {
    /// Unblocks the client, which [`BlockingCommand::reply`] answers. The waiter must not be forgotten yet.
    pub fn unblock(self) {
        // SAFETY: the server frees the handle only after `free` was called, with which the waiter is
        // forgotten.
        unsafe { api!(RedisModule_UnblockClient(self.0.as_ptr(), ptr::null_mut())) };
    }
}

/// The number of the waiter, as the server hands it back.
fn waiter_of(data: *mut c_void) -> u64 {
    data.addr() as u64
}

/// What the server calls when something was stored at the key: the client stays blocked until `unblock`.
unsafe extern "C" fn key_ready<C: BlockingCommand>(
    ctx: *mut raw::RedisModuleCtx,
    argv: *mut *mut raw::RedisModuleString,
    argc: c_int,
) -> c_int {
    const STAYS_BLOCKED: c_int = 1;
    // SAFETY: the server passes the arguments of the blocked command, as it passed them to its handler.
    let argv = unsafe { slice::from_raw_parts(argv, usize::try_from(argc).unwrap_or_default()) };
    let _ = guard(|| C::key_ready(&Call::new(ctx, argv)));
    STAYS_BLOCKED
}

/// What the server calls to answer the client.
unsafe extern "C" fn reply<C: BlockingCommand>(
    ctx: *mut raw::RedisModuleCtx,
    argv: *mut *mut raw::RedisModuleString,
    argc: c_int,
) -> c_int {
    let reply = |call: &Call<'_>| {
        // SAFETY: the context belongs to this callback.
        let data = unsafe { api!(RedisModule_GetBlockedClientPrivateData(call.ctx)) };
        if call.is_refused() { Ok(()) } else { C::reply(call, waiter_of(data)) }
    };
    // SAFETY: the server passes the arguments of the blocked command, as it passed them to its handler.
    unsafe { handle(ctx, argv, argc, C::SPEC.name, reply) }
}

/// What the server calls when a blocked client is gone, or was told something else.
unsafe extern "C" fn disconnect<C: BlockingCommand>(
    ctx: *mut raw::RedisModuleCtx,
    _blocked: *mut raw::RedisModuleBlockedClient,
) {
    let _ = guard(|| {
        // SAFETY: the context belongs to this callback.
        C::forget(waiter_of(unsafe { api!(RedisModule_GetBlockedClientPrivateData(ctx)) }));
    });
}

/// What the server calls last.
unsafe extern "C" fn free<C: BlockingCommand>(_ctx: *mut raw::RedisModuleCtx, data: *mut c_void) {
    let _ = guard(|| C::forget(waiter_of(data)));
}
