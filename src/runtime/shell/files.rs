//! A container's files: just enough of them for scripts.

use crate::sim::SortedMap;
use std::rc::Rc;

/// All files together may not be bigger.
const MAX_BYTES: usize = 512 * 1024;
const MAX_FILES: usize = 2_000;

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    Directory,
    File(Rc<String>),
}

/// Why something cannot be done with a path, in the kernel's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    #[error("No such file or directory")]
    NotFound,
    #[error("Is a directory")]
    IsDirectory,
    #[error("Not a directory")]
    NotDirectory,
    #[error("File exists")]
    Exists,
    #[error("Directory not empty")]
    NotEmpty,
    #[error("No space left on device")]
    NoSpace,
    #[error("Read-only file system")]
    ReadOnly,
}

impl FileError {
    /// As a shell words it when a redirection fails.
    pub fn on_create(self) -> &'static str {
        match self {
            Self::NotFound => "nonexistent directory",
            Self::IsDirectory => "Is a directory",
            Self::NotDirectory => "Not a directory",
            Self::Exists => "File exists",
            Self::NotEmpty => "Directory not empty",
            Self::NoSpace => "No space left on device",
            Self::ReadOnly => "Read-only file system",
        }
    }
}

/// Paths are absolute and without `.` or `..`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    entries: SortedMap<String, Entry>,
    read_only: Vec<String>,
    bytes: usize,
}

/// Reading gives nothing, writing goes nowhere.
pub fn is_null_device(path: &str) -> bool {
    path == "/dev/null"
}

impl Files {
    /// With the given files and the directories they need.
    pub fn new(files: impl IntoIterator<Item = (String, String)>, directories: &[&str]) -> Self {
        let mut all = Self::default();
        for directory in directories {
            all.make_all(directory);
        }
        for (path, text) in files {
            if let Some((parent, _)) = path.rsplit_once('/') {
                all.make_all(parent);
            }
            all.bytes += text.len();
            all.entries.insert(path, Entry::File(text.into()));
        }
        all
    }

    /// Nothing below `path` can be changed from now on.
    pub fn protect(&mut self, path: &str) {
        self.read_only.push(path.trim_end_matches('/').to_owned());
    }

    /// What is at `path`; the root always is a directory.
    pub fn get(&self, path: &str) -> Option<&Entry> {
        if path == "/" { Some(&Entry::Directory) } else { self.entries.get(path) }
    }

    /// Whether nothing was ever put here.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// A file's text.
    ///
    /// # Errors
    ///
    /// [`FileError::NotFound`] or [`FileError::IsDirectory`].
    pub fn read(&self, path: &str) -> Result<Rc<String>, FileError> {
        if is_null_device(path) || path == "/dev/stdin" {
            return Ok(Rc::default());
        }
        match self.get(path) {
            Some(Entry::File(text)) => Ok(Rc::clone(text)),
            Some(Entry::Directory) => Err(FileError::IsDirectory),
            None => Err(FileError::NotFound),
        }
    }

    /// Makes the file if it is not there and adds `text` to it, or replaces what it held.
    ///
    /// # Errors
    ///
    /// [`FileError`] as the kernel would; nothing changes then.
    pub fn write(&mut self, path: &str, text: &str, append: bool) -> Result<(), FileError> {
        if is_null_device(path) {
            return Ok(());
        }
        self.check_parent(path)?;
        let old = match self.get(path) {
            Some(Entry::Directory) => return Err(FileError::IsDirectory),
            Some(Entry::File(old)) if !append => old.len(),
            Some(Entry::File(_)) | None => 0,
        };
        let bytes = self.bytes.saturating_sub(old) + text.len();
        if bytes > MAX_BYTES || self.entries.len() >= MAX_FILES {
            return Err(FileError::NoSpace);
        }
        self.bytes = bytes;
        match self.entries.get_mut(path) {
            Some(Entry::File(old)) if append => Rc::make_mut(old).push_str(text),
            Some(_) | None => {
                self.entries.insert(path.to_owned(), Entry::File(Rc::new(text.to_owned())));
            }
        }
        Ok(())
    }

    /// Makes a directory.
    ///
    /// # Errors
    ///
    /// [`FileError`] as the kernel would.
    pub fn make_directory(&mut self, path: &str) -> Result<(), FileError> {
        if self.get(path).is_some() {
            return Err(FileError::Exists);
        }
        self.check_parent(path)?;
        if self.entries.len() >= MAX_FILES {
            return Err(FileError::NoSpace);
        }
        self.entries.insert(path.to_owned(), Entry::Directory);
        Ok(())
    }

    /// Makes a directory and those above it.
    pub fn make_all(&mut self, path: &str) {
        let mut whole = String::new();
        for part in path.split('/').filter(|part| !part.is_empty()) {
            whole = format!("{whole}/{part}");
            self.entries.or_insert_with(whole.clone(), || Entry::Directory);
        }
    }

    /// Removes a file, or with `recursive` a whole directory.
    ///
    /// # Errors
    ///
    /// [`FileError`] as the kernel would.
    pub fn remove(&mut self, path: &str, recursive: bool) -> Result<(), FileError> {
        let entry = self.get(path).ok_or(FileError::NotFound)?;
        if *entry == Entry::Directory && !recursive {
            return Err(FileError::IsDirectory);
        }
        self.check_writable(path)?;
        let below = format!("{path}/");
        self.entries.retain(|name, _| name != path && !name.starts_with(&below));
        let texts = self.entries.values().map(|entry| match entry {
            Entry::File(text) => text.len(),
            Entry::Directory => 0,
        });
        self.bytes = texts.sum();
        Ok(())
    }

    /// The names in a directory.
    pub fn list(&self, directory: &str) -> Vec<&str> {
        let prefix = if directory == "/" { "/".to_owned() } else { format!("{directory}/") };
        let names = self.entries.keys().filter_map(|path| path.strip_prefix(&prefix));
        names.filter(|name| !name.contains('/')).collect()
    }

    fn check_writable(&self, path: &str) -> Result<(), FileError> {
        let inside = |top: &String| path == top || path.starts_with(&format!("{top}/"));
        if self.read_only.iter().any(inside) { Err(FileError::ReadOnly) } else { Ok(()) }
    }

    fn check_parent(&self, path: &str) -> Result<(), FileError> {
        self.check_writable(path)?;
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        match self.get(if parent.is_empty() { "/" } else { parent }) {
            Some(Entry::Directory) => Ok(()),
            Some(Entry::File(_)) => Err(FileError::NotDirectory),
            None => Err(FileError::NotFound),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_live_in_directories() {
        let mut files = Files::new([], &["/tmp"]);
        assert_eq!(files.write("/tmp/a", "1\n", false), Ok(()));
        assert_eq!(files.write("/tmp/a", "2\n", true), Ok(()));
        assert_eq!(files.read("/tmp/a").map(|text| text.to_string()), Ok("1\n2\n".to_owned()));
        assert_eq!(files.write("/none/a", "", false), Err(FileError::NotFound));
        assert_eq!(files.write("/tmp/a/b", "", false), Err(FileError::NotDirectory));
        assert_eq!(files.make_directory("/tmp"), Err(FileError::Exists));
        assert_eq!(files.list("/tmp"), ["a"]);
        assert_eq!(files.remove("/tmp", false), Err(FileError::IsDirectory));
        assert_eq!(files.remove("/tmp", true), Ok(()));
        assert_eq!(files.read("/tmp/a"), Err(FileError::NotFound));
    }

    #[test]
    fn the_disk_is_small() {
        let mut files = Files::new([], &["/tmp"]);
        let big = "x".repeat(MAX_BYTES);
        assert_eq!(files.write("/tmp/a", &big, false), Ok(()));
        assert_eq!(files.write("/tmp/b", "x", false), Err(FileError::NoSpace));
        assert_eq!(files.remove("/tmp/a", false), Ok(()));
        assert_eq!(files.write("/tmp/b", "x", false), Ok(()));
    }
}
