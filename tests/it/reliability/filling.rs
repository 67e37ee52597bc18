//! Pods that fill tables through `getOrFill` of the TypeScript client, while pods die, replies are lost and upstream fails.

use super::report;
use crate::clients::{run, typescript_program};
use crate::harness::*;

#[apply(each_server)]
fn each_row_is_asked_for_once_unless_its_pod_died(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let said = run(&mut typescript_program("fill-upheaval"), server);
    report(kind, "filling", said.trim_end());
}
