//! Rust names of AWS names.
//!
//! Invariant: pure; a name never depends on the names around it.

const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "box", "break", "const", "continue", "do", "dyn", "else", "enum", "extern",
    "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod", "move", "mut",
    "override", "priv", "pub", "ref", "return", "static", "struct", "trait", "true", "try", "type", "typeof", "unsafe",
    "unsized", "use", "virtual", "where", "while", "yield",
];

/// `taskDefinitionArn` → `task_definition_arn`, `VPCId` → `vpc_id`, `IPv6Addresses` → `ipv6_addresses`, `type` → `r#type`.
pub(super) fn field(name: &str) -> String {
    let snake = snake(name);
    if KEYWORDS.contains(&snake.as_str()) { format!("r#{snake}") } else { snake }
}

/// `RunTask` → `RUN_TASK`.
pub(super) fn constant(name: &str) -> String {
    snake(name).to_uppercase()
}

/// `tagKey` → `TagKey`.
pub(super) fn type_name(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn snake(name: &str) -> String {
    let name = name.replace("IPv", "Ipv");
    let letters: Vec<char> = name.chars().collect();
    let at = |index: usize| letters.get(index).copied().unwrap_or('_');
    let mut snake = String::new();
    for (index, letter) in letters.iter().enumerate() {
        let (before, after) = (if index == 0 { '_' } else { at(index - 1) }, at(index + 1));
        let plural = after == 's' && !at(index + 2).is_lowercase();
        let begins = before.is_lowercase()
            || before.is_ascii_digit()
            || (before.is_uppercase() && after.is_lowercase() && !plural);
        if letter.is_uppercase() && before != '_' && begins {
            snake.push('_');
        }
        if letter.is_alphanumeric() {
            snake.extend(letter.to_lowercase());
        } else if !snake.ends_with('_') {
            snake.push('_');
        }
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::field;

    #[test]
    fn acronyms_plurals_and_digits_stay_whole() {
        for (name, expected) in [
            ("taskDefinitionArn", "task_definition_arn"),
            ("VPCId", "vpc_id"),
            ("IPv6Addresses", "ipv6_addresses"),
            ("PolicyARNs", "policy_arns"),
            ("S3Bucket", "s3_bucket"),
            ("type", "r#type"),
            ("ARN", "arn"),
        ] {
            assert_eq!(field(name), expected);
        }
    }
}
