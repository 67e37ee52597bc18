//! What MGET and CLAIM refuse of a list of ids, and of `COLUMNS`.

use std::io::Write;

use super::*;

const FORM: &str = r#"expected ids like ["4711","4712"]"#;

/// Not JSON, or no list of ids; `at` which byte that shows.
fn not_a_list(at: usize) -> String {
    format!("ERR invalid JSON at byte {at}, {FORM}")
}

fn bad_id(shown: &str) -> String {
    format!("ERR invalid id '{shown}', expected 1 to 256 bytes of UTF-8")
}

/// Arguments that are no list of ids, and the error.
pub(super) fn bad_lists() -> Vec<(Vec<u8>, String)> {
    let x_32 = "x".repeat(32) + "...";
    let texts = [
        // It ends early.
        ("", 1),
        (" ", 1),
        ("[", 1),
        (r#"["#, 1),
        (r#"["1"#, 3),
        (r#"["1""#, 4),
        (r#"["1","#, 5),
        (r#"["1",2"#, 6),
        (r#"["\"#, 3),
        (r#"["\u00"#, 6),
        ("[1.", 3),
        ("[-", 2),
        // Another form.
        ("1", 1),
        (r#""1""#, 3),
        ("null", 4),
        ("4711,4712", 4),
        ("{}", 1),
        (r#"{"1":1}"#, 1),
        // Other elements.
        ("[null]", 6),
        ("[true]", 6),
        ("[1,false]", 9),
        ("[[]]", 4),
        (r#"[["1"]]"#, 7),
        ("[{}]", 4),
        ("[1,{\"a\":\"]\"}]", 13),
        // Not JSON.
        ("[1,]", 4),
        ("[,1]", 2),
        ("[1 2]", 4),
        ("[01]", 3),
        ("[1.]", 4),
        ("[.5]", 2),
        ("[+1]", 2),
        ("[1e]", 4),
        ("[NaN]", 2),
        ("['1']", 2),
        ("[1}", 3),
        (r#"["\q"]"#, 4),
        (r#"["\u00zz"]"#, 8),
        ("[\"a\nb\"]", 3),
        ("[\"a\0b\"]", 3),
        // Rubbish before and behind it.
        ("x[1]", 1),
        ("\u{feff}[1]", 1),
        ("\0[1]", 1),
        ("[1]x", 4),
        ("[1] [2]", 5),
        ("[1],", 4),
        ("[1]\0", 4),
        ("[1]//", 4),
        // Half of a surrogate pair.
        (r#"["\ud800"]"#, 10),
        (r#"["\udead"]"#, 10),
        (r#"["\ud83d\ud83d"]"#, 16),
        (r#"["1","\ud83dx"]"#, 15),
        ("[1,\n2,\n null]", 13),
    ];
    let mut lists: Vec<_> =
        texts.iter().map(|(text, at)| (text.as_bytes().to_vec(), not_a_list(*at))).collect();
    let not_utf8 = format!("ERR invalid JSON, it is not UTF-8, {FORM}");
    for bytes in [&b"\xff"[..], b"[\"\xff\"]", b"[\"a\xc4\"]", b"[\"\xed\xa0\x80\"]", b"[1]\x80"] {
        lists.push((bytes.to_vec(), not_utf8.clone()));
    }
    // Deep, whole and not.
    lists.push((b"[".repeat(100_000), not_a_list(100_000)));
    lists.push(([b"[".repeat(100_000), b"]".repeat(100_000)].concat(), not_a_list(200_000)));
    lists.push((b"{\"a\":".repeat(100_000), not_a_list(1)));
    lists.push(([b"[1,".to_vec(), b"[".repeat(100_000)].concat(), not_a_list(100_003)));
    // Ids out of bounds.
    let a_32 = "A".repeat(32) + "...";
    let digits = "1234567890".repeat(40);
    let shown_digits = format!("{}...", &digits[..32]);
    let escaped_a = escaped(&"A".repeat(257));
    let ids = [
        (r#"[""]"#.to_owned(), String::new()),
        (r#"["1",""]"#.to_owned(), String::new()),
        (format!(r#"["{}"]"#, "x".repeat(257)), x_32.clone()),
        (format!(r#"["ok",{},"{}"]"#, 7, "x".repeat(8 << 20)), x_32),
        (format!(r#"["{}"]"#, "\u{100}".repeat(129)), r"\xc4\x80".repeat(16) + "..."),
        (format!("[{escaped_a}]"), a_32),
        (format!("[{digits}]"), shown_digits.clone()),
        (format!("[1,{digits},null]"), shown_digits),
    ];
    lists.extend(ids.map(|(list, shown)| (list.into_bytes(), bad_id(&shown))));
    lists
}

/// What both commands refuse. `words` makes a call whose words stand before the ids.
fn of_both(rows: &mut Rows, words: impl Fn(&str) -> String) {
    for (list, error) in bad_lists() {
        rows.add_with(&words("LIST {X}"), &list, error.clone());
        rows.add_with(&words("FIELDS 1 a COLUMNS LIST {X}"), &list, error);
    }
    rows.add_with(&words("JSON list {X}").replace("{K}", "list"), b"[1,]", not_a_list(4));
    let last = "ERR syntax error, LIST requires one argument, the last";
    for more in ["LIST [] x", "LIST [1] [2]", "LIST [1] IDS 1", "list [1] JSON", "LIST LIST []", "LIST x y"] {
        rows.add(&words(more), last);
    }
    rows.no_value(&words("FIELDS 1 a LIST"), "LIST");
    rows.no_value(&words("JSON list"), "LIST");
    for without in ["COLUMNS LIST []", "COLUMNS IDS 1", "columns LIST [1]"] {
        rows.add(&words(without), "ERR syntax error, COLUMNS requires FIELDS");
    }
    let exclude =
        |first: &str, second: &str| format!("ERR syntax error, {first} and {second} are mutually exclusive");
    for ids in ["LIST []", "IDS 1"] {
        rows.add(&words(&format!("JSON COLUMNS FIELDS 1 a {ids}")), exclude("JSON", "COLUMNS"));
        rows.add(&words(&format!("FIELDS 1 a columns json {ids}")), exclude("COLUMNS", "JSON"));
        rows.add(&words(&format!("FIELDS 1 a COLUMNS RAW 1 a {ids}")), "ERR syntax error, RAW requires JSON");
        rows.twice(&words(&format!("COLUMNS FIELDS 1 a columns {ids}")), "COLUMNS");
        rows.missing(&words("FIELDS 1 a COLUMNS"), "IDS or LIST");
    }
    rows.unknown(&words("FIELDS 1 a COLUMNS [1]"), "[1]");
    rows.unknown(&words("JSON LISTS [1]"), "LISTS");
    rows.wrong_type(&words("LIST []"));
    rows.wrong_type(&words("LIST [1]"));
    rows.wrong_type(&words("FIELDS 1 a COLUMNS LIST [1]"));
}

#[apply(each_server)]
fn mget_refuses_of_lists(#[case] kind: Kind) {
    let mut rows = Rows::of("vehprice.mget");
    of_both(&mut rows, |words| format!("{{K}} {words}"));
    for (list, error) in bad_lists() {
        rows.add_with("{K} JSON BLOCK 0 LIST {X}", &list, error);
    }
    // Where ids stand without IDS, none may read like an option's name.
    let among = |word: &str| {
        format!(
            "ERR syntax error, option '{word}' among the ids: pass options before IDS or LIST, or such an id after IDS"
        )
    };
    for word in [
        "FIELDS", "JSON", "RAW", "COLUMNS", "BLOCK", "IDS", "LIST", "json", "List", "cOLUMNS", "block", "ids",
    ] {
        rows.add(&format!("{{K}} 1 {word}"), among(word));
        rows.add(&format!("{{K}} 1 {word} 2"), among(word));
        rows.add(&format!("{{K}} x y {word} 1 a"), among(word));
    }
    for (given, word) in [
        ("RAW 1 a", "RAW"),
        ("raw", "raw"),
        ("1 2 FIELDS 1 a JSON", "FIELDS"),
        ("1 LIST [1]", "LIST"),
        ("1 JSON ", "JSON"),
        (" JSON", "JSON"),
    ] {
        rows.add(&format!("{{K}} {given}"), among(word));
        rows.add(&format!("list {given}"), among(word));
    }
    assert!(rows.rows.len() > 200);
    refuses_all(kind, &rows.rows);
}

#[apply(each_server)]
fn claim_refuses_of_lists(#[case] kind: Kind) {
    let mut rows = Rows::of("vehprice.claim");
    of_both(&mut rows, |words| format!("{{K}} PX 9 {words}"));
    rows.missing("{K} JSON LIMIT 1 LIST [1]", "PX");
    rows.missing("{K} FIELDS 1 a COLUMNS LIST [1]", "PX");
    rows.add("{K} JSON LIMIT 1 LIST [1,]", not_a_list(4));
    assert!(rows.rows.len() > 100);
    refuses_all(kind, &rows.rows);
}

#[apply(each_server)]
fn other_reads_refuse_columns_and_lists(#[case] kind: Kind) {
    let mut get = Rows::of("vehprice.get");
    let mut scan = Rows::of("vehprice.scan");
    let mut getall = Rows::of("vehprice.getall");
    for (rows, fixed) in [(&mut get, "{K} 1"), (&mut scan, "{K} 0")] {
        for words in ["COLUMNS", "FIELDS 1 a COLUMNS", "JSON columns", "columns JSON"] {
            let word = words.split(' ').find(|word| word.eq_ignore_ascii_case("columns")).unwrap();
            rows.unknown(&format!("{fixed} {words}"), word);
        }
        rows.unknown(&format!("{fixed} LIST [1]"), "LIST");
    }
    getall.unknown("{K} LIST [1]", "LIST");
    getall.unknown("{K} COLUMNS LIST []", "LIST");
    getall.add("{K} JSON COLUMNS", "ERR syntax error, JSON and COLUMNS are mutually exclusive");
    getall.add("{K} columns FIELDS 1 a json", "ERR syntax error, COLUMNS and JSON are mutually exclusive");
    getall.twice("{K} COLUMNS columns", "COLUMNS");
    getall.add("{K} COLUMNS RAW 1 a", "ERR syntax error, RAW requires JSON");
    getall.wrong_type("{K} COLUMNS");
    refuses_all(kind, &[get.rows, scan.rows, getall.rows].concat());
}

#[apply(each_server)]
fn lists_longer_than_the_setting_are_refused(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    fill(con);
    cmd(con, "CONFIG SET quotelock.max-batch 2");
    let before = keyspace(con);
    let refused = "ERR too many ids, there are more than quotelock.max-batch, 2";
    // However it goes on.
    for list in [
        "[1,2,3]",
        "[1,1,1]",
        r#"["1","2","\u0033"]"#,
        r#"["\u0031",2,3]"#,
        "[1,2,3",
        "[1,2,3]x",
        "[1,2,3,null]",
    ] {
        for key in ["table", "absent", "list"] {
            for call in [
                "VEHPRICE.MGET {K} LIST",
                "VEHPRICE.MGET {K} BLOCK 0 JSON LIST",
                "VEHPRICE.CLAIM {K} PX 9 LIST",
            ] {
                let call = [words(&[""; 0], &call.replace("{K}", key)), words(&[list], "")].concat();
                assert_eq!(error(con, &call), refused, "{}", brief(&call));
            }
        }
    }
    // What is wrong before one too many comes first.
    assert_eq!(error(con, "VEHPRICE.MGET table LIST [1,null,3,4]"), not_a_list(8));
    assert_eq!(error(con, r#"VEHPRICE.MGET table LIST [1,"",3,4]"#), bad_id(""));
    assert_eq!(error(con, r#"VEHPRICE.MGET table LIST [1,2,]"#), not_a_list(6));
    assert_eq!(reply(con, r#"VEHPRICE.MGET table FIELDS 1 a LIST ["1",2]"#), r#"[["x"], ["z"]]"#);
    assert_eq!(reply(con, r#"VEHPRICE.MGET table FIELDS 1 a LIST ["\u0031",2]"#), r#"[["x"], ["z"]]"#);
    assert_eq!(keyspace(con), before);
}

/// The longest argument that Redis takes, 512 MiB: nothing but spaces, or one bracket in another.
#[test]
fn the_longest_argument_is_refused() {
    const LENGTH: usize = 512 << 20;
    let server = Server::start(Kind::DEFAULT);
    let con = &mut server.connection();
    let rows = r#"expected rows like {"4711":{"styleId":"12"}}"#;
    for (command, first, byte, refused) in [
        ("VEHPRICE.MGET t LIST", "", b' ', not_a_list(LENGTH)),
        ("VEHPRICE.MSET t JSON", "", b' ', format!("ERR invalid JSON at byte {LENGTH}, {rows}")),
        ("VEHPRICE.MGET t LIST", "[1", b' ', not_a_list(LENGTH)),
        ("VEHPRICE.MGET t LIST", "[\"", b'x', not_a_list(LENGTH)),
    ] {
        let mut raw = RawConnection::connect(server.port()).unwrap();
        let mut head = packed(&[&words(&[""; 0], command)[..], &[first.as_bytes().to_vec()]].concat());
        // The last argument is as long as it is said to be, and comes in pieces.
        let last = format!("${}\r\n{first}\r\n", first.len());
        head.truncate(head.len() - last.len());
        raw.send(&head).unwrap();
        raw.send(format!("${LENGTH}\r\n{first}").as_bytes()).unwrap();
        let piece = vec![byte; 1 << 20];
        let mut left = LENGTH - first.len();
        while left > 0 {
            let sent = left.min(piece.len());
            raw.stream().write_all(&piece[..sent]).unwrap();
            left -= sent;
        }
        raw.send(b"\r\n").unwrap();
        assert_eq!(show(&raw.receive().unwrap()), format!("-{refused}"), "{command} {first}");
    }
    assert_eq!(int(con, "DBSIZE"), 0);
}
