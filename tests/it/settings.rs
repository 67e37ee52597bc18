//! The module's settings: where they are set, what they take, and that they count at once.

use redis::Connection;

use crate::harness::*;

const NAMES: [&str; 3] = ["quotelock.lock-ttl-ms", "quotelock.lock-buffer-ms", "quotelock.lock-lag-ms"];

/// The settings in force: ttl, buffer and lag.
fn settings(con: &mut Connection) -> [i64; 3] {
    NAMES.map(|name| {
        let answer = reply(con, &["CONFIG", "GET", name]);
        let value =
            answer.strip_prefix(&format!(r#"["{name}", ""#)).and_then(|rest| rest.strip_suffix(r#""]"#));
        value.unwrap_or_else(|| panic!("{answer}")).parse().unwrap()
    })
}

fn set(con: &mut Connection, name: &str, value: &str) {
    assert_eq!(reply(con, &["CONFIG", "SET", &format!("quotelock.{name}"), value]), "OK");
}

#[apply(each_server)]
fn come_from_loadmodule_and_the_conf_file(#[case] kind: Kind) {
    // What follows the module's path; lines of the conf file; the settings.
    let cases: [(&str, &[&str], [i64; 3]); 8] = [
        ("", &[], [360_000, 60_000, 0]),
        ("lock-ttl-ms 1000 lock-buffer-ms 10 lock-lag-ms 5", &[], [1000, 10, 5]),
        ("lock-lag-ms 5 LOCK-TTL-MS 1000", &[], [1000, 60_000, 5]),
        ("lock-ttl-ms 1 lock-buffer-ms 0 lock-lag-ms 0", &[], [1, 0, 0]),
        (
            "lock-ttl-ms 315360000000 lock-buffer-ms 315360000000 lock-lag-ms 315360000000",
            &[],
            [315_360_000_000, 315_360_000_000, 315_360_000_000],
        ),
        ("", &["quotelock.lock-ttl-ms 1000", "quotelock.lock-lag-ms 5"], [1000, 60_000, 5]),
        ("", &["Quotelock.Lock-Buffer-Ms 10"], [360_000, 10, 0]),
        // What is in the conf file goes before what is in the loadmodule line, as CONFIG REWRITE needs it.
        ("lock-ttl-ms 1000 lock-lag-ms 5", &["quotelock.lock-ttl-ms 2000"], [2000, 60_000, 5]),
    ];
    for (args, lines, expected) in cases {
        let builder =
            lines.iter().fold(Server::builder(kind).module_args(args), |builder, line| builder.conf(*line));
        let server = builder.start();
        assert_eq!(settings(&mut server.connection()), expected, "{args:?} and {lines:?}");
    }
}

#[apply(each_server)]
fn bad_ones_are_refused_at_the_start(#[case] kind: Kind) {
    let bad = |name: &str, least: i64, value: &str| {
        format!("setting '{name}' requires a whole number from {least} to 315360000000, not '{value}'")
    };
    let mut arguments: Vec<(String, String)> = Vec::new();
    for (name, least) in [("lock-ttl-ms", 1), ("lock-buffer-ms", 0), ("lock-lag-ms", 0)] {
        let below = (least - 1).to_string();
        for value in [&below, "315360000001", "x", "1.5", "5s", "0x10", "9223372036854775808", "%s%n"] {
            arguments.push((format!("{name} {value}"), bad(name, least, value)));
        }
        arguments.push((format!("{name} \"\""), bad(name, least, "")));
        arguments.push((format!("{name} \"5\\n\""), bad(name, least, r"5\x0a")));
        arguments.push((name.to_owned(), format!("setting '{name}' requires a value")));
        arguments.push((format!("{name} 5 {name} 5"), format!("setting '{name}' is repeated")));
    }
    let unknown = |name: &str| {
        let known = "lock-ttl-ms, lock-buffer-ms, lock-lag-ms, lock-align-s, price-ttl-ms, max-batch, \
                     max-claims, max-reply-bytes";
        format!("unknown setting '{name}', expected {known}")
    };
    for name in ["ttl", "quotelock.lock-ttl-ms", "%s%n", "max-claim"] {
        arguments.push((format!("{name} 5"), unknown(name)));
    }
    arguments.push((
        "lock-ttl-ms 5 lock-buffer-ms".to_owned(),
        "setting 'lock-buffer-ms' requires a value".to_owned(),
    ));
    arguments.push(("lock-ttl-ms 5 1 2".to_owned(), unknown("1")));
    arguments.push(("\"\\x00\" 5".to_owned(), unknown(r"\x00")));
    arguments.push(("\"it's\" 5".to_owned(), unknown(r"it\x27s")));
    for (args, line) in &arguments {
        let log = Server::builder(kind).module_args(args).try_start().err().expect(args).to_string();
        assert!(log.contains(&format!("<quotelock> {line}\n")), "{args:?}:\n{log}");
        assert!(log.contains("Can't load module from "), "{args:?}:\n{log}");
    }
    // Of lines in the conf file the server itself says what is wrong.
    let lines = [
        ("quotelock.lock-ttl-ms 0", "argument must be between 1 and 315360000000 inclusive"),
        ("quotelock.lock-buffer-ms -1", "argument must be between 0 and 315360000000 inclusive"),
        ("quotelock.lock-lag-ms 315360000001", "argument must be between 0 and 315360000000 inclusive"),
        ("quotelock.lock-ttl-ms soon", "argument couldn't be parsed into an integer"),
        ("quotelock.ttl 5", "Module Configuration detected without"),
    ];
    for (line, reason) in lines {
        let log = Server::builder(kind).conf(line).try_start().err().expect(line).to_string();
        assert!(log.contains(reason), "{line}:\n{log}");
    }
}

#[apply(each_server)]
fn are_set_while_the_server_runs(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    set(con, "lock-ttl-ms", "1000");
    assert_eq!(settings(con), [1000, 60_000, 0]);
    set(con, "lock-buffer-ms", "0");
    set(con, "LOCK-LAG-MS", "315360000000");
    assert_eq!(settings(con), [1000, 0, 315_360_000_000]);
    let cases = [
        ("lock-ttl-ms", "0", "must be between 1 and 315360000000 inclusive"),
        ("lock-ttl-ms", "315360000001", "must be between 1 and 315360000000 inclusive"),
        ("lock-buffer-ms", "-1", "must be between 0 and 315360000000 inclusive"),
        ("lock-lag-ms", "9223372036854775807", "must be between 0 and 315360000000 inclusive"),
        ("lock-lag-ms", "9223372036854775808", "couldn't be parsed into an integer"),
        ("lock-ttl-ms", "", "couldn't be parsed into an integer"),
        ("lock-ttl-ms", "1.5", "couldn't be parsed into an integer"),
        ("lock-ttl-ms", "%s%n\u{100}", "couldn't be parsed into an integer"),
    ];
    for (name, value, reason) in cases {
        let expected = format!(
            "ERR CONFIG SET failed (possibly related to argument 'quotelock.{name}') - argument {reason}"
        );
        assert_eq!(error(con, &["CONFIG", "SET", &format!("quotelock.{name}"), value]), expected, "{value}");
    }
    // All of one CONFIG SET or nothing.
    error(con, "CONFIG SET quotelock.lock-ttl-ms 5000 quotelock.lock-buffer-ms x");
    error(con, "CONFIG SET quotelock.lock-ttl-ms 5000 quotelock.lock-buffer-ms -1");
    assert_eq!(settings(con), [1000, 0, 315_360_000_000]);
}

#[apply(each_server)]
fn are_kept_by_config_rewrite(#[case] kind: Kind) {
    // What follows the module's path; what is set; the settings after a rewrite and a restart.
    let cases = [
        ("", "", [360_000, 60_000, 0]),
        ("", "quotelock.lock-ttl-ms 1000 quotelock.lock-lag-ms 5", [1000, 60_000, 5]),
        ("lock-ttl-ms 1000", "quotelock.lock-ttl-ms 2000", [2000, 60_000, 0]),
        ("lock-ttl-ms 1000 lock-buffer-ms 10", "quotelock.lock-lag-ms 5", [1000, 10, 5]),
        // Back to the module's own default, though the loadmodule line still says otherwise.
        ("lock-ttl-ms 1000", "quotelock.lock-ttl-ms 360000", [360_000, 60_000, 0]),
    ];
    for (args, changes, expected) in cases {
        let mut server = Server::builder(kind).module_args(args).start();
        let con = &mut server.connection();
        if !changes.is_empty() {
            assert_eq!(reply(con, &format!("CONFIG SET {changes}")), "OK");
        }
        assert_eq!(reply(con, "CONFIG REWRITE"), "OK");
        for _ in 0..2 {
            server.restart();
            let con = &mut server.connection();
            assert_eq!(settings(con), expected, "{args:?}, {changes:?}");
            assert_eq!(reply(con, "CONFIG REWRITE"), "OK");
        }
    }
}

/// The state of a lock as of an age in milliseconds.
fn state(con: &mut Connection, key: &str, age: i64) -> String {
    let held = 1_726_109_453_000;
    let answer = text(con, &["QUOTELOCK.GET", key, "AT", &moment(held + age), "JSON"]);
    answer.split('"').rev().nth(1).unwrap().to_owned()
}

#[apply(each_server)]
fn count_at_once_for_locks_without_terms_of_their_own(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let time = moment(1_726_109_453_000);
    for (key, members) in [("plain", ""), ("ttl", r#","ttlMs":100000"#), ("buffer", r#","bufferMs":10000"#)] {
        cmd(con, &["SET", key, &format!(r#"{{"roleIds":["3"],"queryTime":"{time}"{members}}}"#)]);
    }
    // The settings; the last age, in milliseconds, at which each lock is Effective.
    let cases = [
        ("360000", "60000", [300_999, 40_999, 350_999]),
        ("60000", "60000", [999, 40_999, 50_999]),
        ("60000", "20000", [40_999, 80_999, 50_999]),
        ("5000", "60000", [999, 40_999, 999]),
        ("5000", "0", [5_999, 100_999, 999]),
        ("1", "315360000000", [999, 999, 999]),
        ("315360000000", "0", [315_360_000_999, 100_999, 315_359_990_999]),
    ];
    for (ttl, buffer, ages) in cases {
        set(con, "lock-ttl-ms", ttl);
        set(con, "lock-buffer-ms", buffer);
        for (key, age) in ["plain", "ttl", "buffer"].into_iter().zip(ages) {
            assert_eq!(state(con, key, age), "Effective", "{key} at {age} with {ttl} and {buffer}");
            assert_eq!(
                state(con, key, age + 1),
                "CloseToExpired",
                "{key} past {age} with {ttl} and {buffer}"
            );
        }
    }
    // ACQUIRE uses them too.
    set(con, "lock-ttl-ms", "360000");
    set(con, "lock-buffer-ms", "60000");
    cmd(con, &format!("QUOTELOCK.SET user:1 1 {}", moment(now() - 100_000)));
    let acquire = "QUOTELOCK.ACQUIRE user:1 2 * JSON";
    assert!(text(con, acquire).ends_with(r#""outcome":"Held"}"#));
    set(con, "lock-ttl-ms", "150000");
    assert!(text(con, acquire).ends_with(r#""outcome":"Refreshed"}"#));
}

#[apply(each_server)]
fn give_new_locks_their_expiry_lag_and_bounds(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    set(con, "lock-ttl-ms", "100000");
    set(con, "lock-buffer-ms", "40000");
    let time = "2024-09-12T02:50:53.000Z";
    for command in ["QUOTELOCK.SET", "QUOTELOCK.ACQUIRE"] {
        cmd(con, "DEL user:1");
        let before = now();
        cmd(con, &format!("{command} user:1 3 {time}"));
        let (stored, expiry) = stored(con, "user:1");
        assert_eq!(stored, format!(r#"{{"roleIds":["3"],"queryTime":"{time}"}}"#));
        assert!((before + 100_000..=now() + 100_000).contains(&expiry));
        let align = "ERR value is not an integer or out of range, ALIGN requires whole seconds from 1 to 60, the ttl less the buffer";
        assert_eq!(error(con, &format!("{command} user:1 3 * ALIGN 61")), align);
        cmd(con, &format!("{command} user:1 3 * ALIGN 60"));
    }
    set(con, "lock-buffer-ms", "99001");
    let none = "ERR value is not an integer or out of range, ALIGN requires a ttl at least 1 second longer than the buffer";
    assert_eq!(error(con, "QUOTELOCK.SET user:1 3 * ALIGN 1"), none);

    // The lag goes with '*' alone; one that is given counts instead.
    set(con, "lock-lag-ms", "7000");
    for (words, lag) in [("*", 7000), ("* LAG 0", 0), ("* LAG 20000", 20_000)] {
        for command in ["QUOTELOCK.SET", "QUOTELOCK.ACQUIRE"] {
            cmd(con, "DEL user:1");
            let before = now();
            cmd(con, &format!("{command} user:1 3 {words}"));
            let stored = stored(con, "user:1").0;
            let moments = before - lag..=now() - lag;
            let locked = moments.clone().any(|ms| stored.contains(&moment(ms)));
            assert!(locked, "{command} {words}: {stored} is not in {moments:?}");
        }
    }
    cmd(con, &format!("QUOTELOCK.SET user:1 3 {time}"));
    assert_eq!(stored(con, "user:1").0, format!(r#"{{"roleIds":["3"],"queryTime":"{time}"}}"#));
}

#[apply(each_server)]
fn align_the_moment_of_the_clock(#[case] kind: Kind) {
    let server = &Server::builder(kind).module_args("lock-align-s 60").start();
    let con = &mut server.connection();
    let time = "2024-09-12T02:50:53.123Z";
    // The words, and what the moment is a multiple of; 0: it is as given.
    let cases = [
        ("*", 60_000),
        ("* LAG 90000", 60_000),
        ("* ALIGN 1", 1000),
        ("* EX 61 BUFFER 0 ALIGN 61", 61_000),
        (time, 0),
        (&*format!("{time} ALIGN 10"), 10_000),
    ];
    for (words, step) in cases {
        for command in ["QUOTELOCK.SET", "QUOTELOCK.ACQUIRE"] {
            cmd(con, "DEL user:1");
            cmd(con, &format!("{command} user:1 3 {words}"));
            let stored = stored(con, "user:1").0;
            let lock: serde_json::Value = serde_json::from_str(&stored).unwrap();
            let locked = lock["queryTime"].as_str().unwrap();
            let ms = chrono::DateTime::parse_from_rfc3339(locked).unwrap().timestamp_millis();
            assert!(step == 0 && locked == time || step > 0 && ms % step == 0, "{command} {words}: {stored}");
        }
    }
    // A lock that would be closing at birth is refused, and says by what.
    let refused = |max: &str| format!("ERR quotelock.lock-align-s is too long for this lock, ALIGN {max}");
    let takes_29 = refused("requires whole seconds from 1 to 29, the ttl less the buffer");
    assert_eq!(error(con, "QUOTELOCK.SET user:1 3 * EX 89"), takes_29);
    assert_eq!(error(con, "QUOTELOCK.ACQUIRE user:2 3 * EX 89"), takes_29);
    set(con, "lock-align-s", "300");
    cmd(con, "QUOTELOCK.SET user:1 3 *");
    set(con, "lock-align-s", "301");
    let takes_300 = refused("requires whole seconds from 1 to 300, the ttl less the buffer");
    assert_eq!(error(con, "QUOTELOCK.ACQUIRE user:2 3 *"), takes_300);
    assert_eq!(int(con, "EXISTS user:2"), 0);
    // What is replicated is the outcome, so a replica's own setting counts for nothing; and 0 is off.
    set(con, "lock-align-s", "0");
    assert_eq!(reply(con, "QUOTELOCK.SET user:1 3 *"), "OK");
}

#[apply(each_server)]
fn come_with_module_loadex(#[case] kind: Kind) {
    let server = Server::builder(kind).without_module().start();
    let con = &mut server.connection();
    let loadex = |con: &mut Connection, words: &str| {
        let words = format!("MODULE LOADEX {} {words}", module());
        try_cmd(con, &words).map(|value| show(&value))
    };
    let refused = Err("ERR Error loading the extension. Please check the server logs.".to_owned());
    assert_eq!(loadex(con, "ARGS lock-ttl-ms 0"), refused);
    assert_eq!(loadex(con, "CONFIG quotelock.lock-ttl-ms 0"), refused);
    assert_eq!(reply(con, "COMMAND INFO quotelock.get"), "[nil]");
    let words = "CONFIG quotelock.lock-ttl-ms 1000 ARGS lock-lag-ms 5";
    assert_eq!(loadex(con, words), Ok("OK".to_owned()), "{}", server.log_tail());
    assert_eq!(settings(con), [1000, 60_000, 5]);
}
