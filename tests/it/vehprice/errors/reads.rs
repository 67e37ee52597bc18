//! What the commands that read refuse.

use super::*;

const RAW_WITHOUT_JSON: &str = "ERR syntax error, RAW requires JSON";

/// What all commands that give rows refuse. `words` makes a call whose words stand where they may.
fn of_all(rows: &mut Rows, words: impl Fn(&str) -> String) {
    let block = if rows.name == "vehprice.mget" { "BLOCKS" } else { "BLOCK" };
    for word in ["FOO", "NX", "EX", block, "TOKEN", "ROWS", "17", "%s%n", "JSON\0"] {
        rows.unknown(&words(&format!("JSON {word}")), &word.replace('\0', r"\x00"));
    }
    rows.unknown(&words("FIELDS 1 a b"), "b");
    rows.unknown(&words("FIELDS 1 a \u{100}"), r"\xc4\x80");
    rows.twice(&words("JSON JSON"), "JSON");
    rows.twice(&words("json FIELDS 1 a JSON"), "JSON");
    rows.twice(&words("FIELDS 1 a FIELDS 1 a"), "FIELDS");
    rows.twice(&words("FIELDS 1 a JSON fields 1 b"), "FIELDS");
    rows.bad_numfields(&words("FIELDS {X} a"), "FIELDS");
    rows.bad_numfields(&words("JSON FIELDS {X} a b"), "FIELDS");
    rows.bad_fields(&words("FIELDS 1 {X}"));
    rows.bad_fields(&words("JSON FIELDS 2 a {X}"));
}

/// What the commands refuse that take RAW.
fn of_raw(rows: &mut Rows, words: impl Fn(&str) -> String) {
    rows.add(&words("FIELDS 1 a RAW 1 a"), RAW_WITHOUT_JSON);
    rows.twice(&words("JSON RAW 1 a RAW 1 a"), "RAW");
    rows.twice(&words("JSON RAW 1 a FIELDS 1 a raw 1 b"), "RAW");
    rows.bad_numfields(&words("JSON RAW {X} a"), "RAW");
    rows.bad_fields(&words("JSON RAW 1 {X}"));
    rows.bad_fields(&words("JSON FIELDS 1 a RAW 2 a {X}"));
    rows.unknown(&words("JSON RAW 1 a b"), "b");
}

/// What the commands refuse whose words go on to the end of the call.
fn of_the_end(rows: &mut Rows, fixed: &str, raw: bool) {
    rows.no_value(&format!("{fixed} FIELDS"), "FIELDS");
    rows.no_value(&format!("{fixed} JSON fields"), "FIELDS");
    for given in ["FIELDS 2 a", "FIELDS 2", "JSON FIELDS 2 JSON"] {
        rows.add(&format!("{fixed} {given}"), "ERR syntax error, FIELDS 2 requires 2 fields");
    }
    rows.add(&format!("{fixed} FIELDS 64 a b"), "ERR syntax error, FIELDS 64 requires 64 fields");
    if raw {
        rows.no_value(&format!("{fixed} JSON RAW"), "RAW");
        rows.add(&format!("{fixed} JSON RAW 2 a"), "ERR syntax error, RAW 2 requires 2 fields");
        rows.add(&format!("{fixed} RAW 2 a b"), RAW_WITHOUT_JSON);
    }
}

#[apply(each_server)]
fn get_refuses(#[case] kind: Kind) {
    let mut rows = Rows::of("vehprice.get");
    rows.arity("");
    rows.arity("{K}");
    of_all(&mut rows, |words| format!("{{K}} 1 {words}"));
    of_raw(&mut rows, |words| format!("{{K}} 1 {words}"));
    of_the_end(&mut rows, "{K} 1", true);
    rows.unknown("{K} 1 2", "2");
    rows.unknown("{K} 1 IDS 1", "IDS");
    rows.bad_ids("{K} {X}");
    rows.bad_ids("{K} {X} JSON");
    rows.bad_ids("list {X} FOO");
    rows.unknown("list 1 FOO", "FOO");
    rows.add("list 1 RAW 1 a", RAW_WITHOUT_JSON);
    rows.wrong_type("{K} 1");
    rows.wrong_type("{K} 1 FIELDS 1 a JSON RAW 1 a");
    assert!(rows.rows.len() > 120);
    refuses_all(kind, &rows.rows);
}

#[apply(each_server)]
fn mget_refuses(#[case] kind: Kind) {
    let mut rows = Rows::of("vehprice.mget");
    rows.arity("");
    rows.arity("{K}");
    of_all(&mut rows, |words| format!("{{K}} {words} IDS 1"));
    of_raw(&mut rows, |words| format!("{{K}} {words} IDS 1"));
    rows.twice("{K} BLOCK 0 block 0 IDS 1", "BLOCK");
    rows.no_value("{K} JSON BLOCK", "BLOCK");
    rows.missing("{K} BLOCK 0 JSON", "IDS or LIST");
    rows.missing("{K} BLOCK 0", "IDS or LIST");
    let range = "BLOCK requires whole milliseconds from 0 to 315360000000";
    for value in NO_INTEGERS.iter().chain(&["315360000001", "9223372036854775807", "IDS"]) {
        rows.add(
            &format!("{{K}} JSON BLOCK {value} IDS 1"),
            format!("ERR timeout is not an integer or out of range, {range}"),
        );
    }
    for value in ["-1", "-9223372036854775808"] {
        rows.add(&format!("{{K}} JSON BLOCK {value} IDS 1"), format!("ERR timeout is negative, {range}"));
    }
    for words in ["JSON", "json", "FIELDS 1 a", "FIELDS 1 a JSON", "JSON RAW 1 a", "FIELDS 1 IDS"] {
        rows.missing(&format!("{{K}} {words}"), "IDS or LIST");
    }
    rows.unknown("{K} JSON 1", "1");
    rows.unknown("{K} FIELDS 1 a 1", "1");
    rows.no_value("{K} JSON FIELDS", "FIELDS");
    rows.no_value("{K} FIELDS", "FIELDS");
    rows.no_value("{K} JSON RAW", "RAW");
    rows.add("{K} FIELDS 9 a IDS 1", "ERR syntax error, FIELDS 9 requires 9 fields");
    rows.add("{K} JSON RAW 9 a IDS 1", "ERR syntax error, RAW 9 requires 9 fields");
    rows.unknown("{K} FIELDS 2 a IDS 1", "1");
    for words in ["IDS", "ids", "JSON IDS", "FIELDS 1 a IDS", "FIELDS 1 IDS JSON IDS"] {
        rows.add(&format!("{{K}} {words}"), "ERR syntax error, IDS requires at least one id");
    }
    rows.bad_ids("{K} {X}");
    rows.bad_ids("{K} 1 {X}");
    rows.bad_ids("{K} IDS {X}");
    rows.bad_ids("{K} JSON FIELDS 1 a IDS 1 {X} 2");
    rows.bad_ids("list 1 {X}");
    rows.bad_ids("list JSON IDS 1 {X}");
    rows.bad_ids("{K} JSON IDS 1 {X}");
    rows.bad_ids("{K} JSON BLOCK 0 IDS 1 {X}");
    rows.bad_ids(&format!("{{K}} JSON IDS {} {{X}}", vec!["1"; 32].join(" ")));
    rows.missing("list JSON", "IDS or LIST");
    rows.wrong_type("{K} 1");
    rows.wrong_type("{K} FIELDS 1 a JSON IDS 1");
    refuses_all(kind, &rows.rows);
}

#[apply(each_server)]
fn getall_and_scan_refuse(#[case] kind: Kind) {
    let mut getall = Rows::of("vehprice.getall");
    getall.arity("");
    of_all(&mut getall, |words| format!("{{K}} {words}"));
    of_raw(&mut getall, |words| format!("{{K}} {words}"));
    of_the_end(&mut getall, "{K}", true);
    getall.unknown("{K} COUNT 5", "COUNT");
    getall.unknown("list FOO", "FOO");
    getall.wrong_type("{K}");
    getall.wrong_type("{K} JSON");

    let mut scan = Rows::of("vehprice.scan");
    scan.arity("");
    scan.arity("{K}");
    of_all(&mut scan, |words| format!("{{K}} 0 {words}"));
    of_the_end(&mut scan, "{K} 0 COUNT 5", false);
    scan.unknown("{K} 0 JSON RAW 1 a", "RAW");
    scan.unknown("{K} 0 MATCH *", "MATCH");
    scan.twice("{K} 0 COUNT 5 count 5", "COUNT");
    scan.no_value("{K} 0 COUNT", "COUNT");
    scan.no_value("{K} 0 JSON count", "COUNT");
    let count = format!("{NOT_AN_INTEGER}, COUNT requires a whole number from 1 to 100000");
    for value in NO_INTEGERS.iter().chain(&["0", "-1", "100001", "9223372036854775807", "JSON"]) {
        scan.add(&format!("{{K}} 0 COUNT {value}"), count.clone());
    }
    let cursor = "ERR invalid cursor, expected 0 or what the last call returned";
    for value in ["", "x", "-1", "-0", "+0", "00", "0x", "1.5", "18446744073709551616", " 0", "%s%n", "JSON"]
    {
        scan.add_with("{K} {X}", value.as_bytes(), cursor);
        scan.add_with("{K} {X} FOO", value.as_bytes(), cursor);
    }
    scan.add_with("{K} {X}", b"0\0", cursor);
    scan.add_with("list {X}", b"\xff", cursor);
    scan.unknown("list 0 FOO", "FOO");
    scan.wrong_type("{K} 0");
    scan.wrong_type("{K} 0 COUNT 5 JSON");
    refuses_all(kind, &[getall.rows, scan.rows].concat());
}

#[apply(each_server)]
fn changes_refuses(#[case] kind: Kind) {
    let mut rows = Rows::of("vehprice.changes");
    rows.arity("");
    rows.arity("{K}");
    of_all(&mut rows, |words| format!("{{K}} 0 {words}"));
    of_the_end(&mut rows, "{K} 0", false);
    for word in ["RAW", "COLUMNS", "COUNT", "IDS"] {
        rows.unknown(&format!("{{K}} 0 JSON {word} 1 a"), word);
        rows.unknown(&format!("{{K}} 00000000000000ab-7 {word}"), word);
    }
    let revision =
        |shown: &str| format!("ERR invalid revision '{shown}', expected 0 or what the last call returned");
    let texts = [
        "",
        "00",
        "-0",
        "+0",
        " 0",
        "0 ",
        "1",
        "x",
        "-",
        "0-0",
        "7-ab",
        "JSON",
        "FIELDS",
        "%s%n",
        "00000000000000ab",
        "00000000000000AB-7",
        "00000000000000ab-",
        "00000000000000ab-x",
        "00000000000000ab-07",
        "00000000000000ab-+7",
        "00000000000000ab--7",
        "00000000000000ab-7 ",
        "000000000000000ab-7",
        "0000000000000ab-7",
        "0x000000000000ab-7",
    ];
    for text in texts {
        rows.add_with("{K} {X}", text.as_bytes(), revision(text));
        rows.add_with("{K} {X} FOO", text.as_bytes(), revision(text));
        rows.add_with("list {X} JSON", text.as_bytes(), revision(text));
    }
    rows.add_with(
        "{K} {X}",
        b"00000000000000ab-18446744073709551616",
        revision("00000000000000ab-184467440737095..."),
    );
    rows.add_with("{K} {X}", b"0\0", revision(r"0\x00"));
    rows.add_with("list {X}", b"\xff", revision(r"\xff"));
    rows.unknown("list 0 FOO", "FOO");
    rows.wrong_type("{K} 0");
    rows.wrong_type("{K} 00000000000000ab-7 FIELDS 1 a JSON");
    refuses_all(kind, &rows.rows);
}

#[apply(each_server)]
fn the_other_reads_refuse(#[case] kind: Kind) {
    let mut verify = Rows::of("vehprice.verify");
    for few in ["", "{K}", "{K} 1", "{K} 1 a"] {
        verify.arity(few);
    }
    let odd = |field: &str| format!("ERR syntax error, field '{field}' requires an expected value");
    verify.add("{K} 1 a x b", odd("b"));
    verify.add("{K} 1 a x JSON b c", odd("c"));
    verify.add("{K} 1 JSON x it's", odd(r"it\x27s"));
    verify.add("{K} 1 a x b y JSON z c", odd("c"));
    verify.bad_ids("{K} {X} a x");
    verify.bad_ids("{K} {X} a x JSON");
    verify.bad_ids("list {X} a x b");
    verify.bad_fields("{K} 1 {X} x");
    verify.bad_fields("{K} 1 a x {X} y JSON");
    verify.add("list 1 a x b", odd("b"));
    let long = "ERR invalid value of field 'b', expected at most 1048576 bytes of UTF-8";
    for value in [vec![b'x'; (1 << 20) + 1], b"\xff".to_vec()] {
        verify.add_with("{K} 1 a x b {X}", &value, long.to_owned());
        verify.add_with("{K} 1 b {X} JSON", &value, long.to_owned());
    }
    verify.twice("{K} 1 a x a x", "field 'a'");
    verify.twice("{K} 1 a x b y a z JSON", "field 'a'");
    verify.twice("{K} 1 JSON x JSON y", "field 'JSON'");
    verify.twice("list 1 a x b y b y c", "field 'b'");
    let fields = |count: usize| (0..count).map(|field| format!(" f{field} x")).collect::<String>();
    let too_many = |count| format!("ERR too many fields, {count} are more than a row can have, 64");
    verify.add(&format!("{{K}} 1{}", fields(65)), too_many(65));
    verify.add(&format!("{{K}} 1{} JSON", fields(65)), too_many(65));
    verify.add(&format!("{{K}} 1{}", " a x".repeat(100_000)), too_many(100_000));
    verify.add(&format!("{{K}} 1{} b", fields(64)), odd("b"));
    // Before anything else.
    verify.add_with(&format!("list {{X}}{}", fields(65)), b"", too_many(65));
    verify.wrong_type("{K} 1 a x");
    verify.wrong_type("{K} 1 a x JSON");

    let mut pttl = Rows::of("vehprice.pttl");
    pttl.arity("");
    pttl.arity("{K}");
    pttl.bad_ids("{K} {X}");
    pttl.bad_ids("{K} 1 {X} 2");
    pttl.bad_ids("list {X}");
    pttl.wrong_type("{K} 1");

    let mut len = Rows::of("vehprice.len");
    let mut info = Rows::of("vehprice.info");
    for rows in [&mut len, &mut info] {
        rows.arity("");
        rows.arity("{K} 1");
        rows.arity("{K} {K}");
        rows.wrong_type("{K}");
    }

    let mut hashes = Rows::of("vehprice.mgethash");
    hashes.arity("");
    for key in ["table", "text", "list", "set", "zset", "stream"] {
        hashes.add(key, WRONGTYPE);
        hashes.add(&format!("none {key}"), WRONGTYPE);
        hashes.add(&format!("hash {key} none"), WRONGTYPE);
    }
    refuses_all(kind, &[verify.rows, pttl.rows, len.rows, info.rows, hashes.rows].concat());
}
