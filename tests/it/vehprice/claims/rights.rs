//! Clients that wait while their users lose the right to what they wait for.

use quotelock_testkit::poll;

use super::*;

/// What is taken from the user (databases on Valkey 9.1 alone), and what the answer names. Redis 7.0 has one answer
/// for all.
const TAKEN: [(&str, &str); 7] = [
    ("resetkeys", "key"),
    ("resetkeys %W~t", "key"),
    ("resetkeys ~other", "key"),
    ("-vehprice.mget", "vehprice.mget"),
    ("-@all +ping", "vehprice.mget"),
    ("nocommands", "vehprice.mget"),
    ("resetdbs db=1", "database"),
];

/// What ends the wait, as the admin or the one who fills does it.
const ENDS: [&str; 4] =
    ["VEHPRICE.SET t 7 FIELDS 1 a secret", "DEL t", "CLIENT UNBLOCK {id} TIMEOUT", "{its time}"];

#[apply(each_server)]
fn a_user_that_lost_the_right_is_told_so(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for (taken, named) in TAKEN {
        if taken.contains("dbs") && !(kind.is_valkey() && kind.version() >= (9, 1)) {
            continue;
        }
        for end in ENDS {
            cmd(con, "FLUSHALL");
            cmd(con, "ACL SETUSER pod reset on nopass ~* +@all");
            cmd(con, "ACL LOG RESET");
            cmd(con, "VEHPRICE.SET t 1 FIELDS 1 a secret");
            claim(con, "t", "IDS 7");
            let mut pod = Asked::of(server, "AUTH pod any");
            assert_eq!(pod.answer(), "OK");
            let answer = if end == "{its time}" {
                loses_while_its_time_runs(con, &mut pod, taken)
            } else {
                pod.send("VEHPRICE.MGET t BLOCK 0 JSON IDS 1 7");
                eventually(TIMEOUT, || (count(con, "claims_waiting") == 1).then_some(()));
                cmd(con, &format!("ACL SETUSER pod {taken}"));
                cmd(con, &end.replace("{id}", &pod.id.to_string()));
                pod.answer()
            };
            assert!(answer.starts_with("-NOPERM "), "{taken}, {end}: {answer}");
            let named = if kind.version() < (7, 2) { "command or to access its key" } else { named };
            assert!(answer.contains(named), "{taken}, {end}: {answer}");
            assert!(reply(con, "ACL LOG").contains("pod"), "{taken}, {end}");
            assert_eq!(count(con, "claims_waiting"), 0);
            // It is the client it was before.
            cmd(con, "ACL SETUSER pod reset on nopass ~* +@all");
            pod.send("VEHPRICE.MGET t JSON IDS 8");
            assert_eq!(pod.answer(), "[null]", "{taken}, {end}");
        }
    }
}

/// What a client is answered at the end of its time that loses the right meanwhile. If the machine was so busy that the
/// time was over before, it waits longer.
fn loses_while_its_time_runs(con: &mut Connection, pod: &mut Asked, taken: &str) -> String {
    for ms in [200, 2000, 20_000] {
        pod.send(&format!("VEHPRICE.MGET t BLOCK {ms} JSON IDS 1 7"));
        let _ = poll(Duration::from_millis(ms), || (count(con, "claims_waiting") == 1).then_some(()));
        for words in ["MULTI", &format!("ACL SETUSER pod {taken}"), "INFO quotelock"] {
            cmd(con, words);
        }
        let has_waited = reply(con, "EXEC").contains("quotelock_claims_waiting:1");
        let answer = pod.answer();
        if has_waited {
            return answer;
        }
        cmd(con, "ACL SETUSER pod reset on nopass ~* +@all");
    }
    panic!("{taken}: its time was always over before")
}
