//! A module whose data type panics while it is saved, to see what the door makes of that.
//! `tests/it/panics.rs` loads it beside ours.

use std::ffi::{CStr, c_int};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use quotelock_server::{
    AofWriter, Arg, Call, ChunkReader, ChunkWriter, Command, CommandEntry, DataType, Digest, EndsEarly,
    KeyFlag, KeyName, KeySpec, Module, OpenError, Relocator, Spec, TypeEntry, TypeHandle,
};

quotelock_server::export_module!(&MODULE);

static MODULE: Module = Module {
    name: "panicking",
    version: "0.1.0",
    category: "panicking",
    commands: &[CommandEntry::of::<Put>(), CommandEntry::of::<Calm>()],
    data_types: &[TypeEntry::of::<Panicking>()],
    needed_commands: &[],
    settings: &[],
    figures: &[],
    on_database_change: |_| {},
    on_slots_change: |_| {},
    on_timer: |_| {},
};

/// Whether it panics.
static PANICS: AtomicBool = AtomicBool::new(true);

/// A value of two chunks, that panics between them.
struct Panicking;

impl Panicking {
    fn panic() {
        assert!(!PANICS.load(Relaxed), "in the midst of it");
    }
}

impl DataType for Panicking {
    const NAME: &'static CStr = c"panicking";
    const ENCODING: c_int = 1;
    type LoadError = EndsEarly;

    fn handle() -> &'static TypeHandle<Self> {
        static HANDLE: TypeHandle<Panicking> = TypeHandle::new();
        &HANDLE
    }

    fn load(_: c_int, chunks: &mut ChunkReader<'_>) -> Result<Self, EndsEarly> {
        chunks.next_chunk(|_| {})?;
        chunks.next_chunk(|_| Self)
    }

    fn save(&self, chunks: &mut ChunkWriter<'_>) {
        chunks.write(b"first");
        Self::panic();
        chunks.write(b"second");
    }

    fn rewrite(&self, aof: &mut AofWriter<'_>) {
        aof.write(c"PANICKING.PUT", []);
        Self::panic();
        aof.write(c"PERSIST", []);
    }

    fn digest(&self, _: &mut Digest<'_>) {}

    fn copy(&self) -> Self {
        Self
    }

    fn bytes(&self) -> usize {
        0
    }

    fn allocations(&self) -> usize {
        1
    }

    fn defrag(&mut self, _: usize, _: &mut Relocator<'_>) -> Option<usize> {
        None
    }

    fn unlinked(&mut self, _: KeyName<'_>) {}
}

/// Puts a value at a key.
struct Put;

impl Command for Put {
    const SPEC: Spec = Spec {
        name: "panicking.put",
        summary: "Puts a value at a key that panics while it is saved.",
        complexity: "O(1)",
        since: "0.1.0",
        flags: "write",
        categories: "write",
        arity: 2,
        keys: &[KeySpec::first(&[KeyFlag::Ow, KeyFlag::Update])],
        args: &[Arg::key("key", "the key")],
    };
    type Error = OpenError;

    fn run(call: &Call<'_>) -> Result<(), OpenError> {
        call.open_write(1)?.typed::<Panicking>()?.get_or_insert_with(|| Panicking);
        call.reply_ok();
        Ok(())
    }
}

/// Ends the panics.
struct Calm;

impl Command for Calm {
    const SPEC: Spec = Spec {
        name: "panicking.calm",
        summary: "Saves values as they should be from now on.",
        complexity: "O(1)",
        since: "0.1.0",
        flags: "",
        categories: "fast",
        arity: 1,
        keys: &[],
        args: &[],
    };
    type Error = OpenError;

    fn run(call: &Call<'_>) -> Result<(), OpenError> {
        PANICS.store(false, Relaxed);
        call.reply_ok();
        Ok(())
    }
}
