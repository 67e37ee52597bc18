//! What the parts of the benchmark share.

pub(crate) mod bench;
pub(crate) mod case;
pub(crate) mod latencies;
pub(crate) mod layout;
pub(crate) mod redis_benchmark;
pub(crate) mod results;
pub(crate) mod sheet;
pub(crate) mod spread;
pub(crate) mod vehicles;
