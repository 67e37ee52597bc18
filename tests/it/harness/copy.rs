//! A copy of a table, kept by VEHPRICE.CHANGES alone: it does what the command's page says, and no more.

use std::collections::BTreeMap;

use redis::Value;
use serde::Deserialize;
use serde_json::json;

use super::call::show;

/// What VEHPRICE.CHANGES answers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct News {
    pub(crate) revision: String,
    pub(crate) now: i64,
    pub(crate) whole: bool,
    pub(crate) groups: Vec<Group>,
    pub(crate) deleted: Vec<String>,
}

/// Rows of one expiry, by column.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Group {
    expires_at: Option<i64>,
    fields: Vec<String>,
    pub(crate) ids: Vec<String>,
    columns: Vec<Vec<Option<String>>>,
}

impl News {
    /// Reads an answer in RESP2 or RESP3, or in JSON.
    #[track_caller]
    pub(crate) fn of(reply: &Value) -> Self {
        let answer = match reply {
            Value::BulkString(json) => serde_json::from_slice(json),
            other => serde_json::from_value(as_json(other)),
        };
        answer.unwrap_or_else(|error| panic!("{error}: {}", show(reply)))
    }

    /// Whether it says that nothing has changed.
    pub(crate) fn is_nothing(&self) -> bool {
        !self.whole && self.groups.is_empty() && self.deleted.is_empty()
    }
}

/// An answer of maps and arrays as the one in JSON.
fn as_json(reply: &Value) -> serde_json::Value {
    let member = |(name, value): (String, &Value)| match (name.as_str(), value) {
        ("groups", Value::Array(groups)) => {
            let group =
                |group| members(group).into_iter().map(|(name, value)| (name, plain(value))).collect();
            (name, serde_json::Value::Array(groups.iter().map(group).collect()))
        }
        ("whole", Value::Int(whole @ (0 | 1))) => (name, json!(*whole == 1)),
        _ => (name, plain(value)),
    };
    members(reply).into_iter().map(member).collect()
}

/// The members of a map, which in RESP2 is an array of names and values in turn.
fn members(map: &Value) -> Vec<(String, &Value)> {
    let pairs: Vec<_> = match map {
        Value::Map(pairs) => pairs.iter().map(|(name, value)| (name, value)).collect(),
        Value::Array(flat) => flat.chunks_exact(2).map(|pair| (&pair[0], &pair[1])).collect(),
        other => panic!("no map but {}", show(other)),
    };
    let name = |name: &Value| String::from_utf8(redis::from_redis_value(name.clone()).unwrap()).unwrap();
    pairs.into_iter().map(|(found, value)| (name(found), value)).collect()
}

fn plain(value: &Value) -> serde_json::Value {
    match value {
        Value::Nil => json!(null),
        Value::Int(number) => json!(number),
        Value::BulkString(text) => json!(std::str::from_utf8(text).unwrap()),
        Value::Array(values) => values.iter().map(plain).collect(),
        other => panic!("not of such an answer: {}", show(other)),
    }
}

/// Fields by name; of a field that was named and that the row lacks, nothing.
pub(crate) type Fields = BTreeMap<String, Option<String>>;

/// A copy of a table.
#[derive(Clone, Debug)]
pub(crate) struct OwnCopy {
    /// What to ask with next.
    pub(crate) revision: String,
    rows: BTreeMap<String, (Option<i64>, Fields)>,
}

impl OwnCopy {
    /// Of nothing yet.
    pub(crate) fn new() -> Self {
        Self { revision: "0".to_owned(), rows: BTreeMap::new() }
    }

    /// Does what an answer says.
    #[track_caller]
    pub(crate) fn take(&mut self, news: News) {
        if news.whole {
            self.rows.clear();
        }
        for id in &news.deleted {
            self.rows.remove(id);
        }
        for Group { expires_at, fields, ids, columns } in news.groups {
            assert_eq!(columns.len(), fields.len());
            assert!(!ids.is_empty() && columns.iter().all(|column| column.len() == ids.len()));
            let mut rows = vec![Fields::new(); ids.len()];
            for (field, column) in fields.iter().zip(columns) {
                rows.iter_mut().zip(column).for_each(|(row, value)| drop(row.insert(field.clone(), value)));
            }
            for (id, row) in ids.into_iter().zip(rows) {
                self.rows.insert(id, (expires_at, row));
            }
        }
        self.revision = news.revision;
    }

    /// Drops what has expired, as a client may.
    pub(crate) fn forget_expired(&mut self, now: i64) {
        self.rows.retain(|_, (expires_at, _)| expires_at.is_none_or(|at| at > now));
    }

    /// The rows that are not over.
    pub(crate) fn live(&self, now: i64) -> BTreeMap<&str, (Option<i64>, &Fields)> {
        let rows = self.rows.iter().map(|(id, (expires_at, fields))| (id.as_str(), (*expires_at, fields)));
        rows.filter(|(_, (expires_at, _))| expires_at.is_none_or(|at| at > now)).collect()
    }
}
