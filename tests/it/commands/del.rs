//! QUOTELOCK.DEL: what it deletes, and only while it holds what was asked for.

use super::*;

#[apply(each_server)]
fn deletes_what_holds_the_moment(#[case] kind: Kind) {
    let held = lock(r#"["3"]"#, TIME);
    // What the key holds; the words after it; the reply.
    let cases = [
        (None, vec![], 0),
        (None, vec!["IFEQ", TIME], 0),
        (Some(held.as_str()), vec![], 1),
        (Some(&held), vec!["IFEQ", TIME], 1),
        (Some(&held), vec!["ifeq", TIME], 1),
        (Some(&held), vec!["IFEQ", "2024-09-12T02:50:53Z"], 0),
        (Some(&held), vec!["IFEQ", "2024-09-12T02:50:53.000z"], 0),
        (Some(&held), vec!["IFEQ", "2024-09-12T10:50:53.000+08:00"], 0),
        (Some(&held), vec!["IFEQ", ""], 0),
        (Some(&held), vec!["IFEQ", "*"], 0),
        (Some(&held), vec!["IFEQ", "2024-09-12T02:50:53.000Z\0"], 0),
        (Some(&held), vec!["IFEQ", "%s%n\u{100}"], 0),
        (Some("not a lock"), vec![], 1),
        (Some("not a lock"), vec!["IFEQ", "not a lock"], 0),
        (Some(TIME), vec!["IFEQ", TIME], 0),
        (Some("17"), vec!["IFEQ", "17"], 0),
        (Some(""), vec!["IFEQ", ""], 0),
    ];
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for (held, words, deleted) in &cases {
        cmd(con, "DEL user:1");
        if let Some(held) = held {
            cmd(con, &["SET", "user:1", held]);
        }
        let words = [&["QUOTELOCK.DEL", "user:1"], words.as_slice()].concat();
        assert_eq!(int(con, &words), *deleted, "{words:?} on {held:?}");
        let left = if *deleted == 1 { "nil" } else { held.unwrap_or("nil") };
        assert_eq!(text(con, "GET user:1"), left, "{words:?}");
    }
    cmd(con, &["SET", "user:1", &held]);
    assert_eq!(int(con, &[b"QUOTELOCK.DEL".as_slice(), b"user:1", b"IFEQ", b"\xff\xfe\0"]), 0);
    let long = vec![b'2'; 64 << 20];
    assert_eq!(int(con, &[b"QUOTELOCK.DEL".as_slice(), b"user:1", b"IFEQ", &long]), 0);
    assert_eq!(text(con, "GET user:1"), held);
}
