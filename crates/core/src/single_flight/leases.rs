//! Leases: what each call claimed, by token and in the order of expiry.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::table_map::{OwnedTableKey, TableKey};
use super::token::Token;

/// What one call claimed, all of it in one table.
#[derive(Debug)]
pub(super) struct Lease {
    table: OwnedTableKey,
    expiry_ms: i64,
    /// The ids of its claims, and of some that have ended or that another lease claimed since.
    pub(super) ids: Vec<Arc<[u8]>>,
    /// How many of its claims are left.
    pub(super) remaining: usize,
    /// Where in `ids` the next `compact` starts.
    cursor: usize,
}

impl Lease {
    pub(super) fn new(table: OwnedTableKey, expiry_ms: i64, ids: Vec<Arc<[u8]>>) -> Self {
        Self { table, expiry_ms, remaining: ids.len(), ids, cursor: 0 }
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

/// All leases. One goes with the last of its claims.
#[derive(Debug, Default)]
pub(super) struct Leases {
    by_token: BTreeMap<Token, Lease>,
    by_expiry: BTreeSet<(i64, Token)>,
}

impl Leases {
    pub(super) fn insert(&mut self, token: Token, lease: Lease) -> &Lease {
        assert!(!self.by_token.contains_key(&token), "a token names one lease");
        self.by_expiry.insert((lease.expiry_ms, token));
        self.by_token.entry(token).or_insert(lease)
    }

    pub(super) fn len(&self) -> usize {
        self.by_token.len()
    }

    pub(super) fn get(&self, token: Token) -> Option<&Lease> {
        self.by_token.get(&token)
    }

    pub(super) fn get_mut(&mut self, token: Token) -> Option<&mut Lease> {
        self.by_token.get_mut(&token)
    }

    pub(super) fn remove(&mut self, token: Token) {
        if let Some(lease) = self.by_token.remove(&token) {
            self.by_expiry.remove(&(lease.expiry_ms, token));
        }
    }

    pub(super) fn next_expiry_ms(&self) -> Option<i64> {
        self.by_expiry.first().map(|(expiry_ms, _)| *expiry_ms)
    }

    /// The lease that expired first.
    #[expect(clippy::expect_used, reason = "`by_token` and `by_expiry` change together")]
    pub(super) fn first_expired(&mut self, now_ms: i64) -> Option<(Token, &mut Lease)> {
        let (_, token) = *self.by_expiry.first().filter(|(expiry_ms, _)| *expiry_ms <= now_ms)?;
        Some((token, self.by_token.get_mut(&token).expect("a lease in `by_expiry` is in `by_token`")))
    }

    /// Counts off a claim that was detached with its table. Its lease may have been reaped before.
    pub(super) fn free_detached(&mut self, token: Token) {
        let Some(lease) = self.by_token.get_mut(&token) else {
            return;
        };
        // None of the lease's ids has a claim now, so any may go. `compact` left about two for each claim.
        lease.ids.truncate(lease.ids.len().saturating_sub(2));
        lease.remaining -= 1;
        if lease.remaining == 0 {
            self.remove(token);
        }
    }

    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = &Lease> {
        self.by_token.values()
    }
}
