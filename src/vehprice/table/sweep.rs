//! Sweeping: expired rows are taken out in bounded steps, as the table is used.

use super::Table;
use crate::vehprice::Expiry;
use crate::vehprice::row;

/// Where the sweep is on its way through the pages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sweep {
    next_page: usize,
    /// No row of the pages behind it, and none written since it set out, expires earlier.
    pub(super) earliest: Expiry,
}

impl Sweep {
    /// Before the first page.
    pub(super) const START: Self = Self { next_page: 0, earliest: Expiry::NEVER };
}

impl Table {
    /// Takes expired rows out of the next `pages` pages, or fewer, should that have freed so many bytes earlier; how many
    /// rows, or `None` if none can have expired.
    pub fn sweep(&mut self, now_ms: i64, pages: usize, bytes: usize) -> Option<usize> {
        if !self.earliest.is_over(now_ms) {
            return None;
        }
        let (mut swept, mut freed) = (0_usize, 0_usize);
        for _ in 0..pages {
            let Some(page) = self.pages.get_mut(self.sweep.next_page) else {
                // The round is over: what it saw is true of the whole table.
                self.earliest = self.sweep.earliest;
                self.sweep = Sweep::START;
                break;
            };
            let mut gone = Vec::new();
            if page.earliest.is_over(now_ms) && page.find_earliest().is_over(now_ms) {
                page.retain(|row| {
                    let stays = freed >= bytes || !row::expiry(row).is_over(now_ms);
                    if !stays {
                        freed = freed.saturating_add(row.len());
                        gone.push(row::shape(row));
                    }
                    stays
                });
            }
            let (hash, earliest) = (page.first_hash, page.earliest);
            // The next step begins with the page that this one leaves half done.
            if !earliest.is_over(now_ms) {
                self.sweep.next_page = self.sweep.next_page.saturating_add(1);
                self.sweep.earliest = self.sweep.earliest.min(earliest);
            }
            if !gone.is_empty() {
                swept = swept.saturating_add(gone.len());
                self.rows = self.rows.saturating_sub(gone.len());
                // `latest` stays: it is the key's expiry, wherever the clock that swept the rows stands.
                gone.into_iter().for_each(|shape| self.shapes.give_back(shape));
                self.merge(hash);
            }
            if freed >= bytes {
                break;
            }
        }
        Some(swept)
    }
}
