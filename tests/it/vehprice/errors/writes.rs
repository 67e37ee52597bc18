//! What the commands that write refuse.

use super::*;

const SET: &str = "vehprice.set";
const MSET: &str = "vehprice.mset";
const TOKEN: &str = "00000000000000000000000000000000";

/// What both commands that store rows refuse. `words` makes a call whose words stand where they may.
fn of_both(rows: &mut Rows, words: impl Fn(&str) -> String) {
    let name = rows.name;
    for word in ["FOO", "foo", "17", "LIST", "BLOCK", "TOKENS", "RAW", "EXAT1", "IDS", "%s%n"] {
        rows.unknown(&words(word), word);
    }
    rows.unknown(&words("EX 9 17"), "17");
    rows.unknown(&words("it's\\"), r"it\x27s\x5c");
    rows.unknown(&words("\u{100}"), r"\xc4\x80");
    rows.unknown(&words("12345678901234567890123456789012"), "12345678901234567890123456789012");
    rows.unknown(&words("123456789012345678901234567890123"), "12345678901234567890123456789012...");

    rows.twice(&words(&format!("TOKEN {TOKEN} TOKEN {TOKEN}")), "TOKEN");
    rows.bad_tokens(&words("TOKEN {X}"));
    rows.twice(&words(&format!("token {TOKEN} KEEPCLAIM TOKEN {TOKEN}")), "TOKEN");
    rows.twice(&words("KEEPCLAIM keepclaim"), "KEEPCLAIM");
    for without in ["KEEPCLAIM", "NX keepclaim EX 9", "MERGE KEEPCLAIM"] {
        rows.add(&words(without), "ERR syntax error, KEEPCLAIM requires TOKEN");
    }
    for word in ["NX", "XX", "MERGE", "KEEPTTL", "PERSIST"] {
        rows.twice(&words(&format!("{word} {word}")), word);
        rows.twice(&words(&format!("{word} {}", word.to_lowercase())), word);
    }
    rows.twice(&words("NX EX 9 MERGE nx"), "NX");
    for word in ["EX", "PX", "EXAT", "PXAT"] {
        rows.twice(&words(&format!("{word} 9 {word} 9")), word);
        rows.twice(&words(&format!("{word} 9 NX {} 8", word.to_lowercase())), word);
    }
    let exclude =
        |first: &str, second: &str| format!("ERR syntax error, {first} and {second} are mutually exclusive");
    rows.add(&words("NX XX"), exclude("NX", "XX"));
    rows.add(&words("xx EX 9 nx"), exclude("XX", "NX"));
    let expiries = ["EX", "PX", "EXAT", "PXAT", "KEEPTTL", "PERSIST"];
    let value = |word: &str| match word {
        "KEEPTTL" | "PERSIST" => word.to_owned(),
        _ => format!("{word} 9"),
    };
    for first in expiries {
        for second in expiries {
            if first != second {
                let both = format!("{} MERGE {}", value(first), value(second).to_lowercase());
                rows.add(&words(&both), exclude(first, second));
            }
        }
    }

    for (word, range) in [
        ("EX", "whole seconds from 1 to 315360000"),
        ("PX", "whole milliseconds from 1 to 315360000000"),
        ("EXAT", "unix seconds from 1 to 253402300799"),
        ("PXAT", "unix milliseconds from 1 to 253402300799999"),
    ] {
        for value in NO_INTEGERS {
            rows.add(
                &words(&format!("{word} {value}")),
                format!("{NOT_AN_INTEGER}, {word} requires {range}"),
            );
        }
        let above = range.split(' ').next_back().unwrap().parse::<i64>().unwrap() + 1;
        for value in ["0", "-1", "9223372036854775807", "-9223372036854775808", &above.to_string()] {
            let error = format!("ERR invalid expire time in '{name}' command, {word} requires {range}");
            rows.add(&words(&format!("{word} {value}")), error);
        }
        rows.add(&words(&format!("{word} FIELDS")), format!("{NOT_AN_INTEGER}, {word} requires {range}"));
    }
    for word in ["\0", "NX\0"] {
        rows.unknown(&words(word), &word.replace('\0', r"\x00"));
    }
}

#[apply(each_server)]
fn set_refuses(#[case] kind: Kind) {
    let mut rows = Rows::of(SET);
    for few in ["", "{K}", "{K} 1", "{K} 1 FIELDS", "{K} 1 FIELDS 1"] {
        rows.arity(few);
    }
    of_both(&mut rows, |words| format!("{{K}} 1 {words} FIELDS 1 a x"));

    for word in ["EX", "PX", "EXAT", "PXAT"] {
        rows.no_value(&format!("{{K}} 1 NX MERGE {word}"), word);
    }
    rows.missing("{K} 1 NX MERGE EX 9", "FIELDS");
    rows.missing("{K} 1 MERGE KEEPTTL NX", "FIELDS");
    rows.no_value("{K} 1 NX MERGE FIELDS", "FIELDS");
    rows.bad_numfields("{K} 1 FIELDS {X} a x", "FIELDS");
    rows.bad_numfields("{K} 1 NX FIELDS {X} a x b y", "FIELDS");
    let two = "ERR syntax error, FIELDS 2 requires 2 fields and as many values";
    for rest in ["a x", "a x b", "a x b y c", "a x b y c z", "a x b y NX", "a x b y FIELDS 1 a x"] {
        rows.add(&format!("{{K}} 1 FIELDS 2 {rest}"), two);
    }
    rows.add(
        "{K} 1 XX EX 9 FIELDS 64 a x",
        "ERR syntax error, FIELDS 64 requires 64 fields and as many values",
    );

    rows.bad_ids("{K} {X} FIELDS 1 a x");
    rows.bad_ids("{K} {X} FOO FIELDS 2 a x");
    rows.bad_fields("{K} 1 FIELDS 1 {X} x");
    rows.bad_fields("{K} 1 FIELDS 2 a x {X} y");
    for name in ["a", "%s%n"] {
        let long = format!("ERR invalid value of field '{name}', expected at most 1048576 bytes of UTF-8");
        for value in
            [vec![b'v'; (1 << 20) + 1], b"\xff".to_vec(), b"v\xc4".to_vec(), b"\xed\xa0\x80".to_vec()]
        {
            rows.add_with(&format!("{{K}} 1 FIELDS 1 {name} {{X}}"), &value, long.clone());
            rows.add_with(&format!("{{K}} 1 FIELDS 2 b x {name} {{X}}"), &value, long.clone());
        }
    }
    rows.twice("{K} 1 FIELDS 2 a x a x", "field 'a'");
    rows.twice("{K} 1 MERGE FIELDS 3 a x b y a z", "field 'a'");
    rows.twice("{K} 1 FIELDS 2 \u{100} x \u{100} y", r"field '\xc4\x80'");

    let too_wide = |id: &str| format!("ERR invalid row '{id}', with MERGE it would have more than 64 fields");
    rows.add("wide wide MERGE FIELDS 1 one-more x", too_wide("wide"));
    rows.add("wide wide XX EX 9 MERGE FIELDS 2 f0 y one-more x", too_wide("wide"));

    // Checked from left to right; the key's type comes last.
    rows.unknown("list 1 FOO EX 0 FIELDS 0", "FOO");
    rows.add(
        "list 1 EX 0 FOO FIELDS 0",
        "ERR invalid expire time in 'vehprice.set' command, EX requires whole seconds from 1 to 315360000",
    );
    rows.add("list 1 FIELDS 2 a x b", two);
    rows.twice("list 1 FIELDS 2 a x a y", "field 'a'");
    rows.wrong_type("{K} 1 FIELDS 1 a x");
    rows.wrong_type("{K} 1 NX MERGE EX 9 FIELDS 2 a x b y");
    rows.wrong_type("{K} 1 XX PXAT 1 FIELDS 1 a x");
    assert!(rows.rows.len() > 120);
    refuses_all(kind, &rows.rows);
}

#[apply(each_server)]
fn mset_refuses(#[case] kind: Kind) {
    let mut rows = Rows::of(MSET);
    for few in ["", "{K}", "{K} NX"] {
        rows.arity(few);
    }
    rows.add("{K} FIELDS 1 a ROWS", "ERR syntax error, ROWS requires rows of an id and 1 value");
    of_both(&mut rows, |words| format!("{{K}} {words} FIELDS 1 a ROWS 1 x"));
    // The words may stand behind the fields too.
    rows.unknown("{K} FIELDS 1 a FOO ROWS 1 x", "FOO");
    rows.unknown("{K} FIELDS 1 a b ROWS 1 x", "b");
    rows.twice("{K} NX FIELDS 1 a NX ROWS 1 x", "NX");
    rows.add(
        "{K} EX 9 FIELDS 1 a KEEPTTL ROWS 1 x",
        "ERR syntax error, EX and KEEPTTL are mutually exclusive",
    );
    rows.twice("{K} FIELDS 1 a FIELDS 1 b ROWS 1 x", "FIELDS");
    rows.twice("{K} FIELDS 1 a NX fields 1 a ROWS 1 x", "FIELDS");
    for word in ["EX", "PX", "EXAT", "PXAT"] {
        rows.no_value(&format!("{{K}} FIELDS 1 a NX MERGE {word}"), word);
    }

    rows.missing("{K} NX MERGE ROWS 1 x", "FIELDS");
    rows.missing("{K} ROWS 1 x FIELDS 1 a", "FIELDS");
    rows.missing("{K} FIELDS 1 a NX MERGE", "ROWS");
    rows.missing("{K} FIELDS 2 a ROWS NX", "ROWS");
    rows.no_value("{K} NX MERGE EX 9 FIELDS", "FIELDS");
    rows.bad_numfields("{K} FIELDS {X} a ROWS 1 x", "FIELDS");
    rows.add("{K} NX MERGE FIELDS 2 a", "ERR syntax error, FIELDS 2 requires 2 fields");
    rows.add("{K} FIELDS 9 a ROWS 1 x", "ERR syntax error, FIELDS 9 requires 9 fields");
    rows.unknown("{K} FIELDS 2 a ROWS 1 x", "1");

    let rows_of_two = "ERR syntax error, ROWS requires rows of an id and 2 values";
    for given in ["", " 1", " 1 x", " 1 x y 2", " 1 x y 2 z", " 1 x y NX"] {
        rows.add(&format!("{{K}} FIELDS 2 a b NX ROWS{given}"), rows_of_two);
    }
    rows.add("{K} EX 9 FIELDS 2 a b ROWS 1 x y 2 z w 3", rows_of_two);

    rows.bad_ids("{K} FIELDS 1 a ROWS {X} x");
    rows.bad_ids("{K} FIELDS 1 a ROWS 1 x {X} y 2 z");
    rows.bad_fields("{K} FIELDS 1 {X} ROWS 1 x");
    rows.bad_fields("{K} FIELDS 2 a {X} ROWS 1 x y");
    let long = "ERR invalid value of field 'b', expected at most 1048576 bytes of UTF-8";
    for value in [vec![b'v'; (1 << 20) + 1], b"\xff".to_vec(), b"v\xc4".to_vec()] {
        rows.add_with("{K} FIELDS 2 a b ROWS 1 x {X}", &value, long);
        rows.add_with("{K} NX FIELDS 2 a b ROWS 1 x y 2 x {X}", &value, long);
        // It is refused where NX would not have stored it, too.
        rows.add_with("table NX FIELDS 2 b a ROWS 1 {X} x", &value, long);
    }
    rows.twice("{K} FIELDS 2 a a ROWS 1 x y", "field 'a'");
    rows.twice("{K} FIELDS 3 a b a EX 0 ROWS 1 x y z", "field 'a'");

    // One row that is too wide, and no row is written.
    let too_wide = "ERR invalid row 'wide', with MERGE it would have more than 64 fields";
    for given in ["wide x", "new x wide y", "narrow x wide y new z", "wide x wide y"] {
        rows.add(&format!("wide MERGE FIELDS 1 one-more ROWS {given}"), too_wide);
    }

    rows.unknown("list FOO FIELDS 0 a ROWS", "FOO");
    rows.add("list FIELDS 2 a b ROWS 1 x", rows_of_two);
    rows.wrong_type("{K} FIELDS 1 a ROWS 1 x");
    rows.wrong_type("{K} XX MERGE KEEPTTL FIELDS 1 a ROWS 1 x 2 y");
    refuses_all(kind, &rows.rows);
}

#[apply(each_server)]
fn del_and_clear_refuse(#[case] kind: Kind) {
    let mut del = Rows::of("vehprice.del");
    del.arity("");
    del.arity("{K}");
    del.bad_ids("{K} {X}");
    del.bad_ids("{K} 1 {X}");
    del.bad_ids("{K} 1 {X} 2");
    del.bad_ids("list {X}");
    del.wrong_type("{K} 1");
    del.wrong_type("{K} 1 2 3");
    let mut clear = Rows::of("vehprice.clear");
    clear.arity("");
    clear.arity("{K} 1");
    clear.arity("{K} {K}");
    clear.wrong_type("{K}");
    refuses_all(kind, &[del.rows, clear.rows].concat());
}
