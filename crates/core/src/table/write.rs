//! Writing a row: on which condition, with which expiry, whole or merged.

use super::merge::Mergers;
use super::shape::ShapeRef;
use super::{Expiry, IdHash, SlotHint, Table};

/// What must hold for a row to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// There is no such row.
    Absent,
    /// There is one.
    Present,
}

/// How rows are written.
#[derive(Clone, Copy, Debug)]
pub struct WritePolicy {
    /// What must hold of each row as it was before the call.
    pub condition: Option<Condition>,
    /// The named fields are set and the others kept; else the row is replaced.
    pub merge: bool,
    /// The expiry a row gets.
    pub expiry: ExpiryPolicy,
}

/// The expiry of a row that is written.
#[derive(Clone, Copy, Debug)]
pub enum ExpiryPolicy {
    /// This one.
    Set(Expiry),
    /// That of the row it replaces; for a new row this one.
    Keep(Expiry),
}

impl WritePolicy {
    /// Whether every row has expired as it is written, and so is deleted.
    pub fn has_expired(self, now_ms: i64) -> bool {
        matches!(self.expiry, ExpiryPolicy::Set(expiry) if expiry.is_expired(now_ms))
    }
}

/// What writing a row came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteOutcome {
    /// The condition did not hold.
    Skipped,
    /// The row is stored.
    Stored,
    /// Its expiry had passed: it was deleted if it was there.
    Deleted {
        /// Whether it was there.
        was_there: bool,
    },
}

impl Table {
    /// A writer of rows whose fields have one of these lists of names; no name is in a list twice.
    pub fn writer<'t, 'n>(&'t mut self, lists: &'n [Vec<&'n str>], policy: WritePolicy) -> Writer<'t, 'n> {
        let shapes = lists.iter().map(|names| self.shapes_mut().intern(names)).collect();
        let mergers = policy.merge.then(|| Mergers::new(lists, self.hasher.clone()));
        Writer { was_empty: self.rows == 0, table: self, shapes, mergers, policy }
    }
}

/// Writes rows by one policy. The table keeps their shapes as long as this lives.
#[derive(Debug)]
pub struct Writer<'t, 'n> {
    table: &'t mut Table,
    /// Of each list of names its shape.
    shapes: Vec<ShapeRef>,
    /// If the policy is to merge.
    mergers: Option<Mergers<'n>>,
    /// No row was there when it began: then there is nothing to look up in advance.
    was_empty: bool,
    policy: WritePolicy,
}

impl Writer<'_, '_> {
    /// See [`Table::slot_hints`].
    pub fn slot_hints(&self, hashes: &[IdHash]) -> [SlotHint; Table::LOOKUP_BATCH] {
        if self.was_empty {
            let mut hints = [SlotHint::default(); Table::LOOKUP_BATCH];
            hints.iter_mut().zip(hashes).for_each(|(hint, hash)| *hint = SlotHint::unknown(*hash));
            return hints;
        }
        self.table.slot_hints(hashes)
    }

    /// Writes a row with the names of this list, as many as values.
    #[expect(clippy::indexing_slicing, reason = "the caller gives the number of one of its lists")]
    pub fn write(
        &mut self,
        id: &[u8],
        hint: SlotHint,
        list: usize,
        values: &[&[u8]],
        now_ms: i64,
    ) -> WriteOutcome {
        let WritePolicy { condition, merge, expiry } = self.policy;
        let needs_old = condition.is_some() || merge || matches!(expiry, ExpiryPolicy::Keep(_));
        let old = if needs_old { self.table.get_at(hint, id, now_ms) } else { None };
        match condition {
            Some(Condition::Absent) if old.is_some() => return WriteOutcome::Skipped,
            Some(Condition::Present) if old.is_none() => return WriteOutcome::Skipped,
            _ => {}
        }
        let expiry = match expiry {
            ExpiryPolicy::Set(expiry) => expiry,
            ExpiryPolicy::Keep(default) => old.map_or(default, |row| row.expiry()),
        };
        if expiry.is_expired(now_ms) {
            return WriteOutcome::Deleted { was_there: self.table.remove(id, now_ms) };
        }
        let mut values = values.iter().copied();
        match old.zip(self.mergers.as_mut()) {
            None => {
                self.table.put_shaped(id, hint, self.shapes[list], values, expiry);
            }
            Some((row, mergers)) => {
                let fields = (list, row.shape_id());
                mergers.merge(self.table, id, hint, fields, &mut values, expiry);
            }
        }
        WriteOutcome::Stored
    }
}

impl Drop for Writer<'_, '_> {
    fn drop(&mut self) {
        // A panic that unwinds may have left the table broken, and a second one would abort the server.
        if !std::thread::panicking() {
            for shape in &self.shapes {
                self.table.shapes_mut().release(shape.id);
            }
            if let Some(mergers) = &mut self.mergers {
                mergers.release(self.table);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fields and values, and the expiry.
    type Left = (&'static [(&'static str, &'static str)], i64);

    fn at(ms: i64) -> ExpiryPolicy {
        ExpiryPolicy::Set(Expiry::at(ms))
    }

    fn content(table: &Table, now_ms: i64) -> Option<(Vec<(String, String)>, Expiry)> {
        let row = table.get(b"1", now_ms)?;
        Some((
            row.fields()
                .map(|(name, value)| (name.to_owned(), String::from_utf8(value.to_vec()).unwrap()))
                .collect(),
            row.expiry(),
        ))
    }

    fn write(table: &mut Table, policy: WritePolicy, now_ms: i64) -> WriteOutcome {
        let [hint, ..] = table.slot_hints(&[table.hash(b"1")]);
        table.writer(&[vec!["c", "b"]], policy).write(b"1", hint, 0, &[b"3", b"4"], now_ms)
    }

    #[test]
    fn rows_by_policy() {
        use Condition::{Absent, Present};
        let kept = ExpiryPolicy::Keep(Expiry::at(500));
        let plain = WritePolicy { condition: None, merge: false, expiry: at(300) };
        let stored = WriteOutcome::Stored;
        // The row that is there has a=1 b=2 and expires at 200; c=3 b=4 is written at 100 or at 250.
        let cases: &[(i64, WritePolicy, WriteOutcome, Option<Left>)] = &[
            (100, plain, stored, Some((&[("c", "3"), ("b", "4")], 300))),
            (250, plain, stored, Some((&[("c", "3"), ("b", "4")], 300))),
            (
                100,
                WritePolicy { condition: Some(Absent), ..plain },
                WriteOutcome::Skipped,
                Some((&[("a", "1"), ("b", "2")], 200)),
            ),
            (
                250,
                WritePolicy { condition: Some(Absent), ..plain },
                stored,
                Some((&[("c", "3"), ("b", "4")], 300)),
            ),
            (
                100,
                WritePolicy { condition: Some(Present), ..plain },
                stored,
                Some((&[("c", "3"), ("b", "4")], 300)),
            ),
            (250, WritePolicy { condition: Some(Present), ..plain }, WriteOutcome::Skipped, None),
            (
                100,
                WritePolicy { merge: true, ..plain },
                stored,
                Some((&[("a", "1"), ("b", "4"), ("c", "3")], 300)),
            ),
            (250, WritePolicy { merge: true, ..plain }, stored, Some((&[("c", "3"), ("b", "4")], 300))),
            (
                100,
                WritePolicy { merge: true, expiry: kept, ..plain },
                stored,
                Some((&[("a", "1"), ("b", "4"), ("c", "3")], 200)),
            ),
            (100, WritePolicy { expiry: kept, ..plain }, stored, Some((&[("c", "3"), ("b", "4")], 200))),
            (250, WritePolicy { expiry: kept, ..plain }, stored, Some((&[("c", "3"), ("b", "4")], 500))),
            (100, WritePolicy { expiry: at(100), ..plain }, WriteOutcome::Deleted { was_there: true }, None),
            (250, WritePolicy { expiry: at(100), ..plain }, WriteOutcome::Deleted { was_there: false }, None),
            (
                100,
                WritePolicy { condition: Some(Absent), expiry: at(1), ..plain },
                WriteOutcome::Skipped,
                Some((&[("a", "1"), ("b", "2")], 200)),
            ),
        ];
        for (now_ms, policy, written, left) in cases {
            let mut table = Table::new([1, 2, 3, 4]);
            table.put(b"1", &["a", "b"], ["1", "2"].into_iter(), Expiry::at(200));
            assert_eq!(write(&mut table, *policy, *now_ms), *written, "{policy:?}");
            let left = left.map(|(fields, ms)| {
                let fields =
                    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
                (fields, Expiry::at(ms))
            });
            assert_eq!(content(&table, *now_ms), left, "{policy:?} at {now_ms}");
        }
    }
}
