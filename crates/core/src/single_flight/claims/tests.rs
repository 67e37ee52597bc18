//! The claims alone: what is kept of them, and their bounds.

use super::*;

const TABLE: TableKey<'_> = TableKey { db: 0, name: b"t" };
const OTHER: TableKey<'_> = TableKey { db: 0, name: b"u" };

/// More than any of these tests take.
const MAX_BYTES: usize = usize::MAX / 2;

fn ids(from: usize, to: usize) -> Vec<Vec<u8>> {
    (from..to).map(|id| id.to_string().into_bytes()).collect()
}

fn bytes(ids: &[Vec<u8>]) -> impl Iterator<Item = &[u8]> {
    ids.iter().map(Vec::as_slice)
}

fn claim(claims: &mut Claims, token: u128, ids: &[Vec<u8>], expiry_ms: i64) -> usize {
    let token = Token::new(token);
    let terms =
        ClaimTerms { token, now_ms: 0, expiry_ms, limit: usize::MAX, max_claims: 2000, max_bytes: MAX_BYTES };
    claims.claim(TABLE, bytes(ids), terms, |_, _| {}).claimed.len()
}

fn claims() -> Claims {
    Claims::new(RandomState::with_seeds(1, 2, 3, 4))
}

/// What claims occupy, ended or not: ids of leases, slots of the table, leases.
fn occupied(claims: &Claims) -> (usize, usize, usize) {
    let ids = claims.leases.iter().map(|lease| lease.ids.capacity()).sum();
    let slots = claims.tables.get(TABLE).map_or(0, TableClaims::slots);
    (ids, slots, claims.leases.iter().count())
}

#[test]
fn memory_stays_in_proportion_to_the_claims_left() {
    let mut claims = claims();
    let all = ids(0, 1000);
    assert_eq!(claim(&mut claims, 1, &all, 100), 1000);
    for (ended, id) in all.iter().enumerate() {
        let left = 1000 - ended;
        let (ids, slots, leases) = occupied(&claims);
        assert!(ids <= 16 * left, "{ids} ids for {left} claims");
        assert!(slots <= 8 * left + 8, "{slots} slots for {left} claims");
        assert_eq!(leases, 1);
        claims.end_rows(TABLE, [id.as_slice()].into_iter(), |_| {});
    }
    assert_eq!(occupied(&claims), (0, 0, 0));
}

#[test]
fn a_lease_drops_ids_that_another_has_claimed_since() {
    let mut claims = claims();
    claim(&mut claims, 1, &ids(0, 100), 0);
    // The claims have expired, and another lease takes all but one.
    claim(&mut claims, 2, &ids(1, 100), 100);
    let leases = claims.leases.under(Token::new(1), TABLE.into());
    let ids: usize = leases.map(|lease| lease.ids.len()).sum();
    assert!((1..=4).contains(&ids), "{ids}");
    assert_eq!(claims.len(), 100);
}

#[test]
fn claims_of_a_table_that_is_gone_are_freed_in_steps() {
    let mut claims = claims();
    claim(&mut claims, 1, &ids(0, 300), 100);
    claim(&mut claims, 2, &ids(300, 600), 100);
    assert_eq!((claims.end_table(TABLE), claims.len()), (600, 0));
    assert!(!claims.is_claimed(TABLE, b"1", 0) && claims.has_detached());
    assert_eq!(claims.free_detached(250), 250);
    // Their leases free ids at the same pace.
    let ids_left: usize = claims.leases.iter().map(|lease| lease.ids.len()).sum();
    assert!(ids_left <= 350, "{ids_left}");
    assert_eq!((claims.free_detached(1000), claims.has_detached()), (350, false));
    // The rows can be claimed at once. Detached claims count towards the maximum, but make room.
    claim(&mut claims, 3, &ids(0, 1000), 100);
    claims.end_table(TABLE);
    claim(&mut claims, 4, &ids(0, 1000), 100);
    claims.end_table(TABLE);
    assert_eq!(claim(&mut claims, 5, &ids(0, 900), 100), 900);
    assert_eq!(claims.len() + claims.detached_len, 2000);
    assert_eq!((claims.free_detached(2000), claims.has_detached()), (1100, false));
    assert_eq!(occupied(&claims).2, 1);
    assert_eq!((claims.end_database(None), claims.end_database(None)), (900, 0));
    assert_eq!((claims.free_detached(usize::MAX), occupied(&claims)), (900, (0, 0, 0)));
    assert_eq!(claims.bytes(), 0);
}

#[test]
fn a_small_claim_frees_a_bounded_number_of_others() {
    const KEPT: usize = 3 * MAX_EXTRA_FREED;
    let one = |token, now_ms| ClaimTerms {
        token: Token::new(token),
        now_ms,
        expiry_ms: 200,
        limit: 1,
        max_claims: 1,
        max_bytes: MAX_BYTES,
    };
    let all = ids(0, KEPT);
    let many = ClaimTerms { max_claims: 2 * KEPT, limit: KEPT, expiry_ms: 100, ..one(1, 0) };

    let mut detached = claims();
    detached.claim(TABLE, bytes(&all), many, |_, _| {});
    detached.end_table(TABLE);
    assert_eq!(detached.claim(TABLE, bytes(&all), one(2, 0), |_, _| {}).claimed.len(), 1);
    assert_eq!(detached.free_detached(usize::MAX), KEPT - MAX_EXTRA_FREED);

    let mut expired = claims();
    expired.claim(TABLE, bytes(&all), many, |_, _| {});
    let outcome = expired.claim(OTHER, bytes(&all), one(2, 100), |_, _| {});
    assert_eq!((outcome.claimed.len(), outcome.refused), (0, 1));
    let left = expired.reap_expired(100, usize::MAX, usize::MAX, |_, _| {});
    assert_eq!(left, KEPT - MAX_EXTRA_FREED);
    assert_eq!(expired.claim(OTHER, bytes(&all), one(3, 100), |_, _| {}).claimed.len(), 1);
}

#[test]
fn detached_claims_do_not_hold_up_reaping() {
    let mut claims = claims();
    claim(&mut claims, 1, &ids(0, 10), 50);
    claims.end_table(TABLE);
    claim(&mut claims, 2, &ids(0, 10), 60);
    assert_eq!(claims.reap_expired(60, 100, 100, |_, _| {}), 10);
    assert_eq!(occupied(&claims), (0, 0, 0));
    assert_eq!((claims.free_detached(100), claims.next_expiry_ms()), (10, None));
}

/// A table of this name, other than `TABLE`.
fn named(name: &[u8]) -> TableKey<'_> {
    TableKey { db: 0, name }
}

fn terms(token: u128, max_claims: usize, max_bytes: usize) -> ClaimTerms {
    let token = Token::new(token);
    ClaimTerms { token, now_ms: 0, expiry_ms: 100, limit: usize::MAX, max_claims, max_bytes }
}

/// Each claims what it can get in ten calls, one table after the other.
#[test]
fn a_table_gets_half_of_what_others_leave() {
    let cases: [(usize, &[usize]); 5] = [
        (0, &[0, 0]),
        (1, &[1, 0, 0]),
        (2, &[1, 1, 0]),
        (5, &[3, 1, 1, 0]),
        (1000, &[500, 250, 125, 63, 31, 16, 8, 4, 2, 1, 0]),
    ];
    let all = ids(0, 2000);
    for (max_claims, shares) in cases {
        let mut claims = claims();
        let mut token = 0;
        for (table, share) in shares.iter().enumerate() {
            let name = table.to_string();
            let mut claimed = 0;
            for ids in all.chunks(200) {
                token += 1;
                let terms = terms(token, max_claims, MAX_BYTES);
                claimed += claims.claim(named(name.as_bytes()), bytes(ids), terms, |_, _| {}).claimed.len();
            }
            assert_eq!(claimed, *share, "table {table} of {max_claims} claims");
        }
    }
}

/// What others give up is shared anew: a table keeps what it has, and gets more only within its share.
#[test]
fn a_table_above_its_share_gets_no_more_until_there_is_room() {
    let mut claims = claims();
    let all = ids(0, 100);
    let claim = |claims: &mut Claims, token, name: &[u8]| {
        claims.claim(named(name), bytes(&all), terms(token, 8, MAX_BYTES), |_, _| {}).claimed.len()
    };
    assert_eq!((claim(&mut claims, 1, b"a"), claim(&mut claims, 2, b"b")), (4, 2));
    claims.end_rows(named(b"a"), bytes(&all[..1]), |_| {});
    // Of the 6 that b leaves, a may hold 3, and holds them.
    assert_eq!(claim(&mut claims, 3, b"a"), 0);
    claims.end_table(named(b"b"));
    assert_eq!(claim(&mut claims, 4, b"a"), 1);
}

#[test]
fn the_name_of_a_table_is_kept_once() {
    let name = vec![b'n'; 1 << 20];
    let mut claims = claims();
    for (token, id) in (0..200).zip(ids(0, 200)) {
        let ids = [id.as_slice()].into_iter();
        let claimed = claims.claim(named(&name), ids, terms(token, 1000, MAX_BYTES), |_, _| {}).claimed;
        assert_eq!(claimed.len(), 1);
    }
    let names = claims.leases.iter().map(|lease| lease.table().name.as_ptr());
    let distinct: HashSet<_> = names.collect();
    assert_eq!(distinct.len(), 1);
    assert!((1 << 20..2 << 20).contains(&claims.bytes()), "{}", claims.bytes());
}

#[test]
fn bytes_are_bounded_as_claims_are() {
    const MAX: usize = 100_000;
    let all = ids(0, 10_000);
    let mut claims = claims();
    let mut left = MAX;
    for token in 0..6 {
        let name = vec![b'a' + token; 50];
        let terms = terms(token.into(), usize::MAX, MAX);
        let outcome = claims.claim(named(&name), bytes(&all), terms, |_, _| {});
        assert_eq!(outcome.claimed.len() + outcome.refused, all.len());
        let taken = MAX - left;
        // Slots come by doubling, so a table may stay well below its share.
        assert!(claims.bytes() - taken <= left / 2 + 200, "{} of {left}", claims.bytes() - taken);
        assert!(claims.bytes() - taken >= left / 5, "{} of {left}", claims.bytes() - taken);
        left = MAX - claims.bytes();
    }
    // A name alone can be too long for a share.
    let name = vec![b'n'; left / 2];
    let outcome = claims.claim(named(&name), bytes(&all), terms(9, usize::MAX, MAX), |_, _| {});
    assert_eq!((outcome.claimed.len(), outcome.refused), (0, all.len()));
    // Expired and detached claims make room.
    claims.end_table(named(&[b'b'; 50]));
    let later = ClaimTerms { now_ms: 100, expiry_ms: 200, ..terms(10, usize::MAX, MAX) };
    let outcome = claims.claim(named(&name), bytes(&all), later, |_, _| {});
    assert!(outcome.claimed.len() > 300 && claims.bytes() <= MAX, "{}", claims.bytes());
    claims.end_table(named(&name));
    claims.reap_expired(100, usize::MAX, usize::MAX, |_, _| {});
    claims.free_detached(usize::MAX);
    assert_eq!(claims.bytes(), 0);
}

/// The slots of a table that had more claims count for as long as they are kept.
#[test]
fn slots_without_claims_count() {
    let mut claims = claims();
    let all = ids(0, 100_000);
    claims.claim(TABLE, bytes(&all), terms(1, usize::MAX, MAX_BYTES), |_, _| {});
    let before = claims.bytes();
    claims.end_rows(TABLE, bytes(&all[..80_000]), |_| {});
    let slots = claims.tables.get(TABLE).map_or(0, TableClaims::slots);
    assert!(slots > 100_000 && claims.bytes() > 49 * slots, "{} bytes, {slots} slots", claims.bytes());
    claims.end_rows(TABLE, bytes(&all[80_000..99_999]), |_| {});
    assert!(claims.bytes() < before / 1000, "{}", claims.bytes());
}
