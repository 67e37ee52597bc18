use std::iter;

use quotelock_core::single_flight::{ClaimTerms, SingleFlight, TableKey, Token, WaitingClient};

/// Who fetches which row of one table, in a form that is compared and hashed. Each question goes to the core's
/// [`SingleFlight`], made anew of what is kept here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Claims(Vec<Claim>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Claim {
    id: String,
    token: Token,
    expiry_ms: i64,
}

/// What came of a call that claims.
#[derive(Debug, PartialEq, Eq)]
pub struct Claimed {
    pub claimed: Vec<String>,
    pub pending: Vec<String>,
}

impl Claims {
    /// Claims the ids that nobody has claimed.
    pub fn claim(&mut self, ids: &[&str], token: Token, now_ms: i64, expiry_ms: i64) -> Claimed {
        let mut flight = self.flight(now_ms);
        let outcome =
            flight.claim(TABLE, ids.iter().map(|id| id.as_bytes()), terms(token, now_ms, expiry_ms));
        let ids = |ids: &[&[u8]]| ids.iter().map(|id| String::from_utf8_lossy(id).into_owned()).collect();
        let outcome = Claimed { claimed: ids(&outcome.claimed), pending: ids(&outcome.pending) };
        self.0.extend(outcome.claimed.iter().map(|id| Claim { id: id.clone(), token, expiry_ms }));
        self.keep(&flight, now_ms);
        outcome
    }

    /// Whether the row is claimed under this token.
    pub fn is_held(&self, token: Token, id: &str, now_ms: i64) -> bool {
        self.flight(now_ms).claims().is_held(TABLE, token, id.as_bytes(), now_ms)
    }

    /// Whether anyone has claimed the row.
    pub fn is_claimed(&self, id: &str, now_ms: i64) -> bool {
        self.flight(now_ms).claims().is_claimed(TABLE, id.as_bytes(), now_ms)
    }

    /// Ends the claims on rows that were written.
    pub fn end_rows(&mut self, ids: &[&str], now_ms: i64) {
        let mut flight = self.flight(now_ms);
        flight.end_rows(TABLE, ids.iter().map(|id| id.as_bytes()));
        self.keep(&flight, now_ms);
    }

    /// Ends the claims under a token; returns how many.
    pub fn release(&mut self, token: Token, now_ms: i64) -> usize {
        let mut flight = self.flight(now_ms);
        let released = flight.release(TABLE, token, None, now_ms);
        self.keep(&flight, now_ms);
        released
    }

    /// Ends all claims.
    pub fn end_table(&mut self, now_ms: i64) {
        let mut flight = self.flight(now_ms);
        flight.end_table(TABLE);
        self.keep(&flight, now_ms);
    }

    fn flight(&self, now_ms: i64) -> SingleFlight<Nobody> {
        let mut flight = SingleFlight::new([1, 2, 3, 4]);
        for claim in &self.0 {
            flight.claim(TABLE, iter::once(claim.id.as_bytes()), terms(claim.token, now_ms, claim.expiry_ms));
        }
        flight
    }

    /// Keeps the claims that the core still counts, each once.
    fn keep(&mut self, flight: &SingleFlight<Nobody>, now_ms: i64) {
        self.0.retain(|claim| flight.claims().is_held(TABLE, claim.token, claim.id.as_bytes(), now_ms));
        // Of a claim that was claimed again the later expiry counts.
        self.0.sort_by(|a, b| (&a.id, b.expiry_ms).cmp(&(&b.id, a.expiry_ms)));
        self.0.dedup_by(|a, b| a.id == b.id);
    }
}

const TABLE: TableKey<'_> = TableKey { db: 0, name: b"table" };

fn terms(token: Token, now_ms: i64, expiry_ms: i64) -> ClaimTerms {
    let most = usize::MAX / 4;
    ClaimTerms { token, now_ms, expiry_ms, limit: most, max_claims: most, max_bytes: most }
}

/// Nobody waits: a model's pods look again instead.
enum Nobody {}

impl WaitingClient for Nobody {
    fn id_count(&self) -> usize {
        match *self {}
    }

    fn id(&self, _: usize) -> &[u8] {
        match *self {}
    }

    fn bytes(&self) -> usize {
        match *self {}
    }
}
