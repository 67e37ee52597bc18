//! The parts of `docs/commands` that say what a command's entry says. `UPDATE_PAGES=1 cargo test --lib pages` writes
//! them; without it the tests fail where they differ.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, iter};

use quotelock_server::{Arg, ArgKind, KeyFlag, Spec};

use super::{COMMANDS, MODULE};

const BEGIN: &str = "<!-- From the command's entry: `make docs` writes this part. -->";
const BEGIN_LIST: &str = "<!-- From the commands' entries: `make docs` writes this part. -->";
const END: &str = "<!-- End of that part. -->";

/// A page with its parts written anew. What stands between and after them is by hand.
fn with_parts(page: &str, spec: &Spec) -> String {
    let mut parts = [synopsis(spec), arguments(spec)].into_iter();
    let mut written = String::new();
    let mut rest = page;
    while let Some((before, after)) = rest.split_once(BEGIN) {
        let (_, after) = after.split_once(END).unwrap();
        let _ = write!(written, "{before}{BEGIN}\n\n{}\n{END}", parts.next().unwrap());
        rest = after;
    }
    assert_eq!(parts.next(), None, "the page of {} lacks a part", spec.name);
    written.push_str(rest);
    written
}

/// What the page of a new command begins as.
fn new_page() -> String {
    format!("{BEGIN}{END}\n\n…\n\n{BEGIN}{END}\n\n## Reply\n\n- …\n\n## Examples\n\n```redis-cli\n> …\n```\n")
}

fn synopsis(spec: &Spec) -> String {
    let keys: Vec<_> = spec.keys.iter().map(|key| key_flags(key.flags)).collect();
    format!(
        "# {}\n\n{}\n\n```\n{}\n```\n\n\
         | | |\n|---|---|\n| Since | {} |\n| Complexity | {} |\n| Flags | `{}` |\n\
         | ACL categories | {}, from Redis 7.2 and Valkey 7.2 on; `@{}`, from Redis 7.4 and Valkey 8 on |\n\
         | Key | {} |\n",
        spec.name.to_uppercase(),
        spec.summary,
        grammar(spec),
        spec.since,
        spec.complexity,
        spec.flags.replace(' ', "`, `"),
        spec.categories.split(' ').map(|category| format!("`@{category}`")).collect::<Vec<_>>().join(", "),
        MODULE.category,
        keys.join("; "),
    )
}

fn arguments(spec: &Spec) -> String {
    let mut lines = "## Arguments\n\n".to_owned();
    spec.args.iter().for_each(|arg| list(arg, &mut lines));
    lines
}

fn grammar(spec: &Spec) -> String {
    spec.usage().replace("...", "…")
}

fn list(arg: &Arg, page: &mut String) {
    if let ArgKind::OneOf(parts) | ArgKind::Block(parts) = arg.kind {
        // A block's word stands before its first part.
        for (part, word) in parts.iter().zip(iter::once(arg.token).chain(iter::repeat(None))) {
            list(&Arg { token: part.token.or(word), ..*part }, page);
        }
    } else {
        let _ = writeln!(
            page,
            "- `{}`: {}",
            Arg { optional: false, multiple: false, ..*arg }.usage(),
            arg.summary
        );
    }
}

fn key_flags(flags: &[KeyFlag]) -> String {
    let flags: Vec<_> =
        flags.iter().map(|flag| format!("`{}`", format!("{flag:?}").to_uppercase())).collect();
    flags.join(", ")
}

/// The commands of each family, which is the part of the name before the dot.
fn list_of_commands() -> String {
    let mut list = String::new();
    let mut last = "";
    for spec in COMMANDS.iter().map(|entry| &entry.spec) {
        let (family, _) = spec.name.split_once('.').unwrap();
        if family != last {
            let _ = write!(list, "\n## {}\n\n| command | |\n|---|---|\n", family.to_uppercase());
            last = family;
        }
        let _ = writeln!(list, "| [`{}`]({}.md) | {} |", spec.name.to_uppercase(), spec.name, spec.summary);
    }
    list
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn write_or_compare(path: &Path, found: &str, page: &str) {
    if env::var_os("UPDATE_PAGES").is_some() {
        fs::write(path, page).unwrap();
    } else {
        assert!(found == page, "{} differs from the command's entry: run `make docs`", path.display());
    }
}

#[test]
fn pages_say_what_the_table_says() {
    let folder = root().join("docs/commands");
    let mut names = vec![folder.join("README.md")];
    for entry in COMMANDS {
        let path = folder.join(format!("{}.md", entry.spec.name));
        let found = fs::read_to_string(&path).unwrap_or_else(|_| new_page());
        let page = with_parts(&found, &entry.spec);
        write_or_compare(&path, &found, &page);
        names.push(path);
    }
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        assert!(names.contains(&path), "{} belongs to no command in the table", path.display());
    }
}

#[test]
fn the_list_of_commands_is_up_to_date() {
    let path = root().join("docs/commands/README.md");
    let found = fs::read_to_string(&path).unwrap();
    let (before, rest) = found.split_once(BEGIN_LIST).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let page = format!("{before}{BEGIN_LIST}\n{}\n{END}{after}", list_of_commands());
    write_or_compare(&path, &found, &page);
}

/// The row of `docs/reference/access.md` that says what rights a command takes.
#[test]
fn the_table_of_access_has_every_command() {
    let access = fs::read_to_string(root().join("docs/reference/access.md")).unwrap();
    for entry in COMMANDS {
        let name = format!("`{}`", entry.spec.name.to_uppercase());
        let row = access.lines().find(|line| line.starts_with('|') && line.contains(&name));
        let row = row.unwrap_or_else(|| panic!("no row has {name}"));
        let own =
            entry.spec.categories.split(' ').map(|category| format!("@{category} ")).collect::<String>();
        assert!(row.ends_with(&format!("| `{own}@{}` |", MODULE.category)), "{name}: {row}");
    }
}
