//! Claims: which rows someone is fetching upstream, and until when.

#[cfg(test)]
mod tests;

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use ahash::RandomState;

use super::leases::{Lease, LeaseId, Leases};
use super::table_claims::{Claim, DetachedClaims, Forecast, TableClaims};
use super::table_map::{NameMap, OwnedTableKey, TableKey, TableMap};
use super::token::Token;

/// The terms of one call that claims.
#[derive(Clone, Copy, Debug)]
pub struct ClaimTerms {
    /// The token of the claims. What is claimed under it already is claimed again, as if for the first time.
    pub token: Token,
    /// The time.
    pub now_ms: i64,
    /// When the new claims expire.
    pub expiry_ms: i64,
    /// How many ids to claim at most.
    pub limit: usize,
    /// How many claims there may be at most, over all tables. One table gets at most half of what the others
    /// leave, rounded up.
    pub max_claims: usize,
    /// How many bytes the claims may take at most, shared out in the same way.
    pub max_bytes: usize,
}

/// What came of a call that claims.
#[derive(Debug, PartialEq, Eq)]
pub struct ClaimOutcome<'i> {
    /// The ids that the caller has claimed, those claimed again among them.
    pub claimed: Vec<&'i [u8]>,
    /// How many of them it had claimed before.
    pub renewed: usize,
    /// The ids that someone else has claimed.
    pub pending: Vec<&'i [u8]>,
    /// How many ids were left unclaimed to stay within `max_claims` and `max_bytes`.
    pub refused: usize,
    /// How many expired claims were reaped or replaced.
    pub expired: usize,
}

/// All claims. An expired one no longer counts, reaped or not.
#[derive(Debug)]
pub struct Claims {
    hasher: RandomState,
    tables: TableMap<TableClaims>,
    leases: Leases,
    /// Claims that ended with their table, to be freed in steps.
    detached: VecDeque<DetachedClaims>,
    len: usize,
    detached_len: usize,
    /// What the claims of all tables take, detached ones too.
    table_bytes: usize,
}

impl Claims {
    pub(super) fn new(hasher: RandomState) -> Self {
        Self {
            hasher,
            tables: TableMap::new(),
            leases: Leases::default(),
            detached: VecDeque::new(),
            len: 0,
            detached_len: 0,
            table_bytes: 0,
        }
    }

    /// How many claims there are, with the expired ones that are not reaped yet.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// About how many bytes they take: ids, names of tables, and what keeps them.
    pub fn bytes(&self) -> usize {
        /// What a lease takes beside its ids.
        const LEASE_BYTES: usize = 256;

        self.table_bytes + self.leases.len() * LEASE_BYTES
    }

    /// When the next claim expires.
    pub fn next_expiry_ms(&self) -> Option<i64> {
        self.leases.next_expiry_ms()
    }

    /// Whether [`SingleFlight::reap_expired`](super::SingleFlight::reap_expired) has work to do.
    pub fn needs_reaping(&self, now_ms: i64) -> bool {
        self.has_detached() || self.next_expiry_ms().is_some_and(|expiry_ms| expiry_ms <= now_ms)
    }

    pub(super) fn has_detached(&self) -> bool {
        !self.detached.is_empty()
    }

    /// Whether anyone has claimed the row.
    pub fn is_claimed(&self, table: TableKey<'_>, id: &[u8], now_ms: i64) -> bool {
        self.live(table, id, now_ms).is_some()
    }

    /// Whether the row is claimed under this token.
    pub fn is_held(&self, table: TableKey<'_>, token: Token, id: &[u8], now_ms: i64) -> bool {
        self.live(table, id, now_ms).is_some_and(|claim| claim.token == token)
    }

    fn live(&self, table: TableKey<'_>, id: &[u8], now_ms: i64) -> Option<Claim> {
        self.tables.get(table)?.get(id).filter(|claim| claim.is_live(now_ms))
    }

    /// The tables of which any row has a claim, live or expired.
    pub(super) fn tables(&self) -> impl Iterator<Item = TableKey<'_>> {
        self.tables.keys()
    }

    /// Whether any row of the table has a claim, live or expired.
    pub(super) fn has_table(&self, table: TableKey<'_>) -> bool {
        self.tables.get(table).is_some()
    }

    /// The table's key, sharing its name; `None` if no row of the table has a claim.
    pub(super) fn owned_key(&self, table: TableKey<'_>) -> Option<OwnedTableKey> {
        self.tables.owned_key(table)
    }

    /// Claims the ids without a live claim but one under the same token, in order and within the terms. Expired
    /// claims on other rows make room if need be; `on_reap` hears of each.
    pub(super) fn claim<'i>(
        &mut self,
        table: TableKey<'_>,
        ids: impl Iterator<Item = &'i [u8]>,
        terms: ClaimTerms,
        on_reap: impl FnMut(TableKey<'_>, &[u8]),
    ) -> ClaimOutcome<'i> {
        let mut seen = HashSet::with_hasher(self.hasher.clone());
        let (mut own, mut free, mut pending) = (Vec::new(), Vec::new(), Vec::new());
        let claims = self.tables.get(table);
        for (place, id) in ids.filter(|id| seen.insert(*id)).enumerate() {
            let claim = claims.and_then(|claims| claims.get(id));
            match claim.filter(|claim| claim.is_live(terms.now_ms)) {
                Some(claim) if claim.token == terms.token => own.push((place, id)),
                Some(_) => pending.push(id),
                None if free.len() < terms.limit => free.push((place, id)),
                None => {}
            }
        }
        // What is claimed again counts first, so that a call that is sent again is answered the same.
        own.truncate(terms.limit);
        free.truncate(terms.limit - own.len());
        let wanted = free.len();
        let new: Vec<&[u8]> = free.iter().map(|(_, id)| *id).collect();
        let (room, reaped) = self.make_room(table, &new, terms, on_reap);
        free.truncate(room);
        let (renewed, refused) = (own.len(), wanted - free.len());
        own.append(&mut free);
        own.sort_unstable();
        let claimed: Vec<&[u8]> = own.into_iter().map(|(_, id)| id).collect();
        let replaced = if claimed.is_empty() { 0 } else { self.add(table, &claimed, terms) };
        ClaimOutcome { claimed, renewed, pending, refused, expired: reaped + replaced - renewed }
    }

    /// Frees detached and expired claims where these ids would exceed the bounds otherwise. Returns how many
    /// of the ids there is room for then, and how many claims it reaped.
    fn make_room(
        &mut self,
        table: TableKey<'_>,
        ids: &[&[u8]],
        terms: ClaimTerms,
        mut on_reap: impl FnMut(TableKey<'_>, &[u8]),
    ) -> (usize, usize) {
        // A lowered `max_claims` can leave any excess; the timer frees the rest, in steps. Room for one claim
        // can take the end of two of other tables.
        let mut max_freed = (2 * ids.len()).max(MAX_EXTRA_FREED);
        let excess = (self.len + self.detached_len + ids.len()).saturating_sub(terms.max_claims);
        max_freed -= self.free_detached(excess.min(max_freed));
        let (mut reaped, mut step) = (0, 0);
        loop {
            let room = self.room(table, ids, terms);
            if room == ids.len() {
                return (room, reaped);
            }
            // Twice as many each time, so that it takes few turns whatever the claims are like.
            step = (2 * step).max(ids.len() - room).min(max_freed);
            let expired = self.reap_expired(terms.now_ms, step, usize::MAX, &mut on_reap);
            let freed = expired + self.free_detached(step - expired);
            if freed == 0 {
                return (room, reaped);
            }
            max_freed -= freed;
            reaped += expired;
        }
    }

    /// How many of these ids, in order, the table may claim within the bounds.
    fn room(&self, table: TableKey<'_>, ids: &[&[u8]], terms: ClaimTerms) -> usize {
        let claims = self.tables.get(table);
        let (held, held_bytes) = claims.map_or((0, 0), |claims| (claims.len(), claims.bytes()));
        let half_left = |max: usize, others: usize| max.saturating_sub(others).div_ceil(2);
        let max_held = half_left(terms.max_claims, self.len - held);
        let max_held_bytes = half_left(terms.max_bytes, self.bytes() - held_bytes);
        let mut forecast = Forecast::new(claims, table.name);
        let fits = ids.iter().take_while(|id| forecast.add(id) <= max_held_bytes);
        fits.take(max_held.saturating_sub(held)).count()
    }

    /// Claims these distinct ids, none with a live claim of another token; returns how many claims it replaced.
    fn add(&mut self, table: TableKey<'_>, ids: &[&[u8]], terms: ClaimTerms) -> usize {
        let ClaimTerms { token, expiry_ms, .. } = terms;
        let claim = Claim { token, lease: self.leases.next_id(), expiry_ms };
        let ids = ids.iter().map(|id| Arc::from(*id)).collect();
        let key = self.tables.owned_key(table).unwrap_or_else(|| table.into());
        let lease = self.leases.insert(claim.lease, Lease::new(token, key.clone(), expiry_ms, ids));
        let table_bytes = &mut self.table_bytes;
        let claims = self.tables.get_or_insert_with(&key, || {
            let claims = TableClaims::new(table.name, self.hasher.clone());
            *table_bytes += claims.bytes();
            claims
        });
        self.table_bytes -= claims.bytes();
        let replaced: Vec<Claim> = lease.ids.iter().filter_map(|id| claims.insert(id, claim)).collect();
        self.table_bytes += claims.bytes();
        self.len += lease.ids.len();
        replaced.iter().for_each(|claim| self.count_off(claim.lease, 1));
        replaced.len()
    }

    /// Ends the claims on these ids, whoever holds them; returns how many. `on_end` hears of each.
    pub(super) fn end_rows<'i>(
        &mut self,
        table: TableKey<'_>,
        ids: impl Iterator<Item = &'i [u8]>,
        mut on_end: impl FnMut(&[u8]),
    ) -> usize {
        let Some(claims) = self.tables.get_mut(table) else {
            return 0;
        };
        self.table_bytes -= claims.bytes();
        // What was claimed in one call mostly ends together, so neighbours share an entry.
        let mut ended: Vec<(LeaseId, usize)> = Vec::new();
        for id in ids {
            if let Some(claim) = claims.remove(id) {
                on_end(id);
                match ended.last_mut().filter(|(lease, _)| *lease == claim.lease) {
                    Some((_, count)) => *count += 1,
                    None => ended.push((claim.lease, 1)),
                }
            }
        }
        self.table_bytes += claims.bytes();
        self.shrink(table);
        ended.iter().for_each(|(lease, count)| self.count_off(*lease, *count));
        ended.iter().map(|(_, count)| count).sum()
    }

    /// Ends the live claims under a token, on these ids or on all; returns how many. `on_end` hears of each.
    pub(super) fn release(
        &mut self,
        table: TableKey<'_>,
        token: Token,
        ids: Option<&[&[u8]]>,
        now_ms: i64,
        on_end: impl FnMut(&[u8]),
    ) -> usize {
        let Some(key) = self.tables.owned_key(table) else {
            return 0;
        };
        let is_held = |id: &[u8]| self.is_held(table, token, id, now_ms);
        if let Some(ids) = ids {
            let held: Vec<&[u8]> = ids.iter().copied().filter(|id| is_held(id)).collect();
            self.end_rows(table, held.into_iter(), on_end)
        } else {
            let leased = self.leases.under(token, key).flat_map(|lease| &lease.ids);
            let held: Vec<Arc<[u8]>> = leased.filter(|id| is_held(id)).cloned().collect();
            self.end_rows(table, held.iter().map(|id| &**id), on_end)
        }
    }

    /// Ends all claims of a table; returns how many.
    pub(super) fn end_table(&mut self, table: TableKey<'_>) -> usize {
        let claims = self.tables.remove(table);
        claims.map_or(0, |claims| self.detach(NameMap::from([claims])))
    }

    /// Ends all claims of a database, or of every database; returns how many.
    pub(super) fn end_database(&mut self, db: Option<i32>) -> usize {
        self.tables.take(db).map(|tables| self.detach(tables)).sum()
    }

    /// Ends claims that were taken out of their tables. To free them all at once could take long.
    fn detach(&mut self, tables: NameMap<TableClaims>) -> usize {
        let count = tables.values().map(TableClaims::len).sum();
        self.len -= count;
        self.detached_len += count;
        self.detached.push_back(DetachedClaims::new(tables));
        count
    }

    /// Frees up to `max` detached claims; returns how many.
    pub(super) fn free_detached(&mut self, max: usize) -> usize {
        let mut freed = 0;
        while freed < max
            && let Some(claims) = self.detached.front_mut()
        {
            let (claim, bytes) = claims.free_next();
            self.table_bytes -= bytes;
            if let Some(claim) = claim {
                self.leases.free_detached(claim.lease);
                freed += 1;
            } else {
                self.detached.pop_front();
            }
        }
        self.detached_len -= freed;
        freed
    }

    /// Removes up to `max_reaped` expired claims, and looks at up to `max_scanned` ids for it; returns how
    /// many it removed. `on_reap` hears of each.
    pub(super) fn reap_expired(
        &mut self,
        now_ms: i64,
        max_reaped: usize,
        max_scanned: usize,
        mut on_reap: impl FnMut(TableKey<'_>, &[u8]),
    ) -> usize {
        let mut reaped = 0;
        for _ in 0..max_scanned {
            let expired = self.leases.first_expired(now_ms).filter(|_| reaped < max_reaped);
            let Some((number, lease)) = expired else {
                break;
            };
            let Some(id) = lease.ids.pop() else {
                // The claims it has left are detached.
                self.leases.remove(number);
                continue;
            };
            let table = lease.owned_table();
            let table = table.as_key();
            let Some(claims) = self.tables.get_mut(table) else {
                continue;
            };
            if claims.is_of(number, &id) {
                self.table_bytes -= claims.bytes();
                claims.remove(&id);
                self.table_bytes += claims.bytes();
                self.shrink(table);
                on_reap(table, &id);
                self.count_off(number, 1);
                reaped += 1;
            }
        }
        reaped
    }

    /// Counts off claims that were removed from their table.
    #[expect(clippy::expect_used, reason = "a lease goes with the last of its claims, not before")]
    fn count_off(&mut self, number: LeaseId, count: usize) {
        self.len -= count;
        let lease = self.leases.get_mut(number).expect("a claim has a lease");
        lease.remaining -= count;
        if lease.remaining == 0 {
            self.leases.remove(number);
            return;
        }
        // No table: its claims have all ended, and the caller counts off the rest of them next.
        let claims = self.tables.get(lease.table());
        lease.compact(4 * count, |id| claims.is_some_and(|claims| claims.is_of(number, id)));
    }

    /// Frees what a table of claims no longer needs.
    #[expect(clippy::expect_used, reason = "callers have just looked the table up")]
    fn shrink(&mut self, table: TableKey<'_>) {
        let claims = self.tables.get_mut(table).expect("a table that shrinks is there");
        self.table_bytes -= claims.bytes();
        if claims.len() == 0 {
            self.tables.remove(table);
        } else {
            claims.shrink();
            self.table_bytes += claims.bytes();
        }
    }
}

/// How many claims a call frees at most, unless it claims more than half as many itself.
const MAX_EXTRA_FREED: usize = 10_000;
