//! The files that a decoder's inputs begin with.

use std::path::{Path, PathBuf};

/// A file of a corpus.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its path below the checkout.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// All files of folders, relative to the checkout, by name.
///
/// # Panics
/// If one of the folders cannot be read or is empty: a corpus that is gone must not look like one that passes.
pub(crate) fn read(folders: &[&str]) -> Vec<Entry> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut entries = Vec::new();
    for folder in folders {
        let mut files = files(&root.join(folder));
        files.sort();
        assert!(!files.is_empty(), "{folder}: there is no file");
        entries.extend(files.into_iter().map(|file| Entry {
            name: format!(
                "{folder}/{}",
                file.file_name().unwrap_or_default().to_string_lossy()
            ),
            bytes: std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display())),
        }));
    }
    entries
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| {
        entry
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .path()
    });
    paths.filter(|path| path.is_file()).collect()
}
