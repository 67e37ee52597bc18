use std::time::Instant;

use stateright::{Checker, Expectation, HasDiscoveries, Model};

use super::Shop;

/// What came of going through every interleaving of a shop, or through those up to the first counterexample.
#[derive(Debug)]
pub struct Checked {
    /// How many different states there are.
    pub states: usize,
    /// How many steps lead to the last of them.
    pub depth: usize,
    /// How long it took, in seconds.
    pub seconds: u64,
    pub counterexample: Option<Counterexample>,
    /// What should happen in some interleaving, and did in none.
    pub unreached: Vec<&'static str>,
}

/// The shortest way to a state that must not be.
#[derive(Debug)]
pub struct Counterexample {
    /// What does not hold.
    pub broken: &'static str,
    /// What happens, a line a step.
    pub steps: Vec<String>,
}

impl Shop {
    /// Goes through every interleaving.
    pub fn check(&self) -> Checked {
        let begun = Instant::now();
        let checker = self.clone().checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
        let mut discoveries = checker.discoveries();
        let (mut counterexample, mut unreached) = (None, Vec::new());
        for property in self.properties() {
            match (property.expectation, discoveries.remove(property.name)) {
                (Expectation::Sometimes, None) => unreached.push(property.name),
                (Expectation::Always, Some(path)) => {
                    let steps = path.into_actions().iter().map(ToString::to_string).collect();
                    counterexample = Some(Counterexample { broken: property.name, steps });
                }
                _ => {}
            }
        }
        Checked {
            states: checker.unique_state_count(),
            depth: checker.max_depth(),
            seconds: begun.elapsed().as_secs(),
            counterexample,
            unreached,
        }
    }
}
