//! The claims of one table, and about how many bytes they take.

use std::collections::{HashMap, btree_map, hash_map};
use std::sync::Arc;

use ahash::RandomState;

use super::leases::LeaseId;
use super::table_map::NameMap;
use super::token::Token;

#[derive(Clone, Copy, Debug)]
pub(super) struct Claim {
    pub(super) token: Token,
    pub(super) lease: LeaseId,
    pub(super) expiry_ms: i64,
}

impl Claim {
    pub(super) fn is_live(self, now_ms: i64) -> bool {
        now_ms < self.expiry_ms
    }
}

/// What a table with claims takes beside its name and its claims: its place in the maps.
const TABLE_BYTES: usize = 256;

/// What a claim takes beside its id and its slot: the id's own header, and its place in the lease.
const CLAIM_BYTES: usize = 48;

/// What a slot of the hash map takes.
const SLOT_BYTES: usize = size_of::<(Arc<[u8]>, Claim)>() + 1;

fn claim_bytes(id: &[u8]) -> usize {
    CLAIM_BYTES + id.len()
}

/// How many slots a hash map of this capacity has: a power of two, at most 7/8 full.
fn slots_for(capacity: usize) -> usize {
    if capacity == 0 { 0 } else { (8 * capacity).div_ceil(7).next_power_of_two() }
}

/// The claims of a table, by id.
#[derive(Debug)]
pub(super) struct TableClaims {
    by_id: HashMap<Arc<[u8]>, Claim, RandomState>,
    slots: usize,
    /// What they take: the table, its name, slots and claims.
    bytes: usize,
}

impl TableClaims {
    pub(super) fn new(name: &[u8], hasher: RandomState) -> Self {
        let by_id = HashMap::with_hasher(hasher);
        Self { by_id, slots: 0, bytes: Self::empty_bytes(name) }
    }

    /// What a table without claims yet takes.
    pub(super) fn empty_bytes(name: &[u8]) -> usize {
        TABLE_BYTES + name.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(super) fn get(&self, id: &[u8]) -> Option<Claim> {
        self.by_id.get(id).copied()
    }

    pub(super) fn is_of(&self, lease: LeaseId, id: &[u8]) -> bool {
        self.get(id).is_some_and(|claim| claim.lease == lease)
    }

    /// Claims an id; returns the claim it replaces.
    pub(super) fn insert(&mut self, id: &Arc<[u8]>, claim: Claim) -> Option<Claim> {
        let replaced = self.by_id.insert(Arc::clone(id), claim);
        if replaced.is_none() {
            self.bytes += claim_bytes(id);
            // The capacity falls as claims end, and the slots stay.
            self.set_slots(self.slots.max(slots_for(self.by_id.capacity())));
        }
        replaced
    }

    pub(super) fn remove(&mut self, id: &[u8]) -> Option<Claim> {
        let removed = self.by_id.remove(id)?;
        self.bytes -= claim_bytes(id);
        Some(removed)
    }

    /// Gives back slots that are no longer needed, unless it would take long: claims are moved for it.
    pub(super) fn shrink(&mut self) {
        /// A table with more claims keeps its slots: moving them would hold up the command.
        const MAX_MOVED: usize = 10_000;

        if self.len() < (self.slots / 8).min(MAX_MOVED) {
            self.by_id.shrink_to(2 * self.len());
            self.set_slots(slots_for(self.by_id.capacity()));
        }
    }

    fn set_slots(&mut self, slots: usize) {
        self.bytes = self.bytes - self.slots * SLOT_BYTES + slots * SLOT_BYTES;
        self.slots = slots;
    }

    #[cfg(test)]
    pub(super) fn slots(&self) -> usize {
        self.slots
    }
}

/// What a table's claims would take with more of them, by the number of more.
pub(super) struct Forecast {
    len: usize,
    slots: usize,
    bytes: usize,
}

impl Forecast {
    /// For a table with these claims, or for one without any yet.
    pub(super) fn new(claims: Option<&TableClaims>, name: &[u8]) -> Self {
        match claims {
            Some(claims) => Self { len: claims.len(), slots: claims.slots, bytes: claims.bytes },
            None => Self { len: 0, slots: 0, bytes: TableClaims::empty_bytes(name) },
        }
    }

    /// One more claim; returns what all of them take then.
    pub(super) fn add(&mut self, id: &[u8]) -> usize {
        self.len += 1;
        self.bytes += claim_bytes(id);
        let slots = self.slots.max(slots_for(self.len));
        self.bytes += (slots - self.slots) * SLOT_BYTES;
        self.slots = slots;
        self.bytes
    }
}

/// Claims that ended with their tables, to be freed in steps.
#[derive(Debug)]
pub(super) struct DetachedClaims {
    tables: btree_map::IntoValues<Arc<[u8]>, TableClaims>,
    current: Option<DetachedTable>,
}

/// A table whose claims are being freed.
#[derive(Debug)]
struct DetachedTable {
    claims: hash_map::IntoIter<Arc<[u8]>, Claim>,
    /// What it still takes.
    bytes: usize,
}

impl DetachedClaims {
    pub(super) fn new(tables: NameMap<TableClaims>) -> Self {
        Self { tables: tables.into_values(), current: None }
    }

    /// Frees the next claim; returns it, or `None` after the last, and how many bytes were freed.
    pub(super) fn free_next(&mut self) -> (Option<Claim>, usize) {
        let mut freed = 0;
        loop {
            if let Some(table) = &mut self.current {
                if let Some((id, claim)) = table.claims.next() {
                    table.bytes -= claim_bytes(&id);
                    return (Some(claim), freed + claim_bytes(&id));
                }
                freed += table.bytes;
            }
            let next = self.tables.next();
            self.current =
                next.map(|table| DetachedTable { claims: table.by_id.into_iter(), bytes: table.bytes });
            if self.current.is_none() {
                return (None, freed);
            }
        }
    }
}
