//! Wire shapes: `crates/api/src/<service>.rs` from botocore's models.
//!
//! `xtask/codegen/wire.txt` lists the operations; only shapes that they reach are written. `protocols.txt` beside it lists those of
//! services that do not exist here and whose protocols the codecs speak: their descriptors are for the codecs' tests. The codecs get
//! the protocols of all of AWS's services.
//!
//! Invariant: the models' version is pinned, so the same checkout always gives the same text.

mod botocore;
mod names;
mod protocols;
mod render;

use super::Generated;

/// The files for every service in the allow-lists.
pub(crate) fn generate() -> Result<Vec<Generated>, String> {
    let (mut files, services) = listed("wire.txt", "crates/api/src")?;
    files.push(Generated { path: "crates/api/src/lib.rs".into(), text: render::root(&services) });
    let (of_tests, services) = listed("protocols.txt", "crates/wire/tests/wire/apis")?;
    files.extend(of_tests);
    files.push(Generated { path: "crates/wire/tests/wire/apis/mod.rs".into(), text: render::tested(&services) });
    files.push(Generated {
        path: "crates/wire/src/spoken/aws_services.rs".into(),
        text: protocols::table(&botocore::data()?)?,
    });
    Ok(files)
}

/// The files for every service in a list, and their names.
fn listed(list: &str, folder: &str) -> Result<(Vec<Generated>, Vec<String>), String> {
    let path = crate::root().join("xtask/codegen").join(list);
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let data = botocore::data()?;
    let (mut files, mut services) = (Vec::new(), Vec::new());
    for (service, operations) in parse(&text)? {
        let model = botocore::Model::read(&data, &service)?;
        let text = render::api(&service, &model, &operations, list).map_err(|error| format!("{service}: {error}"))?;
        files.push(Generated { path: format!("{folder}/{}.rs", service.replace('-', "_")).into(), text });
        services.push(service);
    }
    Ok((files, services))
}

/// `[service]` lines, each followed by operation names; `#` begins a comment line.
fn parse(list: &str) -> Result<Vec<(String, Vec<String>)>, String> {
    let mut services: Vec<(String, Vec<String>)> = Vec::new();
    for line in list.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        if let Some(service) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            services.push((service.to_owned(), Vec::new()));
        } else if !line.is_empty() {
            let (_, operations) =
                services.last_mut().ok_or_else(|| format!("`{line}` precedes the first [service]"))?;
            operations.extend(line.split_whitespace().map(str::to_owned));
        }
    }
    for (_, operations) in &mut services {
        operations.sort();
    }
    Ok(services)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn the_list_is_read_section_by_section() {
        let services = parse("# comment\n[b]\nTwo One\nThree\n\n[a]\n").unwrap();
        let (b, a) = (&services[0], &services[1]);
        assert_eq!((b.0.as_str(), b.1.join(" ").as_str()), ("b", "One Three Two"));
        assert_eq!((a.0.as_str(), a.1.len()), ("a", 0));
        assert!(parse("Lost").is_err());
    }
}
