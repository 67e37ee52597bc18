//! What the tests check the module against: one key as one client after another would find it, whatever really
//! happened at once ([`LockKey`], [`PriceTable`], [`History`]), and a shop of pods whose every interleaving is
//! gone through ([`shop`]).
//!
//! What is decided, the core decides; the models keep only what it decides on.

mod claims;
mod history;
mod lock_key;
mod price_table;
mod rows;
pub mod shop;

pub use claims::{Claimed, Claims};
pub use history::History;
pub use lock_key::{LockCall, LockKey};
pub use price_table::{PriceTable, TableCall, Write};
pub use quotelock_core::lock::Terms;
pub use quotelock_core::single_flight::Token;
pub use quotelock_core::table::Condition;
pub use rows::{Fields, Rows};
pub use stateright::semantics::SequentialSpec;
