//! The readers of plain JSON beside serde_json, and what is refused.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::table::bounds::{MAX_FIELDS, MAX_ID_BYTES, MAX_NAME_BYTES, MAX_VALUE_BYTES};

/// A row's id and its fields.
type Row = (String, Vec<(String, String)>);

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn rows_of(rows: &RowBatch<'_>) -> Vec<Row> {
    let fields = |row| {
        let names = &rows.lists()[rows.list_of(row)];
        assert_eq!(names.len(), rows.values(row).len());
        names.iter().zip(rows.values(row)).map(|(name, value)| ((*name).to_owned(), text(value))).collect()
    };
    rows.ids().iter().enumerate().map(|(row, id)| (text(id), fields(row))).collect()
}

fn ids(argument: &[u8], max: usize) -> Result<Vec<String>, BatchError> {
    let list = IdList::parse(argument, max)?;
    let ids: Vec<String> = list.ids().iter().map(|id| text(id)).collect();
    if let Some(ranges) = list.ranges_in(argument) {
        let slice = |range: &std::ops::Range<u32>| &argument[range.start as usize..range.end as usize];
        assert_eq!(ranges.iter().map(|range| text(slice(range))).collect::<Vec<_>>(), ids);
    }
    Ok(ids)
}

fn json_rows(argument: &[u8], max: usize) -> Result<Vec<Row>, BatchError> {
    with_json_rows(argument, max, |rows| rows_of(&rows))
}

fn columns(argument: &[u8], max: usize) -> Result<Vec<Row>, BatchError> {
    with_columns(argument, max, |rows| rows_of(&rows))
}

fn row(id: &str, fields: &[(&str, &str)]) -> Row {
    (id.to_owned(), fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

fn fault(id: &str, field: Option<&str>, fault: RowFault) -> BatchError {
    BatchError::Row { id: id.to_owned(), field: field.map(str::to_owned), fault }
}

#[test]
fn lists_of_ids() {
    use BatchError::*;
    let long = "x".repeat(MAX_ID_BYTES);
    let cases: &[(&str, Result<&[&str], BatchError>)] = &[
        ("[]", Ok(&[])),
        (" [\t] \n", Ok(&[])),
        (r#"["1","2","1"]"#, Ok(&["1", "2", "1"])),
        (r#"[ "1" , 2 ,"3", 4,"5"]"#, Ok(&["1", "2", "3", "4", "5"])),
        ("[-1.50e+3,0]", Ok(&["-1.50e+3", "0"])),
        (r#"["\u0041","Ā","\"\\"]"#, Ok(&["A", "Ā", "\"\\"])),
        (r#"["1","2","3","4","5","6"]"#, Err(TooMany)),
        (r#"["1","2","3","4","5",null"#, Err(TooMany)),
        ("", Err(Malformed(Form::Ids, 1))),
        ("[", Err(Malformed(Form::Ids, 1))),
        (r#"["1""#, Err(Malformed(Form::Ids, 4))),
        (r#"["1",]"#, Err(Malformed(Form::Ids, 6))),
        (r#"["1"]]"#, Err(Malformed(Form::Ids, 6))),
        (r#"{"1":1}"#, Err(Malformed(Form::Ids, 1))),
        ("[[1]]", Err(Malformed(Form::Ids, 5))),
        ("[null]", Err(Malformed(Form::Ids, 6))),
        ("[true]", Err(Malformed(Form::Ids, 6))),
        ("[01]", Err(Malformed(Form::Ids, 3))),
        (r#"["\ud800"]"#, Err(Malformed(Form::Ids, 10))),
        ("[\"a\u{1}\"]", Err(Malformed(Form::Ids, 3))),
        (r#"["1",""]"#, Err(BadId(String::new()))),
    ];
    for (argument, expected) in cases {
        let expected = expected.clone().map(|ids| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>());
        assert_eq!(ids(argument.as_bytes(), 5), expected, "{argument}");
    }
    assert_eq!(ids(format!(r#"["{long}"]"#).as_bytes(), 5), Ok(vec![long.clone()]));
    assert_eq!(ids(format!(r#"["{long}x"]"#).as_bytes(), 5), Err(BadId(format!("{long}x"))));
    let digits = "1".repeat(400);
    assert_eq!(ids(format!("[{digits}]").as_bytes(), 5), Err(BadId(digits)));
    assert_eq!(ids(b"[\"\xff\"]", 5), Err(NotUtf8(Form::Ids)));
    assert!(matches!(ids("[".repeat(100_000).as_bytes(), 5), Err(Malformed(..))));
}

#[test]
fn rows_by_id() {
    use BatchError::{BadId, Malformed, TooMany};
    use RowFault::*;
    let cases: &[(&str, Result<Vec<Row>, BatchError>)] = &[
        ("{}", Ok(vec![])),
        (
            r#"{"1":{"a":"x","b":"y"},"2":{"a":"z","b":""},"1":{"b":"w"}}"#,
            Ok(vec![
                row("1", &[("a", "x"), ("b", "y")]),
                row("2", &[("a", "z"), ("b", "")]),
                row("1", &[("b", "w")]),
            ]),
        ),
        (r#" { "1" : { "a" : 1.50 , "b" : null } } "#, Ok(vec![row("1", &[("a", "1.50")])])),
        (
            r#"{"1":{"a":"1","b":"2"},"2":{"b":"3","a":"4"},"3":{"a":"5"},"4":{"a":"6","b":"7"},"5":{"a":null,"b":"8"}}"#,
            Ok(vec![
                row("1", &[("a", "1"), ("b", "2")]),
                row("2", &[("b", "3"), ("a", "4")]),
                row("3", &[("a", "5")]),
                row("4", &[("a", "6"), ("b", "7")]),
                row("5", &[("b", "8")]),
            ]),
        ),
        (r#"{"\u0031":{"\u0061":"\n"}}"#, Ok(vec![row("1", &[("a", "\n")])])),
        (r#"{"1":{}}"#, Err(fault("1", None, NoField))),
        (r#"{"1":{"a":null}}"#, Err(fault("1", Some("a"), AllNull))),
        (r#"{"1":{"a":"1"},"2":[]}"#, Err(fault("2", None, NotAnObject))),
        (r#"{"1":"a"}"#, Err(fault("1", None, NotAnObject))),
        (r#"{"1":{"a":{}}}"#, Err(fault("1", Some("a"), NotAValue))),
        (r#"{"1":{"a":false}}"#, Err(fault("1", Some("a"), NotAValue))),
        (r#"{"1":{"a":"\ud800"}}"#, Err(fault("1", Some("a"), NotUnicode))),
        (r#"{"1":{"\ud800":"a"}}"#, Err(fault("1", None, NotUnicode))),
        (r#"{"1":{"":"a"}}"#, Err(fault("1", Some(""), BadName))),
        (r#"{"1":{"":null,"a":"1"}}"#, Err(fault("1", Some(""), BadName))),
        (r#"{"1":{"a":"1","a":"1"}}"#, Err(fault("1", Some("a"), Twice))),
        (r#"{"1":{"a":"1"},"2":{"a":"1","a":null}}"#, Err(fault("2", Some("a"), Twice))),
        (r#"{"1":{"a":"1"},"2":{"a":null,"b":"1","a":null}}"#, Err(fault("2", Some("a"), Twice))),
        (r#"{"":{"a":"1"}}"#, Err(BadId(String::new()))),
        (r#"{"1":{"a":"1"},"2":{"a":"1"},"3":{"a":"1"},"4":{"a":"1"},"5":{"a":"1"},"6":1"#, Err(TooMany)),
        ("[]", Err(Malformed(Form::Rows, 1))),
        (r#"{"1":{"a":"1""#, Err(Malformed(Form::Rows, 13))),
        (r#"{"1":{"a":"1"}"#, Err(Malformed(Form::Rows, 14))),
        (r#"{"1":{"a":"1"},}"#, Err(Malformed(Form::Rows, 16))),
        ("{\"1\":{\"a\":\n01}}", Err(Malformed(Form::Rows, 13))),
    ];
    for (argument, expected) in cases {
        let read = json_rows(argument.as_bytes(), if *expected == Err(TooMany) { 5 } else { 6 });
        assert_eq!(read, *expected, "{argument}");
    }
}

#[test]
fn rows_by_column() {
    use BatchError::{
        BadField, BadId, ColumnCount, ColumnLength, FieldTwice, Malformed, MemberTwice, MissingMember,
        TooMany, UnknownMember,
    };
    use RowFault::*;
    let cases: &[(&str, Result<Vec<Row>, BatchError>)] = &[
        (r#"{"ids":[],"fields":[],"columns":[]}"#, Ok(vec![])),
        (r#"{"ids":[],"fields":["a"],"columns":[[]]}"#, Ok(vec![])),
        (
            r#"{"ids":["1",2],"fields":["a","b"],"columns":[["x","y"],[null,3]]}"#,
            Ok(vec![row("1", &[("a", "x")]), row("2", &[("a", "y"), ("b", "3")])]),
        ),
        (
            r#"{"columns":[["x","y"],["z","\u0041"]],"ids":["1","2"],"fields":["a","b"]}"#,
            Ok(vec![row("1", &[("a", "x"), ("b", "z")]), row("2", &[("a", "y"), ("b", "A")])]),
        ),
        (r#"{"ids":["1"],"fields":["a"],"columns":[[null]]}"#, Err(fault("1", Some("a"), AllNull))),
        (r#"{"ids":["1"],"fields":[],"columns":[]}"#, Err(fault("1", None, NoField))),
        (r#"{"ids":["1"],"fields":["a"],"columns":[[[]]]}"#, Err(fault("1", Some("a"), NotAValue))),
        (
            r#"{"ids":["1","2"],"fields":["a"],"columns":[["x","\udc00"]]}"#,
            Err(fault("2", Some("a"), NotUnicode)),
        ),
        (r#"{"ids":["1"],"fields":["a"],"columns":[]}"#, Err(ColumnCount { fields: 1 })),
        (r#"{"ids":["1"],"fields":["a"],"columns":[["1"],["2"]]}"#, Err(ColumnCount { fields: 1 })),
        (
            r#"{"ids":["1"],"fields":["a"],"columns":[[]]}"#,
            Err(ColumnLength { field: "a".to_owned(), ids: 1 }),
        ),
        (
            r#"{"ids":["1"],"fields":["a","b"],"columns":[["1"],["1","2"]]}"#,
            Err(ColumnLength { field: "b".to_owned(), ids: 1 }),
        ),
        (
            r#"{"ids":["1"],"fields":["a","b","a"],"columns":[["1"],["1"],["1"]]}"#,
            Err(FieldTwice("a".to_owned())),
        ),
        (r#"{"ids":["1"],"fields":[""],"columns":[["1"]]}"#, Err(BadField(String::new()))),
        (r#"{"ids":[""],"fields":["a"],"columns":[["1"]]}"#, Err(BadId(String::new()))),
        (r#"{"ids":["1"],"fields":["a"]}"#, Err(MissingMember("columns"))),
        (r#"{"fields":["a"],"columns":[["1"]]}"#, Err(MissingMember("ids"))),
        (r#"{"ids":["1"],"ids":["1"],"fields":["a"],"columns":[["1"]]}"#, Err(MemberTwice("ids"))),
        (r#"{"ids":["1"],"rows":1}"#, Err(UnknownMember("rows".to_owned()))),
        (r#"{"ids":["1","2","3","4","5","6"],"fields":["a"],"columns":[]}"#, Err(TooMany)),
        (r#"{"ids":"1","fields":["a"],"columns":[["1"]]}"#, Err(Malformed(Form::Columns, 10))),
        (r#"{"ids":["1"],"fields":["a"],"columns":[["1"]"#, Err(Malformed(Form::Columns, 44))),
        (r#"{"ids":["1"],"fields":[{}],"columns":[["1"]]}"#, Err(Malformed(Form::Columns, 26))),
        (r#"{"ids":["1"],"fields":["a"],"columns":["1"]}"#, Err(Malformed(Form::Columns, 42))),
        ("[]", Err(Malformed(Form::Columns, 1))),
    ];
    for (argument, expected) in cases {
        assert_eq!(columns(argument.as_bytes(), 5), *expected, "{argument}");
    }
}

#[test]
fn rows_at_their_bounds() {
    let names = |count: usize| -> Vec<String> { (0..count).map(|index| format!("f{index}")).collect() };
    let by_row = |names: &[String], value: &str| {
        let fields: Vec<_> = names.iter().map(|name| format!(r#""{name}":"{value}""#)).collect();
        format!(r#"{{"1":{{{}}}}}"#, fields.join(","))
    };
    let by_column = |names: &[String], value: &str| {
        let list: Vec<_> = names.iter().map(|name| format!(r#""{name}""#)).collect();
        let cells: Vec<_> = names.iter().map(|_| format!(r#"["{value}"]"#)).collect();
        format!(r#"{{"ids":["1"],"fields":[{}],"columns":[{}]}}"#, list.join(","), cells.join(","))
    };
    let long_name = |bytes| vec!["n".repeat(bytes)];
    let (long_value, too_long) = ("v".repeat(MAX_VALUE_BYTES), "v".repeat(MAX_VALUE_BYTES + 1));
    let bad_name = "n".repeat(MAX_NAME_BYTES + 1);
    // (names, value, what is wrong by row, what is wrong by column)
    let cases = [
        (names(MAX_FIELDS), "1", None, None),
        (
            names(MAX_FIELDS + 1),
            "1",
            Some(fault("1", Some("f64"), RowFault::TooManyFields)),
            Some(fault("1", Some("f64"), RowFault::TooManyFields)),
        ),
        (long_name(MAX_NAME_BYTES), "1", None, None),
        (
            vec![bad_name.clone()],
            "1",
            Some(fault("1", Some(&bad_name), RowFault::BadName)),
            Some(BatchError::BadField(bad_name.clone())),
        ),
        (names(1), long_value.as_str(), None, None),
        (
            names(1),
            too_long.as_str(),
            Some(fault("1", Some("f0"), RowFault::TooLong)),
            Some(fault("1", Some("f0"), RowFault::TooLong)),
        ),
    ];
    for (names, value, wrong_by_row, wrong_by_column) in cases {
        // An escape has serde_json read the rest too.
        for escape in [false, true] {
            let escaped = |text: String| if escape { text.replacen("\"1\"", "\"\\u0031\"", 1) } else { text };
            let (rows, columns_text) = (escaped(by_row(&names, value)), escaped(by_column(&names, value)));
            assert_eq!(json_rows(rows.as_bytes(), 100).err(), wrong_by_row);
            assert_eq!(columns(columns_text.as_bytes(), 100).err(), wrong_by_column);
        }
    }
}

#[test]
fn columns_have_no_more_fields_than_rows_can_have() {
    let fields = |count: usize| (0..count).map(|index| format!("\"f{index}\"")).collect::<Vec<_>>().join(",");
    let table = |count| format!(r#"{{"ids":["1"],"fields":[{}],"columns":[]}}"#, fields(count));
    assert_eq!(columns(table(2 * 64).as_bytes(), 2), Err(BatchError::ColumnCount { fields: 128 }));
    assert_eq!(columns(table(2 * 64 + 1).as_bytes(), 2), Err(BatchError::TooManyFields));
}

#[test]
fn nulls_in_columns_make_few_lists() {
    let names: Vec<String> = (0..64).map(|index| format!("\"{index:0>256}\"")).collect();
    // Each row lacks another pair of fields, so that each has a list of 62 long names.
    let table = |rows: usize| {
        let ids: Vec<String> = (0..rows).map(|id| id.to_string()).collect();
        let cell = |row: usize, column: usize| {
            let is_null = column == row % 64 || column == row / 64;
            if is_null { "null" } else { "1" }
        };
        let column = |column| (0..rows).map(|row| cell(row, column)).collect::<Vec<_>>().join(",");
        let columns: Vec<String> = (0..64).map(|index| format!("[{}]", column(index))).collect();
        format!(
            r#"{{"ids":[{}],"fields":[{}],"columns":[{}]}}"#,
            ids.join(","),
            names.join(","),
            columns.join(",")
        )
    };
    assert_eq!(columns(table(60).as_bytes(), usize::MAX).map(|rows| rows.len()), Ok(60));
    assert_eq!(columns(table(1000).as_bytes(), usize::MAX), Err(BatchError::TooManyLists));
}

/// JSON texts with and without escapes, white space and mistakes.
fn json_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "\"[a-c1-3]{0,2}\"",
        "\"(\\PC|[\\x00-\\x7f]){0,3}\"",
        "\"\\\\(u00[0-9a-f]{2}|n|u[0-9a-f]{1,4})\"",
        "-?[0-9]{1,3}(\\.[0-9])?(e[0-9])?",
        "null|true|\\[\\]|\\{\\}|[a-z\"\\\\]",
    ]
}

fn spaced(parts: Vec<String>, spaces: &str) -> String {
    parts.join(spaces)
}

proptest! {
    #[test]
    fn lists_are_those_of_serde_json(
        elements in proptest::collection::vec(json_text(), 0..5), space in " ?\n?", end in "\\]|\\],|",
    ) {
        let argument = format!("[{}{end}", spaced(elements, &format!(",{space}")));
        let read = ids(argument.as_bytes(), 4).ok();
        let expected = serde_json::from_str::<Value>(&argument).ok().and_then(|value| {
            let list = value.as_array().filter(|list| list.len() <= 4)?.clone();
            list.iter().map(as_id).collect::<Option<Vec<_>>>()
        });
        // serde_json's own numbers lose their text.
        let normal = |ids: Option<Vec<String>>| ids.map(|ids| ids.iter().map(|id| normal(id)).collect::<Vec<_>>());
        prop_assert_eq!(normal(read), normal(expected), "{}", argument);
    }

    #[test]
    fn rows_are_those_of_serde_json(
        rows in proptest::collection::vec(
            ("\"[a-c1-3]{0,2}\"|\"\\\\u00[46][1-3]\"", proptest::collection::vec(("\"[a-c]{0,1}\"|\"\\\\u006[1-3]\"", json_text()), 0..4)),
            0..4,
        ),
        space in " ?\n?",
        end in "\\}|\\},|",
    ) {
        let member = |(name, value): &(String, String)| format!("{name}{space}:{space}{value}");
        let object = |fields: &Vec<(String, String)>| {
            format!("{{{}}}", fields.iter().map(member).collect::<Vec<_>>().join(","))
        };
        let pairs: Vec<_> = rows.iter().map(|(id, fields)| member(&(id.clone(), object(fields)))).collect();
        let argument = format!("{{{}{end}", pairs.join(","));
        let plain = json_rows::read_plain(&argument, 3).map(|rows| rows_of(&rows));
        let read = json_rows(argument.as_bytes(), 3);
        if let Some(plain) = &plain {
            prop_assert_eq!(read.as_ref(), Ok(plain), "{}", argument);
        }
        // Whatever has no escapes is read in one pass.
        prop_assert!(read.is_err() || plain.is_some() || argument.contains('\\'), "{}", argument);
        prop_assert_eq!(read.is_ok(), model_rows(&rows, &argument).is_some(), "{}", argument);
        if let (Ok(read), Some(expected)) = (read, model_rows(&rows, &argument)) {
            prop_assert_eq!(read, expected, "{}", argument);
        }
    }

    #[test]
    fn columns_are_the_rows_they_hold(
        rows in proptest::collection::vec(proptest::collection::btree_map("[a-e]", "\\PC{0,3}|[\\x00-\\x7f]{0,3}|[0-9]{1,3}", 1..4), 0..6),
        space in " ?", order in Just([0, 1, 2]).prop_shuffle(),
    ) {
        let mut names: Vec<&String> = rows.iter().flat_map(BTreeMap::keys).collect();
        names.sort();
        names.dedup();
        let ids: Vec<String> = (0..rows.len()).map(|id| id.to_string()).collect();
        let column = |name: &&String| rows.iter().map(|row| row.get(*name)).collect::<Vec<_>>();
        let cells: Vec<_> = names.iter().map(column).collect();
        let members = [
            format!("\"ids\":{space}{}", serde_json::to_string(&ids).unwrap()),
            format!("\"fields\":{}", serde_json::to_string(&names).unwrap()),
            format!("\"columns\":{}", serde_json::to_string(&cells).unwrap()),
        ];
        let argument = format!("{{{}}}", order.map(|place| members[place].as_str()).join(","));
        let fields = |row: &BTreeMap<String, String>| row.clone().into_iter().collect();
        let expected: Vec<Row> = ids.iter().cloned().zip(rows.iter().map(fields)).collect();
        prop_assert_eq!(columns(argument.as_bytes(), 6), Ok(expected), "{}", argument);
        let plain = columns::read_plain(&argument, 6);
        // Columns are read in one pass where they come last.
        prop_assert!(plain.is_some() || argument.contains('\\') || order[2] != 2, "{}", argument);
    }
}

/// What serde_json makes of an element, if it can be an id.
fn as_id(value: &Value) -> Option<String> {
    let id = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!id.is_empty()).then_some(id)
}

fn normal(id: &str) -> String {
    serde_json::from_str::<serde_json::Number>(id).map_or(id.to_owned(), |number| number.to_string())
}

/// The rows as they should be read, if all is well.
fn model_rows(rows: &[(String, Vec<(String, String)>)], argument: &str) -> Option<Vec<Row>> {
    serde_json::from_str::<Value>(argument).ok()?;
    let decode = |json: &String| serde_json::from_str::<String>(json).ok();
    rows.iter()
        .map(|(id, fields)| {
            let id = decode(id).filter(|id| !id.is_empty())?;
            let mut names = Vec::new();
            let mut values = Vec::new();
            for (name, value) in fields {
                let name = decode(name).filter(|name| !name.is_empty() && !names.contains(name))?;
                names.push(name.clone());
                match serde_json::from_str(value).ok()? {
                    Value::Null => {}
                    Value::String(text) => values.push((name, text)),
                    Value::Number(_) => values.push((name, value.clone())),
                    _ => return None,
                }
            }
            (!values.is_empty()).then_some((id, values))
        })
        .collect()
}
