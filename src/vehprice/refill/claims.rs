//! Claims: which rows someone is fetching upstream, and until when.

use std::collections::{HashMap, HashSet, VecDeque, btree_map};
use std::iter::Flatten;
use std::sync::Arc;

use ahash::RandomState;

use super::by_table::{ByName, ByTable, TableKey};
use super::grants::{Grant, Grants};
use super::token::Token;

/// How ids are claimed.
#[derive(Clone, Copy, Debug)]
pub struct ClaimTerms {
    /// The token the claims are held under, which no claim was before.
    pub token: Token,
    /// The time.
    pub now_ms: i64,
    /// When the claims end by themselves.
    pub until_ms: i64,
    /// The most ids to claim.
    pub limit: usize,
    /// The most claims there may be, over all tables.
    pub most: usize,
}

/// What claiming came to.
#[derive(Debug, PartialEq, Eq)]
pub struct Claimed<'i> {
    /// The ids that are claimed now.
    pub claimed: Vec<&'i [u8]>,
    /// The ids that someone else has claimed.
    pub pending: Vec<&'i [u8]>,
    /// How many ids were not claimed because there are too many claims.
    pub refused: usize,
    /// How many claims were found to be past their end, and dropped.
    pub expired: usize,
}

/// All claims. One that is past its end counts as none, dropped or not.
#[derive(Debug)]
pub struct Claims {
    hasher: RandomState,
    tables: ByTable<TableClaims>,
    grants: Grants,
    /// The claims of tables whose claims have ended all at once, given back in steps.
    ended: VecDeque<Ended>,
    len: usize,
    ended_len: usize,
}

/// The claims of a table, by id.
type TableClaims = HashMap<Arc<[u8]>, Claim, RandomState>;

/// The claims of tables, one after the other.
type Ended = Flatten<btree_map::IntoValues<Box<[u8]>, TableClaims>>;

#[derive(Clone, Copy, Debug)]
struct Claim {
    token: Token,
    until_ms: i64,
}

impl Claim {
    fn is_live(self, now_ms: i64) -> bool {
        now_ms < self.until_ms
    }
}

impl Claims {
    pub(super) fn new(hasher: RandomState) -> Self {
        Self {
            hasher,
            tables: ByTable::new(),
            grants: Grants::default(),
            ended: VecDeque::new(),
            len: 0,
            ended_len: 0,
        }
    }

    /// How many claims there are, those included that are past their end and were not dropped yet.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// When the next claims end by themselves.
    pub fn next_end_ms(&self) -> Option<i64> {
        self.grants.first().map(|(until_ms, _)| until_ms)
    }

    /// Whether there is something to drop or give back of claims that have ended.
    pub fn have_ended(&self, now_ms: i64) -> bool {
        self.have_ended_with_tables() || self.next_end_ms().is_some_and(|end_ms| end_ms <= now_ms)
    }

    /// Whether there is something to give back of tables whose claims have ended all at once.
    pub(super) fn have_ended_with_tables(&self) -> bool {
        !self.ended.is_empty()
    }

    /// Whether someone has claimed a row.
    pub fn is_claimed(&self, table: TableKey<'_>, id: &[u8], now_ms: i64) -> bool {
        self.tables.get(table).and_then(|claims| claims.get(id)).is_some_and(|claim| claim.is_live(now_ms))
    }

    /// Whether there is a claim on any row of the table.
    pub(super) fn has_table(&self, table: TableKey<'_>) -> bool {
        self.tables.get(table).is_some()
    }

    /// Whether a row is claimed under this token.
    pub fn is_held(&self, table: TableKey<'_>, token: Token, id: &[u8], now_ms: i64) -> bool {
        let claim = self.tables.get(table).and_then(|claims| claims.get(id));
        claim.is_some_and(|claim| claim.token == token && claim.is_live(now_ms))
    }

    /// Claims those of the ids that no one has claimed, in order, within the terms. `dropped` is told of each claim on another
    /// row that was past its end and made room.
    pub(super) fn claim<'i>(
        &mut self,
        table: TableKey<'_>,
        ids: impl Iterator<Item = &'i [u8]>,
        terms: ClaimTerms,
        dropped: impl FnMut(TableKey<'_>, &[u8]),
    ) -> Claimed<'i> {
        let mut seen = HashSet::with_hasher(self.hasher.clone());
        let (mut free, mut pending) = (Vec::new(), Vec::new());
        let claims = self.tables.get(table);
        for id in ids.filter(|id| seen.insert(*id)) {
            let claim = claims.and_then(|claims| claims.get(id));
            if claim.is_some_and(|claim| claim.is_live(terms.now_ms)) {
                pending.push(id);
            } else if free.len() < terms.limit {
                free.push(id);
            }
        }
        let wanted = free.len();
        let expired = self.make_room(wanted, terms, dropped);
        free.truncate(terms.most.saturating_sub(self.len));
        let replaced = if free.is_empty() { 0 } else { self.grant(table, &free, terms) };
        Claimed {
            refused: wanted.saturating_sub(free.len()),
            claimed: free,
            pending,
            expired: expired.saturating_add(replaced),
        }
    }

    /// Where so many more claims would be too many, those that have ended make room. Returns how many were past their end.
    fn make_room(
        &mut self,
        wanted: usize,
        terms: ClaimTerms,
        dropped: impl FnMut(TableKey<'_>, &[u8]),
    ) -> usize {
        let kept = self.len.saturating_add(self.ended_len);
        let too_many = kept.saturating_add(wanted).saturating_sub(terms.most);
        // Should the setting have been lowered it can be any number; the alarm gives back the rest, in turns.
        let too_many = too_many.min(wanted.max(MOST_BEYOND_WANTED));
        let too_many = too_many.saturating_sub(self.give_back(too_many));
        if too_many > 0 { self.drop_expired(terms.now_ms, too_many, usize::MAX, dropped) } else { 0 }
    }

    /// Claims these ids, no two of them the same; returns how many claims past their end they had.
    fn grant(&mut self, table: TableKey<'_>, ids: &[&[u8]], terms: ClaimTerms) -> usize {
        let ClaimTerms { token, until_ms, .. } = terms;
        let ids: Vec<Arc<[u8]>> = ids.iter().map(|id| Arc::from(*id)).collect();
        let claims = self.tables.get_or_make(table, || HashMap::with_hasher(self.hasher.clone()));
        let replaced: Vec<Claim> =
            ids.iter().filter_map(|id| claims.insert(Arc::clone(id), Claim { token, until_ms })).collect();
        self.len = self.len.saturating_add(ids.len());
        self.grants.add(token, Grant::new(table, until_ms, ids));
        replaced.iter().for_each(|claim| self.forget(claim.token, 1));
        replaced.len()
    }

    /// Ends the claims on these ids, whoever has them; returns how many there were. `ended` is told of each.
    pub(super) fn end_each<'i>(
        &mut self,
        table: TableKey<'_>,
        ids: impl Iterator<Item = &'i [u8]>,
        mut ended: impl FnMut(&[u8]),
    ) -> usize {
        let Some(claims) = self.tables.get_mut(table) else {
            return 0;
        };
        // What was claimed in one call mostly ends together.
        let mut tokens: Vec<(Token, usize)> = Vec::new();
        for id in ids {
            if let Some(claim) = claims.remove(id) {
                ended(id);
                match tokens.last_mut().filter(|(token, _)| *token == claim.token) {
                    Some((_, count)) => *count = count.saturating_add(1),
                    None => tokens.push((claim.token, 1)),
                }
            }
        }
        fit(&mut self.tables, table);
        tokens.iter().for_each(|(token, count)| self.forget(*token, *count));
        tokens.iter().map(|(_, count)| count).sum()
    }

    /// Gives up claims held under a token: on these ids, or all; returns how many. `ended` is told of each.
    pub(super) fn release(
        &mut self,
        table: TableKey<'_>,
        token: Token,
        ids: Option<&[&[u8]]>,
        now_ms: i64,
        ended: impl FnMut(&[u8]),
    ) -> usize {
        let Some(grant) = self.grants.get(token) else {
            return 0;
        };
        let mut held: Vec<Arc<[u8]>> = match ids {
            Some(ids) => ids.iter().map(|id| Arc::from(*id)).collect(),
            None => grant.ids.clone(),
        };
        held.retain(|id| self.is_held(table, token, id, now_ms));
        self.end_each(table, held.iter().map(|id| &**id), ended)
    }

    /// Ends all claims of a table; returns how many there were.
    pub(super) fn end_table(&mut self, table: TableKey<'_>) -> usize {
        self.tables.remove(table).map_or(0, |claims| self.end_all(ByName::from([(Box::default(), claims)])))
    }

    /// Ends all claims of a database, or of all; returns how many there were.
    pub(super) fn end_database(&mut self, db: Option<i32>) -> usize {
        self.tables.take(db).map(|tables| self.end_all(tables)).sum()
    }

    /// These claims were taken away: they count no more, and are given back later, as there may be many.
    fn end_all(&mut self, tables: ByName<TableClaims>) -> usize {
        let count = tables.values().map(HashMap::len).sum();
        self.len = self.len.saturating_sub(count);
        self.ended_len = self.ended_len.saturating_add(count);
        self.ended.push_back(tables.into_values().flatten());
        count
    }

    /// Gives back claims of tables whose claims have ended all at once, not more than `most`; returns how many.
    pub(super) fn give_back(&mut self, most: usize) -> usize {
        let mut count = 0_usize;
        while let Some(ended) = self.ended.front_mut().filter(|_| count < most) {
            let Some((_, claim)) = ended.next() else {
                self.ended.pop_front();
                continue;
            };
            count = count.saturating_add(1);
            // All claims of the grant have ended, so it does not matter which of its ids go first.
            if let Some(grant) = self.grants.get_mut(claim.token) {
                grant.ids.truncate(grant.ids.len().saturating_sub(2));
                grant.left = grant.left.saturating_sub(1);
                if grant.left == 0 {
                    self.grants.remove(claim.token);
                }
            }
        }
        self.ended_len = self.ended_len.saturating_sub(count);
        count
    }

    /// Drops claims that are past their end, not more than `enough`, looking at `most` ids; returns how many. `dropped` is
    /// told of each.
    pub(super) fn drop_expired(
        &mut self,
        now_ms: i64,
        enough: usize,
        most: usize,
        mut dropped: impl FnMut(TableKey<'_>, &[u8]),
    ) -> usize {
        let mut count = 0_usize;
        for _ in 0..most {
            let Some((until_ms, token)) = self.grants.first().filter(|_| count < enough) else {
                break;
            };
            let Some(grant) = self.grants.get_mut(token).filter(|_| until_ms <= now_ms) else {
                break;
            };
            let Some(id) = grant.ids.pop() else {
                // Its claims have ended with their table.
                self.grants.remove(token);
                continue;
            };
            let table = grant.table();
            let Some(claims) = self.tables.get_mut(table) else {
                continue;
            };
            if claims.get(&id).is_some_and(|claim| claim.token == token) {
                claims.remove(&id);
                fit(&mut self.tables, table);
                dropped(table, &id);
                count = count.saturating_add(1);
                self.forget(token, 1);
            }
        }
        count
    }

    /// So many claims fewer under a token.
    fn forget(&mut self, token: Token, count: usize) {
        self.len = self.len.saturating_sub(count);
        let Some(grant) = self.grants.get_mut(token) else {
            return;
        };
        grant.left = grant.left.saturating_sub(count);
        if grant.left == 0 {
            self.grants.remove(token);
            return;
        }
        let claims = self.tables.get(grant.table());
        let is_left =
            |id: &[u8]| claims.and_then(|claims| claims.get(id)).is_some_and(|claim| claim.token == token);
        grant.tidy(count.saturating_mul(4), is_left);
    }
}

/// More claims are not moved at once.
const MOST_MOVED: usize = 10_000;

/// The most claims that are given back for one command, beyond as many as it wants.
const MOST_BEYOND_WANTED: usize = 10_000;

/// Gives back what a table with fewer claims needs no longer.
fn fit(tables: &mut ByTable<TableClaims>, table: TableKey<'_>) {
    let Some(claims) = tables.get_mut(table) else {
        return;
    };
    if claims.is_empty() {
        tables.remove(table);
    } else if claims.len() < claims.capacity().div_euclid(8).min(MOST_MOVED) {
        claims.shrink_to(claims.len().saturating_mul(2));
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "a test may fail")]
mod tests {
    use super::*;

    const TABLE: TableKey<'_> = TableKey { db: 0, name: b"t" };
    const OTHER: TableKey<'_> = TableKey { db: 0, name: b"u" };

    fn ids(from: usize, to: usize) -> Vec<Vec<u8>> {
        (from..to).map(|id| id.to_string().into_bytes()).collect()
    }

    fn bytes(ids: &[Vec<u8>]) -> impl Iterator<Item = &[u8]> {
        ids.iter().map(Vec::as_slice)
    }

    fn token(number: u8) -> Token {
        Token::new([number; 16])
    }

    fn claim(claims: &mut Claims, number: u8, ids: &[Vec<u8>], until_ms: i64) -> usize {
        let terms = ClaimTerms { token: token(number), now_ms: 0, until_ms, limit: usize::MAX, most: 1000 };
        claims.claim(TABLE, bytes(ids), terms, |_, _| {}).claimed.len()
    }

    fn claims() -> Claims {
        Claims::new(RandomState::with_seeds(1, 2, 3, 4))
    }

    /// What is kept of claims, ended or not: the ids of grants, places in tables, ends.
    fn kept(claims: &Claims) -> (usize, usize, usize) {
        let ids = claims.grants.iter().map(|grant| grant.ids.capacity()).sum();
        let places = claims.tables.get(TABLE).map_or(0, HashMap::capacity);
        (ids, places, claims.grants.iter().count())
    }

    #[test]
    fn what_is_kept_is_in_proportion_to_the_claims_there_are() {
        let mut claims = claims();
        let all = ids(0, 1000);
        assert_eq!(claim(&mut claims, 1, &all, 100), 1000);
        for (ended, id) in all.iter().enumerate() {
            let left = 1000 - ended;
            let (ids, places, grants) = kept(&claims);
            assert!(ids <= 16 * left, "{ids} ids are kept of {left}");
            assert!(places <= 8 * left + 8, "{places} places are kept for {left}");
            assert_eq!(grants, 1);
            claims.end_each(TABLE, [id.as_slice()].into_iter(), |_| {});
        }
        assert_eq!(kept(&claims), (0, 0, 0));
    }

    #[test]
    fn a_grant_forgets_ids_that_another_has_claimed_since() {
        let mut claims = claims();
        claim(&mut claims, 1, &ids(0, 100), 0);
        // They are past their end, and all but one are claimed by another.
        claim(&mut claims, 2, &ids(1, 100), 100);
        let ids = claims.grants.get(token(1)).map_or(0, |grant| grant.ids.len());
        assert!((1..=4).contains(&ids), "{ids}");
        assert_eq!(claims.len(), 100);
    }

    #[test]
    fn what_ended_with_its_table_is_given_back_in_steps() {
        let mut claims = claims();
        claim(&mut claims, 1, &ids(0, 300), 100);
        claim(&mut claims, 2, &ids(300, 600), 100);
        assert_eq!((claims.end_table(TABLE), claims.len()), (600, 0));
        assert!(!claims.is_claimed(TABLE, b"1", 0) && claims.have_ended_with_tables());
        assert_eq!(claims.give_back(250), 250);
        // The rows can be claimed at once. What is not given back counts, but makes room.
        assert_eq!(claim(&mut claims, 3, &ids(0, 900), 100), 900);
        assert_eq!(claims.len() + claims.ended_len, 1000);
        assert_eq!((claims.give_back(1000), claims.have_ended_with_tables()), (100, false));
        assert_eq!(kept(&claims).2, 1);
        assert_eq!((claims.end_database(None), claims.end_database(None)), (900, 0));
        assert_eq!((claims.give_back(usize::MAX), kept(&claims)), (900, (0, 0, 0)));
    }

    #[test]
    fn a_claim_gives_back_only_so_many_others() {
        const KEPT: usize = 3 * MOST_BEYOND_WANTED;
        let one =
            |number, now_ms| ClaimTerms { token: token(number), now_ms, until_ms: 200, limit: 1, most: 1 };
        let all = ids(0, KEPT);
        let many = ClaimTerms { most: KEPT, limit: KEPT, until_ms: 100, ..one(1, 0) };

        let mut with_table = claims();
        with_table.claim(TABLE, bytes(&all), many, |_, _| {});
        with_table.end_table(TABLE);
        assert_eq!(with_table.claim(TABLE, bytes(&all), one(2, 0), |_, _| {}).claimed.len(), 1);
        assert_eq!(with_table.give_back(usize::MAX), KEPT - MOST_BEYOND_WANTED);

        let mut past = claims();
        past.claim(TABLE, bytes(&all), many, |_, _| {});
        let refused = past.claim(OTHER, bytes(&all), one(2, 100), |_, _| {});
        assert_eq!((refused.claimed.len(), refused.refused), (0, 1));
        assert_eq!(past.drop_expired(100, usize::MAX, usize::MAX, |_, _| {}), KEPT - MOST_BEYOND_WANTED);
        assert_eq!(past.claim(OTHER, bytes(&all), one(3, 100), |_, _| {}).claimed.len(), 1);
    }

    #[test]
    fn what_ended_with_its_table_does_not_hold_up_what_ends_by_itself() {
        let mut claims = claims();
        claim(&mut claims, 1, &ids(0, 10), 50);
        claims.end_table(TABLE);
        claim(&mut claims, 2, &ids(0, 10), 60);
        assert_eq!(claims.drop_expired(60, 100, 100, |_, _| {}), 10);
        assert_eq!(kept(&claims), (0, 0, 0));
        assert_eq!((claims.give_back(100), claims.next_end_ms()), (10, None));
    }
}
