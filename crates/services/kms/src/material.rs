//! New keys, and new material of keys.
//!
//! Invariant: material is sealed before it is anywhere else.

use std::collections::BTreeMap;

use neargate_kernel::{Cx, Fault};

use crate::api::Tag;
use crate::cipher;
use crate::state::{KeyRecord, KeyState, Material};

impl KeyRecord {
    /// A key with its first material, not kept yet.
    pub(crate) fn make(cx: &mut Cx<'_>, description: String, policy: String, tags: Vec<Tag>) -> Result<Self, Fault> {
        let mut key = Self {
            id: cx.rng.uuid(),
            created: cx.time(),
            description,
            is_managed: false,
            state: KeyState::Enabled,
            policy,
            principals: BTreeMap::new(),
            tags,
            rotation: None,
            materials: vec![],
        };
        key.add_material(cx, None)?;
        Ok(key)
    }

    /// Gives the key new material to encrypt with.
    pub(crate) fn add_material(&mut self, cx: &mut Cx<'_>, rotation: Option<&str>) -> Result<(), Fault> {
        let bytes = cx.secret_bytes(32)?;
        let sealed = cipher::seal_material(cx, &self.id, self.materials.len(), &bytes)?;
        let (id, made) = (cx.rng.hex(64), cx.time());
        self.materials.push(Material { id, sealed, made, rotation: rotation.map(str::to_owned) });
        Ok(())
    }
}
