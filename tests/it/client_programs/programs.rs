//! What the tests expect of each client, and `docs/clients.md` says of it.

use super::place::Mode;

/// A client library and its program.
pub(super) struct Program {
    /// As its authors call it.
    pub(super) client: &'static str,
    /// In `examples/clients`.
    pub(super) file: &'static str,
    /// The package that the file names, if it is another one's with the same interface.
    pub(super) written_for: Option<&'static str>,
    pub(super) package: Package,
    /// The versions of RESP that it speaks, and those in which it can go through a Cluster.
    pub(super) protocols: &'static [u8],
    pub(super) cluster_protocols: &'static [u8],
    pub(super) routing: Routing,
    /// Whether it goes on while a slot is half moved, which `ASK` says.
    pub(super) follows_ask: bool,
    pub(super) resends: Resends,
    /// How it is told to read from the replicas of a Cluster, if it was tried.
    pub(super) replicas: Option<Replicas>,
    pub(super) rights: Rights,
    /// What limits how long it waits for an answer; and its default.
    pub(super) time_out: (&'static str, &'static str),
    /// What else to set up, and what to know of it.
    pub(super) told: &'static str,
}

pub(super) enum Package {
    Npm(&'static str),
    PyPI(&'static str),
    Debian(&'static str),
}

/// How a call finds the node of its key in a Cluster.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Routing {
    /// It asks the server where commands have their keys, or takes the first argument for one.
    Itself,
    /// The program tells it the key.
    Told,
    /// The same, once a node has sent it on.
    ToldAndSentOn,
    /// The program follows by itself when a node sends it on.
    Program,
}

/// Whether a call whose connection was lost is sent again.
pub(super) struct Resends {
    pub(super) alone: bool,
    pub(super) cluster: bool,
}

/// Reading from the replicas of a Cluster.
pub(super) struct Replicas {
    /// What stands for what in the program then.
    pub(super) edit: (&'static str, &'static str),
    /// As the page shows it.
    pub(super) option: &'static str,
    /// Whether the module's commands that read go to replicas then.
    pub(super) are_asked: bool,
}

/// What a user needs besides the module's commands, by what the client connects to; `None`: the program doesn't.
pub(super) struct Rights {
    pub(super) alone: &'static [&'static str],
    pub(super) cluster: &'static [&'static str],
    pub(super) sentinel: Option<&'static [&'static str]>,
}

impl Program {
    pub(super) fn protocols(&self, mode: Mode) -> &'static [u8] {
        if mode == Mode::Cluster { self.cluster_protocols } else { self.protocols }
    }

    /// What it makes of a lock that is not asked for as JSON.
    pub(super) fn shape(&self, protocol: u8) -> &'static str {
        if protocol == 2 { "list" } else { "map" }
    }
}

impl Package {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Npm(name) | Self::PyPI(name) | Self::Debian(name) => name,
        }
    }

    pub(super) fn registry(&self) -> &'static str {
        match self {
            Self::Npm(_) => "npm",
            Self::PyPI(_) => "PyPI",
            Self::Debian(_) => "Debian",
        }
    }
}

/// In JavaScript and Python.
pub(super) const SCRIPTS: &[Program] = &[
    Program {
        client: "ioredis",
        file: "iovalkey.mjs",
        written_for: Some("iovalkey"),
        package: Package::Npm("ioredis"),
        protocols: &[2],
        cluster_protocols: &[2],
        routing: Routing::Told,
        follows_ask: true,
        resends: Resends { alone: true, cluster: true },
        replicas: Some(Replicas {
            edit: ("{ redisOptions: options }", "{ redisOptions: options, scaleReads: 'slave' }"),
            option: "scaleReads: 'slave'",
            are_asked: false,
        }),
        rights: Rights { alone: &[], cluster: &["cluster|slots", "cluster|info"], sentinel: Some(&[]) },
        time_out: ("`commandTimeout`, in ms", "none"),
        told: "In a Cluster, pass the key through `Command.getKeys`; otherwise `call` goes to any node and is redirected.",
    },
    Program {
        client: "iovalkey",
        file: "iovalkey.mjs",
        written_for: None,
        package: Package::Npm("iovalkey"),
        protocols: &[2],
        cluster_protocols: &[2],
        routing: Routing::Told,
        follows_ask: true,
        resends: Resends { alone: true, cluster: true },
        replicas: Some(Replicas {
            edit: ("{ redisOptions: options }", "{ redisOptions: options, scaleReads: 'slave' }"),
            option: "scaleReads: 'slave'",
            are_asked: false,
        }),
        rights: Rights { alone: &[], cluster: &["cluster|slots", "cluster|info"], sentinel: Some(&[]) },
        time_out: ("`commandTimeout`, in ms", "none"),
        told: "In a Cluster, pass the key as with ioredis.",
    },
    Program {
        client: "node-redis",
        file: "node_redis.mjs",
        written_for: None,
        package: Package::Npm("redis"),
        protocols: &[2, 3],
        cluster_protocols: &[2, 3],
        routing: Routing::Told,
        follows_ask: true,
        resends: Resends { alone: false, cluster: false },
        replicas: None,
        rights: Rights { alone: &[], cluster: &["cluster|slots"], sentinel: Some(&[]) },
        time_out: ("`socketTimeout`, in ms: closes the connection", "none"),
        told: "In a Cluster, pass the key: `sendCommand(key, isReadonly, words)`. Set `pingInterval` too if you set `socketTimeout`, which otherwise closes an idle connection for good. Listen for `error`: otherwise a lost connection ends the process.",
    },
    Program {
        client: "Valkey GLIDE for Node",
        file: "valkey_glide.mjs",
        written_for: None,
        package: Package::Npm("@valkey/valkey-glide"),
        protocols: &[2, 3],
        cluster_protocols: &[2, 3],
        routing: Routing::Itself,
        follows_ask: true,
        resends: Resends { alone: false, cluster: false },
        replicas: Some(Replicas {
            edit: ("    requestTimeout,", "    requestTimeout, readFrom: 'preferReplica',"),
            option: "readFrom: 'preferReplica'",
            are_asked: false,
        }),
        rights: Rights { alone: &["info"], cluster: &["cluster|slots"], sentinel: None },
        time_out: ("`requestTimeout`, in ms", "250 ms"),
        told: "In RESP3, returns a map as a list of `{ key, value }`. Logs a warning to stdout for a call that waits 3 s.",
    },
    Program {
        client: "redis-py",
        file: "valkey_py.py",
        written_for: Some("valkey"),
        package: Package::PyPI("redis"),
        protocols: &[2, 3],
        cluster_protocols: &[2, 3],
        routing: Routing::Itself,
        follows_ask: true,
        resends: Resends { alone: true, cluster: true },
        replicas: Some(Replicas {
            edit: ("port=URL.port, **options)", "port=URL.port, read_from_replicas=True, **options)"),
            option: "read_from_replicas=True",
            are_asked: false,
        }),
        rights: Rights { alone: &[], cluster: &["cluster|slots", "command"], sentinel: Some(&[]) },
        time_out: ("`socket_timeout`, in s", "5 s"),
        told: "None.",
    },
    Program {
        client: "valkey-py",
        file: "valkey_py.py",
        written_for: None,
        package: Package::PyPI("valkey"),
        protocols: &[2, 3],
        cluster_protocols: &[2],
        routing: Routing::Itself,
        follows_ask: true,
        resends: Resends { alone: false, cluster: true },
        replicas: Some(Replicas {
            edit: ("port=URL.port, **options)", "port=URL.port, read_from_replicas=True, **options)"),
            option: "read_from_replicas=True",
            are_asked: false,
        }),
        rights: Rights { alone: &[], cluster: &["cluster|slots", "command"], sentinel: Some(&[]) },
        time_out: ("`socket_timeout`, in s", "none"),
        told: "In a Cluster, use RESP2: in RESP3 it does not follow `MOVED`.",
    },
    Program {
        client: "Valkey GLIDE for Python",
        file: "valkey_glide.py",
        written_for: None,
        package: Package::PyPI("valkey-glide"),
        protocols: &[2, 3],
        cluster_protocols: &[2, 3],
        routing: Routing::Itself,
        follows_ask: true,
        resends: Resends { alone: false, cluster: false },
        replicas: Some(Replicas {
            edit: (
                "GlideClusterClientConfiguration(**options)",
                "GlideClusterClientConfiguration(read_from=glide.ReadFrom.PREFER_REPLICA, **options)",
            ),
            option: "read_from=ReadFrom.PREFER_REPLICA",
            are_asked: false,
        }),
        rights: Rights { alone: &["info"], cluster: &["cluster|slots"], sentinel: None },
        time_out: ("`request_timeout`, in ms", "250 ms"),
        told: "Logs a warning to stdout for a call that waits 3 s.",
    },
    Program {
        client: "coredis",
        file: "coredis_client.py",
        written_for: None,
        package: Package::PyPI("coredis"),
        protocols: &[3],
        cluster_protocols: &[3],
        routing: Routing::Told,
        follows_ask: true,
        resends: Resends { alone: true, cluster: true },
        replicas: Some(Replicas {
            edit: (
                "URL.port, **options) as client",
                "URL.port, read_from_replicas=True, **options) as client",
            ),
            option: "read_from_replicas=True",
            are_asked: false,
        }),
        rights: Rights { alone: &[], cluster: &["cluster|slots"], sentinel: Some(&["role"]) },
        time_out: ("`stream_timeout`, in s", "none"),
        told: "In a Cluster, pass the key as `Key(key)`. Calls share a connection, so use a separate client for calls that wait.",
    },
];

/// Those that take compilers and interpreters of their own.
pub(super) const OTHERS: &[Program] = &[
    Program {
        client: "phpredis",
        file: "phpredis.php",
        written_for: None,
        package: Package::Debian("php-redis"),
        protocols: &[2],
        cluster_protocols: &[2],
        routing: Routing::Told,
        follows_ask: false,
        resends: Resends { alone: false, cluster: true },
        replicas: None,
        rights: Rights { alone: &[], cluster: &["cluster|slots"], sentinel: Some(&[]) },
        time_out: ("the read time-out of `connect`, in s", "`default_socket_timeout` of PHP, 60 s"),
        told: "nil and an error are both `false`; `getLastError` tells which. In a Cluster, pass the key: `rawCommand(key, …)`. This throws on `MOVED` instead of following it: create a new `RedisCluster`, which fetches the slots, and repeat the call, as the program does.",
    },
    Program {
        client: "Predis",
        file: "predis.php",
        written_for: None,
        package: Package::Debian("php-predis"),
        protocols: &[2],
        cluster_protocols: &[2],
        routing: Routing::ToldAndSentOn,
        follows_ask: true,
        resends: Resends { alone: false, cluster: true },
        replicas: None,
        rights: Rights { alone: &[], cluster: &["cluster|slots"], sentinel: Some(&["role"]) },
        time_out: ("`read_write_timeout`, in s", "`default_socket_timeout` of PHP, 60 s"),
        told: "In a Cluster, register each command and the position of its key with `setCommandHandler`: Predis refuses unknown commands.",
    },
    Program {
        client: "redis-rb",
        file: "redis_rb.rb",
        written_for: None,
        package: Package::Debian("ruby-redis"),
        protocols: &[2],
        cluster_protocols: &[2],
        routing: Routing::Itself,
        follows_ask: true,
        resends: Resends { alone: true, cluster: true },
        replicas: Some(Replicas {
            edit: ("cluster: [node], ", "cluster: [node], replica: true, "),
            option: "replica: true",
            are_asked: true,
        }),
        rights: Rights {
            alone: &[],
            cluster: &["cluster|slots", "cluster|nodes", "command"],
            sentinel: Some(&["role"]),
        },
        time_out: ("`timeout`, in s", "5 s"),
        told: "In a Cluster, write command names in lower case: otherwise a call goes to any node and is redirected.",
    },
    Program {
        client: "redigo, with redisc",
        file: "redigo.go",
        written_for: None,
        package: Package::Debian("golang-github-gomodule-redigo-dev golang-github-mna-redisc-dev"),
        protocols: &[2],
        cluster_protocols: &[2],
        routing: Routing::Itself,
        follows_ask: true,
        resends: Resends { alone: false, cluster: false },
        replicas: None,
        rights: Rights { alone: &[], cluster: &["cluster|slots"], sentinel: None },
        time_out: ("`DialReadTimeout`", "none"),
        told: "Use `RetryConn`, which follows `MOVED` and `ASK`. There is no time-out per call, so use a separate pool for calls that wait.",
    },
    Program {
        client: "hiredis",
        file: "hiredis.c",
        written_for: None,
        package: Package::Debian("libhiredis-dev"),
        protocols: &[2],
        cluster_protocols: &[2],
        routing: Routing::Program,
        follows_ask: true,
        resends: Resends { alone: false, cluster: false },
        replicas: None,
        rights: Rights { alone: &[], cluster: &[], sentinel: None },
        time_out: ("`redisSetTimeout`", "none"),
        told: "The program handles `MOVED` and `ASK` itself.",
    },
];
