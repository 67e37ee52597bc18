use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

const A: TableKey<'_> = TableKey { db: 0, name: b"a" };
const B: TableKey<'_> = TableKey { db: 0, name: b"b" };
const OTHER_DB: TableKey<'_> = TableKey { db: 1, name: b"a" };

fn token(number: u8) -> Token {
    Token::new([number; 16])
}

fn refill() -> Refill<()> {
    Refill::new([1, 2, 3, 4])
}

fn terms(number: u8, now_ms: i64, until_ms: i64) -> ClaimTerms {
    ClaimTerms { token: token(number), now_ms, until_ms, limit: usize::MAX, most: 100 }
}

fn ids(line: &str) -> impl Iterator<Item = &[u8]> {
    line.split_whitespace().map(str::as_bytes)
}

fn line(ids: &[&[u8]]) -> String {
    ids.iter().map(|id| String::from_utf8_lossy(id)).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_token_is_32_hex_digits() {
    let text = "00112233445566778899aabbccddeeff";
    let read = Token::parse(text.as_bytes()).unwrap();
    assert_eq!(read.to_string(), text);
    let upper = text.to_uppercase();
    for other in
        ["", "0", "00112233445566778899aabbccddeef", &format!("{text}0"), &text.replace('f', "g"), &upper]
    {
        assert_eq!(Token::parse(other.as_bytes()), None, "{other}");
    }
    assert_eq!(Token::parse(&[0xff; 32]), None);
}

/// What is done, at which time, and what comes of it: `claimed | pending`, or a number.
#[test]
fn claims_by_what_is_done() {
    let cases: &[(&str, i64, &str)] = &[
        ("claim 1 a 1000 1 2 3", 0, "1 2 3 |"),
        ("claim 2 a 1000 2 3 4", 10, "4 | 2 3"),
        ("claim 3 b 1000 1", 10, "1 |"),
        ("held 1 a 1 2 3 4", 10, "1 2 3"),
        ("held 2 a 1 2 3 4", 10, "4"),
        ("held 1 b 1 2 3 4", 10, ""),
        // One that is claimed twice in a call is claimed once.
        ("claim 4 a 1000 5 5 1 1", 10, "5 | 1"),
        // The end of a claim is exact, and nobody has to see to it.
        ("held 1 a 1", 999, "1"),
        ("held 1 a 1", 1000, ""),
        ("claim 5 a 1000 1 2", 999, "| 1 2"),
        ("claim 6 a 500 1", 1000, "1 |"),
        ("held 1 a 1", 1000, ""),
        ("held 6 a 1", 1000, "1"),
        // A write ends a claim, whoever has it.
        ("end a 1 9", 1001, "1"),
        ("end a 1", 1001, "0"),
        ("held 6 a 1", 1001, ""),
        ("claim 7 a 500 1 2 3", 1001, "1 2 3 |"),
        // What is released can be claimed at once.
        ("release 6 a", 1001, "0"),
        ("release 7 b", 1001, "0"),
        ("release 7 a 2 2 9", 1001, "1"),
        ("claim 8 a 500 1 2 3", 1001, "2 | 1 3"),
        ("release 7 a", 1001, "2"),
        ("release 7 a", 1001, "0"),
        ("release 8 a", 1501, "0"),
        // A table, a database, all.
        ("claim 9 a 500 1 2", 1600, "1 2 |"),
        ("drop", 1600, "3"),
        ("clear a", 1600, "2"),
        ("clear a", 1600, "0"),
        ("held 9 a 1 2", 1600, ""),
        ("claim 10 a 500 1 2", 1600, "1 2 |"),
        ("flush 1", 1600, "0"),
        ("flush 0", 1600, "2"),
        ("claim 11 a 500 1", 1600, "1 |"),
        ("flush all", 1600, "1"),
        ("claim 12 a 500 1", 1600, "1 |"),
    ];
    let mut refill = refill();
    for (done, now_ms, expected) in cases {
        assert_eq!(act(&mut refill, done, *now_ms), *expected, "{done} at {now_ms}");
    }
}

fn act(refill: &mut Refill<()>, done: &str, now_ms: i64) -> String {
    let words: Vec<&str> = done.split_whitespace().collect();
    let number = |index: usize| words.get(index).and_then(|word| word.parse().ok()).unwrap_or(0);
    let key = |index: usize| TableKey { db: 0, name: words.get(index).map_or(b"", |word| word.as_bytes()) };
    let rest = |index: usize| words.iter().skip(index).map(|word| word.as_bytes());
    match words[0] {
        "claim" => {
            let until_ms = now_ms + i64::from(number(3));
            let claimed = refill.claim(key(2), rest(4), terms(number_u8(words[1]), now_ms, until_ms));
            format!("{} | {}", line(&claimed.claimed), line(&claimed.pending)).trim().to_owned()
        }
        "held" => {
            let token = token(number_u8(words[1]));
            let held = rest(3).filter(|id| refill.claims().is_held(key(2), token, id, now_ms));
            line(&held.collect::<Vec<_>>())
        }
        "end" => refill.end_each(key(1), rest(2)).to_string(),
        "release" => {
            let named: Vec<&[u8]> = rest(3).collect();
            let named = (!named.is_empty()).then_some(named.as_slice());
            refill.release(key(2), token(number_u8(words[1])), named, now_ms).to_string()
        }
        "drop" => refill.drop_ended(now_ms, 100).to_string(),
        "clear" => refill.end_table(key(1)).to_string(),
        "flush" => refill.end_database(words[1].parse().ok()).to_string(),
        other => panic!("{other}"),
    }
}

fn number_u8(word: &str) -> u8 {
    word.parse().unwrap()
}

#[test]
fn claims_are_bounded() {
    let mut refill = refill();
    let limited =
        |number, now_ms, limit, most| ClaimTerms { limit, most, ..terms(number, now_ms, now_ms + 100) };
    let claimed = refill.claim(A, ids("1 2 3 4"), limited(1, 0, 2, 100));
    assert_eq!((line(&claimed.claimed).as_str(), claimed.refused), ("1 2", 0));
    // Beyond the limit no more is claimed, but what others have is told.
    let claimed = refill.claim(A, ids("3 4 1 2"), limited(2, 0, 1, 100));
    assert_eq!((line(&claimed.claimed).as_str(), line(&claimed.pending).as_str()), ("3", "1 2"));
    // No more claims than there may be, over all tables.
    let claimed = refill.claim(B, ids("1 2 3"), limited(3, 50, 9, 4));
    assert_eq!((line(&claimed.claimed).as_str(), claimed.refused), ("1", 2));
    let claimed = refill.claim(B, ids("2 1"), limited(4, 99, 9, 4));
    assert_eq!(claimed, Claimed { claimed: vec![], pending: vec![b"1"], refused: 1, expired: 0 });
    // What is past its end makes room, as much as is wanted.
    let claimed = refill.claim(B, ids("2 3"), limited(5, 100, 9, 4));
    assert_eq!((line(&claimed.claimed).as_str(), claimed.expired), ("2 3", 2));
    assert_eq!(refill.claims().len(), 4);
    // Fewer than there are: none is taken away.
    let claimed = refill.claim(B, ids("4"), limited(6, 100, 9, 1));
    assert_eq!((claimed.claimed.len(), claimed.refused), (0, 1));
    assert_eq!(refill.drop_ended(1000, 2), 2);
    assert_eq!(refill.drop_ended(1000, 100), 1);
    assert_eq!((refill.claims().len(), refill.claims().next_end_ms()), (0, None));
    // The claim that was past its end was replaced.
    refill.claim(A, ids("1"), limited(7, 2000, 9, 4));
    let claimed = refill.claim(A, ids("1"), limited(8, 2100, 9, 4));
    assert_eq!((claimed.expired, refill.claims().len()), (1, 1));
}

#[test]
fn a_database_is_its_own() {
    let mut refill = refill();
    refill.claim(A, ids("1"), terms(1, 0, 100));
    assert_eq!(refill.claim(OTHER_DB, ids("1"), terms(2, 0, 100)).claimed.len(), 1);
    assert_eq!(refill.end_database(Some(1)), 1);
    assert!(refill.claims().is_held(A, token(1), b"1", 0));
}

fn wait(refill: &mut Refill<()>, asked: &str, there: &[&str], now_ms: i64) -> Option<WaiterId> {
    let asked: Vec<&[u8]> = ids(asked).collect();
    let missing = |id: &[u8]| !there.iter().any(|there| there.as_bytes() == id);
    refill.wait(A, &asked, &[], now_ms, missing, ())
}

/// Judges whoever is due; who waits no longer.
fn judge(refill: &mut Refill<()>, there: &BTreeSet<Vec<u8>>, now_ms: i64) -> Vec<WaiterId> {
    let mut woken = Vec::new();
    while let Some(waiter) = refill.next_due() {
        if !refill.judge(waiter, now_ms, |id| !there.contains(id)).waits {
            refill.remove(waiter);
            woken.push(waiter);
        }
    }
    woken
}

#[test]
fn who_waits_and_who_is_woken() {
    let nothing = BTreeSet::new();
    let mut refill = refill();
    // Nothing is claimed, then not what is asked for, then it is there.
    assert_eq!(wait(&mut refill, "1 2", &[], 0), None);
    refill.claim(A, ids("1 2 3"), terms(1, 0, 100));
    assert_eq!(wait(&mut refill, "4 5", &[], 0), None);
    assert_eq!(wait(&mut refill, "1 4", &["1"], 0), None);
    let first = wait(&mut refill, "1 4", &[], 0).unwrap();
    let second = wait(&mut refill, "2 3", &[], 0).unwrap();
    // What is not claimed any more is not waited for.
    refill.end_each(A, ids("1"));
    assert_eq!(judge(&mut refill, &nothing, 0), [first]);
    refill.end_each(A, ids("2"));
    assert!(judge(&mut refill, &nothing, 0).is_empty());
    assert_eq!(refill.release(A, token(1), None, 0), 1);
    assert_eq!(judge(&mut refill, &nothing, 0), [second]);
    // Who is due but finds the row claimed again waits on.
    refill.claim(A, ids("1"), terms(2, 0, 100));
    let third = wait(&mut refill, "1", &[], 0).unwrap();
    refill.end_each(A, ids("1"));
    refill.claim(A, ids("1"), terms(3, 0, 100));
    assert!(judge(&mut refill, &nothing, 0).is_empty());
    // A row that is stored while its claim goes on is there.
    refill.stored(A, ids("1"));
    assert_eq!(judge(&mut refill, &BTreeSet::from([b"1".to_vec()]), 0), [third]);
    // The end of the claim, the table's end, the database's.
    let fourth = wait(&mut refill, "1", &[], 0).unwrap();
    assert_eq!(refill.drop_ended(99, 10), 0);
    assert_eq!(refill.drop_ended(100, 10), 1);
    assert_eq!(judge(&mut refill, &nothing, 100), [fourth]);
    refill.claim(A, ids("1"), terms(4, 100, 200));
    let fifth = wait(&mut refill, "1", &[], 100).unwrap();
    refill.end_table(A);
    assert_eq!(judge(&mut refill, &nothing, 100), [fifth]);
    refill.claim(A, ids("1"), terms(5, 100, 200));
    let sixth = wait(&mut refill, "1", &[], 100).unwrap();
    refill.end_database(Some(1));
    assert!(!refill.waiters().are_due());
    refill.end_database(None);
    assert_eq!(judge(&mut refill, &nothing, 100), [sixth]);
    // Who is gone is not woken.
    refill.claim(A, ids("1"), terms(6, 100, 200));
    let seventh = wait(&mut refill, "1", &[], 100).unwrap();
    assert_eq!(refill.remove(seventh), Some(()));
    assert_eq!(refill.remove(seventh), None);
    refill.end_table(A);
    assert!(judge(&mut refill, &nothing, 100).is_empty());
    assert!(refill.waiters().is_empty());
}

/// Rows that are filled one by one, in order: a waiter is judged a few times, not once a row.
#[test]
fn a_waiter_watches_one_row() {
    let mut refill = refill();
    let rows: Vec<String> = (0..8000).map(|row| row.to_string()).collect();
    let asked: Vec<&[u8]> = rows.iter().map(String::as_bytes).collect();
    refill.claim(A, asked.iter().copied(), ClaimTerms { most: 8000, ..terms(1, 0, 100) });
    for _ in 0..100 {
        refill.wait(A, &asked, &[], 0, |_| true, ()).unwrap();
    }
    let (mut judged, mut looked, mut there) = (0_usize, 0_usize, BTreeSet::new());
    for id in &asked {
        refill.end_each(A, [*id].into_iter());
        there.insert(id.to_vec());
        while let Some(waiter) = refill.next_due() {
            let result = refill.judge(waiter, 0, |id| !there.contains(id));
            judged += 1;
            looked += result.looked;
            if !result.waits {
                refill.remove(waiter);
            }
        }
    }
    assert!(refill.waiters().is_empty());
    assert!(judged < 100 * 40, "{judged}");
    assert!(looked < 100 * 8000 * 4, "{looked}");
}

/// One thing that is done.
#[derive(Clone, Debug)]
enum Step {
    Claim { table: u8, ids: Vec<u8>, for_ms: i64, limit: usize, most: usize },
    Write { table: u8, ids: Vec<u8>, store: bool, keep: bool },
    Release { grant: usize, table: u8, ids: Option<Vec<u8>> },
    EndTable(u8),
    EndDatabase(Option<i32>),
    Wait { table: u8, ids: Vec<u8> },
    Leave(usize),
    Pass(i64),
    Turn { drops: usize, judges: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let ids = || proptest::collection::vec(0..12_u8, 1..6);
    prop_oneof![
        6 => (0..4_u8, ids(), 1..50_i64, 1..5_usize, 0..20_usize)
            .prop_map(|(table, ids, for_ms, limit, most)| Step::Claim { table, ids, for_ms, limit, most }),
        6 => (0..4_u8, ids(), any::<bool>(), any::<bool>())
            .prop_map(|(table, ids, store, keep)| Step::Write { table, ids, store, keep }),
        3 => (0..8_usize, 0..4_u8, proptest::option::of(ids()))
            .prop_map(|(grant, table, ids)| Step::Release { grant, table, ids }),
        1 => (0..4_u8).prop_map(Step::EndTable),
        1 => prop_oneof![Just(None), (0..2_i32).prop_map(Some)].prop_map(Step::EndDatabase),
        5 => (0..4_u8, ids()).prop_map(|(table, ids)| Step::Wait { table, ids }),
        1 => (0..20_usize).prop_map(Step::Leave),
        3 => (1..30_i64).prop_map(Step::Pass),
        4 => (0..8_usize, 0..4_usize).prop_map(|(drops, judges)| Step::Turn { drops, judges }),
    ]
}

/// Two databases with two tables each.
fn table(number: u8) -> TableKey<'static> {
    TableKey { db: i32::from(number / 2), name: if number.is_multiple_of(2) { b"a" } else { b"b" } }
}

fn bytes(ids: &[u8]) -> Vec<Vec<u8>> {
    ids.iter().map(|id| vec![*id]).collect()
}

/// The same, kept in the plainest way.
#[derive(Default)]
struct Model {
    /// Token and end by table and id.
    claims: BTreeMap<(u8, u8), (Token, i64)>,
    rows: BTreeSet<(u8, u8)>,
    waiting: BTreeMap<WaiterId, (u8, Vec<u8>)>,
    tokens: Vec<Token>,
    now_ms: i64,
}

impl Model {
    fn is_claimed(&self, table: u8, id: u8) -> bool {
        self.claims.get(&(table, id)).is_some_and(|(_, until_ms)| self.now_ms < *until_ms)
    }

    fn is_awaited(&self, table: u8, id: u8) -> bool {
        self.is_claimed(table, id) && !self.rows.contains(&(table, id))
    }

    fn live(&self) -> usize {
        self.claims.values().filter(|(_, until_ms)| self.now_ms < *until_ms).count()
    }
}

fn take(refill: &mut Refill<()>, model: &mut Model, step: Step) {
    match step {
        Step::Claim { table: number, ids, for_ms, limit, most } => {
            let token = Token::new(u128::to_le_bytes(u128::try_from(model.tokens.len()).unwrap() + 1));
            model.tokens.push(token);
            let until_ms = model.now_ms + for_ms;
            let (mut claimed, mut pending, mut refused) = (Vec::new(), Vec::new(), 0);
            let mut seen = BTreeSet::new();
            let before = model.live();
            for id in ids.iter().filter(|id| seen.insert(**id)) {
                if model.is_claimed(number, *id) {
                    pending.push(*id);
                } else if claimed.len() + refused < limit {
                    if before + claimed.len() < most { claimed.push(*id) } else { refused += 1 }
                }
            }
            model.claims.extend(claimed.iter().map(|id| ((number, *id), (token, until_ms))));
            let terms = ClaimTerms { token, now_ms: model.now_ms, until_ms, limit, most };
            let ids = bytes(&ids);
            let found = refill.claim(table(number), ids.iter().map(Vec::as_slice), terms);
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
                refill.stored(table(number), ids);
            } else {
                refill.end_each(table(number), ids);
            }
        }
        Step::Release { grant, table: number, ids } => {
            let Some(token) = model.tokens.iter().rev().nth(grant).copied() else {
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
            let found = refill.release(table(number), token, ids.as_deref(), model.now_ms);
            assert_eq!(found, released.len());
        }
        Step::EndTable(number) => {
            model.claims.retain(|(table, _), _| *table != number);
            refill.end_table(table(number));
        }
        Step::EndDatabase(db) => {
            model.claims.retain(|(number, _), _| db.is_some_and(|db| table(*number).db != db));
            refill.end_database(db);
        }
        Step::Wait { table: number, ids } => {
            let waits = ids.iter().any(|id| model.is_awaited(number, *id));
            let asked = bytes(&ids);
            let asked: Vec<&[u8]> = asked.iter().map(Vec::as_slice).collect();
            let missing = |id: &[u8]| !model.rows.contains(&(number, id[0]));
            let waiter = refill.wait(table(number), &asked, &[], model.now_ms, missing, ());
            assert_eq!(waiter.is_some(), waits);
            waiter.map(|waiter| model.waiting.insert(waiter, (number, ids)));
        }
        Step::Leave(index) => {
            if let Some(waiter) = model.waiting.keys().nth(index).copied() {
                model.waiting.remove(&waiter);
                assert_eq!(refill.remove(waiter), Some(()));
            }
        }
        Step::Pass(ms) => model.now_ms += ms,
        Step::Turn { drops, judges } => turn(refill, model, drops, judges),
    }
}

fn turn(refill: &mut Refill<()>, model: &mut Model, drops: usize, judges: usize) {
    refill.drop_ended(model.now_ms, drops);
    for _ in 0..judges {
        let Some(waiter) = refill.next_due() else {
            break;
        };
        let (number, ids) = model.waiting.get(&waiter).unwrap();
        let waits = ids.iter().any(|id| model.is_awaited(*number, *id));
        let missing = |id: &[u8]| !model.rows.contains(&(*number, id[0]));
        assert_eq!(refill.judge(waiter, model.now_ms, missing).waits, waits);
        if !waits {
            refill.remove(waiter);
            model.waiting.remove(&waiter);
        }
    }
}

proptest! {
    #[test]
    fn as_the_plainest_way_has_it(steps in proptest::collection::vec(step(), 1..120)) {
        let (mut refill, mut model) = (refill(), Model::default());
        for step in steps {
            take(&mut refill, &mut model, step);
            for number in 0..4 {
                for id in 0..12 {
                    let claimed = refill.claims().is_claimed(table(number), &[id], model.now_ms);
                    prop_assert_eq!(claimed, model.is_claimed(number, id));
                }
            }
            prop_assert!(refill.claims().len() >= model.live());
            prop_assert_eq!(refill.waiters().len(), model.waiting.len());
        }
        // Once all that is due is done, only those wait that have something to wait for.
        turn(&mut refill, &mut model, usize::MAX, usize::MAX);
        prop_assert_eq!(refill.claims().len(), model.live());
        for (waiter, (number, ids)) in &model.waiting {
            prop_assert!(ids.iter().any(|id| model.is_awaited(*number, *id)), "{} was not woken", waiter);
        }
        // And when all claims are over, no one.
        model.now_ms += 1000;
        turn(&mut refill, &mut model, usize::MAX, usize::MAX);
        prop_assert!(model.waiting.is_empty() && refill.waiters().is_empty());
        prop_assert!(refill.claims().is_empty() && refill.claims().next_end_ms().is_none() && !refill.is_due());
    }
}
