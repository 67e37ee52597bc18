//! `COLUMNS` of MGET, CLAIM and GETALL: what JSON answers, by field.

use serde_json::{Map, Value as Json};

use super::*;

#[apply(each_server)]
fn rows_are_answered_by_column(#[case] kind: Kind) {
    // The words of MGET; the reply.
    let cases = [
        ("FIELDS 1 a COLUMNS IDS 1", r#"{"missing":[],"columns":[["1"]]}"#),
        ("FIELDS 1 a COLUMNS IDS 2", r#"{"missing":[],"columns":[[null]]}"#),
        ("FIELDS 1 a COLUMNS IDS x", r#"{"missing":[0],"columns":[[null]]}"#),
        ("FIELDS 1 a COLUMNS IDS gone", r#"{"missing":[0],"columns":[[null]]}"#),
        ("COLUMNS FIELDS 1 b IDS 1 x 2 y", r#"{"missing":[1,3],"columns":[["2",null,"3",null]]}"#),
        ("FIELDS 2 b a COLUMNS IDS 2 1", r#"{"missing":[],"columns":[["3","2"],[null,"1"]]}"#),
        ("FIELDS 3 a none a COLUMNS LIST [1]", r#"{"missing":[],"columns":[["1"],[null],["1"]]}"#),
        ("FIELDS 1 a COLUMNS LIST [1,1,1]", r#"{"missing":[],"columns":[["1","1","1"]]}"#),
        ("columns fields 1 COLUMNS list [2]", r#"{"missing":[],"columns":[[null]]}"#),
        ("FIELDS 1 a COLUMNS BLOCK 0 LIST [7,1]", r#"{"missing":[0],"columns":[[null,"1"]]}"#),
    ];
    let all = [
        ("COLUMNS", r#"{"ids":["2"],"fields":["b"],"columns":[["3"]]}"#),
        ("COLUMNS FIELDS 2 a b", r#"{"ids":["2"],"fields":["a","b"],"columns":[[null],["3"]]}"#),
        ("FIELDS 2 b b columns", r#"{"ids":["2"],"fields":["b","b"],"columns":[["3"],["3"]]}"#),
    ];
    let none = [
        ("COLUMNS", r#"{"ids":[],"fields":[],"columns":[]}"#),
        ("COLUMNS FIELDS 2 a b", r#"{"ids":[],"fields":["a","b"],"columns":[[],[]]}"#),
    ];
    let server = &Server::start(kind);
    let clients = &mut Clients::of(server);
    cmd(&mut clients.resp2, "VEHPRICE.SET t 1 FIELDS 2 a 1 b 2");
    cmd(&mut clients.resp2, "VEHPRICE.SET t 2 FIELDS 1 b 3");
    cmd(&mut clients.resp2, "VEHPRICE.SET t gone PX 1 FIELDS 1 a 1");
    rest(3);
    for (words, answer) in cases {
        clients.check_json(&format!("VEHPRICE.MGET t {words}"), answer);
        let claim = format!("VEHPRICE.CLAIM t PX 9 {}", words.replace("BLOCK 0 ", ""));
        let claimed = json(&mut clients.resp2, &claim);
        assert_eq!(claimed["rows"], parsed(answer), "{claim}");
        if let Some(token) = claimed["token"].as_str() {
            cmd(&mut clients.resp2, &["VEHPRICE.RELEASE", "t", token]);
        }
    }
    cmd(&mut clients.resp2, "VEHPRICE.DEL t 1");
    for (words, answer) in all {
        clients.check_json(&format!("VEHPRICE.GETALL t {words}"), answer);
    }
    for (words, answer) in none {
        clients.check_json(&format!("VEHPRICE.GETALL absent {words}"), answer);
    }
    assert_eq!(int(&mut clients.resp2, "EXISTS absent"), 0);
}

#[apply(each_server)]
fn claim_tells_what_it_claimed_beside_columns(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    cmd(con, "VEHPRICE.SET t 1 FIELDS 1 a x");
    cmd(con, "VEHPRICE.CLAIM t PX 60000 IDS é");
    let answer = text(con, r#"VEHPRICE.CLAIM t PX 60000 FIELDS 1 a COLUMNS LIST [1,"\u00e9","q\"","2"]"#);
    let token = parsed(&answer)["token"].as_str().unwrap().to_owned();
    let expected = r#"{"token":"T","rows":{"missing":[1,2,3],"columns":[["x",null,null,null]]},"claimed":["q\"","2"],"pending":["é"]}"#;
    assert_eq!(answer.replace(&token, "T"), expected);
    assert_eq!(int(con, &["VEHPRICE.RELEASE", "t", &token]), 2);
}

/// The rows of columns, as JSON with the same `FIELDS` answers them.
fn rows_of_columns(columns: &Json, names: &[Json], count: usize) -> Vec<Json> {
    let columns = columns.as_array().unwrap();
    assert_eq!(columns.len(), names.len());
    assert!(columns.iter().all(|column| column.as_array().unwrap().len() == count));
    let row = |at: usize| {
        let field = |(name, column): (&Json, &Json)| (name.as_str().unwrap().to_owned(), column[at].clone());
        Json::Object(names.iter().zip(columns).map(field).collect())
    };
    (0..count).map(row).collect()
}

/// A row with its fields that are null left out.
fn without_nulls(row: &Json) -> Json {
    let fields = row.as_object().unwrap().iter().filter(|(_, value)| !value.is_null());
    Json::Object(fields.map(|(name, value)| (name.clone(), value.clone())).collect())
}

#[apply(each_server)]
fn random_rows_are_the_same_by_column(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let rng = &mut Rng::seeded(6);
    for count in [1, 2, 20, 500, 3000] {
        let rows = random_rows(rng, count, true);
        cmd(con, "DEL t");
        cmd(con, &["VEHPRICE.MSET", "t", "JSON", &json_rows(&rows)]);
        let ids: Vec<&str> = (0..count)
            .map(|_| if rng.below(5) == 0 { "none" } else { &rows[rng.below(count as u64) as usize].0 })
            .collect();
        for names in [vec!["styleId"], vec!["é ü", "none", "styleId", "\"\\\n"]] {
            let fields = [
                vec!["FIELDS".to_owned(), names.len().to_string()],
                names.iter().map(ToString::to_string).collect(),
            ]
            .concat();
            let call = |first: &[&str], form: &str| {
                let first = first.iter().map(ToString::to_string);
                let end = [form.to_owned(), "LIST".to_owned(), id_list(&ids)];
                first.chain(fields.clone()).chain(end).collect::<Vec<_>>()
            };
            let by_row = json(con, &call(&["VEHPRICE.MGET", "t"], "JSON"));
            let by_column = json(con, &call(&["VEHPRICE.MGET", "t"], "COLUMNS"));
            let names: Vec<Json> = names.iter().map(|name| (*name).into()).collect();
            let mut found = rows_of_columns(&by_column["columns"], &names, count);
            for missing in by_column["missing"].as_array().unwrap() {
                let row = &mut found[missing.as_u64().unwrap() as usize];
                assert!(row.as_object().unwrap().values().all(Json::is_null), "{row}");
                *row = Json::Null;
            }
            assert!(by_row == Json::Array(found), "{count} rows");
            let claimed = json(con, &call(&["VEHPRICE.CLAIM", "t", "PX", "1"], "COLUMNS"));
            assert!(claimed["rows"] == by_column, "{count} rows");

            let all = [vec!["VEHPRICE.GETALL".to_owned(), "t".to_owned()], fields.clone()].concat();
            let with = |form: &str| [all.clone(), vec![form.to_owned()]].concat();
            let (by_row, by_column) = (json(con, &with("JSON")), json(con, &with("COLUMNS")));
            assert_eq!(by_column["fields"], Json::Array(names));
            assert!(table_of_columns(&by_column, |row| row.clone()) == by_row, "{count} rows");
        }
        let by_column = json(con, "VEHPRICE.GETALL t COLUMNS");
        assert!(table_of_columns(&by_column, without_nulls) == self::rows(con, "t"), "{count} rows");
        // Each field once, and none that no row has.
        let mut names: Vec<&str> =
            rows.iter().flat_map(|(_, fields)| fields).map(|(name, _)| &**name).collect();
        let mut found: Vec<&str> =
            by_column["fields"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        names.sort_unstable();
        names.dedup();
        found.sort_unstable();
        assert_eq!(found, names);
    }
}

/// All rows by id, as `GETALL … JSON` answers them.
fn table_of_columns(table: &Json, row: impl Fn(&Json) -> Json) -> Json {
    let ids = table["ids"].as_array().unwrap();
    let rows = rows_of_columns(&table["columns"], table["fields"].as_array().unwrap(), ids.len());
    let by_id: Map<_, _> =
        ids.iter().zip(&rows).map(|(id, found)| (id.as_str().unwrap().to_owned(), row(found))).collect();
    assert_eq!(by_id.len(), ids.len());
    Json::Object(by_id)
}

/// Past the first MiB the rows that follow are looked at before they are written.
#[apply(each_server)]
fn long_columns_are_whole(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let value = |id: usize| format!("{}{id}", "v\"".repeat(30));
    let given: Vec<GivenRow> = (0..30_000)
        .map(|id| (id.to_string(), vec![("a".to_owned(), value(id)), ("b".to_owned(), id.to_string())]))
        .collect();
    assert_eq!(int(con, &["VEHPRICE.MSET", "t", "COLUMNS", &column_rows(&given)]), 30_000);
    let ids: Vec<_> = (0..40_000).map(|id| id.to_string()).collect();
    let mget = ["VEHPRICE.MGET", "t", "FIELDS", "2", "b", "a", "COLUMNS", "LIST", &id_list(&ids)];
    let found = json(con, &mget);
    assert_eq!(found["missing"].as_array().unwrap().len(), 10_000);
    assert_eq!(found["missing"][0], 30_000);
    for at in [0, 1, 15_000, 29_999] {
        assert_eq!(found["columns"][0][at], at.to_string().as_str());
        assert_eq!(found["columns"][1][at], value(at).as_str());
    }
    assert!(found["columns"][1][30_000].is_null() && found["columns"][1][39_999].is_null());
    let all = json(con, "VEHPRICE.GETALL t COLUMNS");
    assert!(table_of_columns(&all, without_nulls) == rows(con, "t"));
}
