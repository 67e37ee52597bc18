//! The directory: which page has the rows of a hash, and how pages are made, split and merged.
#![expect(
    clippy::indexing_slicing,
    reason = "the directory has an entry for every value of its bits, each of them a page: a row without a page would be lost"
)]

use super::memory::grow;
use super::page::{MAX_ROWS, Page};
use super::{MAX_DEPTH, Table};

/// Pages made in advance get this many rows on average, so that few will have to be split.
const ROWS_IN_ADVANCE: usize = MAX_ROWS * 3 / 4;

/// Two pages that were one become one again when they have this few rows together.
const MERGED_ROWS: usize = MAX_ROWS / 3;

impl Table {
    /// Makes the pages that this many rows will need, if the table is empty and has only one: splitting page
    /// after page as they come would cost more. The rows must come: an empty page goes only when it merges
    /// with its neighbour.
    pub fn make_pages_for(&mut self, rows: usize) {
        let pages = rows.div_ceil(ROWS_IN_ADVANCE).next_power_of_two();
        let depth = pages.trailing_zeros();
        if self.rows > 0 || self.pages.len() > 1 || depth >= MAX_DEPTH {
            return;
        }
        let first_hash = |page: u32| page.checked_shl(MAX_DEPTH - depth).unwrap_or(0);
        self.directory = (0..1_u32 << depth).collect();
        self.pages = self
            .directory
            .iter()
            .map(|&page| Page::with_slots(rows / pages, depth, first_hash(page)))
            .collect();
        self.page_bytes = self.pages.iter().map(Page::bytes).sum();
        self.depth = depth;
        self.at_depth = [0; 33];
        self.at_depth[depth as usize] = 1 << depth;
    }

    #[inline]
    fn page_number(&self, hash: u32) -> usize {
        // With no bits there is one entry, and a shift by 32 is none.
        let prefix = hash.checked_shr(MAX_DEPTH - self.depth).unwrap_or(0);
        self.directory[prefix as usize] as usize
    }

    #[inline]
    pub(super) fn page(&self, hash: u32) -> &Page {
        &self.pages[self.page_number(hash)]
    }

    #[inline]
    pub(super) fn page_mut(&mut self, hash: u32) -> &mut Page {
        let number = self.page_number(hash);
        &mut self.pages[number]
    }

    /// Splits the page of `hash`.
    pub(super) fn split(&mut self, hash: u32) {
        let depth = self.page(hash).depth;
        if depth == self.depth {
            self.directory = self.directory.iter().flat_map(|&number| [number, number]).collect();
            self.depth += 1;
        }
        let low = self.page_mut(hash);
        let before = low.bytes();
        let high = low.split();
        let after = low.bytes() + high.bytes();
        self.replace_page_bytes(before, after);
        self.at_depth[depth as usize] -= 1;
        self.at_depth[depth as usize + 1] += 2;
        grow(&mut self.pages, 1, 8);
        self.pages.push(high);
        self.point(self.pages.len() - 1);
    }

    /// Merges the page of `hash` with the one it was split from as long as both are nearly empty, and halves
    /// the directory when no page needs its last bit. What waits because memory is shared is made up for when
    /// another row of these pages goes.
    pub(super) fn merge(&mut self, hash: u32) {
        if self.is_shared {
            return;
        }
        while let Some((low_number, high_number)) = self.mergeable(hash) {
            let depth = self.pages[low_number].depth;
            let high = std::mem::replace(&mut self.pages[high_number], Page::new(depth, 0));
            let low = &mut self.pages[low_number];
            let before = low.bytes() + high.bytes();
            low.merge(high);
            let (after, mut min_expiry) = (low.bytes(), low.min_expiry);
            self.replace_page_bytes(before, after);
            self.at_depth[depth as usize] -= 2;
            self.at_depth[depth as usize - 1] += 1;
            self.point(low_number);
            // The last page takes the free number.
            self.pages.swap_remove(high_number);
            if let Some(moved) = self.pages.get(high_number) {
                min_expiry = min_expiry.min(moved.min_expiry);
                self.point(high_number);
            }
            // The sweep may have passed the place where these rows are now.
            self.sweep.min_expiry = self.sweep.min_expiry.min(min_expiry);
            if self.pages.capacity() > self.pages.len() * 4 {
                self.pages.shrink_to(self.pages.len() * 2);
            }
            if self.depth > 0 && self.at_depth[self.depth as usize] == 0 {
                self.directory = self.directory.iter().step_by(2).copied().collect();
                self.depth -= 1;
            }
        }
    }

    /// Replaces the `before` bytes of pages by `after`. (A loader, which counts them at its end, may have them
    /// wrap meanwhile.)
    #[inline]
    pub(super) fn replace_page_bytes(&mut self, before: usize, after: usize) {
        self.page_bytes = self.page_bytes.wrapping_sub(before).wrapping_add(after);
    }

    /// The page of `hash` and its neighbour, the lower first, if they were one and have few rows.
    fn mergeable(&self, hash: u32) -> Option<(usize, usize)> {
        let depth = self.page(hash).depth;
        if depth == 0 {
            return None;
        }
        let bit = 1 << (MAX_DEPTH - depth);
        let (low_number, high_number) = (self.page_number(hash & !bit), self.page_number(hash | bit));
        let (low, high) = (&self.pages[low_number], &self.pages[high_number]);
        let fits = low.depth == high.depth && low.len() + high.len() <= MERGED_ROWS;
        fits.then_some((low_number, high_number))
    }

    /// Points the directory's entries for the hashes of a page at it.
    #[expect(clippy::expect_used, reason = "there are no more pages than hashes")]
    fn point(&mut self, page_number: usize) {
        let number = u32::try_from(page_number).expect("fewer than 2^32 pages");
        let page = &self.pages[page_number];
        let first = page.first_hash.checked_shr(MAX_DEPTH - self.depth).unwrap_or(0) as usize;
        let count = 1_usize << (self.depth - page.depth);
        self.directory[first..first + count].fill(number);
    }
}
