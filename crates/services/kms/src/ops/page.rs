//! Pages of a list: `Marker` and `Limit`.

use crate::errors::KmsError;

/// A part of a list, and where the next one begins.
pub(super) struct Page<T> {
    pub(super) items: Option<Vec<T>>,
    pub(super) next: Option<String>,
    pub(super) truncated: Option<bool>,
}

/// The items from the marker on.
pub(super) fn page<T>(
    items: Vec<T>,
    marker: Option<&str>,
    limit: Option<i32>,
    limit_default: usize,
) -> Result<Page<T>, KmsError> {
    let start = marker.map_or(Ok(0), |marker| marker.parse::<usize>().map_err(|_| KmsError::Marker))?;
    let room = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(limit_default);
    let next = (items.len() > start.saturating_add(room)).then(|| (start + room).to_string());
    let items = items.into_iter().skip(start).take(room).collect();
    Ok(Page { items: Some(items), truncated: Some(next.is_some()), next })
}
