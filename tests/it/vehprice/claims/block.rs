//! MGET … BLOCK: who waits, who is woken by what, and what is answered.

use super::*;

#[apply(each_server)]
fn answers_at_once_where_there_is_nothing_to_wait_for(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let clients = &mut Clients::of(server);
    let con = &mut clients.resp2;
    cmd(con, "VEHPRICE.SET t 1 FIELDS 1 a x");
    // Missing, but no one fetches it; there, though someone renews it.
    claim(con, "t", "REFRESH 600000 IDS 1 3");
    clients.check("VEHPRICE.MGET t BLOCK 0 IDS 1 2", r#"[{"a":"x"},null]"#);
    clients.check_json("VEHPRICE.MGET t JSON block 0 FIELDS 1 a IDS 2 1", r#"[null,{"a":"x"}]"#);
    // In a transaction, a script, a Function.
    let con = &mut clients.resp2;
    cmd(con, "MULTI");
    cmd(con, "VEHPRICE.MGET t BLOCK 0 JSON IDS 3");
    assert_eq!(reply(con, "EXEC"), r#"["[null]"]"#);
    let script = "return redis.call('VEHPRICE.MGET', KEYS[1], 'BLOCK', '0', 'JSON', 'IDS', '3')";
    assert_eq!(text(con, &["EVAL", script, "1", "t"]), "[null]");
    let function = format!("#!lua name=lib\nredis.register_function('f', function(KEYS) {script} end)");
    cmd(con, &["FUNCTION", "LOAD", &function]);
    assert_eq!(text(con, "FCALL f 1 t"), "[null]");
    assert_eq!(count(con, "claims_waiting"), 0);
}

/// In RESP3 a subscriber may call anything. From Valkey 8.1 on no such client waits.
#[apply(each_server)]
fn a_subscriber_is_answered(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    claim(con, "t", "IDS 7");
    let mut asked = Asked::of(server, "HELLO 3");
    asked.send("SUBSCRIBE channel");
    asked.send("ECHO subscribed");
    while asked.answer() != "subscribed" {}
    asked.send("VEHPRICE.MGET t JSON BLOCK 0 IDS 7");
    if kind.is_valkey() && kind.version() >= (8, 1) {
        assert_eq!(asked.answer(), "[null]");
    } else {
        eventually(TIMEOUT, || (count(con, "claims_waiting") == 1).then_some(()));
        cmd(con, "VEHPRICE.SET t 7 FIELDS 1 a x");
        assert_eq!(asked.answer(), r#"[{"a":"x"}]"#);
    }
    assert_eq!(count(con, "claims_waiting"), 0);
}

/// What is waited for, what is done, and what is answered. Row 1 has one field; rows 2 to 4 are claimed under
/// {T}.
type Case = (&'static str, &'static [&'static str], &'static str);

const CASES: [Case; 21] = [
    ("IDS 2", &["VEHPRICE.SET t 2 FIELDS 1 a new"], r#"[{"a":"new"}]"#),
    ("IDS 1 2 9", &["VEHPRICE.MSET t TOKEN {T} FIELDS 1 a ROWS 2 new"], r#"[{"a":"x"},{"a":"new"},null]"#),
    ("IDS 4 3 2", &["VEHPRICE.MSET t FIELDS 1 a ROWS 2 x 3 y 4 z"], r#"[{"a":"z"},{"a":"y"},{"a":"x"}]"#),
    (
        "IDS 4 3 2",
        &["VEHPRICE.SET t 3 FIELDS 1 a y", "VEHPRICE.SET t 2 FIELDS 1 a x", "VEHPRICE.SET t 4 FIELDS 1 a z"],
        r#"[{"a":"z"},{"a":"y"},{"a":"x"}]"#,
    ),
    ("IDS 2", &["VEHPRICE.DEL t 2"], "[null]"),
    ("IDS 2", &["VEHPRICE.RELEASE t {T}"], "[null]"),
    ("IDS 2 1", &["VEHPRICE.RELEASE t {T} 2"], r#"[null,{"a":"x"}]"#),
    ("IDS 2 3", &["VEHPRICE.RELEASE t {T} 2", "VEHPRICE.SET t 3 FIELDS 1 a new"], r#"[null,{"a":"new"}]"#),
    ("IDS 2", &["VEHPRICE.CLEAR t"], "[null]"),
    ("IDS 2 1", &["DEL t"], "[null,null]"),
    ("IDS 2 1", &["RENAME t other"], "[null,null]"),
    ("IDS 2 1", &["FLUSHALL"], "[null,null]"),
    ("IDS 2", &["SWAPDB 0 1"], "[null]"),
    ("IDS 2", &["VEHPRICE.SET t 2 TOKEN {T} KEEPCLAIM FIELDS 1 a new"], r#"[{"a":"new"}]"#),
    (
        "FIELDS 2 a b IDS 2",
        &[
            "VEHPRICE.SET t 2 TOKEN {T} KEEPCLAIM FIELDS 1 a new",
            "VEHPRICE.SET t 2 TOKEN {T} MERGE FIELDS 1 b more",
        ],
        r#"[{"a":"new","b":"more"}]"#,
    ),
    ("IDS 2", &["MULTI", "VEHPRICE.SET t 2 FIELDS 1 a new", "VEHPRICE.DEL t 2", "EXEC"], "[null]"),
    // Who waits and finds the row claimed by another waits on.
    (
        "IDS 2",
        &[
            "MULTI",
            "VEHPRICE.RELEASE t {T}",
            "VEHPRICE.CLAIM t PX 60000 IDS 2",
            "EXEC",
            "VEHPRICE.SET t 2 FIELDS 1 a new",
        ],
        r#"[{"a":"new"}]"#,
    ),
    // What was claimed by another meanwhile is waited for too.
    (
        "IDS 2 3",
        &[
            "VEHPRICE.RELEASE t {T} 2",
            "VEHPRICE.CLAIM t PX 60000 IDS 2",
            "VEHPRICE.SET t 3 FIELDS 1 a new",
            "VEHPRICE.SET t 2 FIELDS 1 a newer",
        ],
        r#"[{"a":"newer"},{"a":"new"}]"#,
    ),
    ("IDS 2", &["VEHPRICE.SET other 2 FIELDS 1 a new", "RENAME other t"], r#"[{"a":"new"}]"#),
    ("IDS 2", &["SET t x"], "-WRONGTYPE Operation against a key holding the wrong kind of value"),
    ("IDS 2 2 2", &["VEHPRICE.SET t 2 FIELDS 1 a new"], r#"[{"a":"new"},{"a":"new"},{"a":"new"}]"#),
];

#[apply(each_server)]
fn is_woken_by_what_it_waits_for(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for (asked, done, answer) in CASES {
        cmd(con, "FLUSHALL");
        cmd(con, "VEHPRICE.SET t 1 FIELDS 1 a x");
        let token = claim(con, "t", "IDS 2 3 4").token;
        let mut client = Asked::waiting(server, con, &format!("VEHPRICE.MGET t JSON BLOCK 0 {asked}"));
        for (step, command) in done.iter().enumerate() {
            // All steps but the last leave it waiting.
            assert!(!client.is_answered(), "{asked}, {step} of {done:?}");
            cmd(con, &command.replace("{T}", &token));
            rest(3);
        }
        assert_eq!(client.answer(), answer, "{asked}, {done:?}");
        assert_eq!(count(con, "claims_waiting"), 0);
        // It is the client it was before.
        client.send("PING");
        assert_eq!(client.answer(), "PONG");
    }
}

#[apply(each_server)]
fn is_answered_when_its_time_or_the_claims_time_is_over(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    claim(con, "t", "IDS 1");
    let began = Instant::now();
    let clients = &mut Clients::of(server);
    clients.check("VEHPRICE.MGET t BLOCK 60 IDS 1 2", "[null,null]");
    clients.check_json("VEHPRICE.MGET t BLOCK 60 JSON IDS 1", "[null]");
    assert!(began.elapsed() >= Duration::from_millis(4 * 60));
    // A pod died: the others wait no longer than its claims.
    for px in [1, 10, 80] {
        cmd(con, &format!("VEHPRICE.CLAIM died PX {px} IDS 1"));
        let began = Instant::now();
        assert_eq!(text(con, "VEHPRICE.MGET died BLOCK 0 JSON IDS 1"), "[null]");
        assert!(began.elapsed() < Duration::from_secs(20), "{px}");
    }
    // The earlier of two, set after the later.
    cmd(con, "VEHPRICE.CLAIM late PX 50000 IDS 1");
    cmd(con, "VEHPRICE.CLAIM soon PX 30 IDS 1");
    assert_eq!(text(con, "VEHPRICE.MGET soon BLOCK 50000 JSON IDS 1"), "[null]");
    assert_eq!(count(con, "claims_waiting"), 0);
}

#[apply(each_server)]
fn client_unblock_ends_it(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    claim(con, "t", "IDS 1");
    let unblocked = "-UNBLOCKED client unblocked via CLIENT UNBLOCK";
    for (how, answer) in [("", "[null]"), ("TIMEOUT", "[null]"), ("ERROR", unblocked)] {
        let mut client = Asked::waiting(server, con, "VEHPRICE.MGET t BLOCK 0 JSON IDS 1");
        assert_eq!(int(con, &words(&["CLIENT", "UNBLOCK", &client.id.to_string()], how)), 1);
        assert_eq!(client.answer(), answer);
        assert_eq!(count(con, "claims_waiting"), 0);
    }
}

/// A table comes to a key that had none.
#[apply(each_server)]
fn is_woken_by_a_table_that_comes(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for comes in ["RENAME other t", "COPY other t", "RESTORE"] {
        cmd(con, "FLUSHALL");
        cmd(con, "VEHPRICE.SET other 2 FIELDS 1 a new");
        claim(con, "t", "IDS 2 3");
        let mut client = Asked::waiting(server, con, "VEHPRICE.MGET t JSON BLOCK 0 IDS 2 3");
        if comes == "RESTORE" {
            let Value::BulkString(dump) = cmd(con, "DUMP other") else { panic!("no dump") };
            cmd(con, &[b"RESTORE".as_slice(), b"t", b"0", &dump]);
        } else {
            cmd(con, comes);
        }
        assert_eq!(client.answer(), r#"[{"a":"new"},null]"#, "{comes}");
    }
    // What another writes there ends the claims of its rows alone.
    cmd(con, "FLUSHALL");
    claim(con, "t", "IDS 2 3");
    let mut client = Asked::waiting(server, con, "VEHPRICE.MGET t JSON BLOCK 0 IDS 2 3");
    cmd(con, "VEHPRICE.SET t 2 FIELDS 1 a new");
    rest(3);
    assert!(!client.is_answered());
    assert_eq!(pending(con, "t", "3"), "3");
}

/// Rows of one table are waited for; what happens to others wakes no one.
#[apply(each_server)]
fn others_wake_no_one(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    claim(con, "t", "IDS 1 2");
    let other = claim(con, "u", "IDS 1").token;
    let mut client = Asked::waiting(server, con, "VEHPRICE.MGET t BLOCK 0 JSON IDS 1");
    let harmless = [
        "VEHPRICE.SET t 2 FIELDS 1 a x".to_owned(),
        "VEHPRICE.SET t 3 FIELDS 1 a x".to_owned(),
        "VEHPRICE.DEL t 2 3".to_owned(),
        format!("VEHPRICE.RELEASE t {other}"),
        format!("VEHPRICE.RELEASE u {other}"),
        format!("VEHPRICE.SET t 1 TOKEN {other} FIELDS 1 a x"),
        "VEHPRICE.SET t 1 XX FIELDS 1 a x".to_owned(),
        "VEHPRICE.CLEAR u".to_owned(),
        "SWAPDB 1 2".to_owned(),
        "EVAL redis.call('SELECT','1');redis.call('FLUSHDB') 0".to_owned(),
        "CONFIG SET quotelock.max-claims 0".to_owned(),
    ];
    for command in harmless {
        cmd(con, &command);
        rest(3);
        assert!(!client.is_answered(), "{command}");
    }
    cmd(con, "VEHPRICE.SET t 1 FIELDS 1 a x");
    assert_eq!(client.answer(), r#"[{"a":"x"}]"#);
}

#[apply(each_server)]
fn a_replica_answers_at_once_and_demotion_ends_the_wait(#[case] kind: Kind) {
    let primary = &Server::builder(kind).conf("repl-diskless-sync-delay 0").start();
    let server = Server::start(kind);
    let con = &mut server.connection();
    claim(con, "t", "IDS 1");
    let mut client = Asked::waiting(&server, con, "VEHPRICE.MGET t BLOCK 0 IDS 1");
    follow(&server, primary);
    let answer = client.answer();
    assert!(answer.starts_with("-UNBLOCKED force unblock"), "{answer}");
    assert_eq!(count(con, "claims_waiting"), 0);
    assert_eq!(reply(con, "VEHPRICE.MGET t BLOCK 0 IDS 1"), "[nil]");
}

/// The rows are counted when they are answered.
#[apply(each_server)]
fn counts_reads_once(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    claim(con, "t", "IDS 1 2");
    let before = count(con, "rows_read");
    let mut client = Asked::waiting(server, con, "VEHPRICE.MGET t BLOCK 0 JSON IDS 1 2 3");
    assert_eq!(count(con, "rows_read"), before);
    cmd(con, "VEHPRICE.MSET t FIELDS 1 a ROWS 1 x 2 y");
    assert_eq!(client.answer(), r#"[{"a":"x"},{"a":"y"},null]"#);
    assert_eq!(count(con, "rows_read"), before + 3);
}
