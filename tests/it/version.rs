//! The version stands in `Cargo.toml`; whatever else names it follows.

use std::fs;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::*;

const VERSION: &str = env!("CARGO_PKG_VERSION");

#[track_caller]
fn file(name: &str) -> String {
    fs::read_to_string(workspace().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[track_caller]
fn json(name: &str, pointer: &str) -> String {
    let read: Value = serde_json::from_str(&file(name)).unwrap();
    read.pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("{name} lacks {pointer}"))
        .to_owned()
}

/// What stands between `before` and the next quote, space or line's end, wherever the file has it.
#[track_caller]
fn after(name: &str, before: &str) -> Vec<String> {
    let text = file(name);
    let found: Vec<_> = text.split(before).skip(1).map(until_the_end).collect();
    assert!(!found.is_empty(), "{name} lacks {before:?}");
    found
}

fn until_the_end(rest: &str) -> String {
    rest.split(['"', ' ', '\n']).next().unwrap_or_default().to_owned()
}

#[test]
fn all_that_is_released_has_one_version() {
    let client = "/packages/..~1..~1clients~1typescript/version";
    assert_eq!(json("clients/typescript/package.json", "/version"), VERSION);
    assert_eq!(json("clients/typescript/package-lock.json", "/version"), VERSION);
    assert_eq!(json("clients/typescript/package-lock.json", "/packages//version"), VERSION);
    for example in ["hermes", "quickstart"] {
        assert_eq!(json(&format!("examples/{example}/package-lock.json"), client), VERSION, "{example}");
    }
    assert_eq!(after("clients/python/pyproject.toml", "\nversion = \""), [VERSION]);
    assert_eq!(after("Dockerfile", "image.version=\""), [VERSION]);
    for file in ["own-image", "init-container", "values-valkey-helm", "values-bitnami"] {
        assert_eq!(after(&format!("deploy/kubernetes/{file}.yaml"), "/quotelock:"), [VERSION], "{file}");
    }
    assert_eq!(
        after("clients/typescript/README.md", "/quotelock-"),
        [format!("{VERSION}.tgz")],
        "clients/typescript/README.md"
    );
}

/// What pages say of it: `VERSION`, and `VER` as `MODULE LIST` shows it.
const SAID: &[(&str, &[&str])] = &[
    ("README.md", &["**Status:** VERSION,"]),
    ("README.zh-TW.md", &["**狀態：** VERSION，"]),
    ("docs/how-to/install.md", &["`ver` VER is VERSION."]),
    ("docs/how-to/upgrade.md", &["`ver` VER is VERSION)"]),
    ("docs/how-to/kubernetes.md", &["IMAGE=registry.example.com/quotelock:VERSION\n"]),
    (
        "RELEASING.md",
        &[
            "`npm publish quotelock-VERSION.tgz`",
            "`## VERSION - ",
            "`scripts/release-notes vVERSION`",
            "git tag --sign vVERSION --message \"quotelock VERSION\"",
            "git push origin vVERSION\n",
            "`ver` VER for VERSION.",
            "`VERSION` and `VERSION-valkey`",
            "tag a `vVERSION` only",
        ],
    ),
];

#[test]
fn the_pages_name_it() {
    let numbers: Vec<u32> =
        VERSION.split('-').next().unwrap().split('.').map(|number| number.parse().unwrap()).collect();
    let ver = numbers.iter().fold(0, |ver, number| 100 * ver + number).to_string();
    for (page, said) in SAID {
        let text = file(page);
        for words in *said {
            let words = words.replace("VERSION", VERSION).replace("VER", &ver);
            assert!(text.contains(&words), "{page} lacks {words:?}");
        }
        // And no other, neither in the name of a package's file nor as an image's tag.
        for named in
            ["quotelock-", "quotelock_", "quotelock:"].iter().flat_map(|before| text.split(before).skip(1))
        {
            let number = named.split(|end: char| !(end.is_ascii_digit() || end == '.')).next().unwrap();
            if number.starts_with(|first: char| first.is_ascii_digit()) && number.contains('.') {
                assert_eq!(number.trim_end_matches('.'), VERSION, "{page}");
            }
        }
    }
}

/// `Cargo.lock` is held to it by `--locked`; the fuzzers have a lock file of their own.
#[test]
fn the_fuzzers_lock_file_has_it_too() {
    for package in ["quotelock", "quotelock-core", "quotelock-server"] {
        let entry = format!("name = \"{package}\"\nversion = \"");
        assert_eq!(after("fuzz/Cargo.lock", &entry), [VERSION], "{package}");
    }
}

/// What `scripts/release-notes` answers where `Cargo.toml` has version 1.2.3: its notes, or why there is no release.
fn release_notes(tag: &str, changelog: &str) -> Result<String, String> {
    release_notes_of("1.2.3", tag, changelog)
}

fn release_notes_of(version: &str, tag: &str, changelog: &str) -> Result<String, String> {
    let dir = TempDir::new().unwrap();
    fs::create_dir(dir.path().join("scripts")).unwrap();
    for name in ["scripts/release-notes", "scripts/version"] {
        fs::copy(workspace().join(name), dir.path().join(name)).unwrap();
    }
    let manifest = format!("[workspace.package]\nversion = \"{version}\"\n");
    fs::write(dir.path().join("Cargo.toml"), manifest).unwrap();
    fs::write(dir.path().join("CHANGELOG.md"), changelog).unwrap();
    let out = output(Command::new(dir.path().join("scripts/release-notes")).arg(tag));
    let text = |bytes| String::from_utf8(bytes).unwrap();
    if out.status.success() { Ok(text(out.stdout)) } else { Err(text(out.stderr)) }
}

#[test]
fn the_changelog_begins_with_it() {
    let changelog = file("CHANGELOG.md");
    let heading = changelog.lines().find(|line| line.starts_with("## ")).unwrap();
    assert!(heading.starts_with(&format!("## {VERSION} - ")), "{heading}");
}

#[test]
fn a_release_has_the_notes_of_its_section() {
    let changelog = "# Changelog\n\nWords.\n\n## 1.2.3 - 2026-12-04\n\nOne.\n\n### Added\n\n- Two.\n\n\n## 1.2.2 - 2026-11-01\n\n- Old.\n";
    assert_eq!(release_notes("v1.2.3", changelog).unwrap(), "One.\n\n### Added\n\n- Two.\n");
    let only = "# Changelog\n\n## 1.2.3 - 2026-12-04\n\n- All there is.\n";
    assert_eq!(release_notes("v1.2.3", only).unwrap(), "- All there is.\n");
}

#[test]
fn tag_version_and_changelog_must_agree() {
    let dated = "# Changelog\n\n## 1.2.3 - 2026-12-04\n\n- One.\n";
    for tag in ["1.2.3", "v1.2.4", "v1.2.3-rc1", "v1.2"] {
        let refused = release_notes(tag, dated).unwrap_err();
        assert!(refused.contains(&format!("the tag is {tag}")), "{refused}");
    }
    let refused =
        |heading: &str| release_notes("v1.2.3", &format!("# Changelog\n\n{heading}\n")).unwrap_err();
    assert!(refused("## 1.2.4 - 2026-12-04").contains("expected '## 1.2.3 - '"));
    assert!(refused("## 1.2.30 - 2026-12-04").contains("expected '## 1.2.3 - '"));
    assert!(refused("## 1.2.3 - unreleased").contains("no date yet"));
}

#[test]
fn a_prerelease_is_refused() {
    let changelog = "# Changelog\n\n## 1.2.3-rc.1 - 2026-12-04\n\n- One.\n";
    let refused = release_notes_of("1.2.3-rc.1", "v1.2.3-rc.1", changelog).unwrap_err();
    assert!(refused.contains("1.2.3-rc.1 is a prerelease"), "{refused}");
}
