//! The directory: which page has the rows of a hash, and how pages are made, split and merged.

use super::{DEEPEST, Table};
use crate::vehprice::memory::grow;
use crate::vehprice::page::{MOST_ROWS, Page};

/// Pages are made for rows to come so that each gets this many at most, on average: few will have to be split.
const ROWS_TO_COME: usize = MOST_ROWS * 3 / 4;

/// Two pages that were one become one again when they have this few rows together.
const MERGED_ROWS: usize = MOST_ROWS / 3;

impl Table {
    /// Makes the pages that so many rows will need, if the table is empty and has but one: splitting page after page as
    /// they come would cost more. The rows must come: pages without a row go only with a neighbour's rows.
    pub fn make_pages_for(&mut self, rows: usize) {
        let pages = rows.div_ceil(ROWS_TO_COME).next_power_of_two();
        let depth = pages.trailing_zeros();
        if self.rows > 0 || self.pages.len() > 1 || depth > DEEPEST {
            return;
        }
        let first_hash = |page: u32| page.checked_shl(DEEPEST.saturating_sub(depth)).unwrap_or_default();
        self.directory = (0..).take(pages).collect();
        let each = rows.checked_div(pages).unwrap_or_default();
        self.pages =
            self.directory.iter().map(|&page| Page::expecting(each, depth, first_hash(page))).collect();
        self.depth = depth;
        self.at_depth = [0; 33];
        self.count_depth(depth, i32::try_from(pages).unwrap_or(i32::MAX));
    }

    #[inline]
    fn page_number(&self, hash: u32) -> usize {
        let prefix = hash.checked_shr(DEEPEST.saturating_sub(self.depth)).unwrap_or_default();
        let number = usize::try_from(prefix).ok().and_then(|prefix| self.directory.get(prefix));
        number.map_or(usize::MAX, |&number| usize::try_from(number).unwrap_or(usize::MAX))
    }

    #[inline]
    pub(super) fn page(&self, hash: u32) -> Option<&Page> {
        self.pages.get(self.page_number(hash))
    }

    pub(super) fn page_mut(&mut self, hash: u32) -> Option<&mut Page> {
        let number = self.page_number(hash);
        self.pages.get_mut(number)
    }

    /// Splits the page of `hash`.
    pub(super) fn split(&mut self, hash: u32) {
        let Some(page) = self.page(hash) else {
            return;
        };
        let depth = page.depth;
        if depth == self.depth {
            self.directory = self.directory.iter().flat_map(|&number| [number, number]).collect();
            self.depth = self.depth.saturating_add(1);
        }
        let Some(high) = self.page_mut(hash).map(Page::split) else {
            return;
        };
        self.count_depth(depth, -1);
        self.count_depth(depth.saturating_add(1), 2);
        grow(&mut self.pages, 1, 8);
        self.pages.push(high);
        self.point(self.pages.len().saturating_sub(1));
    }

    /// Merges the page of `hash` with the one it was split from, as long as both are nearly empty, and halves the
    /// directory when no page needs its last bit.
    pub(super) fn merge(&mut self, hash: u32) {
        while let Some(page) = self.page(hash) {
            let depth = page.depth;
            let bit = 1_u32.checked_shl(DEEPEST.saturating_sub(depth)).unwrap_or_default();
            let (low_hash, high_hash) = (hash & !bit, hash | bit);
            let fits = |low: &Page, high: &Page| {
                depth > 0 && low.depth == high.depth && low.len().saturating_add(high.len()) <= MERGED_ROWS
            };
            if !self.page(low_hash).zip(self.page(high_hash)).is_some_and(|(low, high)| fits(low, high)) {
                return;
            }
            let (low_number, high_number) = (self.page_number(low_hash), self.page_number(high_hash));
            let Some(high) = self.pages.get_mut(high_number) else {
                return;
            };
            let high = std::mem::replace(high, Page::new(depth, high_hash));
            let Some(low) = self.pages.get_mut(low_number) else {
                return;
            };
            low.merge(high);
            let mut earliest = low.earliest;
            self.count_depth(depth, -2);
            self.count_depth(depth.saturating_sub(1), 1);
            self.point(low_number);
            // The last page takes the number that is free.
            self.pages.swap_remove(high_number);
            if let Some(moved) = self.pages.get(high_number) {
                earliest = earliest.min(moved.earliest);
                self.point(high_number);
            }
            // The sweep may have passed the place where these rows are now.
            self.sweep.earliest = self.sweep.earliest.min(earliest);
            if self.pages.capacity() > self.pages.len().saturating_mul(4) {
                self.pages.shrink_to(self.pages.len().saturating_mul(2));
            }
            let deepest = usize::try_from(self.depth).ok().and_then(|depth| self.at_depth.get(depth));
            if deepest == Some(&0) && self.depth > 0 {
                self.directory = self.directory.iter().step_by(2).copied().collect();
                self.depth = self.depth.saturating_sub(1);
            }
        }
    }

    /// Points the directory's entries for the hashes of a page at it.
    fn point(&mut self, page_number: usize) {
        let Some(page) = self.pages.get(page_number) else {
            return;
        };
        let shift = DEEPEST.saturating_sub(self.depth);
        let first =
            page.first_hash.checked_shr(shift).and_then(|prefix| usize::try_from(prefix).ok()).unwrap_or(0);
        let count = 1_usize.checked_shl(self.depth.saturating_sub(page.depth)).unwrap_or(0);
        let number = u32::try_from(page_number).unwrap_or(u32::MAX);
        for entry in self.directory.iter_mut().skip(first).take(count) {
            *entry = number;
        }
    }

    fn count_depth(&mut self, depth: u32, change: i32) {
        if let Some(pages) = usize::try_from(depth).ok().and_then(|depth| self.at_depth.get_mut(depth)) {
            *pages = pages.saturating_add_signed(change);
        }
    }
}
