//! A data type of a module: how the server saves, loads, copies, counts, moves and frees its values.

use std::ffi::{CStr, CString, c_int, c_void};
use std::marker::PhantomData;
use std::ptr;
use std::slice;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

use redis_module::raw;

use crate::api::api;
use crate::call::bytes;
use crate::context::has_flag;
use crate::defrag::{Relocator, defrag};
use crate::guard::guard;
use crate::load_error::LoadError;
use crate::{KeyName, log};

/// The type of a value that a key can hold. The server may free a value on another thread.
pub trait DataType: Send + Sized + 'static {
    /// Nine characters, which `TYPE` answers and every saved value carries.
    const NAME: &'static CStr;

    /// The version of the saved form.
    const ENCODING: c_int;

    /// Why a saved value is refused; logged.
    type LoadError: std::fmt::Display;

    /// Where the type is kept once it is registered.
    fn handle() -> &'static TypeHandle<Self>;

    /// Loads a value that was saved in the form of this version.
    fn load(encoding: c_int, chunks: &mut ChunkReader<'_>) -> Result<Self, Self::LoadError>;

    /// Saves a value.
    fn save(&self, chunks: &mut ChunkWriter<'_>);

    /// Writes commands to the AOF that make the value again.
    fn rewrite(&self, aof: &mut AofWriter<'_>);

    /// Adds the value to the digest of the database.
    fn digest(&self, digest: &mut Digest<'_>);

    /// Copies the value to another key.
    fn copy(&self) -> Self;

    /// The bytes the value takes.
    fn bytes(&self) -> usize;

    /// About how many allocations it takes to free the value.
    fn allocations(&self) -> usize;

    /// Moves the allocations of the value, from this step on, until the relocator says to stop. Returns the
    /// step to go on from, `None` after the last.
    fn defrag(&mut self, from: usize, relocator: &mut Relocator<'_>) -> Option<usize>;

    /// Called when the value leaves its key: deleted, overwritten, renamed, moved, evicted or expired.
    fn unlinked(&mut self, key: KeyName<'_>);
}

/// A registered data type.
#[derive(Debug)]
pub struct TypeHandle<T>(AtomicPtr<raw::RedisModuleType>, PhantomData<fn() -> T>);

impl<T> TypeHandle<T> {
    /// A type that is not registered yet.
    #[expect(clippy::new_without_default, reason = "it is made once, in a static")]
    pub const fn new() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()), PhantomData)
    }

    /// # Panics
    /// If the type was not registered.
    pub(crate) fn raw(&self) -> *mut raw::RedisModuleType {
        let raw = self.0.load(Relaxed);
        assert!(!raw.is_null(), "the data type was not registered");
        raw
    }
}

/// A data type as it is registered.
pub struct TypeEntry {
    pub(crate) register: fn(*mut raw::RedisModuleCtx) -> Result<(), LoadError>,
}

impl TypeEntry {
    /// The entry of the data type `T`.
    pub const fn of<T: DataType>() -> Self {
        Self { register: register::<T> }
    }
}

fn register<T: DataType>(ctx: *mut raw::RedisModuleCtx) -> Result<(), LoadError> {
    let mut methods = raw::RedisModuleTypeMethods {
        version: u64::from(raw::REDISMODULE_TYPE_METHOD_VERSION),
        rdb_load: Some(load::<T>),
        rdb_save: Some(save::<T>),
        aof_rewrite: Some(rewrite::<T>),
        mem_usage: Some(mem_usage::<T>),
        digest: Some(digest::<T>),
        free: Some(free::<T>),
        aux_load: None,
        aux_save: None,
        aux_save_triggers: 0,
        free_effort: Some(free_effort::<T>),
        unlink: None,
        copy: Some(copy::<T>),
        defrag: Some(defrag::<T>),
        mem_usage2: None,
        free_effort2: None,
        unlink2: Some(unlink::<T>),
        copy2: None,
        aux_save2: None,
    };
    // SAFETY: called while the module loads, with its context; the server copies the methods.
    let registered =
        unsafe { api!(RedisModule_CreateDataType(ctx, T::NAME.as_ptr(), T::ENCODING, &raw mut methods)) };
    T::handle().0.store(registered, Relaxed);
    if registered.is_null() { Err(LoadError::DataType) } else { Ok(()) }
}

/// A saved value ends where more should follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it ends too soon")]
pub struct EndsEarly;

/// Reads the chunks of a saved value.
pub struct ChunkReader<'io> {
    io: *mut raw::RedisModuleIO,
    lifetime: PhantomData<&'io ()>,
}

impl ChunkReader<'_> {
    /// Hands the next chunk to `read`.
    pub fn next_chunk<R>(&mut self, read: impl FnOnce(&[u8]) -> R) -> Result<R, EndsEarly> {
        let mut length = 0;
        // SAFETY: the server's own io; what it returns without an error is a buffer of that length, which is
        // ours to free.
        let chunk = unsafe {
            let start = api!(RedisModule_LoadStringBuffer(self.io, &raw mut length));
            if start.is_null() {
                return Err(EndsEarly);
            }
            let chunk = Chunk(start.cast(), length);
            if api!(RedisModule_IsIOError(self.io)) != 0 {
                return Err(EndsEarly);
            }
            chunk
        };
        Ok(read(chunk.bytes()))
    }

    /// Lets the server answer its clients in the midst of a long load: at the start, in a full sync. The server
    /// does so by itself after a number of bytes of the file, which may unpack to many times as many; and lets a module
    /// do so once in `1 / hz` seconds.
    pub fn pause(&mut self) {
        const LOADING: u32 = raw::REDISMODULE_CTX_FLAGS_LOADING | raw::REDISMODULE_CTX_FLAGS_ASYNC_LOADING;
        // A command that restores a value is not interrupted.
        if !has_flag(LOADING) {
            return;
        }
        // SAFETY: the server's own io, whose context it frees once the value is loaded. What runs meanwhile can't
        // reach the value.
        unsafe {
            let ctx = api!(RedisModule_GetContextFromIO(self.io));
            api!(RedisModule_Yield(ctx, raw::REDISMODULE_YIELD_FLAG_NONE.cast_signed(), ptr::null()));
        }
    }
}

/// A buffer of the server's, freed when it is dropped.
struct Chunk(*mut u8, usize);

impl Chunk {
    fn bytes(&self) -> &[u8] {
        // SAFETY: the buffer has this length, and lives as long as the chunk.
        unsafe { slice::from_raw_parts(self.0, self.1) }
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        // SAFETY: the buffer was the caller's to free, and is freed only here.
        unsafe { api!(RedisModule_Free(self.0.cast())) };
    }
}

/// Writes the chunks of a value that is saved.
pub struct ChunkWriter<'io> {
    io: *mut raw::RedisModuleIO,
    lifetime: PhantomData<&'io ()>,
}

impl ChunkWriter<'_> {
    /// Writes a chunk.
    pub fn write(&mut self, chunk: &[u8]) {
        // SAFETY: the server's own io; it copies the chunk.
        unsafe { api!(RedisModule_SaveStringBuffer(self.io, chunk.as_ptr().cast(), chunk.len())) };
    }
}

/// Writes commands to the AOF for one key.
pub struct AofWriter<'io> {
    io: *mut raw::RedisModuleIO,
    key: *mut raw::RedisModuleString,
    lifetime: PhantomData<&'io ()>,
}

impl AofWriter<'_> {
    /// Writes a command with the key and these arguments after it.
    pub fn write<'a>(&mut self, command: &CStr, args: impl IntoIterator<Item = &'a [u8]>) {
        let string = |text: &[u8]| {
            // SAFETY: a string outside a command needs no context; the server copies the text.
            unsafe { api!(RedisModule_CreateString(ptr::null_mut(), text.as_ptr().cast(), text.len())) }
        };
        let mut strings: Vec<_> = args.into_iter().map(string).collect();
        // SAFETY: the server's own io and key; the strings were just made, and each is freed once, after its
        // last use. The format has a letter for the key and one for the list.
        unsafe {
            api!(RedisModule_EmitAOF(
                self.io,
                command.as_ptr(),
                c"sv".as_ptr(),
                self.key,
                strings.as_mut_ptr(),
                strings.len()
            ));
            for string in strings {
                api!(RedisModule_FreeString(ptr::null_mut(), string));
            }
        }
    }
}

/// The digest of a database, by which `DEBUG DIGEST` compares servers.
pub struct Digest<'d> {
    digest: *mut raw::RedisModuleDigest,
    lifetime: PhantomData<&'d ()>,
}

impl Digest<'_> {
    /// Adds bytes to the sequence that is open.
    pub fn add(&mut self, bytes: &[u8]) {
        // SAFETY: the server's own digest; it reads the bytes before it returns.
        unsafe { api!(RedisModule_DigestAddStringBuffer(self.digest, bytes.as_ptr().cast(), bytes.len())) };
    }

    /// Ends the sequence; the order of sequences does not count.
    pub fn end_sequence(&mut self) {
        // SAFETY: the server's own digest.
        unsafe { api!(RedisModule_DigestEndSequence(self.digest)) };
    }
}

/// The value that a callback is given.
///
/// # Safety
/// `value` must be what the server holds as the value of a key of the type `T`.
unsafe fn value<'v, T: DataType>(value: *const c_void) -> &'v T {
    // SAFETY: such a value was boxed by `TypedKey::insert`, `load` or `copy`, and the callbacks that ask for
    // it so don't change it.
    unsafe { &*value.cast::<T>() }
}

fn warn_io(io: *mut raw::RedisModuleIO, message: &str) {
    let message = CString::new(message).unwrap_or_default();
    // SAFETY: level, format and its one argument end in NUL; the message is never the format.
    unsafe { api!(RedisModule_LogIOError(io, c"warning".as_ptr(), c"%s".as_ptr(), message.as_ptr())) };
}

fn warn_panic(io: *mut raw::RedisModuleIO, message: &str) {
    warn_io(io, &format!("a callback panicked: {}", log::escaped(message.as_bytes())));
}

unsafe extern "C" fn load<T: DataType>(io: *mut raw::RedisModuleIO, encoding: c_int) -> *mut c_void {
    let load = || {
        let loaded = T::load(encoding, &mut ChunkReader { io, lifetime: PhantomData });
        loaded.map(|value| Box::into_raw(Box::new(value))).map_err(|reason| reason.to_string())
    };
    match guard(load) {
        Ok(Ok(value)) => value.cast(),
        Ok(Err(reason)) => {
            warn_io(io, &reason);
            ptr::null_mut()
        }
        Err(message) => {
            warn_panic(io, &message);
            ptr::null_mut()
        }
    }
}

unsafe extern "C" fn save<T: DataType>(io: *mut raw::RedisModuleIO, value: *mut c_void) {
    let saved = guard(|| {
        // SAFETY: the server passes the value of a key of this type.
        unsafe { self::value::<T>(value) }.save(&mut ChunkWriter { io, lifetime: PhantomData });
    });
    give_up(io, saved);
}

/// After a panic makes the server give up the file it writes, and keep the old one. It has no function for
/// that, but takes an unknown command for an error of writing, in a save too.
///
/// `DUMP` heeds no error: what it answers lacks an end, and is refused when it is restored.
fn give_up(io: *mut raw::RedisModuleIO, written: Result<(), String>) {
    let Err(message) = written else {
        return;
    };
    warn_panic(io, &message);
    // SAFETY: the server's own io; the name ends in NUL, and the empty format stands for no arguments.
    unsafe { api!(RedisModule_EmitAOF(io, c"(a callback panicked)".as_ptr(), c"".as_ptr())) };
}

unsafe extern "C" fn rewrite<T: DataType>(
    io: *mut raw::RedisModuleIO,
    key: *mut raw::RedisModuleString,
    value: *mut c_void,
) {
    let written = guard(|| {
        // SAFETY: the server passes the value of a key of this type.
        unsafe { self::value::<T>(value) }.rewrite(&mut AofWriter { io, key, lifetime: PhantomData });
    });
    give_up(io, written);
}

unsafe extern "C" fn digest<T: DataType>(digest: *mut raw::RedisModuleDigest, value: *mut c_void) {
    let _ = guard(|| {
        // SAFETY: the server passes the value of a key of this type.
        unsafe { self::value::<T>(value) }.digest(&mut Digest { digest, lifetime: PhantomData });
    });
}

unsafe extern "C" fn mem_usage<T: DataType>(value: *const c_void) -> usize {
    // SAFETY: the server passes the value of a key of this type.
    guard(|| unsafe { self::value::<T>(value) }.bytes()).unwrap_or(0)
}

unsafe extern "C" fn free<T: DataType>(value: *mut c_void) {
    // SAFETY: the server passes a value that was boxed by `TypedKey::insert`, `load` or `copy`, or moved by
    // `defrag` since, once, and forgets it. It may do so on another thread: the type is `Send`.
    let _ = guard(|| drop(unsafe { Box::from_raw(value.cast::<T>()) }));
}

unsafe extern "C" fn free_effort<T: DataType>(
    _key: *mut raw::RedisModuleString,
    value: *const c_void,
) -> usize {
    // SAFETY: the server passes the value of a key of this type.
    guard(|| unsafe { self::value::<T>(value) }.allocations()).unwrap_or(1)
}

unsafe extern "C" fn unlink<T: DataType>(ctx: *mut raw::RedisModuleKeyOptCtx, value: *const c_void) {
    let _ = guard(|| {
        // SAFETY: the server passes a key's name and database, which stay until this function returns, and
        // the value of a key of this type, which nobody borrows while the server takes it from its key.
        let (key, value) = unsafe {
            let db = api!(RedisModule_GetDbIdFromOptCtx(ctx));
            let name = bytes(api!(RedisModule_GetKeyNameFromOptCtx(ctx)).cast_mut());
            (KeyName { db, name }, &mut *value.cast::<T>().cast_mut())
        };
        value.unlinked(key);
    });
}

unsafe extern "C" fn copy<T: DataType>(
    _from: *mut raw::RedisModuleString,
    _to: *mut raw::RedisModuleString,
    value: *const c_void,
) -> *mut c_void {
    // SAFETY: the server passes the value of a key of this type, and owns the copy.
    let copied = guard(|| Box::into_raw(Box::new(unsafe { self::value::<T>(value) }.copy())));
    copied.map_or(ptr::null_mut(), <*mut T>::cast)
}
