//! What the server tells of the two commands, and whom it lets call them.

use super::*;
use crate::introspection::{Expected, has_categories, has_own_category};

const COMPLEXITY: &str = "O(N) where N is the number of ids";

const fn expected(name: &'static str) -> Expected {
    Expected {
        name,
        arity: -3,
        flags: "readonly, module",
        key_flags: "RO, access",
        last_key: 1,
        categories: "@read, @slow",
        complexity: COMPLEXITY,
        grammar: "toggle:key id:string…",
    }
}

pub(crate) const PRICEPLAN: [Expected; 2] = [expected("priceplan.tag"), expected("priceplan.route")];

#[apply(each_server)]
fn the_toggle_is_the_one_key(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for Expected { name, key_flags, .. } in PRICEPLAN {
        assert_eq!(reply(con, &["COMMAND", "GETKEYS", name, "toggle", "a", "b"]), r#"["toggle"]"#);
        let with_flags = reply(con, &["COMMAND", "GETKEYSANDFLAGS", name, "toggle", "a", "b"]);
        assert_eq!(with_flags, format!(r#"[["toggle", [{key_flags}]]]"#));
    }
}

#[apply(each_server)]
fn users_may_call_what_their_rules_say(#[case] kind: Kind) {
    const BOTH: &str = "+priceplan.tag +priceplan.route";
    // The rules; whether the user may TAG and ROUTE.
    let everywhere = [
        (format!("~* {BOTH}"), [true, true]),
        (format!("~toggle {BOTH}"), [true, true]),
        (format!("~571 {BOTH}"), [false, false]),
        (format!("%R~toggle {BOTH}"), [true, true]),
        (format!("%W~toggle {BOTH}"), [false, false]),
        ("~* +priceplan.route".to_owned(), [false, true]),
        ("~* +@all -priceplan.route".to_owned(), [true, false]),
        ("~* -@all".to_owned(), [false, false]),
    ];
    let by_own_category = [("%R~* +@quotelock", [true, true]), ("~* +@all -@quotelock", [false, false])];
    let by_category =
        [("%R~* +@read", [true, true]), ("~* +@write", [false, false]), ("~* +@all -@slow", [false, false])];
    let server = &Server::start(kind);
    let con = &mut server.connection();
    cmd(con, "SET toggle 3");
    let mut rules: Vec<(&str, [bool; 2])> =
        everywhere.iter().map(|(rules, allowed)| (rules.as_str(), *allowed)).collect();
    if has_own_category(server) {
        rules.extend(by_own_category);
    }
    if has_categories(server) {
        rules.extend(by_category);
    }
    for (rules, allowed) in rules {
        cmd(con, &format!("ACL SETUSER pod reset on >secret {rules}"));
        let pod = &mut server.connection_of("pod", "secret");
        for (Expected { name, .. }, allowed) in PRICEPLAN.iter().zip(allowed) {
            match try_cmd(pod, &[name, "toggle", "571"]) {
                Ok(_) => assert!(allowed, "{name} with {rules}"),
                Err(error) => {
                    assert!(error.starts_with("NOPERM "), "{name} with {rules}: {error}");
                    assert!(!allowed, "{name} with {rules}: {error}");
                }
            }
        }
    }
}
