//! A page: a few dozen rows whose ids' hashes begin alike, in the order of their hashes.

use super::memory::{grow, list_bytes, size_class};
use super::row::{self, Expiry};

/// The most rows of a page that can still be split.
pub(super) const MOST_ROWS: usize = 32;

/// Rows longer than this are kept by themselves, so that moving a page's rows together stays cheap.
const LONGEST_INLINE: usize = 512;

/// Where a row of a page is.
#[derive(Clone, Copy, Debug)]
struct Span {
    /// Where the row begins among the page's rows, or its place in the list of long rows.
    start: u16,
    /// How long it is; 0: it is a long row.
    length: u16,
}

/// A page of rows.
#[derive(Clone, Debug)]
pub(super) struct Page {
    /// The first half of the hash of each row's id, in order.
    keys: Vec<u32>,
    /// Where each row is.
    spans: Vec<Span>,
    /// The rows, back to back.
    rows: Vec<u8>,
    long_rows: Vec<Box<[u8]>>,
    /// How many leading bits of their hashes the rows of this page have in common.
    pub(super) depth: u32,
    /// The least key that belongs here.
    pub(super) first_key: u32,
    /// No row expires earlier.
    pub(super) earliest: Expiry,
    /// No row expires later.
    pub(super) latest: Expiry,
}

impl Page {
    pub(super) fn new(depth: u32, first_key: u32) -> Self {
        let (keys, spans, rows, long_rows) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (earliest, latest) = (Expiry::NEVER, Expiry::FIRST);
        Self { keys, spans, rows, long_rows, depth, first_key, earliest, latest }
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The bytes the page takes besides itself.
    pub(super) fn bytes(&self) -> usize {
        let long: usize = self.long_rows.iter().map(|row| size_class(row.len())).sum();
        list_bytes(&self.keys)
            .saturating_add(list_bytes(&self.spans))
            .saturating_add(list_bytes(&self.rows))
            .saturating_add(list_bytes(&self.long_rows))
            .saturating_add(long)
    }

    /// How many pieces of memory those are, about.
    pub(super) fn pieces(&self) -> usize {
        self.long_rows.len().saturating_add(3)
    }

    /// The place of the row with this id.
    pub(super) fn find(&self, key: u32, id: &[u8]) -> Option<usize> {
        let mut place = self.place(key);
        while self.keys.get(place) == Some(&key) {
            if row::has_id(self.row(place), id) {
                return Some(place);
            }
            place = place.saturating_add(1);
        }
        None
    }

    /// The first place whose key is not less.
    #[inline]
    pub(super) fn place(&self, key: u32) -> usize {
        self.keys.partition_point(|found| *found < key)
    }

    /// The row at a place.
    #[inline]
    pub(super) fn row(&self, place: usize) -> &[u8] {
        self.spans.get(place).map_or(&[], |span| self.bytes_of(span))
    }

    #[inline]
    fn bytes_of(&self, span: &Span) -> &[u8] {
        let start = usize::from(span.start);
        if span.length == 0 {
            return self.long_rows.get(start).map_or(&[], |row| row);
        }
        self.rows.get(start..start.saturating_add(usize::from(span.length))).unwrap_or_default()
    }

    /// The rows whose keys are not less than `key`, in order.
    pub(super) fn rows_from(&self, key: u32) -> impl Iterator<Item = &[u8]> {
        let spans = self.spans.get(self.place(key)..).unwrap_or_default();
        spans.iter().map(|span| self.bytes_of(span))
    }

    /// All rows, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.spans.iter().map(|span| self.bytes_of(span))
    }

    /// Adds a row whose id is not in the page.
    pub(super) fn insert(&mut self, key: u32, row: &[u8]) {
        self.note(row::expiry(row));
        let span = self.append(row);
        let place = self.place(key);
        grow(&mut self.keys, 1, 8);
        grow(&mut self.spans, 1, 8);
        self.keys.insert(place, key);
        self.spans.insert(place, span);
    }

    /// Puts a row in the place of the one that is there.
    pub(super) fn replace(&mut self, place: usize, row: &[u8]) {
        let Some(span) = self.spans.get(place).copied() else {
            return;
        };
        self.note(row::expiry(row));
        let start = usize::from(span.start);
        let end = start.saturating_add(usize::from(span.length));
        match self.rows.get_mut(start..end) {
            Some(old) if span.length > 0 && old.len() == row.len() => old.copy_from_slice(row),
            _ => {
                self.cut(span);
                let span = self.append(row);
                if let Some(old) = self.spans.get_mut(place) {
                    *old = span;
                }
            }
        }
    }

    /// Takes a row out.
    pub(super) fn remove(&mut self, place: usize) {
        if place < self.len() {
            self.keys.remove(place);
            let span = self.spans.remove(place);
            self.cut(span);
        }
    }

    /// Keeps the rows for which `keep` holds, and sets the page's earliest expiry anew.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&[u8]) -> bool) {
        let mut kept = Self::new(self.depth, self.first_key);
        for place in 0..self.len() {
            if keep(self.row(place)) {
                kept.take(self, place);
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
        for page in [&mut low, &mut high] {
            page.keys.reserve_exact(self.len());
            page.spans.reserve_exact(self.len());
            page.rows.reserve_exact(self.rows.len());
        }
        for place in 0..self.len() {
            let is_low = self.keys.get(place).is_some_and(|key| key & bit == 0);
            let page = if is_low { &mut low } else { &mut high };
            page.take(self, place);
        }
        low.fit();
        high.fit();
        *self = low;
        high
    }

    /// Takes in the rows of the page that was split from this one.
    pub(super) fn merge(&mut self, mut high: Self) {
        for place in 0..high.len() {
            self.take(&mut high, place);
        }
        self.depth = self.depth.saturating_sub(1);
        self.fit();
    }

    /// Takes a row, whose key is not less than any here, from a page that is given up. A long row is moved, not copied.
    fn take(&mut self, from: &mut Self, place: usize) {
        let (Some(key), Some(span)) = (from.keys.get(place), from.spans.get(place).copied()) else {
            return;
        };
        self.note(row::expiry(from.bytes_of(&span)));
        self.keys.push(*key);
        let span = match from.long_rows.get_mut(usize::from(span.start)) {
            Some(row) if span.length == 0 => self.append_long(std::mem::take(row)),
            _ => self.append(from.bytes_of(&span)),
        };
        self.spans.push(span);
    }

    fn note(&mut self, expiry: Expiry) {
        self.earliest = self.earliest.min(expiry);
        self.latest = self.latest.max(expiry);
    }

    /// Looks for the latest expiry, and notes it; [`Expiry::FIRST`] in an empty page.
    pub(super) fn find_latest(&mut self) -> Expiry {
        self.latest = self.iter().map(row::expiry).max().unwrap_or(Expiry::FIRST);
        self.latest
    }

    /// Gives back the room that is not needed.
    fn fit(&mut self) {
        self.keys.shrink_to_fit();
        self.spans.shrink_to_fit();
        self.rows.shrink_to_fit();
    }

    /// Writes a row behind the others, or beside them if it is long.
    fn append(&mut self, row: &[u8]) -> Span {
        let inline = || {
            let length = u16::try_from(row.len()).ok().filter(|_| row.len() <= LONGEST_INLINE)?;
            let start = u16::try_from(self.rows.len()).ok()?;
            start.checked_add(length)?;
            Some(Span { start, length })
        };
        if let Some(span) = inline() {
            grow(&mut self.rows, row.len(), 64);
            self.rows.extend_from_slice(row);
            return span;
        }
        self.append_long(row.into())
    }

    fn append_long(&mut self, row: Box<[u8]>) -> Span {
        let start = u16::try_from(self.long_rows.len()).unwrap_or(u16::MAX);
        self.long_rows.push(row);
        Span { start, length: 0 }
    }

    /// Takes the bytes of a row out, and moves those behind it up.
    fn cut(&mut self, cut: Span) {
        let start = usize::from(cut.start);
        if cut.length == 0 {
            self.cut_long(start);
            return;
        }
        self.rows.drain(start..start.saturating_add(usize::from(cut.length)));
        for span in &mut self.spans {
            if span.length > 0 && span.start > cut.start {
                span.start = span.start.saturating_sub(cut.length);
            }
        }
        if self.rows.capacity() > self.rows.len().saturating_mul(2).saturating_add(64) {
            self.fit();
        }
    }

    /// Takes a long row out; the last long row takes its place.
    fn cut_long(&mut self, place: usize) {
        if place >= self.long_rows.len() {
            return;
        }
        self.long_rows.swap_remove(place);
        let moved_from = self.long_rows.len();
        let moved =
            self.spans.iter_mut().find(|span| span.length == 0 && usize::from(span.start) == moved_from);
        if let Some(moved) = moved {
            moved.start = u16::try_from(place).unwrap_or(u16::MAX);
        }
    }
}
