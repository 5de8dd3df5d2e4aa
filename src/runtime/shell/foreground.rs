//! Programs that a shell waits for, and jobs that it does not.

use std::rc::Rc;

use super::frame::Frame;
use super::machine::{Machine, World};
use super::state::{Sink, Source};
use crate::runtime::cri::LogOptions;
use crate::runtime::log::Log;
use crate::runtime::routine::Progress;
use crate::runtime::signal::Signal;
use crate::sim::Instant;

impl Machine {
    /// Runs the program on top; something if it is not over yet.
    pub(super) fn step_program(&mut self, world: &mut World<'_, '_>) -> Option<Progress> {
        if self.is_overdue(world.around.now) {
            return None;
        }
        let Some(Frame::Program(program)) = self.frames.last_mut() else { return None };
        let mut log = Log::default();
        let progress = {
            let mut inner = world.around.with_log(&mut log);
            program.run(&mut inner)
        };
        for line in log.read(LogOptions::default()) {
            self.write(line.stream, &format!("{}\n", line.text), world);
        }
        match progress {
            Progress::Exited(status) => {
                if matches!(self.frames.last(), Some(Frame::Program(_))) {
                    self.frames.pop();
                    self.finish(status);
                }
                None
            }
            Progress::OutOfMemory => Some(Progress::OutOfMemory),
            Progress::Sleeping(_) | Progress::Idle => {
                let wake = match progress {
                    Progress::Sleeping(wake) => Some(wake),
                    Progress::Idle | Progress::Exited(_) | Progress::OutOfMemory => None,
                };
                let ends = self.frames.iter().filter_map(Frame::deadline);
                Some(ends.chain(wake).min().map_or(Progress::Idle, Progress::Sleeping))
            }
        }
    }

    /// Whether the command on top has had its time; then it ends.
    pub(super) fn is_overdue(&mut self, now: Instant) -> bool {
        let is_over = |frame: &Frame| matches!(frame, Frame::Deadline(end) if *end <= now);
        let Some(below) = self.frames.iter().position(is_over) else { return false };
        while self.frames.len() > below {
            self.drop_top();
        }
        self.finish(Signal::Term.exit_code());
        true
    }

    /// Starts `frame` as a job of its own.
    pub(super) fn spawn(&mut self, frame: Frame, world: &mut World<'_, '_>) {
        let mut state = self.state.clone();
        state.traps = Rc::default();
        state.streams.input = Source::default();
        // A buffer of this machine is none of the job's.
        for sink in [&mut state.streams.output, &mut state.streams.error] {
            if matches!(sink, Sink::Capture(_)) {
                *sink = Sink::Null;
            }
        }
        let mut job = Self::new(state, false);
        job.push(frame);
        match world.jobs.spawn(job) {
            Some(pid) => {
                self.state.last_job = Some(pid);
                self.state.status = 0;
            }
            None => self.fail("can't fork: Resource temporarily unavailable", world),
        }
    }
}
