//! Random passwords, for `GetRandomPassword` and for `GenerateSecretString` of a template.
//!
//! Invariant: a draw from an alphabet gives each of its characters alike: no remainder of a division favours the first ones.

use neargate_kernel::{Cx, Fault};
use zeroize::Zeroizing;

use crate::api::GetRandomPasswordInput;
use crate::errors::SecretError;

const LENGTH: usize = 32;
const TYPES: [&str; 5] = [
    "abcdefghijklmnopqrstuvwxyz",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "0123456789",
    "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
    " ",
];

/// A password as the input describes it.
pub(crate) fn make(cx: &mut Cx<'_>, input: &GetRandomPasswordInput) -> Result<Zeroizing<String>, Fault> {
    let is = |flag: Option<bool>| flag == Some(true);
    let left_out = [
        is(input.exclude_lowercase),
        is(input.exclude_uppercase),
        is(input.exclude_numbers),
        is(input.exclude_punctuation),
        !is(input.include_space),
    ];
    let excluded = input.exclude_characters.as_deref().unwrap_or_default();
    let alphabet = |letters: &str| letters.chars().filter(|letter| !excluded.contains(*letter)).collect::<Vec<_>>();
    let types = TYPES.iter().zip(left_out).filter(|(_, left_out)| !left_out).map(|(letters, _)| alphabet(letters));
    let types: Vec<_> = types.filter(|letters| !letters.is_empty()).collect();
    let all: Vec<char> = types.iter().flatten().copied().collect();
    if all.is_empty() {
        return Err(SecretError::PasswordAlphabet.into());
    }
    let length = input.password_length.map_or(LENGTH, |length| usize::try_from(length).unwrap_or(LENGTH));
    let required = if input.require_each_included_type == Some(false) { &[][..] } else { types.as_slice() };
    if required.len() > length {
        return Err(SecretError::PasswordLength.into());
    }
    // One of each type, the rest of all, then every order alike.
    let mut password = Zeroizing::new(Vec::with_capacity(length));
    for letters in required {
        password.push(pick(cx, letters)?);
    }
    while password.len() < length {
        password.push(pick(cx, &all)?);
    }
    for at in (1..password.len()).rev() {
        let other = below(cx, at + 1)?;
        password.swap(at, other);
    }
    Ok(Zeroizing::new(password.iter().collect()))
}

fn pick(cx: &mut Cx<'_>, letters: &[char]) -> Result<char, Fault> {
    let at = below(cx, letters.len())?;
    letters.get(at).copied().ok_or_else(|| SecretError::PasswordAlphabet.into())
}

/// A secret number below a bound, none likelier than another.
fn below(cx: &mut Cx<'_>, bound: usize) -> Result<usize, Fault> {
    let bound = u32::try_from(bound.max(1)).unwrap_or(u32::MAX);
    let room = u32::MAX - u32::MAX % bound;
    loop {
        let bytes = cx.secret_bytes(4)?;
        let number = bytes.first_chunk::<4>().map_or(0, |bytes| u32::from_be_bytes(*bytes));
        if number < room {
            return Ok(usize::try_from(number % bound).unwrap_or(0));
        }
    }
}
