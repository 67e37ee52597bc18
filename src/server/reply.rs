//! Replies, in the client's own protocol.

use std::ffi::CString;
use std::fmt;

use super::Call;
use super::api::{api, c_long};

impl Call<'_> {
    /// `OK`.
    pub fn reply_ok(&self) {
        // SAFETY: the context is of this call, and the text ends in NUL.
        unsafe { api!(RedisModule_ReplyWithSimpleString(self.ctx, c"OK".as_ptr())) };
    }

    /// Nil.
    pub fn reply_nil(&self) {
        // SAFETY: the context is of this call.
        unsafe { api!(RedisModule_ReplyWithNull(self.ctx)) };
    }

    /// A whole number.
    pub fn reply_integer(&self, number: i64) {
        // SAFETY: the context is of this call.
        unsafe { api!(RedisModule_ReplyWithLongLong(self.ctx, number)) };
    }

    /// A string of bytes.
    pub fn reply_bytes(&self, bytes: &[u8]) {
        // SAFETY: the context is of this call, and the server copies the bytes before it returns.
        unsafe { api!(RedisModule_ReplyWithStringBuffer(self.ctx, bytes.as_ptr().cast(), bytes.len())) };
    }

    /// The head of an array; its elements must follow.
    pub fn reply_array(&self, elements: usize) {
        // SAFETY: the context is of this call.
        unsafe { api!(RedisModule_ReplyWithArray(self.ctx, c_long(elements))) };
    }

    /// The head of a map, in RESP2 of a flat array; twice as many elements must follow: name, value, and so on.
    pub fn reply_map(&self, members: usize) {
        // SAFETY: the context is of this call.
        unsafe { api!(RedisModule_ReplyWithMap(self.ctx, c_long(members))) };
    }

    /// An error line, which must begin with its code.
    pub(super) fn reply_error(&self, error: &impl fmt::Display) {
        // Input is shown escaped, so there is no NUL to cut the line short.
        let line = CString::new(error.to_string()).unwrap_or_default();
        // SAFETY: the context is of this call, and the line ends in NUL.
        unsafe { api!(RedisModule_ReplyWithError(self.ctx, line.as_ptr())) };
    }
}
