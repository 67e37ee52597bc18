//! Load on a Cluster through redis-rs: `cluster_load host:port,… name tag,…`. See
//! tests/it/reliability/cluster_load.rs.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::indexing_slicing,
    reason = "a program that panics fails its test"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::io::stdin;
use std::sync::mpsc::{Receiver, channel};
use std::thread::{sleep, spawn};
use std::time::Duration;

use quotelock_testkit::Rng;
use redis::cluster::{ClusterClient, ClusterConnection};
use redis::{ErrorKind, FromRedisValue, ServerErrorKind};

const TIMEOUT: Duration = Duration::from_secs(5);
const IDS: [&str; 5] = ["1", "2", "3", "4", "5"];

struct Load {
    client: ClusterClient,
    cluster: Option<ClusterConnection>,
    /// What each key has held since the last pause, the newest last.
    held: BTreeMap<String, Vec<String>>,
    writes: u64,
    behind: usize,
    wrong: Vec<String>,
    rng: Rng,
}

impl Load {
    fn send<T: FromRedisValue>(&mut self, words: &[&str]) -> Result<T, Box<dyn Error>> {
        loop {
            let cluster = match self.cluster.take() {
                Some(cluster) => Ok(cluster),
                None => self.client.get_connection(),
            };
            let Ok(mut cluster) = cluster else {
                sleep(Duration::from_millis(20));
                continue;
            };
            match redis::cmd(words[0]).arg(&words[1..]).query(&mut cluster) {
                Ok(answer) => {
                    self.cluster = Some(cluster);
                    return Ok(answer);
                }
                Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::ResponseError) => {
                    return Err(error.into());
                }
                // A node is gone: another connection, and the same again.
                Err(_) => sleep(Duration::from_millis(20)),
            }
        }
    }

    fn write(&mut self, key: &str) -> Result<(), Box<dyn Error>> {
        self.writes += 1;
        let mut value = self.writes.to_string();
        let time =
            chrono::DateTime::from_timestamp(1_577_836_800 + self.writes as i64, 0).ok_or("no time")?;
        let (is_lock, choice) = (key.starts_with("user:"), self.rng.below(20));
        let rows: Vec<&str> = IDS.iter().flat_map(|id| [*id, value.as_str()]).collect();
        let _answer: redis::Value = match (is_lock, choice) {
            (true, 0..2) => self.send(&["QUOTELOCK.DEL", key])?,
            (false, 0..2) => self.send(&[&["VEHPRICE.DEL", key], &IDS[..]].concat())?,
            (true, 2..10) => self.send(&["QUOTELOCK.SET", key, &value, &time.to_rfc3339()])?,
            (true, _) => self.send(&["QUOTELOCK.ACQUIRE", key, &value, &time.to_rfc3339()])?,
            (false, _) => {
                self.send(&[&["VEHPRICE.MSET", key, "FIELDS", "1", "price", "ROWS"], &rows[..]].concat())?
            }
        };
        if choice < 2 {
            value = "nil".into();
        }
        self.held.get_mut(key).ok_or("no such key")?.push(value);
        Ok(())
    }

    fn found(&mut self, key: &str) -> Result<String, Box<dyn Error>> {
        let text = |value: &serde_json::Value| value.as_str().unwrap_or("nil").to_owned();
        if key.starts_with("user:") {
            let lock: String = self.send(&["QUOTELOCK.GET", key, "JSON"])?;
            let lock: serde_json::Value = serde_json::from_str(&lock)?;
            return Ok(text(&lock["roleIds"][0]));
        }
        let rows: String = self.send(&[&["VEHPRICE.MGET", key, "JSON", "IDS"], &IDS[..]].concat())?;
        let rows: Vec<serde_json::Value> = serde_json::from_str(&rows)?;
        let prices: BTreeSet<String> = rows.iter().map(|row| text(&row["price"])).collect();
        Ok(prices.into_iter().collect::<Vec<_>>().join(","))
    }

    fn read(&mut self, key: &str) -> Result<(), Box<dyn Error>> {
        let value = self.found(key)?;
        let states = self.held.get_mut(key).ok_or("no such key")?;
        match states.iter().rposition(|state| *state == value) {
            Some(at) => self.behind += states.drain(at + 1..).len(),
            None => self.wrong.push(format!("{key} holds {value}, not {:?}", states.last())),
        }
        Ok(())
    }

    /// Until a line comes.
    fn run(&mut self, lines: &Receiver<String>) -> Result<(), Box<dyn Error>> {
        let keys: Vec<String> = self.held.keys().cloned().collect();
        while lines.try_recv().is_err() {
            let key = &keys[self.rng.below(keys.len() as u64) as usize];
            if self.rng.below(2) == 0 { self.write(key)? } else { self.read(key)? }
        }
        for key in &keys {
            self.read(key)?;
            let states = self.held.get_mut(key).ok_or("no such key")?;
            states.drain(..states.len() - 1);
        }
        let wrong = std::mem::take(&mut self.wrong);
        let behind = std::mem::take(&mut self.behind);
        println!("{}", serde_json::json!({ "writes": self.writes, "behind": behind, "wrong": wrong }));
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [nodes, name, tags] = args.as_slice() else { return Err("nodes, name, tags".into()) };
    let keys = tags
        .split(',')
        .flat_map(|tag| [format!("user:{{{tag}}}:{name}"), format!("prices:{{{tag}}}:{name}")]);
    let client = ClusterClient::builder(nodes.split(',').map(|node| format!("redis://{node}")));
    let mut load = Load {
        client: client.connection_timeout(TIMEOUT).response_timeout(TIMEOUT).build()?,
        cluster: None,
        held: keys.map(|key| (key, vec!["nil".into()])).collect(),
        writes: 0,
        behind: 0,
        wrong: Vec::new(),
        rng: Rng::seeded(1),
    };
    load.cluster = Some(load.client.get_connection()?);
    println!("ready");
    let (line, lines) = channel();
    spawn(move || stdin().lines().map_while(Result::ok).try_for_each(|said| line.send(said)));
    while lines.recv().is_ok() {
        load.run(&lines)?;
    }
    Ok(())
}
