//! VEHPRICE.CLAIM and RELEASE: what they answer and what they leave alone.

use super::*;

#[apply(each_server)]
fn answers_in_every_form(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let clients = &mut Clients::of(server);
    cmd(&mut clients.resp2, "VEHPRICE.SET t 1 FIELDS 2 a x b {}");
    cmd(&mut clients.resp2, "VEHPRICE.SET t 2 FIELDS 1 a \"y\"");
    // Nothing is claimed: the same for everyone.
    let none = r#"{"token":null,"rows":[{"a":"x","b":"{}"}],"claimed":[],"pending":[]}"#;
    clients.check("VEHPRICE.CLAIM t PX 1000 IDS 1", none);
    clients.check_json("VEHPRICE.CLAIM t PX 1000 JSON IDS 1", none);
    clients.check_json(
        "vehprice.claim t json raw 1 b fields 2 b a px 1000 ids 1",
        r#"{"token":null,"rows":[{"b":{},"a":"x"}],"claimed":[],"pending":[]}"#,
    );
    clients.check(
        "VEHPRICE.CLAIM t PX 1000 FIELDS 2 b a IDS 1",
        r#"{"token":null,"rows":[["{}","x"]],"claimed":[],"pending":[]}"#,
    );
    // Claimed once, then pending for whoever asks; each claim has a token of its own.
    let claims = ["VEHPRICE.CLAIM t PX 600000 IDS 3 1 4", "VEHPRICE.CLAIM t PX 600000 JSON IDS 3 1 5"];
    let first = cmd(&mut clients.resp3, claims[0]);
    let fields = pairs(&first);
    assert_eq!(fields["\"claimed\""], r#"["3", "4"]"#);
    assert_eq!(fields["\"pending\""], "[]");
    assert_eq!(fields["\"rows\""], r#"[nil, {"a": "x", "b": "{}"}, nil]"#);
    let token = fields["\"token\""].trim_matches('"').to_owned();
    let second = json(&mut clients.resp2, claims[1]);
    assert_eq!(second["claimed"], parsed(r#"["5"]"#));
    assert_eq!(second["pending"], parsed(r#"["3"]"#));
    let other = second["token"].as_str().unwrap();
    for token in [&token, other] {
        assert!(token.len() == 32 && token.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c)));
    }
    assert_ne!(token, other);
    clients.check(
        "VEHPRICE.CLAIM t PX 1000 IDS 5 3 3",
        r#"{"token":null,"rows":[null,null,null],"claimed":[],"pending":["5","3"]}"#,
    );
    cmd(&mut clients.resp2, "CONFIG SET quotelock.max-claims 0");
    clients.check_json(
        "VEHPRICE.CLAIM absent PX 1 JSON IDS x",
        r#"{"token":null,"rows":[null],"claimed":[],"pending":[]}"#,
    );
}

#[apply(each_server)]
fn claims_what_is_missing_and_free(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    cmd(con, "VEHPRICE.MSET t PX 680000 FIELDS 2 a b ROWS 1 x y");
    cmd(con, "VEHPRICE.SET t 2 PX 9000 FIELDS 1 a x");
    cmd(con, "VEHPRICE.SET t 3 PX 1 FIELDS 1 a x");
    cmd(con, "VEHPRICE.SET t 4 FIELDS 1 a x");
    cmd(con, "CONFIG SET quotelock.price-ttl-ms 0");
    cmd(con, "VEHPRICE.SET t 5 FIELDS 1 a x");
    rest(3);
    // Words, the ids, what is claimed, what is pending.
    let cases = [
        ("", "1 2", "", ""),
        ("", "3 1 9", "3 9", ""),
        ("", "9 8 9", "8", "9"),
        ("FIELDS 1 b", "1 2", "2", ""),
        ("", "2", "", ""),
        ("FIELDS 1 b", "1 2", "", "2"),
        ("FIELDS 2 a none", "1", "1", ""),
        ("REFRESH 10000", "1 4 5 7", "7", ""),
        ("REFRESH 10000", "2", "", "2"),
        ("REFRESH 599000", "4 1 5", "4", ""),
        ("REFRESH 700000", "4 5 1", "", "4 1"),
        ("LIMIT 2", "20 21 22 23", "20 21", ""),
        ("LIMIT 1", "23 22 21 20", "23", "21 20"),
        ("LIMIT 10000000 REFRESH 315360000000", "22 23", "22", "23"),
    ];
    for (options, ids, claimed, pending) in cases {
        let found = claim(con, "t", &format!("{options} IDS {ids}"));
        assert_eq!((found.claimed.as_str(), found.pending.as_str()), (claimed, pending), "{options} {ids}");
        assert_eq!(found.token == "none", claimed.is_empty(), "{options} {ids}");
    }
    // Another key, another database.
    assert_eq!(claim(con, "u", "IDS 9").claimed, "9");
    cmd(con, "SELECT 1");
    assert_eq!(claim(con, "t", "IDS 9").claimed, "9");
}

#[apply(each_server)]
fn ends_by_itself_and_is_released(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    cmd(con, "VEHPRICE.CLAIM t PX 3000 IDS 1 2");
    let first = claim(con, "t", "IDS 1 2 3");
    assert_eq!((first.claimed.as_str(), first.pending.as_str()), ("3", "1 2"));
    rest(3005);
    let second = claim(con, "t", "IDS 1 2 3");
    assert_eq!((second.claimed.as_str(), second.pending.as_str()), ("1 2", "3"));
    let release = |con: &mut Connection, key: &str, token: &str, ids: &str| {
        int(con, &words(&["VEHPRICE.RELEASE", key, token], ids))
    };
    assert_eq!(release(con, "t", &"0".repeat(32), ""), 0);
    assert_eq!(release(con, "u", &second.token, ""), 0);
    assert_eq!(release(con, "t", &second.token, "3 9"), 0);
    assert_eq!(release(con, "t", &second.token, "1 1 3"), 1);
    assert_eq!(pending(con, "t", "1 2 3"), "2 3");
    assert_eq!(release(con, "t", &second.token, ""), 1);
    assert_eq!(release(con, "t", &second.token, ""), 0);
    assert_eq!(pending(con, "t", "1 2 3"), "3");
}

#[apply(each_server)]
fn is_bounded_over_all_tables(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    cmd(con, "CONFIG SET quotelock.max-claims 5");
    cmd(con, "VEHPRICE.CLAIM short PX 5000 IDS 1 2");
    // Of what the other keys leave a key gets half, rounded up.
    let part = claim(con, "t", "IDS 1 2 3 4");
    assert_eq!((part.claimed.as_str(), part.pending.as_str()), ("1 2", ""));
    assert_eq!(claim(con, "u", "IDS 1 2").claimed, "1");
    assert_eq!(claim(con, "v", "IDS 1").token, "none");
    assert_eq!(claim(con, "t", "IDS 1 4").pending, "1");
    assert_eq!((count(con, "claims_refused"), count(con, "claims_pending")), (5, 5));
    rest(5005);
    assert_eq!(claim(con, "v", "IDS 1 2 3").claimed, "1");
    eventually(TIMEOUT, || (count(con, "claims_expired") == 2).then_some(()));
    // A smaller bound takes no claim away.
    cmd(con, "CONFIG SET quotelock.max-claims 1");
    assert_eq!(pending(con, "t", "1 2 3 4"), "1 2");
}

/// Nothing is stored, signalled, replicated or raised: a key that is not there is not there, a watched one is
/// not touched.
#[apply(each_server)]
fn leaves_no_trace(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let other = &mut server.connection();
    cmd(con, "VEHPRICE.SET t 1 PXAT 9999999999999 FIELDS 1 a x");
    cmd(con, "CONFIG SET notify-keyspace-events KEA");
    let mut replica = FakeReplica::of(server);
    let before = (keyspace(con), info(con, "persistence")["rdb_changes_since_last_save"].clone());
    cmd(con, "WATCH t absent");
    let mut listener = server.connection();
    let mut listener = listener.as_pubsub();
    listener.psubscribe("__key*").unwrap();
    for key in ["t", "absent"] {
        let claim = claim(other, key, "REFRESH 1000 IDS 1 2 3");
        assert_eq!(int(other, &["VEHPRICE.RELEASE", key, &claim.token, "2"]), 1);
        assert_eq!(int(other, &["VEHPRICE.RELEASE", key, &claim.token]), if key == "t" { 1 } else { 2 });
    }
    cmd(con, "MULTI");
    cmd(con, "PING");
    assert_eq!(reply(con, "EXEC"), "[PONG]");
    let after = (keyspace(con), info(con, "persistence")["rdb_changes_since_last_save"].clone());
    assert_eq!(after, before);
    assert_eq!(replica.lines(con), Vec::<String>::new());
    cmd(con, "SET mark x");
    let first: String = listener.get_message().unwrap().get_payload().unwrap();
    assert!(["set", "mark", "new"].contains(&first.as_str()), "{first}");
}

#[apply(each_server)]
fn a_replica_refuses(#[case] kind: Kind) {
    let (primary, replica) = (Server::start(kind), Server::start(kind));
    let con = &mut primary.connection();
    follow(&replica, &primary);
    let claim = claim(con, "t", "IDS 1");
    let there = &mut replica.connection();
    for call in ["VEHPRICE.CLAIM t PX 1000 IDS 1", "VEHPRICE.RELEASE t 00000000000000000000000000000000"] {
        assert!(error(there, call).starts_with("READONLY "), "{call}");
    }
    cmd(there, "REPLICAOF NO ONE");
    assert_eq!(pending(there, "t", "1"), "");
    assert_eq!(int(there, &format!("VEHPRICE.SET t 1 TOKEN {} FIELDS 1 a x", claim.token)), 0);
}

#[test]
fn a_restart_forgets() {
    let mut server = Server::builder(Kind::DEFAULT).conf("appendonly yes").start();
    let con = &mut server.connection();
    let token = claim(con, "t", "IDS 1").token;
    server.restart();
    let con = &mut server.connection();
    assert_eq!(pending(con, "t", "1"), "");
    assert_eq!(int(con, &format!("VEHPRICE.SET t 1 TOKEN {token} FIELDS 1 a x")), 0);
}

#[apply(each_server)]
fn works_in_scripts_and_transactions(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let script = "return redis.call('VEHPRICE.CLAIM', KEYS[1], 'PX', '60000', 'JSON', 'IDS', '1', '2')";
    let answer = text(con, &["EVAL", script, "1", "t"]);
    assert_eq!(parsed(&answer)["claimed"], parsed(r#"["1","2"]"#));
    let script = format!("#!lua flags=no-writes\n{script}");
    assert!(error(con, &["EVAL", &script, "1", "t"]).contains("Write commands are not allowed"));
    cmd(con, "MULTI");
    cmd(con, "VEHPRICE.CLAIM t PX 60000 JSON IDS 2 3");
    cmd(con, "VEHPRICE.DEL t 2");
    cmd(con, "VEHPRICE.CLAIM t PX 60000 JSON IDS 2 3");
    let Value::Array(replies) = cmd(con, "EXEC") else { panic!("no array") };
    let claimed: Vec<_> = [0, 2].map(|index| show(&replies[index])).into();
    assert!(claimed[0].contains(r#""claimed":["3"],"pending":["2"]"#), "{claimed:?}");
    assert!(claimed[1].contains(r#""claimed":["2"],"pending":["3"]"#), "{claimed:?}");
}

#[test]
fn memory_is_given_back() {
    let server = Server::start(Kind::DEFAULT);
    let con = &mut server.connection();
    let used = |con: &mut Connection| info(con, "memory")["used_memory"].parse::<i64>().unwrap();
    let before = used(con);
    let ids: Vec<String> = (0..100_000).map(|id| id.to_string()).collect();
    let claimed = claim(con, "t", &format!("IDS {}", ids.join(" ")));
    let taken = used(con) - before;
    println!("{} bytes a claim", taken / 100_000);
    assert!(taken < 100_000 * 200, "{taken}");
    assert_eq!(int(con, &["VEHPRICE.RELEASE", "t", &claimed.token]), 100_000);
    eventually(TIMEOUT, || (used(con) - before < 2_000_000).then_some(()));
}

#[apply(each_server)]
fn info_counts_claims(#[case] kind: Kind) {
    let names = ["granted", "released", "ended", "expired", "refused", "overtaken", "pending", "waiting"];
    // The command, {T} being the token of the first, and all counters after it.
    let cases = [
        ("VEHPRICE.CLAIM t PX 600000 JSON IDS 1 2 3 4", [4, 0, 0, 0, 0, 0, 4, 0]),
        ("VEHPRICE.CLAIM t PX 600000 JSON IDS 1 2", [4, 0, 0, 0, 0, 0, 4, 0]),
        ("VEHPRICE.SET t 1 TOKEN {T} FIELDS 1 a x", [4, 0, 1, 0, 0, 0, 3, 0]),
        ("VEHPRICE.SET t 1 TOKEN {T} FIELDS 1 a x", [4, 0, 1, 0, 0, 1, 3, 0]),
        ("VEHPRICE.SET t 2 TOKEN {T} KEEPCLAIM FIELDS 1 a x", [4, 0, 1, 0, 0, 1, 3, 0]),
        ("VEHPRICE.RELEASE t {T} 2 9", [4, 1, 1, 0, 0, 1, 2, 0]),
        ("VEHPRICE.DEL t 3 9", [4, 1, 2, 0, 0, 1, 1, 0]),
        ("CONFIG SET quotelock.max-claims 2", [4, 1, 2, 0, 0, 1, 1, 0]),
        ("VEHPRICE.CLAIM u PX 600000 IDS 1 2 3", [5, 1, 2, 0, 2, 1, 2, 0]),
        ("DEL t", [5, 1, 3, 0, 2, 1, 1, 0]),
        ("VEHPRICE.MGET u BLOCK 1 IDS 1", [5, 1, 3, 0, 2, 1, 1, 0]),
        ("VEHPRICE.CLEAR u", [5, 1, 4, 0, 2, 1, 0, 0]),
    ];
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let mut token = String::new();
    for (command, expected) in cases {
        let answer = cmd(con, &command.replace("{T}", &token));
        if token.is_empty() {
            token = parsed(show(&answer).trim_matches('"'))["token"].as_str().unwrap().to_owned();
        }
        let found = names.map(|name| count(con, &format!("claims_{name}")));
        assert_eq!(found, expected, "{names:?} after {command}");
    }
    cmd(con, "VEHPRICE.CLAIM u PX 1 IDS 1");
    eventually(TIMEOUT, || (count(con, "claims_expired") == 1).then_some(()));
    assert_eq!((count(con, "claims_pending"), count(con, "claims_bytes")), (0, 0));
}
