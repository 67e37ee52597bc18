//! Steps of claims and waiters, and a plain model beside them.

mod model;

use std::collections::BTreeSet;

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
        // Under a token that was used before a call is answered the same, and its time begins anew.
        ("claim 14 a 500 1 2 3", 10_000, "1 2 3 |"),
        ("claim 14 a 500 1 2 3", 10_400, "1 2 3 |"),
        ("claim 15 a 500 1 2 3 4", 10_800, "4 | 1 2 3"),
        ("claim 14 a 500 2 4 5", 10_850, "2 5 | 4"),
        // What was not asked for again ends when it would have.
        ("held 14 a 1 2 3 5", 10_900, "2 5"),
        ("release 14 a", 10_900, "2"),
        ("release 14 a", 10_900, "0"),
        // Each table has its own claims under a token.
        ("claim 16 a 500 1", 11_000, "1 |"),
        ("claim 16 b 500 1", 11_000, "1 |"),
        ("release 16 b", 11_000, "1"),
        ("held 16 a 1", 11_000, "1"),
        // What ended with its table is claimed again at once.
        ("clear a", 11_000, "3"),
        ("claim 16 a 500 1 2", 11_000, "1 2 |"),
        ("release 16 a", 11_000, "2"),
        ("reap", 99_999, "0"),
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
    assert_eq!(
        outcome,
        ClaimOutcome { claimed: vec![], renewed: 0, pending: vec![b"1"], refused: 1, expired: 0 }
    );
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

#[test]
fn claims_of_chosen_tables_end() {
    let mut flight = single_flight();
    for table in [A, B, OTHER_DB] {
        flight.claim(table, ids("1 2"), terms(1, 0, 100));
    }
    let waiter = wait(&mut flight, "1", &[], 0);
    assert_eq!(flight.end_tables(|table| table.name == A.name), 4);
    assert_eq!((flight.claims().len(), flight.pop_due()), (2, waiter));
    assert!(flight.claims().is_held(B, Token::new(1), b"2", 0));
    assert_eq!(flight.end_tables(|_| false), 0);
}

/// Adds a waiter while the rows of `stored` are there.
fn wait(flight: &mut SingleFlight<Asked>, asked: &str, stored: &[&str], now_ms: i64) -> Option<WaiterId> {
    let asked: Vec<&[u8]> = ids(asked).collect();
    let is_missing = |id: &[u8]| !stored.iter().any(|stored| stored.as_bytes() == id);
    flight.add_waiter(A, &asked, &[], now_ms, is_missing, || Asked::of(&asked))
}

/// Rechecks every waiter that is due; returns those that need not wait any longer.
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

/// A waiter that is put off is due again a little later, once, unless it has left; sooner if the clock goes back.
#[test]
fn a_waiter_is_put_off() {
    let none = BTreeSet::new();
    let mut flight = single_flight();
    flight.claim(A, ids("1"), terms(1, 0, 1000));
    let waiters = [(); 3].map(|()| wait(&mut flight, "1", &[], 0).unwrap());
    flight.end_table(A);
    flight.reap_expired(0, 10);
    assert_eq!(flight.next_work_ms(), None);
    for (waiter, now_ms) in waiters.into_iter().zip([10, 20, 30]) {
        assert_eq!(flight.pop_due(), Some(waiter));
        assert!(!flight.recheck(waiter, now_ms, |_| true).waits);
        flight.put_off(waiter, now_ms);
    }
    assert!(flight.remove_waiter(waiters[1]).is_some());
    for (now_ms, due) in [(30, 0..0), (109, 0..0), (110, 0..1), (129, 1..1), (9, 2..3)] {
        flight.wake_put_off(now_ms);
        assert_eq!(recheck_due(&mut flight, &none, now_ms), waiters[due], "{now_ms}");
    }
    assert!(flight.waiters().is_empty());
    assert_eq!((flight.pop_due(), flight.next_work_ms()), (None, None));
    // It waits on if its row was claimed again, and the claim's end counts.
    flight.claim(A, ids("1"), terms(2, 0, 1000));
    let waiter = wait(&mut flight, "1", &[], 0).unwrap();
    flight.end_table(A);
    flight.reap_expired(0, 10);
    assert_eq!(flight.pop_due(), Some(waiter));
    flight.put_off(waiter, 0);
    flight.claim(A, ids("1"), terms(3, 0, 150));
    assert_eq!(flight.next_work_ms(), Some(100));
    flight.wake_put_off(100);
    assert!(recheck_due(&mut flight, &none, 100).is_empty());
    assert_eq!((flight.pop_due(), flight.next_work_ms()), (None, Some(150)));
    flight.reap_expired(150, 10);
    assert_eq!(recheck_due(&mut flight, &none, 150), [waiter]);
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
