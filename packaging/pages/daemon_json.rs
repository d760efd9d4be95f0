//! dockstrap-daemon.json(5), made from the table of keys.

use dockstrap::reference::daemon_config::explain::{facts, summary};
use dockstrap::reference::daemon_config::{PATH, by_name};
use roff::bold;

use super::page::Page;

pub fn page(date: &str) -> Page {
    let about = "what dockstrap knows of the keys of daemon.json";
    let mut page = Page::new("dockstrap-daemon.json", '5', date, about);
    page.section("SYNOPSIS");
    page.lines(&format!("{PATH}\n[daemon] in dockstrap-config(5)"));
    page.section("DESCRIPTION");
    page.paragraph(
        "The keys that the engine takes, as dockstrap checks and merges them. Of each: its type, the \
         first engine that takes it (1.12 stands for that or an earlier one), what makes a running \
         engine take up a changed value, how a wanted value joins the one that is there, and whether \
         the running engine is asked after a change whether it has it.",
    );
    page.paragraph(
        "With reload*, a key that is taken out of the file goes back to its default by a reload; of \
         any other key, the value stays until a restart.",
    );
    let (known, others) = by_name();
    page.section("KEYS");
    for key in known {
        page.item([bold(key.name)], &[&summary(key)]);
        page.details(&facts(key));
    }
    page.section("KEYS THAT ARE NONE");
    for key in others {
        page.item([bold(key.name)], &[&summary(key)]);
    }
    page.see_also(&[
        ("dockstrap", '1'),
        ("dockstrap-explain", '1'),
        ("dockstrap-config", '5'),
    ]);
    page
}
