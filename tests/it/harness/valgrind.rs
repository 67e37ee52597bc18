//! Servers under valgrind.

use quotelock_testkit::Server;

/// Valgrind with the server's allocator in its own place, so that it sees every piece of memory.
pub(crate) const VALGRIND: [&str; 6] = [
    "valgrind",
    "--soname-synonyms=somalloc=libjemalloc.so.2",
    "--leak-check=full",
    "--show-leak-kinds=definite,indirect",
    "--errors-for-leak-kinds=definite,indirect",
    "--log-file={dir}/valgrind.log",
];

/// Checks what valgrind wrote of a server that has stopped.
#[track_caller]
pub(crate) fn clean_under_valgrind(server: &Server) {
    let log = std::fs::read_to_string(server.dir().join("valgrind.log")).unwrap();
    assert!(log.contains("ERROR SUMMARY: 0 errors"), "{log}");
    assert!(log.contains("definitely lost: 0 bytes"), "{log}");
}
