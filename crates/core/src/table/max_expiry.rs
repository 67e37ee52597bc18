//! When the longest-lived row of a table expires.

use super::Expiry;
use super::page::Page;

/// The expiry of the longest-lived row, live, expired or swept.
///
/// It is known unless such a row was deleted or replaced. Then pages are asked, mostly one of them: those
/// that can't have such a row are skipped, and a page that is asked knows its own from then on.
#[derive(Clone, Copy, Debug)]
pub(super) struct MaxExpiry {
    /// No row expires later.
    bound: Expiry,
    /// A row is known to expire at the bound, or there is none.
    is_exact: bool,
}

impl MaxExpiry {
    /// That of a table without a row.
    pub(super) const NONE: Self = Self { bound: Expiry::MIN, is_exact: true };

    /// A row was stored.
    pub(super) fn record(&mut self, expiry: Expiry) {
        if expiry >= self.bound {
            *self = Self { bound: expiry, is_exact: true };
        }
    }

    /// A row was deleted or replaced.
    pub(super) fn invalidate(&mut self, expiry: Expiry) {
        if expiry == self.bound {
            self.is_exact = false;
        }
    }

    /// The expiry, looked for where it is not known; `None` where every row there was has been deleted.
    pub(super) fn find(&mut self, pages: &mut [Page]) -> Option<Expiry> {
        if !self.is_exact {
            let mut candidates = pages.iter_mut().filter(|page| page.max_expiry == self.bound);
            if !candidates.any(|page| page.find_max_expiry() == self.bound) {
                self.bound = pages.iter_mut().fold(Expiry::MIN, |max, page| {
                    if page.max_expiry > max { max.max(page.find_max_expiry()) } else { max }
                });
            }
            self.is_exact = true;
        }
        (self.bound != Expiry::MIN).then_some(self.bound)
    }

    /// Whether all rows have expired or were deleted.
    pub(super) fn has_expired(self, now_ms: i64) -> bool {
        self.bound.is_expired(now_ms)
    }
}
