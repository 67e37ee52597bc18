//! The only door to the server, and the only unsafe code.
//!
//! What stands above it describes itself in plain data ([`Module`], [`Spec`], [`Setting`], [`Counter`]) and is handed a
//! [`Call`]: arguments, keys, the clock, replies. Every raw pointer, every function of the module API and every callback
//! from C is in here.

mod alloc;
mod api;
mod block;
mod call;
mod clock;
mod defrag;
mod events;
mod info;
mod key;
mod load;
mod log;
mod register;
mod replicate;
mod reply;
mod settings;
mod shared;
mod spec;
mod table;

pub use block::{Blocked, Waiting};
pub use call::{Call, Command, Entry};
pub use clock::clock_ms;
pub use events::{Event, Turn, expiry_ms, set_alarm};
pub use info::Counter;
pub use key::{Key, NoKey, WrongType};
pub use log::excerpt;
pub use replicate::Part;
pub use settings::Setting;
pub use shared::Shared;
pub use spec::{Arg, ArgKind, Example, KeyFlag, KeySpec, Spec};
pub use table::seed;

/// What the module tells the server of itself.
pub struct Module {
    /// The module's name, which also goes before its settings and its `INFO` fields.
    pub name: &'static str,
    /// The version, as `major.minor.patch`.
    pub version: &'static str,
    /// The ACL category of its commands, on servers where a module can have one.
    pub category: &'static str,
    /// The table of commands.
    pub commands: &'static [Entry],
    /// The settings, for `loadmodule` and `CONFIG`.
    pub settings: &'static [&'static Setting],
    /// The counters, for `INFO`.
    pub counters: &'static [&'static Counter],
    /// Told of what happens to tables and databases without its commands.
    pub on_event: fn(&Event<'_>),
    /// Called when the alarm rings that it has set.
    pub on_alarm: fn(&mut Turn),
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    /// Its table says of each file what is unsafe there, and why it is sound.
    #[test]
    fn architecture_tells_of_every_file_with_unsafe_code() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let told = fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
        let (_, told) = told.split_once("## Unsafe code").unwrap();
        for file in fs::read_dir(root.join("src/server")).unwrap() {
            let file = file.unwrap();
            let code = fs::read_to_string(file.path()).unwrap();
            // As every unsafe block has to say why it is sound. (In two pieces, so that it is not found here.)
            let has_unsafe = code.contains(concat!("// SAFE", "TY:"));
            let row = format!("| `{}` |", file.file_name().display());
            assert_eq!(told.contains(&row), has_unsafe, "{row}");
        }
    }
}
