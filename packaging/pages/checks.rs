//! dockstrap-checks(7), made from the table of checks.

use dockstrap::reference::AREAS;
use roff::{bold, roman};

use super::page::Page;

pub fn page(date: &str) -> Page {
    let mut page = Page::new(
        "dockstrap-checks",
        '7',
        date,
        "what dockstrap doctor looks at",
    );
    page.section("DESCRIPTION");
    page.paragraph(
        "The checks of dockstrap-doctor(1), by their ids, which are stable. Each is named by what is \
         the case on a sound host; then what may go wrong where it is not, and what helps.",
    );
    page.section("CHECKS");
    for (area, checks) in AREAS {
        page.subsection(&format!("{}{}", area[..1].to_uppercase(), &area[1..]));
        for check in *checks {
            let fix = if check.is_mended() {
                ", fixed by --fix"
            } else {
                ""
            };
            let what = format!("{}{fix}. Otherwise: {}", check.severity, check.danger);
            let cure = format!("Fix: {}", check.cure);
            let name = [bold(check.id), roman(format!(" {}", check.title))];
            page.item(name, &[&what, &cure, check.link]);
        }
    }
    page.see_also(&[("dockstrap", '1'), ("dockstrap-doctor", '1')]);
    page
}
