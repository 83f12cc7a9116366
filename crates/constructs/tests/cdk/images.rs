use std::collections::BTreeSet;
use std::path::Path;

use neargate_constructs::ecs::{
    AssetImageProps, ContainerDefinitionProps, ContainerImage, FargateTaskDefinition, FargateTaskDefinitionProps,
};
use neargate_constructs::{App, AppProps, Stack, StackProps};

/// Writes the assembly of a task whose image is built from a directory, into that directory; what the image is built from.
fn staged(directory: &Path) -> (String, BTreeSet<String>) {
    let out_dir = directory.join("cdk.out");
    let app = App::with_props(AppProps { out_dir: Some(out_dir.clone()), context: Some(serde_json::Map::new()) });
    let stack = Stack::new(&app, "Stack", StackProps::default());
    let task = FargateTaskDefinition::new(&stack, "Task", FargateTaskDefinitionProps::default());
    let image = Some(ContainerImage::from_asset(directory, AssetImageProps::default()));
    task.add_container("app", ContainerDefinitionProps { image, ..Default::default() });
    app.synth().unwrap();
    let assets: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(out_dir.join("Stack.assets.json")).unwrap()).unwrap();
    let (hash, asset) = assets["dockerImages"].as_object().unwrap().iter().next().unwrap();
    let root = out_dir.join(asset["source"]["directory"].as_str().unwrap());
    let mut files = BTreeSet::new();
    let mut open = vec![root.clone()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false => drop(files.insert(path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned())),
            }
        }
    }
    (hash.clone(), files)
}

#[test]
fn an_image_is_built_from_what_its_dockerignore_leaves_and_never_from_assemblies() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("Dockerfile", "FROM busybox:1.37\nCOPY src /src\n");
    write("src/run.sh", "date\n");
    write("target/app", "large\n");
    write("notes.md", "not for the image\n");
    let everything = ["Dockerfile", "notes.md", "src/run.sh", "target/app"].map(str::to_owned);
    let (first, files) = staged(directory.path());
    assert_eq!(files, BTreeSet::from(everything));
    // The second run finds the assembly of the first, and takes nothing of it in.
    assert_eq!(staged(directory.path()), (first.clone(), files));

    write(".dockerignore", "*\n!src\n");
    let (ignoring, files) = staged(directory.path());
    assert_ne!(ignoring, first);
    assert_eq!(files, BTreeSet::from([".dockerignore", "Dockerfile", "src/run.sh"].map(str::to_owned)));
    write("target/app", "other\n");
    assert_eq!(staged(directory.path()).0, ignoring, "a change of what is left out changes nothing");
    write("src/run.sh", "uptime\n");
    assert_ne!(staged(directory.path()).0, ignoring);
}
