//! Clients that wait while their server turns replica: they are told what it tells who waits by its own commands, and
//! nothing is left of them.

use super::*;
use crate::reliability::sentinels::{Sentinel, signal};

/// What clients say before they wait.
const SAID: [&str; 3] = ["PING", "READONLY", "CLIENT CAPA redirect"];

/// A wait of ours, and waits by the server's own commands.
const OURS: &str = "VEHPRICE.MGET {a}:t BLOCK 0 JSON IDS 1 2";
const READS: &str = "XREAD BLOCK 0 STREAMS {a}:stream $";
const WRITES: [&str; 2] = ["BLPOP {a}:list 0", "BLMPOP 0 1 {a}:list LEFT"];

const UNBLOCKED: &str =
    "-UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)";

/// Whether the server knows the words.
fn knows(kind: Kind, said: &str, in_cluster: bool) -> bool {
    match said {
        "READONLY" => in_cluster || kind.is_valkey(),
        "CLIENT CAPA redirect" => kind.is_valkey(),
        _ => true,
    }
}

impl Asked {
    /// A client that has said this.
    fn saying(server: &Server, said: &str) -> Self {
        let mut client = Self::of(server, said);
        assert!(["OK", "PONG"].contains(&client.answer().as_str()), "{said}");
        client
    }

    /// Sends a command and a `PING` in one piece: what that is answered shows that there was one answer and no more, or
    /// that the client was hung up on.
    fn send_and_ping(&mut self, command: &str) {
        let mut bytes = Vec::new();
        pack(&mut bytes, &command.words());
        pack(&mut bytes, &["PING"]);
        self.connection.send(&bytes).unwrap();
    }
}

/// Clients that have said the same, and wait.
struct Crowd {
    said: &'static str,
    ours: Asked,
    reads: Asked,
    writes: [Asked; 2],
}

impl Crowd {
    fn of(server: &Server, said: &'static str) -> Self {
        let waiting = |command: &str| {
            let mut client = Asked::saying(server, said);
            client.send_and_ping(command);
            client
        };
        Self { said, ours: waiting(OURS), reads: waiting(READS), writes: WRITES.map(waiting) }
    }

    /// The server's own commands.
    fn own(&mut self) -> impl Iterator<Item = &mut Asked> {
        self.writes.iter_mut().chain([&mut self.reads])
    }
}

/// Crowds of all sorts, once all of them wait for a row that is claimed. Returns the claim's token too.
fn crowds(server: &Server, in_cluster: bool) -> (Vec<Crowd>, String) {
    let con = &mut server.connection();
    let token = claim(con, "{a}:t", "IDS 1").token;
    let said = SAID.into_iter().filter(|said| knows(server.kind(), said, in_cluster));
    let crowds: Vec<Crowd> = said.map(|said| Crowd::of(server, said)).collect();
    let all = (4 * crowds.len()).to_string();
    eventually(TIMEOUT, || (info(con, "clients")["blocked_clients"] == all).then_some(()));
    assert_eq!(count(con, "claims_waiting"), crowds.len() as i64);
    (crowds, token)
}

/// The answer, and to the `PING` after it: nothing where the client was hung up on.
fn told(client: &mut Asked) -> (String, String) {
    (client.answer(), client.answer())
}

/// What a client is told whose server turns replica.
struct Told {
    answer: String,
    hangs_up: bool,
    /// Who only reads waits on.
    reads_on: bool,
}

impl Told {
    fn hung_up() -> Self {
        Self { answer: String::new(), hangs_up: true, reads_on: false }
    }

    fn unblocked(reads_on: bool) -> Self {
        Self { answer: UNBLOCKED.to_owned(), hangs_up: true, reads_on }
    }

    fn sent_on(answer: String, reads_on: bool) -> Self {
        Self { answer, hangs_up: false, reads_on }
    }

    /// Outside a cluster.
    fn alone(kind: Kind, said: &str, next: &Server) -> Self {
        match (kind, said) {
            (Kind::VALKEY_9_1, "CLIENT CAPA redirect") => {
                Self::sent_on(format!("-REDIRECT 127.0.0.1:{}", next.port()), false)
            }
            (Kind::VALKEY_9_1, "READONLY") => Self::unblocked(true),
            _ => Self::unblocked(false),
        }
    }
}

/// Each was told what is expected of who has said this, whether it waits for rows or by the server's own commands.
#[track_caller]
fn assert_told(crowds: Vec<Crowd>, expected: impl Fn(&str) -> Told, what: &str) {
    for mut crowd in crowds {
        let what = format!("{what}, {}", crowd.said);
        let Told { answer, hangs_up, reads_on } = expected(crowd.said);
        let expected = (answer, if hangs_up { "" } else { "PONG" }.to_owned());
        for writes in &mut crowd.writes {
            assert_eq!(told(writes), expected, "{what}");
        }
        if reads_on {
            // A replica has no claims to wait for.
            assert_eq!(told(&mut crowd.ours), ("[null,null]".to_owned(), "PONG".to_owned()), "{what}");
            assert!(!crowd.reads.is_answered(), "{what}");
        } else {
            assert_eq!(told(&mut crowd.reads), expected, "{what}");
            assert_eq!(told(&mut crowd.ours), expected, "{what}");
        }
    }
}

/// Nothing is left of who has waited, nor of the claims: not on the one that turned replica, nor on the next primary.
#[track_caller]
fn nothing_is_left(old: &Server, new: &Server, token: &str, refusal: &str, what: &str) {
    let con = &mut old.connection();
    eventually(TIMEOUT, || (info(con, "clients")["blocked_clients"] == "0").then_some(()));
    for name in ["claims_waiting", "claims_pending", "claims_bytes"] {
        assert_eq!(count(con, name), 0, "{what}: {name}");
    }
    let refused = reply(con, "VEHPRICE.CLAIM {a}:t PX 1000 IDS 1");
    assert!(refused.starts_with(refusal), "{what}: {refused}");
    let con = &mut new.connection();
    assert_eq!(pending(con, "{a}:t", "1"), "", "{what}");
    assert_eq!(int(con, &format!("VEHPRICE.SET {{a}}:t 1 TOKEN {token} FIELDS 1 a x")), 0, "{what}");
}

/// Until the one follows the other. Sentinel may hang up on who asks.
#[track_caller]
fn follows(replica: &Server, primary: &Server) {
    let state =
        |server: &Server, field: &str| server.info::<String>("replication", field).unwrap_or_default();
    let follows = || state(replica, "role") == "slave" && state(replica, "master_link_status") == "up";
    let leads = || state(primary, "role") == "master" && state(primary, "slave0").contains("state=online");
    eventually(TIMEOUT, || (follows() && leads()).then_some(()));
}

/// Has the one turn replica of the other.
fn turn(how: &str, from: &Server, to: &Server) {
    let port = to.port();
    // On a connection of its own, for a paused server answers later.
    let run = |server: &Server, command: &str| {
        assert_eq!(reply(&mut server.connection(), command), "OK", "{command}")
    };
    match how {
        "REPLICAOF" => {
            run(to, "REPLICAOF NO ONE");
            run(from, &format!("REPLICAOF 127.0.0.1 {port}"));
        }
        _ => run(from, &how.replace("{to}", &format!("127.0.0.1 {port}"))),
    }
    follows(from, to);
}

/// To and fro, so that each is primary again after it was a replica.
#[apply(each_server)]
fn as_the_server_s_own_commands(#[case] kind: Kind) {
    let servers = [primary(kind), primary(kind)];
    let [mut from, mut to] = [&servers[0], &servers[1]];
    follow(to, from);
    follows(to, from);
    for how in ["REPLICAOF", "FAILOVER", "FAILOVER TO {to}", "FAILOVER TO {to} FORCE TIMEOUT 60000"] {
        for pause in ["", "CLIENT PAUSE 200 WRITE", "CLIENT PAUSE 200 ALL"] {
            let what = format!("{how} {pause}");
            let (crowds, token) = crowds(from, false);
            if !pause.is_empty() {
                cmd(&mut from.connection(), pause);
            }
            turn(how, from, to);
            assert_told(crowds, |said| Told::alone(kind, said, to), &what);
            nothing_is_left(from, to, &token, "-READONLY ", &what);
            (from, to) = (to, from);
        }
    }
}

/// A call that comes while the server is paused is answered once, by what the server is when it runs: after it turned
/// replica where only writes are paused, before where all is, as calls then run in the order in which they came.
#[apply(each_server)]
fn what_is_sent_while_paused(#[case] kind: Kind) {
    const CLAIM: &str = "VEHPRICE.CLAIM {a}:t PX 1000 JSON IDS 1";
    const PENDING: &str = r#"{"token":null,"rows":[null],"claimed":[],"pending":["1"]}"#;
    let servers = [primary(kind), primary(kind)];
    let [mut from, mut to] = [&servers[0], &servers[1]];
    follow(to, from);
    follows(to, from);
    for pause in ["WRITE", "ALL"] {
        let said: Vec<&str> = SAID.into_iter().filter(|said| knows(kind, said, false)).collect();
        let token = claim(&mut from.connection(), "{a}:t", "IDS 1").token;
        let clients = said.iter().map(|said| [Asked::saying(from, said), Asked::saying(from, said)]);
        let mut clients: Vec<[Asked; 2]> = clients.collect();
        cmd(&mut from.connection(), &format!("CLIENT PAUSE 500 {pause}"));
        for [claims, waits] in &mut clients {
            claims.send_and_ping(CLAIM);
            waits.send_and_ping(OURS);
        }
        // Until they have come.
        rest(100);
        turn("REPLICAOF", from, to);
        for ([mut claims, mut waits], said) in clients.into_iter().zip(said) {
            let what = format!("{pause}, {said}");
            let claimed = match (pause, said) {
                ("ALL", _) => PENDING.to_owned(),
                (_, "CLIENT CAPA redirect") => format!("-REDIRECT 127.0.0.1:{}", to.port()),
                _ => "-READONLY You can't write against a read only replica.".to_owned(),
            };
            assert_eq!(told(&mut claims), (claimed, "PONG".to_owned()), "{what}");
            let Told { answer, hangs_up, reads_on } = Told::alone(kind, said, to);
            let answer = if reads_on { "[null,null]".to_owned() } else { answer };
            let ping = if hangs_up && !reads_on { "" } else { "PONG" };
            assert_eq!(told(&mut waits), (answer, ping.to_owned()), "{what}");
        }
        nothing_is_left(from, to, &token, "-READONLY ", pause);
        (from, to) = (to, from);
    }
}

/// A failover that is given up after the server has turned replica. Valkey 9.1 tells no one until it is over, and then
/// its own commands wait on; claims have ended.
#[apply(each_server)]
fn a_failover_that_is_given_up(#[case] kind: Kind) {
    let [from, to] = [primary(kind), primary(kind)];
    follow(&to, &from);
    follows(&to, &from);
    let (mut crowds, _) = crowds(&from, false);
    signal(&info(&mut to.connection(), "server")["process_id"], "-STOP");
    let con = &mut from.connection();
    cmd(con, &format!("FAILOVER TO 127.0.0.1 {} FORCE TIMEOUT 1", to.port()));
    eventually(TIMEOUT, || {
        (info(con, "replication")["master_failover_state"] == "failover-in-progress").then_some(())
    });
    // Longer than the module looks for what is to be told.
    rest(300);
    if kind != Kind::VALKEY_9_1 {
        assert_told(crowds, |_| Told::unblocked(false), "in progress");
        return;
    }
    for crowd in &mut crowds {
        assert!(!crowd.ours.is_answered(), "{}", crowd.said);
        assert!(crowd.own().all(|own| !own.is_answered()), "{}", crowd.said);
    }
    assert_eq!(reply(con, "FAILOVER ABORT"), "OK");
    for crowd in &mut crowds {
        assert_eq!(told(&mut crowd.ours), ("[null,null]".to_owned(), "PONG".to_owned()), "{}", crowd.said);
        assert!(crowd.own().all(|own| !own.is_answered()), "{}", crowd.said);
    }
    assert_eq!(count(con, "claims_waiting"), 0);
    assert_eq!(claim(con, "{a}:t", "IDS 1").claimed, "1");
}

/// Sentinel hangs up on all clients of a server that it has turn replica; not where it has the server hand over by
/// itself.
#[apply(two_servers)]
fn by_sentinel(#[case] kind: Kind) {
    let coordinated = (kind == Kind::VALKEY_9_1).then_some("SENTINEL FAILOVER hermes COORDINATED");
    for how in ["SENTINEL FAILOVER hermes"].into_iter().chain(coordinated) {
        let [from, to] = [primary(kind), primary(kind)];
        follow(&to, &from);
        follows(&to, &from);
        let sentinel = Sentinel::watching(&from);
        let client = redis::Client::open(("127.0.0.1", sentinel.port)).unwrap();
        let con = &mut eventually(TIMEOUT, || client.get_connection().ok());
        // It is alone.
        cmd(con, "SENTINEL SET hermes quorum 1");
        let (mut crowds, token) = crowds(&from, false);
        // Not before it knows the replica.
        eventually(TIMEOUT, || (reply(con, how) == "OK").then_some(()));
        follows(&from, &to);
        if Some(how) == coordinated {
            // In the end it hangs up on whoever waits on, too.
            crowds.retain(|crowd| crowd.said != "READONLY");
            assert_told(crowds, |said| Told::alone(kind, said, &to), how);
        } else {
            assert_told(crowds, |_| Told::hung_up(), how);
        }
        nothing_is_left(&from, &to, &token, "-READONLY ", how);
    }
}

/// A node with all slots, and its replica.
fn node_and_replica(kind: Kind) -> [Server; 2] {
    let nodes = crate::vehprice::slots::pair(kind);
    let [first, second] = [&nodes[0], &nodes[1]].map(Server::connection);
    let [first, second] = &mut [first, second];
    let [first_id, second_id] = [&mut *first, &mut *second].map(|con| text(con, "CLUSTER MYID"));
    cmd(second, &format!("CLUSTER REPLICATE {first_id}"));
    linked(second);
    follows(&nodes[1], &nodes[0]);
    // The first knows it as its replica, whose election it takes part in.
    eventually(TIMEOUT, || {
        let known = text(first, "CLUSTER NODES");
        let line = known.lines().find(|line| line.starts_with(&second_id))?;
        line.contains("slave").then_some(())
    });
    nodes
}

#[apply(each_server)]
fn in_a_cluster(#[case] kind: Kind) {
    let cases = [
        ("CLUSTER FAILOVER", ""),
        ("CLUSTER FAILOVER", "CLIENT PAUSE 200 WRITE"),
        ("CLUSTER FAILOVER", "CLIENT PAUSE 200 ALL"),
        ("CLUSTER FAILOVER FORCE", ""),
        ("CLUSTER FAILOVER FORCE", "CLIENT PAUSE 200 ALL"),
        ("CLUSTER FAILOVER TAKEOVER", ""),
        ("CLUSTER FAILOVER TAKEOVER", "CLIENT PAUSE 200 WRITE"),
    ];
    for (how, pause) in cases {
        let what = format!("{how} {pause}");
        let [from, to] = node_and_replica(kind);
        let (crowds, token) = crowds(&from, true);
        if !pause.is_empty() {
            cmd(&mut from.connection(), pause);
        }
        assert_eq!(reply(&mut to.connection(), how), "OK", "{what}");
        follows(&from, &to);
        let slot = int(&mut to.connection(), "CLUSTER KEYSLOT a");
        let moved = format!("-MOVED {slot} 127.0.0.1:{}", to.port());
        let expected = |said: &str| match kind {
            Kind::VALKEY_9_1 => Told::sent_on(moved.clone(), said == "READONLY"),
            _ => Told::unblocked(false),
        };
        assert_told(crowds, expected, &what);
        nothing_is_left(&from, &to, &token, &moved, &what);
    }
}
