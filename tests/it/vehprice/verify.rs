//! VEHPRICE.VERIFY: whether a row still holds what was quoted.

use super::*;

#[apply(each_server)]
fn returns_the_verdict_and_the_row(#[case] kind: Kind) {
    const ROW: &str = r#"{"price":"12.50","styleId":"17","empty":""}"#;
    // The words after the id; the verdict.
    let cases: [(&[&str], &str); 15] = [
        (&["price", "12.50"], "Match"),
        (&["styleId", "17"], "Match"),
        (&["styleId", "17", "price", "12.50"], "Match"),
        (&["empty", ""], "Match"),
        (&["price", "12.5"], "Changed"),
        (&["price", "12.500"], "Changed"),
        (&["price", ""], "Changed"),
        (&["price", "12.50 "], "Changed"),
        (&["Price", "12.50"], "Changed"),
        (&["none", "12.50"], "Changed"),
        (&["none", ""], "Changed"),
        (&["styleId", "17", "price", "13"], "Changed"),
        (&["styleId", "18", "price", "12.50"], "Changed"),
        (&["styleId", "17", "none", ""], "Changed"),
        (&["JSON", "JSON"], "Changed"),
    ];
    let server = &Server::start(kind);
    let clients = &mut Clients::of(server);
    cmd(
        &mut clients.resp2,
        &["VEHPRICE.SET", "t", "1", "FIELDS", "3", "price", "12.50", "styleId", "17", "empty", ""],
    );
    cmd(&mut clients.resp2, "VEHPRICE.SET t gone PX 1 FIELDS 1 price 12.50");
    rest(3);
    for (rest, verdict) in cases {
        let verify = |key: &'static str, id: &'static str, last: &[&'static str]| {
            [&["VEHPRICE.VERIFY", key, id], rest, last].concat()
        };
        let answer = format!(r#"{{"verdict":"{verdict}","row":{ROW}}}"#);
        clients.check(&verify("t", "1", &[]), &answer);
        clients.check_json(&verify("t", "1", &["JSON"]), &answer);
        clients.check_json(&verify("t", "1", &["json"]), &answer);
        for (key, id) in [("t", "2"), ("t", "gone"), ("absent", "1")] {
            let missing = r#"{"verdict":"Missing","row":null}"#;
            clients.check(&verify(key, id, &[]), missing);
            clients.check_json(&verify(key, id, &["JSON"]), missing);
        }
    }
    // JSON is the word where it stands alone at the end, and a field where a value follows.
    cmd(&mut clients.resp2, "VEHPRICE.SET t 2 FIELDS 1 JSON x");
    clients.check("VEHPRICE.VERIFY t 2 JSON x", r#"{"verdict":"Match","row":{"JSON":"x"}}"#);
    clients.check_json("VEHPRICE.VERIFY t 2 JSON x JSON", r#"{"verdict":"Match","row":{"JSON":"x"}}"#);
    clients.check("VEHPRICE.VERIFY t 2 JSON JSON", r#"{"verdict":"Changed","row":{"JSON":"x"}}"#);
    assert_eq!(int(&mut clients.resp2, "EXISTS absent"), 0);
}

/// As many fields as a row can have.
#[apply(each_server)]
fn takes_64_fields(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let clients = &mut Clients::of(server);
    let fields: Vec<String> = (0..64).map(|field| format!("f{field} {field}")).collect();
    let row: Vec<String> = (0..64).map(|field| format!(r#""f{field}":"{field}""#)).collect();
    let answer = format!(r#"{{"verdict":"Match","row":{{{}}}}}"#, row.join(","));
    cmd(&mut clients.resp2, &format!("VEHPRICE.SET t 1 FIELDS 64 {}", fields.join(" ")));
    clients.check(&format!("VEHPRICE.VERIFY t 1 {}", fields.join(" ")), &answer);
    clients.check_json(&format!("VEHPRICE.VERIFY t 1 {} JSON", fields.join(" ")), &answer);
}
