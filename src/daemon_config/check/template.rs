//! Templates of tags for log lines, as the engine reads them when a container starts.
//!
//! Owns as much of Go's template language as tells a slip from a template. Sources: `text/template` of
//! Go, `ParseLogTag` of dockerd. It must not fill one in.

/// What a template can name of a container.
const FIELDS: &[&str] = &[
    "Command",
    "Config",
    "ContainerArgs",
    "ContainerCreated",
    "ContainerEntrypoint",
    "ContainerEnv",
    "ContainerID",
    "ContainerImageID",
    "ContainerImageName",
    "ContainerLabels",
    "ContainerName",
    "DaemonName",
    "ExtraAttributes",
    "FullID",
    "Hostname",
    "ID",
    "ImageFullID",
    "ImageID",
    "ImageName",
    "LogPath",
    "Name",
];

/// The functions of Go, and those that Docker adds.
#[rustfmt::skip]
const FUNCTIONS: &[&str] = &[
    "and", "call", "eq", "ge", "gt", "html", "index", "join", "js", "json", "le", "len", "lower",
    "lt", "ne", "not", "or", "pad", "print", "printf", "println", "slice", "split", "title",
    "truncate", "upper", "urlquery",
];

/// Words that make blocks, in some of which a dot is something else.
#[rustfmt::skip]
const KEYWORDS: &[&str] = &[
    "block", "break", "continue", "define", "else", "end", "false", "if", "nil", "range",
    "template", "true", "with",
];

/// What is wrong with a template, if anything is known to be.
pub(super) fn fault(text: &str) -> Option<String> {
    let mut rest = text;
    let mut actions = Vec::new();
    while let Some((_, after)) = rest.split_once("{{") {
        let Some(length) = length_of_action(after) else {
            return Some("has {{ without }}".to_owned());
        };
        actions.push(trimmed(&after[..length]));
        rest = &after[length + "}}".len()..];
    }
    let has_blocks = actions
        .iter()
        .any(|action| KEYWORDS.contains(&word(action)));
    let mut commands = actions.iter().filter(|action| !is_comment(action));
    commands.find_map(|action| fault_of_action(action, has_blocks))
}

/// How long the text before `}}` is; what stands in quotes is none.
fn length_of_action(text: &str) -> Option<usize> {
    if text.trim_start_matches("- ").starts_with("/*") {
        let end = text.find("*/")?;
        return Some(end + text[end..].find("}}")?);
    }
    let mut quote = None;
    let mut is_escaped = false;
    for (index, letter) in text.char_indices() {
        match quote {
            Some(_) if is_escaped => is_escaped = false,
            Some(open) if letter == open => quote = None,
            Some(open) => is_escaped = letter == '\\' && open != '`',
            None if text[index..].starts_with("}}") => return Some(index),
            None if matches!(letter, '"' | '\'' | '`') => quote = Some(letter),
            None => {}
        }
    }
    None
}

/// An action without the marks that trim the text around it.
fn trimmed(action: &str) -> &str {
    let action = action.strip_prefix("- ").unwrap_or(action);
    action.strip_suffix(" -").unwrap_or(action).trim()
}

fn is_comment(action: &str) -> bool {
    action.starts_with("/*")
}

fn fault_of_action(action: &str, has_blocks: bool) -> Option<String> {
    if action.is_empty() {
        return Some("has nothing between {{ and }}".to_owned());
    }
    if let Some(field) = action.strip_prefix('.').map(word)
        && !has_blocks
        && !field.is_empty()
        && !FIELDS.contains(&field)
    {
        return Some(format!(
            "names .{field}, which there is not{}",
            suggestion(field)
        ));
    }
    let name = word(action);
    let is_known = FUNCTIONS.contains(&name) || KEYWORDS.contains(&name);
    let begins_word = name.starts_with(|first: char| first.is_ascii_alphabetic());
    (begins_word && !is_known).then(|| {
        format!(
            "names the function {name}, which there is not{}",
            suggestion(name)
        )
    })
}

/// The letters, digits and underscores that a text begins with.
fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    &text[..end.unwrap_or(text.len())]
}

fn suggestion(name: &str) -> String {
    let mut fields = FIELDS.iter();
    let field = fields.find(|field| field.eq_ignore_ascii_case(name));
    field.map_or(String::new(), |field| format!("; write {{{{.{field}}}}}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::proptest;

    #[test]
    fn a_template_is_read_as_the_engine_reads_it() {
        for right in [
            "plain",
            "{{.Name}}",
            "{{ .ImageName }}/{{- .ID -}}",
            "{{.ImageName | lower}}",
            "{{ index .ContainerLabels \"a}}b\" }}",
            "{{/* why */}}{{.FullID}}",
            "{{if .Name}}{{.Name}}{{else}}x{{end}}",
            "{{with .Config}}{{.anything}}{{end}}",
            "{{ (.ExtraAttributes nil).a }}",
            "{{\"literal\"}}",
            "}} {.Name}",
        ] {
            assert_eq!(fault(right), None, "{right}");
        }
        for (wrong, message) in [
            ("{{.Name}", "has {{ without }}"),
            ("{{", "has {{ without }}"),
            ("{{\"a}}", "has {{ without }}"),
            ("a {{ }}", "has nothing between"),
            (
                "{{Name}}",
                "names the function Name, which there is not; write {{.Name}}",
            ),
            (
                "{{.name}}",
                "names .name, which there is not; write {{.Name}}",
            ),
            ("{{.Colour}}", "names .Colour, which there is not"),
        ] {
            let found = fault(wrong).unwrap_or_default();
            assert!(found.starts_with(message), "{wrong}: {found}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in r#"[{}.\-"'`/*| a-zé]{0,24}"#) {
            let _ = fault(&text);
        }
    }
}
