//! The guest's file systems: a first root of busybox and a few modules, and the root proper as an ext4 image.
//!
//! Invariant: the image holds busybox, modules and what was added, with the shared libraries that it needs; nothing else
//! of this machine is in it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::cpio::Archive;
use super::kernel::Kernel;
use super::modules::Modules;
use super::{command, in_path, needed};

/// What the first root needs to find the disk and the console.
const FIRST_MODULES: &[&str] = &["virtio_pci", "virtio_blk", "virtio_console"];
/// Modules that the kernel loads by itself when they are asked for.
const MODULES: &[&str] =
    &["overlay", "loop", "veth", "dummy", "tun", "xfs", "quota_v2", "quota_tree", "autofs4", "unix_diag"];
const MODULE_FOLDERS: &[&str] = &["net/netfilter", "net/ipv4/netfilter", "net/ipv6/netfilter", "net/bridge"];

/// The directories of a root without `usr` apart.
const DIRECTORIES: &[&str] = &[
    "dev",
    "etc",
    "home/user",
    "mnt",
    "proc",
    "root",
    "run",
    "sys",
    "tmp",
    "usr/bin",
    "usr/lib",
    "usr/lib64",
    "var",
    "vm",
];
const LINKS: &[(&str, &str)] =
    &[("usr/bin", "bin"), ("usr/lib", "lib"), ("usr/lib64", "lib64"), ("usr/bin", "sbin"), ("bin", "usr/sbin")];

/// A root in the making.
#[derive(Debug)]
pub(super) struct Root {
    stage: TempDir,
}

impl Root {
    /// A root with busybox, the kernel's modules and two users.
    pub(super) fn new(cache: &Path, kernel: &Kernel) -> Result<Self, String> {
        let stage = tempfile::tempdir_in(cache).map_err(|error| error.to_string())?;
        fs::set_permissions(stage.path(), fs::Permissions::from_mode(0o755)).map_err(|error| error.to_string())?;
        let root = Self { stage };
        for directory in DIRECTORIES {
            fs::create_dir_all(root.at(directory)).map_err(|error| format!("{directory}: {error}"))?;
        }
        for (to, link) in LINKS {
            symlink(to, root.at(link)).map_err(|error| format!("{link}: {error}"))?;
        }
        let busybox = needed("busybox", "busybox-static")?;
        root.copy(&busybox, Path::new("/bin/busybox"))?;
        let output = Command::new(&busybox).arg("--list").output().map_err(|error| format!("busybox: {error}"))?;
        for applet in String::from_utf8_lossy(&output.stdout).lines().filter(|applet| *applet != "busybox") {
            symlink("busybox", root.at("bin").join(applet)).map_err(|error| format!("{applet}: {error}"))?;
        }
        root.write("etc/passwd", "root:x:0:0::/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n")?;
        root.write("etc/group", "root:x:0:\nuser:x:1000:\n")?;
        root.write("etc/hosts", "127.0.0.1 localhost\n")?;
        root.write("vm/init", include_str!("guest/init.sh"))?;
        root.modules(kernel)?;
        Ok(root)
    }

    fn modules(&self, kernel: &Kernel) -> Result<(), String> {
        let modules = Modules::read(&kernel.modules);
        let names = MODULE_FOLDERS.iter().flat_map(|folder| modules.below(folder)).chain(MODULES.iter().copied());
        for file in modules.with_needs(names)? {
            let below = file.strip_prefix(&kernel.modules).map_err(|error| error.to_string())?;
            self.copy(&file, &Path::new("/lib/modules").join(&kernel.version).join(below))?;
        }
        for name in ["modules.builtin", "modules.order", "modules.builtin.modinfo"] {
            let file = kernel.modules.join(name);
            if file.is_file() {
                self.copy(&file, &Path::new("/lib/modules").join(&kernel.version).join(name))?;
            }
        }
        // Busybox's own wants to be where the modules are, so it runs in the guest's root.
        let depmod = ["-b".as_ref(), self.stage.path().as_os_str(), kernel.version.as_ref()];
        match in_path("depmod") {
            Some(program) => command(&program, &depmod),
            None => command(&needed("busybox", "busybox-static")?, &[&["depmod".as_ref()], depmod.as_slice()].concat()),
        }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.stage.path().join(path)
    }

    /// Writes a file, one that may be run.
    pub(super) fn write(&self, path: &str, content: &str) -> Result<(), String> {
        let file = self.at(path);
        let failed = |error: std::io::Error| format!("{path}: {error}");
        file.parent().map_or(Ok(()), fs::create_dir_all).map_err(failed)?;
        fs::write(&file, content).map_err(failed)?;
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).map_err(failed)
    }

    /// Adds a program without its debugging symbols, and the shared libraries it needs.
    pub(super) fn program(&mut self, file: &Path, path: &Path) -> Result<(), String> {
        let target = self.stage.path().join(path.strip_prefix("/").unwrap_or(path));
        if target.is_symlink() {
            // Busybox's, which is less.
            fs::remove_file(&target).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        self.copy(file, path)?;
        if let Some(strip) = in_path("strip") {
            // A script, or a program of another kind, stays as it is.
            let _ = command(&strip, &["--strip-debug".as_ref(), target.as_ref()]);
        }
        let output = Command::new("ldd").arg(file).output().map_err(|error| format!("cannot run ldd: {error}"))?;
        for library in String::from_utf8_lossy(&output.stdout).lines().filter_map(library) {
            self.copy(&library, &library)?;
        }
        Ok(())
    }

    /// Adds a file of this machine at a path of the guest; answers with where it lies before the guest starts.
    pub(super) fn copy(&self, file: &Path, path: &Path) -> Result<PathBuf, String> {
        let target = self.stage.path().join(path.strip_prefix("/").unwrap_or(path));
        let failed = |error: std::io::Error| format!("{}: {error}", file.display());
        target.parent().map_or(Ok(()), fs::create_dir_all).map_err(failed)?;
        if !target.exists() {
            fs::copy(file, &target).map_err(failed)?;
        }
        Ok(target)
    }

    /// Makes systemd the first process; the guest's script is a unit of it.
    pub(super) fn systemd(&mut self) -> Result<(), String> {
        let systemd = Path::new("/lib/systemd/systemd");
        if !systemd.is_file() {
            return Err("left out: no `systemd` on this machine: install it".to_owned());
        }
        self.program(systemd, systemd)?;
        for program in ["systemctl", "systemd-run"] {
            let file = needed(program, "systemd")?;
            self.program(&file, &file)?;
        }
        self.write("vm/systemd", "")?;
        self.write("etc/machine-id", "0123456789abcdef0123456789abcdef\n")?;
        // What every unit refers to.
        for target in ["sysinit", "basic", "shutdown"] {
            self.write(&format!("etc/systemd/system/{target}.target"), "[Unit]\nDefaultDependencies=no\n")?;
        }
        self.write("etc/systemd/system/vm.service", include_str!("guest/vm.service"))
    }

    /// The root as an ext4 image with that much room besides, at `image`.
    pub(super) fn into_image(self, image: &Path, free_mib: u64) -> Result<(), String> {
        let used = Command::new("du").args(["-sm"]).arg(self.stage.path()).output();
        let used = used.map_err(|error| format!("cannot run du: {error}"))?;
        let used: u64 = String::from_utf8_lossy(&used.stdout).split('\t').next().unwrap_or("").parse().unwrap_or(512);
        let size = format!("{}M", used + used / 8 + free_mib);
        let options = "-q -F -t ext4 -m 0 -E lazy_itable_init=1,lazy_journal_init=1,root_owner=0:0 -d".split(' ');
        let mut arguments: Vec<&std::ffi::OsStr> = options.map(std::ffi::OsStr::new).collect();
        arguments.extend([self.stage.path().as_os_str(), image.as_os_str(), size.as_ref()]);
        command(&needed("mke2fs", "e2fsprogs")?, &arguments)
    }
}

/// The first root: finds the disk and goes there.
pub(super) fn first_root(kernel: &Kernel) -> Result<Vec<u8>, String> {
    let read = |file: &Path| fs::read(file).map_err(|error| format!("{}: {error}", file.display()));
    let mut archive = Archive::default();
    ["bin", "dev", "proc", "sys", "root", "modules"].iter().for_each(|directory| archive.directory(directory));
    archive.program("bin/busybox", &read(&needed("busybox", "busybox-static")?)?);
    let modules = Modules::read(&kernel.modules);
    for (number, file) in modules.with_needs(FIRST_MODULES.iter().copied())?.iter().enumerate() {
        archive.program(&format!("modules/{number:02}.ko"), &read(file)?);
    }
    archive.program("init", include_bytes!("guest/first.sh"));
    Ok(archive.finish())
}

/// A library's path in a line of `ldd`.
fn library(line: &str) -> Option<PathBuf> {
    let path = line.split_once(" => ").map_or(line, |(_, path)| path).trim();
    let path = path.split(" (").next().unwrap_or(path);
    path.starts_with('/').then(|| PathBuf::from(path))
}

/// A word as a shell reads it.
pub(super) fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_read_from_ldd() {
        let lines = [
            "\tlinux-vdso.so.1 (0x00007ffd)",
            "\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f)",
            "\t/lib64/ld-linux-x86-64.so.2 (0x00007f)",
            "\tstatically linked",
            "\tlibgone.so => not found",
        ];
        let found: Vec<PathBuf> = lines.iter().filter_map(|line| library(line)).collect();
        assert_eq!(found, ["/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2"].map(PathBuf::from));
    }

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
