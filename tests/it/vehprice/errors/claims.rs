//! What CLAIM and RELEASE refuse.

use super::*;

#[apply(each_server)]
fn claim_refuses(#[case] kind: Kind) {
    let mut rows = Rows::of("vehprice.claim");
    for short in ["", "{K}", "{K} PX 1", "{K} PX 1 IDS"] {
        rows.arity(short);
    }
    for word in ["FOO", "NX", "EX", "BLOCK", "ROWS", "17", "%s%n", "KEEPCLAIM"] {
        rows.unknown(&format!("{{K}} PX 1 {word} IDS 1"), word);
    }
    let numbers = [
        ("LIMIT", "a whole number from 1 to 10000000", "10000001"),
        ("REFRESH", "whole milliseconds from 1 to 315360000000", "315360000001"),
    ];
    for (word, range, above) in numbers {
        for value in NO_INTEGERS.iter().chain(&["0", "-1", above, "9223372036854775807"]) {
            rows.add(
                &format!("{{K}} PX 1 {word} {value} IDS 1"),
                format!("{NOT_AN_INTEGER}, {word} requires {range}"),
            );
        }
        rows.twice(&format!("{{K}} PX 1 {word} 1 {word} 1 IDS 1"), word);
        rows.no_value(&format!("{{K}} PX 1 JSON {word}"), word);
    }
    let px = "PX requires whole milliseconds from 1 to 600000";
    for value in NO_INTEGERS {
        rows.add(&format!("{{K}} JSON PX {value} IDS 1"), format!("{NOT_AN_INTEGER}, {px}"));
    }
    for value in ["0", "-1", "600001", "9223372036854775807"] {
        let error = format!("ERR invalid expire time in 'vehprice.claim' command, {px}");
        rows.add(&format!("{{K}} JSON PX {value} IDS 1"), error);
    }
    rows.twice("{K} PX 1 px 1 IDS 1", "PX");
    rows.bad_tokens("{K} PX 1 TOKEN {X} IDS 1");
    rows.no_value("{K} PX 1 JSON TOKEN", "TOKEN");
    let token = "00000000000000000000000000000000";
    rows.twice(&format!("{{K}} PX 1 TOKEN {token} token {token} IDS 1"), "TOKEN");
    rows.no_value("{K} LIMIT 1 JSON PX", "PX");
    rows.missing("{K} JSON LIMIT 1 IDS 1", "PX");
    rows.missing("{K} PX 1 JSON LIMIT 1", "IDS or LIST");
    rows.add("{K} PX 1 JSON IDS", "ERR syntax error, IDS requires at least one id");
    rows.add("{K} PX 1 RAW 1 a IDS 1", "ERR syntax error, RAW requires JSON");
    rows.add("{K} PX 1 FIELDS 9 a IDS 1", "ERR syntax error, FIELDS 9 requires 9 fields");
    rows.bad_numfields("{K} PX 1 FIELDS {X} a IDS 1", "FIELDS");
    rows.bad_fields("{K} PX 1 FIELDS 1 {X} IDS 1");
    rows.bad_ids("{K} PX 1 IDS {X}");
    rows.bad_ids("{K} PX 1 JSON IDS 1 {X} 2");
    rows.bad_ids("list PX 1 IDS {X}");
    rows.wrong_type("{K} PX 1 IDS 1");
    rows.wrong_type("{K} JSON FIELDS 1 a LIMIT 1 REFRESH 1 PX 1 IDS 1");
    assert!(rows.rows.len() > 100);
    refuses_all(kind, &rows.rows);
}

#[apply(each_server)]
fn release_refuses(#[case] kind: Kind) {
    let mut rows = Rows::of("vehprice.release");
    rows.arity("");
    rows.arity("{K}");
    let token = "00000000000000000000000000000000";
    rows.bad_tokens("{K} {X}");
    rows.bad_tokens("list {X} 1 2");
    rows.bad_ids(&format!("{{K}} {token} {{X}}"));
    rows.bad_ids(&format!("list {token} 1 {{X}}"));
    rows.wrong_type(&format!("{{K}} {token}"));
    rows.wrong_type("{K} 00000000000000000000000000000000 1 2");
    refuses_all(kind, &rows.rows);
}
