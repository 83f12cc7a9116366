//! The path of the node being walked, such as `Resources.Task.Properties.Tags[0].Value`.

/// A path that grows and shrinks with the walk.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    text: String,
}

impl Trail {
    pub(crate) fn path(&self) -> &str {
        &self.text
    }

    /// Where to come [`back`](Self::back) to.
    pub(crate) fn mark(&self) -> usize {
        self.text.len()
    }

    pub(crate) fn back(&mut self, mark: usize) {
        self.text.truncate(mark);
    }

    pub(crate) fn key(&mut self, key: &str) {
        if !self.text.is_empty() {
            self.text.push('.');
        }
        self.text.push_str(key);
    }

    pub(crate) fn index(&mut self, index: usize) {
        self.text.push_str(&format!("[{index}]"));
    }
}
