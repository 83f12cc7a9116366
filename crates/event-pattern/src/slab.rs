//! Numbered places for values that come and go.
//!
//! Invariant: a number stays with its value until it is removed, then is given out again.

#[derive(Debug, Clone)]
pub(crate) struct Slab<T> {
    places: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    pub(crate) fn insert(&mut self, value: T) -> u32 {
        if let Some(id) = self.free.pop() {
            if let Some(place) = self.places.get_mut(id as usize) {
                *place = Some(value);
            }
            return id;
        }
        self.places.push(Some(value));
        u32::try_from(self.places.len() - 1).unwrap_or(u32::MAX)
    }

    pub(crate) fn remove(&mut self, id: u32) -> Option<T> {
        let value = self.places.get_mut(id as usize)?.take()?;
        self.free.push(id);
        Some(value)
    }

    #[inline]
    pub(crate) fn get(&self, id: u32) -> Option<&T> {
        self.places.get(id as usize)?.as_ref()
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, id: u32) -> Option<&mut T> {
        self.places.get_mut(id as usize)?.as_mut()
    }

    /// One more than the highest number in use.
    #[inline]
    pub(crate) fn bound(&self) -> usize {
        self.places.len()
    }
}
