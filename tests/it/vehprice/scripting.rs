//! Inside MULTI, Lua and Functions: the same commands, one moment, and the errors of scripts.

use super::*;

#[apply(each_server)]
fn a_row_does_not_end_in_a_transaction(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    cmd(con, "VEHPRICE.SET t long FIELDS 1 a x");
    for command in [
        "MULTI",
        "VEHPRICE.SET t 1 PX 40 FIELDS 1 a x",
        "DEBUG SLEEP 0.060",
        "VEHPRICE.GET t 1",
        "VEHPRICE.LEN t",
        "VEHPRICE.SET t 1 NX FIELDS 1 a y",
        "VEHPRICE.PTTL t 1",
    ] {
        cmd(con, command);
    }
    assert_eq!(reply(con, "EXEC"), r#"[1, OK, ["a", "x"], 2, 0, [40]]"#);
    assert_eq!(reply(con, "VEHPRICE.GET t 1"), "nil");

    // A wait inside a script, which may not sleep; until it is longer than the row's life.
    let script = "redis.call('VEHPRICE.SET', KEYS[1], '1', 'PX', '40', 'FIELDS', '1', 'a', 'x') \
                  for _ = 1, tonumber(ARGV[1]) do end \
                  return redis.call('VEHPRICE.GET', KEYS[1], '1', 'JSON')";
    let mut spins = 1_000_000_u64;
    loop {
        let begun = now();
        assert_eq!(text(con, &["EVAL", script, "1", "t", &spins.to_string()]), r#"{"a":"x"}"#);
        if now() - begun > 60 {
            break;
        }
        spins *= 2;
    }
}

#[apply(each_server)]
fn scripts_get_the_replies_that_clients_get(#[case] kind: Kind) {
    // After each other: what a script returns, and the reply.
    let story = [
        ("redis.call('VEHPRICE.SET', KEYS[1], '1', 'FIELDS', '2', 'a', 'x', 'b', 'y')", "1"),
        ("redis.call('VEHPRICE.MSET', KEYS[1], 'FIELDS', '1', 'a', 'ROWS', '2', 'z', '3', 'w')", "2"),
        ("redis.call('VEHPRICE.GET', KEYS[1], '1')", r#"["a", "x", "b", "y"]"#),
        ("redis.call('VEHPRICE.GET', KEYS[1], '1', 'JSON')", r#""{"a":"x","b":"y"}""#),
        ("redis.call('VEHPRICE.GET', KEYS[1], '9') == false and 'none'", r#""none""#),
        ("cjson.decode(redis.call('VEHPRICE.MGET', KEYS[1], 'JSON', 'IDS', '1', '2'))[2].a", r#""z""#),
        ("redis.call('VEHPRICE.MGET', KEYS[1], '2', '9', '3')", r#"[["a", "z"], nil, ["a", "w"]]"#),
        ("redis.call('VEHPRICE.GET', KEYS[1], '1', 'FIELDS', '2', 'b', 'none')", r#"["y", nil]"#),
        (
            "redis.call('VEHPRICE.VERIFY', KEYS[1], '2', 'a', 'z')",
            r#"["verdict", "Match", "row", ["a", "z"]]"#,
        ),
        ("#redis.call('VEHPRICE.GETALL', KEYS[1])", "6"),
        ("redis.call('VEHPRICE.SCAN', KEYS[1], '0')[1]", r#""0""#),
        ("redis.call('VEHPRICE.LEN', KEYS[1])", "3"),
        ("redis.call('VEHPRICE.PTTL', KEYS[1], '9')", "[-2]"),
        ("redis.call('VEHPRICE.DEL', KEYS[1], '3', '9')", "1"),
        ("redis.call('VEHPRICE.CLEAR', KEYS[1])", "1"),
        ("redis.call('VEHPRICE.INFO', KEYS[1]) == false and 'none'", r#""none""#),
    ];
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for (expression, answer) in story {
        let script = format!("return {expression}");
        assert_eq!(reply(con, &["EVAL", &script, "1", "t"]), answer, "{expression}");
    }
    cmd(con, "VEHPRICE.SET t 1 FIELDS 2 a x b y");
    for (expression, answer) in [
        ("redis.call('VEHPRICE.GET', KEYS[1], '1').map.b", r#""y""#),
        ("redis.call('VEHPRICE.GETALL', KEYS[1]).map['1'].map.a", r#""x""#),
        ("redis.call('VEHPRICE.VERIFY', KEYS[1], '1', 'a', 'x').map.row.map.a", r#""x""#),
        ("redis.call('VEHPRICE.INFO', KEYS[1]).map.rows", "1"),
    ] {
        let script = format!("redis.setresp(3) return {expression}");
        assert_eq!(reply(con, &["EVAL", &script, "1", "t"]), answer, "{expression}");
    }
    cmd(
        con,
        &[
            "FUNCTION",
            "LOAD",
            "#!lua name=prices\nredis.register_function{function_name='price', \
         flags={'no-writes'}, callback=function(keys, args) \
         return redis.call('VEHPRICE.GET', keys[1], args[1], 'JSON') end}",
        ],
    );
    assert_eq!(text(con, "FCALL_RO price 1 t 1"), r#"{"a":"x","b":"y"}"#);
}

#[apply(each_server)]
fn scripts_see_the_errors_that_clients_see(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let wrong = "'VEHPRICE.SET', KEYS[1], '1', 'FIELDS', '2', 'a', 'x', 'a', 'y'";
    let expected = error(con, "VEHPRICE.SET t 1 FIELDS 2 a x a y");
    let caught = format!("return redis.pcall({wrong})['err']");
    assert_eq!(text(con, &["EVAL", &caught, "1", "t"]), expected);
    let thrown = error(con, &["EVAL", &format!("return redis.call({wrong})"), "1", "t"]);
    assert!(thrown.starts_with(&expected), "{thrown}");
    // What came before an error in a script stays.
    let script =
        format!("redis.call('VEHPRICE.SET', KEYS[1], '2', 'FIELDS', '1', 'a', 'x') redis.call({wrong})");
    error(con, &["EVAL", &script, "1", "t"]);
    assert_eq!(text(con, "VEHPRICE.GETALL t JSON"), r#"{"2":{"a":"x"}}"#);
}

#[apply(each_server)]
fn a_transaction_goes_on_after_an_error_as_redis_does(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    cmd(con, "RPUSH list x");
    for command in [
        "MULTI",
        "VEHPRICE.SET list 1 FIELDS 1 a x",
        "VEHPRICE.MGET t ",
        "VEHPRICE.MSET t FIELDS 1 a ROWS 1 x 2 y",
        "VEHPRICE.MGET t 1 2 3",
        "VEHPRICE.CLEAR t",
        "VEHPRICE.GETALL t",
    ] {
        cmd(con, command);
    }
    let replies = format!(
        r#"[-{WRONGTYPE}, -ERR invalid id '', expected 1 to 256 bytes of UTF-8, 2, [["a", "x"], ["a", "y"], nil], 1, []]"#
    );
    assert_eq!(reply(con, "EXEC"), replies);
    cmd(con, "MULTI");
    assert_eq!(error(con, "VEHPRICE.LEN t 1"), "ERR wrong number of arguments for 'vehprice.len' command");
    assert!(error(con, "EXEC").starts_with("EXECABORT "));
}
