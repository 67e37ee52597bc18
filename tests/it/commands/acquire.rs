//! QUOTELOCK.ACQUIRE: what it creates, refreshes and holds.

use super::*;

/// What a key holds before: nothing, a string, or a lock of role 1 that is this many milliseconds old.
#[derive(Clone, Copy, Debug)]
enum Before {
    Nothing,
    Text(&'static str),
    Lock(i64),
}

#[apply(each_server)]
fn is_decided_by_what_is_held_and_what_is_brought(#[case] kind: Kind) {
    use Before::{Lock, Nothing, Text};
    // What is held; the age of the moment brought, in milliseconds; a word; the outcome; the state.
    let cases = [
        (Nothing, 0, "", "Created", "Effective"),
        (Nothing, 400_000, "", "Created", "CloseToExpired"),
        (Nothing, -60_000, "", "Created", "Effective"),
        (Nothing, 0, "IFMISSING", "Created", "Effective"),
        (Text("not a lock"), 0, "", "Created", "Effective"),
        (Text("not a lock"), 0, "IFMISSING", "Created", "Effective"),
        (Text(""), 0, "", "Created", "Effective"),
        (Text("17"), 400_000, "ifmissing", "Created", "CloseToExpired"),
        (Lock(0), 0, "", "Held", "Effective"),
        (Lock(0), -60_000, "", "Held", "Effective"),
        (Lock(290_000), 0, "", "Held", "Effective"),
        (Lock(-3_600_000), 0, "", "Held", "Effective"),
        (Lock(290_000), 0, "IFMISSING", "Held", "Effective"),
        (Lock(301_000), 0, "", "Refreshed", "Effective"),
        (Lock(400_000), 0, "", "Refreshed", "Effective"),
        (Lock(31_536_000_000), 0, "", "Refreshed", "Effective"),
        (Lock(400_000), -60_000, "", "Refreshed", "Effective"),
        (Lock(400_000), 399_999, "", "Refreshed", "CloseToExpired"),
        (Lock(400_000), 400_000, "", "Held", "CloseToExpired"),
        (Lock(400_000), 400_001, "", "Held", "CloseToExpired"),
        (Lock(400_000), 31_536_000_000, "", "Held", "CloseToExpired"),
        (Lock(400_000), 0, "IFMISSING", "Held", "CloseToExpired"),
    ];
    let server = &Server::start(kind);
    let (resp2, resp3) = (&mut server.connection(), &mut server.connection_resp3());
    for (held, age, word, outcome, state) in cases {
        for form in ["resp2", "resp3", "json"] {
            let now = now();
            let held_moment = match held {
                Lock(age) => moment(now - age),
                Nothing | Text(_) => String::new(),
            };
            let brought = moment(now - age);
            cmd(resp2, "DEL user:1");
            let before = match held {
                Nothing => String::new(),
                Text(text) => text.to_owned(),
                Lock(_) => lock(r#"["1"]"#, &held_moment),
            };
            if !matches!(held, Nothing) {
                cmd(resp2, &["SET", "user:1", &before, "PXAT", "9999999999999"]);
            }
            let (role, in_force) = if outcome == "Held" { ("1", &held_moment) } else { ("2", &brought) };
            let words = format!("QUOTELOCK.ACQUIRE user:1 2 {brought} {word}");
            let words = words.trim_end();
            let (answer, expected) = match form {
                "resp2" => (
                    reply(resp2, words),
                    format!(
                        r#"["roleIds", ["{role}"], "queryTime", "{in_force}", "state", "{state}", "outcome", "{outcome}"]"#
                    ),
                ),
                "resp3" => (
                    reply(resp3, words),
                    format!(
                        r#"{{"roleIds": ["{role}"], "queryTime": "{in_force}", "state": "{state}", "outcome": "{outcome}"}}"#
                    ),
                ),
                _ => (
                    text(resp3, &format!("{words} JSON")),
                    format!(
                        r#"{{"roleIds":["{role}"],"queryTime":"{in_force}","state":"{state}","outcome":"{outcome}"}}"#
                    ),
                ),
            };
            assert_eq!(answer, expected, "{held:?}, brought {age} {word}");
            if outcome == "Held" {
                assert_eq!(text(resp2, "GET user:1"), before);
                assert_eq!(int(resp2, "PEXPIRETIME user:1"), 9_999_999_999_999);
            } else {
                assert_eq!(text(resp2, "GET user:1"), lock(r#"["2"]"#, &brought));
                assert_expires(resp2, "user:1", now, 360_000);
            }
        }
    }
}

#[apply(each_server)]
fn compares_moments_not_their_text(#[case] kind: Kind) {
    // A lock of long ago; the moment brought; the outcome.
    let cases = [
        (TIME, "2024-09-12T10:50:53+08:00", "Held"),
        (TIME, "2024-09-12T10:50:52.999+08:00", "Held"),
        (TIME, "2024-09-12T10:50:53.001+08:00", "Refreshed"),
        (TIME, "2024-09-12T02:50:53.0000Z", "Held"),
        ("2024-09-12T10:50:53+08:00", TIME, "Held"),
        ("2024-09-12T10:50:53+08:00", "2024-09-12T02:50:54Z", "Refreshed"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z", "Held"),
        ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00.001Z", "Refreshed"),
        // Aligned, the moment is no later than the one held.
        (TIME, "2024-09-12T02:50:54Z ALIGN 10", "Held"),
        (TIME, "2024-09-12T02:51:00Z ALIGN 10", "Refreshed"),
    ];
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for (held, brought, outcome) in cases {
        cmd(con, &["SET", "user:1", &lock("[]", held)]);
        let answer = text(con, &format!("QUOTELOCK.ACQUIRE user:1 [] {brought} JSON"));
        assert!(answer.ends_with(&format!(r#""outcome":"{outcome}"}}"#)), "{brought} on {held}: {answer}");
    }
}

#[apply(each_server)]
fn goes_by_the_locks_own_terms(#[case] kind: Kind) {
    // The members of the lock held; its age in milliseconds; the words of the caller; the outcome; members
    // stored.
    let cases = [
        (r#","ttlMs":100000"#, 35_000, "", "Held", r#","ttlMs":100000"#),
        (r#","ttlMs":100000"#, 41_000, "", "Refreshed", ""),
        (r#","ttlMs":100000,"bufferMs":10000"#, 85_000, "", "Held", r#","ttlMs":100000,"bufferMs":10000"#),
        (r#","ttlMs":100000,"bufferMs":10000"#, 91_000, "", "Refreshed", ""),
        (r#","bufferMs":0"#, 355_000, "", "Held", r#","bufferMs":0"#),
        ("", 290_000, "EX 100 BUFFER 100", "Held", ""),
        ("", 301_000, "EX 100 BUFFER 10", "Refreshed", r#","ttlMs":100000,"bufferMs":10000"#),
        (r#","ttlMs":100000"#, 41_000, "PBUFFER 5", "Refreshed", r#","bufferMs":5"#),
        (r#","ttlMs":100000"#, 41_000, "PX 99999", "Refreshed", r#","ttlMs":99999"#),
    ];
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for (members, age, words, outcome, left) in cases {
        let held = moment(now() - age);
        cmd(con, &["SET", "user:1", &format!(r#"{{"roleIds":["1"],"queryTime":"{held}"{members}}}"#)]);
        let brought = moment(now());
        let answer = text(con, format!("QUOTELOCK.ACQUIRE user:1 2 {brought} JSON {words}").trim_end());
        assert!(answer.ends_with(&format!(r#""outcome":"{outcome}"}}"#)), "{members} {words}: {answer}");
        let (role, in_force) = if outcome == "Held" { ("1", held) } else { ("2", brought) };
        let stored = format!(r#"{{"roleIds":["{role}"],"queryTime":"{in_force}"{left}}}"#);
        assert_eq!(text(con, "GET user:1"), stored);
    }
}

#[apply(each_server)]
fn takes_the_moment_from_the_clock_of_the_server(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for (words, lag, step) in [
        ("*", 0, 1),
        ("* LAG 1500", 1500, 1),
        ("* ALIGN 300", 0, 300_000),
        ("* ALIGN 60 LAG 90000", 90_000, 60_000),
    ] {
        cmd(con, "DEL user:1");
        let before = now();
        let answer = text(con, &format!("QUOTELOCK.ACQUIRE user:1 3,7 {words} JSON"));
        let floor = |moment: i64| moment / step * step;
        let expected = floor(before - lag)..=floor(now() - lag);
        let locked = moment_of(con, "user:1");
        assert!(expected.contains(&locked), "{words}: {locked} is not in {expected:?}");
        let members = format!(r#"{{"roleIds":["3","7"],"queryTime":"{}""#, moment(locked));
        assert_eq!(answer, format!(r#"{members},"state":"Effective","outcome":"Created"}}"#));
        assert_expires(con, "user:1", before, 360_000);
        let again = text(con, &format!("QUOTELOCK.ACQUIRE user:1 9 {words} JSON"));
        assert_eq!(again, format!(r#"{members},"state":"Effective","outcome":"Held"}}"#));
    }
}

#[apply(each_server)]
fn holds_what_old_pods_have_set(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let fresh = moment(now());
    // Written by hand, with members in another order, spaces and a number: it is held as it is.
    let held = format!(r#" {{ "queryTime" : "{fresh}", "roleIds" : [ 3, "7" ], "by": "pod-4" }} "#);
    cmd(con, &["SET", "user:1", &held, "EX", "360"]);
    let answer = text(con, "QUOTELOCK.ACQUIRE user:1 9 * JSON");
    let expected =
        format!(r#"{{"roleIds":["3","7"],"queryTime":"{fresh}","state":"Effective","outcome":"Held"}}"#);
    assert_eq!(answer, expected);
    assert_eq!(text(con, "GET user:1"), held);
}
