use std::collections::BTreeMap;

use quotelock_core::lock::{Lock, Outcome, QueryTime, RoleIds, acquire};
use quotelock_core::single_flight::Token;
use quotelock_core::table::{Condition, Expiry, ExpiryPolicy, Verdict, WriteOutcome, WritePolicy};
use quotelock_core::timestamp::Timestamp;

use super::{Seconds, TERMS, at_ms};
use crate::{Claims, Fields, Rows};

/// The one vehicle, and the field of its price.
const ID: &str = "1";
const FIELD: &str = "price";

/// How long a claim is held, in milliseconds.
const CLAIM_MS: i64 = 2000;

/// A server with one user's lock and a table for each moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Server {
    /// How far its clock is ahead of upstream's.
    pub(super) ahead: Seconds,
    lock: Option<StoredLock>,
    tables: BTreeMap<Seconds, Rows>,
    claims: BTreeMap<Seconds, Claims>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct StoredLock {
    json: Vec<u8>,
    expiry_ms: i64,
}

/// The answer to `VEHPRICE.CLAIM`.
pub(super) enum Claimed {
    Row(usize),
    Ours(Token),
    Pending,
}

impl Server {
    pub(super) fn new(ahead: Seconds) -> Self {
        Self { ahead, lock: None, tables: BTreeMap::new(), claims: BTreeMap::new() }
    }

    pub(super) fn clock_ms(&self, now: Seconds) -> i64 {
        (now + self.ahead) * 1000
    }

    /// The same data on a server with this clock. Claims are not data.
    pub(super) fn taken_over_by(self, ahead: Seconds) -> Self {
        Self { ahead, claims: BTreeMap::new(), ..self }
    }
}

/// The lock.
impl Server {
    /// What is stored, if it has not expired.
    fn stored(&self, now_ms: i64) -> Option<&StoredLock> {
        self.lock.as_ref().filter(|lock| now_ms < lock.expiry_ms)
    }

    /// The moment of the lock.
    pub(super) fn lock(&self, now: Seconds) -> Option<Timestamp> {
        Some(Lock::parse(&self.stored(self.clock_ms(now))?.json)?.moment)
    }

    /// What `QUOTELOCK.ACQUIRE` would do, and the moment of the new lock.
    pub(super) fn decide(
        &self,
        time: QueryTime<'_>,
        if_missing: bool,
        lag_ms: i64,
        now: Seconds,
    ) -> (Outcome, Timestamp) {
        let now_ms = self.clock_ms(now);
        let held = self.stored(now_ms).and_then(|stored| Lock::parse(&stored.json));
        let wanted = time.resolve(at_ms(now_ms), lag_ms, None).unwrap().moment();
        (acquire(held.as_ref(), wanted, if_missing, TERMS, at_ms(now_ms)), wanted)
    }

    /// Stores a lock.
    pub(super) fn set_lock(&mut self, moment: Timestamp, now: Seconds) {
        let query_time = moment.format_rfc3339().unwrap().into_bytes().into();
        let role_ids = RoleIds::parse(b"3").unwrap();
        let lock = Lock { role_ids, query_time, moment, ttl_ms: None, buffer_ms: None };
        let expiry_ms = self.clock_ms(now) + TERMS.ttl_ms;
        self.lock = Some(StoredLock { json: lock.with_stored(<[u8]>::to_vec), expiry_ms });
    }
}

/// The tables.
impl Server {
    /// The price in a row.
    pub(super) fn price(&self, moment: Seconds, now: Seconds) -> Option<usize> {
        let value = self.tables.get(&moment)?.value(ID, FIELD, self.clock_ms(now))?;
        Some(value.parse().unwrap())
    }

    /// What `VEHPRICE.VERIFY` answers.
    pub(super) fn verify(&self, moment: Seconds, price: usize, now: Seconds) -> Verdict {
        let rows = self.tables.get(&moment).cloned().unwrap_or_default();
        rows.verify(ID, &fields(price), self.clock_ms(now))
    }

    /// Reads the row, or claims it under a token.
    pub(super) fn claim(&mut self, moment: Seconds, token: Token, now: Seconds) -> Claimed {
        if let Some(price) = self.price(moment, now) {
            return Claimed::Row(price);
        }
        let now_ms = self.clock_ms(now);
        let outcome = self.claims.entry(moment).or_default().claim(&[ID], token, now_ms, now_ms + CLAIM_MS);
        if outcome.claimed.is_empty() { Claimed::Pending } else { Claimed::Ours(token) }
    }

    /// Whether claims are held under a token.
    pub(super) fn is_used(&self, token: Token, now: Seconds) -> bool {
        self.claims.values().any(|claims| claims.is_held(token, ID, self.clock_ms(now)))
    }

    /// Stores the row: with a token if it is still claimed under that, otherwise if it is not there. Returns whether it
    /// did.
    pub(super) fn set(
        &mut self,
        moment: Seconds,
        price: usize,
        token: Option<Token>,
        lag_ms: i64,
        now: Seconds,
    ) -> bool {
        let now_ms = self.clock_ms(now);
        let claims = self.claims.entry(moment).or_default();
        if token.is_some_and(|token| !claims.is_held(token, ID, now_ms)) {
            return false;
        }
        let condition = token.is_none().then_some(Condition::Absent);
        // The row outlives every lock on its moment.
        let expiry = Expiry::at(moment * 1000 + lag_ms + TERMS.ttl_ms);
        let policy = WritePolicy { condition, merge: false, expiry: ExpiryPolicy::Set(expiry) };
        let outcome = self.tables.entry(moment).or_default().write(ID, &fields(price), policy, now_ms);
        if outcome != WriteOutcome::Skipped {
            claims.end_rows(&[ID], now_ms);
        }
        matches!(outcome, WriteOutcome::Stored)
    }

    /// How many moments have a table.
    pub(super) fn tables(&self) -> usize {
        self.tables.len()
    }

    /// Whether the lock on this moment is there, and the row of its table is not.
    pub(super) fn has_lost_row(&self, moment: Seconds, now: Seconds) -> bool {
        self.lock(now) == Some(at_ms(moment * 1000)) && self.price(moment, now).is_none()
    }
}

fn fields(price: usize) -> Fields {
    vec![(FIELD.to_owned(), price.to_string())]
}
