//! Where it is asked, what is counted, what it costs, and that it is a read.

use super::*;

/// A replica has revisions of its own.
#[apply(each_server)]
fn replicas_answer_by_their_own_revisions(#[case] kind: Kind) {
    let primary = primary(kind);
    let con = &mut primary.connection();
    cmd(con, "VEHPRICE.MSET t FIELDS 1 a ROWS 1 x 2 y");
    let replica = replica_of(&primary, Server::builder(kind));
    let there = &mut replica.connection();
    let (here, own) = (revision(con, "t"), revision(there, "t"));
    assert!(here != own && news(there, "t", &here).whole && news(con, "t", &own).whole);
    cmd(con, "VEHPRICE.SET t 1 FIELDS 1 a z");
    cmd(con, "VEHPRICE.DEL t 2");
    in_step(con, 1);
    let mut copy = OwnCopy::new();
    let told = news(there, "t", &own);
    assert_eq!((told.whole, told.deleted.as_slice()), (false, ["2".to_owned()].as_slice()));
    copy.take(told);
    let rows: Vec<_> =
        copy.live(0).into_iter().map(|(id, (_, fields))| (id, fields["a"].clone().unwrap())).collect();
    assert_eq!(rows, [("1", "z".to_owned())]);
    // The next primary goes on with them.
    cmd(there, "REPLICAOF NO ONE");
    cmd(there, "VEHPRICE.DEL t 1");
    assert_eq!(news(there, "t", &copy.revision).revision, "0");
}

#[apply(each_server)]
fn transactions_scripts_and_functions_get_what_clients_get(#[case] kind: Kind) {
    let server = &server(kind);
    let con = &mut server.connection();
    cmd(con, "VEHPRICE.SET t 1 FIELDS 1 a x");
    let since = revision(con, "t");
    cmd(con, "MULTI");
    for command in [
        "VEHPRICE.CHANGES t 0",
        "VEHPRICE.INFO t",
        "VEHPRICE.DEL t 1",
        &format!("VEHPRICE.CHANGES t {since}"),
    ] {
        assert_eq!(reply(con, command), "QUEUED");
    }
    let Value::Array(replies) = cmd(con, "EXEC") else { panic!("EXEC gave no array") };
    assert_eq!(News::of(&replies[0]).revision, since);
    assert_eq!(pairs(&replies[1])["\"revision\""], format!("\"{since}\""));
    let told = News::of(&replies[3]);
    assert_eq!((told.revision.as_str(), told.whole, told.now), ("0", true, News::of(&replies[0]).now));

    cmd(con, "VEHPRICE.SET t 1 FIELDS 1 a x");
    let call = "redis.call('VEHPRICE.CHANGES', KEYS[1], '0'";
    for (expression, answer) in [
        (format!("{call})[6]"), "1"),
        (format!("{call})[8][1][6][1]"), r#""1""#),
        (format!("{call}, 'FIELDS', '1', 'none')[8][1][8][1]"), "[nil]"),
        (format!("cjson.decode({call}, 'JSON')).groups[1].columns[1][1]"), r#""x""#),
    ] {
        for eval in ["EVAL", "EVAL_RO"] {
            assert_eq!(
                reply(con, &[eval, &format!("return {expression}"), "1", "t"]),
                answer,
                "{expression}"
            );
        }
    }
    let script = format!("redis.setresp(3) return {call}).map.groups[1].map.columns[1][1]");
    assert_eq!(reply(con, &["EVAL", &script, "1", "t"]), r#""x""#);
    let library = format!(
        "#!lua name=copies\nredis.register_function{{function_name='told', flags={{'no-writes'}}, \
         callback=function(KEYS) return {call}, 'JSON') end}}"
    );
    cmd(con, &["FUNCTION", "LOAD", &library]);
    assert!(News::of(&cmd(con, "FCALL_RO told 1 t")).whole);
}

#[apply(each_server)]
fn info_counts_what_was_answered(#[case] kind: Kind) {
    const COUNTERS: [&str; 6] =
        ["changes_asked", "changes_unchanged", "changes_whole", "rows_read", "rows_hit", "rows_missed"];
    let server = &server(kind);
    let con = &mut server.connection();
    cmd(con, "VEHPRICE.MSET t FIELDS 1 a ROWS 1 x 2 y");
    let since = revision(con, "t");
    let cases = [
        ("VEHPRICE.CHANGES t 0".to_owned(), [1, 0, 1, 2, 2, 0]),
        (format!("VEHPRICE.CHANGES t {since}"), [1, 1, 0, 0, 0, 0]),
        (format!("VEHPRICE.CHANGES t {since} FIELDS 1 none JSON"), [1, 1, 0, 0, 0, 0]),
        ("VEHPRICE.CHANGES absent 0 JSON".to_owned(), [1, 0, 1, 0, 0, 0]),
        (format!("VEHPRICE.CHANGES absent {since}"), [1, 0, 1, 0, 0, 0]),
        ("VEHPRICE.SET t 1 FIELDS 1 a z".to_owned(), [0; 6]),
        (format!("VEHPRICE.CHANGES t {since} JSON"), [1, 0, 0, 2, 2, 0]),
        ("VEHPRICE.CHANGES t x".to_owned(), [0; 6]),
        ("VEHPRICE.CHANGES t 0 FOO".to_owned(), [0; 6]),
        ("VEHPRICE.INFO t".to_owned(), [0; 6]),
    ];
    for (words, moved) in cases {
        assert_eq!(growth(con, &COUNTERS, &words), moved, "{words}");
    }
}

/// What the calls below are made on: `R` in them is the revision.
fn table_to_read(con: &mut Connection) -> String {
    cmd(con, "FLUSHALL");
    cmd(con, "VEHPRICE.MSET t PXAT 4000000000000 FIELDS 1 a ROWS 1 x 2 y 3 z");
    let since = revision(con, "t");
    cmd(con, "VEHPRICE.SET t 1 PXAT 4000000000000 FIELDS 1 a z");
    cmd(con, "VEHPRICE.DEL t 3");
    since
}

const READS: [&str; 5] = [
    "VEHPRICE.CHANGES t 0",
    "VEHPRICE.CHANGES t R",
    "VEHPRICE.CHANGES t R FIELDS 1 a JSON",
    "VEHPRICE.CHANGES absent 0",
    "VEHPRICE.INFO t",
];

/// No change is counted, saved, digested, replicated, told or signalled.
#[apply(each_server)]
fn leaves_nothing_behind(#[case] kind: Kind) {
    let server = &server(kind);
    let con = &mut server.connection();
    cmd(con, "CONFIG SET notify-keyspace-events KEA");
    let since = table_to_read(con);
    let mut replica = FakeReplica::of(server);
    let look = |con: &mut Connection| {
        let digest = text(con, "DEBUG DIGEST");
        (changes(con), digest, cmd(con, "DEBUG DIGEST-VALUE t"), cmd(con, "DUMP t"), keyspace(con))
    };
    let before = look(con);
    for call in READS {
        let call = call.replace(" R", &format!(" {since}"));
        assert_eq!(events(server, con, &call).1, Vec::<String>::new(), "{call}");
        assert_eq!(replica.lines(con), Vec::<String>::new(), "{call}");
        assert_eq!(look(con), before, "{call}");
    }
    only_changes_abort_a_watch(
        server,
        |con| drop(table_to_read(con)),
        &[
            ("t", "VEHPRICE.CHANGES t 0", false),
            ("t", "VEHPRICE.INFO t", false),
            ("absent", "VEHPRICE.CHANGES absent 0 JSON", false),
        ],
    );
    let calls = [
        ("t", "VEHPRICE.CHANGES t 0", false),
        ("t", "VEHPRICE.INFO t", false),
        ("t", "VEHPRICE.SET t 1 FIELDS 1 a y", true),
        ("t", "VEHPRICE.DEL t 1", true),
        ("t", "VEHPRICE.CLEAR t", true),
    ];
    let reads = ["VEHPRICE.CHANGES {K} 0", "VEHPRICE.CHANGES {K} 0 JSON"];
    only_changes_empty_a_cache(server, |con| drop(table_to_read(con)), &reads, &calls);
}

/// A refused answer takes no room for the values it would have had.
#[apply(each_server)]
fn a_refused_reply_takes_no_more_memory_than_a_short_one(#[case] kind: Kind) {
    let server = &server(kind);
    let con = &mut server.connection();
    fill(con, "t", (0..90_000).map(|id| id.to_string()));
    cmd(con, "CONFIG SET quotelock.max-reply-bytes 2097152");
    let since = revision(con, "t");
    cmd(con, &format!("VEHPRICE.CHANGES t {since}"));
    assert!(error(con, "VEHPRICE.GETALL t").starts_with("ERR the reply would be longer"));
    let before = peak(con);
    let names: Vec<String> = (0..64).map(|name| format!("name{name}")).collect();
    for form in ["", " JSON"] {
        let call = format!("VEHPRICE.CHANGES t 0 FIELDS 64 {}{form}", names.join(" "));
        assert!(error(con, &call).starts_with("ERR the reply would be longer"), "{form}");
        assert!(peak(con) < before + (6 << 20), "{form}: {} bytes, {before} before", peak(con));
    }
}
