//! VEHPRICE.CHANGES: what to do to a copy of a table to have it as it is now.

mod effects;

use super::*;

/// A server whose rows live on unless they are told not to.
fn server(kind: Kind) -> Server {
    Server::builder(kind).module_args("price-ttl-ms 0").start()
}

/// The table's revision, as INFO tells it.
#[track_caller]
fn revision(con: &mut Connection, key: &str) -> String {
    pairs(&cmd(con, &["VEHPRICE.INFO", key]))["\"revision\""].trim_matches('"').to_owned()
}

/// What is told of a table since a revision.
#[track_caller]
fn news(con: &mut Connection, key: &str, since: &str) -> News {
    News::of(&cmd(con, &["VEHPRICE.CHANGES", key, since, "JSON"]))
}

/// Checks an answer in RESP2, in RESP3 and as JSON. It is written as JSON here, `R` its revision and `N` the
/// clock.
#[track_caller]
fn check(clients: &mut Clients, key: &str, since: &str, rest: &str, expected: &str) {
    let mut answer = |resp3: bool, rest: &str| {
        let con = if resp3 { &mut clients.resp3 } else { &mut clients.resp2 };
        let reply = cmd(con, &words(&["VEHPRICE.CHANGES", key, since], rest));
        let News { revision, now, .. } = News::of(&reply);
        let shown = show(&reply).replace(&now.to_string(), "N");
        if revision == "0" { shown } else { shown.replace(&format!("\"{revision}\""), "R") }
    };
    assert_eq!(answer(false, rest), as_shown(expected, false), "{key} {since} {rest}");
    assert_eq!(answer(true, rest), as_shown(expected, true), "{key} {since} {rest}");
    let expected =
        expected.replace("\"whole\":0", "\"whole\":false").replace("\"whole\":1", "\"whole\":true");
    for words in [format!("{rest} JSON"), format!("json {}", rest.to_lowercase())] {
        for resp3 in [false, true] {
            assert_eq!(answer(resp3, &words), format!("\"{expected}\""), "{key} {since} {words}");
        }
    }
}

#[apply(each_server)]
fn answers_in_every_form(#[case] kind: Kind) {
    // The words; of each of three rows the fields and the columns.
    let cases = [
        (
            "",
            [
                r#""fields":["a","b"],"ids":["1"],"columns":[["1"],["2"]]"#,
                r#""fields":["b"],"ids":["é\"\\"],"columns":[["3"]]"#,
                r#""fields":["c","a"],"ids":["3"],"columns":[["é\"\n"],[""]]"#,
            ],
        ),
        (
            "FIELDS 1 b",
            [
                r#""fields":["b"],"ids":["1"],"columns":[["2"]]"#,
                r#""fields":["b"],"ids":["é\"\\"],"columns":[["3"]]"#,
                r#""fields":["b"],"ids":["3"],"columns":[[null]]"#,
            ],
        ),
        (
            "FIELDS 3 none b a",
            [
                r#""fields":["none","b","a"],"ids":["1"],"columns":[[null],["2"],["1"]]"#,
                r#""fields":["none","b","a"],"ids":["é\"\\"],"columns":[[null],["3"],[null]]"#,
                r#""fields":["none","b","a"],"ids":["3"],"columns":[[null],[null],[""]]"#,
            ],
        ),
    ];
    let server = &server(kind);
    let clients = &mut Clients::of(server);
    let con = &mut clients.resp2;
    cmd(con, "VEHPRICE.SET t 1 PXAT 4000000000000 FIELDS 2 a 1 b 2");
    cmd(con, &["VEHPRICE.SET", "t", "é\"\\", "PXAT", "4000000000001", "FIELDS", "1", "b", "3"]);
    cmd(con, &["VEHPRICE.SET", "t", "3", "FIELDS", "2", "c", "é\"\n", "a", ""]);
    cmd(con, "VEHPRICE.SET t gone PX 1 FIELDS 1 b 4");
    rest(3);
    for (rest, [first, second, third]) in cases {
        let expected = format!(
            r#"{{"revision":R,"now":N,"whole":1,"groups":[{{"expiresAt":4000000000000,{first}}},{{"expiresAt":4000000000001,{second}}},{{"expiresAt":null,{third}}}],"deleted":[]}}"#
        );
        check(clients, "t", "0", rest, &expected);
        let none = r#"{"revision":"0","now":N,"whole":1,"groups":[],"deleted":[]}"#;
        check(clients, "absent", "0", rest, none);
        let since = revision(&mut clients.resp2, "t");
        check(clients, "absent", &since, rest, none);
        let nothing = r#"{"revision":R,"now":N,"whole":0,"groups":[],"deleted":[]}"#;
        check(clients, "t", &since, rest, nothing);
        assert_eq!(news(&mut clients.resp2, "t", &since).revision, since);
    }
    assert_eq!(int(&mut clients.resp2, "EXISTS absent"), 0);
}

#[apply(each_server)]
fn tells_what_a_write_has_changed(#[case] kind: Kind) {
    const A: &str = r#"{"expiresAt":4000000000000,"fields":["a"],"ids":["1"],"columns":[["x"]]}"#;
    const B: &str = r#"{"expiresAt":4000000000001,"fields":["a"],"ids":["2"],"columns":[["y"]]}"#;
    const LATER_B: &str = r#"{"expiresAt":4000000000003,"fields":["a"],"ids":["2"],"columns":[["y"]]}"#;
    const C: &str = r#"{"expiresAt":null,"fields":["b"],"ids":["3"],"columns":[["z"]]}"#;
    const DELETED_AND_STORED: &str = "redis.call('VEHPRICE.DEL', 't', '1') \
         return redis.call('VEHPRICE.SET', 't', '1', 'PXAT', '4000000000000', 'FIELDS', '1', 'a', 'x')";
    const STORED_AND_DELETED: &str = "redis.call('VEHPRICE.SET', 't', '4', 'FIELDS', '1', 'a', 'x') \
         return redis.call('VEHPRICE.DEL', 't', '4')";
    // After each other: a command or a script, and what is told since before it: whether all is, the groups,
    // the ids deleted. Rows of one page are told together.
    let story: [(&str, u8, &[&str], &str); 24] = [
        ("VEHPRICE.SET t 1 PXAT 4000000000000 FIELDS 1 a x", 1, &[A], ""),
        ("VEHPRICE.SET t 2 PXAT 4000000000001 FIELDS 1 a y", 0, &[A, B], ""),
        ("VEHPRICE.GET t 1", 0, &[], ""),
        ("VEHPRICE.SET t 1 NX FIELDS 1 a z", 0, &[], ""),
        ("VEHPRICE.SET t 3 XX FIELDS 1 a z", 0, &[], ""),
        ("VEHPRICE.SET t 3 PXAT 1 FIELDS 1 a z", 0, &[], ""),
        ("VEHPRICE.DEL t 3", 0, &[], ""),
        ("VEHPRICE.CLAIM t PX 1000 IDS 3", 0, &[], ""),
        ("PEXPIREAT t 4000000000000", 0, &[], ""),
        ("PERSIST t", 0, &[], ""),
        ("VEHPRICE.DEL t 1", 0, &[], r#""1""#),
        ("VEHPRICE.DEL t 1", 0, &[], ""),
        ("VEHPRICE.SET t 3 FIELDS 1 b z", 0, &[B, C], ""),
        (r#"VEHPRICE.MSET t PXAT 4000000000000 JSON {"1":{"a":"x"}}"#, 0, &[A, B, C], ""),
        ("VEHPRICE.DEL t 3 4", 0, &[], r#""3""#),
        ("VEHPRICE.SET t 1 PXAT 1 FIELDS 1 a z", 0, &[], r#""1""#),
        ("VEHPRICE.SET t 2 PXAT 4000000000003 FIELDS 1 a y", 0, &[LATER_B], ""),
        ("VEHPRICE.SET t 2 PXAT 4000000000001 FIELDS 1 a y", 0, &[B], ""),
        ("VEHPRICE.SET t 2 MERGE FIELDS 1 a y", 0, &[B], ""),
        (DELETED_AND_STORED, 0, &[A, B], ""),
        (STORED_AND_DELETED, 0, &[A, B], r#""4""#),
        ("VEHPRICE.CLEAR t", 1, &[], ""),
        ("VEHPRICE.SET t 1 PXAT 4000000000000 FIELDS 1 a x", 1, &[A], ""),
        ("VEHPRICE.DEL t 1", 1, &[], ""),
    ];
    let server = &server(kind);
    let clients = &mut Clients::of(server);
    let mut since = "0".to_owned();
    for (command, whole, groups, deleted) in story {
        let con = &mut clients.resp2;
        if command.starts_with("redis.call") {
            cmd(con, &["EVAL", command, "0"])
        } else {
            cmd(con, command)
        };
        let now = news(&mut clients.resp2, "t", "0").revision;
        let revision = if now == "0" { "\"0\"" } else { "R" };
        let expected = format!(
            r#"{{"revision":{revision},"now":N,"whole":{whole},"groups":[{}],"deleted":[{deleted}]}}"#,
            groups.join(",")
        );
        check(clients, "t", &since, "", &expected);
        let is_told = whole == 1 || !groups.is_empty() || !deleted.is_empty();
        assert_eq!(now != since, is_told, "{command}");
        since = now;
    }
}

/// This many rows, ids from 0 on.
fn fill(con: &mut Connection, key: &str, ids: impl Iterator<Item = String>) {
    let mut mset = words(&["VEHPRICE.MSET", key], "FIELDS 1 a ROWS");
    ids.for_each(|id| mset.extend([id.into_bytes(), b"x".to_vec()]));
    cmd(con, &mset);
}

/// Of a large table a page of rows is the grain.
#[apply(each_server)]
fn tells_no_more_than_the_pages_that_were_written_to(#[case] kind: Kind) {
    let server = &server(kind);
    let con = &mut server.connection();
    fill(con, "t", (0..8000).map(|id| id.to_string()));
    let since = news(con, "t", "0").revision;
    cmd(con, "VEHPRICE.SET t 4711 FIELDS 1 a y");
    let told = |con: &mut Connection| {
        let News { whole, groups, deleted, .. } = news(con, "t", &since);
        let ids: Vec<String> = groups.into_iter().flat_map(|group| group.ids).collect();
        (whole, ids, deleted)
    };
    let (whole, ids, deleted) = told(con);
    assert!(!whole && deleted.is_empty() && ids.len() <= 32, "{ids:?}");
    assert!(ids.iter().any(|id| id == "4711"), "{ids:?}");
    // A deletion tells no rows.
    cmd(con, "VEHPRICE.DEL t 12");
    assert_eq!(told(con), (false, ids.into_iter().filter(|id| id != "12").collect(), vec!["12".to_owned()]));
    // Ten pages at most.
    fill(con, "t", (100..110).map(|id| id.to_string()));
    assert!(told(con).1.len() <= 11 * 32);
}

/// 1,024 ids, or 64 KiB of them; and the memory they take.
#[apply(each_server)]
fn remembers_deletions_up_to_a_bound(#[case] kind: Kind) {
    let short = |id: usize| id.to_string();
    let long = |id: usize| format!("{id:0>256}");
    let kinds: [(&dyn Fn(usize) -> String, usize); 2] = [(&short, 1024), (&long, 256)];
    let server = &server(kind);
    let con = &mut server.connection();
    let usage = |con: &mut Connection| int(con, "MEMORY USAGE t SAMPLES 0");
    for (id, bound) in kinds {
        cmd(con, "DEL t");
        fill(con, "t", (0..4 * bound).map(id));
        let before = usage(con);
        let since = revision(con, "t");
        let asked = usage(con) - before;
        assert!((0..256).contains(&asked), "{asked} bytes where nothing was deleted");
        let delete = |con: &mut Connection, ids: std::ops::Range<usize>| {
            let mut del = words(&["VEHPRICE.DEL", "t"], "");
            del.extend(ids.map(|number| id(number).into_bytes()));
            int(con, &del)
        };
        assert_eq!(delete(con, 0..bound), bound as i64);
        let told = news(con, "t", &since);
        assert!(!told.whole && told.groups.is_empty());
        let mut deleted = told.deleted;
        deleted.sort();
        let mut expected: Vec<String> = (0..bound).map(id).collect();
        expected.sort();
        assert_eq!(deleted, expected);

        // One more, and one more again: what was asked after the first of all is still known.
        delete(con, bound..bound + 1);
        assert!(news(con, "t", &since).whole);
        let since = revision(con, "t");
        delete(con, bound + 1..3 * bound);
        assert!(news(con, "t", &since).whole);
        let since = revision(con, "t");
        delete(con, 3 * bound..4 * bound - 1);
        assert_eq!(news(con, "t", &since).deleted.len(), bound - 1);
        // Little more is left of the table than what is remembered.
        let full = usage(con);
        assert!((16_000..160_000).contains(&full), "{full} bytes with {bound} deletions");
        fill(con, "t", (4 * bound..8 * bound).map(id));
        delete(con, 4 * bound..8 * bound);
        let again = usage(con);
        assert!((again - full).abs() < 20_000, "{full} bytes, {again} after as many deletions again");
    }
}

/// A copy can't tell from the rows that are there that another expires sooner than it was told.
#[apply(each_server)]
fn a_row_that_expires_earlier_than_it_was_to_is_told_as_deleted(#[case] kind: Kind) {
    let server = &server(kind);
    let con = &mut server.connection();
    cmd(con, "VEHPRICE.MSET t FIELDS 1 a ROWS 1 x 2 y");
    let since = revision(con, "t");
    // At once, or a busy machine may be told too late.
    for words in
        ["MULTI", "VEHPRICE.SET t 1 PX 100 FIELDS 1 a x", &format!("VEHPRICE.CHANGES t {since} JSON")]
    {
        cmd(con, words);
    }
    let Value::Array(replies) = cmd(con, "EXEC") else { panic!("EXEC gave no array") };
    let told = News::of(&replies[1]);
    let expires = told.now + 100;
    let mut copy = OwnCopy::new();
    copy.take(told);
    let told = copy.live(expires - 1);
    assert_eq!(told["1"].0, Some(expires));
    eventually(TIMEOUT, || (int(con, "VEHPRICE.LEN t") == 1).then_some(()));
    let told = news(con, "t", &since);
    assert_eq!((told.whole, told.deleted), (false, vec!["1".to_owned()]));
    // Who was told when it expires need be told no more; nor of a row that expires when it was to.
    assert!(news(con, "t", &copy.revision).is_nothing());
    assert_eq!(news(con, "t", &copy.revision).revision, copy.revision);
}

#[apply(each_server)]
fn an_expired_row_is_not_told_and_no_change(#[case] kind: Kind) {
    let server = &server(kind);
    let con = &mut server.connection();
    cmd(con, "VEHPRICE.SET t long FIELDS 1 a x");
    fill(con, "t", (0..100).map(|id| id.to_string()));
    let given: Vec<String> = (0..100).map(|id| format!("short{id} 1")).collect();
    cmd(con, &format!("VEHPRICE.MSET t PX 40 FIELDS 1 a ROWS {}", given.join(" ")));
    let since = revision(con, "t");
    // They are swept too, and their pages merge.
    eventually(TIMEOUT, || {
        cmd(con, "VEHPRICE.GET t long");
        (info(con, "quotelock")["quotelock_rows_expired"] == "100").then_some(())
    });
    let told = news(con, "t", &since);
    assert!(told.is_nothing() && told.revision == since);
    let told = news(con, "t", "0");
    assert_eq!(told.groups.iter().map(|group| group.ids.len()).sum::<usize>(), 101);
}

/// Another table, however it came to the key, has another history; so has what no server has given.
#[apply(each_server)]
fn what_can_not_be_followed_is_told_whole(#[case] kind: Kind) {
    let server = &server(kind);
    let con = &mut server.connection();
    cmd(con, "VEHPRICE.MSET t FIELDS 1 a ROWS 1 x 2 y");
    cmd(con, "VEHPRICE.MSET other FIELDS 1 a ROWS 1 x 2 y");
    let is_whole = |con: &mut Connection, key: &str, since: &str| {
        let told = news(con, key, since);
        assert_eq!(
            told.groups.iter().map(|group| group.ids.len()).sum::<usize>(),
            2 * usize::from(told.whole)
        );
        told.whole
    };
    let since = revision(con, "t");
    assert!(!is_whole(con, "t", &since));
    assert!(is_whole(con, "other", &since));
    let (history, count) = since.split_once('-').unwrap();
    assert_eq!(count, "2");
    for since in [
        "0",
        "0000000000000000-2",
        &format!("{history}-1"),
        &format!("{history}-3"),
        &format!("{history}-18446744073709551615"),
    ] {
        assert!(is_whole(con, "t", since), "{since}");
    }
    for comes in
        ["RENAME t other", "RENAME other t", "COPY t other REPLACE", "MOVE t 1", "DEBUG RELOAD", "FLUSHALL"]
    {
        cmd(con, "VEHPRICE.MSET t FIELDS 1 a ROWS 1 x 2 y");
        let since = revision(con, "t");
        cmd(con, comes);
        for key in ["t", "other"] {
            let told = news(con, key, &since);
            assert_eq!(told.whole, !(comes.starts_with("COPY") && key == "t"), "{key} after {comes}");
        }
    }
    cmd(con, "SELECT 1");
    assert!(news(con, "t", &since).whole);
    // What is there again is what was there.
    cmd(con, "SELECT 0");
    cmd(con, "VEHPRICE.MSET t FIELDS 1 a ROWS 1 x 2 y");
    let since = revision(con, "t");
    cmd(con, "SWAPDB 0 1");
    assert!(news(con, "t", &since).whole);
    cmd(con, "SWAPDB 0 1");
    assert!(!is_whole(con, "t", &since));
    let Value::BulkString(dump) = cmd(con, "DUMP t") else { panic!("no dump") };
    cmd(con, &[b"RESTORE".as_slice(), b"t", b"0", &dump, b"REPLACE"]);
    assert!(is_whole(con, "t", &since));
}
