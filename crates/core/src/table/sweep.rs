//! Sweeping: expired rows are taken out in bounded steps, as the table is used.

use super::{Expiry, Table, row};

/// Where the sweep is on its way through the pages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sweep {
    next_page: usize,
    /// No row of the pages behind it, and none written since it began, expires earlier.
    pub(super) min_expiry: Expiry,
}

impl Sweep {
    /// Before the first page.
    pub(super) const START: Self = Self { next_page: 0, min_expiry: Expiry::NEVER };
}

/// Rows that were swept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// How many.
    pub rows: usize,
    /// For how long they could have been swept, in milliseconds, all together.
    pub late_ms: usize,
}

impl Table {
    /// Whether a row can have expired that is not swept yet.
    pub fn needs_sweep(&self, now_ms: i64) -> bool {
        self.min_expiry.is_expired(now_ms)
    }

    /// Takes expired rows out of the next `pages` pages, or of fewer once `bytes` bytes were freed. Returns
    /// which, or `None` if none can have expired or all tidying waits.
    ///
    /// No row could be swept before `since_ms`, when the table came into memory.
    pub fn sweep(&mut self, now_ms: i64, since_ms: i64, pages: usize, bytes: usize) -> Option<Swept> {
        if self.is_shared || !self.needs_sweep(now_ms) {
            return None;
        }
        let (since, mut swept, mut freed) = (Expiry::at(since_ms), Swept::default(), 0);
        for _ in 0..pages {
            let Some(page) = self.pages.get_mut(self.sweep.next_page) else {
                // The round is complete: what it saw holds for the whole table.
                self.min_expiry = self.sweep.min_expiry;
                self.sweep = Sweep::START;
                break;
            };
            let mut removed = Vec::new();
            let before = page.bytes();
            if page.min_expiry.is_expired(now_ms) && page.find_min_expiry().is_expired(now_ms) {
                page.retain(|row| {
                    let stays = freed >= bytes || !row::expiry(row).is_expired(now_ms);
                    if !stays {
                        freed += row.len();
                        swept.late_ms += row::expiry(row).max(since).ms_ago(now_ms);
                        removed.push(row::shape(row));
                    }
                    stays
                });
            }
            let (hash, min_expiry, after) = (page.first_hash, page.min_expiry, page.bytes());
            self.replace_page_bytes(before, after);
            // A page left half done is where the next step begins.
            if !min_expiry.is_expired(now_ms) {
                self.sweep.next_page += 1;
                self.sweep.min_expiry = self.sweep.min_expiry.min(min_expiry);
            }
            if !removed.is_empty() {
                swept.rows += removed.len();
                self.rows -= removed.len();
                // `max_expiry` stays: it is the key's expiry, whatever clock swept the rows.
                removed.into_iter().for_each(|shape| self.shapes.release(shape));
                self.note_swept(now_ms);
                self.merge(hash);
            }
            if freed >= bytes {
                break;
            }
        }
        Some(swept)
    }
}
