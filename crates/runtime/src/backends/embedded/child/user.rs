//! Who the program runs as.
//!
//! `user`, `user:group`, names or numbers, looked up in the container's own `/etc/passwd` and `/etc/group`, with the
//! supplementary groups that list the user. A number needs no entry; a name does.

use std::path::Path;

use rustix::process::{Gid, Uid};

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

/// Looks the user up; empty is root.
pub(super) fn resolve(text: &str, passwd: &Path, group: &Path) -> Result<User, StartFailure> {
    let read = |path: &Path| std::fs::read(path).map(|b| String::from_utf8_lossy(&b).into_owned()).unwrap_or_default();
    let (passwd, group) = (read(passwd), read(group));
    let (user, wanted_group) = text.split_once(':').map_or((text, None), |(user, group)| (user, Some(group)));
    let user = if user.is_empty() { "0" } else { user };

    let number = user.parse::<u32>().ok();
    let entry = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| match number {
        Some(number) => field(fields, 2).parse() == Ok(number) || field(fields, 0) == user,
        None => field(fields, 0) == user,
    });
    let mut resolved = match (&entry, number) {
        (Some(fields), _) => User {
            uid: field(fields, 2).parse().unwrap_or(0),
            gid: field(fields, 3).parse().unwrap_or(0),
            groups: groups_of(&group, field(fields, 0)),
            home: field(fields, 5).to_owned(),
        },
        (None, Some(uid)) => User { uid, gid: 0, groups: Vec::new(), home: String::new() },
        (None, None) => return Err(unknown(format!("unable to find user {user}: no matching entries in passwd file"))),
    };
    if resolved.home.is_empty() {
        "/".clone_into(&mut resolved.home);
    }
    if let Some(wanted) = wanted_group.filter(|name| !name.is_empty()) {
        resolved.gid = group_id(&group, wanted)?;
        resolved.groups.clear();
    }
    Ok(resolved)
}

fn field<'a>(fields: &[&'a str], index: usize) -> &'a str {
    fields.get(index).copied().unwrap_or("")
}

fn group_id(group: &str, wanted: &str) -> Result<u32, StartFailure> {
    let named = group.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|f| field(f, 0) == wanted);
    named
        .and_then(|fields| field(&fields, 2).parse().ok())
        .or_else(|| wanted.parse().ok())
        .ok_or_else(|| unknown(format!("unable to find group {wanted}: no matching entries in group file")))
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
        let dir = tempfile::tempdir().unwrap();
        let (passwd, group) = (dir.path().join("passwd"), dir.path().join("group"));
        std::fs::write(&passwd, "root:x:0:0:root:/root:/bin/sh\nweb:x:33:34::/srv/www:/bin/sh\nbare:x:50:51\n")
            .unwrap();
        std::fs::write(&group, "root:x:0:\nstaff:x:60:web,other\nlogs:x:61:web\n").unwrap();
        match resolve(text, &passwd, &group) {
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
            ("web:7", "33:7 [] /srv/www"),
            ("1234", "1234:0 [] /"),
            ("1234:99", "1234:99 [] /"),
            ("bare", "50:51 [] /"),
            ("nobody", "unable to find user nobody: no matching entries in passwd file"),
            ("web:none", "unable to find group none: no matching entries in group file"),
        ] {
            assert_eq!(check(text), expected, "{text}");
        }
    }
}
