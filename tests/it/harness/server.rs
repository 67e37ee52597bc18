//! A server of a test's own: a free port, a directory that goes with it, dead when the test is over.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use redis::{Client, Connection, IntoConnectionInfo, ProtocolVersion, RedisConnectionInfo};
use tempfile::TempDir;

use super::clock::{PATIENCE, eventually};

/// The servers the module is for, and one too old for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Redis70,
    Redis82,
    Valkey81,
    Valkey91,
    TooOld,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::Redis70, Self::Redis82, Self::Valkey81, Self::Valkey91];
    pub(crate) const DEFAULT: Self = Self::Redis70;

    /// As its directory is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Redis70 => "redis-7.0.15",
            Self::Redis82 => "redis-8.2.3",
            Self::Valkey81 => "valkey-8.1.8",
            Self::Valkey91 => "valkey-9.1.2",
            Self::TooOld => "redis-6.2.5",
        }
    }

    /// Its program.
    pub(crate) fn binary(self) -> PathBuf {
        let directory = std::env::var_os("QUOTELOCK_SERVERS")
            .map_or_else(|| package().join("target/servers"), PathBuf::from)
            .join(self.name());
        let program = if self.name().starts_with("valkey") { "valkey-server" } else { "redis-server" };
        let binary = directory.join(program);
        assert!(binary.exists(), "there is no {}: run scripts/servers", binary.display());
        binary
    }
}

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The library under test: what `make test` has built, or `QUOTELOCK_MODULE`.
pub(crate) fn module() -> PathBuf {
    let module = std::env::var_os("QUOTELOCK_MODULE")
        .map_or_else(|| package().join("target/release/libquotelock.so"), PathBuf::from);
    assert!(module.exists(), "there is no {}: run cargo build --release", module.display());
    module
}

/// How a server is to be started.
#[derive(Clone)]
pub(crate) struct Builder {
    kind: Kind,
    module_args: Option<String>,
    conf: Vec<String>,
    under: Vec<String>,
}

impl Builder {
    /// Runs it by another program with these words before its own; `{dir}` in them is its directory.
    pub(crate) fn under(mut self, words: &[&str]) -> Self {
        self.under = words.iter().map(|word| (*word).to_owned()).collect();
        self
    }

    /// One more line of its redis.conf; a later line wins over an earlier one.
    pub(crate) fn conf(mut self, line: impl Into<String>) -> Self {
        self.conf.push(line.into());
        self
    }

    /// What follows the module's path in the `loadmodule` line.
    pub(crate) fn module_args(mut self, args: &str) -> Self {
        self.module_args = Some(args.to_owned());
        self
    }

    pub(crate) fn without_module(mut self) -> Self {
        self.module_args = None;
        self
    }

    #[track_caller]
    pub(crate) fn start(self) -> Server {
        let kind = self.kind;
        self.try_start().unwrap_or_else(|log| panic!("{} didn't start:\n{log}", kind.name()))
    }

    /// The server once it accepts connections, or what it said when it gave up.
    pub(crate) fn try_start(self) -> Result<Server, String> {
        let mut last = String::new();
        // Another process may take the port between our look and the server's.
        for _ in 0..10 {
            let mut server = Server::new(&self);
            server.write_conf(&self);
            match server.run() {
                Ok(()) => return Ok(server),
                Err(log) if log.contains("Address already in use") => last = log,
                Err(log) => return Err(log),
            }
        }
        Err(last)
    }
}

/// A port that nothing listens at now.
pub(crate) fn free_port() -> u16 {
    loop {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        // A cluster node listens 10000 higher too.
        if port < 55_000 {
            return port;
        }
    }
}

/// A running server. What it said last is shown when the test fails.
pub(crate) struct Server {
    kind: Kind,
    port: u16,
    dir: TempDir,
    under: Vec<String>,
    child: Option<Child>,
}

impl Server {
    pub(crate) fn builder(kind: Kind) -> Builder {
        Builder { kind, module_args: Some(String::new()), conf: Vec::new(), under: Vec::new() }
    }

    fn new(builder: &Builder) -> Self {
        let dir = TempDir::new().unwrap();
        let here = dir.path().to_str().unwrap();
        let under = builder.under.iter().map(|word| word.replace("{dir}", here)).collect();
        Self { kind: builder.kind, port: free_port(), dir, under, child: None }
    }

    /// With the module and its defaults, keeping nothing on disk.
    #[track_caller]
    pub(crate) fn start(kind: Kind) -> Self {
        Self::builder(kind).start()
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Where its conf, log, RDB and AOF are.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The library's path, for `MODULE LOAD`.
    pub(crate) fn module(&self) -> String {
        module().to_str().unwrap().to_owned()
    }

    #[track_caller]
    pub(crate) fn connection(&self) -> Connection {
        self.connect(RedisConnectionInfo::default())
    }

    #[track_caller]
    pub(crate) fn connection_resp3(&self) -> Connection {
        self.connect(RedisConnectionInfo::default().set_protocol(ProtocolVersion::RESP3))
    }

    #[track_caller]
    pub(crate) fn connection_of(&self, user: &str, password: &str) -> Connection {
        self.connect(RedisConnectionInfo::default().set_username(user).set_password(password))
    }

    #[track_caller]
    fn connect(&self, settings: RedisConnectionInfo) -> Connection {
        // The library's name is not sent: MONITOR and the statistics show only what the test does.
        let settings = settings.set_skip_set_lib_name();
        let address = self.url().into_connection_info().unwrap().set_redis_settings(settings);
        let connection = Client::open(address).unwrap().get_connection_with_timeout(PATIENCE);
        let connection = connection.unwrap_or_else(|error| panic!("{}: {error}", self.kind.name()));
        connection.set_read_timeout(Some(PATIENCE)).unwrap();
        connection.set_write_timeout(Some(PATIENCE)).unwrap();
        connection
    }

    /// All it has said in this directory, earlier runs included.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&self.log_bytes()).into_owned()
    }

    fn log_bytes(&self) -> Vec<u8> {
        fs::read(self.dir().join("server.log")).unwrap_or_default()
    }

    /// As if the machine had lost its power.
    pub(crate) fn kill9(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// As after a power cut.
    #[track_caller]
    pub(crate) fn kill_and_restart(&mut self) {
        self.kill9();
        self.restart();
    }

    /// A SHUTDOWN, which saves if the settings say so.
    #[track_caller]
    pub(crate) fn stop(&mut self) {
        let _closed = redis::cmd("SHUTDOWN").exec(&mut self.connection());
        let mut child = self.child.take().unwrap();
        eventually(PATIENCE, || child.try_wait().unwrap());
    }

    /// Starts it once more in the same directory at the same port, after a SHUTDOWN if it still runs.
    #[track_caller]
    pub(crate) fn restart(&mut self) {
        self.try_restart().unwrap_or_else(|log| panic!("{} didn't start again:\n{log}", self.kind.name()));
    }

    pub(crate) fn try_restart(&mut self) -> Result<(), String> {
        if self.child.is_some() {
            self.stop();
        }
        self.run()
    }

    /// The last lines it logged.
    pub(crate) fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    fn write_conf(&self, builder: &Builder) {
        let dir = self.dir().display();
        let mut conf = format!("port {}\nbind 127.0.0.1\ndir {dir}\nsave \"\"\nappendonly no\n", self.port);
        if self.kind != Kind::TooOld {
            conf.push_str("enable-debug-command yes\nenable-module-command yes\n");
        }
        if let Some(args) = &builder.module_args {
            conf.push_str(&format!("loadmodule {} {args}\n", module().display()));
        }
        for line in &builder.conf {
            conf.push_str(line);
            conf.push('\n');
        }
        fs::write(self.dir().join("redis.conf"), conf).unwrap();
    }

    /// Runs it until it is ready; `Err` is what it said from this start on.
    fn run(&mut self) -> Result<(), String> {
        let said_before = self.log_bytes().len();
        let out = File::options().create(true).append(true).open(self.dir().join("server.log")).unwrap();
        let binary = self.kind.binary().into_os_string();
        let mut words = self.under.iter().map(Into::into).chain([binary]);
        let child = Command::new(words.next().unwrap())
            .args(words)
            .arg(self.dir().join("redis.conf"))
            .stdin(Stdio::null())
            .stdout(out.try_clone().unwrap())
            .stderr(out)
            .spawn()
            .unwrap();
        self.child = Some(child);
        let said = |server: &Self| String::from_utf8_lossy(&server.log_bytes()[said_before..]).into_owned();
        let ready = eventually(PATIENCE, || {
            if self.child.as_mut().unwrap().try_wait().unwrap().is_some() {
                self.child = None;
                return Some(false);
            }
            // It gives up, and checks the file first: for ever, where that ends between two pieces of a module's value.
            if said(self).contains("Unexpected EOF reading RDB file") {
                self.kill9();
                return Some(false);
            }
            said(self).contains("Ready to accept connections").then_some(true)
        });
        if ready { Ok(()) } else { Err(said(self)) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill9();
        if std::thread::panicking() {
            eprintln!("{} said last:\n{}", self.kind.name(), self.log_tail());
        }
    }
}

/// Runs a test on each kind in turn, each a fresh server with the module's defaults.
#[track_caller]
pub(crate) fn for_each_server(test: impl Fn(&Server)) {
    for kind in Kind::ALL {
        test(&Server::start(kind));
    }
}
