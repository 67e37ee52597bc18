//! Machines on a network of a test's own: a network namespace each, and a switch between them.

use std::env;
use std::fs::File;
use std::io::{BufRead, BufReader, Error, Read, Write, stderr};
use std::net::Ipv4Addr;
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tappers::{AddAddressV4, Tun};

use super::switch::Switch;
use crate::harness::*;

/// Machines, numbered from 0, that end with the test.
pub(super) struct Network {
    pub(super) switch: Switch,
    machines: Vec<Machine>,
}

impl Network {
    /// Runs a test on the last of this many machines: what it connects to and starts, it does from there. Where no
    /// such machines can be had it says so, past the harness, which shows nothing of a test that passes; with
    /// `QUOTELOCK_NETWORK=required` it fails.
    pub(super) fn test<T: Send>(
        machines: usize,
        what: &str,
        test: impl FnOnce(&Self) -> T + Send,
    ) -> Option<T> {
        match Self::start(machines) {
            Ok(network) => Some(network.machines[machines - 1].on(|| test(&network))),
            Err(error) => {
                assert!(
                    env::var_os("QUOTELOCK_NETWORK").is_none_or(|value| value != "required"),
                    "{what}: it takes network namespaces: {error}"
                );
                let why = format!("reliability: {what}: skipped, as it takes network namespaces: {error}\n");
                stderr().write_all(why.as_bytes()).unwrap();
                None
            }
        }
    }

    fn start(count: usize) -> Result<Self, Error> {
        let machines = (0..count).map(|_| Machine::start()).collect::<Result<Vec<_>, _>>()?;
        let tuns = (0..).zip(&machines).map(|(number, machine)| machine.on(|| tun(number)));
        let switch = Switch::between(tuns.collect::<Result<_, _>>()?);
        Ok(Self { switch, machines })
    }

    /// The server, to be started on this machine.
    pub(super) fn place(&self, builder: Builder, machine: usize) -> Builder {
        let under = self.under(machine);
        // It asks for a password from other machines otherwise.
        builder
            .host(&address(machine).to_string())
            .conf("protected-mode no")
            .under(&under.each_ref().map(|word| &**word))
    }

    /// The program, and its words, by which another is started on this machine.
    pub(super) fn under(&self, machine: usize) -> [String; 2] {
        ["nsenter".to_owned(), format!("--net={}", self.machines[machine].namespace())]
    }
}

pub(super) fn address(machine: usize) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, 1 + machine as u8)
}

/// The machine that has the address.
pub(super) fn machine_at(address: Ipv4Addr) -> usize {
    usize::from(address.octets()[3]).wrapping_sub(1)
}

/// The network card of the machine that this runs on.
fn tun(machine: usize) -> Result<Tun, Error> {
    let mut tun = Tun::new()?;
    let mut own = AddAddressV4::new(address(machine));
    own.set_netmask(24);
    tun.add_addr(own)?;
    tun.set_up()?;
    Ok(tun)
}

/// The process that keeps a namespace. It ends when its stdin does, so also when the test is killed.
struct Machine(Child);

impl Machine {
    fn start() -> Result<Self, Error> {
        // Without its card the switch reads it no longer.
        let keep = "ip link set lo up && echo up && cat; ip link del tun0";
        let mut command = Command::new("unshare");
        let command = command.args(["--net", "sh", "-c", keep]);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut said)?;
        let machine = Self(child);
        if said == "up\n" { Ok(machine) } else { Err(machine.complaint()) }
    }

    /// What it said before it ended.
    fn complaint(mut self) -> Error {
        drop(self.0.stdin.take());
        let mut said = String::new();
        match self.0.stderr.take().unwrap().read_to_string(&mut said) {
            Ok(_) => Error::other(said.lines().next().unwrap_or("it does not say why").to_owned()),
            Err(error) => error,
        }
    }

    fn namespace(&self) -> String {
        format!("/proc/{}/ns/net", self.0.id())
    }

    /// In a thread of its own, as a thread's namespace is its own.
    fn on<T: Send>(&self, run: impl FnOnce() -> T + Send) -> T {
        let namespace = File::open(self.namespace()).unwrap();
        let there = thread::scope(|scope| {
            let run = || {
                move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
                run()
            };
            scope.spawn(run).join()
        });
        there.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _reaped = self.0.wait();
    }
}
