//! What the files of `deploy/kubernetes` say.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use yaml_rust2::{Yaml, YamlLoader};

use crate::harness::*;

/// The first document of a file.
#[track_caller]
pub(super) fn manifest(name: &str) -> Yaml {
    manifests(name).remove(0)
}

#[track_caller]
pub(super) fn manifests(name: &str) -> Vec<Yaml> {
    let text = fs::read_to_string(workspace().join("deploy/kubernetes").join(name)).unwrap();
    YamlLoader::load_from_str(&text).unwrap()
}

#[track_caller]
pub(super) fn string(yaml: &Yaml) -> &str {
    yaml.as_str().unwrap_or_else(|| panic!("no string: {yaml:?}"))
}

#[track_caller]
pub(super) fn strings(yaml: &Yaml) -> Vec<&str> {
    yaml.as_vec().unwrap_or_else(|| panic!("no list: {yaml:?}")).iter().map(string).collect()
}

/// The users, each with the password `secret-of-` and its name, put in as the guide says.
pub(super) fn users() -> String {
    ["app", "probe", "exporter", "admin"].iter().fold(placeholders(), |users, user| {
        users.replace(&format!("{}_HASH", user.to_uppercase()), &hash(&format!("secret-of-{user}")))
    })
}

/// The users as they stand in the repository.
pub(super) fn placeholders() -> String {
    string(&manifest("common/users.yaml")["stringData"]["users.acl"]).to_owned()
}

fn hash(password: &str) -> String {
    let mut sum = Command::new("sha256sum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    sum.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
    let out = sum.wait_with_output().unwrap();
    String::from_utf8(out.stdout).unwrap().split(' ').next().unwrap().to_owned()
}
