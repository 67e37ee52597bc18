//! What each command refuses, in its very words, and that nothing is touched by it.

use redis::Connection;

use crate::harness::*;

const TIME: &str = "2024-09-12T02:50:53.000Z";
const WRONGTYPE: &str = "WRONGTYPE Operation against a key holding the wrong kind of value";
const NOT_AN_INTEGER: &str = "ERR value is not an integer or out of range";
const AN_RFC_3339_TIME: &str = "expected an RFC 3339 time with an offset, like 2024-09-12T02:50:53.000Z";

fn row<T: AsRef<[u8]>>(words: &[T], error: impl Into<String>) -> Refusal {
    (words.iter().map(|word| word.as_ref().to_vec()).collect(), error.into())
}

/// What both commands that write a lock refuse: the words after the name split at spaces.
fn rows_of_both(name: &str) -> Vec<Refusal> {
    let mut rows = Vec::new();
    let mut words = |words: &str, error: String| {
        let words = format!("{name} {words}").replace("{T}", TIME);
        rows.push(row(&words.split(' ').collect::<Vec<_>>(), error));
    };

    let arity = || format!("ERR wrong number of arguments for '{name}' command");
    words("{K}", arity());
    words("{K} 3", arity());

    let unknown = |word: &str| format!("ERR syntax error, unknown option '{word}' for '{name}'");
    words("{K} 3 {T} FOO", unknown("FOO"));
    words("{K} 3 {T} foo", unknown("foo"));
    words("{K} 3 {T} ", unknown(""));
    words("{K} 3 {T} EX 9 17", unknown("17"));
    words("{K} 3 {T} EXAT 17", unknown("EXAT"));
    words("{K} 3 {T} PXAT 17", unknown("PXAT"));
    words("{K} 3 {T} KEEPTTL", unknown("KEEPTTL"));
    words("{K} 3 {T} GET", unknown("GET"));
    words("{K} 3 {T} AT {T}", unknown("AT"));
    words("{K} 3 {T} EX9", unknown("EX9"));
    words("{K} 3 {T} %s%n", unknown("%s%n"));
    words("{K} 3 {T} it's\\", unknown(r"it\x27s\x5c"));
    words("{K} 3 {T} \u{100}", unknown(r"\xc4\x80"));
    words("{K} 3 {T} \r\n", unknown(r"\x0d\x0a"));
    words("{K} 3 {T} 12345678901234567890123456789012", unknown("12345678901234567890123456789012"));
    words("{K} 3 {T} 123456789012345678901234567890123", unknown("12345678901234567890123456789012..."));

    for word in ["EX", "PX", "BUFFER", "PBUFFER", "ALIGN", "LAG"] {
        let lower = word.to_lowercase();
        words(&format!("{{K}} 3 * {word}"), format!("ERR syntax error, {word} requires a value"));
        words(&format!("{{K}} 3 * {lower}"), format!("ERR syntax error, {word} requires a value"));
        let twice = format!("ERR syntax error, {word} is repeated");
        words(&format!("{{K}} 3 * {word} 9 {word} 9"), twice.clone());
        words(&format!("{{K}} 3 * {word} 9 {lower} 8"), twice);
    }
    for (first, second) in [("EX", "PX"), ("PX", "EX"), ("BUFFER", "PBUFFER"), ("PBUFFER", "BUFFER")] {
        let exclude = format!("ERR syntax error, {first} and {second} are mutually exclusive");
        words(&format!("{{K}} 3 * {first} 9 {second} 9"), exclude.clone());
        words(&format!("{{K}} 3 * {first} 9 ALIGN 1 {} 9", second.to_lowercase()), exclude);
    }

    let integers = [
        ("EX", "seconds from 1 to 315360000"),
        ("PX", "milliseconds from 1 to 315360000000"),
        ("BUFFER", "seconds from 0 to 315360000"),
        ("PBUFFER", "milliseconds from 0 to 315360000000"),
        ("LAG", "milliseconds from 0 to 315360000000"),
    ];
    for (word, range) in integers {
        for value in NO_INTEGERS.into_iter().chain(["*"]) {
            words(
                &format!("{{K}} 3 * {word} {value}"),
                format!("{NOT_AN_INTEGER}, {word} requires whole {range}"),
            );
        }
        let most = range.split(' ').next_back().unwrap();
        let above = most.parse::<i64>().unwrap() + 1;
        for value in ["-1", "9223372036854775807", "-9223372036854775808", &above.to_string()] {
            let error = match word {
                "EX" | "PX" => {
                    format!("ERR invalid expire time in '{name}' command, {word} requires whole {range}")
                }
                _ => format!("{NOT_AN_INTEGER}, {word} requires whole {range}"),
            };
            words(&format!("{{K}} 3 * {word} {value}"), error);
        }
    }
    for (word, range) in &integers[..2] {
        let error = format!("ERR invalid expire time in '{name}' command, {word} requires whole {range}");
        words(&format!("{{K}} 3 * {word} 0"), error);
    }

    let at_most =
        |word: &str, ttl: i64| format!("{NOT_AN_INTEGER}, {word} requires at most the ttl, {ttl} ms");
    words("{K} 3 {T} EX 1 BUFFER 2", at_most("BUFFER", 1000));
    words("{K} 3 {T} BUFFER 2 EX 1", at_most("BUFFER", 1000));
    words("{K} 3 {T} PX 999 BUFFER 1", at_most("BUFFER", 999));
    words("{K} 3 {T} PX 999 PBUFFER 1000", at_most("PBUFFER", 999));
    words("{K} 3 {T} EX 1 PBUFFER 1001", at_most("PBUFFER", 1000));
    words("{K} 3 * EX 315359999 BUFFER 315360000", at_most("BUFFER", 315_359_999_000));

    let align = |most: i64| {
        format!("{NOT_AN_INTEGER}, ALIGN requires whole seconds from 1 to {most}, the ttl less the buffer")
    };
    for value in NO_INTEGERS.into_iter().chain(["*"]) {
        words(&format!("{{K}} 3 {{T}} ALIGN {value}"), align(300));
    }
    for value in ["0", "-1", "301", "9223372036854775807", "-9223372036854775808"] {
        words(&format!("{{K}} 3 {{T}} ALIGN {value}"), align(300));
        words(&format!("{{K}} 3 * ALIGN {value}"), align(300));
    }
    words("{K} 3 {T} ALIGN 41 EX 100", align(40));
    words("{K} 3 {T} EX 100 BUFFER 40 ALIGN 61", align(60));
    words("{K} 3 {T} PX 2999 PBUFFER 1000 ALIGN 2", align(1));
    words("{K} 3 {T} ALIGN 361 BUFFER 0", align(360));
    let no_align =
        || format!("{NOT_AN_INTEGER}, ALIGN requires a ttl at least 1 second longer than the buffer");
    words("{K} 3 {T} EX 60 ALIGN 1", no_align());
    words("{K} 3 {T} EX 10 ALIGN 1", no_align());
    words("{K} 3 {T} PX 1999 PBUFFER 1000 ALIGN 1", no_align());
    words("{K} 3 {T} BUFFER 360 ALIGN 1", no_align());
    words("{K} 3 {T} BUFFER 315360000 ALIGN 1", no_align());

    let lag = || "ERR syntax error, LAG requires the queryTime '*'".to_owned();
    words("{K} 3 {T} LAG 0", lag());
    words("{K} 3 {T} LAG 1500 ALIGN 60", lag());

    let out_of_years = |time: &str| {
        format!("ERR invalid queryTime '{time}', with ALIGN it is outside the years 0000 to 9999")
    };
    for time in ["0000-01-01T00:00:00+08:00", "9999-12-31T23:59:59-08:00"] {
        words(&format!("{{K}} 3 {time} ALIGN 60"), out_of_years(time));
    }
    words("{K} 3 0000-01-01T00:00:00Z ALIGN 7", out_of_years("0000-01-01T00:00:00Z"));

    // Checked from left to right; the key's type comes last.
    words("list , soon FOO", "ERR invalid roleIds, id 1 is empty".to_owned());
    words("list 3 soon FOO", query_time("soon"));
    words("list 3 {T} FOO EX 0", unknown("FOO"));
    words(
        "list 3 {T} EX 0 FOO",
        format!("ERR invalid expire time in '{name}' command, EX requires whole seconds from 1 to 315360000"),
    );
    words("list 3 {T} EX 1 BUFFER 2", at_most("BUFFER", 1000));
    words("list 3 {T} LAG 1", lag());
    words("list 3 {T} ALIGN 301", align(300));
    for key in ["list", "hash", "set", "zset", "stream"] {
        words(&format!("{key} 3 {{T}}"), WRONGTYPE.to_owned());
        words(&format!("{key} 3 * EX 9 BUFFER 1 LAG 1 ALIGN 1"), WRONGTYPE.to_owned());
    }

    for time in bad_times() {
        rows.push(row(&[name.as_bytes(), b"{K}", b"3", &time], query_time(&escaped(&time))));
    }
    rows.extend(bad_role_ids().into_iter().map(|(role_ids, error)| {
        row(&[name.as_bytes(), b"{K}", &role_ids, TIME.as_bytes()], format!("ERR invalid roleIds, {error}"))
    }));
    // Any bytes where a word or its value is.
    let bytes: [(&[u8], &str); 4] =
        [(b"\0", r"\x00"), (b"NX\0", r"NX\x00"), (b"\xff\xfe", r"\xff\xfe"), (b"\xc4", r"\xc4")];
    for (word, shown) in bytes {
        let fixed = [name.as_bytes(), b"{K}", b"3", b"*"];
        rows.push(row(&[&fixed, [word].as_slice()].concat(), unknown(shown)));
        let lag = format!("{NOT_AN_INTEGER}, LAG requires whole milliseconds from 0 to 315360000000");
        rows.push(row(&[&fixed, [b"LAG", word].as_slice()].concat(), lag));
        rows.push(row(&[&fixed, [b"ALIGN", word].as_slice()].concat(), align(300)));
    }
    rows
}

fn query_time(shown: &str) -> String {
    format!("ERR invalid queryTime '{shown}', {AN_RFC_3339_TIME}, or '*' for the server's clock")
}

fn bad_times() -> Vec<Vec<u8>> {
    let mut times: Vec<Vec<u8>> = [
        "",
        "now",
        "**",
        "* ",
        "1726109453000",
        "2024-09-12",
        "2024-09-12T02:50Z",
        "2024-09-12T02:50:53",
        "2024-09-12T02:50:53.000",
        "2024-09-12T02:50:53+0800",
        "2024-09-12T02:50:53+08",
        "2024-09-12T02:50:53 +08:00",
        "2024-09-12T02:50:53+24:00",
        "2024-09-12T02:50:53+08:60",
        "2024-09-12T02:50:53\u{2212}08:00",
        "2024-09-12T02:50:53.Z",
        "2024-09-12T02:50:53,5Z",
        "2024-09-12T02:50:53ZZ",
        "2024-09-12T24:00:00Z",
        "2024-09-12T02:60:53Z",
        "2024-09-12T02:50:61Z",
        "2024-13-12T02:50:53Z",
        "2024-00-12T02:50:53Z",
        "2024-09-31T02:50:53Z",
        "2024-09-00T02:50:53Z",
        "2023-02-29T02:50:53Z",
        "1900-02-29T02:50:53Z",
        "24-09-12T02:50:53Z",
        "12024-09-12T02:50:53Z",
        "+2024-09-12T02:50:53Z",
        "-001-09-12T02:50:53Z",
        "2024-9-12T02:50:53Z",
        "2024-09-12T2:50:53Z",
        "2024/09/12T02:50:53Z",
        " 2024-09-12T02:50:53Z",
        "2024-09-12T02:50:53Z\n",
        "2024-09-12T02:50:53Z\0",
        "\"2024-09-12T02:50:53Z\"",
        "Thu, 12 Sep 2024 02:50:53 GMT",
        "Invalid date",
        "%s%n",
        "\u{100}",
        "２０２４-09-12T02:50:53Z",
    ]
    .map(|time| time.as_bytes().to_vec())
    .to_vec();
    times.push(b"\xff\xfe".to_vec());
    // One digit more than the longest text.
    times.push(format!("2024-09-12T02:50:53.{}Z", "1".repeat(44)).into_bytes());
    times.push(vec![b'2'; 64 << 20]);
    times
}

/// Role ids, and what is wrong with them.
fn bad_role_ids() -> Vec<(Vec<u8>, &'static str)> {
    const EMPTY: &str =
        r#"expected a JSON array like ["3","7"], or a comma list like 3,7, not an empty text"#;
    const NO_ARRAY: &str = r#"expected a JSON array of strings or numbers, like ["3","7"]"#;
    const OBJECT: &str = r#"expected a JSON array of role ids, like ["3","7"], not a JSON object"#;
    const STRING: &str = r#"expected a JSON array of role ids, like ["3","7"], not a JSON string"#;
    const NOT_FOR_A_LIST: &str = "id 1 has a character that a comma list can't carry: pass a JSON array";
    const NOT_FOR_A_LIST_2: &str = "id 2 has a character that a comma list can't carry: pass a JSON array";
    let id_of_257 = "x".repeat(257);
    let ids = |count: usize| (1..=count).map(|id| id.to_string()).collect::<Vec<_>>().join(",");
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let mut bad: Vec<(Vec<u8>, &str)> = [
        ("", EMPTY),
        ("[", NO_ARRAY),
        ("[\"3\"", NO_ARRAY),
        ("[\"3\"]x", NO_ARRAY),
        ("[\"3\"]\0", NO_ARRAY),
        ("[\"3\",]", NO_ARRAY),
        ("[,\"3\"]", NO_ARRAY),
        ("[3,,7]", NO_ARRAY),
        ("[\"3\" \"7\"]", NO_ARRAY),
        ("['3']", NO_ARRAY),
        ("[x]", NO_ARRAY),
        ("[null]", NO_ARRAY),
        ("[\"3\",true]", NO_ARRAY),
        ("[[]]", NO_ARRAY),
        ("[[\"3\"]]", NO_ARRAY),
        ("[{}]", NO_ARRAY),
        ("[NaN]", NO_ARRAY),
        ("[01]", NO_ARRAY),
        ("[+1]", NO_ARRAY),
        ("[-]", NO_ARRAY),
        ("[1.]", NO_ARRAY),
        (r#"["\x"]"#, NO_ARRAY),
        (r#"["\u12"]"#, NO_ARRAY),
        (r#"["\ud800"]"#, NO_ARRAY),
        ("[\"\n\"]", NO_ARRAY),
        ("[\"\0\"]", NO_ARRAY),
        ("[%s%n]", NO_ARRAY),
        ("[\u{100}]", NO_ARRAY),
        (&nested(200), NO_ARRAY),
        (&nested(100_000), NO_ARRAY),
        (&"[".repeat(100_000), NO_ARRAY),
        (&"[{\"a\":".repeat(100_000), NO_ARRAY),
        ("[\"\"]", "id 1 is empty"),
        ("[\"3\",\"\"]", "id 2 is empty"),
        (",", "id 1 is empty"),
        (",3", "id 1 is empty"),
        ("3,,7", "id 2 is empty"),
        ("3,7,", "id 3 is empty"),
        (&id_of_257, "id 1 is longer than 256 bytes"),
        (&format!("3,{id_of_257}"), "id 2 is longer than 256 bytes"),
        (&format!("[\"3\",\"{id_of_257}\"]"), "id 2 is longer than 256 bytes"),
        (&format!("[{}]", "1".repeat(257)), "id 1 is longer than 256 bytes"),
        (&format!("[\"{}x\"]", r"\u0100".repeat(128)), "id 1 is longer than 256 bytes"),
        (&ids(1025), "expected at most 1024 ids"),
        (&format!("[{}]", ids(1025)), "expected at most 1024 ids"),
        (&format!("[\"{}\"]", ids(1025).replace(',', "\",\"")), "expected at most 1024 ids"),
        // What comes after is not read.
        (&format!("[{},null,", ids(1025)), "expected at most 1024 ids"),
        (&format!("{}, x", ids(1024)), "expected at most 1024 ids"),
        (&format!("[\"\",{},null,", ids(1025)), "id 1 is empty"),
        (" ", NOT_FOR_A_LIST),
        ("3 ", NOT_FOR_A_LIST),
        ("3, 7", NOT_FOR_A_LIST_2),
        ("3,7\n", NOT_FOR_A_LIST_2),
        ("3,\0", NOT_FOR_A_LIST_2),
        ("3,\u{7f}", NOT_FOR_A_LIST_2),
        ("3,\u{a0}", NOT_FOR_A_LIST_2),
        ("\"3\"", STRING),
        ("\"3\",\"7\"", NOT_FOR_A_LIST),
        ("{}", OBJECT),
        ("{\"a\":1}", OBJECT),
        (" {\"roleIds\":[\"3\"]}", OBJECT),
        ("{\"a\":1", NOT_FOR_A_LIST),
        ("{3", NOT_FOR_A_LIST),
        ("3,7]", NOT_FOR_A_LIST_2),
        ("\u{feff}[\"3\"]", NOT_FOR_A_LIST),
    ]
    .map(|(role_ids, error)| (role_ids.as_bytes().to_vec(), error))
    .to_vec();
    for invalid in [b"\xff".as_slice(), b"[\"\xff\"]", b"3,\xc4", b"[\"\xed\xa0\x80\"]", b"[\"\xc0\x80\"]"] {
        bad.push((invalid.to_vec(), "expected UTF-8"));
    }
    for byte in b"[\xff" {
        bad.push((vec![*byte; 64 << 20], "expected at most 2097152 bytes"));
    }
    bad
}

/// Input as an error shows it.
fn escaped(input: &[u8]) -> String {
    let shown: String = input[..input.len().min(32)]
        .iter()
        .map(|byte| match byte {
            b'\'' | b'\\' => format!("\\x{byte:02x}"),
            b' '..=b'~' => char::from(*byte).to_string(),
            _ => format!("\\x{byte:02x}"),
        })
        .collect();
    if input.len() > 32 { shown + "..." } else { shown }
}

fn rows_of_set() -> Vec<Refusal> {
    let mut rows = rows_of_both("quotelock.set");
    for (words, error) in [
        ("3 {T} NX NX", "ERR syntax error, NX is repeated"),
        ("3 {T} xx EX 9 XX", "ERR syntax error, XX is repeated"),
        ("3 {T} NX XX", "ERR syntax error, NX and XX are mutually exclusive"),
        ("3 {T} xx EX 9 nx", "ERR syntax error, XX and NX are mutually exclusive"),
        ("3 {T} JSON", "ERR syntax error, unknown option 'JSON' for 'quotelock.set'"),
        ("3 {T} IFMISSING", "ERR syntax error, unknown option 'IFMISSING' for 'quotelock.set'"),
        (
            "3 {T} NX EX 0",
            "ERR invalid expire time in 'quotelock.set' command, EX requires whole seconds from 1 to 315360000",
        ),
    ] {
        let words = format!("QUOTELOCK.SET {{K}} {words}").replace("{T}", TIME);
        rows.push(row(&words.split(' ').collect::<Vec<_>>(), error));
    }
    for key in ["list", "hash", "set", "zset", "stream"] {
        rows.push(row(&["QUOTELOCK.SET", key, "3", "*", "NX"], WRONGTYPE));
        rows.push(row(&["QUOTELOCK.SET", key, "3", "*", "XX"], WRONGTYPE));
    }
    rows
}

fn rows_of_acquire() -> Vec<Refusal> {
    let mut rows = rows_of_both("quotelock.acquire");
    for (words, error) in [
        ("3 {T} IFMISSING ifmissing", "ERR syntax error, IFMISSING is repeated"),
        ("3 {T} JSON EX 9 json", "ERR syntax error, JSON is repeated"),
        ("3 {T} NX", "ERR syntax error, unknown option 'NX' for 'quotelock.acquire'"),
        ("3 {T} XX", "ERR syntax error, unknown option 'XX' for 'quotelock.acquire'"),
        (
            "3 {T} JSON EX -1",
            "ERR invalid expire time in 'quotelock.acquire' command, EX requires whole seconds from 1 to 315360000",
        ),
    ] {
        let words = format!("QUOTELOCK.ACQUIRE {{K}} {words}").replace("{T}", TIME);
        rows.push(row(&words.split(' ').collect::<Vec<_>>(), error));
    }
    for key in ["list", "hash", "set", "zset", "stream"] {
        rows.push(row(&["QUOTELOCK.ACQUIRE", key, "3", "*", "IFMISSING", "JSON"], WRONGTYPE));
    }
    rows
}

fn rows_of_get() -> Vec<Refusal> {
    let arity = "ERR wrong number of arguments for 'quotelock.get' command";
    let unknown = |word: &str| format!("ERR syntax error, unknown option '{word}' for 'quotelock.get'");
    let mut rows = vec![
        row(&["QUOTELOCK.GET"], arity),
        row(&["QUOTELOCK.GET", "{K}", "FOO"], unknown("FOO")),
        row(&["QUOTELOCK.GET", "{K}", ""], unknown("")),
        row(&["QUOTELOCK.GET", "{K}", "JSON", "user:2"], unknown("user:2")),
        row(&["QUOTELOCK.GET", "{K}", "JSON\0"], unknown(r"JSON\x00")),
        row(&["QUOTELOCK.GET", "{K}", "%s%n"], unknown("%s%n")),
        row(&["QUOTELOCK.GET", "{K}", "\u{100}"], unknown(r"\xc4\x80")),
        row(&[b"QUOTELOCK.GET".as_slice(), b"{K}", b"\xff"], unknown(r"\xff")),
        row(
            &[b"QUOTELOCK.GET".as_slice(), b"{K}", &vec![b'J'; 64 << 20]],
            unknown(&("J".repeat(32) + "...")),
        ),
        row(&["QUOTELOCK.GET", "{K}", "JSON", "json"], "ERR syntax error, JSON is repeated"),
        row(&["QUOTELOCK.GET", "{K}", "AT", TIME, "at", TIME], "ERR syntax error, AT is repeated"),
        row(&["QUOTELOCK.GET", "{K}", "AT"], "ERR syntax error, AT requires a value"),
        row(&["QUOTELOCK.GET", "{K}", "JSON", "at"], "ERR syntax error, AT requires a value"),
        row(&["QUOTELOCK.GET", "{K}", "AT", "*"], format!("ERR invalid AT '*', {AN_RFC_3339_TIME}")),
        row(&["QUOTELOCK.GET", "list", "FOO"], unknown("FOO")),
    ];
    for time in bad_times() {
        let error = format!("ERR invalid AT '{}', {AN_RFC_3339_TIME}", escaped(&time));
        rows.push(row(&[b"QUOTELOCK.GET", b"{K}".as_slice(), b"AT", &time], error));
    }
    for key in ["list", "hash", "set", "zset", "stream"] {
        rows.push(row(&["QUOTELOCK.GET", key], WRONGTYPE));
        rows.push(row(&["QUOTELOCK.GET", key, "AT", TIME, "JSON"], WRONGTYPE));
    }
    rows
}

fn rows_of_del() -> Vec<Refusal> {
    let arity = "ERR wrong number of arguments for 'quotelock.del' command";
    let unknown = |word: &str| format!("ERR syntax error, unknown option '{word}' for 'quotelock.del'");
    let mut rows = vec![
        row(&["QUOTELOCK.DEL"], arity),
        row(&["QUOTELOCK.DEL", "{K}", "user:2"], unknown("user:2")),
        row(&["QUOTELOCK.DEL", "{K}", "JSON"], unknown("JSON")),
        row(&["QUOTELOCK.DEL", "{K}", "IFEQ", TIME, "JSON"], unknown("JSON")),
        row(&["QUOTELOCK.DEL", "{K}", "%s%n"], unknown("%s%n")),
        row(&["QUOTELOCK.DEL", "{K}", "IFEQ\0"], unknown(r"IFEQ\x00")),
        row(&[b"QUOTELOCK.DEL".as_slice(), b"{K}", b"\xff"], unknown(r"\xff")),
        row(&["QUOTELOCK.DEL", "{K}", "IFEQ"], "ERR syntax error, IFEQ requires a value"),
        row(&["QUOTELOCK.DEL", "{K}", "IFEQ", TIME, "ifeq", TIME], "ERR syntax error, IFEQ is repeated"),
    ];
    for key in ["list", "hash", "set", "zset", "stream"] {
        rows.push(row(&["QUOTELOCK.DEL", key], WRONGTYPE));
        rows.push(row(&["QUOTELOCK.DEL", key, "IFEQ", TIME], WRONGTYPE));
    }
    rows
}

/// Every key with what it holds and its expiry.
fn fill(con: &mut Connection) {
    let held = format!(r#"{{"roleIds":["1"],"queryTime":"{TIME}"}}"#);
    cmd(con, &["SET", "lock", &held, "PXAT", "9999999999999"]);
    fill_other_types(con);
}

/// Each row on a key that holds a lock, on one that holds another string, and on one that isn't there.
#[track_caller]
fn refuses_all(kind: Kind, rows: &[Refusal]) {
    let server = Server::start(kind);
    let con = &mut server.connection();
    fill(con);
    refuses(con, &["lock", "text", "absent"], rows);
}

#[apply(each_server)]
fn set_refuses(#[case] kind: Kind) {
    refuses_all(kind, &rows_of_set());
}

#[apply(each_server)]
fn acquire_refuses(#[case] kind: Kind) {
    refuses_all(kind, &rows_of_acquire());
}

#[apply(each_server)]
fn get_refuses(#[case] kind: Kind) {
    refuses_all(kind, &rows_of_get());
}

#[apply(each_server)]
fn del_refuses(#[case] kind: Kind) {
    refuses_all(kind, &rows_of_del());
}
