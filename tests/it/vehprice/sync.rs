//! How a replica gets its tables: a full copy with and without the disk, and what it missed.

use redis::Connection;

use crate::harness::*;

/// Rows of many shapes, with and without an expiry, and some that have expired.
fn fill(con: &mut Connection) {
    let commands: Vec<Vec<String>> = (0..3000)
        .map(|id| {
            let expiry = match id % 4 {
                0 => "PX 3600000",
                1 => "PXAT 4000000000000",
                2 => "PX 1",
                _ => "EX 7200",
            };
            let field = format!("field{}", id % 50);
            let command = format!("VEHPRICE.SET t{} {id} {expiry} FIELDS 2 x {id} {field} v", id % 3);
            command.split(' ').map(str::to_owned).collect()
        })
        .collect();
    pipelined(con, &commands);
    cmd(con, "CONFIG SET quotelock.price-ttl-ms 0");
    cmd(con, &["VEHPRICE.SET", "t0", "long", "FIELDS", "1", "x", &"v".repeat(1 << 20)]);
    cmd(con, "VEHPRICE.SET never a FIELDS 1 x 1");
    cmd(con, "VEHPRICE.MSET over PX 1 FIELDS 1 x ROWS a 1 b 2");
    cmd(con, "PERSIST over");
    rest(5);
}

#[track_caller]
fn same(primary: &mut Connection, replica: &mut Connection, what: &str) {
    in_step(primary, 1);
    let expected = all_tables(primary);
    assert!(expected.len() >= 4, "{what}: {:?}", expected.keys());
    let found = all_tables(replica);
    assert!(found.keys().eq(expected.keys()), "{what}: {:?}", found.keys());
    for (key, table) in &found {
        assert!(table == &expected[key], "{what}: {key} differs");
    }
}

#[apply(each_server)]
fn a_full_copy(#[case] kind: Kind) {
    for (diskless, load) in
        [("no", "disabled"), ("yes", "disabled"), ("yes", "on-empty-db"), ("yes", "swapdb"), ("no", "swapdb")]
    {
        let what = format!("repl-diskless-sync {diskless}, repl-diskless-load {load}");
        let primary = Server::builder(kind)
            .conf("repl-diskless-sync-delay 0")
            .conf(format!("repl-diskless-sync {diskless}"))
            .start();
        let con = &mut primary.connection();
        fill(con);
        let replica = Server::builder(kind).conf(format!("repl-diskless-load {load}")).start();
        follow(&replica, &primary);
        let there = &mut replica.connection();
        same(con, there, &what);
        assert!(!replica.log().contains("Skipping diskless-load"), "{what}: {}", replica.log());

        // Rows that come after the copy find the tables as they were on the primary.
        cmd(con, "VEHPRICE.MSET t1 MERGE FIELDS 1 y ROWS 1 a 4 b");
        cmd(con, "VEHPRICE.DEL t1 7 13");
        same(con, there, &what);
    }
}

/// The replica has tables of its own when the copy comes: they are swapped away.
#[apply(each_server)]
fn a_full_copy_over_other_tables(#[case] kind: Kind) {
    for load in ["disabled", "swapdb"] {
        let primary = primary(kind);
        let con = &mut primary.connection();
        fill(con);
        let replica = Server::builder(kind).conf(format!("repl-diskless-load {load}")).start();
        let there = &mut replica.connection();
        cmd(there, "VEHPRICE.SET t1 other FIELDS 1 x 1");
        cmd(there, "VEHPRICE.SET own a FIELDS 1 x 1");
        follow(&replica, &primary);
        same(con, there, &format!("repl-diskless-load {load}"));
    }
}

/// The link breaks time and again; the replica is sent what it missed, not all of it.
#[apply(each_server)]
fn what_was_missed(#[case] kind: Kind) {
    let primary = Server::builder(kind)
        .conf("repl-diskless-sync-delay 0")
        .conf("repl-backlog-size 64mb")
        .conf("client-output-buffer-limit replica 0 0 0")
        .start();
    let con = &mut primary.connection();
    fill(con);
    let replica = Server::start(kind);
    follow(&replica, &primary);
    let there = &mut replica.connection();
    for round in 0..3 {
        let rng = &mut Rng::seeded(round);
        // Cut off in the midst of a batch.
        for part in 0..4 {
            let commands: Vec<_> = (0..200).map(|_| table_command(rng, "t")).collect();
            pipelined(con, &commands);
            if part % 2 == 0 {
                cmd(con, "CLIENT KILL TYPE replica");
            }
        }
        linked(there);
        rest(2 * SHORT_MS as u64);
        same(con, there, &format!("round {round}"));
    }
    let stats = info(con, "stats");
    assert_eq!(stats["sync_full"], "1");
    assert_ne!(stats["sync_partial_ok"], "0");
}
