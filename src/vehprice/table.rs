//! The table: id to row, in pages found by the leading bits of the id's hash.
//!
//! It grows and shrinks a page at a time (extendible hashing), so that no write pays for the whole table; and it is in
//! the order of the hashes at every time, so that a scan is never lost in it.

mod defrag;
mod directory;
mod latest;
mod sweep;

use ahash::RandomState;

use super::memory::{list_bytes, size_class};
use super::page::{MOST_ROWS, Page};
use super::row::{self, Expiry, Row};
use super::shape::{ShapeId, Shapes};
use latest::Latest;
use sweep::Sweep;

/// What makes a table's hash its own: no client can know which ids fall together.
pub type Seed = [u64; 4];

/// The most leading bits that tell pages apart: as many as a hash has.
const DEEPEST: u32 = 32;

/// A table of rows, each with its own expiry.
///
/// Expired rows count as absent wherever rows are read, counted or written, whether they are swept or not.
#[derive(Clone, Debug)]
pub struct Table {
    hasher: RandomState,
    shapes: Shapes,
    /// The page of each value of the leading `depth` bits.
    directory: Vec<u32>,
    depth: u32,
    pages: Vec<Page>,
    /// How many pages have each depth.
    at_depth: [u32; 33],
    rows: usize,
    /// No row expires earlier.
    earliest: Expiry,
    latest: Latest,
    sweep: Sweep,
    /// The row that is being written.
    draft: Vec<u8>,
    /// It came to its key otherwise than by writes of its rows, and nobody has seen it there yet.
    has_arrived: bool,
}

/// The first half of an id's hash in its table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IdHash(u32);

impl IdHash {
    /// The half as a number.
    pub const fn bits(self) -> u32 {
        self.0
    }
}

/// Where the row with an id most likely is. A spot that other writes made stale costs time and nothing else.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spot {
    hash: u32,
    place: usize,
}

impl Spot {
    /// A place that no row has.
    const UNKNOWN: usize = usize::MAX;

    /// Where a row would be that nobody has looked for.
    pub(super) const fn of(hash: IdHash) -> Self {
        Self { hash: hash.0, place: Self::UNKNOWN }
    }
}

/// A row that is looked up beside others.
#[derive(Clone, Copy, Default)]
struct Sought<'t, 'i> {
    id: &'i [u8],
    hash: IdHash,
    page: Option<&'t Page>,
    /// Where the row would be in its page.
    place: usize,
    /// The row that is there; empty if none is.
    row: &'t [u8],
}

impl Table {
    /// An empty table.
    pub fn new(seed: Seed) -> Self {
        let [a, b, c, d] = seed;
        let hasher = RandomState::with_seeds(a, b, c, d);
        let mut at_depth = [0; 33];
        if let Some(pages) = at_depth.first_mut() {
            *pages = 1;
        }
        Self {
            shapes: Shapes::new(hasher.clone()),
            hasher,
            directory: vec![0],
            depth: 0,
            pages: vec![Page::new(0, 0)],
            at_depth,
            rows: 0,
            earliest: Expiry::NEVER,
            latest: Latest::NONE,
            sweep: Sweep::START,
            draft: Vec::new(),
            has_arrived: false,
        }
    }

    /// It comes to a key as it is: loaded, copied, renamed or moved there.
    pub fn arrive(&mut self) {
        self.has_arrived = true;
    }

    /// Whether it has come so since this was asked last.
    pub fn take_arrival(&mut self) -> bool {
        std::mem::take(&mut self.has_arrived)
    }

    /// The row with this id, if it is live at `now_ms`.
    pub fn get(&self, id: &[u8], now_ms: i64) -> Option<Row<'_>> {
        self.get_at(Spot::of(self.hash(id)), id, now_ms)
    }

    /// As [`Table::get`], where the row's spot is known.
    pub(super) fn get_at(&self, spot: Spot, id: &[u8], now_ms: i64) -> Option<Row<'_>> {
        let page = self.page(spot.hash)?;
        self.live(page.row(page.find(spot.place, spot.hash, id)?), now_ms)
    }

    /// The shapes, for who writes many rows of one.
    pub(super) fn shapes_mut(&mut self) -> &mut Shapes {
        &mut self.shapes
    }

    /// How many ids are looked up side by side.
    pub const SIDE_BY_SIDE: usize = 32;

    /// Looks up ids in order, several side by side. Each is looked up soon after it was read, as long as it is near the
    /// processor.
    pub fn get_each<'t, 'i>(
        &'t self,
        mut ids: impl Iterator<Item = &'i [u8]>,
        now_ms: i64,
        mut visit: impl FnMut(Option<Row<'t>>),
    ) {
        let mut sought = [Sought::default(); Self::SIDE_BY_SIDE];
        loop {
            let mut count = 0_usize;
            for (sought, id) in sought.iter_mut().zip(&mut ids) {
                (sought.id, sought.hash) = (id, self.hash(id));
                count = count.saturating_add(1);
            }
            let found = sought.get_mut(..count).unwrap_or_default();
            self.look_up(found);
            for Sought { id, hash, place, row, .. } in found {
                visit(if row::has_id(row, id) {
                    self.live(row, now_ms)
                } else {
                    // It is not there, or another id with the same hash stands before it.
                    self.get_at(Spot { hash: hash.0, place: *place }, id, now_ms)
                });
            }
            if count < Self::SIDE_BY_SIDE {
                return;
            }
        }
    }

    /// What an id is looked up by.
    #[inline]
    pub fn hash(&self, id: &[u8]) -> IdHash {
        // The shift leaves 32 bits.
        IdHash(u32::try_from(self.hasher.hash_one(id) >> 32).unwrap_or_default())
    }

    /// Where the rows of these ids are, [`Self::SIDE_BY_SIDE`] at most; and what belongs to them is near the processor
    /// then.
    pub fn spots(&self, hashes: &[IdHash]) -> [Spot; Self::SIDE_BY_SIDE] {
        let mut sought = [Sought::default(); Self::SIDE_BY_SIDE];
        for (sought, hash) in sought.iter_mut().zip(hashes) {
            sought.hash = *hash;
        }
        self.look_up(sought.get_mut(..hashes.len()).unwrap_or_default());
        sought.map(|Sought { hash, place, .. }| Spot { hash: hash.0, place })
    }

    /// Finds where the rows with these hashes would be: each step is done for all of them before the next, so that their
    /// cache misses overlap.
    #[inline]
    fn look_up<'t>(&'t self, sought: &mut [Sought<'t, '_>]) {
        for sought in sought.iter_mut() {
            sought.page = self.page(sought.hash.0);
        }
        // What is read only to have it near.
        let mut touched = 0;
        for sought in sought.iter() {
            touched ^= sought.page.map_or(0, Page::touch);
        }
        for sought in sought.iter_mut() {
            if let Some(page) = sought.page {
                sought.place = page.place(sought.hash.0);
                sought.row = page.row(sought.place);
            }
        }
        for Sought { row, .. } in sought.iter() {
            touched ^= u32::from(row.first().copied().unwrap_or_default());
            touched ^= u32::from(row.last().copied().unwrap_or_default());
        }
        std::hint::black_box(touched);
    }

    /// Stores a row in the place of the one with this id, if there is one. The id has 1 to 256 bytes; there are as many
    /// values as names, and no name twice.
    pub fn put<'v>(
        &mut self,
        id: &[u8],
        names: &[&str],
        values: impl Iterator<Item = &'v str> + Clone,
        expiry: Expiry,
    ) {
        let shape = self.shapes.take(names);
        let spot = Spot::of(self.hash(id));
        self.put_shaped(id, spot, shape, values, expiry);
        self.shapes.give_back(shape);
    }

    /// Stores a row of a shape that is there; false if in the place of one with this id, live or not.
    pub(super) fn put_shaped<'v>(
        &mut self,
        id: &[u8],
        spot: Spot,
        shape: ShapeId,
        values: impl Iterator<Item = &'v str> + Clone,
        expiry: Expiry,
    ) -> bool {
        let mut draft = std::mem::take(&mut self.draft);
        draft.clear();
        row::encode(&mut draft, id, expiry, shape, values);
        let is_new = self.store(id, spot, shape, &draft);
        self.draft = draft;
        // The room for a long row is not kept for the next.
        self.draft.shrink_to(4096);
        is_new
    }

    fn store(&mut self, id: &[u8], spot: Spot, shape: ShapeId, row: &[u8]) -> bool {
        let hash = spot.hash;
        let expiry = row::expiry(row);
        self.earliest = self.earliest.min(expiry);
        self.sweep.earliest = self.sweep.earliest.min(expiry);
        let found = self.page_mut(hash).and_then(|page| Some((page.find(spot.place, hash, id)?, page)));
        if let Some((place, page)) = found {
            let (old_shape, old_expiry) = (row::shape(page.row(place)), row::expiry(page.row(place)));
            page.replace(place, row);
            if old_shape == shape {
                self.latest.forget(old_expiry);
            } else {
                self.shapes.take_again(shape);
                self.forget(old_shape, old_expiry);
            }
            self.latest.note(expiry);
            return false;
        }
        self.shapes.take_again(shape);
        // Rows whose hashes are alike for longer than chance would have it stay together: splitting on would double the
        // directory for nothing.
        let deepest = self.rows.checked_ilog2().unwrap_or_default().saturating_add(8).min(DEEPEST);
        while self.page(hash).is_some_and(|page| page.len() >= MOST_ROWS && page.depth < deepest) {
            self.split(hash);
        }
        if let Some(page) = self.page_mut(hash) {
            page.insert(spot.place, hash, row);
            self.rows = self.rows.saturating_add(1);
        }
        self.latest.note(expiry);
        true
    }

    /// Deletes a row; true if it was live at `now_ms`.
    pub fn remove(&mut self, id: &[u8], now_ms: i64) -> bool {
        let hash = self.hash(id).0;
        let Some((place, page)) =
            self.page_mut(hash).and_then(|page| Some((page.find(Spot::UNKNOWN, hash, id)?, page)))
        else {
            return false;
        };
        let (shape, expiry) = (row::shape(page.row(place)), row::expiry(page.row(place)));
        page.remove(place);
        self.rows = self.rows.saturating_sub(1);
        self.forget(shape, expiry);
        self.merge(hash);
        !expiry.is_over(now_ms)
    }

    /// All live rows.
    pub fn iter(&self, now_ms: i64) -> impl Iterator<Item = Row<'_>> {
        self.pages.iter().flat_map(Page::iter).filter_map(move |row| self.live(row, now_ms))
    }

    /// Visits the live rows of whole pages from `cursor` on, until `count` rows were passed; 0 begins. Returns the cursor
    /// to go on from, 0 at the end. A row that is there from the first call to the last is visited just once.
    pub fn scan<'t>(&'t self, cursor: u64, count: usize, now_ms: i64, mut visit: impl FnMut(Row<'t>)) -> u64 {
        let mut next = cursor;
        let mut passed = 0_usize;
        while passed < count {
            let Ok(hash) = u32::try_from(next) else {
                return 0;
            };
            let Some(page) = self.page(hash) else {
                return 0;
            };
            for row in page.rows_from(hash) {
                passed = passed.saturating_add(1);
                if let Some(row) = self.live(row, now_ms) {
                    visit(row);
                }
            }
            // The first hash behind the page.
            let free_bits = DEEPEST.saturating_sub(page.depth);
            let prefix = u64::from(hash).checked_shr(free_bits).unwrap_or_default();
            next = prefix.saturating_add(1).checked_shl(free_bits).unwrap_or_default();
        }
        if u32::try_from(next).is_ok() { next } else { 0 }
    }

    /// Live rows.
    pub fn len(&self, now_ms: i64) -> usize {
        if !self.earliest.is_over(now_ms) {
            return self.rows;
        }
        let live = |page: &Page| {
            if page.latest.is_over(now_ms) {
                0
            } else if page.earliest.is_over(now_ms) {
                page.iter().filter(|row| !row::expiry(row).is_over(now_ms)).count()
            } else {
                page.len()
            }
        };
        self.pages.iter().map(live).sum()
    }

    /// The expiry of the longest-lived row, live, expired or swept; `None` where there was no row but those deleted.
    pub fn latest_expiry(&mut self) -> Option<Expiry> {
        self.latest.find(&mut self.pages)
    }

    /// Whether its last row is over, or was deleted: so is that of a table that goes by itself.
    pub fn has_outlived_its_rows(&self, now_ms: i64) -> bool {
        self.latest.is_over(now_ms)
    }

    /// The bytes of the table.
    pub fn bytes(&self) -> usize {
        let pages: usize = self.pages.iter().map(Page::bytes).sum();
        size_class(size_of::<Self>())
            .saturating_add(pages)
            .saturating_add(list_bytes(&self.pages))
            .saturating_add(list_bytes(&self.directory))
            .saturating_add(list_bytes(&self.draft))
            .saturating_add(self.shapes.bytes())
    }

    /// How many pieces of memory the table has, about.
    pub fn pieces(&self) -> usize {
        self.pages.iter().map(Page::pieces).sum::<usize>().saturating_add(self.shapes.pieces())
    }

    #[inline]
    fn live<'t>(&'t self, row: &'t [u8], now_ms: i64) -> Option<Row<'t>> {
        if row::expiry(row).is_over(now_ms) { None } else { self.view(row) }
    }

    #[inline]
    fn view<'t>(&'t self, row: &'t [u8]) -> Option<Row<'t>> {
        Some(Row::new(row, self.shapes.get(row::shape(row))?))
    }

    /// A row with this shape and this expiry is gone.
    fn forget(&mut self, shape: ShapeId, expiry: Expiry) {
        self.shapes.give_back(shape);
        self.latest.forget(expiry);
    }
}
