//! What goes to replicas and to the AOF of rows that came as JSON or columns: the argument as it came where all
//! its rows were stored, otherwise what was.

use super::replication::{Step, followed, sends};
use super::*;

/// As the story in replication.rs.
const STORY: &[Step] = &[
    // All of it: the argument as it came, with the moment its rows expire.
    (
        r#"VEHPRICE.MSET t EX 600 JSON {"a":{"x":"1","y":"2"},"b":{"x":"3"}}"#,
        &[r#"VEHPRICE.MSET t PXAT @a JSON {"a":{"x":"1","y":"2"},"b":{"x":"3"}}"#],
    ),
    (
        r#"VEHPRICE.MSET t JSON {"c":{"x":1.50,"y":null}}"#,
        &[r#"VEHPRICE.MSET t PXAT @c JSON {"c":{"x":1.50,"y":null}}"#],
    ),
    (
        r#"VEHPRICE.MSET t PXAT 4000000000000 COLUMNS {"ids":["d","e"],"fields":["x","y"],"columns":[["1",null],[2,"3"]]}"#,
        &[
            r#"VEHPRICE.MSET t PXAT 4000000000000 COLUMNS {"ids":["d","e"],"fields":["x","y"],"columns":[["1",null],[2,"3"]]}"#,
        ],
    ),
    (
        r#"VEHPRICE.MSET t PX 700000 json {"\u0066":{"\u0078":"\ud83d\udeb2"}}"#,
        &[r#"VEHPRICE.MSET t PXAT @f JSON {"\u0066":{"\u0078":"\ud83d\udeb2"}}"#],
    ),
    // An id given twice is among the stored: all was.
    (
        r#"VEHPRICE.MSET t PXAT 4000000000000 JSON {"f":{"x":"1"},"f":{"y":"2"}}"#,
        &[r#"VEHPRICE.MSET t PXAT 4000000000000 JSON {"f":{"x":"1"},"f":{"y":"2"}}"#],
    ),
    (
        r#"VEHPRICE.MSET t XX EXAT 4000000000 COLUMNS {"ids":["f","f"],"fields":["x"],"columns":[["1","2"]]}"#,
        &[
            r#"VEHPRICE.MSET t PXAT 4000000000000 COLUMNS {"ids":["f","f"],"fields":["x"],"columns":[["1","2"]]}"#,
        ],
    ),
    // Some of it: these rows, as arguments.
    (
        r#"VEHPRICE.MSET t NX PXAT 4000000000000 JSON {"a":{"x":"9"},"g":{"x":"5","y":"6"},"h":{"x":"7","y":"8"}}"#,
        &["VEHPRICE.MSET t PXAT 4000000000000 FIELDS 2 x y ROWS g 5 6 h 7 8"],
    ),
    (
        r#"VEHPRICE.MSET t NX PXAT 4000000000000 JSON {"i":{"y":"1"},"a":{"x":"9"},"i":{"x":"2"}}"#,
        &["VEHPRICE.MSET t PXAT 4000000000000 FIELDS 1 x ROWS i 2"],
    ),
    (
        r#"VEHPRICE.MSET t XX EX 500 COLUMNS {"ids":["nope","g","h"],"fields":["y","x"],"columns":[["1","2","3"],[null,null,"4"]]}"#,
        &["VEHPRICE.MSET t PXAT @g FIELDS 1 y ROWS g 2", "VEHPRICE.MSET t PXAT @h FIELDS 2 y x ROWS h 3 4"],
    ),
    (
        r#"VEHPRICE.MSET t NX JSON {"new":{"x":"1"},"new2":{"x":"1"}}"#,
        &[r#"VEHPRICE.MSET t PXAT @new JSON {"new":{"x":"1"},"new2":{"x":"1"}}"#],
    ),
    (r#"VEHPRICE.MSET t NX JSON {"a":{"x":"9"}}"#, &[]),
    (r#"VEHPRICE.MSET t XX COLUMNS {"ids":["nope"],"fields":["x"],"columns":[["1"]]}"#, &[]),
    (r#"VEHPRICE.MSET t TOKEN 00000000000000000000000000000000 JSON {"a":{"x":"9"}}"#, &[]),
    // Merged or with expiries of their own: as the rows are then.
    (
        r#"VEHPRICE.MSET t MERGE PXAT 4000000000000 JSON {"d":{"z":"9"},"e":{"y":"8"}}"#,
        &[
            "VEHPRICE.MSET t PXAT 4000000000000 FIELDS 3 x y z ROWS d 1 2 9",
            "VEHPRICE.MSET t PXAT 4000000000000 FIELDS 1 y ROWS e 8",
        ],
    ),
    (
        r#"VEHPRICE.MSET t KEEPTTL COLUMNS {"ids":["d","b"],"fields":["x"],"columns":[["1","2"]]}"#,
        &[
            "VEHPRICE.MSET t PXAT 4000000000000 FIELDS 1 x ROWS d 1",
            "VEHPRICE.MSET t PXAT @b FIELDS 1 x ROWS b 2",
        ],
    ),
    (
        r#"VEHPRICE.MSET t KEEPTTL JSON {"d":{"x":"3"}}"#,
        &["VEHPRICE.MSET t PXAT 4000000000000 FIELDS 1 x ROWS d 3"],
    ),
    // Deletions.
    (
        r#"VEHPRICE.MSET t PXAT 1 JSON {"d":{"x":"1"},"nope":{"x":"1"},"e":{"y":"1"}}"#,
        &["VEHPRICE.DEL t d e"],
    ),
    (
        r#"VEHPRICE.MSET t EXAT 1 COLUMNS {"ids":["f","g","f"],"fields":["x"],"columns":[[1,2,3]]}"#,
        &["VEHPRICE.DEL t g f"],
    ),
    // Nothing.
    ("VEHPRICE.MSET t JSON {}", &[]),
    (r#"VEHPRICE.MSET t COLUMNS {"ids":[],"fields":[],"columns":[]}"#, &[]),
    (r#"VEHPRICE.MSET t JSON {"a":{"x":"9"},"z":{}}"#, &[]),
    (r#"VEHPRICE.MSET t COLUMNS {"ids":["a"],"fields":["x"],"columns":[[]]}"#, &[]),
    ("VEHPRICE.MGET t LIST [1]", &[]),
    ("VEHPRICE.MGET t FIELDS 1 x COLUMNS LIST [1]", &[]),
    ("VEHPRICE.GETALL t COLUMNS", &[]),
    ("VEHPRICE.CLAIM t PX 9 JSON LIST [1]", &[]),
    (r#"VEHPRICE.MSET nope PXAT 1 JSON {"a":{"x":"9"}}"#, &[]),
    (
        r#"VEHPRICE.MSET t PXAT 1 JSON {"a":{"x":1},"b":{"x":1},"c":{"x":1},"h":{"x":1},"i":{"x":1},"new":{"x":1},"new2":{"x":1}}"#,
        &["DEL t"],
    ),
    // Without a default expiry.
    ("CONFIG SET quotelock.price-ttl-ms 0", &[]),
    (r#"VEHPRICE.MSET t JSON {"a":{"x":"1"}}"#, &[r#"VEHPRICE.MSET t PERSIST JSON {"a":{"x":"1"}}"#]),
    (
        r#"VEHPRICE.MSET t COLUMNS {"ids":["b"],"fields":["x"],"columns":[["1"]]}"#,
        &[r#"VEHPRICE.MSET t PERSIST COLUMNS {"ids":["b"],"fields":["x"],"columns":[["1"]]}"#],
    ),
    (r#"VEHPRICE.MSET t MERGE JSON {"b":{"y":"2"}}"#, &["VEHPRICE.MSET t PERSIST FIELDS 2 x y ROWS b 1 2"]),
];

#[apply(each_server)]
fn only_outcomes_are_sent(#[case] kind: Kind) {
    sends(kind, STORY);
}

const THREE: &str = r#"{"a":{"x":"1"},"b":{"y":"2"},"c":{"x":"3","y":"4"}}"#;
const THREE_COLUMNS: &str =
    r#"{"ids":["d","e","f"],"fields":["x","y"],"columns":[["1",null,"3"],[null,"2","4"]]}"#;

/// With a token what was still claimed is sent.
#[apply(each_server)]
fn only_what_was_claimed_is_sent(#[case] kind: Kind) {
    let (primary, replica, mut fake) = followed(kind);
    let (con, there) = (&mut primary.connection(), &mut replica.connection());
    let token = |con: &mut Connection, ids: &str| {
        let claimed = json(con, &format!("VEHPRICE.CLAIM t PX 600000 JSON IDS {ids}"));
        claimed["token"].as_str().unwrap().to_owned()
    };
    let all = token(con, "a b c");
    cmd(con, &format!("VEHPRICE.MSET t TOKEN {all} KEEPCLAIM PXAT {FAR} JSON {THREE}"));
    assert_eq!(fake.lines(con), [format!("VEHPRICE.MSET t PXAT {FAR} JSON {THREE}")]);
    cmd(con, "VEHPRICE.DEL t b");
    assert_eq!(fake.lines(con), ["VEHPRICE.DEL t b"]);
    cmd(con, &format!("VEHPRICE.MSET t TOKEN {all} PXAT {FAR} JSON {}", THREE.replace("\"x\"", "\"z\"")));
    let mut sent = fake.lines(con);
    sent.retain(|line| !["MULTI", "EXEC"].contains(&line.as_str()));
    sent.sort();
    let rows =
        ["1 z ROWS a 1", "2 z y ROWS c 3 4"].map(|rows| format!("VEHPRICE.MSET t PXAT {FAR} FIELDS {rows}"));
    assert_eq!(sent, rows);
    let some = token(con, "d f");
    cmd(con, &format!("VEHPRICE.MSET t TOKEN {some} PXAT {FAR} COLUMNS {THREE_COLUMNS}"));
    let mut sent = fake.lines(con);
    sent.retain(|line| !["MULTI", "EXEC"].contains(&line.as_str()));
    sent.sort();
    let rows =
        ["1 x ROWS d 1", "2 x y ROWS f 3 4"].map(|rows| format!("VEHPRICE.MSET t PXAT {FAR} FIELDS {rows}"));
    assert_eq!(sent, rows);
    in_step(con, 1);
    assert_eq!(table(there, "t"), table(con, "t"));
}

#[apply(each_server)]
fn transactions_and_scripts_send_the_same(#[case] kind: Kind) {
    let (primary, replica, mut fake) = followed(kind);
    let (con, there) = (&mut primary.connection(), &mut replica.connection());
    let json = format!("VEHPRICE.MSET t PXAT {FAR} JSON {THREE}");
    let columns = format!("VEHPRICE.MSET t PXAT {FAR} COLUMNS {THREE_COLUMNS}");
    for command in ["MULTI", &json, "VEHPRICE.MGET t LIST [1]", &columns] {
        cmd(con, command);
    }
    assert_eq!(reply(con, "EXEC"), "[3, [nil], 3]");
    assert_eq!(fake.lines(con), ["MULTI", &json, &columns, "EXEC"]);
    let script = format!(
        "redis.call('VEHPRICE.MSET', KEYS[1], 'PXAT', '{FAR}', 'JSON', ARGV[1]) \
         return redis.call('VEHPRICE.MSET', KEYS[1], 'NX', 'PXAT', '{FAR}', 'COLUMNS', ARGV[2])"
    );
    let more = THREE_COLUMNS.replace("\"f\"", "\"g\"");
    assert_eq!(int(con, &["EVAL", &script, "1", "t", THREE, &more]), 1);
    let one = format!("VEHPRICE.MSET t PXAT {FAR} FIELDS 2 x y ROWS g 3 4");
    assert_eq!(fake.lines(con), ["MULTI", &json, &one, "EXEC"]);
    in_step(con, 1);
    assert_eq!(table(there, "t"), table(con, "t"));
    assert_eq!(int(there, "VEHPRICE.LEN t"), 7);
}

/// What the primary took a replica takes, whatever it would take from a client.
#[apply(each_server)]
fn a_replica_with_a_lower_setting_takes_it(#[case] kind: Kind) {
    let (primary, replica, _fake) = followed(kind);
    let (con, there) = (&mut primary.connection(), &mut replica.connection());
    let rng = &mut Rng::seeded(17);
    let rows = random_rows(rng, 2000, true);
    for (key, form, argument) in [("t", "JSON", json_rows(&rows)), ("u", "COLUMNS", column_rows(&rows))] {
        cmd(there, "CONFIG SET quotelock.max-batch 1");
        assert_eq!(int(con, &["VEHPRICE.MSET", key, "PXAT", &FAR.to_string(), form, &argument]), 2000);
        in_step(con, 1);
        let refused = "ERR too many ids, there are more than quotelock.max-batch, 1";
        assert_eq!(error(there, &["VEHPRICE.MGET", key, "LIST", "[1,2]"]), refused);
        cmd(there, "CONFIG SET quotelock.max-batch 100000");
        assert_eq!(table(there, key), table(con, key), "{form}");
    }
}

#[apply(each_server)]
fn an_aof_gives_them_back(#[case] kind: Kind) {
    let mut server = Server::builder(kind).conf("appendonly yes").conf("appendfsync always").start();
    let con = &mut server.connection();
    let rng = &mut Rng::seeded(18);
    let rows = random_rows(rng, 2000, true);
    let far = FAR.to_string();
    cmd(con, &["VEHPRICE.MSET", "t", "PXAT", &far, "JSON", &json_rows(&rows)]);
    cmd(con, &["VEHPRICE.MSET", "u", "EX", "1000", "COLUMNS", &column_rows(&rows)]);
    cmd(con, &["VEHPRICE.MSET", "u", "NX", "JSON", THREE]);
    cmd(con, &["VEHPRICE.MSET", "u", "NX", "COLUMNS", &THREE_COLUMNS.replace("\"f\"", "\"a\"")]);
    cmd(con, &["VEHPRICE.MSET", "t", "MERGE", "JSON", THREE]);
    cmd(con, &["VEHPRICE.MSET", "gone", "EX", "9", "JSON", THREE]);
    cmd(con, &["VEHPRICE.MSET", "gone", "PXAT", "1", "JSON", THREE]);
    let held = all_tables(con);
    cmd(con, "CONFIG SET quotelock.max-batch 1");
    cmd(con, "CONFIG REWRITE");
    assert_eq!(held.keys().collect::<Vec<_>>(), ["t", "u"]);
    server.restart();
    let con = &mut server.connection();
    assert!(error(con, "VEHPRICE.MGET t LIST [1,2]").starts_with("ERR too many ids"));
    cmd(con, "CONFIG SET quotelock.max-batch 100000");
    assert_eq!(all_tables(con), held);
}

/// Each list of fields would be a command of its own, with the key's name, where the argument can't be sent on.
#[apply(each_server)]
fn so_many_commands_are_refused(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let key = "k".repeat(100_000);
    let row = |id: usize| format!(r#""{id}":{{"f{id}":"1"}}"#);
    let rows = |count| format!("{{{}}}", (0..count).map(row).collect::<Vec<_>>().join(","));
    let refused = "ERR too much to replicate, a command for each list of fields would take more than \
                   67108864 bytes: write rows with different fields in separate calls";
    let (few, many) = (rows(600), rows(700));
    for options in ["NX", "XX", "MERGE", "KEEPTTL", "TOKEN 00000000000000000000000000000000"] {
        let call =
            |rows: &str| [words(&["VEHPRICE.MSET", &key], options), words(&["JSON", rows], "")].concat();
        assert_eq!(error(con, &call(&many)), refused, "{options}");
        assert_eq!(int(con, &["EXISTS", &key]), 0, "{options}");
        int(con, &call(&few));
        cmd(con, "FLUSHALL");
    }
    // As it came it is one command.
    assert_eq!(int(con, &["VEHPRICE.MSET", &key, "PX", "60000", "JSON", &many]), 700);
}
