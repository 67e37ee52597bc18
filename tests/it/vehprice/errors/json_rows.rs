//! What MSET refuses of rows in one argument, and of JSON.

use super::*;

const ROWS_FORM: &str = r#"expected rows like {"4711":{"styleId":"12"}}"#;

/// Rows of calls with one form, `JSON` or `COLUMNS`.
pub(super) struct Batches {
    pub(super) rows: Rows,
    word: &'static str,
    form: &'static str,
}

impl Batches {
    pub(super) fn of(word: &'static str, form: &'static str) -> Self {
        Self { rows: Rows::of("vehprice.mset"), word, form }
    }

    /// The argument, on a table and without one, with options that would not store it and ones that would.
    pub(super) fn add(&mut self, argument: impl AsRef<[u8]>, error: impl Into<String>) {
        let error = error.into();
        for options in ["", "NX EX 9 ", "XX MERGE ", "PXAT 1 "] {
            let rest = format!("{{K}} {options}{} {{X}}", self.word);
            self.rows.add_with(&rest, argument.as_ref(), error.clone());
        }
        // Before the type of the key.
        self.rows.add_with(&format!("list {} {{X}}", self.word), argument.as_ref(), error);
    }

    pub(super) fn malformed(&mut self, argument: impl AsRef<[u8]>, at: usize) {
        let form = self.form;
        self.add(argument, format!("ERR invalid JSON at byte {at}, {form}"));
    }

    pub(super) fn not_utf8(&mut self, argument: &[u8]) {
        let form = self.form;
        self.add(argument, format!("ERR invalid JSON, it is not UTF-8, {form}"));
    }

    pub(super) fn bad_row(&mut self, argument: impl AsRef<[u8]>, fault: &str) {
        self.add(argument, format!("ERR invalid row {fault}"));
    }

    pub(super) fn bad_id(&mut self, argument: impl AsRef<[u8]>, shown: &str) {
        self.add(argument, format!("ERR invalid id '{shown}', expected 1 to 256 bytes of UTF-8"));
    }

    /// What both forms refuse about words, with an argument that is right.
    pub(super) fn of_words(&mut self, right: &str) {
        let (word, rows) = (self.word, &mut self.rows);
        let last = format!("ERR syntax error, {word} requires one argument, the last");
        for more in
            ["x", "NX", "FIELDS 1 a", "FIELDS 1 a ROWS 1 x", "JSON {}", "COLUMNS {}", "ROWS 1 x", right]
        {
            rows.add(&format!("{{K}} {word} {right} {more}"), last.clone());
        }
        rows.no_value(&format!("{{K}} NX {word}"), word);
        rows.no_value(&format!("{{K}} EX 9 {}", word.to_lowercase()), word);
        for before in ["FIELDS 1 a", "NX FIELDS 1 a EX 9", "FIELDS 2 a b"] {
            rows.add(
                &format!("{{K}} {before} {word} {right}"),
                format!("ERR syntax error, FIELDS and {word} are mutually exclusive"),
            );
        }
        rows.add(&format!("{{K}} KEEPCLAIM {word} {right}"), "ERR syntax error, KEEPCLAIM requires TOKEN");
        rows.add(
            &format!("{{K}} NX XX {word} {right}"),
            "ERR syntax error, NX and XX are mutually exclusive",
        );
        rows.twice(&format!("{{K}} NX nx {word} {right}"), "NX");
        rows.unknown(&format!("{{K}} FOO {word} {right}"), "FOO");
        rows.unknown(&format!("{{K}} RAW {word} {right}"), "RAW");
        rows.add(
            &format!("{{K}} EX 0 {word} rubbish"),
            "ERR invalid expire time in 'vehprice.mset' command, EX requires whole seconds from 1 to 315360000",
        );
        rows.wrong_type(&format!("{{K}} {word} {right}"));
        rows.wrong_type(&format!("{{K}} XX MERGE PXAT 1 {word} {right}"));
    }
}

/// JSON with this many fields, all with this value.
fn fields(count: usize, value: &str) -> String {
    (0..count).map(|field| format!(r#""f{field}":{value}"#)).collect::<Vec<_>>().join(",")
}

#[apply(each_server)]
fn mset_refuses_of_json(#[case] kind: Kind) {
    let mut json = Batches::of("JSON", ROWS_FORM);
    json.of_words(r#"{"1":{"a":"x"}}"#);
    json.rows.arity("{K} JSON");
    json.rows.missing("{K} NX EX 9", "FIELDS, JSON or COLUMNS");
    json.rows.missing("{K} MERGE KEEPTTL", "FIELDS, JSON or COLUMNS");
    for (argument, at) in [
        // It ends early.
        ("", 1),
        (" ", 1),
        ("{", 1),
        (r#"{"1"#, 3),
        (r#"{"1""#, 4),
        (r#"{"1":"#, 5),
        (r#"{"1":{"#, 6),
        (r#"{"1":{"a"#, 8),
        (r#"{"1":{"a""#, 9),
        (r#"{"1":{"a":"#, 10),
        (r#"{"1":{"a":"x"#, 12),
        (r#"{"1":{"a":"x""#, 13),
        (r#"{"1":{"a":"x"}"#, 14),
        (r#"{"1":{"a":"x"},"#, 15),
        (r#"{"1":{"a":"x\"#, 13),
        (r#"{"1":{"a":-"#, 11),
        // Another form.
        ("[]", 1),
        (r#"["1"]"#, 1),
        (r#""x""#, 3),
        ("null", 4),
        ("7", 1),
        // Not JSON.
        (r#"{"1":{"a":"x"},}"#, 16),
        (r#"{"1":{"a":"x",}}"#, 15),
        (r#"{"1":{"a" "x"}}"#, 11),
        (r#"{"1":{a:"x"}}"#, 7),
        (r#"{1:{"a":"x"}}"#, 2),
        (r#"{"1":{"a":01}}"#, 12),
        (r#"{"1":{"a":nul}}"#, 14),
        (r#"{"1":{"a":"\q"}}"#, 13),
        ("{\"1\":{\"a\":\"\n\"}}", 11),
        ("{\"1\":{\"a\n\":\"x\"}}", 8),
        (r#"{"\ud800":{"a":"x"}}"#, 9),
        (r#"{"1":{"a":"x"},"\udfff":{"a":"x"}}"#, 22),
        // Rubbish before and behind it.
        (r#"x{"1":{"a":"x"}}"#, 1),
        (r#"{"1":{"a":"x"}}x"#, 16),
        (r#"{"1":{"a":"x"}} {}"#, 17),
        ("{\"1\":{\"a\":\"x\"}}\0", 16),
        ("\u{feff}{}", 1),
    ] {
        json.malformed(argument, at);
    }
    json.malformed(br#"{"1":"#.repeat(100_000), 500_000);
    json.malformed([br#"{"1":{"a":"#.to_vec(), b"[".repeat(100_000)].concat(), 100_010);
    for bytes in [&b"\xff"[..], b"{\"\xff\":{}}", b"{\"1\":{\"a\":\"\xed\xa0\x80\"}}", b"{}\xc4"] {
        json.not_utf8(bytes);
    }

    for (argument, fault) in [
        (r#"{"1":"x"}"#, "'1', expected an object of fields and values"),
        (r#"{"1":null}"#, "'1', expected an object of fields and values"),
        (r#"{"1":7}"#, "'1', expected an object of fields and values"),
        (r#"{"1":[["a","x"]]}"#, "'1', expected an object of fields and values"),
        (r#"{"1":{}}"#, "'1', expected at least one field"),
        (r#"{"1":{"a":null}}"#, "'1', field 'a' is null, and no field has a value"),
        (r#"{"1":{"a":null,"b":null}}"#, "'1', field 'a' is null, and no field has a value"),
        (r#"{"1":{"a":true}}"#, "'1', field 'a' expected a string, a number or null"),
        (r#"{"1":{"a":"x","b":false}}"#, "'1', field 'b' expected a string, a number or null"),
        (r#"{"1":{"a":{}}}"#, "'1', field 'a' expected a string, a number or null"),
        (r#"{"1":{"a":[1]}}"#, "'1', field 'a' expected a string, a number or null"),
        (r#"{"1":{"a":"x","a":"x"}}"#, "'1', field 'a' is repeated"),
        (r#"{"1":{"a":"x","b":"y","a":"z"}}"#, "'1', field 'a' is repeated"),
        (r#"{"1":{"a":"x","a":null}}"#, "'1', field 'a' is repeated"),
        (r#"{"1":{"a":null,"b":"x","a":null}}"#, "'1', field 'a' is repeated"),
        (r#"{"1":{"a":"x","\u0061":"y"}}"#, "'1', field 'a' is repeated"),
        (r#"{"1":{"":"x"}}"#, "'1', field '' expected a name of 1 to 256 bytes"),
        (r#"{"1":{"a":"x","":null}}"#, "'1', field '' expected a name of 1 to 256 bytes"),
        (r#"{"1":{"\ud800":"x"}}"#, "'1', expected Unicode, not half of a surrogate pair"),
        (r#"{"1":{"a":"\ud800"}}"#, "'1', field 'a' expected Unicode, not half of a surrogate pair"),
        (r#"{"1":{"a":"x\udc00\ud800"}}"#, "'1', field 'a' expected Unicode, not half of a surrogate pair"),
        // One row of several, and nothing is written; and how it is shown.
        (r#"{"2":{"a":"new"},"it's\n":{}}"#, r"'it\x27s\x0a', expected at least one field"),
        (
            r#"{"1":{"a":"new"},"2":{"a":"y"},"3":{"é":{}}}"#,
            r"'3', field '\xc3\xa9' expected a string, a number or null",
        ),
        (r#"{"1":{"a":"x"},"1":{"a":null}}"#, "'1', field 'a' is null, and no field has a value"),
        (r#"{"1":{"a":null},"1":{"a":"x"}}"#, "'1', field 'a' is null, and no field has a value"),
    ] {
        json.bad_row(argument, fault);
    }
    let deep = [b"[".repeat(100_000), b"]".repeat(100_000)].concat();
    json.bad_row(
        [br#"{"1":{"a":"#.to_vec(), deep, b"}}".to_vec()].concat(),
        "'1', field 'a' expected a string, a number or null",
    );
    json.bad_row(
        format!(r#"{{"1":{{{}}}}}"#, fields(65, "1")),
        "'1', field 'f64' expected at most 64 fields",
    );
    json.bad_row(
        format!(r#"{{"1":{{{}}},"2":{{{}}}}}"#, fields(64, "1"), fields(65, "1")),
        "'2', field 'f64' expected at most 64 fields",
    );
    json.bad_row(
        format!(r#"{{"1":{{{}}}}}"#, fields(100_000, "null")),
        "'1', field 'f0' is null, and no field has a value",
    );
    let long_name = "n".repeat(257);
    let shown_name = format!("'1', field '{}...' expected a name of 1 to 256 bytes", &long_name[..32]);
    json.bad_row(format!(r#"{{"1":{{"{long_name}":"x"}}}}"#), &shown_name);
    json.bad_row(format!(r#"{{"1":{{"a":"x","{long_name}":null}}}}"#), &shown_name);
    json.bad_row(format!(r#"{{"1":{{{}:1}}}}"#, escaped(&long_name)), &shown_name);
    let long_value = "'1', field 'b' expected a value of at most 1048576 bytes";
    json.bad_row(format!(r#"{{"1":{{"a":"x","b":"{}"}}}}"#, "v".repeat((1 << 20) + 1)), long_value);
    json.bad_row(format!(r#"{{"1":{{"b":{}}}}}"#, "1".repeat((1 << 20) + 1)), long_value);
    json.bad_row(format!(r#"{{"1":{{"b":"{}\n"}}}}"#, "v".repeat(1 << 20)), long_value);
    let x_32 = "x".repeat(32) + "...";
    json.bad_id(r#"{"":{"a":"x"}}"#, "");
    json.bad_id(r#"{"1":{"a":"x"},"":{}}"#, "");
    json.bad_id(format!(r#"{{"{}":{{"a":"x"}}}}"#, "x".repeat(257)), &x_32);
    json.bad_id(format!(r#"{{{}:{{"a":"x"}}}}"#, escaped(&"x".repeat(257))), &x_32);
    assert!(json.rows.rows.len() > 350);
    refuses_all(kind, &json.rows.rows);
}

#[apply(each_server)]
fn rows_more_than_the_setting_are_refused(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    fill(con);
    cmd(con, "CONFIG SET quotelock.max-batch 2");
    let before = keyspace(con);
    let refused = "ERR too many rows, there are more than quotelock.max-batch, 2";
    for (form, argument) in [
        ("JSON", r#"{"1":{"a":"x"},"2":{"a":"x"},"3":{"a":"x"}}"#),
        ("JSON", r#"{"1":{"a":"x"},"1":{"a":"x"},"1":{"a":"x"}}"#),
        ("JSON", r#"{"1":{"\u0061":"x"},"2":{"a":"x"},"3":{"a":"x"}}"#),
        ("JSON", r#"{"1":{"a":"x"},"2":{"a":"x"},"3":null"#),
        ("COLUMNS", r#"{"ids":[1,2,3],"fields":["a"],"columns":[["x","y","z"]]}"#),
        ("COLUMNS", r#"{"ids":[1,1,1],"fields":["a"],"columns":[["x","y","\u007a"]]}"#),
        ("COLUMNS", r#"{"ids":[1,2,3],"fields":[],"columns":[]}"#),
    ] {
        for key in ["table", "absent", "list"] {
            assert_eq!(error(con, &["VEHPRICE.MSET", key, form, argument]), refused, "{form} {argument}");
        }
    }
    assert_eq!(keyspace(con), before);
    assert_eq!(int(con, r#"VEHPRICE.MSET table JSON {"1":{"a":"x"},"3":{"a":"x"}}"#), 2);
    assert_eq!(int(con, r#"VEHPRICE.MSET table COLUMNS {"ids":[1,4],"fields":["a"],"columns":[[1,2]]}"#), 2);
    assert_eq!(int(con, "VEHPRICE.LEN table"), 4);
}

/// With MERGE a row could get too many fields.
#[apply(each_server)]
fn rows_that_would_be_too_wide_are_refused(#[case] kind: Kind) {
    let mut rows = Rows::of("vehprice.mset");
    let too_wide = "ERR invalid row 'wide', with MERGE it would have more than 64 fields";
    for (form, argument) in [
        ("JSON", r#"{"wide":{"one-more":"x"}}"#),
        ("JSON", r#"{"new":{"a":"x"},"wide":{"f0":"y","one-more":"x"},"narrow":{"b":"x"}}"#),
        (
            "COLUMNS",
            r#"{"ids":["narrow","wide"],"fields":["f0","one-more"],"columns":[["x",null],[null,"y"]]}"#,
        ),
    ] {
        rows.add(&format!("wide MERGE {form} {argument}"), too_wide);
        rows.add(&format!("wide XX EX 9 MERGE {form} {argument}"), too_wide);
    }
    refuses_all(kind, &rows.rows);
    // Where no field is new to its row, none is too many.
    let server = &Server::start(kind);
    let con = &mut server.connection();
    fill(con);
    let given = r#"{"wide":{"f0":"y","f63":"z","none":null},"narrow":{"one-more":"x"}}"#;
    assert_eq!(int(con, &["VEHPRICE.MSET", "wide", "MERGE", "JSON", given]), 2);
}

/// A row of more fields than it can have is given up at the first of them, not once all are read.
#[apply(each_server)]
fn a_refused_row_takes_little_more_memory_than_its_argument(#[case] kind: Kind) {
    const FIELDS: usize = 3_000_000;
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let argument = format!(r#"{{"1":{{{}"a":1}}}}"#, r#""a":1,"#.repeat(FIELDS));
    let before = peak(con);
    let refused = "ERR invalid row '1', field 'a' expected at most 64 fields";
    assert_eq!(error(con, &["VEHPRICE.MSET", "t", "JSON", &argument]), refused);
    let taken = (peak(con) - before) as usize;
    assert!(taken < 4 * argument.len(), "{taken} bytes for {}", argument.len());
}
