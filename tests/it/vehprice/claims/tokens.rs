//! TOKEN and KEEPCLAIM: only what is still claimed is stored.

use super::*;

#[apply(each_server)]
fn stores_what_is_still_claimed(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let token = claim(con, "t", "IDS 1 2 3 4").token;
    let set = |con: &mut Connection, id: &str, token: &str, value: &str| {
        int(con, &format!("VEHPRICE.SET t {id} TOKEN {token} FIELDS 1 a {value}"))
    };
    // What was never claimed, or under no token that was issued.
    assert_eq!(set(con, "9", &token, "x"), 0);
    assert_eq!(set(con, "1", &"0".repeat(32), "x"), 0);
    assert_eq!(int(con, "EXISTS t"), 0);
    // Once: the write ends the claim.
    assert_eq!(set(con, "1", &token, "first"), 1);
    assert_eq!(set(con, "1", &token, "again"), 0);
    // Another's write of a row leaves the others.
    cmd(con, "VEHPRICE.SET t 2 FIELDS 1 a plain");
    let mset = format!("VEHPRICE.MSET t TOKEN {token} FIELDS 1 a ROWS 1 n 2 n 3 n 4 n 5 n");
    assert_eq!(int(con, &mset), 2);
    assert_eq!(int(con, &mset), 0);
    assert_eq!(
        rows(con, "t"),
        parsed(r#"{"1":{"a":"first"},"2":{"a":"plain"},"3":{"a":"n"},"4":{"a":"n"}}"#)
    );
    assert_eq!(count(con, "claims_overtaken"), 1 + 1 + 1 + 3 + 5);
    assert_eq!(count(con, "claims_pending"), 0);
    // Its time is up.
    let answer = json(con, "VEHPRICE.CLAIM t PX 20 JSON IDS 6");
    rest(25);
    assert_eq!(set(con, "6", answer["token"].as_str().unwrap(), "late"), 0);
}

/// The words of a write, whether row 1 was there, how many are stored, and whether the claim goes on.
#[apply(each_server)]
fn what_a_write_makes_of_the_claim(#[case] kind: Kind) {
    let cases = [
        ("", true, 1, false),
        ("", false, 1, false),
        ("NX", false, 1, false),
        ("NX", true, 0, true),
        ("XX", false, 0, true),
        ("XX", true, 1, false),
        ("MERGE", true, 1, false),
        ("PXAT 1", true, 0, false),
        ("PXAT 1", false, 0, false),
        ("NX PXAT 1", true, 0, true),
        ("XX PXAT 1", false, 0, true),
        ("TOKEN {T}", true, 1, false),
        ("TOKEN {T}", false, 1, false),
        ("TOKEN {T} NX", true, 0, true),
        ("XX TOKEN {T}", false, 0, true),
        ("TOKEN {T} PXAT 1", true, 0, false),
        ("TOKEN {T} PXAT 1", false, 0, false),
        ("TOKEN {T} KEEPCLAIM", true, 1, true),
        ("keepclaim token {T}", false, 1, true),
        ("TOKEN {T} KEEPCLAIM PXAT 1", true, 0, true),
        ("TOKEN {T} KEEPCLAIM PXAT 1", false, 0, true),
        ("TOKEN 00000000000000000000000000000000", true, 0, true),
        ("TOKEN 00000000000000000000000000000000 PXAT 1", false, 0, true),
    ];
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for form in ["SET t 1 {O} FIELDS 1 a n", "MSET t {O} FIELDS 1 a ROWS 1 n"] {
        for (options, there, stored, goes_on) in cases {
            cmd(con, "FLUSHALL");
            let fields = "FIELDS 1 more";
            if there {
                cmd(con, "VEHPRICE.SET t 1 FIELDS 1 a old");
            }
            let token = claim(con, "t", &format!("{fields} IDS 1 2")).token;
            let call = form.replace("{O}", &options.replace("{T}", &token)).replace("  ", " ");
            assert_eq!(int(con, &format!("VEHPRICE.{call}")), stored, "{call}, {there}");
            let left = pending(con, "t", "1 2");
            // A row that is there is only pending for who misses a field of it.
            let left_of_it = json(con, "VEHPRICE.CLAIM t PX 1 FIELDS 1 more JSON IDS 1");
            let is_pending = left_of_it["pending"] == parsed(r#"["1"]"#);
            assert_eq!(is_pending, goes_on, "{call}, {there}: {left_of_it}");
            assert!(left.ends_with('2'), "{call}, {there}: {left}");
        }
    }
}

#[apply(each_server)]
fn a_row_in_two_steps_lands_whole(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let mut replica = FakeReplica::of(server);
    let token = claim(con, "t", "FIELDS 2 tag rule IDS 1 2").token;
    let first = format!("VEHPRICE.MSET t TOKEN {token} KEEPCLAIM PXAT {FAR} FIELDS 1 tag ROWS 1 a 2 b");
    assert_eq!(int(con, &first), 2);
    // Others still see it as missing and pending, for what it lacks.
    let other = claim(con, "t", "FIELDS 2 tag rule IDS 1 2");
    assert_eq!((other.claimed.as_str(), other.pending.as_str()), ("", "1 2"));
    // One of the two is overtaken in between: of the second step only the other's part lands.
    cmd(con, &format!("VEHPRICE.SET t 2 PXAT {FAR} FIELDS 2 tag c rule d"));
    let second = format!("VEHPRICE.MSET t TOKEN {token} MERGE FIELDS 1 rule ROWS 1 x 2 y");
    assert_eq!(int(con, &second), 1);
    assert_eq!(rows(con, "t"), parsed(r#"{"1":{"tag":"a","rule":"x"},"2":{"tag":"c","rule":"d"}}"#));
    // Replicas are told of rows, not of claims.
    assert_eq!(
        replica.lines(con),
        [
            format!("VEHPRICE.MSET t PXAT {FAR} FIELDS 1 tag ROWS 1 a 2 b"),
            format!("VEHPRICE.MSET t PXAT {FAR} FIELDS 2 tag rule ROWS 2 c d"),
            format!("VEHPRICE.MSET t PXAT {FAR} FIELDS 2 tag rule ROWS 1 a x"),
        ]
    );
}

#[apply(each_server)]
fn errors_come_before_any_change(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let wide: Vec<String> = (0..64).map(|field| format!("f{field} x")).collect();
    cmd(con, &format!("VEHPRICE.SET t 1 FIELDS 64 {}", wide.join(" ")));
    let token = claim(con, "t", "FIELDS 1 new IDS 1 2").token;
    // Too wide only for a row that would be written.
    let merge = |token: &str| format!("VEHPRICE.MSET t TOKEN {token} MERGE FIELDS 1 new ROWS 1 x 2 y");
    assert_eq!(int(con, &merge(&"0".repeat(32))), 0);
    assert!(error(con, &merge(&token)).starts_with("ERR invalid row '1', with MERGE"));
    assert_eq!(int(con, "VEHPRICE.LEN t"), 1);
    let left = claim(con, "t", "FIELDS 1 new IDS 1 2");
    assert_eq!((left.claimed.as_str(), left.pending.as_str()), ("", "1 2"));
    cmd(con, "SET s x");
    let wrong = [
        format!("VEHPRICE.SET s 1 TOKEN {token} FIELDS 1 a x"),
        "VEHPRICE.CLAIM s PX 1 IDS 1".to_owned(),
        format!("VEHPRICE.RELEASE s {token}"),
        "VEHPRICE.MGET s BLOCK 0 IDS 1".to_owned(),
    ];
    for call in wrong {
        assert_eq!(error(con, &call), WRONGTYPE, "{call}");
    }
}

#[apply(each_server)]
fn a_call_that_is_sent_again_is_answered_the_same(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    cmd(con, "VEHPRICE.SET t 3 FIELDS 1 a x");
    for form in ["JSON IDS 1 2 3", r#"JSON LIST ["1",2,"3"]"#, r#"FIELDS 1 a COLUMNS LIST ["1","2","3"]"#] {
        let call = format!("VEHPRICE.CLAIM t PX 60000 TOKEN {OWN} {form}");
        let first = json(con, &call);
        assert_eq!(first["token"], OWN);
        assert_eq!(first["claimed"], parsed(r#"["1","2"]"#));
        assert_eq!(json(con, &call), first, "{call}");
        let other = claim(con, "t", "IDS 1 2 4");
        assert_eq!((other.claimed.as_str(), other.pending.as_str()), ("4", "1 2"));
        assert_eq!(int(con, &format!("VEHPRICE.RELEASE t {}", other.token)), 1);
    }
    // Counted once, and given up by whoever knows the token, though no reply was read.
    assert_eq!(count(con, "claims_granted"), 2 + 3);
    assert_eq!(int(con, &format!("VEHPRICE.RELEASE t {OWN}")), 2);
    assert_eq!(count(con, "claims_pending"), 0);
    // Nothing to claim: no token.
    let none = json(con, &format!("VEHPRICE.CLAIM t PX 60000 TOKEN {OWN} JSON IDS 3"));
    assert_eq!(none["token"], parsed("null"));
}

#[apply(each_server)]
fn under_its_own_token_a_claim_begins_anew(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let call = |ms: u64, words: &str| format!("VEHPRICE.CLAIM t PX {ms} TOKEN {OWN} {words}");
    assert_eq!(json(con, &call(300, "LIMIT 2 JSON IDS 1 2 3"))["claimed"], parsed(r#"["1","2"]"#));
    // Sent again with a limit it claims no more than the first time.
    assert_eq!(json(con, &call(300, "LIMIT 2 JSON IDS 1 2 3"))["claimed"], parsed(r#"["1","2"]"#));
    // Renewed, it lasts for the time it is given now, and nobody else claims the row.
    assert_eq!(json(con, &call(60_000, "JSON IDS 1"))["claimed"], parsed(r#"["1"]"#));
    rest(305);
    // Row 2 was not: its claim has expired.
    assert_eq!(pending(con, "t", "1 2"), "1");
    assert_eq!(int(con, &format!("VEHPRICE.SET t 1 TOKEN {OWN} FIELDS 1 a x")), 1);
    // Written, it is there, and not claimed again.
    assert_eq!(json(con, &call(60_000, "JSON IDS 1"))["claimed"], parsed("[]"));
}

#[apply(each_server)]
fn a_renewal_can_leave_alone_what_was_deleted(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let claim = |con: &mut _, terms: &str| {
        json(con, &format!("VEHPRICE.CLAIM t PX 60000 TOKEN {OWN} {terms}"))["claimed"].clone()
    };
    assert_eq!(claim(con, "JSON IDS 1 2 3"), parsed(r#"["1","2","3"]"#));
    int(con, "VEHPRICE.DEL t 2");
    // As often as it is sent.
    for _ in 0..2 {
        assert_eq!(claim(con, "LIMIT 3 JSON IDS x y z 1 2 3"), parsed(r#"["x","1","3"]"#));
    }
    int(con, "VEHPRICE.CLEAR t");
    assert_eq!(claim(con, "LIMIT 3 JSON IDS x y z 1 2 3"), parsed(r#"["x","y","z"]"#));
}

#[apply(each_server)]
fn a_token_counts_in_each_table_for_itself(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for table in ["t", "u"] {
        cmd(con, &format!("VEHPRICE.CLAIM {table} PX 60000 TOKEN {OWN} IDS 1 2"));
    }
    assert_eq!(int(con, &format!("VEHPRICE.RELEASE t {OWN} 1")), 1);
    assert_eq!(int(con, &format!("VEHPRICE.MSET u TOKEN {OWN} FIELDS 1 a ROWS 1 x 2 y")), 2);
    assert_eq!((pending(con, "t", "1 2").as_str(), pending(con, "u", "1 2").as_str()), ("2", ""));
    // Once the table was cleared its claims are gone, and can be claimed under the token again.
    cmd(con, "VEHPRICE.CLEAR t");
    let again = json(con, &format!("VEHPRICE.CLAIM t PX 60000 TOKEN {OWN} JSON IDS 1 2"));
    assert_eq!(again["claimed"], parsed(r#"["1","2"]"#));
}

#[apply(each_server)]
fn a_caller_that_knows_its_token_keeps_claims_it_is_not_told_of(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    cmd(con, "CONFIG SET quotelock.max-reply-bytes 2097152");
    cmd(con, &["VEHPRICE.SET", "t", "1", "FIELDS", "1", "a", &"x".repeat(1 << 20)]);
    for (token, kept) in [("", 0), (&*format!("TOKEN {OWN} "), 1)] {
        let call = format!("VEHPRICE.CLAIM t PX 60000 {token}JSON IDS 2 1 1 1");
        assert!(error(con, &call).starts_with("ERR the reply would be longer"));
        assert_eq!(count(con, "claims_pending"), kept, "{call}");
    }
}
