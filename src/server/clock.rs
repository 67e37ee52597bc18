//! The server's clock.

use std::ffi::c_int;

use redis_module::raw;

use super::api::api;

/// Commands that run inside `MULTI`, or inside Lua or a Function.
const NESTED: c_int = (raw::REDISMODULE_CTX_FLAGS_MULTI | raw::REDISMODULE_CTX_FLAGS_LUA).cast_signed();

/// Milliseconds since 1970, as the server counts them for the command that is running: the same for every command of
/// one `MULTI`, script or Function.
pub(super) fn now_ms(ctx: *mut raw::RedisModuleCtx) -> i64 {
    // SAFETY: the function takes nothing and reads a number.
    if let Some(micros) = unsafe { raw::RedisModule_CachedMicroseconds.map(|cached| cached()) } {
        return micros / 1000;
    }
    // Redis 7.0 has no cached clock. Its `Milliseconds` moves on inside `MULTI` and scripts; what its `INFO` shows
    // stands still there, but costs too much to ask each time.
    is_nested(ctx).then(|| info_ms(ctx)).flatten().unwrap_or_else(clock_ms)
}

/// Milliseconds since 1970, as keys expire by them. The server's cycle takes them by the clock and commands by the time they began: it
/// is the later of these, so that no key that goes by itself counts as deleted. Inside `MULTI`, scripts and Functions time stands still.
pub(super) fn expiry_ms(ctx: *mut raw::RedisModuleCtx) -> i64 {
    if is_nested(ctx) { now_ms(ctx) } else { clock_ms() }
}

fn is_nested(ctx: *mut raw::RedisModuleCtx) -> bool {
    // SAFETY: `ctx` is a context of the module. What is asked goes for the server, whatever the context.
    unsafe { api!(RedisModule_GetContextFlags(ctx)) & NESTED != 0 }
}

/// The time of the clock, where there is no command.
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
