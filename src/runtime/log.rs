//! What a container wrote: its last lines, bounded.

use std::collections::VecDeque;
use std::rc::Rc;

use super::cri::{LogLine, LogOptions, Stream};
use crate::sim::Instant;

const MAX_LINES: usize = 1_000;
const MAX_BYTES: usize = 128 * 1024;
/// What a command may write before somebody takes it.
const MAX_OUTPUT: usize = 16 * 1024 * 1024;
/// containerd splits longer lines.
const MAX_LINE: usize = 16 * 1024;

/// A ring of lines; the oldest go first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    lines: VecDeque<LogLine>,
    bytes: usize,
    /// How many lines are gone.
    gone: usize,
    /// Whether it is no log of a container, but what a command writes.
    is_output: bool,
    /// The same once more, for who is attached.
    pub tap: Option<Box<Log>>,
}

impl Log {
    /// For what a command writes.
    pub fn of_output() -> Self {
        Self { is_output: true, ..Self::default() }
    }

    /// Takes out all that was written.
    pub fn take(&mut self) -> Vec<LogLine> {
        self.bytes = 0;
        std::mem::take(&mut self.lines).into()
    }

    /// Appends `text`, which may hold several lines or a part of one.
    pub fn write(&mut self, at: Instant, stream: Stream, text: &str) {
        if let Some(tap) = &mut self.tap {
            tap.write(at, stream, text);
        }
        for piece in text.split_inclusive('\n') {
            let (line, partial) = match piece.strip_suffix('\n') {
                Some(line) => (line, false),
                None => (piece, true),
            };
            self.push(at, stream, line, partial);
        }
        self.trim();
    }

    /// The lines that `options` asks for, oldest first.
    pub fn read(&self, options: LogOptions) -> Vec<LogLine> {
        let since = options.since.unwrap_or_default();
        let wanted = self.lines.iter().filter(|line| line.at >= since);
        let skip = options.tail.map_or(0, |tail| wanted.clone().count().saturating_sub(tail));
        wanted.skip(skip).cloned().collect()
    }

    /// The lines that are complete and come after the first `seen` there ever were, and how many there
    /// were by then. At the `end`, what has no line end counts, too.
    pub fn after(&self, seen: usize, end: bool) -> (impl Iterator<Item = &LogLine>, usize) {
        let open = self.lines.back().is_some_and(|last| last.partial && !end);
        let complete = self.lines.len() - usize::from(open);
        let new = self.lines.iter().take(complete).skip(seen.saturating_sub(self.gone));
        (new, self.gone + complete)
    }

    /// All that was written to the standard output, and to the standard error.
    pub fn into_texts(self) -> (String, String) {
        let mut texts = (String::new(), String::new());
        for line in self.lines {
            let text = match line.stream {
                Stream::Stdout => &mut texts.0,
                Stream::Stderr => &mut texts.1,
            };
            text.push_str(&line.text);
            if !line.partial {
                text.push('\n');
            }
        }
        texts
    }

    fn push(&mut self, at: Instant, stream: Stream, line: &str, partial: bool) {
        self.bytes += line.len();
        if let Some(last) = self.lines.back_mut()
            && last.partial
            && last.stream == stream
            && last.text.len() + line.len() <= MAX_LINE
        {
            last.text = format!("{}{line}", last.text).into();
            last.partial = partial;
            return;
        }
        let mut rest = line;
        while rest.len() > MAX_LINE {
            let cut = (0..=MAX_LINE).rev().find(|at| rest.is_char_boundary(*at)).unwrap_or(0);
            let Some((head, tail)) = rest.split_at_checked(cut).filter(|_| cut > 0) else { break };
            self.lines.push_back(LogLine { at, stream, text: head.into(), partial: true });
            rest = tail;
        }
        self.lines.push_back(LogLine { at, stream, text: Rc::from(rest), partial });
    }

    fn trim(&mut self) {
        let (lines, bytes) =
            if self.is_output { (usize::MAX, MAX_OUTPUT) } else { (MAX_LINES, MAX_BYTES) };
        while self.lines.len() > lines || self.bytes > bytes {
            let Some(gone) = self.lines.pop_front() else { return };
            self.bytes = self.bytes.saturating_sub(gone.text.len());
            self.gone += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(log: &Log, options: LogOptions) -> Vec<String> {
        log.read(options).iter().map(|line| line.text.to_string()).collect()
    }

    #[test]
    fn parts_of_a_line_come_together() {
        let mut log = Log::default();
        log.write(Instant::ZERO, Stream::Stdout, "a\nb");
        log.write(Instant::ZERO, Stream::Stdout, "c\n");
        assert_eq!(texts(&log, LogOptions::default()), ["a", "bc"]);
    }

    #[test]
    fn only_the_last_lines_are_kept_or_read() {
        let mut log = Log::default();
        for number in 0..5_000 {
            log.write(Instant::ZERO, Stream::Stdout, &format!("{number}\n"));
        }
        assert_eq!(log.read(LogOptions::default()).len(), MAX_LINES);
        let tail = LogOptions { tail: Some(2), since: None };
        assert_eq!(texts(&log, tail), ["4998", "4999"]);
    }

    #[test]
    fn who_follows_gets_each_line_once_it_is_complete() {
        let mut log = Log::default();
        let new = |log: &Log, seen, end| {
            let (lines, seen) = log.after(seen, end);
            (lines.map(|line| line.text.to_string()).collect::<Vec<_>>().join(" "), seen)
        };
        log.write(Instant::ZERO, Stream::Stdout, "a\nb");
        assert_eq!(new(&log, 0, false), ("a".to_owned(), 1));
        log.write(Instant::ZERO, Stream::Stdout, "c\nd");
        assert_eq!(new(&log, 1, false), ("bc".to_owned(), 2));
        assert_eq!(new(&log, 2, true), ("d".to_owned(), 3));
        for _ in 0..MAX_LINES {
            log.write(Instant::ZERO, Stream::Stdout, "e\n");
        }
        assert_eq!(new(&log, MAX_LINES, false), ("e e".to_owned(), MAX_LINES + 2));
    }

    #[test]
    fn a_log_of_long_lines_is_bounded_too() {
        let mut log = Log::default();
        for _ in 0..100 {
            log.write(Instant::ZERO, Stream::Stdout, &"ü".repeat(20_000));
        }
        let bytes: usize = log.read(LogOptions::default()).iter().map(|l| l.text.len()).sum();
        assert!(bytes <= MAX_BYTES, "{bytes}");
    }
}
