//! The pages of `docs/reference` say what the module has: its errors, counters and settings.

use std::collections::BTreeSet;
use std::fs;

use crate::harness::*;

/// Where the texts of errors stand.
const ERRORS: [&str; 8] = [
    "src/error.rs",
    "src/data_type.rs",
    "crates/core/src/lock/role_ids.rs",
    "crates/core/src/batch/error.rs",
    "crates/core/src/table/codec.rs",
    "crates/server/src/key.rs",
    "crates/server/src/load_error.rs",
    "crates/server/src/settings.rs",
];

fn page(name: &str) -> String {
    fs::read_to_string(workspace().join("docs/reference").join(name)).unwrap()
}

/// The first cells of a page's tables, without the heads, as the texts in code that they have.
fn first_cells(page: &str) -> Vec<&str> {
    let cells = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    cells.map(|(cell, _)| cell).collect()
}

/// A text as the code has it, with `{…}` where a name or a number is put in.
struct Wording {
    pieces: Vec<String>,
}

impl Wording {
    fn of(attribute: &str) -> Self {
        let text = attribute.replace(r#"\""#, "\"").replace("{NOT_AN_INTEGER}", NOT_AN_INTEGER);
        let mut pieces = vec![String::new()];
        for part in text.split('{') {
            let after = part.split_once('}').map_or(part, |(_, after)| {
                pieces.push(String::new());
                after
            });
            pieces.last_mut().unwrap().push_str(after);
        }
        Self { pieces }
    }

    fn fits(&self, shown: &str) -> bool {
        let [first, rest @ ..] = self.pieces.as_slice() else { return false };
        let Some(mut shown) = shown.strip_prefix(first.as_str()) else { return false };
        let Some((last, between)) = rest.split_last() else { return shown.is_empty() };
        for piece in between {
            let Some(at) = shown.find(piece.as_str()) else { return false };
            shown = &shown[at + piece.len()..];
        }
        shown.ends_with(last.as_str())
    }
}

const NOT_AN_INTEGER: &str = "ERR value is not an integer or out of range";

fn wordings() -> Vec<Wording> {
    let mut wordings = Vec::new();
    for file in ERRORS {
        let code = fs::read_to_string(workspace().join(file)).unwrap();
        for attribute in code.split("#[error(").skip(1) {
            if let Some(text) = attribute.trim_start().strip_prefix('"') {
                let end = text.match_indices('"').find(|(at, _)| !text[..*at].ends_with('\\')).unwrap().0;
                wordings.push(Wording::of(&text[..end]));
            }
        }
    }
    assert!(wordings.len() > 50, "only {} errors were found", wordings.len());
    wordings
}

#[test]
fn the_page_of_errors_has_each_as_it_is_worded() {
    let page = page("errors.md");
    let (own, rest) = page.split_once("## From the server").unwrap();
    let (_, at_start) = rest.split_once("## At start").unwrap();
    let shown = [first_cells(own), first_cells(at_start)].concat();
    let wordings = wordings();
    for wording in &wordings {
        let text = wording.pieces.join("…");
        let is_shown = shown.iter().any(|cell| wording.fits(cell)) || at_start.contains(&format!("`{text}`"));
        assert!(is_shown, "docs/reference/errors.md lacks: {text}");
    }
    for cell in shown {
        assert!(wordings.iter().any(|wording| wording.fits(cell)), "no error is worded so: {cell}");
    }
}

#[test]
fn the_page_of_counters_has_each() {
    let server = Server::start(Kind::DEFAULT);
    let counted = info(&mut server.connection(), "quotelock");
    let counted: BTreeSet<_> = counted.keys().map(String::as_str).collect();
    let page = page("info.md");
    let listed: BTreeSet<_> =
        first_cells(&page).into_iter().filter(|cell| cell.starts_with("quotelock_")).collect();
    assert_eq!(listed, counted, "docs/reference/info.md, and INFO quotelock");
}

#[test]
fn the_page_of_settings_has_each_with_its_default() {
    let server = Server::start(Kind::DEFAULT);
    let set: Vec<String> =
        redis::from_redis_value(cmd(&mut server.connection(), "CONFIG GET quotelock.*")).unwrap();
    let set: BTreeSet<_> = set.chunks(2).map(|pair| (pair[0].as_str(), pair[1].as_str())).collect();
    let page = page("settings.md");
    let rows: Vec<_> = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | ")).collect();
    let names: Vec<_> = rows.iter().map(|(name, _)| format!("quotelock.{name}")).collect();
    let values = rows.iter().map(|(_, rest)| rest.split(' ').next().unwrap());
    let listed: BTreeSet<_> = names.iter().map(String::as_str).zip(values).collect();
    assert_eq!(listed, set, "docs/reference/settings.md, and CONFIG GET");
}
