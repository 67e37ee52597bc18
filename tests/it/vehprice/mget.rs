//! VEHPRICE.MGET: many rows in the order asked for.

use super::*;

#[apply(each_server)]
fn answers_in_every_form(#[case] kind: Kind) {
    // The words after the key without JSON and IDS; the ids; the reply; the reply with JSON.
    let cases = [
        ("", "1", r#"[{"a":"1","b":"2"}]"#, r#"[{"a":"1","b":"2"}]"#),
        ("", "2 x 1", r#"[{"b":"3"},null,{"a":"1","b":"2"}]"#, r#"[{"b":"3"},null,{"a":"1","b":"2"}]"#),
        ("", "1 1", r#"[{"a":"1","b":"2"},{"a":"1","b":"2"}]"#, r#"[{"a":"1","b":"2"},{"a":"1","b":"2"}]"#),
        ("", "x", "[null]", "[null]"),
        ("", "x y z", "[null,null,null]", "[null,null,null]"),
        ("", "gone 1", r#"[null,{"a":"1","b":"2"}]"#, r#"[null,{"a":"1","b":"2"}]"#),
        ("FIELDS 1 b", "1 2", r#"[["2"],["3"]]"#, r#"[{"b":"2"},{"b":"3"}]"#),
        (
            "FIELDS 2 b a",
            "1 x 2 gone",
            r#"[["2","1"],null,["3",null],null]"#,
            r#"[{"b":"2","a":"1"},null,{"b":"3","a":null},null]"#,
        ),
        ("FIELDS 1 none", "1 x", "[[null],null]", r#"[{"none":null},null]"#),
        ("FIELDS 2 IDS JSON", "1", "[[null,null]]", r#"[{"IDS":null,"JSON":null}]"#),
    ];
    let server = &Server::start(kind);
    let clients = &mut Clients::of(server);
    cmd(&mut clients.resp2, "VEHPRICE.SET t 1 FIELDS 2 a 1 b 2");
    cmd(&mut clients.resp2, "VEHPRICE.SET t 2 FIELDS 1 b 3");
    cmd(&mut clients.resp2, "VEHPRICE.SET t gone PX 1 FIELDS 1 a 1");
    rest(3);
    for (options, ids, native, json) in cases {
        let mget = |key: &str, options: &str| words(&["VEHPRICE.MGET", key], &format!("{options} IDS {ids}"));
        clients.check(&mget("t", options), native);
        clients.check_json(&mget("t", &format!("{options} JSON")), json);
        clients.check_json(&mget("t", &format!("json {options}")), json);
        if options.is_empty() {
            clients.check(&format!("VEHPRICE.MGET t {ids}"), native);
            clients.check(&format!("vehprice.mget t ids {ids}"), native);
        }
        let none = format!("[{}]", vec!["null"; ids.split(' ').count()].join(","));
        clients.check(&mget("absent", options), &none);
        clients.check_json(&mget("absent", &format!("{options} JSON")), &none);
    }
    assert_eq!(int(&mut clients.resp2, "EXISTS absent"), 0);
}

#[apply(each_server)]
fn reads_words_only_where_the_first_is_one(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let clients = &mut Clients::of(server);
    for id in ["JSON", "IDS", "FIELDS", "RAW", "COLUMNS", "LIST", "BLOCK", "1"] {
        cmd(&mut clients.resp2, &format!("VEHPRICE.SET t {id} FIELDS 1 a {id}"));
    }
    let row = |id: &str| format!(r#"{{"a":"{id}"}}"#);
    // Behind IDS nothing is a word; without it an id that reads like one is refused, as it is more likely a
    // mistake.
    for (ids, word) in [
        ("1 JSON", "JSON"),
        ("1 IDS 1", "IDS"),
        ("RAW 1", "RAW"),
        ("1 FIELDS 2", "FIELDS"),
        ("1 RAW 1 JSON IDS", "RAW"),
        ("1 2 LIST", "LIST"),
        ("1 COLUMNS", "COLUMNS"),
        ("1 BLOCK 0", "BLOCK"),
    ] {
        let found = |id: &str| if ["0", "2"].contains(&id) { "null".to_owned() } else { row(id) };
        let list = format!("[{}]", ids.split(' ').map(found).collect::<Vec<_>>().join(","));
        clients.check(&format!("VEHPRICE.MGET t IDS {ids}"), &list);
        clients.check_json(&format!("VEHPRICE.MGET t JSON IDS {ids}"), &list);
        let refused = format!(
            "-ERR syntax error, option '{word}' among the ids: pass options before IDS or LIST, or such an id after IDS"
        );
        assert_eq!(reply(&mut clients.resp2, &format!("VEHPRICE.MGET t {ids}")), refused);
    }
    // What only begins like a word, or is one of another command.
    clients.check("VEHPRICE.MGET t 1 JSONX IDS1 NX ROWS LISTS", r#"[{"a":"1"},null,null,null,null,null]"#);
}

#[apply(each_server)]
fn ten_thousand_rows_come_in_order(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let rows: Vec<String> = (0..10_000).map(|id| format!("{id} {}", id * 7)).collect();
    assert_eq!(int(con, &format!("VEHPRICE.MSET t FIELDS 1 price ROWS {}", rows.join(" "))), 10_000);
    let mut rng = Rng::seeded(3);
    let ids: Vec<u64> = (0..10_000).map(|_| rng.below(12_000)).collect();
    let asked: Vec<String> = ids.iter().map(u64::to_string).collect();
    let expected: Vec<String> = ids
        .iter()
        .map(|id| if *id < 10_000 { format!(r#"{{"price":"{}"}}"#, id * 7) } else { "null".to_owned() })
        .collect();
    let mget = format!("VEHPRICE.MGET t JSON IDS {}", asked.join(" "));
    assert!(text(con, &mget) == format!("[{}]", expected.join(",")));
    let mget = format!("VEHPRICE.MGET t {}", asked.join(" "));
    assert!(reply(con, &mget) == as_shown(&format!("[{}]", expected.join(",")), false));
}
