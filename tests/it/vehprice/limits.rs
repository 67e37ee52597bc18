//! Where a command may not do what it would: at the end of memory, on a replica, in a script that only reads.

use super::*;

const OOM: &str = "OOM command not allowed when used memory > 'maxmemory'";

/// The calls that write, on a table `t` with rows 1 and 2.
const WRITES: [&str; 6] = [
    "VEHPRICE.SET t 3 FIELDS 1 a z",
    "VEHPRICE.MSET t NX FIELDS 1 a ROWS 3 z",
    r#"VEHPRICE.MSET t JSON {"3":{"a":"z"}}"#,
    r#"VEHPRICE.MSET t COLUMNS {"ids":["3"],"fields":["a"],"columns":[["z"]]}"#,
    "VEHPRICE.DEL t 1",
    "VEHPRICE.CLEAR t",
];

const CLAIM: &str = "VEHPRICE.CLAIM t PX 1000 IDS 3";
const RELEASE: &str = "VEHPRICE.RELEASE t 00000000000000000000000000000000";

/// The calls that read, and what they answer on that table and a hash `h`.
const READS: [(&str, &str); 12] = [
    ("VEHPRICE.GET t 1 JSON", r#""{"a":"x"}""#),
    ("VEHPRICE.MGET t 1 3", r#"[["a", "x"], nil]"#),
    ("VEHPRICE.MGET t JSON IDS 2", r#""[{"a":"y"}]""#),
    ("VEHPRICE.LEN t", "2"),
    ("VEHPRICE.PTTL t 3", "[-2]"),
    ("VEHPRICE.VERIFY t 2 a y", r#"["verdict", "Match", "row", ["a", "y"]]"#),
    ("VEHPRICE.MGETHASH h", r#"[["a", "x"]]"#),
    ("VEHPRICE.SCAN absent 0 JSON", r#""{"cursor":"0","rows":{}}""#),
    ("VEHPRICE.GETALL absent", "[]"),
    ("VEHPRICE.MGET t LIST [1,3]", r#"[["a", "x"], nil]"#),
    ("VEHPRICE.MGET t FIELDS 1 a COLUMNS LIST [3,2]", r#""{"missing":[0],"columns":[[null,"y"]]}""#),
    ("VEHPRICE.GETALL absent COLUMNS", r#""{"ids":[],"fields":[],"columns":[]}""#),
];

fn fill(con: &mut Connection) {
    cmd(con, &format!("VEHPRICE.MSET t PXAT {FAR} FIELDS 1 a ROWS 1 x 2 y"));
    cmd(con, "HSET h a x");
}

/// A command as a script that runs it.
fn script(words: &str) -> String {
    let words: Vec<String> = words.split(' ').map(|word| format!("'{word}'")).collect();
    format!("return redis.call({})", words.join(", "))
}

#[apply(each_server)]
fn at_maxmemory_rows_are_read_and_deleted_but_not_stored(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    fill(con);
    let used: i64 = info(con, "memory")["used_memory"].parse().unwrap();
    cmd(con, &format!("CONFIG SET maxmemory {} maxmemory-policy noeviction", used + 3_000_000));
    let value = "v".repeat(1000);
    let mut stored = 0;
    let refused = loop {
        let rows: Vec<String> = (0..20).map(|id| format!("{stored}:{id} {value}")).collect();
        match try_cmd(con, &format!("VEHPRICE.MSET big FIELDS 1 a ROWS {}", rows.join(" "))) {
            Ok(reply) => assert_eq!(reply, Value::Int(20)),
            Err(error) => break error,
        }
        stored += 1;
        assert!(stored < 10_000, "the limit is never reached");
    };
    assert!(refused.starts_with(OOM), "{refused}");
    // Well over the limit, so that buffers of clients that come and go make no difference.
    cmd(con, &format!("CONFIG SET maxmemory {}", used + 1_000_000));
    let held = keyspace(con);
    let more = ["VEHPRICE.SET t 1 XX MERGE FIELDS 1 a z", "VEHPRICE.SET new 1 FIELDS 1 a z", CLAIM];
    for words in WRITES.iter().take(4).chain(&more) {
        assert!(error(con, *words).starts_with(OOM), "{words}");
        assert!(error(con, &["EVAL", &script(words), "0"]).contains(OOM), "{words}");
    }
    assert_eq!(keyspace(con), held);
    for (words, answer) in READS {
        assert_eq!(reply(con, words), answer, "{words}");
        assert_eq!(reply(con, &["EVAL_RO", &script(words), "0"]), answer, "{words}");
    }
    assert_eq!(int(con, RELEASE), 0);
    assert_eq!(int(con, "VEHPRICE.LEN big"), stored * 20);
    assert_eq!(int(con, "VEHPRICE.DEL big 0:0 0:1"), 2);
    assert_eq!(int(con, "VEHPRICE.CLEAR big"), 1);
    // A large table's memory may come back in the background.
    eventually(TIMEOUT, || try_cmd(con, "VEHPRICE.SET t 3 FIELDS 1 a z").ok());
    assert_eq!(int(con, "VEHPRICE.LEN t"), 3);
}

#[apply(each_server)]
fn a_replica_reads_and_does_not_write(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    fill(con);
    let replica = replica_of(server, Server::builder(server.kind()));
    let there = &mut replica.connection();
    let held = keyspace(con);
    for words in WRITES.into_iter().chain([CLAIM, RELEASE]) {
        assert_eq!(error(there, words), "READONLY You can't write against a read only replica.", "{words}");
    }
    for (words, answer) in READS {
        assert_eq!(reply(there, words), answer, "{words}");
    }
    assert_eq!(keyspace(there).len(), held.len());
    // A row expires there when it expires here.
    let ends_at = now() + 100;
    cmd(con, &format!("VEHPRICE.SET t 3 PXAT {ends_at} FIELDS 1 a z"));
    assert_eq!(int(con, "WAIT 1 60000"), 1);
    let length = int(there, "VEHPRICE.LEN t");
    assert!(length == 3 || now() >= ends_at, "{length}");
    while now() <= ends_at {
        rest(1);
    }
    assert_eq!(reply(there, "VEHPRICE.GET t 3"), "nil");
    assert_eq!(int(there, "VEHPRICE.LEN t"), 2);
    assert_eq!(rows(there, "t"), parsed(r#"{"1":{"a":"x"},"2":{"a":"y"}}"#));
    assert_eq!(text(there, "DEBUG DIGEST"), text(con, "DEBUG DIGEST"));
    assert_eq!(int(con, "VEHPRICE.CLEAR t"), 1);
    assert_eq!(int(con, "WAIT 1 60000"), 1);
    assert_eq!(text(there, "VEHPRICE.GETALL t JSON"), "{}");
}

/// What a primary may do that has no replica, and requires one for its writes.
#[apply(each_server)]
fn without_enough_replicas_nothing_is_written_or_claimed(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    fill(con);
    cmd(con, "CONFIG SET min-replicas-to-write 1");
    let held = keyspace(con);
    for words in WRITES.iter().chain(&[CLAIM, RELEASE, "QUOTELOCK.ACQUIRE user 3 *", "QUOTELOCK.DEL user"]) {
        assert!(error(con, *words).starts_with("NOREPLICAS"), "{words}");
    }
    for (words, answer) in READS {
        assert_eq!(reply(con, words), answer, "{words}");
    }
    assert_eq!(keyspace(con), held);
}

#[apply(each_server)]
fn scripts_that_only_read_may_not_write(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    fill(con);
    let held = keyspace(con);
    for (words, answer) in READS {
        assert_eq!(reply(con, &["EVAL_RO", &script(words), "0"]), answer, "{words}");
    }
    for words in WRITES {
        let refused = error(con, &["EVAL_RO", &script(words), "0"]);
        assert!(refused.contains("Write commands are not allowed from read-only scripts"), "{refused}");
    }
    assert_eq!(keyspace(con), held);
}

const TOO_MUCH: &str = "ERR too much to replicate, MERGE or KEEPTTL would take more than 67108864 bytes: write fewer rows in a call";

#[apply(oldest_and_newest)]
fn names_are_not_replicated_too_often(#[case] kind: Kind) {
    const ROWS: usize = 4_200;
    let server = &Server::start(kind);
    let con = &mut server.connection();
    // Each row has an expiry of its own, so each is replicated with all its names: 16 kB.
    let fill = format!(
        "local row = {{}} for f = 1, 64 do row[2 * f - 1] = string.rep('n', 254) .. 10 + f row[2 * f] = '' end \
         for id = 1, {ROWS} do \
         redis.call('VEHPRICE.SET', KEYS[1], id, 'PXAT', string.format('%.0f', {FAR} + id), 'FIELDS', 64, unpack(row)) \
         end"
    );
    reply(con, &["EVAL", &fill, "1", "t"]);
    let write = |words: &str, count: usize| {
        let rows: Vec<String> = (1..=count).map(|id| format!("{id} x")).collect();
        format!("VEHPRICE.MSET t {words} FIELDS 1 {}11 ROWS {}", "n".repeat(254), rows.join(" "))
    };
    let held = text(con, "DEBUG DIGEST");
    assert_eq!(error(con, &write("MERGE", ROWS)), TOO_MUCH);
    assert_eq!(text(con, "DEBUG DIGEST"), held);
    assert_eq!(int(con, &write("MERGE", ROWS / 2)), 2_100);
    // One expiry, or one name, is little.
    assert_eq!(int(con, &write("KEEPTTL", ROWS)), 4_200);
    assert_eq!(int(con, &write(&format!("MERGE PXAT {FAR}"), ROWS)), 4_200);
}

#[apply(oldest_and_newest)]
fn a_merge_into_too_much_is_refused_and_changes_nothing(#[case] kind: Kind) {
    const ROWS: usize = 66;
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let value = "v".repeat(1 << 20);
    for id in 0..ROWS {
        cmd(con, &format!("VEHPRICE.SET t {id} PXAT {FAR} FIELDS 1 a {value}"));
    }
    let merge = |ids: std::ops::Range<usize>| {
        let rows: Vec<String> = ids.map(|id| format!("{id} x")).collect();
        format!("VEHPRICE.MSET t MERGE FIELDS 1 b ROWS {}", rows.join(" "))
    };
    let held = text(con, "DEBUG DIGEST");
    let refused = error(con, &merge(0..ROWS));
    assert_eq!(refused, TOO_MUCH);
    assert_eq!(text(con, "DEBUG DIGEST"), held);
    // Rows that are left alone or deleted don't count, and smaller calls do it all.
    assert_eq!(int(con, &merge(0..ROWS).replace("MERGE", "MERGE NX")), 0);
    assert_eq!(int(con, &merge(0..ROWS / 2)), 33);
    assert_eq!(int(con, &merge(ROWS / 2..ROWS)), 33);
    assert_eq!(reply(con, "VEHPRICE.VERIFY t 65 b x").split(',').nth(1), Some(r#" "Match""#));
}
