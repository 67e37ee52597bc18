//! What a server with the module should answer: locks, tables and the toggle as plain maps. Nothing in it
//! depends on the time: rows expire in the far future, in the past or never, and locks are on moments that
//! are long over or far off.

use std::collections::BTreeMap;

use serde_json::json;

use crate::harness::*;

/// How the server is to be set for that: locks close at the age of ten years.
pub(super) const MODULE_ARGS: &str = "price-ttl-ms 0 lock-ttl-ms 315360000000 lock-buffer-ms 0";

/// Moments, those of the first two closed long ago.
const MOMENTS: [&str; 5] = [
    "2000-01-01T00:00:00.000Z",
    "2001-09-09T03:46:40+02:00",
    "2024-09-12T02:50:53.000Z",
    "2024-09-12T02:50:53.001Z",
    "2099-12-31T23:59:59Z",
];
const UNIX_MS: [i64; 5] =
    [946_684_800_000, 1_000_000_000_000, 1_726_109_453_000, 1_726_109_453_001, 4_102_444_799_000];
const CLOSED_NOW: usize = 2;
const TEN_YEARS_MS: i64 = 315_360_000_000;

/// Role ids as given and as stored.
const ROLES: [(&str, &str); 4] =
    [("3,7", r#"["3","7"]"#), ("[3,7]", r#"["3","7"]"#), ("[]", "[]"), (r#"["é\"1"]"#, r#"["é\"1"]"#)];

const NAMES: [&str; 4] = ["styleId", "pricingId", "plan:571", "é"];
const FAR: [i64; 3] = [4_000_000_000_000, 4_000_000_000_001, 253_402_300_799_999];

type Row = (Vec<(String, String)>, i64);

/// All that the server should hold.
#[derive(Default)]
pub(super) struct Model {
    locks: BTreeMap<u64, (&'static str, usize)>,
    tables: BTreeMap<u64, BTreeMap<String, Row>>,
    toggle: Option<usize>,
}

/// A command, and its answer in the words of `show`.
pub(super) type Step = (Vec<String>, String);

impl Model {
    pub(super) fn step(&mut self, rng: &mut Rng) -> Step {
        match rng.below(16) {
            0..4 => self.lock(rng),
            4..9 => self.write(rng),
            9..13 => self.read(rng),
            13 => self.remove(rng),
            14 => self.by_key(rng),
            _ => self.plan(rng),
        }
    }

    fn lock(&mut self, rng: &mut Rng) -> Step {
        let user = rng.below(8);
        let moment = rng.below(5) as usize;
        let (given, stored) = ROLES[rng.below(4) as usize];
        let key = format!("user:{user}");
        let time = MOMENTS[moment];
        let held = self.locks.get(&user).copied();
        match rng.below(4) {
            0 => {
                let condition = rng.pick(&["", "NX", "XX"]);
                let is_met = match condition {
                    "NX" => held.is_none(),
                    "XX" => held.is_some(),
                    _ => true,
                };
                if is_met {
                    self.locks.insert(user, (stored, moment));
                }
                let command = words(&["QUOTELOCK.SET", &key, given, time, condition]);
                (command, if is_met { "OK" } else { "nil" }.to_owned())
            }
            1 => {
                let at = rng.below(5) as usize;
                let command = words(&["QUOTELOCK.GET", &key, "AT", MOMENTS[at], "JSON"]);
                let Some((roles, moment)) = held else { return (command, bulk("null")) };
                let closed = (UNIX_MS[at] - UNIX_MS[moment]) / 1000 > TEN_YEARS_MS / 1000;
                (command, lock_json(roles, moment, closed, ""))
            }
            2 => {
                let if_missing = rng.pick(&["", "IFMISSING"]);
                let outcome = match held {
                    None => "Created",
                    Some((_, old))
                        if old < CLOSED_NOW && if_missing.is_empty() && UNIX_MS[moment] > UNIX_MS[old] =>
                    {
                        "Refreshed"
                    }
                    Some(_) => "Held",
                };
                if outcome != "Held" {
                    self.locks.insert(user, (stored, moment));
                }
                let (roles, moment) = self.locks[&user];
                let command = words(&["QUOTELOCK.ACQUIRE", &key, given, time, if_missing, "JSON"]);
                let outcome = format!(r#","outcome":"{outcome}""#);
                (command, lock_json(roles, moment, moment < CLOSED_NOW, &outcome))
            }
            _ => {
                let if_eq = rng.below(2) == 0;
                let goes = held.is_some_and(|(_, held)| !if_eq || held == moment);
                if goes {
                    self.locks.remove(&user);
                }
                let condition = if if_eq { ["IFEQ", time] } else { ["", ""] };
                (words(&["QUOTELOCK.DEL", &key, condition[0], condition[1]]), i32::from(goes).to_string())
            }
        }
    }

    /// Rows, by `VEHPRICE.MSET`, or `SET` where there is one.
    fn write(&mut self, rng: &mut Rng) -> Step {
        let number = rng.below(3);
        let mut table = self.tables.remove(&number).unwrap_or_default();
        let condition = rng.pick(&["", "", "NX", "XX"]);
        let merge = rng.pick(&["", "", "MERGE"]);
        let far = FAR[rng.below(3) as usize];
        let expiry = match rng.below(8) {
            0..3 => words(&["PXAT", &far.to_string()]),
            3 => words(&["EXAT", "1"]),
            4 => words(&["KEEPTTL"]),
            5 => words(&["PERSIST"]),
            _ => Vec::new(),
        };
        let given = match expiry.first().map(String::as_str) {
            Some("PXAT") => Some(far),
            Some("EXAT") => Some(0),
            Some("PERSIST") => Some(-1),
            Some(_) => None,
            None if merge.is_empty() => Some(-1),
            None => None,
        };
        let (first, count) = (rng.below(4) as usize, 1 + rng.below(3) as usize);
        let names: Vec<&str> = NAMES.iter().cycle().skip(first).take(count).copied().collect();
        let rows: Vec<(String, Vec<String>)> =
            (0..=rng.below(6)).map(|_| (id(rng), names.iter().map(|_| value(rng)).collect())).collect();

        let before = table.clone();
        let mut stored = BTreeMap::new();
        for (id, values) in &rows {
            let old = before.get(id);
            let is_met = match condition {
                "NX" => old.is_none(),
                "XX" => old.is_some(),
                _ => true,
            };
            if !is_met {
                continue;
            }
            let expiry = given.unwrap_or_else(|| old.map_or(-1, |(_, expiry)| *expiry));
            let mut fields =
                old.filter(|_| !merge.is_empty()).map(|(fields, _)| fields.clone()).unwrap_or_default();
            for (name, value) in names.iter().zip(values) {
                match fields.iter_mut().find(|(field, _)| field == name) {
                    Some((_, old)) => old.clone_from(value),
                    None => fields.push(((*name).to_owned(), value.clone())),
                }
            }
            // Of an id that is there twice the last row counts.
            stored.insert(id.clone(), ());
            if expiry == 0 {
                table.remove(id);
                stored.remove(id);
            } else {
                table.insert(id.clone(), (fields, expiry));
            }
        }
        if !table.is_empty() {
            self.tables.insert(number, table);
        }
        let key = format!("t:{number}");
        let single = rows.len() == 1 && rng.below(2) == 0;
        let mut command = if single {
            words(&["VEHPRICE.SET", &key, &rows[0].0, condition, merge])
        } else {
            words(&["VEHPRICE.MSET", &key, condition, merge])
        };
        command.extend(expiry);
        command.extend(words(&["FIELDS", &count.to_string()]));
        if single {
            for (name, value) in names.iter().zip(&rows[0].1) {
                command.extend([(*name).to_owned(), value.clone()]);
            }
        } else {
            command.extend(names.iter().map(|name| (*name).to_owned()));
            command.push("ROWS".to_owned());
            for (id, values) in rows {
                command.push(id);
                command.extend(values);
            }
        }
        (command, stored.len().to_string())
    }

    fn read(&self, rng: &mut Rng) -> Step {
        let number = rng.below(3);
        let key = format!("t:{number}");
        let none = BTreeMap::new();
        let table = self.tables.get(&number).unwrap_or(&none);
        match rng.below(6) {
            0 => {
                let id = id(rng);
                let answer = table.get(&id).map_or(bulk("null"), |row| bulk(&row_json(row)));
                (words(&["VEHPRICE.GET", &key, &id, "JSON"]), answer)
            }
            1 | 2 => {
                let ids: Vec<_> = (0..=rng.below(5)).map(|_| id(rng)).collect();
                let rows = ids.iter().map(|id| table.get(id).map_or("null".to_owned(), row_json));
                let answer = bulk(&format!("[{}]", rows.collect::<Vec<_>>().join(",")));
                (words(&["VEHPRICE.MGET", &key, "JSON", "IDS"]).into_iter().chain(ids).collect(), answer)
            }
            3 => (words(&["VEHPRICE.LEN", &key]), table.len().to_string()),
            4 => {
                let (id, name, value) = (id(rng), rng.pick(&NAMES), value(rng));
                let verdict = match table.get(&id) {
                    None => r#"{"verdict":"Missing","row":null}"#.to_owned(),
                    Some(row) => {
                        let same = row.0.iter().any(|(field, held)| field == name && *held == value);
                        let verdict = if same { "Match" } else { "Changed" };
                        format!(r#"{{"verdict":"{verdict}","row":{}}}"#, row_json(row))
                    }
                };
                (words_with_empty(&["VEHPRICE.VERIFY", &key, &id, name, &value, "JSON"]), bulk(&verdict))
            }
            _ => {
                let latest = table.values().map(|(_, expiry)| *expiry).max_by_key(|expiry| *expiry as u64);
                (words(&["PEXPIRETIME", &key]), latest.unwrap_or(-2).to_string())
            }
        }
    }

    fn remove(&mut self, rng: &mut Rng) -> Step {
        let number = rng.below(3);
        let ids: Vec<_> = (0..=rng.below(4)).map(|_| id(rng)).collect();
        let mut removed = 0;
        if let Some(table) = self.tables.get_mut(&number) {
            removed = ids.iter().filter(|id| table.remove(*id).is_some()).count();
        }
        self.tables.retain(|_, table| !table.is_empty());
        let command = words(&["VEHPRICE.DEL", &format!("t:{number}")]);
        (command.into_iter().chain(ids).collect(), removed.to_string())
    }

    /// The whole key, by commands of the server's own too.
    fn by_key(&mut self, rng: &mut Rng) -> Step {
        let (number, other) = (rng.below(3), rng.below(3));
        let (key, to) = (format!("t:{number}"), format!("t:{other}"));
        match rng.below(8) {
            0 => {
                let gone = self.tables.remove(&number).is_some();
                (words(&["VEHPRICE.CLEAR", &key]), i32::from(gone).to_string())
            }
            1 => {
                let gone = self.tables.remove(&number).is_some();
                (words(&["UNLINK", &key]), i32::from(gone).to_string())
            }
            2 | 3 => {
                let answer = match self.tables.remove(&number) {
                    Some(table) => {
                        self.tables.insert(other, table);
                        "OK"
                    }
                    None => "-ERR no such key",
                };
                (words(&["RENAME", &key, &to]), answer.to_owned())
            }
            4 | 5 if number != other => {
                let table = self.tables.get(&number).cloned();
                let answer = i32::from(table.is_some()).to_string();
                if let Some(table) = table {
                    self.tables.insert(other, table);
                }
                (words(&["COPY", &key, &to, "REPLACE"]), answer)
            }
            _ => {
                let there = self.tables.contains_key(&number);
                (words(&["TYPE", &key]), if there { "vehprice1" } else { "none" }.to_owned())
            }
        }
    }

    fn plan(&mut self, rng: &mut Rng) -> Step {
        if rng.below(4) == 0 {
            let mode = rng.below(4) as usize;
            self.toggle = Some(mode);
            return (
                words(&[
                    "SET",
                    "toggle",
                    rng.pick(&[["1", "old"], ["2", "NEW"], ["3", "both"], ["4", "Back"]][mode]),
                ]),
                "OK".to_owned(),
            );
        }
        let mode = self.toggle.unwrap_or(0);
        let (plain, tagged) =
            [("Legacy", "Legacy"), ("Core", "Retired"), ("Core", "Legacy"), ("Retired", "Legacy")][mode];
        if rng.below(2) == 0 {
            let sent = if [0, 3].contains(&mode) { "571_old" } else { "571" };
            let answer = format!(r#"["{sent}", "572_old"]"#);
            return (words(&["PRICEPLAN.TAG", "toggle", "571", "572_old"]), answer);
        }
        let answer = format!(r#"[["{plain}", "571"], ["{tagged}", "572"]]"#);
        (words(&["PRICEPLAN.ROUTE", "toggle", "571", "572_old"]), answer)
    }

    /// All rows of each table as the server should list them, with when each expires.
    pub(super) fn tables(&self) -> BTreeMap<String, Rows> {
        self.tables.iter().map(|(number, table)| (format!("t:{number}"), table.clone())).collect()
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().filter(|word| !word.is_empty()).map(|word| (*word).to_owned()).collect()
}

fn words_with_empty(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn id(rng: &mut Rng) -> String {
    match rng.below(60) {
        0 => "é\"\n".to_owned(),
        1 => "i".repeat(256),
        number => number.to_string(),
    }
}

fn value(rng: &mut Rng) -> String {
    match rng.below(12) {
        0 => String::new(),
        1 => "\"é\\\n".to_owned(),
        2 => "v".repeat(rng.below(700) as usize),
        number => number.to_string(),
    }
}

fn bulk(text: &str) -> String {
    format!("\"{text}\"")
}

fn lock_json(roles: &str, moment: usize, closed: bool, outcome: &str) -> String {
    let state = if closed { "CloseToExpired" } else { "Effective" };
    bulk(&format!(r#"{{"roleIds":{roles},"queryTime":"{}","state":"{state}"{outcome}}}"#, MOMENTS[moment]))
}

fn row_json((fields, _): &Row) -> String {
    let fields = fields.iter().map(|(name, value)| format!("{}:{}", json!(name), json!(value)));
    format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
}
