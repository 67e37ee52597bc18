//! Dumps of today are to load for ever.

use std::fs;
use std::path::PathBuf;

use crate::harness::*;

/// What `VEHPRICE` of encoding version 1 dumped on Redis 7.0.15; it is never made anew.
fn fixture() -> PathBuf {
    workspace().join("tests/fixtures/vehprice-v1.dump")
}

const LONG: usize = 20_000;

/// The commands that filled the table.
fn story() -> Vec<Vec<String>> {
    let far = LATEST_EXPIRY.to_string();
    let long = "0123456789".repeat(LONG / 10);
    let id256 = "i".repeat(256);
    let name256 = "n".repeat(256);
    let mut commands: Vec<Vec<String>> = Vec::new();
    let mut add = |words: &[&str]| commands.push(words.iter().map(|word| (*word).to_owned()).collect());
    add(&[
        "VEHPRICE.MSET",
        "t",
        "PXAT",
        &far,
        "FIELDS",
        "2",
        "styleId",
        "pricingId",
        "ROWS",
        "71",
        "7",
        "571",
        "72",
        "",
        "572",
    ]);
    add(&[
        "VEHPRICE.SET",
        "t",
        "73",
        "PXAT",
        "4102444800000",
        "FIELDS",
        "1",
        "plan:571",
        "{\"price\":\"1.50\"}",
    ]);
    add(&["VEHPRICE.SET", "t", "74", "FIELDS", "2", "pricingId", "1\r\n\0\"\\", "styleId", "é€😀"]);
    add(&["VEHPRICE.SET", "t", &id256, "PXAT", &far, "FIELDS", "1", &name256, &long]);
    add(&["VEHPRICE.SET", "t", "é\n\0", "PXAT", &far, "FIELDS", "1", "\0", ""]);
    let mut wide = vec![
        "VEHPRICE.SET".to_owned(),
        "t".to_owned(),
        "wide".to_owned(),
        "FIELDS".to_owned(),
        "64".to_owned(),
    ];
    for field in 0..64 {
        wide.extend([format!("f{field}"), "v".repeat(field)]);
    }
    add(&wide.iter().map(String::as_str).collect::<Vec<_>>());
    commands
}

/// What it must hold, written out: it must not follow from what the module does today.
fn held() -> Rows {
    let row = |fields: &[(&str, &str)], expiry| {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        (fields.collect::<Vec<_>>(), expiry)
    };
    let mut rows = Rows::new();
    rows.insert("71".to_owned(), row(&[("styleId", "7"), ("pricingId", "571")], LATEST_EXPIRY));
    rows.insert("72".to_owned(), row(&[("styleId", ""), ("pricingId", "572")], LATEST_EXPIRY));
    rows.insert("73".to_owned(), row(&[("plan:571", "{\"price\":\"1.50\"}")], 4_102_444_800_000));
    rows.insert("74".to_owned(), row(&[("pricingId", "1\r\n\0\"\\"), ("styleId", "é€😀")], -1));
    rows.insert("i".repeat(256), row(&[(&"n".repeat(256), &"0123456789".repeat(LONG / 10))], LATEST_EXPIRY));
    rows.insert("é\n\0".to_owned(), row(&[("\0", "")], LATEST_EXPIRY));
    let wide = (0..64).map(|field| (format!("f{field}"), "v".repeat(field)));
    rows.insert("wide".to_owned(), (wide.collect(), -1));
    rows
}

#[apply(each_server)]
fn a_dump_of_version_1_loads(#[case] kind: Kind) {
    let dump = fs::read(fixture()).unwrap();
    let server = &Server::start(kind);
    let con = &mut server.connection();
    cmd(con, &[b"RESTORE", &b"old"[..], b"0", &dump]);
    assert_eq!(live_rows(con, "old"), held());

    // The same as if it were filled today.
    cmd(con, "CONFIG SET quotelock.price-ttl-ms 0");
    for command in story() {
        cmd(con, &command);
    }
    cmd(con, "PERSIST t");
    assert_eq!(table(con, "old"), table(con, "t"));
}
