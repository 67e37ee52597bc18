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

#[cfg(test)]
mod tests {
    use super::super::{Expiry, Table};
    use super::Verdict::{self, Changed, Match, Missing};

    /// An id, the time, fields and the values that were seen, the verdict.
    type Case = (&'static [u8], i64, &'static [(&'static str, &'static str)], Verdict);

    #[test]
    fn compares_the_fields_that_were_seen() {
        let mut table = Table::new([1, 2, 3, 4]);
        table.put(b"4711", &["styleId", "pricingId"], ["12", "571"].into_iter(), Expiry::at(1000));
        let cases: &[Case] = &[
            (b"4711", 0, &[], Match),
            (b"4711", 0, &[("pricingId", "571")], Match),
            (b"4711", 0, &[("pricingId", "571"), ("styleId", "12")], Match),
            (b"4711", 0, &[("pricingId", "572")], Changed),
            (b"4711", 0, &[("pricingId", "571"), ("styleId", "13")], Changed),
            (b"4711", 0, &[("pricingId", "57")], Changed),
            (b"4711", 0, &[("rule", "")], Changed),
            (b"4711", 999, &[("pricingId", "571")], Match),
            (b"4711", 1000, &[("pricingId", "571")], Missing),
            (b"4712", 0, &[("pricingId", "571")], Missing),
        ];
        for (id, now_ms, seen, expected) in cases {
            let seen: Vec<(&str, &[u8])> =
                seen.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
            assert_eq!(Verdict::of(table.get(id, *now_ms), &seen), *expected, "{seen:?} at {now_ms}");
        }
    }
}
