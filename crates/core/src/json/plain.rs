//! Reading plain JSON in one pass: no escapes, so that every text is a slice of the input.
//!
//! The text was found to be UTF-8, and is cut before and after ASCII alone, so what is read is UTF-8 too.
//! Whatever it meets that is not plain, or not JSON, ends with `None`: then serde_json reads the whole again, and
//! decides. What is read here must be what serde_json reads.

/// Reads JSON from left to right.
#[derive(Clone, Debug)]
pub(crate) struct Scanner<'a> {
    text: &'a [u8],
    /// Where the next byte is.
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text: text.as_bytes(), at: 0 }
    }

    /// Nothing but white space is left.
    pub(crate) fn end(mut self) -> Option<()> {
        self.peek().is_none().then_some(())
    }

    /// Takes `byte` if it comes next.
    #[inline]
    pub(crate) fn takes(&mut self, byte: u8) -> bool {
        if self.peek() != Some(byte) {
            return false;
        }
        self.at += 1;
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

    /// Reads an array of texts or nulls.
    #[inline]
    pub(crate) fn texts(&mut self, mut take: impl FnMut(Option<&'a [u8]>) -> Option<()>) -> Option<()> {
        self.take(b'[')?;
        if self.takes(b']') {
            return Some(());
        }
        loop {
            take(self.text_or_null()?)?;
            // Most are followed by another string, with nothing but a comma between.
            while self.text.get(self.at..).is_some_and(|rest| rest.starts_with(b",\"")) {
                self.at += b",\"".len();
                take(Some(self.rest_of_string()?))?;
            }
            if !self.takes(b',') {
                return self.take(b']');
            }
        }
    }

    /// The text of a string.
    #[inline]
    pub(crate) fn string(&mut self) -> Option<&'a [u8]> {
        self.take(b'"')?;
        self.rest_of_string()
    }

    /// The text of a string after its opening quote.
    #[inline]
    fn rest_of_string(&mut self) -> Option<&'a [u8]> {
        let start = self.at;
        let end = start + plain_length(self.text.get(start..)?);
        if self.text.get(end) != Some(&b'"') {
            return None;
        }
        self.at = end + 1;
        self.text.get(start..end)
    }

    /// The text of a string or of a number, or `None` for null.
    #[inline]
    pub(crate) fn text_or_null(&mut self) -> Option<Option<&'a [u8]>> {
        match self.peek()? {
            b'"' => self.string().map(Some),
            b'n' => {
                let is_null = self.text.get(self.at..)?.starts_with(b"null");
                self.at += b"null".len();
                is_null.then_some(None)
            }
            _ => self.number().map(Some),
        }
    }

    fn number(&mut self) -> Option<&'a [u8]> {
        let start = self.at;
        self.at += number_length(self.text.get(start..)?)?;
        self.text.get(start..self.at)
    }

    /// The next byte that is not white space, not taken.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.text.get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                next => return next.copied(),
            }
        }
    }
}

/// How many bytes stand before the first quote, backslash or control character.
#[inline]
fn plain_length(text: &[u8]) -> usize {
    // Most texts are short.
    match text.first_chunk().map(|word| marked(u64::from_le_bytes(*word))) {
        Some(found) if found != 0 => found.trailing_zeros() as usize / 8,
        _ => long_plain_length(text),
    }
}

/// The high bit of each byte that is a quote, a backslash or a control character. Bytes above one of these may be
/// marked too.
#[inline]
fn marked(word: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);

    let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
    let quotes = zeros(word ^ (ONES * u64::from(b'"')));
    let backslashes = zeros(word ^ (ONES * u64::from(b'\\')));
    let controls = word.wrapping_sub(ONES * u64::from(b' ')) & !word;
    (quotes | backslashes | controls) & (ONES << 7)
}

#[inline(never)]
fn long_plain_length(text: &[u8]) -> usize {
    let (words, tail) = text.as_chunks();
    for (word, at) in words.iter().zip((0..).step_by(8)) {
        let found = marked(u64::from_le_bytes(*word));
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
            let number = scanner.text_or_null().flatten().filter(|_| scanner.clone().end().is_some());
            let is_json = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
            prop_assert_eq!(number, is_json.then_some(text.as_bytes()));
        }

        #[test]
        fn strings_are_those_of_serde_json(text in "\"(\\PC|[\\x00-\\x7f]){0,20}\"( |\t|\n|x)?") {
            let mut scanner = Scanner::new(&text);
            let string = scanner.text_or_null().flatten().filter(|_| scanner.clone().end().is_some());
            if let Some(string) = string {
                let expected: String = serde_json::from_str(&text).unwrap();
                prop_assert_eq!(expected.as_bytes(), string);
            }
        }
    }
}
