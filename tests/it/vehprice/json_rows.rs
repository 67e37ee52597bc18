//! `MSET … JSON` and `MSET … COLUMNS`: what is stored of which argument.

use super::*;

#[apply(each_server)]
fn rows_of_json_are_stored_as_they_say(#[case] kind: Kind) {
    let digits = "1234567890".repeat(40);
    let id_256 = "i".repeat(256);
    let mebibyte = "v".repeat(1 << 20);
    let fields = |range: std::ops::Range<usize>, value: &str| {
        range.map(|field| format!(r#""f{field}":{value}"#)).collect::<Vec<_>>().join(",")
    };
    let fields_64 = format!(r#"{{"w":{{{}}}}}"#, fields(0..64, "\"x\""));
    let nulls = format!(r#"{{"w":{{{},{}}}}}"#, fields(0..64, "\"x\""), fields(64..200, "null"));
    // The argument; how many rows are stored; the table then.
    let cases: Vec<(String, i64, String)> = [
        ("{}", 0, "{}"),
        (" { } ", 0, "{}"),
        (r#"{"1":{"a":"x"}}"#, 1, r#"{"1":{"a":"x"}}"#),
        (r#"{"1":{"a":""}}"#, 1, r#"{"1":{"a":""}}"#),
        (
            r#"{"4711":{"styleId":"12","pricingId":"571"},"4712":{"styleId":"14"}}"#,
            2,
            r#"{"4711":{"styleId":"12","pricingId":"571"},"4712":{"styleId":"14"}}"#,
        ),
        ("\n{ \"1\" :\t{ \"a\"\r: \"x\" , \"b\" : 2 } , \"2\":{\"a\":3} } ", 2, r#"{"1":{"a":"x","b":"2"},"2":{"a":"3"}}"#),
        // Numbers are the text they are written in.
        (
            r#"{"1":{"a":0,"b":-0,"c":1.50,"d":-1.5e300,"e":1E+5,"f":9007199254740993,"g":1e999}}"#,
            1,
            r#"{"1":{"a":"0","b":"-0","c":"1.50","d":"-1.5e300","e":"1E+5","f":"9007199254740993","g":"1e999"}}"#,
        ),
        // What is null the row lacks.
        (r#"{"1":{"a":null,"b":"x"},"2":{"b":"y","a":null}}"#, 2, r#"{"1":{"b":"x"},"2":{"b":"y"}}"#),
        (r#"{"1":{"a":"null"}}"#, 1, r#"{"1":{"a":"null"}}"#),
        // The last row of an id counts, whole.
        (r#"{"1":{"a":"x","b":"y"},"1":{"c":"z"}}"#, 1, r#"{"1":{"c":"z"}}"#),
        (r#"{"1":{"a":"x"},"2":{"a":"y"},"\u0031":{"a":"z"}}"#, 2, r#"{"1":{"a":"z"},"2":{"a":"y"}}"#),
        // Rows of other fields, and of the same in another order.
        (
            r#"{"1":{"a":"1"},"2":{"b":"2"},"3":{"a":"3","b":"3"},"4":{"b":"4","a":"4"},"5":{"a":"5"}}"#,
            5,
            r#"{"1":{"a":"1"},"2":{"b":"2"},"3":{"a":"3","b":"3"},"4":{"b":"4","a":"4"},"5":{"a":"5"}}"#,
        ),
        (r#"{"é\n":{"\"":"\\","\u00fc":"\ud83d\udeb2"}}"#, 1, r#"{"é\n":{"\"":"\\","ü":"🚲"}}"#),
        (r#"{"a,b":{"}":"]","{":"["}}"#, 1, r#"{"a,b":{"}":"]","{":"["}}"#),
        (r#"{"JSON":{"FIELDS":"ROWS"}}"#, 1, r#"{"JSON":{"FIELDS":"ROWS"}}"#),
    ]
    .map(|(given, stored, table)| (given.to_owned(), stored, table.to_owned()))
    .into_iter()
    .chain([
        (format!(r#"{{"1":{{"a":{digits}}}}}"#), 1, format!(r#"{{"1":{{"a":"{digits}"}}}}"#)),
        (format!(r#"{{"{id_256}":{{"{id_256}":1}}}}"#), 1, format!(r#"{{"{id_256}":{{"{id_256}":"1"}}}}"#)),
        (
            format!(r#"{{{}:{{{}:1}}}}"#, escaped(&id_256), escaped(&id_256)),
            1,
            format!(r#"{{"{id_256}":{{"{id_256}":"1"}}}}"#),
        ),
        (format!(r#"{{"1":{{"a":"{mebibyte}"}}}}"#), 1, format!(r#"{{"1":{{"a":"{mebibyte}"}}}}"#)),
        (fields_64.clone(), 1, fields_64.clone()),
        (nulls, 1, fields_64),
    ])
    .collect();
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for (given, stored, table) in &cases {
        for words in ["", "NX", "PX 60000", "MERGE"] {
            cmd(con, "DEL t");
            let call = self::words(&["VEHPRICE.MSET", "t"], words);
            let call = [call, self::words(&["JSON", given], "")].concat();
            assert_eq!(int(con, &call), *stored, "{}", brief(&call));
            assert!(rows(con, "t") == parsed(table), "{}", brief(&call));
            assert_eq!(int(con, "EXISTS t"), i64::from(*stored > 0));
        }
    }
}

#[apply(each_server)]
fn columns_are_stored_as_rows(#[case] kind: Kind) {
    // The argument; how many rows are stored; the table then.
    let cases = [
        (r#"{"ids":[],"fields":[],"columns":[]}"#, 0, "{}"),
        (r#"{"ids":[],"fields":["a"],"columns":[[]]}"#, 0, "{}"),
        (r#"{"ids":["1"],"fields":["a"],"columns":[["x"]]}"#, 1, r#"{"1":{"a":"x"}}"#),
        (r#"{"columns":[["x"]],"fields":["a"],"ids":["1"]}"#, 1, r#"{"1":{"a":"x"}}"#),
        (r#"{"fields":["a"],"ids":[1],"columns":[[2.50]]}"#, 1, r#"{"1":{"a":"2.50"}}"#),
        (
            r#"{"ids":["4711","4712"],"fields":["styleId","pricingId"],"columns":[["12","12"],["571","580"]]}"#,
            2,
            r#"{"4711":{"styleId":"12","pricingId":"571"},"4712":{"styleId":"12","pricingId":"580"}}"#,
        ),
        (
            r#"{"ids":["1","2","3"],"fields":["a","b"],"columns":[["x",null,"z"],[null,"y","w"]]}"#,
            3,
            r#"{"1":{"a":"x"},"2":{"b":"y"},"3":{"a":"z","b":"w"}}"#,
        ),
        (
            r#"{"ids":["1","2","1"],"fields":["a"],"columns":[["x","y","z"]]}"#,
            2,
            r#"{"1":{"a":"z"},"2":{"a":"y"}}"#,
        ),
        (
            r#"{"ids":["1","1"],"fields":["a","b"],"columns":[["x",null],[null,"y"]]}"#,
            1,
            r#"{"1":{"b":"y"}}"#,
        ),
        (
            " {\t\"ids\" : [ \"1\" ] ,\n\"fields\" : [ \"a\" ] , \"columns\" : [ [ null ] , [ 7 ] ] } ",
            -1,
            "{}",
        ),
        (
            " {\t\"ids\" : [ \"1\" ] ,\n\"fields\" : [ \"a\" , 7 ] , \"columns\" : [ [ null ] , [ 7 ] ] } ",
            1,
            r#"{"1":{"7":"7"}}"#,
        ),
        (
            r#"{"\u0069ds":["\u0031"],"fields":["\u00fc\n"],"columns":[["\ud83d\udeb2"]]}"#,
            1,
            r#"{"1":{"ü\n":"🚲"}}"#,
        ),
    ];
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for (given, stored, table) in cases {
        cmd(con, "DEL t");
        match try_cmd(con, &["VEHPRICE.MSET", "t", "COLUMNS", given]) {
            Ok(reply) => assert_eq!(reply, Value::Int(stored), "{given}"),
            Err(error) => assert!(stored < 0, "{given}: {error}"),
        }
        assert_eq!(rows(con, "t"), parsed(table), "{given}");
        assert_eq!(int(con, "EXISTS t"), i64::from(stored > 0));
    }
    // More fields than a row can have, as long as no row has more.
    let ids: Vec<String> = (0..130).map(|id| id.to_string()).collect();
    let given: Vec<GivenRow> =
        ids.iter().map(|id| (id.clone(), vec![(format!("f{id}"), "x".to_owned())])).collect();
    assert_eq!(int(con, &["VEHPRICE.MSET", "t", "COLUMNS", &column_rows(&given)]), 130);
    assert_eq!(json(con, "VEHPRICE.GET t 129 JSON"), parsed(r#"{"f129":"x"}"#));
    let wide = |fields: usize| -> String {
        let fields = (0..fields).map(|field| (format!("f{field}"), "x".to_owned()));
        column_rows(&[("wide".to_owned(), fields.collect())])
    };
    assert_eq!(int(con, &["VEHPRICE.MSET", "t", "COLUMNS", &wide(64)]), 1);
    assert_eq!(
        error(con, &["VEHPRICE.MSET", "t", "COLUMNS", &wide(65)]),
        "ERR invalid row 'wide', field 'f64' expected at most 64 fields"
    );
}

/// As `takes_as_many_rows_as_the_setting_says` in mset.rs.
#[apply(each_server)]
fn takes_as_many_rows_as_the_setting_says(#[case] kind: Kind) {
    let given = |count: usize| -> Vec<GivenRow> {
        (0..count).map(|id| (format!("{id:06}"), vec![("x".to_owned(), id.to_string())])).collect()
    };
    let (most, more) = (given(100_000), given(100_001));
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for (form, write) in [("JSON", json_rows as fn(&[GivenRow]) -> String), ("COLUMNS", column_rows)] {
        cmd(con, "DEL t");
        let refused = "ERR too many rows, there are more than quotelock.max-batch, 100000";
        assert_eq!(error(con, &["VEHPRICE.MSET", "t", form, &write(&more)]), refused);
        assert_eq!(int(con, "EXISTS t"), 0);
        assert_eq!(int(con, &["VEHPRICE.MSET", "t", form, &write(&most)]), 100_000);
        assert_eq!(int(con, "VEHPRICE.LEN t"), 100_000);
        assert_eq!(json(con, "VEHPRICE.GET t 099999 JSON"), parsed(r#"{"x":"99999"}"#));
    }
}
