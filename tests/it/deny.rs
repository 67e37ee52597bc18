//! `make deny ADVISORY_DB=…`, with lists of advisories that are made up.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

use crate::harness::*;

/// What the check says where RustSec's list has one advisory, on this crate; an error if it fails.
fn check(advised: &str) -> Result<String, String> {
    let list = TempDir::new().unwrap();
    let folder = list.path().join("crates").join(advised);
    fs::create_dir_all(&folder).unwrap();
    let advisory = format!(
        "```toml\n[advisory]\nid = \"RUSTSEC-2026-9999\"\npackage = \"{advised}\"\ndate = \"2026-01-01\"\n\n[versions]\npatched = []\n```\n\n# Made up\n\nFor a test.\n"
    );
    fs::write(folder.join("RUSTSEC-2026-9999.md"), advisory).unwrap();
    let commit = "git init --quiet --initial-branch=main && git add . && git -c user.name=test -c user.email=test@example.org commit --quiet --message=list";
    assert!(Command::new("sh").args(["-c", commit]).current_dir(&list).status().unwrap().success());
    let mut script = Command::new(workspace().join("scripts/deny"));
    let out = output(script.env("ADVISORY_DB", list.path()));
    let text = String::from_utf8([out.stdout, out.stderr].concat()).unwrap();
    if out.status.success() { Ok(text) } else { Err(text) }
}

/// Not in `make test`, as cargo-deny takes minutes to build.
#[test]
#[ignore = "for make test ALL=1"]
fn an_advisory_on_a_crate_that_is_locked_fails_all_others_pass() {
    let failed = check("itoa").unwrap_err();
    assert!(failed.contains("RUSTSEC-2026-9999"), "{failed}");
    let passed = check("quotelock-does-not-use-this").unwrap();
    assert!(passed.contains("advisories ok"), "{passed}");
}
