//! The users that the docs propose, as servers take them.

use std::fs;

use redis::Connection;

use crate::harness::*;

/// The users, what each may call, and what it may not: it needs another right, or has another key.
const USERS: [(&str, &[&str], &[&str]); 7] = [
    (
        "reserving",
        &[
            "QUOTELOCK.GET hermes:LockedQuoteInfo:42",
            "VEHPRICE.GET hermes:prices:{x}:3 1",
            "VEHPRICE.VERIFY hermes:prices:{x}:3 1 a x",
            "PING",
        ],
        &[
            "QUOTELOCK.ACQUIRE hermes:LockedQuoteInfo:42 3 *",
            "QUOTELOCK.GET other:42",
            "VEHPRICE.SET hermes:prices:{x}:3 1 FIELDS 1 a x",
            "GET hermes:LockedQuoteInfo:42",
        ],
    ),
    (
        "map",
        &[
            "QUOTELOCK.ACQUIRE hermes:LockedQuoteInfo:42 3 *",
            "VEHPRICE.CLAIM hermes:prices:{x}:3 PX 1000 IDS 1",
            "VEHPRICE.RELEASE hermes:prices:{x}:3 00000000000000000000000000000000",
            "VEHPRICE.MSET hermes:prices:{x}:3 FIELDS 1 a ROWS 1 x",
            "VEHPRICE.MGET hermes:prices:{x}:3 JSON BLOCK 1000 IDS 1",
            "VEHPRICE.CHANGES hermes:prices:{x}:3 0",
        ],
        &[
            "QUOTELOCK.SET hermes:LockedQuoteInfo:42 3 *",
            "QUOTELOCK.DEL hermes:LockedQuoteInfo:42",
            "VEHPRICE.DEL hermes:prices:{x}:3 1",
            "VEHPRICE.CLEAR hermes:prices:{x}:3",
            "VEHPRICE.MGET other 1",
            "GET hermes:LockedQuoteInfo:42",
            "SET hermes:LockedQuoteInfo:42 x",
            "DEL hermes:LockedQuoteInfo:42",
        ],
    ),
    (
        "filling",
        &[
            "VEHPRICE.CLAIM hermes:tags:{x}:3 PX 1000 IDS 1",
            "VEHPRICE.SET hermes:tags:{x}:3 1 FIELDS 1 a x",
            "VEHPRICE.MSET hermes:rules:{x}:3 FIELDS 1 a ROWS 1 x",
            "VEHPRICE.MGET hermes:rules:{x}:3 1",
            "VEHPRICE.CHANGES hermes:rules:{x}:3 0",
        ],
        &[
            "VEHPRICE.CLEAR hermes:tags:{x}:3",
            "VEHPRICE.MGET hermes:prices:{x}:3 1",
            "QUOTELOCK.GET hermes:LockedQuoteInfo:42",
        ],
    ),
    (
        "reading",
        &[
            "VEHPRICE.MGET hermes:rules:{x}:3 1",
            "VEHPRICE.GET hermes:tags:{x}:3 1",
            "VEHPRICE.VERIFY hermes:tags:{x}:3 1 a x",
        ],
        &[
            "VEHPRICE.MSET hermes:rules:{x}:3 FIELDS 1 a ROWS 1 x",
            "VEHPRICE.CLAIM hermes:tags:{x}:3 PX 1000 IDS 1",
        ],
    ),
    (
        "pricing",
        &["PRICEPLAN.TAG hermes:pricingReleaseToggle 571", "PRICEPLAN.ROUTE hermes:pricingReleaseToggle 571"],
        &["SET hermes:pricingReleaseToggle 3", "GET hermes:pricingReleaseToggle", "PRICEPLAN.TAG other 571"],
    ),
    (
        "releasing",
        &["SET hermes:pricingReleaseToggle 3", "GET hermes:pricingReleaseToggle"],
        &["PRICEPLAN.TAG hermes:pricingReleaseToggle 571", "SET other 3"],
    ),
    (
        "monitoring",
        &[
            "INFO ALL",
            "PING",
            "CONFIG GET maxmemory",
            "CLIENT SETNAME exporter",
            "LATENCY LATEST",
            "LATENCY HISTOGRAM",
            "SLOWLOG LEN",
            "SLOWLOG GET 1",
            "EVAL return 0",
        ],
        &[
            "QUOTELOCK.GET hermes:LockedQuoteInfo:42",
            "CONFIG SET maxmemory 1",
            "KEYS *",
            "CLIENT LIST",
            "ACL LIST",
        ],
    ),
];

#[apply(each_server)]
fn users_of_the_docs_may_do_what_they_are_for(#[case] kind: Kind) {
    let page = fs::read_to_string(workspace().join("docs/reference/access.md")).unwrap();
    let lines: Vec<&str> =
        page.lines().filter(|line| line.starts_with("user ") && line.contains(" reset ")).collect();
    assert_eq!(lines.len(), USERS.len(), "{lines:?}");
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for line in &lines {
        cmd(con, &format!("ACL SETUSER {}", line.strip_prefix("user ").unwrap()));
    }
    for (user, may, may_not) in USERS {
        let their = &mut server.connection();
        cmd(their, &["AUTH", user, &format!("secret-of-{user}")]);
        for words in may {
            may_call(their, words);
        }
        for words in may_not {
            assert!(error(their, *words).starts_with("NOPERM"), "{user}: {words}");
        }
    }
}

#[track_caller]
fn may_call(con: &mut Connection, words: &str) {
    if let Err(error) = try_cmd(con, words) {
        panic!("{words}: {error}");
    }
}
