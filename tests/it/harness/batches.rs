//! Ids and rows as one argument of JSON.

use std::fmt::Write as _;

use quotelock_testkit::Rng;

/// A row to be written: its id, and its fields in order.
pub(crate) type GivenRow = (String, Vec<(String, String)>);

/// A text as a JSON string.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// The same with an escape for each character, as JSON allows.
pub(crate) fn escaped(text: &str) -> String {
    let mut json = "\"".to_owned();
    text.encode_utf16().for_each(|unit| write!(json, "\\u{unit:04x}").unwrap());
    json + "\""
}

/// Now and then with escapes that it needs not.
pub(crate) fn quoted_somehow(rng: &mut Rng, text: &str) -> String {
    if rng.below(4) == 0 { escaped(text) } else { quoted(text) }
}

/// `LIST`'s argument.
pub(crate) fn id_list<T: AsRef<str>>(ids: &[T]) -> String {
    let ids: Vec<_> = ids.iter().map(|id| quoted(id.as_ref())).collect();
    format!("[{}]", ids.join(","))
}

/// The argument of `MSET … JSON`.
pub(crate) fn json_rows(rows: &[GivenRow]) -> String {
    let field = |(name, value): &(String, String)| format!("{}:{}", quoted(name), quoted(value));
    let row = |(id, fields): &GivenRow| {
        format!("{}:{{{}}}", quoted(id), fields.iter().map(field).collect::<Vec<_>>().join(","))
    };
    format!("{{{}}}", rows.iter().map(row).collect::<Vec<_>>().join(","))
}

/// The argument of `MSET … COLUMNS`, the fields in the order in which they come first.
pub(crate) fn column_rows(rows: &[GivenRow]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in rows.iter().flat_map(|(_, fields)| fields) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let cell = |(_, fields): &GivenRow, name: &str| {
        let value = fields.iter().find(|(own, _)| own == name);
        value.map_or_else(|| "null".to_owned(), |(_, value)| quoted(value))
    };
    let column =
        |name: &&str| format!("[{}]", rows.iter().map(|row| cell(row, name)).collect::<Vec<_>>().join(","));
    let columns: Vec<_> = names.iter().map(column).collect();
    let ids: Vec<_> = rows.iter().map(|(id, _)| id).collect();
    format!(r#"{{"ids":{},"fields":{},"columns":[{}]}}"#, id_list(&ids), id_list(&names), columns.join(","))
}

/// Rows that `FIELDS names ROWS rows` gives, each text split at its spaces.
pub(crate) fn rows_of(names: &str, rows: &str) -> Vec<GivenRow> {
    let names: Vec<&str> = names.split(' ').collect();
    let words: Vec<&str> = rows.split(' ').collect();
    let row = |words: &[&str]| {
        let fields = names.iter().zip(&words[1..]).map(|(name, value)| (name.to_string(), value.to_string()));
        (words[0].to_owned(), fields.collect())
    };
    words.chunks(names.len() + 1).map(row).collect()
}

/// Random rows, their fields in any order if `mixed`, otherwise all with the same.
pub(crate) fn random_rows(rng: &mut Rng, count: usize, mixed: bool) -> Vec<GivenRow> {
    let mut names = ["styleId", "pricingId", "plan:571", "é ü", "\"\\\n"];
    let mut width = 3;
    (0..count)
        .map(|number| {
            if mixed {
                rng.shuffle(&mut names);
                width = 1 + rng.below(5) as usize;
            }
            let id = random_id(rng, number);
            (id, names[..width].iter().map(|name| ((*name).to_owned(), random_text(rng))).collect())
        })
        .collect()
}

fn random_id(rng: &mut Rng, number: usize) -> String {
    let before = rng.pick(&["", "", "", "", "é", "\"", "\\", "\0\n", "角🚲", " "]);
    format!("{before}{number}")
}

fn random_text(rng: &mut Rng) -> String {
    match rng.below(12) {
        0 => String::new(),
        1 => "{\"price\":\"1.50\\n€\"}\0".to_owned(),
        2 => "v".repeat(rng.below(700) as usize),
        3 => "🚲\u{2028}\u{7f}".to_owned(),
        4 => "null".to_owned(),
        number => (number * 7).to_string(),
    }
}
