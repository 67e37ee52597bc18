//! What the server tells of the commands of the table, and whom it lets call them.

use super::*;
use crate::introspection::{Expected, has_categories, has_own_category};

const WRITE_KEY: &str = "RW, access, update";
const READ_KEY: &str = "RO, access";

pub(crate) const VEHPRICE: [Expected; 16] = [
    Expected {
        name: "vehprice.set",
        arity: -6,
        flags: "write, denyoom, module, fast",
        key_flags: WRITE_KEY,
        last_key: 1,
        categories: "@write, @fast",
        complexity: "O(N) where N is the number of fields",
        grammar: "key:key id:string [condition:(NX|XX)] [MERGE] \
                  [expiry:(EX seconds:integer|PX milliseconds:integer|EXAT unix-seconds:integer|\
                  PXAT unix-milliseconds:integer|KEEPTTL|PERSIST)] \
                  [token-keepclaim:{TOKEN token:string [KEEPCLAIM]}] \
                  FIELDS fields:{numfields:integer data:{field:string value:string}…}",
    },
    Expected {
        name: "vehprice.mset",
        arity: -4,
        flags: "write, denyoom, module",
        key_flags: WRITE_KEY,
        last_key: 1,
        categories: "@write, @slow",
        complexity: "O(N) where N is the number of rows times the number of fields",
        grammar: "key:key [condition:(NX|XX)] [MERGE] \
                  [expiry:(EX seconds:integer|PX milliseconds:integer|EXAT unix-seconds:integer|\
                  PXAT unix-milliseconds:integer|KEEPTTL|PERSIST)] \
                  [token-keepclaim:{TOKEN token:string [KEEPCLAIM]}] \
                  rows:(fields-rows:{FIELDS fields:{numfields:integer field:string…} \
                  ROWS row:{id:string value:string…}…}|JSON rows:string|COLUMNS table:string)",
    },
    Expected {
        name: "vehprice.get",
        arity: -3,
        flags: "readonly, module, fast",
        key_flags: READ_KEY,
        last_key: 1,
        categories: "@read, @fast",
        complexity: "O(N) where N is the number of fields",
        grammar: "key:key id:string \
                  [FIELDS fields:{numfields:integer field:string…}] \
                  [json-raw:{JSON [RAW raw:{numfields:integer field:string…}]}]",
    },
    Expected {
        name: "vehprice.mget",
        arity: -3,
        flags: "readonly, module, blocking",
        key_flags: READ_KEY,
        last_key: 1,
        categories: "@read, @slow, @blocking",
        complexity: "O(N) where N is the number of ids",
        grammar: "key:key ids-or-options:(id:string…|options:{[FIELDS fields:{numfields:integer field:string…}] \
                  [format:(json-raw:{JSON [RAW raw:{numfields:integer field:string…}]}|COLUMNS)] \
                  [BLOCK milliseconds:integer] ids:(IDS id:string…|LIST ids:string)})",
    },
    Expected {
        name: "vehprice.getall",
        arity: -2,
        flags: "readonly, module",
        key_flags: READ_KEY,
        last_key: 1,
        categories: "@read, @slow",
        complexity: "O(N) where N is the number of rows",
        grammar: "key:key \
                  [FIELDS fields:{numfields:integer field:string…}] \
                  [format:(json-raw:{JSON [RAW raw:{numfields:integer field:string…}]}|COLUMNS)]",
    },
    Expected {
        name: "vehprice.changes",
        arity: -3,
        flags: "readonly, module",
        key_flags: READ_KEY,
        last_key: 1,
        categories: "@read, @slow",
        complexity: "O(N) where N is the number of rows written since, and O(1) if there are none",
        grammar: "key:key revision:string \
                  [FIELDS fields:{numfields:integer field:string…}] \
                  [JSON]",
    },
    Expected {
        name: "vehprice.scan",
        arity: -3,
        flags: "readonly, module",
        key_flags: READ_KEY,
        last_key: 1,
        categories: "@read, @slow",
        complexity: "O(1) for each call, O(N) for a whole iteration, where N is the number of rows",
        grammar: "key:key cursor:string [COUNT count:integer] \
                  [FIELDS fields:{numfields:integer field:string…}] \
                  [JSON]",
    },
    Expected {
        name: "vehprice.clear",
        arity: 2,
        flags: "write, module",
        key_flags: "RM, delete",
        last_key: 1,
        categories: "@write, @slow",
        complexity: "O(N) where N is the number of rows",
        grammar: "key:key",
    },
    Expected {
        name: "vehprice.del",
        arity: -3,
        flags: "write, module",
        key_flags: "RW, delete",
        last_key: 1,
        categories: "@write, @slow",
        complexity: "O(N) where N is the number of ids",
        grammar: "key:key id:string…",
    },
    Expected {
        name: "vehprice.len",
        arity: 2,
        flags: "readonly, module",
        key_flags: "RO",
        last_key: 1,
        categories: "@read, @slow",
        complexity: "O(1) if all expired rows have been swept, else O(N) where N is the number of rows",
        grammar: "key:key",
    },
    Expected {
        name: "vehprice.pttl",
        arity: -3,
        flags: "readonly, module",
        key_flags: READ_KEY,
        last_key: 1,
        categories: "@read, @slow",
        complexity: "O(N) where N is the number of ids",
        grammar: "key:key id:string…",
    },
    Expected {
        name: "vehprice.verify",
        arity: -5,
        flags: "readonly, module, fast",
        key_flags: READ_KEY,
        last_key: 1,
        categories: "@read, @fast",
        complexity: "O(N) where N is the number of fields",
        grammar: "key:key id:string data:{field:string expected:string}… [JSON]",
    },
    Expected {
        name: "vehprice.info",
        arity: 2,
        flags: "readonly, module",
        key_flags: "RO",
        last_key: 1,
        categories: "@read, @slow",
        complexity: "O(N) where N is the number of rows",
        grammar: "key:key",
    },
    Expected {
        name: "vehprice.claim",
        arity: -6,
        flags: "write, denyoom, module",
        key_flags: WRITE_KEY,
        last_key: 1,
        categories: "@write, @slow",
        complexity: "O(N) where N is the number of ids",
        grammar: "key:key PX milliseconds:integer [TOKEN token:string] [LIMIT count:integer] [REFRESH milliseconds:integer] \
                  [FIELDS fields:{numfields:integer field:string…}] \
                  [format:(json-raw:{JSON [RAW raw:{numfields:integer field:string…}]}|COLUMNS)] \
                  ids:(IDS id:string…|LIST ids:string)",
    },
    Expected {
        name: "vehprice.release",
        arity: -3,
        flags: "write, module",
        key_flags: WRITE_KEY,
        last_key: 1,
        categories: "@write, @slow",
        complexity: "O(N) where N is the number of ids, or of the claims under the token",
        grammar: "key:key token:string [id:string…]",
    },
    Expected {
        name: "vehprice.mgethash",
        arity: -2,
        flags: "readonly, module",
        key_flags: READ_KEY,
        last_key: -1,
        categories: "@read, @slow",
        complexity: "O(N) where N is the number of fields of all keys",
        grammar: "key:key…",
    },
];

/// What each call requires of its key `t`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    Read,
    Write,
    Both,
    /// Any right: it tells nothing of what the rows hold, as STRLEN.
    Any,
}
use Needs::{Any, Both, Read, Write};

/// A call of each command, in the order of the table above.
const CALLS: [(&str, Needs); 16] = [
    ("VEHPRICE.SET t 1 FIELDS 1 a x", Both),
    ("VEHPRICE.MSET t FIELDS 1 a ROWS 1 x 2 y", Both),
    ("VEHPRICE.GET t 1 JSON", Read),
    ("VEHPRICE.MGET t JSON IDS 1 2", Read),
    ("VEHPRICE.GETALL t JSON", Read),
    ("VEHPRICE.CHANGES t 0", Read),
    ("VEHPRICE.SCAN t 0", Read),
    ("VEHPRICE.CLEAR t", Write),
    ("VEHPRICE.DEL t 1", Write),
    ("VEHPRICE.LEN t", Any),
    ("VEHPRICE.PTTL t 1", Read),
    ("VEHPRICE.VERIFY t 1 a x", Read),
    ("VEHPRICE.INFO t", Any),
    ("VEHPRICE.CLAIM t PX 1 IDS 1 2", Both),
    ("VEHPRICE.RELEASE t 00000000000000000000000000000000", Both),
    ("VEHPRICE.MGETHASH t", Read),
];

#[apply(each_server)]
fn command_getkeys_finds_the_keys(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for ((call, _), expected) in CALLS.iter().zip(&VEHPRICE) {
        let (name, rest) = call.split_once(" t").unwrap();
        assert_eq!(name.to_lowercase(), expected.name);
        for key in ["t", "", "JSON", "\u{100} %s%n"] {
            let call = words(&[expected.name, key], rest);
            let getkeys = [words(&["COMMAND", "GETKEYS"], ""), call.clone()].concat();
            assert_eq!(reply(con, &getkeys), format!(r#"["{key}"]"#), "{name}");
            let with_flags = [words(&["COMMAND", "GETKEYSANDFLAGS"], ""), call].concat();
            let flags = expected.key_flags;
            assert_eq!(reply(con, &with_flags), format!(r#"[["{key}", [{flags}]]]"#), "{name}");
        }
    }
    assert_eq!(reply(con, "COMMAND GETKEYS VEHPRICE.MGETHASH a b a"), r#"["a", "b", "a"]"#);
    for call in [
        "VEHPRICE.MGET a b c",
        "VEHPRICE.MGET a LIST [1]",
        "VEHPRICE.MGET a FIELDS 1 b COLUMNS LIST []",
        "VEHPRICE.GETALL a COLUMNS",
        "VEHPRICE.CLAIM a PX 1 LIST [1]",
        r#"VEHPRICE.MSET a JSON {"b":{}}"#,
        "VEHPRICE.MSET a NX COLUMNS {}",
    ] {
        assert_eq!(reply(con, &format!("COMMAND GETKEYS {call}")), r#"["a"]"#, "{call}");
    }
}

/// Which calls a user with these rules may make.
#[track_caller]
fn check_rules(server: &Server, rules: &str, allows: impl Fn(&str, Needs) -> bool) {
    let con = &mut server.connection();
    assert_eq!(reply(con, &format!("ACL SETUSER pod reset on >secret {rules}")), "OK", "{rules}");
    let pod = &mut server.connection_of("pod", "secret");
    for (words, needs) in CALLS {
        cmd(con, "FLUSHALL");
        if words.contains("HASH") {
            cmd(con, "HSET t a x");
        } else {
            cmd(con, "VEHPRICE.SET t 1 FIELDS 1 a old");
        }
        let before = keyspace(con);
        let name = words[..words.find(' ').unwrap()].to_lowercase();
        match try_cmd(pod, words) {
            Ok(_) => assert!(allows(&name, needs), "{words} with {rules}"),
            Err(error) => {
                assert!(error.starts_with("NOPERM "), "{words} with {rules}: {error}");
                assert!(!allows(&name, needs), "{words} with {rules}: {error}");
                assert_eq!(keyspace(con), before, "{words} with {rules}");
            }
        }
    }
}

#[apply(each_server)]
fn users_may_touch_the_keys_of_their_rules(#[case] kind: Kind) {
    let all = VEHPRICE.map(|command| format!("+{}", command.name)).join(" ");
    let rules = |keys: &str| format!("{keys} {all}");
    let server = &Server::start(kind);
    check_rules(server, &rules("~*"), |_, _| true);
    check_rules(server, &rules("~t"), |_, _| true);
    check_rules(server, &rules("~other"), |_, _| false);
    check_rules(server, &rules("%R~t"), |_, needs| matches!(needs, Read | Any));
    check_rules(server, &rules("%W~t"), |_, needs| matches!(needs, Write | Any));
    check_rules(server, &rules("%RW~t"), |_, _| true);
    check_rules(server, &rules("%R~t %W~t"), |_, _| true);
    check_rules(server, &rules("%R~t %W~other"), |_, needs| matches!(needs, Read | Any));
    // Each of several keys.
    let con = &mut server.connection();
    cmd(con, "ACL SETUSER pod reset on >secret ~t +vehprice.mgethash");
    let pod = &mut server.connection_of("pod", "secret");
    assert!(error(pod, "VEHPRICE.MGETHASH t other").starts_with("NOPERM "));
    assert!(error(pod, "VEHPRICE.MGETHASH other t").starts_with("NOPERM "));
    assert_eq!(reply(pod, "VEHPRICE.MGETHASH t t"), r#"[["a", "x"], ["a", "x"]]"#);
}

#[apply(each_server)]
fn users_may_call_the_commands_of_their_rules(#[case] kind: Kind) {
    let flags = |name: &str| VEHPRICE.iter().find(|command| command.name == name).unwrap();
    let reads = |name: &str| flags(name).flags.contains("readonly");
    let fast = |name: &str| flags(name).flags.contains("fast");
    let server = &Server::start(kind);
    check_rules(server, "~* +vehprice.get", |name, _| name == "vehprice.get");
    check_rules(server, "~* +vehprice.mset +vehprice.mget", |name, _| {
        ["vehprice.mset", "vehprice.mget"].contains(&name)
    });
    check_rules(server, "~* +@all -vehprice.clear", |name, _| name != "vehprice.clear");
    check_rules(server, "~* -@all", |_, _| false);
    if has_own_category(server) {
        check_rules(server, "~* +@quotelock", |_, _| true);
        check_rules(server, "~* +@all -@quotelock", |_, _| false);
    }
    if has_categories(server) {
        check_rules(server, "~* +@read", |name, _| reads(name));
        check_rules(server, "~* +@write", |name, _| !reads(name));
        check_rules(server, "~* +@all -@write", |name, _| reads(name));
        check_rules(server, "~* +@fast", |name, _| fast(name));
        check_rules(server, "~* +@all -@fast", |name, _| !fast(name));
        check_rules(server, "%R~* +@all -@write", |name, _| reads(name));
        // As XREAD: who may not wait may not call what can.
        check_rules(server, "~* +@blocking", |name, _| name == "vehprice.mget");
        check_rules(server, "~* +@all -@blocking", |name, _| name != "vehprice.mget");
    } else {
        // Without categories only a command's own name takes it from a user.
        check_rules(server, "~* +@all -@write", |_, _| true);
        check_rules(server, "~* +@read +@write +@fast +@slow", |_, _| false);
    }
}
