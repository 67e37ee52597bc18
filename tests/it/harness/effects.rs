//! What a command tells those who listen: events, what to forget, changes.

use std::sync::mpsc::Receiver;

use redis::{Connection, PushInfo, PushKind};

use super::call::{cmd, info, reply, show};
use super::server::Server;

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

/// The keys that a connection has been told to forget.
pub(crate) fn forgotten(con: &mut Connection, pushes: &Receiver<PushInfo>) -> Vec<String> {
    // A push comes before the reply to what was asked later.
    cmd(con, "PING");
    let told = pushes.try_iter().filter(|push| push.kind == PushKind::Invalidate);
    told.flat_map(|push| push.data).map(|keys| show(&keys)).collect()
}

/// How many changes the server has counted since it saved last.
#[track_caller]
pub(crate) fn changes(con: &mut Connection) -> i64 {
    info(con, "persistence")["rdb_changes_since_last_save"].parse().unwrap()
}

/// A client that watches a key while another changes it, or only reads it.
#[track_caller]
pub(crate) fn aborts_a_watch(con: &mut Connection, other: &mut Connection, key: &str, words: &str) -> bool {
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
