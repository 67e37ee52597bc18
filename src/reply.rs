//! Replies of at most `max-reply-bytes`. What has been sent can't be taken back, so a reply of arrays and
//! maps that may be too long is counted first, by the same code that sends it.

use std::cell::Cell;

use quotelock_core::json::{JsonWriter, TooLong};
use quotelock_server::Call;

use crate::counters::{REPLIES_REFUSED, SIZES_REPLY};
use crate::error::Error;
use crate::settings::max_reply_bytes;

/// What takes a reply: the client, or [`ReplyLength`].
pub(crate) trait ReplySink {
    /// Takes nil.
    fn reply_nil(&self);
    /// Takes a whole number.
    fn reply_integer(&self, number: i64);
    /// Takes a string of bytes.
    fn reply_bytes(&self, bytes: &[u8]);
    /// Takes the head of an array.
    fn reply_array(&self, elements: usize);
    /// Takes the head of a map.
    fn reply_map(&self, members: usize);
    /// Whether the reply is too long already, so that more of it is pointless.
    fn is_too_long(&self) -> bool;
}

impl ReplySink for Call<'_> {
    #[inline]
    fn reply_nil(&self) {
        self.reply_nil();
    }

    #[inline]
    fn reply_integer(&self, number: i64) {
        self.reply_integer(number);
    }

    #[inline]
    fn reply_bytes(&self, bytes: &[u8]) {
        self.reply_bytes(bytes);
    }

    #[inline]
    fn reply_array(&self, elements: usize) {
        self.reply_array(elements);
    }

    #[inline]
    fn reply_map(&self, members: usize) {
        self.reply_map(members);
    }

    #[inline]
    fn is_too_long(&self) -> bool {
        false
    }
}

/// Counts the bytes of a reply in RESP2, which in RESP3 are never more.
pub(crate) struct ReplyLength {
    /// How many more there may be; `None` once there are too many.
    left: Cell<Option<usize>>,
}

impl ReplyLength {
    /// No reply yet.
    pub(crate) fn new() -> Self {
        Self::of_at_most(max_reply_bytes())
    }

    fn of_at_most(max: usize) -> Self {
        Self { left: Cell::new(Some(max)) }
    }

    /// Counts bytes.
    #[inline]
    pub(crate) fn add(&self, bytes: usize) {
        self.left.set(self.left.get().and_then(|left| left.checked_sub(bytes)));
    }

    /// Refuses the reply if it is too long.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.is_too_long() { Err(too_long(TooLong)) } else { Ok(()) }
    }
}

impl ReplySink for ReplyLength {
    #[inline]
    fn reply_nil(&self) {
        self.add(b"$-1\r\n".len());
    }

    #[inline]
    fn reply_integer(&self, number: i64) {
        let sign = usize::from(number < 0);
        let digits = usize::try_from(number.unsigned_abs()).map_or(MAX_DIGITS, digits);
        self.add(b":\r\n".len() + sign + digits);
    }

    #[inline]
    fn reply_bytes(&self, bytes: &[u8]) {
        self.add(b"$\r\n\r\n".len() + digits(bytes.len()) + bytes.len());
    }

    #[inline]
    fn reply_array(&self, elements: usize) {
        self.add(b"*\r\n".len() + digits(elements));
    }

    #[inline]
    fn reply_map(&self, members: usize) {
        self.reply_array(members * 2);
    }

    #[inline]
    fn is_too_long(&self) -> bool {
        self.left.get().is_none()
    }
}

const MAX_DIGITS: usize = 20;

/// How many decimal digits a number has.
#[inline]
fn digits(number: usize) -> usize {
    // Most are lengths of short strings.
    if number < 10 { 1 } else { number.ilog10() as usize + 1 }
}

/// What the head of an array or a map, or a whole number, takes at most.
pub(crate) const MAX_HEAD_BYTES: usize = b"*\r\n".len() + MAX_DIGITS;

/// What a string takes at most beside its bytes, where these are at most a row's value.
pub(crate) const MAX_STRING_HEAD_BYTES: usize = b"$1048576\r\n\r\n".len();

/// Refuses a reply that is too long. It has at most `max` bytes; only if that is too many does `count` count
/// it.
pub(crate) fn check_length(max: usize, count: impl FnOnce(&ReplyLength)) -> Result<(), Error> {
    if max <= max_reply_bytes() {
        return Ok(());
    }
    let length = ReplyLength::new();
    count(&length);
    length.check()
}

/// A writer of a reply's JSON, of about `capacity` bytes.
pub(crate) fn json_writer(capacity: usize) -> JsonWriter {
    JsonWriter::with_capacity(capacity, max_reply_bytes())
}

/// Answers JSON as one string, unless it is too long.
pub(crate) fn reply_json(call: &Call<'_>, json: &mut JsonWriter) -> Result<(), Error> {
    let json = json.finish().map_err(too_long)?;
    SIZES_REPLY.count(json.len());
    call.reply_bytes(json);
    Ok(())
}

/// The error of a reply that is too long, which is counted.
#[cold]
pub(crate) fn too_long(TooLong: TooLong) -> Error {
    REPLIES_REFUSED.count();
    Error::ReplyTooLong(max_reply_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes of `reply`.
    fn length(reply: impl Fn(&ReplyLength)) -> usize {
        let length = ReplyLength::of_at_most(1 << 30);
        reply(&length);
        (1 << 30) - length.left.get().unwrap()
    }

    #[test]
    fn counts_what_is_sent() {
        assert_eq!(length(|to| to.reply_nil()), "$-1\r\n".len());
        for number in [0, 9, 10, 99, 100, -1, -10, i64::MAX, i64::MIN] {
            assert_eq!(length(|to| to.reply_integer(number)), format!(":{number}\r\n").len());
        }
        for bytes in [0, 1, 9, 10, 99, 100, 1000, 1 << 20] {
            let sent = format!("${bytes}\r\n").len() + bytes + "\r\n".len();
            assert_eq!(length(|to| to.reply_bytes(&vec![b'x'; bytes])), sent);
        }
        for elements in [0, 1, 9, 10, 100_000] {
            assert_eq!(length(|to| to.reply_array(elements)), format!("*{elements}\r\n").len());
            assert_eq!(length(|to| to.reply_map(elements)), format!("*{}\r\n", elements * 2).len());
        }
    }

    #[test]
    fn what_is_too_long_stays_so() {
        let length = ReplyLength::of_at_most(10);
        length.add(10);
        assert!(!length.is_too_long());
        length.add(1);
        length.add(0);
        assert!(length.is_too_long());
    }
}
