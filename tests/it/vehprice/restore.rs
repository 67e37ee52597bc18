//! Dumps of other versions: refused, with a line in the log.

use redis::{Connection, Value};

use crate::harness::*;

/// What DUMP gives of a table with a row.
fn dump(con: &mut Connection) -> Vec<u8> {
    cmd(con, "VEHPRICE.SET t a FIELDS 1 x 1");
    match cmd(con, "DUMP t") {
        Value::BulkString(dump) => dump,
        other => panic!("no dump but {}", show(&other)),
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

#[apply(each_server)]
fn a_newer_version_is_refused_with_a_line_in_the_log(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let dump = dump(con);
    for version in [0, 2, 3, 1023] {
        let dump = of_version(&dump, version);
        let said = error(con, &[b"RESTORE", &b"new"[..], b"0", &dump]);
        assert_eq!(said, "ERR Bad data format", "version {version}");
        let log = server.log();
        let line = format!("price table of version {version}");
        let told = log.lines().any(|said| said.contains(&line));
        assert!(told, "version {version}: {log}");
    }
    assert_eq!(int(con, "EXISTS new"), 0);
}

/// A server doesn't start on a file it can't read, rather than to lose the table; the log says why.
#[apply(each_server)]
fn an_rdb_of_a_newer_version_is_not_loaded(#[case] kind: Kind) {
    // Without a checksum of the file, so that the test needn't make one.
    let mut server = Server::builder(kind).conf("rdbchecksum no").start();
    let con = &mut server.connection();
    let dump = dump(con);
    cmd(con, "SAVE");
    server.kill();
    let file = server.dir().join("dump.rdb");
    let mut rdb = std::fs::read(&file).unwrap();
    let number = &dump[1..VERSION_BYTES.end];
    let newer = of_version(&dump, 2)[1..VERSION_BYTES.end].to_vec();
    let places: Vec<_> =
        (0..rdb.len() - newer.len()).filter(|&place| rdb[place..].starts_with(number)).collect();
    assert_eq!(places.len(), 1);
    rdb[places[0]..][..newer.len()].copy_from_slice(&newer);
    std::fs::write(&file, rdb).unwrap();
    let log = server.try_restart().unwrap_err().to_string();
    assert!(log.contains("price table of version 2"), "{log}");
}
