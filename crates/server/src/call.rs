//! One command call: what came in, and what is done about it.

use std::cell::Cell;
use std::ffi::c_int;
use std::fmt;
use std::marker::PhantomData;
use std::slice;

use redis_module::raw;

use crate::api::api;
use crate::guard::guard;
use crate::{Spec, clock, log};

/// A command.
pub trait Command {
    /// How it is registered and documented.
    const SPEC: Spec;
    /// Why it can refuse; answered as one error line.
    type Error: fmt::Display;

    /// Runs the command and replies. An error must come before anything is written or replied.
    fn run(call: &Call<'_>) -> Result<(), Self::Error>;
}

/// A command as it is registered.
pub struct CommandEntry {
    /// How it is registered and documented.
    pub spec: Spec,
    pub(crate) handler:
        unsafe extern "C" fn(*mut raw::RedisModuleCtx, *mut *mut raw::RedisModuleString, c_int) -> c_int,
}

impl CommandEntry {
    /// The entry of command `C`.
    pub const fn of<C: Command>() -> Self {
        Self { spec: C::SPEC, handler: enter::<C> }
    }
}

/// A running command: its arguments, the clock, and the way to keys and replies.
pub struct Call<'a> {
    pub(crate) ctx: *mut raw::RedisModuleCtx,
    argv: &'a [*mut raw::RedisModuleString],
    now_ms: Cell<Option<i64>>,
    flags: Cell<Option<c_int>>,
    /// Whether a key is open: only one may be at a time.
    pub(crate) key_is_open: Cell<bool>,
    /// The context belongs to the thread that holds the server's lock.
    not_send: PhantomData<*mut ()>,
}

impl<'a> Call<'a> {
    pub(crate) fn new(ctx: *mut raw::RedisModuleCtx, argv: &'a [*mut raw::RedisModuleString]) -> Self {
        Self {
            ctx,
            argv,
            now_ms: Cell::new(None),
            flags: Cell::new(None),
            key_is_open: Cell::new(false),
            not_send: PhantomData,
        }
    }

    /// The argument at `index` as the server holds it, the command's name at 0; empty beyond the last.
    pub fn arg(&self, index: usize) -> &'a [u8] {
        // SAFETY: the server keeps the strings of `argv` in place and unchanged until the handler returns,
        // and `'a` ends before that.
        self.argv.get(index).map_or(&[], |&string| unsafe { bytes(string) })
    }

    /// How many arguments there are, the command's name included.
    pub fn argc(&self) -> usize {
        self.argv.len()
    }

    /// The arguments from `first` on.
    pub fn args_from(&self, first: usize) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        // SAFETY: as in `arg`.
        self.strings_from(first).iter().map(|&string| unsafe { bytes(string) })
    }

    /// The server's clock in milliseconds since 1970, read once per call. It stands still inside `MULTI`, Lua
    /// and Functions.
    pub fn now_ms(&self) -> i64 {
        self.now_ms.get().unwrap_or_else(|| {
            let now_ms = clock::now_ms(self.ctx, self.flags());
            self.now_ms.set(Some(now_ms));
            now_ms
        })
    }

    /// What the server says of itself and of the client, asked once per call.
    pub(crate) fn flags(&self) -> c_int {
        self.flags.get().unwrap_or_else(|| {
            let flags = clock::flags(self.ctx);
            self.flags.set(Some(flags));
            flags
        })
    }

    /// The database the client has selected.
    pub fn db(&self) -> i32 {
        // SAFETY: the context belongs to this call.
        unsafe { api!(RedisModule_GetSelectedDb(self.ctx)) }
    }

    /// Whether one of these holds of the client or the server.
    pub(crate) fn has_flag(&self, flags: u32) -> bool {
        self.flags() & flags.cast_signed() != 0
    }

    pub(crate) fn strings_from(&self, first: usize) -> &'a [*mut raw::RedisModuleString] {
        self.argv.get(first..).unwrap_or_default()
    }

    pub(crate) fn string(&self, index: usize) -> Option<*mut raw::RedisModuleString> {
        self.argv.get(index).copied()
    }
}

/// The bytes of a string, not copied.
///
/// # Safety
/// The string must stay in place and unchanged as long as the bytes are used.
pub(crate) unsafe fn bytes<'a>(string: *mut raw::RedisModuleString) -> &'a [u8] {
    let mut length = 0;
    // SAFETY: the caller keeps the string.
    unsafe {
        let start: *const u8 = api!(RedisModule_StringPtrLen(string, &raw mut length)).cast();
        slice::from_raw_parts(start, length)
    }
}

/// What the server calls for command `C`.
///
/// # Safety
/// `ctx` and `argv` must be what the server passes to a command's handler.
unsafe extern "C" fn enter<C: Command>(
    ctx: *mut raw::RedisModuleCtx,
    argv: *mut *mut raw::RedisModuleString,
    argc: c_int,
) -> c_int {
    // SAFETY: as the server promised.
    unsafe { handle(ctx, argv, argc, C::SPEC.name, C::run) }
}

/// Runs `run` for the command `name`, and answers its error, or an internal error if it panics.
///
/// # Safety
/// `ctx` and `argv` must be what the server passes to a command's handler.
pub(crate) unsafe fn handle<E: fmt::Display>(
    ctx: *mut raw::RedisModuleCtx,
    argv: *mut *mut raw::RedisModuleString,
    argc: c_int,
    name: &str,
    run: impl FnOnce(&Call<'_>) -> Result<(), E>,
) -> c_int {
    let argc = usize::try_from(argc).unwrap_or_default();
    // SAFETY: the server passes `argc` strings at `argv`, which it keeps until the handler returns.
    let call = Call::new(ctx, unsafe { slice::from_raw_parts(argv, argc) });
    // An error's text is made under the guard too.
    match guard(|| run(&call).map_err(|error| error.to_string())) {
        Ok(Ok(())) => {}
        Ok(Err(error)) => call.reply_error(&error),
        Err(message) => {
            log::warning(ctx, &format!("{name} panicked: {}", log::escaped(message.as_bytes())));
            call.reply_error(&"ERR internal error, see the server's log");
        }
    }
    REDISMODULE_OK
}

const REDISMODULE_OK: c_int = 0;
