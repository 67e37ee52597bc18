//! The pages in `docs/commands` and the README's table, written from the table of commands and held against it.
//!
//! `UPDATE_PAGES=1 cargo test --lib pages` writes them; without it the test fails where they differ.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, iter};

use super::TABLE;
use crate::server::{Arg, ArgKind, KeyFlag, Spec};

fn page(spec: &Spec) -> String {
    let mut page = String::new();
    let name = spec.name.to_uppercase();
    let keys: Vec<_> = spec.keys.iter().map(|key| key_flags(key.flags)).collect();
    let _ = write!(
        page,
        "<!-- Written from the table of commands by `make docs`. -->\n\n# {name}\n\n{}\n\n```\n{}\n```\n\n\
         | | |\n|---|---|\n| Since | {} |\n| Complexity | {} |\n| Flags | `{}` |\n\
         | ACL categories | {}, from Redis 7.2 and Valkey 7.2 on; `@{}`, from Redis 7.4 and Valkey 8 on |\n\
         | Key | {} |\n\n{}\n\n## Arguments\n\n",
        spec.summary,
        grammar(spec),
        spec.since,
        spec.complexity,
        spec.flags.replace(' ', "`, `"),
        spec.categories.split(' ').map(|category| format!("`@{category}`")).collect::<Vec<_>>().join(", "),
        crate::MODULE.category,
        keys.join("; "),
        spec.about,
    );
    for arg in spec.args {
        list(arg, &mut page);
    }
    page.push_str("\n## Reply\n\n");
    for (case, reply) in spec.replies {
        let _ = writeln!(page, "- {case}: {reply}");
    }
    page.push_str("\n## Examples\n\n```redis-cli\n");
    for example in spec.examples {
        let _ = writeln!(page, "> {}\n{}", example.0, example.1);
    }
    page.push_str("```\n");
    page
}

fn grammar(spec: &Spec) -> String {
    let args: Vec<_> = spec.args.iter().map(usage).collect();
    format!("{} {}", spec.name.to_uppercase(), args.join(" "))
}

/// An argument as a grammar shows it.
fn usage(arg: &Arg) -> String {
    let value = match &arg.kind {
        ArgKind::OneOf(choices) => choices.iter().map(usage).collect::<Vec<_>>().join(" | "),
        ArgKind::Block(parts) => parts.iter().map(usage).collect::<Vec<_>>().join(" "),
        ArgKind::Word => String::new(),
        _ => arg.name.to_owned(),
    };
    // The first of several needs no word before it, so that it is repeated as it is. The token comes once, before them.
    let value = if arg.multiple { format!("{value} [{value} …]") } else { value };
    let value: Vec<_> =
        arg.token.into_iter().chain(Some(value.as_str()).filter(|value| !value.is_empty())).collect();
    let value = value.join(" ");
    match arg.kind {
        _ if arg.optional => format!("[{value}]"),
        ArgKind::OneOf(_) => format!("<{value}>"),
        _ => value,
    }
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
            usage(&Arg { optional: false, multiple: false, ..*arg }),
            arg.summary
        );
    }
}

fn key_flags(flags: &[KeyFlag]) -> String {
    let flags: Vec<_> =
        flags.iter().map(|flag| format!("`{}`", format!("{flag:?}").to_uppercase())).collect();
    flags.join(", ")
}

fn readme_row(spec: &Spec) -> String {
    let page = format!("docs/commands/{}.md", spec.name);
    format!("| [`{}`]({page}) | {} |", grammar(spec).replace('|', "\\|"), spec.summary)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

#[test]
fn pages_say_what_the_table_says() {
    let folder = root().join("docs/commands");
    let update = env::var_os("UPDATE_PAGES").is_some();
    if update {
        fs::create_dir_all(&folder).unwrap();
    }
    let mut names = Vec::new();
    for entry in TABLE {
        let path = folder.join(format!("{}.md", entry.spec.name));
        let page = page(&entry.spec);
        if update {
            fs::write(&path, &page).unwrap();
        }
        let found = fs::read_to_string(&path).unwrap_or_default();
        assert!(found == page, "{} differs from the table of commands: run `make docs`", path.display());
        names.push(path);
    }
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        assert!(names.contains(&path), "{} is of no command in the table", path.display());
    }
}

/// The row of `docs/operating.md` that says what rights a command takes.
#[test]
fn the_table_of_access_has_every_command() {
    let operating = fs::read_to_string(root().join("docs/operating.md")).unwrap();
    let (_, access) = operating.split_once("## Access").unwrap();
    for entry in TABLE {
        let name = format!("`{}`", entry.spec.name.to_uppercase());
        let row = access.lines().find(|line| line.starts_with('|') && line.contains(&name));
        let row = row.unwrap_or_else(|| panic!("no row has {name}"));
        let own =
            entry.spec.categories.split(' ').map(|category| format!("@{category} ")).collect::<String>();
        assert!(row.ends_with(&format!("| `{own}@{}` |", crate::MODULE.category)), "{name}: {row}");
    }
}

#[test]
fn the_readme_lists_every_command_as_the_table_has_it() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for entry in TABLE {
        let row = readme_row(&entry.spec);
        assert!(readme.contains(&row), "README.md lacks the row\n{row}");
    }
}
