//! Inside MULTI, Lua and Functions: the same commands, one moment, and the errors of scripts.

use redis::{Connection, Value};

use crate::harness::*;

/// Longer than what a clock that doesn't stand still would have to hide.
const PAUSE_MS: i64 = 60;

/// A wait inside a script, which may neither sleep nor, from 7.2 on, see the clock go on.
const SPIN: &str = "for _ = 1, tonumber(ARGV[1]) do end";

/// Runs it, with a number for `SPIN`, until it has taken longer than the pause.
fn for_a_pause(mut run: impl FnMut(&str)) {
    let mut spins = 1_000_000_u64;
    loop {
        let begun = now();
        run(&spins.to_string());
        if now() - begun > PAUSE_MS {
            return;
        }
        spins *= 2;
    }
}

/// A library whose function `both` sets two locks with a wait between them, `held` reads one and `del`
/// deletes it.
fn library() -> String {
    format!(
        "#!lua name=locks\n\
         redis.register_function('both', function(KEYS, ARGV) \
         redis.call('QUOTELOCK.SET', KEYS[1], '[]', '*') {SPIN} \
         redis.call('QUOTELOCK.ACQUIRE', KEYS[2], '[]', '*') end) \
         redis.register_function{{function_name='held', flags={{'no-writes'}}, callback=function(keys) \
         return redis.call('QUOTELOCK.GET', keys[1], 'JSON') end}} \
         redis.register_function('del', function(keys) return redis.call('QUOTELOCK.DEL', keys[1]) end)"
    )
}

#[apply(each_server)]
fn the_clock_stands_still(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    cmd(con, &["FUNCTION", "LOAD", &library()]);
    let pause = format!("DEBUG SLEEP 0.0{PAUSE_MS}");
    let script = format!(
        "redis.call('QUOTELOCK.SET', KEYS[1], '[]', '*') {SPIN} \
         redis.call('QUOTELOCK.ACQUIRE', KEYS[2], '[]', '*')"
    );
    for way in ["MULTI", "EVAL", "FCALL"] {
        for_a_pause(|spins| {
            cmd(con, "DEL a b");
            let begun = now();
            match way {
                "MULTI" => {
                    for command in ["MULTI", "QUOTELOCK.SET a [] *", &pause, "QUOTELOCK.ACQUIRE b [] *"] {
                        cmd(con, command);
                    }
                    cmd(con, "EXEC")
                }
                "EVAL" => cmd(con, &["EVAL", &script, "2", "a", "b", spins]),
                _ => cmd(con, &["FCALL", "both", "2", "a", "b", spins]),
            };
            let ended = now();
            let (a, b) = (stored(con, "a"), stored(con, "b"));
            assert_eq!(a, b, "{way}");
            // The one moment is this very call's, and the expiry is counted from it.
            let set_at = a.1 - 360_000;
            assert_eq!(a.0, format!(r#"{{"roleIds":[],"queryTime":"{}"}}"#, moment(set_at)), "{way}");
            assert!((begun..=ended).contains(&set_at), "{way}: {begun} {set_at} {ended}");
        });
    }
    // Without a transaction it goes on.
    cmd(con, "DEL a b");
    cmd(con, "QUOTELOCK.SET a [] *");
    rest(PAUSE_MS as u64);
    cmd(con, "QUOTELOCK.ACQUIRE b [] *");
    assert!(stored(con, "b").1 - stored(con, "a").1 >= PAUSE_MS);
}

/// A key's expiry uses the same clock: a lock doesn't end between two looks at it.
#[apply(each_server)]
fn a_lock_does_not_end_in_a_transaction(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    cmd(con, "MULTI");
    cmd(con, "QUOTELOCK.SET a [] * PX 40");
    cmd(con, "DEBUG SLEEP 0.060");
    cmd(con, "QUOTELOCK.ACQUIRE a [] *");
    let replies = reply(con, "EXEC");
    assert!(replies.contains("\"Held\""), "{replies}");

    let script = format!(
        "redis.call('QUOTELOCK.SET', KEYS[1], '[]', '*', 'PX', '40') {SPIN} \
         return redis.call('QUOTELOCK.ACQUIRE', KEYS[1], '[]', '*', 'JSON')"
    );
    for_a_pause(|spins| {
        let held = text(con, &["EVAL", &script, "1", "a", spins]);
        assert!(held.contains(r#""outcome":"Held""#), "{held}");
    });
}

/// `DUMP` uses it too: what a script has read is in what it saves.
#[apply(each_server)]
fn a_row_is_dumped_if_it_was_read(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let script = format!(
        "redis.call('VEHPRICE.SET', KEYS[1], '1', 'PX', '40', 'FIELDS', '1', 'a', 'x') \
         redis.call('VEHPRICE.SET', KEYS[1], '2', 'PX', '60000', 'FIELDS', '1', 'a', 'y') {SPIN} \
         redis.call('RESTORE', KEYS[2], '0', redis.call('DUMP', KEYS[1])) \
         return {{redis.call('VEHPRICE.LEN', KEYS[1]), redis.call('VEHPRICE.LEN', KEYS[2])}}"
    );
    for_a_pause(|spins| {
        cmd(con, "DEL t u");
        assert_eq!(reply(con, &["EVAL", &script, "2", "t", "u", spins]), "[2, 2]");
    });
}

/// A script that runs past `busy-reply-threshold`, by when the server serves others and its cached clock goes on,
/// still has one clock: from the first of our commands in it to its end.
#[apply(each_server)]
fn the_clock_stands_still_in_a_script_that_is_busy_for_long(#[case] kind: Kind) {
    let server = &Server::builder(kind).conf("busy-reply-threshold 1").start();
    let con = &mut server.connection();
    let script = format!(
        "redis.call('QUOTELOCK.SET', KEYS[1], '[]', '*') \
         redis.call('VEHPRICE.SET', KEYS[3], '1', 'PX', '40', 'FIELDS', '1', 'a', 'x') {SPIN} \
         redis.call('QUOTELOCK.ACQUIRE', KEYS[2], '[]', '*') \
         return redis.call('VEHPRICE.GET', KEYS[3], '1', 'JSON')"
    );
    let in_multi = |con: &mut Connection, call: &[&str]| {
        cmd(con, "MULTI");
        cmd(con, call);
        cmd(con, "VEHPRICE.LEN t");
        let Value::Array(replies) = cmd(con, "EXEC") else { panic!("EXEC gave no array") };
        assert_eq!(replies[1], Value::Int(1));
        replies[0].clone()
    };
    // What Redis 7.0 has to tell one script by isn't given to modules.
    let stands_still = kind.version() >= (7, 2);
    for_a_pause(|spins| {
        let call = ["EVAL", &script, "3", "a", "b", "t", spins];
        for is_in_multi in [false, true] {
            cmd(con, "DEL a b t");
            cmd(con, "CONFIG RESETSTAT");
            let begun = now();
            let row = if is_in_multi && stands_still { in_multi(con, &call) } else { cmd(con, &call) };
            let ended = now();
            let took = ran_ms(con, "eval");
            let (a, b) = (stored(con, "a"), stored(con, "b"));
            if stands_still {
                assert_eq!(a, b, "in MULTI: {is_in_multi}");
                assert_eq!(show(&row), r#""{"a":"x"}""#);
                assert!((begun..=ended).contains(&(a.1 - 360_000)), "{begun} {} {ended}", a.1);
            } else if took > 2 * PAUSE_MS {
                assert!(b.1 - a.1 >= PAUSE_MS, "{took} ms");
                assert_eq!(row, Value::Nil);
            }
        }
    });
    assert!(server.log().contains("Slow script detected"), "{}", server.log());
    // It holds for that script alone.
    let begun = now();
    cmd(con, &["EVAL", "return redis.call('QUOTELOCK.SET', KEYS[1], '[]', '*')", "1", "c"]);
    assert!((begun..=now()).contains(&(stored(con, "c").1 - 360_000)));
}

/// A read-only replica lets nobody be told of a script's end: there the clock goes on once the script is busy for long.
#[apply(each_server)]
fn the_clock_goes_on_in_a_busy_script_on_a_replica(#[case] kind: Kind) {
    let primary = primary(kind);
    let replica = replica_of(&primary, Server::builder(kind).conf("busy-reply-threshold 1"));
    let (con, there) = (&mut primary.connection(), &mut replica.connection());
    let script = format!(
        "local function row() return redis.call('VEHPRICE.GET', KEYS[1], '1', 'JSON') end \
         local first = row() {SPIN} return {{first, row()}}"
    );
    let (mut spins, mut too_late) = (1_000_000_u64, 0);
    loop {
        // Beside it one that keeps the key.
        cmd(con, "VEHPRICE.MSET t FIELDS 1 a ROWS 2 y");
        cmd(con, "VEHPRICE.MSET t PX 300 FIELDS 1 a ROWS 1 x");
        in_step(con, 1);
        cmd(there, "CONFIG RESETSTAT");
        let rows = reply(there, &["EVAL_RO", &script, "1", "t", &spins.to_string()]);
        if rows.starts_with(r#"["null""#) {
            // The machine is so busy that the row was over before.
            too_late += 1;
            assert!(too_late < 10, "{rows}");
        } else if ran_ms(there, "eval_ro") > 600 {
            assert_eq!(rows, r#"["{"a":"x"}", "null"]"#);
            return;
        } else {
            spins *= 2;
        }
    }
}

/// How long the server has run a command since its figures were reset.
fn ran_ms(con: &mut Connection, command: &str) -> i64 {
    let figures = &info(con, "commandstats")[&format!("cmdstat_{command}")];
    let micros = figures.split(',').find_map(|figure| figure.strip_prefix("usec=")).unwrap();
    micros.parse::<i64>().unwrap() / 1000
}

#[apply(each_server)]
fn scripts_get_the_replies_that_clients_get(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let mut lua = |script: &str| reply(con, &["EVAL", script, "1", "a"]);
    assert_eq!(lua("return redis.call('QUOTELOCK.SET', KEYS[1], '3,7', '2024-09-12T02:50:53.000Z')"), "OK");
    let get = "return redis.call('QUOTELOCK.GET', KEYS[1], 'AT', '2024-09-12T02:50:53.000Z'";
    let query_time = "2024-09-12T02:50:53.000Z";
    let fields = format!(r#"["roleIds", ["3", "7"], "queryTime", "{query_time}", "state", "Effective"]"#);
    assert_eq!(lua(&format!("{get})")), fields);
    let json = format!(r#""{{"roleIds":["3","7"],"queryTime":"{query_time}","state":"Effective"}}""#);
    assert_eq!(lua(&format!("{get}, 'JSON')")), json);
    let map = "redis.setresp(3) local lock = redis.call('QUOTELOCK.GET', KEYS[1]).map";
    assert_eq!(
        lua(&format!("{map} return {{lock.queryTime, lock.roleIds[2]}}")),
        format!(r#"["{query_time}", "7"]"#)
    );
    // nil is false in Lua, as with GET.
    assert_eq!(
        lua("return redis.call('QUOTELOCK.SET', KEYS[1], '3', '*', 'NX') == false and 'no'"),
        r#""no""#
    );
    assert_eq!(lua("return redis.call('QUOTELOCK.DEL', KEYS[1])"), "1");
    assert_eq!(lua("return redis.call('QUOTELOCK.GET', KEYS[1]) == false and 'none'"), r#""none""#);
}

#[apply(each_server)]
fn scripts_see_the_errors_that_clients_see(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let wrong = "'QUOTELOCK.SET', KEYS[1], '3', '*', 'FOO'";
    let expected = error(con, "QUOTELOCK.SET a 3 * FOO");
    let caught = format!("return redis.pcall({wrong})['err']");
    assert_eq!(text(con, &["EVAL", &caught, "1", "a"]), expected);
    let thrown = error(con, &["EVAL", &format!("return redis.call({wrong})"), "1", "a"]);
    assert!(thrown.starts_with(&expected), "{thrown}");

    // What came before an error in a script stays; what was to come doesn't happen.
    let script = format!(
        "redis.call('QUOTELOCK.SET', KEYS[1], '3', '*') redis.call({wrong}) \
         redis.call('QUOTELOCK.DEL', KEYS[1])"
    );
    error(con, &["EVAL", &script, "1", "a"]);
    assert_eq!(int(con, "EXISTS a"), 1);
}

#[apply(each_server)]
fn scripts_that_only_read_may_get_and_nothing_else(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    cmd(con, &["FUNCTION", "LOAD", &library()]);
    cmd(con, "QUOTELOCK.SET a 3 *");
    let before = stored(con, "a");
    let get = text(con, "QUOTELOCK.GET a JSON");
    let script = "return redis.call('QUOTELOCK.GET', KEYS[1], 'JSON')";
    assert_eq!(text(con, &["EVAL_RO", script, "1", "a"]), get);
    assert_eq!(text(con, "FCALL_RO held 1 a"), get);
    for write in [
        "QUOTELOCK.SET', KEYS[1], '3', '*",
        "QUOTELOCK.ACQUIRE', KEYS[1], '3', '*",
        "QUOTELOCK.DEL', KEYS[1], 'IFEQ', 'soon",
    ] {
        let refused = error(con, &["EVAL_RO", &format!("return redis.call('{write}')"), "1", "a"]);
        assert!(refused.contains("Write commands are not allowed from read-only scripts"), "{refused}");
    }
    assert_eq!(stored(con, "a"), before);
    assert_eq!(int(con, "FCALL del 1 a"), 1);
}

#[apply(each_server)]
fn a_watch_is_broken_by_writes_alone(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let other = &mut server.connection();
    let effective = "QUOTELOCK.SET a 3 *".to_owned();
    let closing = format!("QUOTELOCK.SET a 3 {}", moment(now() - 310_000));
    let missing = "DEL a".to_owned();
    for (start, between, breaks) in [
        (&effective, "QUOTELOCK.SET a 4 *", true),
        (&missing, "QUOTELOCK.SET a 4 * NX", true),
        (&effective, "QUOTELOCK.DEL a", true),
        (&closing, "QUOTELOCK.ACQUIRE a 4 *", true),
        (&missing, "QUOTELOCK.ACQUIRE a 4 *", true),
        (&effective, "QUOTELOCK.GET a", false),
        (&closing, "QUOTELOCK.GET a JSON", false),
        (&missing, "QUOTELOCK.GET a", false),
        (&effective, "QUOTELOCK.ACQUIRE a 4 *", false),
        (&closing, "QUOTELOCK.ACQUIRE a 4 * IFMISSING", false),
        (&closing, "QUOTELOCK.ACQUIRE a 4 2024-09-12T02:50:53.000Z", false),
        (&effective, "QUOTELOCK.SET a 4 * NX", false),
        (&missing, "QUOTELOCK.SET a 4 * XX", false),
        (&missing, "QUOTELOCK.DEL a", false),
        (&effective, "QUOTELOCK.DEL a IFEQ soon", false),
        (&effective, "QUOTELOCK.SET a 4 soon", false),
    ] {
        cmd(con, start);
        cmd(con, "WATCH a");
        let _reply = reply(other, between);
        cmd(con, "MULTI");
        cmd(con, "PING");
        let expected = if breaks { "nil" } else { "[PONG]" };
        assert_eq!(reply(con, "EXEC"), expected, "after {start}, {between}");
    }
}

#[apply(each_server)]
fn writes_that_belong_together_are_sent_together(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let mut fake = FakeReplica::of(server);
    for command in [
        "MULTI",
        "QUOTELOCK.SET a 3 *",
        "QUOTELOCK.GET a",
        "QUOTELOCK.ACQUIRE b 3 *",
        "QUOTELOCK.ACQUIRE b 4 *",
        "QUOTELOCK.DEL a",
        "EXEC",
    ] {
        cmd(con, command);
    }
    let sent = fake.lines(con);
    let (b, expiry) = stored(con, "b");
    let set_a = format!("SET a {b} PXAT {expiry}");
    let set_b = format!("SET b {b} PXAT {expiry}");
    assert_eq!(sent, ["MULTI", &set_a, &set_b, "DEL a", "EXEC"]);

    let script = "redis.call('QUOTELOCK.ACQUIRE', KEYS[1], '3', '*') redis.call('QUOTELOCK.DEL', KEYS[2])";
    cmd(con, &["EVAL", script, "2", "a", "b"]);
    let sent = fake.lines(con);
    let (a, expiry) = stored(con, "a");
    assert_eq!(sent, ["MULTI", &format!("SET a {a} PXAT {expiry}"), "DEL b", "EXEC"]);

    // Nothing written, nothing sent.
    cmd(con, &["EVAL", "redis.call('QUOTELOCK.ACQUIRE', KEYS[1], '4', '*')", "1", "a"]);
    for command in ["MULTI", "QUOTELOCK.ACQUIRE a 4 *", "QUOTELOCK.DEL b", "EXEC"] {
        cmd(con, command);
    }
    assert!(fake.sent(con).is_empty());
}

#[apply(each_server)]
fn a_transaction_goes_on_after_an_error_as_redis_does(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    cmd(con, "RPUSH list element");
    for command in
        ["MULTI", "QUOTELOCK.SET list 3 *", "QUOTELOCK.SET a 3 soon", "QUOTELOCK.SET b 3 *", "EXEC"]
    {
        if command == "EXEC" {
            let replies = reply(con, command);
            let wrong_type = "-WRONGTYPE Operation against a key holding the wrong kind of value";
            assert!(
                replies.starts_with(&format!("[{wrong_type}, -ERR invalid queryTime 'soon'")),
                "{replies}"
            );
            assert!(replies.ends_with(", OK]"), "{replies}");
        } else {
            cmd(con, command);
        }
    }
    assert_eq!(int(con, "EXISTS a b"), 1);

    cmd(con, "MULTI");
    cmd(con, "QUOTELOCK.SET c 3 *");
    let arity = error(con, "QUOTELOCK.SET c 3");
    assert_eq!(arity, "ERR wrong number of arguments for 'quotelock.set' command");
    assert!(error(con, "EXEC").starts_with("EXECABORT "));
    assert_eq!(int(con, "EXISTS c"), 0);
}
