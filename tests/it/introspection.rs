//! What the server tells of the commands, and whom it lets call them.

use std::collections::BTreeMap;

use redis::Value;

use crate::harness::*;
use crate::priceplan::introspection::PRICEPLAN;
use crate::vehprice::introspection::VEHPRICE;

/// What a server is to tell of each command, written down a second time.
pub(crate) struct Expected {
    pub(crate) name: &'static str,
    pub(crate) arity: i64,
    pub(crate) flags: &'static str,
    pub(crate) key_flags: &'static str,
    /// The last argument that is a key, as `COMMAND INFO` counts.
    pub(crate) last_key: i64,
    pub(crate) categories: &'static str,
    pub(crate) complexity: &'static str,
    /// The arguments: `name:type`, a word before its value, `[…]` for what may be left out, `(…|…)` for a
    /// choice, `{…}` for what goes together, `…` after what may come again.
    pub(crate) grammar: &'static str,
}

const QUOTELOCK: [Expected; 4] = [
    Expected {
        name: "quotelock.set",
        arity: -4,
        flags: "write, denyoom, module, fast",
        key_flags: "OW, update",
        last_key: 1,
        categories: "@write, @fast",
        complexity: "O(N) where N is the number of role ids",
        grammar: "user:key roleIds:string queryTime:string [condition:(NX|XX)] \
                  [ttl:(EX seconds:integer|PX milliseconds:integer)] \
                  [buffer:(BUFFER seconds:integer|PBUFFER milliseconds:integer)] \
                  [LAG milliseconds:integer] [ALIGN seconds:integer]",
    },
    Expected {
        name: "quotelock.get",
        arity: -2,
        flags: "readonly, module, fast",
        key_flags: "RO, access",
        last_key: 1,
        categories: "@read, @fast",
        complexity: "O(N) where N is the number of role ids",
        grammar: "user:key [AT time:string] [JSON]",
    },
    Expected {
        name: "quotelock.acquire",
        arity: -4,
        flags: "write, denyoom, module, fast",
        key_flags: "RW, access, update",
        last_key: 1,
        categories: "@write, @fast",
        complexity: "O(N) where N is the number of role ids",
        grammar: "user:key roleIds:string queryTime:string [IFMISSING] \
                  [ttl:(EX seconds:integer|PX milliseconds:integer)] \
                  [buffer:(BUFFER seconds:integer|PBUFFER milliseconds:integer)] \
                  [LAG milliseconds:integer] [ALIGN seconds:integer] [JSON]",
    },
    Expected {
        name: "quotelock.del",
        arity: -2,
        flags: "write, module, fast",
        key_flags: "RW, access, delete",
        last_key: 1,
        categories: "@write, @fast",
        complexity: "O(1), with IFEQ O(N) where N is the number of role ids",
        grammar: "user:key [IFEQ queryTime:string]",
    },
];

/// The commands of all families.
fn commands() -> impl Iterator<Item = &'static Expected> {
    QUOTELOCK.iter().chain(&VEHPRICE).chain(&PRICEPLAN)
}

/// Redis 7.0 gives the commands of modules no categories.
pub(crate) fn has_categories(server: &Server) -> bool {
    server.kind().version() >= (7, 2)
}

/// Redis 7.2 lets modules add none of their own.
pub(crate) fn has_own_category(server: &Server) -> bool {
    server.kind().version() >= (7, 4)
}

/// On Redis 7.4 and Valkey 8.0 `ACL CAT` lists none of a module's category.
fn lists_own_category(server: &Server) -> bool {
    server.kind().version() > if server.kind().is_valkey() { (8, 0) } else { (7, 4) }
}

#[apply(each_server)]
fn command_info_tells_arity_flags_keys_and_categories(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for Expected { name, arity, flags, key_flags, last_key, categories, .. } in commands() {
        let categories = match (has_categories(server), has_own_category(server)) {
            (_, true) => format!("{categories}, @quotelock"),
            (true, false) => (*categories).to_owned(),
            (false, false) => String::new(),
        };
        // A key spec counts from its first key, or from the end.
        let last = if *last_key < 0 { *last_key } else { last_key - 1 };
        let key_spec = format!(
            r#"["flags", [{key_flags}], "begin_search", ["type", "index", "spec", ["index", 1]], "find_keys", ["type", "range", "spec", ["lastkey", {last}, "keystep", 1, "limit", 0]]]"#
        );
        let expected = format!(
            r#"[["{name}", {arity}, [{flags}], 1, {last_key}, 1, [{categories}], [], [{key_spec}], []]]"#
        );
        assert_eq!(reply(con, &["COMMAND", "INFO", name]), expected);
    }
    let names: Vec<_> = commands().map(|command| command.name.to_owned()).collect();
    assert_eq!(names_of(&cmd(con, "COMMAND LIST FILTERBY MODULE quotelock")), sorted(names.clone()));
    if has_own_category(server) {
        assert_eq!(names_of(&cmd(con, "COMMAND LIST FILTERBY ACLCAT quotelock")), sorted(names.clone()));
        let listed = if lists_own_category(server) { sorted(names) } else { Vec::new() };
        assert_eq!(names_of(&cmd(con, "ACL CAT quotelock")), listed);
    }
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

pub(crate) fn names_of(value: &Value) -> Vec<String> {
    let Value::Array(names) = value else { panic!("no array: {}", show(value)) };
    sorted(names.iter().map(|name| show(name).trim_matches('"').to_owned()).collect())
}

/// The members of a RESP3 map or a RESP2 array of names and values.
pub(crate) fn members(value: &Value) -> BTreeMap<String, Value> {
    let name = |value: &Value| show(value).trim_matches('"').to_owned();
    match value {
        Value::Map(pairs) => pairs.iter().map(|(key, value)| (name(key), value.clone())).collect(),
        Value::Array(values) => values.chunks(2).map(|pair| (name(&pair[0]), pair[1].clone())).collect(),
        other => panic!("no members: {}", show(other)),
    }
}

pub(crate) fn member(members: &BTreeMap<String, Value>, name: &str) -> Option<String> {
    members.get(name).map(|value| show(value).trim_matches('"').to_owned())
}

/// Arguments as the grammar of `Expected`. Each has a summary, but for a choice and a block.
fn grammar(arguments: &Value) -> Vec<String> {
    let Value::Array(arguments) = arguments else { panic!("no arguments: {}", show(arguments)) };
    let argument = |argument: &Value| {
        let members = members(argument);
        let name = member(&members, "name").unwrap();
        let kind = member(&members, "type").unwrap();
        let parts = |between: &str| grammar(&members["arguments"]).join(between);
        let text = match (kind.as_str(), member(&members, "token")) {
            ("oneof", None) => format!("{name}:({})", parts("|")),
            ("block", None) => format!("{name}:{{{}}}", parts(" ")),
            ("block", Some(token)) => format!("{token} {name}:{{{}}}", parts(" ")),
            ("pure-token", Some(token)) => token,
            (_, Some(token)) => format!("{token} {name}:{kind}"),
            (_, None) => format!("{name}:{kind}"),
        };
        let is_key = kind == "key";
        assert_eq!(member(&members, "key_spec_index"), is_key.then(|| "0".to_owned()), "{name}");
        assert!(
            kind == "oneof"
                || kind == "block"
                || member(&members, "summary").is_some_and(|summary| !summary.is_empty()),
            "{name}"
        );
        let flags = member(&members, "flags").unwrap_or_default();
        let text = if flags.contains("multiple") { format!("{text}…") } else { text };
        if flags.contains("optional") { format!("[{text}]") } else { text }
    };
    arguments.iter().map(argument).collect()
}

#[apply(each_server)]
fn command_docs_tell_the_grammar(#[case] kind: Kind) {
    let server = &Server::start(kind);
    for mut con in [server.connection(), server.connection_resp3()] {
        for Expected { name, grammar: expected, complexity, .. } in commands() {
            let docs = members(&members(&cmd(&mut con, &["COMMAND", "DOCS", name]))[*name]);
            assert_eq!(grammar(&docs["arguments"]).join(" "), *expected, "{name}");
            assert_eq!(member(&docs, "since").unwrap(), "0.1.0");
            assert_eq!(member(&docs, "group").unwrap(), "module");
            assert_eq!(member(&docs, "module").unwrap(), "quotelock");
            assert_eq!(member(&docs, "complexity").unwrap(), *complexity, "{name}");
            let summary = member(&docs, "summary").unwrap();
            assert!((20..=120).contains(&summary.len()) && !summary.contains('\n'), "{name}: {summary}");
        }
    }
}

#[apply(each_server)]
fn command_getkeys_finds_the_one_key(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for Expected { name, arity, key_flags, .. } in QUOTELOCK {
        for key in ["user:1", "", "JSON", "\u{100} %s%n"] {
            let mut words = vec![name, key];
            if arity == -4 {
                words.extend(["3,7", "*", "EX", "9"]);
            }
            let (getkeys, with_flags) = (["COMMAND", "GETKEYS"], ["COMMAND", "GETKEYSANDFLAGS"]);
            assert_eq!(reply(con, &[&getkeys, words.as_slice()].concat()), format!(r#"["{key}"]"#));
            let expected = format!(r#"[["{key}", [{key_flags}]]]"#);
            assert_eq!(reply(con, &[&with_flags, words.as_slice()].concat()), expected);
        }
    }
    let too_few = error(con, "COMMAND GETKEYS quotelock.set user:1 3");
    assert_eq!(too_few, "ERR Invalid number of arguments specified for command");
}

const CALLS: [&str; 4] = [
    "QUOTELOCK.SET user:1 3 *",
    "QUOTELOCK.GET user:1",
    "QUOTELOCK.ACQUIRE user:1 3 *",
    "QUOTELOCK.DEL user:1",
];

#[apply(each_server)]
fn users_may_call_what_their_rules_say(#[case] kind: Kind) {
    const FOUR: &str = "+quotelock.set +quotelock.get +quotelock.acquire +quotelock.del";
    let on = |keys: &str| format!("{keys} {FOUR}");
    // The rules; whether the user may SET, GET, ACQUIRE and DEL.
    let everywhere = [
        (on("~*"), [true, true, true, true]),
        (on("~user:*"), [true, true, true, true]),
        (on("~other:*"), [false, false, false, false]),
        (on("%R~user:*"), [false, true, false, false]),
        (on("%W~user:*"), [true, false, false, false]),
        (on("%RW~user:*"), [true, true, true, true]),
        (on("%R~user:* %W~other:*"), [false, true, false, false]),
        (on("%R~user:* %W~user:1"), [true, true, false, false]),
        ("~* +quotelock.get".to_owned(), [false, true, false, false]),
        ("~* +quotelock.acquire +quotelock.get".to_owned(), [false, true, true, false]),
        ("~* +@all -quotelock.del".to_owned(), [true, true, true, false]),
        ("~* -@all".to_owned(), [false, false, false, false]),
    ];
    let by_own_category = [
        ("~* +@quotelock".to_owned(), [true, true, true, true]),
        ("~* +@all -@quotelock".to_owned(), [false, false, false, false]),
    ];
    let by_category = [
        ("~* +@all -@write".to_owned(), [false, true, false, false]),
        ("~* +@read".to_owned(), [false, true, false, false]),
        ("~* +@write".to_owned(), [true, false, true, true]),
        ("~* +@fast".to_owned(), [true, true, true, true]),
        ("~* +@all -@fast".to_owned(), [false, false, false, false]),
    ];
    // Without categories only a command's own name takes it from a user.
    let without_categories = [
        ("~* +@all -@write".to_owned(), [true, true, true, true]),
        ("~* +@read +@write +@fast".to_owned(), [false, false, false, false]),
    ];
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let own = if has_own_category(server) { by_own_category.as_slice() } else { &[] };
    let rest = if has_categories(server) { by_category.as_slice() } else { &without_categories };
    for (rules, allowed) in everywhere.iter().chain(own).chain(rest) {
        let setuser = format!("ACL SETUSER pod reset on >secret {rules}");
        assert_eq!(reply(con, &setuser), "OK", "{rules}");
        let pod = &mut server.connection_of("pod", "secret");
        for (words, allowed) in CALLS.into_iter().zip(allowed) {
            cmd(con, "QUOTELOCK.SET user:1 1 *");
            let before = keyspace(con);
            match try_cmd(pod, words) {
                Ok(_) => assert!(allowed, "{words} with {rules}"),
                Err(error) => {
                    assert!(error.starts_with("NOPERM "), "{words} with {rules}: {error}");
                    assert!(!allowed, "{words} with {rules}: {error}");
                    assert_eq!(keyspace(con), before);
                }
            }
        }
    }
    // In a script too.
    cmd(con, "ACL SETUSER pod reset on >secret ~user:* +eval +quotelock.get");
    let pod = &mut server.connection_of("pod", "secret");
    for (call, allowed) in [
        ("'quotelock.get','user:1'", true),
        ("'quotelock.get','other:1'", false),
        ("'quotelock.del','user:1'", false),
    ] {
        let script = format!("return redis.call({call})");
        assert_eq!(try_cmd(pod, &["EVAL", &script, "0"]).is_ok(), allowed, "{call}");
    }
}
