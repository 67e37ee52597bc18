//! What claims and clients that wait take, and that one key leaves others their share.

use super::*;

fn used(con: &mut Connection) -> i64 {
    info(con, "memory")["used_memory"].parse().unwrap()
}

/// Claims in many calls, ten ids each; returns how many it got.
fn claim_many(con: &mut Connection, key: &str, ids: usize) -> usize {
    let mut claimed = 0;
    for first in (0..ids).step_by(10) {
        let ids: Vec<String> = (first..first + 10).map(|id| id.to_string()).collect();
        claimed += claim(con, key, &format!("IDS {}", ids.join(" "))).claimed.split_whitespace().count();
    }
    claimed
}

#[apply(each_server)]
fn one_key_cannot_take_all(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    cmd(con, "CONFIG SET quotelock.max-claims 1000");
    assert_eq!(claim_many(con, "greedy", 1000), 500);
    assert_eq!(claim_many(con, "other", 1000), 250);
    assert_eq!(claim_many(con, "third", 100), 100);
    assert_eq!((count(con, "claims_refused"), count(con, "claims_pending")), (1250, 850));
    // Nor can it with a long name: of 512 bytes a claim and 1 MiB half is left to others.
    cmd(con, "FLUSHALL");
    cmd(con, "CONFIG SET quotelock.max-claims 10");
    assert_eq!(claim(con, &"n".repeat(600_000), "IDS 1").token, "none");
    assert_eq!(claim(con, &"n".repeat(500_000), "IDS 1").claimed, "1");
    assert_eq!(claim(con, &"m".repeat(500_000), "IDS 1").token, "none");
    assert_eq!(claim(con, "other", "IDS 1 2").claimed, "1 2");
}

#[apply(each_server)]
fn a_long_name_is_kept_once(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let name = "n".repeat(1 << 20);
    let before = used(con);
    for id in 0..200 {
        assert_eq!(claim(con, &name, &format!("IDS {id}")).claimed, id.to_string());
    }
    // The name, and the client's own buffers.
    let grown = used(con) - before;
    assert!(grown < 10 << 20, "{grown}");
    let bytes = count(con, "claims_bytes");
    assert!((1 << 20..2 << 20).contains(&bytes), "{bytes}");
}

/// `claims_bytes` is about what the memory grows by: many claims in a call, each in a call of its own, and
/// each in a table of its own.
#[apply(each_server)]
fn info_tells_what_claims_take(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    fn claims(calls: usize, command: impl Fn(usize) -> String) -> Vec<String> {
        (0..calls).map(command).collect()
    }
    let ids = |width: usize| (0..20_000).map(|id| format!(" {id:0width$}")).collect::<String>();
    let (short, long) = (ids(14), ids(200));
    let cases = [
        claims(1, |_| format!("VEHPRICE.CLAIM t PX 600000 IDS{short}")),
        claims(1, |_| format!("VEHPRICE.CLAIM t PX 600000 IDS{long}")),
        claims(10_000, |id| format!("VEHPRICE.CLAIM t PX 600000 IDS {id:014}")),
        claims(10_000, |id| format!("VEHPRICE.CLAIM table-{id} PX 600000 IDS {id:014}")),
    ];
    for commands in cases {
        let before = used(con);
        pipelined(con, &commands);
        let (bytes, grown) = (count(con, "claims_bytes"), used(con) - before);
        assert!((grown / 2..grown * 3 / 2).contains(&bytes), "claims_bytes {bytes}, used_memory {grown}");
        cmd(con, "FLUSHALL");
        eventually(TIMEOUT, || (count(con, "claims_bytes") == 0).then_some(()));
        rest(5);
    }
}

/// The ids of a client that waits are in its arguments alone, which the server counts as the client's.
#[apply(each_server)]
fn the_ids_of_a_client_that_waits_are_kept_once(#[case] kind: Kind) {
    const IDS: usize = 20_000;
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let ids: Vec<String> = (0..IDS).map(|id| format!("{id:0250}")).collect();
    claim(con, "t", &format!("IDS {}", ids[0]));
    let read = format!("VEHPRICE.MGET t JSON BLOCK 0 IDS {}", ids.join(" "));
    let before = used(con);
    let mut client = Asked::waiting(server, con, &read);
    // An id of 250 bytes takes 264 to 320 as the server keeps it, and 16 for where it is.
    let grown = used(con) - before;
    assert!(grown < (IDS * 450) as i64, "{grown} bytes for {IDS} ids");
    let bytes = count(con, "claims_bytes");
    assert!((8 * IDS as i64..8 * IDS as i64 + 2000).contains(&bytes), "{bytes}");
    // They are still the ids it asked for when the time comes, however it comes.
    cmd(con, &["VEHPRICE.SET", "t", &ids[IDS - 1], "FIELDS", "1", "a", "x"]);
    cmd(con, &["VEHPRICE.SET", "t", &ids[0], "FIELDS", "1", "a", "y"]);
    let answer = client.answer();
    assert!(answer.starts_with(r#"[{"a":"y"},null,"#) && answer.ends_with(r#",{"a":"x"}]"#));
    assert_eq!((count(con, "claims_waiting"), count(con, "claims_bytes")), (0, 0));
    eventually(TIMEOUT, || (used(con) - before < 1_000_000).then_some(()));
    claim(con, "t", &format!("IDS {}", ids[1]));
    for end in ["hang up", "CLIENT UNBLOCK", "CLIENT KILL ID"] {
        let mut client = Asked::waiting(server, con, &read);
        match end {
            "hang up" => client.hang_up(),
            _ => assert!(!matches!(cmd(con, &format!("{end} {}", client.id)), Value::Nil)),
        }
        eventually(TIMEOUT, || (count(con, "claims_waiting") == 0).then_some(()));
        drop(client);
        eventually(TIMEOUT, || (used(con) - before < 1_000_000).then_some(()));
    }
}

/// Where other threads read commands and free their arguments, those of clients that wait are still there.
#[apply(each_server)]
fn the_ids_are_kept_beside_io_threads(#[case] kind: Kind) {
    const CLIENTS: usize = 60;
    let server = &Server::builder(kind).conf("io-threads 3").start();
    let con = &mut server.connection();
    let ids: Vec<String> = (0..200).map(|id| format!("{id:0100}")).collect();
    let ids = ids.join(" ");
    let read = format!("VEHPRICE.MGET t JSON BLOCK 0 IDS {ids}");
    let mut clients: Vec<Asked> = (0..CLIENTS).map(|_| Asked::of(server, "PING")).collect();
    clients.iter_mut().for_each(|client| assert_eq!(client.answer(), "PONG"));
    for round in 0..10 {
        claim(con, "t", &format!("IDS {ids}"));
        clients.iter_mut().for_each(|client| client.send(&read));
        eventually(TIMEOUT, || (count(con, "claims_waiting") == CLIENTS as i64).then_some(()));
        for client in clients.iter_mut().take(10) {
            client.hang_up();
            *client = Asked::of(server, "PING");
        }
        cmd(con, ["VEHPRICE.CLEAR t", "FLUSHALL"][round % 2]);
        for (number, client) in clients.iter_mut().enumerate() {
            let answer =
                if number < 10 { "PONG".to_owned() } else { format!("[null{}]", ",null".repeat(199)) };
            assert_eq!(client.answer(), answer);
        }
        eventually(TIMEOUT, || (count(con, "claims_waiting") == 0).then_some(()));
    }
    eventually(TIMEOUT, || (count(con, "claims_bytes") == 0).then_some(()));
}
