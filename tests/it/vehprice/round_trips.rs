//! What a read answers a write takes: rows go from table to table as JSON and as columns.

use super::*;

/// Fills `t` with rows that all expire at one moment.
fn fill(con: &mut Connection, rng: &mut Rng, count: usize, mixed: bool) {
    cmd(con, "FLUSHALL");
    let rows = random_rows(rng, count, mixed);
    let mset = ["VEHPRICE.MSET", "t", "PXAT", &FAR.to_string(), "JSON", &json_rows(&rows)];
    assert_eq!(int(con, &mset), count as i64);
}

/// Reads `t` whole, and writes what was answered to `u`.
#[track_caller]
fn copy(con: &mut Connection, form: &str) {
    let all = text(con, &["VEHPRICE.GETALL", "t", form]);
    let stored = int(con, &["VEHPRICE.MSET", "u", "PXAT", &FAR.to_string(), form, &all]);
    assert_eq!(stored, int(con, "VEHPRICE.LEN t"));
    assert!(rows(con, "u") == rows(con, "t"), "{form}");
}

const SIZES: [usize; 4] = [1, 7, 300, 5000];

#[apply(each_server)]
fn json_makes_an_equal_table(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let rng = &mut Rng::seeded(12);
    for (size, mixed) in SIZES.iter().flat_map(|size| [(*size, false), (*size, true)]) {
        fill(con, rng, size, mixed);
        copy(con, "JSON");
        assert_eq!(table(con, "u"), table(con, "t"), "{size} rows");
    }
}

#[apply(each_server)]
fn columns_make_an_equal_table(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let rng = &mut Rng::seeded(13);
    for size in SIZES {
        fill(con, rng, size, false);
        copy(con, "COLUMNS");
        assert_eq!(table(con, "u"), table(con, "t"), "{size} rows");
    }
}

/// In columns the fields have one order for all rows: the same table, but for the order of a row's fields.
#[apply(each_server)]
fn columns_make_an_equal_table_of_rows_with_other_fields(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let rng = &mut Rng::seeded(14);
    for size in SIZES {
        fill(con, rng, size, true);
        copy(con, "COLUMNS");
        assert_eq!(digest(con, "u"), digest(con, "t"), "{size} rows");
    }
}

/// Columns and JSON of one table are the same rows to a write.
#[apply(each_server)]
fn both_forms_store_the_same(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let rng = &mut Rng::seeded(15);
    for (size, mixed) in SIZES.iter().flat_map(|size| [(*size, false), (*size, true)]) {
        let given = random_rows(rng, size, mixed);
        cmd(con, "FLUSHALL");
        for (key, form, argument) in [("t", "JSON", json_rows(&given)), ("u", "COLUMNS", column_rows(&given))]
        {
            let mset = ["VEHPRICE.MSET", key, "PXAT", &FAR.to_string(), form, &argument];
            assert_eq!(int(con, &mset), size as i64);
        }
        let expected: BTreeMap<_, BTreeMap<_, _>> =
            given.into_iter().map(|(id, fields)| (id, fields.into_iter().collect())).collect();
        for key in ["t", "u"] {
            assert!(rows(con, key) == serde_json::to_value(&expected).unwrap(), "{key}, {size} rows");
        }
    }
}
