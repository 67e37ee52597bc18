//! One key: reading, overwriting and deleting the string it holds, its expiry, and who is told of a change. (The table a key
//! holds is in `table`.)

use std::ffi::{CStr, c_int};
use std::ptr::NonNull;
use std::slice;

use redis_module::raw;

use super::Call;
use super::api::api;

/// The key holds another type than a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongType;

/// There is no key to open: the call has no such argument, or another key is open. That is a mistake of the command's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoKey;

/// A key of the database, open while this lives. One that was opened to read can't be written.
pub struct Key<'c, 'a> {
    call: &'c Call<'a>,
    name: *mut raw::RedisModuleString,
    /// None: opened to read, and not there.
    key: Option<NonNull<raw::RedisModuleKey>>,
}

impl<'a> Call<'a> {
    /// Opens the key at `index` of the arguments to read. Only one is open at a time: through a second handle what was read
    /// of the first could be written or freed.
    pub fn read_key(&self, index: usize) -> Result<Key<'_, 'a>, NoKey> {
        self.open(index, raw::REDISMODULE_READ)
    }

    /// Opens the key at `index` of the arguments to read and write, as [`Call::read_key`] does.
    pub fn write_key(&self, index: usize) -> Result<Key<'_, 'a>, NoKey> {
        self.open(index, raw::REDISMODULE_READ | raw::REDISMODULE_WRITE)
    }

    fn open(&self, index: usize, mode: u32) -> Result<Key<'_, 'a>, NoKey> {
        let name = self.string(index).ok_or(NoKey)?;
        if self.key_is_open.replace(true) {
            return Err(NoKey);
        }
        // SAFETY: context and name are of this call; the handle is closed when the `Key` is dropped, within the call.
        let key = unsafe { api!(RedisModule_OpenKey(self.ctx, name, mode.cast_signed())) };
        Ok(Key { call: self, name, key: NonNull::new(key.cast()) })
    }
}

impl Key<'_, '_> {
    pub(super) fn handle(&self) -> Option<NonNull<raw::RedisModuleKey>> {
        self.key
    }

    /// The type of what the key holds, [`TYPE_EMPTY`] if there is no key.
    pub(super) fn kind(&self) -> c_int {
        // SAFETY: the handle is open.
        self.key.map_or(TYPE_EMPTY, |key| unsafe { api!(RedisModule_KeyType(key.as_ptr())) })
    }

    /// Whether the key holds a hash; false if there is no key.
    pub fn is_hash(&self) -> Result<bool, WrongType> {
        match self.kind() {
            TYPE_EMPTY => Ok(false),
            TYPE_HASH => Ok(true),
            _ => Err(WrongType),
        }
    }

    /// The length of the string the key holds; `None` if there is no key.
    pub fn string_length(&self) -> Result<Option<usize>, WrongType> {
        match self.kind() {
            TYPE_EMPTY => Ok(None),
            // SAFETY: the handle is open.
            TYPE_STRING => Ok(self.key.map(|key| unsafe { api!(RedisModule_ValueLength(key.as_ptr())) })),
            _ => Err(WrongType),
        }
    }

    /// The bytes of the string the key holds, not copied; `None` if there is none.
    ///
    /// The server re-encodes a string that it keeps in its compact form to hand it out so: of up to 44 bytes, on Valkey
    /// 9 of some more. What is surely too short to be read is better left alone.
    pub fn string(&self) -> Option<&[u8]> {
        let key = self.key?;
        let mut length = 0;
        // SAFETY: the handle is open. The bytes stay where they are until the key is written or closed, and both need
        // the `Key` that the slice borrows. (No module may write to a key while others are told of a change.)
        unsafe {
            let start = api!(RedisModule_StringDMA(
                key.as_ptr(),
                &raw mut length,
                raw::REDISMODULE_READ.cast_signed()
            ));
            NonNull::new(start).map(|start| slice::from_raw_parts(start.as_ptr().cast_const().cast(), length))
        }
    }

    /// Overwrites the key with a string that expires at `expires_at_ms` since 1970. Replicates that as plain `SET`, and
    /// raises the server's own events for it, and `event`.
    pub fn set_string(&mut self, value: &[u8], expires_at_ms: i64, event: &CStr) {
        let Some(key) = self.key else {
            return;
        };
        let ctx = self.call.ctx;
        let in_place = self.overwrite(value);
        // SAFETY: the handle is open for writing and no slice of the old value lives on (`&mut self`). The string is
        // freed once, after its last use; whoever keeps it, database or replication, counts a reference of its own. The
        // format has a letter for each argument after it.
        unsafe {
            let string = api!(RedisModule_CreateString(ctx, value.as_ptr().cast(), value.len()));
            if !in_place {
                api!(RedisModule_StringSet(key.as_ptr(), string));
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
        self.changed(&[
            (raw::REDISMODULE_NOTIFY_STRING, c"set"),
            (raw::REDISMODULE_NOTIFY_GENERIC, c"expire"),
            (raw::REDISMODULE_NOTIFY_MODULE, event),
        ]);
    }

    /// Writes over a string of the same length, which most locks of one user are: for the server `StringSet` is a
    /// deletion and a new key, with a `new` event. False where the key is absent or of another length.
    fn overwrite(&mut self, value: &[u8]) -> bool {
        let Some(key) = self.key else {
            return false;
        };
        if self.string_length() != Ok(Some(value.len())) {
            return false;
        }
        let mut length = 0;
        // SAFETY: the handle is open for writing and no slice of the value lives on (`&mut self`); the server hands out
        // bytes that are the key's alone, and says how many.
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

    /// Deletes the key. Replicates that as plain `DEL`, and raises the server's own event for it, and `event`.
    pub fn delete(&mut self, event: &CStr) {
        let Some(key) = self.key else {
            return;
        };
        // SAFETY: the handle is open for writing and no slice of the value lives on (`&mut self`). The format has a
        // letter for its one argument.
        unsafe {
            api!(RedisModule_DeleteKey(key.as_ptr()));
            api!(RedisModule_Replicate(self.call.ctx, c"DEL".as_ptr(), c"s".as_ptr(), self.name));
        }
        self.changed(&[(raw::REDISMODULE_NOTIFY_GENERIC, c"del"), (raw::REDISMODULE_NOTIFY_MODULE, event)]);
    }

    /// Sets when the key expires, in milliseconds since 1970, or that it does not.
    pub fn set_expiry(&mut self, at_ms: Option<i64>) {
        let Some(key) = self.key else {
            return;
        };
        // SAFETY: the handle is open for writing.
        unsafe { api!(RedisModule_SetAbsExpire(key.as_ptr(), at_ms.unwrap_or(NO_EXPIRY))) };
    }

    /// Tells `WATCH`, client-side caching and subscribers of the module's events of a change.
    pub fn signal(&self, event: &CStr) {
        self.changed(&[(raw::REDISMODULE_NOTIFY_MODULE, event)]);
    }

    fn changed(&self, events: &[(c_int, &CStr)]) {
        // SAFETY: context and name are of this call, and the events' names end in NUL.
        unsafe {
            api!(RedisModule_SignalModifiedKey(self.call.ctx, self.name));
            for (class, event) in events {
                api!(RedisModule_NotifyKeyspaceEvent(self.call.ctx, *class, event.as_ptr(), self.name));
            }
        }
    }
}

impl Drop for Key<'_, '_> {
    fn drop(&mut self) {
        self.call.key_is_open.set(false);
        if let Some(key) = self.key {
            // SAFETY: the handle was opened by `open` and is closed only here.
            unsafe { api!(RedisModule_CloseKey(key.as_ptr())) };
        }
    }
}

const NO_EXPIRY: i64 = -1;

pub(super) const TYPE_EMPTY: c_int = 0;
const TYPE_STRING: c_int = 1;
const TYPE_HASH: c_int = 3;
pub(super) const TYPE_MODULE: c_int = 6;
