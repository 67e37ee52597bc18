//! Replies, in the client's own protocol.

use std::ffi::CString;
use std::fmt;

use crate::Call;
use crate::api::{api, c_long};

impl Call<'_> {
    /// `OK`.
    pub fn reply_ok(&self) {
        // SAFETY: the context belongs to this call, and the text ends in NUL.
        unsafe { api!(RedisModule_ReplyWithSimpleString(self.ctx, c"OK".as_ptr())) };
    }

    /// Nil.
    pub fn reply_nil(&self) {
        // SAFETY: the context belongs to this call.
        unsafe { api!(RedisModule_ReplyWithNull(self.ctx)) };
    }

    /// A whole number.
    pub fn reply_integer(&self, number: i64) {
        // SAFETY: the context belongs to this call.
        unsafe { api!(RedisModule_ReplyWithLongLong(self.ctx, number)) };
    }

    /// A count.
    pub fn reply_count(&self, count: usize) {
        self.reply_integer(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// A string of bytes.
    pub fn reply_bytes(&self, bytes: &[u8]) {
        // SAFETY: the context belongs to this call, and the server copies the bytes before it returns.
        unsafe { api!(RedisModule_ReplyWithStringBuffer(self.ctx, bytes.as_ptr().cast(), bytes.len())) };
    }

    /// The head of an array; its elements must follow.
    pub fn reply_array(&self, elements: usize) {
        // SAFETY: the context belongs to this call.
        unsafe { api!(RedisModule_ReplyWithArray(self.ctx, c_long(elements))) };
    }

    /// The head of a map, in RESP2 of a flat array; that many pairs of name and value must follow.
    pub fn reply_map(&self, members: usize) {
        // SAFETY: the context belongs to this call.
        unsafe { api!(RedisModule_ReplyWithMap(self.ctx, c_long(members))) };
    }

    /// The hash at the key at `index` of the arguments, as `HGETALL` answers this client.
    ///
    /// # Panics
    /// If a key is open, whose value the server might change meanwhile.
    pub fn reply_hash(&self, index: usize) {
        assert!(!self.key_is_open.get(), "no key is open while another command runs");
        let Some(key) = self.string(index) else {
            return self.reply_nil();
        };
        // SAFETY: the context and the key belong to this call; `0` asks for the client's protocol, and `s`
        // stands for the key. The answer is freed once, after its last use.
        unsafe {
            let answer = api!(RedisModule_Call(self.ctx, c"HGETALL".as_ptr(), c"0s".as_ptr(), key));
            if answer.is_null() {
                return self.reply_nil();
            }
            api!(RedisModule_ReplyWithCallReply(self.ctx, answer));
            api!(RedisModule_FreeCallReply(answer));
        }
    }

    /// An error line, which must begin with its code.
    pub(crate) fn reply_error(&self, error: &impl fmt::Display) {
        // Input is shown escaped, so there is no NUL to cut the line short.
        let line = CString::new(error.to_string()).unwrap_or_default();
        // SAFETY: the context belongs to this call, and the line ends in NUL.
        unsafe { api!(RedisModule_ReplyWithError(self.ctx, line.as_ptr())) };
    }
}
