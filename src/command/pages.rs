//! The pages in `docs/commands`, written from the table of commands, and held against it.
