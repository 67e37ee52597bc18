//! The door to a Redis or Valkey server, and the only unsafe code.
//!
//! A module describes itself in plain data ([`Module`], [`Spec`], [`Setting`], [`Figure`]), implements
//! [`Command`] and [`DataType`], and is handed a [`Call`]: arguments, keys, the clock, replies. Every raw
//! pointer, every function of the module API and every callback from C is in here, and nothing in here knows
//! which module it serves.
#![expect(unsafe_code, reason = "the door to the server")]

mod alloc;
mod api;
mod blocking;
mod call;
mod clock;
mod context;
mod counters;
mod data_type;
mod defrag;
mod events;
mod gil;
mod guard;
mod kept_args;
mod key;
mod load;
mod load_error;
mod log;
mod module;
mod random;
mod register;
mod replicate;
mod reply;
mod rights;
mod role;
mod settings;
mod slots;
mod spec;
mod timer;

pub use blocking::{BlockedClient, BlockingCommand};
pub use call::{Call, Command, CommandEntry};
pub use clock::{clock_ms, expiry_ms};
pub use context::has_child;
pub use counters::{Counter, Figure, Gauge, InfoWriter, Since, Sizes};
pub use data_type::{
    AofWriter, ChunkReader, ChunkWriter, DataType, Digest, EndsEarly, TypeEntry, TypeHandle,
};
pub use defrag::Relocator;
pub use gil::GilGuarded;
pub use kept_args::KeptArgs;
pub use key::{Key, KeyName, OpenError, TypedKey};
pub use log::excerpt;
pub use module::Module;
pub use random::random_numbers;
pub use replicate::ReplicaArg;
pub use reply::HashReply;
pub use settings::Setting;
pub use slots::Slots;
pub use spec::{Arg, ArgKind, KeyFlag, KeySpec, Spec};
pub use timer::{TimerContext, set_timer};

/// Defines the function by which a server loads a module, given as a `&'static` [`Module`].
#[macro_export]
macro_rules! export_module {
    ($module:expr) => {
        /// Called by the server to load the module.
        ///
        /// # Safety
        /// The arguments must be what a server passes to `RedisModule_OnLoad`.
        #[unsafe(no_mangle)]
        #[expect(non_snake_case, reason = "the name the server looks for")]
        pub unsafe extern "C" fn RedisModule_OnLoad(
            ctx: *mut $crate::private::RedisModuleCtx,
            argv: *mut *mut $crate::private::RedisModuleString,
            argc: ::std::ffi::c_int,
        ) -> ::std::ffi::c_int {
            let module: &'static $crate::Module = $module;
            // SAFETY: as the server promised.
            unsafe { $crate::private::on_load(module, ctx, argv, argc) }
        }
    };
}

/// What [`export_module`] needs; not for use by name.
#[doc(hidden)]
pub mod private {
    pub use redis_module::raw::{RedisModuleCtx, RedisModuleString};

    pub use crate::load::on_load;
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    /// Its table says why the unsafe code of each file is sound.
    #[test]
    fn architecture_covers_every_file_with_unsafe_code() {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let text = fs::read_to_string(package.join("../../ARCHITECTURE.md")).unwrap();
        let (_, text) = text.split_once("## Unsafe code").unwrap();
        for file in fs::read_dir(package.join("src")).unwrap() {
            let file = file.unwrap();
            let code = fs::read_to_string(file.path()).unwrap();
            // As every unsafe block has to say why it is sound. (In two pieces, so that it is not found
            // here.)
            let has_unsafe = code.contains(concat!("// SAFE", "TY:"));
            let row = format!("| `{}` |", file.file_name().display());
            assert_eq!(text.contains(&row), has_unsafe, "{row}");
        }
    }
}
