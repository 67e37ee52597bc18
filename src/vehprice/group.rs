//! Rows in groups of one expiry and one list of fields: the form in which they are replicated and written to the AOF.

use std::borrow::Cow;

use super::Row;

/// The most rows of a group.
const MOST_ROWS: usize = 1000;

/// A group ends with the row that brings it to so many bytes.
const ENOUGH_BYTES: usize = 1024 * 1024;

/// How many rows are put into groups at a time.
const ROWS_AT_ONCE: usize = 16 * MOST_ROWS;

/// Rows with the same expiry and the same names in the same order.
#[derive(Debug)]
pub struct Group<'r, 't>(&'r [Row<'t>]);

/// Puts rows into groups and hands each on. Rows that fall into one group stay in their order.
pub fn groups<'t>(mut rows: impl Iterator<Item = Row<'t>>, mut take: impl FnMut(Group<'_, 't>)) {
    loop {
        let mut some: Vec<_> = rows.by_ref().take(ROWS_AT_ONCE).collect();
        if some.is_empty() {
            return;
        }
        some.sort_by_key(|row| (row.expiry(), row.shape_id()));
        for alike in some.chunk_by(|a, b| (a.expiry(), a.shape_id()) == (b.expiry(), b.shape_id())) {
            let mut rest = alike;
            while !rest.is_empty() {
                let (group, others) = rest.split_at_checked(group_length(rest)).unwrap_or((rest, &[]));
                take(Group(group));
                rest = others;
            }
        }
    }
}

/// How many of these rows, which are alike, make the first group.
fn group_length(rows: &[Row<'_>]) -> usize {
    let mut bytes = 0_usize;
    let before = rows.iter().take(MOST_ROWS).take_while(|row| {
        let more = bytes < ENOUGH_BYTES;
        bytes = bytes.saturating_add(row.len());
        more
    });
    before.count()
}

impl<'t> Group<'_, 't> {
    /// The arguments of `VEHPRICE.MSET` after the key; `PXAT -1` stands for no expiry.
    pub fn arguments(&self) -> Vec<Cow<'t, [u8]>> {
        let Some(first) = self.0.first() else {
            return Vec::new();
        };
        let expiry = first.expiry().unix_ms().unwrap_or(-1);
        let names = first.shape().names();
        let number = |text: String| Cow::Owned(text.into_bytes());
        let mut arguments = vec![
            Cow::Borrowed(b"PXAT".as_slice()),
            number(expiry.to_string()),
            Cow::Borrowed(b"FIELDS"),
            number(names.len().to_string()),
        ];
        arguments.extend(names.map(|name| Cow::Borrowed(name.as_bytes())));
        arguments.push(Cow::Borrowed(b"ROWS"));
        for row in self.0 {
            arguments.push(Cow::Borrowed(row.id()));
            arguments.extend(row.values().map(Cow::Borrowed));
        }
        arguments
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Expiry, Table};
    use super::*;

    #[test]
    fn rows_that_are_alike_go_together() {
        let mut table = Table::new([1, 2, 3, 4]);
        table.put(b"1", &["a", "b"], ["x", "y"].into_iter(), Expiry::at(5));
        table.put(b"2", &["a"], ["x"].into_iter(), Expiry::NEVER);
        table.put(b"3", &["a", "b"], ["z", ""].into_iter(), Expiry::at(5));
        let rows = [b"3", b"2", b"1"].iter().filter_map(|id| table.get(*id, 0));
        let mut lines = Vec::new();
        groups(rows, |group| lines.push(String::from_utf8(group.arguments().join(b" ".as_slice())).unwrap()));
        assert_eq!(lines, ["PXAT 5 FIELDS 2 a b ROWS 3 z  1 x y", "PXAT -1 FIELDS 1 a ROWS 2 x"]);
    }

    #[test]
    fn groups_are_bounded() {
        let mut table = Table::new([1, 2, 3, 4]);
        for id in 0..2500 {
            table.put(id.to_string().as_bytes(), &["a"], ["x"].into_iter(), Expiry::at(5));
        }
        let mut sizes = Vec::new();
        groups(table.iter(0), |group| sizes.push(group.0.len()));
        assert_eq!(sizes, [1000, 1000, 500]);
    }
    #[test]
    fn groups_are_bounded_in_bytes() {
        let mut table = Table::new([1, 2, 3, 4]);
        let row = |bytes| "x".repeat(bytes);
        for id in 0..10 {
            table.put(&[id], &["a"], [row(1 << 20).as_str()].into_iter(), Expiry::at(1));
            table.put(&[id, 0], &["a"], [row(300_000).as_str()].into_iter(), Expiry::at(2));
        }
        let mut sizes = Vec::new();
        groups(table.iter(0), |group| sizes.push(group.0.len()));
        assert_eq!(sizes, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 4, 4, 2]);
    }
}
