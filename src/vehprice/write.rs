//! Writing a row: on which condition, with which expiry, whole or merged.

use super::bounds::MOST_FIELDS;
use super::shape::ShapeId;
use super::table::Spot;
use super::{Expiry, IdHash, Table};

/// What must hold of a row that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It is not there.
    Absent,
    /// It is there.
    Present,
}

/// How rows are written.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// What must hold of each row as it was before the call.
    pub condition: Option<Condition>,
    /// The named fields are set and the others kept; else the row is replaced.
    pub merge: bool,
    /// The expiry a row gets.
    pub expiry: NewExpiry,
}

/// The expiry of a row that is written.
#[derive(Clone, Copy, Debug)]
pub enum NewExpiry {
    /// This one.
    Given(Expiry),
    /// The expiry of the row that was there, else this one.
    Kept(Expiry),
}

/// What writing a row came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// The condition did not hold.
    Not,
    /// The row is stored, with this expiry.
    Stored(Expiry),
    /// Its expiry had passed: it was deleted if it was there.
    Deleted {
        /// Whether it was there.
        was_there: bool,
    },
}

impl Table {
    /// Whether merging these names into the row would give it too many fields.
    pub fn merges_too_wide(&self, id: &[u8], names: &[&str], now_ms: i64) -> bool {
        self.get(id, now_ms).is_some_and(|row| {
            let new = names.iter().filter(|name| row.shape().position(name.as_bytes()).is_none()).count();
            row.shape().names().len().saturating_add(new) > MOST_FIELDS
        })
    }

    /// To write rows of these fields, no name being there twice, by the rules.
    pub fn writer<'t, 'n>(&'t mut self, names: &'n [&'n str], rules: Rules) -> Writer<'t, 'n> {
        let shape = self.shapes_mut().take(names);
        Writer { table: self, names, shape, rules }
    }
}

/// Writes rows of the same fields by the same rules. The table keeps the fields' shape while this lives.
#[derive(Debug)]
pub struct Writer<'t, 'n> {
    table: &'t mut Table,
    names: &'n [&'n str],
    shape: ShapeId,
    rules: Rules,
}

impl Writer<'_, '_> {
    /// See [`Table::spots`].
    pub fn spots(&self, hashes: &[IdHash]) -> [Spot; Table::SIDE_BY_SIDE] {
        self.table.spots(hashes)
    }

    /// Writes a row. There are as many values as names.
    pub fn write<'v>(
        &mut self,
        id: &[u8],
        spot: Spot,
        values: impl Iterator<Item = &'v str> + Clone,
        now_ms: i64,
    ) -> Written {
        let Rules { condition, merge, expiry } = self.rules;
        let needs_old = condition.is_some() || merge || matches!(expiry, NewExpiry::Kept(_));
        let old = if needs_old { self.table.get_at(spot, id, now_ms) } else { None };
        match condition {
            Some(Condition::Absent) if old.is_some() => return Written::Not,
            Some(Condition::Present) if old.is_none() => return Written::Not,
            _ => {}
        }
        let expiry = match expiry {
            NewExpiry::Given(expiry) => expiry,
            NewExpiry::Kept(default) => old.map_or(default, |row| row.expiry()),
        };
        if expiry.is_over(now_ms) {
            return Written::Deleted { was_there: self.table.remove(id, now_ms) };
        }
        match old.filter(|_| merge) {
            None => {
                self.table.put_shaped(id, spot, self.shape, values, expiry);
            }
            Some(row) => {
                let mut merged: Vec<(String, String)> =
                    row.fields().map(|(name, value)| (name.to_owned(), text(value))).collect();
                for (name, value) in self.names.iter().zip(values) {
                    match merged.iter_mut().find(|(known, _)| known == name) {
                        Some((_, old)) => value.clone_into(old),
                        None => merged.push(((*name).to_owned(), value.to_owned())),
                    }
                }
                let names: Vec<&str> = merged.iter().map(|(name, _)| name.as_str()).collect();
                self.table.put(id, &names, merged.iter().map(|(_, value)| value.as_str()), expiry);
            }
        }
        Written::Stored(expiry)
    }
}

impl Drop for Writer<'_, '_> {
    fn drop(&mut self) {
        self.table.shapes_mut().give_back(self.shape);
    }
}

/// A row's values were UTF-8 when it was written.
fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fields and values, and the expiry.
    type Left = (&'static [(&'static str, &'static str)], i64);

    fn at(ms: i64) -> NewExpiry {
        NewExpiry::Given(Expiry::at(ms))
    }

    fn content(table: &Table, now_ms: i64) -> Option<(Vec<(String, String)>, Expiry)> {
        let row = table.get(b"1", now_ms)?;
        Some((row.fields().map(|(name, value)| (name.to_owned(), text(value))).collect(), row.expiry()))
    }

    fn write(table: &mut Table, rules: Rules, now_ms: i64) -> Written {
        let [spot, ..] = table.spots(&[table.hash(b"1")]);
        table.writer(&["c", "b"], rules).write(b"1", spot, ["3", "4"].into_iter(), now_ms)
    }

    #[test]
    fn rows_by_the_rules() {
        use Condition::{Absent, Present};
        let kept = NewExpiry::Kept(Expiry::at(500));
        let plain = Rules { condition: None, merge: false, expiry: at(300) };
        let stored = |ms| Written::Stored(Expiry::at(ms));
        // The row that is there has a=1 b=2 and expires at 200; c=3 b=4 is written at 100 or at 250.
        let cases: &[(i64, Rules, Written, Option<Left>)] = &[
            (100, plain, stored(300), Some((&[("c", "3"), ("b", "4")], 300))),
            (250, plain, stored(300), Some((&[("c", "3"), ("b", "4")], 300))),
            (
                100,
                Rules { condition: Some(Absent), ..plain },
                Written::Not,
                Some((&[("a", "1"), ("b", "2")], 200)),
            ),
            (
                250,
                Rules { condition: Some(Absent), ..plain },
                stored(300),
                Some((&[("c", "3"), ("b", "4")], 300)),
            ),
            (
                100,
                Rules { condition: Some(Present), ..plain },
                stored(300),
                Some((&[("c", "3"), ("b", "4")], 300)),
            ),
            (250, Rules { condition: Some(Present), ..plain }, Written::Not, None),
            (
                100,
                Rules { merge: true, ..plain },
                stored(300),
                Some((&[("a", "1"), ("b", "4"), ("c", "3")], 300)),
            ),
            (250, Rules { merge: true, ..plain }, stored(300), Some((&[("c", "3"), ("b", "4")], 300))),
            (
                100,
                Rules { merge: true, expiry: kept, ..plain },
                stored(200),
                Some((&[("a", "1"), ("b", "4"), ("c", "3")], 200)),
            ),
            (100, Rules { expiry: kept, ..plain }, stored(200), Some((&[("c", "3"), ("b", "4")], 200))),
            (250, Rules { expiry: kept, ..plain }, stored(500), Some((&[("c", "3"), ("b", "4")], 500))),
            (100, Rules { expiry: at(100), ..plain }, Written::Deleted { was_there: true }, None),
            (250, Rules { expiry: at(100), ..plain }, Written::Deleted { was_there: false }, None),
            (
                100,
                Rules { condition: Some(Absent), expiry: at(1), ..plain },
                Written::Not,
                Some((&[("a", "1"), ("b", "2")], 200)),
            ),
        ];
        for (now_ms, rules, written, left) in cases {
            let mut table = Table::new([1, 2, 3, 4]);
            table.put(b"1", &["a", "b"], ["1", "2"].into_iter(), Expiry::at(200));
            assert_eq!(write(&mut table, *rules, *now_ms), *written, "{rules:?}");
            let left = left.map(|(fields, ms)| {
                let fields =
                    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
                (fields, Expiry::at(ms))
            });
            assert_eq!(content(&table, *now_ms), left, "{rules:?} at {now_ms}");
        }
    }

    #[test]
    fn a_merge_is_bounded() {
        let mut table = Table::new([1, 2, 3, 4]);
        let names: Vec<String> = (0..63).map(|index| format!("f{index}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        table.put(b"1", &names, names.iter().copied(), Expiry::at(200));
        assert!(!table.merges_too_wide(b"1", &["f0", "new"], 100));
        assert!(table.merges_too_wide(b"1", &["new", "newer"], 100));
        assert!(!table.merges_too_wide(b"1", &["new", "newer"], 200));
        assert!(!table.merges_too_wide(b"2", &["new", "newer"], 100));
    }
}
