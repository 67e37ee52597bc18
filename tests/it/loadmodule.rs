//! Where the line that loads the module may be: docs/how-to/install.md tells of it.

use std::fs;

use crate::harness::*;

const TWICE: &str =
    "<module> quotelock is loaded already: it can't be loaded twice, nor replaced while the server runs";

/// How many `loadmodule` lines the file has that the server was started with.
fn lines(server: &Server) -> usize {
    let conf = fs::read_to_string(server.dir().join("redis.conf")).unwrap();
    conf.lines().filter(|line| line.starts_with("loadmodule ")).count()
}

/// Has CONFIG REWRITE keep a setting.
fn rewrite_conf(server: &Server) {
    let con = &mut server.connection();
    assert_eq!(reply(con, "CONFIG SET quotelock.lock-ttl-ms 1000"), "OK");
    assert_eq!(reply(con, "CONFIG REWRITE"), "OK");
}

#[apply(each_server)]
fn a_line_of_the_main_file_stays_the_only_one(#[case] kind: Kind) {
    let settings = tempfile::NamedTempFile::new().unwrap();
    fs::write(settings.path(), "quotelock.lock-lag-ms 5\nquotelock.lock-buffer-ms 10\n").unwrap();
    // A pattern that no file matches is no error: what a package took away may still be included so.
    let none = settings.path().with_extension("d");
    let include = format!("include {}", settings.path().display());
    let mut server =
        Server::builder(kind).conf(include).conf(format!("include {}/*.conf", none.display())).start();
    for _ in 0..2 {
        rewrite_conf(&server);
        assert_eq!(lines(&server), 1);
        server.restart();
        let con = &mut server.connection();
        for (name, value) in [("lock-ttl-ms", "1000"), ("lock-lag-ms", "5"), ("lock-buffer-ms", "10")] {
            let name = format!("quotelock.{name}");
            assert_eq!(reply(con, &["CONFIG", "GET", &name]), format!(r#"["{name}", "{value}"]"#));
        }
    }
}

#[apply(each_server)]
fn a_line_elsewhere_is_written_a_second_time(#[case] kind: Kind) {
    let included = tempfile::NamedTempFile::new().unwrap();
    fs::write(included.path(), format!("loadmodule {}\n", module())).unwrap();
    let include = format!("include {}", included.path().display());
    let argument = format!("exec \"$@\" --loadmodule {}", module());
    let builder = Server::builder(kind).without_module();
    let elsewhere = [builder.clone().conf(include), builder.under(&["sh", "-c", &argument, "sh"])];
    for builder in elsewhere {
        let mut server = builder.start();
        assert_eq!(lines(&server), 0);
        // It starts again as long as nobody rewrites the file.
        server.restart();
        rewrite_conf(&server);
        assert_eq!(lines(&server), 1);
        server.stop();
        let log = server.try_restart().unwrap_err().to_string();
        assert!(log.contains(TWICE) && log.contains("server aborting"), "{log}");
    }
}
