//! Who the program runs as.
//!
//! `user`, `user:group`, names or numbers, looked up in the container's own `/etc/passwd` and `/etc/group`, with the
//! supplementary groups that list the user. A number needs no entry; a name does.

use std::path::Path;

use rustix::process::{Gid, Uid};

use super::inside::Root;
use super::program::plain;
use super::resources;
use crate::event::{StartFailure, StartFailureKind};

/// A resolved user.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct User {
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) groups: Vec<u32>,
    pub(super) home: String,
}

/// Longer ones are refused.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// The greatest id that an OCI runtime takes; the greatest number of all would mean "no change".
const ID_MAX: u32 = i32::MAX as u32;

/// Looks the user up in the container's files; empty is root.
pub(super) fn resolve(text: &str, root: &Root) -> Result<User, StartFailure> {
    let read = |path: &str| match root.read_file(Path::new(path), FILE_BYTES_MAX) {
        Ok(content) => Ok(String::from_utf8_lossy(&content.unwrap_or_default()).into_owned()),
        Err(e) => Err(StartFailure::new(StartFailureKind::RootFs, format!("reading `{path}`: {}", plain(&e)))),
    };
    look_up(text, &read("/etc/passwd")?, &read("/etc/group")?)
}

fn look_up(text: &str, passwd: &str, group: &str) -> Result<User, StartFailure> {
    let (user, wanted_group) = text.split_once(':').map_or((text, None), |(user, group)| (user, Some(group)));
    let user = if user.is_empty() { "0" } else { user };

    let number = user.parse::<u32>().ok();
    let entry = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| match number {
        Some(number) => field(fields, 2).parse() == Ok(number) || field(fields, 0) == user,
        None => field(fields, 0) == user,
    });
    let mut resolved = match (&entry, number) {
        (Some(fields), _) => User {
            uid: entry_id(fields, 2, "passwd")?,
            gid: entry_id(fields, 3, "passwd")?,
            groups: groups_of(group, field(fields, 0)),
            home: field(fields, 5).to_owned(),
        },
        (None, Some(uid)) => User { uid, gid: 0, groups: Vec::new(), home: String::new() },
        (None, None) => return Err(unknown(format!("unable to find user {user}: no matching entries in passwd file"))),
    };
    if resolved.home.is_empty() {
        "/".clone_into(&mut resolved.home);
    }
    if let Some(wanted) = wanted_group.filter(|name| !name.is_empty()) {
        resolved.gid = group_id(group, wanted)?;
        resolved.groups.clear();
    }
    if resolved.uid > ID_MAX || resolved.gid > ID_MAX || resolved.groups.iter().any(|gid| *gid > ID_MAX) {
        return Err(unknown(format!("uids and gids must be in range 0-{ID_MAX}")));
    }
    Ok(resolved)
}

/// An id that is no number must not pass for 0, which is root.
fn entry_id(fields: &[&str], index: usize, file: &str) -> Result<u32, StartFailure> {
    let (name, id) = (field(fields, 0), field(fields, index));
    id.parse().map_err(|_| unknown(format!("the entry `{name}` of the {file} file has `{id}` where a number must be")))
}

fn field<'a>(fields: &[&'a str], index: usize) -> &'a str {
    fields.get(index).copied().unwrap_or("")
}

fn group_id(group: &str, wanted: &str) -> Result<u32, StartFailure> {
    let named = group.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|f| field(f, 0) == wanted);
    match named {
        Some(fields) => entry_id(&fields, 2, "group"),
        None => wanted
            .parse()
            .map_err(|_| unknown(format!("unable to find group {wanted}: no matching entries in group file"))),
    }
}

fn groups_of(group: &str, user: &str) -> Vec<u32> {
    let lines = group.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let listed = lines.filter(|fields| field(fields, 3).split(',').any(|member| member == user && !user.is_empty()));
    listed.filter_map(|fields| field(&fields, 2).parse().ok()).collect()
}

fn unknown(text: String) -> StartFailure {
    StartFailure::new(StartFailureKind::UnknownUser, text)
}

/// Takes the user's ids, groups first.
pub(super) fn become_user(user: &User) -> Result<(), StartFailure> {
    let groups: Vec<Gid> = user.groups.iter().map(|gid| Gid::from_raw(*gid)).collect();
    let (gid, uid) = (Gid::from_raw(user.gid), Uid::from_raw(user.uid));
    rustix::thread::set_thread_groups(&groups)
        .and_then(|()| rustix::thread::set_thread_res_gid(gid, gid, gid))
        .and_then(|()| rustix::thread::set_thread_res_uid(uid, uid, uid))
        .map_err(|e| resources(format!("becoming user {}:{}: {e}", user.uid, user.gid)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> String {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nweb:x:33:34::/srv/www:/bin/sh\nbare:x:50:51\n\
                      odd:x:many:7::/:\nempty:x::7\nshort\nloose:x:9:all\nlast:x:4294967295:0\nhuge:x:4294967296:0\n";
        let group = "root:x:0:\nstaff:x:60:web,other\nlogs:x:61:web\nbad:x:none:\n7:x:8:\n";
        match look_up(text, passwd, group) {
            Ok(user) => format!("{}:{} {:?} {}", user.uid, user.gid, user.groups, user.home),
            Err(failure) => failure.message,
        }
    }

    #[test]
    fn users_are_resolved_as_container_engines_do() {
        for (text, expected) in [
            ("", "0:0 [] /root"),
            ("web", "33:34 [60, 61] /srv/www"),
            ("33", "33:34 [60, 61] /srv/www"),
            ("web:staff", "33:60 [] /srv/www"),
            ("web:6", "33:6 [] /srv/www"),
            ("1234", "1234:0 [] /"),
            ("1234:99", "1234:99 [] /"),
            ("bare", "50:51 [] /"),
            ("nobody", "unable to find user nobody: no matching entries in passwd file"),
            ("odd", "the entry `odd` of the passwd file has `many` where a number must be"),
            ("empty", "the entry `empty` of the passwd file has `` where a number must be"),
            ("short", "the entry `short` of the passwd file has `` where a number must be"),
            ("loose", "the entry `loose` of the passwd file has `all` where a number must be"),
            ("9", "the entry `loose` of the passwd file has `all` where a number must be"),
            ("huge", "the entry `huge` of the passwd file has `4294967296` where a number must be"),
            ("last", "uids and gids must be in range 0-2147483647"),
            ("4294967295", "uids and gids must be in range 0-2147483647"),
            ("1:2147483648", "uids and gids must be in range 0-2147483647"),
            ("2147483647", "2147483647:0 [] /"),
            ("web:bad", "the entry `bad` of the group file has `none` where a number must be"),
            ("web:7", "33:8 [] /srv/www"),
            ("web:none", "unable to find group none: no matching entries in group file"),
        ] {
            assert_eq!(check(text), expected, "{text}");
        }
    }
}
