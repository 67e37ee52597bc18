//! Reading plain JSON in one pass: no escapes, so that every text is a slice of the input.
//!
//! Whatever it meets that is not plain, or not JSON, ends with `None`: then serde_json reads the whole again, and
//! decides. What is read here must be what serde_json reads.

/// Reads JSON from left to right.
#[derive(Clone, Debug)]
pub(crate) struct Scanner<'a> {
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// Nothing but white space is left.
    pub(crate) fn end(mut self) -> Option<()> {
        self.skip_space();
        self.rest.is_empty().then_some(())
    }

    /// Takes `byte`, which is ASCII, if it comes next.
    #[inline]
    pub(crate) fn takes(&mut self, byte: u8) -> bool {
        if self.rest.as_bytes().first() != Some(&byte) {
            self.skip_space();
            if self.rest.as_bytes().first() != Some(&byte) {
                return false;
            }
        }
        self.skip(1);
        true
    }

    /// Takes `byte`, which must come next.
    #[inline]
    pub(crate) fn take(&mut self, byte: u8) -> Option<()> {
        self.takes(byte).then_some(())
    }

    /// Reads elements between two brackets, separated by commas.
    #[inline]
    pub(crate) fn each(
        &mut self,
        [open, close]: [u8; 2],
        mut element: impl FnMut(&mut Self) -> Option<()>,
    ) -> Option<()> {
        self.take(open)?;
        if self.takes(close) {
            return Some(());
        }
        loop {
            element(self)?;
            if !self.takes(b',') {
                return self.take(close);
            }
        }
    }

    /// The text of a string.
    #[inline]
    pub(crate) fn string(&mut self) -> Option<&'a str> {
        self.take(b'"')?;
        let (text, rest) = self.rest.split_at_checked(plain_length(self.rest.as_bytes()))?;
        self.rest = rest.strip_prefix('"')?;
        Some(text)
    }

    /// The text of a string, or a number as it is written.
    #[inline]
    pub(crate) fn text(&mut self) -> Option<&'a str> {
        self.skip_space();
        if self.rest.starts_with('"') { self.string() } else { self.number() }
    }

    /// As [`Self::text`], or `None` for null.
    #[inline]
    pub(crate) fn text_or_null(&mut self) -> Option<Option<&'a str>> {
        self.skip_space();
        if let Some(rest) = self.rest.strip_prefix("null") {
            self.rest = rest;
            return Some(None);
        }
        self.text().map(Some)
    }

    fn number(&mut self) -> Option<&'a str> {
        let (number, rest) = self.rest.split_at_checked(number_length(self.rest.as_bytes())?)?;
        self.rest = rest;
        Some(number)
    }

    #[inline]
    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.rest.as_bytes().first() {
            self.skip(1);
        }
    }

    #[inline]
    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }
}

/// How many bytes stand before the first quote, backslash or control character.
#[inline]
fn plain_length(text: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGHS: u64 = ONES << 7;

    // Eight bytes at a time; in each mask the lowest byte that is marked is one that is meant.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
    let below_space = |word: u64| word.wrapping_sub(ONES * u64::from(b' ')) & !word;
    let (words, tail) = text.as_chunks();
    for (word, at) in words.iter().zip((0..).step_by(8)) {
        let word = u64::from_le_bytes(*word);
        let quotes = zeros(word ^ (ONES * u64::from(b'"')));
        let backslashes = zeros(word ^ (ONES * u64::from(b'\\')));
        let found = (quotes | backslashes | below_space(word)) & HIGHS;
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
    }
    let is_plain = |byte: &u8| *byte >= b' ' && *byte != b'"' && *byte != b'\\';
    text.len() - tail.len() + tail.iter().take_while(|byte| is_plain(byte)).count()
}

/// The length of the number that a text begins with.
fn number_length(text: &[u8]) -> Option<usize> {
    let digits = |from: usize| {
        let digits = text.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count();
        (digits > 0).then_some(from + digits)
    };
    let byte = |at: usize| text.get(at).copied();
    let start = usize::from(byte(0) == Some(b'-'));
    let mut end = digits(start)?;
    if byte(start) == Some(b'0') && end > start + 1 {
        return None;
    }
    if byte(end) == Some(b'.') {
        end = digits(end + 1)?;
    }
    if let Some(b'e' | b'E') = byte(end) {
        let sign = usize::from(matches!(byte(end + 1), Some(b'+' | b'-')));
        end = digits(end + 1 + sign)?;
    }
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_end_at_the_first_byte_that_is_not_plain() {
        for before in 0..20 {
            for end in ['"', '\\', '\0', '\u{1f}', '\n'] {
                for fill in ['a', ' ', '!', '#', '[', ']', '\u{7f}', 'Ā', '😀'] {
                    let plain = fill.to_string().repeat(before);
                    for after in ["", "\"", "aaaaaaaaaaaa\\", "!!\"\"!!!!"] {
                        let text = format!("{plain}{end}{after}");
                        assert_eq!(plain_length(text.as_bytes()), plain.len(), "{text:?}");
                    }
                    assert_eq!(plain_length(plain.as_bytes()), plain.len());
                }
            }
        }
    }

    proptest! {
        #[test]
        fn numbers_are_those_of_serde_json(text in "-?[0-9.eE+-]{0,8}|-?(0|[1-9][0-9]{0,4})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,3})?") {
            let mut scanner = Scanner::new(&text);
            let number = scanner.text().filter(|_| scanner.clone().end().is_some());
            let is_json = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
            prop_assert_eq!(number, is_json.then_some(text.as_str()));
        }

        #[test]
        fn strings_are_those_of_serde_json(text in "\"(\\PC|[\\x00-\\x7f]){0,20}\"( |\t|\n|x)?") {
            let mut scanner = Scanner::new(&text);
            let string = scanner.text().filter(|_| scanner.clone().end().is_some());
            if let Some(string) = string {
                prop_assert_eq!(serde_json::from_str::<String>(&text).unwrap(), string);
            }
        }
    }
}
