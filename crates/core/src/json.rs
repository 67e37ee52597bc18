//! Writing JSON.

use crate::short::copy;

/// Concatenates JSON from many short pieces.
///
/// They are collected in a buffer within the writer, which spills to the heap when it is full, so a short
/// reply, such as one row, allocates nothing.
#[derive(Debug)]
pub struct JsonWriter {
    buffer: [u8; BUFFER_BYTES],
    /// How much of the buffer is filled.
    len: usize,
    spill: Spill,
}

/// The JSON is longer than one reply may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the JSON is longer than {} bytes", MAX_BYTES)]
pub struct TooLong;

const BUFFER_BYTES: usize = 512;

/// The most that is allocated on the caller's estimate.
const MAX_RESERVED_BYTES: usize = 1 << 20;

/// The longest JSON of one reply: as long as the longest string the server accepts. Stored data sets no limit
/// of its own, because a caller may ask for an id any number of times.
const MAX_BYTES: usize = 512 << 20;

impl Default for JsonWriter {
    fn default() -> Self {
        Self::with_capacity(0)
    }
}

impl JsonWriter {
    /// An empty writer that expects about this many bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        Self::with_limit(bytes, MAX_BYTES)
    }

    fn with_limit(capacity: usize, max: usize) -> Self {
        let spill =
            Spill { bytes: Vec::new(), capacity: capacity.min(MAX_RESERVED_BYTES), max, is_too_long: false };
        Self { buffer: [0; BUFFER_BYTES], len: 0, spill }
    }

    /// Appends a piece of JSON as it is.
    #[inline]
    pub fn write_raw(&mut self, piece: &[u8]) {
        let end = self.len + piece.len();
        match self.buffer.get_mut(self.len..end) {
            Some(free) => {
                copy(free, piece);
                self.len = end;
            }
            None => self.write_spilling(piece),
        }
    }

    /// Reserves room in the buffer for up to this many bytes; `None` if the buffer is smaller.
    #[inline]
    pub(crate) fn reserve(&mut self, bytes: usize) -> Option<Reserved<'_>> {
        if BUFFER_BYTES - self.len < bytes {
            self.flush();
        }
        let free = self.buffer.get_mut(self.len..).filter(|free| free.len() >= bytes)?;
        Some(Reserved { len: &mut self.len, free })
    }

    #[cold]
    fn write_spilling(&mut self, piece: &[u8]) {
        self.flush();
        if piece.len() > BUFFER_BYTES {
            self.spill.write(piece);
        } else {
            self.write_raw(piece);
        }
    }

    fn flush(&mut self) {
        let (filled, _) = self.buffer.split_at(self.len);
        self.spill.write(filled);
        self.len = 0;
    }

    /// Appends text as the inside of a JSON string. Invalid UTF-8 is replaced.
    #[inline]
    pub fn write_escaped(&mut self, text: &[u8]) {
        if needs_escapes(text) { self.write_escaping(text) } else { self.write_raw(text) }
    }

    #[expect(
        clippy::expect_used,
        reason = "serializing a string to memory can't fail, and puts it in quotes"
    )]
    fn write_escaping(&mut self, text: &[u8]) {
        let quoted = serde_json::to_string(&String::from_utf8_lossy(text)).expect("a string serializes");
        let escaped =
            quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).expect("it has quotes");
        self.write_raw(escaped.as_bytes());
    }

    /// Whether the JSON is already too long, so that writing more is pointless.
    #[inline]
    pub fn is_too_long(&self) -> bool {
        self.spill.is_too_long
    }

    /// The JSON in one piece.
    pub fn finish(&mut self) -> Result<&[u8], TooLong> {
        if self.spill.bytes.is_empty() && !self.spill.is_too_long {
            let (filled, _) = self.buffer.split_at(self.len);
            return Ok(filled);
        }
        self.flush();
        if self.spill.is_too_long { Err(TooLong) } else { Ok(&self.spill.bytes) }
    }
}

/// The start of JSON that outgrew the buffer.
#[derive(Debug)]
struct Spill {
    bytes: Vec<u8>,
    /// What to allocate at first.
    capacity: usize,
    /// The most that is kept.
    max: usize,
    /// There was more than that, and it was all dropped.
    is_too_long: bool,
}

impl Spill {
    fn write(&mut self, piece: &[u8]) {
        if self.is_too_long || self.max - self.bytes.len() < piece.len() {
            self.is_too_long = true;
            self.bytes = Vec::new();
            return;
        }
        if self.bytes.is_empty() {
            self.bytes.reserve_exact(self.capacity);
        }
        self.bytes.extend_from_slice(piece);
    }
}

/// Reserved room in a writer's buffer, so that no piece in it has to check for a spill.
pub(crate) struct Reserved<'w> {
    /// The writer's length, brought up to date at the end.
    len: &'w mut usize,
    free: &'w mut [u8],
}

impl Reserved<'_> {
    /// Appends a piece of JSON as it is. It must fit.
    #[inline]
    pub(crate) fn write_raw(&mut self, piece: &[u8]) {
        let (start, rest) = std::mem::take(&mut self.free).split_at_mut(piece.len());
        copy(start, piece);
        self.free = rest;
    }
}

impl Drop for Reserved<'_> {
    #[inline]
    fn drop(&mut self) {
        *self.len = BUFFER_BYTES - self.free.len();
    }
}

/// Whether JSON has to escape any character of a text.
#[inline]
pub(crate) fn needs_escapes(text: &[u8]) -> bool {
    text.iter().any(|&byte| byte < b' ' || byte == b'"' || byte == b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn json_over_the_limit_is_dropped() {
        // (bytes of each piece, how many, whether that is too long)
        let cases = [
            (100, 10, false),
            (100, 11, true),
            (1000, 1, false),
            (1001, 1, true),
            (1, 1000, false),
            (1, 1001, true),
            (600, 100, true),
        ];
        for (bytes, count, is_too_long) in cases {
            let mut json = JsonWriter::with_limit(usize::MAX, 1000);
            (0..count).for_each(|_| json.write_raw(&vec![b'x'; bytes]));
            let len = json.finish().map(<[u8]>::len);
            assert_eq!(len, if is_too_long { Err(TooLong) } else { Ok(bytes * count) });
            assert!(!is_too_long || json.spill.bytes.capacity() == 0);
        }
    }

    proptest! {
        #[test]
        fn concatenates_pieces_in_order(
            pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..700), 0..20),
            short in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..60),
            capacity in 0_usize..4000,
        ) {
            let mut json = JsonWriter::with_capacity(capacity);
            short.iter().chain(&pieces).chain(&short).for_each(|piece| json.write_raw(piece));
            let expected = [short.concat(), pieces.concat(), short.concat()].concat();
            prop_assert_eq!(json.finish(), Ok(expected.as_slice()));
        }

        #[test]
        fn serde_reads_escaped_text_back(text in "\\PC{0,40}|[\\x00-\\x7f]{0,40}") {
            let mut json = JsonWriter::default();
            json.write_raw(b"\"");
            json.write_escaped(text.as_bytes());
            json.write_raw(b"\"");
            let read: String = serde_json::from_slice(json.finish().unwrap()).unwrap();
            prop_assert_eq!(read, text);
        }
    }
}
