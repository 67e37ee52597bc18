//! VEHPRICE.DEL and VEHPRICE.LEN: rows that go, and rows that are left.

use super::*;

#[apply(each_server)]
fn deletes_live_rows_and_counts_them(#[case] kind: Kind) {
    // What there is before; the ids; how many are deleted; what is left.
    let cases = [
        ("", "a", 0, ""),
        ("a", "a", 1, ""),
        ("a b", "a", 1, "b"),
        ("a b", "b a", 2, ""),
        ("a b", "a a", 1, "b"),
        ("a b", "a b a b", 2, ""),
        ("a b", "x", 0, "a b"),
        ("a b", "x a y", 1, "b"),
        ("a b", "A", 0, "a b"),
        ("a b JSON", "JSON IDS", 1, "a b"),
        ("a b", "gone", 0, "a b"),
        ("a b", "gone a gone", 1, "b"),
    ];
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for (before, ids, deleted, left) in cases {
        cmd(con, "DEL t");
        for id in before.split_whitespace() {
            cmd(con, &format!("VEHPRICE.SET t {id} FIELDS 1 x {id}"));
        }
        if ids.contains("gone") {
            cmd(con, "VEHPRICE.SET t gone PX 1 FIELDS 1 x 1");
            rest(3);
        }
        assert_eq!(int(con, &format!("VEHPRICE.DEL t {ids}")), deleted, "{ids} of {before:?}");
        let left: serde_json::Map<_, _> = left
            .split_whitespace()
            .map(|id| (id.to_owned(), parsed(&format!(r#"{{"x":"{id}"}}"#))))
            .collect();
        assert_eq!(int(con, "VEHPRICE.LEN t"), left.len() as i64, "{ids} of {before:?}");
        assert_eq!(int(con, "EXISTS t"), i64::from(!left.is_empty()), "{ids} of {before:?}");
        assert_eq!(rows(con, "t"), serde_json::Value::Object(left), "{ids} of {before:?}");
    }
}
