//! The server's clock.

use std::ffi::c_int;

use redis_module::raw;

use crate::api::api;
use crate::context::detached;

/// Commands that run inside `MULTI`, or inside Lua or a Function.
const NESTED: c_int = (raw::REDISMODULE_CTX_FLAGS_MULTI | raw::REDISMODULE_CTX_FLAGS_LUA).cast_signed();

/// The time of the running command in milliseconds since 1970: the same for every command of one `MULTI`,
/// script or Function.
pub(crate) fn now_ms(ctx: *mut raw::RedisModuleCtx) -> i64 {
    // SAFETY: the function takes nothing and reads a number.
    if let Some(micros) = unsafe { raw::RedisModule_CachedMicroseconds.map(|cached| cached()) } {
        return micros / 1000;
    }
    // Redis 7.0 has no cached clock. Its `Milliseconds` moves inside `MULTI` and scripts; what `INFO` shows
    // stands still there, but costs too much to ask each time.
    is_nested(ctx).then(|| info_ms(ctx)).flatten().unwrap_or_else(clock_ms)
}

/// Milliseconds since 1970, as keys expire now. The server's cycle expires keys by the clock, a command by
/// the time it began: this is the later of the two, so that a key that expires never counts as deleted.
/// Inside `MULTI`, scripts and Functions time stands still.
pub fn expiry_ms() -> i64 {
    let ctx = detached();
    if is_nested(ctx) { now_ms(ctx) } else { clock_ms() }
}

fn is_nested(ctx: *mut raw::RedisModuleCtx) -> bool {
    // SAFETY: `ctx` is a context of the module. These flags describe the server, whatever the context.
    unsafe { api!(RedisModule_GetContextFlags(ctx)) & NESTED != 0 }
}

/// The clock in milliseconds since 1970, where no command is running.
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
