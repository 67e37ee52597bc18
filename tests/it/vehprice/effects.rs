//! What the commands leave behind besides the rows: events, signals to watchers and caches, counters; and
//! that reads leave nothing.

use super::*;

/// What is in the database before each command: a table of two rows, one of one row, a hash.
fn fill(con: &mut Connection) {
    cmd(con, "FLUSHALL");
    cmd(con, "VEHPRICE.MSET t PXAT 9999999999999 FIELDS 1 a ROWS 1 x 2 y");
    cmd(con, "VEHPRICE.MSET one PXAT 9999999999999 FIELDS 1 a ROWS 1 x");
    cmd(con, "HSET hash a x");
}

/// A command's key, the command, and the events it raises.
type Events = (&'static str, &'static str, &'static [&'static str]);

const READS: [Events; 27] = [
    ("t", "VEHPRICE.GET t 1", &[]),
    ("t", "VEHPRICE.GET t 1 FIELDS 1 a JSON", &[]),
    ("t", "VEHPRICE.MGET t 1 3", &[]),
    ("t", "VEHPRICE.MGET t JSON IDS 1 3", &[]),
    ("t", "VEHPRICE.GETALL t", &[]),
    ("t", "VEHPRICE.SCAN t 0", &[]),
    ("t", "VEHPRICE.LEN t", &[]),
    ("t", "VEHPRICE.PTTL t 1", &[]),
    ("t", "VEHPRICE.VERIFY t 1 a x", &[]),
    ("t", "VEHPRICE.VERIFY t 1 a z", &[]),
    ("t", "VEHPRICE.INFO t", &[]),
    ("hash", "VEHPRICE.MGETHASH hash none", &[]),
    ("absent", "VEHPRICE.GETALL absent", &[]),
    ("t", "VEHPRICE.MGET t JSON LIST [1,3]", &[]),
    ("t", "VEHPRICE.MGET t FIELDS 1 a COLUMNS LIST [1,3]", &[]),
    ("t", "VEHPRICE.GETALL t COLUMNS", &[]),
    // Writes that find nothing to write.
    ("t", "VEHPRICE.SET t 1 NX FIELDS 1 a z", &[]),
    ("t", "VEHPRICE.MSET t XX FIELDS 1 a ROWS 3 z 4 z", &[]),
    ("absent", "VEHPRICE.SET absent 1 XX FIELDS 1 a z", &[]),
    ("absent", "VEHPRICE.SET absent 1 PXAT 1 FIELDS 1 a z", &[]),
    ("t", "VEHPRICE.DEL t 3", &[]),
    ("absent", "VEHPRICE.CLEAR absent", &[]),
    ("t", "VEHPRICE.MSET t JSON {}", &[]),
    ("t", r#"VEHPRICE.MSET t XX JSON {"3":{"a":"z"}}"#, &[]),
    ("absent", "VEHPRICE.MSET absent JSON {}", &[]),
    ("absent", r#"VEHPRICE.MSET absent PXAT 1 COLUMNS {"ids":[1],"fields":["a"],"columns":[["z"]]}"#, &[]),
    ("t", r#"VEHPRICE.MSET t NX COLUMNS {"ids":[1],"fields":["a"],"columns":[["z"]]}"#, &[]),
];

const WRITES: [Events; 19] = [
    ("t", "VEHPRICE.SET t 1 FIELDS 1 a z", &["vehprice.set t"]),
    ("t", "VEHPRICE.SET t 3 NX EX 9 FIELDS 1 a z", &["vehprice.set t"]),
    ("t", "VEHPRICE.SET t 1 MERGE FIELDS 1 b z", &["vehprice.set t"]),
    ("absent", "VEHPRICE.SET absent 1 FIELDS 1 a z", &["vehprice.set absent"]),
    ("t", "VEHPRICE.MSET t FIELDS 1 a ROWS 1 z 2 z 3 z", &["vehprice.set t"]),
    ("t", "VEHPRICE.MSET t NX FIELDS 1 a ROWS 1 z 3 z", &["vehprice.set t"]),
    ("t", "VEHPRICE.DEL t 1", &["vehprice.del t"]),
    ("t", "VEHPRICE.DEL t 1 3", &["vehprice.del t"]),
    ("t", "VEHPRICE.SET t 1 PXAT 1 FIELDS 1 a z", &["vehprice.del t"]),
    ("t", "VEHPRICE.MSET t PXAT 1 FIELDS 1 a ROWS 1 z 3 z", &["vehprice.del t"]),
    ("t", "VEHPRICE.DEL t 1 2", &["del t", "vehprice.del t"]),
    ("one", "VEHPRICE.DEL one 1", &["del one", "vehprice.del one"]),
    ("one", "VEHPRICE.SET one 1 EXAT 1 FIELDS 1 a z", &["del one", "vehprice.del one"]),
    ("t", "VEHPRICE.CLEAR t", &["del t", "vehprice.clear t"]),
    ("t", r#"VEHPRICE.MSET t JSON {"1":{"a":"z"},"3":{"b":"z"}}"#, &["vehprice.set t"]),
    ("absent", r#"VEHPRICE.MSET absent JSON {"1":{"a":"z"}}"#, &["vehprice.set absent"]),
    (
        "t",
        r#"VEHPRICE.MSET t COLUMNS {"ids":[1,3],"fields":["a"],"columns":[["z","w"]]}"#,
        &["vehprice.set t"],
    ),
    ("t", r#"VEHPRICE.MSET t PXAT 1 JSON {"1":{"a":"z"},"3":{"a":"z"}}"#, &["vehprice.del t"]),
    (
        "one",
        r#"VEHPRICE.MSET one PXAT 1 COLUMNS {"ids":[1],"fields":["a"],"columns":[["z"]]}"#,
        &["del one", "vehprice.del one"],
    ),
];

#[apply(each_server)]
fn events_tell_what_was_done_to_which_key(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for (_, words, expected) in READS.iter().chain(&WRITES) {
        // What a test sets up is not listened to.
        cmd(con, "CONFIG SET notify-keyspace-events KEA");
        fill(con);
        let (answer, mut events) = events(server, con, words);
        events.sort();
        assert_eq!(events, *expected, "{words} answered {answer}");
    }
    // The module's own have class d.
    for (class, own) in [("Ed", true), ("Eg", false)] {
        cmd(con, &format!("CONFIG SET notify-keyspace-events {class}"));
        for (_, words, expected) in WRITES {
            fill(con);
            let expected: Vec<_> =
                expected.iter().filter(|event| event.starts_with("vehprice.") == own).collect();
            assert_eq!(
                events(server, con, words).1.iter().collect::<Vec<_>>(),
                expected,
                "{words} with {class}"
            );
        }
    }
}

fn calls() -> Vec<Call> {
    let reads = READS.map(|(key, words, _)| (key, words, false));
    reads.into_iter().chain(WRITES.map(|(key, words, _)| (key, words, true))).collect()
}

#[apply(each_server)]
fn only_a_change_aborts_a_watch(#[case] kind: Kind) {
    only_changes_abort_a_watch(&Server::start(kind), fill, &calls());
}

#[apply(each_server)]
fn only_a_change_empties_a_clients_cache(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let mut calls = calls();
    calls.retain(|(key, ..)| *key != "hash");
    let reads = ["VEHPRICE.GET {K} 1", "VEHPRICE.MGET {K} 1", "VEHPRICE.GETALL {K} JSON", "VEHPRICE.LEN {K}"];
    only_changes_empty_a_cache(server, fill, &reads, &calls);
}

#[apply(each_server)]
fn each_hash_that_mgethash_has_read_is_cached(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let (con, mut cache) = (&mut server.connection(), Cache::of(server));
    fill(con);
    cache.read("VEHPRICE.MGETHASH none hash");
    cmd(con, "HSET none a x");
    cmd(con, "HSET hash a y");
    assert_eq!(cache.forgotten(), [r#"["none"]"#, r#"["hash"]"#]);
}

#[apply(each_server)]
fn reads_leave_nothing_behind(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    fill(con);
    let look = |con: &mut Connection| (changes(con), text(con, "DEBUG DIGEST"), keyspace(con));
    let before = look(con);
    for (_, words, _) in READS {
        cmd(con, words);
        assert_eq!(look(con), before, "{words}");
    }
    for (_, words, _) in WRITES {
        fill(con);
        let before = look(con);
        cmd(con, words);
        let after = look(con);
        assert!(after.0 != before.0 && after.1 != before.1 && after.2 != before.2, "{words}");
    }
}

#[apply(each_server)]
fn info_counts_rows_and_verdicts(#[case] kind: Kind) {
    const COUNTERS: [&str; 9] = [
        "rows_read",
        "rows_hit",
        "rows_missed",
        "rows_stored",
        "rows_deleted",
        "rows_expired",
        "verdicts_match",
        "verdicts_changed",
        "verdicts_missing",
    ];
    // In one session: the command, and how far it moves which counters.
    let cases: [(&str, &[(&str, i64)]); 33] = [
        ("VEHPRICE.GET t 1", &[("rows_read", 1), ("rows_missed", 1)]),
        ("VEHPRICE.MGET t 1 2", &[("rows_read", 2), ("rows_missed", 2)]),
        ("VEHPRICE.MSET t FIELDS 1 a ROWS 1 x 2 y 1 z", &[("rows_stored", 2)]),
        ("VEHPRICE.SET t 3 FIELDS 1 a x", &[("rows_stored", 1)]),
        ("VEHPRICE.SET t 3 NX FIELDS 1 a x", &[]),
        ("VEHPRICE.MSET t NX FIELDS 1 a ROWS 3 x 4 x", &[("rows_stored", 1)]),
        ("VEHPRICE.SET t 3 EX 0 FIELDS 1 a x", &[]),
        ("VEHPRICE.GET t 1 JSON", &[("rows_read", 1), ("rows_hit", 1)]),
        ("VEHPRICE.GET t 1 FIELDS 1 none", &[("rows_read", 1), ("rows_hit", 1)]),
        ("VEHPRICE.MGET t 1 9 2", &[("rows_read", 3), ("rows_hit", 2), ("rows_missed", 1)]),
        ("VEHPRICE.MGET t JSON IDS 1 9 1 1", &[("rows_read", 4), ("rows_hit", 3), ("rows_missed", 1)]),
        ("VEHPRICE.DEL t 1 9", &[("rows_deleted", 1)]),
        ("VEHPRICE.DEL t 1", &[]),
        ("VEHPRICE.SET t 2 PXAT 1 FIELDS 1 a x", &[("rows_deleted", 1)]),
        ("VEHPRICE.GETALL t", &[("rows_read", 2), ("rows_hit", 2)]),
        ("VEHPRICE.SCAN t 0 JSON", &[("rows_read", 2), ("rows_hit", 2)]),
        ("VEHPRICE.CLAIM t PX 9 IDS 3 9", &[("rows_read", 2), ("rows_hit", 1), ("rows_missed", 1)]),
        ("VEHPRICE.VERIFY t 3 a x", &[("rows_read", 1), ("rows_hit", 1), ("verdicts_match", 1)]),
        ("VEHPRICE.VERIFY t 3 a y JSON", &[("rows_read", 1), ("rows_hit", 1), ("verdicts_changed", 1)]),
        ("VEHPRICE.VERIFY t 9 a y", &[("rows_read", 1), ("rows_missed", 1), ("verdicts_missing", 1)]),
        ("VEHPRICE.VERIFY none 9 a y", &[("rows_read", 1), ("rows_missed", 1), ("verdicts_missing", 1)]),
        ("VEHPRICE.VERIFY t 3 a", &[]),
        (r#"VEHPRICE.MSET t JSON {"5":{"a":"x"},"6":{"b":"y"},"5":{"a":"z"}}"#, &[("rows_stored", 2)]),
        (
            r#"VEHPRICE.MSET t NX COLUMNS {"ids":[6,7],"fields":["a"],"columns":[["x","y"]]}"#,
            &[("rows_stored", 1)],
        ),
        (r#"VEHPRICE.MSET t JSON {"5":{"a":"x"},"6":{}}"#, &[]),
        ("VEHPRICE.MSET t JSON {}", &[]),
        (r#"VEHPRICE.MSET t PXAT 1 JSON {"7":{"a":"x"},"9":{"a":"x"}}"#, &[("rows_deleted", 1)]),
        ("VEHPRICE.MGET t LIST [5,9,6]", &[("rows_read", 3), ("rows_hit", 2), ("rows_missed", 1)]),
        (
            r#"VEHPRICE.MGET t FIELDS 1 none COLUMNS LIST ["\u0035",9]"#,
            &[("rows_read", 2), ("rows_hit", 1), ("rows_missed", 1)],
        ),
        ("VEHPRICE.MGET t LIST []", &[]),
        ("VEHPRICE.MGET t LIST [5,]", &[]),
        ("VEHPRICE.GETALL t COLUMNS", &[("rows_read", 4), ("rows_hit", 4)]),
        (
            "VEHPRICE.CLAIM t PX 9 FIELDS 1 a COLUMNS LIST [3,9]",
            &[("rows_read", 2), ("rows_hit", 1), ("rows_missed", 1)],
        ),
    ];
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for (words, moved) in cases {
        let by = |name| moved.iter().find(|(moved, _)| *moved == name).map_or(0, |(_, by)| *by);
        assert_eq!(growth(con, &COUNTERS, words), COUNTERS.map(by), "{words}");
    }
    // Rows that were swept, which commands that use the table do in steps.
    let given: Vec<String> = (0..100).map(|id| format!("{id} 1")).collect();
    cmd(con, "VEHPRICE.SET t long FIELDS 1 a x");
    cmd(con, &format!("VEHPRICE.MSET t PX 1 FIELDS 1 a ROWS {}", given.join(" ")));
    eventually(TIMEOUT, || {
        cmd(con, "VEHPRICE.GET t long");
        (info(con, "quotelock")["quotelock_rows_expired"] == "100").then_some(())
    });
}
