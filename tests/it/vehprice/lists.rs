//! Ids as one argument, `LIST`: read and claimed as the same ids behind `IDS`.

use super::*;

/// What may stand before the ids.
const FORMS: [&str; 8] = [
    "",
    "JSON",
    "FIELDS 2 b none",
    "FIELDS 2 b none JSON",
    "JSON RAW 1 a",
    "FIELDS 3 b a b COLUMNS",
    "COLUMNS FIELDS 1 none",
    "BLOCK 0 JSON",
];

fn call(command: &[&str], form: &str, ids: &[&[u8]]) -> Vec<Vec<u8>> {
    let form = if form.contains("FIELDS") || command[0].ends_with("MGET") {
        form.to_owned()
    } else {
        form.replace("BLOCK 0 ", "")
    };
    words(command, &form).into_iter().chain(ids.iter().map(|id| id.to_vec())).collect()
}

/// What CLAIM answers, `T` for its token; its claims are released.
#[track_caller]
fn claimed(con: &mut Connection, key: &str, words: &[Vec<u8>]) -> String {
    let answer = reply(con, words);
    let (_, rest) = answer.split_once("token\"").unwrap_or_else(|| panic!("{answer}"));
    let token: String = rest.trim_start_matches([',', ' ', ':', '"']).chars().take(32).collect();
    if !token.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return answer;
    }
    cmd(con, &["VEHPRICE.RELEASE", key, &token]);
    answer.replace(&token, "T")
}

/// Reads and claims by `IDS` and by `LIST`, in each form and protocol.
#[track_caller]
fn same_as_ids<T: AsRef<str>>(clients: &mut Clients, key: &str, ids: &[T], list: &str) {
    let by_ids: Vec<&[u8]> =
        [&b"IDS"[..]].into_iter().chain(ids.iter().map(|id| id.as_ref().as_bytes())).collect();
    let by_list = [&b"LIST"[..], list.as_bytes()];
    for form in FORMS {
        for con in [&mut clients.resp2, &mut clients.resp3] {
            let [expected, found] =
                [&by_ids[..], &by_list].map(|ids| reply(con, &call(&["VEHPRICE.MGET", key], form, ids)));
            assert!(found == expected, "MGET {form} LIST {list}:\n{found}\n{expected}");
            let claim = ["VEHPRICE.CLAIM", key, "PX", "600000", "LIMIT", "3"];
            let [expected, found] =
                [&by_ids[..], &by_list].map(|ids| claimed(con, key, &call(&claim, form, ids)));
            assert!(found == expected, "CLAIM {form} LIST {list}:\n{found}\n{expected}");
        }
    }
}

#[apply(each_server)]
fn a_list_is_any_json_of_strings_and_numbers(#[case] kind: Kind) {
    let long = "x".repeat(256);
    let digits = "1234567890".repeat(25) + "123456";
    // The list, and its ids.
    let cases: Vec<(String, Vec<&str>)> = vec![
        (r#"["1"]"#.into(), vec!["1"]),
        ("[1]".into(), vec!["1"]),
        (r#"[1,"2",3]"#.into(), vec!["1", "2", "3"]),
        (r#"["2",1,"1","2"]"#.into(), vec!["2", "1", "1", "2"]),
        (" [\n\t\"1\" ,\r 2\t]\n".into(), vec!["1", "2"]),
        (r#"["\u0031","2"]"#.into(), vec!["1", "2"]),
        (r#"["é","\u00e9","\u00E9"]"#.into(), vec!["é", "é", "é"]),
        (r#"["🚲","\ud83d\udeb2"]"#.into(), vec!["🚲", "🚲"]),
        (r#"["a b","a,b","[","]","{}"]"#.into(), vec!["a b", "a,b", "[", "]", "{}"]),
        (r#"["a\"b","a\\b","a\/b"]"#.into(), vec!["a\"b", "a\\b", "a/b"]),
        (r#"["\b\f\n\r\t","\u0000"]"#.into(), vec!["\u{8}\u{c}\n\r\t", "\0"]),
        ("[0,-0,1.50,-1.5e300,1E+5,1e-0]".into(), vec!["0", "-0", "1.50", "-1.5e300", "1E+5", "1e-0"]),
        (format!("[{digits}]"), vec![&digits]),
        (r#"["JSON","IDS","LIST","COLUMNS"]"#.into(), vec!["JSON", "IDS", "LIST", "COLUMNS"]),
        (r#"["null","true","1.0"]"#.into(), vec!["null", "true", "1.0"]),
        (format!("[\"{long}\"]"), vec![&long]),
        (format!("[{}]", escaped(&long)), vec![&long]),
    ];
    let server = &Server::start(kind);
    let clients = &mut Clients::of(server);
    for (list, ids) in &cases {
        // All there, then all but the first.
        cmd(&mut clients.resp2, "DEL t");
        for id in ids {
            cmd(&mut clients.resp2, &["VEHPRICE.SET", "t", id, "FIELDS", "2", "a", "[7]", "b", id]);
        }
        same_as_ids(clients, "t", ids, list);
        cmd(&mut clients.resp2, &["VEHPRICE.DEL", "t", ids[0]]);
        same_as_ids(clients, "t", ids, list);
        same_as_ids(clients, "absent", ids, list);
    }
    assert_eq!(int(&mut clients.resp2, "EXISTS absent"), 0);
}

#[apply(each_server)]
fn a_list_may_be_empty(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let clients = &mut Clients::of(server);
    cmd(&mut clients.resp2, "VEHPRICE.SET t 1 FIELDS 1 a x");
    for key in ["t", "absent"] {
        for list in ["[]", " [ ] "] {
            let mget = |form: &str| call(&["VEHPRICE.MGET", key], form, &[b"LIST", list.as_bytes()]);
            clients.check(&mget(""), "[]");
            clients.check(&mget("FIELDS 1 a"), "[]");
            clients.check_json(&mget("JSON"), "[]");
            clients.check_json(&mget("JSON BLOCK 0"), "[]");
            clients.check_json(&mget("FIELDS 2 a b JSON"), "[]");
            clients.check_json(&mget("FIELDS 2 a b COLUMNS"), r#"{"missing":[],"columns":[[],[]]}"#);
            let claim =
                |form: &str| call(&["VEHPRICE.CLAIM", key, "PX", "9"], form, &[b"LIST", list.as_bytes()]);
            clients.check(&claim(""), r#"{"token":null,"rows":[],"claimed":[],"pending":[]}"#);
            clients.check_json(&claim("JSON"), r#"{"token":null,"rows":[],"claimed":[],"pending":[]}"#);
            clients.check_json(
                &claim("FIELDS 1 a COLUMNS"),
                r#"{"token":null,"rows":{"missing":[],"columns":[[]]},"claimed":[],"pending":[]}"#,
            );
        }
    }
    assert_eq!(int(&mut clients.resp2, "EXISTS absent"), 0);
}

#[apply(each_server)]
fn random_lists_are_read_as_ids(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let clients = &mut Clients::of(server);
    let rng = &mut Rng::seeded(5);
    for _ in 0..15 {
        let rows = random_rows(rng, 60, true);
        cmd(&mut clients.resp2, "DEL t");
        cmd(&mut clients.resp2, &["VEHPRICE.MSET", "t", "JSON", &json_rows(&rows)]);
        // Some of them, some twice, and some that are not there.
        let ids: Vec<String> = (0..40)
            .map(|number| match rng.below(4) {
                0 => format!("none\n{number}"),
                _ => rows[rng.below(60) as usize].0.clone(),
            })
            .collect();
        let list: Vec<_> = ids.iter().map(|id| quoted_somehow(rng, id)).collect();
        same_as_ids(clients, "t", &ids, &format!("[{}]", list.join(", ")));
    }
}

#[apply(each_server)]
fn ten_thousand_ids_come_in_order(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let given: Vec<String> = (0..10_000).map(|id| format!("{id} {}", id * 7)).collect();
    cmd(con, &format!("VEHPRICE.MSET t FIELDS 1 price ROWS {}", given.join(" ")));
    let mut rng = Rng::seeded(9);
    let ids: Vec<u64> = (0..10_000).map(|_| rng.below(12_000)).collect();
    let row =
        |id: &u64| if *id < 10_000 { format!(r#"{{"price":"{}"}}"#, id * 7) } else { "null".to_owned() };
    let expected = format!("[{}]", ids.iter().map(row).collect::<Vec<_>>().join(","));
    let numbers = format!("[{}]", ids.iter().map(u64::to_string).collect::<Vec<_>>().join(","));
    let texts = id_list(&ids.iter().map(u64::to_string).collect::<Vec<_>>());
    // One that needs decoding makes the whole list be read otherwise.
    let escaped = texts.replacen("[\"", "[\"\\u006eone\",\"", 1);
    for list in [&numbers, &texts] {
        assert!(text(con, &["VEHPRICE.MGET", "t", "JSON", "LIST", list]) == expected);
    }
    let expected = expected.replacen('[', "[null,", 1);
    assert!(text(con, &["VEHPRICE.MGET", "t", "JSON", "LIST", &escaped]) == expected);
}

#[apply(each_server)]
fn a_list_is_read_in_transactions_scripts_and_by_any_case(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    cmd(con, "VEHPRICE.SET t 1 FIELDS 1 a x");
    assert_eq!(reply(con, "vehprice.mget t list [1,2]"), r#"[["a", "x"], nil]"#);
    assert_eq!(
        reply(con, "VEHPRICE.MGET t fields 1 a columns List [1,2]"),
        r#""{"missing":[1],"columns":[["x",null]]}""#
    );
    cmd(con, "MULTI");
    cmd(con, "VEHPRICE.MGET t JSON LIST [1,2]");
    cmd(con, "VEHPRICE.MGET t BLOCK 0 FIELDS 1 a COLUMNS LIST [2]");
    assert_eq!(reply(con, "EXEC"), r#"["[{"a":"x"},null]", "{"missing":[0],"columns":[[null]]}"]"#);
    let script = "return redis.call('VEHPRICE.MGET', KEYS[1], 'JSON', 'LIST', cjson.encode({'2', '1'}))";
    assert_eq!(text(con, &["EVAL_RO", script, "1", "t"]), r#"[null,{"a":"x"}]"#);
}
