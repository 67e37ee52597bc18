//! Replicas, a Cluster, a restart, a full server.

use super::*;

/// A primary and its replica.
fn pair(kind: Kind) -> (Server, Server) {
    let primary = primary(kind);
    let replica = Server::start(kind);
    follow(&replica, &primary);
    (primary, replica)
}

#[apply(each_server)]
fn a_replica_answers_and_is_sent_nothing_but_the_switch(#[case] kind: Kind) {
    let (primary, replica) = pair(kind);
    let mut stream = FakeReplica::of(&primary);
    let (con, there) = (&mut primary.connection(), &mut replica.connection());
    for (values, [tag, tag_old], [route, _]) in MODES {
        put(con, values[1]);
        in_step(con, 1);
        // On both, and on the replica more than once.
        for con in [&mut *con, there] {
            for _ in 0..2 {
                let tags = reply(con, "PRICEPLAN.TAG toggle 571 571_old");
                assert_eq!(tags, format!(r#"["{tag}", "{tag_old}"]"#));
                assert_eq!(reply(con, "PRICEPLAN.ROUTE toggle 571"), format!(r#"[["{route}", "571"]]"#));
            }
        }
    }
    let sent = ["SET toggle 1", "SET toggle new", "SET toggle both", "SET toggle back"];
    assert_eq!(stream.lines(con), sent);
    assert_eq!(keyspace(there), keyspace(con));
}

/// A switch for a while: its end is seen at once, though the replica still has the key.
#[apply(each_server)]
fn a_toggle_that_has_expired_is_none(#[case] kind: Kind) {
    let (primary, replica) = pair(kind);
    let (con, there) = (&mut primary.connection(), &mut replica.connection());
    cmd(con, "DEBUG SET-ACTIVE-EXPIRE 0");
    cmd(con, "SET toggle new PX 1000");
    let expiry = int(con, "PEXPIRETIME toggle");
    in_step(con, 1);
    let before = reply(there, "PRICEPLAN.TAG toggle 571");
    assert!(before == r#"["571"]"# || now() >= expiry, "{before}");
    eventually(TIMEOUT, || (now() > expiry).then_some(()));
    assert_eq!(reply(there, "PRICEPLAN.TAG toggle 571"), r#"["571_old"]"#);
    assert_eq!(int(there, "DBSIZE"), 1);
    assert_eq!(reply(con, "PRICEPLAN.TAG toggle 571"), r#"["571_old"]"#);
}

#[apply(each_server)]
fn in_a_cluster_is_where_the_toggle_is(#[case] kind: Kind) {
    let server = Server::builder(kind).conf("cluster-enabled yes").start();
    let con = &mut server.connection();
    for words in ["PRICEPLAN.TAG toggle 571", "PRICEPLAN.ROUTE toggle 571"] {
        assert_eq!(error(con, words), "CLUSTERDOWN Hash slot not served");
    }
    cmd(con, "CLUSTER ADDSLOTSRANGE 0 16383");
    eventually(TIMEOUT, || text(con, "CLUSTER INFO").contains("cluster_state:ok").then_some(()));
    // The ids are no keys: they need not share its slot.
    cmd(con, "SET toggle 3");
    assert_eq!(reply(con, "PRICEPLAN.TAG toggle 571 572_old 573"), r#"["571", "572_old", "573"]"#);
}

#[apply(each_server)]
fn a_restart_keeps_the_toggle_and_a_full_server_answers(#[case] kind: Kind) {
    let mut server = Server::builder(kind).conf("appendonly yes").start();
    let con = &mut server.connection();
    cmd(con, "SET toggle back");
    cmd(con, "PRICEPLAN.TAG toggle 571");
    cmd(con, "CONFIG SET maxmemory 1");
    assert_eq!(reply(con, "PRICEPLAN.ROUTE toggle 571"), r#"[["Retired", "571"]]"#);
    assert!(error(con, "SET toggle 1").starts_with("OOM "));
    cmd(con, "CONFIG SET maxmemory 0");
    rewrite(con);
    server.restart();
    let con = &mut server.connection();
    assert_eq!(
        reply(con, "PRICEPLAN.ROUTE toggle 571 571_old"),
        r#"[["Retired", "571"], ["Legacy", "571"]]"#
    );
}
