//! Loading the module into a server.

use std::ffi::{CString, c_int};
use std::io::{Error, ErrorKind};
use std::slice;

use redis_module::raw;

use crate::api::api;
use crate::call::bytes;
use crate::guard::guard;
use crate::load_error::LoadError;
use crate::module::{self, Module};
use crate::{context, counters, events, log, register, settings};

const LOADED: c_int = 0;
const REFUSED: c_int = 1;

/// The oldest server that knows key specs and documented arguments, as `0xMMmmpp`.
const OLDEST_SERVER: c_int = 0x07_00_00;

/// What `RedisModule_OnLoad` does.
///
/// # Safety
/// `ctx` and `argv` must be what a server passes to `RedisModule_OnLoad`.
pub unsafe fn on_load(
    module: &'static Module,
    ctx: *mut raw::RedisModuleCtx,
    argv: *mut *mut raw::RedisModuleString,
    argc: c_int,
) -> c_int {
    // The module API, and with it the allocator, is there only after `Init`: nothing may be allocated before,
    // nor panic.
    let mut name = [0_u8; 64];
    let Some(start) = name.get_mut(..module.name.len()).filter(|start| start.len() < 64) else {
        return REFUSED;
    };
    start.copy_from_slice(module.name.as_bytes());
    // SAFETY: the server's own context; the name ends in NUL and is copied.
    let status = unsafe {
        raw::Export_RedisModule_Init(ctx, name.as_ptr().cast(), version_number(module.version), API_VERSION)
    };
    if status != LOADED {
        // `Init` refuses a name that is taken, and nothing else; the module API is there by then.
        let _ = guard(|| log::warning(ctx, &LoadError::LoadedAlready { module: module.name }.to_string()));
        return REFUSED;
    }
    let argc = usize::try_from(argc).unwrap_or_default();
    // SAFETY: the server passes `argc` strings at `argv` and keeps them until this function returns.
    let argv = unsafe { if argc == 0 { &[] } else { slice::from_raw_parts(argv, argc) } };
    let loaded = guard(|| load(ctx, module::set_loaded(module), argv).map_err(|error| error.to_string()));
    match loaded.and_then(|loaded| loaded) {
        Ok(()) => LOADED,
        Err(reason) => {
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
) -> Result<(), LoadError> {
    check_server(module)?;
    check_needed_commands(ctx, module)?;
    let is_valkey = is_valkey(ctx);
    set_options(ctx, is_valkey);
    // SAFETY: the server keeps the strings of `argv` unchanged while the module loads.
    let arguments: Vec<&[u8]> = argv.iter().map(|&string| unsafe { bytes(string) }).collect();
    // Before the types, which no server frees if the module refuses its arguments.
    settings::register(ctx, module.settings, &arguments)?;
    let category = add_category(ctx, module.category);
    for data_type in module.data_types {
        (data_type.register)(ctx)?;
    }
    for command in module.commands {
        register::register(ctx, command, category)?;
    }
    context::register(ctx);
    // The last that can fail: otherwise a server that refuses the module would still send it events.
    events::register(ctx, is_valkey)?;
    counters::register(ctx);
    Ok(())
}

/// Tells the server what the module handles itself.
fn set_options(ctx: *mut raw::RedisModuleCtx, is_valkey: bool) {
    /// Commands signal what they changed: a key opened to write need not have changed.
    const OWN_SIGNALS: u32 = raw::REDISMODULE_OPTION_NO_IMPLICIT_SIGNAL_MODIFIED;
    /// What the module keeps outside the database ends when another database takes its place, so that one may
    /// load beside it.
    const ASYNC_LOAD: u32 = raw::REDISMODULE_OPTIONS_HANDLE_REPL_ASYNC_LOAD;
    /// Likewise for the keys of a slot, so that one may move whole. Valkey's own option, from 9.0; Redis asks no module.
    const ATOMIC_SLOT_MIGRATION: u32 = 1 << 5;
    /// Damaged dumps are refused by the data type; without this the server would exit.
    const IO_ERRORS: u32 = raw::REDISMODULE_OPTIONS_HANDLE_IO_ERRORS;

    let valkey = if is_valkey { ATOMIC_SLOT_MIGRATION } else { 0 };
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
fn check_server(module: &Module) -> Result<(), LoadError> {
    // SAFETY: reads a pointer that was just set, to a function that takes nothing.
    let version = unsafe { raw::RedisModule_GetServerVersion.map_or(0, |version| version()) };
    if version >= OLDEST_SERVER {
        return Ok(());
    }
    let (major, minor, patch) = (version >> 16 & 0xff, version >> 8 & 0xff, version & 0xff);
    Err(LoadError::OldServer { module: module.name, version: format!("{major}.{minor}.{patch}") })
}

/// Refuses a server that has renamed (`rename-command`) a command the module replicates or calls: a write
/// would be acknowledged and never reach the replicas or the AOF.
fn check_needed_commands(ctx: *mut raw::RedisModuleCtx, module: &Module) -> Result<(), LoadError> {
    for command in module.needed_commands {
        // SAFETY: called while the module loads, with its context; both strings end in NUL, and the empty
        // format stands for no arguments. These commands require some, so nothing is run and there is no reply
        // to free.
        let reply = unsafe { api!(RedisModule_Call(ctx, command.as_ptr(), c"".as_ptr())) };
        if reply.is_null() && Error::last_os_error().kind() == ErrorKind::NotFound {
            let command = command.to_string_lossy().into_owned();
            return Err(LoadError::RenamedCommand { module: module.name, command });
        }
    }
    Ok(())
}

/// Adds the module's ACL category, where the server has such a thing (Redis 7.4, Valkey 8). One that exists
/// serves as well.
fn add_category(ctx: *mut raw::RedisModuleCtx, category: &'static str) -> Option<&'static str> {
    // SAFETY: reads a pointer that was set while the module was loaded.
    let add = unsafe { raw::RedisModule_AddACLCategory }?;
    let name = CString::new(category).ok()?;
    // SAFETY: called while the module loads, with its context; the name ends in NUL.
    unsafe { add(ctx, name.as_ptr()) };
    Some(category)
}

/// `1.2.3` as the number 10203, as servers show a module's version.
fn version_number(version: &str) -> c_int {
    version.split('.').fold(0, |number, part| number * 100 + part.parse::<c_int>().unwrap_or_default())
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
