//! Commands in, replies out, both as text a table of cases can hold.

use std::collections::BTreeMap;

use redis::{Connection, ConnectionLike, Value};

/// The words of a command: a text split at its spaces, or the words themselves where one holds a space or any
/// byte.
pub(crate) trait Words {
    fn words(&self) -> Vec<Vec<u8>>;
}

impl Words for str {
    fn words(&self) -> Vec<Vec<u8>> {
        self.split(' ').map(|word| word.as_bytes().to_vec()).collect()
    }
}

impl Words for String {
    fn words(&self) -> Vec<Vec<u8>> {
        self.as_str().words()
    }
}

impl<T: AsRef<[u8]>> Words for [T] {
    fn words(&self) -> Vec<Vec<u8>> {
        self.iter().map(|word| word.as_ref().to_vec()).collect()
    }
}

impl<T: AsRef<[u8]>, const N: usize> Words for [T; N] {
    fn words(&self) -> Vec<Vec<u8>> {
        self.as_slice().words()
    }
}

impl<T: AsRef<[u8]>> Words for Vec<T> {
    fn words(&self) -> Vec<Vec<u8>> {
        self.as_slice().words()
    }
}

/// The reply, or the error line just as the server sent it (`ERR syntax error`).
#[track_caller]
pub(crate) fn try_cmd<W: Words + ?Sized>(con: &mut Connection, words: &W) -> Result<Value, String> {
    let words = words.words();
    let mut command = redis::Cmd::new();
    for word in &words {
        command.arg(word.as_slice());
    }
    match con.req_packed_command(&command.get_packed_command()) {
        Ok(Value::ServerError(error)) => Err(line(error.code(), error.details())),
        Ok(value) => Ok(value),
        Err(error) => match error.code() {
            Some(code) => Err(line(code, error.detail())),
            None => panic!("{}: {error}", brief(&words)),
        },
    }
}

fn line(code: &str, detail: Option<&str>) -> String {
    detail.map_or_else(|| code.to_owned(), |detail| format!("{code} {detail}"))
}

/// The reply; an error fails the test.
#[track_caller]
pub(crate) fn cmd<W: Words + ?Sized>(con: &mut Connection, words: &W) -> Value {
    try_cmd(con, words).unwrap_or_else(|error| panic!("{}: {error}", brief(&words.words())))
}

/// The error line; anything else fails the test.
#[track_caller]
pub(crate) fn error<W: Words + ?Sized>(con: &mut Connection, words: &W) -> String {
    match try_cmd(con, words) {
        Err(error) => error,
        Ok(value) => panic!("{}: no error but {}", brief(&words.words()), show(&value)),
    }
}

/// The reply as `show` writes it, an error as `-` and its line.
#[track_caller]
pub(crate) fn reply<W: Words + ?Sized>(con: &mut Connection, words: &W) -> String {
    try_cmd(con, words).map_or_else(|error| format!("-{error}"), |value| show(&value))
}

/// The integer replied.
#[track_caller]
pub(crate) fn int<W: Words + ?Sized>(con: &mut Connection, words: &W) -> i64 {
    match cmd(con, words) {
        Value::Int(number) => number,
        other => panic!("{}: no integer but {}", brief(&words.words()), show(&other)),
    }
}

/// The string replied, `nil` for none.
#[track_caller]
pub(crate) fn text<W: Words + ?Sized>(con: &mut Connection, words: &W) -> String {
    match cmd(con, words) {
        Value::BulkString(bytes) => String::from_utf8(bytes).unwrap(),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => text,
        Value::Okay => "OK".to_owned(),
        Value::Nil => "nil".to_owned(),
        other => panic!("{}: no string but {}", brief(&words.words()), show(&other)),
    }
}

/// A section of INFO, field by field.
#[track_caller]
pub(crate) fn info(con: &mut Connection, section: &str) -> BTreeMap<String, String> {
    let text = text(con, &["INFO", section]);
    let fields = text.lines().filter_map(|line| line.split_once(':'));
    fields.map(|(name, value)| (name.to_owned(), value.trim_end().to_owned())).collect()
}

/// A reply as text that tells every type of RESP apart:
/// `nil`, `OK` (simple), `"bulk"`, `7`, `[a, b]`, `{name: value}` for a RESP3 map, `<a, b>` for a RESP3 set.
pub(crate) fn show(value: &Value) -> String {
    let list = |values: &[Value]| values.iter().map(show).collect::<Vec<_>>().join(", ");
    match value {
        Value::Nil => "nil".to_owned(),
        Value::Okay => "OK".to_owned(),
        Value::SimpleString(text) => text.clone(),
        Value::Int(number) => number.to_string(),
        Value::BulkString(bytes) => format!("\"{}\"", readable(bytes)),
        Value::Array(values) => format!("[{}]", list(values)),
        Value::Set(values) => format!("<{}>", list(values)),
        Value::Map(pairs) => {
            let pair = |(name, value): &(Value, Value)| format!("{}: {}", show(name), show(value));
            format!("{{{}}}", pairs.iter().map(pair).collect::<Vec<_>>().join(", "))
        }
        Value::ServerError(error) => format!("-{}", line(error.code(), error.details())),
        other => format!("{other:?}"),
    }
}

/// Bytes as text, with what can't be read in hex; quotes stay as they are, so that JSON reads as JSON.
fn readable(bytes: &[u8]) -> String {
    let chunk = |chunk: std::str::Utf8Chunk<'_>| {
        let hex: String = chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")).collect();
        format!("{}{hex}", chunk.valid())
    };
    bytes.utf8_chunks().map(chunk).collect()
}

/// A command for a failure's message: no argument longer than a line.
pub(crate) fn brief(words: &[Vec<u8>]) -> String {
    let word = |word: &Vec<u8>| match word.len() {
        0..200 => readable(word),
        long => format!("{}… ({long} bytes)", readable(&word[..100])),
    };
    words.iter().map(word).collect::<Vec<_>>().join(" ")
}
