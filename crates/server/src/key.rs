//! One key: opening it; the string or the value of a data type it holds; its expiry; telling of a change.
//!
//! Another module may delete, rename or overwrite the key when it is told of a change, so only a closed key
//! is told of: [`Key::set_string`], [`Key::delete`] and [`TypedKey::notify`] consume it.

use std::cell::Cell;
use std::ffi::{CStr, c_int, c_longlong};
use std::ptr::NonNull;
use std::slice;

use redis_module::raw;

use crate::api::api;
use crate::{Call, DataType};

/// Why a key can't be opened, or not as what it should hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The key holds another type.
    #[error("WRONGTYPE Operation against a key holding the wrong kind of value")]
    WrongType,
    /// The call has no such argument, or another key is open: a mistake of the command's.
    #[error("ERR internal error, no key was opened")]
    NoKey,
}

/// The name of a key, and its database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyName<'k> {
    /// The database.
    pub db: i32,
    /// The name.
    pub name: &'k [u8],
}

/// A key of the database, open while this lives. One that was opened to read can't be written.
pub struct Key<'c> {
    ctx: *mut raw::RedisModuleCtx,
    name: *mut raw::RedisModuleString,
    is_open: &'c Cell<bool>,
    mode: Mode,
    /// `None`: opened to read, and not there.
    key: Option<NonNull<raw::RedisModuleKey>>,
}

impl Call<'_> {
    /// Opens the key at `index` of the arguments to read. Only one key is open at a time: through a second
    /// handle what was read through the first could be written or freed.
    pub fn open_read(&self, index: usize) -> Result<Key<'_>, OpenError> {
        self.open(index, Mode::Read)
    }

    /// Opens the key at `index` of the arguments to read and write, as [`Call::open_read`] does.
    pub fn open_write(&self, index: usize) -> Result<Key<'_>, OpenError> {
        self.open(index, Mode::Write)
    }

    fn open(&self, index: usize, mode: Mode) -> Result<Key<'_>, OpenError> {
        let name = self.string(index).ok_or(OpenError::NoKey)?;
        // SAFETY: context and name belong to this call, which the key borrows.
        unsafe { Key::open(self.ctx, name, &self.key_is_open, mode) }
    }
}

/// What a key is opened for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Read,
    Write,
}

impl<'c> Key<'c> {
    /// # Safety
    /// Context and name must live as long as `'c`, and `is_open` must be that of all keys opened with this
    /// context.
    pub(crate) unsafe fn open(
        ctx: *mut raw::RedisModuleCtx,
        name: *mut raw::RedisModuleString,
        is_open: &'c Cell<bool>,
        mode: Mode,
    ) -> Result<Self, OpenError> {
        let flags = match mode {
            Mode::Read => raw::REDISMODULE_READ,
            Mode::Write => raw::REDISMODULE_READ | raw::REDISMODULE_WRITE,
        };
        if is_open.replace(true) {
            return Err(OpenError::NoKey);
        }
        // SAFETY: the caller keeps context and name; the handle is closed when the `Key` is dropped.
        let key = unsafe { api!(RedisModule_OpenKey(ctx, name, flags.cast_signed())) };
        Ok(Self { ctx, name, is_open, mode, key: NonNull::new(key.cast()) })
    }

    /// The handle, to write by it.
    ///
    /// # Panics
    /// If the key was opened to read: the server would refuse the write, which must not be replicated.
    #[expect(clippy::expect_used, reason = "a write that is acknowledged must not be lost")]
    fn writable(&self) -> NonNull<raw::RedisModuleKey> {
        self.key.filter(|_| self.mode == Mode::Write).expect("a key that is written was opened to write")
    }

    /// The value of the data type `T` that the key holds, if any.
    pub fn typed<T: DataType>(self) -> Result<TypedKey<'c, T>, OpenError> {
        let value = match (self.kind(), self.key) {
            (TYPE_EMPTY, _) | (_, None) => None,
            (TYPE_MODULE, Some(key)) => {
                // SAFETY: the handle is open.
                let (found, value) = unsafe {
                    let key = key.as_ptr();
                    (api!(RedisModule_ModuleTypeGetType(key)), api!(RedisModule_ModuleTypeGetValue(key)))
                };
                if found != T::handle().raw() {
                    return Err(OpenError::WrongType);
                }
                NonNull::new(value.cast())
            }
            _ => return Err(OpenError::WrongType),
        };
        Ok(TypedKey { key: self, value })
    }

    /// The type of what the key holds, [`TYPE_EMPTY`] if there is no key.
    fn kind(&self) -> c_int {
        // SAFETY: the handle is open.
        self.key.map_or(TYPE_EMPTY, |key| unsafe { api!(RedisModule_KeyType(key.as_ptr())) })
    }

    /// Whether the key holds a hash; false if there is no key.
    pub fn is_hash(&self) -> Result<bool, OpenError> {
        match self.kind() {
            TYPE_EMPTY => Ok(false),
            TYPE_HASH => Ok(true),
            _ => Err(OpenError::WrongType),
        }
    }

    /// The length of the string the key holds; `None` if there is no key.
    pub fn string_length(&self) -> Result<Option<usize>, OpenError> {
        match self.kind() {
            TYPE_EMPTY => Ok(None),
            // SAFETY: the handle is open.
            TYPE_STRING => Ok(self.key.map(|key| unsafe { api!(RedisModule_ValueLength(key.as_ptr())) })),
            _ => Err(OpenError::WrongType),
        }
    }

    /// The bytes of the string the key holds, not copied; `None` if there is none.
    ///
    /// The server keeps short strings (up to 44 bytes, on Valkey 9 some more) in a compact form, and
    /// re-encodes them to hand out their bytes. Don't ask for a string that is surely too short.
    pub fn string(&self) -> Option<&[u8]> {
        let key = self.key?;
        let mut length = 0;
        // SAFETY: the handle is open. The bytes stay where they are until the key is written or closed, and
        // both need the `Key` that the slice borrows.
        unsafe {
            let start = api!(RedisModule_StringDMA(
                key.as_ptr(),
                &raw mut length,
                raw::REDISMODULE_READ.cast_signed()
            ));
            NonNull::new(start).map(|start| slice::from_raw_parts(start.as_ptr().cast_const().cast(), length))
        }
    }

    /// Overwrites the key with a string that expires at `expires_at_ms` since 1970, and closes it. Replicates
    /// that as plain `SET`, and raises the server's own events for it and `event`.
    pub fn set_string(mut self, value: &[u8], expires_at_ms: i64, event: &CStr) {
        let key = self.writable();
        let ctx = self.ctx;
        let in_place = self.overwrite(value);
        let mut frequency = NO_FREQUENCY;
        // SAFETY: the handle is open for writing and no slice of the old value lives on (`self`). The string
        // is freed once, after its last use; whoever keeps it, database or replication, counts a reference of
        // its own. The format has a letter for each argument after it.
        unsafe {
            let string = api!(RedisModule_CreateString(ctx, value.as_ptr().cast(), value.len()));
            if !in_place {
                // How often the key is used, which `SET` keeps. Without an LFU policy it is not known.
                api!(RedisModule_GetLFU(key.as_ptr(), &raw mut frequency));
                api!(RedisModule_StringSet(key.as_ptr(), string));
                if frequency != NO_FREQUENCY {
                    api!(RedisModule_SetLFU(key.as_ptr(), frequency));
                }
            }
            api!(RedisModule_SetAbsExpire(key.as_ptr(), expires_at_ms));
            api!(RedisModule_Replicate(
                ctx,
                c"SET".as_ptr(),
                c"sscl".as_ptr(),
                self.name,
                string,
                c"PXAT".as_ptr(),
                expires_at_ms
            ));
            api!(RedisModule_FreeString(ctx, string));
        }
        self.close_and_notify([
            (raw::REDISMODULE_NOTIFY_STRING, c"set"),
            (raw::REDISMODULE_NOTIFY_GENERIC, c"expire"),
            (raw::REDISMODULE_NOTIFY_MODULE, event),
        ]);
    }

    /// Overwrites a string of the same length in place: to the server `StringSet` is a deletion and a new
    /// key, with a `new` event. Returns false if the key is absent or of another length.
    fn overwrite(&mut self, value: &[u8]) -> bool {
        let Some(key) = self.key else {
            return false;
        };
        if self.string_length() != Ok(Some(value.len())) {
            return false;
        }
        let mut length = 0;
        // SAFETY: the handle is open for writing and no slice of the value lives on (`&mut self`); the server
        // hands out bytes that are the key's alone, and says how many.
        unsafe {
            let mode = raw::REDISMODULE_READ | raw::REDISMODULE_WRITE;
            let start = api!(RedisModule_StringDMA(key.as_ptr(), &raw mut length, mode.cast_signed()));
            let same_length = !start.is_null() && length == value.len();
            if same_length {
                start.copy_from_nonoverlapping(value.as_ptr().cast(), length);
            }
            same_length
        }
    }

    /// Deletes the key, and closes it. Replicates that as plain `DEL`, and raises the server's own event for
    /// it and `event`.
    pub fn delete(self, event: &CStr) {
        let key = self.writable();
        // SAFETY: the handle is open for writing and no slice of the value lives on (`self`). The format has
        // a letter for its one argument.
        unsafe {
            api!(RedisModule_DeleteKey(key.as_ptr()));
            api!(RedisModule_Replicate(self.ctx, c"DEL".as_ptr(), c"s".as_ptr(), self.name));
        }
        self.close_and_notify([
            (raw::REDISMODULE_NOTIFY_GENERIC, c"del"),
            (raw::REDISMODULE_NOTIFY_MODULE, event),
        ]);
    }

    /// Sets when the key expires, in milliseconds since 1970, or that it does not.
    pub fn set_expiry(&mut self, at_ms: Option<i64>) {
        let key = self.writable();
        // SAFETY: the handle is open for writing.
        unsafe { api!(RedisModule_SetAbsExpire(key.as_ptr(), at_ms.unwrap_or(NO_EXPIRY))) };
    }

    /// Closes the key, then tells `WATCH`, client-side caching and subscribers that it has changed.
    fn close_and_notify<'e>(self, events: impl IntoIterator<Item = (c_int, &'e CStr)>) {
        let (ctx, name) = (self.ctx, self.name);
        drop(self);
        // SAFETY: context and name outlive the key, and the events' names end in NUL.
        unsafe {
            api!(RedisModule_SignalModifiedKey(ctx, name));
            for (class, event) in events {
                api!(RedisModule_NotifyKeyspaceEvent(ctx, class, event.as_ptr(), name));
            }
        }
    }
}

impl Drop for Key<'_> {
    fn drop(&mut self) {
        self.is_open.set(false);
        if let Some(key) = self.key {
            // SAFETY: the handle was opened by `open` and is closed only here.
            unsafe { api!(RedisModule_CloseKey(key.as_ptr())) };
        }
    }
}

/// An open key that holds a value of the data type `T`, or nothing. The server is asked for the value once.
pub struct TypedKey<'c, T> {
    key: Key<'c>,
    /// The value, which is the server's. The server runs one command at a time, so while the handle is open
    /// only this leads to it.
    value: Option<NonNull<T>>,
}

impl<T: DataType> TypedKey<'_, T> {
    /// The value.
    pub fn value(&self) -> Option<&T> {
        // SAFETY: a value of the type was boxed by `insert` or by a callback of the type, and stays until the
        // key is deleted, which takes `&mut self`.
        self.value.map(|value| unsafe { value.as_ref() })
    }

    /// The value, to be changed.
    pub fn value_mut(&mut self) -> Option<&mut T> {
        // SAFETY: as in `value`; it is borrowed from `&mut self`.
        self.value.map(|mut value| unsafe { value.as_mut() })
    }

    /// The value, to be changed; made by `make` if there is none. The key must have been opened to write.
    ///
    /// # Panics
    /// If the server refuses the value.
    pub fn get_or_insert_with(&mut self, make: impl FnOnce() -> T) -> &mut T {
        let mut value = self.value.unwrap_or_else(|| self.insert(make()));
        self.value = Some(value);
        // SAFETY: as in `value_mut`.
        unsafe { value.as_mut() }
    }

    #[expect(clippy::panic, reason = "a write that is acknowledged must not be lost")]
    fn insert(&self, value: T) -> NonNull<T> {
        let value = NonNull::from(Box::leak(Box::new(value)));
        // SAFETY: the handle is open for writing; the server owns the value from here on, and frees it by the
        // type's callback.
        let status = unsafe {
            let key = self.key.writable().as_ptr();
            api!(RedisModule_ModuleTypeSetValue(key, T::handle().raw(), value.as_ptr().cast()))
        };
        if status != 0 {
            // SAFETY: it was boxed above, and the server did not take it.
            drop(unsafe { Box::from_raw(value.as_ptr()) });
            panic!("the server refused a value for a key that was opened to write");
        }
        value
    }

    /// Deletes the key as [`Key::delete`] does.
    pub fn delete(self, event: &CStr) {
        self.key.delete(event);
    }

    /// Sets when the key expires, in milliseconds since 1970, or that it does not.
    pub fn set_expiry(&mut self, at_ms: Option<i64>) {
        self.key.set_expiry(at_ms);
    }

    /// Closes the key, then tells `WATCH`, client-side caching and subscribers of the module's `events` that
    /// it has changed.
    pub fn notify(self, events: impl IntoIterator<Item = &'static CStr>) {
        self.key.close_and_notify(events.into_iter().map(|event| (raw::REDISMODULE_NOTIFY_MODULE, event)));
    }
}

const NO_EXPIRY: i64 = -1;

/// What the server says of a key that is not there, or without an LFU policy.
const NO_FREQUENCY: c_longlong = -1;

const TYPE_EMPTY: c_int = 0;
const TYPE_STRING: c_int = 1;
const TYPE_HASH: c_int = 3;
const TYPE_MODULE: c_int = 6;
