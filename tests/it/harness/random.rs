//! Random commands on a few locks and price tables, with expiries around now and far off.

use quotelock_testkit::Rng;

use super::batches::{column_rows, id_list, json_rows, random_rows};
use super::clock::{moment, now};

/// Settings with which rows and locks that are to be there at the end are, however long a test takes. A lock is closing
/// after five minutes, as by default.
pub(crate) const LASTING: &str = "price-ttl-ms 3600000 lock-ttl-ms 7200000 lock-buffer-ms 6900000";

/// Rows that are to be there at the end expire no sooner than this after they were written.
const LONG_MS: i64 = 3_600_000;

/// Rows that are to be gone at the end expire within this.
pub(crate) const SHORT_MS: i64 = 400;

const NAMES: [&str; 5] = ["styleId", "pricingId", "plan:571", "é ü", "r"];

/// A command on one of a few keys: mostly a lock's, now and then one that leaves no lock there.
pub(crate) fn lock_command(rng: &mut Rng) -> Vec<String> {
    let key = format!("user:{}", rng.below(40));
    let mut words = match rng.below(20) {
        0..6 => lock_write(rng, "QUOTELOCK.SET", &key, &["", "", "NX", "XX", "NX XX"]),
        6..12 => lock_write(rng, "QUOTELOCK.ACQUIRE", &key, &["", "", "IFMISSING", "JSON", "JSON JSON"]),
        12..14 => format!("QUOTELOCK.GET {key} {}", rng.pick(&["", "JSON", "AT", "FOO"])),
        14..16 => format!("QUOTELOCK.DEL {key}"),
        16 => format!("QUOTELOCK.DEL {key} IFEQ {}", query_time(rng)),
        17 => format!("SET {key} {}", rng.pick(&["text", "{}", r#"{"roleIds":[],"queryTime":"soon"}"#])),
        18 => format!("RPUSH {key} element"),
        _ => format!("DEL {key}"),
    };
    words.truncate(words.trim_end().len());
    words.split_whitespace().map(str::to_owned).collect()
}

fn lock_write(rng: &mut Rng, name: &str, key: &str, forms: &[&str]) -> String {
    let roles = rng.pick(&[r#"["3","7"]"#, "[3,7]", "3,7", "[]", r#"["é\n"]"#, "[[]]", ""]);
    let form = rng.pick(forms);
    let expiry = rng.pick(&["", "", "EX 7000", "PX 7000000", "PX 30", "EX 0"]);
    let buffer = rng.pick(&["", "", "BUFFER 1", "PBUFFER 30", "BUFFER x"]);
    let time = rng.pick(&["", "", "ALIGN 1", "ALIGN 20", "LAG 5000"]);
    format!("{name} {key} {roles} {} {form} {expiry} {buffer} {time}", query_time(rng))
}

/// The server's clock, a time of now, of a lock that is closing, or no time at all.
fn query_time(rng: &mut Rng) -> String {
    match rng.below(8) {
        0..4 => "*".to_owned(),
        4 => moment(now()),
        5 => moment(now() - 400_000),
        6 => "2024-09-12T10:50:53+08:00".to_owned(),
        _ => "soon".to_owned(),
    }
}

/// A command on one of the three tables of `family`: mostly writes, some of them wrong.
pub(crate) fn table_command(rng: &mut Rng, family: &str) -> Vec<String> {
    let key = table(rng, family);
    match rng.below(64) {
        0..16 => set(rng, &key),
        16..26 => mset(rng, &key),
        26..32 => mset_in_one(rng, &key),
        32..36 => ids(rng, &["VEHPRICE.DEL", &key]),
        36..38 => ids(rng, &["VEHPRICE.GET", &key]),
        38..40 => ids(rng, &["VEHPRICE.MGET", &key]),
        40..42 => ids(rng, &["VEHPRICE.MGET", &key, "FIELDS", "1", "r", "JSON", "IDS"]),
        42..44 => ids(rng, &["VEHPRICE.PTTL", &key]),
        44 => words(&["VEHPRICE.GETALL", &key, rng.pick(&["JSON", "COLUMNS"])]),
        45 => {
            let list = id_list(&[id(rng), id(rng), id(rng)]);
            words(&["VEHPRICE.MGET", &key, "FIELDS", "2", "r", "styleId", "COLUMNS", "LIST", &list])
        }
        46..48 => words(&["VEHPRICE.SCAN", &key, "0", "COUNT", "5"]),
        48..50 => words(&["VEHPRICE.LEN", &key]),
        50 => words(&["VEHPRICE.INFO", &key]),
        51 => words(&["VEHPRICE.VERIFY", &key, &id(rng), "r", "1"]),
        52 => words(&["VEHPRICE.CLEAR", &key]),
        53 => words(&["DEL", &key]),
        54..58 => by_hand(rng, &key),
        58 => words(&["RENAME", &key, &table(rng, family)]),
        59 => words(&["COPY", &key, &table(rng, family), "REPLACE"]),
        60 => setting(rng),
        61 => in_script(rng, &key),
        62 => words(&["SET", &key, "a string", "NX", "PX", "20"]),
        _ => words(&["VEHPRICE.SET", &key, &id(rng), "FIELDS", "2", "x", "1"]),
    }
}

fn table(rng: &mut Rng, family: &str) -> String {
    format!("{family}:{}", rng.below(3))
}

fn id(rng: &mut Rng) -> String {
    match rng.below(40) {
        0 => "IDS".to_owned(),
        1 => "é\n\0\"'".to_owned(),
        2 => "long".repeat(64),
        number => format!("{number}"),
    }
}

fn ids(rng: &mut Rng, command: &[&str]) -> Vec<String> {
    let mut command = words(command);
    for _ in 0..=rng.below(5) {
        command.push(id(rng));
    }
    command
}

fn set(rng: &mut Rng, key: &str) -> Vec<String> {
    let mut command = words(&["VEHPRICE.SET", key, &id(rng)]);
    options(rng, &mut command);
    let names = names(rng);
    command.extend(words(&["FIELDS", &names.len().to_string()]));
    for name in names {
        command.extend([name.to_owned(), value(rng)]);
    }
    command
}

fn mset(rng: &mut Rng, key: &str) -> Vec<String> {
    let mut command = words(&["VEHPRICE.MSET", key]);
    options(rng, &mut command);
    let names = names(rng);
    command.extend(words(&["FIELDS", &names.len().to_string()]));
    command.extend(words(&names));
    command.push("ROWS".to_owned());
    for _ in 0..=rng.below(8) {
        command.push(id(rng));
        for _ in 0..names.len() {
            command.push(value(rng));
        }
    }
    command
}

/// The same with all rows in one argument, some of them with other fields.
fn mset_in_one(rng: &mut Rng, key: &str) -> Vec<String> {
    let mut command = words(&["VEHPRICE.MSET", key]);
    options(rng, &mut command);
    let (count, mixed) = (1 + rng.below(8) as usize, rng.below(2) == 0);
    let mut rows = random_rows(rng, count, mixed);
    rows.iter_mut().for_each(|(row, _)| *row = id(rng));
    let (form, argument) =
        if rng.below(2) == 0 { ("JSON", json_rows(&rows)) } else { ("COLUMNS", column_rows(&rows)) };
    command.extend(words(&[form, &argument]));
    command
}

fn options(rng: &mut Rng, command: &mut Vec<String>) {
    let condition = rng.pick(&["", "", "", "NX", "XX", "NX XX"]);
    let merge = rng.pick(&["", "", "MERGE"]);
    let expiry = match rng.below(16) {
        0..3 => String::new(),
        3..5 => "KEEPTTL".to_owned(),
        5 => "EX 0".to_owned(),
        6 => "KEEPTTL PX 5".to_owned(),
        7..9 => format!("PX {}", 1 + near(rng)),
        9 => format!("EX {}", LONG_MS / 1000 + near(rng)),
        10 => format!("PX {}", LONG_MS + near(rng)),
        11 => format!("EXAT {}", now() / 1000 - 1),
        12 => format!("EXAT {}", (now() + LONG_MS) / 1000 + 1),
        13 => "PERSIST".to_owned(),
        14 => format!("PXAT {}", now() - SHORT_MS / 2 + near(rng)),
        _ => format!("PXAT {}", now() + LONG_MS + near(rng)),
    };
    for option in [condition, merge, &expiry] {
        command.extend(option.split_whitespace().map(str::to_owned));
    }
}

fn near(rng: &mut Rng) -> i64 {
    rng.below(SHORT_MS as u64) as i64
}

/// Some of the names, each once; where they begin is random, so that their order is too.
fn names(rng: &mut Rng) -> Vec<&'static str> {
    let first = rng.below(NAMES.len() as u64) as usize;
    let count = 1 + rng.below(NAMES.len() as u64) as usize;
    NAMES.iter().cycle().skip(first).take(count).copied().collect()
}

fn value(rng: &mut Rng) -> String {
    match rng.below(10) {
        0 => String::new(),
        1 => "{\"price\":\"1.50\\n€\"}\0".to_owned(),
        2 => "v".repeat(rng.below(300) as usize),
        number => number.to_string(),
    }
}

/// What Redis's own commands do to the key's expiry.
fn by_hand(rng: &mut Rng, key: &str) -> Vec<String> {
    match rng.below(4) {
        0 => words(&["PERSIST", key]),
        1 => words(&["PEXPIRE", key, &(1 + near(rng)).to_string()]),
        2 => words(&["PEXPIREAT", key, &(now() + LONG_MS + near(rng)).to_string()]),
        _ => words(&["EXPIRE", key, "-1"]),
    }
}

fn setting(rng: &mut Rng) -> Vec<String> {
    let ttl = rng.pick(&["0", "100", "3600000", "7200000"]);
    words(&["CONFIG", "SET", "quotelock.price-ttl-ms", ttl])
}

/// Several writes at one moment.
fn in_script(rng: &mut Rng, key: &str) -> Vec<String> {
    let script = "redis.call('VEHPRICE.SET', KEYS[1], ARGV[1], 'PX', 50, 'FIELDS', 1, 'r', 'script') \
                  redis.call('VEHPRICE.SET', KEYS[1], ARGV[2], 'NX', 'FIELDS', 1, 'r', 'script') \
                  return redis.call('VEHPRICE.DEL', KEYS[1], ARGV[3])";
    words(&["EVAL", script, "1", key, &id(rng), &id(rng), &id(rng)])
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
