//! Ids, field names and values: any text within the bounds, in every form of reply.

use super::*;

/// Texts that a form of reply could spoil.
fn texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "7",
        " ",
        "a b",
        "\"",
        "\\",
        "\\\"",
        "\\u0041",
        "'",
        "/",
        "<&>",
        "%s%n%x",
        "\0",
        "a\0b",
        "\r\n",
        "\t\u{8}\u{c}\u{1b}\u{1f}\u{7f}",
        "é",
        "Ā",
        "角色",
        "🚲🛴",
        "\u{80}\u{a0}\u{2028}\u{2029}\u{feff}\u{fffd}\u{ffff}\u{10ffff}",
        "{\"a\":[1,2,{\"b\":null}]}",
        "[",
        "null",
        "true",
        "-1.5e300",
        "9007199254740993",
        "00",
        "NaN",
        "{}",
        "$5\r\nhello\r\n",
        "*1\r\n",
    ]
    .map(str::to_owned)
    .to_vec();
    // Where a length takes another byte, and the longest id and name.
    texts.extend([127, 128, 255, 256].map(|length| "x".repeat(length)));
    texts.push("角".repeat(85));
    texts.push("\"".repeat(256));
    texts
}

#[apply(each_server)]
fn any_text_is_an_id_a_name_and_a_value(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let clients = &mut Clients::of(server);
    for text in &texts() {
        let quoted = serde_json::to_string(text).unwrap();
        cmd(&mut clients.resp2, "DEL t");
        let set = ["VEHPRICE.SET", "t", text, "FIELDS", "2", text, text, "other", "x"];
        assert_eq!(int(&mut clients.resp2, &set), 1, "{quoted}");
        let row = format!(r#"{{{quoted}:{quoted},"other":"x"}}"#);
        clients.check(&["VEHPRICE.GET", "t", text], &row);
        clients.check(&["VEHPRICE.GET", "t", text, "FIELDS", "1", text], &format!("[{quoted}]"));
        clients.check(&["VEHPRICE.MGET", "t", "IDS", text], &format!("[{row}]"));
        clients.check(&["VEHPRICE.GETALL", "t"], &format!("{{{quoted}:{row}}}"));
        clients.check(&["VEHPRICE.SCAN", "t", "0"], &format!(r#"["0",{{{quoted}:{row}}}]"#));
        let con = &mut clients.resp3;
        let all = parsed(&format!("{{{quoted}:{row}}}"));
        assert_eq!(json(con, &["VEHPRICE.GET", "t", text, "JSON"]), parsed(&row));
        assert_eq!(
            json(con, &["VEHPRICE.GET", "t", text, "FIELDS", "1", text, "JSON"]),
            parsed(&format!("{{{quoted}:{quoted}}}"))
        );
        assert_eq!(json(con, &["VEHPRICE.MGET", "t", "JSON", "IDS", text]), parsed(&format!("[{row}]")));
        assert_eq!(json(con, &["VEHPRICE.GETALL", "t", "JSON"]), all);
        assert_eq!(json(con, &["VEHPRICE.SCAN", "t", "0", "JSON"])["rows"], all);
        let verify = ["VEHPRICE.VERIFY", "t", text, text, text, "JSON"];
        assert_eq!(json(con, &verify)["verdict"], "Match", "{quoted}");
        assert_eq!(int(con, &["VEHPRICE.DEL", "t", text]), 1, "{quoted}");
    }
}

#[apply(each_server)]
fn values_may_be_empty_and_a_mebibyte_long(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let clients = &mut Clients::of(server);
    for length in [0, 1, 127, 128, 16_383, 16_384, 65_535, 65_536, 1 << 20] {
        for letter in ["v", "\"", "\u{1}"] {
            let value = letter.repeat(length);
            let set = ["VEHPRICE.SET", "t", "1", "FIELDS", "3", "a", "1", "long", &value, "b", "2"];
            assert_eq!(int(&mut clients.resp2, &set), 1);
            for con in [&mut clients.resp2, &mut clients.resp3] {
                assert!(
                    reply(con, "VEHPRICE.GET t 1 FIELDS 3 b long a") == format!(r#"["2", "{value}", "1"]"#)
                );
                let row = json(con, "VEHPRICE.GET t 1 JSON");
                assert!(row["long"] == value.as_str() && row["a"] == "1" && row["b"] == "2", "{length}");
            }
            let verify = ["VEHPRICE.VERIFY", "t", "1", "long", &value];
            assert!(reply(&mut clients.resp2, &verify).starts_with(r#"["verdict", "Match""#), "{length}");
            let other = value.get(1..).unwrap_or("x");
            let other = ["VEHPRICE.VERIFY", "t", "1", "long", other];
            assert!(reply(&mut clients.resp2, &other).starts_with(r#"["verdict", "Changed""#), "{length}");
        }
    }
}

#[apply(each_server)]
fn a_row_has_up_to_64_fields(#[case] kind: Kind) {
    let fields: Vec<[String; 2]> =
        (1..=64).map(|index| [format!("plan:{index}"), format!("v{index}")]).collect();
    let json: Vec<String> = fields.iter().map(|[name, value]| format!(r#""{name}":"{value}""#)).collect();
    let row = format!("{{{}}}", json.join(","));
    let names: Vec<&str> = fields.iter().map(|[name, _]| name.as_str()).collect();
    let values: Vec<String> = fields.iter().map(|[_, value]| format!("\"{value}\"")).collect();
    let server = &Server::start(kind);
    let clients = &mut Clients::of(server);
    let set = words(&["VEHPRICE.SET", "t", "1", "FIELDS", "64"], &fields.as_flattened().join(" "));
    assert_eq!(int(&mut clients.resp2, &set), 1);
    clients.check("VEHPRICE.GET t 1", &row);
    clients.check_json("VEHPRICE.GET t 1 JSON", &row);
    let get = words(&["VEHPRICE.GET", "t", "1", "FIELDS", "64"], &names.join(" "));
    clients.check(&get, &format!("[{}]", values.join(",")));
    // All of them again, and one by one onto none.
    assert_eq!(
        int(
            &mut clients.resp2,
            &words(
                &["VEHPRICE.SET", "t", "1", "MERGE"],
                &format!("FIELDS 64 {}", fields.as_flattened().join(" "))
            )
        ),
        1
    );
    clients.check_json("VEHPRICE.GET t 1 JSON", &row);
    for [name, value] in &fields {
        assert_eq!(
            int(&mut clients.resp2, &["VEHPRICE.SET", "t", "2", "MERGE", "FIELDS", "1", name, value]),
            1
        );
    }
    clients.check_json("VEHPRICE.GET t 2 JSON", &row);
    let too_many = error(&mut clients.resp2, "VEHPRICE.SET t 2 MERGE FIELDS 1 one-more x");
    assert_eq!(too_many, "ERR invalid row '2', with MERGE it would have more than 64 fields");
    clients.check_json("VEHPRICE.GET t 2 JSON", &row);
    // Only the last of an id's rows counts.
    let mset = |rows: &str| ["VEHPRICE.MSET", "t", "MERGE", "JSON", rows].map(str::to_owned);
    let first = fields[0][0].as_str();
    let given = format!(r#"{{"2":{{"one-more":"x"}},"2":{{"{first}":"y"}}}}"#);
    assert_eq!(int(&mut clients.resp2, &mset(&given)), 1);
    clients.check_json(&format!("VEHPRICE.GET t 2 FIELDS 1 {first} JSON"), &format!(r#"{{"{first}":"y"}}"#));
    let given = format!(r#"{{"2":{{"{first}":"y"}},"2":{{"one-more":"x"}}}}"#);
    assert_eq!(error(&mut clients.resp2, &mset(&given)), too_many);
}

#[apply(each_server)]
fn ids_may_read_like_words(#[case] kind: Kind) {
    const IDS: [&str; 14] = [
        "JSON", "json", "FIELDS", "fields", "IDS", "ids", "BLOCK", "NX", "ROWS", "RAW", "KEEPTTL", "MERGE",
        "0", "-1",
    ];
    let server = &Server::start(kind);
    let clients = &mut Clients::of(server);
    let rows_given = IDS.map(|id| format!("{id} of-{id}")).join(" ");
    let mset = format!("VEHPRICE.MSET t FIELDS 1 a ROWS {rows_given}");
    assert_eq!(int(&mut clients.resp2, &mset), 14);
    let row = |id: &str| format!(r#"{{"a":"of-{id}"}}"#);
    for id in IDS {
        assert_eq!(int(&mut clients.resp2, &format!("VEHPRICE.SET t {id} XX FIELDS 1 a of-{id}")), 1);
        clients.check(&format!("VEHPRICE.GET t {id}"), &row(id));
        clients.check_json(&format!("VEHPRICE.GET t {id} JSON"), &row(id));
        clients.check(&format!("VEHPRICE.MGET t IDS {id}"), &format!("[{}]", row(id)));
        clients.check(&["VEHPRICE.MGET", "t", "LIST", &format!("[\"{id}\"]")], &format!("[{}]", row(id)));
        let verify = format!(r#"{{"verdict":"Match","row":{}}}"#, row(id));
        clients.check(&format!("VEHPRICE.VERIFY t {id} a of-{id}"), &verify);
        clients.check_json(&format!("VEHPRICE.VERIFY t {id} a of-{id} JSON"), &verify);
        assert!(int_list(&mut clients.resp2, &format!("VEHPRICE.PTTL t {id}"))[0] > 0);
    }
    let all = format!("[{}]", IDS.map(row).join(","));
    clients.check(&format!("VEHPRICE.MGET t IDS {}", IDS.join(" ")), &all);
    clients.check_json(&format!("VEHPRICE.MGET t JSON IDS {}", IDS.join(" ")), &all);
    assert_eq!(int(&mut clients.resp2, &format!("VEHPRICE.DEL t {}", IDS.join(" "))), 14);
}
