//! The names of regions.
//!
//! Invariant: an unknown name of the right form is never an error, for AWS makes new regions.

use neargate_base::{Diagnostic, REGIONS};

use super::codes;

/// What is wrong with a region's name, or probably is.
pub(super) fn problem(name: &str) -> Option<Diagnostic> {
    if REGIONS.contains(&name) {
        return None;
    }
    let lower = name.to_ascii_lowercase();
    let nearest = REGIONS.iter().min_by_key(|region| distance(&lower, region)).copied().unwrap_or_default();
    if is_region(name) {
        let message = format!("`{name}` is no region that is known here");
        let hint = format!("did you mean `{nearest}`? A region that is newer is taken as it is");
        return Some(Diagnostic::warning(codes::BAD_STACK, message).hint(hint));
    }
    let zone_of = name.strip_suffix(|letter: char| letter.is_ascii_lowercase()).filter(|region| is_region(region));
    let hint = match zone_of {
        Some(region) => format!("that is an availability zone; its region is `{region}`"),
        None if distance(&lower, nearest) <= 3 => format!("did you mean `{nearest}`?"),
        None => "write it as `eu-west-1`".to_owned(),
    };
    Some(Diagnostic::error(codes::BAD_STACK, format!("`{name}` is no region")).hint(hint))
}

/// Whether a name has the form of a region's: `eu-west-1`, `us-gov-east-1`.
pub(crate) fn is_region(name: &str) -> bool {
    let parts: Vec<&str> = name.split('-').collect();
    let is_word = |part: &&str| part.len() >= 2 && part.chars().all(|c| c.is_ascii_lowercase());
    match parts.as_slice() {
        [words @ .., number] => {
            words.len() >= 2
                && words.iter().all(is_word)
                && !number.is_empty()
                && number.chars().all(|c| c.is_ascii_digit())
        }
        [] => false,
    }
}

/// How many letters must be put in, taken out or replaced.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (at, letter) in left.chars().enumerate() {
        let mut next = vec![at + 1];
        for ((above, diagonal), other) in row.iter().skip(1).zip(&row).zip(&right) {
            let left_of = next.last().copied().unwrap_or_default();
            next.push((above + 1).min(left_of + 1).min(diagonal + usize::from(letter != *other)));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use neargate_base::REGIONS;

    use super::{distance, is_region, problem};

    #[test]
    fn every_region_that_is_known_has_the_form() {
        for region in REGIONS {
            assert!(is_region(region), "{region}");
            assert_eq!(problem(region), None);
        }
        for name in ["", "eu", "eu-west", "west-1", "EU-WEST-1", "eu-west-1a", "eu--1", "Ireland"] {
            assert!(!is_region(name), "{name}");
        }
    }

    #[test]
    fn distances_count_letters() {
        assert_eq!(
            [("", "abc"), ("kitten", "sitting"), ("eu-wst-1", "eu-west-1")].map(|(a, b)| distance(a, b)),
            [3, 3, 1]
        );
    }
}
