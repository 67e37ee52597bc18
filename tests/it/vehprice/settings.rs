//! The settings of the table: `price-ttl-ms`, `max-batch`, `max-claims` and `max-reply-bytes`.

use super::*;

/// The four settings in force.
#[track_caller]
fn settings(con: &mut Connection) -> [i64; 4] {
    ["price-ttl-ms", "max-batch", "max-claims", "max-reply-bytes"].map(|name| {
        let answer = cmd(con, &["CONFIG", "GET", &format!("quotelock.{name}")]);
        let value = pairs(&answer)[&format!("\"quotelock.{name}\"")].clone();
        value.trim_matches('"').parse().unwrap()
    })
}

#[apply(each_server)]
fn come_from_loadmodule_and_the_conf_file(#[case] kind: Kind) {
    // What follows the module's path; a line of the conf file; the settings.
    let cases = [
        ("", "", [120_000, 100_000, 1_000_000, 67_108_864]),
        ("price-ttl-ms 0 max-batch 1 max-claims 0 max-reply-bytes 2097152", "", [0, 1, 0, 2_097_152]),
        (
            "max-batch 10000000 price-ttl-ms 315360000000",
            "",
            [315_360_000_000, 10_000_000, 1_000_000, 67_108_864],
        ),
        ("lock-ttl-ms 5 Price-TTL-ms 7 max-claims 8", "quotelock.max-batch 9", [7, 9, 8, 67_108_864]),
        ("max-batch 5 max-claims 8", "quotelock.max-claims 9", [120_000, 5, 9, 67_108_864]),
        (
            "max-reply-bytes 536870912",
            "quotelock.max-reply-bytes 4000000",
            [120_000, 100_000, 1_000_000, 4_000_000],
        ),
    ];
    for (args, line, expected) in cases {
        let mut server = Server::builder(kind).module_args(args).conf(line).start();
        assert_eq!(settings(&mut server.connection()), expected, "{args:?} and {line:?}");
        assert_eq!(reply(&mut server.connection(), "CONFIG REWRITE"), "OK");
        server.restart();
        assert_eq!(settings(&mut server.connection()), expected, "{args:?} and {line:?} rewritten");
    }
}

#[apply(each_server)]
fn are_within_their_bounds(#[case] kind: Kind) {
    let cases = [
        ("price-ttl-ms", 0, 315_360_000_000_i64),
        ("max-batch", 1, 10_000_000),
        ("max-claims", 0, 100_000_000),
        ("max-reply-bytes", 2_097_152, 536_870_912),
    ];
    for (name, least, most) in cases {
        for value in [least - 1, most + 1] {
            let args = format!("{name} {value}");
            let log = Server::builder(kind).module_args(&args).try_start().err().expect(&args).to_string();
            let line =
                format!("setting '{name}' requires a whole number from {least} to {most}, not '{value}'");
            assert!(log.contains(&line), "{args}:\n{log}");
        }
    }
    let server = Server::start(kind);
    let con = &mut server.connection();
    for (name, least, most) in cases {
        for value in [least - 1, most + 1] {
            let refused = error(con, &format!("CONFIG SET quotelock.{name} {value}"));
            let reason = format!("argument must be between {least} and {most} inclusive");
            assert!(refused.ends_with(&reason), "{refused}");
        }
        for value in [least, most] {
            assert_eq!(reply(con, &format!("CONFIG SET quotelock.{name} {value}")), "OK");
        }
    }
    assert_eq!(settings(con), [315_360_000_000, 10_000_000, 100_000_000, 536_870_912]);
}

#[apply(each_server)]
fn max_batch_refuses_clients_but_nothing_that_was_acknowledged(#[case] kind: Kind) {
    let write = "VEHPRICE.MSET t PXAT 4000000000000 FIELDS 1 a ROWS 1 x 2 x 3 x 4 x";
    let delete = "VEHPRICE.DEL t 2 3 4";
    let primary = Server::builder(kind)
        .conf("repl-diskless-sync-delay 0")
        .conf("appendonly yes")
        .conf("aof-use-rdb-preamble no")
        .start();
    let replica = replica_of(&primary, Server::builder(kind).module_args("max-batch 2"));
    let (con, other) = (&mut primary.connection(), &mut replica.connection());
    for (command, rows) in [(write, 4), (delete, 1)] {
        cmd(con, command);
        in_step(con, 1);
        assert_eq!(digest(other, "t"), digest(con, "t"), "the replica");
        assert_eq!(int(other, "VEHPRICE.LEN t"), rows);
        cmd(con, "CONFIG SET quotelock.max-batch 2");
        cmd(con, "DEBUG LOADAOF");
        assert_eq!(int(con, "VEHPRICE.LEN t"), rows, "the AOF");
        let refused = error(con, command);
        assert!(refused.starts_with("ERR too many "), "{refused}");
        cmd(con, "CONFIG SET quotelock.max-batch 100000");
    }
    cmd(con, write);
    rewrite(con);
    cmd(con, "CONFIG SET quotelock.max-batch 2");
    cmd(con, "DEBUG LOADAOF");
    assert_eq!(int(con, "VEHPRICE.LEN t"), 4, "the AOF as rewritten");
}
