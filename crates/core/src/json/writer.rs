//! Concatenating JSON.

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

/// The JSON is longer than its writer allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the JSON is too long")]
pub struct TooLong;

const BUFFER_BYTES: usize = 512;

/// The most that is allocated on the caller's estimate, and what is long enough to look ahead.
const LONG_BYTES: usize = 1 << 20;

impl JsonWriter {
    /// An empty writer of at most `max` bytes. (What fits into its buffer is never too long.)
    pub fn with_limit(max: usize) -> Self {
        Self::with_capacity(0, max)
    }

    /// An empty writer that expects about `capacity` bytes, and takes at most `max`.
    pub fn with_capacity(capacity: usize, max: usize) -> Self {
        let spill = Spill { bytes: Vec::new(), capacity: capacity.min(LONG_BYTES), max, is_too_long: false };
        Self { buffer: [0; BUFFER_BYTES], len: 0, spill }
    }

    /// Makes room for pieces of at least these lengths. Fails at the first with which the JSON would be too
    /// long.
    pub fn make_room(&mut self, mut lengths: impl Iterator<Item = usize>) -> Result<(), TooLong> {
        let Spill { bytes, capacity, max, is_too_long } = &mut self.spill;
        let written = bytes.len() + self.len;
        let all = lengths
            .try_fold(written, |sum, length| sum.checked_add(length).filter(|sum| sum <= max))
            .filter(|_| !*is_too_long)
            .ok_or(TooLong)?;
        if bytes.is_empty() {
            *capacity = all.max(*capacity);
        } else {
            bytes.reserve_exact(all - bytes.len());
        }
        Ok(())
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

    /// Appends a string and a comma, and says how many bytes that were. `is_plain`: it needs no escapes.
    #[inline]
    pub fn write_element(&mut self, text: &[u8], is_plain: bool) -> usize {
        let len = text.len() + "\"\",".len();
        if let Some(mut room) = is_plain.then(|| self.reserve(len)).flatten() {
            room.write_raw(b"\"");
            room.write_raw(text);
            room.write_raw(b"\",");
            return len;
        }
        self.write_long_element(text)
    }

    #[inline(never)]
    fn write_long_element(&mut self, text: &[u8]) -> usize {
        let before = self.len();
        self.write_raw(b"\"");
        self.write_escaped(text);
        self.write_raw(b"\",");
        // Nothing is left of what became too long.
        self.len().saturating_sub(before).max(text.len() + "\"\",".len())
    }

    fn len(&self) -> usize {
        self.spill.bytes.len() + self.len
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

    /// Whether there is so much that what is to come is better looked at first, by [`Self::make_room`].
    #[inline]
    pub fn is_long(&self) -> bool {
        self.spill.bytes.len() >= LONG_BYTES
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
            let mut json = JsonWriter::with_capacity(usize::MAX, 1000);
            (0..count).for_each(|_| json.write_raw(&vec![b'x'; bytes]));
            let len = json.finish().map(<[u8]>::len);
            assert_eq!(len, if is_too_long { Err(TooLong) } else { Ok(bytes * count) });
            assert!(!is_too_long || json.spill.bytes.capacity() == 0);
        }
    }

    #[test]
    fn what_would_be_too_long_is_known_before_it_is_written() {
        let piece = [b'x'; 100];
        for written in [0, 1, 6, 9] {
            let mut json = JsonWriter::with_limit(1000);
            (0..written).for_each(|_| json.write_raw(&piece));
            let free = 1000 - written * 100;
            assert_eq!(json.make_room([free, 0].into_iter()), Ok(()));
            assert_eq!(json.make_room([free, 1].into_iter()), Err(TooLong));
            assert_eq!(json.make_room([usize::MAX, usize::MAX].into_iter()), Err(TooLong));
            // Nothing after the first that is too long is looked at.
            let mut looked_at = 0;
            let lengths = std::iter::repeat_with(|| {
                looked_at += 1;
                100
            });
            assert_eq!(json.make_room(lengths), Err(TooLong));
            assert_eq!(looked_at, 11 - written);
            // What was refused room can still be shorter.
            assert_eq!(json.finish().map(<[u8]>::len), Ok(written * 100));
        }
    }

    #[test]
    fn room_is_allocated_once() {
        for before in [0, 7, 70] {
            let mut json = JsonWriter::with_limit(usize::MAX);
            (0..before).for_each(|_| json.write_raw(&[b'x'; 100]));
            json.make_room(std::iter::repeat_n(100, 1000)).unwrap();
            (0..1000).for_each(|_| json.write_raw(&[b'x'; 100]));
            assert_eq!(json.finish().map(<[u8]>::len), Ok((before + 1000) * 100));
            assert_eq!(json.spill.bytes.capacity(), (before + 1000) * 100);
        }
    }

    proptest! {
        #[test]
        fn concatenates_pieces_in_order(
            pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..700), 0..20),
            short in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..60),
            capacity in 0_usize..4000,
        ) {
            let mut json = JsonWriter::with_capacity(capacity, usize::MAX);
            short.iter().chain(&pieces).chain(&short).for_each(|piece| json.write_raw(piece));
            let expected = [short.concat(), pieces.concat(), short.concat()].concat();
            prop_assert_eq!(json.finish(), Ok(expected.as_slice()));
        }

        #[test]
        fn serde_reads_escaped_text_back(text in "\\PC{0,40}|[\\x00-\\x7f]{0,40}") {
            let mut json = JsonWriter::with_limit(usize::MAX);
            json.write_raw(b"\"");
            json.write_escaped(text.as_bytes());
            json.write_raw(b"\"");
            let read: String = serde_json::from_slice(json.finish().unwrap()).unwrap();
            prop_assert_eq!(read, text);
        }
    }
}
