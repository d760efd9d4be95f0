//! dockstrap-config(5), made from the table of settings.

use dockstrap::reference::settings::{self, Setting, ValueType};
use roff::{bold, italic, roman};

use super::page::Page;

pub fn page(date: &str) -> Page {
    let mut page = Page::new("dockstrap-config", '5', date, "settings of dockstrap");
    page.section("SYNOPSIS");
    page.lines(settings::PATH);
    page.section("DESCRIPTION");
    page.paragraph(
        "A file in TOML. Each setting is also a variable, which overrides the file, and a flag, \
         which overrides both. A file that is not there is the same as an empty one, but for one \
         that --config names. Unknown keys are refused, with the one that was probably meant.",
    );
    page.paragraph(
        "See what is in force, and where it came from, with dockstrap-settings-show(1), and what is \
         wrong with a file with dockstrap-settings-check(1).",
    );
    page.section("SETTINGS");
    for Setting {
        key,
        flag,
        variable,
        about,
        kind,
    } in settings::table()
    {
        let mut texts = vec![sentence(&about)];
        if let Some((flag, variable)) = flag.zip(variable) {
            texts.push(format!("Flag {flag}, variable {variable}."));
        }
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        page.item([bold(key), roman(" "), italic(words(&kind))], &texts);
        page.example(&settings::example(key));
    }
    page.see_also(&[
        ("dockstrap", '1'),
        ("dockstrap-settings", '1'),
        ("dockstrap-daemon.json", '5'),
    ]);
    page
}

/// A type, as it follows on a name.
fn words(kind: &ValueType) -> String {
    match kind {
        ValueType::Switch => "true or false".to_owned(),
        ValueType::Text => "text".to_owned(),
        ValueType::Number { least } => format!("a whole number from {least}"),
        ValueType::Choice(words) => format!("one of {}", words.join(", ")),
        ValueType::List(kind) => format!("a list, of each {}", self::words(kind)),
        ValueType::Daemon => "a table".to_owned(),
        ValueType::Registries => "tables".to_owned(),
    }
}

fn sentence(text: &str) -> String {
    if text.ends_with(['.', ']']) {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}
