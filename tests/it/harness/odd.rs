//! What a test gives where a caller should not.

use redis::Connection;

use super::call::cmd;

/// No whole number, as Redis reads one.
pub(crate) const NO_INTEGERS: [&str; 14] = [
    "",
    "x",
    "1.5",
    "1e3",
    "0x10",
    "+5",
    "05",
    "-0",
    "5x",
    "\t5",
    "NX",
    "%s%n",
    "\u{100}",
    "9223372036854775808",
];

/// Bytes that are odd for a key, and a key like any other.
pub(crate) fn odd_keys() -> Vec<Vec<u8>> {
    let long = vec![b'k'; 70_000];
    let keys: [&[u8]; 11] = [
        b"",
        b" ",
        b"\0",
        b"a\0b",
        b"\r\n",
        b"%s%n",
        "\u{100}".as_bytes(),
        b"\xff\xfe",
        b"{",
        b"JSON",
        &long,
    ];
    keys.map(<[u8]>::to_vec).into()
}

/// A key of each type of Redis's own.
pub(crate) fn fill_other_types(con: &mut Connection) {
    cmd(con, "SET text x");
    cmd(con, "RPUSH list x");
    cmd(con, "HSET hash x y");
    cmd(con, "SADD set x");
    cmd(con, "ZADD zset 1 x");
    cmd(con, "XADD stream 1-1 x y");
}
