//! When the longest-lived row of a table expires.

use crate::vehprice::Expiry;
use crate::vehprice::page::Page;

/// The expiry of the longest-lived row, live, expired or swept.
///
/// That is known unless such a row was deleted or replaced. Then pages are asked, mostly one of them: those that can't have
/// it are passed over, and one that is asked is known from then on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Latest {
    /// No row expires later.
    bound: Expiry,
    /// A row is known to expire just then, or there is none.
    is_known: bool,
}

impl Latest {
    /// That of a table without a row.
    pub(super) const NONE: Self = Self { bound: Expiry::FIRST, is_known: true };

    /// A row was stored.
    pub(super) fn note(&mut self, expiry: Expiry) {
        if expiry >= self.bound {
            *self = Self { bound: expiry, is_known: true };
        }
    }

    /// A row was deleted or replaced.
    pub(super) fn forget(&mut self, expiry: Expiry) {
        if expiry == self.bound {
            self.is_known = false;
        }
    }

    /// Looks for it where it is not known; `None` where there was no row but those deleted.
    pub(super) fn find(&mut self, pages: &mut [Page]) -> Option<Expiry> {
        if !self.is_known {
            let mut candidates = pages.iter_mut().filter(|page| page.latest == self.bound);
            if !candidates.any(|page| page.find_latest() == self.bound) {
                self.bound = pages.iter_mut().fold(Expiry::FIRST, |latest, page| {
                    if page.latest > latest { latest.max(page.find_latest()) } else { latest }
                });
            }
            self.is_known = true;
        }
        (self.bound != Expiry::FIRST).then_some(self.bound)
    }

    /// Whether all rows are over, or deleted.
    pub(super) fn is_over(self, now_ms: i64) -> bool {
        self.bound.is_over(now_ms)
    }
}
