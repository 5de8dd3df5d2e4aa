//! Chains, pipelines, conditions and loops: which command comes next.

use std::rc::Rc;

use super::ast::{Chain, Command, Compound, Link, List, Pipeline, Redirect};
use super::expand::{Expansion, Stop};
use super::frame::{Frame, Output};
use super::glob::matches;
use super::machine::{Machine, World};
use super::redirect::targets;
use super::state::Source;

impl Machine {
    /// Starts the next pipeline of the chain on top that is to run.
    pub(super) fn step_chain(&mut self) {
        let Some(Frame::Chain { chain, next }) = self.frames.last_mut() else { return };
        let chain: Rc<Chain> = Rc::clone(chain);
        while let Some(at) = next.checked_sub(1) {
            let Some((link, _)) = chain.rest.get(at) else { return self.drop_top() };
            let wanted = match link {
                Link::And => self.state.status == 0,
                Link::Or => self.state.status != 0,
            };
            if wanted {
                break;
            }
            *next += 1;
        }
        let pipeline = match next.checked_sub(1) {
            None => Some(&chain.first),
            Some(at) => chain.rest.get(at).map(|(_, pipeline)| pipeline),
        };
        *next += 1;
        let Some(pipeline) = pipeline else { return self.drop_top() };
        match pipeline.commands.as_slice() {
            [command] if !pipeline.negated => self.start(command),
            _ => self.push(Frame::Pipeline { pipeline: Rc::clone(pipeline), next: 0, carry: None }),
        }
    }

    /// Starts the next stage of the pipeline on top.
    pub(super) fn step_pipeline(&mut self) {
        let Some(Frame::Pipeline { pipeline, next, carry }) = self.frames.last_mut() else {
            return;
        };
        let pipeline: Rc<Pipeline> = Rc::clone(pipeline);
        let Some(command) = pipeline.commands.get(*next) else {
            self.frames.pop();
            let status = self.state.status;
            if pipeline.negated {
                // What is negated never ends a shell.
                self.state.status = i32::from(status == 0);
                return;
            }
            return self.finish(status);
        };
        *next += 1;
        let (last, input) = (*next == pipeline.commands.len(), carry.take());
        if pipeline.commands.len() > 1 {
            self.enter_subshell(if last { Output::Shared } else { Output::Pipe });
            if let Some(text) = input {
                self.state.streams.input = Source::of(text);
            }
        }
        self.start(command);
    }

    /// Begins a compound command whose redirections are done.
    pub(super) fn start_compound(&mut self, command: &Rc<Command>, kind: &Compound) {
        let command = Rc::clone(command);
        let list = |list: &List| Frame::List { list: Rc::clone(list), next: 0 };
        match kind {
            Compound::Brace(body) => self.push(list(body)),
            Compound::Subshell(body) => {
                self.enter_subshell(Output::Shared);
                self.push(list(body));
            }
            Compound::If { .. } => self.push(Frame::If { command, arm: 0, testing: false }),
            Compound::Loop { .. } => {
                self.push(Frame::Loop { command, testing: false, status: 0 });
            }
            // Their words are to be expanded first.
            Compound::For { .. } | Compound::Case { .. } => {
                self.push(Frame::Command { command, outputs: Vec::new() });
            }
        }
    }

    /// Expands a compound command and redirects its streams.
    pub(super) fn compound(
        &mut self,
        command: &Rc<Command>,
        kind: &Compound,
        redirects: &[Redirect],
        outputs: &[String],
        world: &mut World<'_, '_>,
    ) -> Result<(), Stop> {
        let mut expansion = Expansion::new(&self.state, world.around.files, outputs);
        let targets = targets(&mut expansion, redirects)?;
        let mut next = None;
        match kind {
            Compound::For { words, .. } => {
                let items = match words {
                    Some(words) => expansion.words(words)?,
                    None => expansion.state.parameters.to_vec(),
                };
                let items = items.into();
                next = Some(Frame::For { command: Rc::clone(command), items, next: 0 });
            }
            Compound::Case { subject, arms } => {
                let subject: Vec<char> = expansion.text(subject)?.chars().collect();
                let mut list: List = Rc::from([]);
                'arms: for (patterns, body) in arms {
                    for pattern in patterns {
                        if matches(&expansion.pattern(pattern)?, &subject) {
                            list = Rc::clone(body);
                            break 'arms;
                        }
                    }
                }
                next = Some(Frame::List { list, next: 0 });
            }
            Compound::Brace(_)
            | Compound::Subshell(_)
            | Compound::If { .. }
            | Compound::Loop { .. } => {}
        }
        let read = expansion.read;
        self.state = expansion.state;
        self.charge_text(read);
        self.frames.pop();
        if !redirects.is_empty() {
            let streams = Box::new(self.state.streams.clone());
            self.push(Frame::Restore { streams, variables: None });
            if let Err(message) = self.redirect(targets, world) {
                self.complain(&message, world);
                self.drop_top();
                self.finish(1);
                return Ok(());
            }
        }
        if matches!(kind, Compound::Case { .. } | Compound::For { .. }) {
            self.state.status = 0;
        }
        match next {
            Some(frame) => self.push(frame),
            None => self.start_compound(command, kind),
        }
        Ok(())
    }

    /// Goes on with the `if` on top.
    pub(super) fn step_if(&mut self) {
        let Some(Frame::If { command, arm, testing }) = self.frames.last_mut() else { return };
        let command = Rc::clone(command);
        let Command::Compound { kind: Compound::If { arms, otherwise }, .. } = &*command else {
            return self.drop_top();
        };
        if *testing && self.state.status == 0 {
            *testing = false;
            let body = arms.get(*arm).map(|(_, body)| Rc::clone(body));
            // Nothing comes after the chosen body.
            *arm = arms.len() + 1;
            if let Some(list) = body {
                self.push(Frame::List { list, next: 0 });
            }
            return;
        }
        if *arm > arms.len() {
            return self.drop_top();
        }
        if *testing {
            *arm += 1;
        }
        if let Some((condition, _)) = arms.get(*arm) {
            *testing = true;
            let list = Rc::clone(condition);
            return self.push(Frame::List { list, next: 0 });
        }
        *testing = false;
        *arm = arms.len() + 1;
        self.state.status = 0;
        if let Some(list) = otherwise.clone() {
            self.push(Frame::List { list, next: 0 });
        }
    }

    /// Goes on with the `while` or `until` on top.
    pub(super) fn step_loop(&mut self) {
        let Some(Frame::Loop { command, testing, status }) = self.frames.last_mut() else { return };
        let command = Rc::clone(command);
        let Command::Compound { kind: Compound::Loop { until, condition, body }, .. } = &*command
        else {
            return self.drop_top();
        };
        if !*testing {
            *testing = true;
            *status = self.state.status;
            let list = Rc::clone(condition);
            return self.push(Frame::List { list, next: 0 });
        }
        *testing = false;
        if (self.state.status == 0) == *until {
            self.state.status = *status;
            return self.drop_top();
        }
        let list = Rc::clone(body);
        self.push(Frame::List { list, next: 0 });
    }

    /// Goes on with the `for` on top.
    pub(super) fn step_for(&mut self) {
        let Some(Frame::For { command, items, next }) = self.frames.last_mut() else { return };
        let command = Rc::clone(command);
        let item = items.get(*next).cloned();
        *next += 1;
        match (&*command, item) {
            (Command::Compound { kind: Compound::For { name, body, .. }, .. }, Some(item)) => {
                self.state.set(name, item);
                self.push(Frame::List { list: Rc::clone(body), next: 0 });
            }
            (Command::Compound { .. } | Command::Simple(_) | Command::Function { .. }, _) => {
                self.drop_top();
            }
        }
    }
}
