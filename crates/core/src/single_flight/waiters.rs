//! Waiters: clients that wait until no row they asked for is both missing and claimed.
//!
//! A waiter watches one such row at a time. Only when that row's claim ends or the row is stored is the
//! waiter due for a recheck, which finds another such row to watch or ends the wait. So a write pays for the
//! waiters that watch its rows, however many rows each has asked for.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::iter;
use std::sync::Arc;

use ahash::RandomState;

use super::table_map::{OwnedTableKey, TableKey, TableMap};

/// How long a waiter is put off, in milliseconds.
const PUT_OFF_MS: i64 = 100;

/// The number of a waiter: never 0, never used again.
pub type WaiterId = u64;

/// A client, and the ids it asked for.
pub trait WaitingClient {
    /// How many ids it asked for.
    fn id_count(&self) -> usize;

    /// The id at this index.
    fn id(&self, index: usize) -> &[u8];

    /// About how many bytes are kept for this; always the same.
    fn bytes(&self) -> usize;
}

/// A client that waits.
#[derive(Debug)]
pub struct Waiter<C> {
    /// The client.
    pub client: C,
    table: OwnedTableKey,
    fields: Arc<[Box<str>]>,
    since_ms: i64,
    /// The index of the id it watches; none while it is due.
    watched: Option<usize>,
    is_due: bool,
    /// How often it was rechecked.
    rechecks: u64,
}

impl<C: WaitingClient> Waiter<C> {
    /// The key of the table it reads.
    pub fn table(&self) -> &OwnedTableKey {
        &self.table
    }

    /// The fields without which a row counts as missing.
    pub fn fields(&self) -> &Arc<[Box<str>]> {
        &self.fields
    }

    /// About how many bytes it takes. Its table's name is shared with the claims.
    fn bytes(&self) -> usize {
        /// What a waiter takes beside its ids and fields: its place in the maps, and the id it watches.
        const WAITER_BYTES: usize = 512;

        let fields = self.fields.iter().map(|name| size_of::<Box<str>>() + name.len());
        WAITER_BYTES + fields.sum::<usize>() + self.client.bytes()
    }

    /// The indices of all its ids, scattered differently each time. If rows were stored in the order in which
    /// it scans, it would watch the very next one, and each row would cause a recheck.
    pub(super) fn scan_order(&mut self, waiter: WaiterId) -> impl Iterator<Item = usize> + use<C> {
        self.rechecks += 1;
        let scattered = waiter.wrapping_add(self.rechecks).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let count = self.client.id_count();
        let below_count = |bits: u64| (bits & 0xff_ffff) as usize % count;
        let first = below_count(scattered >> 40);
        // A step without a common divisor with the count reaches every index once; count - 1 always is one.
        let mut step = below_count(scattered >> 16).max(1);
        while greatest_divisor(step, count) > 1 {
            step += 1;
        }
        iter::successors(Some(first), move |index| Some((index + step) % count)).take(count)
    }
}

/// The greatest common divisor.
fn greatest_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_divisor(b, a % b) }
}

/// Who watches which row.
#[derive(Debug)]
struct Watchers {
    hasher: RandomState,
    tables: TableMap<TableWatchers>,
}

/// Who watches which row of a table, by id. Waiters are woken in the order in which they came.
type TableWatchers = HashMap<Box<[u8]>, BTreeSet<WaiterId>, RandomState>;

impl Watchers {
    fn add(&mut self, table: &OwnedTableKey, id: &[u8], waiter: WaiterId) {
        let rows = self.tables.get_or_insert_with(table, || HashMap::with_hasher(self.hasher.clone()));
        rows.entry(id.into()).or_default().insert(waiter);
    }

    #[expect(clippy::expect_used, reason = "whoever watches a row was added to it")]
    fn remove(&mut self, table: TableKey<'_>, id: &[u8], waiter: WaiterId) {
        let rows = self.tables.get_mut(table).expect("a watched row has a table");
        let row = rows.get_mut(id).expect("a watched row has watchers");
        row.remove(&waiter);
        if row.is_empty() {
            self.take_row(table, id);
        }
    }

    fn take_row(&mut self, table: TableKey<'_>, id: &[u8]) -> Option<BTreeSet<WaiterId>> {
        let rows = self.tables.get_mut(table)?;
        let row = rows.remove(id);
        if rows.is_empty() {
            self.tables.remove(table);
        }
        row
    }

    fn take_table(&mut self, table: TableKey<'_>) -> BTreeSet<WaiterId> {
        let rows = self.tables.remove(table).map(|(_, rows)| rows);
        rows.into_iter().flat_map(HashMap::into_values).flatten().collect()
    }

    fn take_database(&mut self, db: Option<i32>) -> BTreeSet<WaiterId> {
        let tables = self.tables.take(db).flat_map(BTreeMap::into_values);
        tables.flat_map(HashMap::into_values).flatten().collect()
    }
}

/// All waiters.
#[derive(Debug)]
pub struct Waiters<C> {
    /// In the order in which they came.
    waiters: BTreeMap<WaiterId, Waiter<C>>,
    bytes: usize,
    last_id: WaiterId,
    watchers: Watchers,
    /// Who is due for a recheck, in order. Some may have left.
    due: VecDeque<WaiterId>,
    /// Who is due later, and when each was put off, in order. Some may have left.
    put_off: VecDeque<(i64, WaiterId)>,
}

impl<C: WaitingClient> Waiters<C> {
    pub(super) fn new(hasher: RandomState) -> Self {
        Self {
            waiters: BTreeMap::new(),
            bytes: 0,
            last_id: 0,
            watchers: Watchers { hasher, tables: TableMap::new() },
            due: VecDeque::new(),
            put_off: VecDeque::new(),
        }
    }

    /// How many clients wait.
    pub fn len(&self) -> usize {
        self.waiters.len()
    }

    /// Whether no client waits.
    pub fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }

    /// Since when the one waits that came first.
    pub fn first_since_ms(&self) -> Option<i64> {
        self.waiters.first_key_value().map(|(_, waiter)| waiter.since_ms)
    }

    /// About how many bytes they take.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether a waiter may be due for a recheck.
    pub fn has_due(&self) -> bool {
        !self.due.is_empty()
    }

    /// When the next waiter that was put off is due.
    pub fn next_put_off_ms(&self) -> Option<i64> {
        self.put_off.front().map(|(since_ms, _)| since_ms + PUT_OFF_MS)
    }

    pub(super) fn get_mut(&mut self, waiter: WaiterId) -> Option<&mut Waiter<C>> {
        self.waiters.get_mut(&waiter)
    }

    /// Adds a waiter that watches the id at this index.
    pub(super) fn add(
        &mut self,
        table: OwnedTableKey,
        fields: &[&str],
        watched: usize,
        client: C,
        now_ms: i64,
    ) -> WaiterId {
        self.last_id += 1;
        let fields = fields.iter().map(|name| Box::from(*name)).collect();
        let waiter =
            Waiter { client, table, fields, since_ms: now_ms, watched: None, is_due: false, rechecks: 0 };
        self.bytes += waiter.bytes();
        self.waiters.insert(self.last_id, waiter);
        self.watch(self.last_id, watched);
        self.last_id
    }

    /// Has a waiter watch the id at this index, and no other.
    #[expect(clippy::expect_used, reason = "callers have just looked the waiter up, or added it")]
    pub(super) fn watch(&mut self, id: WaiterId, index: usize) {
        let waiter = self.waiters.get_mut(&id).expect("a waiter that watches is there");
        if let Some(previous) = waiter.watched.replace(index) {
            self.watchers.remove(waiter.table.as_key(), waiter.client.id(previous), id);
        }
        self.watchers.add(&waiter.table, waiter.client.id(index), id);
    }

    /// Removes a waiter that has not left yet.
    pub(super) fn remove(&mut self, id: WaiterId) -> Option<Waiter<C>> {
        let waiter = self.waiters.remove(&id)?;
        self.bytes -= waiter.bytes();
        if let Some(index) = waiter.watched {
            self.watchers.remove(waiter.table.as_key(), waiter.client.id(index), id);
        }
        Some(waiter)
    }

    /// Whoever watches this row is due.
    pub(super) fn wake_row(&mut self, table: TableKey<'_>, id: &[u8]) {
        let row = self.watchers.take_row(table, id);
        self.make_due(row.into_iter().flatten());
    }

    /// Whoever watches a row of this table is due.
    pub(super) fn wake_table(&mut self, table: TableKey<'_>) {
        let watchers = self.watchers.take_table(table);
        self.make_due(watchers);
    }

    /// Whoever watches a row of this database, or of any database, is due.
    pub(super) fn wake_database(&mut self, db: Option<i32>) {
        let watchers = self.watchers.take_database(db);
        self.make_due(watchers);
    }

    #[expect(clippy::expect_used, reason = "a waiter that leaves stops watching")]
    fn make_due(&mut self, watchers: impl IntoIterator<Item = WaiterId>) {
        for id in watchers {
            let waiter = self.waiters.get_mut(&id).expect("a watcher waits");
            waiter.watched = None;
            if !waiter.is_due {
                waiter.is_due = true;
                self.due.push_back(id);
            }
        }
    }

    /// Takes the next waiter that is due.
    pub(super) fn pop_due(&mut self) -> Option<WaiterId> {
        loop {
            let id = self.due.pop_front()?;
            if let Some(waiter) = self.waiters.get_mut(&id) {
                waiter.is_due = false;
                return Some(id);
            }
        }
    }

    /// A waiter that was due and watches no row is due again in [`PUT_OFF_MS`].
    pub(super) fn put_off(&mut self, id: WaiterId, now_ms: i64) {
        self.put_off.push_back((now_ms, id));
    }

    /// Whoever was put off long enough is due; and if the clock has gone back, whoever was put off.
    pub(super) fn wake_put_off(&mut self, now_ms: i64) {
        while let Some(&(since_ms, id)) = self.put_off.front() {
            if (since_ms..since_ms + PUT_OFF_MS).contains(&now_ms) {
                break;
            }
            self.put_off.pop_front();
            if self.waiters.contains_key(&id) {
                self.make_due([id]);
            }
        }
    }
}
