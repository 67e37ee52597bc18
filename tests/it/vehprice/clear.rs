//! VEHPRICE.CLEAR: the whole table goes.

use super::*;

#[apply(each_server)]
fn deletes_the_table_that_is_there(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    assert_eq!(int(con, "VEHPRICE.CLEAR t"), 0);
    for rows in [1, 100, 20_000] {
        let given: Vec<String> = (0..rows).map(|id| format!("{id} x")).collect();
        cmd(con, &format!("VEHPRICE.MSET t FIELDS 1 a ROWS {}", given.join(" ")));
        cmd(con, "VEHPRICE.SET t2 1 FIELDS 1 a x");
        assert_eq!(int(con, "VEHPRICE.CLEAR t"), 1);
        assert_eq!(int(con, "EXISTS t"), 0);
        assert_eq!(int(con, "VEHPRICE.CLEAR t"), 0);
        assert_eq!(int(con, "VEHPRICE.LEN t"), 0);
        assert_eq!(int(con, "VEHPRICE.LEN t2"), 1);
        assert_eq!(rows_of(con), "{}");
    }
    // What comes after it is a new table.
    cmd(con, "VEHPRICE.SET t 7 FIELDS 1 b y");
    assert_eq!(rows_of(con), r#"{"7":{"b":"y"}}"#);
}

fn rows_of(con: &mut Connection) -> String {
    text(con, "VEHPRICE.GETALL t JSON")
}
