//! The terminal that a process may have: it shows what is typed, and hands it on line by line.
//!
//! Mirrors: the line discipline of Linux (`drivers/tty/n_tty.c`), as it is when nobody has changed it.

use super::cri::Stream;
use super::log::Log;
use super::process::Process;
use crate::sim::Instant;

const INTERRUPT: char = '\u{3}';
const END: char = '\u{4}';
const ESCAPE: char = '\u{1b}';

/// What was typed of the line that is not complete yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Terminal {
    line: String,
    /// Whether the rest of a key that writes nothing is still to come, such as of an arrow.
    in_key: bool,
}

/// Somebody sends `text` to a process: through its terminal, if it has one.
pub(super) fn type_in(
    process: &mut Process,
    terminal: Option<&mut Terminal>,
    log: &mut Log,
    (now, text): (Instant, &str),
) {
    let Some(terminal) = terminal else { return process.type_in(text) };
    let mut show = |text: &str| log.write(now, Stream::Stdout, text);
    for c in text.chars() {
        match c {
            _ if terminal.in_key => {
                terminal.in_key = c == '[' || c == 'O' || !c.is_ascii_alphabetic();
            }
            ESCAPE => terminal.in_key = true,
            '\r' | '\n' => {
                show("\n");
                terminal.line.push('\n');
                process.type_in(&std::mem::take(&mut terminal.line));
            }
            '\u{8}' | '\u{7f}' => {
                if terminal.line.pop().is_some() {
                    show("\u{8} \u{8}");
                }
            }
            INTERRUPT => {
                show("^C\n");
                terminal.line.clear();
                process.interrupt();
            }
            END if terminal.line.is_empty() => process.end_input(),
            END => process.type_in(&std::mem::take(&mut terminal.line)),
            c if c.is_control() && c != '\t' => {}
            c => {
                terminal.line.push(c);
                show(c.encode_utf8(&mut [0; 4]));
            }
        }
    }
}
