//! What a server takes, looked at again and again.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use quotelock_testkit::poll;
use redis::{Connection, Value};

use super::clients::Shop;
use super::steps::{Table, list_of, vehicles};
use crate::harness::*;

/// Figures by name.
pub(crate) type Sample = BTreeMap<&'static str, f64>;

pub(crate) const MEMORY: &str = "used_memory";
/// Memory less what the keys hold, which is more at one time and less at another.
pub(crate) const BESIDES: &str = "memory_besides_keys";
pub(crate) const RESIDENT: &str = "used_memory_rss";
pub(crate) const DESCRIPTORS: &str = "descriptors";
pub(crate) const THREADS: &str = "threads";
pub(crate) const KEYS: &str = "keys";

/// What there is none of when all keys have gone.
const GONE: [&str; 7] = [
    KEYS,
    "quotelock_tables",
    "quotelock_tables_rows",
    "quotelock_tables_bytes",
    "quotelock_claims_pending",
    "quotelock_claims_bytes",
    "quotelock_claims_waiting",
];

const OF_INFO: [&str; 6] = [
    MEMORY,
    RESIDENT,
    "mem_fragmentation_ratio",
    "allocator_frag_ratio",
    "connected_clients",
    "blocked_clients",
];

/// About what a lock takes, key and all, where the server can't be asked.
const LOCK_BYTES: f64 = 160.0;

/// The values of one figure.
pub(crate) fn column(samples: &[Sample], name: &str) -> Vec<f64> {
    samples.iter().filter_map(|sample| sample.get(name).copied()).collect()
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// A server that is looked at, through a connection of its own.
pub(crate) struct Node<'a> {
    pub(crate) server: &'a Server,
    pub(crate) con: Connection,
    process: String,
}

impl<'a> Node<'a> {
    pub(crate) fn of(server: &'a Server) -> Self {
        let mut con = server.connection();
        let process = format!("/proc/{}", info(&mut con, "server")["process_id"]);
        Self { server, con, process }
    }

    pub(crate) fn sample(&mut self) -> Sample {
        let told = info(&mut self.con, "everything");
        let figure = |name: &&'static str| (*name, told[*name].parse().unwrap());
        let of_module = GONE.iter().filter(|name| **name != KEYS);
        let mut sample: Sample = OF_INFO.iter().chain(of_module).map(figure).collect();
        let entries = |of: &str| fs::read_dir(format!("{}/{of}", self.process)).unwrap().flatten();
        sample.insert(DESCRIPTORS, entries("fd").count() as f64);
        // The allocator starts some of its own when it first has much to give back.
        let name = |task: &fs::DirEntry| fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        let threads = entries("task").filter(|task| !name(task).starts_with("jemalloc_bg"));
        sample.insert(THREADS, threads.count() as f64);
        sample.insert(KEYS, int(&mut self.con, "DBSIZE") as f64);
        let held = match self.server.kind() {
            // They crash on `MEMORY USAGE` of a key that expires, as in `vehprice::keys`.
            Kind::REDIS_8_6 | Kind::REDIS_8_10 => {
                let locks = sample[KEYS] - sample["quotelock_tables"];
                sample["quotelock_tables_bytes"] + LOCK_BYTES * locks
            }
            _ => self.held(),
        };
        sample.insert(BESIDES, sample[MEMORY] - held);
        sample.insert("disk", size(self.server.dir()) as f64);
        sample
    }

    /// What the keys hold, by the server's own account; one that goes meanwhile holds nothing.
    fn held(&mut self) -> f64 {
        let Value::Array(keys) = cmd(&mut self.con, "KEYS *") else { panic!("KEYS gave no array") };
        let usage = |key: Value| {
            let Value::BulkString(key) = key else { panic!("{}", show(&key)) };
            [b"MEMORY".to_vec(), b"USAGE".to_vec(), key, b"SAMPLES".to_vec(), b"0".to_vec()]
        };
        let asked: Vec<_> = keys.into_iter().map(usage).collect();
        let answers = if asked.is_empty() { Vec::new() } else { pipelined(&mut self.con, &asked) };
        answers.iter().map(|bytes| if let Value::Int(bytes) = bytes { *bytes as f64 } else { 0.0 }).sum()
    }

    /// Whether the server has no client but this one, its primary and its replicas.
    fn is_alone(&mut self) -> bool {
        text(&mut self.con, "CLIENT LIST TYPE normal").lines().count() == 1
    }

    /// The least of each figure while nothing goes on, after all there was has gone.
    pub(crate) fn at_rest(&mut self, longest_life: Duration) -> Sample {
        // The one before keeps buffers for as much as it has asked.
        self.con = self.server.connection();
        let mut last = Sample::new();
        let gone = poll(TIMEOUT + longest_life, || {
            last = self.sample();
            let gone = GONE.iter().all(|name| last[name] == 0.0);
            (gone && self.is_alone()).then_some(())
        });
        assert!(gone.is_some(), "{}: not all has gone: {last:?}", self.server.kind());
        let quiet = |told: &BTreeMap<String, String>| {
            ["lazyfree_pending_objects", "rdb_bgsave_in_progress", "aof_rewrite_in_progress"]
                .iter()
                .all(|name| told[*name] == "0")
        };
        eventually(TIMEOUT, || quiet(&info(&mut self.con, "everything")).then_some(()));
        // Tables of keys shrink and buffers are freed a little later.
        let mut least = self.sample();
        let mut since = Instant::now();
        while since.elapsed() < Duration::from_secs(2) {
            rest(50);
            for (name, figure) in self.sample() {
                let least = least.get_mut(name).unwrap();
                if figure < *least {
                    *least = figure;
                    since = if name == MEMORY { Instant::now() } else { since };
                }
            }
        }
        least
    }
}

/// The files below a directory; one that goes meanwhile counts as gone.
fn size(directory: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(directory) else { return 0 };
    let of = |entry: fs::DirEntry| match entry.metadata() {
        Ok(found) if found.is_dir() => size(&entry.path()),
        found => found.map_or(0, |found| found.len()),
    };
    entries.flatten().map(of).sum()
}

/// How long a PING takes, and 40 rows of a table, in milliseconds.
#[derive(Default)]
pub(crate) struct Probe {
    ping: Mutex<Vec<f64>>,
    rows: Mutex<Vec<f64>>,
}

impl Probe {
    /// Asks again and again over a connection of its own.
    pub(crate) fn ask(&self, shop: &Shop<'_>, mut rng: Rng) {
        let mut raw = RawConnection::connect(shop.server.port()).unwrap();
        let ping = packed(&["PING"]);
        shop.every(25, || {
            let key = Table::of(&shop.plan, 0, 0).key;
            let list = list_of(&vehicles(&mut rng));
            let words = ["VEHPRICE.MGET", &key, "FIELDS", "2", "styleId", "plan:571", "JSON", "LIST", &list];
            for (command, times) in [(&ping, &self.ping), (&packed(&words), &self.rows)] {
                let start = Instant::now();
                raw.request(command).unwrap();
                times.lock().unwrap().push(start.elapsed().as_secs_f64() * 1000.0);
            }
        });
    }

    /// What it took since it was last looked at.
    pub(crate) fn take(&self) -> Sample {
        let mut figures = Sample::new();
        for (times, [half, most, all]) in [
            (&self.ping, ["ping_p50", "ping_p99", "ping_max"]),
            (&self.rows, ["rows_p50", "rows_p99", "rows_max"]),
        ] {
            let mut times = std::mem::take(&mut *times.lock().unwrap());
            times.sort_by(f64::total_cmp);
            if let Some(last) = times.len().checked_sub(1) {
                figures.insert(half, times[last / 2]);
                figures.insert(most, times[last * 99 / 100]);
                figures.insert(all, times[last]);
            }
        }
        figures
    }
}
