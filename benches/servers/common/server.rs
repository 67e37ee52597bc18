//! The server that is measured: a free port, a directory that goes with it, dead when the program ends.

use std::env::var_os;
use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::thread::sleep;
use std::time::Duration;

use redis::{Client, Cmd, Connection, FromRedisValue, IntoConnectionInfo, RedisConnectionInfo};
use tempfile::TempDir;

pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;

const LOG: &str = "server.log";

pub(crate) struct Server {
    pub(crate) port: u16,
    child: Child,
    dir: TempDir,
}

impl Server {
    /// `name` is its directory in `target/servers`.
    pub(crate) fn start(name: &str, options: &[OsString]) -> Outcome<Self> {
        let dir = TempDir::new()?;
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let child = Self::spawn(name, port, dir.path(), options)?;
        let mut server = Self { port, child, dir };
        server.wait()?;
        Ok(server)
    }

    fn spawn(name: &str, port: u16, dir: &Path, options: &[OsString]) -> Outcome<Child> {
        let binary = program(name);
        Command::new(&binary)
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .args(["--repl-diskless-sync-delay", "0"])
            .arg("--dir")
            .arg(dir)
            .arg("--logfile")
            .arg(dir.join(LOG))
            .arg("--loadmodule")
            .arg(path("QUOTELOCK_MODULE", "target/release/libquotelock.so"))
            .args(options)
            .stdout(Stdio::null())
            .spawn()
            .map_err(|error| format!("{}: {error}", binary.display()).into())
    }

    /// Ends it and starts it again on what it has saved.
    pub(crate) fn restart(&mut self, name: &str) -> Outcome<()> {
        self.child.kill()?;
        self.child.wait()?;
        fs::remove_file(self.dir.path().join(LOG))?;
        self.child = Self::spawn(name, self.port, self.dir.path(), &[])?;
        self.wait()
    }

    /// Its name and version.
    pub(crate) fn name(&self) -> Outcome<String> {
        let version = |field| self.info::<String>("server", field);
        let valkey = version("valkey_version").map(|version| format!("Valkey {version}"));
        valkey.or_else(|_| version("redis_version").map(|version| format!("Redis {version}")))
    }

    pub(crate) fn directory(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join(LOG)).unwrap_or_default()
    }

    fn wait(&mut self) -> Outcome<()> {
        for _ in 0..3000 {
            if self.child.try_wait()?.is_some() {
                break;
            }
            if self.run::<String>(&["PING"]).is_ok() {
                return Ok(());
            }
            sleep(Duration::from_millis(20));
        }
        Err(format!("the server didn't start:\n{}", self.log()).into())
    }

    fn connect(&self) -> Outcome<Connection> {
        // Redis 7.0 would answer the library's name with an error, and errors are counted.
        let settings = RedisConnectionInfo::default().set_skip_set_lib_name();
        let address = ("127.0.0.1", self.port).into_connection_info()?.set_redis_settings(settings);
        Ok(Client::open(address)?.get_connection_with_timeout(Duration::from_secs(10))?)
    }

    pub(crate) fn run<T: FromRedisValue>(&self, words: &[impl AsRef<str>]) -> Outcome<T> {
        let mut command = Cmd::new();
        for word in words {
            command.arg(word.as_ref());
        }
        Ok(command.query(&mut self.connect()?)?)
    }

    /// One field of `INFO section`.
    pub(crate) fn info<T: FromStr>(&self, section: &str, field: &str) -> Outcome<T> {
        let text: String = self.run(&["INFO", section])?;
        text.lines()
            .find_map(|line| line.strip_prefix(field)?.strip_prefix(':')?.trim().parse().ok())
            .ok_or_else(|| format!("there is no {field} in INFO {section}").into())
    }

    /// What the server's main thread has used of the processors so far, in seconds.
    pub(crate) fn cpu_time(&self) -> Outcome<f64> {
        // Its time is counted when it pauses: let it.
        sleep(Duration::from_micros(200));
        let text = fs::read_to_string(format!("/proc/{}/schedstat", self.child.id()))?;
        let nanoseconds: Option<f64> = text.split(' ').next().and_then(|first| first.parse().ok());
        Ok(nanoseconds.ok_or("/proc has no CPU time")? / 1e9)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// The program of that name.
fn program(name: &str) -> PathBuf {
    let program = if name.starts_with("valkey") { "valkey-server" } else { "redis-server" };
    directory().join(name).join(program)
}

fn directory() -> PathBuf {
    path("QUOTELOCK_SERVERS", "target/servers")
}

/// The servers that are here and take the module.
pub(crate) fn at_hand() -> Outcome<Vec<String>> {
    let entries = fs::read_dir(directory()).map_err(|error| format!("{}: {error}", directory().display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.starts_with("redis-6.") && program(&name).exists() {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// A path the environment may name, relative to the package.
pub(crate) fn path(variable: &str, default: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(var_os(variable).unwrap_or_else(|| default.into()))
}
