//! Calls that are refused in their very words, and change nothing.

use redis::Connection;

use super::call::{brief, reply, show, try_cmd};
use super::keyspace::keyspace;

/// The words of a call, its key as `{K}`, and the error.
pub(crate) type Refusal = (Vec<Vec<u8>>, String);

/// Makes each call on each key; one without `{K}` once.
#[track_caller]
pub(crate) fn refuses(con: &mut Connection, keys: &[&str], refusals: &[Refusal]) {
    let before = keyspace(con);
    let mut differ = Vec::new();
    for (words, error) in refusals {
        let has_key = words.iter().any(|word| word == b"{K}");
        for key in if has_key { keys } else { &["none"] } {
            let with_key =
                |word: &Vec<u8>| if word == b"{K}" { key.as_bytes().to_vec() } else { word.clone() };
            let words: Vec<_> = words.iter().map(with_key).collect();
            let answer = try_cmd(con, &words).map(|value| show(&value));
            if answer.as_ref() != Err(error) {
                differ.push(format!("{}: {answer:?} and not {error}", brief(&words)));
            }
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    assert_eq!(keyspace(con), before);
    assert_eq!(reply(con, "PING"), "PONG");
}
