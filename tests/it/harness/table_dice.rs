//! Random commands on a few price tables, with expiries around now and far off.

use super::clock::now;
use super::dice::Dice;

/// Rows that are to be there at the end expire no sooner than this after they were written.
const LONG_MS: i64 = 3_600_000;

/// Rows that are to be gone at the end expire within this.
pub(crate) const SHORT_MS: i64 = 400;

const NAMES: [&str; 5] = ["styleId", "pricingId", "plan:571", "é ü", "r"];

impl Dice {
    /// A command on one of the three tables of `family`: mostly writes, some of them wrong.
    pub(crate) fn table_command(&mut self, family: &str) -> Vec<String> {
        let key = self.table(family);
        match self.below(64) {
            0..16 => self.set(&key),
            16..32 => self.mset(&key),
            32..36 => self.ids(&["VEHPRICE.DEL", &key]),
            36..38 => self.ids(&["VEHPRICE.GET", &key]),
            38..40 => self.ids(&["VEHPRICE.MGET", &key]),
            40..42 => self.ids(&["VEHPRICE.MGET", &key, "FIELDS", "1", "r", "JSON", "IDS"]),
            42..44 => self.ids(&["VEHPRICE.PTTL", &key]),
            44..46 => words(&["VEHPRICE.GETALL", &key, "JSON"]),
            46..48 => words(&["VEHPRICE.SCAN", &key, "0", "COUNT", "5"]),
            48..50 => words(&["VEHPRICE.LEN", &key]),
            50 => words(&["VEHPRICE.INFO", &key]),
            51 => words(&["VEHPRICE.VERIFY", &key, &self.id(), "r", "1"]),
            52 => words(&["VEHPRICE.CLEAR", &key]),
            53 => words(&["DEL", &key]),
            54..58 => self.by_hand(&key),
            58 => words(&["RENAME", &key, &self.table(family)]),
            59 => words(&["COPY", &key, &self.table(family), "REPLACE"]),
            60 => self.setting(),
            61 => self.in_script(&key),
            62 => words(&["SET", &key, "a string", "NX", "PX", "20"]),
            _ => words(&["VEHPRICE.SET", &key, &self.id(), "FIELDS", "2", "x", "1"]),
        }
    }

    fn table(&mut self, family: &str) -> String {
        format!("{family}:{}", self.below(3))
    }

    fn id(&mut self) -> String {
        match self.below(40) {
            0 => "IDS".to_owned(),
            1 => "é\n\0\"'".to_owned(),
            2 => "long".repeat(64),
            number => format!("{number}"),
        }
    }

    fn ids(&mut self, command: &[&str]) -> Vec<String> {
        let mut command = words(command);
        for _ in 0..=self.below(5) {
            command.push(self.id());
        }
        command
    }

    fn set(&mut self, key: &str) -> Vec<String> {
        let mut command = words(&["VEHPRICE.SET", key, &self.id()]);
        self.options(&mut command);
        let names = self.names();
        command.extend(words(&["FIELDS", &names.len().to_string()]));
        for name in names {
            command.extend([name.to_owned(), self.value()]);
        }
        command
    }

    fn mset(&mut self, key: &str) -> Vec<String> {
        let mut command = words(&["VEHPRICE.MSET", key]);
        self.options(&mut command);
        let names = self.names();
        command.extend(words(&["FIELDS", &names.len().to_string()]));
        command.extend(words(&names));
        command.push("ROWS".to_owned());
        for _ in 0..=self.below(8) {
            command.push(self.id());
            for _ in 0..names.len() {
                command.push(self.value());
            }
        }
        command
    }

    fn options(&mut self, command: &mut Vec<String>) {
        let condition = self.pick(&["", "", "", "NX", "XX", "NX XX"]);
        let merge = self.pick(&["", "", "MERGE"]);
        let expiry = match self.below(16) {
            0..3 => String::new(),
            3..5 => "KEEPTTL".to_owned(),
            5 => "EX 0".to_owned(),
            6 => "KEEPTTL PX 5".to_owned(),
            7..9 => format!("PX {}", 1 + self.near()),
            9 => format!("EX {}", LONG_MS / 1000 + self.near()),
            10 => format!("PX {}", LONG_MS + self.near()),
            11 => format!("EXAT {}", now() / 1000 - 1),
            12 => format!("EXAT {}", (now() + LONG_MS) / 1000 + 1),
            13..15 => format!("PXAT {}", now() - SHORT_MS / 2 + self.near()),
            _ => format!("PXAT {}", now() + LONG_MS + self.near()),
        };
        for option in [condition, merge, &expiry] {
            command.extend(option.split_whitespace().map(str::to_owned));
        }
    }

    fn near(&mut self) -> i64 {
        self.below(SHORT_MS as u64) as i64
    }

    /// Some of the names, each once; where they begin is random, so that their order is too.
    fn names(&mut self) -> Vec<&'static str> {
        let first = self.below(NAMES.len() as u64) as usize;
        let count = 1 + self.below(NAMES.len() as u64) as usize;
        NAMES.iter().cycle().skip(first).take(count).copied().collect()
    }

    fn value(&mut self) -> String {
        match self.below(10) {
            0 => String::new(),
            1 => "{\"price\":\"1.50\\n€\"}\0".to_owned(),
            2 => "v".repeat(self.below(300) as usize),
            number => number.to_string(),
        }
    }

    /// What Redis's own commands do to the key's expiry.
    fn by_hand(&mut self, key: &str) -> Vec<String> {
        match self.below(4) {
            0 => words(&["PERSIST", key]),
            1 => words(&["PEXPIRE", key, &(1 + self.near()).to_string()]),
            2 => words(&["PEXPIREAT", key, &(now() + LONG_MS + self.near()).to_string()]),
            _ => words(&["EXPIRE", key, "-1"]),
        }
    }

    fn setting(&mut self) -> Vec<String> {
        let ttl = self.pick(&["0", "100", "3600000", "7200000"]);
        words(&["CONFIG", "SET", "quotelock.price-ttl-ms", ttl])
    }

    /// Several writes at one moment.
    fn in_script(&mut self, key: &str) -> Vec<String> {
        let script = "redis.call('VEHPRICE.SET', KEYS[1], ARGV[1], 'PX', 50, 'FIELDS', 1, 'r', 'script') \
                      redis.call('VEHPRICE.SET', KEYS[1], ARGV[2], 'NX', 'FIELDS', 1, 'r', 'script') \
                      return redis.call('VEHPRICE.DEL', KEYS[1], ARGV[3])";
        words(&["EVAL", script, "1", key, &self.id(), &self.id(), &self.id()])
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
