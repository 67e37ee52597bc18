//! VEHPRICE.GET: one row, or fields of it, in every form.

use super::*;

#[apply(each_server)]
fn answers_in_every_form(#[case] kind: Kind) {
    // The words after the key; the reply; the reply with JSON.
    let cases = [
        ("1", r#"{"styleId":"17","pricingId":"571"}"#, r#"{"styleId":"17","pricingId":"571"}"#),
        ("1 FIELDS 1 styleId", r#"["17"]"#, r#"{"styleId":"17"}"#),
        ("1 fields 2 pricingId styleId", r#"["571","17"]"#, r#"{"pricingId":"571","styleId":"17"}"#),
        ("1 FIELDS 1 none", "[null]", r#"{"none":null}"#),
        ("1 FIELDS 3 a styleId b", r#"[null,"17",null]"#, r#"{"a":null,"styleId":"17","b":null}"#),
        ("1 FIELDS 1 JSON", "[null]", r#"{"JSON":null}"#),
        ("1 FIELDS 1 STYLEID", "[null]", r#"{"STYLEID":null}"#),
        ("2", r#"{"a":""}"#, r#"{"a":""}"#),
        ("2 FIELDS 2 a b", r#"["",null]"#, r#"{"a":"","b":null}"#),
        ("3", "null", "null"),
        ("3 FIELDS 2 a b", "null", "null"),
        ("4", "null", "null"),
        ("4 FIELDS 1 a", "null", "null"),
        ("01", "null", "null"),
    ];
    let server = &Server::start(kind);
    let clients = &mut Clients::of(server);
    cmd(&mut clients.resp2, "VEHPRICE.SET t 1 FIELDS 2 styleId 17 pricingId 571");
    cmd(&mut clients.resp2, &["VEHPRICE.SET", "t", "2", "FIELDS", "1", "a", ""]);
    cmd(&mut clients.resp2, "VEHPRICE.SET t 4 PX 1 FIELDS 1 a 1");
    rest(3);
    for (rest, native, json) in cases {
        clients.check(&format!("VEHPRICE.GET t {rest}"), native);
        clients.check_json(&format!("VEHPRICE.GET t {rest} JSON"), json);
        let id = &rest[..rest.find(' ').unwrap_or(rest.len())];
        clients.check_json(&format!("vehprice.get t {id} json{}", &rest[id.len()..]), json);
        clients.check(&format!("VEHPRICE.GET absent {rest}"), "null");
        clients.check_json(&format!("VEHPRICE.GET absent {rest} JSON"), "null");
    }
    assert_eq!(int(&mut clients.resp2, "EXISTS absent"), 0);
}

#[apply(each_server)]
fn fields_that_repeat_are_answered_each_time(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let clients = &mut Clients::of(server);
    cmd(&mut clients.resp2, "VEHPRICE.SET t 1 FIELDS 2 a 1 b 2");
    clients.check("VEHPRICE.GET t 1 FIELDS 4 a b a c", r#"["1","2","1",null]"#);
    clients.check("VEHPRICE.MGET t FIELDS 3 a a a IDS 1 2", r#"[["1","1","1"],null]"#);
}

#[apply(each_server)]
fn raw_embeds_fields_as_the_json_they_hold(#[case] kind: Kind) {
    // A value; what it is in JSON with RAW.
    let cases = [
        ("17", "17"),
        ("-0.5e3", "-0.5e3"),
        ("9007199254740993", "9007199254740993"),
        ("true", "true"),
        ("null", "null"),
        (r#""text""#, r#""text""#),
        (r#""\u0041\n""#, r#""\u0041\n""#),
        ("[]", "[]"),
        ("{}", "{}"),
        (r#"{"EUR":1.50,"list":[1,null,{"a":"角"}]}"#, r#"{"EUR":1.50,"list":[1,null,{"a":"角"}]}"#),
        (r#"{"a":1,"a":2}"#, r#"{"a":1,"a":2}"#),
        // What is no JSON stays a string.
        ("", r#""""#),
        ("text", r#""text""#),
        ("01", r#""01""#),
        ("+1", r#""+1""#),
        ("1.", r#""1.""#),
        ("0x10", r#""0x10""#),
        ("NaN", r#""NaN""#),
        ("Infinity", r#""Infinity""#),
        ("True", r#""True""#),
        ("undefined", r#""undefined""#),
        ("{", r#""{""#),
        ("[1,]", r#""[1,]""#),
        ("[1 2]", r#""[1 2]""#),
        ("{a:1}", r#""{a:1}""#),
        ("{'a':1}", r#""{'a':1}""#),
        ("1,2", r#""1,2""#),
        ("1}", r#""1}""#),
        ("{}{}", r#""{}{}""#),
        (r#""open"#, r#""\"open""#),
        (r#"1,"injected":2"#, r#""1,\"injected\":2""#),
        ("\"\n\"", r#""\"\n\"""#),
        ("1\0", r#""1\u0000""#),
        ("\u{feff}1", "\"\u{feff}1\""),
    ];
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for (value, embedded) in cases {
        cmd(con, &["VEHPRICE.SET", "t", "1", "FIELDS", "2", "raw", value, "plain", value]);
        let plain = serde_json::to_string(value).unwrap();
        let row = format!(r#"{{"raw":{embedded},"plain":{plain}}}"#);
        for rest in ["JSON RAW 1 raw", "RAW 1 raw JSON", "json raw 2 none raw", "RAW 2 raw raw JSON"] {
            let answer = text(con, &format!("VEHPRICE.GET t 1 {rest}"));
            assert_same_json(&answer, &row);
        }
        let only = format!(r#"{{"none":null,"raw":{embedded}}}"#);
        for rest in ["FIELDS 2 none raw JSON RAW 1 raw", "RAW 2 plain raw JSON FIELDS 2 none raw"] {
            assert_same_json(&text(con, &format!("VEHPRICE.GET t 1 {rest}")), &only);
        }
        let mget = text(con, "VEHPRICE.MGET t JSON RAW 1 raw IDS 1 2");
        assert_same_json(&mget, &format!("[{row},null]"));
        let getall = text(con, "VEHPRICE.GETALL t JSON RAW 1 raw");
        assert_same_json(&getall, &format!(r#"{{"1":{row}}}"#));
        let both = format!(r#"{{"raw":{embedded},"plain":{embedded}}}"#);
        assert_same_json(&text(con, "VEHPRICE.GET t 1 JSON RAW 2 plain raw"), &both);
    }
}

/// The same but for how a string writes its escapes: both are JSON, of the same value, and end alike.
#[track_caller]
fn assert_same_json(answer: &str, expected: &str) {
    let value = |text: &str| {
        serde_json::from_str::<serde_json::Value>(text).map_err(|error| format!("{error}: {text}"))
    };
    assert_eq!(value(answer), value(expected));
    // What is embedded is embedded byte for byte, numbers with all their digits.
    if !expected.contains("\\u") {
        assert_eq!(answer, expected);
    }
}

#[apply(each_server)]
fn raw_embeds_what_is_nested_without_end(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for depth in [1, 100, 1000, 100_000] {
        for value in [
            format!("{}{}", "[".repeat(depth), "]".repeat(depth)),
            "[".repeat(depth),
            "{\"a\":".repeat(depth),
        ] {
            cmd(con, &["VEHPRICE.SET", "t", "1", "FIELDS", "1", "raw", &value]);
            let answer = text(con, "VEHPRICE.GET t 1 JSON RAW 1 raw");
            let closed = value.ends_with(']');
            let string = format!(r#"{{"raw":{}}}"#, serde_json::to_string(&value).unwrap());
            // Deeper than most parsers go it may be embedded or stay a string; what isn't closed stays one.
            let embedded = closed && answer == format!(r#"{{"raw":{value}}}"#);
            assert!(
                embedded || ((!closed || depth > 100) && answer == string),
                "{depth}: {}…",
                &answer[..20]
            );
        }
    }
    assert_eq!(reply(con, "PING"), "PONG");
}
