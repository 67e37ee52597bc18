//! What each command refuses, in its very words, and that nothing is touched by it.

mod claims;
mod columns;
mod json_rows;
mod lists;
mod reads;
mod writes;

use super::*;

const NOT_AN_INTEGER: &str = "ERR value is not an integer or out of range";

/// Rows of one command.
struct Rows {
    name: &'static str,
    rows: Vec<Refusal>,
}

impl Rows {
    fn of(name: &'static str) -> Self {
        Self { name, rows: Vec::new() }
    }

    /// What follows the name, split at spaces.
    fn add(&mut self, rest: &str, error: impl Into<String>) {
        let call = if rest.is_empty() { self.name.to_owned() } else { format!("{} {rest}", self.name) };
        self.rows.push((call.words(), error.into()));
    }

    /// What follows the name, `{X}` in it being any bytes.
    fn add_with(&mut self, rest: &str, bytes: &[u8], error: impl Into<String>) {
        let mut words = format!("{} {rest}", self.name).words();
        words.iter_mut().filter(|word| *word == b"{X}").for_each(|word| *word = bytes.to_vec());
        self.rows.push((words, error.into()));
    }

    fn arity(&mut self, rest: &str) {
        self.add(rest, format!("ERR wrong number of arguments for '{}' command", self.name));
    }

    fn unknown(&mut self, rest: &str, shown: &str) {
        self.add(rest, format!("ERR syntax error, unknown option '{shown}' for '{}'", self.name));
    }

    fn twice(&mut self, rest: &str, word: &str) {
        self.add(rest, format!("ERR syntax error, {word} is repeated"));
    }

    fn no_value(&mut self, rest: &str, word: &str) {
        self.add(rest, format!("ERR syntax error, {word} requires a value"));
    }

    fn missing(&mut self, rest: &str, part: &str) {
        self.add(rest, format!("ERR syntax error, expected {part}, usage: {}", usage(self.name)));
    }

    /// `{X}` is to be a token.
    fn bad_tokens(&mut self, rest: &str) {
        const TOKEN: &str = "0123456789abcdef0123456789abcdef";

        let (short, long, upper) = (&TOKEN[1..], format!("{TOKEN}0"), TOKEN.to_uppercase());
        for text in ["0", "x", "unknown", "-1", short, &long, &upper, &TOKEN.replace('f', "g"), "%s%n"] {
            let shown = if text.len() > 32 { format!("{TOKEN}...") } else { text.to_owned() };
            let error = format!("ERR invalid token '{shown}', expected 32 hex digits in lower case");
            self.add_with(rest, text.as_bytes(), error);
        }
        let error = "ERR invalid token '\\xff\\x00', expected 32 hex digits in lower case";
        self.add_with(rest, b"\xff\0", error);
    }

    /// `{X}` is to be an id.
    fn bad_ids(&mut self, rest: &str) {
        for (bytes, shown) in bad_names() {
            self.add_with(
                rest,
                &bytes,
                format!("ERR invalid id '{shown}', expected 1 to 256 bytes of UTF-8"),
            );
        }
    }

    /// `{X}` is to be a field's name.
    fn bad_fields(&mut self, rest: &str) {
        for (bytes, shown) in bad_names() {
            let error = format!("ERR invalid field '{shown}', expected 1 to 256 bytes of UTF-8");
            self.add_with(rest, &bytes, error);
        }
    }

    /// `{X}` is to be the number of fields that `word` takes.
    fn bad_numfields(&mut self, rest: &str, word: &str) {
        let error = format!("{NOT_AN_INTEGER}, {word} requires a number of fields from 1 to 64");
        for number in
            NO_INTEGERS.iter().chain(&["0", "65", "-1", "9223372036854775807", "-9223372036854775808", "a"])
        {
            self.add_with(rest, number.as_bytes(), error.clone());
        }
        self.add_with(rest, b"\xff\0", error);
    }

    fn wrong_type(&mut self, rest: &str) {
        for key in ["text", "list", "hash", "set", "zset", "stream"] {
            self.add(&rest.replace("{K}", key), WRONGTYPE);
        }
    }
}

/// How a command is called, as the error says where a clause is missing.
fn usage(name: &str) -> &'static str {
    match name {
        "vehprice.set" => {
            "VEHPRICE.SET key id [NX | XX] [MERGE] \
             [EX seconds | PX milliseconds | EXAT unix-seconds | PXAT unix-milliseconds | KEEPTTL | PERSIST] \
             [TOKEN token [KEEPCLAIM]] FIELDS numfields field value [field value ...]"
        }
        "vehprice.mset" => {
            "VEHPRICE.MSET key [NX | XX] [MERGE] \
             [EX seconds | PX milliseconds | EXAT unix-seconds | PXAT unix-milliseconds | KEEPTTL | PERSIST] \
             [TOKEN token [KEEPCLAIM]] \
             <FIELDS numfields field [field ...] ROWS id value [value ...] [id value [value ...] ...] \
             | JSON rows | COLUMNS table>"
        }
        "vehprice.mget" => {
            "VEHPRICE.MGET key <id [id ...] | [FIELDS numfields field [field ...]] \
             [JSON [RAW numfields field [field ...]] | COLUMNS] [BLOCK milliseconds] <IDS id [id ...] | LIST ids>>"
        }
        "vehprice.claim" => {
            "VEHPRICE.CLAIM key PX milliseconds [TOKEN token] [LIMIT count] [REFRESH milliseconds] \
             [FIELDS numfields field [field ...]] [JSON [RAW numfields field [field ...]] | COLUMNS] \
             <IDS id [id ...] | LIST ids>"
        }
        _ => panic!("no usage of {name}"),
    }
}

/// What is neither an id nor a field's name, and how an error shows it.
fn bad_names() -> Vec<(Vec<u8>, String)> {
    let x_32 = "x".repeat(32) + "...";
    vec![
        (vec![], String::new()),
        (vec![b'x'; 257], x_32.clone()),
        ("\u{100}".repeat(129).into_bytes(), r"\xc4\x80".repeat(16) + "..."),
        (b"\xff".to_vec(), r"\xff".to_owned()),
        (b"a\xc4".to_vec(), r"a\xc4".to_owned()),
        (b"it's\\\xed\xa0\x80%s%n\0".to_vec(), r"it\x27s\x5c\xed\xa0\x80%s%n\x00".to_owned()),
        (b"\xc0\x80".to_vec(), r"\xc0\x80".to_owned()),
        (vec![b'x'; 8 << 20], x_32),
    ]
}

/// Keys of every type with what they hold, among them tables: a small one, and one whose row `wide` has 64
/// fields.
fn fill(con: &mut Connection) {
    cmd(con, &format!("VEHPRICE.MSET table PXAT {FAR} FIELDS 2 a b ROWS 1 x y 2 z w"));
    let fields: Vec<String> = (0..64).map(|field| format!("f{field} x")).collect();
    cmd(con, &format!("VEHPRICE.SET wide wide PXAT {FAR} FIELDS 64 {}", fields.join(" ")));
    cmd(con, &format!("VEHPRICE.SET wide narrow PXAT {FAR} FIELDS 1 f0 x"));
    fill_other_types(con);
}

/// Each row on a key that holds a table, and on one that isn't there.
#[track_caller]
fn refuses_all(kind: Kind, rows: &[Refusal]) {
    let server = Server::start(kind);
    let con = &mut server.connection();
    fill(con);
    refuses(con, &["table", "absent"], rows);
}

#[apply(each_server)]
fn batches_larger_than_the_setting_are_refused(#[case] kind: Kind) {
    // With quotelock.max-batch at 2; what follows `too many `.
    let cases = [
        ("VEHPRICE.MSET {K} FIELDS 1 a ROWS 1 x 2 x 3 x", "rows, 3"),
        ("VEHPRICE.MSET {K} NX FIELDS 1 a ROWS 1 x 1 x 1 x", "rows, 3"),
        ("VEHPRICE.MGET {K} 1 2 3", "ids, 3"),
        ("VEHPRICE.MGET {K} 1 1 1 1", "ids, 4"),
        ("VEHPRICE.MGET {K} JSON IDS 1 2 3", "ids, 3"),
        ("VEHPRICE.DEL {K} 1 2 3", "ids, 3"),
        ("VEHPRICE.CLAIM {K} PX 1 IDS 1 1 1", "ids, 3"),
        ("VEHPRICE.RELEASE {K} 00000000000000000000000000000000 1 2 3", "ids, 3"),
        ("VEHPRICE.PTTL {K} 1 2 3", "ids, 3"),
        ("VEHPRICE.MGETHASH {K} hash none", "keys, 3"),
        // Before what is in it, and before the type of the key.
        ("VEHPRICE.MGET {K} 1 2 ", "ids, 3"),
        ("VEHPRICE.MSET {K} FIELDS 1 a ROWS  x 2 x 3 x", "rows, 3"),
        ("VEHPRICE.DEL list 1 2 3", "ids, 3"),
        ("VEHPRICE.MGETHASH list hash none", "keys, 3"),
    ];
    let server = &Server::start(kind);
    let con = &mut server.connection();
    fill(con);
    let before = keyspace(con);
    cmd(con, "CONFIG SET quotelock.max-batch 2");
    for (words, many) in cases {
        for key in ["table", "absent"] {
            let refused = format!("ERR too many {many} are more than quotelock.max-batch, 2");
            assert_eq!(error(con, &words.replace("{K}", key)), refused, "{words}");
        }
    }
    assert_eq!(keyspace(con), before);
    let count = "ERR value is not an integer or out of range, COUNT requires a whole number from 1 to 2";
    assert_eq!(error(con, "VEHPRICE.SCAN table 0 COUNT 3"), count);
    // At the bound, and where no batch is named.
    assert_eq!(int(con, "VEHPRICE.MSET table FIELDS 1 a ROWS 1 x 3 x"), 2);
    assert_eq!(reply(con, "VEHPRICE.MGET table FIELDS 1 a IDS 1 3"), r#"[["x"], ["x"]]"#);
    assert_eq!(rows(con, "table").as_object().unwrap().len(), 3);
    assert_eq!(int(con, "VEHPRICE.DEL table 1 3"), 2);
}
