//! Many clients that wait: none is forgotten, none is left behind, and others are served meanwhile.
//!
//! `QUOTELOCK_FULL=1` has 5,000 wait, for 8,000 rows each, and prints what it took.

use std::thread;

use super::*;

/// How many wait, and for how many rows.
fn size() -> (usize, usize) {
    if std::env::var_os("QUOTELOCK_FULL").is_some() { (5000, 8000) } else { (300, 200) }
}

fn ids(rows: usize) -> Vec<String> {
    (0..rows).map(|id| id.to_string()).collect()
}

/// As many clients as wait, each for these rows.
fn crowd(server: &Server, con: &mut Connection, waiting: usize, command: &str) -> Vec<Asked> {
    let clients: Vec<Asked> = (0..waiting).map(|_| Asked::of(server, command)).collect();
    eventually(TIMEOUT, || (count(con, "claims_waiting") == waiting as i64).then_some(()));
    clients
}

#[track_caller]
fn none_is_left(con: &mut Connection) {
    eventually(TIMEOUT, || (count(con, "claims_waiting") == 0).then_some(()));
    eventually(TIMEOUT, || (info(con, "clients")["blocked_clients"] == "0").then_some(()));
}

fn server(kind: Kind) -> Server {
    Server::builder(kind).conf("maxclients 9000").conf("repl-diskless-sync-delay 0").start()
}

#[test]
fn many_are_woken_by_one_write() {
    let (waiting, rows) = size();
    let server = server(Kind::DEFAULT);
    let con = &mut server.connection();
    let ids = ids(rows);
    claim(con, "t", &format!("IDS {}", ids.join(" ")));
    let read = format!("VEHPRICE.MGET t JSON BLOCK 0 IDS {}", ids.join(" "));
    let clients = crowd(&server, con, waiting, &read);
    println!(
        "{waiting} wait for {rows} rows each: used_memory_human {}",
        info(con, "memory")["used_memory_human"]
    );

    // Another client meanwhile: before, and while they are woken.
    let mset: String = ids.iter().map(|id| format!(" {id} price-of-{id}")).collect();
    let mset = format!("VEHPRICE.MSET t FIELDS 1 price ROWS{mset}");
    let other = &mut server.connection();
    let before = latencies(other, |asked| asked < 1000);
    let readers = read_all(clients, move |answer| assert_eq!(answer.matches("price-of-").count(), rows));
    let began = Instant::now();
    cmd(con, &mset);
    println!("the write took {:?}", began.elapsed());
    let during = latencies(other, |_| count(con, "claims_waiting") > 0);
    println!("all woken after {:?}", began.elapsed());
    println!("others: before {}, while waking {}", shown(before), shown(during.clone()));
    // The server goes on meanwhile: far from the time it takes to wake them all.
    assert!(during.iter().all(|took| *took < TIMEOUT / 10), "{}", shown(during));
    readers.into_iter().for_each(|reader| reader.join().unwrap());
    none_is_left(con);
}

/// Reads what each client is answered. A thread for each would leave the server no time.
fn read_all(
    mut clients: Vec<Asked>,
    check: impl Fn(String) + Copy + Send + 'static,
) -> Vec<thread::JoinHandle<()>> {
    const READERS: usize = 2;
    let each = clients.len().div_ceil(READERS);
    let shares = (0..READERS).map(|_| clients.split_off(clients.len().saturating_sub(each)));
    shares
        .map(|share| thread::spawn(move || share.into_iter().for_each(|mut client| check(client.answer()))))
        .collect()
}

/// How long each of many reads of another client took, at least twenty.
fn latencies(con: &mut Connection, mut goes_on: impl FnMut(usize) -> bool) -> Vec<Duration> {
    let mut took = Vec::new();
    loop {
        for _ in 0..20 {
            let began = Instant::now();
            cmd(con, "VEHPRICE.GET t 1");
            took.push(began.elapsed());
        }
        if !goes_on(took.len()) {
            return took;
        }
    }
}

fn shown(mut took: Vec<Duration>) -> String {
    took.sort();
    let at = |share: usize| took.get(took.len() * share / 100).copied().unwrap_or_default();
    format!("p50 {:?}, p99 {:?}, most {:?} of {}", at(50), at(99), took.last().unwrap(), took.len())
}

/// Each of a crowd is let go in another way, and each is answered what is its own, once.
#[apply(each_server)]
fn none_is_left_behind(#[case] kind: Kind) {
    let (waiting, rows) = (size().0, 20);
    let server = server(kind);
    let con = &mut server.connection();
    let used = |con: &mut Connection| info(con, "memory")["used_memory"].parse::<i64>().unwrap();
    let before = used(con);
    for round in 0..3 {
        let read = |id: usize| format!("VEHPRICE.MGET t JSON BLOCK 0 IDS {id} x");
        let all = format!("IDS {} x", ids(rows).join(" "));
        let token = claim(con, "t", &all).token;
        let mut clients: Vec<Asked> =
            (0..waiting).map(|number| Asked::of(&server, &read(number % rows))).collect();
        eventually(TIMEOUT, || (count(con, "claims_waiting") == waiting as i64).then_some(()));
        // A third is hung up on or unblocked; of the rest a row each is stored, deleted, released; x is last.
        let mut gone = 0;
        for (number, client) in clients.iter_mut().enumerate() {
            match number % 6 {
                0 => {
                    client.hang_up();
                    gone += 1;
                }
                1 => {
                    assert_eq!(int(con, &format!("CLIENT UNBLOCK {}", client.id)), 1);
                    assert_eq!(client.answer(), "[null,null]");
                    gone += 1;
                }
                _ => {}
            }
        }
        let left = waiting as i64 - gone;
        eventually(TIMEOUT, || (count(con, "claims_waiting") == left).then_some(()));
        for id in 0..rows {
            match id % 3 {
                0 => cmd(con, &format!("VEHPRICE.SET t {id} FIELDS 1 a new")),
                1 => cmd(con, &format!("VEHPRICE.DEL t {id}")),
                _ => cmd(con, &format!("VEHPRICE.RELEASE t {token} {id}")),
            };
        }
        rest(5);
        assert_eq!(count(con, "claims_waiting"), left);
        cmd(con, ["VEHPRICE.CLEAR t", "DEL t", "FLUSHALL"][round]);
        for (number, client) in clients.iter_mut().enumerate() {
            if number % 6 > 1 {
                assert_eq!(client.answer(), "[null,null]", "{number}");
            }
        }
        cmd(con, "VEHPRICE.CLEAR t");
        none_is_left(con);
    }
    eventually(TIMEOUT, || (used(con) - before < 3_000_000).then_some(()));
}

#[apply(each_server)]
fn failover_and_shutdown_end_it(#[case] kind: Kind) {
    let waiting = size().0;
    let (mut server, other) = (server(kind), server(kind));
    let con = &mut server.connection();
    claim(con, "t", "IDS 1");
    let clients = crowd(&server, con, waiting, "VEHPRICE.MGET t BLOCK 0 IDS 1");
    follow(&server, &other);
    for mut client in clients {
        let answer = client.answer();
        assert!(answer.starts_with("-UNBLOCKED force unblock"), "{answer}");
    }
    none_is_left(con);
    cmd(con, "REPLICAOF NO ONE");
    claim(con, "t", "IDS 1");
    let mut clients = crowd(&server, con, waiting, "VEHPRICE.MGET t BLOCK 0 IDS 1");
    server.stop();
    assert!(clients.iter_mut().all(|client| client.answer().is_empty()));
    assert!(!server.log().contains("panicked") && !server.log().contains("crashed"), "{}", server.log_tail());
}

/// Claims that end with their table count no more at once, and their memory is given back though nobody does
/// anything.
#[apply(each_server)]
fn what_ends_with_its_table_is_given_back(#[case] kind: Kind) {
    const CLAIMS: usize = 50_000;
    let server = server(kind);
    let con = &mut server.connection();
    let used = |con: &mut Connection| info(con, "memory")["used_memory"].parse::<i64>().unwrap();
    let all = format!("IDS {}", ids(CLAIMS).join(" "));
    let before = used(con);
    for end in ["VEHPRICE.CLEAR t", "DEL t", "FLUSHALL"] {
        cmd(con, "VEHPRICE.SET t there FIELDS 1 a x");
        claim(con, "t", &all);
        assert!(used(con) - before > 3_000_000);
        cmd(con, end);
        assert_eq!(count(con, "claims_pending"), 0);
        eventually(TIMEOUT, || (used(con) - before < 1_500_000).then_some(()));
    }
}

/// A server that sleeps while claims end and clients go wakes them all afterwards.
#[apply(each_server)]
fn a_server_that_was_held_up_wakes_all(#[case] kind: Kind) {
    let server = server(kind);
    let con = &mut server.connection();
    let claim = |ms: u64| format!("VEHPRICE.CLAIM t PX {ms} TOKEN {OWN} IDS 1");
    cmd(con, &claim(600_000));
    let mut clients = crowd(&server, con, 50, "VEHPRICE.MGET t BLOCK 0 JSON IDS 1");
    // Under its own token the claim begins anew.
    cmd(con, &claim(1000));
    let mut sleeper = Asked::of(&server, "DEBUG SLEEP 1.5");
    for client in clients.iter_mut().take(10) {
        client.hang_up();
    }
    assert_eq!(sleeper.answer(), "OK");
    for client in clients.iter_mut().skip(10) {
        assert_eq!(client.answer(), "[null]");
        client.send("PING");
        assert_eq!(client.answer(), "PONG");
    }
    none_is_left(con);
}
