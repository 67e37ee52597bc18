//! Looking up many ids side by side, so that their cache misses overlap.

use super::Table;
use super::page::Page;
use super::row::{self, Row};

/// The first half of an id's hash in its table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IdHash(u32);

impl IdHash {
    /// The hash as a number.
    pub const fn bits(self) -> u32 {
        self.0
    }
}

/// Where the row with an id most likely is. A hint made stale by other writes costs time and nothing else.
#[derive(Clone, Copy, Debug, Default)]
pub struct SlotHint {
    pub(super) hash: u32,
    pub(super) place: usize,
}

impl SlotHint {
    /// A place that no row has.
    pub(super) const UNKNOWN: usize = usize::MAX;

    /// No hint but the hash.
    pub(super) const fn unknown(hash: IdHash) -> Self {
        Self { hash: hash.0, place: Self::UNKNOWN }
    }
}

/// One of the ids that are looked up together.
#[derive(Clone, Copy, Default)]
struct Probe<'t, 'i> {
    id: &'i [u8],
    hash: IdHash,
    page: Option<&'t Page>,
    /// Where the row would be in its page.
    place: usize,
    /// The row at that place; empty if there is none.
    row: &'t [u8],
}

impl Table {
    /// How many ids are looked up together.
    pub const LOOKUP_BATCH: usize = 32;

    /// Visits the row of each id, or none, in order. Each id is hashed as it is read, while it is in the
    /// cache.
    pub fn get_each<'t, 'i>(
        &'t self,
        mut ids: impl Iterator<Item = &'i [u8]>,
        now_ms: i64,
        mut visit: impl FnMut(Option<Row<'t>>),
    ) {
        let mut probes = [Probe::default(); Self::LOOKUP_BATCH];
        loop {
            let mut count = 0;
            for (probe, id) in probes.iter_mut().zip(&mut ids) {
                (probe.id, probe.hash) = (id, self.hash(id));
                count += 1;
            }
            let (batch, _) = probes.split_at_mut(count);
            self.probe_batch(batch);
            for &mut Probe { id, hash, page, place, row } in batch {
                visit(if row::has_id(row, id) {
                    self.live(row, now_ms)
                } else {
                    // It isn't there, or another id with the same hash stands before it.
                    let hint = SlotHint { hash: hash.0, place };
                    page.and_then(|page| self.get_in(page, hint, id, now_ms))
                });
            }
            if count < Self::LOOKUP_BATCH {
                return;
            }
        }
    }

    /// The row with this id, looked for where the hint says first.
    pub(super) fn get_at(&self, hint: SlotHint, id: &[u8], now_ms: i64) -> Option<Row<'_>> {
        self.get_in(self.page(hint.hash), hint, id, now_ms)
    }

    #[inline]
    fn get_in<'t>(&'t self, page: &'t Page, hint: SlotHint, id: &[u8], now_ms: i64) -> Option<Row<'t>> {
        let place = page.find(hint.place, hint.hash, id)?;
        self.live(page.row(place), now_ms)
    }

    /// What an id is looked up by.
    #[inline]
    pub fn hash(&self, id: &[u8]) -> IdHash {
        IdHash((self.hasher.hash_one(id) >> 32) as u32)
    }

    /// Where the rows with these hashes are, at most [`Self::LOOKUP_BATCH`] of them; loads them into the
    /// cache.
    pub fn slot_hints(&self, hashes: &[IdHash]) -> [SlotHint; Self::LOOKUP_BATCH] {
        let mut probes = [Probe::default(); Self::LOOKUP_BATCH];
        let (batch, _) = probes.split_at_mut(hashes.len());
        for (probe, hash) in batch.iter_mut().zip(hashes) {
            probe.hash = *hash;
        }
        self.probe_batch(batch);
        probes.map(|Probe { hash, place, .. }| SlotHint { hash: hash.0, place })
    }

    /// Finds where the rows with these hashes would be. Each step is done for all of them before the next, so
    /// that their cache misses overlap.
    #[inline]
    fn probe_batch<'t>(&'t self, probes: &mut [Probe<'t, '_>]) {
        for probe in probes.iter_mut() {
            probe.page = Some(self.page(probe.hash.0));
        }
        // Read only to load it.
        let mut touched = 0;
        for probe in probes.iter() {
            touched ^= probe.page.map_or(0, Page::touch);
        }
        for probe in probes.iter_mut() {
            if let Some(page) = probe.page {
                probe.place = page.place(probe.hash.0);
                probe.row = page.row_if_any(probe.place);
            }
        }
        for Probe { row, .. } in probes.iter() {
            touched ^= u32::from(row.first().copied().unwrap_or_default());
            touched ^= u32::from(row.last().copied().unwrap_or_default());
        }
        std::hint::black_box(touched);
    }
}
