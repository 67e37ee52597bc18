//! Which servers load the module, and what the others say.

use crate::harness::*;

#[test]
fn loads_and_shows_its_version() {
    for_each_server(|server| {
        let con = &mut server.connection();
        let modules = text(con, "INFO modules");
        assert!(modules.contains("name=quotelock"), "{modules}");
    });
}
