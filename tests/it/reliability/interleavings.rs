//! A user's screens, answered by pods over one server with a replica, in every order in which their steps, upstream's
//! late commits, crashes, a failover and the clocks can come: the model of `crates/model`, checked by stateright.

use quotelock_model::shop::{Checked, Fault, Shop};

use crate::harness::*;

const SHOP: Shop = Shop {
    pods: 2,
    screens: 2,
    changes: 1,
    crashes: 0,
    failovers: 1,
    until: 2,
    commit: 1,
    skew: 0,
    lag: 1,
    fault: None,
};

fn report(what: &str, shop: &Shop, Checked { states, depth, seconds, .. }: &Checked) {
    println!(
        "reliability: interleavings: {what}: {states} states, {depth} steps deep, {seconds} s: {shop:?}"
    );
}

/// `LAG` is as long as a commit takes, and by how much a server's clock may be ahead. What the bound is too narrow for is
/// named.
#[rstest]
#[case::as_it_is(SHOP, &[])]
#[case::clocks_that_differ(Shop { pods: 1, skew: 1, lag: 2, ..SHOP }, &["a pod waits for another"])]
#[case::crashes(Shop { crashes: 1, until: 1, ..SHOP }, &[])]
#[ignore = "for make soak"]
#[case::more_screens(Shop { screens: 3, crashes: 1, ..SHOP }, &[])]
#[ignore = "for make soak"]
#[case::more_clocks(Shop { skew: 1, lag: 2, crashes: 1, ..SHOP }, &[])]
#[ignore = "for make soak"]
#[case::more_pods(Shop { pods: 3, screens: 3, ..SHOP }, &[])]
#[ignore = "for make soak"]
#[case::more_failovers(Shop { changes: 2, failovers: 2, crashes: 1, ..SHOP }, &[])]
fn no_price_changes_silently(#[case] shop: Shop, #[case] unreached: &[&str]) {
    let checked = shop.check();
    if let Some(found) = &checked.counterexample {
        panic!("{}: not where\n{}", found.broken, found.steps.join("\n"));
    }
    assert_eq!(checked.unreached, unreached);
    report("holds", &shop, &checked);
}

/// Without a failover the row that is there stands, whatever upstream says later.
#[test]
fn without_a_failover_lag_is_not_needed() {
    let shop = Shop { lag: 0, failovers: 0, crashes: 1, ..SHOP };
    let checked = shop.check();
    assert!(checked.counterexample.is_none(), "{:?}", checked.counterexample);
    report("holds without LAG", &shop, &checked);
}

/// A decision that is wrong is found, and how it comes to another price is printed.
#[rstest]
#[case::no_lag(Shop { lag: 0, until: 0, ..SHOP }, Shop::SILENT)]
#[case::lag_without_the_clocks(Shop { pods: 1, skew: 1, until: 0, ..SHOP }, Shop::SILENT)]
#[case::a_pods_clock(Shop { fault: Some(Fault::PodClock(1)), until: 0, ..SHOP }, Shop::SILENT)]
#[case::get_then_set(Shop { fault: Some(Fault::GetThenSet), failovers: 0, ..SHOP }, Shop::REPLACED)]
fn what_is_wrong_has_a_counterexample(#[case] shop: Shop, #[case] broken: &str) {
    let checked = shop.check();
    let found = checked.counterexample.as_ref().unwrap_or_else(|| panic!("{checked:?}"));
    assert_eq!(found.broken, broken);
    report("a counterexample", &shop, &checked);
    println!("  {}", found.steps.join("\n  "));
}
