//! Waiters: clients that wait until no row they asked for is both missing and claimed.
//!
//! A waiter watches one such row at a time. When that row's claim ends or the row is filled, and only then, it is due to be
//! judged: it finds another such row to watch, or waits no longer. So a write costs what belongs to the waiters that
//! watch its rows, however many rows each has asked for.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::iter;

use ahash::RandomState;

use super::by_table::{ByTable, TableKey};

/// The number of a waiter, never 0, never another's.
pub type WaiterId = u64;

/// A client that waits; `H` is the way to it.
#[derive(Debug)]
pub struct Waiter<H> {
    /// The way to the client.
    pub handle: H,
    db: i32,
    name: Box<[u8]>,
    ids: Ids,
    /// The fields a row must have so as not to count as missing.
    fields: Vec<Box<str>>,
    /// Which of the ids it watches.
    watched: Option<usize>,
    is_due: bool,
    /// How often it was judged.
    turns: u64,
}

impl<H> Waiter<H> {
    /// The key of the table it reads.
    pub fn table(&self) -> TableKey<'_> {
        TableKey { db: self.db, name: &self.name }
    }

    /// How many ids it has asked for.
    pub fn asked(&self) -> usize {
        self.ids.len()
    }

    /// The fields a row must have so as not to count as missing.
    pub fn fields(&self) -> &[Box<str>] {
        &self.fields
    }

    pub(super) fn id(&self, index: usize) -> &[u8] {
        self.ids.get(index)
    }

    /// All places of its ids, each time in another scattered order: it looks for a row to watch in no order in which rows may
    /// be filled one by one, so that these make it look only a few times.
    pub(super) fn places(&mut self, waiter: WaiterId) -> impl Iterator<Item = usize> + use<H> {
        self.turns = self.turns.wrapping_add(1);
        let scattered = waiter.wrapping_add(self.turns).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let count = self.ids.len();
        let below_count =
            |number: u64| usize::try_from(number).ok().and_then(|n| n.checked_rem(count)).unwrap_or(0);
        let first = below_count(scattered >> 40);
        // Steps that have no divisor in common with the count come to every place once.
        let step = (below_count(scattered >> 16 & 0xff_ffff).max(1)..=count)
            .find(|step| greatest_divisor(*step, count) == 1);
        let step = step.unwrap_or(1);
        let next = move |place: &usize| place.saturating_add(step).checked_rem(count);
        iter::successors((count > 0).then_some(first), next).take(count)
    }
}

/// The greatest common divisor.
fn greatest_divisor(a: usize, b: usize) -> usize {
    a.checked_rem(b).map_or(a, |rest| greatest_divisor(b, rest))
}

/// Ids in one piece of memory.
#[derive(Debug)]
struct Ids {
    text: Vec<u8>,
    /// Where each id ends.
    ends: Vec<u32>,
}

impl Ids {
    fn new(ids: &[&[u8]]) -> Self {
        let text = ids.concat();
        let mut end = 0_usize;
        let ends = ids.iter().map(|id| {
            end = end.saturating_add(id.len());
            u32::try_from(end).unwrap_or(u32::MAX)
        });
        Self { ends: ends.collect(), text }
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    fn get(&self, index: usize) -> &[u8] {
        let end = |index: usize| self.ends.get(index).map_or(0, |end| usize::try_from(*end).unwrap_or(0));
        let start = index.checked_sub(1).map_or(0, end);
        self.text.get(start..end(index)).unwrap_or_default()
    }
}

/// All waiters.
#[derive(Debug)]
pub struct Waiters<H> {
    hasher: RandomState,
    waiters: HashMap<WaiterId, Waiter<H>, RandomState>,
    last: WaiterId,
    /// Who watches a row, in the order they came.
    watched: ByTable<HashMap<Box<[u8]>, BTreeSet<WaiterId>, RandomState>>,
    /// Who is to be judged, in order. Some may be gone.
    due: VecDeque<WaiterId>,
}

impl<H> Waiters<H> {
    pub(super) fn new(hasher: RandomState) -> Self {
        Self {
            waiters: HashMap::with_hasher(hasher.clone()),
            watched: ByTable::new(),
            hasher,
            last: 0,
            due: VecDeque::new(),
        }
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiters.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }

    /// Whether some are due to be judged.
    pub fn are_due(&self) -> bool {
        !self.due.is_empty()
    }

    pub(super) fn get_mut(&mut self, waiter: WaiterId) -> Option<&mut Waiter<H>> {
        self.waiters.get_mut(&waiter)
    }

    pub(super) fn get(&self, waiter: WaiterId) -> Option<&Waiter<H>> {
        self.waiters.get(&waiter)
    }

    /// A waiter that watches one of these ids.
    pub(super) fn add(
        &mut self,
        table: TableKey<'_>,
        ids: &[&[u8]],
        fields: &[&str],
        watched: usize,
        handle: H,
    ) -> WaiterId {
        self.last = self.last.wrapping_add(1);
        let waiter = Waiter {
            handle,
            db: table.db,
            name: table.name.into(),
            ids: Ids::new(ids),
            fields: fields.iter().map(|name| Box::from(*name)).collect(),
            watched: None,
            is_due: false,
            turns: 0,
        };
        self.waiters.insert(self.last, waiter);
        self.watch(self.last, watched);
        self.last
    }

    /// Has a waiter watch one of its ids, and no other.
    pub(super) fn watch(&mut self, waiter: WaiterId, index: usize) {
        self.unwatch(waiter);
        if let Some(found) = self.waiters.get_mut(&waiter) {
            found.watched = Some(index);
            let hasher = &self.hasher;
            let ids = self.watched.get_or_make(found.table(), || HashMap::with_hasher(hasher.clone()));
            ids.entry(found.ids.get(index).into()).or_default().insert(waiter);
        }
    }

    fn unwatch(&mut self, waiter: WaiterId) {
        let Some(found) = self.waiters.get_mut(&waiter) else {
            return;
        };
        let Some(index) = found.watched.take() else {
            return;
        };
        let Some(ids) = self.watched.get_mut(found.table()) else {
            return;
        };
        let id = found.ids.get(index);
        if let Some(watchers) = ids.get_mut(id) {
            watchers.remove(&waiter);
            if watchers.is_empty() {
                ids.remove(id);
            }
        }
        if ids.is_empty() {
            self.watched.remove(found.table());
        }
    }

    /// Forgets a waiter, if it is not forgotten yet.
    pub(super) fn remove(&mut self, waiter: WaiterId) -> Option<Waiter<H>> {
        self.unwatch(waiter);
        self.waiters.remove(&waiter)
    }

    /// Those who watch this row are due.
    pub(super) fn call(&mut self, table: TableKey<'_>, id: &[u8]) {
        let Some(ids) = self.watched.get_mut(table) else {
            return;
        };
        let watchers = ids.remove(id).unwrap_or_default();
        if ids.is_empty() {
            self.watched.remove(table);
        }
        self.make_due(watchers);
    }

    /// Those who watch any row of this table are due.
    pub(super) fn call_table(&mut self, table: TableKey<'_>) {
        let ids = self.watched.remove(table);
        self.make_due(ids.into_iter().flat_map(HashMap::into_values).flatten().collect());
    }

    /// Those who watch any row of a table of this database, or of any, are due.
    pub(super) fn call_database(&mut self, db: Option<i32>) {
        let ids = self.watched.take(db);
        self.make_due(ids.flat_map(BTreeMap::into_values).flat_map(HashMap::into_values).flatten().collect());
    }

    fn make_due(&mut self, waiters: BTreeSet<WaiterId>) {
        for id in waiters {
            if let Some(waiter) = self.waiters.get_mut(&id) {
                waiter.watched = None;
                if !waiter.is_due {
                    waiter.is_due = true;
                    self.due.push_back(id);
                }
            }
        }
    }

    /// Who is to be judged next.
    pub(super) fn next_due(&mut self) -> Option<WaiterId> {
        loop {
            let id = self.due.pop_front()?;
            if let Some(waiter) = self.waiters.get_mut(&id) {
                waiter.is_due = false;
                return Some(id);
            }
        }
    }
}
