//! Loading the module into a server.

use std::ffi::{CStr, CString, c_int};
use std::io::{Error, ErrorKind};
use std::slice;

use redis_module::raw;

use super::api::api;
use super::call::{bytes, guard};
use super::{Module, events, info, log, register, settings, table};
use crate::MODULE;

const LOADED: c_int = 0;
const REFUSED: c_int = 1;

/// The oldest server that can tell of a command's keys and arguments, as `0xMMmmpp`.
const OLDEST_SERVER: c_int = 0x07_00_00;

/// Called by the server to load the module.
///
/// # Safety
/// `ctx` and `argv` must be what a server passes to `RedisModule_OnLoad`.
#[unsafe(no_mangle)]
#[allow(non_snake_case, reason = "the name the server looks for")]
pub unsafe extern "C" fn RedisModule_OnLoad(
    ctx: *mut raw::RedisModuleCtx,
    argv: *mut *mut raw::RedisModuleString,
    argc: c_int,
) -> c_int {
    // The module API, and with it the allocator, is there only after this call: nothing may be allocated before.
    let mut name = [0_u8; 64];
    for (to, from) in name.iter_mut().zip(MODULE.name.bytes()) {
        *to = from;
    }
    // SAFETY: the server's own context; the name ends in NUL and is copied.
    let status = unsafe {
        raw::Export_RedisModule_Init(ctx, name.as_ptr().cast(), version_number(MODULE.version), API_VERSION)
    };
    if status != LOADED {
        return REFUSED;
    }
    let argc = usize::try_from(argc).unwrap_or_default();
    // SAFETY: the server passes `argc` strings at `argv` and keeps them until this function returns.
    let argv = unsafe { if argc == 0 { &[] } else { slice::from_raw_parts(argv, argc) } };
    match guard(|| load(ctx, &MODULE, argv)) {
        Ok(Ok(())) => LOADED,
        Ok(Err(reason)) | Err(reason) => {
            log::warning(ctx, &reason);
            REFUSED
        }
    }
}

const API_VERSION: c_int = raw::REDISMODULE_APIVER_1.cast_signed();

fn load(
    ctx: *mut raw::RedisModuleCtx,
    module: &'static Module,
    argv: &[*mut raw::RedisModuleString],
) -> Result<(), String> {
    check_server(module)?;
    check_names(ctx, module)?;
    set_options(ctx);
    let category = add_category(ctx, module.category);
    table::register(ctx)?;
    for entry in module.commands {
        register::register(ctx, entry, category)?;
    }
    // SAFETY: the server keeps the strings of `argv` unchanged while the module loads.
    let arguments: Vec<&[u8]> = argv.iter().map(|&string| unsafe { bytes(string) }).collect();
    settings::register(ctx, module.settings, &arguments).map_err(|error| error.to_string())?;
    // The last that can fail: a server that refuses the module after this one subscribed would tell of events to no one.
    events::register(ctx)?;
    info::register(ctx);
    Ok(())
}

/// Tells the server what the module takes care of.
fn set_options(ctx: *mut raw::RedisModuleCtx) {
    /// The handlers say what they changed: a lock that is held is opened to write, and not changed.
    const OWN_SIGNALS: u32 = raw::REDISMODULE_OPTION_NO_IMPLICIT_SIGNAL_MODIFIED;
    /// Claims are all that is kept outside the database, and they end when another one takes its place: so that can be loaded
    /// beside it.
    const ASYNC_LOAD: u32 = raw::REDISMODULE_OPTIONS_HANDLE_REPL_ASYNC_LOAD;
    /// Likewise a slot can move whole. Valkey's own option, from 9.0.
    const ATOMIC_SLOT_MIGRATION: u32 = 1 << 5;

    /// A damaged dump is refused by `table`; without this the server would end itself instead.
    const IO_ERRORS: u32 = raw::REDISMODULE_OPTIONS_HANDLE_IO_ERRORS;

    let valkey = if is_valkey(ctx) { ATOMIC_SLOT_MIGRATION } else { 0 };
    // SAFETY: called while the module loads, with its context.
    unsafe {
        api!(RedisModule_SetModuleOptions(ctx, (OWN_SIGNALS | ASYNC_LOAD | IO_ERRORS | valkey).cast_signed()))
    };
}

fn is_valkey(ctx: *mut raw::RedisModuleCtx) -> bool {
    // SAFETY: both names end in NUL, and the answer is freed once, after its last use.
    unsafe {
        let info = api!(RedisModule_GetServerInfo(ctx, c"server".as_ptr()));
        let version = api!(RedisModule_ServerInfoGetFieldC(info, c"valkey_version".as_ptr()));
        let found = !version.is_null();
        api!(RedisModule_FreeServerInfo(ctx, info));
        found
    }
}

/// Refuses a server that lacks what the commands' registration needs.
fn check_server(module: &Module) -> Result<(), String> {
    // SAFETY: reads a pointer that was just set, to a function that takes nothing.
    let version = unsafe { raw::RedisModule_GetServerVersion.map_or(0, |version| version()) };
    if version >= OLDEST_SERVER {
        return Ok(());
    }
    let (major, minor, patch) = (version >> 16 & 0xff, version >> 8 & 0xff, version & 0xff);
    Err(format!(
        "{} needs Redis 7.0 or newer, or Valkey; this server is Redis {major}.{minor}.{patch}",
        module.name
    ))
}

/// Refuses a server that has renamed a command as which writes are replicated, or that is called (`rename-command`): a lock
/// would be acknowledged and reach neither the replicas nor the AOF, without a word.
fn check_names(ctx: *mut raw::RedisModuleCtx, module: &Module) -> Result<(), String> {
    const NEEDED: [(&str, &CStr); 4] =
        [("SET", c"SET"), ("DEL", c"DEL"), ("PERSIST", c"PERSIST"), ("HGETALL", c"HGETALL")];
    for (name, c_name) in NEEDED {
        // SAFETY: called while the module loads, with its context; both strings end in NUL, and the empty format stands
        // for no arguments. So nothing is run and there is no reply to free: these commands want arguments.
        let reply = unsafe { api!(RedisModule_Call(ctx, c_name.as_ptr(), c"".as_ptr())) };
        if reply.is_null() && Error::last_os_error().kind() == ErrorKind::NotFound {
            return Err(format!(
                "{} needs the command {name}, which it replicates or calls; this server has renamed it",
                module.name
            ));
        }
    }
    Ok(())
}

/// Adds the module's ACL category, where the server has such a thing (Redis 7.4, Valkey 8). One that is there already serves
/// as well.
fn add_category(ctx: *mut raw::RedisModuleCtx, category: &'static str) -> Option<&'static str> {
    // SAFETY: reads a pointer that was set while the module was loaded.
    let add = unsafe { raw::RedisModule_AddACLCategory }?;
    let name = CString::new(category).ok()?;
    // SAFETY: called while the module loads, with its context; the name ends in NUL.
    unsafe { add(ctx, name.as_ptr()) };
    Some(category)
}

/// `1.2.3` as the number 10203, the form in which a server shows a module's version.
fn version_number(version: &str) -> c_int {
    version.split('.').fold(0, |number: c_int, part| {
        number.saturating_mul(100).saturating_add(part.parse().unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_as_numbers() {
        assert_eq!(version_number("0.1.0"), 100);
        assert_eq!(version_number("1.2.3"), 10203);
    }
}
