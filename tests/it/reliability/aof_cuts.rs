//! An AOF cut off at each of its last bytes: the server starts, and holds what the whole commands before the
//! cut left.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::book::{Book, SETTINGS};
use super::{full, report};
use crate::harness::*;

const LAST_BYTES: u64 = 2000;

/// The file the server appends to.
fn aof(server: &Server) -> PathBuf {
    let files = fs::read_dir(server.dir().join("appendonlydir")).unwrap().map(|file| file.unwrap().path());
    let mut incr: Vec<_> = files.filter(|file| file.to_str().unwrap().contains(".incr.")).collect();
    assert_eq!(incr.len(), 1, "{incr:?}");
    incr.remove(0)
}

/// The server's own tool, which the server's program is under another name.
fn check_aof(server: &Server) -> PathBuf {
    let program = server.kind().program().unwrap();
    let tool = program.file_name().unwrap().to_str().unwrap().replace("-server", "-check-aof");
    let (program, tool) = (program.to_str().unwrap(), server.dir().join(tool));
    // A server with libraries of its own is started by a script, which has the program beside it.
    for end in ["", ".bin"] {
        let (of, link) = (format!("{program}{end}"), format!("{}{end}", tool.display()));
        if Path::new(&of).exists() && !Path::new(&link).exists() {
            symlink(of, link).unwrap();
        }
    }
    tool
}

fn fix(server: &Server) {
    // Given the manifest, Valkey's tool refuses the RDB file of Valkey 9.1.
    let mut tool = Command::new(check_aof(server));
    let tool = tool.arg("--fix").arg(aof(server)).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut tool = tool.spawn().unwrap();
    // It asks whether it may.
    let said_yes = tool.stdin.take().unwrap().write_all(b"y\n");
    let said = tool.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&said.stdout);
    assert!(said_yes.is_ok() && said.status.success(), "{said_yes:?}, {}: {text}", said.status);
}

fn cut(file: &Path, length: u64) {
    fs::OpenOptions::new().write(true).open(file).unwrap().set_len(length).unwrap();
}

#[apply(two_servers)]
fn an_aof_cut_off_anywhere_is_a_prefix(#[case] kind: Kind) {
    let step = if full() { 1 } else { 40 };
    let (mut starts, mut fixed) = (0, 0);
    let start = |truncated: &str| {
        Server::builder(kind)
            .conf("appendonly yes")
            .conf("appendfsync always")
            .conf(format!("aof-load-truncated {truncated}"))
            .module_args(SETTINGS)
            .start()
    };
    // Two servers run the same file: one cuts off by itself what is not whole, the other refuses it until it
    // is fixed.
    let (mut server, mut strict) = (start("yes"), start("no"));
    let file = aof(&server);
    let (mut book, rng) = (Book::of(0), &mut Rng::seeded(7));
    let con = &mut server.connection();
    let mut ends = vec![fs::metadata(&file).unwrap().len()];
    while book.writes.len() < 200 {
        book.write(con, rng).unwrap();
        ends.push(fs::metadata(&file).unwrap().len());
    }
    server.kill();
    let whole = fs::read(&file).unwrap();
    let length = whole.len() as u64;
    assert!(length - ends[1] > LAST_BYTES, "{ends:?}");
    for off in (1..=LAST_BYTES).step_by(step) {
        let what = format!("{off} bytes off");
        fs::write(&file, &whole).unwrap();
        cut(&file, length - off);
        server.restart();
        let kept = ends.partition_point(|end| *end <= length - off) - 1;
        let found = book.find(&mut server.connection());
        let prefixes = book.all_kept(&found);
        assert!(prefixes.contains(&kept), "{what}: not {kept} writes but {prefixes:?}: {found:?}");
        server.kill();
        starts += 1;
        if starts % 10 == 1 {
            strict.kill();
            let file = aof(&strict);
            fs::write(&file, &whole).unwrap();
            cut(&file, length - off);
            if !ends.contains(&(length - off)) {
                let refused = strict.try_restart().expect_err(&what).to_string();
                assert!(refused.contains("Unexpected end of file"), "{what}: {refused}");
                fix(&strict);
            }
            strict.restart();
            assert_eq!(book.find(&mut strict.connection()), found, "{what}, fixed");
            fixed += 1;
        }
    }
    report(kind, "aof_cuts", &format!("{starts} cuts, {fixed} of them fixed by check-aof too"));
}
