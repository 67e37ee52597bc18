//! Single-flight refill: who fetches which missing rows, and who waits for them.

mod by_table;
mod claims;
mod grants;
#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "a test may fail")]
mod tests;
mod token;
mod waiters;

use ahash::RandomState;

pub use by_table::TableKey;
pub use claims::{ClaimTerms, Claimed, Claims};
pub use token::Token;
pub use waiters::{Waiter, WaiterId, Waiters};

use super::Seed;

/// All claims and all waiters of a server; `H` is the way to a client that waits.
#[derive(Debug)]
pub struct Refill<H> {
    claims: Claims,
    waiters: Waiters<H>,
}

/// What came of judging a waiter.
#[derive(Debug, PartialEq, Eq)]
pub struct Judged {
    /// Whether it waits on.
    pub waits: bool,
    /// How many ids were looked at.
    pub looked: usize,
}

impl<H> Refill<H> {
    /// No claims and no waiters.
    pub fn new(seed: Seed) -> Self {
        let [a, b, c, d] = seed;
        let hasher = RandomState::with_seeds(a, b, c, d);
        Self { claims: Claims::new(hasher.clone()), waiters: Waiters::new(hasher) }
    }

    /// The claims, to look at.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The waiters, to look at.
    pub fn waiters(&self) -> &Waiters<H> {
        &self.waiters
    }

    /// Claims those of the ids that no one has claimed, in order, within the terms. An id that is there twice counts once.
    pub fn claim<'i>(
        &mut self,
        table: TableKey<'_>,
        ids: impl Iterator<Item = &'i [u8]>,
        terms: ClaimTerms,
    ) -> Claimed<'i> {
        let waiters = &mut self.waiters;
        self.claims.claim(table, ids, terms, |table, id| waiters.call(table, id))
    }

    /// Ends the claims on rows that were stored or deleted, whoever has them; returns how many there were.
    pub fn end_each<'i>(&mut self, table: TableKey<'_>, ids: impl Iterator<Item = &'i [u8]>) -> usize {
        let waiters = &mut self.waiters;
        self.claims.end_each(table, ids, |id| waiters.call(table, id))
    }

    /// Rows were stored whose claims go on: who waits for such a row may have it now.
    pub fn stored<'i>(&mut self, table: TableKey<'_>, ids: impl Iterator<Item = &'i [u8]>) {
        ids.for_each(|id| self.waiters.call(table, id));
    }

    /// Gives up claims held under a token: on these ids, or all. Returns how many.
    pub fn release(
        &mut self,
        table: TableKey<'_>,
        token: Token,
        ids: Option<&[&[u8]]>,
        now_ms: i64,
    ) -> usize {
        let waiters = &mut self.waiters;
        self.claims.release(table, token, ids, now_ms, |id| waiters.call(table, id))
    }

    /// Ends all claims of a table; returns how many there were.
    pub fn end_table(&mut self, table: TableKey<'_>) -> usize {
        self.waiters.call_table(table);
        self.claims.end_table(table)
    }

    /// Ends all claims of a database, or of all; returns how many there were.
    pub fn end_database(&mut self, db: Option<i32>) -> usize {
        self.waiters.call_database(db);
        self.claims.end_database(db)
    }

    /// Drops claims that are past their end, and gives back what ended with its table, looking at so many ids at most. Returns
    /// how many were past their end.
    pub fn drop_ended(&mut self, now_ms: i64, most: usize) -> usize {
        let most = most.saturating_sub(self.claims.give_back(most));
        let waiters = &mut self.waiters;
        self.claims.drop_expired(now_ms, most, most, |table, id| waiters.call(table, id))
    }

    /// Whether there is something to do now: waiters to be judged, or claims to be given back.
    pub fn is_due(&self) -> bool {
        self.waiters.are_due() || self.claims.have_ended_with_tables()
    }

    /// Has a client wait for these rows; `None` if none of them is both missing and claimed.
    pub fn wait(
        &mut self,
        table: TableKey<'_>,
        ids: &[&[u8]],
        fields: &[&str],
        now_ms: i64,
        mut is_missing: impl FnMut(&[u8]) -> bool,
        handle: H,
    ) -> Option<WaiterId> {
        if !self.claims.has_table(table) {
            return None;
        }
        let mut awaits = |id: &[u8]| self.claims.is_claimed(table, id, now_ms) && is_missing(id);
        let watched = ids.iter().position(|id| awaits(id))?;
        Some(self.waiters.add(table, ids, fields, watched, handle))
    }

    /// A waiter, if it still waits.
    pub fn waiter(&mut self, waiter: WaiterId) -> Option<&mut Waiter<H>> {
        self.waiters.get_mut(waiter)
    }

    /// Who is to be judged next.
    pub fn next_due(&mut self) -> Option<WaiterId> {
        self.waiters.next_due()
    }

    /// Judges a waiter: whether one of its rows is still both missing and claimed.
    pub fn judge(
        &mut self,
        waiter: WaiterId,
        now_ms: i64,
        mut is_missing: impl FnMut(&[u8]) -> bool,
    ) -> Judged {
        let Some(found) = self.waiters.get_mut(waiter) else {
            return Judged { waits: false, looked: 0 };
        };
        let mut places = found.places(waiter);
        let Some(found) = self.waiters.get(waiter).filter(|found| self.claims.has_table(found.table()))
        else {
            return Judged { waits: false, looked: 0 };
        };
        let mut looked = 0_usize;
        let watched = places.find(|index| {
            looked = looked.saturating_add(1);
            let id = found.id(*index);
            self.claims.is_claimed(found.table(), id, now_ms) && is_missing(id)
        });
        if let Some(index) = watched {
            self.waiters.watch(waiter, index);
        }
        Judged { waits: watched.is_some(), looked }
    }

    /// Forgets a waiter, if it is not forgotten yet; the way to it.
    pub fn remove(&mut self, waiter: WaiterId) -> Option<H> {
        self.waiters.remove(waiter).map(|waiter| waiter.handle)
    }
}
