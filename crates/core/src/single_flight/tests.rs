use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

const A: TableKey<'_> = TableKey { db: 0, name: b"a" };
const B: TableKey<'_> = TableKey { db: 0, name: b"b" };
const OTHER_DB: TableKey<'_> = TableKey { db: 1, name: b"a" };

/// A client that waits: the ids it asked for.
#[derive(Debug)]
struct Asked(Vec<Vec<u8>>);

impl Asked {
    fn of(ids: &[&[u8]]) -> Self {
        Self(ids.iter().map(|id| id.to_vec()).collect())
    }
}

impl WaitingClient for Asked {
    fn id_count(&self) -> usize {
        self.0.len()
    }

    fn id(&self, index: usize) -> &[u8] {
        &self.0[index]
    }

    fn bytes(&self) -> usize {
        8 * self.0.len()
    }
}

fn single_flight() -> SingleFlight<Asked> {
    SingleFlight::new([1, 2, 3, 4])
}

fn terms(token: u128, now_ms: i64, expiry_ms: i64) -> ClaimTerms {
    ClaimTerms {
        token: Token::new(token),
        now_ms,
        expiry_ms,
        limit: usize::MAX,
        max_claims: 200,
        max_bytes: usize::MAX,
    }
}

fn ids(line: &str) -> impl Iterator<Item = &[u8]> {
    line.split_whitespace().map(str::as_bytes)
}

fn line(ids: &[&[u8]]) -> String {
    ids.iter().map(|id| String::from_utf8_lossy(id)).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_token_is_32_lower_case_hex_digits() {
    let texts = [
        "00112233445566778899aabbccddeeff",
        "00000000000000000000000000000000",
        "0000000000000000000000000000000a",
        "ffffffffffffffffffffffffffffffff",
    ];
    for text in texts {
        assert_eq!(Token::parse(text.as_bytes()).unwrap().to_string(), text);
    }
    let [text, ..] = texts;
    let (short, digits) = text.split_at(1);
    for other in [
        "",
        short,
        digits,
        &format!("{text}0"),
        &text.replace('f', "g"),
        &text.to_uppercase(),
        &format!("+{digits}"),
        &format!("-{digits}"),
        &format!(" {digits}"),
        &text.replace("aa", "é"),
    ] {
        assert_eq!(Token::parse(other.as_bytes()), None, "{other}");
    }
    assert_eq!(Token::parse(&[0xff; 32]), None);
}

/// Steps with their time and result: `claimed | pending`, held ids, or a count.
#[test]
fn claims_by_steps() {
    let cases: &[(&str, i64, &str)] = &[
        ("claim 1 a 1000 1 2 3", 0, "1 2 3 |"),
        ("claim 2 a 1000 2 3 4", 10, "4 | 2 3"),
        ("claim 3 b 1000 1", 10, "1 |"),
        ("held 1 a 1 2 3 4", 10, "1 2 3"),
        ("held 2 a 1 2 3 4", 10, "4"),
        ("held 1 b 1 2 3 4", 10, ""),
        // A repeated id is claimed once.
        ("claim 4 a 1000 5 5 1 1", 10, "5 | 1"),
        // A claim expires on the millisecond, reaped or not.
        ("held 1 a 1", 999, "1"),
        ("held 1 a 1", 1000, ""),
        ("claim 5 a 1000 1 2", 999, "| 1 2"),
        ("claim 6 a 500 1", 1000, "1 |"),
        ("held 1 a 1", 1000, ""),
        ("held 6 a 1", 1000, "1"),
        // A write ends a claim, whoever holds it.
        ("end a 1 9", 1001, "1"),
        ("end a 1", 1001, "0"),
        ("held 6 a 1", 1001, ""),
        ("claim 7 a 500 1 2 3", 1001, "1 2 3 |"),
        // A released row can be claimed at once.
        ("release 6 a", 1001, "0"),
        ("release 7 b", 1001, "0"),
        ("release 7 a 2 2 9", 1001, "1"),
        ("claim 8 a 500 1 2 3", 1001, "2 | 1 3"),
        ("release 7 a", 1001, "2"),
        ("release 7 a", 1001, "0"),
        ("release 8 a", 1501, "0"),
        // The claims of a table, of a database, of all.
        ("claim 9 a 500 1 2", 1600, "1 2 |"),
        ("reap", 1600, "3"),
        ("clear a", 1600, "2"),
        ("clear a", 1600, "0"),
        ("held 9 a 1 2", 1600, ""),
        ("claim 10 a 500 1 2", 1600, "1 2 |"),
        ("flush 1", 1600, "0"),
        ("flush 0", 1600, "2"),
        ("claim 11 a 500 1", 1600, "1 |"),
        ("flush all", 1600, "1"),
        // One write ends the claims of several callers, by turns and to the last.
        ("claim 12 a 500 1 3 5", 1600, "1 3 5 |"),
        ("claim 13 a 500 2 4", 1600, "2 4 |"),
        ("end a 1 2 3 4 5", 1600, "5"),
        ("reap", 9999, "0"),
    ];
    let mut flight = single_flight();
    for (step, now_ms, expected) in cases {
        assert_eq!(act(&mut flight, step, *now_ms), *expected, "{step} at {now_ms}");
    }
}

fn act(flight: &mut SingleFlight<Asked>, step: &str, now_ms: i64) -> String {
    let words: Vec<&str> = step.split_whitespace().collect();
    let token = |index: usize| Token::new(words[index].parse().unwrap());
    let key = |index: usize| TableKey { db: 0, name: words[index].as_bytes() };
    let rest = |index: usize| words.iter().skip(index).map(|word| word.as_bytes());
    match words[0] {
        "claim" => {
            let for_ms: i64 = words[3].parse().unwrap();
            let terms = ClaimTerms { token: token(1), ..terms(0, now_ms, now_ms + for_ms) };
            let outcome = flight.claim(key(2), rest(4), terms);
            format!("{} | {}", line(&outcome.claimed), line(&outcome.pending)).trim().to_owned()
        }
        "held" => {
            let held = rest(3).filter(|id| flight.claims().is_held(key(2), token(1), id, now_ms));
            line(&held.collect::<Vec<_>>())
        }
        "end" => flight.end_rows(key(1), rest(2)).to_string(),
        "release" => {
            let named: Vec<&[u8]> = rest(3).collect();
            let named = (!named.is_empty()).then_some(named.as_slice());
            flight.release(key(2), token(1), named, now_ms).to_string()
        }
        "reap" => flight.reap_expired(now_ms, 100).to_string(),
        "clear" => flight.end_table(key(1)).to_string(),
        "flush" => flight.end_database(words[1].parse().ok()).to_string(),
        other => panic!("{other}"),
    }
}

#[test]
fn claims_are_bounded() {
    let mut flight = single_flight();
    let limited = |token, now_ms, limit, max_claims| ClaimTerms {
        limit,
        max_claims,
        ..terms(token, now_ms, now_ms + 100)
    };
    let outcome = flight.claim(A, ids("1 2 3 4"), limited(1, 0, 2, 100));
    assert_eq!((line(&outcome.claimed).as_str(), outcome.refused), ("1 2", 0));
    // The limit bounds what is claimed, not what is pending.
    let outcome = flight.claim(A, ids("3 4 1 2"), limited(2, 0, 1, 100));
    assert_eq!((line(&outcome.claimed).as_str(), line(&outcome.pending).as_str()), ("3", "1 2"));
    // The maximum counts the claims of all tables, and a table gets half of what the others leave.
    let outcome = flight.claim(B, ids("1 2 3"), limited(3, 50, 9, 5));
    assert_eq!((line(&outcome.claimed).as_str(), outcome.refused), ("1", 2));
    let outcome = flight.claim(B, ids("2 1"), limited(4, 99, 9, 5));
    assert_eq!(outcome, ClaimOutcome { claimed: vec![], pending: vec![b"1"], refused: 1, expired: 0 });
    // Expired claims make room, as many as needed.
    let outcome = flight.claim(B, ids("2 3"), limited(5, 100, 9, 5));
    assert_eq!((line(&outcome.claimed).as_str(), outcome.expired), ("2 3", 3));
    assert_eq!(flight.claims().len(), 3);
    // A lowered maximum takes no claim away.
    let outcome = flight.claim(B, ids("4"), limited(6, 100, 9, 1));
    assert_eq!((outcome.claimed.len(), outcome.refused), (0, 1));
    assert_eq!(flight.reap_expired(1000, 2), 2);
    assert_eq!(flight.reap_expired(1000, 100), 1);
    assert_eq!((flight.claims().len(), flight.claims().next_expiry_ms()), (0, None));
    // An expired claim is replaced.
    flight.claim(A, ids("1"), limited(7, 2000, 9, 4));
    let outcome = flight.claim(A, ids("1"), limited(8, 2100, 9, 4));
    assert_eq!((outcome.expired, flight.claims().len()), (1, 1));
}

#[test]
fn databases_are_separate() {
    let mut flight = single_flight();
    flight.claim(A, ids("1"), terms(1, 0, 100));
    assert_eq!(flight.claim(OTHER_DB, ids("1"), terms(2, 0, 100)).claimed.len(), 1);
    assert_eq!(flight.end_database(Some(1)), 1);
    assert!(flight.claims().is_held(A, Token::new(1), b"1", 0));
}

/// Adds a waiter while the rows of `stored` are there.
fn wait(flight: &mut SingleFlight<Asked>, asked: &str, stored: &[&str], now_ms: i64) -> Option<WaiterId> {
    let asked: Vec<&[u8]> = ids(asked).collect();
    let is_missing = |id: &[u8]| !stored.iter().any(|stored| stored.as_bytes() == id);
    flight.add_waiter(A, &asked, &[], now_ms, is_missing, || Asked::of(&asked))
}

/// Rechecks every waiter that is due; returns those whose wait is over.
fn recheck_due(flight: &mut SingleFlight<Asked>, stored: &BTreeSet<Vec<u8>>, now_ms: i64) -> Vec<WaiterId> {
    let mut woken = Vec::new();
    while let Some(waiter) = flight.pop_due() {
        if !flight.recheck(waiter, now_ms, |id| !stored.contains(id)).waits {
            flight.remove_waiter(waiter);
            woken.push(waiter);
        }
    }
    woken
}

#[test]
fn waiters_wake_when_no_row_is_missing_and_claimed() {
    let none = BTreeSet::new();
    let mut flight = single_flight();
    // Nobody waits while nothing is claimed, for rows nobody claimed, or for rows that are there.
    assert_eq!(wait(&mut flight, "1 2", &[], 0), None);
    flight.claim(A, ids("1 2 3"), terms(1, 0, 100));
    assert_eq!(wait(&mut flight, "4 5", &[], 0), None);
    assert_eq!(wait(&mut flight, "1 4", &["1"], 0), None);
    let first = wait(&mut flight, "1 4", &[], 0).unwrap();
    let second = wait(&mut flight, "2 3", &[], 0).unwrap();
    // The end of the last claim ends the wait.
    flight.end_rows(A, ids("1"));
    assert_eq!(recheck_due(&mut flight, &none, 0), [first]);
    flight.end_rows(A, ids("2"));
    assert!(recheck_due(&mut flight, &none, 0).is_empty());
    assert_eq!(flight.release(A, Token::new(1), None, 0), 1);
    assert_eq!(recheck_due(&mut flight, &none, 0), [second]);
    // A waiter that is due, but whose row is claimed again, waits on.
    flight.claim(A, ids("1"), terms(2, 0, 100));
    let third = wait(&mut flight, "1", &[], 0).unwrap();
    flight.end_rows(A, ids("1"));
    flight.claim(A, ids("1"), terms(3, 0, 100));
    assert!(recheck_due(&mut flight, &none, 0).is_empty());
    // A stored row ends the wait, though its claim goes on.
    flight.wake_rows(A, ids("1"));
    assert_eq!(recheck_due(&mut flight, &BTreeSet::from([b"1".to_vec()]), 0), [third]);
    // So does a claim's expiry, and the end of a table's or database's claims.
    let fourth = wait(&mut flight, "1", &[], 0).unwrap();
    assert_eq!(flight.reap_expired(99, 10), 0);
    assert_eq!(flight.reap_expired(100, 10), 1);
    assert_eq!(recheck_due(&mut flight, &none, 100), [fourth]);
    flight.claim(A, ids("1"), terms(4, 100, 200));
    let fifth = wait(&mut flight, "1", &[], 100).unwrap();
    flight.end_table(A);
    assert_eq!(recheck_due(&mut flight, &none, 100), [fifth]);
    flight.claim(A, ids("1"), terms(5, 100, 200));
    let sixth = wait(&mut flight, "1", &[], 100).unwrap();
    flight.end_database(Some(1));
    assert!(!flight.waiters().has_due());
    flight.end_database(None);
    assert_eq!(recheck_due(&mut flight, &none, 100), [sixth]);
    // A waiter that has left is not woken.
    flight.claim(A, ids("1"), terms(6, 100, 200));
    let seventh = wait(&mut flight, "1", &[], 100).unwrap();
    assert!(flight.remove_waiter(seventh).is_some());
    assert!(flight.remove_waiter(seventh).is_none());
    flight.end_table(A);
    assert!(recheck_due(&mut flight, &none, 100).is_empty());
    assert!(flight.waiters().is_empty());
    // Not even one that left after it became due.
    flight.claim(A, ids("1"), terms(7, 100, 200));
    let eighth = wait(&mut flight, "1", &[], 100).unwrap();
    flight.end_table(A);
    assert!(flight.remove_waiter(eighth).is_some());
    assert_eq!(flight.pop_due(), None);
    assert_eq!(flight.recheck(eighth, 100, |_| true), Recheck { waits: false, scanned: 0 });
}

/// A waiter knows its table, ids and fields, and scans each id once, in whatever order.
#[test]
fn a_waiter_scans_each_id_once() {
    let mut flight = single_flight();
    let names: Vec<String> = (0..100).map(|row| "x".repeat(row % 7) + &row.to_string()).collect();
    for count in 1..=names.len() {
        let asked: Vec<&[u8]> = names.iter().take(count).map(String::as_bytes).collect();
        flight.claim(A, asked.iter().copied(), terms(count as u128, 0, 100));
        let waiter = flight.add_waiter(A, &asked, &["price"], 0, |_| true, || Asked::of(&asked)).unwrap();
        let found = flight.waiter_mut(waiter).unwrap();
        assert_eq!((found.table().as_key(), found.client.id_count()), (A, count));
        assert_eq!(**found.fields(), [Box::from("price")]);
        for _ in 0..3 {
            let mut scanned = Vec::new();
            let recheck = flight.recheck(waiter, 0, |id| {
                scanned.push(id.to_vec());
                false
            });
            assert_eq!(recheck, Recheck { waits: false, scanned: count });
            scanned.sort();
            let mut expected = asked.clone();
            expected.sort();
            assert_eq!(scanned, expected);
            assert_eq!(flight.recheck(waiter, 0, |_| true), Recheck { waits: true, scanned: 1 });
        }
        // It watches one row at a time, so none once it has left.
        flight.remove_waiter(waiter);
        flight.end_table(A);
        assert!(!flight.waiters().has_due());
    }
}

/// Though rows are stored one by one, in order, a waiter is rechecked a few times and not once a row.
#[test]
fn a_waiter_watches_one_row() {
    let mut flight = single_flight();
    let rows: Vec<String> = (0..8000).map(|row| row.to_string()).collect();
    let asked: Vec<&[u8]> = rows.iter().map(String::as_bytes).collect();
    flight.claim(A, asked.iter().copied(), ClaimTerms { max_claims: 16_000, ..terms(1, 0, 100) });
    for _ in 0..100 {
        flight.add_waiter(A, &asked, &[], 0, |_| true, || Asked::of(&asked)).unwrap();
    }
    let (mut rechecks, mut scanned, mut stored) = (0, 0, BTreeSet::new());
    for id in &asked {
        flight.end_rows(A, [*id].into_iter());
        stored.insert(id.to_vec());
        while let Some(waiter) = flight.pop_due() {
            let recheck = flight.recheck(waiter, 0, |id| !stored.contains(id));
            rechecks += 1;
            scanned += recheck.scanned;
            if !recheck.waits {
                flight.remove_waiter(waiter);
            }
        }
    }
    assert!(flight.waiters().is_empty());
    assert!(rechecks < 100 * 40, "{rechecks}");
    assert!(scanned < 100 * 8000 * 4, "{scanned}");
}

#[derive(Clone, Debug)]
enum Step {
    Claim { table: u8, ids: Vec<u8>, for_ms: i64, limit: usize, max_claims: usize },
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
        6 => (0..4_u8, ids(), 1..50_i64, 1..5_usize, 0..20_usize)
            .prop_map(|(table, ids, for_ms, limit, max_claims)| {
                Step::Claim { table, ids, for_ms, limit, max_claims }
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
        Step::Claim { table: number, ids, for_ms, limit, max_claims } => {
            let token = Token::new(model.tokens.len() as u128 + 1);
            model.tokens.push(token);
            let expiry_ms = model.now_ms + for_ms;
            let (mut claimed, mut pending, mut refused) = (Vec::new(), Vec::new(), 0);
            let mut seen = BTreeSet::new();
            let held = model.live_in(number);
            let share = max_claims.saturating_sub(model.live() - held).div_ceil(2);
            for id in ids.iter().filter(|id| seen.insert(**id)) {
                if model.is_claimed(number, *id) {
                    pending.push(*id);
                } else if claimed.len() + refused < limit {
                    if held + claimed.len() < share { claimed.push(*id) } else { refused += 1 }
                }
            }
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
                (flat(&found.claimed), flat(&found.pending), found.refused),
                (claimed, pending, refused)
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
