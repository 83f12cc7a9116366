//! Tests that end before they have asserted anything: they are green where they should say what they need.

use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{Item, ItemFn};

use super::files::rust_files;

/// A finding for each test that may end before it has asserted anything.
pub(super) fn check_skips(root: &Path) -> Vec<String> {
    let mut findings = vec![];
    for file in rust_files(root) {
        let Some(parsed) = std::fs::read_to_string(&file).ok().and_then(|text| syn::parse_file(&text).ok()) else {
            continue;
        };
        let shown = file.strip_prefix(root).unwrap_or(&file).display().to_string();
        findings.extend(skips(&parsed.items).into_iter().map(|(line, name)| {
            format!("{shown}:{line}: the test `{name}` may end before it asserts anything: say what it needs with `#[needs(...)]`")
        }));
    }
    findings
}

/// The tests, with their lines, that may end in silence.
fn skips(items: &[Item]) -> Vec<(usize, String)> {
    let mut found = vec![];
    for item in items {
        match item {
            Item::Mod(module) => found.extend(module.content.iter().flat_map(|(_, items)| skips(items))),
            Item::Fn(function) if is_test(function) => {
                let line = first(function.block.to_token_stream()).filter(|(word, _)| word == "return");
                found.extend(line.map(|(_, line)| (line, function.sig.ident.to_string())));
            }
            _ => {}
        }
    }
    found
}

fn is_test(function: &ItemFn) -> bool {
    function
        .attrs
        .iter()
        .any(|it| it.path().segments.last().is_some_and(|it| it.ident == "test" || it.ident == "needs"))
}

/// The first word that ends a test or can fail it, and its line. What a closure returns ends no test.
fn first(tokens: TokenStream) -> Option<(String, usize)> {
    let mut after_bar = false;
    for token in tokens {
        match token {
            TokenTree::Ident(name) => {
                let name_text = name.to_string();
                let fails = ["assert", "panic", "unreachable", "expect", "unwrap", "check"];
                if name_text == "return" || fails.iter().any(|start| name_text.starts_with(start)) {
                    return Some((name_text, name.span().start().line));
                }
            }
            TokenTree::Group(group) => {
                if let Some(found) = first(group.stream()).filter(|(word, _)| !after_bar || word != "return") {
                    return Some(found);
                }
            }
            TokenTree::Punct(punct) => {
                after_bar = punct.as_char() == '|';
                continue;
            }
            TokenTree::Literal(_) => {}
        }
        after_bar = false;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::skips;

    fn found(body: &str) -> usize {
        let text = format!("mod a {{ #[test] fn it() {{ {body} }} }} fn other() {{ return; }}");
        skips(&syn::parse_file(&text).expect("it is Rust").items).len()
    }

    #[test]
    fn a_test_that_may_end_in_silence_is_found() {
        for body in [
            "if !there() { return; } assert!(true);",
            "let Some(it) = tool() else { return }; assert_eq!(it, 1);",
            "match tool() { None => { eprintln!(\"skipped\"); return } Some(it) => it.check() }",
        ] {
            assert_eq!(found(body), 1, "{body}");
        }
        for body in [
            "assert!(x()); if y() { return; } assert!(z());",
            "let f = |x| { return x + 1 }; assert_eq!(f(1), 2);",
            "let it = tool().expect(\"there\"); if it { return }",
            "other();",
        ] {
            assert_eq!(found(body), 0, "{body}");
        }
    }
}
