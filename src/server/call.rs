//! One command call: what came in, and the guard between Rust and the server.

use std::any::Any;
use std::cell::Cell;
use std::ffi::c_int;
use std::fmt;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::slice;

use redis_module::raw;

use super::api::api;
use super::{Spec, clock, log};

/// A command: its entry in the table, and what it does.
pub trait Command {
    /// What the server and the reader are told of it.
    const SPEC: Spec;
    /// Why it can refuse; shown as one error line.
    type Error: fmt::Display;

    /// Does it, and replies. An error must come before anything was written or replied.
    fn run(call: &Call<'_>) -> Result<(), Self::Error>;
}

/// A command as the server is given it.
pub struct Entry {
    /// What the server and the reader are told of it.
    pub spec: Spec,
    pub(super) handler:
        unsafe extern "C" fn(*mut raw::RedisModuleCtx, *mut *mut raw::RedisModuleString, c_int) -> c_int,
}

impl Entry {
    /// The entry of command `C`.
    pub const fn of<C: Command>() -> Self {
        Self { spec: C::SPEC, handler: enter::<C> }
    }
}

/// A running command: its arguments, the clock, and the way to keys and replies.
pub struct Call<'a> {
    pub(super) ctx: *mut raw::RedisModuleCtx,
    argv: &'a [*mut raw::RedisModuleString],
    now_ms: Cell<Option<i64>>,
    /// Whether a key is open, see `Call::read_key`.
    pub(super) key_is_open: Cell<bool>,
    /// The context is of who holds the server's lock.
    not_send: PhantomData<*mut ()>,
}

impl<'a> Call<'a> {
    pub(super) fn new(ctx: *mut raw::RedisModuleCtx, argv: &'a [*mut raw::RedisModuleString]) -> Self {
        Self { ctx, argv, now_ms: Cell::new(None), key_is_open: Cell::new(false), not_send: PhantomData }
    }

    /// The argument at `index` as the server holds it, the command's name being at 0; empty beyond the last.
    pub fn arg(&self, index: usize) -> &'a [u8] {
        // SAFETY: the server keeps the strings of `argv` in place and unchanged until the handler returns, and `'a` is the
        // life of the `Call`, which ends before that.
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

    /// The server's clock, in milliseconds since 1970, read once per call. It stands still inside `MULTI`, Lua and
    /// Functions.
    pub fn now_ms(&self) -> i64 {
        self.now_ms.get().unwrap_or_else(|| {
            let now_ms = clock::now_ms(self.ctx);
            self.now_ms.set(Some(now_ms));
            now_ms
        })
    }

    /// The database the client has selected.
    pub fn db(&self) -> i32 {
        // SAFETY: the context is of this call.
        unsafe { api!(RedisModule_GetSelectedDb(self.ctx)) }
    }

    pub(super) fn strings_from(&self, first: usize) -> &'a [*mut raw::RedisModuleString] {
        self.argv.get(first..).unwrap_or_default()
    }

    pub(super) fn string(&self, index: usize) -> Option<*mut raw::RedisModuleString> {
        self.argv.get(index).copied()
    }
}

/// The bytes of a string, not copied.
///
/// # Safety
/// The string must stay in place and unchanged as long as the bytes are used.
pub(super) unsafe fn bytes<'a>(string: *mut raw::RedisModuleString) -> &'a [u8] {
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
    // SAFETY: the server passes what `handle` wants.
    unsafe { handle(ctx, argv, argc, C::SPEC.name, C::run) }
}

/// Runs what is to be done for a command named `name`; an error is answered.
///
/// # Safety
/// `ctx` and `argv` must be what the server passes to a command's handler.
pub(super) unsafe fn handle<E: fmt::Display>(
    ctx: *mut raw::RedisModuleCtx,
    argv: *mut *mut raw::RedisModuleString,
    argc: c_int,
    name: &str,
    run: impl FnOnce(&Call<'_>) -> Result<(), E>,
) -> c_int {
    let argc = usize::try_from(argc).unwrap_or_default();
    // SAFETY: the server passes `argc` strings at `argv`, which it keeps until the handler returns.
    let call = Call::new(ctx, unsafe { slice::from_raw_parts(argv, argc) });
    match guard(|| run(&call)) {
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

/// Runs `work`, and turns a panic into its message: a panic that reached the server would end it.
pub(super) fn guard<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| message(payload.as_ref()))
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_message() {
        assert_eq!(guard(|| 7), Ok(7));
        assert_eq!(guard(|| -> () { panic!("broken") }), Err("broken".to_owned()));
        assert_eq!(guard(|| -> () { panic!("broken {}", 7) }), Err("broken 7".to_owned()));
        assert_eq!(guard(|| -> () { std::panic::panic_any(7) }), Err("no message".to_owned()));
    }
}
