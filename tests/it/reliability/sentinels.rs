//! Three Sentinels that watch a primary and its replicas.

use std::fs::{self, File};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::book::SETTINGS;
use crate::harness::*;

pub(crate) const SERVERS: usize = 3;

/// On a busy machine a server may be silent for seconds, and is not to be taken for dead.
pub(crate) const DOWN_AFTER_MS: i64 = 5000;

/// A primary, the first one, and its replicas, all with these lines in their redis.conf.
pub(crate) fn primary_and_replicas(kind: Kind, conf: &[&str]) -> [Server; SERVERS] {
    let builder = Server::builder(kind).conf("repl-diskless-sync-delay 0").module_args(SETTINGS);
    let builder = conf.iter().fold(builder, |builder, line| builder.conf(*line));
    let servers = [0; SERVERS].map(|_| builder.clone().start());
    follow(&servers[1], &servers[0]);
    follow(&servers[2], &servers[0]);
    servers
}

pub(crate) fn signal(process: &str, signal: &str) {
    assert!(Command::new("kill").args([signal, process]).status().unwrap().success());
}

/// Until they know each other and both replicas.
pub(crate) fn three_watching(primary: &Server) -> [Sentinel; 3] {
    let sentinels = [0; 3].map(|_| Sentinel::watching(primary));
    sentinels.iter().for_each(Sentinel::is_ready);
    sentinels
}

/// One of three that watch the primary.
pub(crate) struct Sentinel {
    host: String,
    pub(crate) port: u16,
    child: Child,
    dir: TempDir,
}

impl Sentinel {
    pub(super) fn watching(primary: &Server) -> Self {
        Self::at("127.0.0.1", &[], primary)
    }

    /// Reached at this address, and run by another program with these words before its own.
    pub(super) fn at(host: &str, under: &[String], primary: &Server) -> Self {
        let (dir, host, port) = (TempDir::new().unwrap(), host.to_owned(), free_port().unwrap());
        let conf = dir.path().join("sentinel.conf");
        let lines = [
            format!("port {port}\nbind {host}\ndir {}", dir.path().display()),
            format!("sentinel monitor hermes {} {} 2", primary.host(), primary.port()),
            format!("sentinel down-after-milliseconds hermes {DOWN_AFTER_MS}"),
            "sentinel failover-timeout hermes 5000\n".to_owned(),
        ];
        fs::write(&conf, lines.join("\n")).unwrap();
        let log = File::create(dir.path().join("sentinel.log")).unwrap();
        let program = primary.kind().program().unwrap().into_os_string();
        let mut words = under.iter().map(Into::into).chain([program]);
        let mut command = Command::new(words.next().unwrap());
        let command = command.args(words).arg(conf).arg("--sentinel").stdin(Stdio::null()).stdout(log);
        Self { host, port, child: command.spawn().unwrap(), dir }
    }

    /// Until it knows the others and both replicas.
    pub(crate) fn is_ready(&self) {
        let client = redis::Client::open((&*self.host, self.port)).unwrap();
        let con = &mut eventually(TIMEOUT, || client.get_connection().ok());
        eventually(TIMEOUT, || {
            let state = info(con, "sentinel");
            let master = state.get("master0").map_or("", String::as_str);
            (master.contains("status=ok") && master.ends_with("slaves=2,sentinels=3")).then_some(())
        });
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
        if std::thread::panicking() {
            eprintln!(
                "a Sentinel said:\n{}",
                fs::read_to_string(self.dir.path().join("sentinel.log")).unwrap()
            );
        }
    }
}
