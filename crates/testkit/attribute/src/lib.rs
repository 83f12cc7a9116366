//! `#[needs(...)]`: marks a test of a binary that `neargate_testkit::needs::run` runs.
//!
//! Invariant: the function stays as it is; only its registration is added.

use proc_macro::{Delimiter, TokenStream, TokenTree};

/// Registers a test, in place of `#[test]`. The arguments name what the test needs of the machine: `#[needs(containers, python)]`.
///
/// The names are those of the `Need`s that the binary's `main` lists; `#[needs()]` runs everywhere.
#[proc_macro_attribute]
pub fn needs(arguments: TokenStream, function: TokenStream) -> TokenStream {
    let names: String = arguments
        .into_iter()
        .filter_map(|token| matches!(token, TokenTree::Ident(_)).then(|| format!("\"{token}\",")))
        .collect();
    let Some(name) = name_of(&function) else {
        return "compile_error!(\"`needs` marks a function without arguments\");".parse().unwrap_or_default();
    };
    let registration = format!(
        "::neargate_testkit::needs::inventory::submit! {{ ::neargate_testkit::needs::Case {{ \
         path: concat!(module_path!(), \"::{name}\"), needs: &[{names}], run: {name} }} }}"
    );
    let mut tokens = function;
    tokens.extend(registration.parse::<TokenStream>().unwrap_or_default());
    tokens
}

/// The identifier after `fn`, where an empty list of arguments follows.
fn name_of(function: &TokenStream) -> Option<String> {
    let mut tokens = function.clone().into_iter().skip_while(|token| token.to_string() != "fn").skip(1);
    let name = tokens.next()?.to_string();
    match tokens.next()? {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis && group.stream().is_empty() => {
            Some(name)
        }
        _ => None,
    }
}
