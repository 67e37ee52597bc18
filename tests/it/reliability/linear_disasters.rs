//! What befalls the server that clients call.

use super::failovers::best;
use super::linear_calls::SETTINGS;
use crate::harness::*;

/// A server that something befalls.
pub(super) trait Disaster {
    /// Where it is.
    fn port(&self) -> u16;

    /// Before the next one strikes, under load.
    fn prepare(&mut self) {}

    /// Strikes; then calls are taken at this port.
    fn strike(&mut self) -> u16;
}

/// Nothing befalls it.
pub(super) struct Calm(pub(super) Server);

impl Disaster for Calm {
    fn port(&self) -> u16 {
        self.0.port()
    }

    fn strike(&mut self) -> u16 {
        self.port()
    }
}

/// It is killed and started again on its AOF, in which all is that was answered.
pub(super) struct Restart(Server);

impl Restart {
    pub(super) fn start(kind: Kind) -> Self {
        let builder = Server::builder(kind).module_args(SETTINGS);
        Self(builder.conf("appendonly yes").conf("appendfsync always").start())
    }
}

impl Disaster for Restart {
    fn port(&self) -> u16 {
        self.0.port()
    }

    fn strike(&mut self) -> u16 {
        self.0.kill_and_restart();
        self.port()
    }
}

/// It is killed, and the replica that was sent most takes over.
pub(super) struct Failover {
    servers: [Server; 3],
    primary: usize,
    /// The one that was killed last, until it is back.
    dead: Option<usize>,
}

impl Failover {
    pub(super) fn start(kind: Kind) -> Self {
        let builder = Server::builder(kind).conf("repl-diskless-sync-delay 0").module_args(SETTINGS);
        let servers = [(); 3].map(|()| builder.clone().start());
        follow(&servers[1], &servers[0]);
        follow(&servers[2], &servers[0]);
        Self { servers, primary: 0, dead: None }
    }
}

impl Disaster for Failover {
    fn port(&self) -> u16 {
        self.servers[self.primary].port()
    }

    fn prepare(&mut self) {
        if let Some(dead) = self.dead.take() {
            self.servers[dead].restart();
            follow(&self.servers[dead], &self.servers[self.primary]);
        }
    }

    fn strike(&mut self) -> u16 {
        let killed = self.primary;
        self.servers[killed].kill();
        self.primary = best(&self.servers, killed);
        self.dead = Some(killed);
        cmd(&mut self.servers[self.primary].connection(), "REPLICAOF NO ONE");
        follow(&self.servers[3 - killed - self.primary], &self.servers[self.primary]);
        self.port()
    }
}
