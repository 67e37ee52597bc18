//! Active defragmentation moves a table's memory, and nothing of the table changes.

use super::*;

/// The servers here that are built with the allocator it takes.
const CAN: [Kind; 3] = [Kind::REDIS_7_2, Kind::REDIS_7_4, Kind::REDIS_8_2];

const SMALL_TABLES: i64 = 20;

/// A large table, done in steps, and small ones, done at one go; between their pieces strings that go again.
fn fill(con: &mut Connection) {
    let mut commands = Vec::new();
    for batch in 0..4000_i64 {
        let table = |key: &str, rows: i64| {
            let mut command = format!("VEHPRICE.MSET {key} FIELDS 2 styleId pricingId ROWS");
            for id in 0..rows {
                command += &format!(" {} {id} pricing{batch}", batch * rows + id);
            }
            command
        };
        commands.push(table("large", 10));
        commands.push(table(&format!("small:{}", batch % SMALL_TABLES), 1));
        commands
            .push(format!("SET filler:{batch} {}", "x".repeat(usize::try_from(100 + batch % 900).unwrap())));
        if batch % 40 == 0 {
            let names =
                (0..1 + batch % 60).map(|field| format!(" name{field}of{batch} {}", "long".repeat(150)));
            let fields: String = names.collect();
            commands.push(format!("VEHPRICE.SET large shape{batch} FIELDS {}{fields}", 1 + batch % 60));
        }
    }
    commands.extend((0..4000).map(|batch| format!("DEL filler:{batch}")));
    for reply in pipelined(con, &commands) {
        assert!(!matches!(reply, Value::ServerError(_)), "{}", show(&reply));
    }
}

fn count(con: &mut Connection, name: &str) -> i64 {
    info(con, "stats")[name].parse().unwrap()
}

/// Redis 7.2 and 7.4 find too little worth moving here to tell.
#[test]
fn moves_pieces_and_changes_nothing() {
    let server = Server::builder(Kind::REDIS_8_2).module_args("price-ttl-ms 0").start();
    let con = &mut server.connection();
    fill(con);
    let before = all_tables(con);
    assert_eq!(before.len(), 21);
    for setting in [
        "active-defrag-ignore-bytes 1",
        "active-defrag-threshold-lower 0",
        "active-defrag-cycle-min 20",
        "active-defrag-cycle-max 30",
        "activedefrag yes",
    ] {
        cmd(con, &format!("CONFIG SET {setting}"));
    }
    // Besides the tables next to nothing is left that could be moved, and the small ones have fewer pieces
    // than this.
    let moved = eventually(TIMEOUT, || {
        let moved = count(con, "active_defrag_hits");
        (moved > 1000 && count(con, "active_defrag_key_hits") > SMALL_TABLES / 2).then_some(moved)
    });
    println!("{moved} pieces were moved");
    // While it goes on, and when it is done.
    assert!(all_tables(con) == before);
    totals::agree(con, 21, "moved");
    for id in 0..2000 {
        assert_eq!(int(con, &format!("VEHPRICE.DEL large {id}")), 1);
        assert_eq!(int(con, &format!("VEHPRICE.SET large {id} FIELDS 1 new {id}")), 1);
    }
    cmd(con, "CONFIG SET activedefrag no");
    let mut after = all_tables(con);
    let large = after.get_mut("large").unwrap();
    for id in 0..2000 {
        let fields = &mut large.rows.get_mut(&id.to_string()).unwrap().0;
        assert_eq!(*fields, [("new".to_owned(), id.to_string())]);
        *fields = before["large"].rows[&id.to_string()].0.clone();
    }
    assert!(large.rows == before["large"].rows);
    after.remove("large");
    assert!(after.iter().all(|(key, table)| before[key] == *table));
    let bytes = int(con, "MEMORY USAGE large");
    cmd(con, "FLUSHALL");
    assert!(bytes > 1_000_000 && server.log().lines().all(|line| !line.contains("BUG REPORT")));
}

#[apply(each_server)]
fn the_other_servers_refuse_to(#[case] kind: Kind) {
    let server = Server::start(kind);
    let answer = reply(&mut server.connection(), "CONFIG SET activedefrag yes");
    let refused = answer.contains("Active defragmentation cannot be enabled");
    assert_eq!(refused, !CAN.contains(&kind), "{answer}");
}
