//! Where a command's streams lead.

use std::rc::Rc;

use super::ast::{Redirect, RedirectKind};
use super::expand::{Expansion, Stop};
use super::files::FileError;
use super::machine::{Machine, World};
use super::state::{Sink, Source, Streams};
use crate::runtime::cri::Stream;
use crate::runtime::signal::Signal;

/// A capture holds no more; its writer is then told that the pipe is broken.
const MAX_CAPTURE: usize = 1 << 20;

/// A redirection whose target is known.
pub(super) type Target = (u32, RedirectKind, String);

impl Machine {
    /// Writes to one of the two outputs.
    pub(super) fn write(&mut self, stream: Stream, text: &str, world: &mut World<'_, '_>) {
        self.charge_text(text.len());
        let sink = match stream {
            Stream::Stdout => &self.state.streams.output,
            Stream::Stderr => &self.state.streams.error,
        };
        match sink {
            Sink::Log(stream) => world.around.print(*stream, text),
            Sink::Null => {}
            Sink::Capture(buffer) => {
                let Some(buffer) = self.captures.get_mut(*buffer) else { return };
                buffer.push_str(text);
                if buffer.len() > MAX_CAPTURE {
                    let end = (0..=MAX_CAPTURE).rev().find(|end| buffer.is_char_boundary(*end));
                    buffer.truncate(end.unwrap_or(0));
                    self.exit(Signal::Pipe.exit_code());
                }
            }
            Sink::File(path) => {
                let path = Rc::clone(path);
                if let Err(error) = world.files().write(&path, text, true) {
                    let line = format!("{}: write error: {error}\n", self.state.dialect.prefix());
                    if matches!(self.state.streams.error, Sink::Log(_)) {
                        world.around.print(Stream::Stderr, &line);
                    }
                    self.state.status = 1;
                }
            }
        }
    }

    /// Leads the streams to their targets; a message if one cannot be opened.
    pub(super) fn redirect(
        &mut self,
        targets: Vec<Target>,
        world: &mut World<'_, '_>,
    ) -> Result<(), String> {
        for (fd, kind, target) in targets {
            let path = self.state.resolve(&target);
            match kind {
                RedirectKind::Here => {
                    self.state.streams.input = Source::of(target);
                }
                RedirectKind::Read => {
                    let text = world.files().read(&path);
                    let text =
                        text.map_err(|_none| format!("can't open {target}: no such file"))?;
                    self.state.streams.input = Source::of(text);
                }
                RedirectKind::Write | RedirectKind::Append | RedirectKind::WriteBoth => {
                    let append = kind == RedirectKind::Append;
                    let sink = self
                        .open(&path, append, world)
                        .map_err(|error| format!("can't create {target}: {error}"))?;
                    if kind == RedirectKind::WriteBoth {
                        self.state.streams.error = sink.clone();
                    }
                    set_sink(&mut self.state.streams, fd, sink);
                }
                RedirectKind::Duplicate => {
                    let streams = &mut self.state.streams;
                    match target.as_str() {
                        "1" => set_sink(streams, fd, streams.output.clone()),
                        "2" => set_sink(streams, fd, streams.error.clone()),
                        "-" => set_sink(streams, fd, Sink::Null),
                        _ if fd == 0 => {}
                        _ => return Err(format!("{target}: bad file descriptor")),
                    }
                }
            }
        }
        Ok(())
    }

    /// Opens a file for writing.
    pub(super) fn open(
        &mut self,
        path: &str,
        append: bool,
        world: &mut World<'_, '_>,
    ) -> Result<Sink, &'static str> {
        match path {
            "/dev/null" => return Ok(Sink::Null),
            "/dev/stdout" | "/proc/self/fd/1" => return Ok(self.state.streams.output.clone()),
            "/dev/stderr" | "/proc/self/fd/2" => return Ok(self.state.streams.error.clone()),
            "/proc/1/fd/1" => return Ok(Sink::Log(Stream::Stdout)),
            "/proc/1/fd/2" => return Ok(Sink::Log(Stream::Stderr)),
            _ => {}
        }
        world.files().write(path, "", append).map_err(FileError::on_create)?;
        Ok(Sink::File(path.into()))
    }

    /// A message that does not end the shell.
    pub(super) fn complain(&mut self, message: &str, world: &mut World<'_, '_>) {
        let line = format!("{}: {message}\n", self.state.dialect.prefix());
        self.write(Stream::Stderr, &line, world);
    }
}

/// Expands the targets of redirections.
///
/// # Errors
///
/// [`Stop`].
pub(super) fn targets(
    expansion: &mut Expansion<'_>,
    redirects: &[Redirect],
) -> Result<Vec<Target>, Stop> {
    let target =
        |redirect: &Redirect| Ok((redirect.fd, redirect.kind, expansion.text(&redirect.target)?));
    redirects.iter().map(target).collect()
}

fn set_sink(streams: &mut Streams, fd: u32, sink: Sink) {
    match fd {
        1 => streams.output = sink,
        2 => streams.error = sink,
        // Other streams are accepted, though nothing here reads or writes them.
        _ => {}
    }
}
