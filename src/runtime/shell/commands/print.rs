//! `echo` and `printf`.

use super::{Io, MAX_OUTPUT};
use crate::api::text::float;
use crate::runtime::shell::arith;

/// Backslash escapes; the flag says that `\c` ended the output.
fn unescape(text: &str) -> (String, bool) {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('a') => out.push('\u{7}'),
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('v') => out.push('\u{b}'),
            Some('e') => out.push('\u{1b}'),
            Some('c') => return (out, true),
            Some(digit @ '0'..='7') => {
                let mut value = digit.to_digit(8).unwrap_or(0);
                for _ in 0..3 {
                    let Some(next) = chars.peek().and_then(|c| c.to_digit(8)) else { break };
                    value = (value * 8 + next) & 0xff;
                    chars.next();
                }
                out.extend(char::from_u32(value));
            }
            Some('\\') | None => out.push('\\'),
            Some(other) => out.extend(['\\', other]),
        }
    }
    (out, false)
}

pub(super) fn echo(arguments: &[String], io: &mut Io<'_>) -> i32 {
    let (mut newline, mut escapes) = (true, false);
    let is_option = |word: &&String| {
        word.strip_prefix('-')
            .is_some_and(|all| !all.is_empty() && all.chars().all(|c| matches!(c, 'n' | 'e' | 'E')))
    };
    let options = arguments.iter().take_while(is_option);
    let count = options.clone().count();
    for letter in options.flat_map(|option| option.chars()) {
        match letter {
            'n' => newline = false,
            'e' => escapes = true,
            'E' => escapes = false,
            _ => {}
        }
    }
    let text = arguments.get(count..).unwrap_or_default().join(" ");
    let (text, cut) = if escapes { unescape(&text) } else { (text, false) };
    io.output.push_str(&text);
    if newline && !cut {
        io.output.push('\n');
    }
    0
}

pub(super) fn printf(arguments: &[String], io: &mut Io<'_>) -> i32 {
    let Some((format, mut rest)) = arguments.split_first() else {
        io.error.push_str("printf: missing operand\n");
        return 1;
    };
    let mut status = 0;
    loop {
        let before = rest.len();
        let mut chars = format.chars();
        let mut literal = String::new();
        while let Some(c) = chars.next() {
            if c != '%' {
                literal.push(c);
                continue;
            }
            io.output.push_str(&unescape(&std::mem::take(&mut literal)).0);
            let spec = chars.as_str();
            let end = spec.find(|c: char| c.is_ascii_alphabetic() || c == '%');
            let Some((flags, kind)) =
                end.and_then(|end| Some((spec.get(..end)?, spec.get(end..)?)))
            else {
                io.output.push('%');
                continue;
            };
            let Some(kind) = kind.chars().next() else { break };
            chars = spec.get(flags.len() + 1..).unwrap_or_default().chars();
            if kind == '%' {
                io.output.push('%');
                continue;
            }
            let argument = rest.first().map_or("", String::as_str);
            rest = rest.get(1..).unwrap_or_default();
            if let Some(text) = conversion(flags, kind, argument) {
                io.output.push_str(&text);
            } else {
                io.say(format_args!("printf: invalid number '{argument}'\n"));
                io.output.push('0');
                status = 1;
            }
        }
        io.output.push_str(&unescape(&literal).0);
        if rest.is_empty() || rest.len() == before || io.output.len() > MAX_OUTPUT {
            return status;
        }
    }
}

fn conversion(flags: &str, kind: char, argument: &str) -> Option<String> {
    let number = || {
        if argument.is_empty() {
            return Some(0);
        }
        let (sign, digits) = argument.strip_prefix('-').map_or((1, argument), |rest| (-1, rest));
        arith::number(digits).map(|value| sign * value)
    };
    let (left, zero) = (flags.contains('-'), flags.starts_with('0'));
    let mut sizes = flags.trim_start_matches(['-', '0', '+', ' ', '#']).split('.');
    let width = sizes.next().and_then(|text| text.parse::<usize>().ok()).unwrap_or(0).min(1_000);
    let precision = sizes.next().map(|text| text.parse::<usize>().unwrap_or(0).min(1_000));
    let text = match kind {
        's' => match precision {
            Some(most) => argument.chars().take(most).collect(),
            None => argument.to_owned(),
        },
        'b' => unescape(argument).0,
        'c' => argument.chars().take(1).collect(),
        'd' | 'i' | 'u' => number()?.to_string(),
        'x' => format!("{:x}", number()?),
        'X' => format!("{:X}", number()?),
        'o' => format!("{:o}", number()?),
        'f' | 'g' | 'e' => {
            let value: f64 = if argument.is_empty() { 0.0 } else { float(argument)? };
            format!("{value:.*}", precision.unwrap_or(6))
        }
        _ => argument.to_owned(),
    };
    Some(if left {
        format!("{text:<width$}")
    } else if zero && kind != 's' {
        format!("{text:0>width$}")
    } else {
        format!("{text:>width$}")
    })
}
