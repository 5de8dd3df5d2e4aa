//! Commands that read and change files.

use super::Io;
use crate::runtime::shell::files::{Entry, FileError};

pub(super) fn cat(arguments: &[String], io: &mut Io<'_>) -> i32 {
    let files: Vec<&String> = arguments.iter().filter(|word| *word != "-u").collect();
    if files.is_empty() {
        io.output = io.take_input();
        return 0;
    }
    let mut status = 0;
    for file in files {
        if file == "-" {
            let text = io.take_input();
            io.output.push_str(&text);
            continue;
        }
        match io.files.read(&io.path(file)) {
            Ok(text) => io.output.push_str(&text),
            Err(FileError::NotFound) => {
                io.say(format_args!("cat: can't open '{file}': No such file or directory\n"));
                status = 1;
            }
            Err(error) => {
                io.say(format_args!("cat: read error: {error}\n"));
                status = 1;
            }
        }
    }
    status
}

pub(super) fn tee(arguments: &[String], io: &mut Io<'_>) -> i32 {
    let text = io.take_input();
    let append = arguments.iter().any(|word| word == "-a");
    let files: Vec<String> =
        arguments.iter().filter(|word| !word.starts_with('-')).cloned().collect();
    io.output.push_str(&text);
    each("tee", &files, io, |io, path| io.files.write(path, &text, append))
}

/// Does the same to each path; 1 if that fails for one.
pub(super) fn each(
    name: &str,
    arguments: &[String],
    io: &mut Io<'_>,
    mut act: impl FnMut(&mut Io<'_>, &str) -> Result<(), FileError>,
) -> i32 {
    let mut status = 0;
    for argument in arguments.iter().filter(|word| !word.starts_with('-')) {
        let path = io.path(argument);
        if let Err(error) = act(io, &path) {
            io.complain(name, argument, error);
            status = 1;
        }
    }
    status
}

pub(super) fn mkdir(arguments: &[String], io: &mut Io<'_>) -> i32 {
    let parents = arguments.iter().any(|word| word.starts_with('-') && word.contains('p'));
    each("mkdir", arguments, io, |io, path| {
        if parents {
            io.files.make_all(path);
            return Ok(());
        }
        io.files.make_directory(path)
    })
}

pub(super) fn rm(name: &str, arguments: &[String], io: &mut Io<'_>) -> i32 {
    let letters: String = arguments.iter().filter_map(|word| word.strip_prefix('-')).collect();
    let (force, recursive) = (letters.contains('f'), letters.contains(['r', 'R']));
    each(name, arguments, io, |io, path| {
        let empty = io.files.list(path).is_empty();
        if name == "rmdir" && !empty {
            return Err(FileError::NotEmpty);
        }
        match io.files.remove(path, recursive || name == "rmdir") {
            Err(FileError::NotFound) if force => Ok(()),
            result => result,
        }
    })
}

pub(super) fn copy(name: &str, arguments: &[String], io: &mut Io<'_>) -> i32 {
    let paths: Vec<String> =
        arguments.iter().filter(|word| !word.starts_with('-')).cloned().collect();
    let Some((target, sources)) = paths.split_last() else {
        io.say(format_args!("{name}: missing file operand\n"));
        return 1;
    };
    let target = io.path(target);
    each(name, sources, io, |io, path| {
        let text = io.files.read(path)?;
        let inside = io.files.get(&target) == Some(&Entry::Directory);
        let file = path.rsplit('/').next().unwrap_or_default();
        let to = if inside { format!("{target}/{file}") } else { target.clone() };
        io.files.write(&to, &text, false)?;
        if name == "mv" && to != path { io.files.remove(path, false) } else { Ok(()) }
    })
}

pub(super) fn ls(arguments: &[String], io: &mut Io<'_>) -> i32 {
    let hidden = arguments.iter().any(|word| word.starts_with('-') && word.contains(['a', 'A']));
    let mut paths: Vec<&str> =
        arguments.iter().map(String::as_str).filter(|word| !word.starts_with('-')).collect();
    if paths.is_empty() {
        paths.push(".");
    }
    let mut status = 0;
    let several = paths.len() > 1;
    for path in paths {
        let whole = io.path(path);
        match io.files.get(&whole) {
            Some(Entry::File(_)) => io.line(path),
            Some(Entry::Directory) => {
                if several {
                    io.line(&format!("{path}:"));
                }
                let names = io.files.list(&whole);
                let shown = names.into_iter().filter(|name| hidden || !name.starts_with('.'));
                let lines: Vec<String> = shown.map(|name| format!("{name}\n")).collect();
                io.output.push_str(&lines.concat());
            }
            None => {
                io.complain("ls", path, FileError::NotFound);
                status = 1;
            }
        }
    }
    status
}
