//! Rows in groups of one expiry and one list of fields, so that a command can carry a group.

use super::shape::ShapeId;
use super::{Expiry, Row, Shape};

/// The most rows of a group.
const MAX_GROUP_ROWS: usize = 1000;

/// A group ends with the row that brings it to this many bytes.
const ENOUGH_BYTES: usize = 1024 * 1024;

/// How many rows are grouped at a time.
const ROWS_AT_ONCE: usize = 16 * MAX_GROUP_ROWS;

/// Rows with the same expiry and the same names in the same order; at least one.
#[derive(Clone, Copy, Debug)]
pub struct RowGroup<'r, 't> {
    first: Row<'t>,
    rows: &'r [Row<'t>],
}

impl<'r, 't> RowGroup<'r, 't> {
    /// When the rows expire.
    pub fn expiry(&self) -> Expiry {
        self.first.expiry()
    }

    /// The names of the rows' fields.
    pub fn shape(&self) -> &'t Shape {
        self.first.shape()
    }

    /// The rows.
    pub fn rows(&self) -> &'r [Row<'t>] {
        self.rows
    }
}

/// Groups rows and hands on each group. Rows of one group stay in their order.
pub fn group_rows<'t>(mut rows: impl Iterator<Item = Row<'t>>, mut take: impl FnMut(RowGroup<'_, 't>)) {
    loop {
        let mut some: Vec<_> = rows.by_ref().take(ROWS_AT_ONCE).collect();
        if some.is_empty() {
            return;
        }
        sort_alike(&mut some);
        for RowGroup { rows: mut alike, .. } in alike(&some) {
            while let Some(&first) = alike.first() {
                let (rows, rest) = alike.split_at(group_length(alike));
                take(RowGroup { first, rows });
                alike = rest;
            }
        }
    }
}

/// Sorts rows so that those of one group stand together, in their order.
pub fn sort_alike(rows: &mut [Row<'_>]) {
    rows.sort_by_key(key);
}

/// The groups of rows that were sorted so, each as long as it comes.
pub fn alike<'r, 't>(rows: &'r [Row<'t>]) -> impl Iterator<Item = RowGroup<'r, 't>> + Clone {
    let groups = rows.chunk_by(|a, b| key(a) == key(b));
    groups.filter_map(|rows| Some(RowGroup { first: *rows.first()?, rows }))
}

/// What rows of a group have in common.
fn key(row: &Row<'_>) -> (Expiry, ShapeId) {
    (row.expiry(), row.shape_id())
}

/// How many of these rows, which are alike, make the first group.
fn group_length(rows: &[Row<'_>]) -> usize {
    let mut bytes = 0;
    let before = rows.iter().take(MAX_GROUP_ROWS).take_while(|row| {
        let has_room = bytes < ENOUGH_BYTES;
        bytes += row.len();
        has_room
    });
    before.count()
}

#[cfg(test)]
mod tests {
    use super::super::Table;
    use super::*;

    #[test]
    fn rows_that_are_alike_go_together() {
        let mut table = Table::new([1, 2, 3, 4]);
        table.put(b"1", &["a", "b"], ["x", "y"].into_iter(), Expiry::at(5));
        table.put(b"2", &["a"], ["x"].into_iter(), Expiry::NEVER);
        table.put(b"3", &["a", "b"], ["z", ""].into_iter(), Expiry::at(5));
        let rows = [b"3", b"2", b"1"].iter().filter_map(|id| table.get(*id, 0));
        let mut found = Vec::new();
        group_rows(rows, |group| {
            let ids: Vec<&[u8]> = group.rows().iter().map(Row::id).collect();
            found.push((group.expiry(), group.shape().names().collect::<Vec<_>>(), ids.concat()));
        });
        let (five, never) = (Expiry::at(5), Expiry::NEVER);
        assert_eq!(found, [(five, vec!["a", "b"], b"31".to_vec()), (never, vec!["a"], b"2".to_vec())]);
    }

    #[test]
    fn groups_are_bounded() {
        let mut table = Table::new([1, 2, 3, 4]);
        for id in 0..2500 {
            table.put(id.to_string().as_bytes(), &["a"], ["x"].into_iter(), Expiry::at(5));
        }
        let mut sizes = Vec::new();
        group_rows(table.iter(0), |group| sizes.push(group.rows().len()));
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
        group_rows(table.iter(0), |group| sizes.push(group.rows().len()));
        assert_eq!(sizes, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 4, 4, 2]);
    }
}
