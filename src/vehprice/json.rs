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
    before: Vec<u8>,
    /// How much is expected in all.
    expected: usize,
}

const BLOCK: usize = 512;

/// The most that is reserved because it is expected.
const MOST_EXPECTED: usize = 1 << 20;

impl Default for Json {
    fn default() -> Self {
        Self::expecting(0)
    }
}

impl Json {
    /// No JSON yet. About so many bytes are to come.
    pub fn expecting(bytes: usize) -> Self {
        let expected = bytes.min(MOST_EXPECTED);
        Self { block: [0; BLOCK], filled: 0, before: Vec::new(), expected }
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
            self.before.extend_from_slice(piece);
        } else {
            self.add(piece);
        }
    }

    fn empty_block(&mut self) {
        if self.before.is_empty() {
            self.before.reserve_exact(self.expected);
        }
        self.before.extend_from_slice(self.block.get(..self.filled).unwrap_or_default());
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

    /// Hands on the JSON as one piece.
    pub fn with<T>(&mut self, then: impl FnOnce(&[u8]) -> T) -> T {
        if self.before.is_empty() {
            return then(self.block.get(..self.filled).unwrap_or_default());
        }
        self.empty_block();
        then(&self.before)
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
            prop_assert!(json.with(|json| json == expected));
        }

        #[test]
        fn an_escaped_text_is_that_text_to_serde(text in "\\PC{0,40}|[\\x00-\\x7f]{0,40}") {
            let mut json = Json::default();
            json.add(b"\"");
            json.add_escaped(text.as_bytes());
            json.add(b"\"");
            let read: String = json.with(|json| serde_json::from_slice(json)).unwrap();
            prop_assert_eq!(read, text);
        }
    }
}
