//! The modules of the library as their files have them, without tests, and what each names of others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use syn::visit::{self, Visit};
use syn::{Attribute, File, Item, ItemMod, ItemUse, Macro, UseTree, Visibility};

use crate::ROOT;

/// A path of names from the root of the crate.
pub(crate) type Names = Vec<String>;

/// A name that `use` brings into a module.
struct Import {
    path: Names,
    /// Whether it only passes the name on.
    is_reexport: bool,
}

/// A module with a file of its own.
#[derive(Default)]
pub(crate) struct Module {
    /// From the root of the repository.
    pub file: String,
    /// In their order.
    pub children: Vec<String>,
    imports: BTreeMap<String, Import>,
    /// The paths in its code, as they are written.
    paths: Vec<Names>,
}

/// All modules of the library by their paths.
pub(crate) struct Library(pub BTreeMap<Names, Module>);

/// The library as it is, read once.
pub(crate) fn library() -> &'static Library {
    static LIBRARY: LazyLock<Library> = LazyLock::new(Library::read);
    &LIBRARY
}

impl Library {
    fn read() -> Library {
        let mut library = Library(BTreeMap::new());
        library.add(Vec::new(), &Path::new(ROOT).join("src/lib.rs"));
        library
    }

    fn add(&mut self, name: Names, file: &Path) {
        let text = std::fs::read_to_string(file).unwrap();
        let parsed: File = syn::parse_file(&text).unwrap();
        let mut reader = Reader {
            name: name.clone(),
            module: Module {
                file: file.strip_prefix(ROOT).unwrap().display().to_string(),
                ..Module::default()
            },
        };
        reader.visit_file(&parsed);
        for child in reader.module.children.clone() {
            let path = file_of(file, &child);
            self.add([name.clone(), vec![child]].concat(), &path);
        }
        self.0.insert(name, reader.module);
    }

    /// Every path that the module names, from the root of the crate, as it is written there.
    pub(crate) fn named_by(&self, name: &Names) -> BTreeSet<Names> {
        let module = &self.0[name];
        let used: BTreeSet<&String> = module.paths.iter().map(|path| &path[0]).collect();
        let imported = module.imports.iter().filter_map(|(local, import)| {
            let is_needed = !import.is_reexport || used.contains(local);
            is_needed.then(|| import.path.clone())
        });
        let written = module.paths.iter();
        let written = written.filter_map(|path| self.resolved(name, path));
        imported.chain(written).collect()
    }

    /// Every path that the module passes on or names.
    pub(crate) fn reached_by(&self, name: &Names) -> BTreeSet<Names> {
        let passed_on = self.0[name].imports.values();
        let passed_on = passed_on.map(|import| import.path.clone());
        passed_on.chain(self.named_by(name)).collect()
    }

    fn resolved(&self, name: &Names, path: &Names) -> Option<Names> {
        let module = &self.0[name];
        if let Some(path) = absolute(name, path) {
            return Some(path);
        }
        if let Some(import) = module.imports.get(&path[0]) {
            return Some([&import.path[..], &path[1..]].concat());
        }
        let is_child = path.len() > 1 && module.children.contains(&path[0]);
        is_child.then(|| [&name[..], path].concat())
    }

    /// The module in which the item at this path is; nothing for a path that ends at a module.
    pub(crate) fn home_of(&self, path: &Names) -> Option<Names> {
        let mut home = Names::new();
        for (index, segment) in path.iter().enumerate() {
            let module = &self.0[&home];
            if module.children.contains(segment) {
                home.push(segment.clone());
            } else if let Some(import) = module.imports.get(segment) {
                let further = [&import.path[..], &path[index + 1..]].concat();
                return self.home_of(&further);
            } else {
                return Some(home);
            }
        }
        None
    }
}

/// The file of a child module that the file declares.
fn file_of(parent: &Path, child: &str) -> PathBuf {
    let stem = parent.file_stem().unwrap();
    let folder = match stem.to_str() {
        Some("lib" | "mod") => parent.parent().unwrap().to_owned(),
        _ => parent.with_extension(""),
    };
    let file = folder.join(child).with_extension("rs");
    if file.exists() {
        file
    } else {
        folder.join(child).join("mod.rs")
    }
}

/// A path that begins with `crate`, `self` or `super`, from the root of the crate.
fn absolute(name: &Names, path: &[String]) -> Option<Names> {
    let mut base = match path[0].as_str() {
        "crate" => Names::new(),
        "self" => name.clone(),
        "super" => name[..name.len() - 1].to_vec(),
        _ => return None,
    };
    let mut rest = &path[1..];
    while rest.first().is_some_and(|segment| segment == "super") {
        base.pop();
        rest = &rest[1..];
    }
    base.extend_from_slice(rest);
    Some(base)
}

/// Whether it is there in tests only.
fn is_of_tests(attributes: &[Attribute]) -> bool {
    let is_test = |attribute: &Attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Path>()
                .is_ok_and(|path| path.is_ident("test"))
    };
    attributes.iter().any(is_test)
}

/// Reads one file.
struct Reader {
    name: Names,
    module: Module,
}

impl Reader {
    fn import(&mut self, tree: &UseTree, above: Names, is_reexport: bool) {
        match tree {
            UseTree::Path(path) => {
                let path_so_far = [above, vec![path.ident.to_string()]].concat();
                self.import(&path.tree, path_so_far, is_reexport);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, above.clone(), is_reexport);
                }
            }
            UseTree::Name(name) if name.ident == "self" => {
                let local = above.last().unwrap().clone();
                self.add_import(local, above, is_reexport);
            }
            UseTree::Name(name) => {
                let local = name.ident.to_string();
                let path = [above, vec![local.clone()]].concat();
                self.add_import(local, path, is_reexport);
            }
            UseTree::Rename(rename) => {
                let mut path = above;
                if rename.ident != "self" {
                    path.push(rename.ident.to_string());
                }
                self.add_import(rename.rename.to_string(), path, is_reexport);
            }
            UseTree::Glob(_) => panic!("{}: a wildcard import", self.module.file),
        }
    }

    fn add_import(&mut self, local: String, path: Names, is_reexport: bool) {
        let path = match absolute(&self.name, &path) {
            Some(path) => path,
            None if self.module.children.contains(&path[0]) => [self.name.clone(), path].concat(),
            // Another crate, or a name that is imported itself.
            None => match self.module.imports.get(&path[0]) {
                Some(import) => [&import.path[..], &path[1..]].concat(),
                None => return,
            },
        };
        let import = Import { path, is_reexport };
        self.module.imports.insert(local, import);
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_file(&mut self, file: &'ast File) {
        // Children and imports first: paths are read by them.
        for item in &file.items {
            if let Item::Mod(module) = item
                && module.content.is_none()
                && !is_of_tests(&module.attrs)
            {
                self.module.children.push(module.ident.to_string());
            }
        }
        visit::visit_file(self, file);
    }

    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Const(item) => &item.attrs,
            Item::Enum(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Macro(item) => &item.attrs,
            Item::Mod(item) => &item.attrs,
            Item::Static(item) => &item.attrs,
            Item::Struct(item) => &item.attrs,
            Item::Trait(item) => &item.attrs,
            Item::Type(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            _ => return visit::visit_item(self, item),
        };
        if !is_of_tests(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        let is_inline = module.content.is_some();
        assert!(
            !is_inline,
            "{}: `mod {}` has no file of its own",
            self.module.file, module.ident
        );
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if !is_of_tests(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let is_reexport = !matches!(item.vis, Visibility::Inherited);
        self.import(&item.tree, Vec::new(), is_reexport);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments = path.segments.iter();
        let names = segments.map(|segment| segment.ident.to_string());
        self.module.paths.push(names.collect());
        visit::visit_path(self, path);
    }

    /// What stands in a macro is no syntax yet: words with `::` between them are paths.
    fn visit_macro(&mut self, item: &'ast Macro) {
        let text = item.tokens.to_string().replace(" :: ", "::");
        let words = text.split(|it: char| !it.is_ascii_alphanumeric() && !"_:".contains(it));
        let paths = words
            .map(|word| word.trim_matches(':'))
            .filter(|word| !word.is_empty());
        let names = |path: &str| path.split("::").map(str::to_owned).collect();
        self.module.paths.extend(paths.map(names));
        visit::visit_macro(self, item);
    }
}

/// What is there for tests only is in folders and files of these names, or declared so.
#[test]
fn the_whole_library_is_read() {
    let modules = library().0.values();
    let read: BTreeSet<&String> = modules.map(|module| &module.file).collect();
    let unread = crate::rust_files(&["src"]).into_iter().filter_map(|path| {
        let name = path.strip_prefix(ROOT).unwrap().display().to_string();
        (!read.contains(&name)).then_some(name)
    });
    let of_tests = ["/tests/", "/tests.rs", "src/main.rs"];
    let unread: Vec<String> = unread
        .filter(|name| !of_tests.iter().any(|part| name.contains(part)))
        .collect();
    let helpers = [
        "src/change/trial.rs",
        "src/daemon_config/check/verdicts.rs",
        "src/daemon_config/samples.rs",
        "src/host/stub.rs",
        "src/trust/fixture.rs",
        "src/ui/stream/manual.rs",
    ];
    assert_eq!(unread, helpers);
}
