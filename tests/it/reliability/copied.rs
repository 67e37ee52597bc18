//! What is done to tables while copies of them are kept: random commands of the module and of the server's
//! own.

use redis::{Connection, Value};
use serde_json::{Map, json};

use crate::harness::*;

/// The tables: the last has many rows.
pub(super) const KEYS: [&str; 4] = ["t:0", "t:1", "t:2", "t:many"];
const MANY: usize = 3;

/// So far in the future that nothing that ends then ends during a test.
const FAR: i64 = 4_000_000_000_000;

const NAMES: [&str; 3] = ["styleId", "pricingId", "plan:571"];

/// Ids of rows, some of them long.
pub(super) struct Ids;
pub(super) const IDS: Ids = Ids;

impl Ids {
    const FEW: u64 = 60;
    const ALL: u64 = 1500;

    pub(super) fn any(&self, rng: &mut Rng) -> String {
        Self::id(rng.below(Self::FEW))
    }

    fn of(&self, key: usize, rng: &mut Rng) -> String {
        Self::id(rng.below(if key == MANY { Self::ALL } else { Self::FEW }))
    }

    /// This many of all, one after the other.
    fn many(&self, rng: &mut Rng) -> impl Iterator<Item = String> + use<> {
        let (first, count) = (rng.below(Self::ALL), 50 + rng.below(600));
        (first..first + count).map(|id| Self::id(id % Self::ALL))
    }

    fn id(number: u64) -> String {
        match number % 20 {
            7 => format!("{number:é>120}"),
            13 => format!("{number}\n\"\\"),
            _ => number.to_string(),
        }
    }
}

/// A command in words.
type Command = Vec<Vec<u8>>;

/// Makes random commands, and keeps dumps of tables to restore them later.
#[derive(Default)]
pub(super) struct Writes {
    dumps: Vec<Vec<u8>>,
}

impl Writes {
    /// The next commands, and which table they are about.
    pub(super) fn commands(&mut self, con: &mut Connection, rng: &mut Rng) -> (usize, Vec<Command>) {
        let mut key = rng.pick(&[0, 0, 0, 0, 1, 1, 1, 2, 2, 2, MANY]);
        let commands = match rng.below(200) {
            0..120 => vec![write(rng, key)],
            120..160 => vec![delete(rng, key)],
            160..170 => {
                key = MANY;
                vec![if rng.below(2) == 0 { fill(rng) } else { delete_many(rng) }]
            }
            170..174 => vec![in_script(rng, key)],
            174..186 => vec![],
            186..191 => by_hand(rng, key),
            191..198 => self.by_key(con, rng, key),
            _ => whole_database(rng, key),
        };
        (key, commands)
    }

    fn by_key(&mut self, con: &mut Connection, rng: &mut Rng, key: usize) -> Vec<Command> {
        let (key, other) = (KEYS[key], rng.pick(&KEYS));
        match rng.below(12) {
            0 => vec![words(&format!("DEL {key}"))],
            1 => vec![words(&format!("UNLINK {key}"))],
            2 => vec![words(&format!("VEHPRICE.CLEAR {key}"))],
            3 => vec![words(&format!("RENAME {key} {other}"))],
            4..9 => vec![words(&format!("COPY {key} {other} REPLACE"))],
            // A table is overwritten.
            9 => vec![words(&format!("SET {key} text")), words(&format!("DEL {key}"))],
            10 => {
                if let Value::BulkString(dump) = cmd(con, &["DUMP", key]) {
                    self.dumps.push(dump);
                }
                vec![]
            }
            _ => {
                if self.dumps.is_empty() {
                    return vec![];
                }
                let dump = self.dumps.swap_remove(rng.below(self.dumps.len() as u64) as usize);
                let ttl = rng.pick(&["0", "100000", "20"]);
                let mut restore = words(&format!("RESTORE {key} {ttl}"));
                restore.extend([dump, b"REPLACE".to_vec()]);
                vec![restore]
            }
        }
    }
}

/// The words of a command, split at its spaces.
pub(super) fn words(command: &str) -> Command {
    command.words()
}

/// Rows of one to three fields, by any of the commands and forms.
fn write(rng: &mut Rng, key: usize) -> Command {
    let (first, count) = (rng.below(3) as usize, 1 + rng.below(3) as usize);
    let names: Vec<&str> = NAMES.iter().cycle().skip(first).take(count).copied().collect();
    let options = options(rng);
    let table = KEYS[key];
    if rng.below(3) == 0 {
        let mut set = words(&format!("VEHPRICE.SET {table}"));
        set.push(IDS.of(key, rng).into_bytes());
        set.extend(words_of(&format!("{options} FIELDS {count}")));
        for name in names {
            set.extend([name.as_bytes().to_vec(), value(rng).into_bytes()]);
        }
        return set;
    }
    let ids: Vec<String> = (0..=rng.below(6)).map(|_| IDS.of(key, rng)).collect();
    let mut mset = words_of(&format!("VEHPRICE.MSET {table} {options}"));
    match rng.below(3) {
        0 => {
            mset.extend(words(&format!("FIELDS {count} {} ROWS", names.join(" "))));
            for id in ids {
                mset.push(id.into_bytes());
                mset.extend(names.iter().map(|_| value(rng).into_bytes()));
            }
        }
        1 => {
            let row = |rng: &mut Rng| -> Map<_, _> {
                let absent = rng.below(4) as usize;
                let field = |(place, name): (usize, &&str)| {
                    let value = if place > 0 && place == absent { json!(null) } else { json!(value(rng)) };
                    ((*name).to_owned(), value)
                };
                names.iter().enumerate().map(field).collect()
            };
            let rows: Map<_, _> = ids.into_iter().map(|id| (id, json!(row(rng)))).collect();
            mset.extend([b"JSON".to_vec(), json!(rows).to_string().into_bytes()]);
        }
        _ => {
            let column = |place: usize| -> Vec<_> {
                ids.iter()
                    .map(|_| if place > 0 && rng.below(4) == 0 { json!(null) } else { json!(value(rng)) })
                    .collect()
            };
            let columns: Vec<_> = (0..count).map(column).collect();
            let rows = json!({ "ids": ids, "fields": names, "columns": columns });
            mset.extend([b"COLUMNS".to_vec(), rows.to_string().into_bytes()]);
        }
    }
    mset
}

/// The words of a text in which some are empty.
fn words_of(text: &str) -> Command {
    text.split_whitespace().map(|word| word.as_bytes().to_vec()).collect()
}

/// Rows that expire in a few milliseconds, in a while, long after the test, or before.
fn options(rng: &mut Rng) -> String {
    let condition = rng.pick(&["", "", "", "", "NX", "XX"]);
    let merge = rng.pick(&["", "", "MERGE"]);
    let expiry = match rng.below(16) {
        0..3 => String::new(),
        3..6 => format!("PX {}", 1 + rng.below(8)),
        6..8 => format!("PX {}", 10 + rng.below(100)),
        8 => format!("PX {}", 100_000 + rng.below(1000)),
        9 => format!("PXAT {}", now() - 1000),
        10 => format!("PXAT {}", now() + rng.below(8) as i64 - 3),
        11..13 => "KEEPTTL".to_owned(),
        _ => format!("PXAT {}", FAR + rng.below(2) as i64),
    };
    format!("{condition} {merge} {expiry}")
}

fn value(rng: &mut Rng) -> String {
    match rng.below(30) {
        0 => "\"é\\\n".to_owned(),
        1 => "v".repeat(rng.below(700) as usize),
        2 => String::new(),
        number => number.to_string(),
    }
}

fn delete(rng: &mut Rng, key: usize) -> Command {
    let mut delete = words(&format!("VEHPRICE.DEL {}", KEYS[key]));
    delete.extend((0..=rng.below(4)).map(|_| IDS.of(key, rng).into_bytes()));
    delete
}

/// Enough rows that pages split.
fn fill(rng: &mut Rng) -> Command {
    let expiry = match rng.below(6) {
        0 => "PX 5".to_owned(),
        1 => "PX 50".to_owned(),
        2 => "MERGE KEEPTTL".to_owned(),
        _ => format!("PXAT {FAR}"),
    };
    let mut fill = words(&format!("VEHPRICE.MSET {} {expiry} FIELDS 1 styleId ROWS", KEYS[MANY]));
    let value = value(rng).into_bytes();
    IDS.many(rng).for_each(|id| fill.extend([id.into_bytes(), value.clone()]));
    fill
}

/// Enough that pages merge.
fn delete_many(rng: &mut Rng) -> Command {
    let mut delete = words(&format!("VEHPRICE.DEL {}", KEYS[MANY]));
    delete.extend(IDS.many(rng).map(String::into_bytes));
    delete
}

/// Several writes at one moment, also of one row.
fn in_script(rng: &mut Rng, key: usize) -> Command {
    const SCRIPT: &str = "local function set(id, ms) return \
                          redis.call('VEHPRICE.SET', KEYS[1], id, 'PX', ms, 'FIELDS', 1, 'styleId', ms) end \
                          set(ARGV[1], 3) set(ARGV[2], 90000) redis.call('VEHPRICE.DEL', KEYS[1], ARGV[3]) \
                          return set(ARGV[2], 4)";
    let mut script = vec![b"EVAL".to_vec(), SCRIPT.as_bytes().to_vec()];
    script.extend(words(&format!("1 {}", KEYS[key])));
    script.extend((0..3).map(|_| IDS.of(key, rng).into_bytes()));
    script
}

/// The key's own expiry.
fn by_hand(rng: &mut Rng, key: usize) -> Vec<Command> {
    let key = KEYS[key];
    vec![match rng.below(4) {
        0 | 1 => words(&format!("PERSIST {key}")),
        2 => words(&format!("PEXPIRE {key} {}", 1 + rng.below(30))),
        _ => words(&format!("PEXPIREAT {key} {FAR}")),
    }]
}

/// Into the other database and back, and all tables at once.
fn whole_database(rng: &mut Rng, key: usize) -> Vec<Command> {
    let key = KEYS[key];
    match rng.below(8) {
        0 | 1 => vec![words(&format!("MOVE {key} 1"))],
        2 => vec![words("SELECT 1"), words(&format!("MOVE {key} 0")), words("SELECT 0")],
        3 => vec![words(&format!("COPY {key} {key} DB 1 REPLACE"))],
        4 | 5 => vec![words("SWAPDB 0 1")],
        6 => vec![words(rng.pick(&["FLUSHDB", "FLUSHDB ASYNC"]))],
        _ => vec![words(rng.pick(&["FLUSHALL", "FLUSHALL ASYNC"]))],
    }
}
