//! Worst calls on locks.

use super::*;

/// The longest string that is read as a lock, less what is not its role ids.
const LONGEST: usize = (2 << 20) - 200;

/// As many role ids as a caller may pass, as a JSON array.
fn role_ids(id: &str) -> String {
    array(1024, id)
}

fn array(count: usize, id: &str) -> String {
    format!("[{}]", vec![format!("\"{id}\""); count].join(","))
}

/// A call of a command that takes role ids, with the server's clock as the moment.
fn with_role_ids(command: &str, role_ids: &str, options: &str) -> Calls {
    let options = options.split_whitespace().map(str::to_owned);
    call(&format!("{command} u")).with([role_ids.to_owned(), "*".to_owned()]).with(options)
}

/// Stores the longest lock whose role ids are all this one, as services may, with more members.
fn store(id: &str, more: &str) -> Calls {
    let role_ids = array(LONGEST / (id.len() + 3), id);
    let lock = format!(r#"{{"roleIds":{role_ids},"queryTime":"2024-09-12T02:50:53.000Z"{more}}}"#);
    call("SET u").with([lock])
}

pub(super) fn cases() -> Vec<Case> {
    let (plain, escaped) = (role_ids(&"x".repeat(192)), role_ids(&"\\u0001".repeat(32)));
    let set = |role_ids: &str, options: &str| with_role_ids("QUOTELOCK.SET", role_ids, options).times(10);
    let acquire =
        |role_ids: &str, options: &str| with_role_ids("QUOTELOCK.ACQUIRE", role_ids, options).times(10);
    let get = |options: &str| call(&format!("QUOTELOCK.GET u{options}"));
    let (lock, escaped_lock) = (store("xx", ""), store("\\n", ""));
    // All of it but its last member is a lock.
    let no_lock = store("\\n", r#","bufferMs":-1"#);
    let beyond = format!("[{}]", vec!["\"1\""; (1 << 20) / 4].join(", "));
    let refused = |role_ids: String| with_role_ids("QUOTELOCK.SET", &role_ids, "").refused();
    vec![
        case(
            "`QUOTELOCK.SET NX PX PBUFFER LAG ALIGN` of 1,024 role ids with escapes",
            set(&escaped, "NX PX 600000 PBUFFER 1000 LAG 1000 ALIGN 1"),
        )
        .beside("of plain ones", set(&plain, ""), 6.0),
        case(
            "`QUOTELOCK.SET XX EX BUFFER` of 1,024 role ids that are one escape each",
            set(&role_ids("\\n"), "XX EX 600 BUFFER 1").after(call("SET u x")),
        )
        .beside("of plain ones", set(&role_ids("xx"), ""), 17.0),
        case(
            "`QUOTELOCK.ACQUIRE EX BUFFER LAG ALIGN JSON` of 1,024 role ids with escapes",
            acquire(&escaped, "EX 600 BUFFER 1 LAG 1000 ALIGN 1 JSON"),
        )
        .beside("of plain ones", acquire(&plain, ""), 5.0),
        case(
            "`QUOTELOCK.ACQUIRE IFMISSING PX PBUFFER` where a lock is held, both with escapes",
            acquire(&escaped, "IFMISSING PX 600000 PBUFFER 1000").after(set(&escaped, "")),
        )
        .beside("of plain ones", acquire(&plain, "").after(set(&plain, "")), 8.0),
        case(
            "`QUOTELOCK.GET AT` of a lock of 2 MiB with escapes",
            get(" AT 2024-09-12T02:50:53Z").after(escaped_lock.clone()),
        )
        .beside("of a plain one", get("").after(lock.clone()), 9.0),
        case(
            "`QUOTELOCK.GET JSON` of a lock of 2 MiB with escapes",
            get(" JSON").after(escaped_lock.clone()),
        )
        .beside("of a plain one", get(" JSON").after(lock.clone()), 75.0),
        case(
            "`QUOTELOCK.GET JSON` of 2 MiB that are no lock, for each byte of them",
            get(" JSON").after(no_lock).through(LONGEST),
        )
        .beside("of a plain lock", get(" JSON").after(lock.clone()), 75.0),
        case(
            "`QUOTELOCK.DEL IFEQ` of a lock of 2 MiB with escapes, for each byte of it",
            call("QUOTELOCK.DEL u IFEQ x").after(escaped_lock).through(LONGEST),
        )
        .beside("`QUOTELOCK.GET JSON` of a plain one", get(" JSON").after(lock), 75.0),
        case(
            "`QUOTELOCK.GET` of a string of 8 MiB",
            get("").after(call("SET u").with(["x".repeat(8 << 20)])),
        )
        .beside("of a short one", get("").after(call("SET u {}")), 4.0),
        case("`QUOTELOCK.SET` of far more role ids than may be", refused(beyond)).beside(
            "Redis's `SET` of as many bytes",
            call("SET u").with(["x".repeat(1 << 20)]),
            10.0,
        ),
        case("`QUOTELOCK.SET` of a role id of 1 MiB of `ä`", refused("ä".repeat(1 << 19))).beside(
            "of letters, in JSON",
            refused(array(1, &"x".repeat(1 << 20))),
            17.0,
        ),
    ]
}
