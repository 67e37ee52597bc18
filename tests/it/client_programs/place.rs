//! Where programs run: a server, a Cluster, or servers that Sentinel watches.

use redis::{Connection, Value};

use crate::harness::*;
use crate::reliability::sentinels::Sentinel;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Alone,
    Cluster,
    Sentinel,
}

impl Mode {
    /// As programs are told.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Alone => "alone",
            Self::Cluster => "cluster",
            Self::Sentinel => "sentinel",
        }
    }
}

pub(super) struct Place<'a> {
    mode: Mode,
    /// What programs are told to connect to.
    port: u16,
    /// In front of the address: who connects.
    user: &'static str,
    servers: Vec<&'a Server>,
}

impl<'a> Place<'a> {
    pub(super) fn alone(server: &'a Server) -> Self {
        Self { mode: Mode::Alone, port: server.port(), user: "", servers: vec![server] }
    }

    pub(super) fn cluster(servers: impl Iterator<Item = &'a Server>) -> Self {
        let servers: Vec<_> = servers.collect();
        Self { mode: Mode::Cluster, port: servers[0].port(), user: "", servers }
    }

    pub(super) fn sentinel(sentinel: &Sentinel, servers: &'a [Server]) -> Self {
        Self { mode: Mode::Sentinel, port: sentinel.port, user: "", servers: servers.iter().collect() }
    }

    /// `user:password@`, by whom programs connect.
    pub(super) fn connected_by(self, user: &'static str) -> Self {
        Self { user, ..self }
    }

    pub(super) fn mode(&self) -> Mode {
        self.mode
    }

    pub(super) fn url(&self) -> String {
        format!("redis://{}127.0.0.1:{}", self.user, self.port)
    }

    pub(super) fn each(&self) -> impl Iterator<Item = Connection> {
        self.servers.iter().map(|server| server.connection())
    }

    /// The reply of the server that has the key.
    #[track_caller]
    pub(super) fn cmd<W: Words + ?Sized>(&self, words: &W) -> Value {
        let elsewhere =
            |reply: &Result<Value, String>| reply.as_ref().is_err_and(|error| error.starts_with("MOVED"));
        let mut replies = self.each().map(|mut con| try_cmd(&mut con, words));
        replies.find(|reply| !elsewhere(reply)).expect("no server has it").unwrap()
    }

    /// The same as text.
    #[track_caller]
    pub(super) fn text<W: Words + ?Sized>(&self, words: &W) -> String {
        redis::from_redis_value(self.cmd(words)).unwrap()
    }

    /// Whether the key, in a Cluster, is not on the node that programs ask first.
    pub(super) fn has_elsewhere(&self, key: &str) -> bool {
        let first = &mut self.servers[0].connection();
        self.mode != Mode::Cluster || reply(first, &["EXISTS", key]).starts_with("-MOVED")
    }

    /// In a Cluster.
    pub(super) fn slot(&self, key: &str) -> Option<i64> {
        let con = &mut self.each().next()?;
        (self.mode == Mode::Cluster).then(|| int(con, &["CLUSTER", "KEYSLOT", key]))
    }

    /// The sum of a count in INFO.
    pub(super) fn count(&self, section: &str, field: &str) -> u64 {
        let of = |mut con: Connection| {
            let told = info(&mut con, section);
            let count = told.get(field).map_or("0", |count| count.trim_start_matches("count="));
            count.parse::<u64>().unwrap()
        };
        self.each().map(of).sum()
    }

    /// How often a program was sent to another node.
    pub(super) fn redirections(&self, error: &str) -> u64 {
        self.count("errorstats", &format!("errorstat_{error}"))
    }

    /// Ends the connections of those that wait.
    pub(super) fn hang_up_on_waiters(&self) {
        for mut con in self.each() {
            let clients = text(&mut con, "CLIENT LIST");
            let is_blocked = |client: &&str| client.contains(" flags=b ");
            for client in clients.lines().filter(is_blocked) {
                let (id, _) = client.strip_prefix("id=").unwrap().split_once(' ').unwrap();
                cmd(&mut con, &["CLIENT", "KILL", "ID", id]);
            }
        }
    }
}
