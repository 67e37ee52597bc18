//! Tables on disk: RDB, AOF in its forms, and what a rewrite makes of them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use redis::{Connection, Value};

use super::claims::count;
use crate::harness::*;

/// What is acknowledged is in the file.
fn with_aof(kind: Kind, preamble: &str) -> Server {
    Server::builder(kind)
        .conf("appendonly yes")
        .conf("appendfsync always")
        .conf(format!("aof-use-rdb-preamble {preamble}"))
        .module_args("price-ttl-ms 0")
        .start()
}

fn without_aof(kind: Kind) -> Server {
    Server::builder(kind).module_args("price-ttl-ms 0").start()
}

/// Tables of every form: rows with and without an expiry, of one and of many lists of fields, short and long,
/// many.
fn fill(server: &Server) {
    let con = &mut server.connection();
    cmd(con, "VEHPRICE.MSET plain PXAT 4000000000000 FIELDS 2 styleId pricingId ROWS 71 7 571 72 8 572");
    cmd(con, "VEHPRICE.SET never a FIELDS 1 x 1");
    cmd(con, "VEHPRICE.SET mixed a FIELDS 1 x 1");
    cmd(con, "VEHPRICE.SET mixed b EX 1000 FIELDS 2 x 1 y 2");
    cmd(con, "VEHPRICE.SET mixed c PXAT 253402300799999 FIELDS 2 y 2 x 1");
    cmd(con, &["VEHPRICE.SET", "mixed", "é\n\0\"", "FIELDS", "1", "\0 ü", "\r\n\"\\\0😀"]);
    cmd(con, &["VEHPRICE.SET", "mixed", &"i".repeat(256), "FIELDS", "1", &"n".repeat(256), ""]);
    for size in [1, 1 << 7, 1 << 14, (1 << 20) - 1, 1 << 20] {
        cmd(
            con,
            &["VEHPRICE.SET", "long", &size.to_string(), "FIELDS", "2", "a", &"v".repeat(size), "b", "1"],
        );
    }
    let shapes: Vec<Vec<String>> = (0..300).map(|id| row_of_its_own_shape("shapes", id)).collect();
    assert!(pipelined(con, &shapes).iter().all(|reply| *reply == Value::Int(1)));
    let mut many = words("VEHPRICE.MSET many PXAT 4000000000000 FIELDS 2 styleId pricingId ROWS");
    let rows = if server.kind() == Kind::DEFAULT { 20_000 } else { 2000 };
    for id in 0..rows {
        many.extend([id.to_string(), (id % 90).to_string(), format!("pricing{id}")]);
    }
    assert_eq!(int(con, &many), rows);
    cmd(con, &[&b"VEHPRICE.SET"[..], b"key\r\n\0\xff", b"a", b"FIELDS", b"1", b"x", b"1"]);
    for gone in ["VEHPRICE.SET gone a FIELDS 1 x 1", "VEHPRICE.DEL gone a"] {
        cmd(con, gone);
    }
}

fn words(command: &str) -> Vec<String> {
    command.split(' ').map(str::to_owned).collect()
}

fn row_of_its_own_shape(key: &str, id: i64) -> Vec<String> {
    let expiry = if id % 3 == 0 { String::new() } else { format!("PXAT {} ", 4_000_000_000_000 + id) };
    let mut command = words(&format!("VEHPRICE.SET {key} {id} {expiry}FIELDS {}", 1 + id % 64));
    for field in 0..=id % 64 {
        command.extend([format!("{id}:{field}"), field.to_string()]);
    }
    command
}

const TABLES: [&str; 6] = ["long", "many", "mixed", "never", "plain", "shapes"];

/// The tables whose names are text, and the row of the one whose name isn't.
type Held = (BTreeMap<&'static str, Table>, String);

fn held(server: &Server) -> Held {
    let con = &mut server.connection();
    let tables = TABLES.map(|key| (key, table(con, key)));
    let odd = [&b"VEHPRICE.GETALL"[..], b"key\r\n\0\xff", b"JSON"];
    let held = (BTreeMap::from(tables), reply(con, &odd));
    assert!(held.0.values().all(|table| !table.rows.is_empty()));
    held
}

#[track_caller]
fn holds(server: &Server, expected: &Held, what: &str) {
    let found = held(server);
    for key in TABLES {
        // Too long to be shown.
        assert!(found.0[key] == expected.0[key], "{what}: {key} is another");
    }
    assert_eq!(found.1, expected.1, "{what}");
    assert_eq!(int(&mut server.connection(), "EXISTS gone"), 0);
}

#[apply(each_server)]
fn rdb_keeps_tables(#[case] kind: Kind) {
    let mut server = without_aof(kind);
    fill(&server);
    let expected = held(&server);
    let con = &mut server.connection();
    cmd(con, "DEBUG RELOAD");
    holds(&server, &expected, "after DEBUG RELOAD");
    cmd(con, "SAVE");
    server.kill_and_restart();
    holds(&server, &expected, "after SAVE");
    let con = &mut server.connection();
    cmd(con, "CONFIG SET rdbcompression no");
    cmd(con, "SAVE");
    server.kill_and_restart();
    holds(&server, &expected, "after SAVE without compression");
}

#[apply(each_server)]
fn aof_keeps_tables(#[case] kind: Kind) {
    for preamble in ["yes", "no"] {
        let what = |what| format!("{what}, preamble {preamble}");
        let mut server = with_aof(kind, preamble);
        fill(&server);
        let expected = held(&server);
        server.kill_and_restart();
        holds(&server, &expected, &what("AOF as it was written"));
        rewrite(&mut server.connection());
        server.kill_and_restart();
        holds(&server, &expected, &what("AOF rewritten"));
        let con = &mut server.connection();
        cmd(con, "VEHPRICE.MSET plain MERGE KEEPTTL FIELDS 1 later ROWS 71 1 new 2");
        cmd(con, "VEHPRICE.DEL many 7 8 9");
        let expected = held(&server);
        server.kill_and_restart();
        holds(&server, &expected, &what("AOF written on"));
        cmd(&mut server.connection(), "DEBUG LOADAOF");
        holds(&server, &expected, &what("DEBUG LOADAOF"));
    }
}

/// The commands of the file, cut into key, expiry, fields, and rows of an id and its values.
fn rewritten(server: &Server) -> Vec<Vec<String>> {
    let lines = aof_lines(server, ".base.");
    lines.iter().map(|line| words(line)).collect()
}

#[apply(each_server)]
fn a_rewritten_aof_is_of_bounded_commands_with_absolute_times(#[case] kind: Kind) {
    let mut server = with_aof(kind, "no");
    let con = &mut server.connection();
    let mut many = words("VEHPRICE.MSET many PXAT 4000000000000 FIELDS 2 a b ROWS");
    for id in 0..2500 {
        many.extend([id.to_string(), "1".to_owned(), "2".to_owned()]);
    }
    cmd(con, &many);
    cmd(con, "VEHPRICE.MSET many PXAT 4000000000001 FIELDS 2 a b ROWS later 1 2");
    cmd(con, "VEHPRICE.SET many never FIELDS 2 b 1 a 2");
    cmd(con, "VEHPRICE.MSET many FIELDS 1 a ROWS one 1 two 2");
    let before = table(con, "many");
    rewrite(con);

    let mut written = BTreeMap::new();
    let mut sizes = BTreeMap::<(i64, String), Vec<usize>>::new();
    for command in rewritten(&server) {
        if command[0] != "VEHPRICE.MSET" {
            let hands = ["PEXPIREAT many", "PERSIST many"];
            let line = command.join(" ");
            assert!(hands.iter().any(|hand| line.starts_with(hand)), "{line}");
            continue;
        }
        assert_eq!(command[1], "many");
        let (expiry, rest) = match &*command[2] {
            "PXAT" => (command[3].parse().unwrap(), &command[4..]),
            "PERSIST" => (-1_i64, &command[3..]),
            other => panic!("{other}"),
        };
        assert_eq!(rest[0], "FIELDS");
        let count: usize = rest[1].parse().unwrap();
        let (names, rows) = rest[2..].split_at(count);
        assert_eq!(rows[0], "ROWS");
        let of_one = rows[1..].chunks_exact(count + 1);
        sizes.entry((expiry, names.join(" "))).or_default().push(of_one.len());
        for row in of_one {
            let fields = names.iter().cloned().zip(row[1..].iter().cloned()).collect();
            assert!(written.insert(row[0].clone(), (fields, expiry)).is_none(), "{} twice", row[0]);
        }
    }
    assert_eq!(written, before.rows);
    for ((expiry, names), sizes) in sizes {
        // As few commands as 1,000 rows each make.
        let rows: usize = sizes.iter().sum();
        assert!(sizes.iter().all(|size| (1..=1000).contains(size)), "{expiry} {names}: {sizes:?}");
        assert_eq!(sizes.len(), rows.div_ceil(1000), "{expiry} {names}: {sizes:?}");
    }
    server.kill_and_restart();
    assert_eq!(table(&mut server.connection(), "many"), before);
}

/// However long the rows are, what is written or sent at a time is about a mebibyte, or one row.
#[apply(each_server)]
fn commands_are_bounded_in_bytes(#[case] kind: Kind) {
    const ROWS: i64 = 12;
    let mut server = with_aof(kind, "no");
    let con = &mut server.connection();
    let long = "v".repeat(400_000);
    for id in 0..ROWS {
        cmd(con, &["VEHPRICE.SET", "t", &id.to_string(), "FIELDS", "1", "x", &long]);
    }
    let mut replica = FakeReplica::of(&server);
    let merge: String = (0..ROWS).map(|id| format!(" {id} 1")).collect();
    cmd(con, &format!("VEHPRICE.MSET t MERGE FIELDS 1 y ROWS{merge}"));
    rewrite(con);
    let mut sent = replica.lines(con);
    sent.retain(|line| !["MULTI", "EXEC"].contains(&line.as_str()));
    for (commands, what) in [(sent, "sent"), (aof_lines(&server, ".base."), "rewritten")] {
        let lengths: Vec<_> = commands.iter().map(String::len).filter(|length| *length > 100).collect();
        let of_three = |length: &usize| (1_200_000..1_201_000).contains(length);
        assert!(lengths.len() == 4 && lengths.iter().all(of_three), "{what}: {lengths:?}");
    }
    let before = table(con, "t");
    server.kill_and_restart();
    assert!(table(&mut server.connection(), "t") == before);
}

/// Expired rows go into no file, swept or not, and change no digest.
#[apply(each_server)]
fn what_has_expired_is_not_written(#[case] kind: Kind) {
    let mut server = with_aof(kind, "no");
    let con = &mut server.connection();
    let secret = "over".repeat(60);
    cmd(con, "VEHPRICE.MSET t PXAT 4000000000000 FIELDS 1 x ROWS a 1 b 2");
    let (digest_before, dump_before) = (digest(con, "t"), cmd(con, "DUMP t"));
    // With field names of its own: these are not written either.
    let live = format!("VEHPRICE.MSET t PXAT 4000000000000 FIELDS 1 {secret} ROWS c {secret} d {secret}");
    cmd(con, &live);
    assert_ne!(digest(con, "t"), digest_before);
    cmd(con, &live.replace("PXAT 4000000000000", "PX 30"));
    rest(35);
    assert_eq!(digest(con, "t"), digest_before);
    let dump = cmd(con, "DUMP t");
    assert!(!show(&dump).contains("over"));
    let size = |dump: &Value| match dump {
        Value::BulkString(bytes) => bytes.len(),
        other => panic!("no dump: {other:?}"),
    };
    assert_eq!(size(&dump), size(&dump_before));

    cmd(con, &format!("VEHPRICE.MSET t PX 30 FIELDS 1 {secret} ROWS c {secret} d {secret}"));
    rest(35);
    rewrite(con);
    let written = aof_lines(&server, ".base.");
    assert!(!written.is_empty() && written.iter().all(|line| !line.contains("over")), "{written:?}");
    cmd(con, "CONFIG SET rdbcompression no");
    cmd(con, &format!("VEHPRICE.MSET t PX 30 FIELDS 1 {secret} ROWS c {secret} d {secret}"));
    rest(35);
    cmd(con, "SAVE");
    let rdb = std::fs::read(server.dir().join("dump.rdb")).unwrap();
    assert!(!rdb.windows(8).any(|bytes| bytes == b"overover"));
    let before = table(con, "t");
    server.kill_and_restart();
    assert_eq!(table(&mut server.connection(), "t"), before);
}

/// A table whose rows have expired, kept by hand.
fn keep_past_its_rows(con: &mut Connection) {
    // In one step, or the rows could be over before the hand comes.
    for words in ["MULTI", "VEHPRICE.MSET t PX 30 FIELDS 1 x ROWS a 1 b 2", "PERSIST t", "EXEC"] {
        cmd(con, words);
    }
    rest(35);
}

/// PERSIST keeps the key of a table when its last row has expired, in every file too, until it is written to.
#[apply(each_server)]
fn a_table_of_no_live_row(#[case] kind: Kind) {
    for preamble in ["yes", "no"] {
        let mut server = with_aof(kind, preamble);
        let con = &mut server.connection();
        keep_past_its_rows(con);
        let bare = |server: &mut Server, what: &str| {
            let con = &mut server.connection();
            let what = format!("preamble {preamble}, {what}");
            assert_eq!(reply(con, "VEHPRICE.GETALL t"), "[]", "{what}");
            assert_eq!(int(con, "VEHPRICE.LEN t"), 0, "{what}");
            assert_eq!(int(con, "PEXPIRETIME t"), -1, "{what}");
        };
        bare(&mut server, "at first");
        cmd(&mut server.connection(), "DEBUG RELOAD");
        bare(&mut server, "from RDB");
        server.kill_and_restart();
        bare(&mut server, "from the AOF as it was written");
        rewrite(&mut server.connection());
        server.kill_and_restart();
        bare(&mut server, "from the AOF rewritten");
        cmd(&mut server.connection(), "PEXPIREAT t 4000000000000");
        rewrite(&mut server.connection());
        server.kill_and_restart();
        let con = &mut server.connection();
        assert_eq!(int(con, "PEXPIRETIME t"), 4_000_000_000_000);
        assert_eq!(int(con, "VEHPRICE.DEL t a"), 0);
        // A dump of it is as good as any.
        keep_past_its_rows(con);
        let Value::BulkString(dump) = cmd(con, "DUMP t") else { panic!("no dump") };
        cmd(con, &[b"RESTORE", &b"t"[..], b"0", &dump, b"REPLACE"]);
        bare(&mut server, "restored");
        let con = &mut server.connection();
        cmd(con, "VEHPRICE.SET t a FIELDS 1 x 1");
        assert_eq!(int(con, "VEHPRICE.LEN t"), 1);
    }
}

/// The time that a server was down makes no row late, nor does the expiry of 1970 that a rewritten AOF has where
/// there is no live row.
#[apply(each_server)]
fn rows_are_late_from_when_they_were_loaded(#[case] kind: Kind) {
    let mut server = with_aof(kind, "no");
    let con = &mut server.connection();
    keep_past_its_rows(con);
    rewrite(con);
    cmd(con, "VEHPRICE.SET down stays PXAT 4000000000000 FIELDS 1 x 1");
    cmd(con, "VEHPRICE.SET down goes PX 300 FIELDS 1 x 1");
    server.kill();
    rest(3000);
    let start = Instant::now();
    server.restart();
    let con = &mut server.connection();
    for (key, rows) in [("t", 0), ("down", 1)] {
        assert_eq!(int(con, &["VEHPRICE.LEN", key]), rows);
    }
    assert_eq!(count(con, "rows_expired"), 2);
    let (late, most) = (count(con, "rows_expired_late_ms"), 2 * start.elapsed().as_millis() as i64);
    assert!(late <= most, "{late} ms, more than {most}");
}

/// What a hand did to the key's own expiry is kept too.
#[apply(each_server)]
fn the_keys_own_expiry_is_kept(#[case] kind: Kind) {
    for preamble in ["yes", "no"] {
        let mut server = with_aof(kind, preamble);
        let con = &mut server.connection();
        for key in ["as-written", "set", "persisted"] {
            cmd(con, &format!("VEHPRICE.SET {key} a PXAT 4000000000000 FIELDS 1 x 1"));
        }
        cmd(con, "PEXPIREAT set 3900000000000");
        cmd(con, "PERSIST persisted");
        let expected = [("as-written", 4_000_000_000_000), ("set", 3_900_000_000_000), ("persisted", -1)];
        let check = |server: &mut Server, what: &str| {
            let con = &mut server.connection();
            let found = expected.map(|(key, _)| (key, int(con, &["PEXPIRETIME", key])));
            assert_eq!(found, expected, "preamble {preamble}, {what}");
        };
        check(&mut server, "at first");
        server.kill_and_restart();
        check(&mut server, "from the AOF as it was written");
        cmd(&mut server.connection(), "DEBUG RELOAD");
        check(&mut server, "from RDB");
        rewrite(&mut server.connection());
        server.kill_and_restart();
        check(&mut server, "from the AOF rewritten");
    }
}

/// What a writer knows to be in its table: the value of a row, `None` for a row it has deleted.
type Book = BTreeMap<u64, Option<u64>>;

/// Writes until the server is gone. What was under way then may be there or not, so it leaves the book.
fn write_until_killed(con: &mut Connection, key: &str, rng: &mut Rng, book: &mut Book, done: &AtomicUsize) {
    loop {
        let (first, value) = (rng.below(50), rng.below(1_000_000));
        let (ids, held) = match rng.below(3) {
            0 => (vec![first], None),
            _ => (vec![first, first + 50], Some(value)),
        };
        let mut command = redis::cmd(if held.is_some() { "VEHPRICE.MSET" } else { "VEHPRICE.DEL" });
        command.arg(key);
        if held.is_some() {
            command.arg(&["EX", "1000", "FIELDS", "1", "x", "ROWS"]);
        }
        for id in &ids {
            book.remove(id);
            command.arg(*id);
            if let Some(value) = held {
                command.arg(value);
            }
        }
        if command.exec(con).is_err() {
            return;
        }
        book.extend(ids.into_iter().map(|id| (id, held)));
        done.fetch_add(1, Ordering::SeqCst);
    }
}

#[apply(each_server)]
fn kill_9_loses_no_row_acknowledged(#[case] kind: Kind) {
    const WRITERS: u64 = 4;
    let mut server = with_aof(kind, "yes");
    let mut books = vec![Book::new(); WRITERS as usize];
    for round in 0..if kind == Kind::DEFAULT { 6 } else { 2 } {
        let done = &AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for (writer, book) in (0..).zip(&mut books) {
                let mut con = server.connection();
                let mut rng = Rng::seeded(round * WRITERS + writer);
                let key = format!("t{writer}");
                scope.spawn(move || write_until_killed(&mut con, &key, &mut rng, book, done));
            }
            eventually(TIMEOUT, || (done.load(Ordering::SeqCst) > 300).then_some(()));
            server.kill();
        });
        server.restart();
        let con = &mut server.connection();
        for (writer, book) in books.iter().enumerate() {
            for (id, held) in book {
                let found = text(con, &format!("VEHPRICE.GET t{writer} {id} JSON"));
                let expected = held.map_or("null".to_owned(), |value| format!(r#"{{"x":"{value}"}}"#));
                assert_eq!(found, expected, "round {round}, t{writer} {id}");
            }
        }
        assert!(books.iter().flatten().count() > 100, "{books:?}");
    }
}

#[apply(each_server)]
fn rows_that_expire_while_the_server_is_down_leave_no_key(#[case] kind: Kind) {
    let mut server = with_aof(kind, "no");
    let con = &mut server.connection();
    let commands = [
        "VEHPRICE.SET one a PX 900 FIELDS 1 x 1",
        "VEHPRICE.SET two a PX 1000 FIELDS 1 x 1",
        "VEHPRICE.SET two b PX 900 FIELDS 1 x 1",
        "VEHPRICE.DEL two b",
        "VEHPRICE.SET three a PX 900 FIELDS 1 x 1",
        "VEHPRICE.SET three never FIELDS 1 x 1",
        "VEHPRICE.DEL three never",
    ]
    .map(str::to_owned);
    // At once, or a row may be gone before it is deleted.
    assert_eq!(pipelined(con, &commands), vec![Value::Int(1); commands.len()]);
    server.kill();
    rest(1100);
    server.restart();
    let con = &mut server.connection();
    assert_eq!(int(con, "EXISTS one two three"), 0);
    eventually(TIMEOUT, || (int(con, "DBSIZE") == 0).then_some(()));
}
