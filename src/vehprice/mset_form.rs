//! The form in which rows are replicated and written to the AOF: `VEHPRICE.MSET key PXAT ms FIELDS n name …
//! ROWS id value …`, with `PERSIST` in place of `PXAT ms` for rows that don't expire. It carries an outcome, so that
//! whoever receives it decides nothing; and it is a call that any client may make, so that what a server replicates
//! can be sent to another.

use std::ffi::CStr;
use std::iter;

use quotelock_core::table::{Expiry, RowGroup};

pub(crate) const MSET: &CStr = c"VEHPRICE.MSET";

/// The words for an expiry.
pub(super) struct ExpiryWords(Option<String>);

impl ExpiryWords {
    pub(super) fn new(expiry: Expiry) -> Self {
        Self(expiry.unix_ms().map(|ms| ms.to_string()))
    }

    pub(super) fn args(&self) -> impl Iterator<Item = &[u8]> {
        let word = if self.0.is_some() { "PXAT" } else { "PERSIST" };
        [word].into_iter().chain(self.0.as_deref()).map(str::as_bytes)
    }
}

/// What stands between the key and the rows.
pub(super) struct Head {
    expiry: ExpiryWords,
    fields: String,
}

impl Head {
    /// The head of rows that have `fields` fields.
    pub(super) fn new(expiry: Expiry, fields: usize) -> Self {
        Self { expiry: ExpiryWords::new(expiry), fields: fields.to_string() }
    }

    /// The head as arguments, which `of_bytes` makes, with the fields' names among them.
    pub(super) fn args<'h, A>(
        &'h self,
        names: impl Iterator<Item = A>,
        of_bytes: fn(&'h [u8]) -> A,
    ) -> impl Iterator<Item = A> {
        let before = self.expiry.args().chain(["FIELDS", &self.fields].map(str::as_bytes));
        before.map(of_bytes).chain(names).chain([of_bytes(b"ROWS")])
    }
}

/// Hands on the arguments after the key that store a group of rows.
pub(crate) fn with_args_of<R>(group: &RowGroup<'_, '_>, send: impl FnOnce(&[&[u8]]) -> R) -> R {
    let names = group.shape().names();
    let head = Head::new(group.expiry(), names.len());
    let args = head.args(names.map(str::as_bytes), |bytes| bytes);
    let rows = group.rows().iter().flat_map(|row| iter::once(row.id()).chain(row.values()));
    send(&args.chain(rows).collect::<Vec<_>>())
}

/// Hands on the arguments after the key that make a table without a live row: a row that expired long ago.
pub(crate) fn with_args_of_expired_row<R>(send: impl FnOnce(&[&[u8]]) -> R) -> R {
    let head = Head::new(Expiry::at(1), 1);
    let args = head.args([b"-".as_slice()].into_iter(), |bytes| bytes);
    send(&args.chain([b"-".as_slice(), b""]).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use quotelock_core::table::{Table, group_rows};

    use super::*;

    #[test]
    fn rows_as_arguments() {
        let mut table = Table::new([1, 2, 3, 4]);
        table.put(b"1", &["a", "b"], ["x", "y"].into_iter(), Expiry::at(5));
        table.put(b"2", &["a"], ["x"].into_iter(), Expiry::NEVER);
        table.put(b"3", &["a", "b"], ["z", ""].into_iter(), Expiry::at(5));
        let rows = [b"3", b"2", b"1"].iter().filter_map(|id| table.get(*id, 0));
        let line = |args: &[&[u8]]| String::from_utf8(args.join(b" ".as_slice())).unwrap();
        let mut lines = Vec::new();
        group_rows(rows, |group| lines.push(with_args_of(&group, line)));
        assert_eq!(lines, ["PXAT 5 FIELDS 2 a b ROWS 3 z  1 x y", "PERSIST FIELDS 1 a ROWS 2 x"]);
        assert_eq!(with_args_of_expired_row(line), "PXAT 1 FIELDS 1 - ROWS - ");
    }
}
