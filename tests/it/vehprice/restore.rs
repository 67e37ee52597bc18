//! Damaged dumps: whatever is done to one, the server lives on, and no other table comes of it.

use redis::{Connection, Value};

use crate::harness::*;

/// Of changes to a byte: all 255 on one server, one bit at a time on the others and where there are many bytes.
fn changes(kind: Kind, body: &[u8]) -> Vec<u8> {
    if kind == Kind::DEFAULT && body.len() < 1000 {
        (1..=255).collect()
    } else {
        (0..8).map(|bit| 1 << bit).collect()
    }
}

/// How many tables are dumped, and damaged.
const TABLES: usize = 21;

/// RESTOREs sent at once.
const AT_ONCE: usize = 1000;

fn dump(con: &mut Connection, key: &str) -> Vec<u8> {
    match cmd(con, &["DUMP", key]) {
        Value::BulkString(dump) => dump,
        other => panic!("{key}: no dump but {}", show(&other)),
    }
}

/// What fills each table `t` that is dumped.
fn tables_to_dump() -> Vec<Vec<String>> {
    let words = |command: &str| command.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let set = |rest: &str| words(&format!("VEHPRICE.SET t {rest}"));
    let mset = |rest: &str| words(&format!("VEHPRICE.MSET t {rest}"));
    let with = |mut command: Vec<String>, last: &[&str]| {
        command.extend(last.iter().map(|word| (*word).to_owned()));
        command
    };
    let wide = (0..64).map(|field| format!(" f{field} v")).collect::<String>();
    let rows = |count: i64| (0..count).map(|id| format!(" {id} {} {}", id % 9, id * 571)).collect::<String>();
    vec![
        set("a FIELDS 1 x 1"),
        set("a PXAT 4000000000000 FIELDS 1 x 1"),
        set("a PXAT 253402300799999 FIELDS 1 x 1"),
        set("a PXAT 3900000000000 FIELDS 2 styleId 7 pricingId 571"),
        with(set("a FIELDS 1"), &["x", ""]),
        with(set("a FIELDS 1"), &["é\0\"", "\r\n\"\\\0😀"]),
        with(words("VEHPRICE.SET t"), &["é\0\n", "FIELDS", "1", "x", "1"]),
        with(set("a FIELDS 1 x"), &[&"v".repeat(100)]),
        // Long enough to be kept packed, or not, and for a length of two bytes.
        with(
            set("a FIELDS 1 x"),
            &[&(0..400).map(|n| char::from(b'!' + (n * n % 90) as u8)).collect::<String>()],
        ),
        with(words("VEHPRICE.SET t"), &[&"i".repeat(256), "FIELDS", "1", &"n".repeat(256), "1"]),
        set(&format!("a PXAT 4000000000000 FIELDS 64{wide}")),
        mset("PXAT 4000000000000 FIELDS 2 x y ROWS a 1 2 b 3 4"),
        mset("FIELDS 2 x y ROWS a 1 2 b 3 4 c 5 6"),
        mset(&format!("PXAT 4000000000000 FIELDS 2 styleId pricingId ROWS{}", rows(10))),
        mset(&format!("PXAT 4000000000000 FIELDS 2 styleId pricingId ROWS{}", rows(40))),
    ]
}

/// Fills `t` anew: by one command, or by several of one row each where no one command does.
fn fill(con: &mut Connection, number: usize) -> bool {
    cmd(con, "DEL t");
    if let Some(command) = tables_to_dump().get(number) {
        cmd(con, command);
        return true;
    }
    match number {
        15 => {
            cmd(con, "VEHPRICE.SET t a FIELDS 1 x 1");
            cmd(con, "VEHPRICE.SET t b PXAT 4000000000000 FIELDS 1 x 1");
        }
        16 => {
            for id in 0..8 {
                cmd(
                    con,
                    &format!("VEHPRICE.SET t {id} PXAT {} FIELDS 1 f{id} {id}", 4_000_000_000_000_i64 + id),
                );
            }
        }
        17 => {
            cmd(con, "VEHPRICE.SET t a FIELDS 2 x 1 y 2");
            cmd(con, "VEHPRICE.SET t b FIELDS 2 y 2 x 1");
        }
        18 => {
            cmd(con, "VEHPRICE.SET t a FIELDS 1 x 1");
            cmd(con, "VEHPRICE.SET t b PX 1 FIELDS 1 y 1");
            rest(5);
        }
        19 => {
            cmd(con, "VEHPRICE.MSET t FIELDS 1 x ROWS a 1 b 2 c 3 d 4");
            cmd(con, "VEHPRICE.DEL t b c");
        }
        // More than is saved in one piece.
        20 => {
            let long: String = (b'!'..=b'z').cycle().take(70_000).map(char::from).collect();
            for id in ["a", "b", "c"] {
                cmd(con, &["VEHPRICE.SET", "t", id, "FIELDS", "1", "x", &long]);
            }
        }
        _ => return false,
    }
    true
}

const KEY: &[u8] = b"scratch";

/// Restores each, and tells how many were loaded; what is loaded is the table it was.
#[track_caller]
fn restored(con: &mut Connection, bodies: &[Vec<u8>], original: &Table, dump: &[u8]) -> usize {
    let mut loaded = 0;
    for bodies in bodies.chunks(AT_ONCE) {
        let mut bytes = Vec::new();
        for body in bodies {
            pack(&mut bytes, &[b"RESTORE", KEY, b"0", &signed(body, dump), b"REPLACE"]);
        }
        let replies = packed(con, &bytes, bodies.len());
        for (body, reply) in bodies.iter().zip(replies) {
            match reply {
                Value::Okay => {
                    loaded += 1;
                    cmd(con, &[b"RESTORE", KEY, b"0", &signed(body, dump), b"REPLACE"]);
                    assert_eq!(table(con, "scratch"), *original, "{body:x?} was loaded");
                }
                refused => assert_eq!(show(&refused), "-ERR Bad data format", "{body:x?}"),
            }
        }
    }
    loaded
}

#[test]
fn the_checksum_is_redis_own() {
    assert_eq!(crc64(b"123456789"), 0xe9c6_d914_c4b8_d9ca);
    for_each_server(|server| {
        let con = &mut server.connection();
        for number in 0..TABLES {
            assert!(fill(con, number));
            let dump = dump(con, "t");
            assert_eq!(signed(body(&dump), &dump), dump, "{} table {number}", server.kind().name());
        }
        assert!(!fill(con, TABLES));
    });
}

#[test]
fn damaged_dumps_are_refused() {
    for kind in Kind::ALL {
        let server = Server::builder(kind).module_args("price-ttl-ms 0").start();
        let con = &mut server.connection();
        let mut tried = 0;
        for number in 0..TABLES {
            fill(con, number);
            // RESTORE gives a key without an expiry.
            cmd(con, "PERSIST t");
            let original = table(con, "t");
            let dump = dump(con, "t");
            let body = body(&dump);
            cmd(con, "DEL scratch");
            assert_eq!(restored(con, &[body.to_vec()], &original, &dump), 1);
            assert_eq!(table(con, "scratch"), original, "{} table {number}", kind.name());

            let cut: Vec<_> = (0..body.len()).map(|length| body[..length].to_vec()).collect();
            // What follows is the server's version, and that can be just what was cut off: once in 256 dumps the last byte
            // of the checksum and the end's 0. Then nothing is missing.
            let loaded = restored(con, &cut, &original, &dump);
            assert!(loaded <= 1, "{} table {number}, {loaded} of those cut off", kind.name());
            // What follows the end of a value is none of the server's business, nor ours.
            assert_eq!(restored(con, &[[body, b"0"].concat()], &original, &dump), 1);
            let places = 0..body.len();
            let all =
                places.flat_map(|place| changes(kind, body).into_iter().map(move |change| (place, change)));
            let all: Vec<Vec<u8>> = all
                .map(|(place, change)| {
                    let mut changed = body.to_vec();
                    changed[place] ^= change;
                    changed
                })
                .collect();
            let loaded = restored(con, &all, &original, &dump);
            tried += all.len() + cut.len();
            println!(
                "{} table {number}: {} bytes, {loaded} changes made no difference",
                kind.name(),
                body.len()
            );
        }
        println!("{}: {tried} dumps tried", kind.name());
        assert_eq!(text(con, "PING"), "PONG");
    }
}

/// The type's number ends in its encoding version, in the low ten bits.
const VERSION_BYTES: std::ops::Range<usize> = 8..10;

/// The dump as an encoding version of that number would have it.
fn of_version(dump: &[u8], version: u16) -> Vec<u8> {
    let mut body = body(dump).to_vec();
    let number = u16::from_be_bytes(body[VERSION_BYTES].try_into().unwrap());
    assert_eq!(number & 0x3ff, 1, "this is version 1");
    body[VERSION_BYTES].copy_from_slice(&((number & !0x3ff) | version).to_be_bytes());
    signed(&body, dump)
}

#[test]
fn a_newer_version_is_refused_with_a_line_in_the_log() {
    for_each_server(|server| {
        let con = &mut server.connection();
        fill(con, 0);
        let dump = dump(con, "t");
        for version in [0, 2, 3, 1023] {
            let dump = of_version(&dump, version);
            let said = error(con, &[b"RESTORE", &b"new"[..], b"0", &dump]);
            assert_eq!(said, "ERR Bad data format", "{} version {version}", server.kind().name());
            let log = server.log();
            let line = format!("price table of version {version}");
            let told = log.lines().any(|said| said.contains(&line));
            assert!(told, "{} version {version}: {log}", server.kind().name());
        }
        assert_eq!(int(con, "EXISTS new"), 0);
    });
}

/// A server doesn't start on a file it can't read, rather than to lose the table; the log says why.
#[test]
fn an_rdb_of_a_newer_version_is_not_loaded() {
    for kind in Kind::ALL {
        // Without a checksum of the file, so that the test needn't make one.
        let mut server = Server::builder(kind).conf("rdbchecksum no").start();
        let con = &mut server.connection();
        fill(con, 0);
        let dump = dump(con, "t");
        cmd(con, "SAVE");
        server.kill9();
        let file = server.dir().join("dump.rdb");
        let mut rdb = std::fs::read(&file).unwrap();
        let number = &dump[1..VERSION_BYTES.end];
        let newer = of_version(&dump, 2)[1..VERSION_BYTES.end].to_vec();
        let places: Vec<_> =
            (0..rdb.len() - newer.len()).filter(|&place| rdb[place..].starts_with(number)).collect();
        assert_eq!(places.len(), 1, "{}", kind.name());
        rdb[places[0]..][..newer.len()].copy_from_slice(&newer);
        std::fs::write(&file, rdb).unwrap();
        let log = server.try_restart().unwrap_err();
        assert!(log.contains("price table of version 2"), "{}: {log}", kind.name());
    }
}
