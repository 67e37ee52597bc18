//! Single flight: who fetches which missing rows, and who waits for them.

mod claims;
mod leases;
mod table_claims;
mod table_map;
#[cfg(test)]
mod tests;
mod token;
mod waiters;

use ahash::RandomState;

pub use claims::{ClaimOutcome, ClaimTerms, Claims};
pub use table_map::{OwnedTableKey, TableKey};
pub use token::Token;
pub use waiters::{Waiter, WaiterId, Waiters, WaitingClient};

use crate::Seed;

/// All claims and all waiters of a server.
#[derive(Debug)]
pub struct SingleFlight<C> {
    claims: Claims,
    waiters: Waiters<C>,
}

/// What a recheck of a waiter found.
#[derive(Debug, PartialEq, Eq)]
pub struct Recheck {
    /// Whether the client must wait on.
    pub waits: bool,
    /// How many ids were looked at.
    pub scanned: usize,
}

impl<C: WaitingClient> SingleFlight<C> {
    /// No claims and no waiters.
    pub fn new(seed: Seed) -> Self {
        let [a, b, c, d] = seed;
        let hasher = RandomState::with_seeds(a, b, c, d);
        Self { claims: Claims::new(hasher.clone()), waiters: Waiters::new(hasher) }
    }

    /// All claims.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// All waiters.
    pub fn waiters(&self) -> &Waiters<C> {
        &self.waiters
    }

    /// About how many bytes claims and waiters take, the ids that waiters share with their clients not
    /// counted.
    pub fn bytes(&self) -> usize {
        self.claims.bytes() + self.waiters.bytes()
    }

    /// Claims the ids that nobody has claimed, in order and within the terms. A repeated id counts once.
    pub fn claim<'i>(
        &mut self,
        table: TableKey<'_>,
        ids: impl Iterator<Item = &'i [u8]>,
        terms: ClaimTerms,
    ) -> ClaimOutcome<'i> {
        let waiters = &mut self.waiters;
        self.claims.claim(table, ids, terms, |table, id| waiters.wake_row(table, id))
    }

    /// Ends the claims on rows that were stored or deleted, whoever holds them; returns how many.
    pub fn end_rows<'i>(&mut self, table: TableKey<'_>, ids: impl Iterator<Item = &'i [u8]>) -> usize {
        let waiters = &mut self.waiters;
        self.claims.end_rows(table, ids, |id| waiters.wake_row(table, id))
    }

    /// Wakes whoever waits for rows that were stored, but whose claims go on.
    pub fn wake_rows<'i>(&mut self, table: TableKey<'_>, ids: impl Iterator<Item = &'i [u8]>) {
        ids.for_each(|id| self.waiters.wake_row(table, id));
    }

    /// Releases claims under a token, on these ids or on all; returns how many.
    pub fn release(
        &mut self,
        table: TableKey<'_>,
        token: Token,
        ids: Option<&[&[u8]]>,
        now_ms: i64,
    ) -> usize {
        let waiters = &mut self.waiters;
        self.claims.release(table, token, ids, now_ms, |id| waiters.wake_row(table, id))
    }

    /// Ends all claims of a table; returns how many.
    pub fn end_table(&mut self, table: TableKey<'_>) -> usize {
        self.waiters.wake_table(table);
        self.claims.end_table(table)
    }

    /// Ends all claims of these tables; returns how many.
    pub fn end_tables(&mut self, is_one: impl Fn(TableKey<'_>) -> bool) -> usize {
        let ended: Vec<OwnedTableKey> =
            self.claims.tables().filter(|table| is_one(*table)).map(Into::into).collect();
        ended.iter().map(|table| self.end_table(table.as_key())).sum()
    }

    /// Ends all claims of a database, or of every database; returns how many.
    pub fn end_database(&mut self, db: Option<i32>) -> usize {
        self.waiters.wake_database(db);
        self.claims.end_database(db)
    }

    /// Removes expired claims and frees what ended with its table, up to `max` ids together. Returns how many
    /// claims had expired.
    pub fn reap_expired(&mut self, now_ms: i64, max: usize) -> usize {
        let max = max - self.claims.free_detached(max);
        let waiters = &mut self.waiters;
        self.claims.reap_expired(now_ms, max, max, |table, id| waiters.wake_row(table, id))
    }

    /// Whether there is work to do now: waiters to recheck, or claims to free.
    pub fn has_work(&self) -> bool {
        self.waiters.has_due() || self.claims.has_detached()
    }

    /// Adds a waiter for these rows, with the client that `client` makes; `None` if none of the rows is both
    /// missing and claimed.
    pub fn add_waiter(
        &mut self,
        table: TableKey<'_>,
        ids: &[&[u8]],
        fields: &[&str],
        now_ms: i64,
        mut is_missing: impl FnMut(&[u8]) -> bool,
        client: impl FnOnce() -> C,
    ) -> Option<WaiterId> {
        let key = self.claims.owned_key(table)?;
        let mut is_awaited = |id: &[u8]| self.claims.is_claimed(table, id, now_ms) && is_missing(id);
        let watched = ids.iter().position(|id| is_awaited(id))?;
        Some(self.waiters.add(key, fields, watched, client(), now_ms))
    }

    /// A waiter that has not left yet.
    pub fn waiter_mut(&mut self, waiter: WaiterId) -> Option<&mut Waiter<C>> {
        self.waiters.get_mut(waiter)
    }

    /// Takes the next waiter that is due for a recheck.
    pub fn pop_due(&mut self) -> Option<WaiterId> {
        self.waiters.pop_due()
    }

    /// A waiter that was due, but must not be answered yet, is due again a little later.
    pub fn put_off(&mut self, waiter: WaiterId, now_ms: i64) {
        self.waiters.put_off(waiter, now_ms);
    }

    /// Whoever was put off long enough is due.
    pub fn wake_put_off(&mut self, now_ms: i64) {
        self.waiters.wake_put_off(now_ms);
    }

    /// When there is work to do though nobody asks for it: a claim expires, or a waiter that was put off is due.
    pub fn next_work_ms(&self) -> Option<i64> {
        self.claims.next_expiry_ms().into_iter().chain(self.waiters.next_put_off_ms()).min()
    }

    /// Checks whether one of a waiter's rows is still both missing and claimed. One that has left waits no
    /// longer.
    pub fn recheck(
        &mut self,
        waiter: WaiterId,
        now_ms: i64,
        mut is_missing: impl FnMut(&[u8]) -> bool,
    ) -> Recheck {
        let claims = &self.claims;
        let found = self.waiters.get_mut(waiter).filter(|found| claims.has_table(found.table().as_key()));
        let Some(found) = found else {
            return Recheck { waits: false, scanned: 0 };
        };
        let mut scanned = 0;
        let watched = found.scan_order(waiter).find(|index| {
            scanned += 1;
            let id = found.client.id(*index);
            claims.is_claimed(found.table().as_key(), id, now_ms) && is_missing(id)
        });
        if let Some(index) = watched {
            self.waiters.watch(waiter, index);
        }
        Recheck { waits: watched.is_some(), scanned }
    }

    /// Removes a waiter that has not left yet; returns its client.
    pub fn remove_waiter(&mut self, waiter: WaiterId) -> Option<C> {
        self.waiters.remove(waiter).map(|waiter| waiter.client)
    }
}
