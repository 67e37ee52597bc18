//! Random choices that a seed repeats, and random commands made of them.

use super::clock::{moment, now};

/// SplitMix64: small, and the same on every machine.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// A number from 0 up to, not including, `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    pub(crate) fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len() as u64) as usize]
    }

    /// A command on one of a few keys: mostly a lock's, now and then one that leaves no lock there.
    pub(crate) fn command(&mut self) -> Vec<String> {
        let key = format!("user:{}", self.below(40));
        let mut words = match self.below(20) {
            0..6 => self.write("QUOTELOCK.SET", &key, &["", "", "NX", "XX", "NX XX"]),
            6..12 => self.write("QUOTELOCK.ACQUIRE", &key, &["", "", "IFMISSING", "JSON", "JSON JSON"]),
            12..14 => format!("QUOTELOCK.GET {key} {}", self.pick(&["", "JSON", "AT", "FOO"])),
            14..16 => format!("QUOTELOCK.DEL {key}"),
            16 => format!("QUOTELOCK.DEL {key} IFEQ {}", self.query_time()),
            17 => format!("SET {key} {}", self.pick(&["text", "{}", r#"{"roleIds":[],"queryTime":"soon"}"#])),
            18 => format!("RPUSH {key} element"),
            _ => format!("DEL {key}"),
        };
        words.truncate(words.trim_end().len());
        words.split_whitespace().map(str::to_owned).collect()
    }

    fn write(&mut self, name: &str, key: &str, forms: &[&str]) -> String {
        let roles = self.pick(&[r#"["3","7"]"#, "[3,7]", "3,7", "[]", r#"["é\n"]"#, "[[]]", ""]);
        let form = self.pick(forms);
        let expiry = self.pick(&["", "", "EX 100", "PX 100000", "PX 30", "EX 0"]);
        let buffer = self.pick(&["", "", "BUFFER 1", "PBUFFER 30", "BUFFER x"]);
        let time = self.pick(&["", "", "ALIGN 1", "ALIGN 20", "LAG 5000"]);
        format!("{name} {key} {roles} {} {form} {expiry} {buffer} {time}", self.query_time())
    }

    /// The server's clock, a time of now, of a lock that is closing, or no time at all.
    fn query_time(&mut self) -> String {
        match self.below(8) {
            0..4 => "*".to_owned(),
            4 => moment(now()),
            5 => moment(now() - 400_000),
            6 => "2024-09-12T10:50:53+08:00".to_owned(),
            _ => "soon".to_owned(),
        }
    }
}
