//! Writing rows by column, as JSON: an array of values for each field.

use super::{ByShape, Row, Shape};
use crate::json::{JsonWriter, TooLong};

/// Columns of the values of rows: for each row an element in each column, null where it lacks the field.
#[derive(Debug)]
pub struct ColumnsWriter<'n> {
    names: Vec<&'n str>,
    columns: Vec<JsonWriter>,
    /// The places of rows that are not there.
    missing: JsonWriter,
    rows: usize,
    /// What is written so far.
    bytes: usize,
    max: usize,
    layouts: ByShape<Layout>,
}

impl<'n> ColumnsWriter<'n> {
    /// A column for each of these names, one may be there twice; at most `max` bytes together.
    pub fn new(names: &[&'n str], max: usize) -> Self {
        Self {
            names: names.to_vec(),
            columns: names.iter().map(|_| JsonWriter::with_limit(max)).collect(),
            missing: JsonWriter::with_limit(max),
            rows: 0,
            bytes: 0,
            max,
            layouts: ByShape::new(),
        }
    }

    /// Adds a row, or one that is not there.
    #[inline]
    pub fn add(&mut self, row: Option<Row<'_>>) {
        // It will be refused.
        if self.bytes > self.max {
            return;
        }
        let place = self.rows;
        self.rows += 1;
        match row {
            Some(row) => self.add_row(row),
            None => self.add_missing(place),
        }
    }

    #[expect(clippy::indexing_slicing, reason = "a layout's columns are those there are")]
    fn add_row(&mut self, row: Row<'_>) {
        let Self { names, columns, layouts, .. } = self;
        let layout = layouts.get(row.shape(), |shape| Layout::find(names, shape));
        let is_plain = row.is_plain();
        let mut bytes = layout.absent.len() * NULL.len();
        layout.each_value(row, |column, value| {
            bytes += columns[column].write_element(value, is_plain);
        });
        for column in &layout.absent {
            columns[*column].write_raw(NULL);
        }
        self.bytes += bytes;
    }

    fn add_missing(&mut self, place: usize) {
        for column in &mut self.columns {
            column.write_raw(NULL);
        }
        let number = format!("{place},");
        self.missing.write_raw(number.as_bytes());
        self.bytes += self.columns.len() * NULL.len() + number.len();
    }

    /// Whether there is so much that what is to come is better looked at first, by [`Self::check_room`].
    #[inline]
    pub fn is_long(&self) -> bool {
        self.bytes > LONG_BYTES
    }

    /// How many bytes are written, about.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Fails if with these rows it would be too long, as far as their lengths tell.
    pub fn check_room<'t>(&mut self, rows: impl Iterator<Item = Option<Row<'t>>>) -> Result<(), TooLong> {
        let mut bytes = self.bytes;
        for row in rows {
            bytes += match row {
                None => self.columns.len() * NULL.len(),
                Some(row) => {
                    let layout = self.layouts.get(row.shape(), |shape| Layout::find(&self.names, shape));
                    let mut length = layout.absent.len() * NULL.len();
                    layout.each_value(row, |_, value| length += value.len() + "\"\",".len());
                    length
                }
            };
            if bytes > self.max {
                return Err(TooLong);
            }
        }
        Ok(())
    }

    /// Writes the places of rows that are not there, as an array.
    pub fn write_missing(&mut self, out: &mut JsonWriter) -> Result<(), TooLong> {
        finish_array(&mut self.missing, out)
    }

    /// Writes the array of columns, and gives their memory back.
    pub fn write_columns(mut self, out: &mut JsonWriter) -> Result<(), TooLong> {
        let mut before: &[u8] = b"[";
        for mut column in self.columns.drain(..) {
            out.write_raw(before);
            before = b",";
            finish_array(&mut column, out)?;
        }
        out.write_raw(if before == b"[" { b"[]" } else { b"]" });
        Ok(())
    }
}

/// An element that is not there, and the comma after it.
const NULL: &[u8] = b"null,";

/// What is long enough to look ahead.
const LONG_BYTES: usize = 1 << 20;

/// Writes elements, each with a comma after it, as an array.
pub fn finish_array(elements: &mut JsonWriter, out: &mut JsonWriter) -> Result<(), TooLong> {
    let elements = elements.finish()?;
    out.write_raw(b"[");
    out.write_raw(elements.strip_suffix(b",").unwrap_or_default());
    out.write_raw(b"]");
    Ok(())
}

/// Where the columns' values are in rows of one shape.
#[derive(Debug)]
struct Layout {
    /// A place of the row and the column that has it, in the order of the places.
    present: Vec<(usize, usize)>,
    /// The columns of fields that the shape lacks.
    absent: Vec<usize>,
}

impl Layout {
    /// At a cost in proportion to names and fields.
    fn find(names: &[&str], shape: &Shape) -> Self {
        let mut sorted: Vec<(&str, usize)> = shape.names().zip(0..).collect();
        sorted.sort_unstable();
        let (mut present, mut absent) = (Vec::new(), Vec::new());
        for (column, name) in names.iter().enumerate() {
            let found = sorted.binary_search_by(|(own, _)| own.cmp(name)).ok();
            match found.and_then(|at| sorted.get(at)) {
                Some((_, place)) => present.push((*place, column)),
                None => absent.push(column),
            }
        }
        present.sort_unstable();
        Self { present, absent }
    }

    /// Visits the columns that have a value in this row.
    #[inline]
    fn each_value<'t>(&self, row: Row<'t>, mut visit: impl FnMut(usize, &'t [u8])) {
        let (mut values, mut next, mut value) = (row.values(), 0, Default::default());
        for &(place, column) in &self.present {
            // A name may be there twice.
            if let Some(skipped) = place.checked_sub(next) {
                value = values.nth(skipped).unwrap_or_default();
                next = place + 1;
            }
            visit(column, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Expiry, Table};
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn columns(table: &Table, names: &[&str], ids: &[&str], max: usize) -> Result<Value, TooLong> {
        let mut writer = ColumnsWriter::new(names, max);
        ids.iter().for_each(|id| writer.add(table.get(id.as_bytes(), 0)));
        let mut out = JsonWriter::with_limit(max);
        out.write_raw(b"[");
        writer.write_missing(&mut out)?;
        out.write_raw(b",");
        writer.write_columns(&mut out)?;
        out.write_raw(b"]");
        Ok(serde_json::from_slice(out.finish()?).unwrap())
    }

    fn table() -> Table {
        let mut table = Table::new([1, 2, 3, 4]);
        table.put(b"1", &["a", "b", "c"], ["1a", "1b", "1c"].into_iter(), Expiry::NEVER);
        table.put(b"2", &["c", "a"], ["2\"c", ""].into_iter(), Expiry::NEVER);
        table.put(b"3", &["d"], ["3d"].into_iter(), Expiry::NEVER);
        table
    }

    #[test]
    fn each_field_is_a_column() {
        let cases = [
            (vec!["a"], vec!["1"], json!([[], [["1a"]]])),
            (vec!["a"], vec![], json!([[], [[]]])),
            (vec![], vec!["1", "0"], json!([[1], []])),
            (
                vec!["c", "a", "x", "a"],
                vec!["0", "2", "1", "3", "0", "1"],
                json!([
                    [0, 4],
                    [
                        [null, "2\"c", "1c", null, null, "1c"],
                        [null, "", "1a", null, null, "1a"],
                        [null, null, null, null, null, null],
                        [null, "", "1a", null, null, "1a"]
                    ]
                ]),
            ),
        ];
        for (names, ids, expected) in cases {
            assert_eq!(columns(&table(), &names, &ids, 1 << 20), Ok(expected), "{names:?} of {ids:?}");
        }
    }

    #[test]
    fn all_columns_together_are_bounded() {
        let (table, ids) = (table(), ["1"; 100]);
        assert!(columns(&table, &["a", "b"], &ids, 1100).is_ok());
        assert_eq!(columns(&table, &["a", "b"], &ids, 900), Err(TooLong));
        // As soon as they are too long no more is written.
        let mut writer = ColumnsWriter::new(&["a", "b"], 900);
        (0..100_000).for_each(|_| writer.add(table.get(b"1", 0)));
        assert!(writer.bytes() < 1000);
        // What is to come is looked at before it is written, nulls too.
        for (name, bytes) in [("a", 5), ("x", 5)] {
            let mut writer = ColumnsWriter::new(&[name], 1000);
            let rows = |count| std::iter::repeat_n(table.get(b"1", 0), count);
            assert_eq!(writer.check_room(rows(1000 / bytes)), Ok(()));
            assert_eq!(writer.check_room(rows(1000 / bytes + 1)), Err(TooLong));
            assert_eq!(writer.check_room(std::iter::repeat_n(None, 201)), Err(TooLong));
        }
    }

    proptest! {
        #[test]
        fn columns_hold_what_rows_do(
            rows in proptest::collection::vec(proptest::collection::btree_map("[a-e]", "\\PC{0,4}|[\\x00-\\x7f]{0,4}", 1..5), 1..80),
            asked in proptest::collection::vec("[a-f]", 1..6),
            ids in proptest::collection::vec(0_usize..90, 0..80),
        ) {
            let mut table = Table::new([1, 2, 3, 4]);
            for (id, row) in rows.iter().enumerate() {
                let names: Vec<&str> = row.keys().map(String::as_str).collect();
                table.put(id.to_string().as_bytes(), &names, row.values().map(String::as_str), Expiry::NEVER);
            }
            let names: Vec<&str> = asked.iter().map(String::as_str).collect();
            let texts: Vec<String> = ids.iter().map(ToString::to_string).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let missing: Vec<usize> = (0..ids.len()).filter(|at| ids[*at] >= rows.len()).collect();
            let column = |name: &String| -> Vec<Option<&String>> {
                ids.iter().map(|id| rows.get(*id).and_then(|row| row.get(name))).collect()
            };
            let expected = json!([missing, asked.iter().map(column).collect::<Vec<_>>()]);
            prop_assert_eq!(columns(&table, &names, &texts, 1 << 20), Ok(expected));
        }
    }
}
