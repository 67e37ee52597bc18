//! VEHPRICE.SET: the row it stores, and when it does not.

use super::*;

#[apply(each_server)]
fn stores_the_row_that_is_given(#[case] kind: Kind) {
    // The words after the id; the row.
    let cases = [
        ("FIELDS 1 styleId 17", r#"{"styleId":"17"}"#),
        ("FIELDS 2 styleId 17 pricingId 571", r#"{"styleId":"17","pricingId":"571"}"#),
        ("FIELDS 2 pricingId 571 styleId 17", r#"{"pricingId":"571","styleId":"17"}"#),
        ("FIELDS 3 c 1 a 2 b 3", r#"{"c":"1","a":"2","b":"3"}"#),
        ("fields 1 styleId 17", r#"{"styleId":"17"}"#),
        ("EX 100 FIELDS 1 styleId 17", r#"{"styleId":"17"}"#),
        ("MERGE FIELDS 1 styleId 17", r#"{"styleId":"17"}"#),
        ("NX MERGE PX 100000 FIELDS 1 styleId 17", r#"{"styleId":"17"}"#),
        ("pxat 9999999999999 nx merge fields 1 styleId 17", r#"{"styleId":"17"}"#),
        ("KEEPTTL NX FIELDS 1 styleId 17", r#"{"styleId":"17"}"#),
        // Fields and values that read like words.
        ("FIELDS 1 FIELDS 1", r#"{"FIELDS":"1"}"#),
        ("FIELDS 3 NX XX JSON EX PX 0", r#"{"NX":"XX","JSON":"EX","PX":"0"}"#),
        ("NX FIELDS 2 ROWS IDS FIELDS FIELDS", r#"{"ROWS":"IDS","FIELDS":"FIELDS"}"#),
        // Names that begin alike, and that differ in case.
        ("FIELDS 4 a 1 aa 2 A 3 plan:571 4", r#"{"a":"1","aa":"2","A":"3","plan:571":"4"}"#),
    ];
    let server = &Server::start(kind);
    let clients = &mut Clients::of(server);
    for (rest, row) in cases {
        for name in ["VEHPRICE.SET", "vehprice.set"] {
            cmd(&mut clients.resp2, "DEL t");
            assert_eq!(int(&mut clients.resp2, &format!("{name} t 1 {rest}")), 1, "{rest}");
            clients.check("VEHPRICE.GET t 1", row);
            clients.check_json("VEHPRICE.GET t 1 JSON", row);
            assert_eq!(int(&mut clients.resp2, "VEHPRICE.LEN t"), 1);
        }
    }
}

#[apply(each_server)]
fn replaces_the_whole_row_and_no_other(#[case] kind: Kind) {
    // Commands in one session; the row of vehicle 1 after each.
    let story = [
        ("VEHPRICE.SET t 1 FIELDS 2 a 1 b 2", r#"{"a":"1","b":"2"}"#),
        ("VEHPRICE.SET t 1 FIELDS 1 b 3", r#"{"b":"3"}"#),
        ("VEHPRICE.SET t 1 FIELDS 2 a 4 b 5", r#"{"a":"4","b":"5"}"#),
        ("VEHPRICE.SET t 1 FIELDS 2 b 5 a 4", r#"{"b":"5","a":"4"}"#),
        (
            "VEHPRICE.SET t 1 FIELDS 2 b 5 a longer-than-it-was-before",
            r#"{"b":"5","a":"longer-than-it-was-before"}"#,
        ),
        ("VEHPRICE.SET t 1 FIELDS 1 c 6", r#"{"c":"6"}"#),
        ("VEHPRICE.SET t 2 FIELDS 1 c 7", r#"{"c":"6"}"#),
        ("VEHPRICE.SET t2 1 FIELDS 1 c 7", r#"{"c":"6"}"#),
    ];
    let server = &Server::start(kind);
    let con = &mut server.connection();
    cmd(con, "VEHPRICE.SET t 0 FIELDS 2 a 0 b 0");
    for (words, row) in story {
        assert_eq!(int(con, words), 1);
        assert_eq!(text(con, "VEHPRICE.GET t 1 JSON"), row, "{words}");
        assert_eq!(text(con, "VEHPRICE.GET t 0 JSON"), r#"{"a":"0","b":"0"}"#, "{words}");
    }
}

#[apply(each_server)]
fn merge_sets_the_named_fields_and_keeps_the_others(#[case] kind: Kind) {
    // The fields of the row before, if there is one; the words; what is replied; the row after.
    let cases = [
        ("", "MERGE FIELDS 1 a 9", 1, r#"{"a":"9"}"#),
        ("2 a 1 b 2", "MERGE FIELDS 1 a 9", 1, r#"{"a":"9","b":"2"}"#),
        ("2 a 1 b 2", "MERGE FIELDS 1 b 9", 1, r#"{"a":"1","b":"9"}"#),
        ("2 a 1 b 2", "MERGE FIELDS 1 c 9", 1, r#"{"a":"1","b":"2","c":"9"}"#),
        ("2 a 1 b 2", "MERGE FIELDS 2 d 8 c 9", 1, r#"{"a":"1","b":"2","d":"8","c":"9"}"#),
        ("2 a 1 b 2", "MERGE FIELDS 3 c 7 b 8 a 9", 1, r#"{"a":"9","b":"8","c":"7"}"#),
        ("2 a 1 b 2", "MERGE FIELDS 2 b 2 a 1", 1, r#"{"a":"1","b":"2"}"#),
        ("2 a 1 b 2", "merge XX FIELDS 1 c 9", 1, r#"{"a":"1","b":"2","c":"9"}"#),
        ("2 a 1 b 2", "NX MERGE FIELDS 1 c 9", 0, r#"{"a":"1","b":"2"}"#),
        ("", "NX MERGE FIELDS 1 c 9", 1, r#"{"c":"9"}"#),
        ("", "XX MERGE FIELDS 1 c 9", 0, "null"),
        ("2 a 1 b 2", "MERGE EX 9 FIELDS 1 b 9", 1, r#"{"a":"1","b":"9"}"#),
        ("2 a 1 b 2", "MERGE KEEPTTL FIELDS 1 b 9", 1, r#"{"a":"1","b":"9"}"#),
        ("2 a 1 b 2", "MERGE EXAT 1 FIELDS 1 b 9", 0, "null"),
    ];
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for (before, rest, replied, after) in cases {
        cmd(con, "DEL t");
        if !before.is_empty() {
            cmd(con, &format!("VEHPRICE.SET t 1 FIELDS {before}"));
        }
        assert_eq!(int(con, &format!("VEHPRICE.SET t 1 {rest}")), replied, "{rest} on {before:?}");
        assert_eq!(text(con, "VEHPRICE.GET t 1 JSON"), after, "{rest} on {before:?}");
    }
    // A row that could not take one more field: with NX it is not asked to.
    let fields: String = (0..64).map(|field| format!(" f{field} x")).collect();
    cmd(con, &format!("VEHPRICE.SET t 1 FIELDS 64{fields}"));
    assert_eq!(int(con, "VEHPRICE.SET t 1 NX MERGE FIELDS 1 more x"), 0);
    assert_eq!(int(con, "VEHPRICE.MSET t NX MERGE FIELDS 1 more ROWS 1 x 2 x"), 1);
    // And with an expiry in the past it goes.
    assert_eq!(int(con, "VEHPRICE.SET t 1 MERGE PXAT 1 FIELDS 1 more x"), 0);
    assert_eq!(text(con, "VEHPRICE.GET t 1 JSON"), "null");
}

#[apply(each_server)]
fn nx_and_xx_look_at_the_row(#[case] kind: Kind) {
    // What there is before (no table, a table without the row, with it, with it expired); the word; what is
    // replied.
    let cases = [
        ("no table", "", 1),
        ("no table", "NX", 1),
        ("no table", "XX", 0),
        ("no row", "", 1),
        ("no row", "nx", 1),
        ("no row", "xx", 0),
        ("row", "", 1),
        ("row", "NX", 0),
        ("row", "XX", 1),
        ("expired", "", 1),
        ("expired", "NX", 1),
        ("expired", "XX", 0),
    ];
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for (before, word, replied) in cases {
        cmd(con, "DEL t");
        match before {
            "no row" => drop(cmd(con, "VEHPRICE.SET t 0 FIELDS 1 a 0")),
            "row" => drop(cmd(con, "VEHPRICE.SET t 1 FIELDS 1 a old")),
            "expired" => {
                cmd(con, "VEHPRICE.SET t 0 FIELDS 1 a 0");
                cmd(con, "VEHPRICE.SET t 1 PX 1 FIELDS 1 a old");
                rest(3);
            }
            _ => {}
        }
        let set = words(&["VEHPRICE.SET", "t", "1"], &format!("{word} FIELDS 1 a new"));
        assert_eq!(int(con, &set), replied, "{word} on {before}");
        let after = match (replied, before) {
            (1, _) => r#"{"a":"new"}"#,
            (_, "row") => r#"{"a":"old"}"#,
            _ => "null",
        };
        assert_eq!(text(con, "VEHPRICE.GET t 1 JSON"), after, "{word} on {before}");
        let table = i64::from(before != "no table" || replied == 1);
        assert_eq!(int(con, "EXISTS t"), table, "{word} on {before}");
    }
}
