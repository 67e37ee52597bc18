//! Each program creates a lock and fills its table, with just the rights that `docs/clients.md` names.

use std::fs;

use super::place::Place;
use super::programs::Program;
use super::stories::fills;
use super::*;
use crate::cluster::cluster;
use crate::harness::*;
use crate::reliability::sentinels::{primary_and_replicas, three_watching};

#[apply(programs_by_set_up)]
fn each_fills_a_table_alone(
    #[case] programs: &[Program],
    #[values(Kind::REDIS_7_0, Kind::VALKEY_9_1)] kind: Kind,
) {
    let server = Server::start(kind);
    let place = Place::alone(&server).connected_by(POD);
    for program in programs {
        fills_with(program.rights.alone, &place, program);
    }
}

#[apply(programs_by_set_up)]
fn each_fills_a_table_in_a_cluster(
    #[case] programs: &[Program],
    #[values(Kind::REDIS_7_0, Kind::VALKEY_9_1)] kind: Kind,
) {
    let nodes = cluster(kind);
    let place = Place::cluster(nodes.iter().map(|node| &node.server)).connected_by(POD);
    for program in programs {
        fills_with(program.rights.cluster, &place, program);
    }
}

#[apply(programs_by_set_up)]
fn each_fills_a_table_by_sentinel(#[case] programs: &[Program]) {
    let servers = primary_and_replicas(Kind::DEFAULT, &[]);
    let sentinels = three_watching(&servers[0]);
    let place = Place::sentinel(&sentinels[0], &servers).connected_by(POD);
    for program in programs {
        if let Some(rights) = program.rights.sentinel {
            fills_with(rights, &place, program);
        }
    }
}

/// A user and its password, as in an URL.
const POD: &str = "pod:secret-of-map@";

/// Besides the rights of the users of `docs/reference/access.md` it needs these, and uses each.
#[track_caller]
fn fills_with(rights: &[&str], place: &Place<'_>, program: &Program) {
    for mut con in place.each() {
        let rights = rights.iter().map(|right| format!("+{right}"));
        for words in users().into_iter().chain(rights) {
            cmd(&mut con, &format!("ACL SETUSER pod {words}"));
        }
        cmd(&mut con, "CONFIG RESETSTAT");
    }
    fills(place, program);
    for right in rights {
        let command = format!("cmdstat_{right}");
        let is_used = place.each().any(|mut con| info(&mut con, "commandstats").contains_key(&command));
        assert!(is_used, "{} has no use for {right}", program.client);
    }
}

/// Who shows the map and takes reservations: the rights of `map`, and the commands of `reserving`.
fn users() -> [String; 2] {
    let page = fs::read_to_string(workspace().join("docs/reference/access.md")).unwrap();
    let rights = |user: &str| {
        let line = page.lines().find_map(|line| line.strip_prefix(&format!("user {user} ")));
        line.unwrap_or_else(|| panic!("docs/reference/access.md has no user {user}")).to_owned()
    };
    let commands =
        rights("reserving").split(' ').filter(|word| word.starts_with('+')).collect::<Vec<_>>().join(" ");
    [rights("map"), commands]
}
