//! Replies, in the client's own protocol.

use std::ffi::CString;
use std::fmt;
use std::marker::PhantomData;
use std::ptr::NonNull;

use redis_module::raw;

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

    /// The hash at the key at `index` of the arguments, if there is one.
    ///
    /// # Panics
    /// If a key is open, whose value the server might change meanwhile.
    pub fn hash(&self, index: usize) -> Option<HashReply<'_>> {
        assert!(!self.key_is_open.get(), "no key is open while another command runs");
        let key = self.string(index)?;
        // SAFETY: the context and the key belong to this call; `0` asks for the client's protocol, and `s`
        // stands for the key.
        let answer = unsafe { api!(RedisModule_Call(self.ctx, c"HGETALL".as_ptr(), c"0s".as_ptr(), key)) };
        let hash = HashReply { answer: NonNull::new(answer)?, call: PhantomData };
        // SAFETY: the answer is not freed yet.
        let fields = unsafe { api!(RedisModule_CallReplyLength(hash.answer.as_ptr())) };
        // One whose fields have all expired is there until the server removes it.
        (fields > 0).then_some(hash)
    }

    /// A hash.
    pub fn reply_hash(&self, hash: &HashReply<'_>) {
        // SAFETY: the context belongs to this call, and the answer is not freed yet.
        unsafe { api!(RedisModule_ReplyWithCallReply(self.ctx, hash.answer.as_ptr())) };
    }

    /// An error line, which must begin with its code.
    pub(crate) fn reply_error(&self, error: &impl fmt::Display) {
        // Input is shown escaped, so there is no NUL to cut the line short.
        let line = CString::new(error.to_string()).unwrap_or_default();
        // SAFETY: the context belongs to this call, and the line ends in NUL.
        unsafe { api!(RedisModule_ReplyWithError(self.ctx, line.as_ptr())) };
    }
}

/// A native hash as `HGETALL` answers it to the client of a call.
#[derive(Debug)]
pub struct HashReply<'c> {
    answer: NonNull<raw::RedisModuleCallReply>,
    call: PhantomData<&'c ()>,
}

impl HashReply<'_> {
    /// How many bytes are sent for it.
    #[expect(clippy::len_without_is_empty, reason = "an answer is never empty")]
    pub fn len(&self) -> usize {
        let mut length = 0;
        // SAFETY: the answer is not freed yet.
        unsafe { api!(RedisModule_CallReplyProto(self.answer.as_ptr(), &raw mut length)) };
        length
    }
}

impl Drop for HashReply<'_> {
    fn drop(&mut self) {
        // SAFETY: the answer is this value's alone, and the call it was made by has not ended.
        unsafe { api!(RedisModule_FreeCallReply(self.answer.as_ptr())) };
    }
}
