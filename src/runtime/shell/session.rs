//! A shell and its background jobs: all the processes of one command line.

use std::rc::Rc;
use std::time::Duration;

use super::machine::{Machine, World};
use crate::runtime::catalogue::ImageEntry;
use crate::runtime::routine::{Ports, Progress};
use crate::runtime::signal::Signal;
use crate::runtime::surroundings::Surroundings;
use crate::sim::SortedMap;

/// More jobs at once are refused.
const MAX_JOBS: usize = 64;
/// Rounds at one moment in which the processes may wake each other.
const ROUNDS: usize = 100;

/// Whose words a shell speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `BusyBox`.
    Ash,
    /// Debian's `sh`.
    Dash,
    Bash,
}

impl Dialect {
    /// What an error message begins with.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Ash => "sh",
            Self::Dash => "sh: 1",
            Self::Bash => "bash: line 1",
        }
    }

    /// What a command is that is nowhere in `$PATH`.
    pub fn not_found(self) -> &'static str {
        match self {
            Self::Ash | Self::Dash => "not found",
            Self::Bash => "command not found",
        }
    }
}

/// What the shells of a session know of each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Jobs {
    /// Exit status by process number; `None` while it runs.
    statuses: SortedMap<u32, Option<i32>>,
    next_pid: u32,
    spawned: Vec<(u32, Machine)>,
    kills: Vec<(u32, Signal)>,
}

impl Jobs {
    /// Starts a job, unless there are too many.
    pub fn spawn(&mut self, machine: Machine) -> Option<u32> {
        let running = self.statuses.values().filter(|status| status.is_none()).count();
        if running >= MAX_JOBS {
            return None;
        }
        self.next_pid += 1;
        self.statuses.insert(self.next_pid, None);
        while self.statuses.len() > 4 * MAX_JOBS {
            let over = self.statuses.iter().find(|(_, status)| status.is_some());
            let Some(pid) = over.map(|(pid, _)| *pid) else { break };
            self.statuses.remove(&pid);
        }
        self.spawned.push((self.next_pid, machine));
        Some(self.next_pid)
    }

    /// How a job ended, or that all did; `None` if that is still to come.
    pub fn status(&self, pid: Option<u32>) -> Option<i32> {
        match pid {
            Some(pid) => self.statuses.get(&pid).copied().unwrap_or(Some(127)),
            None => self.statuses.values().all(Option::is_some).then_some(0),
        }
    }

    /// Sends a signal; `false` if there is no such process.
    pub fn kill(&mut self, pid: u32, signal: Option<Signal>) -> bool {
        let there = pid == 1 || self.statuses.get(&pid).is_some_and(Option::is_none);
        if there && let Some(signal) = signal {
            self.kills.push((pid, signal));
        }
        there
    }
}

/// A command line under way.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    image: Rc<ImageEntry>,
    main: Machine,
    others: SortedMap<u32, Machine>,
    jobs: Jobs,
    is_init: bool,
}

impl Session {
    /// Around the shell `main`; `is_init` says that it is the container's first process.
    pub fn new(image: Rc<ImageEntry>, main: Machine, is_init: bool) -> Self {
        let jobs = Jobs {
            statuses: SortedMap::new(),
            next_pid: 6,
            spawned: Vec::new(),
            kills: Vec::new(),
        };
        Self { image, main, others: SortedMap::new(), jobs, is_init }
    }

    /// Runs all its processes as far as they can go.
    pub fn run(&mut self, around: &mut Surroundings<'_>) -> Progress {
        for _ in 0..ROUNDS {
            let mut world = World { around, image: &self.image, jobs: &mut self.jobs };
            let mut wake = match self.main.run(&mut world) {
                Progress::Sleeping(wake) => Some(wake),
                Progress::Idle => None,
                over @ (Progress::Exited(_) | Progress::OutOfMemory) => return over,
            };
            let mut changed = false;
            let mut over = Vec::new();
            for (pid, machine) in self.others.iter_mut() {
                let mut world = World { around, image: &self.image, jobs: &mut self.jobs };
                match machine.run(&mut world) {
                    Progress::Sleeping(at) => wake = Some(wake.map_or(at, |wake| wake.min(at))),
                    Progress::Idle => {}
                    Progress::Exited(status) => over.push((*pid, status)),
                    Progress::OutOfMemory => return Progress::OutOfMemory,
                }
            }
            for (pid, status) in over {
                self.others.remove(&pid);
                self.jobs.statuses.insert(pid, Some(status));
                changed = true;
            }
            changed |= !self.jobs.spawned.is_empty();
            self.others.extend(self.jobs.spawned.drain(..));
            changed |= self.deliver(around);
            if !changed {
                return wake.map_or(Progress::Idle, Progress::Sleeping);
            }
        }
        Progress::Sleeping(around.now + Duration::from_millis(1))
    }

    /// The process that hears what is typed.
    pub fn main(&mut self) -> &mut Machine {
        &mut self.main
    }

    /// A signal from outside, for the first process.
    pub fn signal(&mut self, signal: Signal) -> bool {
        self.main.signal(signal)
    }

    /// The open ports of whatever serves in the foreground.
    pub fn ports(&self) -> Option<&Ports> {
        let machines = std::iter::once(&self.main).chain(self.others.values());
        machines.filter_map(Machine::program).find_map(|program| program.ports())
    }

    fn deliver(&mut self, around: &mut Surroundings<'_>) -> bool {
        let mut changed = false;
        for (pid, signal) in std::mem::take(&mut self.jobs.kills) {
            if pid == 1 && !self.is_init {
                around.to_init.push(signal);
            } else if pid == 1 {
                changed |= signal != Signal::Kill && self.main.signal(signal);
            } else if let Some(job) = self.others.get_mut(&pid) {
                changed = true;
                if signal == Signal::Kill {
                    job.die(signal.exit_code());
                } else {
                    job.signal(signal);
                }
            }
        }
        changed
    }
}
