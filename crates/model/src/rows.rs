use std::collections::BTreeMap;

use quotelock_core::json::JsonWriter;
use quotelock_core::table::{Expiry, Table, Verdict, WriteOutcome, WritePolicy};

/// The rows of one table, in a form that is compared and hashed. Each question goes to the core's [`Table`], made
/// anew of what is kept here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rows(BTreeMap<String, Row>);

/// Fields and their values.
pub type Fields = Vec<(String, String)>;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Row {
    fields: Fields,
    expiry: Expiry,
}

impl Rows {
    /// Writes a row by this policy.
    pub fn write(&mut self, id: &str, fields: &Fields, policy: WritePolicy, now_ms: i64) -> WriteOutcome {
        let mut table = self.table();
        let names = [fields.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>()];
        let values: Vec<&[u8]> = fields.iter().map(|(_, value)| value.as_bytes()).collect();
        let hash = table.hash(id.as_bytes());
        let [hint, ..] = table.slot_hints(&[hash]);
        let outcome = table.writer(&names, policy).write(id.as_bytes(), hint, 0, &values, now_ms);
        self.keep(&table, now_ms);
        outcome
    }

    /// Deletes a row; returns whether it was there.
    pub fn remove(&mut self, id: &str, now_ms: i64) -> bool {
        let mut table = self.table();
        let was_there = table.remove(id.as_bytes(), now_ms);
        self.keep(&table, now_ms);
        was_there
    }

    /// The value of a row's field.
    pub fn value(&self, id: &str, name: &str, now_ms: i64) -> Option<String> {
        let table = self.table();
        let value = table.get(id.as_bytes(), now_ms)?.value(name.as_bytes())?;
        Some(String::from_utf8_lossy(value).into_owned())
    }

    /// Whether the row is there.
    pub fn contains(&self, id: &str, now_ms: i64) -> bool {
        self.table().get(id.as_bytes(), now_ms).is_some()
    }

    /// Compares a row with what was seen of it.
    pub fn verify(&self, id: &str, expected: &Fields, now_ms: i64) -> Verdict {
        let expected: Vec<(&str, &[u8])> =
            expected.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        Verdict::of(self.table().get(id.as_bytes(), now_ms), &expected)
    }

    /// A row as JSON; `null` where it is not there.
    pub fn json(&self, id: &str, now_ms: i64) -> String {
        let table = self.table();
        let Some(row) = table.get(id.as_bytes(), now_ms) else {
            return "null".to_owned();
        };
        let mut json = JsonWriter::with_limit(usize::MAX);
        row.write_json(&mut json);
        String::from_utf8_lossy(json.finish().unwrap()).into_owned()
    }

    fn table(&self) -> Table {
        let mut table = Table::new([1, 2, 3, 4]);
        for (id, row) in &self.0 {
            let names: Vec<&str> = row.fields.iter().map(|(name, _)| name.as_str()).collect();
            table.put(id.as_bytes(), &names, row.fields.iter().map(|(_, value)| value.as_str()), row.expiry);
        }
        table
    }

    fn keep(&mut self, table: &Table, now_ms: i64) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let rows = table.iter(now_ms).map(|row| {
            let fields = row.fields().map(|(name, value)| (name.to_owned(), text(value))).collect();
            (text(row.id()), Row { fields, expiry: row.expiry() })
        });
        self.0 = rows.collect();
    }
}
