//! No call costs out of proportion to its size: for each command and option the worst call that was thought
//! of, beside the plainest of its kind. The cost is the processor time of the server's main thread, and
//! counts for each byte that is sent and answered; so what machines and other tests do falls out of the
//! ratio. `docs/reliability.md` has the factors.

use std::iter;

use quotelock_testkit::{RawConnection, packed};
use redis::Value;

use crate::harness::*;

/// A call and the calls that make ready for it.
struct Calls {
    before: Vec<Vec<Vec<u8>>>,
    call: Vec<Vec<u8>>,
    is_refused: bool,
}

/// A worst call, and how many times as much as the plain one it may cost.
struct Case {
    name: &'static str,
    plain: Calls,
    worst: Calls,
    factor: f64,
}

fn words(text: &str) -> Vec<Vec<u8>> {
    text.split(' ').map(|word| word.as_bytes().to_vec()).collect()
}

/// A command's first words and many more.
fn with(head: &str, rest: impl Iterator<Item = String>) -> Vec<Vec<u8>> {
    words(head).into_iter().chain(rest.map(String::into_bytes)).collect()
}

fn calls(before: Vec<Vec<Vec<u8>>>, call: Vec<Vec<u8>>) -> Calls {
    Calls { before, call, is_refused: false }
}

fn refused(calls: Calls) -> Calls {
    Calls { is_refused: true, ..calls }
}

/// So many rows, from a first id on, each with these fields; `value` gives the text of all values.
fn mset(key: &str, first: usize, rows: usize, names: &[String], value: &str) -> Vec<Vec<u8>> {
    let head = format!("VEHPRICE.MSET {key} FIELDS {} {} ROWS", names.len(), names.join(" "));
    let row = |id: usize| iter::once(id.to_string()).chain(names.iter().map(|_| value.to_owned()));
    with(&head, (first..first + rows).flat_map(row))
}

fn names(count: usize, prefix: &str) -> Vec<String> {
    (0..count).map(|index| format!("{prefix}{index:02}")).collect()
}

fn ids(count: usize) -> impl Iterator<Item = String> + Clone {
    (0..count).map(|id| id.to_string())
}

fn all(count: usize, word: &str) -> impl Iterator<Item = String> + use<'_> {
    iter::repeat_n(word.to_owned(), count)
}

const ROWS: usize = 1_000;
const IDS: usize = 10_000;
const INFO_ROWS: usize = 10_000;

/// A call that restores what other calls made, where the server compresses nothing.
fn restore(server: &Server, made_by: &[Vec<Vec<u8>>], key: &str) -> Calls {
    let mut raw = RawConnection::connect(server.port()).unwrap();
    for words in made_by {
        raw.request(&packed(words)).unwrap();
    }
    let con = &mut server.connection();
    cmd(con, "CONFIG SET rdbcompression no");
    let Value::BulkString(dump) = cmd(con, &format!("DUMP {key}")) else { panic!("no dump") };
    cmd(con, "FLUSHALL");
    calls(vec![], vec![b"RESTORE".to_vec(), b"restored".to_vec(), b"0".to_vec(), dump])
}

fn cases(server: &Server) -> Vec<Case> {
    let (two, wide) = (names(2, "f"), names(64, "f"));
    let long = names(64, &"\u{1}".repeat(250));
    let table = |key: &str, names: &[String]| vec![mset(key, 0, ROWS, names, "12")];
    let fields = format!("FIELDS 64 {}", wide.join(" "));
    let backwards = wide.iter().rev().cloned().collect::<Vec<_>>().join(" ");
    // Rows of 100 shapes in turn, so that each row has another than the one before.
    let shapes: Vec<_> =
        (0..ROWS).map(|id| mset("shapes", id, 1, &names(60, &format!("n{:02}:", id % 100)), "1")).collect();
    let read = |rest: &str, ids: Vec<String>| with(&format!("VEHPRICE.MGET wide {rest}"), ids.into_iter());
    let many: Vec<String> = ids(ROWS).cycle().take(IDS).collect();
    let near = names(64, &"n".repeat(250));
    let claim = |rest: &str, ids: Vec<String>| {
        with(&format!("VEHPRICE.CLAIM wide PX 60000 {rest} JSON IDS").replace("  ", " "), ids.into_iter())
    };
    let acquire = |role: &str, options: &str| {
        let list = format!("[{}]", vec![format!("\"{role}\""); 1024].join(","));
        words(format!("QUOTELOCK.ACQUIRE u {list} * {options}").trim_end())
    };
    let whole = || calls(table("wide", &wide), read("IDS", many.clone()));
    let whole_json = || calls(table("wide", &wide), read("JSON IDS", many.clone()));
    let plain_mset = || calls(vec![], mset("t", 0, ROWS, &wide, "12"));
    vec![
        Case {
            name: "SET of names that JSON escapes",
            plain: calls(vec![], mset("t", 0, 1, &names(64, &"x".repeat(250)), "12")),
            worst: calls(vec![], mset("t", 0, 1, &long, "12")),
            factor: 2.5,
        },
        Case {
            name: "MSET with an id many times",
            plain: calls(vec![], mset("t", 0, IDS, &two, "12")),
            worst: calls(vec![], with("VEHPRICE.MSET t FIELDS 1 a ROWS", all(2 * IDS, "1"))),
            factor: 3.0,
        },
        Case {
            name: "MSET MERGE of all fields",
            plain: plain_mset(),
            worst: calls(table("t", &wide), {
                let mut call = mset("t", 0, ROWS, &wide, "13");
                call.insert(2, b"MERGE".to_vec());
                call
            }),
            factor: 3.0,
        },
        Case {
            name: "MSET MERGE of one field into many",
            plain: calls(table("t", &wide), mset("t", 0, ROWS, &wide[..1], "13")),
            worst: calls(table("t", &wide), {
                let mut call = mset("t", 0, ROWS, &wide[..1], "13");
                call.insert(2, b"MERGE".to_vec());
                call
            }),
            factor: 24.0,
        },
        Case {
            name: "INFO of many shapes",
            plain: calls(vec![mset("wide", 0, INFO_ROWS, &wide, "1")], words("VEHPRICE.INFO wide")),
            worst: calls(
                (0..100)
                    .map(|shape| {
                        let names = names(60, &format!("n{shape:02}:"));
                        mset("shapes", shape * INFO_ROWS / 100, INFO_ROWS / 100, &names, "1")
                    })
                    .collect(),
                words("VEHPRICE.INFO shapes"),
            ),
            factor: 3.0,
        },
        Case {
            name: "QUOTELOCK.GET of a long string",
            plain: calls(vec![words("SET u {}")], words("QUOTELOCK.GET u")),
            worst: calls(
                vec![{
                    let list = format!(r#"{{"roleIds":[{}"3"]"#, r#""3","#.repeat(2 << 20));
                    vec![b"SET".to_vec(), b"u".to_vec(), list.into_bytes()]
                }],
                words("QUOTELOCK.GET u"),
            ),
            factor: 10.0,
        },
        Case {
            name: "MSET NX XX KEEPTTL over rows that are there",
            plain: plain_mset(),
            worst: calls(table("t", &wide), {
                let mut call = mset("t", 0, ROWS, &wide, "13");
                call.splice(2..2, [b"XX".to_vec(), b"KEEPTTL".to_vec()]);
                call
            }),
            factor: 3.0,
        },
        Case {
            name: "MGET FIELDS of all fields, backwards",
            plain: whole(),
            worst: calls(table("wide", &wide), read(&format!("FIELDS 64 {backwards} IDS"), many.clone())),
            factor: 2.0,
        },
        Case {
            name: "MGET FIELDS of one field many times",
            plain: whole(),
            worst: calls(
                table("wide", &wide),
                read(&format!("FIELDS 64 {} IDS", vec!["f63"; 64].join(" ")), many.clone()),
            ),
            factor: 2.0,
        },
        Case {
            name: "MGET FIELDS JSON",
            plain: whole_json(),
            worst: calls(table("wide", &wide), read(&format!("{fields} JSON IDS"), many.clone())),
            factor: 2.5,
        },
        Case {
            name: "MGET JSON RAW of all fields",
            plain: whole_json(),
            worst: calls(
                table("wide", &wide),
                read(&format!("JSON RAW 64 {} IDS", wide.join(" ")), many.clone()),
            ),
            factor: 4.0,
        },
        Case {
            name: "MGET FIELDS, each row of another shape",
            plain: calls(shapes.clone(), with("VEHPRICE.MGET shapes IDS", ids(ROWS))),
            worst: calls(
                shapes.clone(),
                with(
                    &format!("VEHPRICE.MGET shapes FIELDS 60 {} IDS", names(60, "n07:").join(" ")),
                    ids(ROWS),
                ),
            ),
            factor: 3.0,
        },
        Case {
            name: "GETALL JSON of names that JSON escapes",
            plain: calls(
                vec![mset("t", 0, 300, &names(64, &"x".repeat(250)), "12")],
                words("VEHPRICE.GETALL t JSON"),
            ),
            worst: calls(vec![mset("t", 0, 300, &long, "12")], words("VEHPRICE.GETALL t JSON")),
            factor: 4.0,
        },
        Case {
            name: "VERIFY of 64 fields",
            plain: calls(vec![mset("t", 0, 1, &wide, "12")], words("VEHPRICE.GET t 0")),
            worst: calls(
                vec![mset("t", 0, 1, &wide, "12")],
                with("VEHPRICE.VERIFY t 0", wide.iter().flat_map(|name| [name.clone(), "12".to_owned()])),
            ),
            factor: 3.0,
        },
        Case {
            name: "PTTL of ids that are missing",
            plain: calls(table("wide", &two), with("VEHPRICE.MGET wide IDS", ids(IDS))),
            worst: calls(
                table("wide", &two),
                with("VEHPRICE.PTTL wide", (0..IDS).map(|id| format!("x{id}"))),
            ),
            factor: 3.0,
        },
        Case {
            name: "DEL of one id many times",
            plain: calls(table("wide", &two), with("VEHPRICE.MGET wide IDS", ids(IDS))),
            worst: calls(table("wide", &two), with("VEHPRICE.DEL wide", all(IDS, "1"))),
            factor: 4.0,
        },
        Case {
            name: "CLAIM of ids that are missing",
            plain: calls(vec![], with("VEHPRICE.MGET absent IDS", ids(IDS))),
            worst: calls(vec![], with("VEHPRICE.CLAIM absent PX 60000 JSON IDS", ids(IDS))),
            factor: 6.0,
        },
        Case {
            name: "CLAIM FIELDS of one field many times",
            plain: calls(table("wide", &wide), claim("", many.clone())),
            worst: calls(
                table("wide", &wide),
                claim(&format!("FIELDS 64 {}", ["f63"; 64].join(" ")), many.clone()),
            ),
            factor: 3.0,
        },
        Case {
            name: "CLAIM FIELDS of long names, refused",
            plain: refused(calls(table("wide", &near), claim("", many.clone()))),
            worst: refused(calls(
                table("wide", &near),
                claim(&format!("FIELDS 64 {}", near.join(" ")), many.clone()),
            )),
            factor: 3.0,
        },
        Case {
            name: "RELEASE of ids that are not claimed",
            plain: calls(vec![], with("VEHPRICE.MGET absent IDS", ids(IDS))),
            worst: calls(
                vec![words("VEHPRICE.CLAIM absent PX 60000 IDS 1 2 3")],
                with(&format!("VEHPRICE.RELEASE absent {}", "0".repeat(32)), ids(IDS)),
            ),
            factor: 3.0,
        },
        Case {
            name: "RESTORE of many shapes with names that JSON escapes",
            plain: restore(server, &[words(&format!("SET s {}", "x".repeat(100 * 64 * 252)))], "s"),
            worst: restore(
                server,
                &(0..100)
                    .map(|id| mset("r", id, 1, &names(64, &format!("{}{id:02}:", "\u{1}".repeat(247))), "1"))
                    .collect::<Vec<_>>(),
                "r",
            ),
            factor: 12.0,
        },
        Case {
            name: "RESTORE of rows",
            plain: calls(vec![], mset("t", 0, INFO_ROWS, &two, "12")),
            worst: restore(server, &[mset("r", 0, INFO_ROWS, &two, "12")], "r"),
            factor: 4.0,
        },
        Case {
            name: "MGET FIELDS BLOCK of rows that are claimed and there",
            plain: whole(),
            worst: calls(
                [
                    table("wide", &wide),
                    vec![with("VEHPRICE.CLAIM wide PX 60000 REFRESH 9999999999 JSON IDS", ids(ROWS))],
                ]
                .concat(),
                read(&format!("FIELDS 64 {backwards} BLOCK 1000 IDS"), many.clone()),
            ),
            factor: 3.0,
        },
        Case {
            name: "GETALL FIELDS of all fields",
            plain: calls(table("wide", &wide), words("VEHPRICE.GETALL wide")),
            worst: calls(table("wide", &wide), words(&format!("VEHPRICE.GETALL wide {fields}"))),
            factor: 3.0,
        },
        Case {
            name: "SCAN of all rows, FIELDS",
            plain: calls(table("wide", &wide), words("VEHPRICE.GETALL wide")),
            worst: calls(table("wide", &wide), words(&format!("VEHPRICE.SCAN wide 0 COUNT {ROWS} {fields}"))),
            factor: 3.0,
        },
        Case {
            name: "MGETHASH of one hash many times",
            plain: whole(),
            worst: calls(
                vec![with("HSET h", wide.iter().flat_map(|name| [name.clone(), "12".to_owned()]))],
                with("VEHPRICE.MGETHASH", all(ROWS, "h")),
            ),
            factor: 4.0,
        },
        Case {
            name: "PRICEPLAN.ROUTE of tagged ids",
            plain: calls(vec![], with("VEHPRICE.MGET absent IDS", ids(IDS))),
            worst: calls(vec![], with("PRICEPLAN.ROUTE toggle", (0..IDS).map(|id| format!("{id}_old")))),
            factor: 5.0,
        },
        Case {
            name: "ACQUIRE of role ids with escapes, every option",
            plain: calls(vec![], acquire(&"x".repeat(192), "")),
            worst: calls(vec![], acquire(&"\\u00e4".repeat(32), "LAG 1000 ALIGN 50 EX 60 BUFFER 10 JSON")),
            factor: 12.0,
        },
        Case {
            name: "PRICEPLAN.TAG of tagged ids",
            plain: calls(vec![], with("VEHPRICE.MGET absent IDS", ids(IDS))),
            worst: calls(vec![], with("PRICEPLAN.TAG toggle", (0..IDS).map(|id| format!("{id}_old")))),
            factor: 3.0,
        },
        Case {
            name: "role ids, one beyond the bound in a long list",
            plain: calls(vec![], vec![b"SET".to_vec(), b"k".to_vec(), vec![b'x'; 1 << 20]]),
            worst: refused(calls(vec![], {
                let list = format!("[{}]", vec!["\"1\""; (1 << 20) / 4].join(", "));
                vec![b"QUOTELOCK.SET".to_vec(), b"u".to_vec(), list.into_bytes(), b"*".to_vec()]
            })),
            factor: 10.0,
        },
    ]
}

/// The processor time and the size of a call: the least of a few.
fn cost(server: &Server, calls: &Calls) -> (f64, u32) {
    let mut raw = RawConnection::connect(server.port()).unwrap();
    let call = packed(&calls.call);
    let mut least = f64::MAX;
    let mut size = 0;
    for _ in 0..3 {
        cmd(&mut server.connection(), "FLUSHALL");
        for before in &calls.before {
            raw.request(&packed(before)).unwrap();
        }
        let began = server.cpu_time().unwrap();
        let (replies, replied) = raw.pipeline(&call, 1).unwrap();
        least = least.min(server.cpu_time().unwrap() - began);
        let error = replies.iter().find(|reply| matches!(reply, Value::ServerError(_)));
        assert_eq!(error.is_some(), calls.is_refused, "{error:?}");
        size = u32::try_from(call.len() + replied).unwrap();
    }
    (least, size)
}

#[apply(two_servers)]
fn the_worst_call_costs_little_more_than_the_plainest_of_its_size(#[case] kind: Kind) {
    let server = &Server::start(kind);
    // Where the server can, memory moves meanwhile.
    for setting in ["active-defrag-ignore-bytes 1", "active-defrag-threshold-lower 0", "activedefrag yes"] {
        let _refused = try_cmd(&mut server.connection(), &format!("CONFIG SET {setting}"));
    }
    let mut dear = Vec::new();
    for Case { name, plain, worst, factor } in cases(server) {
        let ((plain, plain_bytes), (worst, worst_bytes)) = (cost(server, &plain), cost(server, &worst));
        let times = (worst / f64::from(worst_bytes)) / (plain / f64::from(plain_bytes));
        println!(
            "{times:6.1} of {factor:5.1}: {name} ({worst:.4} s for {worst_bytes} bytes, {plain:.4} s for {plain_bytes})"
        );
        if times > factor {
            dear.push(format!("{name}: {times:.1} times as much, not {factor:.1}"));
        }
    }
    assert!(dear.is_empty(), "{}", dear.join("\n"));
}
