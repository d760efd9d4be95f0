//! The examples in README and manual: what stands between fences.

use std::path::{Path, PathBuf};

/// One example.
pub(super) struct Fence {
    /// Where it stands, for whoever reads why it failed.
    pub place: String,
    pub language: String,
    pub text: String,
}

/// Every example of README and of the pages under `packaging`, in their order.
pub(super) fn all() -> Vec<Fence> {
    pages().iter().flat_map(|page| of(page)).collect()
}

/// README and the pages under `packaging`.
pub(super) fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = vec![root.join("README.md")];
    let mut folders = vec![root.join("packaging")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    pages[1..].sort();
    pages
}

fn of(page: &Path) -> Vec<Fence> {
    let text = std::fs::read_to_string(page).unwrap();
    let mut fences: Vec<Fence> = Vec::new();
    let mut is_within = false;
    for (number, line) in (1..).zip(text.lines()) {
        match line.strip_prefix("```") {
            Some(_) if is_within => is_within = false,
            Some(language) => {
                is_within = true;
                fences.push(Fence {
                    place: format!("{}:{number}", page.display()),
                    language: language.to_owned(),
                    text: String::new(),
                });
            }
            None if is_within => {
                let fence = fences.last_mut().unwrap();
                fence.text += line;
                fence.text.push('\n');
            }
            None => {}
        }
    }
    fences
}

/// The commands of an example for the shell, without comments.
pub(super) fn commands(text: &str) -> Vec<Vec<&str>> {
    let code = |line| str::split(line, '#').next().unwrap_or_default();
    let words = text.lines().map(code).map(|it| it.split_whitespace());
    let commands = words.map(Iterator::collect::<Vec<_>>);
    commands.filter(|words| !words.is_empty()).collect()
}
