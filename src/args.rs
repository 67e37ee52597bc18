//! Reading arguments: words, each at most once, and their values. It reads bytes and knows no server.

use quotelock_core::lock::MAX_TTL_MS;

use crate::error::{Error, Range};

/// The longest time an argument can give, in milliseconds: that of a lock, for rows too.
pub(crate) const MAX_MS: i64 = MAX_TTL_MS;
pub(crate) const MAX_S: i64 = MAX_MS / 1000;

/// A time to live.
pub(crate) const TTL_S: Range = Range { unit: "whole seconds", min: 1, max: MAX_S };
pub(crate) const TTL_MS: Range = Range { unit: "whole milliseconds", min: 1, max: MAX_MS };

/// Reads the words that follow a command's fixed arguments, from left to right.
pub struct ArgCursor<'a, I> {
    command: &'static str,
    rest: I,
    position: usize,
    word: &'a [u8],
}

impl<'a, I: Iterator<Item = &'a [u8]>> ArgCursor<'a, I> {
    /// Reads `rest`, the arguments of `command` from index `first` on.
    pub fn new(command: &'static str, first: usize, rest: I) -> Self {
        Self { command, rest, position: first, word: b"" }
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
        let argument = self.rest.next()?;
        self.position += 1;
        Some(argument)
    }

    /// The index of the next argument.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Whether the word read last is this one, in any case.
    pub fn is(&self, word: &str) -> bool {
        self.word.eq_ignore_ascii_case(word.as_bytes())
    }

    /// The value after `word`.
    pub fn value(&mut self, word: &'static str) -> Result<&'a [u8], Error> {
        self.argument().ok_or(Error::NoValue(word))
    }

    /// The value after `word`, the last argument.
    pub fn last_value(&mut self, word: &'static str) -> Result<&'a [u8], Error> {
        let value = self.value(word)?;
        if self.argument().is_some() { Err(Error::NotLast(word)) } else { Ok(value) }
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

    /// The error for the word read last, if the command doesn't know it.
    pub fn unknown(&self) -> Error {
        Error::unknown_option(self.word, self.command)
    }
}

/// At most one of several options that exclude each other, and its value.
#[derive(Clone, Copy, Debug)]
pub struct Exclusive<T>(Option<(&'static str, T)>);

impl<T: Copy> Exclusive<T> {
    /// None of them was given yet.
    pub const fn unset() -> Self {
        Self(None)
    }

    /// Sets the word, unless it or one that excludes it was given before.
    pub fn set(&mut self, word: &'static str, value: T) -> Result<(), Error> {
        match self.0 {
            None => self.0 = Some((word, value)),
            Some((first, _)) if first == word => return Err(Error::Twice(word)),
            Some((first, _)) => return Err(Error::Exclusive(first, word)),
        }
        Ok(())
    }

    /// Whether one of them was given.
    pub fn is_set(&self) -> bool {
        self.0.is_some()
    }

    /// The value of the word that was given.
    pub fn value(self) -> Option<T> {
        self.0.map(|(_, value)| value)
    }

    /// The word that was given.
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

    const SECONDS: Range = Range { unit: "whole seconds", min: 1, max: 9 };

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
            let mut args = ArgCursor::new("x.y", 0, line.split_whitespace().map(str::as_bytes));
            let (mut ttl, mut condition) = (Exclusive::unset(), Exclusive::unset());
            while args.advance() {
                if args.is("NX") {
                    condition.set("NX", true)?;
                } else if args.is("XX") {
                    condition.set("XX", false)?;
                } else if args.is("EX") {
                    ttl.set("EX", args.expiry("EX", SECONDS)?)?;
                } else if args.is("BUFFER") {
                    ttl.set("BUFFER", args.integer("BUFFER", SECONDS)?)?;
                } else {
                    return Err(args.unknown());
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
            ("NX 5", Err(Error::unknown_option(b"5", "x.y"))),
        ];
        for (line, expected) in cases {
            assert_eq!(read(line), expected, "{line}");
        }
    }
}
