//! Claims: which rows someone is fetching upstream, and until when.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;
use std::rc::Rc;

use ahash::RandomState;

use super::by_table::{ByTable, TableKey};

/// What the caller of one claim shows for its claims: 128 random bits, as 32 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token([u8; 16]);

impl Token {
    /// The token of these bits.
    pub const fn new(bits: [u8; 16]) -> Self {
        Self(bits)
    }

    /// Reads a token as it was given out; `None` for anything else.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let digits: &[u8; 32] = text.try_into().ok()?;
        let mut bits = [0; 16];
        for (bits, digits) in bits.iter_mut().zip(digits.chunks_exact(2)) {
            let &[high, low] = digits else {
                return None;
            };
            *bits = digit(high)? << 4 | digit(low)?;
        }
        Some(Self(bits))
    }
}

fn digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => digit.checked_sub(b'0'),
        b'a'..=b'f' => digit.checked_sub(b'a').and_then(|value| value.checked_add(10)),
        _ => None,
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// How ids are claimed.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
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
    tables: ByTable<HashMap<Rc<[u8]>, Claim, RandomState>>,
    /// What was claimed in one call, by its token.
    grants: HashMap<Token, Grant, RandomState>,
    /// The grants in the order of their ends.
    ends: BTreeSet<(i64, Token)>,
    len: usize,
}

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

#[derive(Debug)]
struct Grant {
    db: i32,
    name: Box<[u8]>,
    until_ms: i64,
    /// The ids claimed; some of the claims may have ended since, or be another's.
    ids: Vec<Rc<[u8]>>,
    /// How many of the claims there still are.
    left: usize,
}

impl Grant {
    fn table(&self) -> TableKey<'_> {
        TableKey { db: self.db, name: &self.name }
    }
}

impl Claims {
    pub(super) fn new(hasher: RandomState) -> Self {
        Self {
            tables: ByTable::new(hasher.clone()),
            grants: HashMap::with_hasher(hasher.clone()),
            hasher,
            ends: BTreeSet::new(),
            len: 0,
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
        self.ends.first().map(|(until_ms, _)| *until_ms)
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
        terms: Terms,
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
        let too_many = self.len.saturating_add(free.len()).saturating_sub(terms.most);
        let mut expired =
            if too_many > 0 { self.drop_expired(terms.now_ms, too_many, usize::MAX, dropped) } else { 0 };
        let wanted = free.len();
        free.truncate(terms.most.saturating_sub(self.len));
        if !free.is_empty() {
            expired = expired.saturating_add(self.grant(table, &free, terms));
        }
        Claimed { refused: wanted.saturating_sub(free.len()), claimed: free, pending, expired }
    }

    /// Claims these ids, no two of them the same; returns how many claims past their end they had.
    fn grant(&mut self, table: TableKey<'_>, ids: &[&[u8]], terms: Terms) -> usize {
        let Terms { token, until_ms, .. } = terms;
        let ids: Vec<Rc<[u8]>> = ids.iter().map(|id| Rc::from(*id)).collect();
        let claims = self.tables.get_or_make(table, || HashMap::with_hasher(self.hasher.clone()));
        let replaced: Vec<Claim> =
            ids.iter().filter_map(|id| claims.insert(Rc::clone(id), Claim { token, until_ms })).collect();
        self.len = self.len.saturating_add(ids.len());
        let grant = Grant { db: table.db, name: table.name.into(), until_ms, left: ids.len(), ids };
        self.grants.insert(token, grant);
        self.ends.insert((until_ms, token));
        replaced.iter().for_each(|claim| self.forget(claim.token));
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
        let mut tokens = Vec::new();
        for id in ids {
            if let Some(claim) = claims.remove(id) {
                tokens.push(claim.token);
                ended(id);
            }
        }
        if claims.is_empty() {
            self.tables.remove(table);
        }
        tokens.iter().for_each(|token| self.forget(*token));
        tokens.len()
    }

    /// Gives up claims held under a token: on these ids, or all. Returns the ids.
    pub(super) fn release(
        &mut self,
        table: TableKey<'_>,
        token: Token,
        ids: Option<&[&[u8]]>,
        now_ms: i64,
    ) -> Vec<Rc<[u8]>> {
        let Some(grant) = self.grants.get(&token) else {
            return Vec::new();
        };
        let named: Vec<Rc<[u8]>> = match ids {
            Some(ids) => ids.iter().map(|id| Rc::from(*id)).collect(),
            None => grant.ids.clone(),
        };
        let mut released: Vec<Rc<[u8]>> =
            named.into_iter().filter(|id| self.is_held(table, token, id, now_ms)).collect();
        // An id may have been named twice.
        released.retain(|id| self.end_each(table, [&**id].into_iter(), |_| {}) > 0);
        released
    }

    /// Ends all claims of a table; returns how many there were.
    pub(super) fn end_table(&mut self, table: TableKey<'_>) -> usize {
        let ended = self.tables.remove(table);
        self.forget_all(ended.into_iter())
    }

    /// Ends all claims of a database, or of all; returns how many there were.
    pub(super) fn end_database(&mut self, db: Option<i32>) -> usize {
        let ended = self.tables.take(db);
        self.forget_all(ended)
    }

    fn forget_all(&mut self, tables: impl Iterator<Item = HashMap<Rc<[u8]>, Claim, RandomState>>) -> usize {
        let claims: Vec<Claim> = tables.flat_map(HashMap::into_values).collect();
        claims.iter().for_each(|claim| self.forget(claim.token));
        claims.len()
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
            let Some(&(until_ms, token)) = self.ends.first() else {
                break;
            };
            if now_ms < until_ms || count == enough {
                break;
            }
            let Some(grant) = self.grants.get_mut(&token) else {
                break;
            };
            let Some(id) = grant.ids.pop() else {
                break;
            };
            let table = TableKey { db: grant.db, name: &grant.name };
            let Some(claims) = self.tables.get_mut(table) else {
                continue;
            };
            if claims.get(&id).is_some_and(|claim| claim.token == token) {
                claims.remove(&id);
                if claims.is_empty() {
                    self.tables.remove(table);
                }
                dropped(grant.table(), &id);
                count = count.saturating_add(1);
                self.forget(token);
            }
        }
        count
    }

    /// One claim fewer under a token.
    fn forget(&mut self, token: Token) {
        self.len = self.len.saturating_sub(1);
        if let Some(grant) = self.grants.get_mut(&token) {
            grant.left = grant.left.saturating_sub(1);
            if grant.left == 0 {
                let until_ms = grant.until_ms;
                self.grants.remove(&token);
                self.ends.remove(&(until_ms, token));
            }
        }
    }
}
