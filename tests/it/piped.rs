//! What a server writes to its AOF and sends to its replicas, sent to another server as a client would
//! (`redis-cli --pipe`, a migration): it takes all of it, and holds the same then.

use redis::{Connection, Value};

use crate::harness::*;

/// A server whose rows don't expire unless they are told to, with an AOF of commands alone.
fn source(kind: Kind) -> Server {
    Server::builder(kind)
        .module_args("price-ttl-ms 0")
        .conf("appendonly yes")
        .conf("appendfsync always")
        .conf("aof-use-rdb-preamble no")
        .start()
}

/// Each way to what is replicated, with expiries and without.
const STORY: &[&str] = &[
    r#"QUOTELOCK.SET user:1 ["3","7"] * EX 1000 BUFFER 5"#,
    "QUOTELOCK.ACQUIRE user:2 3 *",
    "QUOTELOCK.ACQUIRE user:3 3 *",
    "QUOTELOCK.DEL user:3",
    "PERSIST user:2",
    "SET hermes:pricingReleaseToggle 3",
    "VEHPRICE.SET t a FIELDS 2 x 1 y 2",
    "VEHPRICE.MSET t FIELDS 1 x ROWS b 1 IDS 2 JSON 3 c 4",
    r#"VEHPRICE.MSET t JSON {"d":{"x":"1","y":null},"e":{"z":1.50}}"#,
    r#"VEHPRICE.MSET t COLUMNS {"ids":["f","g"],"fields":["x","y"],"columns":[["1",null],["2","3"]]}"#,
    "VEHPRICE.MSET t EX 1000 FIELDS 1 x ROWS h 1 i 2",
    r#"VEHPRICE.MSET t PXAT 4000000000000 JSON {"j":{"x":"1"},"k":{"y":"1"}}"#,
    "VEHPRICE.MSET t PERSIST FIELDS 1 x ROWS i 3 l 4",
    "VEHPRICE.MSET t MERGE FIELDS 1 y ROWS a 3 h 4 new 5",
    "VEHPRICE.MSET t KEEPTTL FIELDS 1 x ROWS b 6 j 7",
    r#"VEHPRICE.MSET t NX JSON {"a":{"x":"9"},"m":{"x":"8"}}"#,
    "VEHPRICE.SET t nope XX FIELDS 1 x 1",
    "VEHPRICE.MSET t PXAT 1 FIELDS 1 x ROWS c 1 nope 2",
    "VEHPRICE.DEL t JSON f nope",
    "VEHPRICE.CLAIM t PX 60000 TOKEN 0123456789abcdef0123456789abcdef IDS n o p",
    "VEHPRICE.MSET t TOKEN 0123456789abcdef0123456789abcdef KEEPCLAIM FIELDS 1 x ROWS n 1 other 2",
    "VEHPRICE.MSET t TOKEN 0123456789abcdef0123456789abcdef MERGE FIELDS 1 y ROWS n 2 o 3",
    "VEHPRICE.RELEASE t 0123456789abcdef0123456789abcdef",
    "VEHPRICE.MSET gone FIELDS 1 x ROWS a 1 b 2",
    "VEHPRICE.DEL gone a b",
    "VEHPRICE.MSET cleared FIELDS 1 x ROWS a 1",
    "VEHPRICE.CLEAR cleared",
    "MULTI",
    "VEHPRICE.SET u a FIELDS 1 x 1",
    "QUOTELOCK.ACQUIRE user:4 3 * ALIGN 60",
    "VEHPRICE.SET u b EX 1000 FIELDS 1 x 1",
    "EXEC",
    "PEXPIREAT u 4000000000000",
];

/// Sends commands all at once; none may be refused.
#[track_caller]
fn pipe(to: &mut Connection, commands: &[Sent], what: &str) {
    let replies = pipelined(to, commands);
    for (command, reply) in commands.iter().zip(&replies) {
        assert!(!is_refused(reply), "{what}: {}: {}", brief(command), show(reply));
    }
}

fn is_refused(reply: &Value) -> bool {
    match reply {
        Value::ServerError(_) => true,
        Value::Array(replies) => replies.iter().any(is_refused),
        _ => false,
    }
}

#[apply(each_server)]
fn another_server_takes_all_of_it(#[case] kind: Kind) {
    let source = source(kind);
    let con = &mut source.connection();
    let mut fake = FakeReplica::of(&source);
    for command in STORY {
        cmd(con, *command);
    }
    let sent = fake.sent(con);
    let written = aof_commands(&source, ".incr.");
    assert!(written.iter().any(|command| command.contains(&b"PERSIST".to_vec())));
    rewrite(con);
    let rewritten = aof_commands(&source, ".base.");
    for (commands, what) in [(written, "written"), (rewritten, "rewritten"), (sent, "sent")] {
        let other = Server::start(kind);
        let there = &mut other.connection();
        pipe(there, &commands, what);
        assert_eq!(all_tables(there), all_tables(con), "{what}");
        for user in ["user:1", "user:2", "user:4"] {
            assert_eq!(stored(there, user), stored(con, user), "{what}");
        }
        assert_eq!(text(there, "DEBUG DIGEST"), text(con, "DEBUG DIGEST"), "{what}");
    }
}

/// Rows expire meanwhile, and commands are wrong.
#[apply(each_server)]
fn random_commands(#[case] kind: Kind) {
    let source = source(kind);
    let con = &mut source.connection();
    let rng = &mut Rng::seeded(17);
    let commands =
        std::iter::repeat_with(
            || {
                if rng.below(4) == 0 { lock_command(rng) } else { table_command(rng, "t") }
            },
        );
    // What the server's own commands do late by these rows is another matter: a table that has expired
    // can't be renamed.
    let own = ["RENAME", "COPY", "PERSIST", "PEXPIRE", "PEXPIREAT", "EXPIRE"];
    let commands: Vec<_> = commands.filter(|words| !own.contains(&&*words[0])).take(3000).collect();
    pipelined(con, &commands);
    rest(SHORT_MS.unsigned_abs() + 50);
    let other = Server::start(kind);
    let there = &mut other.connection();
    let written = aof_commands(&source, ".incr.");
    assert!(written.len() > 500, "{}", written.len());
    pipelined(there, &written);
    let tables = all_tables(con);
    assert!(tables.len() == 3 && tables.values().any(|table| table.expiry == -1));
    assert_eq!(all_tables(there), tables);
}

/// What the first 0.1.0 sends in its place for rows that don't expire; and from a client it is none.
#[apply(each_server)]
fn the_old_form_is_read_from_a_primary(#[case] kind: Kind) {
    let replica = &Server::start(kind);
    let con = &mut replica.connection();
    let refused = error(con, "VEHPRICE.MSET t PXAT -1 FIELDS 1 x ROWS a 1");
    assert!(refused.starts_with("ERR invalid expire time in 'vehprice.mset' command"), "{refused}");
    let mut primary = FakePrimary::of(replica);
    primary.send("VEHPRICE.MSET t PXAT -1 FIELDS 1 x ROWS a 1");
    primary.send(r#"VEHPRICE.MSET t PXAT -1 JSON {"b":{"x":"2"}}"#);
    primary.send("VEHPRICE.MSET t PERSIST FIELDS 1 x ROWS c 3");
    let row = |x: &str| (vec![("x".to_owned(), x.to_owned())], -1);
    let rows = [("a", "1"), ("b", "2"), ("c", "3")].map(|(id, x)| (id.to_owned(), row(x)));
    assert_eq!(live_rows(con, "t"), Rows::from(rows));
    assert_eq!(int(con, "PEXPIRETIME t"), -1);
}
