//! The price table: id to row, each row a few fields with its own expiry. Rows are in pages, found by the
//! leading bits of the id's hash.
//!
//! It grows and shrinks a page at a time (extendible hashing), so that no write pays for the whole table. It
//! is always in the order of the hashes, so that a scan never loses its place.

pub mod bounds;
mod by_shape;
pub mod codec;
mod columns;
mod defrag;
mod directory;
mod group;
mod history;
mod loader;
mod lookup;
mod max_expiry;
mod memory;
mod merge;
mod page;
mod row;
mod shape;
mod sweep;
#[cfg(test)]
mod tests;
mod verdict;
mod write;

pub use by_shape::ByShape;
pub use columns::{ColumnsWriter, finish_array};
pub use group::{RowGroup, alike, group_rows, sort_alike};
pub use history::{Changes, Revision};
pub use lookup::{IdHash, SlotHint};
pub use memory::Relocator;
pub use merge::{KeepError, MAX_KEPT_BYTES};
pub use row::{Expiry, Row, Values};
pub use shape::Shape;
pub use sweep::Swept;
pub use verdict::Verdict;
pub use write::{Condition, ExpiryPolicy, WriteOutcome, WritePolicy, Writer};

use ahash::RandomState;

use crate::Seed;
use history::History;
use max_expiry::MaxExpiry;
use memory::{list_bytes, size_class};
use page::{MAX_ROWS, Page};
use shape::{ShapeRef, Shapes};
use sweep::Sweep;

/// As many leading bits tell pages apart as a hash has.
const MAX_DEPTH: u32 = u32::BITS;

/// A table of rows, each with its own expiry.
///
/// Expired rows count as absent wherever rows are read, counted or written, whether they are swept or not.
#[derive(Debug)]
pub struct Table {
    hasher: RandomState,
    shapes: Shapes,
    /// The page of each value of the leading `depth` bits.
    directory: Vec<u32>,
    depth: u32,
    pages: Vec<Page>,
    /// What they take besides themselves.
    page_bytes: usize,
    /// How many pages have each depth.
    at_depth: [u32; 33],
    rows: usize,
    /// No row expires earlier.
    min_expiry: Expiry,
    max_expiry: MaxExpiry,
    sweep: Sweep,
    /// The row that is being written.
    draft: Vec<u8>,
    /// Loaded, copied or moved to its key, and not opened since.
    is_relocated: bool,
    /// Another process shares the memory of this one: what only tidies waits.
    is_shared: bool,
    /// How many rows were ever written or deleted.
    count: u64,
    /// Once it was asked for changes.
    history: Option<Box<History>>,
}

impl Table {
    /// An empty table.
    pub fn new(seed: Seed) -> Self {
        let [a, b, c, d] = seed;
        let hasher = RandomState::with_seeds(a, b, c, d);
        let mut at_depth = [0; 33];
        at_depth[0] = 1;
        Self {
            shapes: Shapes::new(hasher.clone()),
            hasher,
            directory: vec![0],
            depth: 0,
            pages: vec![Page::new(0, 0)],
            page_bytes: 0,
            at_depth,
            rows: 0,
            min_expiry: Expiry::NEVER,
            max_expiry: MaxExpiry::NONE,
            sweep: Sweep::START,
            draft: Vec::new(),
            is_relocated: false,
            is_shared: false,
            count: 0,
            history: None,
        }
    }

    /// A copy. Its pages have no more memory than they need.
    #[must_use]
    pub fn copy(&self) -> Self {
        let pages = self.pages.clone();
        Self {
            hasher: self.hasher.clone(),
            shapes: self.shapes.clone(),
            directory: self.directory.clone(),
            page_bytes: pages.iter().map(Page::bytes).sum(),
            pages,
            draft: Vec::new(),
            history: self.history.clone(),
            ..*self
        }
    }

    /// To be called when the table comes to a key as it is: loaded, copied, renamed or moved there.
    pub fn mark_relocated(&mut self) {
        self.is_relocated = true;
        self.history = None;
    }

    /// Whether it was relocated since this was last asked.
    pub fn take_relocated(&mut self) -> bool {
        // Written to only where it changes: most calls come to read.
        let is_relocated = self.is_relocated;
        if is_relocated {
            self.is_relocated = false;
        }
        is_relocated
    }

    /// Whether another process, as one that saves, shares the memory of this one. Then each piece of it that is
    /// written to is copied, so what only tidies waits: nothing is swept, no pages are merged.
    pub fn set_shared(&mut self, is_shared: bool) {
        if self.is_shared != is_shared {
            self.is_shared = is_shared;
        }
    }

    /// The row with this id, if it is live at `now_ms`.
    pub fn get(&self, id: &[u8], now_ms: i64) -> Option<Row<'_>> {
        self.get_at(SlotHint::unknown(self.hash(id)), id, now_ms)
    }

    /// Stores a row, in place of the one with this id if there is one. There are as many values as names, and
    /// no name twice.
    ///
    /// # Panics
    /// If the id does not have 1 to 256 bytes, or there are not as many values as names.
    pub fn put<'v>(
        &mut self,
        id: &[u8],
        names: &[&str],
        values: impl Iterator<Item = &'v str> + Clone,
        expiry: Expiry,
    ) {
        let shape = self.shapes.intern(names);
        let hint = SlotHint::unknown(self.hash(id));
        self.put_shaped(id, hint, shape, values.map(str::as_bytes), expiry);
        self.shapes.release(shape.id);
    }

    /// Stores a row of a known shape.
    fn put_shaped<'v>(
        &mut self,
        id: &[u8],
        hint: SlotHint,
        shape: ShapeRef,
        values: impl Iterator<Item = &'v [u8]> + Clone,
        expiry: Expiry,
    ) {
        let mut draft = std::mem::take(&mut self.draft);
        draft.clear();
        row::encode(&mut draft, id, expiry, shape, values);
        self.store_draft(id, hint, draft);
    }

    /// Stores a row that was encoded into the table's draft, and takes the draft back.
    #[inline]
    fn store_draft(&mut self, id: &[u8], hint: SlotHint, draft: Vec<u8>) {
        self.store(id, hint, &draft);
        self.draft = draft;
        // Don't keep the memory of a long row for the next.
        self.draft.shrink_to(4096);
    }

    fn store(&mut self, id: &[u8], hint: SlotHint, row: &[u8]) {
        let hash = hint.hash;
        let (shape, expiry) = (row::shape(row), row::expiry(row));
        self.min_expiry = self.min_expiry.min(expiry);
        self.sweep.min_expiry = self.sweep.min_expiry.min(expiry);
        let count = self.next_count();
        let page = self.page_mut(hash);
        page.count = count;
        if let Some(place) = page.find(hint.place, hash, id) {
            let (old_shape, old_expiry) = (row::shape(page.row(place)), row::expiry(page.row(place)));
            let before = page.bytes();
            page.replace(place, row);
            let after = page.bytes();
            self.replace_page_bytes(before, after);
            if old_shape != shape {
                self.shapes.add_ref(shape);
                self.shapes.release(old_shape);
            }
            self.max_expiry.invalidate(old_expiry);
            self.max_expiry.record(expiry);
            if expiry < old_expiry {
                self.note_gone(count, id);
            }
            return;
        }
        self.shapes.add_ref(shape);
        let max_depth = self.max_depth();
        while self.page(hash).len() >= MAX_ROWS && self.page(hash).depth < max_depth {
            self.split(hash);
        }
        let page = self.page_mut(hash);
        let before = page.bytes();
        page.insert(hint.place, hash, row);
        let after = page.bytes();
        self.replace_page_bytes(before, after);
        self.rows += 1;
        self.max_expiry.record(expiry);
    }

    /// Rows whose hashes share more bits than this stay together: chance doesn't explain it, and splitting on
    /// would double the directory for nothing.
    fn max_depth(&self) -> u32 {
        (self.rows.checked_ilog2().unwrap_or(0) + 8).min(MAX_DEPTH)
    }

    /// Deletes a row. Returns whether it was live at `now_ms`.
    pub fn remove(&mut self, id: &[u8], now_ms: i64) -> bool {
        let hash = self.hash(id).bits();
        let page = self.page_mut(hash);
        let Some(place) = page.find(SlotHint::UNKNOWN, hash, id) else {
            return false;
        };
        let (shape, expiry) = (row::shape(page.row(place)), row::expiry(page.row(place)));
        let before = page.bytes();
        page.remove(place);
        let after = page.bytes();
        self.replace_page_bytes(before, after);
        self.rows -= 1;
        self.shapes.release(shape);
        self.max_expiry.invalidate(expiry);
        let count = self.next_count();
        self.note_gone(count, id);
        self.merge(hash);
        !expiry.is_expired(now_ms)
    }

    /// All live rows.
    pub fn iter(&self, now_ms: i64) -> impl Iterator<Item = Row<'_>> + Clone {
        self.pages.iter().flat_map(Page::iter).filter_map(move |row| self.live(row, now_ms))
    }

    /// Visits the live rows of whole pages from `cursor` on, until `count` rows were passed; 0 begins.
    /// Returns the cursor to go on from, 0 at the end. A row that is there from the first call to the last is
    /// visited exactly once.
    pub fn scan<'t>(&'t self, cursor: u32, count: usize, now_ms: i64, mut visit: impl FnMut(Row<'t>)) -> u32 {
        let mut hash = cursor;
        let mut passed = 0;
        while passed < count {
            let page = self.page(hash);
            for row in page.rows_from(hash) {
                passed += 1;
                if let Some(row) = self.live(row, now_ms) {
                    visit(row);
                }
            }
            match page.last_hash().checked_add(1) {
                Some(next) => hash = next,
                None => return 0,
            }
        }
        hash
    }

    /// How many rows are live.
    pub fn len(&self, now_ms: i64) -> usize {
        if !self.min_expiry.is_expired(now_ms) {
            return self.rows;
        }
        let live = |page: &Page| {
            if page.max_expiry.is_expired(now_ms) {
                0
            } else if page.min_expiry.is_expired(now_ms) {
                page.iter().filter(|row| !row::expiry(row).is_expired(now_ms)).count()
            } else {
                page.len()
            }
        };
        self.pages.iter().map(live).sum()
    }

    /// The expiry of the longest-lived row, live, expired or swept; `None` where every row there was has been
    /// deleted.
    pub fn max_expiry(&mut self) -> Option<Expiry> {
        self.max_expiry.find(&mut self.pages)
    }

    /// Whether its last row has expired or was deleted, as in a table that the server expires.
    pub fn has_expired(&self, now_ms: i64) -> bool {
        self.max_expiry.has_expired(now_ms)
    }

    /// How many rows it holds: those that have expired and were not swept too.
    pub fn held_rows(&self) -> usize {
        self.rows
    }

    /// The bytes of the table as part of a value of this size, boxed.
    pub fn bytes_in(&self, size: usize) -> usize {
        self.bytes_with(size, self.page_bytes)
    }

    /// The bytes of the table by itself.
    #[cfg(test)]
    fn bytes(&self) -> usize {
        self.bytes_in(size_of::<Self>())
    }

    /// The same, counted page by page.
    #[cfg(test)]
    fn count_bytes(&self) -> usize {
        self.bytes_with(size_of::<Self>(), self.pages.iter().map(Page::count_bytes).sum())
    }

    fn bytes_with(&self, size: usize, pages: usize) -> usize {
        let lists = list_bytes(&self.pages) + list_bytes(&self.directory) + list_bytes(&self.draft);
        let history = self.history.as_ref();
        let history = history.map_or(0, |history| size_class(size_of::<History>()) + history.bytes());
        size_class(size) + pages + lists + self.shapes.bytes() + history
    }

    /// About how many allocations the table has.
    pub fn allocations(&self) -> usize {
        self.pages.iter().map(Page::allocations).sum::<usize>() + self.shapes.allocations()
    }

    /// The shapes, for writing many rows of one.
    fn shapes_mut(&mut self) -> &mut Shapes {
        &mut self.shapes
    }

    #[inline]
    fn live<'t>(&'t self, row: &'t [u8], now_ms: i64) -> Option<Row<'t>> {
        let is_live = !row::expiry(row).is_expired(now_ms);
        is_live.then(|| Row::new(row, self.shapes.get(row::shape(row))))
    }
}
