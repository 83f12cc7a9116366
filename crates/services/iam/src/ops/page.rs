//! Pages of a list: `Marker` and `MaxItems`.

const ITEMS_DEFAULT: usize = 100;

/// One page. `IsTruncated` says whether `marker` is there.
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    pub(super) marker: Option<String>,
}

/// The page that begins at the marker: the key of its first item. `items` come in order of their keys.
pub(super) fn page<T>(
    items: impl Iterator<Item = (String, T)>,
    marker: Option<&str>,
    items_max: Option<i32>,
) -> Page<T> {
    let room = items_max.and_then(|max| usize::try_from(max).ok()).unwrap_or(ITEMS_DEFAULT);
    let mut page = Page { items: vec![], marker: None };
    for (key, item) in items.skip_while(|(key, _)| marker.is_some_and(|marker| key.as_str() < marker)) {
        if page.items.len() == room {
            page.marker = Some(key);
            break;
        }
        page.items.push(item);
    }
    page
}
