//! What the core does most, as cases that can run any number of times.
#![expect(clippy::unwrap_used, reason = "a benchmark that panics has failed")]

use std::hint::black_box;

use quotelock_core::batch::{IdList, RowBatch, with_columns, with_json_rows};
use quotelock_core::json::JsonWriter;
use quotelock_core::lock::{Lock, Terms};
use quotelock_core::table::codec::{Decoder, encode};
use quotelock_core::table::{ColumnsWriter, Expiry, ExpiryPolicy, Table, WritePolicy};
use quotelock_core::timestamp::Timestamp;

pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// What is measured.
    pub(crate) unit: &'static str,
    /// How many units one run does.
    pub(crate) units: u32,
    /// Sets up, and returns the run.
    pub(crate) prepare: fn() -> Box<dyn FnMut()>,
}

const LOCKS: u32 = 1000;
const ROWS: u32 = 8000;

pub(crate) const CASES: &[Case] = &[
    Case { name: "lock-json", unit: "stored lock to JSON, fast parser", units: LOCKS, prepare: lock_json },
    Case { name: "lock-serde", unit: "stored lock to JSON, slow parser", units: LOCKS, prepare: lock_serde },
    Case { name: "timestamp", unit: "timestamp parsed", units: LOCKS, prepare: timestamp },
    Case { name: "mget-json", unit: "row looked up, to JSON", units: ROWS, prepare: mget_json },
    Case { name: "mget-missing", unit: "row looked up, missing", units: ROWS, prepare: mget_missing },
    Case { name: "getall-json", unit: "row of a whole table, to JSON", units: ROWS, prepare: getall_json },
    Case { name: "mset-new", unit: "new row written", units: ROWS, prepare: mset_new },
    Case { name: "mset-overwrite", unit: "row overwritten", units: ROWS, prepare: mset_overwrite },
    Case {
        name: "list-json",
        unit: "id of a list read and looked up, to JSON",
        units: ROWS,
        prepare: list_json,
    },
    Case {
        name: "list-columns",
        unit: "id of a list read and looked up, to columns",
        units: ROWS,
        prepare: list_columns,
    },
    Case { name: "json-over", unit: "row read from JSON and overwritten", units: ROWS, prepare: json_over },
    Case {
        name: "columns-over",
        unit: "row read from columns and overwritten",
        units: ROWS,
        prepare: columns_over,
    },
    Case {
        name: "columns-new",
        unit: "new row read from columns and written",
        units: ROWS,
        prepare: columns_new,
    },
    Case { name: "list-serde", unit: "id of a list read by serde_json", units: ROWS, prepare: list_serde },
    Case { name: "json-serde", unit: "row read from JSON by serde_json", units: ROWS, prepare: json_serde },
    Case { name: "sweep", unit: "row written and swept", units: ROWS, prepare: sweep },
    Case { name: "save", unit: "row saved", units: ROWS, prepare: save },
    Case { name: "load", unit: "row loaded", units: ROWS, prepare: load },
];

const SEED: [u64; 4] = [1, 2, 3, 4];
const NOW_MS: i64 = 1_726_109_453_000;
const NAMES: [&str; 2] = ["styleId", "pricingId"];
const VALUES: [&str; 2] = ["12", "571"];

const ID_BYTES: usize = 6;

const MAX_JSON_BYTES: usize = 64 << 20;

/// The length of a row as JSON.
const ROW_BYTES: usize = r#"{"styleId":"12","pricingId":"571"}"#.len();

/// Unique ids of six digits, in no order.
fn ids(count: u32) -> Vec<String> {
    (0..u64::from(count)).map(|index| (100_000 + index * 7919 % 899_981).to_string()).collect()
}

/// Writes rows as `VEHPRICE.MSET` does.
fn write(table: &mut Table, rows: &RowBatch<'_>, expiry_ms: i64) {
    let hashes: Vec<_> = rows.ids().iter().map(|id| table.hash(id)).collect();
    table.make_pages_for(rows.ids().len());
    let policy =
        WritePolicy { condition: None, merge: false, expiry: ExpiryPolicy::Set(Expiry::at(expiry_ms)) };
    let mut writer = table.writer(rows.lists(), policy);
    let mut ids = rows.ids().iter().enumerate();
    for hashes in hashes.chunks(Table::LOOKUP_BATCH) {
        let hints = writer.slot_hints(hashes);
        for ((row, id), hint) in ids.by_ref().take(hashes.len()).zip(hints) {
            writer.write(id, hint, rows.list_of(row), rows.values(row), NOW_MS);
        }
    }
}

/// Rows with these ids, kept for good.
fn batch(ids: Vec<String>) -> RowBatch<'static> {
    let ids: Vec<&[u8]> = ids.leak().iter().map(String::as_bytes).collect();
    let values = ids.iter().flat_map(|_| VALUES.map(str::as_bytes)).collect();
    RowBatch::uniform(NAMES.to_vec(), ids, values)
}

fn full_table() -> (Table, Vec<String>) {
    let (mut table, ids) = (Table::new(SEED), ids(ROWS));
    write(&mut table, &batch(ids.clone()), NOW_MS + 60_000);
    (table, ids)
}

fn read_locks(stored: &'static str) -> Box<dyn FnMut()> {
    let terms = Terms { ttl_ms: 360_000, buffer_ms: 60_000 };
    Box::new(move || {
        for _ in 0..LOCKS {
            let lock = Lock::parse(black_box(stored.as_bytes())).unwrap();
            let state = lock.state(Timestamp::from_unix_ms(NOW_MS), terms);
            assert!(lock.with_reply(state, None, |json| json.len()) > stored.len());
        }
    })
}

fn lock_json() -> Box<dyn FnMut()> {
    read_locks(r#"{"roleIds":["3","7"],"queryTime":"2024-09-12T02:50:53.000Z"}"#)
}

fn lock_serde() -> Box<dyn FnMut()> {
    read_locks(r#"{"queryTime":"2024-09-12T10:50:53+08:00","roleIds":[3,7]}"#)
}

fn timestamp() -> Box<dyn FnMut()> {
    Box::new(|| {
        for _ in 0..LOCKS {
            let parsed = Timestamp::parse(black_box(b"2024-09-12T02:50:53.000Z")).unwrap();
            assert_eq!(parsed.unix_ms(), NOW_MS);
        }
    })
}

fn mget(table: Table, ids: Vec<String>, length: usize) -> Box<dyn FnMut()> {
    Box::new(move || {
        let mut json = JsonWriter::with_capacity(length, MAX_JSON_BYTES);
        let mut later = Vec::new();
        table.get_each(ids.iter().map(String::as_bytes), NOW_MS, |row| match row {
            _ if json.is_long() => later.push(row),
            Some(row) => row.write_json(&mut json),
            None => json.write_raw(b"null"),
        });
        assert_eq!(json.finish().map(<[u8]>::len), Ok(length));
    })
}

fn mget_json() -> Box<dyn FnMut()> {
    let (table, mut ids) = full_table();
    ids.reverse();
    let length = ids.len() * ROW_BYTES;
    mget(table, ids, length)
}

fn mget_missing() -> Box<dyn FnMut()> {
    let (table, mut ids) = full_table();
    ids.iter_mut().for_each(|id| id.insert(0, '1'));
    let length = ids.len() * "null".len();
    mget(table, ids, length)
}

fn getall_json() -> Box<dyn FnMut()> {
    let (table, ids) = full_table();
    Box::new(move || {
        let mut json = JsonWriter::with_limit(MAX_JSON_BYTES);
        for row in table.iter(NOW_MS) {
            json.write_escaped(row.id());
            row.write_json(&mut json);
            if json.is_long() {
                break;
            }
        }
        assert_eq!(json.finish().map(<[u8]>::len), Ok(ids.len() * (ID_BYTES + ROW_BYTES)));
    })
}

fn mset_new() -> Box<dyn FnMut()> {
    let rows = batch(ids(ROWS));
    Box::new(move || {
        let mut table = Table::new(SEED);
        write(&mut table, &rows, NOW_MS + 60_000);
        assert_eq!(table.len(NOW_MS), rows.ids().len());
    })
}

fn mset_overwrite() -> Box<dyn FnMut()> {
    let (mut table, ids) = full_table();
    let rows = batch(ids);
    Box::new(move || {
        write(&mut table, &rows, NOW_MS + 60_000);
        assert_eq!(table.len(NOW_MS), rows.ids().len());
    })
}

/// A JSON array of strings.
fn array<'s>(texts: impl Iterator<Item = &'s str>) -> String {
    format!("[{}]", texts.map(|text| format!("\"{text}\"")).collect::<Vec<_>>().join(","))
}

fn id_list(ids: &[String]) -> String {
    array(ids.iter().map(String::as_str))
}

fn json_rows(ids: &[String]) -> String {
    let [(style, style_id), (pricing, pricing_id)] = [(NAMES[0], VALUES[0]), (NAMES[1], VALUES[1])];
    let row = |id| format!(r#""{id}":{{"{style}":"{style_id}","{pricing}":"{pricing_id}"}}"#);
    format!("{{{}}}", ids.iter().map(row).collect::<Vec<_>>().join(","))
}

fn columns(ids: &[String]) -> String {
    let column = |value| array(ids.iter().map(|_| value));
    let [styles, pricings] = VALUES.map(column);
    format!(
        r#"{{"ids":{},"fields":{},"columns":[{styles},{pricings}]}}"#,
        id_list(ids),
        array(NAMES.into_iter())
    )
}

fn list_json() -> Box<dyn FnMut()> {
    let (table, ids) = full_table();
    let list = id_list(&ids);
    Box::new(move || {
        let ids = IdList::parse(list.as_bytes(), usize::MAX).unwrap();
        let mut json = JsonWriter::with_limit(MAX_JSON_BYTES);
        table.get_each(ids.ids().iter().copied(), NOW_MS, |row| row.unwrap().write_json(&mut json));
        assert_eq!(json.finish().map(<[u8]>::len), Ok(ROWS as usize * ROW_BYTES));
    })
}

fn list_columns() -> Box<dyn FnMut()> {
    let (table, ids) = full_table();
    let list = id_list(&ids);
    Box::new(move || {
        let ids = IdList::parse(list.as_bytes(), usize::MAX).unwrap();
        let mut columns = ColumnsWriter::new(&NAMES, MAX_JSON_BYTES);
        table.get_each(ids.ids().iter().copied(), NOW_MS, |row| columns.add(row));
        let mut json = JsonWriter::with_limit(MAX_JSON_BYTES);
        columns.write_columns(&mut json).unwrap();
        assert!(json.finish().unwrap().len() > ROWS as usize * 10);
    })
}

fn json_over() -> Box<dyn FnMut()> {
    let (mut table, ids) = full_table();
    let text = json_rows(&ids);
    Box::new(move || {
        with_json_rows(text.as_bytes(), usize::MAX, |rows| write(&mut table, &rows, NOW_MS + 60_000))
            .unwrap();
    })
}

fn columns_over() -> Box<dyn FnMut()> {
    let (mut table, ids) = full_table();
    let text = columns(&ids);
    Box::new(move || {
        with_columns(text.as_bytes(), usize::MAX, |rows| write(&mut table, &rows, NOW_MS + 60_000)).unwrap();
    })
}

fn columns_new() -> Box<dyn FnMut()> {
    let text = columns(&ids(ROWS));
    Box::new(move || {
        let mut table = Table::new(SEED);
        with_columns(text.as_bytes(), usize::MAX, |rows| write(&mut table, &rows, NOW_MS + 60_000)).unwrap();
    })
}

fn list_serde() -> Box<dyn FnMut()> {
    // An escape, so that it is not plain.
    let list = id_list(&ids(ROWS)).replacen("[\"", "[\"\\u0041", 1);
    Box::new(move || {
        assert_eq!(IdList::parse(list.as_bytes(), usize::MAX).unwrap().ids().len(), ROWS as usize);
    })
}

fn json_serde() -> Box<dyn FnMut()> {
    let text = json_rows(&ids(ROWS)).replacen("{\"", "{\"\\u0041", 1);
    Box::new(move || {
        with_json_rows(text.as_bytes(), usize::MAX, |rows| assert_eq!(rows.ids().len(), ROWS as usize))
            .unwrap();
    })
}

fn sweep() -> Box<dyn FnMut()> {
    let rows = batch(ids(ROWS));
    Box::new(move || {
        let mut table = Table::new(SEED);
        write(&mut table, &rows, NOW_MS + 60_000);
        let mut swept = 0;
        while let Some(more) = table.sweep(NOW_MS + 60_000, 0, 16, usize::MAX) {
            swept += more.rows;
        }
        assert_eq!(swept, rows.ids().len());
    })
}

fn chunks(table: &Table) -> Vec<Vec<u8>> {
    let mut chunks = Vec::new();
    encode(table, NOW_MS, |chunk| chunks.push(chunk.to_vec()));
    chunks
}

fn save() -> Box<dyn FnMut()> {
    let (table, _) = full_table();
    Box::new(move || assert!(chunks(&table).len() > 2))
}

fn load() -> Box<dyn FnMut()> {
    let (table, ids) = full_table();
    let chunks = chunks(&table);
    Box::new(move || {
        let mut decoder = Decoder::new(SEED);
        let sealed = chunks.iter().any(|chunk| decoder.take(chunk).unwrap());
        assert!(sealed && decoder.finish(|| {}).unwrap().len(NOW_MS) == ids.len());
    })
}
