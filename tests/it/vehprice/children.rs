//! While a child process saves, what only tidies up waits: each page of memory it touches would be copied.

use std::fs;
use std::process::Command;

use redis::Connection;

use crate::harness::*;

/// Rows that expire within half a second, and as many that don't.
const ROWS: i64 = 100_000;

fn fill(con: &mut Connection) {
    for (first, expiry) in [(0, "PX 500"), (1, "PX 600000")] {
        for chunk in (first..ROWS).step_by(2).collect::<Vec<_>>().chunks(10_000) {
            let rows = chunk.iter().map(|id| format!(r#""{id}":{{"styleId":"12","pricingId":"571"}}"#));
            let rows = format!("{{{}}}", rows.collect::<Vec<_>>().join(","));
            let mut words = vec!["VEHPRICE.MSET", "t"];
            words.extend(expiry.split(' '));
            words.extend(["JSON", &rows]);
            cmd(con, &words);
        }
    }
}

/// A child that has saved the table and doesn't end until it is killed.
struct Child(String);

impl Child {
    #[track_caller]
    fn of(con: &mut Connection) -> Self {
        cmd(con, "CONFIG SET rdb-key-save-delay 600000000");
        cmd(con, "BGSAVE");
        let server = &info(con, "server")["process_id"];
        let children = format!("/proc/{server}/task/{server}/children");
        let child = fs::read_to_string(children).unwrap().trim().to_owned();
        assert!(!child.is_empty() && !child.contains(' '), "{child:?}");
        let child = Self(child);
        // It sleeps once it has written the table.
        let state = || fs::read_to_string(format!("/proc/{}/wchan", child.0)).unwrap();
        eventually(TIMEOUT, || state().contains("nanosleep").then_some(()));
        child
    }

    /// The bytes it no longer shares with the server.
    fn own_bytes(&self) -> i64 {
        let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.0)).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("Private_Dirty:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<i64>().unwrap() * 1024
    }

    #[track_caller]
    fn end(self, con: &mut Connection) {
        assert!(Command::new("kill").arg(&self.0).status().unwrap().success());
        eventually(TIMEOUT, || (info(con, "persistence")["rdb_bgsave_in_progress"] == "0").then_some(()));
    }
}

fn swept(con: &mut Connection) -> i64 {
    info(con, "quotelock")["quotelock_rows_expired"].parse().unwrap()
}

/// Reads as many times as sweep the whole table where they do.
fn read(con: &mut Connection) {
    let reads: Vec<String> = (0..2000).map(|id| format!("VEHPRICE.GET t {id} JSON")).collect();
    for (id, answer) in pipelined(con, &reads).iter().enumerate() {
        let row = if id % 2 == 0 { r#""null""# } else { r#""{"styleId":"12","pricingId":"571"}""# };
        assert_eq!(show(answer), row, "{id}");
    }
}

#[apply(each_server)]
fn nothing_is_swept_until_the_child_has_ended(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    fill(con);
    let child = Child::of(con);
    rest(500);
    // What the server itself writes to for as many commands.
    let absent: Vec<String> = (0..2000).map(|id| format!("HGET absent:{id} styleId")).collect();
    let _nil = pipelined(con, &absent);
    let before = (swept(con), child.own_bytes());
    read(con);
    assert_eq!(int(con, "VEHPRICE.LEN t"), ROWS / 2);
    assert_eq!(reply(con, "VEHPRICE.MGET t JSON IDS 0 2 4"), r#""[null,null,null]""#);
    let after = (swept(con), child.own_bytes());
    assert_eq!(after.0, before.0);
    let copied = after.1 - before.1;
    assert!(copied < 1 << 20, "{copied} bytes were copied");
    // Deletions are done, at the cost of the pages they are in.
    let deleted: Vec<String> = (0..2000).map(|id| format!("VEHPRICE.DEL t {id}")).collect();
    let deleted = pipelined(con, &deleted).iter().map(show).filter(|count| count == "1").count();
    assert_eq!(deleted, 1000);
    child.end(con);
    cmd(con, "VEHPRICE.SET t 0 FIELDS 2 styleId 12 pricingId 571");
    eventually(TIMEOUT, || {
        let _swept = pipelined(con, &vec!["VEHPRICE.GET t 1".to_owned(); 100]);
        (swept(con) >= ROWS / 2 - 1000).then_some(())
    });
    assert_eq!(int(con, "VEHPRICE.LEN t"), ROWS / 2 - 1000 + 1);
}
