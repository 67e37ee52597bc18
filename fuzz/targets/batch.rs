//! Ids and rows in one argument of JSON: what is taken is what a plainer reader takes by serde_json alone, whether
//! texts have escapes or not; and rows are the same by id and by column.

use std::collections::BTreeSet;
use std::fmt;

use quotelock_core::batch::{BatchError, IdList, RowBatch, with_columns, with_json_rows};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A row's id and its fields in order.
type Row = (String, Vec<(String, String)>);

/// Too short for the names in all lists to exceed what columns may make of them: that is at least 1 MiB, and they
/// have at most the bytes of the fields, once for each row.
const MAX_INPUT: usize = 2048;

/// The first byte is the form and how many ids or rows there may be, the rest is the argument.
pub(crate) fn batch(input: &[u8]) {
    let Some((how, argument)) = input.split_first().filter(|_| input.len() <= MAX_INPUT) else { return };
    let max = usize::from(how / 3);
    let json = std::str::from_utf8(argument).ok();
    let shown = argument.escape_ascii();
    match how % 3 {
        0 => {
            let taken = ids(argument, max);
            assert_eq!(taken, json.and_then(|json| plain_ids(json, max)), "{max} of {shown}");
            if let Some(ids) = taken {
                come_back_as_list(&ids);
            }
        }
        form => {
            let (taken, expected) = if form == 1 {
                (rows(argument, max), json.and_then(|json| plain_rows(json, max)))
            } else {
                (columns(argument, max), json.and_then(|json| plain_columns(json, max)))
            };
            assert_eq!(taken, expected, "{max} of {shown}");
            if let Some(rows) = taken {
                come_back_by_id(&rows);
                come_back_by_column(&rows);
            }
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn ids(argument: &[u8], max: usize) -> Option<Vec<String>> {
    let list = taken(argument, IdList::parse(argument, max))?;
    let ids = list.ids();
    let ranges = list.ranges_in(argument);
    // Whatever has no escapes is read in one pass.
    assert_eq!(ranges.is_some(), !argument.contains(&b'\\'), "{}", argument.escape_ascii());
    if let Some(ranges) = ranges {
        let slices = ranges.iter().map(|range| &argument[range.start as usize..range.end as usize]);
        assert!(slices.eq(ids.iter().copied()), "{}", argument.escape_ascii());
    }
    Some(ids.iter().map(|id| text(id)).collect())
}

fn rows(argument: &[u8], max: usize) -> Option<Vec<Row>> {
    taken(argument, with_json_rows(argument, max, |batch| rows_of(&batch)))
}

fn columns(argument: &[u8], max: usize) -> Option<Vec<Row>> {
    taken(argument, with_columns(argument, max, |batch| rows_of(&batch)))
}

fn taken<T>(argument: &[u8], read: Result<T, BatchError>) -> Option<T> {
    if let Err(BatchError::Malformed(_, at)) = read {
        assert!((1..=argument.len().max(1)).contains(&at), "{at} in {}", argument.escape_ascii());
    }
    read.ok()
}

/// The rows, once all holds that is said of a batch.
fn rows_of(batch: &RowBatch<'_>) -> Vec<Row> {
    let lists = batch.lists();
    assert_eq!(lists.iter().collect::<BTreeSet<_>>().len(), lists.len(), "{lists:?}");
    for names in lists {
        assert!(names.len() <= 64);
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
    }
    let mut seen = 0;
    let row = |(row, id): (usize, &&[u8])| {
        // Lists are numbered as they come.
        let list = batch.list_of(row);
        assert!(list <= seen);
        seen = seen.max(list + 1);
        let (names, values) = (&lists[list], batch.values(row));
        assert!(!names.is_empty() && values.len() == names.len());
        let fields = names.iter().zip(values).map(|(name, value)| ((*name).to_owned(), text(value)));
        (text(id), fields.collect())
    };
    let rows: Vec<Row> = batch.ids().iter().enumerate().map(row).collect();
    assert!(rows.is_empty() || seen == lists.len());
    rows
}

/// A list of ids by serde_json.
fn plain_ids(json: &str, max: usize) -> Option<Vec<String>> {
    let elements: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    let ids: Vec<_> = elements.into_iter().map(plain_text).collect::<Option<_>>()?;
    (ids.len() <= max && ids.iter().all(|id| is_short(id))).then_some(ids)
}

/// Rows by id.
fn plain_rows(json: &str, max: usize) -> Option<Vec<Row>> {
    let Members(members) = serde_json::from_str(json).ok()?;
    let row = |(id, fields): (String, &RawValue)| {
        let Members(fields) = serde_json::from_str(fields.get()).ok()?;
        let cells = fields.into_iter().map(|(name, value)| Some((name, plain_cell(value)?)));
        plain_row(id, cells.collect::<Option<_>>()?)
    };
    (members.len() <= max).then(|| members.into_iter().map(row).collect())?
}

/// Rows by column.
fn plain_columns(json: &str, max: usize) -> Option<Vec<Row>> {
    let Members(mut members) = serde_json::from_str(json).ok()?;
    members.sort_by(|(a, _), (b, _)| a.cmp(b));
    let [columns, fields, ids] = members.as_slice() else { return None };
    if [&columns.0, &fields.0, &ids.0] != ["columns", "fields", "ids"] {
        return None;
    }
    let ids = plain_ids(ids.1.get(), max)?;
    let fields: Vec<&RawValue> = serde_json::from_str(fields.1.get()).ok()?;
    let fields: Vec<_> = fields.into_iter().map(plain_text).collect::<Option<_>>()?;
    let columns: Vec<Vec<&RawValue>> = serde_json::from_str(columns.1.get()).ok()?;
    let column = |column: Vec<&RawValue>| column.into_iter().map(plain_cell).collect::<Option<Vec<_>>>();
    let columns: Vec<_> = columns.into_iter().map(column).collect::<Option<_>>()?;
    let is_complete = columns.len() == fields.len() && columns.iter().all(|column| column.len() == ids.len());
    if !is_complete || fields.len() > 64 * max || !are_names(&fields) {
        return None;
    }
    let row = |(row, id): (usize, String)| {
        let cell = |(name, column): (&String, &Vec<Option<String>>)| (name.clone(), column[row].clone());
        plain_row(id, fields.iter().zip(&columns).map(cell).collect())
    };
    ids.into_iter().enumerate().map(row).collect()
}

/// A row, if there is one with this id and these fields. (`MAX_INPUT` bounds the values.)
fn plain_row(id: String, cells: Vec<(String, Option<String>)>) -> Option<Row> {
    let (names, _): (Vec<_>, Vec<_>) = cells.iter().cloned().unzip();
    let fields: Vec<_> = cells.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let is_row = is_short(&id) && are_names(&names) && (1..=64).contains(&fields.len());
    is_row.then_some((id, fields))
}

fn are_names(names: &[String]) -> bool {
    names.iter().all(|name| is_short(name)) && names.iter().collect::<BTreeSet<_>>().len() == names.len()
}

/// As ids and names are.
fn is_short(text: &str) -> bool {
    (1..=256).contains(&text.len())
}

/// The text of a string, or a number as it is written.
fn plain_text(json: &RawValue) -> Option<String> {
    match json.get().chars().next()? {
        '"' => serde_json::from_str(json.get()).ok(),
        '-' | '0'..='9' => Some(json.get().to_owned()),
        _ => None,
    }
}

/// The same, or null.
fn plain_cell(json: &RawValue) -> Option<Option<String>> {
    if json.get() == "null" { Some(None) } else { plain_text(json).map(Some) }
}

/// The members of an object in order, with those that are there twice.
struct Members<'j>(Vec<(String, &'j RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = object.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

/// How a text is written as JSON.
type Quote = fn(&str) -> String;

/// With as few escapes as there can be, and with nothing else.
const QUOTES: [Quote; 2] = [
    |text| serde_json::to_string(text).unwrap(),
    |text| format!("\"{}\"", text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect::<String>()),
];

fn list(elements: impl Iterator<Item = String>) -> String {
    format!("[{}]", elements.collect::<Vec<_>>().join(","))
}

fn object(members: impl Iterator<Item = (String, String)>) -> String {
    let members: Vec<_> = members.map(|(name, value)| format!("{name}:{value}")).collect();
    format!("{{{}}}", members.join(","))
}

/// Ids are read again as they were, and not if that is one too many.
fn come_back_as_list(expected: &[String]) {
    for quote in QUOTES {
        let json = list(expected.iter().map(|id| quote(id)));
        assert_eq!(ids(json.as_bytes(), expected.len()).as_deref(), Some(expected), "{json}");
        if let Some(fewer) = expected.len().checked_sub(1) {
            assert_eq!(ids(json.as_bytes(), fewer), None, "{json}");
        }
    }
}

/// Rows are read again as they were, by id.
fn come_back_by_id(expected: &[Row]) {
    for quote in QUOTES {
        let fields = |fields: &[(String, String)]| {
            object(fields.iter().map(|(name, value)| (quote(name), quote(value))))
        };
        let json = object(expected.iter().map(|(id, row)| (quote(id), fields(row))));
        assert_eq!(rows(json.as_bytes(), expected.len()).as_deref(), Some(expected), "{json}");
        if let Some(fewer) = expected.len().checked_sub(1) {
            assert_eq!(rows(json.as_bytes(), fewer), None, "{json}");
        }
    }
}

/// And by column, each with its fields in the order of the columns.
fn come_back_by_column(expected: &[Row]) {
    let mut names: Vec<&String> = Vec::new();
    for (name, _) in expected.iter().flat_map(|(_, fields)| fields) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let place = |(name, _): &(String, String)| names.iter().position(|own| *own == name);
    let in_order = |(id, fields): &Row| {
        let mut fields = fields.clone();
        fields.sort_by_key(place);
        (id.clone(), fields)
    };
    let expected: Vec<Row> = expected.iter().map(in_order).collect();
    for quote in QUOTES {
        let cell = |name: &String, (_, fields): &Row| {
            let field = fields.iter().find(|(own, _)| own == name);
            field.map_or("null".to_owned(), |(_, value)| quote(value))
        };
        let columns = names.iter().map(|name| list(expected.iter().map(|row| cell(name, row))));
        let members = [
            ("\"ids\"", list(expected.iter().map(|(id, _)| quote(id)))),
            ("\"fields\"", list(names.iter().map(|name| quote(name)))),
            ("\"columns\"", list(columns)),
        ];
        let json = object(members.into_iter().map(|(name, value)| (name.to_owned(), value)));
        assert_eq!(self::columns(json.as_bytes(), expected.len()).as_ref(), Some(&expected), "{json}");
        if let Some(fewer) = expected.len().checked_sub(1) {
            assert_eq!(self::columns(json.as_bytes(), fewer), None, "{json}");
        }
    }
}
