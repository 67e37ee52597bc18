//! Grants: what was claimed in one call, by its token and in the order of the ends.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::by_table::TableKey;
use super::token::Token;

/// What was claimed in one call.
#[derive(Debug)]
pub(super) struct Grant {
    db: i32,
    name: Box<[u8]>,
    until_ms: i64,
    /// The ids claimed; some of the claims may have ended since, or be another's.
    pub(super) ids: Vec<Arc<[u8]>>,
    /// How many of the claims there still are.
    pub(super) left: usize,
    /// Where tidying goes on.
    next: usize,
}

impl Grant {
    pub(super) fn new(table: TableKey<'_>, until_ms: i64, ids: Vec<Arc<[u8]>>) -> Self {
        Self { db: table.db, name: table.name.into(), until_ms, left: ids.len(), ids, next: 0 }
    }

    pub(super) fn table(&self) -> TableKey<'_> {
        TableKey { db: self.db, name: &self.name }
    }

    /// Where more than half of the claims have ended: looks at some of the ids, and takes out those that have no claim left. With
    /// four looks for each claim that ends, the ids stay in proportion to the claims, and no end pays for all of them.
    pub(super) fn tidy(&mut self, looks: usize, is_left: impl Fn(&[u8]) -> bool) {
        for _ in 0..looks {
            if self.left >= self.ids.len().div_euclid(2) {
                break;
            }
            match self.ids.get(self.next) {
                Some(id) if is_left(id) => self.next = self.next.saturating_add(1),
                Some(_) => drop(self.ids.swap_remove(self.next)),
                None => self.next = 0,
            }
        }
        if self.ids.len() < self.ids.capacity().div_euclid(4) {
            self.ids.shrink_to_fit();
        }
    }
}

/// All grants.
#[derive(Debug, Default)]
pub(super) struct Grants {
    by_token: BTreeMap<Token, Grant>,
    ends: BTreeSet<(i64, Token)>,
}

impl Grants {
    pub(super) fn add(&mut self, token: Token, grant: Grant) {
        self.ends.insert((grant.until_ms, token));
        self.by_token.insert(token, grant);
    }

    pub(super) fn get(&self, token: Token) -> Option<&Grant> {
        self.by_token.get(&token)
    }

    pub(super) fn get_mut(&mut self, token: Token) -> Option<&mut Grant> {
        self.by_token.get_mut(&token)
    }

    pub(super) fn remove(&mut self, token: Token) {
        if let Some(grant) = self.by_token.remove(&token) {
            self.ends.remove(&(grant.until_ms, token));
        }
    }

    /// The grant that ends first, and when.
    pub(super) fn first(&self) -> Option<(i64, Token)> {
        self.ends.first().copied()
    }

    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = &Grant> {
        self.by_token.values()
    }
}
