//! Exporting an image as an OCI layout, in a directory or a tar.
//!
//! The tar also has the `manifest.json` of docker archives, so that older `docker load` reads it.
//!
//! Invariant: a tar appears at its path when it is complete.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use neargate_base::Diagnostic;
use serde_json::json;

use super::archive::{ArchiveWriter, Kind, Member};
use super::codes::{self, io_error};
use super::digest::Digest;
use super::image::Image;
use super::index::Index;
use super::reference::Reference;
use super::store::{ImageStore, not_found};

const LAYOUT: &[u8] = b"{\"imageLayoutVersion\":\"1.0.0\"}";

impl ImageStore {
    /// Writes the image to `path`: a tar if that ends in `.tar`, else a new directory.
    ///
    /// # Errors
    /// `NG-R0104` without such an image, `NG-R0103` when the path cannot be written or the directory is not empty.
    pub fn export(&self, reference: &str, path: &Path) -> Result<Image, Diagnostic> {
        let reference = Reference::parse(reference)?;
        let _work = self.work_lock()?;
        let index = self.index()?;
        let entry = index.find(&reference).ok_or_else(|| not_found(&reference.to_string()))?;
        let image = self.image(&entry.digest()?)?;
        let name = entry.reference().unwrap_or(reference);
        let mut single = Index::default();
        single.put(&name, entry.clone());
        let index_json = single.to_bytes();
        if path.extension().is_some_and(|extension| extension == "tar") {
            self.export_tar(path, &image, &name, &index_json)?;
        } else {
            self.export_directory(path, &image, &index_json)?;
        }
        Ok(image)
    }

    fn export_tar(&self, path: &Path, image: &Image, name: &Reference, index: &[u8]) -> Result<(), Diagnostic> {
        let partial = path.with_extension("tar.partial");
        let written = self.write_tar(&partial, image, name, index);
        if written.is_err() {
            let _ = fs::remove_file(&partial);
        }
        written?;
        fs::rename(&partial, path).map_err(|e| io_error("create", path, &e))
    }

    fn write_tar(&self, path: &Path, image: &Image, name: &Reference, index: &[u8]) -> Result<(), Diagnostic> {
        let fail = |e: io::Error| io_error("write", path, &e);
        let mut archive = ArchiveWriter::new(BufWriter::new(File::create(path).map_err(fail)?));
        let blob = |digest: &Digest| format!("blobs/sha256/{}", digest.hex());
        for directory in ["blobs/", "blobs/sha256/"] {
            let member = Member { path: directory.into(), kind: Kind::Directory, mode: 0o755, ..Member::default() };
            archive.add(&member, &mut io::empty()).map_err(fail)?;
        }
        for digest in blobs(image) {
            let mut file = self.open_blob(digest)?;
            let bytes = file.metadata().map_err(fail)?.len();
            archive.add(&file_member(&blob(digest), bytes), &mut file).map_err(fail)?;
        }
        let docker = json!([{
            "Config": blob(&image.config_digest),
            "RepoTags": [name.familiar()],
            "Layers": image.layers.iter().map(|layer| blob(&layer.digest)).collect::<Vec<_>>(),
        }])
        .to_string();
        for (name, mut bytes) in [("index.json", index), ("manifest.json", docker.as_bytes()), ("oci-layout", LAYOUT)] {
            archive.add(&file_member(name, bytes.len() as u64), &mut bytes).map_err(fail)?;
        }
        let mut out = archive.finish().map_err(fail)?;
        out.flush().map_err(fail)?;
        out.get_ref().sync_all().map_err(fail)
    }

    fn export_directory(&self, path: &Path, image: &Image, index: &[u8]) -> Result<(), Diagnostic> {
        if fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(Diagnostic::error(codes::IO, format!("`{}` is not empty", path.display()))
                .hint("give a new directory, or a path that ends in `.tar`"));
        }
        let directory = path.join("blobs/sha256");
        fs::create_dir_all(&directory).map_err(|e| io_error("create", &directory, &e))?;
        for digest in blobs(image) {
            let target = directory.join(digest.hex());
            let mut out = File::create(&target).map_err(|e| io_error("create", &target, &e))?;
            io::copy(&mut self.open_blob(digest)?, &mut out).map_err(|e| io_error("write", &target, &e))?;
        }
        for (name, bytes) in [("oci-layout", LAYOUT), ("index.json", index)] {
            let target = path.join(name);
            fs::write(&target, bytes).map_err(|e| io_error("write", &target, &e))?;
        }
        Ok(())
    }
}

/// Digests of all blobs of an image, each once, sorted.
fn blobs(image: &Image) -> Vec<&Digest> {
    let mut digests: Vec<&Digest> = image.layers.iter().map(|layer| &layer.digest).collect();
    digests.extend([&image.digest, &image.config_digest]);
    digests.sort();
    digests.dedup();
    digests
}

fn file_member(path: &str, size_bytes: u64) -> Member {
    Member { path: path.into(), mode: 0o644, size_bytes, ..Member::default() }
}
