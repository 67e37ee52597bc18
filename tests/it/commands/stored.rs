//! Strings that others wrote: which are locks, and what becomes of those that aren't.

use super::*;

/// Each is the lock of roles 3 and 7 at `TIME`.
fn locks() -> Vec<String> {
    let wide = "0".repeat(70_000);
    [
        r#"{"roleIds":["3","7"],"queryTime":"{T}"}"#,
        r#"{"queryTime":"{T}","roleIds":["3","7"]}"#,
        r#"{"roleIds":[3,7],"queryTime":"{T}"}"#,
        r#"{"roleIds":[3,"7"],"queryTime":"{T}"}"#,
        " \t\r\n{ \"roleIds\" : [ \"3\" , \"7\" ] , \"queryTime\" : \"{T}\" } \n",
        r#"{"roleIds":["3","7"],"queryTime":"{T}","userId":17,"x":null,"y":[{"z":{}}],"":1.5e300,"t":true}"#,
        r#"{"roleids":1,"RoleIds":null,"roleIds":["3","7"],"querytime":0,"queryTime":"{T}"}"#,
        r#"{"roleIds":null,"queryTime":"soon","roleIds":["3","7"],"queryTime":"{T}"}"#,
        r#"{"ttlMs":"x","roleIds":["3","7"],"queryTime":"{T}","ttlMs":360000}"#,
        r#"{"roleIds":["3","7"],"queryTime":"{T}","ttlMs":null,"bufferMs":null}"#,
        r#"{"roleIds":["3","7"],"queryTime":"{T}","bufferMs":0,"ttlMs":1}"#,
        r#"{"\u0072oleIds":["\u0033","\u0037"],"query\u0054ime":"2024\u002d09-12T02:50:53.000Z"}"#,
        r#"{"x":"\ud800 \u0000 \" %s%n Ā","roleIds":["3","7"],"queryTime":"{T}"}"#,
        r#"{"x":"{WIDE}","roleIds":["3","7"],"queryTime":"{T}"}"#,
    ]
    .map(|stored| stored.replace("{T}", TIME).replace("{WIDE}", &wide))
    .to_vec()
}

fn not_locks() -> Vec<Vec<u8>> {
    let mut strings: Vec<Vec<u8>> = [
        // No JSON object.
        "",
        "x",
        "17",
        "null",
        "true",
        r#""{T}""#,
        "{T}",
        "[]",
        r#"["3","7"]"#,
        r#"[{"roleIds":["3","7"],"queryTime":"{T}"}]"#,
        "{",
        "{}",
        r#"{"roleIds":["3","7"],"queryTime":"{T}""#,
        r#"{"roleIds":["3","7"],"queryTime":"{T}"}x"#,
        r#"{"roleIds":["3","7"],"queryTime":"{T}"}{}"#,
        "{\"roleIds\":[\"3\",\"7\"],\"queryTime\":\"{T}\"}\0",
        r#"{"roleIds":["3","7"],"queryTime":"{T}",}"#,
        r#"{"roleIds":["3","7",],"queryTime":"{T}"}"#,
        r#"{'roleIds':['3','7'],'queryTime':'{T}'}"#,
        r#"{roleIds:["3","7"],queryTime:"{T}"}"#,
        r#"{"roleIds":["3","7"] "queryTime":"{T}"}"#,
        r#"{"roleIds":["3","7"],"queryTime":"{T}","x":NaN}"#,
        r#"{"roleIds":["3","7"],"queryTime":"{T}","x":01}"#,
        "\u{feff}{\"roleIds\":[\"3\",\"7\"],\"queryTime\":\"{T}\"}",
        "{\"roleIds\":[\"3\n\",\"7\"],\"queryTime\":\"{T}\"}",
        // No roles, or not as an array of strings or numbers.
        r#"{"queryTime":"{T}"}"#,
        r#"{"roleIds":null,"queryTime":"{T}"}"#,
        r#"{"roleIds":"3,7","queryTime":"{T}"}"#,
        r#"{"roleIds":3,"queryTime":"{T}"}"#,
        r#"{"roleIds":{"0":"3"},"queryTime":"{T}"}"#,
        r#"{"roleIds":true,"queryTime":"{T}"}"#,
        r#"{"roleIds":[null],"queryTime":"{T}"}"#,
        r#"{"roleIds":["3",true],"queryTime":"{T}"}"#,
        r#"{"roleIds":[["3"]],"queryTime":"{T}"}"#,
        r#"{"roleIds":[{}],"queryTime":"{T}"}"#,
        r#"{"roleIds":["\ud800"],"queryTime":"{T}"}"#,
        r#"{"roleIds":["3","7"],"queryTime":"{T}","roleIds":null}"#,
        r#"{"RoleIds":["3","7"],"queryTime":"{T}"}"#,
        // No moment, or none in RFC 3339.
        r#"{"roleIds":["3","7"]}"#,
        r#"{"roleIds":["3","7"],"queryTime":null}"#,
        r#"{"roleIds":["3","7"],"queryTime":1726109453000}"#,
        r#"{"roleIds":["3","7"],"queryTime":""}"#,
        r#"{"roleIds":["3","7"],"queryTime":"*"}"#,
        r#"{"roleIds":["3","7"],"queryTime":"Invalid date"}"#,
        r#"{"roleIds":["3","7"],"queryTime":"2024-09-12"}"#,
        r#"{"roleIds":["3","7"],"queryTime":"2024-09-12T02:50:53.000"}"#,
        r#"{"roleIds":["3","7"],"queryTime":"2024-09-12T02:50:53.000+0800"}"#,
        r#"{"roleIds":["3","7"],"queryTime":"2023-02-29T02:50:53.000Z"}"#,
        r#"{"roleIds":["3","7"],"queryTime":" {T}"}"#,
        r#"{"roleIds":["3","7"],"queryTime":["{T}"]}"#,
        r#"{"roleIds":["3","7"],"queryTime":"{T}","queryTime":0}"#,
        // Terms that no caller could have set.
        r#"{"roleIds":["3","7"],"queryTime":"{T}","ttlMs":0}"#,
        r#"{"roleIds":["3","7"],"queryTime":"{T}","ttlMs":-1}"#,
        r#"{"roleIds":["3","7"],"queryTime":"{T}","ttlMs":1.5}"#,
        r#"{"roleIds":["3","7"],"queryTime":"{T}","ttlMs":"360000"}"#,
        r#"{"roleIds":["3","7"],"queryTime":"{T}","ttlMs":true}"#,
        r#"{"roleIds":["3","7"],"queryTime":"{T}","ttlMs":[1]}"#,
        r#"{"roleIds":["3","7"],"queryTime":"{T}","ttlMs":315360000001}"#,
        r#"{"roleIds":["3","7"],"queryTime":"{T}","ttlMs":9223372036854775808}"#,
        r#"{"roleIds":["3","7"],"queryTime":"{T}","bufferMs":-1}"#,
        r#"{"roleIds":["3","7"],"queryTime":"{T}","bufferMs":315360000001}"#,
        r#"{"roleIds":["3","7"],"queryTime":"{T}","bufferMs":"0"}"#,
        r#"{"roleIds":["3","7"],"queryTime":"{T}","bufferMs":{}}"#,
        "%s%n%s%n%s%n",
        "\u{100}",
    ]
    .map(|stored| stored.replace("{T}", TIME).into_bytes())
    .to_vec();
    let around =
        |role: &[u8]| [b"{\"roleIds\":[\"", role, b"\"],\"queryTime\":\"", TIME.as_bytes(), b"\"}"].concat();
    strings.extend([
        b"\0".to_vec(),
        b"\xff".to_vec(),
        around(b"\xff"),
        around(b"\xc3"),
        around(b"\xed\xa0\x80"),
        around(b"\0"),
    ]);
    for depth in [200, 100_000] {
        strings.push(b"[".repeat(depth));
        strings.push(b"{\"roleIds\":".repeat(depth));
        let nested =
            format!("{{\"roleIds\":{}{},\"queryTime\":\"{TIME}\"}}", "[".repeat(depth), "]".repeat(depth));
        strings.push(nested.into_bytes());
    }
    strings
}

#[apply(each_server)]
fn locks_are_read_however_they_are_written(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for stored in locks() {
        cmd(con, &["SET", "user:1", &stored]);
        let json = format!(r#"{{"roleIds":["3","7"],"queryTime":"{TIME}","state":"CloseToExpired"}}"#);
        assert_eq!(text(con, "QUOTELOCK.GET user:1 JSON"), json, "{stored:.200}");
        let flat = format!(r#"["roleIds", ["3", "7"], "queryTime", "{TIME}", "state", "CloseToExpired"]"#);
        assert_eq!(reply(con, "QUOTELOCK.GET user:1"), flat, "{stored:.200}");
        let held = json.replace('}', r#","outcome":"Held"}"#);
        assert_eq!(text(con, "QUOTELOCK.ACQUIRE user:1 9 * IFMISSING JSON"), held, "{stored:.200}");
        assert_eq!(text(con, "GET user:1"), stored);
        assert_eq!(int(con, &["QUOTELOCK.DEL", "user:1", "IFEQ", TIME]), 1, "{stored:.200}");
    }
    assert_eq!(info(con, "quotelock")["quotelock_locks_invalid"], "0");
    // The bounds are for what callers bring; what is stored is a lock all the same.
    let ids = format!(r#"["","{}"{}]"#, "x".repeat(300), r#","7""#.repeat(2000));
    cmd(con, &["SET", "user:1", &lock(&ids, TIME)]);
    let json = format!(r#"{{"roleIds":{ids},"queryTime":"{TIME}","state":"CloseToExpired"}}"#);
    assert_eq!(text(con, "QUOTELOCK.GET user:1 JSON"), json);
}

#[apply(each_server)]
fn what_is_not_a_lock_is_no_lock(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for (case, stored) in not_locks().iter().enumerate() {
        let shown = String::from_utf8_lossy(&stored[..stored.len().min(200)]).into_owned();
        cmd(con, &[b"SET".as_slice(), b"user:1", stored]);
        assert_eq!(reply(con, "QUOTELOCK.GET user:1"), "nil", "{shown}");
        assert_eq!(reply(con, "QUOTELOCK.GET user:1 JSON"), r#""null""#, "{shown}");
        assert_eq!(int(con, &["QUOTELOCK.DEL", "user:1", "IFEQ", TIME]), 0, "{shown}");
        assert_eq!(cmd(con, "GET user:1"), redis::Value::BulkString(stored.clone()), "{shown}");
        let created = text(con, &format!("QUOTELOCK.ACQUIRE user:1 9 {TIME} IFMISSING JSON"));
        assert!(created.ends_with(r#""outcome":"Created"}"#), "{shown}: {created}");
        assert_eq!(text(con, "GET user:1"), lock(r#"["9"]"#, TIME), "{shown}");
        assert_eq!(
            info(con, "quotelock")["quotelock_locks_invalid"],
            (4 * (case + 1)).to_string(),
            "{shown}"
        );
    }
    // What INCR, APPEND and SETRANGE leave behind.
    for words in ["INCR user:1", "APPEND user:1 1", "SETRANGE user:1 100 x", "SETBIT user:1 1000000 1"] {
        cmd(con, "DEL user:1");
        cmd(con, words);
        assert_eq!(reply(con, "QUOTELOCK.GET user:1"), "nil", "{words}");
    }
    assert_eq!(reply(con, "PING"), "PONG");
}

/// The log lines about strings that are no locks.
fn warnings(server: &Server) -> Vec<String> {
    let log = server.log();
    let about = |line: &&str| line.contains("that is not a lock");
    log.lines().filter(about).map(str::to_owned).collect()
}

#[apply(each_server)]
fn the_log_tells_of_it_once_a_second(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let key = "%s%n'user\\1'\0\r\n\u{100}";
    cmd(con, &["SET", key, "%s%n"]);
    let start = now();
    for _ in 0..5000 {
        assert_eq!(reply(con, &["QUOTELOCK.GET", key]), "nil");
    }
    let seconds = (now() - start) / 1000;
    let told = warnings(server);
    let most = usize::try_from(seconds).unwrap() + 1;
    assert!((1..=most).contains(&told.len()), "{told:#?}");
    let key = r"%s%n\x27user\x5c1\x27\x00\x0d\x0a\xc4\x80";
    let expected = format!("key '{key}' holds a string of 4 bytes that is not a lock");
    assert!(told[0].ends_with(&expected), "{}", told[0]);
    assert!(told[0].contains(" # "), "no warning: {}", told[0]);
    // After a second of silence the next one is told again.
    rest(1100);
    cmd(con, "SET user:2 x");
    assert_eq!(reply(con, "QUOTELOCK.GET user:2"), "nil");
    let told_again = || warnings(server).last().filter(|line| line.contains("'user:2'")).map(|_| ());
    eventually(TIMEOUT, told_again);
    assert_eq!(info(con, "quotelock")["quotelock_locks_invalid"], "5001");
}

/// A string longer than any lock is none at no cost in its length, though it begins as a lock does.
#[apply(each_server)]
fn what_is_longer_than_any_lock_is_not_read(#[case] kind: Kind) {
    const CALLS: usize = 20;
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let long = format!(r#"{{"roleIds":[{}"3"],"queryTime":"{TIME}"}}"#, r#""3","#.repeat(8 << 20));
    cmd(con, &["SET", "user:long", &long]);
    cmd(con, "SET user:short no");
    let mut micros = |command: &str, user: &str| {
        cmd(con, "CONFIG RESETSTAT");
        let name = command.split(' ').next().unwrap().to_lowercase();
        for _ in 0..CALLS {
            cmd(con, command.replace("{U}", user).as_str());
        }
        let stats = info(con, "commandstats")[&format!("cmdstat_{name}")].clone();
        assert!(stats.contains(&format!("calls={CALLS},")), "{stats}");
        let (_, usec) = stats.split_once("usec=").unwrap();
        usec.split(',').next().unwrap().parse::<u64>().unwrap()
    };
    for command in ["QUOTELOCK.GET {U}", "QUOTELOCK.GET {U} JSON", "QUOTELOCK.DEL {U} IFEQ x"] {
        // The least, as now and then the server is put off.
        let mut least = |user| (0..5).map(|_| micros(command, user)).min().unwrap();
        let [short, long] = ["user:short", "user:long"].map(&mut least);
        // Less than a microsecond a call can't be told, and the log gets a line a second.
        assert!(long < 10 * short.max(1000), "{command}: {long} us, {short} us for a short string");
    }
}
