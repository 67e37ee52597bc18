//! What MSET refuses of columns.

use super::json_rows::Batches;
use super::*;

const COLUMNS_FORM: &str =
    r#"expected columns like {"ids":["4711"],"fields":["styleId"],"columns":[["12"]]}"#;

/// The argument with these members.
fn columns_with(ids: &str, fields: &str, columns: &str) -> String {
    format!(r#"{{"ids":{ids},"fields":{fields},"columns":{columns}}}"#)
}

#[apply(each_server)]
fn mset_refuses_of_columns(#[case] kind: Kind) {
    let mut columns = Batches::of("COLUMNS", COLUMNS_FORM);
    columns.of_words(r#"{"ids":["1"],"fields":["a"],"columns":[["x"]]}"#);
    columns.rows.arity("{K} COLUMNS");
    for (argument, at) in [
        ("", 1),
        ("{", 1),
        (r#"{"ids"#, 5),
        (r#"{"ids":"#, 7),
        (r#"{"ids":["#, 8),
        (r#"{"ids":["1""#, 11),
        (r#"{"ids":["1"],"fields":["a"],"columns":[["x"]"#, 44),
        (r#"{"ids":["1"],"fields":["a"],"columns":[["x"]]"#, 45),
        ("[]", 1),
        (r#"["ids"]"#, 1),
        ("null", 4),
        (r#"{"ids":["1"],"fields":["a"],"columns":[["x"]]}x"#, 47),
        (r#"x{"ids":["1"],"fields":["a"],"columns":[["x"]]}"#, 1),
        (r#"{"ids":["1"],"fields":["a"],"columns":[["x",]]}"#, 45),
        (r#"{"ids":["1"],"fields":["a"],"columns":[["\q"]]}"#, 43),
        // Members of another form.
        (r#"{"ids":"1","fields":["a"],"columns":[["x"]]}"#, 10),
        (r#"{"ids":{},"fields":["a"],"columns":[["x"]]}"#, 8),
        (r#"{"ids":null,"fields":["a"],"columns":[["x"]]}"#, 11),
        (r#"{"ids":[null],"fields":["a"],"columns":[["x"]]}"#, 13),
        (r#"{"ids":["\ud800"],"fields":["a"],"columns":[["x"]]}"#, 17),
        (r#"{"ids":["1"],"fields":"a","columns":[["x"]]}"#, 25),
        (r#"{"ids":["1"],"fields":[null],"columns":[["x"]]}"#, 28),
        (r#"{"ids":["1"],"fields":["\ud800"],"columns":[["x"]]}"#, 32),
        (r#"{"ids":["1"],"fields":["a"],"columns":["x"]}"#, 42),
        (r#"{"ids":["1"],"fields":["a"],"columns":{"a":["x"]}}"#, 39),
        (r#"{"ids":["1"],"fields":["a"],"columns":null}"#, 42),
        (r#"{"ids":["1"],"fields":["a"],"columns":[null]}"#, 43),
    ] {
        columns.malformed(argument, at);
    }
    columns.not_utf8(b"{\"ids\":[\"\xff\"],\"fields\":[],\"columns\":[]}");
    columns.malformed([br#"{"ids":"#.to_vec(), b"[".repeat(100_000)].concat(), 100_007);
    for (argument, what) in [
        ("{}", "expected the member 'ids' too"),
        (r#"{"fields":["a"],"columns":[["x"]]}"#, "expected the member 'ids' too"),
        (r#"{"ids":["1"],"columns":[["x"]]}"#, "expected the member 'fields' too"),
        (r#"{"ids":["1"],"fields":["a"]}"#, "expected the member 'columns' too"),
        (r#"{"ids":["1"],"ids":["1"],"fields":["a"],"columns":[["x"]]}"#, "the member 'ids' is repeated"),
        (
            r#"{"ids":["1"],"fields":["a"],"columns":[["x"]],"col\u0075mns":[]}"#,
            "the member 'columns' is repeated",
        ),
        (
            r#"{"missing":[],"columns":[["x"]]}"#,
            "unknown member 'missing', expected 'ids', 'fields' and 'columns'",
        ),
        (r#"{"1":{"a":"x"}}"#, "unknown member '1', expected 'ids', 'fields' and 'columns'"),
        (r#"{"IDS":[]}"#, "unknown member 'IDS', expected 'ids', 'fields' and 'columns'"),
        (r#"{"":[]}"#, "unknown member '', expected 'ids', 'fields' and 'columns'"),
        (&columns_with(r#"["1"]"#, r#"["a"]"#, "[]"), "expected one for each of the 1 fields"),
        (&columns_with(r#"["1"]"#, r#"["a"]"#, r#"[["x"],["y"]]"#), "expected one for each of the 1 fields"),
        (&columns_with(r#"["1"]"#, r#"["a","b"]"#, r#"[["x"]]"#), "expected one for each of the 2 fields"),
        (&columns_with("[]", "[]", "[[]]"), "expected one for each of the 0 fields"),
        (
            &columns_with(r#"["1"]"#, r#"["a"]"#, "[[]]"),
            "that of field 'a' requires a value for each of the 1 ids",
        ),
        (
            &columns_with(r#"["1"]"#, r#"["a"]"#, r#"[["x","y"]]"#),
            "that of field 'a' requires a value for each of the 1 ids",
        ),
        (
            &columns_with("[1,2]", r#"["a","b"]"#, r#"[["x","y"],["z"]]"#),
            "that of field 'b' requires a value for each of the 2 ids",
        ),
        (
            &columns_with("[1,2]", r#"["a","b"]"#, r#"[["x","y","z"],["z"]]"#),
            "that of field 'a' requires a value for each of the 2 ids",
        ),
        (
            &columns_with("[]", r#"["a"]"#, r#"[["x"]]"#),
            "that of field 'a' requires a value for each of the 0 ids",
        ),
    ] {
        columns.add(argument, format!("ERR invalid columns, {what}"));
    }
    for (fields, twice) in [(r#"["a","a"]"#, "a"), (r#"["b","\u0062"]"#, "b")] {
        let argument = columns_with(r#"["1"]"#, fields, r#"[["x"],["y"]]"#);
        columns.add(argument, format!("ERR syntax error, field '{twice}' is repeated"));
    }
    let bad_field = |shown: &str| format!("ERR invalid field '{shown}', expected 1 to 256 bytes of UTF-8");
    columns.add(columns_with("[1]", r#"[""]"#, r#"[["x"]]"#), bad_field(""));
    let long = "n".repeat(257);
    let shown = format!("{}...", &long[..32]);
    columns.add(columns_with("[1]", &format!(r#"["a","{long}"]"#), r#"[["x"],[null]]"#), bad_field(&shown));
    columns.add(columns_with("[]", &format!("[{}]", escaped(&long)), "[[]]"), bad_field(&shown));
    let cell =
        |value: &str| columns_with(r#"["1","2"]"#, r#"["a","b"]"#, &format!(r#"[["x","y"],["z",{value}]]"#));
    for value in ["true", "{}", "[]", r#"["w"]"#, &format!("{}{}", "[".repeat(100_000), "]".repeat(100_000))]
    {
        columns.bad_row(cell(value), "'2', field 'b' expected a string, a number or null");
    }
    columns.bad_row(cell(r#""\ud800""#), "'2', field 'b' expected Unicode, not half of a surrogate pair");
    let long = "v".repeat((1 << 20) + 1);
    columns.bad_row(cell(&format!("\"{long}\"")), "'2', field 'b' expected a value of at most 1048576 bytes");
    columns.bad_row(
        columns_with("[1,2]", r#"["a","b"]"#, r#"[["x",null],["y",null]]"#),
        "'2', field 'a' is null, and no field has a value",
    );
    columns.bad_row(columns_with("[7]", "[]", "[]"), "'7', expected at least one field");
    columns.bad_id(columns_with(r#"["1",""]"#, r#"["a"]"#, r#"[["x","y"]]"#), "");
    columns.bad_id(
        columns_with(&format!(r#"["{}"]"#, "x".repeat(257)), r#"["a"]"#, r#"[["x"]]"#),
        &format!("{}...", "x".repeat(32)),
    );
    assert!(columns.rows.rows.len() > 300);
    refuses_all(kind, &columns.rows.rows);
}

/// With `null` in other places in each row, names that stand in the argument once would be kept for each.
#[apply(each_server)]
fn mset_refuses_columns_of_too_many_lists_of_fields(#[case] kind: Kind) {
    let table = |rows: usize, is_null: fn(usize, usize) -> bool| {
        let names: Vec<String> = (0..64).map(|field| format!("{}{field:02}", "n".repeat(254))).collect();
        let given: Vec<GivenRow> = (0..rows)
            .map(|row| {
                let own = names.iter().enumerate().filter(|(field, _)| !is_null(row, *field));
                (row.to_string(), own.map(|(_, name)| (name.clone(), "1".to_owned())).collect())
            })
            .collect();
        column_rows(&given)
    };
    let mut rows = Rows::of("vehprice.mset");
    let refused = "ERR invalid columns, null makes too many different lists of fields: write rows with different fields in separate calls";
    let many = table(300, |row, field| row > 0 && (row >> (field % 9)) & 1 == 1);
    rows.add_with("{K} COLUMNS {X}", many.as_bytes(), refused);
    rows.add_with("{K} XX COLUMNS {X}", many.as_bytes(), refused);
    rows.add_with("list COLUMNS {X}", many.as_bytes(), refused);
    let server = &Server::start(kind);
    let con = &mut server.connection();
    fill(con);
    refuses(con, &["table", "absent"], &rows.rows);
    // Few lists, however many rows.
    let few = table(300, |row, field| row > 0 && row % 4 == field % 4);
    assert_eq!(int(con, &["VEHPRICE.MSET", "few", "COLUMNS", &few]), 300);
}
