//! The most frequent work of the plain-Rust core, as cases that can run any number of times.
#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "a benchmark may fail")]

use quotelock::moment::Moment;
use quotelock::quotelock::{Lock, Terms};
use quotelock::vehprice::codec::{Decoder, encode};
use quotelock::vehprice::{Expiry, Json, NewExpiry, Rules, Table};

pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// A unit of work, and how many a run does.
    pub(crate) unit: &'static str,
    pub(crate) units: u64,
    /// Prepares the data, and returns a run.
    pub(crate) prepare: fn() -> Box<dyn FnMut()>,
}

const LOCKS: u64 = 1000;
const ROWS: u64 = 8000;

pub(crate) const CASES: &[Case] = &[
    Case { name: "lock-json", unit: "lock, as services write it, to JSON", units: LOCKS, prepare: lock_json },
    Case { name: "lock-serde", unit: "lock, written otherwise, to JSON", units: LOCKS, prepare: lock_serde },
    Case { name: "moment", unit: "moment read", units: LOCKS, prepare: moment },
    Case { name: "mget-json", unit: "row looked up, to JSON", units: ROWS, prepare: mget_json },
    Case {
        name: "mget-missing",
        unit: "row looked up that is not there",
        units: ROWS,
        prepare: mget_missing,
    },
    Case { name: "getall-json", unit: "row of all, to JSON", units: ROWS, prepare: getall_json },
    Case { name: "mset-new", unit: "row written, new", units: ROWS, prepare: mset_new },
    Case { name: "mset-over", unit: "row written over another", units: ROWS, prepare: mset_over },
    Case { name: "sweep", unit: "row written and swept", units: ROWS, prepare: sweep },
    Case { name: "save", unit: "row saved", units: ROWS, prepare: save },
    Case { name: "load", unit: "row loaded", units: ROWS, prepare: load },
];

const SEED: [u64; 4] = [1, 2, 3, 4];
const NOW_MS: i64 = 1_726_109_453_000;
const NAMES: [&str; 2] = ["styleId", "pricingId"];

const ID_BYTES: usize = 6;

/// The length of a row in JSON.
const ROW_BYTES: usize = r#"{"styleId":"12","pricingId":"571"}"#.len();

/// Distinct ids of six digits, not in order.
fn ids(count: u64) -> Vec<String> {
    (0..count).map(|index| (100_000 + index * 7919 % 899_981).to_string()).collect()
}

/// Writes rows as `VEHPRICE.MSET` does.
fn write(table: &mut Table, ids: &[String], expiry_ms: i64) {
    let ids: Vec<&[u8]> = ids.iter().map(String::as_bytes).collect();
    let hashes: Vec<_> = ids.iter().map(|id| table.hash(id)).collect();
    table.make_pages_for(ids.len());
    let rules = Rules { condition: None, merge: false, expiry: NewExpiry::Given(Expiry::at(expiry_ms)) };
    let mut writer = table.writer(&NAMES, rules);
    for (ids, hashes) in ids.chunks(Table::SIDE_BY_SIDE).zip(hashes.chunks(Table::SIDE_BY_SIDE)) {
        for (id, spot) in ids.iter().zip(writer.spots(hashes)) {
            writer.write(id, spot, ["12", "571"].into_iter(), NOW_MS);
        }
    }
}

fn full_table() -> (Table, Vec<String>) {
    let (mut table, ids) = (Table::new(SEED), ids(ROWS));
    write(&mut table, &ids, NOW_MS + 60_000);
    (table, ids)
}

fn read_locks(stored: &'static str) -> Box<dyn FnMut()> {
    let terms = Terms { ttl_ms: 360_000, buffer_ms: 60_000 };
    Box::new(move || {
        for _ in 0..LOCKS {
            let lock = Lock::read(std::hint::black_box(stored.as_bytes())).unwrap();
            let state = lock.state(Moment::from_unix_ms(NOW_MS), terms);
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

fn moment() -> Box<dyn FnMut()> {
    Box::new(|| {
        for _ in 0..LOCKS {
            let moment = Moment::parse(std::hint::black_box(b"2024-09-12T02:50:53.000Z")).unwrap();
            assert_eq!(moment.unix_ms(), NOW_MS);
        }
    })
}

fn mget(table: Table, ids: Vec<String>, length: usize) -> Box<dyn FnMut()> {
    Box::new(move || {
        let mut json = Json::expecting(length);
        table.get_each(ids.iter().map(String::as_bytes), NOW_MS, |row| match row {
            Some(row) => row.write_json(&mut json),
            None => json.add(b"null"),
        });
        assert_eq!(json.whole().map(<[u8]>::len), Ok(length));
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
        let mut json = Json::default();
        for row in table.iter(NOW_MS) {
            json.add_escaped(row.id());
            row.write_json(&mut json);
        }
        assert_eq!(json.whole().map(<[u8]>::len), Ok(ids.len() * (ID_BYTES + ROW_BYTES)));
    })
}

fn mset_new() -> Box<dyn FnMut()> {
    let ids = ids(ROWS);
    Box::new(move || {
        let mut table = Table::new(SEED);
        write(&mut table, &ids, NOW_MS + 60_000);
        assert_eq!(table.len(NOW_MS), ids.len());
    })
}

fn mset_over() -> Box<dyn FnMut()> {
    let (mut table, ids) = full_table();
    Box::new(move || {
        write(&mut table, &ids, NOW_MS + 60_000);
        assert_eq!(table.len(NOW_MS), ids.len());
    })
}

fn sweep() -> Box<dyn FnMut()> {
    let ids = ids(ROWS);
    Box::new(move || {
        let mut table = Table::new(SEED);
        write(&mut table, &ids, NOW_MS + 60_000);
        let mut swept = 0;
        while let Some(more) = table.sweep(NOW_MS + 60_000, 16, usize::MAX) {
            swept += more;
        }
        assert_eq!(swept, ids.len());
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
        assert!(sealed && decoder.finish().unwrap().len(NOW_MS) == ids.len());
    })
}
