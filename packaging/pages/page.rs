//! A manual page, section by section, in the terms of man(7).

use roff::{Inline, Roff, bold, roman};

/// A page with what it has so far.
pub struct Page {
    name: String,
    section: char,
    text: String,
}

impl Page {
    /// A page with its title and NAME, dated with this day.
    pub fn new(name: &str, section: char, date: &str, about: &str) -> Page {
        let source = concat!("dockstrap ", env!("CARGO_PKG_VERSION"));
        let title = [name, &section.to_string(), date, source, "dockstrap manual"];
        let mut page = Page {
            name: name.to_owned(),
            section,
            text: Roff::new().render(),
        };
        page.add(Roff::new().control("TH", title));
        page.section("NAME");
        page.add(Roff::new().text([roman(format!("{name} - {about}"))]));
        page
    }

    pub fn file_name(&self) -> String {
        format!("{}.{}", self.name, self.section)
    }

    /// The page as man reads it.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn section(&mut self, title: &str) {
        self.add(Roff::new().control("SH", [title]));
    }

    pub fn subsection(&mut self, title: &str) {
        self.add(Roff::new().control("SS", [title]));
    }

    pub fn paragraph(&mut self, text: &str) {
        self.add(Roff::new().control("PP", []).text([roman(text)]));
    }

    /// A thing, and what is said of it below, a paragraph each.
    pub fn item(&mut self, thing: impl Into<Vec<Inline>>, texts: &[&str]) {
        let mut item = Roff::new();
        item.control("TP", []).text(thing);
        for (index, text) in texts.iter().enumerate() {
            if index > 0 {
                item.control("IP", []);
            }
            item.text([roman(*text)]);
        }
        self.add(&item);
    }

    /// Things and what is said of them, under the item before them; one without a name goes on with
    /// the one before it.
    pub fn details(&mut self, details: &[(&str, String)]) {
        let mut list = Roff::new();
        list.control("RS", [])
            .control("PP", [])
            .control("PD", ["0"]);
        for (thing, text) in details {
            // Wide enough for the names, which stand beside what is said of them.
            list.control("IP", [*thing, "15"]).text([roman(text)]);
        }
        self.add(list.control("PD", []).control("RE", []));
    }

    /// Lines as they are, under the item before them.
    pub fn example(&mut self, lines: &str) {
        self.add(Roff::new().control("IP", []));
        self.lines(lines);
    }

    /// Lines as they are.
    pub fn lines(&mut self, lines: &str) {
        let mut example = Roff::new();
        example.control("EX", []);
        for line in lines.lines() {
            example.text([roman(line)]);
        }
        self.add(example.control("EE", []));
    }

    /// Other pages, by name and section.
    pub fn see_also(&mut self, pages: &[(&str, char)]) {
        self.section("SEE ALSO");
        let mut line = Vec::new();
        for (name, section) in pages {
            if !line.is_empty() {
                line.push(roman(", "));
            }
            line.extend([bold(*name), roman(format!("({section})"))]);
        }
        self.add(Roff::new().text(line));
    }

    /// A part that was rendered elsewhere.
    pub fn append(&mut self, rendered: &str) {
        // What every document begins with is there once already.
        let preamble = Roff::new().render();
        self.text += rendered.strip_prefix(&preamble).unwrap_or(rendered);
    }

    fn add(&mut self, part: &Roff) {
        self.append(&part.render());
    }
}
