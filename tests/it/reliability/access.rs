//! Whom the server lets call what: every command, for users with every kind of right, in every way a command
//! can come.

use redis::{Connection, Value};

use super::report;
use crate::harness::*;
use crate::introspection::has_categories;

/// What a command does to its key, as the contract says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Does {
    Read,
    Write,
    Both,
    /// It tells nothing of what is there but how much: either right will do.
    Measure,
}
use Does::{Both, Measure, Read, Write};

/// A call of each command on `lock`, `table`, `hash` or `toggle`; what it does to that key; whether it is a
/// write command.
const CALLS: [(&str, Does, bool); 22] = [
    ("QUOTELOCK.SET lock 3 *", Write, true),
    ("QUOTELOCK.GET lock", Read, false),
    ("QUOTELOCK.ACQUIRE lock 3 *", Both, true),
    ("QUOTELOCK.DEL lock", Both, true),
    ("VEHPRICE.SET table 1 FIELDS 1 a x", Both, true),
    ("VEHPRICE.MSET table FIELDS 1 a ROWS 1 x", Both, true),
    ("VEHPRICE.GET table 1", Read, false),
    ("VEHPRICE.MGET table JSON IDS 1 2", Read, false),
    ("VEHPRICE.GETALL table", Read, false),
    ("VEHPRICE.CHANGES table 0", Read, false),
    ("VEHPRICE.SCAN table 0", Read, false),
    ("VEHPRICE.CLEAR table", Write, true),
    ("VEHPRICE.DEL table 1", Write, true),
    ("VEHPRICE.LEN table", Measure, false),
    ("VEHPRICE.PTTL table 1", Read, false),
    ("VEHPRICE.VERIFY table 1 a x", Read, false),
    ("VEHPRICE.INFO table", Measure, false),
    ("VEHPRICE.MGETHASH hash", Read, false),
    ("VEHPRICE.CLAIM table PX 1000 IDS 1 2", Both, true),
    ("VEHPRICE.RELEASE table 00000000000000000000000000000000", Both, true),
    ("PRICEPLAN.TAG toggle 571", Read, false),
    ("PRICEPLAN.ROUTE toggle 571", Read, false),
];

/// A user's rules, and what they let it do: with which keys, and whether with commands that write.
struct User {
    name: &'static str,
    rules: String,
    reads: bool,
    writes: bool,
    calls_reads: bool,
    calls_writes: bool,
}

fn users(server: &Server) -> Vec<User> {
    let all: String = CALLS.iter().map(|(call, ..)| format!(" +{}", name_of(call).to_lowercase())).collect();
    let with = |keys: &str| format!("{keys}{all} +eval +multi +exec");
    let user = |name, rules: String, [reads, writes, calls_reads, calls_writes]: [bool; 4]| User {
        name,
        rules,
        reads,
        writes,
        calls_reads,
        calls_writes,
    };
    let categories = has_categories(server);
    vec![
        user("all rights", with("~*"), [true; 4]),
        user("no rights", "+multi +exec".to_owned(), [false; 4]),
        user("no commands", "~* +eval +multi +exec".to_owned(), [true, true, false, false]),
        user("no keys", with(""), [false, false, true, true]),
        user("keys read only", with("%R~*"), [true, false, true, true]),
        user("keys write only", with("%W~*"), [false, true, true, true]),
        user("other keys", with("~other ~lockx ~tabl ~*e?"), [false, false, true, true]),
        user("keys read, other keys write", with("%R~* %W~other"), [true, false, true, true]),
        // On 7.0 the commands of modules are in no category: `-@write` takes none of them away, `+@read`
        // gives none.
        user("no @write", "~* +@all -@write".to_owned(), [true, true, true, !categories]),
        user("@read", "~* +@read +eval +multi +exec".to_owned(), [true, true, categories, false]),
        user("@write", "~* +@write +eval +multi +exec".to_owned(), [true, true, false, categories]),
        user("no @write, keys read only", "%R~* +@all -@write".to_owned(), [true, false, true, !categories]),
    ]
}

impl User {
    fn may(&self, does: Does, is_write: bool) -> bool {
        let keys = match does {
            Read => self.reads,
            Write => self.writes,
            Both => self.reads && self.writes,
            Measure => self.reads || self.writes,
        };
        keys && if is_write { self.calls_writes } else { self.calls_reads }
    }
}

fn name_of(call: &str) -> &str {
    call.split(' ').next().unwrap()
}

fn fill(con: &mut Connection) {
    cmd(con, "FLUSHALL");
    cmd(con, r#"QUOTELOCK.SET lock ["7"] 2024-09-12T02:50:53.000Z EX 1000000"#);
    cmd(con, "VEHPRICE.SET table 1 PXAT 4000000000000 FIELDS 1 a old");
    cmd(con, "HSET hash a x");
    cmd(con, "SET toggle 3");
}

/// The ways a call comes, each with the error it was refused with, if it was.
fn in_every_way(
    pod: &mut Connection,
    con: &mut Connection,
    call: &str,
) -> Vec<(&'static str, Option<String>)> {
    fill(con);
    let mut ways = vec![("plain", try_cmd(pod, call).err())];
    fill(con);
    cmd(pod, "MULTI");
    let queued = try_cmd(pod, call).err();
    let run = try_cmd(pod, "EXEC").err();
    assert_eq!(queued.is_some(), run.is_some_and(|error| error.starts_with("EXECABORT")), "{call}");
    ways.push(("MULTI", queued));
    ways
}

/// How servers word it where a script's call is refused.
const IN_SCRIPTS: [&str; 2] = ["The user executing the script can't", "ACL failure in script"];

/// As a script's call: refused with a line that names what is missing.
fn in_a_script(pod: &mut Connection, con: &mut Connection, call: &str) -> Option<String> {
    fill(con);
    let words: Vec<String> = call.split(' ').map(|word| format!("'{word}'")).collect();
    let script = format!("return redis.call({})", words.join(","));
    try_cmd(pod, &["EVAL", &script, "0"]).err()
}

#[apply(each_server)]
fn every_command_for_every_kind_of_user(#[case] kind: Kind) {
    let (mut asked, mut refused) = (0, 0);
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let dry = &mut server.connection();
    for user in users(server) {
        cmd(con, &format!("ACL SETUSER pod reset on >secret {}", user.rules));
        let pod = &mut server.connection_of("pod", "secret");
        for (call, does, is_write) in CALLS {
            let what = format!("{call} for {}", user.name);
            let may = user.may(does, is_write);
            asked += 1;
            refused += usize::from(!may);
            let mut ways = in_every_way(pod, con, call);
            let scripts = reply(dry, "ACL DRYRUN pod EVAL return 0") == "OK";
            if scripts {
                ways.push(("EVAL", in_a_script(pod, con, call)));
            }
            for (way, error) in ways {
                match error {
                    None => assert!(may, "{what} by {way}"),
                    Some(error) => {
                        let is_acl = IN_SCRIPTS.iter().any(|words| error.contains(words));
                        let is_acl = error.starts_with("NOPERM ") || (way == "EVAL" && is_acl);
                        assert!(is_acl && !may, "{what} by {way}: {error}");
                    }
                }
            }
            fill(con);
            let before = keyspace(con);
            if try_cmd(pod, call).is_err() {
                assert_eq!(keyspace(con), before, "{what}");
            }
            let words = [&["ACL", "DRYRUN", "pod"][..], &call.split(' ').collect::<Vec<_>>()].concat();
            let dry_run = cmd(dry, &words);
            assert_eq!(dry_run == Value::Okay, may, "{what}: {}", show(&dry_run));
        }
    }
    report(kind, "access", &format!("{asked} pairs of user and command, {refused} refused"));
}
