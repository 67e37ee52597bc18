//! Which servers load the module, and what the others say.

use std::fs;

use crate::harness::*;
use crate::introspection::has_own_category;

/// The version as a server shows it: 1.2.3 is 10203.
fn version() -> i64 {
    let parts = env!("CARGO_PKG_VERSION").split('.').map(|part| part.parse::<i64>().unwrap());
    parts.fold(0, |version, part| version * 100 + part)
}

#[apply(each_server)]
fn loads_and_shows_its_name_and_version(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let modules = text(con, "INFO modules");
    assert!(modules.contains(&format!("module:name=quotelock,ver={},api=1,", version())), "{modules}");
    assert!(server.log().contains("Module 'quotelock' loaded from "), "{}", server.log());
    // Nothing to warn of.
    assert!(!server.log().contains("<quotelock>"), "{}", server.log());
}

#[test]
fn a_server_too_old_says_what_it_takes() {
    const LINE: &str =
        "<quotelock> quotelock needs Redis 7.0 or newer, or Valkey; this server is Redis 6.2.5\n";
    // In the conf file: the server doesn't start.
    let log = Server::builder(Kind::TOO_OLD).try_start().err().expect("it started").to_string();
    assert!(log.contains(LINE), "{log}");
    assert!(log.contains("Can't load module from "), "{log}");
    // By MODULE LOAD: the server goes on without it.
    let server = Server::builder(Kind::TOO_OLD).without_module().start();
    let con = &mut server.connection();
    let load = ["MODULE", "LOAD", &module()];
    assert_eq!(error(con, &load), "ERR Error loading the extension. Please check the server logs.");
    assert!(server.log().contains(LINE), "{}", server.log());
    assert!(error(con, "QUOTELOCK.GET user:1").starts_with("ERR unknown command"));
    assert_eq!(reply(con, "PING"), "PONG");
}

/// Under other names its writes would be acknowledged and reach neither replicas nor the AOF.
#[apply(each_server)]
fn a_server_that_has_renamed_what_is_needed_is_refused(#[case] kind: Kind) {
    for (name, to) in [("SET", r#""""#), ("set", "SET2"), ("DEL", "x"), ("HGETALL", "x"), ("PERSIST", "x")] {
        let log = Server::builder(kind).conf(format!("rename-command {name} {to}")).try_start();
        let log = log.err().expect("it started").to_string();
        let line = format!(
            "<quotelock> quotelock needs the command {}, which it replicates or calls; this server has renamed it\n",
            name.to_uppercase()
        );
        assert!(log.contains(&line), "{name}:\n{log}");
    }
    Server::builder(kind).conf("rename-command GET \"\"").start();
}

/// The server unloads no module that has a data type.
#[apply(each_server)]
fn is_neither_unloaded_nor_loaded_twice(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    cmd(con, "QUOTELOCK.SET user:1 3 *");
    cmd(con, "VEHPRICE.SET t 1 FIELDS 1 a b");
    let held = text(con, "QUOTELOCK.GET user:1 JSON");
    assert!(error(con, &["MODULE", "LOAD", &module()]).starts_with("ERR "));
    // From another file too, which is another library to the server.
    let copy = server.dir().join("another.so");
    fs::copy(module(), &copy).unwrap();
    assert!(error(con, &["MODULE", "LOAD", copy.to_str().unwrap()]).starts_with("ERR "));
    let log = server.log();
    let said = log
        .matches("quotelock is loaded already: it can't be loaded twice, nor replaced while the server runs");
    assert_eq!(said.count(), 2, "{log}");
    let refused = error(con, "MODULE UNLOAD quotelock");
    assert!(refused.contains("exports one or more module-side data types"), "{refused}");
    assert_eq!(text(con, "QUOTELOCK.GET user:1 JSON"), held);
    assert_eq!(text(con, "VEHPRICE.GET t 1 JSON"), r#"{"a":"b"}"#);
    if has_own_category(server) {
        let categories = reply(con, "COMMAND INFO quotelock.get");
        assert!(categories.contains("[@read, @fast, @quotelock]"), "{categories}");
    }
}
