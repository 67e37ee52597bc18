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
    for id in ["JSON", "IDS", "FIELDS", "RAW", "1"] {
        cmd(&mut clients.resp2, &format!("VEHPRICE.SET t {id} FIELDS 1 a {id}"));
    }
    let row = |id: &str| format!(r#"{{"a":"{id}"}}"#);
    // RAW is no such word: it opens a list of ids.
    for ids in ["1 JSON", "1 IDS 1", "RAW 1", "1 FIELDS 2", "1 RAW 1 JSON IDS"] {
        let list: Vec<String> =
            ids.split(' ').map(|id| if id == "2" { "null".to_owned() } else { row(id) }).collect();
        let list = format!("[{}]", list.join(","));
        clients.check(&format!("VEHPRICE.MGET t {ids}"), &list);
        clients.check(&format!("VEHPRICE.MGET t IDS {ids}"), &list);
        clients.check_json(&format!("VEHPRICE.MGET t JSON IDS {ids}"), &list);
    }
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
