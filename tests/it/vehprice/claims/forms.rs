//! The options of MSET with rows as arguments, as JSON and as columns: the same comes of them.

use super::*;

/// `{T}` stands for the token under which `a` and `d` are claimed.
const OPTIONS: [&str; 27] = [
    "",
    "NX",
    "XX",
    "MERGE",
    "NX MERGE",
    "MERGE XX",
    "KEEPTTL",
    "MERGE KEEPTTL",
    "KEEPTTL NX",
    "EX 1000",
    "PX 1000000",
    "EXAT 4000000000",
    "PXAT 4000000000000",
    "MERGE PXAT 4000000000000",
    "PXAT 1",
    "EXAT 1",
    "NX PXAT 1",
    "XX EXAT 1",
    "MERGE PXAT 1",
    "TOKEN {T}",
    "TOKEN {T} KEEPCLAIM",
    "keepclaim token {T} merge",
    "TOKEN {T} NX",
    "XX TOKEN {T} PX 1000000",
    "TOKEN {T} PXAT 1",
    "TOKEN {T} KEEPCLAIM PXAT 1",
    "TOKEN 00000000000000000000000000000000",
];

/// Names and rows, as `FIELDS` and `ROWS` take them. `a`, `b` and `c` are there before, with `x` and `y`.
const ROWS: [(&str, &str); 7] = [
    ("x", "a 1"),
    ("x", "d 1"),
    ("x", "a 1 b 2 c 3"),
    ("x", "a 1 d 2 e 3 f 4"),
    ("x", "d 1 a 2 d 3 a 4 e 5"),
    ("y x", "a 1 2 e 3 4 b 5 6 a 7 8"),
    ("z", "a 1 b 1 d 1"),
];

/// What comes of a write.
#[derive(Debug)]
struct Outcome {
    reply: String,
    rows: Rows,
    /// Which of the rows are claimed after it.
    pending: String,
    counted: [i64; 3],
}

const COUNTERS: [&str; 3] = ["rows_stored", "rows_deleted", "claims_overtaken"];

fn outcome(con: &mut Connection, options: &str, form: &str, rest: &[String]) -> Outcome {
    cmd(con, "FLUSHALL");
    cmd(con, "VEHPRICE.MSET t PXAT 4000000000001 FIELDS 2 x y ROWS a 0 0 b 0 0");
    cmd(con, "VEHPRICE.SET t c PXAT 4000000000002 FIELDS 2 y 0 x 0");
    let token = claim(con, "t", "FIELDS 1 none IDS a d").token;
    claim(con, "t", "FIELDS 1 none IDS b e");
    let counts = |con: &mut Connection| COUNTERS.map(|name| count(con, name));
    let before = counts(con);
    let mut call = words(&["VEHPRICE.MSET", "t"], &options.replace("{T}", &token));
    call.extend(words(&[form], ""));
    call.extend(rest.iter().map(|word| word.clone().into_bytes()));
    let reply = reply(con, &call);
    let after = counts(con);
    let rows = live_rows(con, "t");
    cmd(con, "CONFIG SET quotelock.max-claims 0");
    let pending = claim(con, "t", "FIELDS 1 none IDS a b c d e f").pending;
    cmd(con, "CONFIG SET quotelock.max-claims 1000000");
    Outcome { reply, rows, pending, counted: std::array::from_fn(|at| after[at] - before[at]) }
}

#[track_caller]
fn assert_same(found: &Outcome, expected: &Outcome, call: &str) {
    assert_eq!(found.reply, expected.reply, "{call}");
    assert_eq!(found.pending, expected.pending, "{call}");
    assert_eq!(found.counted, expected.counted, "{call}");
    let ids = |outcome: &Outcome| outcome.rows.keys().cloned().collect::<Vec<_>>();
    assert_eq!(ids(found), ids(expected), "{call}");
    for (id, (fields, expiry)) in &expected.rows {
        let (found_fields, found_expiry) = &found.rows[id];
        assert_eq!(found_fields, fields, "{id} after {call}");
        // The calls were made one after the other.
        let apart = found_expiry - expiry;
        let is_relative = *expiry < 3_000_000_000_000;
        assert!(
            if is_relative { (0..20_000).contains(&apart) } else { apart == 0 },
            "{id} after {call}: {apart}"
        );
    }
}

#[apply(each_server)]
fn every_option_does_the_same_in_each_form(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for options in OPTIONS {
        for (names, given) in ROWS {
            let count = names.split(' ').count();
            let as_rows: Vec<String> =
                format!("{count} {names} ROWS {given}").split(' ').map(str::to_owned).collect();
            let expected = outcome(con, options, "FIELDS", &as_rows);
            assert!(expected.reply.parse::<i64>().is_ok(), "{options}: {}", expected.reply);
            let given = rows_of(names, given);
            for (form, argument) in [("JSON", json_rows(&given)), ("COLUMNS", column_rows(&given))] {
                let call = format!("{options} {form} {argument}");
                assert_same(&outcome(con, options, form, &[argument]), &expected, &call);
            }
        }
    }
}

/// Rows with other fields, which only JSON and columns can say, are checked one by one too.
#[apply(each_server)]
fn rows_with_other_fields_are_checked_one_by_one(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let given: Vec<GivenRow> =
        [rows_of("z", "a 1"), rows_of("x w", "b 2 3"), rows_of("y", "d 4"), rows_of("x y", "c 5 6")].concat();
    // With which options; the rows after it.
    let old = r#""a":{"x":"0","y":"0"},"b":{"x":"0","y":"0"},"c":{"y":"0","x":"0"}"#;
    let cases = [
        ("", "4", r#"{"a":{"z":"1"},"b":{"x":"2","w":"3"},"c":{"x":"5","y":"6"},"d":{"y":"4"}}"#.to_owned()),
        ("NX", "1", format!(r#"{{{old},"d":{{"y":"4"}}}}"#)),
        ("XX", "3", r#"{"a":{"z":"1"},"b":{"x":"2","w":"3"},"c":{"x":"5","y":"6"}}"#.to_owned()),
        (
            "MERGE",
            "4",
            r#"{"a":{"x":"0","y":"0","z":"1"},"b":{"x":"2","y":"0","w":"3"},"c":{"y":"6","x":"5"},"d":{"y":"4"}}"#
                .to_owned(),
        ),
        ("TOKEN {T}", "2", r#"{"a":{"z":"1"},"b":{"x":"0","y":"0"},"c":{"y":"0","x":"0"},"d":{"y":"4"}}"#.to_owned()),
        ("PXAT 1", "0", "{}".to_owned()),
    ];
    for (options, stored, after) in cases {
        for (form, argument) in [("JSON", json_rows(&given)), ("COLUMNS", column_rows(&given))] {
            let found = outcome(con, options, form, &[argument]);
            assert_eq!(found.reply, stored, "{options} {form}");
            assert_eq!(rows(con, "t"), parsed(&after), "{options} {form}");
        }
    }
}
