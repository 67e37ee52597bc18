//! The server that is measured: a free port, a directory that goes with it, dead when the program ends.

use std::env::{var, var_os};
use std::error::Error;
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
    /// `BENCH_SERVER` names another one than Debian's.
    pub(crate) fn start(module: &Path) -> Outcome<Self> {
        let name = var("BENCH_SERVER").unwrap_or_else(|_| "redis-7.0.15".to_owned());
        let program = if name.starts_with("valkey") { "valkey-server" } else { "redis-server" };
        let binary = path("QUOTELOCK_SERVERS", "target/servers").join(name).join(program);
        let dir = TempDir::new()?;
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let child = Command::new(&binary)
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .arg("--dir")
            .arg(dir.path())
            .arg("--logfile")
            .arg(dir.path().join(LOG))
            .arg("--loadmodule")
            .arg(module)
            .stdout(Stdio::null())
            .spawn()
            .map_err(|error| format!("{}: {error}", binary.display()))?;
        let mut server = Self { port, child, dir };
        server.wait()?;
        Ok(server)
    }

    fn wait(&mut self) -> Outcome<()> {
        for _ in 0..100 {
            if self.child.try_wait()?.is_some() {
                break;
            }
            if self.run::<String>(&["PING"]).is_ok() {
                return Ok(());
            }
            sleep(Duration::from_millis(100));
        }
        let log = fs::read_to_string(self.dir.path().join(LOG)).unwrap_or_default();
        Err(format!("the server didn't start:\n{log}").into())
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

/// A path the environment may name, relative to the package.
pub(crate) fn path(variable: &str, default: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(var_os(variable).unwrap_or_else(|| default.into()))
}
