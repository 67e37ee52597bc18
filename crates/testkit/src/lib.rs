//! What the tests and the benchmarks share: real servers with the module, raw RESP connections, random
//! numbers.
//!
//! What fails returns an error; what tests call most panics instead, at the caller's line, and says so.

mod kind;
mod paths;
mod poll;
mod raw;
mod rng;
mod server;
mod svg;

pub use kind::Kind;
pub use paths::{module, path, workspace};
pub use poll::{TIMEOUT, poll};
pub use raw::{RawConnection, pack, packed};
pub use rng::Rng;
pub use server::{Builder, Server, free_port};
pub use svg::Svg;

/// Whatever went wrong, told in one line or with the server's log.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
