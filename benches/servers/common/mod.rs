//! What the parts of the benchmark share.

pub(crate) mod bench;
pub(crate) mod case;
pub(crate) mod kept;
pub(crate) mod redis_benchmark;
pub(crate) mod server;
pub(crate) mod sheet;
pub(crate) mod spread;
pub(crate) mod vehicles;
pub(crate) mod ways;
pub(crate) mod wire;
