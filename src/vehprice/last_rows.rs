//! Ids repeated in one call: the last row of each counts.

use std::collections::HashMap;

use ahash::RandomState;
use quotelock_core::table::{IdHash, Table};
use quotelock_server::random_numbers;

/// Which rows of a call are the last with their id.
pub(super) struct LastRows<'a> {
    /// The hash of each row's id in the table.
    hashes: Vec<IdHash>,
    /// The last row of each id; `None` where no id is there twice.
    by_id: Option<HashMap<&'a [u8], usize, RandomState>>,
}

impl<'a> LastRows<'a> {
    /// The ids are those of the rows, which are for this table.
    pub(super) fn new(ids: &[&'a [u8]], table: &Table) -> Self {
        let hashes: Vec<IdHash> = ids.iter().map(|id| table.hash(id)).collect();
        if !may_repeat(&hashes) {
            return Self { hashes, by_id: None };
        }
        let [a, b, c, d] = random_numbers();
        let mut by_id = HashMap::with_capacity_and_hasher(ids.len(), RandomState::with_seeds(a, b, c, d));
        by_id.extend(ids.iter().copied().zip(0..));
        Self { hashes, by_id: Some(by_id) }
    }

    /// The hash of each row's id in the table.
    pub(super) fn hashes(&self) -> &[IdHash] {
        &self.hashes
    }

    /// How many different ids there are.
    pub(super) fn count(&self) -> usize {
        self.by_id.as_ref().map_or(self.hashes.len(), HashMap::len)
    }

    /// Whether no later row has the id of this one.
    pub(super) fn is_last(&self, row: usize, id: &[u8]) -> bool {
        self.by_id.as_ref().is_none_or(|by_id| by_id.get(id) == Some(&row))
    }
}

/// Whether two of these hashes are equal, and so may be of one id. An open-addressing set of the hashes costs
/// a fraction of a map.
#[expect(clippy::indexing_slicing, reason = "a place is masked to the length, a power of two")]
fn may_repeat(hashes: &[IdHash]) -> bool {
    if hashes.len() < 2 {
        return false;
    }
    let mask = (hashes.len() * 2).next_power_of_two() - 1;
    let mut seen = vec![0; mask + 1];
    for hash in hashes {
        // 0 marks a free place.
        let hash = hash.bits().max(1);
        let mut place = hash as usize & mask;
        while seen[place] != 0 {
            if seen[place] == hash {
                return true;
            }
            place = (place + 1) & mask;
        }
        seen[place] = hash;
    }
    false
}
