//! The parts of the README, in both its languages, and of the guide that come from elsewhere: the journeys, a program, the
//! benchmarks. `UPDATE_PAGES=1` has the test write them; without it the test fails where they differ.

use std::fmt::Write as _;
use std::{env, fs};

use crate::harness::workspace;

const END: &str = "<!-- End of that part. -->";
const PROGRAM: &str = "examples/quickstart/prices.ts";

/// A text in English and in Chinese.
type Text = [&'static str; 2];

const LANGUAGES: Text = ["README.md", "README.zh-TW.md"];

/// Rows of the journeys' table in `examples/hermes/README.md`, and what they are called here.
const JOURNEYS: &[(&str, Text)] = &[
    ("journeys", ["journeys", "租車流程數（從地圖到付款）"]),
    (
        "price mismatches",
        [
            "**steps that showed another price** than the one before, without notice",
            "**未告知就顯示不同價格**的步驟數（與上一步相比）",
        ],
    ),
    (
        "of these with the same queryTime",
        ["of these, under the same `queryTime`", "其中 `queryTime` 相同的步驟數"],
    ),
    ("journeys that met one", ["journeys affected", "遇到價格不一致的流程數"]),
    (
        "new quotes",
        [
            "steps that announced a new quote (lock renewed or lost, plan retired, Redis down)",
            "明白告知有新報價的步驟數（鎖已換新或遺失、方案停用、Redis 停擺）",
        ],
    ),
    (
        "upstream calls per journey",
        ["calls to the pricing service per journey", "每個流程平均呼叫計價服務的次數"],
    ),
];

/// Where a figure of `docs/benchmarks.md` stands: the table's title, parts of it, the row, and the column.
type Figure = (&'static str, &'static str, usize);

/// What is compared, with what, and how many times as fast it is.
const NUMBERS: &[(Text, Text, Figure)] = &[
    (
        ["read 8,000 vehicles in Node, parsed into objects", "在 Node 讀取 8,000 輛車，並解析成物件"],
        ["a pipeline of `HGETALL`, one key per vehicle", "`HGETALL` pipeline，一輛車一個 key"],
        (READ_IN_NODE, "pipeline of HGETALL", 2),
    ),
    (
        SAME,
        ["`HMGET` on one hash of JSON", "對一個存 JSON 的 hash 做 `HMGET`"],
        (READ_IN_NODE, "HMGET of one hash, JSON.parse of each", 2),
    ),
    (
        ["write 8,000 vehicles from Node, each with its expiry", "從 Node 寫入 8,000 輛車，各有到期時間"],
        ["a pipeline of `HSET` and `EXPIRE`", "`HSET` 加 `EXPIRE` 的 pipeline"],
        (WRITTEN_IN_NODE, "pipeline of HSET + EXPIRE", 2),
    ),
    (
        SAME,
        ["`HSET` into one hash of JSON, without expiry", "對一個存 JSON 的 hash 做 `HSET`，沒有到期時間"],
        (WRITTEN_IN_NODE, "HSET of one hash, JSON.stringify of each", 2),
    ),
    (
        [
            "the same, the server alone (`COLUMNS`), on Redis 8.10.2",
            "同上，只算伺服器（`COLUMNS`），Redis 8.10.2",
        ],
        ["`HSETEX` into one hash of JSON", "對一個存 JSON 的 hash 做 `HSETEX`"],
        (WRITTEN_EACH, "HSETEX of one hash, of new rows / VEHPRICE.MSET COLUMNS PX of new rows", 4),
    ),
    (
        [
            "read 8,000 vehicles, the server alone (`LIST`, `JSON`)",
            "讀取 8,000 輛車，只算伺服器（`LIST`、`JSON`）",
        ],
        ["`HMGET` on one hash of JSON", "對一個存 JSON 的 hash 做 `HMGET`"],
        (READ, "HMGET of one hash / VEHPRICE.MGET LIST JSON", 2),
    ),
    (
        ["`ACQUIRE` an existing lock, pipelined", "以 pipeline 對既有的鎖做 `ACQUIRE`"],
        ["the same logic in Lua", "以 Lua 實作的相同邏輯"],
        (LOCKS, "QUOTELOCK.ACQUIRE held JSON / acquire in Lua, held", 2),
    ),
    (SAME, ["plain `GET`", "單純的 `GET`"], (LOCKS, "QUOTELOCK.ACQUIRE held JSON / GET", 2)),
    (
        ["one row (`VEHPRICE.GET`), pipelined", "以 pipeline 讀取一列（`VEHPRICE.GET`）"],
        ["`GET` of the same JSON", "對相同的 JSON 做 `GET`"],
        (ONE_ROW, "VEHPRICE.GET JSON / GET of JSON", 2),
    ),
];

const SAME: Text = ["", ""];
const READ_IN_NODE: &str =
    "8,000 vehicles read in Node … how many times as fast VehPrice.mget, two fields is";
const WRITTEN_IN_NODE: &str = "8,000 vehicles written in Node … how many times as fast VehPrice.mset is";
const WRITTEN_EACH: &str =
    "8,000 vehicles written in one call: how many times as fast: by the time at the client, each server";
const READ_MS: &str = "8,000 vehicles read in one call";
const READ: &str = "8,000 vehicles read in one call: how many times as fast";
const LOCKS: &str = "One lock, pipelined: speed against another";
const ONE_ROW: &str = "One row, pipelined: speed against another";
const MEMORY: &str = "Memory: bytes a vehicle, by used_memory";
const REFILL: &str = "10 pods find 8,000 rows missing";

/// How many `queryTime`s have tables at a time, with the README's timing: rows live for 7 minutes, and they are a minute apart.
const MOMENTS: f64 = 7.0;

#[test]
fn pages_say_what_their_sources_say() {
    for (language, page) in LANGUAGES.into_iter().enumerate() {
        let parts =
            [("mismatches", mismatches(language)), ("program", program()), ("numbers", numbers(language))];
        write_or_compare(page, &parts);
    }
    write_or_compare("docs/how-to/refill.md", &[("calls", calls())]);
}

fn write_or_compare(page: &str, parts: &[(&str, String)]) {
    let found = read(page);
    let written = with_parts(&found, parts);
    if env::var_os("UPDATE_PAGES").is_some() {
        fs::write(workspace().join(page), written).unwrap();
    } else {
        assert!(found == written, "{page} differs from its sources: run `make docs`");
    }
}

/// The page with its parts written anew. What stands around them is by hand.
fn with_parts(page: &str, parts: &[(&str, String)]) -> String {
    let mut written = String::new();
    let mut rest = page;
    for (name, part) in parts {
        let begin = format!("<!-- {name}: `make docs` writes this part. -->");
        let (before, after) = rest.split_once(&begin).unwrap_or_else(|| panic!("no part {name}"));
        let (_, after) = after.split_once(END).unwrap();
        let _ = write!(written, "{before}{begin}\n{part}{END}");
        rest = after;
    }
    written + rest
}

fn mismatches(language: usize) -> String {
    let hermes = read("examples/hermes/README.md");
    let head = [["without quotelock", "沒有 quotelock"], ["with quotelock", "有 quotelock"]];
    let mut table = format!("| | {} | {} |\n|---|---|---|\n", head[0][language], head[1][language]);
    for (row, text) in JOURNEYS {
        let [without, with] = [1, 2].map(|column| cell(&hermes, row, column));
        let _ = writeln!(table, "| {} | {without} | {with} |", text[language]);
    }
    table + "\n"
}

fn program() -> String {
    format!("```ts\n{}```\n", read(PROGRAM))
}

fn numbers(language: usize) -> String {
    let page = read("docs/benchmarks.md");
    let head = [
        "| | compared with | speed-up (1: equal; higher is better) |",
        "| | 比較對象 | 速度倍數（1 為相同，越高越快） |",
    ];
    let mut table = format!("{}\n|---|---|---|\n", head[language]);
    for (what, with, (title, row, column)) in NUMBERS {
        let times = short(number(&cell(titled(&page, title), row, *column)));
        let _ = writeln!(table, "| {} | {} | {times} |", what[language], with[language]);
    }
    let bytes = |column| format!("{:.0}", number(&cell(titled(&page, MEMORY), "1,000,000", column)));
    let made = |way| cell(titled(&page, REFILL), way, 2);
    let [key, json, row] = [1, 3, 4].map(bytes);
    let (once, each) = (made("CLAIM, MSET TOKEN, MGET BLOCK"), made("each pod asks (MGET, MSET NX, MGET)"));
    let small = number(&cell(titled(&page, MEMORY), "8,000", 4)) * 8000.0 * MOMENTS / 1e6;
    let busy = number(&cell(titled(&page, READ_MS), "VEHPRICE.MGET LIST JSON", 2));
    let _ = match language {
        0 => writeln!(
            table,
            "\nBytes per vehicle, for a million vehicles: {row} in a table, each with an expiry; {json} in one hash of JSON, without; {key} as a key each, with a TTL. So 8,000\n\
             vehicles take {small:.1} MB per set of roles, as seven `queryTime`s are in use with the timing above. Reading all 8,000 keeps the server busy for {busy:.1} ms. Ten\n\
             pods that miss the same 8,000 rows make {once} calls to the pricing service, 2,000 rows each, instead of {each}."
        ),
        _ => writeln!(
            table,
            "\n以一百萬輛車計，每輛車在價格表中連同到期時間佔 {row} bytes；在一個存 JSON 的 hash 裡（沒有到期時間）佔 {json} bytes；各存成一個設有 TTL 的 hash 則佔 {key} bytes。\n\
             照上面的 timing，同時有七個 `queryTime` 的價格表，所以 8,000 輛車的每組角色共佔 {small:.1} MB。讀取全部 8,000 列，會佔用伺服器 {busy:.1} ms。\n\
             十個 pod 都缺同樣的 8,000 列時，總共只呼叫計價服務 {once} 次（每次 2,000 列），而不是 {each} 次。"
        ),
    };
    table
}

/// What a cold table costs, by how ten pods fill it.
fn calls() -> String {
    const WAYS: [(&str, &str); 3] = [
        ("each pod asks (MGET, MSET NX, MGET)", "each pod fetches, `MSET … NX`"),
        ("CLAIM, MSET TOKEN, MGET BLOCK", "`CLAIM`"),
        ("CLAIM LIMIT, MSET TOKEN, MGET BLOCK", "`CLAIM … LIMIT 2000`"),
    ];
    let page = read("docs/benchmarks.md");
    let mut table = "| | upstream calls | ms until the last pod has all rows |\n|---|---|---|\n".to_owned();
    for (way, text) in WAYS {
        let [ms, calls] = [1, 2].map(|column| cell(titled(&page, REFILL), way, column));
        let _ = writeln!(table, "| {text} | {calls} | {:.0} |", number(&ms));
    }
    table + "\n"
}

fn read(path: &str) -> String {
    fs::read_to_string(workspace().join(path)).unwrap()
}

/// The page from its first table on whose title has these parts.
fn titled<'a>(page: &'a str, title: &str) -> &'a str {
    let is_titled = |table: &&str| {
        table.lines().next().is_some_and(|line| title.split(" … ").all(|part| line.contains(part)))
    };
    page.split("\n**").find(is_titled).unwrap_or_else(|| panic!("no table {title}"))
}

/// A cell of the first row that begins so.
fn cell(page: &str, row: &str, column: usize) -> String {
    let start = format!("| {row} |");
    let line = page.lines().find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("no row {row}"));
    line.trim_matches('|').split(" | ").nth(column).unwrap().trim().to_owned()
}

/// The median that a cell begins with.
fn number(cell: &str) -> f64 {
    cell.split(' ').next().unwrap().parse().unwrap()
}

/// A ratio with two digits, the zero before the point not counted.
fn short(ratio: f64) -> String {
    match ratio {
        ..0.995 => format!("{ratio:.2}"),
        ..9.95 => format!("{ratio:.1}"),
        _ => format!("{ratio:.0}"),
    }
}
