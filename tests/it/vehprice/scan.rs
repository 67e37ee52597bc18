//! VEHPRICE.SCAN: pages of a table, and what is promised of them while others write.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

/// A walk from 0 back to 0: every row as often as it was given, by id.
#[track_caller]
fn walk(con: &mut Connection, key: &str, count: usize) -> Vec<(String, serde_json::Value)> {
    let mut cursor = "0".to_owned();
    let mut seen = Vec::new();
    for _ in 0..1_000_000 {
        let scan = ["VEHPRICE.SCAN", key, &cursor, "COUNT", &count.to_string(), "JSON"];
        let page = json(con, &scan);
        let rows = page["rows"].as_object().unwrap();
        seen.extend(rows.iter().map(|(id, row)| (id.clone(), row.clone())));
        cursor = page["cursor"].as_str().unwrap().to_owned();
        if cursor == "0" {
            return seen;
        }
    }
    panic!("the walk has no end");
}

#[apply(each_server)]
fn answers_in_every_form(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let clients = &mut Clients::of(server);
    clients.check("VEHPRICE.SCAN absent 0", r#"["0",{}]"#);
    clients.check("VEHPRICE.SCAN absent 0 COUNT 5 FIELDS 1 a", r#"["0",{}]"#);
    clients.check_json("VEHPRICE.SCAN absent 0 JSON", r#"{"cursor":"0","rows":{}}"#);
    assert_eq!(int(&mut clients.resp2, "EXISTS absent"), 0);
    cmd(&mut clients.resp2, "VEHPRICE.SET t gone PX 1 FIELDS 1 a 0");
    cmd(&mut clients.resp2, "VEHPRICE.SET t 1 FIELDS 2 a 1 b 2");
    rest(3);
    // The words; the reply; with JSON.
    let cases = [
        ("0", r#"["0",{"1":{"a":"1","b":"2"}}]"#, r#"{"cursor":"0","rows":{"1":{"a":"1","b":"2"}}}"#),
        ("0 COUNT 1", r#"["0",{"1":{"a":"1","b":"2"}}]"#, r#"{"cursor":"0","rows":{"1":{"a":"1","b":"2"}}}"#),
        (
            "0 count 100000",
            r#"["0",{"1":{"a":"1","b":"2"}}]"#,
            r#"{"cursor":"0","rows":{"1":{"a":"1","b":"2"}}}"#,
        ),
        (
            "0 FIELDS 2 none a",
            r#"["0",{"1":[null,"1"]}]"#,
            r#"{"cursor":"0","rows":{"1":{"none":null,"a":"1"}}}"#,
        ),
        ("0 FIELDS 1 b COUNT 7", r#"["0",{"1":["2"]}]"#, r#"{"cursor":"0","rows":{"1":{"b":"2"}}}"#),
    ];
    for (rest, native, json) in cases {
        clients.check(&format!("VEHPRICE.SCAN t {rest}"), native);
        clients.check_json(&format!("VEHPRICE.SCAN t {rest} JSON"), json);
        clients.check_json(&format!("vehprice.scan t 0 json{}", &rest[1..]), json);
    }
}

#[apply(each_server)]
fn a_walk_sees_every_row_once(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for size in [1, 10, 63, 64, 65, 129, 1000, 20_000] {
        cmd(con, "DEL t");
        let rows: Vec<String> = (0..size).map(|id| format!("{id} {id}")).collect();
        cmd(con, &format!("VEHPRICE.MSET t FIELDS 1 a ROWS {}", rows.join(" ")));
        for count in [1, 10, 777, 100_000] {
            let mut seen = walk(con, "t", count);
            assert!(seen.iter().all(|(id, row)| row["a"] == id.as_str()));
            seen.sort_by_key(|(id, _)| id.parse::<u64>().unwrap());
            let seen: Vec<&str> = seen.iter().map(|(id, _)| id.as_str()).collect();
            let expected: Vec<String> = (0..size).map(|id| id.to_string()).collect();
            assert!(seen == expected, "{} of {size} rows with COUNT {count}", seen.len());
        }
    }
    // COUNT bounds the work: the pages of a large table are not the whole of it.
    let page = json(con, "VEHPRICE.SCAN t 0 JSON");
    let first = page["rows"].as_object().unwrap().len();
    assert!((10..200).contains(&first), "{first} rows");
}

#[apply(each_server)]
fn any_cursor_is_answered_or_refused(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let rows: Vec<String> = (0..1000).map(|id| format!("{id} {id}")).collect();
    cmd(con, &format!("VEHPRICE.MSET t FIELDS 1 a ROWS {}", rows.join(" ")));
    let mut rng = Rng::seeded(5);
    let random: Vec<u64> = (0..200).map(|shift| rng.below(u64::MAX) >> (shift % 64)).collect();
    for cursor in random.into_iter().chain([1, 2, u64::from(u32::MAX), 1 << 32, u64::MAX - 1, u64::MAX]) {
        let answer = reply(con, &format!("VEHPRICE.SCAN t {cursor}"));
        let refused = "-ERR invalid cursor, expected 0 or what the last call returned";
        assert!(answer.starts_with("[\"") || answer == refused, "{cursor}: {answer}");
    }
}

#[apply(each_server)]
fn rows_that_stay_are_seen_once_while_others_write(#[case] kind: Kind) {
    const STAY: usize = 3000;
    const WRITERS: u64 = 8;
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let stay: Vec<String> = (0..STAY).map(|id| format!("stay:{id} {id}")).collect();
    cmd(con, &format!("VEHPRICE.MSET t EX 1000 FIELDS 1 a ROWS {}", stay.join(" ")));
    let expected: Vec<String> = (0..STAY).map(|id| format!("stay:{id}")).collect();
    let over = &AtomicBool::new(false);
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let mut con = server.connection();
            scope.spawn(move || {
                let mut rng = Rng::seeded(writer);
                while !over.load(Ordering::Relaxed) {
                    write(&mut con, &mut rng, writer, STAY as u64);
                }
            });
        }
        let walks = if server.kind() == Kind::DEFAULT { 40 } else { 12 };
        let _over = Over(over);
        for round in 0..walks {
            let count = [30, 100, 1000][round % 3];
            let mut seen = walk(con, "t", count);
            seen.retain(|(id, _)| id.starts_with("stay:"));
            seen.sort_by_key(|(id, _)| id[5..].parse::<usize>().unwrap());
            let ids: Vec<&str> = seen.iter().map(|(id, _)| id.as_str()).collect();
            assert!(ids == expected, "walk {round} with COUNT {count}: {} rows", ids.len());
            assert!(seen.iter().all(|(id, row)| row["a"] == id[5..]));
        }
    });
    let left = rows(con, "t");
    let left = left.as_object().unwrap().keys().filter(|id| id.starts_with("stay:")).count();
    assert_eq!(left, STAY);
}

/// Lets the table grow and shrink around the rows that stay, and writes some of these again as they are.
fn write(con: &mut Connection, rng: &mut Rng, writer: u64, stay: u64) {
    let first = rng.below(20) * 100;
    let ids = || (first..first + 100).map(|id| format!("{writer}:{id}"));
    match rng.below(6) {
        0..2 => {
            let rows: Vec<String> = ids().map(|id| format!("{id} x")).collect();
            cmd(con, &format!("VEHPRICE.MSET t FIELDS 1 b ROWS {}", rows.join(" ")));
        }
        2..4 => drop(cmd(con, &format!("VEHPRICE.DEL t {}", ids().collect::<Vec<_>>().join(" ")))),
        4 => {
            let rows: Vec<String> = ids().map(|id| format!("{id} x y")).collect();
            cmd(con, &format!("VEHPRICE.MSET t PX 5 FIELDS 2 b c ROWS {}", rows.join(" ")));
        }
        _ => {
            let id = rng.below(stay);
            cmd(con, &format!("VEHPRICE.SET t stay:{id} EX {} FIELDS 1 a {id}", 1000 + id));
        }
    }
}
