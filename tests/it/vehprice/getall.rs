//! VEHPRICE.GETALL: every live row, in no order that is promised.

use super::*;

#[apply(each_server)]
fn answers_in_every_form(#[case] kind: Kind) {
    // The words; each row of the reply; each row of the reply with JSON.
    let cases = [
        (
            "",
            [("1", r#"{"a":"1","b":"2"}"#), ("2", r#"{"b":"3"}"#)],
            r#"{"1":{"a":"1","b":"2"},"2":{"b":"3"}}"#,
        ),
        ("FIELDS 1 b", [("1", r#"["2"]"#), ("2", r#"["3"]"#)], r#"{"1":{"b":"2"},"2":{"b":"3"}}"#),
        (
            "FIELDS 2 b a",
            [("1", r#"["2","1"]"#), ("2", r#"["3",null]"#)],
            r#"{"1":{"b":"2","a":"1"},"2":{"b":"3","a":null}}"#,
        ),
        ("FIELDS 1 none", [("1", "[null]"), ("2", "[null]")], r#"{"1":{"none":null},"2":{"none":null}}"#),
    ];
    let server = &Server::start(kind);
    let clients = &mut Clients::of(server);
    cmd(&mut clients.resp2, "VEHPRICE.SET t 1 FIELDS 2 a 1 b 2");
    cmd(&mut clients.resp2, "VEHPRICE.SET t 2 FIELDS 1 b 3");
    cmd(&mut clients.resp2, "VEHPRICE.SET t gone PX 1 FIELDS 1 b 4");
    rest(3);
    for (rest, native, with_json) in cases {
        let getall = |key: &str, rest: &str| words(&["VEHPRICE.GETALL", key], rest);
        for (con, resp3) in [(&mut clients.resp2, false), (&mut clients.resp3, true)] {
            let expected: BTreeMap<String, String> =
                native.iter().map(|(id, row)| (format!("\"{id}\""), as_shown(row, resp3))).collect();
            let answer = cmd(con, &getall("t", rest));
            assert_eq!(matches!(answer, Value::Map(_)), resp3);
            assert_eq!(pairs(&answer), expected, "{rest}");
            for words in [format!("{rest} JSON"), format!("json {rest}")] {
                assert_eq!(json(con, &getall("t", &words)), parsed(with_json), "{rest}");
            }
        }
        clients.check(&getall("absent", rest), "{}");
        clients.check_json(&getall("absent", &format!("{rest} JSON")), "{}");
    }
    assert_eq!(int(&mut clients.resp2, "EXISTS absent"), 0);
}

#[apply(each_server)]
fn gives_the_table_whatever_its_size(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let clients = &mut Clients::of(server);
    let mut held = BTreeMap::new();
    let mut rng = Rng::seeded(11);
    // It grows, and shrinks again.
    for step in 0..400 {
        for _ in 0..20 {
            let id = rng.below(2000).to_string();
            if step < 200 {
                cmd(&mut clients.resp2, &["VEHPRICE.SET", "t", &id, "FIELDS", "1", "a", &step.to_string()]);
                held.insert(id, step.to_string());
            } else {
                let deleted = int(&mut clients.resp2, &["VEHPRICE.DEL", "t", &id]);
                assert_eq!(deleted, i64::from(held.remove(&id).is_some()));
            }
        }
        if step % 20 == 0 {
            let expected =
                held.iter().map(|(id, a)| (format!("\"{id}\""), format!(r#"["a", "{a}"]"#))).collect();
            assert_eq!(pairs(&cmd(&mut clients.resp2, "VEHPRICE.GETALL t")), expected);
            let read = rows(&mut clients.resp3, "t");
            assert!(read.as_object().unwrap().iter().all(|(id, row)| row["a"] == held[id].as_str()));
            assert_eq!(read.as_object().unwrap().len(), held.len());
            assert_eq!(int(&mut clients.resp2, "VEHPRICE.LEN t"), held.len() as i64);
        }
    }
}
