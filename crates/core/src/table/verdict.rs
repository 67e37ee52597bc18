//! Whether a row still holds what a caller saw of it.

use super::Row;

/// What comparing a row with the values that were seen comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All of them hold.
    Match,
    /// The row is there, and holds another value or lacks a field.
    Changed,
    /// There is no such row.
    Missing,
}

impl Verdict {
    /// Compares a row with fields and the values they are expected to hold.
    pub fn of(row: Option<Row<'_>>, expected: &[(&str, &[u8])]) -> Self {
        let holds = |row: Row<'_>, (name, value): &(&str, &[u8])| row.value(name.as_bytes()) == Some(*value);
        match row {
            None => Self::Missing,
            Some(row) if expected.iter().all(|pair| holds(row, pair)) => Self::Match,
            Some(_) => Self::Changed,
        }
    }

    /// The verdict as replies spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Match => "Match",
            Self::Changed => "Changed",
            Self::Missing => "Missing",
        }
    }
}
