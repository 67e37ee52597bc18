//! Claims and waiters beside a plain model of them.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::super::*;
use super::{Asked, single_flight};

#[derive(Clone, Debug)]
enum Step {
    Claim { table: u8, ids: Vec<u8>, for_ms: i64, limit: usize, max_claims: usize, again: Option<usize> },
    Write { table: u8, ids: Vec<u8>, store: bool, keep: bool },
    Release { lease: usize, table: u8, ids: Option<Vec<u8>> },
    EndTable(u8),
    EndDatabase(Option<i32>),
    Wait { table: u8, ids: Vec<u8> },
    Leave(usize),
    Advance(i64),
    Timer { max_reaped: usize, rechecks: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let ids = || proptest::collection::vec(0..12_u8, 1..6);
    prop_oneof![
        6 => (0..4_u8, ids(), 1..50_i64, 1..5_usize, 0..20_usize, proptest::option::of(0..4_usize))
            .prop_map(|(table, ids, for_ms, limit, max_claims, again)| {
                Step::Claim { table, ids, for_ms, limit, max_claims, again }
            }),
        6 => (0..4_u8, ids(), any::<bool>(), any::<bool>())
            .prop_map(|(table, ids, store, keep)| Step::Write { table, ids, store, keep }),
        3 => (0..8_usize, 0..4_u8, proptest::option::of(ids()))
            .prop_map(|(lease, table, ids)| Step::Release { lease, table, ids }),
        1 => (0..4_u8).prop_map(Step::EndTable),
        1 => prop_oneof![Just(None), (0..2_i32).prop_map(Some)].prop_map(Step::EndDatabase),
        5 => (0..4_u8, ids()).prop_map(|(table, ids)| Step::Wait { table, ids }),
        1 => (0..20_usize).prop_map(Step::Leave),
        3 => (1..30_i64).prop_map(Step::Advance),
        4 => (0..8_usize, 0..4_usize).prop_map(|(max_reaped, rechecks)| Step::Timer { max_reaped, rechecks }),
    ]
}

/// Two databases with two tables each.
fn table(number: u8) -> TableKey<'static> {
    TableKey { db: i32::from(number / 2), name: if number.is_multiple_of(2) { b"a" } else { b"b" } }
}

fn bytes(ids: &[u8]) -> Vec<Vec<u8>> {
    ids.iter().map(|id| vec![*id]).collect()
}

/// Claims and waiters, kept in the plainest way.
#[derive(Default)]
struct Model {
    /// Token and expiry, by table and id.
    claims: BTreeMap<(u8, u8), (Token, i64)>,
    rows: BTreeSet<(u8, u8)>,
    waiting: BTreeMap<WaiterId, (u8, Vec<u8>)>,
    tokens: Vec<Token>,
    now_ms: i64,
}

impl Model {
    fn is_claimed(&self, table: u8, id: u8) -> bool {
        self.claims.get(&(table, id)).is_some_and(|(_, expiry_ms)| self.now_ms < *expiry_ms)
    }

    fn is_awaited(&self, table: u8, id: u8) -> bool {
        self.is_claimed(table, id) && !self.rows.contains(&(table, id))
    }

    fn live(&self) -> usize {
        self.claims.values().filter(|(_, expiry_ms)| self.now_ms < *expiry_ms).count()
    }

    fn live_in(&self, table: u8) -> usize {
        (0..12).filter(|id| self.is_claimed(table, *id)).count()
    }
}

fn apply(flight: &mut SingleFlight<Asked>, model: &mut Model, step: Step) {
    match step {
        Step::Claim { table: number, ids, for_ms, limit, max_claims, again } => {
            // Under a token of its own, or one that was used before, in whatever table.
            let used = again.and_then(|again| model.tokens.iter().rev().nth(again).copied());
            let token = used.unwrap_or_else(|| Token::new(model.tokens.len() as u128 + 1));
            if used.is_none() {
                model.tokens.push(token);
            }
            let expiry_ms = model.now_ms + for_ms;
            let (mut claimed, mut pending, mut refused) = (Vec::new(), Vec::new(), 0);
            let mut seen = BTreeSet::new();
            let distinct: Vec<u8> = ids.iter().copied().filter(|id| seen.insert(*id)).collect();
            let held = model.live_in(number);
            let share = max_claims.saturating_sub(model.live() - held).div_ceil(2);
            let own = |id: &&u8| model.is_claimed(number, **id) && model.claims[&(number, **id)].0 == token;
            let again: Vec<u8> = distinct.iter().filter(own).copied().take(limit).collect();
            let mut free = 0;
            for id in &distinct {
                if again.contains(id) {
                    claimed.push(*id);
                } else if model.is_claimed(number, *id) {
                    if !own(&id) {
                        pending.push(*id);
                    }
                } else if again.len() + free < limit {
                    free += 1;
                    if held + free <= share { claimed.push(*id) } else { refused += 1 }
                }
            }
            let renewed = again.len();
            model.claims.extend(claimed.iter().map(|id| ((number, *id), (token, expiry_ms))));
            let terms = ClaimTerms {
                token,
                now_ms: model.now_ms,
                expiry_ms,
                limit,
                max_claims,
                max_bytes: usize::MAX,
            };
            let ids = bytes(&ids);
            let found = flight.claim(table(number), ids.iter().map(Vec::as_slice), terms);
            let flat = |ids: &[&[u8]]| ids.concat();
            assert_eq!(
                (flat(&found.claimed), flat(&found.pending), found.refused, found.renewed),
                (claimed, pending, refused, renewed)
            );
        }
        Step::Write { table: number, ids, store, keep } => {
            for id in &ids {
                if store {
                    model.rows.insert((number, *id))
                } else {
                    model.rows.remove(&(number, *id))
                };
                if !keep {
                    model.claims.remove(&(number, *id));
                }
            }
            let ids = bytes(&ids);
            let ids = ids.iter().map(Vec::as_slice);
            if keep {
                flight.wake_rows(table(number), ids);
            } else {
                flight.end_rows(table(number), ids);
            }
        }
        Step::Release { lease, table: number, ids } => {
            let Some(token) = model.tokens.iter().rev().nth(lease).copied() else {
                return;
            };
            let named: Vec<u8> = ids.clone().unwrap_or_else(|| (0..12).collect());
            let held = |id: &u8| {
                model.is_claimed(number, *id)
                    && model.claims.get(&(number, *id)).is_some_and(|c| c.0 == token)
            };
            let released: BTreeSet<u8> = named.into_iter().filter(held).collect();
            model.claims.retain(|(table, id), _| *table != number || !released.contains(id));
            let ids = ids.map(|ids| bytes(&ids));
            let ids: Option<Vec<&[u8]>> = ids.as_ref().map(|ids| ids.iter().map(Vec::as_slice).collect());
            let found = flight.release(table(number), token, ids.as_deref(), model.now_ms);
            assert_eq!(found, released.len());
        }
        Step::EndTable(number) => {
            model.claims.retain(|(table, _), _| *table != number);
            flight.end_table(table(number));
        }
        Step::EndDatabase(db) => {
            model.claims.retain(|(number, _), _| db.is_some_and(|db| table(*number).db != db));
            flight.end_database(db);
        }
        Step::Wait { table: number, ids } => {
            let waits = ids.iter().any(|id| model.is_awaited(number, *id));
            let asked = bytes(&ids);
            let asked: Vec<&[u8]> = asked.iter().map(Vec::as_slice).collect();
            let is_missing = |id: &[u8]| !model.rows.contains(&(number, id[0]));
            let waiter = {
                let client = || Asked::of(&asked);
                flight.add_waiter(table(number), &asked, &[], model.now_ms, is_missing, client)
            };
            assert_eq!(waiter.is_some(), waits);
            waiter.map(|waiter| model.waiting.insert(waiter, (number, ids)));
        }
        Step::Leave(index) => {
            if let Some(waiter) = model.waiting.keys().nth(index).copied() {
                model.waiting.remove(&waiter);
                assert!(flight.remove_waiter(waiter).is_some());
            }
        }
        Step::Advance(ms) => model.now_ms += ms,
        Step::Timer { max_reaped, rechecks } => run_timer(flight, model, max_reaped, rechecks),
    }
}

fn run_timer(flight: &mut SingleFlight<Asked>, model: &mut Model, max_reaped: usize, rechecks: usize) {
    flight.reap_expired(model.now_ms, max_reaped);
    for _ in 0..rechecks {
        let Some(waiter) = flight.pop_due() else {
            break;
        };
        let (number, ids) = model.waiting.get(&waiter).unwrap();
        let waits = ids.iter().any(|id| model.is_awaited(*number, *id));
        let is_missing = |id: &[u8]| !model.rows.contains(&(*number, id[0]));
        assert_eq!(flight.recheck(waiter, model.now_ms, is_missing).waits, waits);
        if !waits {
            flight.remove_waiter(waiter);
            model.waiting.remove(&waiter);
        }
    }
}

proptest! {
    #[test]
    fn agrees_with_a_plain_model(steps in proptest::collection::vec(step(), 1..120)) {
        let (mut flight, mut model) = (single_flight(), Model::default());
        for step in steps {
            apply(&mut flight, &mut model, step);
            for number in 0..4 {
                for id in 0..12 {
                    let claimed = flight.claims().is_claimed(table(number), &[id], model.now_ms);
                    prop_assert_eq!(claimed, model.is_claimed(number, id));
                }
            }
            prop_assert!(flight.claims().len() >= model.live());
            prop_assert_eq!(flight.waiters().len(), model.waiting.len());
        }
        // With all work done, whoever waits has something to wait for.
        run_timer(&mut flight, &mut model, usize::MAX, usize::MAX);
        prop_assert_eq!(flight.claims().len(), model.live());
        for (waiter, (number, ids)) in &model.waiting {
            prop_assert!(ids.iter().any(|id| model.is_awaited(*number, *id)), "{} was not woken", waiter);
        }
        // Once all claims have expired, nobody does.
        model.now_ms += 1000;
        run_timer(&mut flight, &mut model, usize::MAX, usize::MAX);
        prop_assert!(model.waiting.is_empty() && flight.waiters().is_empty());
        prop_assert!(flight.claims().is_empty() && !flight.has_work());
        prop_assert_eq!(flight.claims().next_expiry_ms(), None);
        prop_assert_eq!(flight.bytes(), 0);
    }
}
