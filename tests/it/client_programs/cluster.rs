//! In a Cluster of three primaries, whose slots move.

use super::place::Place;
use super::programs::Program;
use super::stories::{OURS, THEIRS, while_each_waits};
use super::*;
use crate::cluster::{Node, cluster};
use crate::harness::*;

/// While they wait the slot of their table moves, and that of their lock begins to: they are sent on by `MOVED` and `ASK`, and
/// claim where the table is now.
#[apply(programs_by_set_up)]
fn each_follows_slots_that_move(#[case] programs: &[Program]) {
    let nodes = cluster(Kind::DEFAULT);
    let place = Place::cluster(nodes.iter().map(|node| &node.server));
    while_each_waits(&place, programs, |waiting| {
        let asked = place.redirections("ASK");
        let mut half_moved = 0;
        for program in &waiting {
            move_slot(&nodes, &place, &program.lock, !program.program.follows_ask);
            half_moved += u64::from(program.program.follows_ask);
            // Which ends its wait.
            move_slot(&nodes, &place, &program.table, true);
        }
        waiting.into_iter().for_each(|program| program.ends(THEIRS, false));
        let asked = place.redirections("ASK") - asked;
        assert!(asked >= half_moved, "{asked} of {half_moved} were sent after the lock");
    });
}

#[apply(programs_by_set_up)]
fn a_call_whose_connection_is_lost_is_sent_again_or_fails(#[case] programs: &[Program]) {
    let nodes = cluster(Kind::DEFAULT);
    let place = Place::cluster(nodes.iter().map(|node| &node.server));
    while_each_waits(&place, programs, |waiting| {
        place.hang_up_on_waiters();
        waiting.iter().for_each(|program| program.store(&place));
        for program in waiting {
            let fails = !program.program.resends.cluster;
            program.ends(OURS, fails);
        }
    });
}

/// Moves a key and its slot to the first node. If not the whole slot, the old node answers `ASK`.
///
/// All go to one node, so that it has the highest epoch: with two that take slots within moments, either may be the last to
/// claim one.
fn move_slot(nodes: &[Node], place: &Place<'_>, key: &str, whole: bool) {
    let slot = place.slot(key).unwrap();
    let is_at = |node: &Node| !reply(&mut node.server.connection(), &["EXISTS", key]).starts_with('-');
    let (from, to) = (nodes.iter().find(|node| is_at(node)).unwrap(), &nodes[0]);
    let (source, target) = (&mut from.server.connection(), &mut to.server.connection());
    cmd(target, &format!("CLUSTER SETSLOT {slot} IMPORTING {}", from.id));
    cmd(source, &format!("CLUSTER SETSLOT {slot} MIGRATING {}", to.id));
    // A table that is not there yet has claims alone, which do not move.
    cmd(source, &format!("MIGRATE 127.0.0.1 {} {key} 0 60000", to.server.port()));
    if whole {
        // Clients are sent on once the old node knows. By then any node that they ask for the slots has to know, too.
        let others = nodes.iter().filter(|node| node.id != from.id);
        for node in others.chain([from]) {
            cmd(&mut node.server.connection(), &format!("CLUSTER SETSLOT {slot} NODE {}", to.id));
        }
    }
}
