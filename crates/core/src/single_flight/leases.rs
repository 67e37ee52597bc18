//! Leases: what each call claimed, under which token, and in the order of expiry.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::table_map::{OwnedTableKey, TableKey};
use super::token::Token;

/// What one call claimed, all of it in one table.
#[derive(Debug)]
pub(super) struct Lease {
    token: Token,
    table: OwnedTableKey,
    expiry_ms: i64,
    /// The ids of its claims, and of some that expired, were released, or that another lease claimed since.
    pub(super) ids: Vec<Arc<[u8]>>,
    /// How many of its claims are left.
    pub(super) remaining: usize,
    /// Where in `ids` the next `compact` starts.
    cursor: usize,
}

impl Lease {
    pub(super) fn new(token: Token, table: OwnedTableKey, expiry_ms: i64, ids: Vec<Arc<[u8]>>) -> Self {
        Self { token, table, expiry_ms, remaining: ids.len(), ids, cursor: 0 }
    }

    pub(super) fn table(&self) -> TableKey<'_> {
        self.table.as_key()
    }

    pub(super) fn owned_table(&self) -> OwnedTableKey {
        self.table.clone()
    }

    /// Removes ids without a claim, once they are more than half of all; looks at up to `max_scanned` ids.
    /// At four for each claim that ends, the ids stay in proportion to the claims left, and no call scans
    /// them all.
    pub(super) fn compact(&mut self, max_scanned: usize, has_claim: impl Fn(&[u8]) -> bool) {
        for _ in 0..max_scanned {
            if self.remaining >= self.ids.len() / 2 {
                break;
            }
            match self.ids.get(self.cursor) {
                Some(id) if has_claim(id) => self.cursor += 1,
                Some(_) => drop(self.ids.swap_remove(self.cursor)),
                None => self.cursor = 0,
            }
        }
        if self.ids.len() < self.ids.capacity() / 4 {
            self.ids.shrink_to_fit();
        }
    }
}

/// The number of a lease, never used again.
pub(super) type LeaseId = u64;

/// All leases. One goes with the last of its claims.
#[derive(Debug, Default)]
pub(super) struct Leases {
    by_id: BTreeMap<LeaseId, Lease>,
    by_expiry: BTreeSet<(i64, LeaseId)>,
    /// A caller may claim more than once under its token, in more than one table.
    by_token: BTreeSet<(Token, OwnedTableKey, LeaseId)>,
    last: LeaseId,
}

impl Leases {
    /// The number that the next lease gets.
    pub(super) fn next_id(&mut self) -> LeaseId {
        self.last += 1;
        self.last
    }

    pub(super) fn insert(&mut self, id: LeaseId, lease: Lease) -> &Lease {
        self.by_expiry.insert((lease.expiry_ms, id));
        self.by_token.insert((lease.token, lease.owned_table(), id));
        self.by_id.entry(id).or_insert(lease)
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// The leases under a token in a table.
    pub(super) fn under(&self, token: Token, table: OwnedTableKey) -> impl Iterator<Item = &Lease> {
        let range = (token, table.clone(), LeaseId::MIN)..=(token, table, LeaseId::MAX);
        self.by_token.range(range).filter_map(|(_, _, id)| self.by_id.get(id))
    }

    pub(super) fn get_mut(&mut self, id: LeaseId) -> Option<&mut Lease> {
        self.by_id.get_mut(&id)
    }

    pub(super) fn remove(&mut self, id: LeaseId) {
        if let Some(lease) = self.by_id.remove(&id) {
            self.by_expiry.remove(&(lease.expiry_ms, id));
            self.by_token.remove(&(lease.token, lease.table, id));
        }
    }

    pub(super) fn next_expiry_ms(&self) -> Option<i64> {
        self.by_expiry.first().map(|(expiry_ms, _)| *expiry_ms)
    }

    /// The lease that expired first.
    #[expect(clippy::expect_used, reason = "`by_id` and `by_expiry` change together")]
    pub(super) fn first_expired(&mut self, now_ms: i64) -> Option<(LeaseId, &mut Lease)> {
        let (_, id) = *self.by_expiry.first().filter(|(expiry_ms, _)| *expiry_ms <= now_ms)?;
        Some((id, self.by_id.get_mut(&id).expect("a lease in `by_expiry` is in `by_id`")))
    }

    /// Counts off a claim that was detached with its table. Its lease may have been reaped before.
    pub(super) fn free_detached(&mut self, id: LeaseId) {
        let Some(lease) = self.by_id.get_mut(&id) else {
            return;
        };
        // None of the lease's ids has a claim now, so any may go. `compact` left about two for each claim.
        lease.ids.truncate(lease.ids.len().saturating_sub(2));
        lease.remaining -= 1;
        if lease.remaining == 0 {
            self.remove(id);
        }
    }

    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = &Lease> {
        self.by_id.values()
    }
}
