//! Tokens: what proves that a claim is the caller's.

use std::fmt;

/// Names the claims of one caller: 128 random bits, written as 32 lower-case hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(u128);

impl Token {
    /// A token of these bits.
    pub const fn new(bits: u128) -> Self {
        Self(bits)
    }

    /// Reads a token in the form in which it is displayed, and in no other.
    pub fn parse(text: &[u8]) -> Option<Self> {
        // `from_str_radix` alone would also take a sign, capitals and fewer digits.
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 32 || !text.iter().all(is_digit) {
            return None;
        }
        u128::from_str_radix(str::from_utf8(text).ok()?, 16).ok().map(Self)
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}
