//! Merging fields into rows: where each value of a merged row comes from is found once for each shape.

use std::collections::{HashMap, HashSet};

use ahash::RandomState;

use super::bounds::MAX_FIELDS;
use super::shape::{ShapeId, ShapeRef};
use super::{Expiry, ExpiryPolicy, Row, Shape, SlotHint, Table, WritePolicy, row};

/// The most bytes that one call replicates of what it was not sent: the rows it merges into, and the names of
/// fields once for each shape and expiry.
pub const MAX_KEPT_BYTES: usize = 64 << 20;

/// Plans kept at a time, over all lists of names: rows mostly have few shapes.
const MAX_PLANS: usize = 256;

/// Why rows can't be written over what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepError {
    /// The row at this index would have more than [`MAX_FIELDS`] fields.
    TooWide(usize),
    /// More than [`MAX_KEPT_BYTES`] would be replicated.
    TooMuch,
}

impl Table {
    /// Checks whether these rows, each an id and the number of its list of names, can be written over those with
    /// their ids, as many as are live, where the policy keeps something of them. A replicated command takes
    /// `command_bytes` besides names and rows. One row is never too much.
    pub fn check_kept<'i>(
        &self,
        rows: impl Iterator<Item = (&'i [u8], usize)> + Clone,
        lists: &[Vec<&str>],
        policy: WritePolicy,
        command_bytes: usize,
        now_ms: i64,
    ) -> Result<(), KeepError> {
        let keeps_expiry = matches!(policy.expiry, ExpiryPolicy::Keep(_));
        if !policy.merge && !keeps_expiry {
            return Ok(());
        }
        let mut cost = KeptCost::new(self, lists, policy.merge, command_bytes);
        let (mut index, mut live, mut outcome) = (0, 0, Ok(()));
        let mut lists_of_rows = rows.clone().map(|(_, list)| list);
        self.get_each(rows.map(|(id, _)| id), now_ms, |row| {
            let list = lists_of_rows.next().unwrap_or_default();
            if let Some(row) = row.filter(|_| outcome.is_ok()) {
                live += 1;
                let is_too_wide = !cost.add(&row, list, keeps_expiry);
                if is_too_wide {
                    outcome = Err(KeepError::TooWide(index));
                } else if live > 1 && cost.bytes > MAX_KEPT_BYTES {
                    outcome = Err(KeepError::TooMuch);
                }
            }
            index += 1;
        });
        outcome
    }
}

/// What a call replicates of what it was not sent.
struct KeptCost<'n> {
    lists: &'n [Vec<&'n str>],
    hasher: RandomState,
    merge: bool,
    command_bytes: usize,
    /// Of each list and shape, how many of the names the shape lacks, and the bytes of its own.
    shapes: HashMap<(usize, ShapeId), (usize, usize), RandomState>,
    /// The commands that are sent anyway.
    commands: HashSet<KeptCommand, RandomState>,
    last: Option<KeptCommand>,
    bytes: usize,
}

/// Rows that one command carries: the list of names that is written, the shape that it is merged into, and the
/// expiry that is kept.
type KeptCommand = (usize, Option<ShapeId>, Option<Expiry>);

impl<'n> KeptCost<'n> {
    fn new(table: &Table, lists: &'n [Vec<&'n str>], merge: bool, command_bytes: usize) -> Self {
        let hasher = &table.hasher;
        Self {
            lists,
            hasher: hasher.clone(),
            merge,
            command_bytes,
            shapes: HashMap::with_hasher(hasher.clone()),
            commands: HashSet::with_hasher(hasher.clone()),
            last: None,
            bytes: 0,
        }
    }

    /// Adds a row that a list of names is written over. False if it would have too many fields.
    #[expect(clippy::indexing_slicing, reason = "the caller gives the number of one of its lists")]
    fn add(&mut self, row: &Row<'_>, list: usize, keeps_expiry: bool) -> bool {
        let shape = self.merge.then(|| row.shape_id());
        let command = (list, shape, keeps_expiry.then(|| row.expiry()));
        self.bytes += if self.merge { row.len() } else { 0 };
        if self.last == Some(command) {
            return true;
        }
        self.last = Some(command);
        if !self.commands.insert(command) {
            return true;
        }
        let names = &self.lists[list];
        self.bytes += self.command_bytes + names.iter().map(|name| name.len()).sum::<usize>();
        let Some(shape) = shape else {
            return true;
        };
        let (lacking, own_bytes) = *self.shapes.entry((list, shape)).or_insert_with(|| {
            let lacking = Names::new(names, self.hasher.clone()).lacking_in(row.shape());
            (lacking, row.shape().names().map(str::len).sum())
        });
        self.bytes += own_bytes;
        row.shape().len() + lacking <= MAX_FIELDS
    }
}

/// The names of fields, and where each stands.
#[derive(Debug)]
struct Names<'n> {
    names: &'n [&'n str],
    places: HashMap<&'n str, usize, RandomState>,
}

impl<'n> Names<'n> {
    fn new(names: &'n [&'n str], hasher: RandomState) -> Self {
        let mut places = HashMap::with_capacity_and_hasher(names.len(), hasher);
        places.extend(names.iter().copied().zip(0..));
        Self { names, places }
    }

    fn lacking_in(&self, shape: &Shape) -> usize {
        self.names.len() - shape.names().filter(|name| self.places.contains_key(name)).count()
    }
}

/// Merges fields into rows of any shape, for each list of names.
#[derive(Debug)]
pub(super) struct Mergers<'n> {
    lists: &'n [Vec<&'n str>],
    hasher: RandomState,
    by_list: HashMap<usize, Merger<'n>, RandomState>,
    /// Those of all lists.
    plans: usize,
}

/// Merges the same fields into rows of any shape.
#[derive(Debug)]
struct Merger<'n> {
    names: Names<'n>,
    plans: HashMap<ShapeId, Plan, RandomState>,
}

/// How the fields merge into rows of one shape. It keeps both shapes in the table.
#[derive(Debug)]
struct Plan {
    merged: ShapeRef,
    /// Where the values of a merged row come from.
    sources: Vec<Source>,
}

#[derive(Clone, Copy, Debug)]
enum Source {
    /// The value at this place of the row as it was.
    Old(usize),
    /// The value at this place of those given.
    New(usize),
}

impl<'n> Mergers<'n> {
    pub(super) fn new(lists: &'n [Vec<&'n str>], hasher: RandomState) -> Self {
        let by_list = HashMap::with_hasher(hasher.clone());
        Self { lists, hasher, by_list, plans: 0 }
    }

    /// Stores the row with this id, of this shape, with the fields of this list merged into it.
    ///
    /// # Panics
    /// If there is no such row.
    #[expect(clippy::indexing_slicing, reason = "a plan's places are those of the shape and the names")]
    #[expect(clippy::expect_used, reason = "the writer has just found the row")]
    #[inline(never)]
    pub(super) fn merge(
        &mut self,
        table: &mut Table,
        id: &[u8],
        hint: SlotHint,
        (list, shape): (usize, ShapeId),
        values: &mut dyn Iterator<Item = &[u8]>,
        expiry: Expiry,
    ) {
        let Plan { merged, sources } = self.plan(table, list, shape);
        let new = by_place(values);
        let mut draft = std::mem::take(&mut table.draft);
        draft.clear();
        {
            let old = table.get_at(hint, id, i64::MIN).expect("the row that is merged into is there");
            let old = by_place(old.values());
            let value = |source: &Source| match *source {
                Source::Old(place) => old[place],
                Source::New(place) => new[place],
            };
            row::encode(&mut draft, id, expiry, *merged, sources.iter().map(value));
        }
        table.store_draft(id, hint, draft);
    }

    #[expect(clippy::indexing_slicing, reason = "the caller gives the number of one of its lists")]
    fn plan(&mut self, table: &mut Table, list: usize, shape: ShapeId) -> &Plan {
        let is_known = self.by_list.get(&list).is_some_and(|merger| merger.plans.contains_key(&shape));
        if !is_known {
            if self.plans >= MAX_PLANS {
                self.release(table);
            }
            self.plans += 1;
        }
        let merger = self.by_list.entry(list).or_insert_with(|| Merger {
            names: Names::new(&self.lists[list], self.hasher.clone()),
            plans: HashMap::with_hasher(self.hasher.clone()),
        });
        merger.plans.entry(shape).or_insert_with(|| Plan::new(&merger.names, table, shape))
    }

    /// Gives back the shapes that the plans keep.
    pub(super) fn release(&mut self, table: &mut Table) {
        for (old, plan) in self.by_list.drain().flat_map(|(_, merger)| merger.plans) {
            table.shapes_mut().release(old);
            table.shapes_mut().release(plan.merged.id);
        }
        self.plans = 0;
    }
}

impl Plan {
    #[expect(clippy::indexing_slicing, reason = "`places` are places of the names")]
    fn new(names: &Names<'_>, table: &mut Table, shape: ShapeId) -> Self {
        let old: Vec<String> = table.shapes_mut().get(shape).names().map(str::to_owned).collect();
        let mut is_new = vec![true; names.names.len()];
        let (mut merged, mut sources) = (Vec::new(), Vec::new());
        for (place, name) in old.iter().enumerate() {
            merged.push(name.as_str());
            sources.push(match names.places.get(name.as_str()) {
                Some(&given) => {
                    is_new[given] = false;
                    Source::New(given)
                }
                None => Source::Old(place),
            });
        }
        for (place, name) in names.names.iter().enumerate().filter(|(place, _)| is_new[*place]) {
            merged.push(name);
            sources.push(Source::New(place));
        }
        table.shapes_mut().add_ref(shape);
        Self { merged: table.shapes_mut().intern(&merged), sources }
    }
}

/// A row's values, each at its place.
fn by_place<'v>(values: impl Iterator<Item = &'v [u8]>) -> [&'v [u8]; MAX_FIELDS] {
    let mut places = [[].as_slice(); MAX_FIELDS];
    places.iter_mut().zip(values).for_each(|(place, value)| *place = value);
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(range: std::ops::Range<usize>) -> Vec<String> {
        range.map(|index| format!("f{index}")).collect()
    }

    fn as_strs(names: &[String]) -> Vec<&str> {
        names.iter().map(String::as_str).collect()
    }

    const MERGE: WritePolicy =
        WritePolicy { merge: true, condition: None, expiry: ExpiryPolicy::Set(Expiry::NEVER) };

    #[test]
    fn a_merge_is_bounded_in_fields() {
        let mut table = Table::new([1, 2, 3, 4]);
        let names = names(0..63);
        let names = as_strs(&names);
        table.put(b"1", &names, names.iter().copied(), Expiry::at(200));
        let check = |ids: &[&[u8]], names: &[&str], now_ms| {
            table.check_kept(ids.iter().map(|id| (*id, 0)), &[names.to_vec()], MERGE, 0, now_ms)
        };
        assert_eq!(check(&[b"1"], &["f0", "new"], 100), Ok(()));
        assert_eq!(check(&[b"0", b"1"], &["new", "newer"], 100), Err(KeepError::TooWide(1)));
        assert_eq!(check(&[b"1"], &["new", "newer"], 200), Ok(()));
        assert_eq!(check(&[b"2"], &["new", "newer"], 100), Ok(()));
    }

    #[test]
    fn a_merge_is_bounded_in_bytes() {
        let mut table = Table::new([1, 2, 3, 4]);
        let value = "x".repeat(1 << 20);
        let ids: Vec<[u8; 1]> = (0..70).map(|id| [id]).collect();
        for id in &ids {
            table.put(id, &["a"], [value.as_str()].into_iter(), Expiry::NEVER);
        }
        let check = |count| {
            table.check_kept(ids[..count].iter().map(|id| (id.as_slice(), 0)), &[vec!["b"]], MERGE, 0, 0)
        };
        assert_eq!(check(63), Ok(()));
        assert_eq!(check(64), Err(KeepError::TooMuch));
    }

    #[test]
    fn names_count_for_each_expiry_that_is_kept() {
        const COUNT: i64 = 5_000;
        let mut table = Table::new([1, 2, 3, 4]);
        let names: Vec<String> = (0..64).map(|index| format!("{index:0>256}")).collect();
        let names = as_strs(&names);
        let ids: Vec<String> = (0..COUNT).map(|id| id.to_string()).collect();
        let keep = ExpiryPolicy::Keep(Expiry::NEVER);
        for (own_expiries, merge, expiry, refused) in [
            (true, true, keep, true),
            (true, false, keep, true),
            (false, true, keep, false),
            (false, false, keep, false),
            (true, true, ExpiryPolicy::Set(Expiry::at(1)), false),
            (true, false, ExpiryPolicy::Set(Expiry::at(1)), false),
        ] {
            for (id, index) in ids.iter().zip(1..) {
                let expiry = Expiry::at(if own_expiries { index } else { 1 });
                table.put(id.as_bytes(), &names, names.iter().map(|_| ""), expiry);
            }
            let policy = WritePolicy { merge, condition: None, expiry };
            let rows = ids.iter().map(|id| (id.as_bytes(), 0));
            let checked = table.check_kept(rows, std::slice::from_ref(&names), policy, 0, 0);
            assert_eq!(checked.is_err(), refused, "own expiries {own_expiries}, {policy:?}");
        }
        let one = std::iter::once((ids[0].as_bytes(), 0));
        let policy = WritePolicy { merge: true, condition: None, expiry: keep };
        assert_eq!(table.check_kept(one, &[names], policy, 2 * MAX_KEPT_BYTES, 0), Ok(()));
    }
}
