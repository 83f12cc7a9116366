//! Pages of a list: `NextToken` and `MaxResults`.

use crate::errors::SecretError;

/// The items from the token on, and the token of the next page: the place of its first item.
pub(super) fn page<T>(
    items: Vec<T>,
    token: Option<&str>,
    items_max: Option<i32>,
    items_default: usize,
) -> Result<(Vec<T>, Option<String>), SecretError> {
    let start = token.map_or(Ok(0), |token| token.parse::<usize>().map_err(|_| SecretError::NextToken))?;
    let room = items_max.and_then(|max| usize::try_from(max).ok()).unwrap_or(items_default);
    let next = (items.len() > start.saturating_add(room)).then(|| (start + room).to_string());
    Ok((items.into_iter().skip(start).take(room).collect(), next))
}
