//! VEHPRICE.INFO: what a table is made of.

use super::keys::NO_EXPIRY;
use super::*;

const MEMBERS: [&str; 6] = ["rows", "fields", "bytes", "earliestExpiry", "latestExpiry", "revision"];

/// The members but for the bytes, which are more than nothing, and the revision, which fits
/// `VEHPRICE.CHANGES`.
#[track_caller]
fn facts(con: &mut Connection) -> String {
    let answer = cmd(con, "VEHPRICE.INFO t");
    let shown = pairs(&answer);
    let names: Vec<String> = MEMBERS.iter().map(|name| format!("\"{name}\"")).collect();
    let in_order: Vec<String> = match &answer {
        Value::Map(pairs) => pairs.iter().map(|(name, _)| show(name)).collect(),
        Value::Array(flat) => flat.iter().step_by(2).map(show).collect(),
        _ => vec![],
    };
    assert_eq!(in_order, names);
    assert!(shown["\"bytes\""].parse::<u64>().unwrap() > 0);
    let member = |name: &str| shown[&format!("\"{name}\"")].clone();
    let revision = member("revision");
    let told = News::of(&cmd(con, &["VEHPRICE.CHANGES", "t", revision.trim_matches('"'), "JSON"]));
    assert!(told.is_nothing() && format!("\"{}\"", told.revision) == revision);
    ["rows", "fields", "earliestExpiry", "latestExpiry"].map(member).join(" ")
}

#[apply(each_server)]
fn tells_of_live_rows_only(#[case] kind: Kind) {
    // Commands in one session; rows, distinct field names, earliest and latest expiry after each.
    let story = [
        ("VEHPRICE.SET t a PXAT 9999999999999 FIELDS 2 x 1 y 2", "1 2 9999999999999 9999999999999"),
        ("VEHPRICE.SET t b PXAT 9999999999990 FIELDS 2 y 1 x 2", "2 2 9999999999990 9999999999999"),
        ("VEHPRICE.SET t c PXAT 9999999999995 FIELDS 2 y 1 z 2", "3 3 9999999999990 9999999999999"),
        ("VEHPRICE.SET t b PXAT 9999999999997 FIELDS 1 y 1", "3 3 9999999999995 9999999999999"),
        ("VEHPRICE.DEL t a", "2 2 9999999999995 9999999999997"),
        ("VEHPRICE.SET t c MERGE FIELDS 1 w 1", "2 3 9999999999995 9999999999997"),
        ("VEHPRICE.DEL t c", "1 1 9999999999997 9999999999997"),
        ("VEHPRICE.SET t b FIELDS 1 y 1", "1 1 nil nil"),
        ("VEHPRICE.SET t a PXAT 9999999999990 FIELDS 1 y 1", "2 1 9999999999990 9999999999990"),
        ("VEHPRICE.SET t c PXAT 9999999999995 FIELDS 1 y 1", "3 1 9999999999990 9999999999995"),
        ("VEHPRICE.DEL t b", "2 1 9999999999990 9999999999995"),
    ];
    let server = &Server::start(kind);
    let clients = &mut Clients::of(server);
    cmd(&mut clients.resp2, "CONFIG SET quotelock.price-ttl-ms 0");
    clients.check("VEHPRICE.INFO t", "null");
    for (words, expected) in story {
        cmd(&mut clients.resp2, words);
        for con in [&mut clients.resp2, &mut clients.resp3] {
            assert_eq!(facts(con), expected, "{words}");
        }
    }
    assert!(matches!(cmd(&mut clients.resp3, "VEHPRICE.INFO t"), Value::Map(_)));
    // What has expired is not told of.
    let con = &mut clients.resp2;
    let given: Vec<String> = (0..500).map(|id| format!("{id} 1")).collect();
    cmd(con, &format!("VEHPRICE.MSET t PX 20 FIELDS 1 short ROWS {}", given.join(" ")));
    eventually(TIMEOUT, || (int(con, "VEHPRICE.LEN t") == 2).then_some(()));
    assert_eq!(facts(con), "2 1 9999999999990 9999999999995");
}

#[apply(each_server)]
fn bytes_grow_with_the_rows(#[case] kind: Kind) {
    let server = &Server::builder(kind).module_args(NO_EXPIRY).start();
    let con = &mut server.connection();
    let bytes =
        |con: &mut Connection| pairs(&cmd(con, "VEHPRICE.INFO t"))["\"bytes\""].parse::<i64>().unwrap();
    let mut last = 0;
    for round in 0..10 {
        let given: Vec<String> = (0..1000).map(|id| format!("{round}:{id} {}", "v".repeat(100))).collect();
        cmd(con, &format!("VEHPRICE.MSET t FIELDS 1 x ROWS {}", given.join(" ")));
        let now = bytes(con);
        assert!(now - last > 100_000, "{last}, {now}");
        last = now;
    }
    let usage = int(con, "MEMORY USAGE t SAMPLES 0");
    assert!((last..last * 2).contains(&usage), "MEMORY USAGE {usage}, INFO {last}");
}
