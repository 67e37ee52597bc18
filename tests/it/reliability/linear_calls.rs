//! Random calls of one key, whose answers tell much of what is there.

use std::sync::Arc;

use quotelock_model::{
    Condition, LockCall, LockKey, PriceTable, SequentialSpec, TableCall, Terms, Token, Write,
};

use crate::harness::*;

/// Nothing expires by itself while a test runs: that depends on the time, which no order of calls has. What expires does
/// so by a call that says so, and locks are for a moment so long ago, or so far ahead, that their state stays.
pub(super) const SETTINGS: &str = "lock-ttl-ms 86400000 price-ttl-ms 0";
const TERMS: Terms = Terms { ttl_ms: 86_400_000, buffer_ms: 60_000 };
/// 2020-01-01T00:00:00Z: locks of these moments are closing.
const PAST_MS: i64 = 1_577_836_800_000;
/// 2100-01-01T00:00:00Z: locks of these moments are effective.
const FUTURE_MS: i64 = 4_102_444_800_000;

/// A key that is judged by a model of it.
pub(super) trait Judged: SequentialSpec<Op = Arc<Self::Call>, Ret = Arc<str>> + Clone {
    type Call;

    /// What its keys' names begin with.
    const PREFIX: &'static str;

    /// An empty one.
    fn fresh() -> Self;

    /// A call of the key with this number.
    fn random_call(key: u64, rng: &mut Rng) -> Self::Call;

    /// What is sent for a call.
    fn words(call: &Self::Call, key: &str) -> Vec<String>;
}

impl Judged for LockKey {
    type Call = LockCall;

    const PREFIX: &'static str = "user";

    fn fresh() -> Self {
        Self::new(TERMS, now())
    }

    fn random_call(_: u64, rng: &mut Rng) -> LockCall {
        // A role that no other call brings, so that an answer tells whose lock it is.
        let role_id = rng.next_u64().to_string();
        let first = if rng.below(4) == 0 { FUTURE_MS } else { PAST_MS };
        let query_time = moment(first + rng.below(1000) as i64);
        match rng.below(16) {
            0..6 => LockCall::Acquire { role_id, query_time, if_missing: false },
            6..8 => LockCall::Acquire { role_id, query_time, if_missing: true },
            8..11 => LockCall::Get,
            11..13 => {
                let condition = rng.pick(&[None, Some("NX"), Some("XX")]);
                LockCall::Set { role_id, query_time, condition }
            }
            13 => LockCall::Del { if_eq: None },
            14 => LockCall::Del { if_eq: Some(query_time) },
            _ => LockCall::Expire,
        }
    }

    fn words(call: &LockCall, key: &str) -> Vec<String> {
        call.words(key)
    }
}

impl Judged for PriceTable {
    type Call = TableCall;

    const PREFIX: &'static str = "prices";

    fn fresh() -> Self {
        Self::new(now())
    }

    fn random_call(key: u64, rng: &mut Rng) -> TableCall {
        // Few of each, so that clients meet at them.
        let (token, ids) = (Token::new(u128::from(key << 2 | rng.below(4))), random_ids(rng));
        match rng.below(16) {
            0..5 => TableCall::Set(Box::new(random_write(token, ids, rng))),
            5..8 => TableCall::Get { ids },
            8 => TableCall::Verify { id: ids[0].clone(), field: "pricingId", expected: "7".to_owned() },
            9..13 => TableCall::Claim { ids, token },
            13 => TableCall::Release { token },
            14 => TableCall::Del { ids },
            _ => TableCall::Clear,
        }
    }

    fn words(call: &TableCall, key: &str) -> Vec<String> {
        call.words(key)
    }
}

/// One to three of three.
fn random_ids(rng: &mut Rng) -> Vec<String> {
    let mut ids = ["1", "2", "3"].map(str::to_owned);
    rng.shuffle(&mut ids);
    ids.into_iter().take(1 + rng.below(3) as usize).collect()
}

fn random_write(token: Token, ids: Vec<String>, rng: &mut Rng) -> Write {
    let fields: &[&str] = rng.pick(&[&["pricingId"][..], &["styleId", "pricingId"], &["pricingId", "rule"]]);
    let token = (rng.below(2) == 0).then_some(token);
    let value = if rng.below(8) == 0 { "7".to_owned() } else { rng.next_u64().to_string() };
    Write {
        condition: rng.pick(&[
            None,
            Some(Condition::Absent),
            Some(Condition::Absent),
            Some(Condition::Present),
        ]),
        merge: rng.below(3) == 0,
        expired: rng.below(8) == 0,
        token,
        keep_claim: token.is_some() && rng.below(4) == 0,
        fields,
        rows: ids.into_iter().map(|id| (id, vec![value.clone(); fields.len()])).collect(),
    }
}
