//! What a command tells those who listen: events, what to forget, changes.

use std::sync::mpsc::{Receiver, channel};

use quotelock_testkit::Server;
use redis::{Connection, PushInfo, PushKind};

use super::call::{cmd, info, reply, show};

/// The reply to a command, and the events that it raises in order, as `event key`.
pub(crate) fn events(server: &Server, con: &mut Connection, words: &str) -> (String, Vec<String>) {
    let mut listener = server.connection();
    let mut listener = listener.as_pubsub();
    listener.psubscribe("__keyevent@0__:*").unwrap();
    listener.subscribe("done").unwrap();
    let answer = reply(con, words);
    cmd(con, "PUBLISH done .");
    let mut events = Vec::new();
    loop {
        let message = listener.get_message().unwrap();
        let Some(event) = message.get_channel_name().strip_prefix("__keyevent@0__:") else {
            return (answer, events);
        };
        events.push(format!("{event} {}", message.get_payload::<String>().unwrap()));
    }
}

/// A client that caches what it reads, and is told which keys to forget.
pub(crate) struct Cache {
    con: Connection,
    pushes: Receiver<PushInfo>,
}

impl Cache {
    #[track_caller]
    pub(crate) fn of(server: &Server) -> Self {
        let mut con = server.connection_resp3();
        let (sender, pushes) = channel();
        con.set_push_sender(sender);
        cmd(&mut con, "CLIENT TRACKING ON");
        Self { con, pushes }
    }

    #[track_caller]
    pub(crate) fn read(&mut self, words: &str) {
        self.forgotten();
        cmd(&mut self.con, words);
    }

    /// The keys it was told to forget since it was last asked.
    #[track_caller]
    pub(crate) fn forgotten(&mut self) -> Vec<String> {
        // A push comes before the reply to what was asked later.
        cmd(&mut self.con, "PING");
        let told = self.pushes.try_iter().filter(|push| push.kind == PushKind::Invalidate);
        told.flat_map(|push| push.data).map(|keys| show(&keys)).collect()
    }
}

/// A call on a key, and whether it changes it.
pub(crate) type Call = (&'static str, &'static str, bool);

/// Makes each call after `fill` while a client has read its key in each of the ways, in which `{K}` is the
/// key. The client is told to forget the key by those calls alone that change it.
#[track_caller]
pub(crate) fn only_changes_empty_a_cache(
    server: &Server,
    fill: fn(&mut Connection),
    reads: &[&str],
    calls: &[Call],
) {
    let (con, mut cache) = (&mut server.connection(), Cache::of(server));
    for (key, words, changes) in calls {
        for read in reads {
            fill(con);
            cache.read(&read.replace("{K}", key));
            cmd(con, *words);
            let expected = if *changes { vec![format!(r#"["{key}"]"#)] } else { vec![] };
            assert_eq!(cache.forgotten(), expected, "{words} after {read}");
        }
    }
}

/// Makes each call after `fill` while another client watches its key: those alone abort a transaction that
/// change the key.
#[track_caller]
pub(crate) fn only_changes_abort_a_watch(server: &Server, fill: fn(&mut Connection), calls: &[Call]) {
    let (con, other) = (&mut server.connection(), &mut server.connection());
    for (key, words, changes) in calls {
        fill(other);
        assert_eq!(aborts_a_watch(con, other, key, words), *changes, "{words}");
    }
}

/// By how much a command, refused or not, moves counters of `INFO quotelock`.
#[track_caller]
pub(crate) fn growth<const N: usize>(con: &mut Connection, counters: &[&str; N], words: &str) -> [i64; N] {
    let count = |con: &mut Connection| {
        let counts = info(con, "quotelock");
        counters.map(|name| counts[&format!("quotelock_{name}")].parse::<i64>().unwrap())
    };
    let before = count(con);
    let _reply = reply(con, words);
    let after = count(con);
    std::array::from_fn(|at| after[at] - before[at])
}

/// How many changes the server has counted since it saved last.
#[track_caller]
pub(crate) fn changes(con: &mut Connection) -> i64 {
    info(con, "persistence")["rdb_changes_since_last_save"].parse().unwrap()
}

/// A client that watches a key while another changes it, or only reads it.
#[track_caller]
fn aborts_a_watch(con: &mut Connection, other: &mut Connection, key: &str, words: &str) -> bool {
    cmd(con, &["WATCH", key]);
    cmd(other, words);
    assert_eq!(reply(con, "MULTI"), "OK");
    assert_eq!(reply(con, "ECHO x"), "QUEUED");
    match reply(con, "EXEC").as_str() {
        "nil" => true,
        r#"["x"]"# => false,
        other => panic!("{words}: EXEC answered {other}"),
    }
}
