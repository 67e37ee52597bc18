//! The server's clock.

use std::ffi::{c_int, c_void};
use std::ptr;

use redis_module::raw;

use crate::GilGuarded;
use crate::api::api;
use crate::context::detached;
use crate::guard::guard_logged;

/// Commands that run inside `MULTI`, or inside Lua or a Function.
const NESTED: c_int = (raw::REDISMODULE_CTX_FLAGS_MULTI | raw::REDISMODULE_CTX_FLAGS_LUA).cast_signed();

/// The time of the transaction, script or Function that runs, once one of its commands has asked for it.
static UNIT_MS: GilGuarded<Option<i64>> = GilGuarded::new(|| None);

/// The time of the running command in milliseconds since 1970: the same for every command of one `MULTI`,
/// script or Function. `flags` are those of the context.
pub(crate) fn now_ms(ctx: *mut raw::RedisModuleCtx, flags: c_int) -> i64 {
    if flags & NESTED != 0 { unit_ms(ctx) } else { cached_ms().unwrap_or_else(clock_ms) }
}

/// Milliseconds since 1970, as keys expire now. The server's cycle expires keys by the clock, a command by
/// the time it began: this is the later of the two, so that a key that expires never counts as deleted.
/// Inside `MULTI`, scripts and Functions time stands still.
pub fn expiry_ms() -> i64 {
    let ctx = detached();
    if flags(ctx) & NESTED != 0 { unit_ms(ctx) } else { clock_ms() }
}

/// What the server says of itself and of the context's client.
pub(crate) fn flags(ctx: *mut raw::RedisModuleCtx) -> c_int {
    // SAFETY: `ctx` is a context of the module.
    unsafe { api!(RedisModule_GetContextFlags(ctx)) }
}

/// The time of the `MULTI`, script or Function that runs: from its first command that asks to its end, as the
/// server's cached clock moves in a script that is busy for long (`busy-reply-threshold`).
fn unit_ms(ctx: *mut raw::RedisModuleCtx) -> i64 {
    if let Some(unit_ms) = UNIT_MS.with(|unit_ms| *unit_ms) {
        return unit_ms;
    }
    // Redis 7.0 has no cached clock. Its `Milliseconds` moves from command to command; what `INFO` shows does
    // not, but costs too much to ask each time.
    let now_ms = cached_ms().or_else(|| info_ms(ctx)).unwrap_or_else(clock_ms);
    if call_at_end(ctx) {
        UNIT_MS.with(|unit_ms| *unit_ms = Some(now_ms));
    }
    now_ms
}

/// Has the server call [`at_end`] when the transaction or script ends. Redis 7.0 can't, and no server does
/// as a read-only replica.
fn call_at_end(ctx: *mut raw::RedisModuleCtx) -> bool {
    // SAFETY: reads a pointer that was set while the module was loaded.
    let Some(add) = (unsafe { raw::RedisModule_AddPostNotificationJob }) else {
        return false;
    };
    // SAFETY: `ctx` is a context of the module; there are no data to be freed.
    unsafe { add(ctx, Some(at_end), ptr::null_mut(), None) == 0 }
}

unsafe extern "C" fn at_end(ctx: *mut raw::RedisModuleCtx, _data: *mut c_void) {
    guard_logged(ctx, || UNIT_MS.with(Option::take));
}

/// The time at which the running command, or the transaction or script it is in, began.
fn cached_ms() -> Option<i64> {
    // SAFETY: the function takes nothing and reads a number.
    unsafe { raw::RedisModule_CachedMicroseconds.map(|cached| cached() / 1000) }
}

/// The clock in milliseconds since 1970, which goes on while a command runs.
pub fn clock_ms() -> i64 {
    // SAFETY: the function takes nothing and reads the clock.
    unsafe { api!(RedisModule_Milliseconds()) }
}

fn info_ms(ctx: *mut raw::RedisModuleCtx) -> Option<i64> {
    let mut failed = 0;
    // SAFETY: both names end in NUL, and the answer is freed once, after its last use.
    let micros = unsafe {
        let info = api!(RedisModule_GetServerInfo(ctx, c"server".as_ptr()));
        let micros =
            api!(RedisModule_ServerInfoGetFieldSigned(info, c"server_time_usec".as_ptr(), &raw mut failed));
        api!(RedisModule_FreeServerInfo(ctx, info));
        micros
    };
    (failed == 0).then_some(micros / 1000)
}
