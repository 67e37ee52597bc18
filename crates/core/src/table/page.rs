//! A page: a few dozen rows whose ids' hashes begin alike, in the order of their hashes.
#![expect(
    clippy::indexing_slicing,
    reason = "slots and their spans are made here alone; a place out of range is a bug that must not pass for a missing row"
)]

use std::ops::Range;

use super::memory::{Relocator, grow, list_bytes, size_class};
use super::row::{self, EncodedRow, Expiry};

/// The most rows of a page that can still be split.
pub(super) const MAX_ROWS: usize = 32;

/// A longer row gets an allocation of its own, so that moving a page's rows together stays cheap.
const MAX_INLINE_BYTES: usize = 512;

/// How much a page grows by beyond the row it grows for.
const HEADROOM: usize = 128;

/// The most bytes reserved for rows to come.
const MAX_RESERVED_BYTES: usize = 1024;

/// No slots are reserved for so few rows.
const FEW_ROWS: usize = 2;

/// A row's hash and where the row is, side by side: finding one loads the other.
#[derive(Clone, Copy, Debug)]
struct Slot {
    /// The first half of the hash of the row's id.
    hash: u32,
    span: Span,
}

/// Where a row of a page is: where it begins among the page's rows (16 bits) and how long it is (15 bits);
/// or, with the highest bit, its place in the list of long rows.
#[derive(Clone, Copy, Debug)]
struct Span(u32);

impl Span {
    const LONG: u32 = 1 << 31;

    /// A row among the others; `None` where it is too long, or would begin too late.
    fn inline(start: usize, length: usize) -> Option<Self> {
        let start = u16::try_from(start).ok()?;
        let length = u16::try_from(length).ok().filter(|_| length <= MAX_INLINE_BYTES)?;
        Some(Self(u32::from(length) << 16 | u32::from(start)))
    }

    #[expect(clippy::expect_used, reason = "2^31 long rows take 1 TiB and more")]
    fn long(place: usize) -> Self {
        let place = u32::try_from(place).ok().filter(|place| place & Self::LONG == 0);
        Self(Self::LONG | place.expect("a page has fewer than 2^31 long rows"))
    }

    fn is_long(self) -> bool {
        self.0 & Self::LONG != 0
    }

    /// The place of a long row in their list.
    fn place(self) -> usize {
        (self.0 & !Self::LONG) as usize
    }

    /// Where a row that is not long begins.
    fn start(self) -> usize {
        (self.0 & 0xffff) as usize
    }

    /// How long a row is that is not long.
    fn length(self) -> usize {
        (self.0 >> 16) as usize
    }

    /// Where a row that is not long stands among the page's rows.
    fn range(self) -> Range<usize> {
        self.start()..self.start() + self.length()
    }

    /// Moves a row up by the length of one before it that is taken out; neither is long.
    fn move_up(&mut self, cut: Self) {
        self.0 -= cut.0 >> 16;
    }
}

/// A page of rows.
#[derive(Debug)]
pub(super) struct Page {
    /// A slot for each row, in the order of their hashes.
    slots: Vec<Slot>,
    /// The rows, back to back.
    rows: Vec<u8>,
    long_rows: Vec<Box<[u8]>>,
    /// What these three take.
    bytes: usize,
    /// How many leading bits the hashes of this page have in common.
    pub(super) depth: u32,
    /// The lowest hash that belongs here.
    pub(super) first_hash: u32,
    /// The table's count when a row was last written here.
    pub(super) count: u64,
    /// No row expires earlier.
    pub(super) min_expiry: Expiry,
    /// No row expires later.
    pub(super) max_expiry: Expiry,
}

impl Page {
    pub(super) fn new(depth: u32, first_hash: u32) -> Self {
        let (slots, rows, long_rows) = (Vec::new(), Vec::new(), Vec::new());
        let (min_expiry, max_expiry) = (Expiry::NEVER, Expiry::MIN);
        Self { slots, rows, long_rows, bytes: 0, depth, first_hash, count: 0, min_expiry, max_expiry }
    }

    /// An empty page with slots for about as many rows. The memory of the rows themselves comes with the
    /// first of them.
    pub(super) fn with_slots(rows: usize, depth: u32, first_hash: u32) -> Self {
        let mut page = Self::new(depth, first_hash);
        if rows > FEW_ROWS {
            page.bytes = grow(&mut page.slots, rows, 0);
        }
        page
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The highest hash that belongs here.
    pub(super) fn last_hash(&self) -> u32 {
        self.first_hash | u32::MAX.checked_shr(self.depth).unwrap_or(0)
    }

    /// The bytes the page takes besides itself.
    #[inline]
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Counts them.
    pub(super) fn count_bytes(&self) -> usize {
        let long: usize = self.long_rows.iter().map(|row| size_class(row.len())).sum();
        list_bytes(&self.slots) + list_bytes(&self.rows) + list_bytes(&self.long_rows) + long
    }

    /// About how many allocations those are.
    pub(super) fn allocations(&self) -> usize {
        self.long_rows.len() + 2
    }

    pub(super) fn defrag(&mut self, relocator: &mut impl Relocator) {
        relocator.list(&mut self.slots);
        relocator.list(&mut self.rows);
        relocator.list(&mut self.long_rows);
        self.long_rows.iter_mut().for_each(|row| relocator.slice(row));
    }

    /// The place of the row with this id. `guess` is what [`Page::place`] said of its hash, if it was asked
    /// before.
    #[inline]
    pub(super) fn find(&self, guess: usize, hash: u32, id: &[u8]) -> Option<usize> {
        let has_it = |slot: &Slot| slot.hash == hash && row::has_id(self.bytes_of(slot.span), id);
        if self.slots.get(guess).is_some_and(has_it) { Some(guess) } else { self.search(guess, hash, id) }
    }

    /// Apart from [`Page::find`], whose way to a row where it was guessed stays short.
    #[inline(never)]
    fn search(&self, guess: usize, hash: u32, id: &[u8]) -> Option<usize> {
        let mut place = self.place_from(guess, hash);
        while self.slots.get(place)?.hash == hash {
            if row::has_id(self.row(place), id) {
                return Some(place);
            }
            place += 1;
        }
        None
    }

    /// Loads the slots into the processor's cache; the result means nothing.
    #[inline]
    pub(super) fn touch(&self) -> u32 {
        let hash = |slot: Option<&Slot>| slot.map_or(0, |slot| slot.hash);
        // A cache line is 64 bytes and brings its neighbour: these three cover the slots of most pages.
        hash(self.slots.first()) ^ hash(self.slots.get(self.slots.len() / 2)) ^ hash(self.slots.last())
    }

    /// The first place whose hash is not lower.
    #[inline]
    pub(super) fn place(&self, hash: u32) -> usize {
        if self.slots.len() > MAX_ROWS {
            return self.slots.partition_point(|slot| slot.hash < hash);
        }
        // Fixed step count: an early exit would mispredict every other time. A step too many changes nothing.
        let is_lower = |place: usize| self.slots.get(place).map_or(u32::MAX, |slot| slot.hash) < hash;
        let (mut place, mut left) = (0, self.slots.len());
        for _ in 0..MAX_ROWS.ilog2() {
            let half = left / 2;
            let middle = place + half;
            place = std::hint::select_unpredictable(is_lower(middle), middle, place);
            left -= half;
        }
        place + usize::from(is_lower(place))
    }

    /// [`Page::place`], where it most likely is still `guess`.
    #[inline]
    fn place_from(&self, guess: usize, hash: u32) -> usize {
        let is_lower = |place: usize| self.slots.get(place).is_some_and(|slot| slot.hash < hash);
        let is_right =
            guess <= self.slots.len() && !is_lower(guess) && guess.checked_sub(1).is_none_or(is_lower);
        if is_right { guess } else { self.place(hash) }
    }

    /// The row at a place.
    #[inline]
    pub(super) fn row(&self, place: usize) -> &[u8] {
        self.bytes_of(self.slots[place].span)
    }

    /// The row at a place, empty beyond the last.
    #[inline]
    pub(super) fn row_if_any(&self, place: usize) -> &[u8] {
        self.slots.get(place).map_or(&[], |slot| self.bytes_of(slot.span))
    }

    #[inline]
    fn bytes_of(&self, span: Span) -> &[u8] {
        if span.is_long() { &self.long_rows[span.place()] } else { &self.rows[span.range()] }
    }

    /// The rows whose hashes are not lower than `hash`, in order.
    pub(super) fn rows_from(&self, hash: u32) -> impl Iterator<Item = &[u8]> {
        self.slots[self.place(hash)..].iter().map(|slot| self.bytes_of(slot.span))
    }

    /// All rows, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> + Clone {
        self.slots.iter().map(|slot| self.bytes_of(slot.span))
    }

    /// Adds a row whose id is not in the page. `guess` as in [`Page::find`].
    pub(super) fn insert(&mut self, guess: usize, hash: u32, row: &[u8]) {
        self.record(row::expiry(row));
        let span = self.append(row);
        let place = self.place_from(guess, hash);
        self.bytes += grow(&mut self.slots, 1, 8);
        self.slots.insert(place, Slot { hash, span });
    }

    /// Puts a row in the place of another.
    pub(super) fn replace(&mut self, place: usize, row: &[u8]) {
        self.record(row::expiry(row));
        let span = self.slots[place].span;
        if !span.is_long() && span.length() == row.len() {
            self.rows[span.range()].copy_from_slice(row);
        } else {
            self.cut(span);
            self.slots[place].span = self.append(row);
        }
    }

    /// Takes a row out.
    pub(super) fn remove(&mut self, place: usize) {
        let slot = self.slots.remove(place);
        self.cut(slot.span);
    }

    /// Keeps the rows for which `keep` holds, and recomputes the page's expiries.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&[u8]) -> bool) {
        let mut kept = Self::new(self.depth, self.first_hash);
        kept.count = self.count;
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
        let depth = self.depth + 1;
        let bit = 1 << (u32::BITS - depth);
        let mut low = Self::new(depth, self.first_hash);
        let mut high = Self::new(depth, self.first_hash | bit);
        for page in [&mut low, &mut high] {
            page.count = self.count;
            page.slots.reserve_exact(self.len());
            page.rows.reserve_exact(self.rows.len());
        }
        for place in 0..self.len() {
            let page = if self.slots[place].hash & bit == 0 { &mut low } else { &mut high };
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
        self.depth -= 1;
        self.count = self.count.max(high.count);
        self.fit();
    }

    /// Takes a row, whose hash is not lower than any here, from a page that is given up. A long row is moved,
    /// not copied.
    fn take(&mut self, from: &mut Self, place: usize) {
        let Slot { hash, span } = from.slots[place];
        self.record(row::expiry(from.bytes_of(span)));
        let span = if span.is_long() {
            self.append_long(std::mem::take(&mut from.long_rows[span.place()]))
        } else {
            self.append(from.bytes_of(span))
        };
        self.slots.push(Slot { hash, span });
    }

    /// Whether a row of this length has room among the others.
    pub(super) fn has_room(&self, length: usize) -> bool {
        length > MAX_INLINE_BYTES || Span::inline(self.rows.len(), length).is_some()
    }

    /// Adds a row after the others, wherever its hash belongs: [`Page::sort`] must follow. One that has no room
    /// among them is kept as a long one.
    pub(super) fn push(&mut self, hash: u32, row: EncodedRow<'_>) {
        let span = if let Some(span) = Span::inline(self.rows.len(), row.len()) {
            row.write(&mut self.rows);
            span
        } else {
            let mut long = Vec::with_capacity(row.len());
            row.write(&mut long);
            self.append_long(long.into_boxed_slice())
        };
        self.slots.push(Slot { hash, span });
    }

    /// Puts the rows in the order of their hashes.
    pub(super) fn sort(&mut self) {
        self.slots.sort_unstable_by_key(|slot| slot.hash);
    }

    /// Whether two rows have the same id.
    pub(super) fn has_id_twice(&self) -> bool {
        let mut rest = &*self.slots;
        while let [slot, after @ ..] = rest {
            let mut alike = after.iter().take_while(|other| other.hash == slot.hash);
            if alike.any(|other| row::has_id(self.bytes_of(other.span), row::id(self.bytes_of(slot.span)))) {
                return true;
            }
            rest = after;
        }
        false
    }

    /// The first of these places whose hash is not lower.
    pub(super) fn place_among(&self, places: Range<usize>, hash: u32) -> usize {
        places.start + self.slots[places].partition_point(|slot| slot.hash < hash)
    }

    /// Takes the rows at these places out of a page that is given up, into one of their own.
    pub(super) fn take_out(&mut self, places: Range<usize>, depth: u32, first_hash: u32) -> Self {
        let mut page = Self::new(depth, first_hash);
        let inline = self.slots[places.clone()].iter().filter(|slot| !slot.span.is_long());
        page.rows.reserve_exact(inline.map(|slot| slot.span.length()).sum());
        page.slots.reserve_exact(places.len());
        for place in places {
            page.take(self, place);
        }
        page.bytes = page.count_bytes();
        page
    }

    fn record(&mut self, expiry: Expiry) {
        self.min_expiry = self.min_expiry.min(expiry);
        self.max_expiry = self.max_expiry.max(expiry);
    }

    /// Looks for the earliest expiry and records it; [`Expiry::NEVER`] in an empty page.
    pub(super) fn find_min_expiry(&mut self) -> Expiry {
        self.min_expiry = self.iter().map(row::expiry).min().unwrap_or(Expiry::NEVER);
        self.min_expiry
    }

    /// Looks for the latest expiry and records it; [`Expiry::MIN`] in an empty page.
    pub(super) fn find_max_expiry(&mut self) -> Expiry {
        self.max_expiry = self.iter().map(row::expiry).max().unwrap_or(Expiry::MIN);
        self.max_expiry
    }

    /// Frees memory that is not needed.
    fn fit(&mut self) {
        self.slots.shrink_to_fit();
        self.rows.shrink_to_fit();
        self.bytes = self.count_bytes();
    }

    /// Adds the bytes of a row after the others, or beside them if it is long.
    fn append(&mut self, row: &[u8]) -> Span {
        let Some(span) = Span::inline(self.rows.len(), row.len()) else {
            return self.append_long(row.into());
        };
        if self.rows.capacity() == 0 {
            // Rows that are to come are most likely like this one. Whole steps of growth leave nothing of the
            // allocator's unused.
            let expected = (row.len() * self.slots.capacity()).min(MAX_RESERVED_BYTES);
            self.rows.reserve_exact(expected - expected % HEADROOM);
            self.bytes += list_bytes(&self.rows);
        }
        self.bytes += grow(&mut self.rows, row.len(), HEADROOM);
        self.rows.extend_from_slice(row);
        span
    }

    fn append_long(&mut self, row: Box<[u8]>) -> Span {
        self.bytes += size_class(row.len()) + grow(&mut self.long_rows, 1, 4);
        self.long_rows.push(row);
        Span::long(self.long_rows.len() - 1)
    }

    /// Takes the bytes of a row out, and moves those behind it up.
    fn cut(&mut self, cut: Span) {
        if cut.is_long() {
            return self.cut_long(cut);
        }
        self.rows.drain(cut.range());
        for Slot { span, .. } in &mut self.slots {
            if !span.is_long() && span.start() > cut.start() {
                span.move_up(cut);
            }
        }
        if self.rows.capacity() > self.rows.len() * 2 + 64 {
            self.fit();
        }
    }

    /// Takes a long row out; the last long row takes its place.
    fn cut_long(&mut self, cut: Span) {
        let row = self.long_rows.swap_remove(cut.place());
        self.bytes -= size_class(row.len());
        let moved_from = self.long_rows.len();
        let mut spans = self.slots.iter_mut().map(|slot| &mut slot.span);
        if let Some(moved) = spans.find(|span| span.is_long() && span.place() == moved_from) {
            *moved = cut;
        }
    }
}

impl Clone for Page {
    /// A copy has no more memory than it needs.
    fn clone(&self) -> Self {
        let (slots, rows, long_rows) = (self.slots.clone(), self.rows.clone(), self.long_rows.clone());
        let mut copy = Self { slots, rows, long_rows, ..*self };
        copy.bytes = copy.count_bytes();
        copy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_found_in_pages_of_every_length_and_whatever_the_guess() {
        for length in 0..2 * MAX_ROWS {
            let mut page = Page::new(0, 0);
            // Hashes that are two apart, each there several times.
            let hashes: Vec<u32> = (0..u32::try_from(length).unwrap()).map(|index| index / 3 * 2).collect();
            for (place, hash) in hashes.iter().enumerate() {
                page.insert(place, *hash, &[0; 14]);
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
