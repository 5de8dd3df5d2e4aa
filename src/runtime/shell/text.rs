//! Commands that read lines and write some of them.

use super::commands::Io;
use crate::sim::sort;

/// Runs one of them; the result is its exit status.
pub fn run(name: &str, arguments: &[String], io: &mut Io<'_>) -> i32 {
    match name {
        "wc" => wc(arguments, io),
        "head" | "tail" => ends(name, arguments, io),
        "grep" => grep(arguments, io),
        "cut" => cut(arguments, io),
        "tr" => tr(arguments, io),
        "sed" => sed(arguments, io),
        _ => whole(name, arguments, io),
    }
}

/// The text of the files, or of the input if there are none; `None` if one cannot be read.
fn texts(name: &str, files: &[&str], io: &mut Io<'_>) -> Option<String> {
    if files.is_empty() {
        return Some(io.input.take());
    }
    let mut all = String::new();
    for file in files {
        match io.files.read(&io.state.resolve(file)) {
            Ok(text) => all.push_str(&text),
            Err(error) => {
                io.say(format_args!("{name}: {file}: {error}\n"));
                return None;
            }
        }
    }
    Some(all)
}

/// Options' letters, and the other words.
fn split(arguments: &[String]) -> (String, Vec<&str>) {
    let is_option = |word: &&String| word.len() > 1 && word.starts_with('-');
    let letters = arguments.iter().filter(is_option).flat_map(|word| word.chars().skip(1));
    let others = arguments.iter().filter(|word| !is_option(word)).map(String::as_str);
    (letters.collect(), others.collect())
}

fn push_lines<'a>(lines: impl IntoIterator<Item = &'a str>, io: &mut Io<'_>) {
    for line in lines {
        io.output.push_str(line);
        io.output.push('\n');
    }
}

fn wc(arguments: &[String], io: &mut Io<'_>) -> i32 {
    let (letters, files) = split(arguments);
    let Some(text) = texts("wc", &files, io) else { return 1 };
    let counts = [
        ('l', text.matches('\n').count()),
        ('w', text.split_whitespace().count()),
        ('c', text.len()),
    ];
    let wanted: Vec<String> = counts
        .iter()
        .filter(|(letter, _)| letters.is_empty() || letters.contains(*letter))
        .map(|(_, count)| count.to_string())
        .collect();
    let name = files.first().map_or(String::new(), |file| format!(" {file}"));
    io.put(format_args!("{}{name}\n", wanted.join(" ")));
    0
}

fn ends(name: &str, arguments: &[String], io: &mut Io<'_>) -> i32 {
    let mut count = 10;
    let mut from_start = name == "head";
    let mut bytes = false;
    let mut files = Vec::new();
    let mut words = arguments.iter().map(String::as_str);
    while let Some(word) = words.next() {
        let value = match word.strip_prefix('-') {
            Some("n") => words.next(),
            Some("c") => {
                bytes = true;
                words.next()
            }
            Some("F" | "q") => None,
            Some(option) => Some(option.trim_start_matches('n')),
            None => {
                files.push(word);
                None
            }
        };
        if let Some(value) = value {
            from_start |= value.starts_with('+');
            count = value.trim_start_matches(['+', '-']).parse().unwrap_or(count);
        }
    }
    let Some(text) = texts(name, &files, io) else { return 1 };
    if bytes {
        io.output.extend(text.chars().take(count));
        return 0;
    }
    let lines: Vec<&str> = text.lines().collect();
    let (skip, take) = match (name, from_start) {
        ("head", _) => (0, count),
        (_, true) => (count.saturating_sub(1), usize::MAX),
        (_, false) => (lines.len().saturating_sub(count), usize::MAX),
    };
    push_lines(lines.into_iter().skip(skip).take(take), io);
    0
}

fn whole(name: &str, arguments: &[String], io: &mut Io<'_>) -> i32 {
    let (letters, files) = split(arguments);
    let Some(text) = texts(name, &files, io) else { return 1 };
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    match name {
        "sort" => {
            if letters.contains('n') {
                let key = |line: &String| line.trim().parse::<i64>().unwrap_or(0);
                sort::by_key(&mut lines, key);
            } else {
                sort::by(&mut lines, Ord::cmp);
            }
            if letters.contains('u') {
                lines.dedup();
            }
            if letters.contains('r') {
                lines.reverse();
            }
        }
        "uniq" => lines.dedup(),
        "tac" => lines.reverse(),
        "rev" => lines = lines.iter().map(|line| line.chars().rev().collect()).collect(),
        _ => {
            let numbered = lines.iter().enumerate();
            lines = numbered.map(|(at, line)| format!("{:>6}\t{line}", at + 1)).collect();
        }
    }
    push_lines(lines.iter().map(String::as_str), io);
    0
}

/// Fixed texts with `^` and `$` at their ends; `.` and `*` are not understood.
fn grep(arguments: &[String], io: &mut Io<'_>) -> i32 {
    let (letters, words) = split(arguments);
    let Some((pattern, files)) = words.split_first() else {
        io.error.push_str("grep: no pattern\n");
        return 2;
    };
    let Some(text) = texts("grep", files, io) else { return 2 };
    let ignore_case = letters.contains('i');
    let fold = |text: &str| if ignore_case { text.to_ascii_lowercase() } else { text.to_owned() };
    let alternatives: Vec<String> = pattern.split('|').map(fold).collect();
    let fits = |line: &str| {
        let line = fold(line);
        alternatives.iter().any(|pattern| {
            let (start, pattern) =
                pattern.strip_prefix('^').map_or((false, pattern.as_str()), |p| (true, p));
            let (end, pattern) = pattern.strip_suffix('$').map_or((false, pattern), |p| (true, p));
            match (start, end) {
                (true, true) => line == pattern,
                (true, false) => line.starts_with(pattern),
                (false, true) => line.ends_with(pattern),
                (false, false) => line.contains(pattern),
            }
        })
    };
    let inverted = letters.contains('v');
    let found: Vec<&str> = text.lines().filter(|line| fits(line) != inverted).collect();
    let status = i32::from(found.is_empty());
    if letters.contains('c') {
        io.put(format_args!("{}\n", found.len()));
    } else if !letters.contains('q') {
        push_lines(found, io);
    }
    status
}

fn cut(arguments: &[String], io: &mut Io<'_>) -> i32 {
    let value = |letter: &str| {
        let mut words = arguments.iter();
        words.find_map(|word| word.strip_prefix(letter).map(str::to_owned)).and_then(|rest| {
            if !rest.is_empty() {
                return Some(rest);
            }
            let at = arguments.iter().position(|word| word == letter)?;
            arguments.get(at + 1).cloned()
        })
    };
    let delimiter = value("-d").and_then(|text| text.chars().next()).unwrap_or('\t');
    let characters = value("-c");
    let fields = value("-f").or_else(|| characters.clone()).unwrap_or_default();
    let wanted = |number: usize| {
        fields.split(',').any(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let first = first.parse().unwrap_or(1);
            (first..=last.parse().unwrap_or(usize::MAX)).contains(&number)
        })
    };
    let Some(text) = texts("cut", &[], io) else { return 1 };
    for line in text.lines() {
        let line: String = if characters.is_some() {
            let chars = line.chars().enumerate().filter(|(at, _)| wanted(at + 1));
            chars.map(|(_, c)| c).collect()
        } else {
            let fields = line.split(delimiter).enumerate().filter(|(at, _)| wanted(at + 1));
            let fields: Vec<&str> = fields.map(|(_, field)| field).collect();
            fields.join(&delimiter.to_string())
        };
        push_lines([line.as_str()], io);
    }
    0
}

fn tr(arguments: &[String], io: &mut Io<'_>) -> i32 {
    let (letters, words) = split(arguments);
    let Some(text) = texts("tr", &[], io) else { return 1 };
    let set = |at: usize| expand_set(words.get(at).copied().unwrap_or_default());
    let (from, to) = (set(0), set(1));
    let translate = |c: char| match from.iter().position(|known| *known == c) {
        None => Some(c),
        Some(_) if letters.contains('d') => None,
        Some(at) => to.get(at).or(to.last()).copied().or(Some(c)),
    };
    let translated: String = text.chars().filter_map(translate).collect();
    io.output.push_str(&translated);
    0
}

/// `a-z`, `[:upper:]`, `[:lower:]`, `\n`.
fn expand_set(text: &str) -> Vec<char> {
    let text = text
        .replace("[:upper:]", "A-Z")
        .replace("[:lower:]", "a-z")
        .replace("[:digit:]", "0-9")
        .replace("[:space:]", " \t\n")
        .replace("\\n", "\n")
        .replace("\\t", "\t");
    let chars: Vec<char> = text.chars().collect();
    let mut set = Vec::new();
    let mut at = 0;
    while let Some(c) = chars.get(at).copied() {
        match (chars.get(at + 1), chars.get(at + 2)) {
            (Some('-'), Some(end)) if c.is_ascii() && end.is_ascii() => {
                set.extend(c..=*end);
                at += 3;
            }
            _ => {
                set.push(c);
                at += 1;
            }
        }
    }
    set
}

/// `s/fixed text/fixed text/` with an optional `g`; anything else is not simulated.
fn sed(arguments: &[String], io: &mut Io<'_>) -> i32 {
    let (_, words) = split(arguments);
    let Some((script, files)) = words.split_first() else { return 1 };
    let mut chars = script.chars();
    let parts: Vec<&str> = match (chars.next(), chars.next()) {
        (Some('s'), Some(separator)) => chars.as_str().split(separator).collect(),
        _ => Vec::new(),
    };
    let [from, to, flags] = parts.as_slice() else {
        io.error.push_str("sed: only s/text/text/ is simulated here\n");
        return 1;
    };
    let Some(text) = texts("sed", files, io) else { return 1 };
    let lines: Vec<String> = text
        .lines()
        .map(|line| {
            if flags.contains('g') && !from.is_empty() {
                line.replace(from, to)
            } else {
                line.replacen(from, to, 1)
            }
        })
        .collect();
    push_lines(lines.iter().map(String::as_str), io);
    0
}
