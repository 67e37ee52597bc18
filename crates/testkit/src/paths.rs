use std::env::var_os;
use std::path::{Path, PathBuf};

use crate::Result;

/// The root of the workspace.
pub fn workspace() -> &'static Path {
    let this = Path::new(env!("CARGO_MANIFEST_DIR"));
    this.ancestors().nth(2).unwrap_or(this)
}

/// The path in an environment variable or else the default, both relative to the workspace.
pub fn path(variable: &str, default: &str) -> PathBuf {
    workspace().join(var_os(variable).unwrap_or_else(|| default.into()))
}

/// The library under test: `QUOTELOCK_MODULE`, or what `make build` has built.
pub fn module() -> Result<PathBuf> {
    let module = path("QUOTELOCK_MODULE", "target/release/libquotelock.so");
    if !module.exists() {
        return Err(format!("there is no {}: run make build", module.display()).into());
    }
    Ok(module)
}

/// Where the servers are, each in a directory of its name and version.
pub(crate) fn servers() -> PathBuf {
    path("QUOTELOCK_SERVERS", "target/servers")
}
