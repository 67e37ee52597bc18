//! One user's price lock: the moment and the roles at which prices are asked for.
//!
//! Plain Rust over borrowed bytes: what a lock is, how it is written and read, what state it is in and who may
//! replace it. Nothing here knows a server or a clock; the time is an argument.

mod lock;
mod query_time;
mod role_ids;
mod state;
mod stored;

pub use lock::Lock;
pub use query_time::{LockTime, QueryTime};
pub use role_ids::{LONGEST_ROLE_ID, MOST_ROLE_IDS, RoleIds, RoleIdsError};
pub use state::{LONGEST_TTL_MS, Outcome, State, Terms, acquire};
pub use stored::SHORTEST_STORED;
