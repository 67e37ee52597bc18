//! Clients that wait while their server turns replica: they are told what it tells who waits by its own commands, and
//! nothing is left of them.

use std::time::Duration;

use quotelock_testkit::poll;

use super::sentinels::{Sentinel, signal};
use super::{full, report};
use crate::harness::*;
use crate::vehprice::claims::{Asked, claim, count, pending};
use crate::vehprice::slots::{PAUSES, pair};

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

/// What a client is told: the answer, and that to its `PING`; nothing where it was hung up on.
type Told = (String, String);

fn told(client: &mut Asked) -> Told {
    (client.answer(), client.answer())
}

fn answered(answer: &str) -> Told {
    (answer.to_owned(), "PONG".to_owned())
}

fn hung_up_after(answer: &str) -> Told {
    (answer.to_owned(), String::new())
}

/// What a crowd is told: who waits for rows, and who waits by the server's own commands, if it doesn't wait on.
struct Expected {
    /// Any of these.
    ours: Vec<Told>,
    reads: Option<Told>,
    writes: Told,
}

impl Expected {
    /// All are told the same.
    fn all(told: Told) -> Self {
        Self { ours: vec![told.clone()], reads: Some(told.clone()), writes: told }
    }

    /// Who only reads may go on here. There are no claims to wait for.
    fn reads_on(writes: Told) -> Self {
        Self { ours: vec![answered("[null,null]")], reads: None, writes }
    }

    /// Outside a cluster.
    fn alone(kind: Kind, said: &str, next: &Server) -> Self {
        match (kind, said) {
            (Kind::VALKEY_9_1, "CLIENT CAPA redirect") => Self::all(answered(&redirect(next))),
            (Kind::VALKEY_9_1, "READONLY") => Self::reads_on(hung_up_after(UNBLOCKED)),
            _ => Self::all(hung_up_after(UNBLOCKED)),
        }
    }
}

fn redirect(next: &Server) -> String {
    format!("-REDIRECT 127.0.0.1:{}", next.port())
}

#[track_caller]
fn assert_told(crowds: Vec<Crowd>, expected: impl Fn(&str) -> Expected, what: &str) {
    for mut crowd in crowds {
        let what = format!("{what}, {}", crowd.said);
        let expected = expected(crowd.said);
        let ours = told(&mut crowd.ours);
        assert!(expected.ours.contains(&ours), "{what}: {ours:?}, expected one of {:?}", expected.ours);
        for writes in &mut crowd.writes {
            assert_eq!(told(writes), expected.writes, "{what}");
        }
        match expected.reads {
            Some(expected) => assert_eq!(told(&mut crowd.reads), expected, "{what}"),
            None => assert!(!crowd.reads.is_answered(), "{what}"),
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

/// What a server says of its replication; nothing where Sentinel hangs up on who asks.
fn replication(server: &Server, field: &str) -> String {
    server.info("replication", field).unwrap_or_default()
}

/// Until the one follows the other.
#[track_caller]
fn follows(replica: &Server, primary: &Server) {
    let says = |server, field, what: &str| replication(server, field).contains(what);
    let follows = || says(replica, "role", "slave") && says(replica, "master_link_status", "up");
    let leads = || leads(primary) && says(primary, "slave0", "state=online");
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
    let hows = ["REPLICAOF", "FAILOVER", "FAILOVER TO {to}", "FAILOVER TO {to} FORCE TIMEOUT 60000"];
    let (rounds, mut clients) = (if full() { 20 } else { 1 }, 0);
    let cases = hows.iter().flat_map(|how| PAUSES.map(|pause| (*how, pause)));
    for (how, pause) in (0..rounds).flat_map(|_| cases.clone()) {
        let what = format!("{how} {pause}");
        let (crowds, token) = crowds(from, false);
        clients += 4 * crowds.len();
        cmd(&mut from.connection(), pause);
        turn(how, from, to);
        assert_told(crowds, |said| Expected::alone(kind, said, to), &what);
        nothing_is_left(from, to, &token, "-READONLY ", &what);
        (from, to) = (to, from);
    }
    let changes = rounds * cases.count();
    report(kind, "roles", &format!("{changes} changes of role, {clients} clients that waited"));
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
        cmd(&mut from.connection(), &format!("CLIENT PAUSE 2000 {pause}"));
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
                ("ALL", _) => PENDING,
                (_, "CLIENT CAPA redirect") => &redirect(to),
                _ => "-READONLY You can't write against a read only replica.",
            };
            assert_eq!(told(&mut claims), answered(claimed), "{what}");
            assert_eq!([told(&mut waits)], *Expected::alone(kind, said, to).ours, "{what}");
        }
        nothing_is_left(from, to, &token, "-READONLY ", pause);
        (from, to) = (to, from);
    }
}

/// A failover that is given up after the server has turned replica. Valkey 9.1 tells no one until it ends, and then
/// its own commands wait on; claims are gone.
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
        assert_told(crowds, |_| Expected::all(hung_up_after(UNBLOCKED)), "in progress");
        return;
    }
    for crowd in &mut crowds {
        assert!(!crowd.ours.is_answered(), "{}", crowd.said);
        assert!(crowd.own().all(|own| !own.is_answered()), "{}", crowd.said);
    }
    assert_eq!(reply(con, "FAILOVER ABORT"), "OK");
    for crowd in &mut crowds {
        assert_eq!(told(&mut crowd.ours), answered("[null,null]"), "{}", crowd.said);
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
    let hows = ["SENTINEL FAILOVER hermes"].into_iter().chain(coordinated);
    for (how, pause) in hows.flat_map(|how| PAUSES.map(|pause| (how, pause))) {
        let what = &format!("{how} {pause}");
        let [from, to] = [primary(kind), primary(kind)];
        follow(&to, &from);
        follows(&to, &from);
        let sentinel = Sentinel::watching(&from);
        let client = redis::Client::open(("127.0.0.1", sentinel.port)).unwrap();
        let con = &mut eventually(TIMEOUT, || client.get_connection().ok());
        // It is alone.
        cmd(con, "SENTINEL SET hermes quorum 1");
        let (crowds, token) = crowds(&from, false);
        cmd(&mut from.connection(), pause);
        // Refused before it knows the replica, and while it goes on; what a busy machine doesn't do in time it gives up.
        eventually(3 * TIMEOUT, || match reply(con, how).as_str() {
            "OK" => poll(Duration::from_secs(20), || leads(&to).then_some(())),
            _ => leads(&to).then_some(()),
        });
        follows(&from, &to);
        let expected = |said: &str| match Expected::alone(kind, said, &to) {
            _ if Some(how) != coordinated => Expected::all(hung_up_after("")),
            // Whoever may read on is hung up on a little later, on a busy machine even before it is told anything.
            Expected { reads: None, mut ours, writes } => {
                ours.extend(["[null,null]", ""].map(hung_up_after));
                Expected { ours, reads: Some(hung_up_after("")), writes }
            }
            expected => expected,
        };
        assert_told(crowds, expected, what);
        nothing_is_left(&from, &to, &token, "-READONLY ", what);
    }
}

/// A node with all slots, and its replica.
fn node_and_replica(kind: Kind) -> [Server; 2] {
    let nodes = pair(kind);
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

/// Has a replica take over. What a busy machine doesn't do in five seconds the servers give up: then it is asked again.
fn take_over(replica: &Server, how: &str) {
    eventually(TIMEOUT, || {
        // Refused if it has taken over just now.
        let _refused = try_cmd(&mut replica.connection(), how);
        poll(Duration::from_secs(6), || leads(replica).then_some(()))
    });
}

fn leads(server: &Server) -> bool {
    replication(server, "role") == "master"
}

#[apply(each_server)]
fn in_a_cluster(#[case] kind: Kind) {
    let hows = ["CLUSTER FAILOVER", "CLUSTER FAILOVER FORCE", "CLUSTER FAILOVER TAKEOVER"];
    for (how, pause) in hows.into_iter().flat_map(|how| PAUSES.map(|pause| (how, pause))) {
        let what = format!("{how} {pause}");
        let [from, to] = node_and_replica(kind);
        let (crowds, token) = crowds(&from, true);
        cmd(&mut from.connection(), pause);
        take_over(&to, how);
        follows(&from, &to);
        let slot = int(&mut to.connection(), "CLUSTER KEYSLOT a");
        let moved = format!("-MOVED {slot} 127.0.0.1:{}", to.port());
        let expected = |said: &str| match kind {
            Kind::VALKEY_9_1 if said == "READONLY" => Expected::reads_on(answered(&moved)),
            Kind::VALKEY_9_1 => Expected::all(answered(&moved)),
            _ => Expected::all(hung_up_after(UNBLOCKED)),
        };
        assert_told(crowds, expected, &what);
        nothing_is_left(&from, &to, &token, &moved, &what);
    }
}
