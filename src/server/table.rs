//! The table as a data type of the server: saving, loading, rewriting, copying, freeing; and the way to the table of a key.

use std::borrow::Cow;
use std::ffi::{CStr, CString, c_int, c_void};
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

use redis_module::raw;

use super::api::api;
use super::call::{bytes, guard};
use super::clock::clock_ms;
use super::defrag::defrag;
use super::events;
use super::key::{Key, TYPE_EMPTY, TYPE_MODULE, WrongType};
use super::log;
use crate::vehprice::codec::{Decoder, encode};
use crate::vehprice::{Seed, Table, TableKey, groups};

/// The data type's name, which is in every saved table and every answer of `TYPE`.
const NAME: &CStr = c"vehprice1";

/// The version of the form in which tables are saved.
const ENCODING: c_int = 1;

/// The data type, once it is registered.
static TYPE: AtomicPtr<raw::RedisModuleType> = AtomicPtr::new(ptr::null_mut());

/// Registers the data type.
pub(super) fn register(ctx: *mut raw::RedisModuleCtx) -> Result<(), String> {
    let mut methods = raw::RedisModuleTypeMethods {
        version: u64::from(raw::REDISMODULE_TYPE_METHOD_VERSION),
        rdb_load: Some(load),
        rdb_save: Some(save),
        aof_rewrite: Some(rewrite),
        mem_usage: Some(memory),
        digest: Some(digest),
        free: Some(free),
        aux_load: None,
        aux_save: None,
        aux_save_triggers: 0,
        free_effort: Some(free_effort),
        unlink: None,
        copy: Some(copy),
        defrag: Some(defrag),
        mem_usage2: None,
        free_effort2: None,
        unlink2: Some(unlink),
        copy2: None,
        aux_save2: None,
    };
    // SAFETY: called while the module loads, with its context; the server copies the methods.
    let registered =
        unsafe { api!(RedisModule_CreateDataType(ctx, NAME.as_ptr(), ENCODING, &raw mut methods)) };
    TYPE.store(registered, Relaxed);
    if registered.is_null() { Err("the server refused the data type".to_owned()) } else { Ok(()) }
}

/// Random numbers that no client can know.
pub fn seed() -> Seed {
    let mut bytes = [0_u8; size_of::<Seed>()];
    // SAFETY: the server fills the bytes that are there.
    unsafe { api!(RedisModule_GetRandomBytes(bytes.as_mut_ptr(), bytes.len())) };
    let mut seed = [0; 4];
    for (number, bytes) in seed.iter_mut().zip(bytes.chunks_exact(8)) {
        *number = bytes.try_into().map_or(0, u64::from_le_bytes);
    }
    seed
}

impl Key<'_, '_> {
    /// The table the key holds, if it holds one.
    pub fn table(&mut self) -> Result<Option<&mut Table>, WrongType> {
        let Some(table) = self.raw_table()? else {
            return Ok(None);
        };
        // SAFETY: the value of a key of our type is a table that `create_table` or `load` or `copy` made. The server runs
        // one command at a time, so while the handle is open only it leads to the table, and `&mut self` is borrowed
        // as long as the table is.
        Ok(Some(unsafe { &mut *table.as_ptr() }))
    }

    fn raw_table(&self) -> Result<Option<NonNull<Table>>, WrongType> {
        let Some(key) = self.handle() else {
            return Ok(None);
        };
        // SAFETY: the handle is open.
        let (found, value) = unsafe {
            let key = key.as_ptr();
            (api!(RedisModule_ModuleTypeGetType(key)), api!(RedisModule_ModuleTypeGetValue(key)))
        };
        match self.kind() {
            TYPE_EMPTY => Ok(None),
            TYPE_MODULE if found == TYPE.load(Relaxed) => Ok(NonNull::new(value.cast())),
            _ => Err(WrongType),
        }
    }

    /// Gives a key that was opened to write and holds nothing an empty table.
    pub fn create_table(&mut self) -> Option<&mut Table> {
        let key = self.handle()?;
        let table = Box::into_raw(Box::new(Table::new(seed())));
        // SAFETY: the handle is open for writing; from here on the server owns the table, and frees it by `free`. It is
        // borrowed as in `table`.
        unsafe {
            let status = api!(RedisModule_ModuleTypeSetValue(key.as_ptr(), TYPE.load(Relaxed), table.cast()));
            if status != 0 {
                drop(Box::from_raw(table));
                return None;
            }
            Some(&mut *table)
        }
    }
}

/// The table that a value of our type is.
///
/// # Safety
/// `value` must be what the server holds as the value of a key of our type.
unsafe fn table<'t>(value: *const c_void) -> &'t Table {
    // SAFETY: such a value is a table, see `create_table`, and the callbacks that ask for it so change it nowhere.
    unsafe { &*value.cast::<Table>() }
}

fn warn_io(io: *mut raw::RedisModuleIO, message: &str) {
    let message = CString::new(message).unwrap_or_default();
    // SAFETY: level, format and its one argument end in NUL; the message is never the format.
    unsafe { api!(RedisModule_LogIOError(io, c"warning".as_ptr(), c"%s".as_ptr(), message.as_ptr())) };
}

fn warn_panic(io: *mut raw::RedisModuleIO, message: &str) {
    warn_io(io, &format!("a callback panicked: {}", log::escaped(message.as_bytes())));
}

unsafe extern "C" fn load(io: *mut raw::RedisModuleIO, version: c_int) -> *mut c_void {
    let loaded = guard(|| {
        if version != ENCODING {
            return Err(format!(
                "a price table of version {version} is refused: this quotelock reads version {ENCODING}"
            ));
        }
        let mut decoder = Decoder::new(seed());
        loop {
            let mut length = 0;
            // SAFETY: the server's own io; a chunk is freed once, after its last use.
            let done = unsafe {
                let chunk = api!(RedisModule_LoadStringBuffer(io, &raw mut length));
                if chunk.is_null() || api!(RedisModule_IsIOError(io)) != 0 {
                    return Err("a price table is refused: it ends too soon".to_owned());
                }
                let done = decoder.take(slice::from_raw_parts(chunk.cast(), length));
                api!(RedisModule_Free(chunk.cast()));
                done
            };
            if done.map_err(|error| format!("a price table is refused: {error}"))? {
                let mut table =
                    decoder.finish().map_err(|error| format!("a price table is refused: {error}"))?;
                table.arrive();
                return Ok(Box::into_raw(Box::new(table)).cast());
            }
        }
    });
    match loaded {
        Ok(Ok(table)) => table,
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

unsafe extern "C" fn save(io: *mut raw::RedisModuleIO, value: *mut c_void) {
    let saved = guard(|| {
        // SAFETY: the server passes the value of a key of our type.
        let table = unsafe { table(value) };
        encode(table, clock_ms(), |chunk| {
            // SAFETY: the server's own io; it copies the chunk.
            unsafe { api!(RedisModule_SaveStringBuffer(io, chunk.as_ptr().cast(), chunk.len())) };
        });
    });
    warn_and_end_child(io, saved);
}

/// Where writing a file panicked, ends the process that was forked for it, without an end to that file: the server keeps the one of
/// before.
fn warn_and_end_child(io: *mut raw::RedisModuleIO, written: Result<(), String>) {
    let Err(message) = written else {
        return;
    };
    warn_panic(io, &message);
    // SAFETY: without a context the server answers what goes for the process.
    let flags = unsafe { api!(RedisModule_GetContextFlags(ptr::null_mut())) };
    if flags & raw::REDISMODULE_CTX_FLAGS_IS_CHILD.cast_signed() != 0 {
        std::process::abort();
    }
}

/// The arguments of `VEHPRICE.MSET`, after the key, that make a table without a live row.
const NO_ROW: [&[u8]; 8] = [b"PXAT", b"1", b"FIELDS", b"1", b"-", b"ROWS", b"-", b""];

/// Writes a `VEHPRICE.MSET` to the AOF.
fn emit_rows(io: *mut raw::RedisModuleIO, key: *mut raw::RedisModuleString, arguments: &[Cow<'_, [u8]>]) {
    let string = |text: &Cow<'_, [u8]>| {
        // SAFETY: a string that is no command's needs no context; the server copies the text.
        unsafe { api!(RedisModule_CreateString(ptr::null_mut(), text.as_ptr().cast(), text.len())) }
    };
    let mut strings: Vec<_> = arguments.iter().map(string).collect();
    // SAFETY: the server's own io and key; the strings were just made, and each is freed once, after its last use. The format
    // has a letter for the key and for the list.
    unsafe {
        api!(RedisModule_EmitAOF(
            io,
            c"VEHPRICE.MSET".as_ptr(),
            c"sv".as_ptr(),
            key,
            strings.as_mut_ptr(),
            strings.len()
        ));
        for string in strings {
            api!(RedisModule_FreeString(ptr::null_mut(), string));
        }
    }
}

unsafe extern "C" fn rewrite(
    io: *mut raw::RedisModuleIO,
    key: *mut raw::RedisModuleString,
    value: *mut c_void,
) {
    let written = guard(|| {
        // SAFETY: the server passes the value of a key of our type.
        let table = unsafe { table(value) };
        let mut is_empty = true;
        groups(table.iter(clock_ms()), |group| {
            is_empty = false;
            emit_rows(io, key, &group.arguments());
        });
        if is_empty {
            // The key is there, kept by hand. A row that was over long ago says so.
            emit_rows(io, key, &NO_ROW.map(Cow::Borrowed));
        }
        // The rows have set the key's expiry. If it has another, the server writes that next; if a user took it, it has none.
        // SAFETY: the server's own io and key; the format has a letter for the key.
        unsafe { api!(RedisModule_EmitAOF(io, c"PERSIST".as_ptr(), c"s".as_ptr(), key)) };
    });
    warn_and_end_child(io, written);
}

unsafe extern "C" fn digest(digest: *mut raw::RedisModuleDigest, value: *mut c_void) {
    let _ = guard(|| {
        // SAFETY: the server passes the value of a key of our type.
        let table = unsafe { table(value) };
        let add = |text: &[u8]| {
            // SAFETY: the server's own digest; it reads the bytes before it returns.
            unsafe { api!(RedisModule_DigestAddStringBuffer(digest, text.as_ptr().cast(), text.len())) };
        };
        for row in table.iter(clock_ms()) {
            add(row.id());
            add(row.expiry().unix_ms().unwrap_or(-1).to_string().as_bytes());
            for (name, value) in row.fields() {
                add(name.as_bytes());
                add(value);
            }
            // SAFETY: the server's own digest.
            unsafe { api!(RedisModule_DigestEndSequence(digest)) };
        }
    });
}

unsafe extern "C" fn memory(value: *const c_void) -> usize {
    // SAFETY: the server passes the value of a key of our type.
    guard(|| unsafe { table(value) }.bytes()).unwrap_or(0)
}

const _: () = {
    const fn may_be_freed_on_another_thread<T: Send>() {}
    may_be_freed_on_another_thread::<Table>();
};

unsafe extern "C" fn free(value: *mut c_void) {
    // SAFETY: the server passes a value that `create_table`, `load` or `copy` boxed, or `defrag` moved since, once, and forgets
    // it. It may do so on another thread: a table refers to nothing outside itself.
    let _ = guard(|| drop(unsafe { Box::from_raw(value.cast::<Table>()) }));
}

unsafe extern "C" fn free_effort(_key: *mut raw::RedisModuleString, value: *const c_void) -> usize {
    // SAFETY: the server passes the value of a key of our type.
    guard(|| unsafe { table(value) }.pieces()).unwrap_or(1)
}

unsafe extern "C" fn unlink(ctx: *mut raw::RedisModuleKeyOptCtx, value: *const c_void) {
    let _ = guard(|| {
        // SAFETY: the server passes a key's name and database, which stay until this function returns, and the value of a key
        // of our type. No table is borrowed while the server takes one from its key.
        unsafe {
            let db = api!(RedisModule_GetDbIdFromOptCtx(ctx));
            let name = bytes(api!(RedisModule_GetKeyNameFromOptCtx(ctx)).cast_mut());
            let table = &mut *value.cast::<Table>().cast_mut();
            // It may come to another key.
            table.arrive();
            events::unlinked(TableKey { db, name }, table);
        }
    });
}

unsafe extern "C" fn copy(
    _from: *mut raw::RedisModuleString,
    _to: *mut raw::RedisModuleString,
    value: *const c_void,
) -> *mut c_void {
    let copied = guard(|| {
        // SAFETY: the server passes the value of a key of our type, and owns the copy.
        let mut copy = unsafe { table(value) }.clone();
        copy.arrive();
        Box::into_raw(Box::new(copy))
    });
    copied.map_or(ptr::null_mut(), <*mut Table>::cast)
}
