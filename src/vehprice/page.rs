//! A page: a few dozen rows whose ids' hashes begin alike, in the order of their hashes.

use super::row::{self, Expiry};

/// The most rows of a page that can still be split.
pub(super) const MOST_ROWS: usize = 64;

/// Rows longer than this are kept by themselves, so that moving a page's rows together stays cheap.
const LONGEST_INLINE: usize = 512;

/// Where a row of a page is.
#[derive(Clone, Copy, Debug)]
struct Slot {
    /// The first half of the hash of the row's id.
    key: u32,
    /// Where the row begins among the page's rows, or its place in the list of long rows.
    start: u16,
    /// How long it is; 0: it is a long row.
    length: u16,
}

/// A page of rows.
#[derive(Clone, Debug)]
pub(super) struct Page {
    /// By key.
    slots: Vec<Slot>,
    /// The rows, back to back.
    rows: Vec<u8>,
    long_rows: Vec<Box<[u8]>>,
    /// How many leading bits of their hashes the rows of this page have in common.
    pub(super) depth: u32,
    /// The least key that belongs here.
    pub(super) first_key: u32,
    /// No row expires earlier.
    pub(super) earliest: Expiry,
}

impl Page {
    pub(super) fn new(depth: u32, first_key: u32) -> Self {
        let (slots, rows, long_rows) = (Vec::new(), Vec::new(), Vec::new());
        Self { slots, rows, long_rows, depth, first_key, earliest: Expiry::NEVER }
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The bytes the page takes besides itself.
    pub(super) fn bytes(&self) -> usize {
        let long: usize = self.long_rows.iter().map(|row| row.len()).sum();
        let slots = self.slots.capacity().saturating_mul(size_of::<Slot>());
        let long_list = self.long_rows.capacity().saturating_mul(size_of::<Box<[u8]>>());
        self.rows.capacity().saturating_add(slots).saturating_add(long).saturating_add(long_list)
    }

    /// The place of the row with this id.
    #[inline]
    pub(super) fn find(&self, key: u32, id: &[u8]) -> Option<usize> {
        let first = self.place(key);
        let same_key = self.slots.get(first..)?.iter().take_while(|slot| slot.key == key);
        let found = same_key.enumerate().find(|(_, slot)| row::id(self.bytes_of(slot)) == id);
        found.map(|(index, _)| first.saturating_add(index))
    }

    /// The first place whose key is not less.
    #[inline]
    fn place(&self, key: u32) -> usize {
        self.slots.partition_point(|slot| slot.key < key)
    }

    /// The row at a place.
    #[inline]
    pub(super) fn row(&self, place: usize) -> &[u8] {
        self.slots.get(place).map_or(&[], |slot| self.bytes_of(slot))
    }

    #[inline]
    fn bytes_of(&self, slot: &Slot) -> &[u8] {
        let start = usize::from(slot.start);
        if slot.length == 0 {
            return self.long_rows.get(start).map_or(&[], |row| row);
        }
        self.rows.get(start..start.saturating_add(usize::from(slot.length))).unwrap_or_default()
    }

    /// The rows whose keys are not less than `key`, in order, with their keys.
    pub(super) fn rows_from(&self, key: u32) -> impl Iterator<Item = (u32, &[u8])> {
        let slots = self.slots.get(self.place(key)..).unwrap_or_default();
        slots.iter().map(|slot| (slot.key, self.bytes_of(slot)))
    }

    /// All rows, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.slots.iter().map(|slot| self.bytes_of(slot))
    }

    /// Adds a row whose id is not in the page.
    pub(super) fn insert(&mut self, key: u32, row: &[u8]) {
        self.earliest = self.earliest.min(row::expiry(row));
        let (start, length) = self.append(row);
        let place = self.place(key);
        grow(&mut self.slots, 1, 4);
        self.slots.insert(place, Slot { key, start, length });
    }

    /// Puts a row in the place of the one that is there.
    pub(super) fn replace(&mut self, place: usize, row: &[u8]) {
        let Some(slot) = self.slots.get(place).copied() else {
            return;
        };
        self.earliest = self.earliest.min(row::expiry(row));
        let start = usize::from(slot.start);
        let end = start.saturating_add(usize::from(slot.length));
        match self.rows.get_mut(start..end) {
            Some(old) if slot.length > 0 && old.len() == row.len() => old.copy_from_slice(row),
            _ => {
                self.cut(slot);
                let (start, length) = self.append(row);
                if let Some(slot) = self.slots.get_mut(place) {
                    (slot.start, slot.length) = (start, length);
                }
            }
        }
    }

    /// Takes a row out.
    pub(super) fn remove(&mut self, place: usize) {
        if place < self.slots.len() {
            let slot = self.slots.remove(place);
            self.cut(slot);
        }
    }

    /// Keeps the rows for which `keep` holds, and sets the page's earliest expiry anew.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&[u8]) -> bool) {
        let mut kept = Self::new(self.depth, self.first_key);
        for slot in &self.slots {
            let row = self.bytes_of(slot);
            if keep(row) {
                kept.push(slot.key, row);
            }
        }
        kept.fit();
        *self = kept;
    }

    /// Splits the page in two by the next bit of the keys; this one keeps the rows without it.
    pub(super) fn split(&mut self) -> Self {
        let depth = self.depth.saturating_add(1);
        let bit = 1_u32.checked_shl(32_u32.saturating_sub(depth)).unwrap_or_default();
        let mut low = Self::new(depth, self.first_key);
        let mut high = Self::new(depth, self.first_key | bit);
        for slot in &self.slots {
            let page = if slot.key & bit == 0 { &mut low } else { &mut high };
            page.push(slot.key, self.bytes_of(slot));
        }
        low.fit();
        high.fit();
        *self = low;
        high
    }

    /// Takes in the rows of the page that was split from this one.
    pub(super) fn merge(&mut self, high: &Self) {
        for slot in &high.slots {
            self.push(slot.key, high.bytes_of(slot));
        }
        self.depth = self.depth.saturating_sub(1);
        self.fit();
    }

    /// Adds a row whose key is not less than any here.
    fn push(&mut self, key: u32, row: &[u8]) {
        self.earliest = self.earliest.min(row::expiry(row));
        let (start, length) = self.append(row);
        self.slots.push(Slot { key, start, length });
    }

    /// Gives back the room that is not needed.
    fn fit(&mut self) {
        self.slots.shrink_to_fit();
        self.rows.shrink_to_fit();
    }

    /// Writes a row behind the others, or beside them if it is long: where it begins, and its length.
    fn append(&mut self, row: &[u8]) -> (u16, u16) {
        let inline = || {
            let length = u16::try_from(row.len()).ok().filter(|_| row.len() <= LONGEST_INLINE)?;
            let start = u16::try_from(self.rows.len()).ok()?;
            start.checked_add(length)?;
            Some((start, length))
        };
        if let Some(place) = inline() {
            grow(&mut self.rows, row.len(), 64);
            self.rows.extend_from_slice(row);
            return place;
        }
        self.long_rows.push(row.into());
        (u16::try_from(self.long_rows.len().saturating_sub(1)).unwrap_or(u16::MAX), 0)
    }

    /// Takes the bytes of a row out, and moves those behind it up.
    fn cut(&mut self, cut: Slot) {
        if cut.length == 0 {
            let last = self.long_rows.len().saturating_sub(1);
            if usize::from(cut.start) <= last && !self.long_rows.is_empty() {
                self.long_rows.swap_remove(usize::from(cut.start));
                let moved =
                    self.slots.iter_mut().find(|slot| slot.length == 0 && usize::from(slot.start) == last);
                if let Some(moved) = moved {
                    moved.start = cut.start;
                }
            }
            return;
        }
        let start = usize::from(cut.start);
        self.rows.drain(start..start.saturating_add(usize::from(cut.length)));
        for slot in &mut self.slots {
            if slot.length > 0 && slot.start > cut.start {
                slot.start = slot.start.saturating_sub(cut.length);
            }
        }
        if self.rows.capacity() > self.rows.len().saturating_mul(2).saturating_add(64) {
            self.fit();
        }
    }
}

/// Makes room for `more` elements, and an eighth beyond, `least` at least: a page is small, and there are many.
fn grow<T>(list: &mut Vec<T>, more: usize, least: usize) {
    if list.capacity().saturating_sub(list.len()) < more {
        list.reserve_exact(more.max(list.len() / 8).max(least));
    }
}
