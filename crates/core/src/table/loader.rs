//! Making a table of many rows whose number isn't known before the last.
//!
//! Rows are gathered in a few big pages, unsorted: each is written to the end of one, where a table that
//! grows would find its place, shift its neighbours and, for most pages several times, split. At the end each
//! big page is sorted once and cut into pages of the usual size.
#![expect(
    clippy::indexing_slicing,
    reason = "depths are at most MAX_DEPTH, for which there are counts: a page that isn't counted would be lost"
)]

use std::ops::Range;

use super::page::{MAX_ROWS, Page};
use super::row::EncodedRow;
use super::shape::Shapes;
use super::{MAX_DEPTH, Table, memory};
use crate::Seed;

/// The most rows of a big page; few enough that sorting and cutting them takes some 0.1 ms.
const MAX_GATHERED: usize = 2048;

/// Two rows have the same id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DuplicateId;

/// A table to be, of rows each of which has another id.
pub(super) struct Loader(Table);

impl Loader {
    /// No rows yet.
    pub(super) fn new(seed: Seed) -> Self {
        Self(Table::new(seed))
    }

    /// The shapes of the table to be.
    pub(super) fn shapes_mut(&mut self) -> &mut Shapes {
        &mut self.0.shapes
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> usize {
        self.0.rows
    }

    /// The bytes it takes.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.0.count_bytes()
    }

    /// Adds a row.
    pub(super) fn add(&mut self, row: EncodedRow<'_>) {
        let table = &mut self.0;
        let hash = table.hash(row.id).bits();
        let is_full = |page: &Page| page.len() >= MAX_GATHERED || !page.has_room(row.len());
        // Far fewer pages than there will be, so that ids that are there more than once, which only the end shows,
        // grow no directory out of proportion.
        let max_depth = table.rows.checked_ilog2().unwrap_or(0).saturating_sub(3);
        while is_full(table.page(hash)) && table.page(hash).depth < max_depth {
            table.split(hash);
        }
        table.page_mut(hash).push(hash, row);
        table.shapes.add_ref(row.shape.id);
        table.rows += 1;
        table.min_expiry = table.min_expiry.min(row.expiry);
        table.max_expiry.record(row.expiry);
    }

    /// The table. `pause` is called every 0.1 ms or so.
    pub(super) fn finish(self, mut pause: impl FnMut()) -> Result<Table, DuplicateId> {
        let mut table = self.0;
        let max_depth = table.max_depth();
        let mut gathered = std::mem::take(&mut table.pages);
        table.page_bytes = 0;
        gathered.sort_unstable_by_key(|page| page.first_hash);
        table.at_depth = [0; MAX_DEPTH as usize + 1];
        for mut page in gathered {
            page.sort();
            if page.has_id_twice() {
                return Err(DuplicateId);
            }
            let (rows, depth, first_hash) = (0..page.len(), page.depth, page.first_hash);
            cut(&mut table, &mut page, rows, depth, first_hash, max_depth);
            pause();
        }
        // The pages are in the order of their hashes.
        table.depth = table.pages.iter().map(|page| page.depth).max().unwrap_or_default();
        table.directory = Vec::with_capacity(1 << table.depth);
        for (number, page) in (0..).zip(&table.pages) {
            table.directory.extend(std::iter::repeat_n(number, 1 << (table.depth - page.depth)));
        }
        Ok(table)
    }
}

/// Cuts rows of a big page, whose hashes share their first `depth` bits, into pages of the usual size.
fn cut(table: &mut Table, page: &mut Page, rows: Range<usize>, depth: u32, first_hash: u32, max_depth: u32) {
    if rows.len() <= MAX_ROWS || depth >= max_depth {
        memory::grow(&mut table.pages, 1, 0);
        let page = page.take_out(rows, depth, first_hash);
        table.page_bytes += page.bytes();
        table.pages.push(page);
        table.at_depth[depth as usize] += 1;
        return;
    }
    let second_half = first_hash | 1 << (MAX_DEPTH - 1 - depth);
    let middle = page.place_among(rows.clone(), second_half);
    cut(table, page, rows.start..middle, depth + 1, first_hash, max_depth);
    cut(table, page, middle..rows.end, depth + 1, second_half, max_depth);
}

#[cfg(test)]
mod tests {
    use super::super::{Expiry, Row, row};
    use super::*;

    const SEED: Seed = [1, 2, 3, 4];

    /// Ids, values and expiries of rows, some of them long.
    fn rows(count: u32) -> impl Iterator<Item = (Vec<u8>, Vec<u8>, Expiry)> {
        (0..count).map(|number| {
            let length = if number % 100 == 99 { 700 } else { number as usize % 40 };
            let mut value = Vec::new();
            row::write_length(&mut value, length);
            value.resize(value.len() + length, b'x');
            (number.to_string().into_bytes(), value, Expiry::at(1000 + i64::from(number) % 7))
        })
    }

    fn load(count: u32) -> (Result<Table, DuplicateId>, usize) {
        let (mut loader, mut pauses) = (Loader::new(SEED), 0);
        let shape = loader.shapes_mut().intern(&["a"]);
        for (id, values, expiry) in rows(count) {
            loader.add(EncodedRow { id: &id, expiry, shape, is_plain: true, values: &values });
        }
        loader.shapes_mut().release(shape.id);
        assert_eq!(loader.rows(), count as usize);
        (loader.finish(|| pauses += 1), pauses)
    }

    fn pages(table: &Table) -> Vec<(u32, u32, Vec<&[u8]>)> {
        let mut pages: Vec<_> =
            table.pages.iter().map(|page| (page.first_hash, page.depth, page.iter().collect())).collect();
        pages.sort();
        pages
    }

    #[test]
    fn a_table_is_as_if_its_rows_had_been_written_one_by_one() {
        for count in [0, 1, 32, 33, 2048, 2049, 50_000] {
            let mut written = Table::new(SEED);
            for (id, values, expiry) in rows(count) {
                let (_, value) = row::read_length(&values).unwrap();
                let value = std::str::from_utf8(value).unwrap();
                written.put(&id, &["a"], [value].into_iter(), expiry);
            }
            let (loaded, pauses) = load(count);
            let mut loaded = loaded.unwrap();
            assert_eq!(pages(&loaded), pages(&written), "{count}");
            assert_eq!((loaded.depth, loaded.at_depth), (written.depth, written.at_depth));
            assert_eq!((loaded.rows, loaded.min_expiry), (written.rows, written.min_expiry));
            assert_eq!(loaded.max_expiry(), written.max_expiry());
            assert_eq!(loaded.allocations(), written.allocations());
            assert_eq!(loaded.bytes(), loaded.count_bytes());
            assert!(loaded.bytes() <= written.bytes(), "{} {}", loaded.bytes(), written.bytes());
            assert!(pauses > count as usize / MAX_GATHERED);
            for (id, _, _) in rows(count) {
                assert_eq!(loaded.get(&id, 0).map(|row| Row::id(&row)), Some(&*id));
                assert!(loaded.remove(&id, 0));
            }
            assert_eq!((loaded.rows, loaded.shapes.allocations()), (0, 0));
            assert_eq!(loaded.bytes(), loaded.count_bytes());
        }
    }

    #[test]
    fn one_id_many_times_takes_no_more_than_its_rows() {
        let mut loader = Loader::new(SEED);
        let shape = loader.shapes_mut().intern(&["a"]);
        for _ in 0..100_000 {
            loader.add(EncodedRow {
                id: b"4711",
                expiry: Expiry::NEVER,
                shape,
                is_plain: true,
                values: b"\x0212",
            });
        }
        assert!(loader.bytes() < 100_000 * 80, "{}", loader.bytes());
        assert_eq!(loader.finish(|| {}).err(), Some(DuplicateId));
    }

    #[test]
    fn an_id_is_not_loaded_twice() {
        for count in [1, 40, 5000] {
            let mut loader = Loader::new(SEED);
            let shape = loader.shapes_mut().intern(&["a"]);
            for (id, values, expiry) in rows(count).chain(rows(1)) {
                loader.add(EncodedRow { id: &id, expiry, shape, is_plain: true, values: &values });
            }
            assert_eq!(loader.finish(|| {}).err(), Some(DuplicateId), "{count}");
        }
    }
}
