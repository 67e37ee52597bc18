//! VEHPRICE.MSET: many rows in one call, each checked by itself.

use super::*;

#[apply(each_server)]
fn stores_rows_one_by_one(#[case] kind: Kind) {
    // The ids that have a row {"x":"0","y":"0"} before; the words; what is replied; the table after.
    let cases = [
        ("", "FIELDS 1 x ROWS a 1", 1, r#"{"a":{"x":"1"}}"#),
        ("", "FIELDS 1 x ROWS a 1 b 2", 2, r#"{"a":{"x":"1"},"b":{"x":"2"}}"#),
        ("", "FIELDS 2 y x ROWS a 1 2 b 3 4", 2, r#"{"a":{"y":"1","x":"2"},"b":{"y":"3","x":"4"}}"#),
        ("", "fields 1 x rows a 1", 1, r#"{"a":{"x":"1"}}"#),
        ("", "FIELDS 1 x NX EX 9 MERGE ROWS a 1", 1, r#"{"a":{"x":"1"}}"#),
        ("", "MERGE FIELDS 1 x EX 9 ROWS a 1", 1, r#"{"a":{"x":"1"}}"#),
        ("", "FIELDS 2 ROWS FIELDS ROWS ROWS ROWS NX", 1, r#"{"ROWS":{"ROWS":"ROWS","FIELDS":"NX"}}"#),
        ("a", "FIELDS 1 x ROWS a 1 b 2", 2, r#"{"a":{"x":"1"},"b":{"x":"2"}}"#),
        ("a", "NX FIELDS 1 x ROWS a 1 b 2", 1, r#"{"a":{"x":"0","y":"0"},"b":{"x":"2"}}"#),
        ("a", "XX FIELDS 1 x ROWS a 1 b 2", 1, r#"{"a":{"x":"1"}}"#),
        ("a b", "NX FIELDS 1 x ROWS a 1 b 2", 0, r#"{"a":{"x":"0","y":"0"},"b":{"x":"0","y":"0"}}"#),
        ("a", "XX FIELDS 1 x ROWS b 1 c 2", 0, r#"{"a":{"x":"0","y":"0"}}"#),
        ("", "XX FIELDS 1 x ROWS a 1 b 2", 0, "{}"),
        ("a", "MERGE FIELDS 1 x ROWS a 1 b 2", 2, r#"{"a":{"x":"1","y":"0"},"b":{"x":"2"}}"#),
        ("a", "NX MERGE FIELDS 1 z ROWS a 1 b 2", 1, r#"{"a":{"x":"0","y":"0"},"b":{"z":"2"}}"#),
        ("a", "XX MERGE FIELDS 1 z ROWS a 1 b 2", 1, r#"{"a":{"x":"0","y":"0","z":"1"}}"#),
        // An id given twice: the last one counts, once, and is checked against the row as it was before the call.
        ("", "FIELDS 1 x ROWS a 1 a 2", 1, r#"{"a":{"x":"2"}}"#),
        ("", "FIELDS 1 x ROWS a 1 b 5 a 2 b 6 a 3", 2, r#"{"a":{"x":"3"},"b":{"x":"6"}}"#),
        ("", "NX FIELDS 1 x ROWS a 1 a 2", 1, r#"{"a":{"x":"2"}}"#),
        ("", "XX FIELDS 1 x ROWS a 1 a 2", 0, "{}"),
        ("a", "NX FIELDS 1 x ROWS a 1 b 1 a 2 b 2", 1, r#"{"a":{"x":"0","y":"0"},"b":{"x":"2"}}"#),
        ("a", "XX FIELDS 1 x ROWS a 1 b 1 a 2 b 2", 1, r#"{"a":{"x":"2"}}"#),
        ("", "MERGE FIELDS 1 x ROWS a 1 a 2", 1, r#"{"a":{"x":"2"}}"#),
        ("a", "MERGE FIELDS 1 z ROWS a 1 a 2", 1, r#"{"a":{"x":"0","y":"0","z":"2"}}"#),
        ("", "NX MERGE FIELDS 1 x ROWS a 1 a 2 a 3", 1, r#"{"a":{"x":"3"}}"#),
        // An expiry in the past deletes, and stores nothing.
        ("a b", "PXAT 1 FIELDS 1 x ROWS a 1 c 2", 0, r#"{"b":{"x":"0","y":"0"}}"#),
        ("a b", "EXAT 1 FIELDS 1 x ROWS a 1 b 2", 0, "{}"),
        ("a b", "PXAT 1 XX FIELDS 1 x ROWS a 1 c 2", 0, r#"{"b":{"x":"0","y":"0"}}"#),
        ("a", "PXAT 1 NX FIELDS 1 x ROWS a 1 c 2", 0, r#"{"a":{"x":"0","y":"0"}}"#),
        ("a b", "PXAT 1 MERGE FIELDS 1 x ROWS a 1 c 2", 0, r#"{"b":{"x":"0","y":"0"}}"#),
        ("a b", "PXAT 1 FIELDS 1 x ROWS a 1 a 2", 0, r#"{"b":{"x":"0","y":"0"}}"#),
        ("", "PXAT 1 FIELDS 1 x ROWS a 1", 0, "{}"),
    ];
    let server = &Server::start(kind);
    let clients = &mut Clients::of(server);
    for (before, rest, stored, after) in cases {
        let con = &mut clients.resp2;
        cmd(con, "DEL t");
        for id in before.split_whitespace() {
            cmd(con, &format!("VEHPRICE.SET t {id} FIELDS 2 x 0 y 0"));
        }
        assert_eq!(int(con, &format!("VEHPRICE.MSET t {rest}")), stored, "{rest} on {before:?}");
        assert_eq!(rows(con, "t"), parsed(after), "{rest} on {before:?}");
        let live = parsed(after).as_object().unwrap().len() as i64;
        assert_eq!(int(con, "VEHPRICE.LEN t"), live, "{rest} on {before:?}");
        assert_eq!(int(con, "EXISTS t"), i64::from(live > 0), "{rest} on {before:?}");
    }
}

#[apply(each_server)]
fn rows_of_many_shapes_are_in_one_table(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let mut expected = serde_json::Map::new();
    for id in 0..300 {
        let fields: Vec<String> = (0..=id % 64).map(|field| format!("f{field} v{id}")).collect();
        cmd(con, &format!("VEHPRICE.SET t {id} FIELDS {} {}", fields.len(), fields.join(" ")));
        let row = (0..=id % 64).map(|field| (format!("f{field}"), format!("v{id}").into())).collect();
        expected.insert(id.to_string(), serde_json::Value::Object(row));
    }
    assert_eq!(rows(con, "t"), serde_json::Value::Object(expected.clone()));
    // All of the first shape.
    let all: Vec<String> = (0..300).map(|id| format!("{id} new")).collect();
    assert_eq!(int(con, &format!("VEHPRICE.MSET t FIELDS 1 f0 ROWS {}", all.join(" "))), 300);
    for (_, row) in &mut expected {
        *row = parsed(r#"{"f0":"new"}"#);
    }
    assert_eq!(rows(con, "t"), serde_json::Value::Object(expected));
}

#[apply(each_server)]
fn takes_as_many_rows_as_the_setting_says(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let ids: Vec<String> = (0..100_000).map(|id| format!("{id:06}")).collect();
    let mset: Vec<&str> = words_of("VEHPRICE.MSET t FIELDS 1 x ROWS")
        .chain(ids.iter().flat_map(|id| [id.as_str(), id]))
        .collect();
    assert_eq!(int(con, &mset), 100_000);
    let mget: Vec<&str> =
        words_of("VEHPRICE.MGET t JSON IDS").chain(ids.iter().map(String::as_str)).collect();
    let read = json(con, &mget);
    let read = read.as_array().unwrap();
    assert_eq!(read.len(), ids.len());
    assert!(read.iter().zip(&ids).all(|(row, id)| row["x"] == id.as_str()));
    let del: Vec<&str> = words_of("VEHPRICE.DEL t").chain(ids.iter().map(String::as_str)).collect();
    let one_too_many = [del.as_slice(), &["one-more"]].concat();
    let refused = "ERR too many ids, 100001 are more than quotelock.max-batch, 100000";
    assert_eq!(error(con, &one_too_many), refused);
    assert_eq!(int(con, "VEHPRICE.LEN t"), 100_000);
    assert_eq!(int(con, &del), 100_000);
    assert_eq!(int(con, "EXISTS t"), 0);
    assert_eq!(reply(con, "CONFIG SET quotelock.max-batch 100001"), "OK");
    assert_eq!(int(con, &one_too_many), 0);
}

fn words_of(text: &str) -> impl Iterator<Item = &str> {
    text.split(' ')
}
