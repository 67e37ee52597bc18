//! What services do: locks, tables of moments that come and go, claims, scripts and transactions.

use redis::{Connection, Value};

use super::plan::{Plan, USERS, VEHICLES};
use crate::harness::*;

const SCRIPT: &str = "local lock = redis.call('QUOTELOCK.ACQUIRE', KEYS[1], ARGV[1], '*', 'PX', ARGV[2], 'JSON') \
                      redis.call('VEHPRICE.MSET', KEYS[2], 'NX', 'PXAT', ARGV[3], 'JSON', ARGV[4]) \
                      return {lock, redis.call('VEHPRICE.MGET', KEYS[2], 'FIELDS', 1, 'styleId', 'COLUMNS', 'LIST', ARGV[5])}";

/// A table of one of the moments that are asked for, and when its rows expire.
pub(crate) struct Table {
    pub(crate) key: String,
    pub(crate) expires: String,
}

impl Table {
    pub(crate) fn any(plan: &Plan, rng: &mut Rng) -> Self {
        let age = rng.below(3) as i64;
        Self::of(plan, age, rng.below(2))
    }

    /// That of the moment this many before.
    pub(crate) fn of(plan: &Plan, age: i64, flow: u64) -> Self {
        let align = plan.align_ms();
        let at = (now() / align - age) * align;
        Self {
            key: format!("hermes:tags:{{{}}}:{flow}", moment(at)),
            expires: (at + plan.life_ms as i64).to_string(),
        }
    }
}

/// Vehicles one after the other.
pub(crate) fn vehicles(rng: &mut Rng) -> Vec<String> {
    from(rng.below(VEHICLES), rng)
}

/// Those that only who has claimed them stores.
pub(crate) fn claimable(rng: &mut Rng) -> Vec<String> {
    from(VEHICLES - 100 + rng.below(1000), rng)
}

fn from(first: u64, rng: &mut Rng) -> Vec<String> {
    (first..=first + rng.below(40)).map(|id| id.to_string()).collect()
}

/// Three fields; one row of fifty is long.
fn row(rng: &mut Rng) -> [String; 3] {
    let length = if rng.below(50) == 0 { 600 + rng.below(900) } else { 20 + rng.below(60) };
    let plan = format!(r#"{{"price":"{}.50","text":"{}"}}"#, rng.below(100), "p".repeat(length as usize));
    [rng.below(100).to_string(), rng.below(1000).to_string(), plan]
}

const FIELDS: [&str; 3] = ["styleId", "pricingId", "plan:571"];

pub(crate) fn json_of(ids: &[String], rng: &mut Rng) -> String {
    let rows = ids.iter().map(|id| {
        let fields: serde_json::Map<_, _> =
            FIELDS.iter().zip(row(rng)).map(|(name, value)| ((*name).to_owned(), value.into())).collect();
        (id.clone(), fields.into())
    });
    serde_json::Value::Object(rows.collect()).to_string()
}

fn columns_of(ids: &[String], rng: &mut Rng) -> String {
    let rows: Vec<_> = ids.iter().map(|_| row(rng)).collect();
    let columns: Vec<Vec<&str>> =
        (0..FIELDS.len()).map(|field| rows.iter().map(|row| row[field].as_str()).collect()).collect();
    serde_json::json!({ "ids": ids, "fields": FIELDS, "columns": columns }).to_string()
}

pub(crate) fn list_of(ids: &[String]) -> String {
    serde_json::to_string(ids).unwrap()
}

pub(crate) fn token(rng: &mut Rng) -> String {
    format!("{:016x}{:016x}", rng.next_u64(), rng.next_u64())
}

/// One step of a service.
pub(crate) fn step(con: &mut Connection, plan: &Plan, rng: &mut Rng) {
    match rng.below(100) {
        0..50 => lock(con, plan, rng),
        50..68 => write(con, plan, rng),
        68..82 => read(con, plan, rng),
        82..90 => claim(con, plan, rng),
        90..94 => together(con, plan, rng),
        94..96 => plans_and_hashes(con, plan, rng),
        _ => whole_keys(con, plan, rng),
    }
}

fn user(rng: &mut Rng) -> String {
    format!("hermes:LockedQuoteInfo:{}", rng.below(USERS))
}

fn life(plan: &Plan, rng: &mut Rng) -> u64 {
    plan.life_ms / 2 + rng.below(plan.life_ms / 2)
}

fn lock(con: &mut Connection, plan: &Plan, rng: &mut Rng) {
    let (key, ttl) = (&*user(rng), life(plan, rng));
    let (px, buffer) = (&*ttl.to_string(), &*(ttl / 6).to_string());
    let roles = rng.pick(&[r#"["3","7"]"#, "[3]", "1,2,3", "[]", r#"["é","12345678901234567890"]"#]);
    let new = [key, roles, "*", "PX", px, "PBUFFER", buffer, "LAG", "5"];
    let with = |first: &[&str], last: &[&str]| [first, &new, last].concat().join(" ");
    match rng.below(20) {
        0..6 => drop(cmd(con, &with(&["QUOTELOCK.ACQUIRE"], &["JSON"]))),
        6..8 => drop(cmd(con, &with(&["QUOTELOCK.ACQUIRE"], &["IFMISSING"]))),
        8..10 => drop(cmd(con, &with(&["QUOTELOCK.SET"], &[rng.pick(&["NX", "XX"])]))),
        // A lock may be aligned only if it is not closing at birth.
        10 if ttl - ttl / 6 >= 1000 => drop(cmd(con, &with(&["QUOTELOCK.SET"], &["ALIGN", "1"]))),
        10..14 => drop(cmd(con, &["QUOTELOCK.GET", key, "JSON"])),
        14 => drop(cmd(con, &["QUOTELOCK.GET", key])),
        // Pods that know no module.
        15 => {
            let text = format!(r#"{{"roleIds":["3","7"],"queryTime":"{}"}}"#, moment(now()));
            cmd(con, &["SET", key, &text, "PX", px]);
        }
        16 => drop(cmd(con, &["GET", key])),
        17 => {
            let held = text(con, &["GET", key]);
            if let Some(time) = held.split('"').rev().find(|part| part.ends_with('Z')) {
                cmd(con, &["QUOTELOCK.DEL", key, "IFEQ", time]);
            }
        }
        18 => drop(cmd(con, &["QUOTELOCK.DEL", key])),
        _ => drop(cmd(con, &["UNLINK", key])),
    }
}

fn write(con: &mut Connection, plan: &Plan, rng: &mut Rng) {
    let Table { key, expires } = &Table::any(plan, rng);
    let ids = &vehicles(rng);
    let soon = (1 + rng.below(plan.life_ms / 10)).to_string();
    match rng.below(16) {
        0..3 => drop(cmd(con, &["VEHPRICE.MSET", key, "PXAT", expires, "JSON", &json_of(ids, rng)])),
        3..6 => drop(cmd(con, &["VEHPRICE.MSET", key, "PXAT", expires, "COLUMNS", &columns_of(ids, rng)])),
        6..9 => {
            let mut words =
                ["VEHPRICE.MSET", key, "PXAT", expires, "FIELDS", "3"].map(str::to_owned).to_vec();
            words.extend(FIELDS.map(str::to_owned));
            words.push("ROWS".to_owned());
            for id in ids {
                words.push(id.clone());
                words.extend(row(rng));
            }
            cmd(con, &words);
        }
        9 => drop(cmd(con, &["VEHPRICE.MSET", key, "NX", "PX", &soon, "JSON", &json_of(ids, rng)])),
        10 => {
            drop(cmd(con, &["VEHPRICE.MSET", key, "XX", "PXAT", expires, "COLUMNS", &columns_of(ids, rng)]))
        }
        11 => {
            let price = format!(r#"{{"{}":{{"price":{}}}}}"#, ids[0], rng.below(1000));
            cmd(con, &["VEHPRICE.MSET", key, "MERGE", "KEEPTTL", "JSON", &price]);
        }
        12 => drop(cmd(con, &["VEHPRICE.SET", key, &ids[0], "PX", &soon, "FIELDS", "1", "styleId", "1"])),
        13 => drop(cmd(con, &["VEHPRICE.SET", key, &ids[0], "PXAT", "1", "FIELDS", "1", "styleId", "1"])),
        _ => {
            let mut words = vec!["VEHPRICE.DEL", key];
            words.extend(ids.iter().take(8).map(String::as_str));
            cmd(con, &words);
        }
    }
}

fn read(con: &mut Connection, plan: &Plan, rng: &mut Rng) {
    let key = &*Table::any(plan, rng).key;
    let ids = vehicles(rng);
    let list = &*list_of(&ids);
    match rng.below(32) {
        0..10 => {
            let raw = ["FIELDS", "2", "styleId", "plan:571", "JSON", "RAW", "1", "plan:571"];
            cmd(con, &[&["VEHPRICE.MGET", key], &raw[..], &["LIST", list]].concat());
        }
        10..18 => {
            let columns = ["FIELDS", "2", "styleId", "pricingId", "COLUMNS", "LIST", list];
            cmd(con, &[&["VEHPRICE.MGET", key], &columns[..]].concat());
        }
        18..20 => {
            let mut words = vec!["VEHPRICE.MGET", key, "IDS"];
            words.extend(ids.iter().map(String::as_str));
            cmd(con, &words);
        }
        20..24 => drop(cmd(con, &["VEHPRICE.GET", key, &ids[0], "JSON"])),
        24 => drop(cmd(con, &["VEHPRICE.GETALL", key, rng.pick(&["JSON", "COLUMNS"])])),
        25 => {
            let mut cursor = "0".to_owned();
            loop {
                let page = text(con, &["VEHPRICE.SCAN", key, &cursor, "COUNT", "500", "JSON"]);
                let page: serde_json::Value = serde_json::from_str(&page).unwrap();
                page["cursor"].as_str().unwrap().clone_into(&mut cursor);
                if cursor == "0" {
                    break;
                }
            }
        }
        26 => drop(cmd(con, &["VEHPRICE.LEN", key])),
        27 => drop(cmd(con, &["VEHPRICE.PTTL", key, &ids[0]])),
        28 => drop(cmd(con, &["VEHPRICE.INFO", key])),
        29 => drop(cmd(con, &["VEHPRICE.VERIFY", key, &ids[0], "styleId", "1", "JSON"])),
        _ => drop(cmd(con, &["VEHPRICE.CHANGES", key, "0", "FIELDS", "1", "styleId"])),
    }
}

/// Rows are claimed, and stored at once or in two steps, given up, or left until the claims expire.
fn claim(con: &mut Connection, plan: &Plan, rng: &mut Rng) {
    let Table { key, expires } = &Table::any(plan, rng);
    let (ids, token) = (&claimable(rng), &*token(rng));
    let px = (100 + rng.below(plan.life_ms / 20)).to_string();
    let refresh = (plan.life_ms / 2).to_string();
    let mut words = vec!["VEHPRICE.CLAIM", key, "PX", &px, "LIMIT", "20"];
    if rng.below(8) > 0 {
        words.extend(["TOKEN", token]);
    }
    if rng.below(4) == 0 {
        words.extend(["REFRESH", &refresh]);
    }
    let list = list_of(ids);
    words.extend(["FIELDS", "1", "styleId", rng.pick(&["JSON", "COLUMNS"]), "LIST", &list]);
    cmd(con, &words);
    match rng.below(4) {
        0 => {
            let rows = json_of(ids, rng);
            cmd(con, &["VEHPRICE.MSET", key, "PXAT", expires, "TOKEN", token, "JSON", &rows]);
        }
        1 => {
            let keep = ["PXAT", expires, "MERGE", "TOKEN", token, "KEEPCLAIM", "JSON"];
            let rows = json_of(ids, rng);
            cmd(con, &[&["VEHPRICE.MSET", key], &keep[..], &[&rows]].concat());
            cmd(con, &["VEHPRICE.MSET", key, "MERGE", "TOKEN", token, "COLUMNS", &columns_of(ids, rng)]);
        }
        2 => drop(cmd(con, &["VEHPRICE.RELEASE", key, token])),
        _ => {}
    }
}

/// Several commands in a script, or in a transaction, which a watched key may stop.
fn together(con: &mut Connection, plan: &Plan, rng: &mut Rng) {
    let Table { key, expires } = &Table::any(plan, rng);
    let (user, ids, px) = (&*user(rng), vehicles(rng), &*life(plan, rng).to_string());
    let (rows, list) = (&*json_of(&ids, rng), &*list_of(&ids));
    if rng.below(2) == 0 {
        cmd(con, &["EVAL", SCRIPT, "2", user, key, "3,7", px, expires, rows, list]);
        return;
    }
    let transaction = [
        vec!["WATCH", user],
        vec!["MULTI"],
        vec!["QUOTELOCK.ACQUIRE", user, "3,7", "*", "PX", px],
        vec!["VEHPRICE.MSET", key, "XX", "PXAT", expires, "JSON", rows],
        vec!["VEHPRICE.MGET", key, "BLOCK", "1000", "LIST", list],
        vec![rng.pick(&["EXEC", "DISCARD"])],
    ];
    for reply in pipelined(con, &transaction) {
        assert!(!matches!(reply, Value::ServerError(_)), "{}", show(&reply));
    }
}

fn plans_and_hashes(con: &mut Connection, plan: &Plan, rng: &mut Rng) {
    let hashes: Vec<String> = (0..10).map(|_| format!("hermes:scooters:{}", rng.below(300))).collect();
    let px = plan.life_ms.to_string();
    for key in &hashes[..2] {
        cmd(con, &["HSET", key, "styleId", "12", "pricingId", "571"]);
        cmd(con, &["PEXPIRE", key, &px]);
    }
    let mut words = vec!["VEHPRICE.MGETHASH"];
    words.extend(hashes.iter().map(String::as_str));
    cmd(con, &words);
    cmd(con, &["SET", "hermes:pricingReleaseToggle", rng.pick(&["1", "2", "3", "4"]), "PX", &px]);
    cmd(con, &["PRICEPLAN.TAG", "hermes:pricingReleaseToggle", "571", "572_old"]);
    cmd(con, &["PRICEPLAN.ROUTE", "hermes:pricingReleaseToggle", "571", "572_old"]);
}

/// What is done to keys as a whole. Tables go too rarely for that to keep them from filling.
fn whole_keys(con: &mut Connection, plan: &Plan, rng: &mut Rng) {
    let key = &*Table::any(plan, rng).key;
    let other = &*format!("{key}:{}", rng.below(3));
    let px = (1 + rng.below(plan.life_ms / 4)).to_string();
    match rng.below(64) {
        0 => drop(cmd(con, &["VEHPRICE.CLEAR", key])),
        1 => drop(cmd(con, &["UNLINK", key])),
        2 => drop(cmd(con, &["DEL", key])),
        3..20 => {
            cmd(con, &["COPY", key, other, "REPLACE"]);
            cmd(con, &["PEXPIRE", other, &px]);
        }
        20..36 => {
            let dump = cmd(con, &["DUMP", key]);
            if let Value::BulkString(dump) = dump {
                cmd(con, &[b"RESTORE", other.as_bytes(), px.as_bytes(), &dump, b"REPLACE"]);
            }
        }
        36..44 => {
            let renamed = try_cmd(con, &["RENAME", other, &format!("{key}:0")]);
            assert!(renamed.is_ok() || renamed == Err("ERR no such key".to_owned()), "{renamed:?}");
        }
        44..54 => drop(cmd(con, &["UNLINK", other])),
        _ => drop(cmd(con, &["VEHPRICE.CLEAR", other])),
    }
}
