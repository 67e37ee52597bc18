//! The grammar of arguments: words, each at most once, and their values. It reads bytes and knows no server.

use super::error::{Error, Range};
use crate::quotelock::LONGEST_TTL_MS;

/// The longest time an argument can give, in milliseconds and in seconds: that of a lock, which rows share.
pub const LONGEST_MS: i64 = LONGEST_TTL_MS;
pub(super) const LONGEST_S: i64 = LONGEST_MS / 1000;

/// How long something lives.
pub const TTL_S: Range = Range { unit: "whole seconds", least: 1, most: LONGEST_S };
pub(super) const TTL_MS: Range = Range { unit: "whole milliseconds", least: 1, most: LONGEST_MS };

/// The words that follow a command's fixed arguments.
pub struct Words<'a, I> {
    command: &'static str,
    rest: I,
    /// How many arguments were read.
    pub read: usize,
    /// The word read last.
    pub word: &'a [u8],
}

impl<'a, I: Iterator<Item = &'a [u8]>> Words<'a, I> {
    /// The words of a call of `command`.
    pub fn new(command: &'static str, rest: I) -> Self {
        Self { command, rest, read: 0, word: b"" }
    }

    /// Reads the next word; false at the end.
    pub fn advance(&mut self) -> bool {
        match self.argument() {
            Some(word) => {
                self.word = word;
                true
            }
            None => false,
        }
    }

    /// The next argument, whatever it is.
    pub fn argument(&mut self) -> Option<&'a [u8]> {
        self.read = self.read.saturating_add(1);
        self.rest.next()
    }

    /// Whether the word read last is this one, in any case.
    pub fn is(&self, word: &str) -> bool {
        self.word.eq_ignore_ascii_case(word.as_bytes())
    }

    /// The value after `word`.
    pub fn value(&mut self, word: &'static str) -> Result<&'a [u8], Error> {
        self.argument().ok_or(Error::NoValue(word))
    }

    /// The value after `word`; `None` if it is not a whole number.
    pub fn number(&mut self, word: &'static str) -> Result<Option<i64>, Error> {
        self.value(word).map(integer)
    }

    /// The whole number after `word`, within `range`.
    pub fn integer(&mut self, word: &'static str, range: Range) -> Result<i64, Error> {
        self.number(word)?.filter(|number| range.contains(*number)).ok_or(Error::NotInRange(word, range))
    }

    /// The expiry after `word`, within `range`.
    pub fn expiry(&mut self, word: &'static str, range: Range) -> Result<i64, Error> {
        let number = self.number(word)?.ok_or(Error::NotInRange(word, range))?;
        if range.contains(number) {
            Ok(number)
        } else {
            Err(Error::InvalidExpire { command: self.command, word, range })
        }
    }

    /// How long to wait, after `word`, within `range`.
    pub fn timeout(&mut self, word: &'static str, range: Range) -> Result<i64, Error> {
        match self.number(word)? {
            Some(number) if number < 0 => Err(Error::NegativeTimeout(word, range)),
            Some(number) if range.contains(number) => Ok(number),
            _ => Err(Error::BadTimeout(word, range)),
        }
    }

    /// The word read last is none that the command knows.
    pub fn unknown(&self) -> Error {
        Error::unknown_word(self.word, self.command)
    }
}

/// Room for one word of several that exclude each other, and its value.
#[derive(Clone, Copy, Debug)]
pub struct Choice<T>(Option<(&'static str, T)>);

impl<T: Copy> Choice<T> {
    /// Nothing given yet.
    pub const fn none() -> Self {
        Self(None)
    }

    /// Takes the word, unless it or one that excludes it was given before.
    pub fn take(&mut self, word: &'static str, value: T) -> Result<(), Error> {
        match self.0 {
            None => self.0 = Some((word, value)),
            Some((first, _)) if first == word => return Err(Error::Twice(word)),
            Some((first, _)) => return Err(Error::Exclusive(first, word)),
        }
        Ok(())
    }

    /// The value given.
    pub fn value(self) -> Option<T> {
        self.0.map(|(_, value)| value)
    }

    /// The word given.
    pub fn word(self) -> Option<&'static str> {
        self.0.map(|(word, _)| word)
    }
}

/// A whole number as Redis reads it: no sign but `-`, no leading zeros, no spaces.
pub fn integer(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    match digits {
        [b'0'] if text == digits => Some(0),
        [b'1'..=b'9', ..] => std::str::from_utf8(text).ok()?.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECONDS: Range = Range { unit: "whole seconds", least: 1, most: 9 };

    #[test]
    fn whole_numbers_as_redis_reads_them() {
        let cases: &[(&[u8], Option<i64>)] = &[
            (b"0", Some(0)),
            (b"7", Some(7)),
            (b"-7", Some(-7)),
            (b"9223372036854775807", Some(i64::MAX)),
            (b"-9223372036854775808", Some(i64::MIN)),
            (b"9223372036854775808", None),
            (b"", None),
            (b"-", None),
            (b"-0", None),
            (b"+7", None),
            (b"07", None),
            (b"-07", None),
            (b" 7", None),
            (b"7 ", None),
            (b"7.0", None),
            (b"7e0", None),
            (b"0x7", None),
            (b"7\0", None),
            (b"1\xff", None),
        ];
        for (text, expected) in cases {
            assert_eq!(integer(text), *expected, "{text:?}");
        }
    }

    #[test]
    fn words_and_their_values() {
        let read = |line: &'static str| -> Result<(Option<i64>, Option<bool>), Error> {
            let mut words = Words::new("x.y", line.split_whitespace().map(str::as_bytes));
            let (mut ttl, mut condition) = (Choice::none(), Choice::none());
            while words.advance() {
                if words.is("NX") {
                    condition.take("NX", true)?;
                } else if words.is("XX") {
                    condition.take("XX", false)?;
                } else if words.is("EX") {
                    ttl.take("EX", words.expiry("EX", SECONDS)?)?;
                } else if words.is("BUFFER") {
                    ttl.take("BUFFER", words.integer("BUFFER", SECONDS)?)?;
                } else {
                    return Err(words.unknown());
                }
            }
            Ok((ttl.value(), condition.value()))
        };
        let invalid = Error::InvalidExpire { command: "x.y", word: "EX", range: SECONDS };
        let cases = [
            ("", Ok((None, None))),
            ("nx", Ok((None, Some(true)))),
            ("eX 5 Xx", Ok((Some(5), Some(false)))),
            ("NX nx", Err(Error::Twice("NX"))),
            ("XX NX", Err(Error::Exclusive("XX", "NX"))),
            ("EX", Err(Error::NoValue("EX"))),
            ("EX 1 EX 1", Err(Error::Twice("EX"))),
            ("EX x", Err(Error::NotInRange("EX", SECONDS))),
            ("EX 0", Err(invalid.clone())),
            ("EX 10", Err(invalid)),
            ("BUFFER 10", Err(Error::NotInRange("BUFFER", SECONDS))),
            ("NX 5", Err(Error::unknown_word(b"5", "x.y"))),
        ];
        for (line, expected) in cases {
            assert_eq!(read(line), expected, "{line}");
        }
    }
}
