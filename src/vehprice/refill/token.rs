//! Tokens: what shows that a claim is the caller's.

use std::fmt;

/// What the caller of one claim shows for its claims: 128 random bits, as 32 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token([u8; 16]);

impl Token {
    /// The token of these bits.
    pub const fn new(bits: [u8; 16]) -> Self {
        Self(bits)
    }

    /// Reads a token as it was given out; `None` for anything else.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let digits: &[u8; 32] = text.try_into().ok()?;
        let mut bits = [0; 16];
        for (bits, digits) in bits.iter_mut().zip(digits.chunks_exact(2)) {
            let &[high, low] = digits else {
                return None;
            };
            *bits = digit(high)? << 4 | digit(low)?;
        }
        Some(Self(bits))
    }
}

fn digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => digit.checked_sub(b'0'),
        b'a'..=b'f' => digit.checked_sub(b'a').and_then(|value| value.checked_add(10)),
        _ => None,
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
