//! The server of a pod, without the pod.

use std::fs;
use std::process::{Child, Command, Stdio};

use redis::{Client, Connection};
use tempfile::TempDir;
use yaml_rust2::Yaml;

use super::manifest::{manifest, string, strings};
use crate::harness::*;

/// A server started by a StatefulSet's own command, with its files elsewhere.
pub(super) struct Pod {
    child: Child,
    container: Yaml,
    dir: TempDir,
    port: u16,
}

impl Pod {
    pub(super) fn start(kind: Kind, stateful_set: &str, conf: &str, users: &str) -> Self {
        let container = manifest(stateful_set)["spec"]["template"]["spec"]["containers"][0].clone();
        let dir = TempDir::new().unwrap();
        fs::write(dir.path().join("redis.conf"), conf).unwrap();
        fs::write(dir.path().join("users.acl"), users).unwrap();
        let port = free_port().unwrap();
        let mut words = strings(&container["command"]);
        words.extend(strings(&container["args"]));
        let here = |word: &str| match word {
            "/etc/quotelock/redis.conf" => "redis.conf".to_owned(),
            "/etc/quotelock-users/users.acl" => "users.acl".to_owned(),
            "6379" => port.to_string(),
            module if module.ends_with("/libquotelock.so") => self::module(),
            word => word.to_owned(),
        };
        assert_eq!(words[0], "redis-server");
        let child = Command::new(kind.program().unwrap())
            .args(words[1..].iter().map(|word| here(word)))
            .current_dir(dir.path())
            .stdout(fs::File::create(dir.path().join("log")).unwrap())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        Self { child, container, dir, port }
    }

    /// What the server said, once it has ended by itself.
    #[track_caller]
    pub(super) fn refusal(mut self) -> String {
        assert!(!self.child.wait().unwrap().success());
        self.log()
    }

    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap()
    }

    /// Whether one of the container's probes passes: its own command, with the password that its pod has.
    #[track_caller]
    pub(super) fn passes(&self, probe: &str) -> bool {
        let words = strings(&self.container[probe]["exec"]["command"]);
        let variable = &self.container["env"][0];
        assert_eq!(string(&variable["valueFrom"]["secretKeyRef"]["key"]), "probe-password");
        let mut command = Command::new(words[0]);
        command.args(["-p", &self.port.to_string()]).args(&words[1..]);
        command.env(string(&variable["name"]), "secret-of-probe");
        output(&command).status.success()
    }

    #[track_caller]
    pub(super) fn becomes_ready(&self) {
        eventually(TIMEOUT, || self.passes("startupProbe").then_some(()));
    }

    /// A connection of this user, or of one who has said no name.
    #[track_caller]
    pub(super) fn connection(&self, user: Option<&str>) -> Connection {
        let mut con = Client::open(("127.0.0.1", self.port)).unwrap().get_connection().unwrap();
        if let Some(user) = user {
            cmd(&mut con, &["AUTH", user, &format!("secret-of-{user}")]);
        }
        con
    }
}

impl Drop for Pod {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
    }
}
