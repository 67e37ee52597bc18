//! What a module tells the server of itself.

use std::ffi::CStr;
use std::sync::OnceLock;

use crate::{CommandEntry, Figure, Setting, Slots, TimerContext, TypeEntry};

/// What a module tells the server of itself.
pub struct Module {
    /// The module's name, which also goes before its settings and its `INFO` fields.
    pub name: &'static str,
    /// The version, as `major.minor.patch`.
    pub version: &'static str,
    /// The ACL category of its commands, on servers where a module can have one.
    pub category: &'static str,
    /// The commands.
    pub commands: &'static [CommandEntry],
    /// The data types.
    pub data_types: &'static [TypeEntry],
    /// The server's own commands that it calls or replicates. A server that has renamed one of them is
    /// refused.
    pub needed_commands: &'static [&'static CStr],
    /// The settings, for `loadmodule` and `CONFIG`.
    pub settings: &'static [&'static Setting],
    /// The figures that `INFO` shows.
    pub figures: &'static [&'static dyn Figure],
    /// Called when all keys of a database, or of all databases, were replaced or removed, and when this server has
    /// turned replica: from then on its keys change as another server says.
    pub on_database_change: fn(Option<i32>),
    /// Called when slots of the cluster came to this server or left it whole. Key by key they move without a call.
    pub on_slots_change: fn(&Slots),
    /// Called when the timer goes off that [`crate::set_timer`] has set.
    pub on_timer: fn(&mut TimerContext),
}

/// The module that is loaded.
static LOADED: OnceLock<&'static Module> = OnceLock::new();

/// Sets the module that is loaded.
pub(crate) fn set_loaded(module: &'static Module) -> &'static Module {
    LOADED.get_or_init(|| module)
}

/// The module that is loaded.
///
/// # Panics
/// If none is.
#[expect(clippy::expect_used, reason = "callbacks come only after the load has set it")]
pub(crate) fn loaded() -> &'static Module {
    LOADED.get().expect("the module is loaded")
}
