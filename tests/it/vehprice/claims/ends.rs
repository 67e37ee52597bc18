//! What ends claims besides a write of their rows, and what does not.

use super::*;

/// A command, and which of the claims on rows 1 (there) and 2 (not there) of the table `t`, and on row 1 of
/// `absent`, are left.
type Case = (&'static str, &'static str, &'static str);

const CASES: [Case; 43] = [
    // Reads and what leaves the table as it is.
    ("VEHPRICE.MGET t 1 2", "1 2", "1"),
    ("VEHPRICE.SET t 3 FIELDS 1 a x", "1 2", "1"),
    ("VEHPRICE.DEL t 3", "1 2", "1"),
    ("PERSIST t", "1 2", "1"),
    ("PEXPIRE t 100000", "1 2", "1"),
    ("COPY t other", "1 2", "1"),
    ("DUMP t", "1 2", "1"),
    ("RENAMENX t there", "1 2", "1"),
    ("RENAME t t", "1 2", "1"),
    ("MOVE absent 1", "1 2", "1"),
    ("EVAL redis.call('SELECT','1');redis.call('FLUSHDB') 0", "1 2", "1"),
    ("SWAPDB 1 2", "1 2", "1"),
    ("DEL other", "1 2", "1"),
    // Rows, there or not.
    ("VEHPRICE.DEL t 1", "2", "1"),
    ("VEHPRICE.DEL t 2", "1", "1"),
    ("VEHPRICE.DEL absent 1", "1 2", ""),
    ("VEHPRICE.SET t 2 FIELDS 1 a x", "1", "1"),
    ("VEHPRICE.MSET absent FIELDS 1 a ROWS 1 x 2 x", "1 2", ""),
    ("VEHPRICE.SET absent 1 PXAT 1 FIELDS 1 a x", "1 2", ""),
    // The whole table, there or not.
    ("VEHPRICE.CLEAR t", "", "1"),
    ("VEHPRICE.CLEAR absent", "1 2", ""),
    ("DEL t", "", "1"),
    ("UNLINK t", "", "1"),
    // No event comes from deleting what isn't there.
    ("DEL absent", "1 2", "1"),
    ("SET t x", "", "1"),
    ("SET absent x", "1 2", "1"),
    ("COPY there t REPLACE", "", "1"),
    ("COPY table t REPLACE", "", "1"),
    ("COPY table absent", "1 2", ""),
    ("RENAME t other", "", "1"),
    ("RENAME t absent", "", ""),
    ("RENAME table t", "", "1"),
    ("RENAME table absent", "1 2", ""),
    ("RENAME there absent", "1 2", "1"),
    ("MOVE t 1", "", "1"),
    ("EXPIRE t -1", "", "1"),
    ("PEXPIREAT t 1", "", "1"),
    ("SORT there STORE t", "", "1"),
    ("EVAL redis.call('DEL','t') 0", "", "1"),
    // Databases.
    ("FLUSHALL", "", ""),
    ("FLUSHDB", "", ""),
    ("FLUSHALL ASYNC", "", ""),
    ("SWAPDB 0 1", "", ""),
];

#[apply(each_server)]
fn what_is_done_to_keys(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for (command, left, left_of_absent) in CASES {
        cmd(con, "FLUSHALL");
        cmd(con, "VEHPRICE.SET t 1 FIELDS 1 a x");
        cmd(con, "VEHPRICE.SET table 9 FIELDS 1 a x");
        cmd(con, "RPUSH there 1");
        claim(con, "t", "FIELDS 1 more IDS 1 2");
        claim(con, "absent", "FIELDS 1 more IDS 1");
        cmd(con, command);
        let found = ["t", "absent"].map(|key| seen(con, key));
        assert_eq!(found, [left, left_of_absent], "{command}");
    }
}

/// The claims on a key; what holds another type there is put out of the way first.
#[track_caller]
fn seen(con: &mut Connection, key: &str) -> String {
    if !["vehprice1", "none"].contains(&text(con, &["TYPE", key]).as_str()) {
        cmd(con, &["DEL", key]);
    }
    let most = text_of_config(con, "quotelock.max-claims");
    cmd(con, "CONFIG SET quotelock.max-claims 0");
    let found = claim(con, key, "FIELDS 1 more IDS 1 2").pending;
    cmd(con, &["CONFIG", "SET", "quotelock.max-claims", &most]);
    found
}

#[apply(each_server)]
fn restore_and_reload(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    cmd(con, "VEHPRICE.SET t 9 FIELDS 1 a x");
    let Value::BulkString(dump) = cmd(con, "DUMP t") else { panic!("no dump") };
    for key in ["t", "absent"] {
        claim(con, key, "IDS 1");
        cmd(con, &[b"RESTORE".as_slice(), key.as_bytes(), b"0", &dump, b"REPLACE"]);
        assert_eq!(pending(con, key, "1"), "", "{key}");
    }
    claim(con, "u", "IDS 1");
    cmd(con, "DEBUG RELOAD");
    assert_eq!(pending(con, "u", "1"), "");
    assert_eq!(count(con, "claims_pending"), 0);
}

/// To a script time stands still: a table is there to be deleted, though its rows have expired by now.
#[apply(each_server)]
fn a_deletion_while_time_stands_still_is_one(#[case] kind: Kind) {
    const SLOW: &str = "for turn = 1, ARGV[1] do end return redis.call('DEL', KEYS[1])";
    // However slow the machine: beyond the threshold the server attends to others, and its clock goes on.
    let server = Server::builder(kind).conf("busy-reply-threshold 0").start();
    let con = &mut server.connection();
    let slow = |con: &mut Connection, turns: u64| -> i64 {
        redis::cmd("EVAL").arg(SLOW).arg(1).arg("t").arg(turns).query(con).unwrap()
    };
    let began = Instant::now();
    slow(con, 10_000_000);
    let turns_of_2_s = 20_000_000_000 / u64::try_from(began.elapsed().as_millis()).unwrap().max(1);
    cmd(con, "VEHPRICE.SET t 1 PX 1000 FIELDS 1 a x");
    let token = claim(con, "t", "IDS 2").token;
    let deleted = slow(con, turns_of_2_s);
    assert_eq!(deleted, 1);
    assert_eq!(int(con, &format!("VEHPRICE.SET t 2 TOKEN {token} FIELDS 1 a x")), 0);
}

#[apply(each_server)]
fn expiry_ends_none(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    cmd(con, "VEHPRICE.SET t 1 PX 20 FIELDS 1 a x");
    cmd(con, "VEHPRICE.SET u 1 FIELDS 1 a x");
    cmd(con, "VEHPRICE.SET u 2 PX 20 FIELDS 1 a x");
    let token = claim(con, "t", "REFRESH 1000 IDS 1 2").token;
    claim(con, "u", "REFRESH 1000 IDS 2");
    rest(25);
    assert_eq!(int(con, "EXISTS t"), 0);
    assert_eq!(text(con, "TYPE t"), "none");
    cmd(con, "VEHPRICE.LEN u");
    assert_eq!(pending(con, "t", "1 2"), "1 2");
    assert_eq!(pending(con, "u", "1 2"), "2");
    assert_eq!(int(con, &format!("VEHPRICE.MSET t TOKEN {token} FIELDS 1 a ROWS 1 x 2 x")), 2);
    // The last row is deleted by its id, and no other claim ends.
    claim(con, "t", "IDS 3");
    assert_eq!(int(con, "VEHPRICE.DEL t 1 2"), 2);
    assert_eq!((int(con, "EXISTS t"), pending(con, "t", "3").as_str()), (0, "3"));
    cmd(con, "VEHPRICE.SET t 1 FIELDS 1 a x");
    assert_eq!(int(con, "VEHPRICE.SET t 1 PXAT 1 FIELDS 1 a x"), 0);
    assert_eq!((int(con, "EXISTS t"), pending(con, "t", "3").as_str()), (0, "3"));
}

#[apply(each_server)]
fn the_turn_to_a_replica(#[case] kind: Kind) {
    let primary = &Server::builder(kind).conf("repl-diskless-sync-delay 0").start();
    let server = Server::start(kind);
    let con = &mut server.connection();
    let token = claim(con, "t", "IDS 1").token;
    follow(&server, primary);
    assert_eq!(count(con, "claims_pending"), 0);
    cmd(con, "REPLICAOF NO ONE");
    assert_eq!(pending(con, "t", "1"), "");
    assert_eq!(int(con, &format!("VEHPRICE.SET t 1 TOKEN {token} FIELDS 1 a x")), 0);
    // A replica that may be written to has claims, until the next full sync or a write from the primary.
    cmd(con, "CONFIG SET replica-read-only no");
    follow(&server, primary);
    claim(con, "t", "IDS 1 2");
    let writer = &mut primary.connection();
    cmd(writer, "VEHPRICE.SET t 1 FIELDS 1 a x");
    in_step(writer, 1);
    assert_eq!(pending(con, "t", "1 2"), "2");
    cmd(writer, "DEL t");
    in_step(writer, 1);
    assert_eq!(pending(con, "t", "1 2"), "");
}

/// A writer that was overtaken never lands: deletions and other writes between its claim and its write.
#[apply(each_server)]
fn who_was_overtaken_never_lands(#[case] kind: Kind) {
    let overtaking = [
        "VEHPRICE.DEL t 1",
        "VEHPRICE.CLEAR t",
        "VEHPRICE.SET t 1 FIELDS 1 a other",
        "VEHPRICE.MSET t NX FIELDS 1 a ROWS 1 other",
    ];
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for there in [false, true] {
        for command in overtaking {
            cmd(con, "FLUSHALL");
            if there {
                cmd(con, "VEHPRICE.SET t 7 FIELDS 1 a x");
            }
            let token = claim(con, "t", "IDS 1").token;
            cmd(con, command);
            let before = rows(con, "t");
            assert_eq!(int(con, &format!("VEHPRICE.SET t 1 TOKEN {token} FIELDS 1 a old")), 0, "{command}");
            assert_eq!(rows(con, "t"), before, "{command}");
        }
    }
}

#[apply(each_server)]
fn tables_that_the_server_s_cycle_takes_end_none(#[case] kind: Kind) {
    const TABLES: i64 = 2000;
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let now_ms = now();
    let mut commands = Vec::new();
    for table in 0..TABLES {
        let expires_at_ms = now_ms + 1000 + table % 100;
        commands.push(format!("VEHPRICE.SET t{table} 1 PXAT {expires_at_ms} FIELDS 1 a x"));
        commands.push(format!("VEHPRICE.CLAIM t{table} PX 600000 IDS 2"));
    }
    pipelined(con, &commands);
    eventually(TIMEOUT, || (int(con, "DBSIZE") == 0).then_some(()));
    let expired: i64 = info(con, "stats")["expired_keys"].parse().unwrap();
    assert!(expired > 0, "all came too late");
    assert_eq!(count(con, "claims_pending"), TABLES);
}

#[apply(each_server)]
fn a_write_of_another_row_in_the_last_millisecond_ends_none(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for command in ["VEHPRICE.SET t 9 XX FIELDS 1 a x", "VEHPRICE.DEL t 9"] {
        let turn = vec![command.to_owned(); 200];
        for _ in 0..30 {
            cmd(con, &format!("VEHPRICE.SET t 1 PXAT {} FIELDS 1 a x", now() + 4));
            let token = claim(con, "t", "IDS 2").token;
            while int(con, "EXISTS t") == 1 {
                pipelined(con, &turn);
            }
            assert_eq!(int(con, &format!("VEHPRICE.RELEASE t {token}")), 1, "{command}");
        }
    }
}

#[apply(each_server)]
fn a_write_that_holds_no_claim_takes_a_table_that_is_over(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let keep = "redis.call('VEHPRICE.SET', 't', '1', 'PX', '20', 'FIELDS', '1', 'a', 'x') redis.call('PERSIST', 't')";
    cmd(con, &["EVAL", keep, "0"]);
    rest(25);
    assert_eq!(int(con, "EXISTS t"), 1);
    assert_eq!(int(con, "VEHPRICE.SET t 1 TOKEN 00000000000000000000000000000000 FIELDS 1 a x"), 0);
    assert_eq!(int(con, "EXISTS t"), 0);
}
