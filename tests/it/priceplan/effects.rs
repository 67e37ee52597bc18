//! That reading the toggle changes nothing, and what is counted.

use super::*;

/// Both commands, on a toggle that is there and one that isn't.
const READS: [&str; 4] = [
    "PRICEPLAN.TAG toggle 571 571_old",
    "PRICEPLAN.ROUTE toggle 571 571_old",
    "PRICEPLAN.TAG absent 571",
    "PRICEPLAN.ROUTE absent 571",
];

#[apply(each_server)]
fn reading_the_toggle_changes_nothing_that_anyone_is_told_of(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let (con, other) = (&mut server.connection(), &mut server.connection());
    for value in ["3", "both", "back"] {
        let set = ["SET", "toggle", value, "EX", "1000"];
        for read in READS {
            let shown = format!("{read} with {value}");
            cmd(con, &set);
            let held = keyspace(con);
            let changed = changes(con);
            cmd(con, "WATCH toggle");
            cmd(other, read);
            cmd(other, read);
            assert_eq!(keyspace(con), held, "{shown}");
            assert_eq!(changes(con), changed, "{shown}");
            cmd(con, "MULTI");
            cmd(con, "GET toggle");
            assert_eq!(reply(con, "EXEC"), format!(r#"["{value}"]"#), "{shown}");
            // The next switch is a plain write, whatever form the value has now.
            assert_eq!(int(con, "STRLEN toggle"), value.len() as i64);
        }
    }
    cmd(con, "SET toggle 1");
    cmd(con, "PRICEPLAN.TAG toggle 571");
    assert_eq!(int(con, "INCR toggle"), 2);
    assert_eq!(reply(con, "PRICEPLAN.TAG toggle 571"), r#"["571"]"#);
}

/// The compact form is the server's own affair. It goes with the first read, and comes back with the next
/// `SET`.
#[apply(each_server)]
fn the_first_read_after_a_set_takes_the_plain_form(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for (value, compact) in [("3", "int"), ("both", "embstr")] {
        for read in &READS[..2] {
            cmd(con, &["SET", "toggle", value]);
            assert_eq!(text(con, "OBJECT ENCODING toggle"), compact);
            let dump = cmd(con, "DUMP toggle");
            cmd(con, *read);
            assert_eq!(text(con, "OBJECT ENCODING toggle"), "raw");
            assert_eq!(cmd(con, "DUMP toggle"), dump);
            assert!(int(con, "MEMORY USAGE toggle") < 100);
        }
    }
}

#[apply(each_server)]
fn a_switch_invalidates_what_a_client_has_cached(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let mut cache = Cache::of(server);
    for read in READS {
        cmd(con, "SET toggle 3");
        cmd(con, "DEL absent");
        cache.read(read);
        cmd(con, read);
        assert_eq!(cache.forgotten(), Vec::<String>::new(), "{read}");
        let key = read.split(' ').nth(1).unwrap();
        cmd(con, &["SET", key, "2"]);
        assert_eq!(cache.forgotten(), [format!(r#"["{key}"]"#)]);
    }
}

#[apply(each_server)]
fn ids_are_counted_by_pricing(#[case] kind: Kind) {
    const NAMES: [&str; 5] = ["tags_legacy", "tags_core", "routes_legacy", "routes_core", "routes_retired"];
    // The toggle; the command; what is added to each counter.
    let cases = [
        ("old", "PRICEPLAN.TAG toggle 1 2 3_old", [3, 0, 0, 0, 0]),
        ("new", "PRICEPLAN.TAG toggle 1 2 3_old", [1, 2, 0, 0, 0]),
        ("both", "PRICEPLAN.TAG toggle 1 2 3_old", [1, 2, 0, 0, 0]),
        ("back", "PRICEPLAN.TAG toggle 1 2 3_old", [3, 0, 0, 0, 0]),
        ("old", "PRICEPLAN.ROUTE toggle 1 2 3_old", [0, 0, 3, 0, 0]),
        ("new", "PRICEPLAN.ROUTE toggle 1 2 3_old", [0, 0, 0, 2, 1]),
        ("both", "PRICEPLAN.ROUTE toggle 1 2 3_old", [0, 0, 1, 2, 0]),
        ("back", "PRICEPLAN.ROUTE toggle 1 2 3_old", [0, 0, 1, 0, 2]),
        // What is refused is not counted.
        ("old", "PRICEPLAN.TAG toggle 1 2 _old", [0; 5]),
        ("5", "PRICEPLAN.TAG toggle 1", [0; 5]),
        ("5", "PRICEPLAN.ROUTE toggle 1", [0; 5]),
    ];
    let server = &Server::start(kind);
    let con = &mut server.connection();
    assert!(NAMES.iter().all(|name| info(con, "quotelock")[&format!("quotelock_{name}")] == "0"));
    for (value, words, added) in cases {
        put(con, value);
        assert_eq!(growth(con, &NAMES, words), added, "{words} with {value}");
    }
}
