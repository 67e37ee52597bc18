use std::collections::VecDeque;
use std::error::Error;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use redis::{Client, Connection, FromRedisValue, IntoConnectionInfo, ProtocolVersion, RedisConnectionInfo};
use tempfile::TempDir;

use crate::{Kind, Result, TIMEOUT, module, poll};

const CONF: &str = "redis.conf";
const LOG: &str = "server.log";

/// How a server is to be started.
#[derive(Clone)]
pub struct Builder {
    kind: Kind,
    host: String,
    module_args: Option<String>,
    conf: Vec<String>,
    under: Vec<String>,
}

impl Builder {
    /// Runs it by another program with these words before its own; `{dir}` in them is its directory.
    pub fn under(mut self, words: &[&str]) -> Self {
        self.under = words.iter().map(|word| (*word).to_owned()).collect();
        self
    }

    /// The address at which it is reached, of this machine if not another.
    pub fn host(mut self, host: &str) -> Self {
        host.clone_into(&mut self.host);
        self
    }

    /// One more line of its redis.conf; a later line wins over an earlier one.
    pub fn conf(mut self, line: impl Into<String>) -> Self {
        self.conf.push(line.into());
        self
    }

    /// What follows the module's path in the `loadmodule` line.
    pub fn module_args(mut self, args: &str) -> Self {
        self.module_args = Some(args.to_owned());
        self
    }

    pub fn without_module(mut self) -> Self {
        self.module_args = None;
        self
    }

    /// The server, once it accepts connections. Panics if it doesn't start.
    #[track_caller]
    pub fn start(self) -> Server {
        let kind = self.kind;
        self.try_start().unwrap_or_else(|error| panic!("{kind} didn't start:\n{error}"))
    }

    /// The server, once it accepts connections, or what it logged before it gave up.
    pub fn try_start(self) -> Result<Server> {
        let mut attempts = 10;
        loop {
            let mut server = Server::prepare(&self)?;
            match server.launch() {
                Ok(()) => return Ok(server),
                // Another process may take the port between our look and the server's.
                Err(error) if attempts > 1 && is_taken(&*error) => attempts -= 1,
                Err(error) => return Err(error),
            }
        }
    }
}

/// A port that nothing listens at now, and none of the last thousand: what is about to start again listens at none.
pub fn free_port() -> Result<u16> {
    static LAST: Mutex<VecDeque<u16>> = Mutex::new(VecDeque::new());
    loop {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        // A cluster node listens 10000 higher too.
        if port < 55_000 && !last.contains(&port) {
            last.push_back(port);
            if last.len() > 1000 {
                last.pop_front();
            }
            return Ok(port);
        }
    }
}

fn is_taken(error: &dyn Error) -> bool {
    error.to_string().contains("Address already in use")
}

/// A running server in a directory of its own, both gone when this is dropped. A panic prints the end of its
/// log.
pub struct Server {
    kind: Kind,
    host: String,
    port: u16,
    dir: TempDir,
    under: Vec<String>,
    child: Option<Child>,
}

impl Server {
    /// With the module and its defaults, keeping nothing on disk.
    pub fn builder(kind: Kind) -> Builder {
        Builder {
            kind,
            host: "127.0.0.1".to_owned(),
            module_args: Some(String::new()),
            conf: Vec::new(),
            under: Vec::new(),
        }
    }

    /// With the module and its defaults, keeping nothing on disk. Panics if it doesn't start.
    #[track_caller]
    pub fn start(kind: Kind) -> Self {
        Self::builder(kind).start()
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self) -> String {
        format!("redis://{}:{}/", self.host, self.port)
    }

    /// Where its conf, log, RDB and AOF are.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// All it has logged, earlier runs included.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&self.log_bytes()).into_owned()
    }

    /// The last lines it has logged.
    pub fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    fn log_bytes(&self) -> Vec<u8> {
        fs::read(self.dir().join(LOG)).unwrap_or_default()
    }
}

/// Connections. Those that return no `Result` panic if there is none.
impl Server {
    #[track_caller]
    pub fn connection(&self) -> Connection {
        self.expect_connection(RedisConnectionInfo::default())
    }

    #[track_caller]
    pub fn connection_resp3(&self) -> Connection {
        self.expect_connection(RedisConnectionInfo::default().set_protocol(ProtocolVersion::RESP3))
    }

    #[track_caller]
    pub fn connection_of(&self, user: &str, password: &str) -> Connection {
        self.expect_connection(RedisConnectionInfo::default().set_username(user).set_password(password))
    }

    #[track_caller]
    fn expect_connection(&self, settings: RedisConnectionInfo) -> Connection {
        self.connect(settings).unwrap_or_else(|error| panic!("{}: {error}", self.kind))
    }

    pub fn try_connection(&self) -> Result<Connection> {
        self.connect(RedisConnectionInfo::default())
    }

    fn connect(&self, settings: RedisConnectionInfo) -> Result<Connection> {
        // The library's name is not sent: MONITOR and the statistics show only what the caller does.
        let settings = settings.set_skip_set_lib_name();
        let address = self.url().into_connection_info()?.set_redis_settings(settings);
        let connection = Client::open(address)?.get_connection_with_timeout(TIMEOUT)?;
        connection.set_read_timeout(Some(TIMEOUT))?;
        connection.set_write_timeout(Some(TIMEOUT))?;
        Ok(connection)
    }

    /// The reply to a command on a connection of its own.
    pub fn run<T: FromRedisValue>(&self, words: &[impl AsRef<[u8]>]) -> Result<T> {
        let mut command = redis::Cmd::new();
        for word in words {
            command.arg(word.as_ref());
        }
        Ok(command.query(&mut self.try_connection()?)?)
    }

    /// One field of `INFO section`.
    pub fn info<T: FromStr>(&self, section: &str, field: &str) -> Result<T> {
        let text: String = self.run(&["INFO", section])?;
        text.lines()
            .find_map(|line| line.strip_prefix(field)?.strip_prefix(':')?.trim().parse().ok())
            .ok_or_else(|| format!("there is no {field} in INFO {section}").into())
    }
}

/// The process.
impl Server {
    /// What its main thread has used of the processors so far, in seconds.
    pub fn cpu_time(&self) -> Result<f64> {
        // The kernel counts a thread's time when it pauses: let it.
        sleep(Duration::from_micros(200));
        let child = self.child.as_ref().ok_or("the server doesn't run")?;
        let text = fs::read_to_string(format!("/proc/{}/schedstat", child.id()))?;
        let nanoseconds: Option<f64> = text.split(' ').next().and_then(|first| first.parse().ok());
        Ok(nanoseconds.ok_or("/proc has no CPU time")? / 1e9)
    }

    /// As a power cut does.
    #[track_caller]
    pub fn kill(&mut self) {
        self.try_kill().unwrap_or_else(|error| panic!("{}: {error}", self.kind));
    }

    pub fn try_kill(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// Kills it and starts it again on what is on disk. Panics if it doesn't start.
    #[track_caller]
    pub fn kill_and_restart(&mut self) {
        self.kill();
        self.restart();
    }

    /// A SHUTDOWN, which saves if the settings say so.
    #[track_caller]
    pub fn stop(&mut self) {
        self.try_stop().unwrap_or_else(|error| panic!("{}: {error}", self.kind));
    }

    pub fn try_stop(&mut self) -> Result<()> {
        let mut connection = self.try_connection()?;
        // The connection closes before there is a reply.
        let _closed = redis::cmd("SHUTDOWN").exec(&mut connection);
        let child = self.child.as_mut().ok_or("the server doesn't run")?;
        poll(TIMEOUT, || child.try_wait().transpose()).ok_or("the server didn't stop")??;
        self.child = None;
        Ok(())
    }

    /// Starts it again in the same directory at the same port, after [`stop`](Self::stop) if it still runs.
    /// Panics if it doesn't start.
    #[track_caller]
    pub fn restart(&mut self) {
        self.try_restart().unwrap_or_else(|error| panic!("{} didn't start again:\n{error}", self.kind));
    }

    /// As [`restart`](Self::restart), or what it logged before it gave up.
    pub fn try_restart(&mut self) -> Result<()> {
        if self.child.is_some() {
            self.try_stop()?;
        }
        let begun = Instant::now();
        loop {
            match self.launch() {
                // Another process may have taken the port for a while.
                Err(error) if is_taken(&*error) && begun.elapsed() < TIMEOUT => {
                    sleep(Duration::from_millis(50))
                }
                outcome => return outcome,
            }
        }
    }

    fn prepare(builder: &Builder) -> Result<Self> {
        let (dir, host, port) = (TempDir::new()?, builder.host.clone(), free_port()?);
        let here = dir.path().display().to_string();
        let mut conf = format!("port {port}\nbind {host}\ndir {here}\nsave \"\"\nappendonly no\n");
        if builder.kind.version() >= (7, 0) {
            conf.push_str("enable-debug-command yes\nenable-module-command yes\n");
        }
        if let Some(args) = &builder.module_args {
            conf.push_str(&format!("loadmodule {} {args}\n", module()?.display()));
        }
        for line in &builder.conf {
            conf.push_str(line);
            conf.push('\n');
        }
        fs::write(dir.path().join(CONF), conf)?;
        let under = builder.under.iter().map(|word| word.replace("{dir}", &here)).collect();
        Ok(Self { kind: builder.kind, host, port, dir, under, child: None })
    }

    /// Runs it until it is ready; the error is what it has logged since.
    fn launch(&mut self) -> Result<()> {
        let logged_before = self.log_bytes().len();
        let log = File::options().create(true).append(true).open(self.dir().join(LOG))?;
        let program = self.kind.program()?.into_os_string();
        let mut words = self.under.iter().map(Into::into).chain([program]);
        let first = words.next().ok_or("there is no program")?;
        let mut command = Command::new(first);
        command
            .args(words)
            .arg(self.dir().join(CONF))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let mut child = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
        let logged = || String::from_utf8_lossy(&self.log_bytes()[logged_before..]).into_owned();
        let outcome = poll(TIMEOUT, || match child.try_wait() {
            Err(error) => Some(Err(error.to_string())),
            Ok(Some(_)) => Some(Err(logged())),
            // It has given up and checks the file, and hangs if that ends inside a module's value.
            Ok(None) if logged().contains("Unexpected EOF reading RDB file") => Some(Err(logged())),
            Ok(None) => logged().contains("Ready to accept connections").then_some(Ok(())),
        });
        let outcome =
            outcome.unwrap_or_else(|| Err(format!("it isn't ready after {TIMEOUT:?}:\n{}", logged())));
        self.child = Some(child);
        if outcome.is_err() {
            self.try_kill()?;
        }
        Ok(outcome?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.try_kill();
        if std::thread::panicking() {
            eprintln!("{} logged last:\n{}", self.kind, self.log_tail());
        }
    }
}

#[cfg(test)]
mod tests {
    use redis::Value;

    use super::Server;
    use crate::{Kind, RawConnection, packed};

    #[test]
    fn keeps_its_data_over_a_restart() {
        let mut server = Server::builder(Kind::DEFAULT).without_module().conf("appendonly yes").start();
        server.run::<()>(&["SET", "key", "value"]).unwrap();
        server.restart();
        assert_eq!(server.run::<String>(&["GET", "key"]).unwrap(), "value");
        server.kill_and_restart();
        assert_eq!(server.run::<String>(&["GET", "key"]).unwrap(), "value");
        assert!(server.cpu_time().unwrap() > 0.0);
        assert!(server.info::<u64>("stats", "no_such_field").is_err());
        assert_eq!(server.info::<u64>("stats", "keyspace_misses").unwrap(), 0);
    }

    #[test]
    fn says_why_it_did_not_start() {
        let wrong = Server::builder(Kind::DEFAULT).without_module().conf("no-such-setting 1").try_start();
        assert!(wrong.err().unwrap().to_string().contains("no-such-setting"));
        let missing = Server::builder(Kind::named("redis-7.99.0")).without_module().try_start();
        assert!(missing.err().unwrap().to_string().ends_with("run scripts/servers"));
    }

    #[test]
    fn answers_raw_requests() {
        let server = Server::builder(Kind::DEFAULT).without_module().start();
        let mut raw = RawConnection::connect(server.port()).unwrap();
        raw.send(b"PING\r\n").unwrap();
        assert_eq!(raw.receive_line().unwrap(), "+PONG");
        assert_eq!(raw.request(&packed(&["ECHO", "a\r\nb"])).unwrap(), Value::BulkString(b"a\r\nb".to_vec()));
        assert_eq!(
            raw.request(&packed(&["FOO"])).unwrap_err().to_string().split(',').next(),
            Some("ERR unknown command 'FOO'")
        );
        let three = packed(&["PING"]).repeat(3);
        assert_eq!(raw.pipeline(&three, 3).unwrap().1, "+PONG\r\n".len() * 3);
        raw.time(&three, "+PONG\r\n".len() * 3).unwrap();
        assert!(raw.has_command("GET").unwrap() && !raw.has_command("FOO").unwrap());
    }
}
