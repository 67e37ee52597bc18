//! A page: a few dozen rows whose ids' hashes begin alike, in the order of their hashes.

use super::memory::{Mover, grow, list_bytes, size_class};
use super::row::{self, Expiry};

/// The most rows of a page that can still be split.
pub(super) const MOST_ROWS: usize = 32;

/// Rows longer than this are kept by themselves, so that moving a page's rows together stays cheap.
const LONGEST_INLINE: usize = 512;

/// How many bytes a page has room for beyond the row that it grows for.
const ROOM_AHEAD: usize = 128;

/// The most bytes that are reserved for rows to come.
const MOST_EXPECTED: usize = 1024;

/// Nothing is reserved for so few of them.
const FEW_ROWS: usize = 2;

/// A row's hash, and where the row is. Side by side, so that who has found the hash has the rest at hand.
#[derive(Clone, Copy, Debug)]
struct Slot {
    /// The first half of the hash of the row's id.
    hash: u32,
    span: Span,
}

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
    /// A slot for each row, in the order of their hashes.
    slots: Vec<Slot>,
    /// The rows, back to back.
    rows: Vec<u8>,
    long_rows: Vec<Box<[u8]>>,
    /// How many leading bits of their hashes the rows of this page have in common.
    pub(super) depth: u32,
    /// The least hash that belongs here.
    pub(super) first_hash: u32,
    /// No row expires earlier.
    pub(super) earliest: Expiry,
    /// No row expires later.
    pub(super) latest: Expiry,
}

impl Page {
    pub(super) fn new(depth: u32, first_hash: u32) -> Self {
        let (slots, rows, long_rows) = (Vec::new(), Vec::new(), Vec::new());
        let (earliest, latest) = (Expiry::NEVER, Expiry::FIRST);
        Self { slots, rows, long_rows, depth, first_hash, earliest, latest }
    }

    /// An empty page with slots for about so many rows to come. Their own room is made with the first of them.
    pub(super) fn expecting(rows: usize, depth: u32, first_hash: u32) -> Self {
        let mut page = Self::new(depth, first_hash);
        if rows > FEW_ROWS {
            grow(&mut page.slots, rows, 0);
        }
        page
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The bytes the page takes besides itself.
    pub(super) fn bytes(&self) -> usize {
        let long: usize = self.long_rows.iter().map(|row| size_class(row.len())).sum();
        list_bytes(&self.slots)
            .saturating_add(list_bytes(&self.rows))
            .saturating_add(list_bytes(&self.long_rows))
            .saturating_add(long)
    }

    /// How many pieces of memory those are, about.
    pub(super) fn pieces(&self) -> usize {
        self.long_rows.len().saturating_add(2)
    }

    /// Has all of them moved.
    pub(super) fn defrag(&mut self, mover: &mut impl Mover) {
        mover.list(&mut self.slots);
        mover.list(&mut self.rows);
        mover.list(&mut self.long_rows);
        self.long_rows.iter_mut().for_each(|row| mover.slice(row));
    }

    /// The place of the row with this id. `guess`: what [`Page::place`] said of its hash, if that was asked before.
    #[inline]
    pub(super) fn find(&self, guess: usize, hash: u32, id: &[u8]) -> Option<usize> {
        let has_it = |slot: &Slot| slot.hash == hash && row::has_id(self.bytes_of(slot.span), id);
        if self.slots.get(guess).is_some_and(has_it) { Some(guess) } else { self.search(guess, hash, id) }
    }

    /// A function of its own, which keeps the way to what is where it was guessed short.
    #[inline(never)]
    fn search(&self, guess: usize, hash: u32, id: &[u8]) -> Option<usize> {
        let mut place = self.place_from(guess, hash);
        while self.slots.get(place)?.hash == hash {
            if row::has_id(self.row(place), id) {
                return Some(place);
            }
            place = place.saturating_add(1);
        }
        None
    }

    /// Brings the slots near the processor; what is returned means nothing.
    #[inline]
    pub(super) fn touch(&self) -> u32 {
        let hash = |slot: Option<&Slot>| slot.map_or(0, |slot| slot.hash);
        // As much as 64 bytes come at a time, and their neighbours: that is all slots of most pages.
        hash(self.slots.first()) ^ hash(self.slots.get(self.slots.len() / 2)) ^ hash(self.slots.last())
    }

    /// The first place whose hash is not less.
    #[inline]
    pub(super) fn place(&self, hash: u32) -> usize {
        if self.slots.len() > MOST_ROWS {
            return self.slots.partition_point(|slot| slot.hash < hash);
        }
        // As many steps for every page: how many it needs is a matter of chance, and the processor would guess it wrong every
        // other time. A step too many changes nothing.
        let is_less = |place: usize| self.slots.get(place).map_or(u32::MAX, |slot| slot.hash) < hash;
        let (mut place, mut left) = (0_usize, self.slots.len());
        for _ in 0..MOST_ROWS.ilog2() {
            let half = left / 2;
            let middle = place.saturating_add(half);
            place = std::hint::select_unpredictable(is_less(middle), middle, place);
            left = left.saturating_sub(half);
        }
        place.saturating_add(usize::from(is_less(place)))
    }

    /// The same, where it most likely is still `guess`.
    #[inline]
    fn place_from(&self, guess: usize, hash: u32) -> usize {
        let is_less = |place: usize| self.slots.get(place).is_some_and(|slot| slot.hash < hash);
        let is_right =
            guess <= self.slots.len() && !is_less(guess) && guess.checked_sub(1).is_none_or(is_less);
        if is_right { guess } else { self.place(hash) }
    }

    /// The row at a place.
    #[inline]
    pub(super) fn row(&self, place: usize) -> &[u8] {
        self.slots.get(place).map_or(&[], |slot| self.bytes_of(slot.span))
    }

    #[inline]
    fn bytes_of(&self, span: Span) -> &[u8] {
        let start = usize::from(span.start);
        if span.length == 0 {
            return self.long_rows.get(start).map_or(&[], |row| row);
        }
        self.rows.get(start..start.saturating_add(usize::from(span.length))).unwrap_or_default()
    }

    /// The rows whose hashes are not less than `hash`, in order.
    pub(super) fn rows_from(&self, hash: u32) -> impl Iterator<Item = &[u8]> {
        let slots = self.slots.get(self.place(hash)..).unwrap_or_default();
        slots.iter().map(|slot| self.bytes_of(slot.span))
    }

    /// All rows, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.slots.iter().map(|slot| self.bytes_of(slot.span))
    }

    /// Adds a row whose id is not in the page. `guess` as in [`Page::find`].
    pub(super) fn insert(&mut self, guess: usize, hash: u32, row: &[u8]) {
        self.note(row::expiry(row));
        let span = self.append(row);
        let place = self.place_from(guess, hash);
        grow(&mut self.slots, 1, 8);
        self.slots.insert(place, Slot { hash, span });
    }

    /// Puts a row in the place of the one that is there.
    pub(super) fn replace(&mut self, place: usize, row: &[u8]) {
        let Some(span) = self.slots.get(place).map(|slot| slot.span) else {
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
                if let Some(slot) = self.slots.get_mut(place) {
                    slot.span = span;
                }
            }
        }
    }

    /// Takes a row out.
    pub(super) fn remove(&mut self, place: usize) {
        if place < self.len() {
            let slot = self.slots.remove(place);
            self.cut(slot.span);
        }
    }

    /// Keeps the rows for which `keep` holds, and sets the page's earliest expiry anew.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&[u8]) -> bool) {
        let mut kept = Self::new(self.depth, self.first_hash);
        for place in 0..self.len() {
            if keep(self.row(place)) {
                kept.take(self, place);
            }
        }
        kept.fit();
        *self = kept;
    }

    /// Splits the page in two by the next bit of the hashes; this one keeps the rows without it.
    pub(super) fn split(&mut self) -> Self {
        let depth = self.depth.saturating_add(1);
        let bit = 1_u32.checked_shl(32_u32.saturating_sub(depth)).unwrap_or_default();
        let mut low = Self::new(depth, self.first_hash);
        let mut high = Self::new(depth, self.first_hash | bit);
        for page in [&mut low, &mut high] {
            page.slots.reserve_exact(self.len());
            page.rows.reserve_exact(self.rows.len());
        }
        for place in 0..self.len() {
            let is_low = self.slots.get(place).is_some_and(|slot| slot.hash & bit == 0);
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

    /// Takes a row, whose hash is not less than any here, from a page that is given up. A long row is moved, not copied.
    fn take(&mut self, from: &mut Self, place: usize) {
        let Some(Slot { hash, span }) = from.slots.get(place).copied() else {
            return;
        };
        self.note(row::expiry(from.bytes_of(span)));
        let span = match from.long_rows.get_mut(usize::from(span.start)) {
            Some(row) if span.length == 0 => self.append_long(std::mem::take(row)),
            _ => self.append(from.bytes_of(span)),
        };
        self.slots.push(Slot { hash, span });
    }

    fn note(&mut self, expiry: Expiry) {
        self.earliest = self.earliest.min(expiry);
        self.latest = self.latest.max(expiry);
    }

    /// Looks for the earliest expiry, and notes it; [`Expiry::NEVER`] in an empty page.
    pub(super) fn find_earliest(&mut self) -> Expiry {
        self.earliest = self.iter().map(row::expiry).min().unwrap_or(Expiry::NEVER);
        self.earliest
    }

    /// Looks for the latest expiry, and notes it; [`Expiry::FIRST`] in an empty page.
    pub(super) fn find_latest(&mut self) -> Expiry {
        self.latest = self.iter().map(row::expiry).max().unwrap_or(Expiry::FIRST);
        self.latest
    }

    /// Gives back the room that is not needed.
    fn fit(&mut self) {
        self.slots.shrink_to_fit();
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
            if self.rows.capacity() == 0 {
                // Where there are slots for rows to come, they are most likely like this one. Their room is of the steps it
                // would grow in, so that no memory of the allocator's goes unused.
                let expected = row.len().saturating_mul(self.slots.capacity()).min(MOST_EXPECTED);
                self.rows.reserve_exact(expected.saturating_sub(expected % ROOM_AHEAD));
            }
            grow(&mut self.rows, row.len(), ROOM_AHEAD);
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
        for Slot { span, .. } in &mut self.slots {
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
        let mut spans = self.slots.iter_mut().map(|slot| &mut slot.span);
        let moved = spans.find(|span| span.length == 0 && usize::from(span.start) == moved_from);
        if let Some(moved) = moved {
            moved.start = u16::try_from(place).unwrap_or(u16::MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_found_in_pages_of_every_length_and_whatever_the_guess() {
        for length in 0..2 * MOST_ROWS {
            let mut page = Page::new(0, 0);
            // Hashes that are two apart, each there several times.
            let hashes: Vec<u32> = (0..u32::try_from(length).unwrap()).map(|index| index / 3 * 2).collect();
            for (place, hash) in hashes.iter().enumerate() {
                page.insert(place, *hash, b"row");
            }
            for hash in (0..50).chain([u32::MAX]) {
                let place = page.slots.partition_point(|slot| slot.hash < hash);
                assert_eq!(page.place(hash), place, "{hash} of {length}");
                for guess in (0..length + 2).chain([usize::MAX]) {
                    assert_eq!(page.place_from(guess, hash), place, "{hash} of {length}, by {guess}");
                }
            }
        }
    }
}
