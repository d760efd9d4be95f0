//! The values of log drivers' options, each in the form that the table has for it.
//!
//! It must not know which driver an option is of.

use super::address::address;
use super::{syntax, template};
use crate::daemon_config::schema::log_drivers::{FACILITIES, Form, UrlTail};

/// What is wrong with the value of an option, and what to write.
pub(super) fn fault(form: Form, text: &str) -> Option<String> {
    let is_switch = matches!(
        text,
        "true" | "TRUE" | "True" | "t" | "T" | "1" | "false" | "FALSE" | "False" | "f" | "F" | "0"
    );
    let fault = match form {
        Form::Size if syntax::size(text).is_none() && !text.is_empty() => {
            format!("{text:?} is no size: no container would start; write one like \"64m\"")
        }
        Form::Size if syntax::size(text).is_some_and(|bytes| bytes < 1.0) => {
            format!("{text:?} is nothing; write more than 0")
        }
        _ if text.is_empty() => return None,
        Form::Switch if !is_switch => {
            format!("{text:?} is neither; write \"true\" or \"false\"")
        }
        Form::Number(least, most) => {
            let fits = text
                .parse()
                .is_ok_and(|number| (least..=most).contains(&number));
            let range = match most {
                10.. => format!("\"{least}\" or more"),
                _ => format!("\"{least}\" to \"{most}\""),
            };
            return (!fits).then(|| format!("{text:?} is no such number; write {range}"));
        }
        Form::Time if !is_time(text) => {
            format!("{text:?} is no span of time; write one like \"5s\"")
        }
        Form::Word(words) if !words.contains(&text) => {
            format!("{text:?} is not taken; write one of {}", words.join(", "))
        }
        Form::Facility if !FACILITIES.contains(&text) => {
            let is_number = text.parse().is_ok_and(|number| (0..24).contains(&number));
            return (!is_number).then(|| {
                format!(
                    "{text:?} is no facility; write one of {}",
                    FACILITIES.join(", ")
                )
            });
        }
        Form::Template => {
            let fault = template::fault(text)?;
            format!("{text:?} {fault}: no container would start")
        }
        Form::Url(schemes, rest) => {
            let fault = url_fault(schemes, rest, text)?;
            format!("{text:?} {fault}")
        }
        _ => return None,
    };
    Some(fault)
}

/// A span of time as Go reads it: `1h30m`, `100ms`.
fn is_time(text: &str) -> bool {
    let text = text.trim_start_matches(['+', '-']);
    let mut rest = text;
    if text == "0" {
        return true;
    }
    while !rest.is_empty() {
        let number = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let unit = ["ns", "us", "µs", "μs", "ms", "s", "m", "h"].into_iter();
        let mut units = unit.filter(|unit| number.starts_with(unit));
        match units.next() {
            Some(unit) if number.len() < rest.len() => rest = &number[unit.len()..],
            _ => return false,
        }
    }
    !text.is_empty()
}

fn url_fault(schemes: &[&str], rest: UrlTail, text: &str) -> Option<String> {
    let with_scheme = format!("{}://{text}", schemes.first()?);
    let text = match rest {
        UrlTail::NoPathOrScheme if !text.contains("://") => &with_scheme,
        _ => text,
    };
    let known = || {
        schemes
            .iter()
            .map(|it| format!("{it}://"))
            .collect::<Vec<_>>()
    };
    let Some(url) = address(text) else {
        return Some(format!(
            "is no address; write one with {}",
            known().join(" or ")
        ));
    };
    if !schemes.contains(&&*url.scheme.to_lowercase()) {
        return Some(format!(
            "has another scheme; write {}",
            known().join(" or ")
        ));
    }
    let is_socket = url.scheme.starts_with("unix");
    let lacks_port = url.port.parse::<u16>().is_err();
    let fault = match rest {
        _ if is_socket && url.rest.trim_matches('/').is_empty() => "names no socket",
        _ if is_socket => return None,
        _ if !url.port.is_empty() && lacks_port => "has no port that there can be",
        UrlTail::Port if lacks_port => "must name a port",
        UrlTail::NoPathOrScheme if !url.rest.is_empty() => "must not have a path",
        UrlTail::NoPath if !matches!(url.rest, "" | "/") => "must not have a path",
        _ => return None,
    };
    Some(fault.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_of_time_is_numbers_with_units() {
        for right in ["5s", "1h30m", "100ms", "1.5s", "-5s"] {
            assert!(is_time(right), "{right}");
        }
        for wrong in ["", "5", "s", "5 s", "5x", "-"] {
            assert!(!is_time(wrong), "{wrong}");
        }
    }

    #[test]
    fn empty_text_is_no_value_at_any_form() {
        for form in [Form::Switch, Form::Size, Form::Number(1, 9), Form::Time] {
            assert_eq!(fault(form, ""), None);
            assert!(fault(form, "x").is_some());
        }
    }
}
