//! JSON on its way out.

/// JSON that is joined from many short pieces.
///
/// They are put together in a block, which is copied to memory when it is full: what fits the block, as one row does,
/// takes no memory but the stack's.
#[derive(Debug)]
pub struct Json {
    block: [u8; BLOCK],
    filled: usize,
    /// What was in the block before, and what was too long for it.
    before: Before,
}

/// There is more JSON than one reply may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

const BLOCK: usize = 512;

/// The most that is reserved because it is expected.
const MOST_EXPECTED: usize = 1 << 20;

/// The most JSON of one reply, the longest string that the server takes itself. An id may be asked for any number of times, so
/// without it what is stored would be no bound.
const MOST: usize = 512 << 20;

impl Default for Json {
    fn default() -> Self {
        Self::expecting(0)
    }
}

impl Json {
    /// No JSON yet. About so many bytes are to come.
    pub fn expecting(bytes: usize) -> Self {
        Self::bounded(bytes, MOST)
    }

    fn bounded(expected: usize, most: usize) -> Self {
        let before =
            Before { bytes: Vec::new(), expected: expected.min(MOST_EXPECTED), most, is_too_long: false };
        Self { block: [0; BLOCK], filled: 0, before }
    }

    /// Adds a piece of JSON as it is.
    #[inline]
    pub fn add(&mut self, piece: &[u8]) {
        let end = self.filled.saturating_add(piece.len());
        match self.block.get_mut(self.filled..end) {
            Some(place) => {
                copy(place, piece);
                self.filled = end;
            }
            None => self.add_beyond(piece),
        }
    }

    /// Makes room in the block for so many bytes; `None` if it is too small.
    #[inline]
    pub(super) fn room(&mut self, bytes: usize) -> Option<Room<'_>> {
        if BLOCK.saturating_sub(self.filled) < bytes {
            self.empty_block();
        }
        let rest = self.block.get_mut(self.filled..).filter(|rest| rest.len() >= bytes)?;
        Some(Room { end: BLOCK, filled: &mut self.filled, rest })
    }

    #[cold]
    fn add_beyond(&mut self, piece: &[u8]) {
        self.empty_block();
        if piece.len() > BLOCK {
            self.before.add(piece);
        } else {
            self.add(piece);
        }
    }

    fn empty_block(&mut self) {
        self.before.add(self.block.get(..self.filled).unwrap_or_default());
        self.filled = 0;
    }

    /// Adds a text as JSON writes it between quotes; what is no UTF-8 in it is replaced.
    #[inline]
    pub fn add_escaped(&mut self, text: &[u8]) {
        if needs_escapes(text) {
            // Writing a string to memory has no way to fail.
            let quoted = serde_json::to_vec(&String::from_utf8_lossy(text)).unwrap_or_default();
            self.add(quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default());
        } else {
            self.add(text);
        }
    }

    /// Whether there is more than one reply may have: whatever is added is in vain.
    #[inline]
    pub fn is_too_long(&self) -> bool {
        self.before.is_too_long
    }

    /// The JSON as one piece.
    pub fn whole(&mut self) -> Result<&[u8], TooLong> {
        if self.before.bytes.is_empty() && !self.before.is_too_long {
            return Ok(self.block.get(..self.filled).unwrap_or_default());
        }
        self.empty_block();
        if self.before.is_too_long { Err(TooLong) } else { Ok(&self.before.bytes) }
    }
}

/// What the block has no room for.
#[derive(Debug)]
struct Before {
    bytes: Vec<u8>,
    /// How much is expected in all.
    expected: usize,
    /// How much there may be.
    most: usize,
    /// There was more, and nothing is kept.
    is_too_long: bool,
}

impl Before {
    fn add(&mut self, piece: &[u8]) {
        if self.is_too_long || self.most.saturating_sub(self.bytes.len()) < piece.len() {
            self.is_too_long = true;
            self.bytes = Vec::new();
            return;
        }
        if self.bytes.is_empty() {
            self.bytes.reserve_exact(self.expected);
        }
        self.bytes.extend_from_slice(piece);
    }
}

/// Room in a block: pieces are added without a look at what is left of it for each.
pub(super) struct Room<'j> {
    filled: &'j mut usize,
    end: usize,
    rest: &'j mut [u8],
}

impl Room<'_> {
    /// Adds a piece of JSON as it is. There must be room for it.
    #[inline]
    pub(super) fn add(&mut self, piece: &[u8]) {
        if let Some((place, rest)) = std::mem::take(&mut self.rest).split_at_mut_checked(piece.len()) {
            copy(place, piece);
            self.rest = rest;
        }
    }
}

impl Drop for Room<'_> {
    #[inline]
    fn drop(&mut self) {
        *self.filled = self.end.saturating_sub(self.rest.len());
    }
}

/// Whether a text has a character that JSON escapes.
pub(super) fn needs_escapes(text: &[u8]) -> bool {
    text.iter().any(|&byte| byte < b' ' || byte == b'"' || byte == b'\\')
}

/// Copies a piece to a place of its length. Most pieces are short: copying them by their first and last bytes costs less
/// than a call.
#[inline]
fn copy(place: &mut [u8], piece: &[u8]) {
    fn ends<const N: usize>(place: &mut [u8], piece: &[u8]) {
        if let (Some(first), Some(last)) = (piece.first_chunk::<N>(), piece.last_chunk::<N>()) {
            if let Some(place) = place.first_chunk_mut() {
                *place = *first;
            }
            if let Some(place) = place.last_chunk_mut() {
                *place = *last;
            }
        }
    }
    // In this order two or three comparisons find the way, whatever the length.
    let length = piece.len();
    if length >= 8 {
        if length <= 16 {
            ends::<8>(place, piece);
        } else if length <= 32 {
            ends::<16>(place, piece);
        } else {
            place.copy_from_slice(piece);
        }
    } else if length >= 4 {
        ends::<4>(place, piece);
    } else if length >= 2 {
        ends::<2>(place, piece);
    } else {
        ends::<1>(place, piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_too_long_is_not_kept() {
        // (bytes of each piece, how many, whether they are too many)
        let cases = [
            (100, 10, false),
            (100, 11, true),
            (1000, 1, false),
            (1001, 1, true),
            (1, 1000, false),
            (1, 1001, true),
            (600, 100, true),
        ];
        for (bytes, pieces, is_too_long) in cases {
            let mut json = Json::bounded(usize::MAX, 1000);
            (0..pieces).for_each(|_| json.add(&vec![b'x'; bytes]));
            let length = json.whole().map(<[u8]>::len);
            assert_eq!(length, if is_too_long { Err(TooLong) } else { Ok(bytes * pieces) });
            assert!(!is_too_long || json.before.bytes.capacity() == 0);
        }
    }

    proptest! {
        #[test]
        fn pieces_come_out_in_their_order(
            pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..700), 0..20),
            short in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..60),
            expected in 0_usize..4000,
        ) {
            let mut json = Json::expecting(expected);
            short.iter().chain(&pieces).chain(&short).for_each(|piece| json.add(piece));
            let expected = [short.concat(), pieces.concat(), short.concat()].concat();
            prop_assert_eq!(json.whole(), Ok(expected.as_slice()));
        }

        #[test]
        fn an_escaped_text_is_that_text_to_serde(text in "\\PC{0,40}|[\\x00-\\x7f]{0,40}") {
            let mut json = Json::default();
            json.add(b"\"");
            json.add_escaped(text.as_bytes());
            json.add(b"\"");
            let read: String = serde_json::from_slice(json.whole().unwrap()).unwrap();
            prop_assert_eq!(read, text);
        }
    }
}
