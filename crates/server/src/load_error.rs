//! Why the module refuses to load.

use std::ffi::NulError;

use crate::settings::SettingError;

/// Why the module refuses to load; logged.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LoadError {
    #[error("{module} is loaded already: it can't be loaded twice, nor replaced while the server runs")]
    LoadedAlready { module: &'static str },
    #[error("{module} needs Redis 7.0 or newer, or Valkey; this server is Redis {version}")]
    OldServer { module: &'static str, version: String },
    #[error("{module} needs the command {command}, which it replicates or calls; this server has renamed it")]
    RenamedCommand { module: &'static str, command: String },
    #[error("the server refused the data type")]
    DataType,
    #[error("the server refused the command '{0}'")]
    Command(&'static str),
    #[error("the server refused the docs of '{0}'")]
    CommandInfo(&'static str),
    #[error("the server refused the ACL categories of '{0}'")]
    Categories(&'static str),
    #[error(transparent)]
    Setting(#[from] SettingError),
    #[error("the server refused to report its events")]
    Events,
    #[error(transparent)]
    Nul(#[from] NulError),
}
